/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* Retransmissions, timeouts and ends: RFC 3261 17, PROTOCOL 9, 10.3, 11. */

#define MS 1000ull
#define S 1000000ull

static uint32_t count_to(enum sent_to to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.count; i++)
		n += world.sent[i].to == to;
	return n;
}

static void sends_register(void)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
}

/** No transaction, timer or count is left. */
static void nothing_left(void)
{
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, world_count(&world.counters.transaction_live));
	EXPECT_EQ(0, world_count(&world.counters.transaction_finished));
	EXPECT_EQ(0, world.wic[0].transactions);
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

TEST(udp, request_is_sent_again_at_timer_e)
{
	static const uint64_t at_ms[] = {0,	500,   1500,  3500,  7500, 11500,
					 15500, 19500, 23500, 27500, 31500};
	uint64_t start;

	world_start_udp();
	world_one_hop();
	start = world.now_us;
	sends_register();
	world_wait(32 * S - 10 * MS);
	EXPECT_EQ(11, world.count);
	for (uint32_t i = 0; i < world.count; i++) {
		EXPECT_EQ(TO_MW, world.sent[i].to);
		EXPECT_TEXT(world.sent[0].text, world.sent[i].text);
		EXPECT(world.sent[i].at_us >= start + at_ms[i] * MS);
		EXPECT(world.sent[i].at_us <= start + (at_ms[i] + 12) * MS); /* a tick each */
	}
	EXPECT_EQ(10, world_count(&world.counters.mw_retransmits));
}

TEST(udp, register_without_an_answer_is_504_at_timer_f)
{
	world_start_udp();
	sends_register();
	world_wait(32 * S - MS);
	EXPECT_EQ(0, count_to(TO_WIC));
	world_wait(5 * MS);
	EXPECT_EQ(1, count_to(TO_WIC));
	EXPECT_EQ(504, status_of(world.sent[world.count - 1].text));
	EXPECT_EQ(1, lines(world.sent[world.count - 1].text, "Via"));
	EXPECT_LINE("SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK4563742",
		    world.sent[world.count - 1].text, "Via");
	EXPECT_EQ(1, world_count(&world.counters.transaction_timeout));
	nothing_left();
	world_wait(5 * S); /* so long it is known that it was asked */
	EXPECT_EQ(UINT64_MAX, gateway_next_us(world.gw));
}

TEST(udp, retransmissions_stop_at_the_final_response)
{
	world_start_udp();
	sends_register();
	world_wait(1600 * MS);
	EXPECT_EQ(3, world.count);
	core_registers(600);
	world_wait(40 * S);
	EXPECT_EQ(3, count_to(TO_MW));
	EXPECT_EQ(1, count_to(TO_WIC));
	nothing_left();
}

TEST(udp, retransmissions_slow_down_after_a_provisional_response)
{
	world_start_udp();
	sends_register();
	core_answers("100 Trying", "");
	world_wait(32 * S + 20 * MS);
	/* the one that was due at 0.5 s, then every 4 s (RFC 3261 17.1.2.2) */
	EXPECT_EQ(9, count_to(TO_MW));
	EXPECT_EQ(504, status_of(world.sent[world.count - 1].text));
	nothing_left();
}

TEST(udp, via_names_udp_and_path_has_no_transport)
{
	world_start_udp();
	sends_register();
	EXPECT_EQ(MW_UDP, world_sent(0)->target.transport);
	EXPECT_EQ(0, strncmp(line(world_sent(0)->text, "Via"), "SIP/2.0/UDP ", 12));
	EXPECT(!contains(line(world_sent(0)->text, "Path"), "transport"));
}

/** alice's MESSAGE with a body of so many bytes. */
static const char *long_message(int body)
{
	return format("MESSAGE sip:bob@home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK%06d" CRLF
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 MESSAGE" CRLF CRLF "%*s",
		      body, body, "x");
}

