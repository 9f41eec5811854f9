/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include "gateway/internal.h"

/* Finished transactions: what is left of them, and what that still does (RFC 3261 17, RFC 6026). */

static void expect_left(uint32_t live, uint32_t finished)
{
	EXPECT_EQ(live, gateway_transactions(world.gw));
	EXPECT_EQ(finished, gateway_finished(world.gw));
	EXPECT_EQ(live, world_count(&world.counters.transaction_live));
	EXPECT_EQ(finished, world_count(&world.counters.transaction_finished));
}

static const char *alice_cancel(void)
{
	return of_alice(&(struct says){.method = "CANCEL"});
}

/** bob's BYE inside the call he made, and alice's 200 to it. */
static const char *bob_hangs_up(const struct call *c)
{
	const char *bye = keep(bob_in_call(c, "BYE", ""));

	world_forget();
	core_sends(bye);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(keep(only_of(TO_WIC, "BYE ")), "200 OK", "", "")));
	return bye;
}

/** The n-th MESSAGE of the core, as alice gets it; and she answers it. */
static const char *message_answered(uint32_t n)
{
	const char *request = keep(of_core(&(struct says){.method = "MESSAGE",
							  .branch = format("m%u", n),
							  .call = format("m%u", n)}));

	world_forget();
	core_sends(request);
	EXPECT_EQ(GW_OK,
		  wic_sends(0, answer_of(keep(only_of(TO_WIC, "MESSAGE ")), "200 OK", "m", "")));
	return request;
}

/* ---- when one comes about ------------------------------------------------------------------- */

TEST_BOTH(finished, invite_of_a_wic_gives_its_slot_back_with_the_2xx)
{
	call_world(transport);
	alice_calls("");
	expect_left(1, 0);
	core_answers("200 OK", "");
	expect_left(0, 1);
	call_wait(33);
	call_nothing_left();
}

TEST_BOTH(finished, invite_of_the_core_gives_its_slot_back_with_the_ack_of_its_2xx)
{
	struct call c;

	call_world(transport);
	c = bob_called();
	expect_left(1, 0);
	core_sends(bob_in_call(&c, "ACK", ""));
	only_of(TO_WIC, "ACK ");
	expect_left(0, 1);
	call_wait(33);
	call_nothing_left();
}

TEST_BOTH(finished, invite_of_the_core_gives_its_slot_back_when_its_wic_has_gone)
{
	call_world(transport);
	bob_called();
	alice_goes();
	expect_left(0, 1);
	call_wait(70);
	call_nothing_left();
}

TEST_BOTH(finished, invites_are_told_apart_by_their_acks)
{
	const char *first, *second, *route;

	call_world(transport);
	core_sends(of_core(&(struct says){.branch = "q1", .call = "q1"}));
	first = keep(last_to(TO_WIC));
	core_sends(of_core(&(struct says){.branch = "q2", .call = "q2"}));
	second = keep(last_to(TO_WIC));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(first, "200 OK", "w1", "")));
	route = keep(line(last_to(TO_SOURCE), "Record-Route"));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(second, "200 OK", "w2", "")));
	expect_left(2, 0);
	core_sends(of_core(&(struct says){.method = "ACK",
					  .branch = "q3",
					  .call = "q1",
					  .to = "<sip:alice@home1.net>;tag=w1",
					  .lines = format("Route: %s" CRLF, route)}));
	expect_left(1, 1);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(second, "200 OK", "w2", ""))); /* not hers */
	only_of(TO_SOURCE, "SIP/2.0 200");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(first, "200 OK", "w1", "")));
	EXPECT_EQ(1, world.count);
}

TEST(finished, request_over_reliable_transports_leaves_nothing)
{
	struct call c;

	call_world(MW_TCP);
	c = bob_called();
	core_sends(bob_in_call(&c, "ACK", ""));
	bob_hangs_up(&c);
	expect_left(0, 1); /* of the INVITE */
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){
					      .method = "MESSAGE", .branch = "m1", .call = "m1"})));
	core_answers("200 OK", "");
	expect_left(0, 1);
}

