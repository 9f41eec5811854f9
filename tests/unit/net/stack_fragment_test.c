/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/reassembly.h"
#include "scene.h"

/* Fragments: UDP of trusted Mw peers only (TCP.md 5.13, 8.7). */

#define LONG 3000u
#define PIECE 1480u

static const struct scene_config plain = {0};
static const struct scene_config four = {.workers = 4, .queues = 4, .steer_base = 5070};

static struct span long_data(void)
{
	static uint8_t data[LONG];

	for (uint32_t i = 0; i < LONG; i++)
		data[i] = (uint8_t)(i * 31 + i / 256);
	return span_of(data, LONG);
}

/* Piece n of the long datagram, PIECE bytes each but the last; v6 pieces are a little shorter. */
static void feed_piece(struct scene *s, const struct flow *flow, uint32_t n, uint32_t id)
{
	struct ip_address src = ip_of(flow->src);
	uint32_t piece = ip_address_is_v4(&src) ? PIECE : 1448;
	struct cut cut = {n * piece, piece, id};
	struct frame f;

	frame_udp_fragment(&f, &s->in, flow, long_data(), cut);
	scene_feed(s, 0, 0, &f);
}

static void feed_long(struct scene *s, const struct flow *flow, uint32_t id)
{
	for (uint32_t n = 0; n < 3; n++)
		feed_piece(s, flow, n, id);
}

static void bind_all(struct scene *s)
{
	for (uint16_t w = 0; w < s->workers; w++) {
		scene_bind(s, w, OURS4, (uint16_t)(5070 + w));
		scene_bind(s, w, OURS6, (uint16_t)(5070 + w));
	}
}

static void check_long(struct scene *s, const struct flow *flow, uint16_t worker)
{
	struct endpoint peer = endpoint_at(flow->src, flow->src_port);
	const struct heard *heard;

	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	heard = scene_last(s, HEARD_DATAGRAM);
	EXPECT_EQ(worker, heard->worker);
	EXPECT(span_equal(long_data(), span_of(heard->bytes, heard->len)));
	EXPECT(endpoint_same_host(&peer, &heard->peer));
	EXPECT_EQ(flow->src_port, endpoint_port(&heard->peer));
	EXPECT_EQ(flow->dst_port, endpoint_port(&heard->local));
	EXPECT_EQ(0, scene_all_errors(s));
}

static void check_arrives(const char *src, const char *dst)
{
	for (uint16_t w = 0; w < 4; w++) {
		struct flow flow = {src, dst, 5060, (uint16_t)(5070 + w)};
		struct scene *s = scene_ready(&four);

		bind_all(s);
		feed_long(s, &flow, 77);
		scene_turns(s, 4);
		check_long(s, &flow, w);
		EXPECT_EQ(3, SCENE_COUNTER(s, net_fragments_in));
		EXPECT_EQ(1, SCENE_COUNTER(s, net_reassembled));
		EXPECT_EQ(1, SCENE_COUNTER(s, net_udp_in));
		scene_free(s);
	}
}

TEST(fragment, puts_a_3000_byte_datagram_of_a_trusted_peer_together_for_the_right_worker)
{
	check_arrives(PEER4, OURS4);
	check_arrives(FAR4, OURS4);
	check_arrives(PEER6, OURS6);
	check_arrives(FAR6, OURS6);
}

TEST(fragment, takes_pieces_that_came_to_any_queue_in_any_order_and_one_twice)
{
	static const uint32_t order[] = {2, 0, 2, 1};
	struct flow flow = {FAR4, OURS4, 5060, 5071};
	struct scene *s = scene_ready(&four);
	struct frame f;

	bind_all(s);
	for (uint16_t i = 0; i < 4; i++) {
		struct cut cut = {order[i] * PIECE, PIECE, 5};

		frame_udp_fragment(&f, &s->in, &flow, long_data(), cut);
		scene_feed(s, 0, i, &f);
		scene_turns(s, 2);
	}
	scene_turns(s, 4);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_EQ(1, scene_last(s, HEARD_DATAGRAM)->worker);
	EXPECT_EQ(LONG, scene_last(s, HEARD_DATAGRAM)->len);
	scene_free(s);
}

TEST(fragment, calls_nobody_before_run_ready)
{
	struct flow flow = {FAR4, OURS4, 5060, 5070};
	struct scene *s = scene_ready(&plain);

	bind_all(s);
	feed_long(s, &flow, 77);
	for (int i = 0; i < 5; i++)
		stack_receive(s->worker[0].stack);
	EXPECT_EQ(0, s->heard_count);
	EXPECT(!stack_idle(s->worker[0].stack));
	scene_turn(s);
	check_long(s, &flow, 0);
	scene_free(s);
}

