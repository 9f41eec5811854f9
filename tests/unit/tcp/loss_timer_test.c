/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery_bench.h"
#include "test.h"

/* ---- tail loss probe
 * ----------------------------------------------------------------------------- */

TEST(probe, comes_two_round_trips_after_the_last_segment)
{
	struct bench *b = bench_ready();

	bench_send(b, 2);
	EXPECT_EQ(LOSS_PROBE, b->tcb.loss_kind);
	EXPECT_EQ(40, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(probe, of_a_single_segment_waits_for_a_delayed_ack)
{
	struct bench *b = bench_new();

	recovery_rtt(&b->tcp, &b->tcb, 300000); /* RTO: 900 ms */
	bench_send(b, 1);
	EXPECT_EQ(800, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(probe, comes_10_ms_later_at_least)
{
	struct bench *b = bench_new();

	recovery_rtt(&b->tcp, &b->tcb, 100);
	bench_send(b, 2);
	EXPECT_EQ(10, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(probe, comes_in_the_place_of_an_earlier_timeout)
{
	struct bench *b = bench_new();

	for (uint32_t i = 0; i < 100; i++)
		recovery_rtt(&b->tcp, &b->tcb, 1000000); /* RTO: 1.2 s */
	bench_send(b, 2);
	EXPECT_EQ(LOSS_PROBE, b->tcb.loss_kind);
	EXPECT_EQ(1200, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(probe, is_put_off_by_later_segments_but_not_past_the_timeout)
{
	struct bench *b = bench_ready();

	for (uint32_t i = 0; i < 7; i++) {
		bench_send(b, 1);
		bench_pass(b, 30000);
	}
	EXPECT_EQ(1, bench_times(b, 0));
	bench_send(b, 1); /* 210 of 220 ms have passed for the first */
	EXPECT_EQ(LOSS_PROBE, b->tcb.loss_kind);
	EXPECT_EQ(10, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(probe, repeats_the_last_segment_when_there_is_nothing_new)
{
	struct bench *b = bench_ready();

	bench_send(b, 3);
	bench_wait(b, 41000);
	EXPECT_EQ(2, bench_times(b, 2));
	EXPECT_EQ(1, bench_times(b, 0));
	EXPECT_EQ(1, b->counters.tcp_probes);
	EXPECT_EQ(3 * MSS, b->tcb.pipe);
	EXPECT_EQ(LOSS_RTO, b->tcb.loss_kind);
	EXPECT(bench_free(b));
}

TEST(probe, is_a_new_segment_when_the_peers_window_has_room)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 3 * MSS;
	bench_send(b, 3);
	bench_write(b, 2, MSS);
	EXPECT_EQ(0, bench_output(b));
	bench_wait(b, 41000);
	EXPECT_EQ(1, bench_times(b, 3)); /* beyond cwnd */
	EXPECT_EQ(0, bench_times(b, 4)); /* one only */
	EXPECT_EQ(1, bench_times(b, 2));
	EXPECT_EQ(MSS * 4, b->tcb.rec.tlp_end - b->first);
	bench_pass(b, 1000);
	bench_ack(b, 4);
	EXPECT_EQ(0, b->tcb.rec.flags & RECOVERY_PROBE);
	EXPECT_EQ(CWND_MAX, b->tcb.ssthresh);
	EXPECT(bench_free(b));
}

TEST(probe, repeats_when_the_peers_window_is_full)
{
	struct bench *b = bench_ready();

	b->tcb.snd_wnd = 3 * MSS;
	bench_send(b, 3);
	bench_write(b, 2, MSS);
	bench_wait(b, 41000);
	EXPECT_EQ(2, bench_times(b, 2));
	EXPECT_EQ(0, bench_times(b, 3));
	EXPECT(bench_free(b));
}

TEST(probe, finds_the_loss_of_all_but_the_last_segment)
{
	struct bench *b = bench_ready();

	bench_send(b, 5);
	bench_wait(b, 41000);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 4, 5);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT(bench_output(b) > 0);
	EXPECT_EQ(2, bench_times(b, 0));
	EXPECT_EQ(0, b->counters.tcp_timeouts);
	EXPECT(bench_free(b));
}

TEST(probe, is_sent_once_before_the_timeout)
{
	struct bench *b = bench_ready();

	bench_send(b, 2);
	bench_wait(b, 41000);
	EXPECT_EQ(1, b->counters.tcp_probes);
	bench_send(b, 1);
	EXPECT_EQ(LOSS_RTO, b->tcb.loss_kind);
	EXPECT_EQ(219, bench_deadline(b)); /* from the probe on */
	bench_wait(b, 300000);
	EXPECT_EQ(1, b->counters.tcp_probes);
	EXPECT_EQ(1, b->counters.tcp_timeouts);
	EXPECT(bench_free(b));
}

TEST(probe, is_not_sent_while_something_is_missing)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 2, 3);
	EXPECT(b->tcb.loss_kind != LOSS_PROBE);
	bench_wait(b, 6000);
	EXPECT_EQ(PHASE_RECOVERY, b->tcb.rec.phase);
	EXPECT(b->tcb.loss_kind != LOSS_PROBE);
	EXPECT(bench_free(b));
}

TEST(probe, is_not_sent_without_sack)
{
	struct bench *b = bench_ready();

	b->tcb.flags &= (uint16_t)~TCB_SACK;
	bench_send(b, 4);
	EXPECT_EQ(LOSS_RTO, b->tcb.loss_kind);
	EXPECT_EQ(220, bench_deadline(b));
	EXPECT(bench_free(b));
}

static struct bench *bench_probed(void)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 4 * MSS;
	bench_send(b, 4);
	bench_wait(b, 41000);
	EXPECT_EQ(2, bench_times(b, 3));
	bench_pass(b, 1000);
	bench_ack(b, 4);
	return b;
}

TEST(probe, that_a_dsack_names_was_in_vain)
{
	struct bench *b = bench_probed();

	bench_dsack(b, 4, 3, 4);
	EXPECT_EQ(0, b->tcb.rec.flags & RECOVERY_PROBE);
	EXPECT_EQ(1, b->tcb.rec.reo_mult); /* and tells nothing of reordering */
	bench_send(b, 1);
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 5);
	EXPECT_EQ(CWND_MAX, b->tcb.ssthresh);
	EXPECT(bench_free(b));
}

TEST(probe, that_a_duplicate_without_sack_follows_was_in_vain)
{
	struct bench *b = bench_probed();

	bench_ack(b, 4);
	EXPECT_EQ(0, b->tcb.rec.flags & RECOVERY_PROBE);
	EXPECT_EQ(CWND_MAX, b->tcb.ssthresh);
	EXPECT(bench_free(b));
}

TEST(probe, that_nobody_says_was_in_vain_repaired_a_loss)
{
	struct bench *b = bench_probed();

	EXPECT((b->tcb.rec.flags & RECOVERY_PROBE) != 0);
	bench_send(b, 2);
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 6);
	EXPECT_EQ(0, b->tcb.rec.flags & RECOVERY_PROBE);
	EXPECT_EQ(2 * MSS, b->tcb.ssthresh);
	EXPECT_EQ(2 * MSS, b->tcb.cwnd);
	EXPECT(bench_free(b));
}

/* TCP.md 8.3, 10. */
TEST(probe, repairs_the_loss_of_the_last_segment_in_two_round_trips_and_250_ms)
{
	struct bench *b = bench_ready();
	uint64_t from_us;

	bench_send(b, 1);
	from_us = b->clock.now_us;
	while (bench_times(b, 0) < 2)
		bench_wait(b, 1000);
	EXPECT(b->clock.now_us - from_us <= 2 * BENCH_RTT_US + 250000);
	EXPECT_EQ(0, b->counters.tcp_timeouts);
	EXPECT(bench_free(b));
}

/* clawpatrol #147: a full link is no loss. */
TEST(probe, that_the_link_does_not_take_is_tried_again)
{
	struct bench *b = bench_ready();

	bench_send(b, 2);
	b->link_full = true;
	bench_wait(b, 100000);
	EXPECT(b->refused >= 2);
	EXPECT_EQ(0, b->counters.tcp_probes);
	b->link_full = false;
	bench_wait(b, 50000);
	EXPECT_EQ(1, b->counters.tcp_probes);
	EXPECT_EQ(0, b->counters.tcp_timeouts);
	EXPECT(bench_free(b));
}

/* ---- timeout
 * ------------------------------------------------------------------------------------- */

static struct bench *bench_plain(uint32_t n)
{
	struct bench *b = bench_ready();

	b->tcb.flags &= (uint16_t)~TCB_SACK;
	b->tcb.cwnd = n * MSS;
	bench_send(b, n);
	return b;
}

TEST(timeout, begins_again_with_one_segment)
{
	struct bench *b = bench_plain(10);

	bench_wait(b, 241000);
	EXPECT_EQ(1, b->counters.tcp_timeouts);
	EXPECT_EQ(1, b->traced[TCP_EVENT_RTO]);
	EXPECT_EQ(11, b->sendings);
	EXPECT_EQ(2, bench_times(b, 0));
	EXPECT_EQ(MSS, b->tcb.cwnd);
	EXPECT_EQ(MSS, b->tcb.pipe);
	EXPECT_EQ(5 * MSS, b->tcb.ssthresh);
	EXPECT(b->wants > 0);
	EXPECT(bench_free(b));
}

TEST(timeout, is_followed_by_slow_start_over_what_was_lost)
{
	struct bench *b = bench_plain(10);
	uint32_t at = 0, burst[3];

	bench_wait(b, 241000);
	for (uint32_t i = 0; i < 3; i++) {
		bench_pass(b, BENCH_RTT_US);
		burst[i] = 0;
		for (uint32_t n = i == 0 ? 1 : burst[i - 1]; n > 0; n--) {
			bench_ack(b, ++at);
			burst[i] += bench_output(b);
		}
	}
	EXPECT_EQ(2, burst[0]);
	EXPECT_EQ(4, burst[1]);
	EXPECT(burst[2] <= 4); /* ssthresh, and nothing is left */
	EXPECT_EQ(0, b->tcb.backoff);
	EXPECT(bench_free(b));
}

TEST(timeout, doubles_until_a_minute)
{
	struct bench *b = bench_plain(1);
	uint32_t last = 220, ms;

	for (uint32_t i = 0; i < 20; i++) {
		bench_wait(b, bench_deadline(b) * 1000);
		ms = bench_deadline(b);
		EXPECT_EQ(smaller(2 * last, 60000), ms);
		last = ms;
	}
	EXPECT_EQ(20, b->counters.tcp_timeouts);
	EXPECT(bench_free(b));
}

TEST(timeout, is_itself_again_after_an_ack_of_new_data)
{
	struct bench *b = bench_plain(4);

	bench_wait(b, 241000);
	bench_wait(b, 481000);
	EXPECT_EQ(2, b->tcb.backoff);
	bench_ack(b, 1);
	EXPECT_EQ(0, b->tcb.backoff);
	EXPECT(bench_deadline(b) <= 241);
	EXPECT(bench_free(b));
}

TEST(timeout, starts_anew_with_each_ack_of_new_data)
{
	struct bench *b = bench_plain(4);

	bench_pass(b, 200000);
	EXPECT_EQ(20, bench_deadline(b));
	bench_ack(b, 0);
	EXPECT_EQ(20, bench_deadline(b)); /* not with others */
	bench_ack(b, 1);
	EXPECT(bench_deadline(b) >= 220);
	EXPECT(bench_free(b));
}

TEST(timeout, ends_with_the_last_ack)
{
	struct bench *b = bench_plain(4);

	bench_ack(b, 4);
	EXPECT_EQ(UINT32_MAX, bench_deadline(b));
	EXPECT(bench_free(b));
}

/* VPP: flight of repeated timeouts. */
TEST(timeout, that_comes_again_cuts_no_more)
{
	struct bench *b = bench_plain(20);

	bench_wait(b, 4000000);
	EXPECT(b->counters.tcp_timeouts >= 3);
	EXPECT_EQ(10 * MSS, b->tcb.ssthresh);
	EXPECT_EQ(20 * MSS, b->tcb.rec.prior_cwnd);
	EXPECT(bench_free(b));
}

TEST(timeout, leaves_in_flight_what_was_sent_a_moment_ago)
{
	struct bench *b = bench_ready();

	b->tcb.rec.rack_rtt_us = BENCH_RTT_US;
	b->tcb.rec.flags |= RECOVERY_PROBE; /* no probe */
	b->tcb.rec.tlp_end = b->first + 100 * MSS;
	bench_send(b, 2);
	bench_pass(b, 235000);
	bench_send(b, 1);
	bench_wait(b, 6000);
	EXPECT_EQ(1, b->counters.tcp_timeouts);
	EXPECT_EQ(1, bench_times(b, 2));
	EXPECT_EQ(2 * MSS, b->tcb.pipe); /* it, and the first */
	EXPECT((bench_record(b, MSS)->flags & SEND_LOST) != 0);
	EXPECT(bench_free(b));
}

TEST(timeout, does_not_send_again_what_was_sacked)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 2, 4);
	bench_wait(b, 300000);
	EXPECT(b->counters.tcp_timeouts >= 1);
	EXPECT_EQ(1, bench_times(b, 2));
	EXPECT_EQ(1, bench_times(b, 3));
	EXPECT(bench_free(b));
}

/* RFC 2018 8: the peer may have dropped it, and not be able to say. */
TEST(timeout, in_a_row_forgets_what_was_sacked)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 2, 4);
	bench_wait(b, 900000);
	EXPECT(b->counters.tcp_timeouts >= 2);
	EXPECT((bench_record(b, 3 * MSS)->flags & SEND_SACKED) == 0);
	EXPECT(bench_sound(b));
	EXPECT(bench_free(b));
}

