/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_layer.h"

#include "net/stack.h"

/* What the layer of TCP has of a stack (net.h): segments in, segments out, ways. */

static const struct scene_config plain = {0};
static const struct flow in4 = {FOREIGN4, OURS4, 40000, 443}, in6 = {FOREIGN6, OURS6, 40000, 443};
static const struct flow out4 = {OURS4, FOREIGN4, 443, 40000}, out6 = {OURS6, FOREIGN6, 443, 40000};

static struct layer *layer_ready(const struct scene_config *config)
{
	return layer_new(scene_ready(config));
}

static bool is_address(const char *text, const struct ip_address *seen)
{
	struct ip_address expected = ip_of(text);

	return ip_address_equal(&expected, seen);
}

/* ---- in ----------------------------------------------------------------------------------------
 */

static void check_in(const struct scene_config *config, const struct flow *flow)
{
	struct layer *l = layer_ready(config);
	const struct told *told;

	layer_feed(l, 0, flow, SPAN("hello"));
	stack_receive(l->s->worker[0].stack);
	told = layer_only(l);
	EXPECT_EQ(CLAIM_ANY, told->claim);
	EXPECT(is_address(flow->dst, &told->local) && is_address(flow->src, &told->remote));
	EXPECT_EQ(flow->src_port, told->tcp.src_port);
	EXPECT_EQ(flow->dst_port, told->tcp.dst_port);
	EXPECT_EQ(1000, told->tcp.seq);
	EXPECT_EQ(8, told->tcp.options.ts_echo);
	EXPECT_SPAN("hello", told->tcp.payload);
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

TEST(stack_tcp, gives_a_segment_to_the_layer_in_receive)
{
	struct scene_config vlan = {.vlan = 100};

	check_in(&plain, &in4);
	check_in(&plain, &in6);
	check_in(&vlan, &in4);
}

TEST(stack_tcp, has_no_port_open_without_a_layer)
{
	struct scene *s = scene_ready(&plain);
	struct layer *l = layer_new(s);

	stack_tcp(s->worker[0].stack, NULL, NULL);
	layer_feed(l, 0, &in4, SPAN("hello"));
	scene_turn(s);
	EXPECT_EQ(0, l->count);
	EXPECT_EQ(1, scene_errors(s, GW_TCP_PORT));
	layer_free(l);
}

TEST(stack_tcp, refuses_what_is_malformed_or_wrongly_summed)
{
	struct layer *l = layer_ready(&plain);
	struct tcp_packet tcp = {.flags = TCP_SYN, .payload = SPAN("data")};
	struct flow nowhere = {FOREIGN4, OURS4, 40000, 0};
	struct frame f;

	layer_feed(l, 0, &nowhere, SPAN(""));
	frame_tcp(&f, &l->s->in, &in6, &tcp);
	f.bytes[f.len - 1] ^= 1;
	scene_feed(l->s, 0, 0, &f);
	scene_turn(l->s);
	EXPECT_EQ(1, scene_errors(l->s, GW_TCP));
	EXPECT_EQ(1, scene_errors(l->s, GW_TCP_CHECKSUM));
	EXPECT_EQ(2, scene_all_errors(l->s));
	EXPECT_EQ(0, l->count);
	layer_free(l);
}

/* TCP.md 4.4, of all that a device may say of both sums. */
static void check_matrix(enum packet_checksum ip, enum packet_checksum l4, bool ip_right,
			 bool l4_right)
{
	struct layer *l = layer_ready(&plain);
	struct tcp_packet tcp = {.flags = TCP_ACK, .payload = SPAN("data")};
	bool ip_taken = ip == PACKET_CHECKSUM_GOOD || (ip != PACKET_CHECKSUM_BAD && ip_right);
	bool l4_taken = l4 == PACKET_CHECKSUM_GOOD || l4 == PACKET_CHECKSUM_NONE ||
			(l4 == PACKET_CHECKSUM_UNKNOWN && l4_right);
	struct frame f;

	frame_tcp(&f, &l->s->in, &in4, &tcp);
	f.bytes[ETH_LEN + 10] ^= !ip_right;
	f.bytes[f.len - 1] ^= !l4_right;
	pipe_feed_checked(l->s->port[0], 0, frame_span(&f), ip, l4);
	scene_turn(l->s);
	EXPECT_EQ(ip_taken && l4_taken, l->count);
	EXPECT_EQ(!ip_taken, scene_errors(l->s, GW_IP_CHECKSUM));
	EXPECT_EQ(ip_taken && !l4_taken, scene_errors(l->s, GW_TCP_CHECKSUM));
	layer_free(l);
}

TEST(stack_tcp, judges_the_sums_as_the_device_says)
{
	for (uint32_t i = 0; i < 16; i++)
		for (uint32_t right = 0; right < 4; right++)
			check_matrix((enum packet_checksum)(i / 4), (enum packet_checksum)(i % 4),
				     (right & 1) != 0, (right & 2) != 0);
}

TEST(stack_tcp, gives_the_packet_to_who_takes_it_with_the_payload_a_part_of_it)
{
	struct layer *l = layer_ready(&plain);
	struct rte_mbuf *packet;

	l->worker[0].takes = true;
	layer_feed(l, 0, &in4, SPAN("hello"));
	layer_feed(l, 0, &in6, SPAN("world"));
	scene_turns(l->s, 3);
	EXPECT_EQ(2, l->worker[0].kept_count);
	packet = l->worker[0].kept[0];
	EXPECT_SPAN("hello", span_from(packet_span(packet), packet_len(packet) - 5));
	packet = l->worker[0].kept[1];
	EXPECT_SPAN("world", span_from(packet_span(packet), packet_len(packet) - 5));
	layer_free(l); /* which counts the packets */
}

TEST(stack_tcp, leaves_the_padding_of_ethernet_out)
{
	struct layer *l = layer_ready(&plain);
	struct tcp_packet tcp = {.flags = TCP_ACK};
	struct frame f;

	frame_tcp(&f, &l->s->in, &in4, &tcp);
	memset(f.bytes + f.len, 0xee, 6);
	f.len += 6;
	scene_feed(l->s, 0, 0, &f);
	scene_turn(l->s);
	EXPECT_EQ(0, layer_only(l)->tcp.payload.len);
	layer_free(l);
}

TEST(stack_tcp, drops_every_fragment)
{
	struct layer *l = layer_ready(&plain);
	struct ip_head head = {.src = ip_of(PEER4),
			       .dst = ip_of(OURS4),
			       .protocol = IPPROTO_TCP,
			       .hop_limit = 64,
			       .fragment = true,
			       .more = true};
	static const uint8_t zeros[64];
	struct frame f;

	frame_ip(&f, &l->s->in, &head, span_of(zeros, sizeof(zeros)));
	scene_feed(l->s, 0, 0, &f);
	scene_turn(l->s);
	EXPECT_EQ(0, l->count);
	EXPECT_EQ(1, scene_errors(l->s, GW_IP_FRAGMENT));
	layer_free(l);
}

/* ---- after a long turn (TCP.md 4.1) ------------------------------------------------------------
 */

#define USUAL (STACK_BURST * STACK_BURSTS)
#define WAITING 1000u

static uint32_t received_after(uint64_t us)
{
	struct layer *l = layer_ready(&plain);
	struct stack *stack = l->s->worker[0].stack;
	uint32_t count;

	stack_receive(stack);
	for (uint32_t i = 0; i < WAITING; i++)
		layer_feed(l, 0, &in4, SPAN(""));
	l->s->clock.now_us += us;
	stack_receive(stack);
	count = l->count;
	layer_free(l);
	return count;
}

TEST(stack_tcp, takes_all_that_has_come_after_a_turn_of_more_than_5_ms)
{
	EXPECT_EQ(USUAL, received_after(1000));
	EXPECT_EQ(USUAL, received_after(5000));
	EXPECT_EQ(WAITING, received_after(5001));
}

TEST(stack_tcp, is_late_for_one_turn_only)
{
	struct layer *l = layer_ready(&plain);
	struct stack *stack = l->s->worker[0].stack;

	l->s->clock.now_us += 6000;
	stack_receive(stack);
	for (uint32_t i = 0; i < WAITING; i++)
		layer_feed(l, 0, &in4, SPAN(""));
	l->s->clock.now_us += 100;
	stack_receive(stack);
	EXPECT_EQ(USUAL, l->count);
	layer_free(l);
}

/* ---- out ---------------------------------------------------------------------------------------
 */

static struct seen only_sent(struct layer *l, uint32_t port)
{
	struct seen seen;

	scene_work(l->s, 0);
	EXPECT_EQ(1, scene_seen(l->s, port, SEEN_TCP, &seen));
	EXPECT_EQ(1, l->s->port[port]->sent_count);
	return seen;
}

static void check_out(const struct scene_config *config, const struct flow *flow,
		      const char *next_hop)
{
	struct layer *l = layer_ready(config);
	struct seen seen;

	EXPECT_EQ(GW_OK, layer_send(l, 0, flow, SPAN("hello")));
	seen = only_sent(l, 0);
	EXPECT_BYTES(scene_station_of(l->s, next_hop)->mac, seen.eth.dst, 6);
	EXPECT_EQ(64, seen.ip.hop_limit);
	EXPECT_EQ(0, seen.ip.id);
	EXPECT(is_address(flow->src, &seen.ip.src) && is_address(flow->dst, &seen.ip.dst));
	EXPECT_EQ(443, seen.tcp.src_port);
	EXPECT_EQ(40000, seen.tcp.dst_port);
	EXPECT_EQ(1000, seen.tcp.seq);
	EXPECT_EQ(2000, seen.tcp.ack);
	EXPECT_EQ(TCP_ACK | TCP_PSH, seen.tcp.flags);
	EXPECT_EQ(7, seen.tcp.options.ts_value);
	EXPECT_SPAN("hello", seen.tcp.payload);
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

TEST(stack_tcp, sends_a_segment_by_the_configured_next_hop)
{
	struct scene_config vlan = {.vlan = 100};
	struct flow peer4 = {SECOND4, PEER4, 443, 40000}, peer6 = {OURS6, PEER6, 443, 40000};

	check_out(&plain, &out4, GATEWAY4);
	check_out(&plain, &out6, GATEWAY6);
	check_out(&vlan, &out4, GATEWAY4);
	check_out(&plain, &peer4, PEER4);
	check_out(&plain, &peer6, PEER6);
}

TEST(stack_tcp, sends_to_a_stranger_on_the_link_by_the_gateway_and_asks_for_nobody)
{
	struct flow stranger4 = {OURS4, STRANGER4, 443, 40000};
	struct flow stranger6 = {OURS6, STRANGER6, 443, 40000};

	check_out(&plain, &stranger4, GATEWAY4);
	check_out(&plain, &stranger6, GATEWAY6);
}

static void check_no_route(const struct scene_config *config, const char *src, const char *dst)
{
	struct flow flow = {src, dst, 443, 40000};
	struct layer *l = layer_ready(config);
	struct ip_address local = ip_of(src), remote = ip_of(dst);
	uint16_t mtu = 7;

	EXPECT_EQ(GW_NET_NO_ROUTE, layer_send(l, 0, &flow, SPAN("hello")));
	EXPECT_EQ(GW_NET_NO_ROUTE, stack_tcp_route(l->s->worker[0].stack, &local, &remote, &mtu));
	EXPECT_EQ(7, mtu);
	scene_turn(l->s);
	EXPECT_EQ(0, l->s->port[0]->sent_count);
	EXPECT_EQ(0, scene_all_errors(l->s)); /* the caller counts */
	layer_free(l);
}

TEST(stack_tcp, has_no_way_to_what_is_no_other_host)
{
	struct scene_config two = {.ports = 2}, alone = {.no_gateway = true};

	check_no_route(&plain, OURS4, "224.0.0.1");
	check_no_route(&plain, OURS4, "255.255.255.255");
	check_no_route(&plain, OURS4, "198.18.0.255");
	check_no_route(&plain, OURS4, "127.0.0.1");
	check_no_route(&plain, OURS4, "0.0.0.0");
	check_no_route(&plain, OURS6, "ff02::1");
	check_no_route(&plain, OURS6, "::1");
	check_no_route(&plain, OURS6, "fe80::77");
	check_no_route(&plain, OURS4, OURS4);
	check_no_route(&plain, OURS4, SECOND4);
	check_no_route(&two, OURS4, OTHER_LINK4);
	check_no_route(&plain, OURS4, FOREIGN6);
	check_no_route(&plain, FOREIGN4, PEER4);
	check_no_route(&alone, OURS4, FOREIGN4);
	check_no_route(&alone, OURS4, STRANGER4);
}

TEST(stack_tcp, waits_for_a_next_hop_that_has_not_answered_yet)
{
	struct layer *l = layer_new(scene_new(&plain));
	struct ip_address local = ip_of("0.0.0.0"), remote = ip_of(FOREIGN4);
	uint16_t mtu = 0;

	scene_work(l->s, 0);
	EXPECT_EQ(GW_NET_UNRESOLVED, layer_send(l, 0, &out4, SPAN("hello")));
	EXPECT_EQ(GW_NET_UNRESOLVED, stack_tcp_route(l->s->worker[0].stack, &local, &remote, &mtu));
	EXPECT_EQ(1500, mtu);
	EXPECT(is_address(OURS4, &local));
	scene_turns(l->s, 10);
	EXPECT_EQ(GW_OK, layer_send(l, 0, &out4, SPAN("hello")));
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

TEST(stack_tcp, copies_nothing_when_the_backlog_has_no_room)
{
	struct layer *l = layer_ready(&plain);
	struct rte_mempool *pool = l->s->worker[0].stack->pool;

	l->s->port[0]->takes = 0;
	for (uint32_t i = 0; i < STACK_BACKLOG; i++)
		EXPECT_EQ(GW_OK, layer_send(l, 0, &out4, SPAN("hello")));
	pool->count = packet_pool_live(pool); /* a packet more would not be there */
	EXPECT_EQ(GW_NET_TX_FULL, layer_send(l, 0, &out4, SPAN("hello")));
	l->s->port[0]->takes = 1;
	stack_transmit(l->s->worker[0].stack);
	EXPECT_EQ(GW_OK, layer_send(l, 0, &out4, SPAN("hello")));
	EXPECT_EQ(GW_NET_TX_FULL, layer_send(l, 0, &out4, SPAN("hello")));
	EXPECT_EQ(0, scene_all_errors(l->s));
	l->s->port[0]->takes = UINT32_MAX;
	layer_free(l);
}

TEST(stack_tcp, offers_a_full_backlog_to_the_device_before_it_refuses)
{
	struct layer *l = layer_ready(&plain);

	for (uint32_t i = 0; i < 2 * STACK_BACKLOG; i++)
		EXPECT_EQ(GW_OK, layer_send(l, 0, &out4, SPAN("hello")));
	EXPECT_EQ(STACK_BACKLOG, l->s->port[0]->sent_count);
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

TEST(stack_tcp, says_so_when_no_packet_is_left)
{
	struct layer *l = layer_ready(&plain);

	l->s->worker[0].stack->pool->count = 0;
	EXPECT_EQ(GW_NET_NO_PACKET, layer_send(l, 0, &out4, SPAN("hello")));
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

TEST(stack_tcp, sends_what_the_link_takes_and_no_byte_more)
{
	static const uint8_t zeros[1500 - IP4_LEN - TCP_LEN - 12 + 1];
	struct layer *l = layer_ready(&plain);

	EXPECT_EQ(GW_NET_TOO_BIG, layer_send(l, 0, &out4, span_of(zeros, sizeof(zeros))));
	EXPECT_EQ(GW_OK, layer_send(l, 0, &out4, span_of(zeros, sizeof(zeros) - 1)));
	EXPECT_EQ(1500, only_sent(l, 0).ip.whole.len);
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

static void check_offload(const struct flow *flow)
{
	struct scene_config config = {.l4_offload = true, .ip_offload = true, .vlan = 7};
	struct layer *l = layer_ready(&config);
	const struct pipe_sent *sent;
	struct seen seen;
	uint64_t pseudo;

	EXPECT_EQ(GW_OK, layer_send(l, 0, flow, SPAN("hello")));
	seen = only_sent(l, 0);
	sent = &l->s->port[0]->sent[0];
	EXPECT_EQ(IPPROTO_TCP, sent->offload.l4_protocol);
	EXPECT_EQ(18, sent->offload.l2_len);
	EXPECT_EQ(seen.ip.v6 ? 40 : 20, sent->offload.l3_len);
	EXPECT_EQ(!seen.ip.v6, sent->offload.ip_checksum);
	pseudo = checksum_pseudo(&seen.ip.src, &seen.ip.dst, IPPROTO_TCP, seen.ip.payload.len);
	EXPECT_EQ((uint16_t)~checksum_fold(pseudo),
		  span_at(seen.ip.payload, 16) << 8 | span_at(seen.ip.payload, 17));
	layer_free(l);
}

TEST(stack_tcp, leaves_the_sum_to_a_device_that_makes_it)
{
	check_offload(&out4);
	check_offload(&out6);
}

/* ---- ways --------------------------------------------------------------------------------------
 */

static void check_route(const struct scene_config *config, const char *local, const char *remote,
			const char *expected, uint16_t mtu)
{
	struct layer *l = layer_ready(config);
	struct ip_address from = ip_of(local), to = ip_of(remote);
	uint16_t seen = 0;

	EXPECT_EQ(GW_OK, stack_tcp_route(l->s->worker[0].stack, &from, &to, &seen));
	EXPECT(is_address(expected, &from));
	EXPECT_EQ(mtu, seen);
	layer_free(l);
}

TEST(stack_tcp, chooses_the_address_of_the_way)
{
	struct scene_config two = {.ports = 2, .mtu = 1400};

	check_route(&plain, "0.0.0.0", FOREIGN4, OURS4, 1500);
	check_route(&plain, "::", FOREIGN6, OURS6, 1500);
	check_route(&plain, "::", STRANGER4, OURS4, 1500);
	check_route(&plain, SECOND4, FOREIGN4, SECOND4, 1500);
	check_route(&two, "0.0.0.0", OTHER_PEER4, OTHER_LINK4, 1400);
	check_route(&two, "0.0.0.0", FOREIGN4, OURS4, 1400);
}

TEST_MAIN("net_stack_tcp", RUN(stack_tcp, gives_a_segment_to_the_layer_in_receive),
	  RUN(stack_tcp, has_no_port_open_without_a_layer),
	  RUN(stack_tcp, refuses_what_is_malformed_or_wrongly_summed),
	  RUN(stack_tcp, judges_the_sums_as_the_device_says),
	  RUN(stack_tcp, gives_the_packet_to_who_takes_it_with_the_payload_a_part_of_it),
	  RUN(stack_tcp, leaves_the_padding_of_ethernet_out), RUN(stack_tcp, drops_every_fragment),
	  RUN(stack_tcp, takes_all_that_has_come_after_a_turn_of_more_than_5_ms),
	  RUN(stack_tcp, is_late_for_one_turn_only),
	  RUN(stack_tcp, sends_a_segment_by_the_configured_next_hop),
	  RUN(stack_tcp, sends_to_a_stranger_on_the_link_by_the_gateway_and_asks_for_nobody),
	  RUN(stack_tcp, has_no_way_to_what_is_no_other_host),
	  RUN(stack_tcp, waits_for_a_next_hop_that_has_not_answered_yet),
	  RUN(stack_tcp, copies_nothing_when_the_backlog_has_no_room),
	  RUN(stack_tcp, offers_a_full_backlog_to_the_device_before_it_refuses),
	  RUN(stack_tcp, says_so_when_no_packet_is_left),
	  RUN(stack_tcp, sends_what_the_link_takes_and_no_byte_more),
	  RUN(stack_tcp, leaves_the_sum_to_a_device_that_makes_it),
	  RUN(stack_tcp, chooses_the_address_of_the_way))
