/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/* INVITEs that begin calls, and their answers, both ways: PROTOCOL 9.5, 9.6, 9.7. */

/* ---- of a WIC ------------------------------------------------------------------------------- */

TEST_BOTH(invite, from_a_wic_gets_100_before_anything_else)
{
	const char *trying;
	struct call c;

	call_world(transport);
	c = alice_calls("");
	EXPECT_EQ(2, world.count);
	trying = world_sent(1)->text;
	EXPECT_EQ(TO_WIC, world_sent(1)->to);
	EXPECT_EQ(world_sent(0)->at_us, world_sent(1)->at_us);
	EXPECT(begins(trying, "SIP/2.0 100 Trying" CRLF));
	EXPECT_EQ(1, lines(trying, "Via"));
	EXPECT_LINE("SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bKi1", trying, "Via");
	EXPECT_LINE("<sip:bob@home1.net>", trying, "To"); /* RFC 3261 8.2.6.2: no tag */
	EXPECT_LINE("1 INVITE", trying, "CSeq");
	EXPECT_LINE("<sip:alice@home1.net>;tag=i1", trying, "From");
	EXPECT_LINE("i1", trying, "Call-ID");
	EXPECT_NO_LINE(trying, "Record-Route");
	EXPECT(contains(c.onward, "INVITE sip:bob@home1.net SIP/2.0"));
}

TEST_BOTH(invite, from_a_wic_goes_to_the_core_as_a_proxy_sends_it)
{
	const char *mw;

	call_world(transport);
	mw = alice_calls("Route: <sip:evil.example;lr>" CRLF "Subject: x" CRLF).onward;
	EXPECT_EQ(transport, nth_to(TO_MW, 0)->target.transport);
	EXPECT_EQ(6060, endpoint_port(&nth_to(TO_MW, 0)->target.address));
	EXPECT_EQ(2, lines(mw, "Via"));
	EXPECT(begins(line(mw, "Via"), transport == MW_UDP
					       ? "SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bK"
					       : "SIP/2.0/TCP 192.0.2.10:5070;branch=z9hG4bK"));
	EXPECT_TEXT("SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bKi1", line_n(mw, "Via", 1));
	EXPECT_LINE("69", mw, "Max-Forwards");
	EXPECT_EQ(1, lines(mw, "Route"));
	EXPECT(contains(line(mw, "Route"), "sip:orig@198.18.0.30:6060"));
	EXPECT_LINE("<sip:alice@home1.net>", mw, "P-Asserted-Identity");
	EXPECT_LINE(OUR_CONTACT, mw, "Contact");
	EXPECT_LINE("x", mw, "Subject");
	EXPECT_TEXT(strstr(mw, CRLF CRLF),
		    strstr(of_alice(&(struct says){.body = "v=0" CRLF "o=- 1 1 IN IP4 0.0.0.0" CRLF
							   "s=-" CRLF}),
			   CRLF CRLF));
}

TEST_BOTH(invite, from_a_wic_records_this_node_once_with_the_token_of_its_home)
{
	const char *record;

	call_world(transport);
	record = line(alice_calls("Record-Route: <sip:evil.example;lr>" CRLF).onward,
		      "Record-Route");
	EXPECT_EQ(1, lines(nth_to(TO_MW, 0)->text, "Record-Route"));
	EXPECT(begins(record, "<sip:Bt1."));
	EXPECT(contains(record, "@192.0.2.10:5070;"));
	EXPECT(contains(record, ";lr"));
	EXPECT_EQ(transport == MW_TCP, contains(record, ";transport=tcp"));
}

TEST_BOTH(invite, from_a_wic_without_a_home_records_the_token_of_its_flow)
{
	call_world(transport);
	world.wic[0].home = handle_none();
	EXPECT(begins(line(alice_calls("").onward, "Record-Route"), "<sip:Ft1."));
	EXPECT(begins(line(bob_calls("").onward, "Record-Route"), "<sip:Ft1."));
}

TEST(invite, from_a_wic_gets_a_charging_vector_of_its_own)
{
	const char *first, *second;

	call_world(MW_TCP);
	first = line(alice_calls(VECTOR).onward, "P-Charging-Vector");
	EXPECT_EQ(1, lines(nth_to(TO_MW, 0)->text, "P-Charging-Vector"));
	EXPECT(contains(first, ";icid-generated-at=192.0.2.10;orig-ioi=\"home1.net\""));
	EXPECT(!contains(first, "term-ioi") && !contains(first, "sc-11"));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "i2", .call = "i2"})));
	second = line(only_of(TO_MW, "INVITE "), "P-Charging-Vector");
	EXPECT(strcmp(first, second) != 0);
}

