/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_layer.h"

/* What routers say of our segments (TCP.md 4.5): told to every worker, believed by none here. */

static const struct scene_config plain = {0};
static const struct scene_config four = {.workers = 4, .queues = 4};
static const struct flow out4 = {OURS4, FOREIGN4, 443, 40000}, out6 = {OURS6, FOREIGN6, 443, 40000};

/* A router's error about a segment of ours: type, code, word; and what it quotes. */
struct error {
	const char *router;
	uint8_t type, code;
	uint32_t word;
	struct flow quoted; /* src: we */
	uint32_t len;	    /* of the payload quoted */
	uint32_t bytes;	    /* of the packet that are quoted */
};
#define TOO_BIG4(mtu) "198.18.7.7", 3, 4, mtu
#define TOO_BIG6(mtu) "fd00:18:7::7", 2, 0, mtu
#define UNREACHABLE4 "198.18.7.7", 3, 1, 0
#define UNREACHABLE6 "fd00:18:7::7", 1, 3, 0

static void feed_error(struct layer *l, uint16_t queue, const struct error *error)
{
	static const uint8_t zeros[1400];
	struct tcp_packet tcp = {.seq = 0xfffffff0,
				 .flags = TCP_ACK,
				 .payload = span_of(zeros, error->len)};
	struct icmp_form form = {error->router, error->quoted.src, error->type,
				 error->code,	error->word,	   0};
	struct frame quoted, f;

	frame_tcp(&quoted, &l->s->in, &error->quoted, &tcp);
	frame_icmp(&f, &l->s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, error->bytes));
	scene_feed(l->s, 0, queue, &f);
}

static struct layer *layer_ready(const struct scene_config *config)
{
	return layer_new(scene_ready(config));
}

static void check_told(const struct error *error, bool too_big, uint32_t mtu)
{
	struct layer *l = layer_ready(&plain);
	struct ip_address local = ip_of(error->quoted.src), remote = ip_of(error->quoted.dst);

	feed_error(l, 0, error);
	stack_receive(l->s->worker[0].stack);
	EXPECT_EQ(1, l->errors);
	EXPECT(ip_address_equal(&local, &l->error[0].local));
	EXPECT(ip_address_equal(&remote, &l->error[0].remote));
	EXPECT_EQ(error->quoted.src_port, l->error[0].local_port);
	EXPECT_EQ(error->quoted.dst_port, l->error[0].remote_port);
	EXPECT_EQ(0xfffffff0, l->error[0].seq);
	EXPECT_EQ(too_big, l->error[0].too_big);
	EXPECT_EQ(!too_big, l->error[0].soft); /* no route, no such host */
	EXPECT_EQ(mtu, l->error[0].mtu);
	EXPECT_EQ(0, scene_all_errors(l->s));
	layer_free(l);
}

TEST(tcp_icmp, tells_the_layer_what_a_router_says_of_a_segment_to_anybody)
{
	struct error unreachable4 = {UNREACHABLE4, out4, 1000, 28};
	struct error unreachable6 = {UNREACHABLE6, out6, 1000, 1232};
	struct error big4 = {TOO_BIG4(1280), out4, 1360, 548};
	struct error big6 = {TOO_BIG6(1280), out6, 1360, 1232};
	struct error silent4 = {TOO_BIG4(0), out4, 1360, 28};

	check_told(&unreachable4, false, 0);
	check_told(&unreachable6, false, 0);
	check_told(&big4, true, 1280);
	check_told(&big6, true, 1280);
	check_told(&silent4, true, 0);
}

static void check_ignored(const struct error *error, enum gw_err err)
{
	struct layer *l = layer_ready(&plain);

	feed_error(l, 0, error);
	scene_turns(l->s, 2);
	EXPECT_EQ(0, l->errors);
	EXPECT_EQ(1, scene_errors(l->s, err));
	EXPECT_EQ(1, scene_all_errors(l->s));
	layer_free(l);
}

TEST(tcp_icmp, passes_over_what_cannot_be_about_a_segment_of_ours)
{
	struct flow foreign = {FOREIGN4, PEER4, 443, 40000};
	struct error cut = {UNREACHABLE4, out4, 1000, IP4_LEN + 7};
	struct error fits = {TOO_BIG4(1400), out4, 1360, 548};
	struct error tiny = {TOO_BIG4(100), out4, 100, 548}; /* no path takes less than 552 */
	struct error other = {UNREACHABLE4, out4, 1000, 28};
	struct layer *l = layer_ready(&plain);
	struct tcp_packet tcp = {.flags = TCP_ACK};
	struct icmp_form form = {"198.18.7.7", OURS4, 3, 1, 0, 0};
	struct frame quoted, f;

	check_ignored(&cut, GW_ICMP);
	check_ignored(&fits, GW_ICMP_FOREIGN);
	check_ignored(&tiny, GW_ICMP_FOREIGN);
	frame_tcp(&quoted, &l->s->in, &foreign, &tcp);
	frame_icmp(&f, &l->s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, 28));
	scene_feed(l->s, 0, 0, &f);
	scene_turn(l->s);
	EXPECT_EQ(1, scene_errors(l->s, GW_ICMP_FOREIGN));
	stack_tcp(l->s->worker[0].stack, NULL, NULL);
	feed_error(l, 0, &other);
	scene_turn(l->s);
	EXPECT_EQ(2, scene_errors(l->s, GW_ICMP_FOREIGN)); /* nobody is there to be told */
	EXPECT_EQ(0, l->errors);
	layer_free(l);
}

