/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/* Timers of calls, and calls whose WIC has gone: PROTOCOL 10.3, 11, RFC 3261 16.8, 17. */

#define TICK (12 * MS)

/** Sent at so many milliseconds after start, within a tick each. */
static void expect_times(enum sent_to to, const char *start, uint64_t from, const uint32_t *ms,
			 uint32_t count)
{
	uint32_t n = 0;

	EXPECT_EQ(count, count_of(to, start));
	for (uint32_t i = 0; i < world.count; i++) {
		const struct sent *s = &world.sent[i];

		if (s->to != to || !begins(s->text, start))
			continue;
		EXPECT(s->at_us >= from + ms[n] * MS);
		EXPECT(s->at_us <= from + ms[n] * MS + (n + 1) * TICK);
		n++;
	}
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void time_ends_it_all(void)
{
	call_wait(70);
	call_nothing_left();
}

static void alice_acknowledges(void)
{
	EXPECT_EQ(GW_OK,
		  wic_sends(0, of_alice(&(struct says){.method = "ACK",
						       .to = "<sip:bob@home1.net>;tag=b1"})));
}

static void bob_acknowledges(void)
{
	core_sends(of_core(&(struct says){.method = "ACK", .to = "<sip:alice@home1.net>;tag=w1"}));
}

/* ---- A, B ----------------------------------------------------------------------------------- */

TEST(timer_a, has_an_invite_said_again_over_udp_at_doubling_intervals)
{
	static const uint32_t at[] = {0, 500, 1500, 3500, 7500, 15500, 31500};
	uint64_t start;

	call_world(MW_UDP);
	call_no_stand_in();
	start = world.now_us;
	alice_calls("");
	world_wait(32 * S - 10 * MS);
	expect_times(TO_MW, "INVITE ", start, at, COUNT(at));
	for (uint32_t i = 1; i < count_to(TO_MW); i++)
		EXPECT_TEXT(nth_to(TO_MW, 0)->text, nth_to(TO_MW, i)->text);
}

TEST(timer_a, is_stopped_by_100)
{
	struct call c;

	call_world(MW_UDP);
	c = alice_calls("");
	core_sends(bare_answer_of(c.onward, "100 Trying", "", ""));
	world_wait(150 * S);
	EXPECT_EQ(1, count_to(TO_MW));
}

TEST(timer_a, is_not_used_over_tcp_and_towards_a_wic)
{
	call_world(MW_TCP);
	alice_calls("");
	world_wait(31 * S);
	EXPECT_EQ(1, count_to(TO_MW));
	call_world(MW_UDP);
	bob_calls("");
	world_wait(31 * S);
	EXPECT_EQ(1, count_to(TO_WIC));
}

TEST_BOTH(timer_b, makes_408_of_an_invite_that_the_core_does_not_answer)
{
	const char *answer;

	call_world(transport);
	alice_calls("");
	world_wait(32 * S - 5 * MS);
	EXPECT_EQ(0, count_of(TO_WIC, "SIP/2.0 4"));
	world_wait(20 * MS);
	answer = only_of(TO_WIC, "SIP/2.0 408");
	EXPECT(contains(line(answer, "To"), ";tag="));
	EXPECT_EQ(1, lines(answer, "Via"));
	EXPECT_EQ(0, count_of(TO_MW, "CANCEL "));
	EXPECT_EQ(1, world_count(&world.counters.transaction_timeout));
	alice_acknowledges();
	call_nothing_left();
}

TEST_BOTH(timer_b, makes_408_of_an_invite_that_a_wic_does_not_answer)
{
	call_world(transport);
	bob_calls("");
	world_wait(32 * S + 5 * MS);
	EXPECT_EQ(2, lines(only_of(TO_SOURCE, "SIP/2.0 408"), "Via"));
	EXPECT_EQ(1, count_to(TO_WIC));
	time_ends_it_all();
}

/* ---- C -------------------------------------------------------------------------------------- */

TEST_BOTH(timer_c, cancels_a_call_of_a_wic_that_rings_for_185_s)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	world_forget();
	world_wait(185 * S - 10 * MS);
	EXPECT_EQ(0, world.count);
	world_wait(20 * MS);
	EXPECT(begins(world_only(TO_MW), "CANCEL "));
	core_sends(bare_answer_of(keep(last_to(TO_MW)), "200 OK", "b1", ""));
	core_sends(answer_of(c.onward, "487 Request Terminated", "b1", ""));
	only_of(TO_WIC, "SIP/2.0 487");
	only_of(TO_MW, "ACK ");
	alice_acknowledges();
	time_ends_it_all();
}

