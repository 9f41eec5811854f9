/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* VLAN, the addresses of frames and packets, and the matrix of checksums (TCP.md 4.4, 8.7). */

static const struct scene_config plain = {0};
static const struct scene_config tagged = {.vlan = 100};
static const struct flow flow4 = {PEER4, OURS4, 5060, 5070};
static const struct flow flow6 = {PEER6, OURS6, 5060, 5070};

static struct scene *listening(const struct scene_config *config)
{
	struct scene *s = scene_ready(config);

	scene_bind(s, 0, "0.0.0.0", 5070);
	scene_bind(s, 0, "::", 5070);
	return s;
}

static void feed(struct scene *s, const struct envelope *e, const struct flow *flow)
{
	struct frame f;

	frame_udp(&f, e, flow, SPAN("hello"));
	scene_feed(s, 0, 0, &f);
}

/* ---- VLAN ------------------------------------------------------------------------------------ */

TEST(vlan, takes_and_sends_frames_with_its_tag)
{
	struct flow back = {OURS4, PEER4, 5070, 5060};
	struct scene *s = listening(&tagged); /* resolved: ARP and NDP are tagged too */
	struct seen seen;

	feed(s, &s->in, &flow4);
	feed(s, &s->in, &flow6);
	scene_turns(s, 2);
	EXPECT_EQ(2, s->heard_count);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &back, SPAN("x")));
	scene_turn(s);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_UDP, &seen));
	EXPECT_EQ(100, seen.eth.vlan);
	EXPECT_EQ(0x8100, pipe_sent_frame(s->port[0], 0).at[12] << 8 |
				  pipe_sent_frame(s->port[0], 0).at[13]);
	scene_free(s);
}