TEST(finished, request_of_a_wic_over_udp_leaves_nothing)
{
	call_world(MW_UDP); /* timer K: a repeat of the response finds its branch stale */
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){
					      .method = "MESSAGE", .branch = "m1", .call = "m1"})));
	core_answers("200 OK", "");
	expect_left(0, 0);
}

TEST(finished, failure_waits_alive_for_its_ack_over_udp)
{
	call_world(MW_UDP);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(bob_calls("").onward, "486 Busy Here", "w1", "")));
	expect_left(1, 0); /* timer G says it again */
	core_sends(of_core(&(struct says){.method = "ACK", .to = "<sip:alice@home1.net>;tag=w1"}));
	expect_left(0, 1);
	call_wait(6); /* timer I */
	call_nothing_left();
}

/* ---- what comes again ----------------------------------------------------------------------- */

TEST_BOTH(repeat, of_an_invite_of_a_wic_is_absorbed)
{
	struct call c;

	call_world(transport);
	c = alice_called();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, c.invite));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mw_absorbed));
}

TEST_BOTH(repeat, of_an_invite_of_the_core_is_absorbed_after_the_ack_too)
{
	struct call c;

	call_world(transport);
	c = bob_called();
	core_sends(bob_in_call(&c, "ACK", ""));
	world_forget();
	core_sends(c.invite);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mw_absorbed));
}

TEST_BOTH(repeat, of_a_2xx_of_a_wic_after_its_ack_goes_nowhere)
{
	struct call c;

	call_world(transport);
	c = bob_called();
	core_sends(bob_in_call(&c, "ACK", ""));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(0, world_count(&world.counters.errors[GW_SIP_NO_TRANSACTION]));
}

TEST(repeat, of_a_request_over_udp_gets_the_same_answer_and_the_wic_is_not_asked)
{
	const char *bye, *answer;
	struct call c;

	call_world(MW_UDP);
	c = bob_called();
	core_sends(bob_in_call(&c, "ACK", ""));
	bye = bob_hangs_up(&c);
	answer = keep(only_of(TO_SOURCE, "SIP/2.0 200"));
	expect_left(0, 2);
	for (uint32_t i = 0; i < 3; i++) {
		world_forget();
		core_sends(bye);
		EXPECT_TEXT(answer, world_only(TO_SOURCE));
	}
	world_forget();
	world_wait(32 * S + 10 * MS);
	call_nothing_left();
}

TEST(repeat, of_a_request_over_udp_is_answered_where_it_comes_from)
{
	const char *request;

	call_world(MW_UDP);
	request = message_answered(1);
	world.source.worker = 1;
	world_forget();
	core_sends(request);
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(TO_SOURCE, world_sent(0)->to);
	EXPECT_EQ(1, world_sent(0)->source.worker);
}

TEST(repeat, of_an_ack_after_a_failure_is_absorbed)
{
	const char *ack;

	call_world(MW_UDP);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(bob_calls("").onward, "486 Busy Here", "w1", "")));
	ack = keep(of_core(&(struct says){.method = "ACK", .to = "<sip:alice@home1.net>;tag=w1"}));
	core_sends(ack);
	world_forget();
	core_sends(ack);
	EXPECT_EQ(0, world.count);
	expect_left(0, 1);
}

TEST_BOTH(repeat, of_the_ack_of_a_2xx_goes_through_also_with_the_branch_of_its_invite)
{
	struct call c;

	call_world(transport);
	c = alice_called();
	expect_left(0, 1);
	for (uint32_t i = 0; i < 2; i++) {
		world_forget();
		EXPECT_EQ(GW_OK,
			  wic_sends(0, of_alice(&(struct says){.method = "ACK",
							       .uri = "sip:bob@198.18.7.7",
							       .to = "<sip:bob@home1.net>;tag=b1",
							       .lines = c.routes})));
		EXPECT(begins(world_only(TO_MW), "ACK "));
	}
	expect_left(0, 1);
}