static void refused(enum gw_err err, uint32_t status, const struct says *s)
{
	world_forget();
	EXPECT_EQ(err, wic_sends(0, of_alice(s)));
	EXPECT_EQ(status, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, world_transactions());
}

TEST(invite, without_a_binding_is_403)
{
	world_start();
	refused(GW_NOT_REGISTERED, 403, &(struct says){0});
}

TEST(invite, after_the_registration_has_ended_is_403)
{
	call_world(MW_TCP);
	world_wait(601 * S);
	refused(GW_NOT_REGISTERED, 403, &(struct says){0});
}

TEST(invite, in_an_emergency_is_380)
{
	call_world(MW_TCP);
	refused(GW_SIP_EMERGENCY, 380, &(struct says){.uri = "urn:service:sos"});
	refused(GW_SIP_EMERGENCY, 380, &(struct says){.uri = "URN:service:SOS.police"});
}

TEST(invite, from_somebody_else_is_403)
{
	call_world(MW_TCP);
	refused(GW_IDENTITY_MISMATCH, 403, &(struct says){.from = "<sip:bob@home1.net>;tag=i1"});
}

TEST(invite, with_privacy_keeps_it_and_asserts_the_identity)
{
	const char *mw;

	call_world(MW_TCP);
	EXPECT_EQ(GW_OK,
		  wic_sends(0, of_alice(&(struct says){
				       .from = "<sip:anonymous@anonymous.invalid>;tag=i1",
				       .lines = "Privacy: id" CRLF
						"P-Preferred-Identity: <tel:+15551230001>" CRLF})));
	mw = only_of(TO_MW, "INVITE ");
	EXPECT_LINE("id", mw, "Privacy");
	EXPECT_LINE("<tel:+15551230001>", mw, "P-Asserted-Identity");
	EXPECT_NO_LINE(mw, "P-Preferred-Identity");
}

TEST(invite, with_a_token_loses_it_whatever_it_is_worth)
{
	call_world(MW_TCP);
	EXPECT(!contains(alice_calls("Authorization: Bearer not.a.token" CRLF
				     "Proxy-Authorization: Bearer neither.is.this" CRLF)
				 .onward,
			 "Bearer"));
}

TEST_BOTH(invite, from_a_wic_said_again_gets_100_again_and_goes_on_once)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, c.invite));
	EXPECT_EQ(1, count_to(TO_MW));
	EXPECT_EQ(2, count_of(TO_WIC, "SIP/2.0 100"));
	core_sends(answer_of(c.onward, "200 OK", "b1", ""));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, c.invite)); /* RFC 6026 7.1 */
	EXPECT_EQ(0, world.count);
}

TEST(invite, of_another_wic_with_the_same_branch_is_another)
{
	struct call c;

	call_world(MW_TCP);
	c = alice_calls("");
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(1, c.invite));
	EXPECT_EQ(1, count_of(TO_WIC, "SIP/2.0 403"));
}

/* ---- answers of the core -------------------------------------------------------------------- */

TEST_BOTH(answer, of_the_core_reaches_the_wic_without_our_via)
{
	const char *wic;
	struct call c;

	call_world(transport);
	c = alice_calls("");
	world_forget();
	core_sends(answer_of(c.onward, "183 Session Progress", "b1",
			     VECTOR "P-Charging-Function-Addresses: ccf=x" CRLF
				    "P-Asserted-Identity: <sip:bob@home1.net>" CRLF
				    "Contact: <sip:bob@198.18.7.7>" CRLF));
	wic = world_only(TO_WIC);
	EXPECT(begins(wic, "SIP/2.0 183 Session Progress" CRLF));
	EXPECT_EQ(1, lines(wic, "Via"));
	EXPECT_LINE("SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bKi1", wic, "Via");
	EXPECT_NO_LINE(wic, "P-Charging-Vector");
	EXPECT_NO_LINE(wic, "P-Charging-Function-Addresses");
	EXPECT_LINE("<sip:bob@home1.net>", wic, "P-Asserted-Identity");
	EXPECT_LINE("<sip:bob@198.18.7.7>", wic, "Contact");
}