TEST_BOTH(timer_c, begins_anew_with_every_provisional_response_but_100)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	for (uint32_t i = 0; i < 4; i++) {
		core_sends(answer_of(c.onward, i % 2 == 0 ? "180 Ringing" : "181 Forwarded", "b1",
				     ""));
		call_wait(184);
	}
	EXPECT_EQ(1, world_transactions());
	core_sends(bare_answer_of(c.onward, "100 Trying", "", ""));
	world_wait(1300 * MS);
	only_of(TO_MW, "CANCEL ");
	time_ends_it_all();
}

TEST_BOTH(timer_c, runs_from_the_invite_when_only_100_came)
{
	struct call c;

	call_world(transport);
	call_no_stand_in();
	c = alice_calls("");
	world_wait(10 * S);
	core_sends(bare_answer_of(c.onward, "100 Trying", "", ""));
	world_forget();
	world_wait(174 * S);
	EXPECT_EQ(0, count_of(TO_MW, "CANCEL "));
	world_wait(1300 * MS);
	only_of(TO_MW, "CANCEL ");
}

TEST_BOTH(timer_c, cancels_a_call_of_the_core_that_rings_for_185_s)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	world_forget();
	world_wait(185 * S + 10 * MS);
	EXPECT(begins(world_only(TO_WIC), "CANCEL "));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "487 Request Terminated", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 487");
	bob_acknowledges();
	time_ends_it_all();
}

TEST_BOTH(timer_c, ends_a_call_that_its_cancel_does_not_end_within_32_s)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	call_wait(186);
	world_wait(31 * S + 20 * MS);
	EXPECT_EQ(1, count_to(TO_WIC));
	EXPECT(status_of(last_to(TO_WIC)) == 487 || status_of(last_to(TO_WIC)) == 408);
	alice_acknowledges();
	time_ends_it_all();
}

TEST_BOTH(timer_c, does_not_run_once_the_call_is_answered)
{
	call_world(transport);
	alice_called();
	call_wait(200);
	EXPECT_EQ(0, count_of(TO_MW, "CANCEL "));
	call_nothing_left();
}

/* ---- D -------------------------------------------------------------------------------------- */

TEST(timer_d, has_a_failure_acknowledged_for_32_s_over_udp)
{
	struct call c;

	call_world(MW_UDP);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	alice_acknowledges();
	world_forget();
	world_wait(32 * S - 10 * MS);
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	EXPECT(begins(world_only(TO_MW), "ACK "));
	EXPECT_EQ(1, world_transactions());
	world_wait(20 * MS);
	call_nothing_left();
	world_forget();
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mw_unmatched));
}

TEST(timer_d, is_0_over_tcp)
{
	struct call c;

	call_world(MW_TCP);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	EXPECT_EQ(1, world_transactions()); /* alice's ACK is to come */
	alice_acknowledges();
	call_nothing_left();
}

/* ---- G, H, I -------------------------------------------------------------------------------- */

TEST(timer_g, has_a_failure_said_again_over_udp_until_it_is_acknowledged)
{
	static const uint32_t at[] = {0, 500, 1500, 3500, 7500, 11500, 15500};
	struct call c;
	uint64_t start;

	call_world(MW_UDP);
	c = bob_calls("");
	start = world.now_us;
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "486 Busy Here", "w1", "")));
	world_wait(16 * S);
	expect_times(TO_SOURCE, "SIP/2.0 486", start, at, COUNT(at));
	for (uint32_t i = 2; i < count_to(TO_SOURCE); i++)
		EXPECT_TEXT(nth_to(TO_SOURCE, 1)->text, nth_to(TO_SOURCE, i)->text);
	bob_acknowledges();
	world_forget();
	world_wait(4900 * MS);
	bob_acknowledges();
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, world_transactions());
	world_wait(200 * MS); /* timer I: 5 s */
	call_nothing_left();
}

