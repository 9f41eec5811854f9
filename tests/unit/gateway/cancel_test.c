/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/* CANCEL and its races, both ways: PROTOCOL 9.8, 10.5, RFC 3261 9, 16.10. */

/** alice's CANCEL of her INVITE. */
static enum gw_err alice_cancels(const char *more)
{
	return wic_sends(0, of_alice(&(struct says){.method = "CANCEL", .lines = more}));
}

static void bob_cancels(void)
{
	core_sends(of_core(&(struct says){.method = "CANCEL"}));
}

/** The CANCEL stands beside the INVITE as it went on (RFC 3261 9.1). */
static void is_cancel_of(const char *cancel, const char *invite)
{
	EXPECT(begins(cancel + 7, format("%.*s" CRLF, (int)strcspn(invite + 7, "\r"), invite + 7)));
	EXPECT_EQ(1, lines(cancel, "Via"));
	EXPECT_TEXT(line(invite, "Via"), line(cancel, "Via"));
	EXPECT_EQ(lines(invite, "Route"), lines(cancel, "Route"));
	if (lines(invite, "Route") > 0)
		EXPECT_TEXT(line(invite, "Route"), line(cancel, "Route"));
	EXPECT_TEXT(line(invite, "From"), line(cancel, "From"));
	EXPECT_TEXT(line(invite, "To"), line(cancel, "To"));
	EXPECT_TEXT(line(invite, "Call-ID"), line(cancel, "Call-ID"));
	EXPECT_LINE("1 CANCEL", cancel, "CSeq");
	EXPECT_LINE("70", cancel, "Max-Forwards");
	EXPECT_LINE("0", cancel, "Content-Length");
	EXPECT_NO_LINE(cancel, "Record-Route");
	EXPECT_NO_LINE(cancel, "Contact");
	EXPECT_NO_LINE(cancel, "Require");
}

static void time_ends_it_all(void)
{
	call_wait(70);
	call_nothing_left();
}

/* ---- of a WIC ------------------------------------------------------------------------------- */

TEST_BOTH(wic, that_cancels_after_a_provisional_response_gets_200_and_the_core_a_cancel)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels("Reason: SIP;cause=200" CRLF));
	EXPECT_EQ(2, world.count);
	EXPECT(contains(only_of(TO_WIC, "SIP/2.0 200"), "CSeq: 1 CANCEL" CRLF));
	EXPECT_EQ(1, lines(last_to(TO_WIC), "Via"));
	is_cancel_of(only_of(TO_MW, "CANCEL "), c.onward);
	EXPECT_EQ(transport, nth_to(TO_MW, 0)->target.transport);
	core_sends(bare_answer_of(keep(last_to(TO_MW)), "200 OK", "b1", ""));
	EXPECT_EQ(2, world.count);
	core_sends(answer_of(c.onward, "487 Request Terminated", "b1", ""));
	only_of(TO_WIC, "SIP/2.0 487");
	only_of(TO_MW, "ACK ");
	EXPECT_EQ(GW_OK,
		  wic_sends(0, of_alice(&(struct says){.method = "ACK",
						       .to = "<sip:bob@home1.net>;tag=b1"})));
	EXPECT_EQ(4, world.count);
	time_ends_it_all();
}

TEST_BOTH(wic, that_cancels_before_a_provisional_response_is_answered_and_the_core_waits)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels(""));
	only_of(TO_WIC, "SIP/2.0 200");
	EXPECT_EQ(0, count_to(TO_MW));
	core_sends(bare_answer_of(c.onward, "100 Trying", "", "")); /* that one is enough */
	is_cancel_of(only_of(TO_MW, "CANCEL "), c.onward);
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	EXPECT_EQ(1, count_to(TO_MW));
	core_sends(answer_of(c.onward, "487 Request Terminated", "b1", ""));
	only_of(TO_WIC, "SIP/2.0 487");
	only_of(TO_MW, "ACK ");
	time_ends_it_all();
}