TEST(answer, of_the_core_with_privacy_does_not_show_who_answers)
{
	struct call c;

	call_world(MW_TCP);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "200 OK", "b1",
			     "Privacy: id" CRLF "P-Asserted-Identity: <sip:bob@home1.net>" CRLF));
	EXPECT_NO_LINE(last_to(TO_WIC), "P-Asserted-Identity");
}

TEST_BOTH(answer, of_100_is_absorbed)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	world_forget();
	core_sends(bare_answer_of(c.onward, "100 Trying", "", ""));
	EXPECT_EQ(0, world.count);
}

TEST_BOTH(answer, of_several_branches_goes_on_with_each_tag)
{
	static const char *const status[] = {"180 Ringing", "183 Session Progress", "180 Ringing",
					     "200 OK", "200 OK"};
	static const char *const tag[] = {"b1", "b2", "b3", "b2", "b1"};
	struct call c;

	call_world(transport);
	c = alice_calls("");
	world_forget();
	for (uint32_t i = 0; i < 5; i++) {
		core_sends(answer_of(c.onward, status[i], tag[i], ""));
		EXPECT_EQ(i + 1, count_to(TO_WIC));
		EXPECT(contains(line(last_to(TO_WIC), "To"), tag[i]));
		EXPECT_EQ(1, lines(last_to(TO_WIC), "Record-Route"));
	}
	EXPECT_EQ(5, world.count);
}

TEST_BOTH(answer, of_200_goes_on_whenever_it_comes_again)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	world_forget();
	for (uint32_t i = 0; i < 3; i++)
		core_sends(answer_of(c.onward, "200 OK", "b1", ""));
	EXPECT_EQ(3, count_of(TO_WIC, "SIP/2.0 200"));
	EXPECT_EQ(3, world.count); /* nobody but alice acknowledges it */
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	EXPECT_EQ(3, world.count);
}

TEST_BOTH(answer, has_one_record_route_line_for_each_element_with_ours_last)
{
	const char *wic, *record;
	struct call c;

	call_world(transport);
	c = alice_calls("");
	record = keep(line(c.onward, "Record-Route"));
	core_sends(bare_answer_of(c.onward, "180 Ringing", "b1",
				  format("Record-Route: <sip:x.home1.net;lr>,\r\n "
					 "<sip:y.home1.net:6060;lr=on;did=1,2>  ,%s" CRLF,
					 record)));
	wic = last_to(TO_WIC);
	EXPECT_EQ(3, lines(wic, "Record-Route"));
	EXPECT_TEXT("<sip:x.home1.net;lr>", line_n(wic, "Record-Route", 0));
	EXPECT_TEXT("<sip:y.home1.net:6060;lr=on;did=1,2>", line_n(wic, "Record-Route", 1));
	EXPECT(begins(line_n(wic, "Record-Route", 2), "<sip:Bt1."));
}

TEST_BOTH(failure, goes_to_the_wic_and_is_acknowledged_by_us)
{
	const char *ack, *wic;
	struct call c;

	call_world(transport);
	c = alice_calls("");
	world_forget();
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	ack = only_of(TO_MW, "ACK ");
	EXPECT(begins(ack, "ACK sip:bob@home1.net SIP/2.0" CRLF));
	EXPECT_EQ(1, lines(ack, "Via"));
	EXPECT_TEXT(line(c.onward, "Via"), line(ack, "Via"));
	EXPECT_TEXT(line(c.onward, "Route"), line(ack, "Route"));
	EXPECT_EQ(1, lines(ack, "Route"));
	EXPECT_LINE("<sip:bob@home1.net>;tag=b1", ack, "To");
	EXPECT_LINE("<sip:alice@home1.net>;tag=i1", ack, "From");
	EXPECT_LINE("i1", ack, "Call-ID");
	EXPECT_LINE("1 ACK", ack, "CSeq");
	EXPECT_LINE("0", ack, "Content-Length");
	EXPECT_NO_LINE(ack, "Record-Route");
	EXPECT_NO_LINE(ack, "Contact");
	wic = only_of(TO_WIC, "SIP/2.0 486");
	EXPECT_EQ(1, lines(wic, "Via"));
	EXPECT_EQ(0, world.wic[0].transactions);
	/* alice's own ACK ends here */
	EXPECT_EQ(GW_OK,
		  wic_sends(0, of_alice(&(struct says){.method = "ACK",
						       .to = "<sip:bob@home1.net>;tag=b1"})));
	EXPECT_EQ(2, world.count);
	world_wait(33 * S);
	call_nothing_left();
}

