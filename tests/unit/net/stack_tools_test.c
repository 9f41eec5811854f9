/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* What an operator asks for: captures and pings. */

static const struct scene_config plain = {0};
static const struct flow in = {PEER4, OURS4, 5060, 5070};
static const struct flow out = {OURS4, PEER4, 5070, 5060};

/* tcpdump -d udp */
static const struct capture_filter udp_filter = {.count = 12,
						 .snap = 64,
						 .insn = {{0x28, 0, 0, 12},
							  {0x15, 0, 5, 0x86dd},
							  {0x30, 0, 0, 20},
							  {0x15, 6, 0, 0x11},
							  {0x15, 0, 6, 0x2c},
							  {0x30, 0, 0, 54},
							  {0x15, 3, 4, 0x11},
							  {0x15, 0, 3, 0x0800},
							  {0x30, 0, 0, 23},
							  {0x15, 0, 1, 0x11},
							  {0x06, 0, 0, 262144},
							  {0x06, 0, 0, 0}}};

static struct scene *bound(const struct scene_config *config)
{
	struct scene *s = scene_ready(config);

	scene_bind(s, 0, OURS4, 5070);
	scene_bind(s, 0, OURS6, 5070);
	return s;
}

static void feed_arp_request(struct scene *s)
{
	struct frame f;

	frame_hex(&f, "ffffffffffff 026600000066 0806"
		      "0001 0800 06 04 0001 026600000066 c6120042 000000000000 c6120001");
	scene_feed(s, 0, 0, &f);
}

TEST(capture, of_udp_tells_of_datagrams_both_ways_and_of_nothing_else)
{
	struct scene *s = bound(&plain);
	uint8_t data[200] = {0};
	struct flow in6 = {PEER6, OURS6, 5060, 5070};
	const struct heard *heard;

	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, &udp_filter));
	feed_arp_request(s);
	scene_feed_udp(s, &in, span_of(data, sizeof(data)));
	scene_turns(s, 2);
	EXPECT_EQ(1, scene_heard(s, HEARD_CAPTURED));
	heard = scene_last(s, HEARD_CAPTURED);
	EXPECT(!heard->captured.sent);
	EXPECT_EQ(0, heard->captured.netif);
	EXPECT_EQ(242, heard->captured.len);
	EXPECT_EQ(64, heard->len); /* cut to snap */
	EXPECT_BYTES(s->mac[0], heard->bytes, 6);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &out, SPAN("hello")));
	scene_turns(s, 2);
	EXPECT_EQ(2, scene_heard(s, HEARD_CAPTURED));
	heard = scene_last(s, HEARD_CAPTURED);
	EXPECT(heard->captured.sent);
	EXPECT_EQ(47, heard->captured.len);
	EXPECT_EQ(47, heard->len);
	EXPECT_BYTES(pipe_sent_frame(s->port[0], s->port[0]->sent_count - 1).at, heard->bytes, 47);
	scene_feed_udp(s, &in6, SPAN("x"));
	scene_turns(s, 2);
	EXPECT_EQ(3, scene_heard(s, HEARD_CAPTURED));
	scene_free(s);
}

TEST(capture, without_a_program_tells_of_every_frame)
{
	static const struct capture_filter all = {.count = 0, .snap = 65535};
	struct scene *s = bound(&plain);
	struct frame f;

	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, &all));
	feed_arp_request(s);
	frame_hex(&f, "020000000001 0218000000fe 88cc 0207 04 020000000002"); /* not served */
	scene_feed(s, 0, 0, &f);
	frame_hex(&f, "0200000000"); /* no frame at all */
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(4, scene_heard(s, HEARD_CAPTURED)); /* the ARP answer too */
	scene_free(s);
}

TEST(capture, ends_with_null_and_another_one_takes_its_place)
{
	static const struct capture_filter none = {.count = 1, .snap = 100, .insn = {{6, 0, 0, 0}}};
	struct scene *s = bound(&plain);

	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, &udp_filter));
	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, &none));
	scene_feed_udp(s, &in, SPAN("x"));
	scene_turns(s, 2);
	EXPECT_EQ(0, scene_heard(s, HEARD_CAPTURED));
	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, &udp_filter));
	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, NULL));
	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, NULL));
	scene_feed_udp(s, &in, SPAN("x"));
	scene_turns(s, 2);
	EXPECT_EQ(0, scene_heard(s, HEARD_CAPTURED));
	scene_free(s);
}