static void check_untrusted(const char *src, const char *dst)
{
	struct flow flow = {src, dst, 5060, 5070};
	struct scene *s = scene_ready(&plain);

	bind_all(s);
	feed_long(s, &flow, 77);
	scene_turns(s, 4);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(3, scene_errors(s, GW_IP_FRAGMENT));
	EXPECT_EQ(3, scene_all_errors(s));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(fragment, drops_every_fragment_of_a_source_that_is_not_trusted)
{
	check_untrusted(FOREIGN4, OURS4);
	check_untrusted(STRANGER4, OURS4);
	check_untrusted(FOREIGN6, OURS6);
	check_untrusted(STRANGER6, OURS6);
}

TEST(fragment, does_not_trust_a_peer_any_more_whom_a_later_list_leaves_out)
{
	struct flow flow = {FAR4, OURS4, 5060, 5070};
	struct endpoint peers[] = {endpoint_at(PEER4, 0)};
	struct scene *s = scene_ready(&plain);

	bind_all(s);
	stack_peers(s->worker[0].stack, peers, 1);
	feed_long(s, &flow, 77);
	scene_turns(s, 4);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(3, scene_errors(s, GW_IP_FRAGMENT));
	scene_free(s);
}

static void feed_fragment_of(struct scene *s, const char *src, const char *dst, uint8_t protocol)
{
	struct ip_head head = {.src = ip_of(src),
			       .dst = ip_of(dst),
			       .protocol = protocol,
			       .hop_limit = 64,
			       .fragment = true,
			       .more = true,
			       .id = 9};
	struct frame f;

	frame_ip(&f, &s->in, &head, SPAN("0123456789abcdef01234567"));
	scene_feed(s, 0, 0, &f);
}

TEST(fragment, drops_fragments_of_tcp_icmp_and_other_protocols_of_anybody)
{
	struct scene *s = scene_ready(&plain);

	feed_fragment_of(s, FAR4, OURS4, IPPROTO_TCP);
	feed_fragment_of(s, FAR6, OURS6, IPPROTO_TCP);
	feed_fragment_of(s, FAR4, OURS4, IPPROTO_ICMP);
	feed_fragment_of(s, FAR6, OURS6, IPPROTO_ICMPV6);
	feed_fragment_of(s, FAR4, OURS4, 132);
	feed_fragment_of(s, FAR6, OURS6, IPPROTO_ESP);
	feed_fragment_of(s, FOREIGN4, OURS4, IPPROTO_TCP);
	scene_turns(s, 4);
	EXPECT_EQ(7, scene_all_errors(s));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_run_ms(s, 3000);
	EXPECT_EQ(0, scene_errors(s, GW_IP_REASSEMBLY_TIME)); /* none was kept */
	scene_free(s);
}

static void feed_atomic(struct scene *s, const struct flow *flow)
{
	struct cut cut = {0, 1400, 3};
	struct frame f;

	frame_udp_fragment(&f, &s->in, flow, SPAN("atom"), cut);
	EXPECT_EQ(IPPROTO_FRAGMENT, f.bytes[ETH_LEN + 6]);
	EXPECT_EQ(0, f.bytes[ETH_LEN + IP6_LEN + 3]); /* no offset, no more */
	scene_feed(s, 0, 0, &f);
}

TEST(fragment, takes_an_atomic_fragment_of_a_trusted_peer_and_of_nobody_else)
{
	struct flow flow = {FAR6, OURS6, 5060, 5070}, foreign = {FOREIGN6, OURS6, 5060, 5070};
	struct scene *s = scene_ready(&plain);

	bind_all(s);
	feed_atomic(s, &flow);
	scene_turns(s, 2);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_SPAN("atom", span_of(s->heard[0].bytes, s->heard[0].len));
	feed_atomic(s, &foreign);
	scene_turns(s, 2);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_EQ(1, scene_errors(s, GW_IP_FRAGMENT));
	scene_free(s);
}

TEST(fragment, bounds_a_flood_of_first_fragments_and_recovers)
{
	struct flow flow = {FAR4, OURS4, 5060, 5070};
	struct scene *s = scene_ready(&plain);
	uint64_t full, kept;

	bind_all(s);
	for (uint32_t i = 0; i < 5000; i++) {
		feed_piece(s, &flow, 0, i);
		if (i % 50 == 49)
			scene_turn(s);
	}
	full = scene_errors(s, GW_IP_REASSEMBLY_FULL);
	kept = 5000 - full;
	EXPECT(full > 0 && kept <= 256);
	EXPECT_EQ(0, s->heard_count);
	scene_run_ms(s, 2500);
	EXPECT_EQ(kept, scene_errors(s, GW_IP_REASSEMBLY_TIME));
	scene_forget(s);
	feed_long(s, &flow, 77);
	scene_turns(s, 3);
	check_long(s, &flow, 0);
	scene_free(s);
}

TEST(fragment, bounds_a_flood_of_tiny_fragments)
{
	struct flow flow = {FAR4, OURS4, 5060, 5070};
	struct scene *s = scene_ready(&plain);
	struct frame f;

	bind_all(s);
	for (uint32_t i = 300; i > 0; i--) { /* in reverse, 8 bytes each */
		struct cut cut = {i * 8, 8, 1};

		frame_udp_fragment(&f, &s->in, &flow, long_data(), cut);
		scene_feed(s, 0, 0, &f);
	}
	scene_run_ms(s, 3000);
	EXPECT_EQ(0, s->heard_count);
	EXPECT(scene_errors(s, GW_IP_REASSEMBLY_TIME) <= 1);
	scene_free(s);
}

TEST(fragment, drops_a_datagram_with_an_overlap)
{
	struct flow flow = {FAR4, OURS4, 5060, 5070};
	struct cut overlap = {PIECE - 8, PIECE, 77};
	struct scene *s = scene_ready(&plain);
	struct frame f;

	bind_all(s);
	feed_piece(s, &flow, 0, 77);
	frame_udp_fragment(&f, &s->in, &flow, long_data(), overlap);
	scene_feed(s, 0, 0, &f);
	feed_piece(s, &flow, 1, 77);
	feed_piece(s, &flow, 2, 77);
	scene_turns(s, 4);
	EXPECT_EQ(0, s->heard_count);
	EXPECT(scene_errors(s, GW_IP_FRAGMENT_BAD) >= 1);
	scene_free(s);
}

TEST(fragment, counts_a_datagram_that_did_not_become_whole_in_two_seconds)
{
	struct flow flow = {FAR4, OURS4, 5060, 5070};
	struct scene *s = scene_ready(&plain);

	bind_all(s);
	feed_piece(s, &flow, 0, 77);
	scene_turn(s);
	EXPECT(stack_next_us(s->worker[0].stack) <= s->clock.now_us + REASSEMBLY_US);
	feed_piece(s, &flow, 1, 77);
	scene_run_ms(s, 1900);
	EXPECT_EQ(0, scene_errors(s, GW_IP_REASSEMBLY_TIME));
	scene_run_ms(s, 200);
	EXPECT_EQ(1, scene_errors(s, GW_IP_REASSEMBLY_TIME));
	feed_piece(s, &flow, 2, 77);
	scene_turns(s, 3);
	EXPECT_EQ(0, s->heard_count);
	scene_free(s);
}

TEST(fragment, refuses_a_whole_datagram_with_a_wrong_checksum)
{
	struct flow flow = {FAR4, OURS4, 5060, 5070};
	struct cut second = {PIECE, PIECE, 77};
	struct scene *s = scene_ready(&plain);
	struct frame f;

	bind_all(s);
	feed_piece(s, &flow, 0, 77);
	frame_udp_fragment(&f, &s->in, &flow, long_data(), second);
	f.bytes[200] ^= 1;
	scene_feed(s, 0, 0, &f);
	feed_piece(s, &flow, 2, 77);
	scene_turns(s, 3);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(1, scene_errors(s, GW_UDP_CHECKSUM));
	scene_free(s);
}

TEST(fragment, counts_a_datagram_that_is_for_a_closed_port)
{
	struct flow flow = {FAR4, OURS4, 5060, 9};
	struct scene *s = scene_ready(&plain);

	feed_long(s, &flow, 77);
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_errors(s, GW_UDP_PORT));
	EXPECT_EQ(1, scene_all_errors(s));
	scene_free(s);
}

