/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery_bench.h"
#include "test.h"

/* n segments in flight, filling cwnd; the first is lost, and three behind it have arrived. */
static struct bench *bench_losing(uint32_t n)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = n * MSS;
	bench_send(b, n);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 4);
	return b;
}

/* ---- the cut
 * ------------------------------------------------------------------------------------- */

TEST(episode, halves_what_was_in_flight_before_the_loss)
{
	struct bench *b = bench_losing(20);

	EXPECT_EQ(10 * MSS, b->tcb.ssthresh);
	EXPECT_EQ(PHASE_RECOVERY, b->tcb.rec.phase);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT_EQ(1, b->traced[TCP_EVENT_RECOVERY]);
	EXPECT(bench_free(b));
}

/* gvisor #14102: not what is left of it when the loss is seen. */
TEST(episode, counts_what_the_same_ack_acknowledges)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 20 * MSS;
	bench_send(b, 20);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 10, 11, 20);
	EXPECT_EQ(10 * MSS, b->tcb.ssthresh);
	EXPECT(bench_free(b));
}

TEST(episode, does_not_count_what_went_out_beyond_cwnd)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 8 * MSS;
	bench_send(b, 8);
	bench_write(b, 8, MSS);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 1, 3);
	EXPECT_EQ(2, bench_output(b)); /* in the place of the two that have arrived */
	bench_sack(b, 0, 1, 4);
	EXPECT_EQ(4 * MSS, b->tcb.ssthresh);
	EXPECT(bench_free(b));
}

TEST(episode, leaves_ssthresh_at_two_segments_at_least)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 2 * MSS;
	bench_send(b, 2);
	bench_wait(b, 300000);
	bench_wait(b, 300000);
	EXPECT(b->counters.tcp_timeouts > 0);
	EXPECT_EQ(2 * MSS, b->tcb.ssthresh);
	EXPECT(bench_free(b));
}

/* VPP: ssthresh cut twice. */
TEST(episode, cuts_once_whatever_else_is_lost_in_it)
{
	struct bench *b = bench_losing(20);

	(void)bench_output(b);
	bench_sack(b, 0, 6, 12);
	(void)bench_output(b);
	EXPECT(bench_times(b, 4) + bench_times(b, 5) > 2);
	bench_wait(b, 400000); /* and a timeout in it */
	EXPECT(b->counters.tcp_timeouts > 0);
	EXPECT_EQ(10 * MSS, b->tcb.ssthresh);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT(bench_free(b));
}

/* VPP 472cdc9: residual SACKs do not hold it. */
TEST(episode, ends_when_what_had_been_sent_by_its_beginning_is_acknowledged)
{
	struct bench *b = bench_losing(8);

	EXPECT_EQ(8 * MSS, b->tcb.rec.recover - b->first);
	(void)bench_output(b);
	bench_pass(b, BENCH_RTT_US);
	bench_send(b, 4);
	bench_ack(b, 7);
	EXPECT_EQ(PHASE_RECOVERY, b->tcb.rec.phase);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 8, 9, 10);
	EXPECT_EQ(PHASE_OPEN, b->tcb.rec.phase);
	EXPECT_EQ(4 * MSS, b->tcb.cwnd);
	EXPECT_EQ(1, b->traced[TCP_EVENT_RECOVERED]);
	EXPECT(bench_free(b));
}

TEST(episode, is_followed_by_the_next_in_the_ack_that_ends_it)
{
	struct bench *b = bench_losing(8);

	(void)bench_output(b);
	bench_pass(b, BENCH_RTT_US);
	bench_send(b, 5);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 8, 9, 13);
	EXPECT_EQ(PHASE_RECOVERY, b->tcb.rec.phase);
	EXPECT_EQ(2, b->counters.tcp_recoveries);
	EXPECT_EQ(13 * MSS, b->tcb.rec.recover - b->first);
	EXPECT(bench_free(b));
}

TEST(episode, is_followed_by_the_next_for_what_was_lost_in_it_and_is_not_sent_again_yet)
{
	struct bench *b = bench_losing(8);

	(void)bench_output(b);
	bench_pass(b, 1000);
	bench_send(b, 5); /* 8 to 12 */
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 9, 13);
	b->link_full = true;
	(void)bench_output(b);
	EXPECT((bench_record(b, 8 * MSS)->flags & SEND_LOST) != 0);
	bench_ack(b, 8);
	EXPECT_EQ(2, b->counters.tcp_recoveries);
	EXPECT_EQ(PHASE_RECOVERY, b->tcb.rec.phase);
	EXPECT(bench_free(b));
}