TEST_BOTH(repeat, of_another_method_with_the_same_branch_is_none)
{
	call_world(transport);
	alice_called();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.method = "MESSAGE"})));
	only_of(TO_MW, "MESSAGE ");
	EXPECT_EQ(0, world_count(&world.counters.mw_absorbed));
}

TEST_BOTH(repeat, of_a_2xx_by_another_wic_is_its_own_invention)
{
	struct call c;

	call_world(transport);
	c = bob_called();
	core_sends(bob_in_call(&c, "ACK", ""));
	world_forget();
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(1, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(0, world.count);
}

TEST_BOTH(repeat, of_a_2xx_of_a_wic_by_the_core_reaches_no_wic)
{
	struct call c;

	call_world(transport);
	c = bob_called();
	core_sends(bob_in_call(&c, "ACK", ""));
	world_forget();
	core_sends(answer_of(c.onward, "200 OK", "w1", ""));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mw_unmatched));
}

TEST(repeat, of_a_failure_over_udp_gets_the_same_ack_where_its_invite_went)
{
	struct mw_target target;
	const char *ack;
	struct call c;

	call_world(MW_UDP);
	c = alice_calls("");
	target = nth_to(TO_MW, 0)->target;
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	ack = keep(only_of(TO_MW, "ACK "));
	expect_left(0, 1);
	world_forget();
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	EXPECT_TEXT(ack, world_only(TO_MW));
	EXPECT(target_same(&target, &nth_to(TO_MW, 0)->target));
}

/* ---- CANCEL, too late ----------------------------------------------------------------------- */

TEST_BOTH(cancel, of_a_wic_after_the_2xx_is_200_and_goes_nowhere)
{
	call_world(transport);
	alice_called();
	expect_left(0, 1);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_cancel()));
	EXPECT_EQ(200, status_of(world_only(TO_WIC)));
	EXPECT_LINE("1 CANCEL", world_only(TO_WIC), "CSeq");
	call_wait(33);
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(0, alice_cancel()));
}

TEST_BOTH(cancel, of_the_core_after_the_ack_is_200_and_goes_nowhere)
{
	struct call c;

	call_world(transport);
	c = bob_called();
	core_sends(bob_in_call(&c, "ACK", ""));
	expect_left(0, 1);
	world_forget();
	core_sends(of_core(&(struct says){.method = "CANCEL"}));
	EXPECT_EQ(200, status_of(world_only(TO_SOURCE)));
	call_wait(33);
	core_sends(of_core(&(struct says){.method = "CANCEL"}));
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
}

TEST_BOTH(cancel, of_ours_is_answered_late_and_nobody_is_told)
{
	const char *cancel;
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	EXPECT_EQ(GW_OK, wic_sends(0, alice_cancel()));
	cancel = keep(only_of(TO_MW, "CANCEL "));
	core_sends(answer_of(c.onward, "487 Request Terminated", "b1", ""));
	expect_left(0, 1); /* alice's ACK is to come */
	world_forget();
	core_sends(bare_answer_of(cancel, "200 OK", "b1", ""));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(0, world_count(&world.counters.mw_unmatched));
}

TEST_BOTH(cancel, that_was_never_sent_has_no_answer)
{
	struct call c;

	call_world(transport);
	c = alice_called();
	core_sends(format("SIP/2.0 200 OK" CRLF "Via: %s" CRLF "From: %s" CRLF "To: %s" CRLF
			  "Call-ID: %s" CRLF "CSeq: 1 CANCEL" CRLF "Content-Length: 0" CRLF CRLF,
			  line(c.onward, "Via"), line(c.onward, "From"), line(c.onward, "To"),
			  line(c.onward, "Call-ID")));
	EXPECT_EQ(1, world_count(&world.counters.mw_unmatched));
}