TEST(timer_g, is_joined_by_what_the_request_brings_when_it_comes_again)
{
	struct call c;

	call_world(MW_UDP);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "486 Busy Here", "w1", "")));
	world_forget();
	core_sends(c.invite);
	EXPECT(begins(world_only(TO_SOURCE), "SIP/2.0 486"));
}

TEST(timer_g, is_not_used_over_tcp_and_what_comes_again_is_absorbed)
{
	struct call c;

	call_world(MW_TCP);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "486 Busy Here", "w1", "")));
	world_forget();
	core_sends(c.invite);
	EXPECT_EQ(0, world.count);
}

TEST(timer_h, ends_the_repeats_of_a_failure_that_nobody_acknowledges)
{
	struct call c;

	call_world(MW_UDP);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "486 Busy Here", "w1", "")));
	world_wait(32 * S - 10 * MS);
	EXPECT_EQ(11, count_of(TO_SOURCE, "SIP/2.0 486"));
	EXPECT_EQ(1, world_transactions());
	world_wait(30 * MS);
	call_nothing_left();
}

TEST(timer_g, is_not_used_over_tcp)
{
	struct call c;

	call_world(MW_TCP);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "486 Busy Here", "w1", "")));
	world_wait(31 * S);
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 486"));
	bob_acknowledges();
	call_nothing_left(); /* timer I is 0 */
}

TEST_BOTH(timer_h, ends_what_waits_for_the_ack_of_a_wic)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	world_wait(32 * S - 10 * MS);
	EXPECT_EQ(1, world_transactions());
	EXPECT_EQ(1, count_of(TO_WIC, "SIP/2.0 486")); /* over a WebSocket it is said once */
	world_wait(20 * MS);
	call_nothing_left();
}

/* ---- L, M ----------------------------------------------------------------------------------- */

TEST_BOTH(timer_m, lets_2xx_through_for_32_s)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "200 OK", "b1", ""));
	world_forget();
	world_wait(32 * S - 10 * MS);
	core_sends(answer_of(c.onward, "200 OK", "b1", ""));
	core_sends(answer_of(c.onward, "200 OK", "b2", ""));
	EXPECT_EQ(2, count_of(TO_WIC, "SIP/2.0 200"));
	world_wait(20 * MS);
	call_nothing_left();
	core_sends(answer_of(c.onward, "200 OK", "b1", ""));
	EXPECT_EQ(2, count_to(TO_WIC)); /* RFC 6026 7.1: what matches nothing is dropped */
}

TEST_BOTH(timer_l, absorbs_the_invite_for_32_s_and_lets_2xx_through)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	world_forget();
	world_wait(32 * S - 10 * MS);
	core_sends(c.invite);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 200"));
	world_wait(20 * MS);
	call_nothing_left();
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(1, world.count);
}

TEST_BOTH(timer_l, runs_over_the_200_of_a_wic_and_is_not_its_retransmission)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	world_forget();
	world_wait(33 * S);
	EXPECT_EQ(0, world.count); /* 2xx are end to end: alice repeats hers */
	call_nothing_left();
}

/* ---- calls whose WIC has gone (PROTOCOL 10.3) ------------------------------------------------ */

TEST_BOTH(gone, wic_that_had_said_nothing_is_480_at_once)
{
	const char *answer;

	call_world(transport);
	bob_calls(VECTOR);
	wic_leaves(0);
	answer = only_of(TO_SOURCE, "SIP/2.0 480");
	EXPECT_LINE("Q.850;cause=20;text=\"Subscriber absent\"", answer, "Reason");
	EXPECT_EQ(2, lines(answer, "Via"));
	EXPECT(contains(line(answer, "To"), ";tag="));
	EXPECT_EQ(1, count_to(TO_WIC));
	time_ends_it_all();
}

/* PROTOCOL 10.3: a 100 is no sign of life of the phone. */
TEST_BOTH(gone, wic_that_had_said_100_alone_is_480_at_once)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, bare_answer_of(c.onward, "100 Trying", "", "")));
	wic_leaves(0);
	EXPECT_LINE("Q.850;cause=20;text=\"Subscriber absent\"", only_of(TO_SOURCE, "SIP/2.0 480"),
		    "Reason");
	time_ends_it_all();
}

