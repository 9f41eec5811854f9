/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery_bench.h"
#include "test.h"

TEST(congestion, begins_with_ten_segments_or_14600_bytes)
{
	struct tcb tcb = {.mss = 1220};

	EXPECT_EQ(12200, congestion_initial(&tcb));
	tcb.mss = 1460;
	EXPECT_EQ(14600, congestion_initial(&tcb));
	tcb.mss = 9000;
	EXPECT_EQ(18000, congestion_initial(&tcb));
	tcb.mss = TCP_MSS_FLOOR;
	EXPECT_EQ(2160, congestion_initial(&tcb));
}

TEST(congestion, begins_with_three_segments_when_the_syn_was_lost)
{
	struct tcb tcb = {.mss = 1360, .backoff = 2};

	congestion_init(&tcb, true);
	EXPECT_EQ(4080, tcb.cwnd);
	EXPECT_EQ(CWND_MAX, tcb.ssthresh);
	EXPECT_EQ(0, tcb.backoff);
	congestion_init(&tcb, false);
	EXPECT_EQ(13600, tcb.cwnd);
}

TEST(congestion, grows_by_what_is_acknowledged_in_slow_start_but_two_segments_at_most)
{
	struct tcb tcb = {.mss = 1000, .cwnd = 10000, .ssthresh = 64000, .flags = TCB_CWND_LIMITED};

	congestion_acked(&tcb, 300);
	EXPECT_EQ(10300, tcb.cwnd);
	congestion_acked(&tcb, 9000);
	EXPECT_EQ(12300, tcb.cwnd);
}

/* Savage: an ACK for each byte is worth a byte. */
TEST(congestion, is_not_fooled_by_divided_acks)
{
	struct tcb tcb = {.mss = 1000, .cwnd = 10000, .ssthresh = 64000, .flags = TCB_CWND_LIMITED};

	for (uint32_t i = 0; i < 1000; i++)
		congestion_acked(&tcb, 1);
	EXPECT_EQ(11000, tcb.cwnd);
	tcb.ssthresh = 5000;
	for (uint32_t i = 0; i < 1000; i++)
		congestion_acked(&tcb, 1);
	EXPECT_EQ(11000, tcb.cwnd);
}

TEST(congestion, grows_by_a_segment_for_each_window_behind_ssthresh)
{
	struct tcb tcb = {.mss = 1000, .cwnd = 10000, .ssthresh = 5000, .flags = TCB_CWND_LIMITED};

	for (uint32_t i = 0; i < 9; i++)
		congestion_acked(&tcb, 1000);
	EXPECT_EQ(10000, tcb.cwnd);
	congestion_acked(&tcb, 1000);
	EXPECT_EQ(11000, tcb.cwnd);
	EXPECT_EQ(0, tcb.ca_acked);
}

TEST(congestion, does_not_grow_from_a_window_that_is_not_used)
{
	struct tcb tcb = {.mss = 1000, .cwnd = 10000, .ssthresh = 64000};

	for (uint32_t i = 0; i < 100; i++)
		congestion_acked(&tcb, 1000);
	EXPECT_EQ(10000, tcb.cwnd);
}

TEST(congestion, stops_growing_a_round_trip_after_the_window_was_last_full)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 4 * MSS;
	bench_write(b, 5, MSS);
	EXPECT_EQ(4, bench_output(b));
	EXPECT((b->tcb.flags & TCB_CWND_LIMITED) != 0);
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 4);
	EXPECT_EQ(6 * MSS, b->tcb.cwnd);
	EXPECT_EQ(1, bench_output(b));
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 5);
	EXPECT_EQ(6 * MSS, b->tcb.cwnd);
	EXPECT_EQ(0, b->tcb.flags & TCB_CWND_LIMITED);
	EXPECT(bench_free(b));
}

TEST(congestion, never_passes_256_kb)
{
	struct tcb tcb = {.mss = 1000,
			  .cwnd = 10000,
			  .ssthresh = CWND_MAX,
			  .flags = TCB_CWND_LIMITED};

	for (uint32_t i = 0; i < 1000; i++)
		congestion_acked(&tcb, 2000);
	EXPECT_EQ(CWND_MAX, tcb.cwnd);
}

TEST(congestion, begins_anew_after_a_silence)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 100 * MSS;
	bench_send(b, 1);
	bench_pass(b, 100000);
	bench_ack(b, 1);
	congestion_idle(&b->tcp, &b->tcb);
	EXPECT_EQ(100 * MSS, b->tcb.cwnd); /* too short */
	bench_pass(b, 1000000);
	congestion_idle(&b->tcp, &b->tcb);
	EXPECT_EQ(10 * MSS, b->tcb.cwnd);
	b->tcb.cwnd = 3 * MSS; /* never up */
	congestion_idle(&b->tcp, &b->tcb);
	EXPECT_EQ(3 * MSS, b->tcb.cwnd);
	EXPECT(bench_free(b));
}

TEST(congestion, takes_waiting_for_acks_for_no_silence)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 100 * MSS;
	bench_send(b, 1);
	bench_pass(b, 1000000);
	congestion_idle(&b->tcp, &b->tcb);
	EXPECT_EQ(100 * MSS, b->tcb.cwnd);
	EXPECT(bench_free(b));
}

TEST_MAIN("tcp_congestion", RUN(congestion, begins_with_ten_segments_or_14600_bytes),
	  RUN(congestion, begins_with_three_segments_when_the_syn_was_lost),
	  RUN(congestion, grows_by_what_is_acknowledged_in_slow_start_but_two_segments_at_most),
	  RUN(congestion, is_not_fooled_by_divided_acks),
	  RUN(congestion, grows_by_a_segment_for_each_window_behind_ssthresh),
	  RUN(congestion, does_not_grow_from_a_window_that_is_not_used),
	  RUN(congestion, stops_growing_a_round_trip_after_the_window_was_last_full),
	  RUN(congestion, never_passes_256_kb), RUN(congestion, begins_anew_after_a_silence),
	  RUN(congestion, takes_waiting_for_acks_for_no_silence))