/* ---- further 2xx ---------------------------------------------------------------------------- */

TEST_BOTH(fork, has_its_second_2xx_handed_on_with_a_route_that_serves)
{
	const char *second, *icid, *bye;
	struct call c;

	call_world(transport);
	c = alice_called();
	icid = keep(line(c.onward, "P-Charging-Vector"));
	expect_left(0, 1);
	world_forget();
	core_sends(bare_answer_of(c.onward, "200 OK", "b2",
				  format("%sRecord-Route: %s" CRLF
					 "Contact: <sip:bob@198.18.8.8>" CRLF,
					 CORE_ROUTES, line(c.onward, "Record-Route"))));
	second = keep(world_only(TO_WIC));
	EXPECT_EQ(200, status_of(second));
	EXPECT_EQ(1, lines(second, "Via"));
	EXPECT_EQ(3, lines(second, "Record-Route"));
	EXPECT_EQ(transport == MW_TCP,
		  contains(line_n(second, "Record-Route", 2), ";transport=tcp;lr;wd="));
	world_forget();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, of_alice(&(struct says){.method = "BYE",
						       .uri = "sip:bob@198.18.8.8",
						       .branch = "f1",
						       .to = "<sip:bob@home1.net>;tag=b2",
						       .cseq = 2,
						       .lines = routes_of_response(second)})));
	bye = only_of(TO_MW, "BYE ");
	EXPECT_TEXT(icid, line(bye, "P-Charging-Vector"));
}

TEST_BOTH(fork, inside_a_dialog_has_its_2xx_said_again_as_it_was)
{
	const char *onward, *first, *ours;
	struct call c;

	call_world(transport);
	c = alice_called();
	ours = format("Record-Route: %s" CRLF,
		      line(c.onward, "Record-Route")); /* its routes stay */
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "INVITE", "Contact: " OUR_CONTACT CRLF)));
	onward = keep(only_of(TO_MW, "INVITE "));
	core_sends(answer_of(onward, "200 OK", "", ours));
	first = keep(only_of(TO_WIC, "SIP/2.0 200"));
	expect_left(0, 2);
	world_forget();
	core_sends(answer_of(onward, "200 OK", "", ours));
	EXPECT_TEXT(first, world_only(TO_WIC));
}

TEST_BOTH(fork, whose_wic_has_gone_has_its_2xx_dropped)
{
	struct call c;

	call_world(transport);
	c = alice_called();
	alice_goes();
	core_sends(answer_of(c.onward, "200 OK", "b2", ""));
	EXPECT_EQ(0, count_to(TO_WIC));
	EXPECT_EQ(0, world_count(&world.counters.mw_unmatched));
	EXPECT_EQ(0, world_count(&world.counters.errors[GW_STALE]));
}

TEST_BOTH(fork, that_fails_after_a_2xx_is_not_told)
{
	struct call c;

	call_world(transport);
	c = alice_called();
	world_forget();
	core_sends(answer_of(c.onward, "486 Busy Here", "b2", ""));
	EXPECT_EQ(0, world.count);
}

/* ---- slots, ends, bounds -------------------------------------------------------------------- */

TEST_BOTH(slot, that_serves_another_call_leaves_the_first_its_2xx)
{
	struct call first;
	const char *second;

	call_world(transport);
	first = alice_called();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "s2", .call = "s2"})));
	second = keep(only_of(TO_MW, "INVITE "));
	expect_left(1, 1);
	world_forget();
	core_sends(answer_of(first.onward, "200 OK", "b2", ""));
	EXPECT_LINE("i1", world_only(TO_WIC), "Call-ID");
	expect_left(1, 1);
	world_forget();
	core_sends(answer_of(second, "180 Ringing", "b3", ""));
	EXPECT_LINE("s2", world_only(TO_WIC), "Call-ID");
}

