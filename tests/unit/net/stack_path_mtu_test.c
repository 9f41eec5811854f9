/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* What routers say of our datagrams: too big, unreachable (RFC 1191, 8201; RFC 1122 3.2.2). */

static const struct scene_config plain = {0};
static const struct scene_config two = {.workers = 2, .queues = 2, .steer_base = 5070};

/* A router's error about a datagram of ours: type, code, word; and what it quotes. */
struct error {
	const char *router;
	uint8_t type, code;
	uint32_t word;
	struct flow quoted; /* src: we */
	uint32_t len;	    /* of the datagram quoted */
};

static void feed_error(struct scene *s, const struct error *error)
{
	static const uint8_t zeros[1500];
	struct icmp_form form = {error->router, error->quoted.src, error->type,
				 error->code,	error->word,	   0};
	struct frame quoted, f;

	frame_udp(&quoted, &s->in, &error->quoted, span_of(zeros, error->len));
	frame_icmp(&f, &s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, 548));
	scene_feed(s, 0, 0, &f);
}

#define TOO_BIG4(mtu) "198.18.7.7", 3, 4, mtu
#define TOO_BIG6(mtu) "fd00:18:7::7", 2, 0, mtu

static void bind_all(struct scene *s)
{
	for (uint16_t w = 0; w < s->workers; w++) {
		scene_bind(s, w, OURS4, (uint16_t)(5070 + w));
		scene_bind(s, w, OURS6, (uint16_t)(5070 + w));
	}
}

/* How many frames a datagram of len bytes takes; each at most mtu long. */
static uint32_t frames_of(struct scene *s, uint16_t worker, const struct flow *flow, uint32_t len,
			  uint32_t mtu)
{
	static const uint8_t zeros[1500];
	uint32_t n = 0;

	scene_run_ms(s, 5); /* and what else is due has gone */
	pipe_clear(s->port[0]);
	s->answered[0] = 0;
	EXPECT_EQ(GW_OK, scene_send(s, worker, flow, span_of(zeros, len)));
	scene_work(s, worker);
	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		struct seen seen = scene_seen_at(s, 0, i);

		if (seen.kind != SEEN_UDP && seen.kind != SEEN_FRAGMENT)
			continue;
		EXPECT(seen.ip.whole.len <= mtu);
		n++;
	}
	return n;
}

static const struct flow flow4 = {OURS4, FAR4, 5070, 5060};
static const struct flow flow6 = {OURS6, FAR6, 5070, 5060};

TEST(path_mtu, fragments_the_next_datagram_to_fit_what_a_router_said)
{
	struct scene *s = scene_ready(&plain);
	struct error v4 = {TOO_BIG4(1000), flow4, 1400}, v6 = {TOO_BIG6(1300), flow6, 1400};

	bind_all(s);
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 1400, 1500));
	feed_error(s, &v4);
	scene_turns(s, 2);
	EXPECT_EQ(2, frames_of(s, 0, &flow4, 1400, 1000));
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 972, 1000));
	EXPECT_EQ(1, frames_of(s, 0, &flow6, 1400, 1500));
	feed_error(s, &v6);
	scene_turns(s, 2);
	EXPECT_EQ(2, frames_of(s, 0, &flow6, 1400, 1300));
	EXPECT_EQ(2, SCENE_COUNTER(s, net_path_mtu));
	EXPECT_EQ(0, scene_all_errors(s));
	scene_free(s);
}

TEST(path_mtu, learns_from_a_wildcard_port_and_of_an_on_link_peer)
{
	struct scene *s = scene_ready(&plain);
	struct flow flow = {SECOND4, PEER4, 5070, 5060};
	struct error error = {TOO_BIG4(1000), flow, 1400};

	scene_bind(s, 0, "0.0.0.0", 5070);
	feed_error(s, &error);
	scene_turns(s, 2);
	EXPECT_EQ(2, frames_of(s, 0, &flow, 1400, 1000));
	scene_free(s);
}

TEST(path_mtu, learns_from_an_error_about_the_first_fragment_of_a_datagram)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {"fd00:18:7::7", OURS6, 2, 0, 1300, 0};
	struct cut first = {0, 1448, 9}, second = {1448, 100, 9};
	static const uint8_t zeros[1540];
	struct frame quoted, f;

	bind_all(s);
	frame_udp_fragment(&quoted, &s->in, &flow6, span_of(zeros, sizeof(zeros)), second);
	frame_icmp(&f, &s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, 1232));
	scene_feed(s, 0, 0, &f); /* has no ports */
	scene_turns(s, 2);
	EXPECT_EQ(1, scene_errors(s, GW_ICMP));
	frame_udp_fragment(&quoted, &s->in, &flow6, span_of(zeros, sizeof(zeros)), first);
	frame_icmp(&f, &s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, 1232));
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(2, frames_of(s, 0, &flow6, 1400, 1300));
	scene_free(s);
}

