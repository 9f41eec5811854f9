/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* Whose is a packet (net.h): ports of one worker, shared ports, worker 0's protocols, and devices
 * with fewer queues than there are workers. */

#define BASE 5070
#define SHARED 5060

static const struct scene_config four = {.workers = 4, .queues = 4, .steer_base = BASE};
static const struct scene_config four_on_one = {.workers = 4, .queues = 1, .steer_base = BASE};
static const struct scene_config four_on_two = {.workers = 4, .queues = 2, .steer_base = BASE};

static void bind_all(struct scene *s)
{
	for (uint16_t w = 0; w < s->workers; w++) {
		scene_bind(s, w, OURS4, (uint16_t)(BASE + w));
		scene_bind(s, w, OURS6, (uint16_t)(BASE + w));
		scene_bind(s, w, OURS4, SHARED);
	}
}

static void feed(struct scene *s, uint16_t queue, const struct flow *flow, struct span data)
{
	struct frame f;

	frame_udp(&f, &s->in, flow, data);
	scene_feed(s, 0, queue, &f);
}

static void check_steered(const char *src, const char *dst)
{
	struct scene *s = scene_ready(&four);

	bind_all(s);
	for (uint16_t queue = 0; queue < 4; queue++)
		for (uint16_t w = 0; w < 4; w++) {
			struct flow flow = {src, dst, 5060, (uint16_t)(BASE + w)};

			scene_forget(s);
			feed(s, queue, &flow, SPAN("hello"));
			scene_turns(s, 3);
			EXPECT_EQ(1, s->heard_count);
			EXPECT_EQ(w, s->heard[0].worker);
			EXPECT_SPAN("hello", span_of(s->heard[0].bytes, s->heard[0].len));
			EXPECT_EQ(BASE + w, endpoint_port(&s->heard[0].local));
			EXPECT_EQ(queue == w ? 0 : 1, SCENE_COUNTER(s, net_handed_in));
			EXPECT_EQ(queue == w ? 0 : 1, SCENE_COUNTER(s, net_handed_out));
			EXPECT_EQ(1, SCENE_COUNTER(s, net_udp_in));
			EXPECT_EQ(0, scene_all_errors(s));
		}
	scene_free(s);
}

TEST(workers, give_a_datagram_to_the_worker_its_port_names_once_whatever_queue_it_came_to)
{
	check_steered(FOREIGN4, OURS4);
	check_steered(FAR6, OURS6);
}

TEST(workers, leave_a_shared_port_where_it_came)
{
	struct flow flow = {PEER4, OURS4, 5060, SHARED};
	struct scene *s = scene_ready(&four);

	bind_all(s);
	for (uint16_t queue = 0; queue < 4; queue++) {
		scene_forget(s);
		feed(s, queue, &flow, SPAN("hello"));
		scene_turns(s, 3);
		EXPECT_EQ(1, s->heard_count);
		EXPECT_EQ(queue, s->heard[0].worker);
	}
	scene_free(s);
}

TEST(workers, share_the_flows_of_a_device_with_fewer_queues_and_keep_each_together)
{
	struct scene *s = scene_ready(&four_on_two);
	uint16_t worker_of[64];
	uint32_t flows[4] = {0};

	bind_all(s);
	for (uint16_t round = 0; round < 2; round++)
		for (uint16_t i = 0; i < 64; i++) {
			struct flow flow = {PEER4, OURS4, (uint16_t)(20000 + i), SHARED};

			scene_forget(s);
			feed(s, round, &flow, SPAN("hello")); /* whatever queue it comes to */
			scene_turns(s, 3);
			EXPECT_EQ(1, s->heard_count);
			EXPECT(round == 0 || worker_of[i] == s->heard[0].worker);
			worker_of[i] = s->heard[0].worker;
			flows[worker_of[i]]++;
		}
	for (uint32_t w = 0; w < 4; w++)
		EXPECT(flows[w] >= 10); /* of 128; 32 on average */
	scene_free(s);
}

TEST(workers, own_no_port_where_none_is_steered)
{
	struct scene_config config = {.workers = 2, .queues = 2};
	struct flow flow = {PEER4, OURS4, 5060, 1};
	struct scene *s = scene_ready(&config);

	scene_bind(s, 0, OURS4, 1);
	feed(s, 0, &flow, SPAN("hello"));
	scene_turns(s, 3);
	EXPECT_EQ(1, s->heard_count);
	EXPECT_EQ(0, s->heard[0].worker);
	scene_free(s);
}

