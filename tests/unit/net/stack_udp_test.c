/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* UDP ports of one worker (RFC 768; RFC 1122 4.1.3). */

static const struct scene_config plain = {0};

static void check_datagram(const struct heard *heard, const struct flow *flow, struct span data)
{
	struct endpoint peer = endpoint_at(flow->src, flow->src_port);
	struct endpoint local = endpoint_at(flow->dst, flow->dst_port);

	EXPECT(endpoint_same_host(&peer, &heard->peer));
	EXPECT_EQ(flow->src_port, endpoint_port(&heard->peer));
	EXPECT(endpoint_same_host(&local, &heard->local));
	EXPECT_EQ(flow->dst_port, endpoint_port(&heard->local));
	EXPECT(span_equal(data, span_of(heard->bytes, heard->len)));
}

TEST(udp, delivers_a_datagram_written_by_hand)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {PEER4, OURS4, 5060, 5070};
	struct frame f;

	scene_bind(s, 0, OURS4, 5070);
	frame_hex(&f, "020000000001 021800000010 0800"
		      "45000021 00004000 40 11 ae9c c612000a c6120001"
		      "13c4 13ce 000d 0840 68656c6c6f 00 000000000000000000000000"); /* padded */
	scene_feed(s, 0, 0, &f);
	stack_receive(s->worker[0].stack);
	EXPECT_EQ(0, s->heard_count); /* not before run_ready */
	EXPECT(!stack_idle(s->worker[0].stack));
	scene_work(s, 0);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	check_datagram(&s->heard[0], &flow, SPAN("hello"));
	EXPECT_EQ(1, SCENE_COUNTER(s, net_udp_in));
	EXPECT_EQ(1, SCENE_COUNTER(s, net_rx_packets));
	EXPECT_EQ(f.len, SCENE_COUNTER(s, net_rx_bytes));
	EXPECT_EQ(0, scene_all_errors(s));
	scene_free(s);
}

TEST(udp, delivers_a_datagram_over_ipv6_and_an_empty_one)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {FAR6, OURS6, 5060, 5070};

	scene_bind(s, 0, OURS6, 5070);
	scene_feed_udp(s, &flow, SPAN("hello"));
	scene_turn(s);
	check_datagram(scene_last(s, HEARD_DATAGRAM), &flow, SPAN("hello"));
	scene_feed_udp(s, &flow, SPAN(""));
	scene_turn(s);
	EXPECT_EQ(2, scene_heard(s, HEARD_DATAGRAM));
	check_datagram(scene_last(s, HEARD_DATAGRAM), &flow, SPAN(""));
	scene_free(s);
}

TEST(udp, delivers_datagrams_of_anybody_since_trust_is_decided_above)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {FOREIGN4, OURS4, 5060, 5070};

	scene_bind(s, 0, OURS4, 5070);
	scene_feed_udp(s, &flow, SPAN("hello"));
	scene_turn(s);
	check_datagram(scene_last(s, HEARD_DATAGRAM), &flow, SPAN("hello"));
	scene_free(s);
}

TEST(udp, keeps_the_order_of_a_burst)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {PEER4, OURS4, 5060, 5070};

	scene_bind(s, 0, OURS4, 5070);
	for (uint8_t i = 0; i < 200; i++)
		scene_feed_udp(s, &flow, span_of(&i, 1));
	scene_turns(s, 10);
	EXPECT_EQ(200, s->heard_count);
	for (uint32_t i = 0; i < 200; i++)
		EXPECT_EQ(i, s->heard[i].bytes[0]);
	scene_free(s);
}

TEST(udp, takes_what_comes_to_any_address_on_a_wildcard_port_of_the_same_family)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {PEER4, SECOND4, 5060, 5070}, v6 = {PEER6, OURS6, 5060, 5070};

	scene_bind(s, 0, "0.0.0.0", 5070);
	scene_feed_udp(s, &flow, SPAN("x"));
	scene_turn(s);
	check_datagram(scene_last(s, HEARD_DATAGRAM), &flow, SPAN("x"));
	scene_feed_udp(s, &v6, SPAN("x"));
	scene_turn(s);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_EQ(1, scene_errors(s, GW_UDP_PORT));
	scene_bind(s, 0, "::", 5070);
	scene_feed_udp(s, &v6, SPAN("x"));
	scene_turn(s);
	check_datagram(scene_last(s, HEARD_DATAGRAM), &v6, SPAN("x"));
	scene_free(s);
}