TEST(path_mtu, believes_nothing_below_the_floors)
{
	struct scene *s = scene_ready(&plain);
	struct error v4 = {TOO_BIG4(68), flow4, 1400}, v6 = {TOO_BIG6(500), flow6, 1400};

	bind_all(s);
	feed_error(s, &v4);
	feed_error(s, &v6);
	scene_turns(s, 2);
	EXPECT_EQ(3, frames_of(s, 0, &flow4, 1400, 552)); /* 1408 = 528 + 528 + 352 */
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 552 - 28, 552));
	EXPECT_EQ(2, frames_of(s, 0, &flow6, 1400, 1280));
	EXPECT_EQ(1, frames_of(s, 0, &flow6, 1280 - 48, 1280));
	scene_free(s);
}

TEST(path_mtu, takes_the_next_step_down_when_a_router_says_no_number)
{
	struct scene *s = scene_ready(&plain);
	struct error error = {TOO_BIG4(0), flow4, 1472};

	bind_all(s);
	feed_error(s, &error); /* 1500 was too long: 1492 */
	scene_turns(s, 2);
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 1492 - 28, 1492));
	EXPECT_EQ(2, frames_of(s, 0, &flow4, 1472, 1492));
	error.len = 1492 - 28; /* so was 1492: 1006 */
	feed_error(s, &error);
	scene_turns(s, 2);
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 1006 - 28, 1006));
	EXPECT_EQ(2, frames_of(s, 0, &flow4, 1400, 1006));
	scene_free(s);
}

TEST(path_mtu, forgets_after_ten_minutes)
{
	struct scene *s = scene_ready(&plain);
	struct error error = {TOO_BIG4(1000), flow4, 1400};

	bind_all(s);
	feed_error(s, &error);
	scene_turns(s, 2);
	EXPECT_EQ(2, frames_of(s, 0, &flow4, 1400, 1000));
	s->clock.now_us += 601000000ull;
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 1400, 1500));
	scene_free(s);
}

static void check_changes_nothing(const struct error *error, enum gw_err err)
{
	struct flow flow = {error->quoted.src, error->quoted.dst, 5070, 5060};
	struct scene *s = scene_ready(&plain);

	bind_all(s);
	feed_error(s, error);
	scene_turns(s, 2);
	EXPECT_EQ(1, scene_errors(s, err));
	EXPECT_EQ(1, scene_all_errors(s));
	EXPECT_EQ(0, SCENE_COUNTER(s, net_path_mtu));
	EXPECT_EQ(0, s->heard_count);
	if (strcmp(flow.src, OURS4) == 0 || strcmp(flow.src, OURS6) == 0)
		EXPECT_EQ(1, frames_of(s, 0, &flow, 1400, 1500));
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 1400, 1500));
	scene_free(s);
}

TEST(path_mtu, does_not_believe_an_error_about_what_we_have_not_sent)
{
	struct error error = {TOO_BIG4(1000), {"198.18.0.3", FAR4, 5070, 5060}, 1400};
	struct error v6 = {TOO_BIG6(1300), {OURS6, FAR6, 5999, 5060}, 1400};

	error.quoted.src = OURS4;
	error.quoted.src_port = 5999; /* not open */
	check_changes_nothing(&error, GW_ICMP_FOREIGN);
	check_changes_nothing(&v6, GW_ICMP_FOREIGN);
}

TEST(path_mtu, does_not_believe_an_error_whose_quote_is_from_another_host)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {"198.18.7.7", OURS4, 3, 4, 1000, 0};
	struct flow other = {"198.18.0.3", FAR4, 5070, 5060};
	static const uint8_t zeros[1400];
	struct frame quoted, f;

	bind_all(s);
	frame_udp(&quoted, &s->in, &other, span_of(zeros, sizeof(zeros)));
	frame_icmp(&f, &s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, 548));
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(1, scene_errors(s, GW_ICMP_FOREIGN));
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 1400, 1500));
	scene_free(s);
}

TEST(path_mtu, does_not_believe_an_error_about_a_peer_that_is_not_trusted)
{
	struct error v4 = {TOO_BIG4(1000), {OURS4, FOREIGN4, 5070, 5060}, 1400};
	struct error v6 = {TOO_BIG6(1300), {OURS6, FOREIGN6, 5070, 5060}, 1400};

	check_changes_nothing(&v4, GW_ICMP_FOREIGN);
	check_changes_nothing(&v6, GW_ICMP_FOREIGN);
}