TEST(tcp_icmp, tells_every_worker_whatever_queue_it_came_to)
{
	struct layer *l = layer_ready(&four);
	struct error error = {TOO_BIG6(1280), out6, 1360, 1232};

	for (uint16_t queue = 0; queue < 4; queue++) {
		bool told[4] = {false};

		layer_forget(l);
		feed_error(l, queue, &error);
		scene_turns(l->s, 3);
		EXPECT_EQ(4, l->errors);
		for (uint32_t i = 0; i < 4; i++) {
			EXPECT(!told[l->error_worker[i]]);
			told[l->error_worker[i]] = true;
			EXPECT_EQ(0xfffffff0, l->error[i].seq);
			EXPECT_EQ(40000, l->error[i].remote_port);
			EXPECT_EQ(1280, l->error[i].mtu);
		}
		EXPECT_EQ(0, scene_all_errors(l->s));
	}
	layer_free(l);
}

/* One connection's way is not another's, nor a datagram's: the TCP layer alone knows what to do. */
TEST(tcp_icmp, about_a_segment_says_nothing_of_the_way_of_datagrams)
{
	struct flow tcp = {OURS4, FAR4, 5070, 5060};
	struct layer *l = layer_ready(&plain);
	struct error error = {TOO_BIG4(600), tcp, 1360, 548};
	static const uint8_t zeros[1400];

	scene_bind(l->s, 0, OURS4, 5070);
	feed_error(l, 0, &error);
	scene_turn(l->s);
	EXPECT_EQ(1, l->errors);
	EXPECT_EQ(0, SCENE_COUNTER(l->s, net_path_mtu));
	EXPECT_EQ(GW_OK, scene_send(l->s, 0, &tcp, span_of(zeros, sizeof(zeros))));
	scene_work(l->s, 0);
	EXPECT_EQ(1, scene_seen(l->s, 0, SEEN_UDP, NULL));
	EXPECT_EQ(0, scene_seen(l->s, 0, SEEN_FRAGMENT, NULL));
	EXPECT_EQ(0, scene_heard(l->s, HEARD_UNREACHABLE));
	layer_free(l);
}

static void feed_udp_error(struct layer *l, const struct flow *quoted)
{
	struct icmp_form form = {"198.18.7.7", quoted->src, 3, 1, 0, 0};
	struct frame inner, f;

	frame_udp(&inner, &l->s->in, quoted, SPAN("hello"));
	frame_icmp(&f, &l->s->in, &form, span_cut(frame_span(&inner), ETH_LEN, 28));
	scene_feed(l->s, 0, 0, &f);
}

TEST(tcp_icmp, is_told_a_hundred_times_a_second_and_uses_up_nothing_of_udp)
{
	struct flow udp = {OURS4, FAR4, 5070, 5060};
	struct layer *l = layer_ready(&plain);
	struct error error = {UNREACHABLE4, out4, 1000, 28};

	scene_bind(l->s, 0, OURS4, 5070);
	for (uint32_t i = 0; i < 150; i++)
		feed_error(l, 0, &error);
	feed_udp_error(l, &udp);
	scene_turn(l->s);
	EXPECT_EQ(100, l->errors);
	EXPECT_EQ(50, scene_errors(l->s, GW_ICMP_RATE));
	EXPECT_EQ(1, scene_heard(l->s, HEARD_UNREACHABLE));
	scene_run_ms(l->s, 500);
	for (uint32_t i = 0; i < 150; i++)
		feed_error(l, 0, &error);
	scene_turn(l->s);
	EXPECT_EQ(150, l->errors);
	layer_free(l);
}

TEST_MAIN("net_stack_tcp_icmp",
	  RUN(tcp_icmp, tells_the_layer_what_a_router_says_of_a_segment_to_anybody),
	  RUN(tcp_icmp, passes_over_what_cannot_be_about_a_segment_of_ours),
	  RUN(tcp_icmp, tells_every_worker_whatever_queue_it_came_to),
	  RUN(tcp_icmp, about_a_segment_says_nothing_of_the_way_of_datagrams),
	  RUN(tcp_icmp, is_told_a_hundred_times_a_second_and_uses_up_nothing_of_udp))