TEST(capture, refuses_a_program_that_is_not_valid_and_keeps_the_one_it_has)
{
	static const struct capture_filter bad[] = {
		{.count = 1, .snap = 64, .insn = {{0x28, 0, 0, 12}}},		   /* no return */
		{.count = 2, .snap = 64, .insn = {{0x15, 9, 9, 0}, {6, 0, 0, 0}}}, /* jumps out */
		{.count = 2, .snap = 64, .insn = {{0xffff, 0, 0, 0}, {6, 0, 0, 0}}},
		{.count = 1, .snap = 64, .insn = {{0x0e, 0, 0, 0}}},		   /* ret x */
		{.count = 2, .snap = 64, .insn = {{0x62, 0, 0, 0}, {6, 0, 0, 0}}}, /* st, ind */
		{.count = 2, .snap = 64, .insn = {{0xbc, 0, 0, 0}, {6, 0, 0, 0}}}, /* alu b0 */
		{.count = 2, .snap = 64, .insn = {{0xc5, 0, 0, 0}, {6, 0, 0, 0}}}, /* jmp c0 */
		{.count = 2,
		 .snap = 64,
		 .insn = {{0x05, 0, 0, UINT32_MAX}, {6, 0, 0, 0}}},		    /* loop */
		{.count = 2, .snap = 64, .insn = {{0x34, 0, 0, 0}, {6, 0, 0, 0}}},  /* by zero */
		{.count = 2, .snap = 64, .insn = {{0x02, 0, 0, 99}, {6, 0, 0, 0}}}, /* M[99] */
	};
	struct capture_filter longest = {.count = CAPTURE_INSNS_MAX + 1, .snap = 64};
	struct scene *s = bound(&plain);

	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, &udp_filter));
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(GW_CONFIG, stack_capture(s->worker[0].stack, &bad[i]));
	EXPECT_EQ(GW_CONFIG, stack_capture(s->worker[0].stack, &longest));
	scene_feed_udp(s, &in, SPAN("x"));
	scene_turns(s, 2);
	EXPECT_EQ(1, scene_heard(s, HEARD_CAPTURED));
	scene_free(s);
}

/* Every instruction that passes is one that runs: bpf_filter() aborts at others. */
TEST(capture, runs_every_program_it_takes)
{
	struct capture_filter filter = {.count = 2, .snap = 64, .insn = {[1] = {6, 0, 0, 1}}};
	struct scene *s = bound(&plain);
	uint32_t taken = 0;

	for (uint32_t code = 0; code < 0x10000; code++) {
		filter.insn[0] = (struct capture_insn){(uint16_t)code, 0, 0, 4};
		filter.insn[0].k = code % 8 == 5 ? 0 : 4;
		if (stack_capture(s->worker[0].stack, &filter) != GW_OK)
			continue;
		taken++;
		scene_feed_udp(s, &in, SPAN("x"));
		scene_work(s, 0);
	}
	EXPECT(taken >= 40 && taken < 60);
	scene_free(s);
}

TEST(capture, looks_at_no_byte_past_a_short_frame)
{
	struct scene *s = bound(&plain);
	struct frame f;

	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, &udp_filter));
	frame_hex(&f, "020000000001 0218000000fe 0800 4500");
	for (uint32_t n = 0; n <= f.len; n++)
		pipe_feed(s->port[0], 0, span_cut(frame_span(&f), 0, n));
	scene_turns(s, 2);
	EXPECT_EQ(0, scene_heard(s, HEARD_CAPTURED));
	scene_free(s);
}

TEST(capture, tells_once_of_a_frame_that_two_workers_had_in_hand)
{
	static const struct capture_filter all = {.count = 0, .snap = 2000};
	struct scene_config config = {.workers = 2, .queues = 1, .steer_base = 5070};
	struct scene *s = scene_ready(&config);
	struct flow to_second = {PEER4, OURS4, 5060, 5071},
		    from_second = {OURS4, PEER4, 5071, 5060};

	scene_bind(s, 1, OURS4, 5071);
	for (uint16_t w = 0; w < 2; w++)
		EXPECT_EQ(GW_OK, stack_capture(s->worker[w].stack, &all));
	scene_feed_udp(s, &to_second, SPAN("x"));
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT_EQ(1, scene_heard(s, HEARD_CAPTURED));
	EXPECT_EQ(GW_OK, scene_send(s, 1, &from_second, SPAN("x")));
	scene_turns(s, 3);
	EXPECT_EQ(2, scene_heard(s, HEARD_CAPTURED));
	EXPECT(scene_last(s, HEARD_CAPTURED)->captured.sent);
	scene_free(s);
}