/* ---- PRR
 * ----------------------------------------------------------------------------------------- */

TEST(prr, always_lets_the_fast_retransmission_out)
{
	struct bench *b = bench_losing(20);

	EXPECT_EQ(1, bench_output(b));
	EXPECT_EQ(2, bench_times(b, 0));
	EXPECT(bench_free(b));
}

TEST(prr, sends_in_proportion_until_what_is_in_flight_is_ssthresh)
{
	struct bench *b = bench_losing(20);
	uint32_t sent;

	bench_write(b, 40, MSS);
	sent = bench_output(b);
	for (uint32_t i = 5; i <= 20; i++) { /* each ACK tells of one more */
		bench_sack(b, 0, 1, i);
		sent += bench_output(b);
		EXPECT(b->tcb.rec.prr_out <= b->tcb.rec.prr_delivered / 2 + 2 * MSS);
	}
	EXPECT(sent >= 9);
	EXPECT(sent <= 11);
	EXPECT(b->tcb.pipe >= 9 * MSS);
	EXPECT(b->tcb.pipe <= 11 * MSS);
	EXPECT(bench_free(b));
}

TEST(prr, grows_by_one_segment_more_than_arrives_when_too_much_was_lost)
{
	struct bench *b = bench_ready();
	uint32_t before;

	b->tcb.cwnd = 20 * MSS;
	bench_send(b, 20);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 17, 20); /* 17 are lost: pipe is below ssthresh */
	EXPECT_EQ(0, b->tcb.pipe);
	before = bench_output(b);
	EXPECT_EQ(4, before); /* three delivered, and one */
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 1, 17, 20);
	EXPECT_EQ(2, bench_output(b));
	EXPECT(bench_free(b));
}

TEST(prr, gives_nothing_for_acks_that_deliver_nothing)
{
	struct bench *b = bench_losing(20);

	bench_write(b, 40, MSS);
	(void)bench_output(b);
	for (uint32_t i = 0; i < 50; i++) {
		bench_sack(b, 0, 1, 4);
		EXPECT_EQ(0, bench_output(b));
	}
	EXPECT(bench_free(b));
}

/* ---- undo
 * ---------------------------------------------------------------------------------------- */

/* gvisor #14102: it was seen, and nothing came of it. */
TEST(undo, restores_the_window_when_a_dsack_names_all_that_was_sent_again)
{
	struct bench *b = bench_losing(20);

	EXPECT_EQ(1, bench_output(b));
	bench_pass(b, 2000);
	bench_ack(b, 20); /* late, not lost */
	EXPECT_EQ(10 * MSS, b->tcb.cwnd);
	bench_pass(b, BENCH_RTT_US);
	bench_dsack(b, 20, 0, 1);
	EXPECT_EQ(20 * MSS, b->tcb.cwnd);
	EXPECT_EQ(CWND_MAX, b->tcb.ssthresh);
	EXPECT_EQ(1, b->counters.tcp_undone);
	EXPECT_EQ(1, b->counters.tcp_spurious);
	EXPECT_EQ(1, b->traced[TCP_EVENT_UNDO]);
	bench_dsack(b, 20, 0, 1);
	EXPECT_EQ(1, b->counters.tcp_undone);
	EXPECT(bench_free(b));
}

TEST(undo, waits_until_every_retransmission_is_named)
{
	struct bench *b = bench_ready();

	b->tcb.cwnd = 20 * MSS;
	bench_send(b, 20);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 2, 6);
	EXPECT_EQ(2, bench_output(b));
	bench_ack(b, 20);
	bench_dsack(b, 20, 0, 1);
	EXPECT_EQ(0, b->counters.tcp_undone);
	bench_dsack(b, 20, 1, 2);
	EXPECT_EQ(1, b->counters.tcp_undone);
	EXPECT(bench_free(b));
}