TEST(failure, said_again_over_udp_is_acknowledged_again_and_not_told_again)
{
	struct call c;

	call_world(MW_UDP);
	c = alice_calls("");
	world_forget();
	for (uint32_t i = 0; i < 4; i++)
		core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	EXPECT_EQ(1, count_to(TO_WIC));
	EXPECT_EQ(4, count_of(TO_MW, "ACK "));
	for (uint32_t i = 1; i < 4; i++)
		EXPECT_TEXT(nth_to(TO_MW, 0)->text, nth_to(TO_MW, i)->text);
}

TEST_BOTH(failure, of_every_class_goes_on)
{
	static const char *const status[] = {"302 Moved Temporarily", "401 Unauthorized",
					     "480 Temporarily Unavailable",
					     "500 Server Internal "
					     "Error",
					     "603 Decline"};

	for (uint32_t i = 0; i < 5; i++) {
		struct call c;

		call_world(transport);
		c = alice_calls("");
		core_sends(answer_of(c.onward, status[i], "b1", ""));
		EXPECT(begins(last_to(TO_WIC), format("SIP/2.0 %s" CRLF, status[i])));
		EXPECT_EQ(1, count_of(TO_MW, "ACK "));
		EXPECT_EQ(1, count_to(TO_MW) - 1);
	}
}

TEST_BOTH(failure, of_503_is_500_to_the_wic)
{
	struct call c;

	call_world(transport);
	call_no_stand_in();
	c = alice_calls("");
	core_sends(answer_of(c.onward, "503 Service Unavailable", "b1", "Retry-After: 9" CRLF));
	EXPECT_EQ(1, count_of(TO_WIC, "SIP/2.0 500"));
	EXPECT_LINE("9", last_to(TO_WIC), "Retry-After");
	EXPECT_EQ(1, count_of(TO_MW, "ACK "));
}

/* ---- of the core ---------------------------------------------------------------------------- */

TEST_BOTH(invite, from_the_core_gets_100_at_once)
{
	const char *trying;

	call_world(transport);
	bob_calls("");
	EXPECT_EQ(2, world.count);
	trying = only_of(TO_SOURCE, "SIP/2.0 100");
	EXPECT_EQ(nth_to(TO_WIC, 0)->at_us, nth_to(TO_SOURCE, 0)->at_us);
	EXPECT_EQ(2, lines(trying, "Via"));
	EXPECT(contains(line(trying, "Via"), "198.18.0.20:5060;branch=z9hG4bKc1"));
	EXPECT_LINE("<sip:alice@home1.net>", trying, "To");
	EXPECT_EQ(0, memcmp(&world.source.local, &nth_to(TO_SOURCE, 0)->source.local,
			    sizeof(world.source.local)));
}

TEST_BOTH(invite, from_the_core_reaches_the_wic_as_a_proxy_sends_it)
{
	const char *wic;

	call_world(transport);
	wic = bob_calls(VECTOR "P-Called-Party-ID: <sip:alice@home1.net>" CRLF
			       "P-Asserted-Identity: <sip:bob@home1.net>" CRLF)
		      .onward;
	EXPECT(begins(wic, "INVITE sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws SIP/2.0" CRLF));
	EXPECT_EQ(3, lines(wic, "Via"));
	EXPECT(begins(line(wic, "Via"), "SIP/2.0/WSS 192.0.2.10:5070;branch=z9hG4bK"));
	EXPECT_NO_LINE(wic, "Route");
	EXPECT_LINE("69", wic, "Max-Forwards");
	EXPECT_LINE("<sip:bob@198.18.7.7>", wic, "Contact");
	EXPECT_LINE("<sip:alice@home1.net>", wic, "P-Called-Party-ID");
	EXPECT_LINE("<sip:bob@home1.net>", wic, "P-Asserted-Identity");
	EXPECT_NO_LINE(wic, "P-Charging-Vector");
	EXPECT(contains(wic, "v=0" CRLF));
}