TEST(timeout, learns_nothing_from_what_the_link_has_not_taken)
{
	struct bench *b = bench_plain(4);

	b->link_full = true;
	bench_wait(b, 2000000);
	EXPECT_EQ(1, b->counters.tcp_timeouts);
	EXPECT_EQ(1, b->tcb.backoff);
	EXPECT(b->timeouts >= 4); /* it is looked at, all the same */
	b->link_full = false;
	bench_wait(b, 500000);
	EXPECT(bench_times(b, 0) >= 2);
	EXPECT(bench_free(b));
}

/* Else it would wait for ever. */
TEST(timeout, comes_when_it_was_cwnd_that_kept_the_lost_segment_back)
{
	struct bench *b = bench_plain(4);

	bench_wait(b, 221000);
	bench_send(b, 2);
	bench_ack(b, 1);
	b->tcb.cwnd = 2 * MSS;
	EXPECT_EQ(0, bench_output(b));
	EXPECT((bench_record(b, MSS)->flags & SEND_LOST) != 0);
	bench_wait(b, 300000);
	EXPECT_EQ(2, b->counters.tcp_timeouts);
	EXPECT_EQ(2, bench_times(b, 1));
	EXPECT(bench_free(b));
}

TEST(timeout, of_a_full_segment_twice_lowers_the_segment_size)
{
	struct bench *b = bench_plain(2);

	bench_wait(b, 241000);
	EXPECT_EQ(MSS, b->tcb.mss);
	bench_wait(b, 481000);
	EXPECT_EQ(536, b->tcb.mss);
	EXPECT_EQ(1, b->counters.tcp_black_holes);
	EXPECT(bench_free(b));
}