TEST_BOTH(slot, of_a_call_that_is_over_is_another_calls_alone)
{
	struct call first;
	const char *second;

	call_world(transport);
	first = alice_called();
	call_wait(33);
	call_nothing_left();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "s2", .call = "s2"})));
	second = keep(only_of(TO_MW, "INVITE "));
	world_forget();
	core_sends(answer_of(first.onward, "200 OK", "b2", ""));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mw_unmatched));
	core_sends(answer_of(second, "200 OK", "b3", ""));
	EXPECT_LINE("s2", world_only(TO_WIC), "Call-ID");
	world_forget();
	core_sends(answer_of(first.onward, "200 OK", "b2", ""));
	EXPECT_EQ(0, world.count);
	core_sends(answer_of(second, "200 OK", "b4", ""));
	EXPECT_LINE("s2", world_only(TO_WIC), "Call-ID");
}

TEST_BOTH(slot, of_a_tombstone_that_has_ended_swallows_no_new_request)
{
	call_world(transport);
	alice_called();
	call_wait(33);
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.method = "INVITE"})));
	only_of(TO_MW, "INVITE "); /* the same once more is a new one by now */
	EXPECT_EQ(0, world_count(&world.counters.mw_absorbed));
}

TEST_BOTH(slot, of_a_call_acknowledged_late_ends_when_its_2xx_is_32_s_old)
{
	struct call c;

	call_world(transport);
	c = bob_called();
	call_wait(20);
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "s2", .call = "s2"})));
	core_answers("200 OK", ""); /* a tombstone that ends later, and came before */
	core_sends(bob_in_call(&c, "ACK", ""));
	expect_left(0, 2);
	call_wait(13);
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	core_sends(c.invite); /* a new one */
	only_of(TO_WIC, "INVITE ");
}

TEST(bound, of_tombstones_forgets_the_oldest_and_refuses_nobody)
{
	call_world(MW_TCP); /* 8 transactions, 64 tombstones */
	for (uint32_t i = 0; i < 65; i++) {
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = format("n%u", i),
								      .call = format("n%u", i)})));
		core_answers("200 OK", "");
	}
	expect_left(0, 64);
	EXPECT_EQ(1, world_count(&world.counters.transaction_forgotten));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "n1", .call = "n1"})));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "n0", .call = "n0"})));
	only_of(TO_MW, "INVITE "); /* as if it were new */
	call_wait(70);
	call_nothing_left();
}

TEST(bound, of_tombstones_forgets_first_what_ends_first)
{
	call_world(MW_UDP);
	for (uint32_t i = 0; i < 63; i++) {
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = format("n%u", i),
								      .call = format("n%u", i)})));
		core_answers("200 OK", "");
	}
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(bob_calls("").onward, "486 Busy Here", "w1", "")));
	core_sends(of_core(&(struct says){.method = "ACK", .to = "<sip:alice@home1.net>;tag=w1"}));
	expect_left(0, 64); /* the last ends in 5 s */
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "n63", .call = "n63"})));
	core_answers("200 OK", "");
	expect_left(0, 64);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "n0", .call = "n0"})));
	EXPECT_EQ(0, world.count);
	call_wait(70);
	call_nothing_left();
}

TEST(bound, of_answers_that_are_kept_takes_the_oldest_and_its_request_is_not_asked_again)
{
	const char *request[6];

	call_world(MW_UDP); /* 8 transactions, 5 copies */
	for (uint32_t i = 0; i < 6; i++)
		request[i] = message_answered(i);
	expect_left(0, 6);
	EXPECT_EQ(1, world_count(&world.counters.transaction_copy_forgotten));
	for (uint32_t i = 0; i < 6; i++) {
		world_forget();
		core_sends(request[i]);
		EXPECT_EQ(i > 0, count_to(TO_SOURCE));
		EXPECT_EQ(0, count_to(TO_WIC));
	}
	call_wait(33);
	call_nothing_left();
	for (uint32_t i = 0; i < 5; i++) /* and all of their places are free again */
		message_answered(10 + i);
	EXPECT_EQ(1, world_count(&world.counters.transaction_copy_forgotten));
}