TEST_BOTH(invite, from_the_core_has_one_record_route_line_for_each_element_with_ours_first)
{
	const char *wic;

	call_world(transport);
	wic = bob_calls("Record-Route: <sip:third.home7.net;lr>" CRLF).onward;
	EXPECT_EQ(4, lines(wic, "Record-Route"));
	EXPECT(begins(line_n(wic, "Record-Route", 0), "<sip:Bt1."));
	EXPECT(!contains(line_n(wic, "Record-Route", 0), ";ob"));
	EXPECT_TEXT("<sip:mt@198.18.0.40:6060;lr;did=1a>", line_n(wic, "Record-Route", 1));
	EXPECT_TEXT("<sip:scscf.home1.net:6060;lr>", line_n(wic, "Record-Route", 2));
	EXPECT_TEXT("<sip:third.home7.net;lr>", line_n(wic, "Record-Route", 3));
}

TEST_BOTH(invite, from_the_core_said_again_gets_100_again_and_reaches_the_wic_once)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	core_sends(c.invite);
	EXPECT_EQ(1, count_to(TO_WIC));
	EXPECT_EQ(2, count_of(TO_SOURCE, "SIP/2.0 100"));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	world_forget();
	core_sends(c.invite); /* RFC 6026 7.1: alice repeats her 200 herself */
	EXPECT_EQ(0, world.count);
}

/* ---- answers of a WIC ----------------------------------------------------------------------- */

/** alice answers bob's INVITE so; what the core gets. */
static const char *answered(const char *answer)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, answer));
	EXPECT_EQ(1, count_to(TO_SOURCE));
	return last_to(TO_SOURCE);
}

static void vias_are_restored(const char *core)
{
	EXPECT_EQ(2, lines(core, "Via"));
	EXPECT(contains(line_n(core, "Via", 0), "198.18.0.20:5060;branch=z9hG4bKc1"));
	EXPECT_TEXT("SIP/2.0/TCP as.home1.net;branch=z9hG4bKa1", line_n(core, "Via", 1));
}

TEST_BOTH(answer, of_a_wic_asserts_who_is_called_and_has_the_charging_vector)
{
	static const char *const status[] = {"180 Ringing", "183 Session Progress", "200 OK"};
	struct call c;

	call_world(transport);
	c = bob_calls(VECTOR "P-Called-Party-ID: <tel:+15551230001>" CRLF);
	for (uint32_t i = 0; i < 3; i++) {
		const char *core =
			answered(answer_of(c.onward, status[i], "w1",
					   "P-Preferred-Identity: <sip:bob@home1.net>" CRLF
					   "P-Asserted-Identity: <sip:bob@home1.net>" CRLF
					   "P-Charging-Vector: icid-value=mine" CRLF
					   "Contact: " OUR_CONTACT CRLF));

		EXPECT(begins(core, format("SIP/2.0 %s" CRLF, status[i])));
		EXPECT_EQ(1, lines(core, "P-Asserted-Identity"));
		EXPECT_LINE("<tel:+15551230001>", core, "P-Asserted-Identity");
		EXPECT_NO_LINE(core, "P-Preferred-Identity");
		EXPECT_EQ(1, lines(core, "P-Charging-Vector"));
		EXPECT_LINE("icid-value=\"sc-11\";orig-ioi=\"home7.net\";term-ioi=\"home1.net\"",
			    core, "P-Charging-Vector");
		EXPECT_LINE(OUR_CONTACT, core, "Contact");
		vias_are_restored(core);
	}
}

TEST_BOTH(answer, of_a_wic_has_the_record_route_that_it_was_sent_whatever_it_makes_of_it)
{
	static const char *const made[] = {"", "Record-Route: <sip:evil.example;lr>" CRLF,
					   "Record-Route: <sip:evil.example;lr>" CRLF
					   "record-ROUTE : <sip:e2;lr>" CRLF};
	struct call c;

	call_world(transport);
	c = bob_calls("");
	for (uint32_t i = 0; i < 3; i++) {
		const char *core = answered(bare_answer_of(c.onward, "180 Ringing", "w1", made[i]));

		EXPECT_TEXT(routes_of_request(c.onward), routes_of_request(core));
		EXPECT(!contains(core, "evil"));
	}
}

