/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery_bench.h"
#include "test.h"

static struct bench *bench_path(bool v6, uint16_t mss)
{
	struct bench *b = bench_ready();

	if (v6)
		b->tcb.ends.remote = ip_address_all_nodes; /* any of that family */
	b->tcb.mss = mss;
	return b;
}

static uint16_t mss_of(bool v6, uint16_t flags, uint16_t peer, uint16_t mtu)
{
	struct bench *b = bench_path(v6, MSS);
	uint16_t mss;

	b->tcb.flags = flags;
	mss = path_mss(&b->tcb, peer, mtu);
	EXPECT(bench_free(b));
	return mss;
}

TEST(path, takes_the_smallest_of_peer_clamp_and_mtu)
{
	EXPECT_EQ(1360, mss_of(false, 0, 1460, 1500));
	EXPECT_EQ(1220, mss_of(true, 0, 1440, 1500));
	EXPECT_EQ(1000, mss_of(false, 0, 1000, 1500));
	EXPECT_EQ(1160, mss_of(false, 0, 1460, 1200));
	EXPECT_EQ(1140, mss_of(true, 0, 1460, 1200));
}

TEST(path, takes_timestamps_off)
{
	EXPECT_EQ(1348, mss_of(false, TCB_TIMESTAMPS, 1460, 1500));
	EXPECT_EQ(1208, mss_of(true, TCB_TIMESTAMPS, 1460, 1500));
}

TEST(path, takes_a_peer_that_says_nothing_for_a_default_one)
{
	EXPECT_EQ(536, mss_of(false, 0, 0, 1500));
	EXPECT_EQ(1220, mss_of(true, 0, 0, 1500));
}

/* CVE-2019-11477 and its kin. */
TEST(path, never_goes_below_216)
{
	EXPECT_EQ(216, mss_of(false, 0, 48, 1500));
	EXPECT_EQ(216, mss_of(false, TCB_TIMESTAMPS, 1, 1500));
	EXPECT_EQ(216, mss_of(false, TCB_TIMESTAMPS, 220, 1500));
	EXPECT_EQ(244, mss_of(false, TCB_TIMESTAMPS, 256, 1500));
	EXPECT_EQ(216, mss_of(true, 0, 1460, 0));
}

TEST(path, that_is_too_narrow_lowers_the_segment_size)
{
	struct bench *b = bench_path(false, 1360);

	EXPECT(path_too_big(&b->tcp, &b->tcb, 1280));
	EXPECT_EQ(1240, b->tcb.mss);
	EXPECT_EQ(1, b->counters.tcp_path_mtu);
	EXPECT(bench_free(b));
}

TEST(path, is_believed_down_to_a_floor)
{
	struct bench *b = bench_path(false, 1360);

	EXPECT(path_too_big(&b->tcp, &b->tcb, 68));
	EXPECT_EQ(512, b->tcb.mss);
	EXPECT(!path_too_big(&b->tcp, &b->tcb, 1));
	EXPECT(bench_free(b));
	b = bench_path(true, 1220);
	EXPECT(!path_too_big(&b->tcp, &b->tcb, 68)); /* 1280 carries it */
	EXPECT_EQ(1220, b->tcb.mss);
	EXPECT_EQ(0, b->counters.tcp_path_mtu);
	EXPECT(bench_free(b));
}

TEST(path, is_not_believed_to_have_become_wider)
{
	struct bench *b = bench_path(false, 1000);

	EXPECT(!path_too_big(&b->tcp, &b->tcb, 1500));
	EXPECT(!path_too_big(&b->tcp, &b->tcb, 1040));
	EXPECT(!path_too_big(&b->tcp, &b->tcb, UINT32_MAX));
	EXPECT_EQ(1000, b->tcb.mss);
	EXPECT(bench_free(b));
}

TEST(path, goes_down_the_ladder_when_the_router_does_not_say)
{
	struct bench *b = bench_path(false, 1360);

	EXPECT(path_too_big(&b->tcp, &b->tcb, 0));
	EXPECT_EQ(1220, b->tcb.mss);
	EXPECT(path_too_big(&b->tcp, &b->tcb, 0));
	EXPECT_EQ(1024, b->tcb.mss);
	EXPECT(path_too_big(&b->tcp, &b->tcb, 0));
	EXPECT_EQ(536, b->tcb.mss);
	EXPECT(!path_too_big(&b->tcp, &b->tcb, 0));
	EXPECT(bench_free(b));
}

TEST(path, that_swallows_full_segments_goes_down_the_ladder)
{
	struct bench *b = bench_path(false, 1348);

	path_black_hole(&b->tcp, &b->tcb, b->tcb.mss);
	EXPECT_EQ(1220, b->tcb.mss);
	path_black_hole(&b->tcp, &b->tcb, b->tcb.mss);
	path_black_hole(&b->tcp, &b->tcb, b->tcb.mss);
	EXPECT_EQ(536, b->tcb.mss);
	path_black_hole(&b->tcp, &b->tcb, b->tcb.mss);
	EXPECT_EQ(536, b->tcb.mss);
	EXPECT_EQ(3, b->counters.tcp_black_holes);
	EXPECT(bench_free(b));
}

TEST(path, that_swallows_what_the_next_step_would_not_cut_is_left_alone)
{
	struct bench *b = bench_path(false, 1348);

	path_black_hole(&b->tcp, &b->tcb, 1220);
	EXPECT_EQ(1348, b->tcb.mss);
	path_black_hole(&b->tcp, &b->tcb, 1221);
	EXPECT_EQ(1220, b->tcb.mss);
	EXPECT(bench_free(b));
}

TEST(path, that_is_too_narrow_has_long_segments_sent_again_without_a_cut)
{
	struct bench *b = bench_path(false, MSS);
	uint32_t cwnd;

	bench_send(b, 3);
	bench_write(b, 1, 600);
	EXPECT_EQ(1, bench_output(b));
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 2);
	cwnd = b->tcb.cwnd;
	EXPECT(path_too_big(&b->tcp, &b->tcb, 840));
	EXPECT_EQ(800, b->tcb.mss);
	EXPECT_EQ(600, b->tcb.pipe); /* the short one, and not what was SACKed */
	EXPECT_EQ(cwnd, b->tcb.cwnd);
	EXPECT_EQ(CWND_MAX, b->tcb.ssthresh);
	EXPECT_EQ(PHASE_OPEN, b->tcb.rec.phase);
	EXPECT(b->wants > 0);
	EXPECT_EQ(4, bench_output(b)); /* two long ones, in two parts each */
	EXPECT_EQ(2, bench_times(b, 0));
	EXPECT_EQ(2, bench_times(b, 2));
	EXPECT_EQ(0, b->counters.tcp_recoveries);
	EXPECT(bench_free(b));
}

TEST_MAIN("tcp_path", RUN(path, takes_the_smallest_of_peer_clamp_and_mtu),
	  RUN(path, takes_timestamps_off),
	  RUN(path, takes_a_peer_that_says_nothing_for_a_default_one),
	  RUN(path, never_goes_below_216), RUN(path, that_is_too_narrow_lowers_the_segment_size),
	  RUN(path, is_believed_down_to_a_floor), RUN(path, is_not_believed_to_have_become_wider),
	  RUN(path, goes_down_the_ladder_when_the_router_does_not_say),
	  RUN(path, that_swallows_full_segments_goes_down_the_ladder),
	  RUN(path, that_swallows_what_the_next_step_would_not_cut_is_left_alone),
	  RUN(path, that_is_too_narrow_has_long_segments_sent_again_without_a_cut))