static void check_sent(const char *src, const char *dst, uint32_t len)
{
	static uint8_t joined[65535];
	struct flow flow = {src, dst, 5070, 5060};
	struct scene *s = scene_ready(&plain);
	uint32_t at = 0, id = 0;
	uint8_t *data = calloc(1, len);

	bind_all(s);
	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 13 + i / 251);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, span_of(data, len)));
	scene_work(s, 0);
	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		struct seen seen = scene_seen_at(s, 0, i);

		EXPECT_EQ(SEEN_FRAGMENT, seen.kind);
		EXPECT(seen.ip.whole.len <= 1500);
		EXPECT_EQ(at, seen.ip.offset);
		EXPECT_EQ(i + 1 < s->port[0]->sent_count, seen.ip.more);
		EXPECT(i == 0 || id == seen.ip.id);
		EXPECT_EQ(IPPROTO_UDP, seen.ip.protocol);
		id = seen.ip.id;
		memcpy(joined + at, seen.ip.payload.at, seen.ip.payload.len);
		at += seen.ip.payload.len;
	}
	EXPECT_EQ(len + 8, at);
	EXPECT_BYTES(data, joined + 8, len);
	EXPECT_EQ(s->port[0]->sent_count, SCENE_COUNTER(s, net_fragments_out));
	EXPECT_EQ(1, SCENE_COUNTER(s, net_udp_out));
	free(data);
	scene_free(s);
}