TEST_BOTH(answer, of_a_wic_has_the_vias_of_the_request_whatever_it_makes_of_them)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	vias_are_restored(answered(
		format("SIP/2.0 200 OK" CRLF "Via: %s" CRLF
		       "v: SIP/2.0/TCP evil.example:5060;branch=z9hG4bKc1;received=198.18.66.6" CRLF
		       "From: <sip:bob@home1.net>;tag=b1" CRLF
		       "To: <sip:alice@home1.net>;tag=w1" CRLF "Call-ID: c1" CRLF
		       "CSeq: 1 INVITE" CRLF CRLF,
		       line(c.onward, "Via"))));
}

TEST_BOTH(answer, of_200_by_a_wic_goes_on_whenever_it_comes_again_with_any_tag)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	answered(answer_of(c.onward, "200 OK", "w1", ""));
	answered(answer_of(c.onward, "200 OK", "w1", ""));
	answered(answer_of(c.onward, "200 OK", "w2", ""));
	EXPECT(contains(line(last_to(TO_SOURCE), "To"), "w2"));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "486 Busy Here", "w1", "")));
	EXPECT_EQ(0, world.count);
}

TEST_BOTH(answer, of_100_by_a_wic_is_absorbed)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, bare_answer_of(c.onward, "100 Trying", "", "")));
	EXPECT_EQ(0, world.count);
}

TEST_BOTH(answer, of_a_wic_that_fails_is_acknowledged_by_us_and_its_ack_ends_here)
{
	const char *ack;
	struct call c;

	call_world(transport);
	c = bob_calls("");
	answered(answer_of(c.onward, "486 Busy Here", "w1", ""));
	vias_are_restored(last_to(TO_SOURCE));
	ack = only_of(TO_WIC, "ACK ");
	EXPECT(begins(ack, "ACK sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws SIP/2.0" CRLF));
	EXPECT_EQ(1, lines(ack, "Via"));
	EXPECT_TEXT(line(c.onward, "Via"), line(ack, "Via"));
	EXPECT_LINE("<sip:alice@home1.net>;tag=w1", ack, "To");
	EXPECT_LINE("1 ACK", ack, "CSeq");
	world_forget();
	core_sends(of_core(&(struct says){.method = "ACK", .to = "<sip:alice@home1.net>;tag=w1"}));
	EXPECT_EQ(0, world.count);
	world_wait(33 * S);
	call_nothing_left();
}

TEST_BOTH(answer, of_503_by_a_wic_is_500_to_the_core)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	/* RFC 3261 16.7 step 6: the core must not take this node for the one that is overloaded */
	EXPECT_EQ(500, status_of(answered(answer_of(c.onward, "503 Service Unavailable", "w1",
						    "Retry-After: 3600" CRLF))));
	EXPECT_EQ(1, count_of(TO_WIC, "ACK "));
}

TEST(answer, of_another_wic_to_the_same_request_is_dropped)
{
	struct call c;

	call_world(MW_TCP);
	c = bob_calls("");
	world_forget();
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(1, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(0, world.count);
}

/* ---- bounds --------------------------------------------------------------------------------- */

TEST(bound, of_64_requests_holds_for_one_wic_and_ends_with_their_answers)
{
	call_world_of(MW_TCP, 80);
	for (uint32_t i = 0; i < 64; i++) {
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = format("n%u", i),
								      .call = format("n%u", i)})));
	}
	world_forget();
	EXPECT_EQ(GW_TRANSACTION_LIMIT, wic_sends(0, of_alice(&(struct says){.branch = "n64"})));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
	EXPECT_EQ(64, world_transactions());
	bob_calls(""); /* what the core wants of her is not hers to bound */
	for (uint32_t i = 0; i < 33 * 4; i++) {
		world_forget();
		world_wait(S / 4);
	}
	world_forget();
	EXPECT_EQ(0, world.wic[0].requests);
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = "n65"})));
	EXPECT_EQ(1, count_to(TO_MW));
}

TEST_BOTH(bound, of_requests_in_dialogs_holds_for_answers_that_end_nothing)
{
	struct call c;

	call_world(transport);
	world.config.dialog_requests = (struct rate_limit){10, 5};
	c = bob_calls("");
	world_forget();
	for (uint32_t i = 0; i < 50; i++)
		EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	EXPECT_EQ(5, count_to(TO_SOURCE));
	EXPECT_EQ(45, world_count(&world.counters.rate_connection));
	EXPECT_EQ(45, world_count(&world.counters.errors[GW_RATE]));
	/* the first final one always passes */
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 200");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 200");
	world_wait(S);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(2, count_of(TO_SOURCE, "SIP/2.0 200"));
}