TEST(undo, does_not_hear_dsacks_of_what_lies_before_the_episode)
{
	struct bench *b = bench_ready();

	bench_send(b, 4);
	bench_ack(b, 4);
	b->tcb.cwnd = 20 * MSS;
	bench_send(b, 20);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 4, 5, 8);
	EXPECT_EQ(1, bench_output(b));
	bench_ack(b, 24);
	bench_dsack(b, 24, 0, 1);
	EXPECT_EQ(0, b->counters.tcp_undone);
	bench_dsack(b, 24, 4, 5);
	EXPECT_EQ(1, b->counters.tcp_undone);
	EXPECT(bench_free(b));
}

TEST(undo, understands_a_dsack_above_what_is_acknowledged)
{
	struct bench *b = bench_losing(8);

	EXPECT_EQ(1, bench_output(b));
	b->tcb.rec.undo_count = 1;
	bench_told(b, &(struct told){.sacks = 2, .sack = {{2 * MSS, 3 * MSS}, {MSS, 4 * MSS}}});
	EXPECT_EQ(1, b->counters.tcp_spurious);
	EXPECT_EQ(1, b->counters.tcp_undone);
	EXPECT(bench_free(b));
}

TEST(undo, follows_from_a_timestamp_of_before_the_retransmission)
{
	struct bench *b = bench_losing(20);

	b->tcb.flags |= TCB_TIMESTAMPS;
	EXPECT_EQ(1, bench_output(b));
	bench_pass(b, 2000);
	bench_ack_echo(b, 10, 22);
	EXPECT_EQ(1, b->counters.tcp_undone);
	EXPECT_EQ(PHASE_OPEN, b->tcb.rec.phase);
	EXPECT_EQ(20 * MSS, b->tcb.cwnd);
	EXPECT_EQ(10 * MSS, b->tcb.pipe);
	EXPECT(bench_free(b));
}

TEST(undo, does_not_follow_from_the_timestamp_of_the_retransmission)
{
	struct bench *b = bench_losing(20);

	b->tcb.flags |= TCB_TIMESTAMPS;
	EXPECT_EQ(1, bench_output(b));
	bench_pass(b, BENCH_RTT_US);
	bench_ack_echo(b, 10, 20);
	EXPECT_EQ(0, b->counters.tcp_undone);
	EXPECT_EQ(PHASE_RECOVERY, b->tcb.rec.phase);
	EXPECT(bench_free(b));
}

TEST(undo, does_not_follow_from_a_probe_that_left_before_the_episode)
{
	struct bench *b = bench_ready();

	b->tcb.flags |= TCB_TIMESTAMPS;
	bench_send(b, 1);
	bench_wait(b, 245000);
	EXPECT_EQ(1, b->counters.tcp_probes);
	bench_send(b, 5);
	bench_pass(b, BENCH_RTT_US);
	bench_sack(b, 0, 2, 6); /* 0 and 1 are lost: 0 for the second time */
	b->tcb.cwnd = b->tcb.pipe + MSS;
	scoreboard_lose(&b->tcb, bench_record(b, MSS));
	bench_record(b, 0)->flags &= (uint8_t)~SEND_LOST; /* only 1 was sent again */
	recovery_recount(&b->tcb);
	b->tcb.cwnd = b->tcb.pipe + MSS;
	EXPECT_EQ(1, bench_output(b));
	EXPECT_EQ(2, bench_times(b, 1));
	bench_pass(b, 1000);
	bench_ack_echo(b, 1, 22); /* the probe has arrived */
	EXPECT_EQ(0, b->counters.tcp_undone);
	EXPECT(bench_free(b));
}

TEST(undo, restores_the_window_after_a_timeout_that_was_too_early)
{
	struct bench *b = bench_ready();

	b->tcb.flags |= TCB_TIMESTAMPS;
	b->tcb.cwnd = 10 * MSS;
	bench_send(b, 10);
	bench_wait(b, 300000);
	EXPECT_EQ(1, b->counters.tcp_timeouts);
	EXPECT_EQ(PHASE_LOSS, b->tcb.rec.phase);
	bench_ack_echo(b, 4, 300);
	EXPECT_EQ(1, b->counters.tcp_undone);
	EXPECT_EQ(10 * MSS, b->tcb.cwnd);
	EXPECT_EQ(6 * MSS, b->tcb.pipe); /* none of them is taken for lost any more */
	EXPECT(bench_free(b));
}