TEST(workers, deliver_handed_datagrams_from_run_ready_only_and_in_order)
{
	struct flow flow = {PEER4, OURS4, 5060, BASE + 2};
	struct scene *s = scene_ready(&four);

	bind_all(s);
	for (uint8_t i = 0; i < 100; i++)
		feed(s, 1, &flow, span_of(&i, 1));
	scene_work(s, 1);
	scene_work(s, 1);
	stack_receive(s->worker[2].stack);
	EXPECT_EQ(0, s->heard_count);
	scene_turns(s, 5);
	EXPECT_EQ(100, s->heard_count);
	for (uint32_t i = 0; i < 100; i++)
		EXPECT_EQ(i, s->heard[i].bytes[0]);
	scene_free(s);
}

TEST(workers, let_worker_0_answer_arp_and_icmp_that_came_to_another_queue)
{
	struct scene *s = scene_ready(&four);
	struct icmp_form ping = {FOREIGN4, OURS4, 8, 0, 1, 0};
	struct seen seen;
	struct frame f;

	frame_hex(&f, "ffffffffffff 026600000066 0806"
		      "0001 0800 06 04 0001 026600000066 c6120042 000000000000 c6120001");
	scene_feed(s, 0, 1, &f);
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ARP, &seen));
	EXPECT_EQ(0, seen.queue);
	frame_icmp(&f, &s->in, &ping, SPAN("abcd"));
	scene_feed(s, 0, 3, &f);
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, &seen));
	EXPECT_EQ(0, seen.queue);
	EXPECT_SPAN("abcd", seen.icmp.body);
	EXPECT_EQ(1, counter_read(&s->worker[0].counters.net_arp_in));
	EXPECT_EQ(1, counter_read(&s->worker[0].counters.net_icmp_in));
	EXPECT_EQ(0, scene_all_errors(s));
	scene_free(s);
}

TEST(workers, let_worker_0_answer_neighbour_solicitations_that_came_to_another_queue)
{
	struct scene *s = scene_ready(&four);
	struct ndp_message ndp = {.target = ip_of(OURS6),
				  .has_mac = true,
				  .mac = {2, 0, 0, 0, 0, 9}};
	struct frame f;

	frame_ndp(&f, &s->in, STRANGER6, OURS6, &ndp);
	scene_feed(s, 0, 2, &f);
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_NDP, NULL));
	EXPECT_EQ(0, scene_all_errors(s));
	scene_free(s);
}

TEST(workers, hand_no_flood_of_arp_on_to_worker_0)
{
	struct scene *s = scene_ready(&four);
	uint64_t refused;
	struct frame f;

	frame_hex(&f, "ffffffffffff 026600000066 0806"
		      "0001 0800 06 04 0001 026600000066 c6120042 000000000000 c6120043");
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 200; k++)
			scene_feed(s, 0, 1, &f);
		scene_turn(s);
	}
	refused = counter_read(&s->worker[1].counters.errors[GW_ICMP_RATE]);
	EXPECT(refused >= 1900 && refused <= 2000); /* 2,000 a second */
	EXPECT_EQ(4000 - refused,
		  SCENE_COUNTER(s, net_handed_out) + scene_errors(s, GW_NET_HAND_OVER));
	scene_free(s);
}

TEST(workers, count_what_a_full_ring_does_not_take_and_lose_nothing_else)
{
	struct scene_config config = four;
	struct flow second = {PEER4, OURS4, 5060, BASE + 1}, first = {PEER4, OURS4, 5060, BASE};
	uint8_t data[1000] = {0};
	uint64_t lost, to_second = 0, to_first = 0;
	struct scene *s;

	config.ring_bytes = 8192;
	s = scene_ready(&config);
	bind_all(s);
	for (int i = 0; i < 50; i++) { /* worker 1 does not run */
		feed(s, 0, &second, span_of(data, sizeof(data)));
		feed(s, 0, &first, span_of(data, sizeof(data)));
		scene_work(s, 0);
	}
	lost = scene_errors(s, GW_NET_HAND_OVER);
	EXPECT(lost > 0 && lost < 50);
	scene_turns(s, 5);
	for (uint32_t i = 0; i < s->heard_count; i++) {
		to_first += s->heard[i].worker == 0;
		to_second += s->heard[i].worker == 1;
	}
	EXPECT_EQ(50, to_first);
	EXPECT_EQ(50 - lost, to_second);
	EXPECT_EQ(lost, scene_all_errors(s));
	scene_free(s);
}