TEST_BOTH(wic, that_cancels_twice_gets_200_twice_and_the_core_one_cancel)
{
	struct call c;
	const char *tag;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels(""));
	tag = line(last_to(TO_WIC), "To");
	EXPECT(contains(tag, ";tag="));
	EXPECT_EQ(GW_OK, alice_cancels(""));
	EXPECT_TEXT(tag, line(last_to(TO_WIC), "To"));
	EXPECT_EQ(2, count_to(TO_WIC));
	EXPECT_EQ(1, count_to(TO_MW));
	time_ends_it_all();
}

TEST_BOTH(wic, that_cancels_what_is_not_there_gets_481)
{
	call_world(transport);
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, alice_cancels(""));
	EXPECT_EQ(481, status_of(world_only(TO_WIC)));
}

TEST_BOTH(wic, that_cancels_the_call_of_another_gets_481_and_the_call_goes_on)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_SIP_NO_TRANSACTION,
		  wic_sends(1, of_alice(&(struct says){.method = "CANCEL"})));
	EXPECT_EQ(481, status_of(world_only(TO_WIC)));
	EXPECT(handle_equal(world.wic[1].flow, world_sent(0)->flow));
}

TEST_BOTH(wic, that_cancels_is_never_challenged_or_refused_for_its_registration)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world_wait(150 * S);
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world.wic[0].binding = handle_none();
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels("Authorization: Bearer x.y.z" CRLF));
	only_of(TO_WIC, "SIP/2.0 200");
	EXPECT(!contains(only_of(TO_MW, "CANCEL "), "Bearer"));
}

TEST_BOTH(wic, that_cancels_as_the_200_comes_has_a_call_and_can_end_it)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels("")); /* it crosses the 200 */
	core_sends(answer_of(c.onward, "200 OK", "b1", "Contact: <sip:bob@198.18.7.7>" CRLF));
	EXPECT_EQ(2, count_of(TO_WIC, "SIP/2.0 200"));
	EXPECT_LINE("1 INVITE", last_to(TO_WIC), "CSeq");
	c.routes = keep(routes_of_response(last_to(TO_WIC)));
	core_sends(bare_answer_of(keep(only_of(TO_MW, "CANCEL ")), "481 Gone", "b1", ""));
	EXPECT_EQ(2, count_to(TO_WIC));
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "ACK", "")));
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	only_of(TO_MW, "ACK ");
	core_sends(bare_answer_of(keep(only_of(TO_MW, "BYE ")), "200 OK", "b1", ""));
	EXPECT(contains(last_to(TO_WIC), " BYE" CRLF));
	time_ends_it_all();
}

TEST_BOTH(wic, that_cancels_after_the_200_gets_200_and_nothing_happens)
{
	call_world(transport);
	alice_called();
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels(""));
	EXPECT_EQ(200, status_of(world_only(TO_WIC)));
	time_ends_it_all();
}

TEST_BOTH(wic, that_cancels_after_a_failure_gets_200_and_nothing_happens)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels(""));
	EXPECT_EQ(200, status_of(world_only(TO_WIC)));
	time_ends_it_all();
}

TEST_BOTH(wic, that_cancels_a_call_whose_core_never_ends_it_gets_487_after_32_s)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	EXPECT_EQ(GW_OK, alice_cancels(""));
	core_sends(bare_answer_of(keep(only_of(TO_MW, "CANCEL ")), "200 OK", "b1", ""));
	world_forget();
	world_wait(32 * S - 10 * MS);
	EXPECT_EQ(0, world.count);
	world_wait(20 * MS);
	EXPECT_EQ(487, status_of(world_only(TO_WIC)));
	time_ends_it_all();
}

TEST(wic, that_cancels_over_udp_has_the_cancel_said_again_until_it_is_answered)
{
	struct call c;

	call_world(MW_UDP);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels(""));
	world_wait(3600 * MS);
	EXPECT_EQ(4, count_of(TO_MW, "CANCEL ")); /* 0, 0.5, 1.5, 3.5 */
	for (uint32_t i = 1; i < 4; i++)
		EXPECT_TEXT(nth_to(TO_MW, 0)->text, nth_to(TO_MW, i)->text);
	core_sends(bare_answer_of(keep(last_to(TO_MW)), "200 OK", "b1", ""));
	world_wait(10 * S);
	EXPECT_EQ(4, count_to(TO_MW));
	time_ends_it_all();
}