TEST(udp, message_of_at_most_1300_bytes_stays_on_udp_and_one_more_goes_over_tcp)
{
	uint32_t head;

	world_start_udp();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, long_message(100)));
	head = world_sent(0)->len - 100;
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, long_message((int)(1300 - head))));
	EXPECT_EQ(GW_OK, wic_sends(0, long_message((int)(1301 - head))));
	EXPECT_EQ(1300, world_sent(0)->len);
	EXPECT_EQ(MW_UDP, world_sent(0)->target.transport);
	EXPECT_EQ(MW_TCP, world_sent(1)->target.transport);
	EXPECT_EQ(0, strncmp(line(world_sent(1)->text, "Via"), "SIP/2.0/TCP ", 12));
	EXPECT(endpoint_same_host(&world_sent(0)->target.address, &world_sent(1)->target.address));
	world_wait(5 * S);
	for (uint32_t i = 2; i < world.count; i++)
		EXPECT_EQ(MW_UDP, world.sent[i].target.transport); /* TCP is not sent again */
}

TEST(udp, register_of_more_than_1300_bytes_goes_over_tcp_and_its_path_says_so)
{
	world_start_udp();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, format("REGISTER sip:home1.net SIP/2.0" CRLF
				      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
				      "From: <sip:alice@home1.net>;tag=a" CRLF
				      "To: <sip:alice@home1.net>" CRLF "Call-ID: c" CRLF
				      "CSeq: 1 REGISTER" CRLF "Contact: <sip:x@a.invalid>" CRLF
				      "User-Agent: %900s" CRLF "Authorization: Bearer %s" CRLF CRLF,
				      "x", token_alice(900))));
	EXPECT_EQ(MW_TCP, world_sent(0)->target.transport);
	EXPECT(contains(line(world_sent(0)->text, "Path"), ";transport=tcp;"));
}

TEST(tcp, request_is_sent_once_and_answered_504_after_32_s)
{
	world_start();
	sends_register();
	world_wait(32 * S - MS);
	EXPECT_EQ(1, world.count);
	world_wait(5 * MS);
	EXPECT_EQ(504, status_of(world_sent(1)->text));
	EXPECT_EQ(1, lines(world_sent(1)->text, "Via"));
	nothing_left();
}

TEST(tcp, message_without_an_answer_is_408)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	world_wait(32 * S + 5 * MS);
	EXPECT_EQ(408, status_of(world.sent[world.count - 1].text));
	nothing_left();
}

TEST(tcp, target_that_is_lost_ends_what_waits_for_it)
{
	struct mw_target target, other;

	world_start();
	world_one_hop();
	sends_register();
	target = world_sent(0)->target;
	other = target;
	other.transport = MW_UDP;
	gateway_target_lost(world.gw, &other);
	EXPECT_EQ(1, world.count);
	gateway_target_lost(world.gw, &target);
	EXPECT_EQ(504, status_of(world_sent(1)->text));
	nothing_left();
}

TEST(tcp, request_that_cannot_be_sent_is_refused_at_once)
{
	world_start();
	world.to_mw_err = GW_MW_DOWN;
	EXPECT_EQ(GW_MW_DOWN, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(504, status_of(world_only(TO_WIC)));
	nothing_left();
}

/* ---- the core's requests -------------------------------------------------------------------- */

static void delivered_udp(void)
{
	world_start_udp();
	world_register();
	core_sends(core_message(path_uri(), ""));
	world_only(TO_WIC);
}

TEST(retransmission, of_the_core_is_absorbed)
{
	delivered_udp();
	core_sends(core_message(path_uri(), ""));
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(2, world_count(&world.counters.mw_absorbed));
}

TEST(retransmission, of_the_core_gets_the_answer_again_for_32_s)
{
	delivered_udp();
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("200 OK", "X: y" CRLF)));
	EXPECT_EQ(0, world.wic[0].transactions);
	world_wait(31 * S);
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(3, world.count);
	EXPECT_EQ(TO_SOURCE, world_sent(2)->to);
	EXPECT_TEXT(world_sent(1)->text, world_sent(2)->text);
	world_wait(S + 5 * MS);
	nothing_left();
}