TEST(timeout, of_a_segment_twice_that_the_next_size_holds_does_not)
{
	struct bench *b = bench_ready();

	b->tcb.flags &= (uint16_t)~TCB_SACK;
	bench_write(b, 1, 536);
	EXPECT_EQ(1, bench_output(b));
	bench_wait(b, 2000000);
	EXPECT(b->counters.tcp_timeouts >= 2);
	EXPECT_EQ(MSS, b->tcb.mss);
	EXPECT(bench_free(b));
}

TEST(timeout, of_nothing_does_nothing)
{
	struct bench *b = bench_new();

	recovery_timeout(&b->tcp, &b->tcb);
	EXPECT_EQ(0, b->counters.tcp_timeouts);
	EXPECT_EQ(UINT32_MAX, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(timeout, of_persist_is_left_alone)
{
	struct bench *b = bench_ready();

	bench_send(b, 1);
	bench_ack(b, 1);
	b->tcb.flags |= TCB_PROBING;
	b->tcb.loss_kind = LOSS_PERSIST;
	tcp_deadline(&b->tcp, &b->tcb, DEADLINE_LOSS, 777);
	bench_ack(b, 1);
	EXPECT_EQ(777, bench_deadline(b));
	EXPECT_EQ(LOSS_PERSIST, b->tcb.loss_kind);
	EXPECT(bench_free(b));
}

/* ---- the user
 * ------------------------------------------------------------------------------------ */

TEST(user, is_told_writable_when_three_quarters_are_free)
{
	struct bench *b = bench_ready();

	b->tcb.flags |= TCB_NO_ROOM;
	bench_send(b, 3);
	b->room = 65536 * 3 / 4 - 1;
	bench_ack(b, 1);
	EXPECT_EQ(0, b->events);
	b->room++;
	bench_ack(b, 2);
	EXPECT_EQ(EVENT_WRITABLE, b->events);
	EXPECT_EQ(0, b->tcb.flags & TCB_NO_ROOM);
	b->events = 0;
	bench_ack(b, 3);
	EXPECT_EQ(0, b->events);
	EXPECT(bench_free(b));
}

TEST_MAIN("tcp_loss_timer", RUN(probe, comes_two_round_trips_after_the_last_segment),
	  RUN(probe, of_a_single_segment_waits_for_a_delayed_ack),
	  RUN(probe, comes_10_ms_later_at_least),
	  RUN(probe, comes_in_the_place_of_an_earlier_timeout),
	  RUN(probe, is_put_off_by_later_segments_but_not_past_the_timeout),
	  RUN(probe, repeats_the_last_segment_when_there_is_nothing_new),
	  RUN(probe, is_a_new_segment_when_the_peers_window_has_room),
	  RUN(probe, repeats_when_the_peers_window_is_full),
	  RUN(probe, finds_the_loss_of_all_but_the_last_segment),
	  RUN(probe, is_sent_once_before_the_timeout),
	  RUN(probe, is_not_sent_while_something_is_missing), RUN(probe, is_not_sent_without_sack),
	  RUN(probe, that_a_dsack_names_was_in_vain),
	  RUN(probe, that_a_duplicate_without_sack_follows_was_in_vain),
	  RUN(probe, that_nobody_says_was_in_vain_repaired_a_loss),
	  RUN(probe, repairs_the_loss_of_the_last_segment_in_two_round_trips_and_250_ms),
	  RUN(probe, that_the_link_does_not_take_is_tried_again),
	  RUN(timeout, begins_again_with_one_segment),
	  RUN(timeout, is_followed_by_slow_start_over_what_was_lost),
	  RUN(timeout, doubles_until_a_minute),
	  RUN(timeout, is_itself_again_after_an_ack_of_new_data),
	  RUN(timeout, starts_anew_with_each_ack_of_new_data), RUN(timeout, ends_with_the_last_ack),
	  RUN(timeout, that_comes_again_cuts_no_more),
	  RUN(timeout, leaves_in_flight_what_was_sent_a_moment_ago),
	  RUN(timeout, does_not_send_again_what_was_sacked),
	  RUN(timeout, in_a_row_forgets_what_was_sacked),
	  RUN(timeout, learns_nothing_from_what_the_link_has_not_taken),
	  RUN(timeout, comes_when_it_was_cwnd_that_kept_the_lost_segment_back),
	  RUN(timeout, of_a_full_segment_twice_lowers_the_segment_size),
	  RUN(timeout, of_a_segment_twice_that_the_next_size_holds_does_not),
	  RUN(timeout, of_nothing_does_nothing), RUN(timeout, of_persist_is_left_alone),
	  RUN(user, is_told_writable_when_three_quarters_are_free))
