/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "recovery_bench.h"
#include "test.h"

/* ---- round trips
 * --------------------------------------------------------------------------------- */

TEST(rto, begins_with_one_second)
{
	struct bench *b = bench_new();

	EXPECT_EQ(1000000, recovery_rto_us(&b->tcb));
	EXPECT(bench_free(b));
}

TEST(rto, begins_with_three_seconds_when_the_syn_was_lost)
{
	struct bench *b = bench_new();

	congestion_init(&b->tcb, true);
	EXPECT_EQ(3000000, recovery_rto_us(&b->tcb));
	recovery_rtt(&b->tcp, &b->tcb, 100000);
	EXPECT_EQ(100000 + 200000, recovery_rto_us(&b->tcb));
	congestion_init(&b->tcb, true); /* a sample is better */
	EXPECT_EQ(100000 + 200000, recovery_rto_us(&b->tcb));
	EXPECT(bench_free(b));
}

/* clawpatrol #147: a floor of 200 ms under a path of 180 ms. */
TEST(rto, leaves_200_ms_over_the_round_trip)
{
	struct bench *b = bench_new();

	for (uint32_t i = 0; i < 100; i++)
		recovery_rtt(&b->tcp, &b->tcb, 180000);
	EXPECT(recovery_rto_us(&b->tcb) >= 379990);
	EXPECT(recovery_rto_us(&b->tcb) <= 380000);
	EXPECT(bench_free(b));
}

TEST(rto, is_never_longer_than_a_minute)
{
	struct bench *b = bench_new();

	recovery_rtt(&b->tcp, &b->tcb, UINT32_MAX);
	EXPECT_EQ(60000000, recovery_rto_us(&b->tcb));
	recovery_rtt(&b->tcp, &b->tcb, UINT32_MAX);
	EXPECT_EQ(60000000, recovery_rto_us(&b->tcb));
	EXPECT(bench_free(b));
}

TEST(rto, follows_rfc_6298_to_some_microseconds)
{
	struct bench *b = bench_new();
	double srtt = 0, rttvar = 0;
	uint32_t seed = 1;

	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t rtt;

		seed = seed * 1664525 + 1013904223;
		rtt = seed >> (8 + seed % 12);
		recovery_rtt(&b->tcp, &b->tcb, rtt);
		if (i == 0) {
			srtt = rtt;
			rttvar = rtt / 2.0;
		} else {
			rttvar += (fabs(srtt - rtt) - rttvar) / 4;
			srtt += (rtt - srtt) / 8;
		}
		EXPECT(fabs(srtt - b->tcb.srtt_us) < 10);
		EXPECT(fabs(rttvar - b->tcb.rttvar_us) < 20);
	}
	EXPECT(bench_free(b));
}

/* gvisor #13394: the time is that of the turn in which the ACK came. */
TEST(rtt, is_measured_by_the_clock_of_the_turn)
{
	struct bench *b = bench_new();

	bench_send(b, 1);
	bench_pass(b, 34567);
	bench_ack(b, 1);
	EXPECT_EQ(34567, b->tcb.srtt_us);
	EXPECT_EQ(34567, rack_min_rtt(&b->tcb));
	EXPECT(bench_free(b));
}

TEST(rtt, of_nothing_is_a_sample)
{
	struct bench *b = bench_new();

	bench_send(b, 1);
	bench_ack(b, 1);
	EXPECT_EQ(1, b->tcb.srtt_us);
	EXPECT_EQ(0, rack_min_rtt(&b->tcb));
	EXPECT_EQ(200001, recovery_rto_us(&b->tcb));
	EXPECT(bench_free(b));
}

TEST(rtt, is_that_of_the_segment_that_waited_longest_for_the_ack)
{
	struct bench *b = bench_new();

	bench_send(b, 1);
	bench_pass(b, 5000);
	bench_send(b, 1);
	bench_pass(b, 20000);
	bench_ack(b, 2);
	EXPECT_EQ(25000, b->tcb.srtt_us);
	EXPECT_EQ(20000, rack_min_rtt(&b->tcb));
	EXPECT(bench_free(b));
}

TEST(rtt, is_not_taken_from_what_was_sent_twice)
{
	struct bench *b = bench_ready();

	bench_send(b, 1);
	bench_wait(b, 300000); /* the probe, */
	EXPECT_EQ(2, bench_times(b, 0));
	bench_ack(b, 1);
	EXPECT_EQ(BENCH_RTT_US, b->tcb.srtt_us);
	EXPECT(bench_free(b));
}