TEST_BOTH(gone, wic_whose_phone_had_rung_is_408_after_timer_c)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	world_wait(5 * S);
	alice_goes();
	EXPECT_EQ(0, world.count);
	core_sends(c.invite); /* meanwhile it is absorbed */
	EXPECT(begins(world_only(TO_SOURCE), "SIP/2.0 100"));
	call_wait(179);
	EXPECT_EQ(1, world_transactions());
	world_wait(1300 * MS);
	only_of(TO_SOURCE, "SIP/2.0 408");
	EXPECT_EQ(0, count_to(TO_WIC));
	time_ends_it_all();
}

TEST_BOTH(gone, wic_that_called_has_its_call_cancelled_after_the_grace)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	alice_goes();
	world_wait(30 * S - 10 * MS);
	EXPECT_EQ(0, count_of(TO_MW, "CANCEL "));
	world_wait(20 * MS);
	only_of(TO_MW, "CANCEL ");
	core_sends(answer_of(c.onward, "487 Request Terminated", "b1", ""));
	only_of(TO_MW, "ACK ");
	EXPECT_EQ(0, count_to(TO_WIC));
	call_wait(33);
	call_nothing_left();
}

TEST_BOTH(gone, wic_that_called_has_its_call_cancelled_when_the_core_says_something_after_the_grace)
{
	struct call c;

	call_world(transport);
	call_no_stand_in();
	c = alice_calls("");
	alice_goes();
	world_wait(31 * S);
	EXPECT_EQ(0, count_of(TO_MW, "CANCEL "));
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	only_of(TO_MW, "CANCEL ");
	time_ends_it_all();
}

TEST_BOTH(gone, wic_that_called_and_got_no_answer_leaves_nothing_after_timer_b)
{
	call_world(transport);
	alice_calls("");
	alice_goes();
	call_wait(33);
	call_nothing_left();
}

TEST_BOTH(gone, wic_has_a_failure_acknowledged_for_it)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	alice_goes();
	core_sends(answer_of(c.onward, "486 Busy Here", "b1", ""));
	EXPECT(begins(world_only(TO_MW), "ACK "));
	call_wait(33);
	call_nothing_left();
}

TEST_BOTH(gone, wic_has_a_200_that_comes_too_late_dropped)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	alice_goes();
	core_sends(answer_of(c.onward, "200 OK", "b1", ""));
	EXPECT_EQ(0, world.count);
	call_wait(100);
	call_nothing_left();
}

TEST_BOTH(gone, wic_that_had_cancelled_has_its_cancel_go_on)
{
	struct call c;

	call_world(transport);
	c = alice_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.method = "CANCEL"})));
	alice_goes();
	core_sends(answer_of(c.onward, "180 Ringing", "b1", ""));
	only_of(TO_MW, "CANCEL ");
	core_sends(answer_of(c.onward, "487 Request Terminated", "b1", ""));
	only_of(TO_MW, "ACK ");
	time_ends_it_all();
}

TEST_BOTH(gone, wic_in_a_call_gets_no_bye_of_ours)
{
	call_world(transport); /* D-37 */
	alice_called();
	alice_goes();
	world_wait(29 * S); /* the grace */
	EXPECT_EQ(0, world.count);
	world_wait(2 * S);
	EXPECT_EQ(0, count_of(TO_MW, "BYE "));
	call_wait(100);
	call_nothing_left();
}

TEST_BOTH(gone, target_ends_the_call_that_waits_for_it)
{
	struct mw_target target;

	call_world(transport);
	call_no_stand_in();
	alice_calls("");
	target = nth_to(TO_MW, 0)->target;
	world_forget();
	gateway_target_lost(world.gw, &target);
	EXPECT_EQ(1, count_to(TO_WIC));
	EXPECT(status_of(last_to(TO_WIC)) >= 500);
	EXPECT(status_of(last_to(TO_WIC)) != 503);
	alice_acknowledges();
	call_nothing_left();
}