TEST(path_mtu, does_not_believe_that_a_packet_was_too_big_that_would_have_fitted)
{
	struct error v4 = {TOO_BIG4(1428), flow4, 1400}, v6 = {TOO_BIG6(1448), flow6, 1400};
	struct error tiny = {TOO_BIG6(68), flow6, 100}; /* below 1280, which every link takes */

	check_changes_nothing(&v4, GW_ICMP_FOREIGN);
	check_changes_nothing(&v6, GW_ICMP_FOREIGN);
	check_changes_nothing(&tiny, GW_ICMP_FOREIGN);
}

TEST(path_mtu, does_not_believe_an_error_about_a_protocol_that_we_do_not_send)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {"198.18.7.7", OURS4, 3, 4, 1000, 0};
	struct flow flow = flow4;
	static const uint8_t zeros[1400];
	struct frame quoted, f;

	bind_all(s);
	frame_udp(&quoted, &s->in, &flow, span_of(zeros, sizeof(zeros)));
	quoted.bytes[ETH_LEN + 9] = IPPROTO_TCP;
	frame_icmp(&f, &s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, 548));
	scene_feed(s, 0, 0, &f);
	quoted.bytes[ETH_LEN + 9] = 132;
	frame_icmp(&f, &s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, 548));
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 2);
	EXPECT_EQ(2, scene_errors(s, GW_ICMP_FOREIGN));
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 1400, 1500));
	scene_free(s);
}

TEST(path_mtu, does_not_believe_an_error_that_quotes_too_little)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {"198.18.7.7", OURS4, 3, 4, 1000, 0};
	static const uint8_t zeros[1400];
	struct frame quoted, f;

	bind_all(s);
	frame_udp(&quoted, &s->in, &flow4, span_of(zeros, sizeof(zeros)));
	for (uint32_t n = 0; n < 24; n++) { /* RFC 792: the header and 8 bytes; ports need 4 */
		frame_icmp(&f, &s->in, &form, span_cut(frame_span(&quoted), ETH_LEN, n));
		scene_feed(s, 0, 0, &f);
	}
	scene_turns(s, 2);
	EXPECT_EQ(24, scene_errors(s, GW_ICMP));
	EXPECT_EQ(1, frames_of(s, 0, &flow4, 1400, 1500));
	scene_free(s);
}

TEST(path_mtu, lets_every_worker_learn)
{
	struct scene *s = scene_ready(&two);
	struct flow first = flow4, second = {OURS4, FAR4, 5071, 5060};
	struct error error = {TOO_BIG4(1000), second, 1400};

	bind_all(s);
	feed_error(s, &error); /* about a datagram of worker 1 */
	scene_turns(s, 3);
	EXPECT_EQ(2, frames_of(s, 1, &second, 1400, 1000));
	EXPECT_EQ(2, frames_of(s, 0, &first, 1400, 1000));
	EXPECT_EQ(0, scene_errors(s, GW_ICMP_FOREIGN));
	scene_free(s);
}

#define UNREACHABLE4 "198.18.7.7", 3, 1, 0
#define UNREACHABLE6 "fd00:18:7::7", 1, 3, 0

static void check_told(const struct error *error, uint16_t worker)
{
	struct scene *s = scene_ready(&two);
	struct endpoint peer = endpoint_at(error->quoted.dst, 0);
	const struct heard *heard;

	bind_all(s);
	feed_error(s, error);
	stack_receive(s->worker[0].stack);
	EXPECT_EQ(0, s->heard_count);
	scene_turns(s, 3);
	EXPECT_EQ(1, s->heard_count);
	heard = scene_last(s, HEARD_UNREACHABLE);
	EXPECT_EQ(worker, heard->worker);
	EXPECT(endpoint_same_host(&peer, &heard->peer));
	EXPECT_EQ(5060, endpoint_port(&heard->peer));
	scene_free(s);
}

TEST(unreachable, tells_the_user_of_the_port_that_sent)
{
	struct error v4 = {UNREACHABLE4, flow4, 100}, v6 = {UNREACHABLE6, flow6, 100};
	struct error port = {FAR4, 3, 3, 0, {OURS4, FAR4, 5071, 5060}, 100};
	struct error port6 = {FAR6, 1, 4, 0, {OURS6, FAR6, 5071, 5060}, 100};

	check_told(&v4, 0);
	check_told(&v6, 0);
	check_told(&port, 1);
	check_told(&port6, 1);
}