/* Karn: the second of them may have arrived long before the ACK. */
TEST(rtt, is_not_taken_from_what_was_acknowledged_with_it)
{
	struct bench *b = bench_ready();

	b->tcb.flags &= (uint16_t)~TCB_SACK;
	bench_send(b, 2);
	bench_wait(b, 250000);
	EXPECT_EQ(1, b->counters.tcp_timeouts);
	b->tcb.cwnd = MSS; /* the second is not sent again */
	EXPECT_EQ(1, bench_times(b, 1));
	bench_pass(b, 20000);
	bench_ack(b, 2);
	EXPECT_EQ(BENCH_RTT_US, b->tcb.srtt_us);
	EXPECT(bench_free(b));
}

TEST(rtt, comes_from_timestamps_where_segments_were_sent_twice)
{
	struct bench *b = bench_ready();

	b->tcb.flags |= TCB_TIMESTAMPS;
	bench_send(b, 1);
	bench_wait(b, 300000);
	bench_ack_echo(b, 1, 180);
	EXPECT_EQ((7 * BENCH_RTT_US + 180000) / 8, b->tcb.srtt_us);
	EXPECT(bench_free(b));
}

TEST(rtt, by_timestamps_is_at_most_what_has_passed_since_the_sending)
{
	struct bench *b = bench_ready();

	b->tcb.flags |= TCB_TIMESTAMPS;
	bench_send(b, 1);
	bench_wait(b, 300000);
	bench_ack_echo(b, 1, 5000);
	EXPECT_EQ(BENCH_RTT_US, b->tcb.srtt_us);
	EXPECT(bench_free(b));
}

TEST(rtt, of_what_was_sacked_long_before_is_none)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, 20000);
	bench_sack(b, 0, 1, 4);
	(void)bench_output(b);
	bench_pass(b, 90000);
	bench_ack(b, 4);
	EXPECT_EQ(BENCH_RTT_US, b->tcb.srtt_us);
	EXPECT(bench_free(b));
}

TEST(rtt, minimum_is_forgotten_after_a_minute)
{
	struct bench *b = bench_new();

	recovery_rtt(&b->tcp, &b->tcb, 5000);
	bench_pass(b, 29000000);
	recovery_rtt(&b->tcp, &b->tcb, 50000);
	EXPECT_EQ(5000, rack_min_rtt(&b->tcb));
	bench_pass(b, 2000000);
	recovery_rtt(&b->tcp, &b->tcb, 50000);
	EXPECT_EQ(5000, rack_min_rtt(&b->tcb)); /* of the last 30 s */
	bench_pass(b, 30000000);
	recovery_rtt(&b->tcp, &b->tcb, 60000);
	EXPECT_EQ(50000, rack_min_rtt(&b->tcb));
	bench_pass(b, 70000000);
	recovery_rtt(&b->tcp, &b->tcb, 80000);
	EXPECT_EQ(80000, rack_min_rtt(&b->tcb));
	EXPECT(bench_free(b));
}

/* ---- what is lost
 * -------------------------------------------------------------------------------- */

TEST(rack, waits_a_quarter_of_the_round_trip_for_what_may_be_reordered)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 2);
	EXPECT_EQ(0, b->counters.tcp_recoveries);
	EXPECT_EQ(LOSS_REORDER, b->tcb.loss_kind);
	EXPECT_EQ(5, bench_deadline(b));
	bench_wait(b, 6000);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT_EQ(2, bench_times(b, 0));
	EXPECT_EQ(1, bench_times(b, 2)); /* sent after what was delivered */
	EXPECT(bench_free(b));
}

TEST(rack, forgets_its_timer_when_the_hole_is_filled)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 2);
	bench_pass(b, 1000);
	bench_ack(b, 2);
	EXPECT(b->tcb.loss_kind != LOSS_REORDER);
	bench_ack(b, 4);
	EXPECT_EQ(UINT32_MAX, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(rack, takes_a_segment_for_lost_at_once_when_three_behind_it_have_arrived)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 3);
	EXPECT_EQ(0, b->counters.tcp_recoveries);
	bench_sack(b, 0, 1, 4);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT_EQ(1, bench_output(b));
	EXPECT_EQ(2, bench_times(b, 0));
	EXPECT(bench_free(b));
}