TEST_BOTH(pools, balance_after_calls_that_end_in_every_way)
{
	call_world_of(transport, 64);
	for (uint32_t i = 0; i < 8; i++) {
		static const char *const ends[] = {"200 OK", "486 Busy Here", "180 Ringing",
						   "100 Trying"};
		const char *mw, *wic;

		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.branch = format("p%u", i),
								      .call = format("p%u", i)})));
		mw = keep(only_of(TO_MW, "INVITE "));
		core_sends(of_core(
			&(struct says){.branch = format("q%u", i), .call = format("q%u", i)}));
		wic = keep(only_of(TO_WIC, "INVITE "));
		core_sends(answer_of(mw, ends[i % 4], i % 4 == 3 ? "" : "b1", ""));
		EXPECT_EQ(GW_OK,
			  wic_sends(0, answer_of(wic, ends[i % 4], i % 4 == 3 ? "" : "w1", "")));
		if (i >= 4) {
			core_sends(of_core(&(struct says){.method = "CANCEL",
							  .branch = format("q%u", i),
							  .call = format("q%u", i)}));
			EXPECT_EQ(GW_OK,
				  wic_sends(0, of_alice(&(struct says){.method = "CANCEL",
								       .branch = format("p%u", i),
								       .call = format("p%u", i)})));
		}
	}
	alice_goes();
	call_wait(400);
	call_nothing_left();
}

TEST_MAIN(
	"gateway_call_timers",
	RUN(timer_a, has_an_invite_said_again_over_udp_at_doubling_intervals),
	RUN(timer_a, is_stopped_by_100), RUN(timer_a, is_not_used_over_tcp_and_towards_a_wic),
	RUN_BOTH(timer_b, makes_408_of_an_invite_that_the_core_does_not_answer),
	RUN_BOTH(timer_b, makes_408_of_an_invite_that_a_wic_does_not_answer),
	RUN_BOTH(timer_c, cancels_a_call_of_a_wic_that_rings_for_185_s),
	RUN_BOTH(timer_c, begins_anew_with_every_provisional_response_but_100),
	RUN_BOTH(timer_c, runs_from_the_invite_when_only_100_came),
	RUN_BOTH(timer_c, cancels_a_call_of_the_core_that_rings_for_185_s),
	RUN_BOTH(timer_c, ends_a_call_that_its_cancel_does_not_end_within_32_s),
	RUN_BOTH(timer_c, does_not_run_once_the_call_is_answered),
	RUN(timer_d, has_a_failure_acknowledged_for_32_s_over_udp), RUN(timer_d, is_0_over_tcp),
	RUN(timer_g, has_a_failure_said_again_over_udp_until_it_is_acknowledged),
	RUN(timer_g, is_joined_by_what_the_request_brings_when_it_comes_again),
	RUN(timer_g, is_not_used_over_tcp_and_what_comes_again_is_absorbed),
	RUN(timer_h, ends_the_repeats_of_a_failure_that_nobody_acknowledges),
	RUN(timer_g, is_not_used_over_tcp), RUN_BOTH(timer_h, ends_what_waits_for_the_ack_of_a_wic),
	RUN_BOTH(timer_m, lets_2xx_through_for_32_s),
	RUN_BOTH(timer_l, absorbs_the_invite_for_32_s_and_lets_2xx_through),
	RUN_BOTH(timer_l, runs_over_the_200_of_a_wic_and_is_not_its_retransmission),
	RUN_BOTH(gone, wic_that_had_said_nothing_is_480_at_once),
	RUN_BOTH(gone, wic_that_had_said_100_alone_is_480_at_once),
	RUN_BOTH(gone, wic_whose_phone_had_rung_is_408_after_timer_c),
	RUN_BOTH(gone, wic_that_called_has_its_call_cancelled_after_the_grace),
	RUN_BOTH(
		gone,
		wic_that_called_has_its_call_cancelled_when_the_core_says_something_after_the_grace),
	RUN_BOTH(gone, wic_that_called_and_got_no_answer_leaves_nothing_after_timer_b),
	RUN_BOTH(gone, wic_has_a_failure_acknowledged_for_it),
	RUN_BOTH(gone, wic_has_a_200_that_comes_too_late_dropped),
	RUN_BOTH(gone, wic_that_had_cancelled_has_its_cancel_go_on),
	RUN_BOTH(gone, wic_in_a_call_gets_no_bye_of_ours),
	RUN_BOTH(gone, target_ends_the_call_that_waits_for_it),
	RUN_BOTH(pools, balance_after_calls_that_end_in_every_way))