TEST(udp, takes_only_what_comes_to_the_address_a_port_was_bound_to)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {PEER4, SECOND4, 5060, 5070};

	scene_bind(s, 0, OURS4, 5070);
	scene_feed_udp(s, &flow, SPAN("x"));
	scene_turn(s);
	EXPECT_EQ(0, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_EQ(1, scene_errors(s, GW_UDP_PORT));
	scene_free(s);
}

static void check_port_unreachable(const char *src, const char *dst)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {src, dst, 5060, 9};
	struct endpoint we = endpoint_at(dst, 9), peer = endpoint_at(src, 5060);
	struct icmp_quote quote;
	struct seen seen;

	scene_feed_udp(s, &flow, SPAN("anybody?"));
	scene_turn(s);
	EXPECT_EQ(1, scene_errors(s, GW_UDP_PORT));
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, &seen));
	EXPECT_EQ(ICMP_UNREACHABLE, seen.icmp.kind);
	EXPECT_EQ(seen.ip.v6 ? 1 : 3, seen.ip.payload.at[0]);
	EXPECT_EQ(seen.ip.v6 ? 4 : 3, seen.ip.payload.at[1]);
	quote = icmp_quote_read(seen.icmp.body, seen.ip.v6);
	EXPECT_EQ(GW_OK, quote.err);
	EXPECT(endpoint_same_host(&peer, &quote.src) && endpoint_same_host(&we, &quote.dst));
	EXPECT_EQ(5060, endpoint_port(&quote.src));
	EXPECT_EQ(9, endpoint_port(&quote.dst));
	EXPECT(seen.ip.whole.len <= (seen.ip.v6 ? 1280u : 576u));
	scene_free(s);
}

TEST(udp, tells_a_trusted_peer_that_a_port_is_closed)
{
	check_port_unreachable(PEER4, OURS4);
	check_port_unreachable(FAR4, SECOND4);
	check_port_unreachable(PEER6, OURS6);
	check_port_unreachable(FAR6, OURS6);
}

TEST(udp, quotes_no_more_of_a_long_datagram_than_an_error_may_be_long)
{
	struct scene *s = scene_ready(&plain);
	struct flow v4 = {PEER4, OURS4, 5060, 9}, v6 = {PEER6, OURS6, 5060, 9};
	uint8_t data[1400] = {0};
	struct seen seen;

	scene_feed_udp(s, &v4, span_of(data, sizeof(data)));
	scene_turn(s);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, &seen));
	EXPECT(seen.ip.whole.len <= 576); /* RFC 1812 4.3.2.3 */
	EXPECT(seen.icmp.body.len >= 28); /* RFC 792 */
	scene_feed_udp(s, &v6, span_of(data, sizeof(data)));
	scene_turn(s);
	EXPECT_EQ(2, scene_seen(s, 0, SEEN_ICMP, &seen));
	EXPECT(seen.ip.whole.len <= 1280); /* RFC 4443 2.4 (c) */
	scene_free(s);
}

TEST(udp, does_not_tell_strangers_which_ports_are_closed)
{
	struct scene *s = scene_ready(&plain);
	struct flow far = {FOREIGN4, OURS4, 5060, 9}, near = {STRANGER6, OURS6, 5060, 9};

	scene_feed_udp(s, &far, SPAN("x"));
	scene_feed_udp(s, &near, SPAN("x"));
	scene_turns(s, 3);
	EXPECT_EQ(0, s->port[0]->sent_count);
	EXPECT_EQ(2, scene_errors(s, GW_UDP_PORT));
	scene_free(s);
}

TEST(udp, tells_of_closed_ports_a_hundred_times_a_second_at_most)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {PEER4, OURS4, 5060, 9};
	uint32_t told;

	for (int i = 0; i < 500; i++) {
		scene_feed_udp(s, &flow, SPAN("x"));
		scene_turn(s);
	}
	told = scene_seen(s, 0, SEEN_ICMP, NULL);
	EXPECT(told >= 50 && told <= 150);
	EXPECT_EQ(500, scene_errors(s, GW_UDP_PORT));
	scene_free(s);
}