/* tailscale #20893: three duplicates are no loss on a path that reorders. */
TEST(rack, waits_even_then_on_a_path_that_reorders)
{
	struct bench *b = bench_ready();

	bench_send(b, 3);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 2);
	bench_ack(b, 3); /* the first was late */
	EXPECT((b->tcb.rec.flags & RECOVERY_REORDERED) != 0);
	bench_send(b, 5);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 3, 4, 8);
	EXPECT_EQ(0, b->counters.tcp_recoveries);
	bench_wait(b, 6000);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT(bench_free(b));
}

TEST(rack, takes_no_retransmission_for_reordering)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 4);
	EXPECT_EQ(1, bench_output(b));
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 4);
	EXPECT((b->tcb.rec.flags & RECOVERY_REORDERED) == 0);
	EXPECT(bench_free(b));
}

TEST(rack, sends_a_retransmission_again_that_was_lost)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 4);
	EXPECT_EQ(1, bench_output(b));
	bench_pass(b, 1000);
	bench_send(b, 1);
	bench_pass(b, BENCH_RTT_US + 1000);
	bench_sack(b, 0, 1, 5); /* what was sent after it is there */
	EXPECT_EQ(1, bench_output(b));
	EXPECT_EQ(3, bench_times(b, 0));
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT(bench_free(b));
}

TEST(rack, does_not_learn_from_an_ack_that_came_too_soon_for_a_retransmission)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 4);
	EXPECT_EQ(1, bench_output(b));
	bench_pass(b, 1000);
	bench_ack(b, 4); /* it was the first copy */
	EXPECT_EQ(BENCH_RTT_US, b->tcb.rec.rack_rtt_us);
	EXPECT(bench_free(b));
}

TEST(rack, does_not_learn_from_an_ack_that_echoes_an_earlier_copy)
{
	struct bench *b = bench_ready();
	uint32_t sent_us = b->tcb.rec.rack_sent_us;

	b->tcb.flags |= TCB_TIMESTAMPS;
	bench_send(b, 1);
	bench_wait(b, 300000);
	EXPECT_EQ(2, bench_times(b, 0));
	sent_us = b->tcb.rec.rack_sent_us;
	bench_ack_echo(b, 1, 300);
	EXPECT_EQ(sent_us, b->tcb.rec.rack_sent_us);
	EXPECT(bench_free(b));
}

TEST(rack, widens_its_window_by_dsacks_once_a_round_trip)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 20 * MSS;
	bench_send(b, 20);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 3, 12);
	(void)bench_output(b);
	bench_sack(b, 0, 3, 18);
	(void)bench_output(b);
	EXPECT_EQ(3, b->tcb.rec.undo_count);
	bench_ack(b, 19);
	bench_dsack(b, 19, 0, 1);
	EXPECT((b->tcb.rec.flags & RECOVERY_REORDERED) != 0);
	bench_dsack(b, 19, 1, 2);
	EXPECT_EQ(2, b->tcb.rec.reo_mult);
	EXPECT_EQ(16, b->tcb.rec.reo_persist);
	bench_dsack(b, 20, 2, 3);
	EXPECT_EQ(3, b->tcb.rec.reo_mult);
	EXPECT(bench_free(b));
}

TEST(rack, does_not_hear_dsacks_of_what_the_network_has_doubled)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_ack(b, 4);
	bench_dsack(b, 4, 0, 1);
	EXPECT_EQ(1, b->tcb.rec.reo_mult);
	EXPECT((b->tcb.rec.flags & RECOVERY_REORDERED) == 0);
	EXPECT(bench_free(b));
}

