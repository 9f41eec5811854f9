/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_layer.h"

#include "net/stack.h"

/* Whose is a segment (net.h): the worker's who knows it; else whose the hash says, by the ring. */

#define BASE 5070

static const struct scene_config four = {.workers = 4, .queues = 4, .steer_base = BASE};
static const struct scene_config four_rss = {
	.workers = 4, .queues = 4, .steer_base = BASE, .rss = true, .steers = true};
static const struct scene_config four_on_one = {.workers = 4, .queues = 1, .steer_base = BASE};

static struct layer *layer_ready(const struct scene_config *config)
{
	return layer_new(scene_ready(config));
}

static uint16_t worker_of(const struct layer *l, const struct flow *flow)
{
	struct ip_address src = ip_of(flow->src), dst = ip_of(flow->dst);

	return stack_tcp_worker(l->s->worker[0].stack, &dst, flow->dst_port, &src, flow->src_port);
}

static struct flow flow4(uint32_t i)
{
	return (struct flow){FOREIGN4, OURS4, (uint16_t)(20000 + i), 443};
}

static struct flow flow6(uint32_t i)
{
	return (struct flow){FOREIGN6, OURS6, (uint16_t)(20000 + i), 443};
}

/* ---- who is asked ------------------------------------------------------------------------------
 */

TEST(tcp_workers, leave_a_segment_that_is_known_where_it_came)
{
	struct layer *l = layer_ready(&four_rss);
	struct flow flow = flow4(1);

	for (uint16_t queue = 0; queue < 4; queue++) {
		layer_forget(l);
		l->worker[queue].knows = true;
		layer_feed(l, queue, &flow, SPAN("hello"));
		scene_turns(l->s, 3);
		EXPECT_EQ(queue, layer_only(l)->worker);
		EXPECT_EQ(CLAIM_KNOWN, layer_only(l)->claim);
		EXPECT_EQ(0, SCENE_COUNTER(l->s, net_handed_out));
		EXPECT_EQ(0, SCENE_COUNTER(l->s, tcp_misdirected));
		l->worker[queue].knows = false;
	}
	layer_free(l);
}

static void check_unknown(struct layer *l, uint16_t queue, const struct flow *flow)
{
	uint16_t owner = worker_of(l, flow);
	const struct told *told;

	layer_forget(l);
	layer_feed(l, queue, flow, SPAN("hello"));
	scene_turns(l->s, 3);
	told = layer_only(l);
	EXPECT_EQ(owner, told->worker);
	EXPECT_EQ(CLAIM_ANY, told->claim);
	EXPECT_EQ(owner != queue, told->running); /* the ring is worked off in run_ready */
	EXPECT_SPAN("hello", told->tcp.payload);
	EXPECT_EQ(flow->src_port, told->tcp.src_port);
	EXPECT_EQ(1, l->refused); /* by the worker of the queue, and no other */
	EXPECT_EQ(owner != queue, SCENE_COUNTER(l->s, net_handed_out));
	EXPECT_EQ(owner != queue, SCENE_COUNTER(l->s, net_handed_in));
	EXPECT_EQ(0, scene_all_errors(l->s));
}

static void check_all_queues(const struct scene_config *config)
{
	struct layer *l = layer_ready(config);
	uint32_t of[4] = {0};

	for (uint32_t i = 0; i < 32; i++)
		for (uint16_t queue = 0; queue < l->s->config.queues; queue++) {
			struct flow a = flow4(i), b = flow6(i);

			check_unknown(l, queue, &a);
			check_unknown(l, queue, &b);
			of[worker_of(l, &a)]++;
		}
	for (uint16_t w = 0; w < 4; w++)
		EXPECT(of[w] > 0);
	layer_free(l);
}

TEST(tcp_workers, give_what_nobody_knows_to_the_one_whose_it_is_once_whatever_queue_it_came_to)
{
	check_all_queues(&four);
	check_all_queues(&four_rss);
	check_all_queues(&four_on_one);
}