TEST(udp, drops_malformed_datagrams)
{
	struct scene *s = scene_ready(&plain);
	struct ip_head head = {.src = ip_of(PEER4),
			       .dst = ip_of(OURS4),
			       .protocol = IPPROTO_UDP,
			       .hop_limit = 64};
	static const struct {
		const char *bytes;
		uint32_t len;
	} bad[] = {
		{"\x13\xc4\x13\xce\x00\x0d", 6},	       /* cut header */
		{"\x13\xc4\x13\xce\x00\x07\x00\x00hello", 13}, /* length below 8 */
		{"\x13\xc4\x13\xce\x00\x0e\x00\x00hello", 13}, /* length past the packet */
		{"\x00\x00\x13\xce\x00\x0d\x00\x00hello", 13}, /* source port 0 */
		{"\x13\xc4\x00\x00\x00\x0d\x00\x00hello", 13}, /* destination port 0 */
		{"\x13\xc4\x13\xce\x00\x0d\x12\x34hello", 13}, /* checksum */
	};
	struct frame f;

	scene_bind(s, 0, OURS4, 5070);
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		frame_ip(&f, &s->in, &head, span_of(bad[i].bytes, bad[i].len));
		scene_feed(s, 0, 0, &f);
	}
	scene_turn(s);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(5, scene_errors(s, GW_UDP));
	EXPECT_EQ(1, scene_errors(s, GW_UDP_CHECKSUM));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(udp, accepts_ipv4_without_a_checksum_but_not_ipv6)
{
	struct scene *s = scene_ready(&plain);
	struct ip_head head = {.src = ip_of(PEER4),
			       .dst = ip_of(OURS4),
			       .protocol = IPPROTO_UDP,
			       .hop_limit = 64};
	struct frame f;

	scene_bind(s, 0, OURS4, 5070);
	scene_bind(s, 0, OURS6, 5070);
	frame_ip(&f, &s->in, &head, SPAN("\x13\xc4\x13\xce\x00\x09\x00\x00h"));
	scene_feed(s, 0, 0, &f);
	head.src = ip_of(PEER6);
	head.dst = ip_of(OURS6);
	frame_ip(&f, &s->in, &head, SPAN("\x13\xc4\x13\xce\x00\x09\x00\x00h"));
	scene_feed(s, 0, 0, &f);
	scene_turn(s);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_EQ(1, scene_errors(s, GW_UDP_CHECKSUM)); /* RFC 8200 8.1 */
	scene_free(s);
}

TEST(udp, drops_protocols_and_frames_it_does_not_serve)
{
	struct scene *s = scene_ready(&plain);
	struct ip_head head = {.src = ip_of(PEER4),
			       .dst = ip_of(OURS4),
			       .protocol = 132, /* SCTP */
			       .hop_limit = 64};
	struct frame f;

	frame_ip(&f, &s->in, &head, SPAN("0123456789abcdef"));
	scene_feed(s, 0, 0, &f);
	frame_hex(&f, "020000000001 0218000000fe 88cc 0207 04 020000000002");
	scene_feed(s, 0, 0, &f);
	frame_hex(&f, "020000000001 0218000000");
	scene_feed(s, 0, 0, &f);
	scene_turn(s);
	EXPECT_EQ(1, scene_errors(s, GW_IP_PROTOCOL));
	EXPECT_EQ(1, scene_errors(s, GW_ETH_TYPE));
	EXPECT_EQ(1, scene_errors(s, GW_ETH_SHORT));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(udp, sends_a_datagram_as_it_stands_on_the_wire)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {OURS4, PEER4, 5070, 5060};
	struct span sent;
	struct frame f;

	scene_bind(s, 0, OURS4, 5070);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, SPAN("hello")));
	scene_work(s, 0);
	sent = pipe_sent_frame(s->port[0], 0);
	frame_hex(&f, "021800000010 020000000001 0800 45");
	EXPECT_BYTES(f.bytes, sent.at, f.len);
	EXPECT_EQ(0x40, sent.at[20]); /* DF, offset 0 */
	EXPECT_EQ(0, sent.at[21]);
	EXPECT_EQ(0, sent.at[18] << 8 | sent.at[19]); /* ID 0 with DF: TCP.md 5.13 */
	EXPECT_EQ(17, sent.at[23]);
	frame_hex(&f, "c6120001 c612000a 13ce 13c4 000d 0840 68656c6c6f");
	EXPECT_BYTES(f.bytes, sent.at + 26, f.len);
	EXPECT_EQ(1, SCENE_COUNTER(s, net_udp_out));
	EXPECT_EQ(1, SCENE_COUNTER(s, net_tx_packets));
	EXPECT_EQ(sent.len, SCENE_COUNTER(s, net_tx_bytes));
	scene_free(s);
}

TEST(udp, answers_over_ipv6_through_the_gateway)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {OURS6, FAR6, 5070, 5060};
	struct seen seen;

	scene_bind(s, 0, "::", 5070);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, SPAN("hello")));
	scene_work(s, 0);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_UDP, &seen));
	EXPECT_BYTES(scene_station_of(s, GATEWAY6)->mac, seen.eth.dst, 6);
	EXPECT_SPAN("hello", seen.udp.payload);
	EXPECT_EQ(5070, seen.udp.src_port);
	scene_free(s);
}