TEST(rack, never_waits_longer_than_a_round_trip_for_reordering)
{
	struct bench *b = bench_ready();

	b->tcb.rec.reo_mult = 255;
	b->tcb.rec.flags |= RECOVERY_REORDERED;
	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 2);
	EXPECT_EQ(LOSS_REORDER, b->tcb.loss_kind);
	EXPECT_EQ(20, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(rack, narrows_its_window_after_16_recoveries_without_a_dsack)
{
	struct bench *b = bench_ready();

	bench_send(b, 2);
	bench_ack(b, 2);
	rack_late(&b->tcb);
	b->tcb.rec.flags &= (uint8_t)~RECOVERY_REORDERED;
	EXPECT_EQ(2, b->tcb.rec.reo_mult);
	for (uint32_t i = 0, at = 2; i < 16; i++, at += 4) {
		EXPECT_EQ(2, b->tcb.rec.reo_mult);
		bench_send(b, 4);
		bench_pass(b, BENCH_RTT_US);
		bench_sack(b, at, at + 1, at + 4);
		EXPECT_EQ(1, bench_output(b));
		bench_pass(b, BENCH_RTT_US);
		bench_ack(b, at + 4);
		EXPECT_EQ(i + 1, b->counters.tcp_recoveries);
	}
	EXPECT_EQ(1, b->tcb.rec.reo_mult);
	EXPECT(bench_free(b));
}

/* gvisor #6113: flows that stop. */
TEST(rack, works_over_a_path_of_no_length)
{
	struct bench *b = bench_new();

	for (uint32_t at = 0; at < 400; at += 4) {
		bench_send(b, 4);
		bench_sack(b, at, at + 1, at + 4);
		EXPECT_EQ(1, bench_output(b));
		bench_ack(b, at + 4);
		EXPECT(b->tcb.cwnd >= 2 * MSS);
		EXPECT_EQ(PHASE_OPEN, b->tcb.rec.phase);
	}
	EXPECT(bench_free(b));
}

TEST(rack, sees_losses_after_a_silence_in_which_its_stamps_have_wrapped)
{
	struct bench *b = bench_ready();

	bench_send(b, 1);
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 1);
	for (uint32_t i = 0; i < 2; i++)
		bench_pass(b, 1300000000); /* 43 minutes: more than half of 32 bits */
	bench_send(b, 4);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 1, 2, 5);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT_EQ(1, bench_output(b));
	EXPECT_EQ(2, bench_times(b, 1));
	bench_send(b, 1);
	bench_pass(b, 30000);
	bench_ack(b, 5); /* of what was sent a moment before the last one */
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT(b->tcb.loss_kind != LOSS_REORDER);
	EXPECT(bench_free(b));
}

TEST(rack, takes_nothing_for_lost_when_an_old_record_is_acknowledged)
{
	struct bench *b = bench_ready();

	bench_send(b, 2);
	bench_pass(b, 1000);
	bench_send(b, 2);
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 2);
	EXPECT_EQ(2 * MSS, b->tcb.pipe);
	EXPECT_EQ(0, b->counters.tcp_recoveries);
	EXPECT(bench_free(b));
}

TEST_MAIN("tcp_rack", RUN(rto, begins_with_one_second),
	  RUN(rto, begins_with_three_seconds_when_the_syn_was_lost),
	  RUN(rto, leaves_200_ms_over_the_round_trip), RUN(rto, is_never_longer_than_a_minute),
	  RUN(rto, follows_rfc_6298_to_some_microseconds),
	  RUN(rtt, is_measured_by_the_clock_of_the_turn), RUN(rtt, of_nothing_is_a_sample),
	  RUN(rtt, is_that_of_the_segment_that_waited_longest_for_the_ack),
	  RUN(rtt, is_not_taken_from_what_was_sent_twice),
	  RUN(rtt, is_not_taken_from_what_was_acknowledged_with_it),
	  RUN(rtt, comes_from_timestamps_where_segments_were_sent_twice),
	  RUN(rtt, by_timestamps_is_at_most_what_has_passed_since_the_sending),
	  RUN(rtt, of_what_was_sacked_long_before_is_none),
	  RUN(rtt, minimum_is_forgotten_after_a_minute),
	  RUN(rack, waits_a_quarter_of_the_round_trip_for_what_may_be_reordered),
	  RUN(rack, forgets_its_timer_when_the_hole_is_filled),
	  RUN(rack, takes_a_segment_for_lost_at_once_when_three_behind_it_have_arrived),
	  RUN(rack, waits_even_then_on_a_path_that_reorders),
	  RUN(rack, takes_no_retransmission_for_reordering),
	  RUN(rack, sends_a_retransmission_again_that_was_lost),
	  RUN(rack, does_not_learn_from_an_ack_that_came_too_soon_for_a_retransmission),
	  RUN(rack, does_not_learn_from_an_ack_that_echoes_an_earlier_copy),
	  RUN(rack, widens_its_window_by_dsacks_once_a_round_trip),
	  RUN(rack, does_not_hear_dsacks_of_what_the_network_has_doubled),
	  RUN(rack, never_waits_longer_than_a_round_trip_for_reordering),
	  RUN(rack, narrows_its_window_after_16_recoveries_without_a_dsack),
	  RUN(rack, works_over_a_path_of_no_length),
	  RUN(rack, sees_losses_after_a_silence_in_which_its_stamps_have_wrapped),
	  RUN(rack, takes_nothing_for_lost_when_an_old_record_is_acknowledged))