static void check_sends(const struct scene_config *config, const char *src, const char *dst,
			uint32_t len)
{
	struct scene *s = scene_ready(config);
	uint8_t *data = calloc(1, len);

	bind_all(s);
	for (uint16_t w = 0; w < s->workers; w++) {
		struct flow flow = {src, dst, (uint16_t)(BASE + w), 5060};
		struct seen seen;

		scene_forget(s);
		EXPECT_EQ(GW_OK, scene_send(s, w, &flow, span_of(data, len)));
		scene_turns(s, 3);
		EXPECT(s->port[0]->sent_count >= 1);
		seen = scene_seen_at(s, 0, 0); /* every checksum right */
		EXPECT_EQ(w % config->queues, seen.queue);
		EXPECT_EQ(len > 1472 ? SEEN_FRAGMENT : SEEN_UDP, seen.kind);
		EXPECT_EQ(len > 1472 ? 3 : 1, s->port[0]->sent_count);
		EXPECT_EQ(0, scene_all_errors(s));
	}
	free(data);
	scene_free(s);
}

TEST(workers, send_without_a_queue_of_their_own_through_the_worker_of_a_queue)
{
	check_sends(&four_on_one, OURS4, PEER4, 100);
	check_sends(&four_on_one, OURS6, FAR6, 100);
	check_sends(&four_on_two, OURS4, FAR4, 100);
	check_sends(&four_on_two, OURS4, FAR4, 3000);
	check_sends(&four, OURS4, FAR4, 100);
}

TEST(workers, receive_without_a_queue_of_their_own)
{
	struct scene *s = scene_ready(&four_on_one);

	bind_all(s);
	for (uint16_t w = 0; w < 4; w++) {
		struct flow flow = {PEER4, OURS4, 5060, (uint16_t)(BASE + w)};

		scene_forget(s);
		feed(s, 0, &flow, SPAN("hello"));
		scene_turns(s, 3);
		EXPECT_EQ(1, s->heard_count);
		EXPECT_EQ(w, s->heard[0].worker);
	}
	scene_free(s);
}

TEST(workers, spread_the_flows_of_a_shared_port_that_came_to_too_few_queues)
{
	struct scene *s = scene_ready(&four_on_one);
	uint32_t flows[SCENE_WORKERS] = {0};

	bind_all(s);
	for (uint16_t port = 1; port <= 64; port++) {
		struct flow flow = {PEER4, OURS4, (uint16_t)(20000 + port), SHARED};

		scene_forget(s);
		for (uint32_t i = 0; i < 3; i++)
			feed(s, 0, &flow, SPAN("hello"));
		scene_turns(s, 3);
		EXPECT_EQ(3, s->heard_count);
		for (uint32_t i = 1; i < 3; i++) /* a flow keeps to its worker */
			EXPECT_EQ(s->heard[0].worker, s->heard[i].worker);
		flows[s->heard[0].worker]++;
	}
	for (uint16_t w = 0; w < 4; w++)
		EXPECT(flows[w] > 4);
	scene_free(s);
}

TEST(workers, send_to_one_another)
{
	struct flow flow = {OURS4, OURS4, BASE, BASE + 1};
	struct scene *s = scene_ready(&four);

	bind_all(s);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, SPAN("hello")));
	scene_turns(s, 3);
	EXPECT_EQ(1, s->heard_count);
	EXPECT_EQ(1, s->heard[0].worker);
	EXPECT_SPAN("hello", span_of(s->heard[0].bytes, s->heard[0].len));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(workers, tell_a_peer_of_a_closed_port_that_is_one_workers)
{
	struct flow flow = {PEER4, OURS4, 5060, BASE + 2};
	struct scene *s = scene_ready(&four);

	feed(s, 0, &flow, SPAN("hello"));
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_errors(s, GW_UDP_PORT));
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, NULL));
	scene_free(s);
}

TEST(workers, refuse_malformed_frames_where_they_came_and_hand_none_of_them_over)
{
	struct flow flow = {PEER4, OURS4, 5060, BASE + 1};
	struct scene *s = scene_ready(&four);
	struct frame f;

	bind_all(s);
	frame_udp(&f, &s->in, &flow, SPAN("hello"));
	f.bytes[ETH_LEN + 10] ^= 1; /* IPv4 checksum */
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_errors(s, GW_IP_CHECKSUM));
	EXPECT_EQ(0, SCENE_COUNTER(s, net_handed_out));
	EXPECT_EQ(0, s->heard_count);
	scene_free(s);
}