TEST(undo, is_over_when_much_has_been_acknowledged_since)
{
	struct bench *b = bench_losing(8);
	uint32_t at = 8;

	EXPECT_EQ(1, bench_output(b));
	bench_ack(b, 8);
	EXPECT((b->tcb.rec.flags & RECOVERY_UNDO) != 0);
	for (; at < 1100; at += 100) {
		bench_send(b, 100);
		bench_ack(b, at + 100);
	}
	EXPECT((b->tcb.rec.flags & RECOVERY_UNDO) == 0);
	EXPECT(bench_free(b));
}

/* ---- reneging
 * ------------------------------------------------------------------------------------ */

TEST(reneging, starts_again_from_what_is_acknowledged)
{
	struct bench *b = bench_losing(8);

	(void)bench_output(b);
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 1); /* and 1 to 3 are gone */
	EXPECT_EQ(1, b->counters.tcp_reneged);
	EXPECT_EQ(b->tcb.snd_una, b->tcb.rec.fack);
	EXPECT_EQ(PHASE_LOSS, b->tcb.rec.phase);
	EXPECT((bench_record(b, 2 * MSS)->flags & SEND_SACKED) == 0);
	EXPECT_EQ(4 * MSS, b->tcb.ssthresh); /* of the recovery: no second cut */
	EXPECT(bench_output(b) > 0);
	EXPECT_EQ(2, bench_times(b, 1));
	EXPECT(bench_free(b));
}

/* ---- without SACK
 * -------------------------------------------------------------------------------- */

static struct bench *bench_plain(uint32_t n)
{
	struct bench *b = bench_ready();

	b->tcb.flags &= (uint16_t)~TCB_SACK;
	b->tcb.cwnd = n * MSS;
	bench_send(b, n);
	bench_pass(b, BENCH_RTT_US);
	return b;
}

TEST(duplicates, are_a_loss_from_the_third_on)
{
	struct bench *b = bench_plain(10);

	bench_ack(b, 0);
	bench_ack(b, 0);
	EXPECT_EQ(0, b->counters.tcp_recoveries);
	bench_ack(b, 0);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT_EQ(5 * MSS, b->tcb.ssthresh);
	EXPECT_EQ(1, bench_output(b));
	EXPECT_EQ(2, bench_times(b, 0));
	EXPECT(bench_free(b));
}

TEST(duplicates, each_let_one_new_segment_out)
{
	struct bench *b = bench_plain(10);

	bench_write(b, 10, MSS);
	EXPECT_EQ(0, bench_output(b));
	bench_ack(b, 0);
	EXPECT_EQ(1, bench_output(b));
	bench_ack(b, 0);
	EXPECT_EQ(1, bench_output(b));
	EXPECT(bench_free(b));
}

TEST(duplicates, are_neither_window_updates_nor_data)
{
	struct bench *b = bench_plain(10);

	for (uint32_t i = 0; i < 10; i++) {
		bench_told(b, &(struct told){.window_changed = true});
		bench_told(b, &(struct told){.payload = 10});
	}
	EXPECT_EQ(0, b->counters.tcp_recoveries);
	EXPECT_EQ(0, b->tcb.rec.dupacks);
	EXPECT(bench_free(b));
}

TEST(duplicates, lead_from_hole_to_hole_until_all_is_acknowledged)
{
	struct bench *b = bench_plain(10);

	for (uint32_t i = 0; i < 3; i++)
		bench_ack(b, 0);
	(void)bench_output(b);
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 4); /* the fifth is missing too */
	EXPECT_EQ(PHASE_RECOVERY, b->tcb.rec.phase);
	EXPECT_EQ(1, bench_output(b));
	EXPECT_EQ(2, bench_times(b, 4));
	bench_pass(b, BENCH_RTT_US);
	bench_ack(b, 10);
	EXPECT_EQ(PHASE_OPEN, b->tcb.rec.phase);
	EXPECT_EQ(5 * MSS, b->tcb.cwnd);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT(bench_free(b));
}

/* RFC 6582 3.2: they may be of what was sent again in vain. */
TEST(duplicates, of_the_recovery_point_begin_no_second_recovery)
{
	struct bench *b = bench_plain(10);

	for (uint32_t i = 0; i < 3; i++)
		bench_ack(b, 0);
	(void)bench_output(b);
	bench_ack(b, 10);
	bench_send(b, 6);
	for (uint32_t i = 0; i < 5; i++)
		bench_ack(b, 10);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT_EQ(3, b->tcb.rec.dupacks); /* and let out no more than that */
	bench_ack(b, 11);
	for (uint32_t i = 0; i < 3; i++)
		bench_ack(b, 11);
	EXPECT_EQ(2, b->counters.tcp_recoveries);
	EXPECT(bench_free(b));
}