/* RFC 3261 18.4; the peer says so too when one of our fragments did not come */
TEST(unreachable, is_not_told_when_time_was_exceeded)
{
	struct scene *s = scene_ready(&plain);
	struct error v4 = {"198.18.7.7", 11, 1, 0, flow4, 1400};
	struct error v6 = {"fd00:18:7::7", 3, 1, 0, flow6, 1400};

	bind_all(s);
	feed_error(s, &v4);
	feed_error(s, &v6);
	scene_turns(s, 2);
	EXPECT_EQ(0, scene_heard(s, HEARD_UNREACHABLE));
	EXPECT_EQ(2, scene_errors(s, GW_ICMP_TYPE));
	scene_free(s);
}

TEST(unreachable, is_not_told_of_strangers_closed_ports_or_other_hosts)
{
	struct error stranger = {UNREACHABLE4, {OURS4, FOREIGN4, 5070, 5060}, 100};
	struct error closed = {UNREACHABLE4, {OURS4, FAR4, 5999, 5060}, 100};
	struct error closed6 = {UNREACHABLE6, {OURS6, FAR6, 5999, 5060}, 100};

	check_changes_nothing(&stranger, GW_ICMP_FOREIGN);
	check_changes_nothing(&closed, GW_ICMP_FOREIGN);
	check_changes_nothing(&closed6, GW_ICMP_FOREIGN);
}

static void check_foreign_once(uint16_t port)
{
	struct error error = {UNREACHABLE4, {OURS4, FAR4, port, 5060}, 100};
	struct scene *s = scene_ready(&two);

	feed_error(s, &error); /* no port is open */
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_errors(s, GW_ICMP_FOREIGN));
	EXPECT_EQ(0, s->heard_count);
	scene_free(s);
}

TEST(unreachable, is_counted_once_as_foreign_whosever_the_closed_port_would_be)
{
	check_foreign_once(5070);
	check_foreign_once(5071);
	check_foreign_once(5999);
}

TEST(unreachable, takes_a_hundred_errors_a_second_at_most)
{
	struct scene *s = scene_ready(&plain);
	struct error error = {UNREACHABLE4, flow4, 100};
	uint32_t told;

	bind_all(s);
	for (int i = 0; i < 500; i++) {
		feed_error(s, &error);
		scene_turn(s);
	}
	told = scene_heard(s, HEARD_UNREACHABLE);
	EXPECT(told >= 50 && told <= 150);
	EXPECT_EQ(500, told + scene_errors(s, GW_ICMP_RATE));
	scene_free(s);
}

TEST(unreachable, answers_no_error_with_an_error)
{
	struct scene *s = scene_ready(&plain);
	struct error error = {UNREACHABLE4, {OURS4, FAR4, 5999, 5060}, 100};

	error.router = FAR4;
	feed_error(s, &error);
	scene_turns(s, 3);
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST_MAIN("net_stack_path_mtu",
	  RUN(path_mtu, fragments_the_next_datagram_to_fit_what_a_router_said),
	  RUN(path_mtu, learns_from_a_wildcard_port_and_of_an_on_link_peer),
	  RUN(path_mtu, learns_from_an_error_about_the_first_fragment_of_a_datagram),
	  RUN(path_mtu, believes_nothing_below_the_floors),
	  RUN(path_mtu, takes_the_next_step_down_when_a_router_says_no_number),
	  RUN(path_mtu, forgets_after_ten_minutes),
	  RUN(path_mtu, does_not_believe_an_error_about_what_we_have_not_sent),
	  RUN(path_mtu, does_not_believe_an_error_whose_quote_is_from_another_host),
	  RUN(path_mtu, does_not_believe_an_error_about_a_peer_that_is_not_trusted),
	  RUN(path_mtu, does_not_believe_that_a_packet_was_too_big_that_would_have_fitted),
	  RUN(path_mtu, does_not_believe_an_error_about_a_protocol_that_we_do_not_send),
	  RUN(path_mtu, does_not_believe_an_error_that_quotes_too_little),
	  RUN(path_mtu, lets_every_worker_learn),
	  RUN(unreachable, tells_the_user_of_the_port_that_sent),
	  RUN(unreachable, is_not_told_when_time_was_exceeded),
	  RUN(unreachable, is_not_told_of_strangers_closed_ports_or_other_hosts),
	  RUN(unreachable, is_counted_once_as_foreign_whosever_the_closed_port_would_be),
	  RUN(unreachable, takes_a_hundred_errors_a_second_at_most),
	  RUN(unreachable, answers_no_error_with_an_error))