TEST(capture, shows_the_tag_of_a_vlan)
{
	static const struct capture_filter all = {.count = 0, .snap = 2000};
	struct scene_config config = {.vlan = 100};
	struct scene *s = bound(&config);

	EXPECT_EQ(GW_OK, stack_capture(s->worker[0].stack, &all));
	scene_feed_udp(s, &in, SPAN("x"));
	EXPECT_EQ(GW_OK, scene_send(s, 0, &out, SPAN("x")));
	scene_turns(s, 2);
	EXPECT_EQ(2, scene_heard(s, HEARD_CAPTURED));
	for (uint32_t i = 0; i < s->heard_count; i++)
		if (s->heard[i].kind == HEARD_CAPTURED)
			EXPECT_BYTES("\x81\x00\x00\x64", s->heard[i].bytes + 12, 4);
	scene_free(s);
}

/* ---- ping ------------------------------------------------------------------------------------ */

/* The peer answers the last echo request that was sent. */
static void answer(struct scene *s, const char *from, uint16_t add_to_id)
{
	struct seen seen;
	struct icmp_form form = {.src = from};
	struct frame f;

	EXPECT(scene_seen(s, 0, SEEN_ICMP, &seen) > 0);
	EXPECT_EQ(ICMP_ECHO_REQUEST, seen.icmp.kind);
	form.dst = seen.ip.v6 ? OURS6 : OURS4;
	form.type = seen.ip.v6 ? 129 : 0;
	form.word = (uint32_t)(uint16_t)(seen.icmp.id + add_to_id) << 16 | seen.icmp.sequence;
	frame_icmp(&f, &s->in, &form, seen.icmp.body);
	scene_feed(s, 0, 0, &f);
}

static enum gw_err ping(struct scene *s, const char *peer, uint32_t id)
{
	struct endpoint e = endpoint_at(peer, 0);

	return stack_ping(s->worker[0].stack, &e, id);
}

static void check_ping(const char *peer, const char *hop)
{
	struct scene *s = scene_ready(&plain);
	struct ip_address dst = ip_of(peer);
	struct seen seen;

	EXPECT_EQ(GW_OK, ping(s, peer, 42));
	scene_turn(s);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, &seen));
	EXPECT(ip_address_equal(&dst, &seen.ip.dst));
	EXPECT_BYTES(scene_station_of(s, hop)->mac, seen.eth.dst, 6);
	EXPECT_EQ(0, scene_heard(s, HEARD_PONG));
	s->clock.now_us += 5000;
	answer(s, peer, 0);
	scene_turn(s);
	EXPECT_EQ(1, scene_heard(s, HEARD_PONG));
	EXPECT_EQ(42, scene_last(s, HEARD_PONG)->id);
	EXPECT_EQ(GW_OK, scene_last(s, HEARD_PONG)->err);
	EXPECT(scene_last(s, HEARD_PONG)->rtt_us >= 5000);
	EXPECT(scene_last(s, HEARD_PONG)->rtt_us <= 7000);
	scene_run_ms(s, 3000);
	EXPECT_EQ(1, scene_heard(s, HEARD_PONG));
	scene_free(s);
}

TEST(ping, tells_how_long_the_answer_took)
{
	check_ping(PEER4, PEER4);
	check_ping(FAR4, GATEWAY4);
	check_ping(FOREIGN4, GATEWAY4);
	check_ping(PEER6, PEER6);
	check_ping(FOREIGN6, GATEWAY6);
}

TEST(ping, ends_within_a_second_or_so_when_nobody_answers)
{
	struct scene *s = scene_ready(&plain);

	EXPECT_EQ(GW_OK, ping(s, FAR4, 42));
	scene_run_ms(s, 900);
	EXPECT_EQ(0, scene_heard(s, HEARD_PONG));
	scene_run_ms(s, 200);
	EXPECT_EQ(1, scene_heard(s, HEARD_PONG));
	EXPECT_EQ(42, scene_last(s, HEARD_PONG)->id);
	EXPECT_EQ(GW_TIMEOUT, scene_last(s, HEARD_PONG)->err);
	answer(s, FAR4, 0); /* too late */
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_heard(s, HEARD_PONG));
	scene_free(s);
}

TEST(ping, believes_no_answer_of_another_host_or_to_another_question)
{
	struct scene *s = scene_ready(&plain);

	EXPECT_EQ(GW_OK, ping(s, FAR4, 42));
	scene_turn(s);
	answer(s, FOREIGN4, 0);
	answer(s, FAR4, 1);
	scene_turns(s, 3);
	EXPECT_EQ(0, scene_heard(s, HEARD_PONG));
	EXPECT_EQ(2, scene_errors(s, GW_ICMP_FOREIGN));
	answer(s, FAR4, 0);
	answer(s, FAR4, 0); /* twice */
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_heard(s, HEARD_PONG));
	scene_free(s);
}