TEST(wic, that_cancels_over_udp_has_nothing_said_again_once_the_call_has_ended)
{
	struct call c;

	call_world(MW_UDP);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	EXPECT_EQ(GW_OK, alice_cancels(""));
	core_sends(answer_of(c.onward, "487 Request Terminated", "b1", ""));
	world_forget();
	world_wait(8 * S); /* the CANCEL's own answer was lost */
	EXPECT_EQ(0, world.count);
	core_sends(answer_of(c.onward, "487 Request Terminated", "b1", ""));
	only_of(TO_MW, "ACK ");
	EXPECT_EQ(1, world.count);
	time_ends_it_all();
}

TEST(wic, that_cancels_over_tcp_has_it_said_once)
{
	struct call c;

	call_world(MW_TCP);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels(""));
	world_wait(31 * S);
	EXPECT_EQ(1, count_to(TO_MW));
	time_ends_it_all();
}

/* PROTOCOL 9.8: the branch and the place of the INVITE that was forwarded, and that is the last. */
TEST(wic, that_cancels_a_call_that_went_to_another_hop_has_the_cancel_go_there)
{
	const char *first, *second;
	struct call c;

	call_world(MW_UDP);
	c = alice_calls("");
	first = c.onward;
	world_forget();
	world_wait(3500 * MS); /* the S-CSCF is silent */
	second = keep(last_to(TO_MW));
	EXPECT(strcmp(branch_of(first), branch_of(second)) != 0);
	core_sends(answer_of(second, "180 Ringing", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_OK, alice_cancels(""));
	is_cancel_of(only_of(TO_MW, "CANCEL "), second);
	EXPECT(endpoint_same_host(&world.hop[0].address, &nth_to(TO_MW, 0)->target.address));
	world_forget();
	core_sends(answer_of(second, "487 Request Terminated", "b1", ""));
	EXPECT_TEXT(line(second, "Via"), line(only_of(TO_MW, "ACK "), "Via"));
	EXPECT(endpoint_same_host(&world.hop[0].address, &nth_to(TO_MW, 0)->target.address));
	only_of(TO_WIC, "SIP/2.0 487");
	time_ends_it_all();
}

TEST_BOTH(wic, that_cancels_before_any_response_gets_408_when_none_comes)
{
	call_world(transport);
	alice_calls("");
	EXPECT_EQ(GW_OK, alice_cancels(""));
	world_forget();
	world_wait(32 * S + 10 * MS);
	EXPECT_EQ(1, count_to(TO_WIC));
	EXPECT_EQ(408, status_of(last_to(TO_WIC)));
	EXPECT_EQ(0, count_of(TO_MW, "CANCEL "));
	time_ends_it_all();
}

/* ---- of the core ---------------------------------------------------------------------------- */

TEST_BOTH(core, that_cancels_after_a_provisional_response_gets_200_and_the_wic_a_cancel)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	world_forget();
	bob_cancels();
	EXPECT_EQ(2, world.count);
	EXPECT(contains(only_of(TO_SOURCE, "SIP/2.0 200"), "CSeq: 1 CANCEL" CRLF));
	EXPECT_EQ(2, lines(last_to(TO_SOURCE), "Via"));
	is_cancel_of(only_of(TO_WIC, "CANCEL "), c.onward);
	EXPECT_EQ(GW_OK, wic_sends(0, bare_answer_of(keep(last_to(TO_WIC)), "200 OK", "w1", "")));
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "487 Request Terminated", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 487");
	only_of(TO_WIC, "ACK ");
	core_sends(of_core(&(struct says){.method = "ACK", .to = "<sip:alice@home1.net>;tag=w1"}));
	EXPECT_EQ(4, world.count);
	time_ends_it_all();
}