TEST(vlan, drops_frames_with_another_tag_or_none)
{
	struct scene *s = listening(&tagged);
	struct envelope e = s->in;
	struct frame f;

	e.vlan = 101;
	feed(s, &e, &flow4);
	e.vlan = 0;
	feed(s, &e, &flow4);
	frame_hex(&f, "ffffffffffff 026600000066 0806"
		      "0001 0800 06 04 0001 026600000066 c6120042 000000000000 c6120001");
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(3, scene_errors(s, GW_ETH_VLAN));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(vlan, drops_tagged_frames_on_an_untagged_interface)
{
	struct scene *s = listening(&plain);
	struct envelope e = s->in;

	e.vlan = 100;
	feed(s, &e, &flow4);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(1, scene_errors(s, GW_ETH_VLAN));
	scene_free(s);
}

/* A priority tag: VLAN ID 0, priority 5. */
static void tag_priority(struct frame *f)
{
	memmove(f->bytes + 16, f->bytes + 12, f->len - 12);
	memcpy(f->bytes + 12, "\x81\x00\xa0\x00", 4);
	f->len += 4;
}

TEST(vlan, takes_a_priority_tag_for_no_tag)
{
	struct scene *s = listening(&plain), *t = listening(&tagged);
	struct envelope e = t->in;
	struct frame f;

	frame_udp(&f, &s->in, &flow4, SPAN("hello"));
	tag_priority(&f);
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(1, s->heard_count);
	scene_free(s);
	e.vlan = 0;
	frame_udp(&f, &e, &flow4, SPAN("hello"));
	tag_priority(&f);
	scene_feed(t, 0, 0, &f);
	scene_turns(t, 2);
	EXPECT_EQ(0, t->heard_count);
	EXPECT_EQ(1, scene_errors(t, GW_ETH_VLAN));
	scene_free(t);
}

TEST(vlan, ignores_the_priority_of_its_own_tag)
{
	struct scene *s = listening(&tagged);
	struct frame f;

	frame_udp(&f, &s->in, &flow4, SPAN("hello"));
	f.bytes[14] |= 0xe0;
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(1, s->heard_count);
	scene_free(s);
}

TEST(vlan, does_not_look_behind_a_second_tag)
{
	struct scene *s = listening(&tagged);
	struct frame f;

	frame_udp(&f, &s->in, &flow4, SPAN("hello"));
	memmove(f.bytes + 16, f.bytes + 12, f.len - 12);
	memcpy(f.bytes + 12, "\x81\x00\x00\x64", 4);
	f.len += 4;
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(1, scene_errors(s, GW_ETH_TYPE));
	scene_free(s);
}

/* ---- addresses ------------------------------------------------------------------------------- */

TEST(address, drops_frames_for_and_from_stations_that_cannot_be)
{
	struct scene *s = listening(&plain);
	struct envelope e = s->in;

	e.dst[5] = 0x77; /* somebody else's */
	feed(s, &e, &flow4);
	e = s->in;
	e.src[0] |= 1; /* from a group */
	feed(s, &e, &flow4);
	memcpy(e.src, eth_broadcast, 6);
	feed(s, &e, &flow6);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(3, scene_errors(s, GW_ETH_ADDRESS));
	scene_free(s);
}

TEST(address, drops_packets_for_other_hosts)
{
	struct scene *s = listening(&plain);
	struct flow other = {PEER4, "198.18.0.3", 5060, 5070}, other6 = {PEER6, PEER6, 5060, 5070};

	other6.dst = "fd00:18::3";
	feed(s, &s->in, &other);
	feed(s, &s->in, &other6);
	other.dst = "127.0.0.1";
	feed(s, &s->in, &other);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(3, scene_errors(s, GW_IP_DESTINATION));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(address, takes_on_one_port_only_what_is_for_an_address_of_that_port)
{
	struct scene_config config = {.ports = 2};
	struct scene *s = listening(&config);
	struct flow flow = {PEER4, OTHER_LINK4, 5060, 5070};

	feed(s, &s->in, &flow);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(1, scene_errors(s, GW_IP_DESTINATION));
	scene_free(s);
}

TEST(address, drops_land_and_what_claims_to_come_from_one_of_our_addresses)
{
	struct scene_config config = {.ports = 2};
	struct scene *s = listening(&config);
	struct icmp_form ping = {"fe80::ff:fe00:1", OURS6, 128, 0, 1, 0};
	struct flow land = {OURS4, OURS4, 5070, 5070}, land6 = {OURS6, OURS6, 5070, 5070};
	struct flow ours = {SECOND4, OURS4, 5070, 5070}, other = {OTHER_LINK4, OURS4, 5070, 5070};
	struct frame f;

	feed(s, &s->in, &land);
	feed(s, &s->in, &land6);
	feed(s, &s->in, &ours);
	feed(s, &s->in, &other); /* that of another port */
	frame_icmp(&f, &s->in, &ping, SPAN("x"));
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(5, scene_errors(s, GW_IP_SOURCE));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(address, drops_sources_that_no_host_may_use)
{
	static const char *const never[] = {"224.0.0.1", "255.255.255.255", "198.18.0.255",
					    "127.0.0.1", "0.0.0.0",	    "0.1.2.3",
					    "240.0.0.1", "ff02::1",	    "::1",
					    "::"};
	struct scene *s = listening(&plain);
	uint32_t n = sizeof(never) / sizeof(never[0]);

	for (uint32_t i = 0; i < n; i++) {
		struct ip_address a = ip_of(never[i]);
		struct flow flow = {never[i], ip_address_is_v4(&a) ? OURS4 : OURS6, 5060, 5070};

		feed(s, &s->in, &flow);
	}
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(n, scene_errors(s, GW_IP_SOURCE));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(address, drops_a_packet_for_one_host_in_a_frame_for_many)
{
	struct scene *s = listening(&plain);
	struct envelope e = s->in;

	memcpy(e.dst, eth_broadcast, 6); /* RFC 1122 3.3.6 */
	feed(s, &e, &flow4);
	memcpy(e.dst, "\x33\x33\x00\x00\x00\x01", 6);
	feed(s, &e, &flow6);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(2, scene_all_errors(s));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(address, delivers_no_datagram_that_was_sent_to_many)
{
	struct scene *s = listening(&plain);
	struct flow subnet = {PEER4, "198.18.0.255", 5060, 5070};
	struct flow group = {PEER6, "ff02::1", 5060, 5070};
	struct envelope e = s->in;

	memcpy(e.dst, eth_broadcast, 6);
	feed(s, &e, &subnet);
	memcpy(e.dst, "\x33\x33\x00\x00\x00\x01", 6);
	feed(s, &e, &group);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(2, scene_all_errors(s));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(address, drops_source_routes_extension_chains_and_tunnels_in_front_of_a_datagram)
{
	struct scene *s = listening(&plain);
	struct frame f;

	/* IPv4 with a loose source route */
	frame_hex(&f,
		  "020000000001 0218000000fe 0800 48000030 00000000 40 11 0000 c612000a c6120001"
		  "83 0b 04 c6120042 c6120043 00 13c4 13ce 0010 0000 68656c6c 6f000000");
	pipe_feed_checked(s->port[0], 0, frame_span(&f), PACKET_CHECKSUM_GOOD,
			  PACKET_CHECKSUM_UNKNOWN);
	/* IPv6 with AH in front; with a routing header that has segments left; with hop-by-hop
	 * second */
	frame_hex(&f, "020000000001 0218000000fe 86dd 60000000 0010 33 40"
		      "fd000018000000000000000000000010 fd000018000000000000000000000001"
		      "11 02 0000 00000000 00000000 00000000");
	scene_feed(s, 0, 0, &f);
	frame_hex(&f, "020000000001 0218000000fe 86dd 60000000 0010 2b 40"
		      "fd000018000000000000000000000010 fd000018000000000000000000000001"
		      "11 00 00 01 00000000 13c4 13ce 0008 0000");
	scene_feed(s, 0, 0, &f);
	frame_hex(&f, "020000000001 0218000000fe 86dd 60000000 0018 3c 40"
		      "fd000018000000000000000000000010 fd000018000000000000000000000001"
		      "00 00 0104 00000000 11 00 0104 00000000 13c4 13ce 0008 0000");
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(1, scene_errors(s, GW_IP_OPTION));
	EXPECT_EQ(3, scene_errors(s, GW_IP_EXTENSION));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(address, drops_every_cut_of_a_datagram_without_looking_past_its_end)
{
	struct scene *s = listening(&plain);
	struct frame f4, f6;

	frame_udp(&f4, &s->in, &flow4, SPAN("hello"));
	frame_udp(&f6, &s->in, &flow6, SPAN("hello"));
	for (uint32_t n = 0; n < f4.len; n++)
		pipe_feed(s->port[0], 0, span_cut(frame_span(&f4), 0, n));
	for (uint32_t n = 0; n < f6.len; n++)
		pipe_feed(s->port[0], 0, span_cut(frame_span(&f6), 0, n));
	scene_turns(s, 3);
	EXPECT_EQ(0, s->heard_count);
	EXPECT_EQ(f4.len + f6.len, scene_all_errors(s));
	scene_free(s);
}

/* ---- checksums ------------------------------------------------------------------------------- */

static const enum packet_checksum status[] = {PACKET_CHECKSUM_UNKNOWN, PACKET_CHECKSUM_GOOD,
					      PACKET_CHECKSUM_BAD, PACKET_CHECKSUM_NONE};

static void check_l4(const struct flow *flow, bool right, enum packet_checksum l4, bool accepted)
{
	struct scene *s = listening(&plain);
	struct frame f;

	frame_udp(&f, &s->in, flow, SPAN("hello"));
	if (!right)
		f.bytes[f.len - 1] ^= 0x40;
	pipe_feed_checked(s->port[0], 0, frame_span(&f), PACKET_CHECKSUM_UNKNOWN, l4);
	scene_turns(s, 2);
	EXPECT_EQ(accepted ? 1 : 0, s->heard_count);
	EXPECT_EQ(accepted ? 0 : 1, scene_errors(s, GW_UDP_CHECKSUM));
	scene_free(s);
}

TEST(checksum, of_a_datagram_is_believed_or_verified_as_the_device_says)
{
	static const bool accepted[][2] = {{false, true},
					   {true, true},
					   {false, false},
					   {true, true}};

	for (uint32_t i = 0; i < 4; i++)
		for (int right = 0; right < 2; right++) {
			check_l4(&flow4, right != 0, status[i], accepted[i][right]);
			check_l4(&flow6, right != 0, status[i], accepted[i][right]);
		}
}

static void check_ip(bool right, enum packet_checksum ip, enum packet_checksum l4, bool accepted)
{
	struct scene *s = listening(&plain);
	struct frame f;

	frame_udp(&f, &s->in, &flow4, SPAN("hello"));
	if (!right)
		f.bytes[ETH_LEN + 10] ^= 0x40;
	pipe_feed_checked(s->port[0], 0, frame_span(&f), ip, l4);
	scene_turns(s, 2);
	EXPECT_EQ(accepted ? 1 : 0, s->heard_count);
	EXPECT_EQ(accepted ? 0 : 1, scene_errors(s, GW_IP_CHECKSUM));
	scene_free(s);
}

TEST(checksum, of_an_ip_header_is_verified_whenever_the_device_does_not_say_good)
{
	static const bool accepted[][2] = {{false, true},
					   {true, true},
					   {false, false},
					   {false, true}};

	for (uint32_t i = 0; i < 4; i++)
		for (int right = 0; right < 2; right++)
			for (uint32_t l4 = 0; l4 < 2; l4++)
				check_ip(right != 0, status[i], status[l4], accepted[i][right]);
}

TEST_MAIN("net_stack_link", RUN(vlan, takes_and_sends_frames_with_its_tag),
	  RUN(vlan, drops_frames_with_another_tag_or_none),
	  RUN(vlan, drops_tagged_frames_on_an_untagged_interface),
	  RUN(vlan, takes_a_priority_tag_for_no_tag),
	  RUN(vlan, ignores_the_priority_of_its_own_tag),
	  RUN(vlan, does_not_look_behind_a_second_tag),
	  RUN(address, drops_frames_for_and_from_stations_that_cannot_be),
	  RUN(address, drops_packets_for_other_hosts),
	  RUN(address, takes_on_one_port_only_what_is_for_an_address_of_that_port),
	  RUN(address, drops_land_and_what_claims_to_come_from_one_of_our_addresses),
	  RUN(address, drops_sources_that_no_host_may_use),
	  RUN(address, drops_a_packet_for_one_host_in_a_frame_for_many),
	  RUN(address, delivers_no_datagram_that_was_sent_to_many),
	  RUN(address, drops_source_routes_extension_chains_and_tunnels_in_front_of_a_datagram),
	  RUN(address, drops_every_cut_of_a_datagram_without_looking_past_its_end),
	  RUN(checksum, of_a_datagram_is_believed_or_verified_as_the_device_says),
	  RUN(checksum, of_an_ip_header_is_verified_whenever_the_device_does_not_say_good))
