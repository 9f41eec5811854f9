/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* Echo (RFC 792, 4443; RFC 1122 3.2.2.6) and the ICMP that is not served. */

#define ECHO4 8
#define ECHO6 128

static const struct scene_config plain = {0};
static const uint8_t stranger_mac[6] = {2, 0x66, 0, 0, 0, 0x66};

static void feed_echo(struct scene *s, const struct envelope *e, const char *src, const char *dst,
		      struct span data)
{
	struct ip_address a = ip_of(src);
	struct icmp_form form = {src, dst, ip_address_is_v4(&a) ? ECHO4 : ECHO6, 0, 0x12340007, 0};
	struct frame f;

	frame_icmp(&f, e, &form, data);
	scene_feed(s, 0, 0, &f);
}

static void check_reply(struct scene *s, const char *from, const char *to, struct span data)
{
	struct ip_address src = ip_of(from), dst = ip_of(to);
	struct seen seen;

	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, &seen));
	EXPECT_EQ(1, s->port[0]->sent_count);
	EXPECT_EQ(ICMP_ECHO_REPLY, seen.icmp.kind);
	EXPECT_EQ(0x1234, seen.icmp.id);
	EXPECT_EQ(7, seen.icmp.sequence);
	EXPECT(span_equal(data, seen.icmp.body));
	EXPECT(ip_address_equal(&src, &seen.ip.src));
	EXPECT(ip_address_equal(&dst, &seen.ip.dst));
}

TEST(echo, answers_a_ping_written_by_hand)
{
	struct scene *s = scene_ready(&plain);
	struct frame f;

	frame_hex(&f, "020000000001 0218000000fe 0800"
		      "45000020 00010000 40 01 e9ad c6120509 c6120001"
		      "0800 20fe 1234 0007 61626364");
	scene_feed(s, 0, 0, &f);
	scene_turn(s);
	EXPECT_EQ(0, scene_all_errors(s));
	check_reply(s, OURS4, "198.18.5.9", SPAN("abcd"));
	scene_free(s);
}

TEST(echo, answers_with_the_same_data_from_the_address_that_was_asked)
{
	struct scene *s = scene_ready(&plain);
	uint8_t data[1472];

	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	feed_echo(s, &s->in, FOREIGN4, SECOND4, span_of(data, sizeof(data)));
	scene_turn(s);
	check_reply(s, SECOND4, FOREIGN4, span_of(data, sizeof(data)));
	scene_forget(s);
	feed_echo(s, &s->in, FOREIGN6, OURS6, span_of(data, 1452));
	scene_turn(s);
	check_reply(s, OURS6, FOREIGN6, span_of(data, 1452));
	EXPECT_EQ(0, scene_all_errors(s));
	scene_free(s);
}

TEST(echo, answers_odd_and_empty_data)
{
	struct scene *s = scene_ready(&plain);

	feed_echo(s, &s->in, FOREIGN4, OURS4, SPAN("odd"));
	scene_turn(s);
	check_reply(s, OURS4, FOREIGN4, SPAN("odd"));
	scene_forget(s);
	feed_echo(s, &s->in, FOREIGN6, OURS6, SPAN(""));
	scene_turn(s);
	check_reply(s, OURS6, FOREIGN6, SPAN(""));
	scene_free(s);
}

TEST(echo, does_not_answer_what_was_sent_to_many)
{
	struct scene *s = scene_ready(&plain);
	struct envelope many = s->in;

	memcpy(many.dst, eth_broadcast, 6);
	feed_echo(s, &many, FOREIGN4, "198.18.0.255", SPAN("x"));
	feed_echo(s, &many, FOREIGN4, "255.255.255.255", SPAN("x"));
	feed_echo(s, &s->in, FOREIGN4, "198.18.0.255", SPAN("x"));
	feed_echo(s, &many, FOREIGN4, OURS4, SPAN("x")); /* RFC 1122 3.3.6 */
	feed_echo(s, &many, FOREIGN6, OURS6, SPAN("x"));
	memcpy(many.dst, "\x01\x00\x5e\x00\x00\x01", 6);
	feed_echo(s, &many, FOREIGN4, "224.0.0.1", SPAN("x"));
	memcpy(many.dst, "\x33\x33\x00\x00\x00\x01", 6);
	feed_echo(s, &many, FOREIGN6, "ff02::1", SPAN("x"));
	feed_echo(s, &many, STRANGER6, "ff02::1", SPAN("x"));
	memcpy(many.dst, "\x33\x33\xff\x00\x00\x01", 6);
	feed_echo(s, &many, STRANGER6, "ff02::1:ff00:1", SPAN("x"));
	scene_turns(s, 3);
	EXPECT_EQ(0, s->port[0]->sent_count);
	EXPECT_EQ(9, scene_all_errors(s));
	scene_free(s);
}

