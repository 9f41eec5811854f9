/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "door_scene.h"

#define SND_NXT 70000u
#define RCV_NXT 9000u

/* A connection of host's port that has ended, with timestamps or without. */
static struct tcb ended(const struct ip_address *host, uint16_t port, uint32_t flags)
{
	struct tcp_arrival any = door_segment(host, port, TCP_ACK);

	return (struct tcb){.ends = tcp_arrival_ends(&any),
			    .flags = (uint16_t)flags,
			    .snd_nxt = SND_NXT,
			    .rcv_nxt = RCV_NXT,
			    .ts_recent = 5000,
			    .rcv_shift = 3};
}

static void wait(struct door *door, uint32_t host, uint32_t flags)
{
	struct ip_address address = door_v4(host);
	struct tcb tcb = ended(&address, 4000, flags);

	time_wait_add(&door->tcp, &tcb);
}

static bool knows(const struct door *door, uint32_t host)
{
	struct ip_address address = door_v4(host);
	struct tcb tcb = ended(&address, 4000, 0);

	return time_wait_knows(&door->tcp, &tcb.ends);
}

static struct tcp_arrival segment(uint8_t flags, uint32_t seq)
{
	struct ip_address host = door_v4(7);
	struct tcp_arrival segment = door_segment(&host, 4000, flags);

	segment.tcp.seq = seq;
	segment.tcp.ack = SND_NXT;
	return segment;
}

/* Given to host 7's TIME-WAIT; the ISN floor. */
static uint32_t give(struct door *door, struct tcp_arrival segment)
{
	uint32_t floor = 99;

	EXPECT(time_wait_segment(&door->tcp, &segment, &floor));
	return floor;
}

TEST(time_wait, ends_after_sixty_seconds)
{
	struct door door;

	door_open(&door, NULL);
	EXPECT_EQ(UINT64_MAX, time_wait_next_us(&door.tcp));
	wait(&door, 7, 0);
	EXPECT(knows(&door, 7));
	EXPECT(!knows(&door, 8));
	EXPECT_EQ(1, counter_read(&door.counters.tcp_time_wait_live));
	EXPECT_EQ(door.clock.now_us + 60 * DOOR_SECOND, time_wait_next_us(&door.tcp));
	door_wait_ms(&door, 59999);
	time_wait_run(&door.tcp);
	EXPECT(knows(&door, 7));
	EXPECT_EQ(door.clock.now_us + 1000, time_wait_next_us(&door.tcp));
	door_wait_ms(&door, 1);
	EXPECT_EQ(0, time_wait_next_us(&door.tcp));
	time_wait_run(&door.tcp);
	EXPECT(!knows(&door, 7));
	EXPECT_EQ(0, counter_read(&door.counters.tcp_time_wait_live));
	EXPECT_EQ(UINT64_MAX, time_wait_next_us(&door.tcp));
	EXPECT_EQ(0, door.sends);
	door_close(&door);
}

TEST(time_wait, ends_in_the_order_in_which_it_began_also_where_the_clock_of_ms_goes_round)
{
	struct door door;

	door_open(&door, NULL);
	door.clock.now_us = (UINT32_MAX - 30000ull) * 1000;
	for (uint32_t i = 0; i < 50; i++) {
		wait(&door, i, 0);
		door_wait_ms(&door, 1000);
	}
	for (uint32_t i = 0; i < 50; i++) {
		door_live_ms(&door, i == 0 ? 10000 : 1000);
		EXPECT(!knows(&door, i));
		EXPECT_EQ(i < 49, knows(&door, i + 1));
	}
	door_close(&door);
}

TEST(time_wait, of_the_oldest_makes_room)
{
	struct door door;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 103; i++)
		wait(&door, i, 0);
	EXPECT_EQ(3, counter_read(&door.counters.tcp_time_wait_evicted));
	EXPECT_EQ(100, counter_read(&door.counters.tcp_time_wait_live));
	for (uint32_t i = 0; i < 103; i++)
		EXPECT_EQ(i >= 3, knows(&door, i));
	door_close(&door);
}