TEST_BOTH(core, that_cancels_before_a_provisional_response_is_answered_and_the_wic_waits)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	world_forget();
	bob_cancels();
	only_of(TO_SOURCE, "SIP/2.0 200");
	EXPECT_EQ(0, count_to(TO_WIC));
	EXPECT_EQ(GW_OK, wic_sends(0, bare_answer_of(c.onward, "100 Trying", "", "")));
	is_cancel_of(only_of(TO_WIC, "CANCEL "), c.onward);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "487 Request Terminated", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 487");
	only_of(TO_WIC, "ACK ");
	time_ends_it_all();
}

TEST_BOTH(core, that_cancels_as_the_200_comes_has_a_call_and_can_end_it)
{
	struct call c;

	call_world(transport);
	c = bob_calls(VECTOR);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	world_forget();
	bob_cancels();
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(GW_OK, wic_sends(0, bare_answer_of(keep(only_of(TO_WIC, "CANCEL ")), "481 Gone",
						     "w1", "")));
	EXPECT_EQ(2, count_of(TO_SOURCE, "SIP/2.0 200"));
	EXPECT_EQ(2, count_to(TO_SOURCE));
	c.backward = keep(format("Route: %s" CRLF, line(last_to(TO_SOURCE), "Record-Route")));
	core_sends(bob_in_call(&c, "ACK", ""));
	core_sends(bob_in_call(&c, "BYE", ""));
	only_of(TO_WIC, "ACK ");
	EXPECT_EQ(GW_OK,
		  wic_sends(0, bare_answer_of(keep(only_of(TO_WIC, "BYE ")), "200 OK", "w1", "")));
	EXPECT(contains(last_to(TO_SOURCE), " BYE" CRLF));
	time_ends_it_all();
}

TEST_BOTH(core, that_cancels_after_the_final_response_gets_200_and_nothing_happens)
{
	static const char *const status[] = {"200 OK", "486 Busy Here"};

	for (uint32_t i = 0; i < 2; i++) {
		struct call c;

		call_world(transport);
		c = bob_calls("");
		EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, status[i], "w1", "")));
		world_forget();
		bob_cancels();
		EXPECT_EQ(200, status_of(world_only(TO_SOURCE)));
		time_ends_it_all();
	}
}

TEST_BOTH(core, that_cancels_what_is_not_there_gets_481)
{
	call_world(transport);
	bob_cancels();
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
	world_forget();
	bob_calls("");
	world_forget();
	core_sends(of_core(&(struct says){.method = "CANCEL", .branch = "other"}));
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
}

TEST_BOTH(core, that_cancels_twice_gets_200_twice_and_the_wic_one_cancel)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	world_forget();
	bob_cancels();
	bob_cancels();
	EXPECT_EQ(2, count_to(TO_SOURCE));
	EXPECT_EQ(1, count_to(TO_WIC));
	EXPECT_TEXT(nth_to(TO_SOURCE, 0)->text, nth_to(TO_SOURCE, 1)->text);
	time_ends_it_all();
}

TEST_BOTH(core, that_cancels_a_call_whose_wic_never_ends_it_gets_487_after_32_s)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	bob_cancels();
	world_forget();
	world_wait(32 * S - 10 * MS);
	EXPECT_EQ(0, world.count);
	world_wait(20 * MS);
	EXPECT_EQ(487, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(2, lines(world_only(TO_SOURCE), "Via"));
	time_ends_it_all();
}

TEST_BOTH(core, that_cancels_a_call_whose_wic_has_gone_gets_487_at_once)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	alice_goes();
	bob_cancels();
	EXPECT_EQ(2, count_to(TO_SOURCE));
	only_of(TO_SOURCE, "SIP/2.0 200");
	only_of(TO_SOURCE, "SIP/2.0 487");
	time_ends_it_all();
}

TEST_BOTH(core, that_cancels_and_whose_wic_goes_then_gets_487)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	bob_cancels();
	world_forget();
	wic_leaves(0);
	EXPECT_EQ(487, status_of(world_only(TO_SOURCE)));
	time_ends_it_all();
}