TEST(tcp_workers, give_a_steered_port_to_its_worker)
{
	struct layer *l = layer_ready(&four);

	for (uint16_t queue = 0; queue < 4; queue++)
		for (uint16_t w = 0; w < 4; w++) {
			struct flow flow = {PEER4, OURS4, 5060, (uint16_t)(BASE + w)};

			EXPECT_EQ(w, worker_of(l, &flow));
			check_unknown(l, queue, &flow);
		}
	layer_free(l);
}

TEST(tcp_workers, alone_ask_for_no_owner)
{
	struct scene_config one = {.steer_base = BASE, .rss = true};
	struct layer *l = layer_ready(&one);
	struct flow flow = {PEER4, OURS4, 5060, BASE + 3};

	layer_feed(l, 0, &flow, SPAN("hello"));
	scene_turn(l->s);
	EXPECT_EQ(CLAIM_ANY, layer_only(l)->claim);
	EXPECT_EQ(0, l->refused);
	layer_free(l);
}

/* ---- what is counted ---------------------------------------------------------------------------
 */

static uint64_t misdirected(const struct scene_config *config, uint16_t dst_port, bool wrong_queue)
{
	struct layer *l = layer_ready(config);
	struct flow flow = {PEER4, OURS4, 5060, dst_port};
	uint16_t queue = (uint16_t)((worker_of(l, &flow) + wrong_queue) % l->s->config.queues);
	uint64_t count;

	layer_feed(l, queue, &flow, SPAN("hello"));
	scene_turns(l->s, 3);
	EXPECT_EQ(1, l->count);
	count = SCENE_COUNTER(l->s, tcp_misdirected);
	layer_free(l);
	return count;
}

TEST(tcp_workers, count_as_misdirected_what_the_device_should_have_brought_to_another)
{
	struct scene_config no_rule = four_rss, few = four_rss;

	no_rule.steers = false;
	few.queues = 2;
	EXPECT_EQ(0, misdirected(&four_rss, 443, false));
	EXPECT_EQ(1, misdirected(&four_rss, 443, true));
	EXPECT_EQ(1, misdirected(&four_rss, BASE + 1, true));
	EXPECT_EQ(0, misdirected(&no_rule, BASE + 1, true)); /* it has not promised to steer */
	EXPECT_EQ(1, misdirected(&no_rule, 443, true));
	EXPECT_EQ(0, misdirected(&four, 443, true)); /* it has promised nothing */
	EXPECT_EQ(0, misdirected(&few, 443, true));  /* it cannot */
}

TEST(tcp_workers, count_a_wrong_checksum_once_and_hand_none_over)
{
	struct layer *l = layer_ready(&four);
	struct tcp_packet tcp = {.flags = TCP_SYN, .payload = SPAN("x")};
	struct frame f;

	for (uint32_t i = 0; i < 8; i++) {
		struct flow flow = flow4(i);

		frame_tcp(&f, &l->s->in, &flow, &tcp);
		f.bytes[f.len - 1] ^= 1;
		scene_feed(l->s, 0, 0, &f);
	}
	scene_turns(l->s, 3);
	EXPECT_EQ(8, scene_errors(l->s, GW_TCP_CHECKSUM));
	EXPECT_EQ(8, scene_all_errors(l->s));
	EXPECT_EQ(0, SCENE_COUNTER(l->s, net_handed_out));
	EXPECT_EQ(0, l->count);
	layer_free(l);
}

static struct flow flow_of_worker(const struct layer *l, uint16_t worker)
{
	struct flow flow = flow4(0);

	while (worker_of(l, &flow) != worker)
		flow.src_port++;
	return flow;
}