TEST(duplicates, that_are_made_up_let_out_no_more_than_is_in_flight)
{
	struct bench *b = bench_plain(10);
	uint32_t sent = 0;

	bench_write(b, 600, MSS);
	for (uint32_t i = 0; i < 500; i++) {
		bench_ack(b, 0);
		sent += bench_output(b);
		EXPECT(b->tcb.snd_nxt - b->tcb.snd_una <= 40 * MSS);
	}
	EXPECT(sent < 40);
	EXPECT(bench_free(b));
}

TEST(duplicates, of_small_segments_count_too)
{
	struct bench *b = bench_ready();

	b->tcb.flags &= (uint16_t)~TCB_SACK;
	bench_write(b, 5, 100);
	EXPECT_EQ(5, bench_output(b));
	bench_pass(b, BENCH_RTT_US);
	for (uint32_t i = 0; i < 3; i++)
		bench_ack(b, 0);
	EXPECT_EQ(1, b->counters.tcp_recoveries);
	EXPECT(bench_output(b) >= 1);
	EXPECT_EQ(2, bench_times(b, 0));
	EXPECT(bench_free(b));
}

TEST(duplicates, are_nothing_after_a_timeout)
{
	struct bench *b = bench_plain(10);

	bench_wait(b, 300000);
	EXPECT_EQ(1, b->counters.tcp_timeouts);
	for (uint32_t i = 0; i < 8; i++)
		bench_ack(b, 0);
	EXPECT_EQ(0, b->counters.tcp_recoveries);
	EXPECT_EQ(0, b->tcb.rec.dupacks);
	EXPECT(bench_free(b));
}

TEST_MAIN("tcp_episode", RUN(episode, halves_what_was_in_flight_before_the_loss),
	  RUN(episode, counts_what_the_same_ack_acknowledges),
	  RUN(episode, does_not_count_what_went_out_beyond_cwnd),
	  RUN(episode, leaves_ssthresh_at_two_segments_at_least),
	  RUN(episode, cuts_once_whatever_else_is_lost_in_it),
	  RUN(episode, ends_when_what_had_been_sent_by_its_beginning_is_acknowledged),
	  RUN(episode, is_followed_by_the_next_in_the_ack_that_ends_it),
	  RUN(episode, is_followed_by_the_next_for_what_was_lost_in_it_and_is_not_sent_again_yet),
	  RUN(prr, always_lets_the_fast_retransmission_out),
	  RUN(prr, sends_in_proportion_until_what_is_in_flight_is_ssthresh),
	  RUN(prr, grows_by_one_segment_more_than_arrives_when_too_much_was_lost),
	  RUN(prr, gives_nothing_for_acks_that_deliver_nothing),
	  RUN(undo, restores_the_window_when_a_dsack_names_all_that_was_sent_again),
	  RUN(undo, waits_until_every_retransmission_is_named),
	  RUN(undo, does_not_hear_dsacks_of_what_lies_before_the_episode),
	  RUN(undo, understands_a_dsack_above_what_is_acknowledged),
	  RUN(undo, follows_from_a_timestamp_of_before_the_retransmission),
	  RUN(undo, does_not_follow_from_the_timestamp_of_the_retransmission),
	  RUN(undo, does_not_follow_from_a_probe_that_left_before_the_episode),
	  RUN(undo, restores_the_window_after_a_timeout_that_was_too_early),
	  RUN(undo, is_over_when_much_has_been_acknowledged_since),
	  RUN(reneging, starts_again_from_what_is_acknowledged),
	  RUN(duplicates, are_a_loss_from_the_third_on),
	  RUN(duplicates, each_let_one_new_segment_out),
	  RUN(duplicates, are_neither_window_updates_nor_data),
	  RUN(duplicates, lead_from_hole_to_hole_until_all_is_acknowledged),
	  RUN(duplicates, of_the_recovery_point_begin_no_second_recovery),
	  RUN(duplicates, that_are_made_up_let_out_no_more_than_is_in_flight),
	  RUN(duplicates, of_small_segments_count_too),
	  RUN(duplicates, are_nothing_after_a_timeout))