TEST(udp, sends_to_itself)
{
	struct scene *s = scene_ready(&plain);
	struct flow v4 = {OURS4, SECOND4, 5070, 5080}, v6 = {OURS6, OURS6, 5070, 5070};

	scene_bind(s, 0, "0.0.0.0", 5070);
	scene_bind(s, 0, SECOND4, 5080);
	scene_bind(s, 0, OURS6, 5070);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &v4, SPAN("four")));
	EXPECT_EQ(0, s->heard_count);
	scene_turns(s, 2);
	EXPECT_EQ(1, s->heard_count);
	check_datagram(&s->heard[0], &v4, SPAN("four"));
	EXPECT_EQ(GW_OK, scene_send(s, 0, &v6, SPAN("six")));
	scene_turns(s, 2);
	check_datagram(scene_last(s, HEARD_DATAGRAM), &v6, SPAN("six"));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(udp, sends_by_the_port_that_has_the_link_of_the_peer)
{
	struct scene_config config = {.ports = 2};
	struct scene *s = scene_ready(&config);
	struct flow flow = {OTHER_LINK4, OTHER_PEER4, 5070, 5060};
	struct seen seen;

	scene_bind(s, 0, "0.0.0.0", 5070);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, SPAN("x")));
	scene_work(s, 0);
	EXPECT_EQ(1, scene_seen(s, 1, SEEN_UDP, &seen));
	EXPECT_EQ(0, scene_seen(s, 0, SEEN_UDP, NULL));
	EXPECT_BYTES(scene_station_of(s, OTHER_PEER4)->mac, seen.eth.dst, 6);
	scene_free(s);
}

TEST(udp, says_why_it_cannot_send)
{
	struct scene_config config = {.no_gateway = true};
	struct scene *s = scene_ready(&config);
	static uint8_t longest[65535];
	struct flow flow = {OURS4, PEER4, 5070, 5060}, far = {OURS4, FAR4, 5070, 5060};
	struct flow far6 = {OURS6, FAR6, 5070, 5060}, stranger = {OURS4, STRANGER4, 5070, 5060};

	EXPECT_EQ(GW_SYSTEM, scene_send(s, 0, &flow, SPAN("x")));
	scene_bind(s, 0, OURS4, 5070);
	scene_bind(s, 0, OURS6, 5070);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, SPAN("x")));
	EXPECT_EQ(GW_NET_NO_ROUTE, scene_send(s, 0, &far, SPAN("x")));
	EXPECT_EQ(GW_NET_NO_ROUTE, scene_send(s, 0, &far6, SPAN("x")));
	EXPECT_EQ(GW_NET_NO_ROUTE, scene_send(s, 0, &stranger, SPAN("x"))); /* never asked for */
	EXPECT_EQ(GW_NET_TOO_BIG, scene_send(s, 0, &flow, span_of(longest, 65508)));
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, span_of(longest, 65507)));
	flow.src_port = 5071;
	EXPECT_EQ(GW_SYSTEM, scene_send(s, 0, &flow, SPAN("x")));
	flow = (struct flow){SECOND4, PEER4, 5070, 5060};
	EXPECT_EQ(GW_SYSTEM, scene_send(s, 0, &flow, SPAN("x")));
	flow = (struct flow){OURS4, PEER6, 5070, 5060}; /* another family */
	EXPECT(scene_send(s, 0, &flow, SPAN("x")) != GW_OK);
	scene_free(s);
}

TEST(udp, does_not_send_to_groups_loopback_or_nowhere)
{
	struct scene *s = scene_ready(&plain);
	static const char *const never[] = {"224.0.0.1", "255.255.255.255", "198.18.0.255",
					    "127.0.0.1", "0.0.0.0"};

	scene_bind(s, 0, OURS4, 5070);
	for (uint32_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct flow flow = {OURS4, never[i], 5070, 5060};

		EXPECT(scene_send(s, 0, &flow, SPAN("x")) != GW_OK);
	}
	scene_turns(s, 3);
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(udp, does_not_queue_for_a_hop_that_has_not_answered)
{
	struct scene *s = scene_new(&plain);
	struct flow flow = {OURS4, PEER4, 5070, 5060};

	scene_station_of(s, PEER4)->silent = true;
	scene_bind(s, 0, OURS4, 5070);
	scene_turn(s);
	EXPECT_EQ(GW_NET_UNRESOLVED, scene_send(s, 0, &flow, SPAN("x")));
	scene_run_ms(s, 5000); /* asked for three times: as a kernel's "host unreachable" */
	EXPECT_EQ(GW_NET_NO_ROUTE, scene_send(s, 0, &flow, SPAN("x")));
	scene_station_of(s, PEER4)->silent = false;
	scene_run_ms(s, 2000);
	EXPECT_EQ(0, scene_seen(s, 0, SEEN_UDP, NULL));
	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow, SPAN("x")));
	scene_free(s);
}