static void check_rate(const char *src, const char *dst)
{
	struct scene *s = scene_ready(&plain);
	uint64_t answered;

	for (int i = 0; i < 500; i++) { /* a thousand a second */
		feed_echo(s, &s->in, src, dst, SPAN("x"));
		scene_turn(s);
	}
	answered = scene_seen(s, 0, SEEN_ICMP, NULL);
	EXPECT(answered >= 50 && answered <= 150); /* half a second, and what it may save up */
	EXPECT_EQ(500, answered + scene_errors(s, GW_ICMP_RATE));
	EXPECT_EQ(500, SCENE_COUNTER(s, net_icmp_in));
	scene_turns(s, 1000);
	scene_forget(s);
	feed_echo(s, &s->in, src, dst, SPAN("x"));
	scene_turn(s);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, NULL));
	scene_free(s);
}

TEST(echo, refuses_more_than_a_hundred_a_second)
{
	check_rate(FOREIGN4, OURS4);
	check_rate(FOREIGN6, OURS6);
}

static void check_stranger(const char *src, const char *dst)
{
	struct scene *s = scene_ready(&plain);
	struct envelope e = s->in;
	struct row_neighbour rows[32];
	struct seen seen;

	memcpy(e.src, stranger_mac, 6);
	feed_echo(s, &e, src, dst, SPAN("x"));
	scene_turns(s, 3);
	check_reply(s, dst, src, SPAN("x"));
	scene_seen(s, 0, SEEN_ICMP, &seen);
	EXPECT_BYTES(stranger_mac, seen.eth.dst, 6);
	EXPECT_EQ(4, net_shared_neighbours(s->shared, 32, rows));
	scene_free(s);
}

TEST(echo, answers_a_stranger_on_the_link_to_his_own_mac_and_learns_nothing)
{
	check_stranger(STRANGER4, OURS4);
	check_stranger(STRANGER6, OURS6);
}

static void check_spoof(const char *src, const char *dst, const char *hop)
{
	struct scene *s = scene_ready(&plain);
	struct envelope e = s->in;
	struct seen seen;

	memcpy(e.src, stranger_mac, 6);
	feed_echo(s, &e, src, dst, SPAN("x"));
	scene_turn(s);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, &seen));
	EXPECT_BYTES(scene_station_of(s, hop)->mac, seen.eth.dst, 6);
	scene_free(s);
}

TEST(echo, answers_by_the_configured_next_hop_and_not_to_the_mac_a_ping_came_from)
{
	check_spoof(FOREIGN4, OURS4, GATEWAY4);
	check_spoof(FOREIGN6, OURS6, GATEWAY6);
	check_spoof(PEER4, OURS4, PEER4);
	check_spoof(PEER6, OURS6, PEER6);
}