TEST(time_wait, runs_out_of_many_in_bounded_turns)
{
	struct tcp_limits limits = door_limits;
	struct door door;

	limits.time_waits = 1000;
	door_open(&door, &limits);
	for (uint32_t i = 0; i < 1000; i++)
		wait(&door, i, 0);
	door_wait_ms(&door, 60000);
	time_wait_run(&door.tcp);
	EXPECT_EQ(744, counter_read(&door.counters.tcp_time_wait_live));
	EXPECT_EQ(0, time_wait_next_us(&door.tcp));
	for (uint32_t i = 0; i < 3; i++)
		time_wait_run(&door.tcp);
	EXPECT_EQ(0, counter_read(&door.counters.tcp_time_wait_live));
	door_close(&door);
}

TEST(time_wait, table_of_more_than_there_can_be_is_not_made)
{
	struct door door;

	door_open(&door, NULL);
	time_wait_close(&door.tcp);
	door.tcp.limits.time_waits = UINT32_MAX;
	EXPECT_EQ(GW_NO_MEMORY, time_wait_open(&door.tcp));
	EXPECT(door.tcp.time_waits == NULL);
	door_close(&door);
}

TEST(time_wait, of_the_same_ends_is_one)
{
	struct door door;

	door_open(&door, NULL);
	wait(&door, 7, 0);
	door_wait_ms(&door, 30000);
	wait(&door, 7, 0);
	EXPECT_EQ(1, counter_read(&door.counters.tcp_time_wait_live));
	door_live_ms(&door, 59990);
	EXPECT(knows(&door, 7));
	door_live_ms(&door, 10);
	EXPECT(!knows(&door, 7));
	door_close(&door);
}

TEST(time_wait, says_nothing_of_segments_of_others)
{
	struct door door;
	struct tcp_arrival other = segment(TCP_ACK, RCV_NXT);
	uint32_t floor = 99;

	door_open(&door, NULL);
	wait(&door, 7, 0);
	other.tcp.src_port++;
	EXPECT(!time_wait_segment(&door.tcp, &other, &floor));
	EXPECT_EQ(0, floor);
	EXPECT_EQ(0, door_errors(&door, GW_TCP_TIME_WAIT));
	door_close(&door);
}

TEST(time_wait, takes_no_notice_of_a_reset)
{
	struct door door;

	door_open(&door, NULL);
	wait(&door, 7, 0);
	EXPECT_EQ(0, give(&door, segment(TCP_RST, RCV_NXT)));
	EXPECT_EQ(0, give(&door, segment(TCP_RST | TCP_ACK, RCV_NXT)));
	EXPECT_EQ(0, give(&door, segment(TCP_RST | TCP_SYN, RCV_NXT + 100000)));
	EXPECT(knows(&door, 7));
	EXPECT_EQ(0, door.sends);
	EXPECT_EQ(3, door_errors(&door, GW_TCP_TIME_WAIT));
	door_close(&door);
}

TEST(time_wait, answers_each_fin_that_comes_again_and_begins_anew)
{
	struct door door;
	const struct tcp_packet *ack;

	door_open(&door, NULL);
	wait(&door, 7, TCB_TIMESTAMPS);
	door_wait_ms(&door, 59999);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(0, give(&door, segment(TCP_FIN | TCP_ACK, RCV_NXT - 1)));
	EXPECT_EQ(3, door.sends);
	ack = door_last(&door);
	EXPECT_EQ(TCP_ACK, ack->flags);
	EXPECT_EQ(SND_NXT, ack->seq);
	EXPECT_EQ(RCV_NXT, ack->ack);
	EXPECT_EQ(DOOR_PORT, ack->src_port);
	EXPECT_EQ(4000, ack->dst_port);
	EXPECT_EQ(131072 >> 3, ack->window);
	EXPECT(ack->options.has_timestamps);
	EXPECT_EQ(5000, ack->options.ts_echo);
	EXPECT_EQ(3, counter_read(&door.counters.tcp_out));
	door_live_ms(&door, 59990);
	EXPECT(knows(&door, 7));
	door_live_ms(&door, 10);
	EXPECT(!knows(&door, 7));
	door_close(&door);
}