TEST(retransmission, of_a_request_that_was_answered_long_is_absorbed_all_the_same)
{
	delivered_udp();
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("200 OK", format("X: %1500s" CRLF, "y"))));
	EXPECT_EQ(2, world.count);
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(2, world.count);
}

TEST(retransmission, is_told_from_another_request_by_branch_and_method)
{
	delivered_udp();
	core_sends(format("MESSAGE sip:x@a.invalid SIP/2.0" CRLF
			  "Via: SIP/2.0/UDP 198.18.0.20:5060;branch=z9hG4bKs10" CRLF
			  "Route: <%s>" CRLF "From: <sip:bob@home1.net>;tag=c9" CRLF
			  "To: <sip:alice@home1.net>" CRLF "Call-ID: c9@home1.net" CRLF
			  "CSeq: 4 MESSAGE" CRLF CRLF,
			  path_uri()));
	EXPECT_EQ(2, count_to(TO_WIC));
	core_sends(format("OPTIONS sip:x@a.invalid SIP/2.0" CRLF
			  "Via: SIP/2.0/UDP 198.18.0.20:5060;branch=z9hG4bKs9" CRLF
			  "Route: <%s>" CRLF "From: <sip:bob@home1.net>;tag=c9" CRLF
			  "To: <sip:alice@home1.net>" CRLF "Call-ID: c9@home1.net" CRLF
			  "CSeq: 4 OPTIONS" CRLF CRLF,
			  path_uri()));
	EXPECT_EQ(3, count_to(TO_WIC));
}

/** A request of an old peer: no branch. */
static const char *branchless(uint32_t call)
{
	return format("MESSAGE sip:x@a.invalid SIP/2.0" CRLF
		      "Via: SIP/2.0/UDP 198.18.0.20:5060" CRLF "Route: <%s>" CRLF
		      "From: <sip:bob@home1.net>;tag=c9" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c%u" CRLF "CSeq: 4 MESSAGE" CRLF CRLF,
		      path_uri(), call);
}

TEST(retransmission, is_told_from_another_request_of_a_peer_without_branches)
{
	world_start_udp();
	world_register();
	core_sends(branchless(1));
	core_sends(branchless(2));
	core_sends(branchless(1));
	EXPECT_EQ(2, world.count);
}

TEST(request, of_the_core_without_an_answer_is_408)
{
	delivered_udp();
	world_wait(32 * S + 5 * MS);
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(408, status_of(world_sent(1)->text));
	EXPECT_EQ(2, lines(world_sent(1)->text, "Via"));
	EXPECT_EQ(TO_SOURCE, world_sent(1)->to);
}

TEST(request, of_the_core_over_tcp_leaves_nothing_behind)
{
	world_start();
	world_register();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("200 OK", "")));
	nothing_left();
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/* ---- the end of a flow ---------------------------------------------------------------------- */

static void end_flow(void)
{
	gateway_flow_ended(world.gw, &world.wic[0]);
	world.gone[0] = true;
}

TEST(flow_end, answers_what_the_core_waits_for_with_480)
{
	delivered_udp();
	end_flow();
	EXPECT_EQ(480, status_of(world_sent(1)->text));
	EXPECT_EQ(TO_SOURCE, world_sent(1)->to);
	EXPECT_LINE("Q.850;cause=20;text=\"Subscriber absent\"", world_sent(1)->text, "Reason");
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_lost));
}