TEST_BOTH(wic, that_cancels_its_re_invite_has_that_cancelled_and_keeps_the_call)
{
	const char *mw;
	struct call c;

	call_world(transport);
	c = alice_called();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "ACK", "")));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "re",
							      .uri = "sip:bob@198.18.7.7",
							      .to = "<sip:bob@home1.net>;tag=b1",
							      .cseq = 2,
							      .lines = c.routes})));
	mw = keep(only_of(TO_MW, "INVITE "));
	core_sends(answer_of(mw, "180 Ringing", "b1", ""));
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.method = "CANCEL",
							      .branch = "re",
							      .uri = "sip:bob@198.18.7.7",
							      .to = "<sip:bob@home1.net>;tag=b1",
							      .cseq = 2,
							      .lines = c.routes})));
	EXPECT_LINE("2 CANCEL", only_of(TO_MW, "CANCEL "), "CSeq");
	EXPECT_TEXT(line(mw, "Via"), line(last_to(TO_MW), "Via"));
	EXPECT_EQ(lines(mw, "Route"), lines(last_to(TO_MW), "Route"));
	core_sends(answer_of(mw, "487 Request Terminated", "b1", ""));
	only_of(TO_MW, "ACK ");
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	only_of(TO_MW, "BYE ");
	time_ends_it_all();
}

TEST_MAIN("gateway_cancel",
	  RUN_BOTH(wic, that_cancels_after_a_provisional_response_gets_200_and_the_core_a_cancel),
	  RUN_BOTH(wic, that_cancels_before_a_provisional_response_is_answered_and_the_core_waits),
	  RUN_BOTH(wic, that_cancels_twice_gets_200_twice_and_the_core_one_cancel),
	  RUN_BOTH(wic, that_cancels_what_is_not_there_gets_481),
	  RUN_BOTH(wic, that_cancels_the_call_of_another_gets_481_and_the_call_goes_on),
	  RUN_BOTH(wic, that_cancels_is_never_challenged_or_refused_for_its_registration),
	  RUN_BOTH(wic, that_cancels_as_the_200_comes_has_a_call_and_can_end_it),
	  RUN_BOTH(wic, that_cancels_after_the_200_gets_200_and_nothing_happens),
	  RUN_BOTH(wic, that_cancels_after_a_failure_gets_200_and_nothing_happens),
	  RUN_BOTH(wic, that_cancels_a_call_whose_core_never_ends_it_gets_487_after_32_s),
	  RUN(wic, that_cancels_over_udp_has_the_cancel_said_again_until_it_is_answered),
	  RUN(wic, that_cancels_over_udp_has_nothing_said_again_once_the_call_has_ended),
	  RUN(wic, that_cancels_over_tcp_has_it_said_once),
	  RUN(wic, that_cancels_a_call_that_went_to_another_hop_has_the_cancel_go_there),
	  RUN_BOTH(wic, that_cancels_before_any_response_gets_408_when_none_comes),
	  RUN_BOTH(core, that_cancels_after_a_provisional_response_gets_200_and_the_wic_a_cancel),
	  RUN_BOTH(core, that_cancels_before_a_provisional_response_is_answered_and_the_wic_waits),
	  RUN_BOTH(core, that_cancels_as_the_200_comes_has_a_call_and_can_end_it),
	  RUN_BOTH(core, that_cancels_after_the_final_response_gets_200_and_nothing_happens),
	  RUN_BOTH(core, that_cancels_what_is_not_there_gets_481),
	  RUN_BOTH(core, that_cancels_twice_gets_200_twice_and_the_wic_one_cancel),
	  RUN_BOTH(core, that_cancels_a_call_whose_wic_never_ends_it_gets_487_after_32_s),
	  RUN_BOTH(core, that_cancels_a_call_whose_wic_has_gone_gets_487_at_once),
	  RUN_BOTH(core, that_cancels_and_whose_wic_goes_then_gets_487),
	  RUN_BOTH(wic, that_cancels_its_re_invite_has_that_cancelled_and_keeps_the_call))