TEST(tcp_workers, believe_what_the_device_said_of_a_sum_after_a_hand_over_too)
{
	struct layer *l = layer_ready(&four);
	struct flow flow = flow_of_worker(l, 2);
	struct tcp_packet tcp = {.flags = TCP_ACK, .payload = SPAN("hello")};
	struct frame f;

	frame_tcp(&f, &l->s->in, &flow, &tcp);
	f.bytes[f.len - 1] ^= 1; /* as virtio leaves it: the integrity is known */
	pipe_feed_checked(l->s->port[0], 0, frame_span(&f), PACKET_CHECKSUM_GOOD,
			  PACKET_CHECKSUM_NONE);
	scene_turns(l->s, 3);
	EXPECT_EQ(2, layer_only(l)->worker);
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

/* ---- packets -----------------------------------------------------------------------------------
 */

TEST(tcp_workers, keep_a_copy_of_what_was_handed_over)
{
	struct layer *l = layer_ready(&four);
	struct flow flow = flow_of_worker(l, 1);

	l->worker[1].takes = true;
	for (uint8_t i = 0; i < 100; i++)
		layer_feed(l, 0, &flow, span_of(&i, 1));
	scene_turns(l->s, 3);
	EXPECT_EQ(100, l->worker[1].kept_count);
	for (uint32_t i = 0; i < 100; i++) { /* in order, and not what the ring has meanwhile */
		struct rte_mbuf *packet = l->worker[1].kept[i];

		EXPECT_EQ(i, span_at(packet_span(packet), packet_len(packet) - 1));
		EXPECT_EQ(i, l->told[i].data[0]);
	}
	layer_free(l);
}

/* As many as they may keep, and then those that they do not. */
TEST(tcp_workers, have_packets_for_all_that_they_may_keep_and_for_what_comes_then)
{
	struct layer *l = layer_ready(&four);
	struct flow flow = flow_of_worker(l, 1);

	l->worker[1].takes = true;
	for (uint32_t i = 0; i < SCENE_HELD; i++)
		layer_feed(l, 0, &flow, SPAN("kept"));
	scene_turns(l->s, 2);
	l->worker[1].takes = false;
	for (uint32_t i = 0; i < 200; i++)
		layer_feed(l, 0, &flow, SPAN("passing"));
	scene_turns(l->s, 3);
	EXPECT_EQ(SCENE_HELD, l->worker[1].kept_count);
	EXPECT_EQ(SCENE_HELD + 200, l->count);
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

/* What is kept of others is none of the packets that are sent, so that who does not read stops
 * nobody else. */
TEST(tcp_workers, count_what_no_packet_is_left_for_and_send_all_the_same)
{
	struct flow out = {OURS4, FOREIGN4, 443, 40000};
	struct layer *l = layer_ready(&four);
	struct flow flow = flow_of_worker(l, 3);

	l->s->worker[3].stack->handed->count = 0;
	layer_feed(l, 0, &flow, SPAN("hello"));
	scene_turns(l->s, 3);
	EXPECT_EQ(1, scene_errors(l->s, GW_NET_NO_PACKET));
	EXPECT_EQ(1, scene_all_errors(l->s));
	EXPECT_EQ(0, l->count);
	EXPECT_EQ(GW_OK, layer_send(l, 3, &out, SPAN("hello")));
	layer_free(l);
}

TEST(tcp_workers, count_what_a_full_ring_does_not_take)
{
	struct scene_config small = four;
	uint64_t lost;
	struct flow flow;
	struct layer *l;

	small.ring_bytes = 8192;
	l = layer_ready(&small);
	flow = flow_of_worker(l, 1);
	for (uint32_t i = 0; i < 200; i++)
		layer_feed(l, 0, &flow, SPAN("hello"));
	scene_work(l->s, 0); /* worker 1 does not run */
	lost = scene_errors(l->s, GW_NET_HAND_OVER);
	EXPECT(lost > 0 && lost < 200);
	scene_turns(l->s, 3);
	EXPECT_EQ(200 - lost, l->count);
	EXPECT_EQ(lost, scene_all_errors(l->s));
	layer_free(l);
}

/* A worker that was away takes in one turn what the ring has kept for him (TCP.md 4.1). */
TEST(tcp_workers, take_all_of_the_ring_after_a_long_turn)
{
	struct scene_config large = four;
	struct flow flow;
	struct layer *l;

	large.ring_bytes = 1 << 20;
	l = layer_ready(&large);
	flow = flow_of_worker(l, 1);
	for (uint32_t i = 0; i < 600; i++)
		layer_feed(l, 0, &flow, SPAN("hello"));
	for (uint32_t i = 0; i < 3; i++)
		scene_work(l->s, 0);
	scene_work(l->s, 1);
	EXPECT_EQ(STACK_HANDED, l->count);
	l->s->clock.now_us += 6000;
	scene_work(l->s, 1);
	EXPECT_EQ(600, l->count);
	layer_free(l);
}

/* ---- out ---------------------------------------------------------------------------------------
 */

TEST(tcp_workers, send_without_a_queue_of_their_own_through_the_worker_of_a_queue)
{
	struct scene_config offload = four_on_one;
	struct flow out = {OURS4, FOREIGN4, 443, 40000};
	struct layer *l;

	offload.l4_offload = offload.ip_offload =
		true; /* which a frame of another is not left to */
	l = layer_ready(&offload);
	for (uint16_t w = 0; w < 4; w++) {
		struct seen seen;

		layer_forget(l);
		EXPECT_EQ(GW_OK, layer_send(l, w, &out, SPAN("hello")));
		scene_turns(l->s, 3);
		EXPECT_EQ(1, scene_seen(l->s, 0, SEEN_TCP, &seen)); /* its sums are right */
		EXPECT_EQ(0, seen.queue);
		EXPECT_EQ(w == 0, l->s->port[0]->sent[0].offload.l4_protocol == IPPROTO_TCP);
		EXPECT_EQ(0, scene_all_errors(l->s));
	}
	layer_free(l);
}

TEST(tcp_workers, hold_back_what_the_ring_to_the_queue_does_not_take)
{
	struct scene_config small = four_on_one;
	struct flow out = {OURS4, FOREIGN4, 443, 40000};
	static const uint8_t zeros[1000];
	uint32_t sent = 0;
	struct layer *l;

	small.ring_bytes = 8192;
	l = layer_ready(&small);
	while (sent < 100 && layer_send(l, 1, &out, span_of(zeros, sizeof(zeros))) == GW_OK)
		sent++;
	EXPECT(sent > 0 && sent < 100);
	EXPECT_EQ(GW_NET_TX_FULL, layer_send(l, 1, &out, span_of(zeros, sizeof(zeros))));
	EXPECT_EQ(0, scene_all_errors(l->s));
	scene_turns(l->s, 3);
	EXPECT_EQ(sent, scene_seen(l->s, 0, SEEN_TCP, NULL));
	layer_free(l);
}

TEST_MAIN("net_stack_tcp_workers", RUN(tcp_workers, leave_a_segment_that_is_known_where_it_came),
	  RUN(tcp_workers,
	      give_what_nobody_knows_to_the_one_whose_it_is_once_whatever_queue_it_came_to),
	  RUN(tcp_workers, give_a_steered_port_to_its_worker),
	  RUN(tcp_workers, alone_ask_for_no_owner),
	  RUN(tcp_workers, count_as_misdirected_what_the_device_should_have_brought_to_another),
	  RUN(tcp_workers, count_a_wrong_checksum_once_and_hand_none_over),
	  RUN(tcp_workers, believe_what_the_device_said_of_a_sum_after_a_hand_over_too),
	  RUN(tcp_workers, keep_a_copy_of_what_was_handed_over),
	  RUN(tcp_workers, have_packets_for_all_that_they_may_keep_and_for_what_comes_then),
	  RUN(tcp_workers, count_what_no_packet_is_left_for_and_send_all_the_same),
	  RUN(tcp_workers, count_what_a_full_ring_does_not_take),
	  RUN(tcp_workers, take_all_of_the_ring_after_a_long_turn),
	  RUN(tcp_workers, send_without_a_queue_of_their_own_through_the_worker_of_a_queue),
	  RUN(tcp_workers, hold_back_what_the_ring_to_the_queue_does_not_take))