TEST(flow_end, absorbs_retransmissions_of_what_it_answered)
{
	delivered_udp();
	end_flow();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(3, world.count);
	EXPECT_TEXT(world_sent(1)->text, world_sent(2)->text);
	world_wait(33 * S);
	world_forget();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

TEST(flow_end, lets_what_the_wic_waited_for_end_by_itself)
{
	world_start_udp();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3570), 600)));
	end_flow();
	EXPECT_EQ(3, world_transactions()); /* PROTOCOL 10.3: finish, and are dropped */
	EXPECT_EQ(0, world.wic[0].transactions);
	world_wait(33 * S);
	EXPECT_EQ(1, count_to(TO_WIC)); /* the other flow's */
	nothing_left();
}

TEST(flow_end, makes_a_200_that_comes_after_it_a_binding_that_serves_nobody)
{
	world_start();
	sends_register();
	end_flow();
	core_registers(600);
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_leaving(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.mw_unmatched));
	nothing_left();
}

TEST(flow_end, drops_the_answer_to_a_message_that_comes_after_it)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	end_flow();
	core_answers("200 OK", "");
	EXPECT_EQ(1, world.count);
	nothing_left();
}

TEST(pools, balance_after_everything_at_once)
{
	world_start_udp();
	world_register();
	for (uint32_t i = 0; i < 3; i++) {
		core_sends(format("MESSAGE sip:x@a.invalid SIP/2.0" CRLF
				  "Via: SIP/2.0/UDP 198.18.0.20:5060;branch=z9hG4bKx%u" CRLF
				  "Route: <%s>" CRLF "From: <sip:bob@home1.net>;tag=c9" CRLF
				  "To: <sip:alice@home1.net>" CRLF "Call-ID: c%u" CRLF
				  "CSeq: 4 MESSAGE" CRLF CRLF,
				  i, path_uri(), i));
		EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	}
	end_flow();
	world_wait(29 * S);
	world_forget();
	world_wait(30 * S); /* it is said again over UDP, and never answered */
	world_forget();
	while (gateway_leaving(world.gw) > 0) {
		world_wait(40 * S);
		world_forget();
	}
	world_wait(40 * S);
	nothing_left();
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_homes(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.binding_live));
	EXPECT_EQ(UINT64_MAX, gateway_next_us(world.gw));
}

TEST_MAIN("gateway_timers", RUN(udp, request_is_sent_again_at_timer_e),
	  RUN(udp, register_without_an_answer_is_504_at_timer_f),
	  RUN(udp, retransmissions_stop_at_the_final_response),
	  RUN(udp, retransmissions_slow_down_after_a_provisional_response),
	  RUN(udp, via_names_udp_and_path_has_no_transport),
	  RUN(udp, message_of_at_most_1300_bytes_stays_on_udp_and_one_more_goes_over_tcp),
	  RUN(udp, register_of_more_than_1300_bytes_goes_over_tcp_and_its_path_says_so),
	  RUN(tcp, request_is_sent_once_and_answered_504_after_32_s),
	  RUN(tcp, message_without_an_answer_is_408),
	  RUN(tcp, target_that_is_lost_ends_what_waits_for_it),
	  RUN(tcp, request_that_cannot_be_sent_is_refused_at_once),
	  RUN(retransmission, of_the_core_is_absorbed),
	  RUN(retransmission, of_the_core_gets_the_answer_again_for_32_s),
	  RUN(retransmission, of_a_request_that_was_answered_long_is_absorbed_all_the_same),
	  RUN(retransmission, is_told_from_another_request_by_branch_and_method),
	  RUN(retransmission, is_told_from_another_request_of_a_peer_without_branches),
	  RUN(request, of_the_core_without_an_answer_is_408),
	  RUN(request, of_the_core_over_tcp_leaves_nothing_behind),
	  RUN(flow_end, answers_what_the_core_waits_for_with_480),
	  RUN(flow_end, absorbs_retransmissions_of_what_it_answered),
	  RUN(flow_end, lets_what_the_wic_waited_for_end_by_itself),
	  RUN(flow_end, makes_a_200_that_comes_after_it_a_binding_that_serves_nobody),
	  RUN(flow_end, drops_the_answer_to_a_message_that_comes_after_it),
	  RUN(pools, balance_after_everything_at_once))