TEST(ping, asks_for_a_host_on_the_link_that_nobody_else_wants)
{
	struct scene *s = scene_ready(&plain);
	struct station *stranger = scene_station(s, 0, STRANGER4, 0x66);
	struct row_neighbour rows[32];
	struct seen seen;

	EXPECT_EQ(GW_OK, ping(s, STRANGER4, 42));
	scene_run_ms(s, 100);
	EXPECT(stranger->asked >= 1);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ICMP, &seen));
	EXPECT_BYTES(stranger->mac, seen.eth.dst, 6);
	answer(s, STRANGER4, 0);
	scene_turns(s, 3);
	EXPECT_EQ(GW_OK, scene_last(s, HEARD_PONG)->err);
	scene_turns(s, 2);
	EXPECT_EQ(4, net_shared_neighbours(s->shared, 32, rows)); /* and forgets it again */
	scene_free(s);
}

TEST(ping, ends_in_time_for_a_host_on_the_link_that_is_not_there)
{
	struct scene *s = scene_ready(&plain);

	EXPECT_EQ(GW_OK, ping(s, STRANGER6, 42));
	scene_run_ms(s, 1200);
	EXPECT_EQ(1, scene_heard(s, HEARD_PONG));
	EXPECT(scene_last(s, HEARD_PONG)->err != GW_OK);
	EXPECT_EQ(0, scene_seen(s, 0, SEEN_ICMP, NULL));
	scene_free(s);
}

TEST(ping, says_that_there_is_no_way)
{
	struct scene_config config = {.no_gateway = true};
	struct scene *s = scene_ready(&config);

	EXPECT_EQ(GW_NET_NO_ROUTE, ping(s, FOREIGN4, 42));
	EXPECT_EQ(GW_NET_NO_ROUTE, ping(s, FOREIGN6, 42));
	scene_run_ms(s, 1200);
	EXPECT_EQ(0, scene_heard(s, HEARD_PONG));
	scene_free(s);
}

TEST(ping, takes_a_bounded_number_at_a_time_and_tells_what_came_of_each)
{
	struct scene *s = scene_ready(&plain);
	uint32_t taken = 0;

	while (taken < 1000 && ping(s, FAR4, taken) == GW_OK)
		taken++;
	EXPECT(taken > 1 && taken < 1000);
	EXPECT_EQ(GW_POOL_EMPTY, ping(s, FAR4, taken));
	scene_run_ms(s, 1500);
	EXPECT_EQ(taken, scene_heard(s, HEARD_PONG));
	EXPECT_EQ(GW_OK, ping(s, FAR4, 1));
	scene_turn(s);
	scene_free(s); /* with one under way */
}

TEST(ping, refuses_addresses_that_no_other_host_can_have)
{
	static const char *const never[] = {OURS4,	 OURS6,	    "198.18.0.255", "224.0.0.1",
					    "127.0.0.1", "0.0.0.0", "ff02::1",	    "::1"};
	struct scene *s = scene_ready(&plain);

	for (uint32_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		EXPECT_EQ(GW_NET_NO_ROUTE, ping(s, never[i], 42));
	scene_run_ms(s, 1200);
	EXPECT_EQ(0, scene_heard(s, HEARD_PONG));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(ping, is_worker_0s)
{
	struct scene_config config = {.workers = 2, .queues = 2};
	struct endpoint peer = endpoint_at(FAR4, 0);
	struct scene *s = scene_ready(&config);

	EXPECT_EQ(GW_NOT_SUPPORTED, stack_ping(s->worker[1].stack, &peer, 1));
	scene_free(s);
}

TEST_MAIN("net_stack_tools", RUN(capture, of_udp_tells_of_datagrams_both_ways_and_of_nothing_else),
	  RUN(capture, without_a_program_tells_of_every_frame),
	  RUN(capture, ends_with_null_and_another_one_takes_its_place),
	  RUN(capture, refuses_a_program_that_is_not_valid_and_keeps_the_one_it_has),
	  RUN(capture, runs_every_program_it_takes),
	  RUN(capture, looks_at_no_byte_past_a_short_frame),
	  RUN(capture, tells_once_of_a_frame_that_two_workers_had_in_hand),
	  RUN(capture, shows_the_tag_of_a_vlan), RUN(ping, tells_how_long_the_answer_took),
	  RUN(ping, ends_within_a_second_or_so_when_nobody_answers),
	  RUN(ping, believes_no_answer_of_another_host_or_to_another_question),
	  RUN(ping, asks_for_a_host_on_the_link_that_nobody_else_wants),
	  RUN(ping, ends_in_time_for_a_host_on_the_link_that_is_not_there),
	  RUN(ping, says_that_there_is_no_way),
	  RUN(ping, takes_a_bounded_number_at_a_time_and_tells_what_came_of_each),
	  RUN(ping, refuses_addresses_that_no_other_host_can_have), RUN(ping, is_worker_0s))