TEST(bound, of_what_ends_at_once_holds_and_the_rest_follows)
{
	call_world(MW_TCP);
	for (uint32_t i = 0; i < 64; i++) {
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = format("n%u", i),
								      .call = format("n%u", i)})));
		core_answers("200 OK", "");
	}
	world_wait(32 * S - 10 * MS);
	expect_left(0, 64);
	world_wait(20 * MS);
	call_nothing_left();
}

TEST_MAIN("gateway_tombstone", RUN_BOTH(finished, invite_of_a_wic_gives_its_slot_back_with_the_2xx),
	  RUN_BOTH(finished, invite_of_the_core_gives_its_slot_back_with_the_ack_of_its_2xx),
	  RUN_BOTH(finished, invite_of_the_core_gives_its_slot_back_when_its_wic_has_gone),
	  RUN_BOTH(finished, invites_are_told_apart_by_their_acks),
	  RUN(finished, request_over_reliable_transports_leaves_nothing),
	  RUN(finished, request_of_a_wic_over_udp_leaves_nothing),
	  RUN(finished, failure_waits_alive_for_its_ack_over_udp),
	  RUN_BOTH(repeat, of_an_invite_of_a_wic_is_absorbed),
	  RUN_BOTH(repeat, of_an_invite_of_the_core_is_absorbed_after_the_ack_too),
	  RUN_BOTH(repeat, of_a_2xx_of_a_wic_after_its_ack_goes_nowhere),
	  RUN(repeat, of_a_request_over_udp_gets_the_same_answer_and_the_wic_is_not_asked),
	  RUN(repeat, of_a_request_over_udp_is_answered_where_it_comes_from),
	  RUN(repeat, of_an_ack_after_a_failure_is_absorbed),
	  RUN_BOTH(repeat, of_the_ack_of_a_2xx_goes_through_also_with_the_branch_of_its_invite),
	  RUN_BOTH(repeat, of_another_method_with_the_same_branch_is_none),
	  RUN_BOTH(repeat, of_a_2xx_by_another_wic_is_its_own_invention),
	  RUN_BOTH(repeat, of_a_2xx_of_a_wic_by_the_core_reaches_no_wic),
	  RUN(repeat, of_a_failure_over_udp_gets_the_same_ack_where_its_invite_went),
	  RUN_BOTH(cancel, of_a_wic_after_the_2xx_is_200_and_goes_nowhere),
	  RUN_BOTH(cancel, of_the_core_after_the_ack_is_200_and_goes_nowhere),
	  RUN_BOTH(cancel, of_ours_is_answered_late_and_nobody_is_told),
	  RUN_BOTH(cancel, that_was_never_sent_has_no_answer),
	  RUN_BOTH(fork, has_its_second_2xx_handed_on_with_a_route_that_serves),
	  RUN_BOTH(fork, inside_a_dialog_has_its_2xx_said_again_as_it_was),
	  RUN_BOTH(fork, whose_wic_has_gone_has_its_2xx_dropped),
	  RUN_BOTH(fork, that_fails_after_a_2xx_is_not_told),
	  RUN_BOTH(slot, that_serves_another_call_leaves_the_first_its_2xx),
	  RUN_BOTH(slot, of_a_call_that_is_over_is_another_calls_alone),
	  RUN_BOTH(slot, of_a_tombstone_that_has_ended_swallows_no_new_request),
	  RUN_BOTH(slot, of_a_call_acknowledged_late_ends_when_its_2xx_is_32_s_old),
	  RUN(bound, of_tombstones_forgets_the_oldest_and_refuses_nobody),
	  RUN(bound, of_tombstones_forgets_first_what_ends_first),
	  RUN(bound, of_answers_that_are_kept_takes_the_oldest_and_its_request_is_not_asked_again),
	  RUN(bound, of_what_ends_at_once_holds_and_the_rest_follows))