TEST(fragment, sends_a_datagram_longer_than_the_link_takes_in_fragments)
{
	check_sent(OURS4, FAR4, LONG);
	check_sent(OURS6, FAR6, LONG);
	check_sent(OURS4, FAR4, 1473);
	check_sent(OURS6, FAR6, 1453);
	check_sent(OURS4, PEER4, 65507);
	check_sent(OURS6, PEER6, 60000);
}

TEST(fragment, sends_what_just_fits_whole)
{
	struct flow v4 = {OURS4, FAR4, 5070, 5060}, v6 = {OURS6, FAR6, 5070, 5060};
	struct scene *s = scene_ready(&plain);
	uint8_t data[1472] = {0};

	bind_all(s);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &v4, span_of(data, 1472)));
	EXPECT_EQ(GW_OK, scene_send(s, 0, &v6, span_of(data, 1452)));
	scene_work(s, 0);
	EXPECT_EQ(2, scene_seen(s, 0, SEEN_UDP, NULL));
	EXPECT_EQ(2, s->port[0]->sent_count);
	scene_free(s);
}

TEST(fragment, gives_two_datagrams_different_identifications)
{
	struct flow flow = {OURS4, FAR4, 5070, 5060};
	struct scene *s = scene_ready(&plain);
	struct seen first, second;

	bind_all(s);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, long_data()));
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, long_data()));
	scene_work(s, 0);
	EXPECT_EQ(6, s->port[0]->sent_count);
	first = scene_seen_at(s, 0, 0);
	second = scene_seen_at(s, 0, 3);
	EXPECT(first.ip.id != second.ip.id);
	scene_free(s);
}

TEST(fragment, reassembles_what_it_has_sent_to_itself)
{
	struct flow flow = {OURS4, SECOND4, 5070, 5080};
	struct scene *s = scene_ready(&plain);

	bind_all(s);
	scene_bind(s, 0, SECOND4, 5080);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, span_of(long_data().at, 1400)));
	scene_turns(s, 2);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_EQ(1400, s->heard[0].len);
	scene_free(s);
}

TEST_MAIN("net_stack_fragment",
	  RUN(fragment, puts_a_3000_byte_datagram_of_a_trusted_peer_together_for_the_right_worker),
	  RUN(fragment, takes_pieces_that_came_to_any_queue_in_any_order_and_one_twice),
	  RUN(fragment, calls_nobody_before_run_ready),
	  RUN(fragment, drops_every_fragment_of_a_source_that_is_not_trusted),
	  RUN(fragment, does_not_trust_a_peer_any_more_whom_a_later_list_leaves_out),
	  RUN(fragment, drops_fragments_of_tcp_icmp_and_other_protocols_of_anybody),
	  RUN(fragment, takes_an_atomic_fragment_of_a_trusted_peer_and_of_nobody_else),
	  RUN(fragment, bounds_a_flood_of_first_fragments_and_recovers),
	  RUN(fragment, bounds_a_flood_of_tiny_fragments),
	  RUN(fragment, drops_a_datagram_with_an_overlap),
	  RUN(fragment, counts_a_datagram_that_did_not_become_whole_in_two_seconds),
	  RUN(fragment, refuses_a_whole_datagram_with_a_wrong_checksum),
	  RUN(fragment, counts_a_datagram_that_is_for_a_closed_port),
	  RUN(fragment, sends_a_datagram_longer_than_the_link_takes_in_fragments),
	  RUN(fragment, sends_what_just_fits_whole),
	  RUN(fragment, gives_two_datagrams_different_identifications),
	  RUN(fragment, reassembles_what_it_has_sent_to_itself))