TEST(workers, count_a_wrong_udp_checksum_once_wherever_it_is_found)
{
	struct flow flow = {PEER4, OURS4, 5060, BASE + 1};
	struct scene *s = scene_ready(&four);
	struct frame f;

	bind_all(s);
	frame_udp(&f, &s->in, &flow, SPAN("hello"));
	f.bytes[f.len - 1] ^= 1;
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_errors(s, GW_UDP_CHECKSUM));
	EXPECT_EQ(1, scene_all_errors(s));
	EXPECT_EQ(0, s->heard_count);
	scene_free(s);
}

TEST(workers, believe_what_the_device_said_of_a_checksum_after_a_hand_over_too)
{
	struct flow flow = {PEER4, OURS4, 5060, BASE + 1};
	struct scene *s = scene_ready(&four);
	struct frame f;

	bind_all(s);
	frame_udp(&f, &s->in, &flow, SPAN("hello"));
	f.bytes[f.len - 1] ^= 1; /* as virtio leaves it: the integrity is known */
	pipe_feed_checked(s->port[0], 0, frame_span(&f), PACKET_CHECKSUM_GOOD,
			  PACKET_CHECKSUM_NONE);
	scene_turns(s, 3);
	EXPECT_EQ(1, s->heard_count);
	EXPECT_EQ(0, scene_all_errors(s));
	scene_free(s);
}

/* Echo requests come from anywhere; what they may use up is theirs alone. */
TEST(workers, hand_fragments_and_arp_to_worker_0_through_a_flood_of_icmp)
{
	struct icmp_form echo = {FOREIGN4, OURS4, 8, 0, 7, 0};
	struct flow flow = {FAR4, OURS4, 5060, BASE};
	struct arp_packet request = {.sender = ip_of(STRANGER4),
				     .sender_mac = {2, 0x66},
				     .target = ip_of(OURS4)};
	struct scene *s = scene_ready(&four);
	static const uint8_t zeros[1480];
	struct frame f;

	bind_all(s);
	frame_icmp(&f, &s->in, &echo, SPAN("echo"));
	for (uint32_t i = 0; i < 3000; i++) {
		scene_feed(s, 0, 1, &f);
		if (i % 100 == 99) {
			scene_work(s, 1);
			scene_work(s, 0);
		}
	}
	EXPECT(scene_errors(s, GW_ICMP_RATE) >= 2900);
	pipe_clear(s->port[0]);
	frame_arp(&f, &s->in, &request);
	scene_feed(s, 0, 1, &f);
	for (uint32_t n = 0; n < 2; n++) {
		struct cut cut = {n * 1480, 1480, 1};

		frame_udp_fragment(&f, &s->in, &flow, span_of(zeros, sizeof(zeros)), cut);
		scene_feed(s, 0, 1, &f);
	}
	scene_work(s, 1);
	scene_work(s, 0);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ARP, NULL));
	scene_free(s);
}

TEST_MAIN("net_stack_workers",
	  RUN(workers, give_a_datagram_to_the_worker_its_port_names_once_whatever_queue_it_came_to),
	  RUN(workers, leave_a_shared_port_where_it_came),
	  RUN(workers, share_the_flows_of_a_device_with_fewer_queues_and_keep_each_together),
	  RUN(workers, own_no_port_where_none_is_steered),
	  RUN(workers, deliver_handed_datagrams_from_run_ready_only_and_in_order),
	  RUN(workers, let_worker_0_answer_arp_and_icmp_that_came_to_another_queue),
	  RUN(workers, let_worker_0_answer_neighbour_solicitations_that_came_to_another_queue),
	  RUN(workers, hand_no_flood_of_arp_on_to_worker_0),
	  RUN(workers, count_what_a_full_ring_does_not_take_and_lose_nothing_else),
	  RUN(workers, send_without_a_queue_of_their_own_through_the_worker_of_a_queue),
	  RUN(workers, receive_without_a_queue_of_their_own),
	  RUN(workers, spread_the_flows_of_a_shared_port_that_came_to_too_few_queues),
	  RUN(workers, send_to_one_another),
	  RUN(workers, tell_a_peer_of_a_closed_port_that_is_one_workers),
	  RUN(workers, refuse_malformed_frames_where_they_came_and_hand_none_of_them_over),
	  RUN(workers, count_a_wrong_udp_checksum_once_wherever_it_is_found),
	  RUN(workers, believe_what_the_device_said_of_a_checksum_after_a_hand_over_too),
	  RUN(workers, hand_fragments_and_arp_to_worker_0_through_a_flood_of_icmp))