TEST(time_wait, takes_its_place_behind_the_others_when_it_begins_anew)
{
	struct door door;

	door_open(&door, NULL);
	for (uint32_t i = 6; i <= 8; i++)
		wait(&door, i, 0);
	door_wait_ms(&door, 1000);
	EXPECT_EQ(0, give(&door, segment(TCP_FIN | TCP_ACK, RCV_NXT - 1)));
	door_live_ms(&door, 59000);
	EXPECT(!knows(&door, 6));
	EXPECT(knows(&door, 7));
	EXPECT(!knows(&door, 8));
	door_live_ms(&door, 1000);
	EXPECT(!knows(&door, 7));
	door_close(&door);
}

TEST(time_wait, answers_anything_else_once_in_a_second_and_does_not_begin_anew)
{
	struct door door;

	door_open(&door, NULL);
	wait(&door, 7, 0);
	for (uint32_t i = 0; i < 5; i++) {
		give(&door, segment(TCP_ACK, RCV_NXT - 1));	  /* a keep-alive */
		give(&door, segment(TCP_FIN | TCP_ACK, RCV_NXT)); /* another FIN */
		give(&door, segment(TCP_FIN | TCP_ACK, RCV_NXT - 2));
		give(&door, segment(TCP_FIN, RCV_NXT - 1));		/* without an ACK */
		give(&door, segment(TCP_SYN | TCP_ACK, RCV_NXT + 100)); /* not a SYN alone */
		give(&door, segment(TCP_SYN, RCV_NXT));			/* an old SYN */
		EXPECT_EQ(i + 1, door.sends);
		EXPECT(!door_last(&door)->options.has_timestamps);
		door_wait_ms(&door, 1000);
	}
	EXPECT_EQ(30, door_errors(&door, GW_TCP_TIME_WAIT));
	door_live_ms(&door, 55000);
	EXPECT(!knows(&door, 7));
	door_close(&door);
}

/* Two ends in TIME-WAIT that answer each other's ACKs never stop. */
TEST(time_wait, is_silent_about_an_ack_as_it_should_be)
{
	struct door door;

	door_open(&door, NULL);
	wait(&door, 7, 0);
	EXPECT_EQ(0, give(&door, segment(TCP_ACK, RCV_NXT)));
	EXPECT_EQ(0, door.sends);
	door_close(&door);
}

TEST(time_wait, ack_that_the_link_does_not_take_is_lost_and_counted)
{
	struct door door;

	door_open(&door, NULL);
	wait(&door, 7, 0);
	door.send_err = GW_NET_TX_FULL;
	give(&door, segment(TCP_ACK, RCV_NXT + 7));
	EXPECT_EQ(1, door_errors(&door, GW_NET_TX_FULL));
	EXPECT_EQ(0, counter_read(&door.counters.tcp_out));
	door_close(&door);
}

/* ---- RFC 6191: a SYN
 * -----------------------------------------------------------------------------
 */

/* What a SYN with this sequence number and timestamp (0: none) does to a TIME-WAIT: its floor. */
static uint32_t reuse(uint32_t flags, uint32_t seq, uint32_t ts_value)
{
	struct door door;
	struct tcp_arrival syn = segment(TCP_SYN | TCP_ECE | TCP_CWR, seq);
	uint32_t floor;

	syn.tcp.options.has_timestamps = ts_value != 0;
	syn.tcp.options.ts_value = ts_value;
	door_open(&door, NULL);
	wait(&door, 7, flags);
	floor = give(&door, syn);
	EXPECT_EQ(floor == 0, knows(&door, 7));
	EXPECT_EQ(floor == 0, door.sends);
	door_close(&door);
	return floor;
}