TEST(echo, drops_a_fragmented_ping)
{
	struct scene *s = scene_ready(&plain);
	struct ip_head head = {.src = ip_of(FOREIGN4),
			       .dst = ip_of(OURS4),
			       .protocol = IPPROTO_ICMP,
			       .hop_limit = 64,
			       .fragment = true,
			       .more = true,
			       .id = 7};
	struct frame f;

	frame_ip(&f, &s->in, &head, SPAN("\x08\x00\xf7\xff\x00\x00\x00\x00"));
	scene_feed(s, 0, 0, &f);
	head.more = false;
	head.offset = 8;
	frame_ip(&f, &s->in, &head, SPAN("12345678"));
	scene_feed(s, 0, 0, &f);
	head.src = ip_of(FAR4); /* trusted, for UDP */
	frame_ip(&f, &s->in, &head, SPAN("12345678"));
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 3);
	EXPECT_EQ(0, s->port[0]->sent_count);
	EXPECT_EQ(3, scene_all_errors(s));
	EXPECT(scene_errors(s, GW_IP_FRAGMENT) >= 2);
	scene_free(s);
}

TEST(echo, refuses_a_wrong_checksum_and_a_cut_message)
{
	struct scene *s = scene_ready(&plain);
	struct ip_head head = {.src = ip_of(FOREIGN4),
			       .dst = ip_of(OURS4),
			       .protocol = IPPROTO_ICMP,
			       .hop_limit = 64};
	struct frame f;

	frame_ip(&f, &s->in, &head, SPAN("\x08\x00\xf7\xfe\x00\x00\x00\x00"));
	scene_feed(s, 0, 0, &f);
	frame_ip(&f, &s->in, &head, SPAN("\x08\x00\xf7"));
	scene_feed(s, 0, 0, &f);
	frame_ip(&f, &s->in, &head, SPAN("\x08\x00\xf7\xff\x00\x00"));
	scene_feed(s, 0, 0, &f);
	scene_turn(s);
	EXPECT_EQ(1, scene_errors(s, GW_ICMP_CHECKSUM));
	EXPECT_EQ(2, scene_errors(s, GW_ICMP));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(echo, ignores_timestamps_quench_redirects_and_group_queries_and_counts_them)
{
	static const struct icmp_form forms[] = {
		{FOREIGN4, OURS4, 13, 0, 0, 0}, /* timestamp */
		{FOREIGN4, OURS4, 4, 0, 0, 0},	/* source quench (RFC 6633) */
		{FOREIGN4, OURS4, 5, 1, 0, 0},	/* redirect */
		{FOREIGN4, OURS4, 17, 0, 0, 0}, /* address mask */
		{"fe80::66", OURS6, 130, 0, 0, 1},
		{FOREIGN6, OURS6, 139, 0, 0, 0}, /* node information */
	};
	struct scene *s = scene_ready(&plain);
	struct frame f;

	for (uint32_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		frame_icmp(&f, &s->in, &forms[i], SPAN("0123456789abcdef0123456789ab"));
		scene_feed(s, 0, 0, &f);
	}
	scene_turns(s, 3);
	EXPECT_EQ(6, scene_errors(s, GW_ICMP_TYPE));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(echo, does_not_answer_a_ping_it_has_no_way_back_for)
{
	struct scene_config config = {.no_gateway = true};
	struct scene *s = scene_ready(&config);

	feed_echo(s, &s->in, FOREIGN4, OURS4, SPAN("x"));
	scene_turns(s, 3);
	EXPECT_EQ(0, s->port[0]->sent_count);
	EXPECT_EQ(1, scene_errors(s, GW_NET_NO_ROUTE));
	scene_free(s);
}

TEST_MAIN("net_stack_echo", RUN(echo, answers_a_ping_written_by_hand),
	  RUN(echo, answers_with_the_same_data_from_the_address_that_was_asked),
	  RUN(echo, answers_odd_and_empty_data), RUN(echo, does_not_answer_what_was_sent_to_many),
	  RUN(echo, refuses_more_than_a_hundred_a_second),
	  RUN(echo, answers_a_stranger_on_the_link_to_his_own_mac_and_learns_nothing),
	  RUN(echo, answers_by_the_configured_next_hop_and_not_to_the_mac_a_ping_came_from),
	  RUN(echo, drops_a_fragmented_ping), RUN(echo, refuses_a_wrong_checksum_and_a_cut_message),
	  RUN(echo, ignores_timestamps_quench_redirects_and_group_queries_and_counts_them),
	  RUN(echo, does_not_answer_a_ping_it_has_no_way_back_for))