/* A user who answers himself, for ever. */
struct own {
	struct scene *scene;
	uint32_t heard;
};

static void on_own(void *context, const struct endpoint *local, const struct endpoint *peer,
		   struct span bytes)
{
	struct own *own = context;

	own->heard++;
	EXPECT_EQ(GW_OK, stack_udp_send(own->scene->worker[0].stack, local, local, bytes));
}

static void on_nothing(void *context, const struct endpoint *peer)
{
}

TEST(udp, gives_a_turn_an_end_when_a_user_writes_to_himself)
{
	static const struct udp_ops ops = {.datagram = on_own, .unreachable = on_nothing};
	struct endpoint local = endpoint_at(OURS4, 5070);
	struct scene *s = scene_ready(&plain);
	struct own own = {.scene = s};

	EXPECT_EQ(GW_OK, stack_udp_bind(s->worker[0].stack, &local, &ops, &own));
	EXPECT_EQ(GW_OK, stack_udp_send(s->worker[0].stack, &local, &local, SPAN("x")));
	scene_work(s, 0);
	EXPECT_EQ(1, own.heard);
	EXPECT(!stack_idle(s->worker[0].stack));
	scene_turns(s, 10);
	EXPECT_EQ(11, own.heard);
	scene_free(s);
}

static const struct udp_ops none;

TEST(udp, refuses_a_port_that_is_taken_or_not_ours_and_more_than_it_has_room_for)
{
	struct scene *s = scene_ready(&plain);
	struct endpoint local = endpoint_at(OURS4, 5070);

	scene_bind(s, 0, OURS4, 5070);
	EXPECT_EQ(GW_SYSTEM, stack_udp_bind(s->worker[0].stack, &local, &none, NULL));
	local = endpoint_at(PEER4, 5070);
	EXPECT_EQ(GW_SYSTEM, stack_udp_bind(s->worker[0].stack, &local, &none, NULL));
	for (uint16_t i = 1; i < STACK_PORTS; i++)
		scene_bind(s, 0, OURS4, (uint16_t)(5070 + i));
	local = endpoint_at(OURS4, 6000);
	EXPECT_EQ(GW_POOL_EMPTY, stack_udp_bind(s->worker[0].stack, &local, &none, NULL));
	scene_free(s);
}

TEST_MAIN("net_stack_udp", RUN(udp, delivers_a_datagram_written_by_hand),
	  RUN(udp, delivers_a_datagram_over_ipv6_and_an_empty_one),
	  RUN(udp, delivers_datagrams_of_anybody_since_trust_is_decided_above),
	  RUN(udp, keeps_the_order_of_a_burst),
	  RUN(udp, takes_what_comes_to_any_address_on_a_wildcard_port_of_the_same_family),
	  RUN(udp, takes_only_what_comes_to_the_address_a_port_was_bound_to),
	  RUN(udp, tells_a_trusted_peer_that_a_port_is_closed),
	  RUN(udp, quotes_no_more_of_a_long_datagram_than_an_error_may_be_long),
	  RUN(udp, does_not_tell_strangers_which_ports_are_closed),
	  RUN(udp, tells_of_closed_ports_a_hundred_times_a_second_at_most),
	  RUN(udp, drops_malformed_datagrams),
	  RUN(udp, accepts_ipv4_without_a_checksum_but_not_ipv6),
	  RUN(udp, drops_protocols_and_frames_it_does_not_serve),
	  RUN(udp, sends_a_datagram_as_it_stands_on_the_wire),
	  RUN(udp, answers_over_ipv6_through_the_gateway), RUN(udp, sends_to_itself),
	  RUN(udp, sends_by_the_port_that_has_the_link_of_the_peer),
	  RUN(udp, says_why_it_cannot_send), RUN(udp, does_not_send_to_groups_loopback_or_nowhere),
	  RUN(udp, does_not_queue_for_a_hop_that_has_not_answered),
	  RUN(udp, gives_a_turn_an_end_when_a_user_writes_to_himself),
	  RUN(udp, refuses_a_port_that_is_taken_or_not_ours_and_more_than_it_has_room_for))