/** Vias of hops before us, of about so many bytes. */
static const char *many_vias(uint32_t bytes)
{
	const char *all = "";

	for (uint32_t i = 0; strlen(all) < bytes; i++)
		all = format("%sVia: SIP/2.0/TCP proxy-%u.somewhere.in.home7.net:5060"
			     ";branch=z9hG4bK-a-long-branch-%u" CRLF,
			     all, i, i);
	return all;
}

TEST_BOTH(head, of_more_than_1300_bytes_is_kept_and_given_back)
{
	const char *vias;
	struct call c;

	call_world(transport);
	vias = keep(many_vias(2000));
	c = bob_calls(vias);
	EXPECT(lines(c.onward, "Via") > 20);
	answered(answer_of(c.onward, "180 Ringing", "w1", ""));
	EXPECT_EQ(lines(c.onward, "Via") - 1, lines(last_to(TO_SOURCE), "Via"));
	for (uint32_t i = 1; i < lines(c.onward, "Via"); i++)
		EXPECT_TEXT(line_n(c.onward, "Via", i), line_n(last_to(TO_SOURCE), "Via", i - 1));
	answered(answer_of(c.onward, "486 Busy Here", "w1", ""));
	EXPECT_EQ(lines(c.onward, "Via") - 1, lines(last_to(TO_SOURCE), "Via"));
	EXPECT_EQ(1, count_of(TO_WIC, "ACK "));
	world_wait(33 * S);
	call_nothing_left();
}

TEST_BOTH(head, beyond_the_pool_is_503_and_leaves_nothing)
{
	const char *vias;

	call_world(transport); /* 8 transactions: one long head */
	vias = keep(many_vias(2000));
	bob_calls(vias);
	world_forget();
	core_sends(of_core(&(struct says){.branch = "c2", .call = "c2", .lines = vias}));
	EXPECT_EQ(503, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(1, world_transactions());
	world_forget();
	core_sends(of_core(&(struct says){.branch = "c3", .call = "c3"}));
	EXPECT_EQ(1, count_of(TO_WIC, "INVITE ")); /* a short one is not in its way */
	for (uint32_t i = 0; i < 260; i++) {
		world_forget();
		world_wait(S);
	}
	call_nothing_left();
}

TEST_BOTH(head, of_more_than_8192_bytes_is_513)
{
	const char *lines_of;

	call_world(transport);
	lines_of = keep(format("Record-Route: <sip:%4000s;lr>" CRLF
			       "Record-Route: <sip:%4300s;lr>" CRLF,
			       "x", "y"));
	for (char *at = (char *)(uintptr_t)lines_of; *at != 0; at++)
		if (*at == ' ' && at[1] == ' ')
			*at = 'u';
	world_forget();
	core_sends(of_core(&(struct says){.lines = lines_of}));
	EXPECT_EQ(513, status_of(world_only(TO_SOURCE)));
	call_nothing_left();
}

TEST_BOTH(head, of_a_wic_that_is_long_leaves_half_of_the_pool_to_the_core)
{
	const char *vias;
	enum gw_err err = GW_OK;
	uint32_t n;

	call_world_of(transport, 63); /* four long heads */
	vias = keep(many_vias(2000));
	for (n = 0; n < 10 && err == GW_OK; n++) {
		world_forget();
		err = wic_sends(0, of_alice(&(struct says){.branch = format("l%u", n),
							   .call = format("%01500u", n)}));
	}
	EXPECT_EQ(GW_POOL_EMPTY, err);
	EXPECT_EQ(503, status_of(last_to(TO_WIC)));
	EXPECT_EQ(3, n);
	for (uint32_t i = 0; i < 2; i++) {
		world_forget();
		core_sends(of_core(&(struct says){.branch = format("m%u", i),
						  .call = format("m%u", i),
						  .lines = vias}));
		only_of(TO_WIC, "INVITE ");
	}
	call_wait(260);
	call_nothing_left();
}

TEST(head, of_a_wic_that_is_long_is_kept_too)
{
	const char *call, *ack;

	call_world(MW_TCP);
	call = keep(format("%01500u", 7u));
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.call = call})));
	core_sends(answer_of(keep(only_of(TO_MW, "INVITE ")), "603 Decline", "b1", ""));
	ack = only_of(TO_MW, "ACK ");
	EXPECT_TEXT(call, line(ack, "Call-ID"));
	world_wait(33 * S);
	call_nothing_left();
}