TEST(time_wait, gives_way_to_a_syn_with_a_newer_timestamp_or_a_higher_number)
{
	const uint32_t floor = SND_NXT + 65536, old = RCV_NXT - 5000, high = RCV_NXT + 1;

	EXPECT_EQ(floor, reuse(TCB_TIMESTAMPS, old, 5001));
	EXPECT_EQ(floor, reuse(TCB_TIMESTAMPS, high, 5001));
	EXPECT_EQ(floor, reuse(TCB_TIMESTAMPS, high, 5000)); /* the same: the number decides */
	EXPECT_EQ(0, reuse(TCB_TIMESTAMPS, old, 5000));
	EXPECT_EQ(0, reuse(TCB_TIMESTAMPS, high, 4999)); /* an old SYN */
	EXPECT_EQ(floor, reuse(TCB_TIMESTAMPS, high, 0));
	EXPECT_EQ(0, reuse(TCB_TIMESTAMPS, RCV_NXT, 0));
	EXPECT_EQ(floor, reuse(0, high, 0));
	EXPECT_EQ(floor, reuse(0, high, 1));
	EXPECT_EQ(0, reuse(0, old, 5001));
	EXPECT_EQ(0, reuse(0, RCV_NXT, 0));
}

TEST(time_wait, gives_a_floor_that_is_never_zero)
{
	struct door door;
	struct ip_address host = door_v4(7);
	struct tcb tcb = ended(&host, 4000, 0);

	door_open(&door, NULL);
	tcb.snd_nxt = 0u - 65536;
	time_wait_add(&door.tcp, &tcb);
	EXPECT_EQ(1, give(&door, segment(TCP_SYN, RCV_NXT + 1)));
	door_close(&door);
}

TEST(time_wait, does_not_give_way_where_nobody_would_take_the_syn)
{
	struct door door;

	door_open(&door, NULL);
	wait(&door, 7, 0);
	door.tcp.draining = true;
	EXPECT_EQ(0, give(&door, segment(TCP_SYN, RCV_NXT + 1)));
	door.tcp.draining = false;
	door.tcp.listeners = 0; /* we had opened it */
	EXPECT_EQ(0, give(&door, segment(TCP_SYN, RCV_NXT + 1)));
	EXPECT(knows(&door, 7));
	EXPECT_EQ(1, door.sends); /* in one second */
	door_close(&door);
}

TEST(time_wait, gives_way_to_the_first_of_several_syns_in_a_burst)
{
	struct door door;
	struct tcp_arrival syn = segment(TCP_SYN, RCV_NXT + 1000);
	uint32_t floor, later;

	door_open(&door, NULL);
	wait(&door, 7, 0);
	floor = give(&door, syn);
	EXPECT(floor != 0);
	handshake_syn(&door.tcp, &syn, floor);
	EXPECT(seq_after(door_last(&door)->seq, floor));
	EXPECT(!time_wait_segment(&door.tcp, &syn, &later));
	EXPECT(handshake_segment(&door.tcp, &syn));
	EXPECT_EQ(2, door.sends);
	EXPECT_EQ(door.sent[0].seq, door.sent[1].seq);
	EXPECT_EQ(1, counter_read(&door.counters.tcp_half_open_live));
	EXPECT_EQ(0, counter_read(&door.counters.tcp_time_wait_live));
	door_close(&door);
}

TEST_MAIN("time_wait", RUN(time_wait, ends_after_sixty_seconds),
	  RUN(time_wait, ends_in_the_order_in_which_it_began_also_where_the_clock_of_ms_goes_round),
	  RUN(time_wait, of_the_oldest_makes_room),
	  RUN(time_wait, runs_out_of_many_in_bounded_turns),
	  RUN(time_wait, table_of_more_than_there_can_be_is_not_made),
	  RUN(time_wait, of_the_same_ends_is_one),
	  RUN(time_wait, says_nothing_of_segments_of_others),
	  RUN(time_wait, takes_no_notice_of_a_reset),
	  RUN(time_wait, answers_each_fin_that_comes_again_and_begins_anew),
	  RUN(time_wait, takes_its_place_behind_the_others_when_it_begins_anew),
	  RUN(time_wait, answers_anything_else_once_in_a_second_and_does_not_begin_anew),
	  RUN(time_wait, is_silent_about_an_ack_as_it_should_be),
	  RUN(time_wait, ack_that_the_link_does_not_take_is_lost_and_counted),
	  RUN(time_wait, gives_way_to_a_syn_with_a_newer_timestamp_or_a_higher_number),
	  RUN(time_wait, gives_a_floor_that_is_never_zero),
	  RUN(time_wait, does_not_give_way_where_nobody_would_take_the_syn),
	  RUN(time_wait, gives_way_to_the_first_of_several_syns_in_a_burst))