TEST_MAIN("gateway_invite", RUN_BOTH(invite, from_a_wic_gets_100_before_anything_else),
	  RUN_BOTH(invite, from_a_wic_goes_to_the_core_as_a_proxy_sends_it),
	  RUN_BOTH(invite, from_a_wic_records_this_node_once_with_the_token_of_its_home),
	  RUN_BOTH(invite, from_a_wic_without_a_home_records_the_token_of_its_flow),
	  RUN(invite, from_a_wic_gets_a_charging_vector_of_its_own),
	  RUN(invite, without_a_binding_is_403),
	  RUN(invite, after_the_registration_has_ended_is_403), RUN(invite, in_an_emergency_is_380),
	  RUN(invite, from_somebody_else_is_403),
	  RUN(invite, with_privacy_keeps_it_and_asserts_the_identity),
	  RUN(invite, with_a_token_loses_it_whatever_it_is_worth),
	  RUN_BOTH(invite, from_a_wic_said_again_gets_100_again_and_goes_on_once),
	  RUN(invite, of_another_wic_with_the_same_branch_is_another),
	  RUN_BOTH(answer, of_the_core_reaches_the_wic_without_our_via),
	  RUN(answer, of_the_core_with_privacy_does_not_show_who_answers),
	  RUN_BOTH(answer, of_100_is_absorbed),
	  RUN_BOTH(answer, of_several_branches_goes_on_with_each_tag),
	  RUN_BOTH(answer, of_200_goes_on_whenever_it_comes_again),
	  RUN_BOTH(answer, has_one_record_route_line_for_each_element_with_ours_last),
	  RUN_BOTH(failure, goes_to_the_wic_and_is_acknowledged_by_us),
	  RUN(failure, said_again_over_udp_is_acknowledged_again_and_not_told_again),
	  RUN_BOTH(failure, of_every_class_goes_on), RUN_BOTH(failure, of_503_is_500_to_the_wic),
	  RUN_BOTH(invite, from_the_core_gets_100_at_once),
	  RUN_BOTH(invite, from_the_core_reaches_the_wic_as_a_proxy_sends_it),
	  RUN_BOTH(invite,
		   from_the_core_has_one_record_route_line_for_each_element_with_ours_first),
	  RUN_BOTH(invite, from_the_core_said_again_gets_100_again_and_reaches_the_wic_once),
	  RUN_BOTH(answer, of_a_wic_asserts_who_is_called_and_has_the_charging_vector),
	  RUN_BOTH(answer, of_a_wic_has_the_record_route_that_it_was_sent_whatever_it_makes_of_it),
	  RUN_BOTH(answer, of_a_wic_has_the_vias_of_the_request_whatever_it_makes_of_them),
	  RUN_BOTH(answer, of_200_by_a_wic_goes_on_whenever_it_comes_again_with_any_tag),
	  RUN_BOTH(answer, of_100_by_a_wic_is_absorbed),
	  RUN_BOTH(answer, of_a_wic_that_fails_is_acknowledged_by_us_and_its_ack_ends_here),
	  RUN_BOTH(answer, of_503_by_a_wic_is_500_to_the_core),
	  RUN(answer, of_another_wic_to_the_same_request_is_dropped),
	  RUN(bound, of_64_requests_holds_for_one_wic_and_ends_with_their_answers),
	  RUN_BOTH(head, of_more_than_1300_bytes_is_kept_and_given_back),
	  RUN_BOTH(head, beyond_the_pool_is_503_and_leaves_nothing),
	  RUN_BOTH(head, of_more_than_8192_bytes_is_513),
	  RUN_BOTH(head, of_a_wic_that_is_long_leaves_half_of_the_pool_to_the_core),
	  RUN_BOTH(bound, of_requests_in_dialogs_holds_for_answers_that_end_nothing),
	  RUN(head, of_a_wic_that_is_long_is_kept_too))
