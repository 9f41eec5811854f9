/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "door_scene.h"

#define IRS 77u

static struct tcp_arrival syn_of(uint32_t host, uint16_t port)
{
	struct ip_address address = door_v4(host);

	return door_syn(&address, port, IRS);
}

static void knock(struct door *door, uint32_t host)
{
	struct tcp_arrival syn = syn_of(host, 4000);

	handshake_syn(&door->tcp, &syn, 0);
}

static uint64_t half_open(const struct door *door)
{
	return counter_read(&door->counters.tcp_half_open_live);
}

static uint64_t sent(const struct door *door)
{
	return counter_read(&door->counters.tcp_cookies_out);
}

static uint64_t taken(const struct door *door)
{
	return counter_read(&door->counters.tcp_cookies_in);
}

/* Sends cookies always; the last one sent is that of host 7's port 4000. */
static struct tcp_arrival cookie_open(struct door *door, uint32_t half_open_max)
{
	struct tcp_limits limits = door_limits;
	struct tcp_arrival syn = syn_of(7, 4000);

	limits.cookies = COOKIES_ALWAYS;
	limits.half_open = half_open_max;
	door_open(door, &limits);
	handshake_syn(&door->tcp, &syn, 0);
	EXPECT_EQ(1, sent(door));
	return syn;
}

/* ---- when
 * ----------------------------------------------------------------------------------------
 */

TEST(cookies, are_sent_when_half_of_the_places_are_taken)
{
	struct door door;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 600; i++)
		knock(&door, i);
	EXPECT_EQ(501, half_open(&door));
	EXPECT_EQ(99, sent(&door));
	EXPECT_EQ(600, door.sends);
	door_live_ms(&door, 15100); /* more than one turn's work each time */
	knock(&door, 7);
	EXPECT_EQ(1, half_open(&door));
	EXPECT_EQ(99, sent(&door));
	door_close(&door);
}

TEST(cookies, are_sent_above_a_rate_of_syns_and_a_second_longer)
{
	struct door door;
	struct tcp_limits limits = door_limits;

	limits.syn_rate = 10;
	door_open(&door, &limits);
	for (uint32_t i = 0; i < 15; i++)
		knock(&door, i);
	EXPECT_EQ(10, half_open(&door));
	EXPECT_EQ(5, sent(&door));
	door_wait_ms(&door, 1000);
	knock(&door, 100);
	EXPECT_EQ(6, sent(&door));
	door_wait_ms(&door, 1000);
	knock(&door, 101);
	EXPECT_EQ(6, sent(&door));
	for (uint32_t i = 0; i < 10; i++)
		knock(&door, 200 + i);
	EXPECT_EQ(7, sent(&door));
	door_wait_ms(&door, 2000); /* a second without any lies between */
	knock(&door, 102);
	EXPECT_EQ(7, sent(&door));
	door_close(&door);
}

TEST(cookies, are_sent_always_or_never_if_so_configured)
{
	struct door door;
	struct tcp_limits limits = door_limits;

	cookie_open(&door, 1000);
	EXPECT_EQ(0, half_open(&door));
	door_close(&door);
	limits.cookies = COOKIES_NEVER;
	limits.syn_rate = 10;
	door_open(&door, &limits);
	for (uint32_t i = 0; i < 1000; i++)
		knock(&door, i);
	EXPECT_EQ(1000, half_open(&door));
	EXPECT_EQ(0, sent(&door));
	door_close(&door);
}

TEST(cookies, keep_nothing_and_say_what_any_answer_says)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000);
	struct tcp_ends ends = tcp_arrival_ends(&syn);
	const struct tcp_packet *answer = door_last(&door);

	EXPECT(!handshake_knows(&door.tcp, &ends));
	EXPECT_EQ(UINT64_MAX, handshake_next_us(&door.tcp));
	EXPECT_EQ(TCP_SYN | TCP_ACK, answer->flags);
	EXPECT_EQ(IRS + 1, answer->ack);
	EXPECT_EQ(65535, answer->window);
	EXPECT_EQ(TCP_MSS4, answer->options.mss);
	EXPECT(answer->options.has_scale && answer->options.sack_permitted &&
	       answer->options.has_timestamps);
	for (uint32_t i = 0; i < 200; i++) /* nothing half-open of the source's */
		handshake_syn(&door.tcp, &syn, 0);
	EXPECT_EQ(201, sent(&door));
	for (uint32_t i = 0; i < 300; i++)
		handshake_syn(&door.tcp, &syn, 0);
	EXPECT_EQ(400, sent(&door)); /* but its rate */
	EXPECT_EQ(101, door_errors(&door, GW_TCP_SOURCE_RATE));
	door_close(&door);
}

TEST(cookies, are_not_sent_to_the_peer_of_a_time_wait)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000);
	struct tcp_ends ends = tcp_arrival_ends(&syn);

	handshake_syn(&door.tcp, &syn, secret_isn(&door.tcp, &ends) + 5);
	EXPECT_EQ(1, sent(&door));
	EXPECT_EQ(1, half_open(&door));
	EXPECT_EQ(secret_isn(&door.tcp, &ends) + 6, door_last(&door)->seq);
	door_close(&door);
}

/* ---- they come back
 * ------------------------------------------------------------------------------
 */

TEST(cookies, that_come_back_with_data_make_a_connection)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), data = door_data(&door, &syn);
	const struct tcb *tcb;

	door_wait_ms(&door, 40);
	EXPECT(handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(1, door.accepted);
	EXPECT_EQ(1, door.inputs);
	EXPECT_EQ(1, taken(&door));
	EXPECT_EQ(0, half_open(&door));
	EXPECT_EQ(0, door.rtt_us);
	tcb = door.tcb;
	EXPECT_EQ(TCB_TIMESTAMPS | TCB_SACK | TCB_SCALE, tcb->flags);
	EXPECT_EQ(IRS, tcb->irs);
	EXPECT_EQ(IRS + 1, tcb->rcv_nxt);
	EXPECT_EQ(door_last(&door)->seq, tcb->iss);
	EXPECT_EQ(tcb->iss + 1, tcb->snd_una);
	EXPECT_EQ(7, tcb->snd_shift);
	EXPECT_EQ(1000 << 7, tcb->snd_wnd);
	EXPECT_EQ(1448, tcb->mss);
	EXPECT_EQ(3 * 1448, tcb->cwnd);
	EXPECT_EQ(5010, tcb->ts_recent);
	door_close(&door);
}

TEST(cookies, that_come_back_alone_wait_for_data)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), ack = door_ack(&door, &syn),
			   data = door_data(&door, &syn);

	EXPECT(handshake_cookie(&door.tcp, &ack));
	EXPECT_EQ(0, door.accepted);
	EXPECT_EQ(1, half_open(&door));
	EXPECT_EQ(1, taken(&door));
	EXPECT_EQ(door.clock.now_us + 20 * DOOR_SECOND, handshake_next_us(&door.tcp));
	door_wait_ms(&door, 10000);
	EXPECT(handshake_segment(&door.tcp, &data));
	EXPECT_EQ(1, door.inputs);
	EXPECT_EQ(0, door.rtt_us);
	EXPECT_EQ(3 * 1448, door.tcb->cwnd);
	EXPECT_EQ(0, half_open(&door));
	door_close(&door);
}

TEST(cookies, of_peers_without_options_make_connections_without)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), data;

	syn.tcp.options = (struct tcp_options){0};
	handshake_syn(&door.tcp, &syn, 0);
	data = door_data(&door, &syn);
	EXPECT(handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(0, door.tcb->flags);
	EXPECT_EQ(536, door.tcb->mss);
	EXPECT_EQ(1000, door.tcb->snd_wnd);
	door_close(&door);
}

TEST(cookies, of_ipv6_make_connections_too)
{
	struct door door;
	struct ip_address host = door_v6(0x20010db800000000, 7);
	struct tcp_arrival syn = door_syn(&host, 4000, IRS), data;

	cookie_open(&door, 1000);
	handshake_syn(&door.tcp, &syn, 0);
	data = door_data(&door, &syn);
	EXPECT(handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(1428, door.tcb->mss); /* 1440 is the highest that a cookie says */
	door_close(&door);
}

TEST(cookies, are_good_for_15_seconds_at_least_and_30_at_most)
{
	for (uint64_t sent_at_ms = 0; sent_at_ms < 31000; sent_at_ms += 2999)
		for (uint64_t age_ms = 0; age_ms < 65000; age_ms += 2500) {
			struct door door;
			struct tcp_arrival syn = cookie_open(&door, 1000), data;

			door_wait_ms(&door, sent_at_ms);
			handshake_syn(&door.tcp, &syn, 0);
			data = door_data(&door, &syn);
			door_wait_ms(&door, age_ms);
			if (age_ms >= 27500) /* others are sent: they are looked at */
				knock(&door, 8);
			if (age_ms <= 15000)
				EXPECT(handshake_cookie(&door.tcp, &data));
			else if (age_ms >= 30000)
				EXPECT(!handshake_cookie(&door.tcp, &data));
			door_close(&door);
		}
}

TEST(cookies, are_not_looked_at_when_none_were_sent_lately)
{
	struct door door;
	struct tcp_arrival syn = syn_of(7, 4000), data;
	struct tcp_limits limits = door_limits;

	door_open(&door, &limits);
	handshake_syn(&door.tcp, &syn, 0);
	data = door_data(&door, &syn);
	data.tcp.src_port++;
	EXPECT(!handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(0, door_errors(&door, GW_TCP_COOKIE));
	door_close(&door);
	cookie_open(&door, 1000);
	door_wait_ms(&door, 29999);
	EXPECT(!handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(1, door_errors(&door, GW_TCP_COOKIE));
	door_wait_ms(&door, 1);
	EXPECT(!handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(1, door_errors(&door, GW_TCP_COOKIE));
	door_close(&door);
}

TEST(cookies, that_are_wrong_are_counted_and_none_of_ours)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), data = door_data(&door, &syn);

	data.tcp.ack++;
	EXPECT(!handshake_cookie(&door.tcp, &data));
	data.tcp.ack--;
	data.tcp.seq++;
	EXPECT(!handshake_cookie(&door.tcp, &data));
	data.tcp.seq--;
	data.tcp.src_port++;
	EXPECT(!handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(3, door_errors(&door, GW_TCP_COOKIE));
	EXPECT_EQ(0, taken(&door));
	EXPECT_EQ(0, door.accepted);
	door_close(&door);
}

TEST(cookies, are_acks_and_nothing_else)
{
	const uint8_t flags[] = {TCP_RST | TCP_ACK, TCP_SYN | TCP_ACK, TCP_PSH, TCP_FIN};
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), data = door_data(&door, &syn);

	for (uint32_t i = 0; i < sizeof(flags); i++) {
		data.tcp.flags = flags[i];
		EXPECT(!handshake_cookie(&door.tcp, &data));
	}
	EXPECT_EQ(0, door_errors(&door, GW_TCP_COOKIE));
	data.tcp.flags = TCP_FIN | TCP_ACK;
	EXPECT(handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(1, door.inputs);
	door_close(&door);
}

TEST(cookies, of_who_guesses_are_not_looked_at_and_not_reset)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), data = door_data(&door, &syn),
			   guess = data;

	guess.tcp.ack++;
	for (uint32_t i = 0; i < 100; i++)
		EXPECT(!handshake_cookie(&door.tcp, &guess));
	EXPECT(handshake_cookie(&door.tcp, &guess));
	EXPECT(handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(102, door_errors(&door, GW_TCP_COOKIE));
	EXPECT_EQ(0, door.accepted);
	EXPECT_EQ(0, door.refused);
	door_wait_ms(&door, 10000);
	EXPECT(handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(1, door.accepted);
	door_close(&door);
}

/* ---- no room for them
 * ----------------------------------------------------------------------------
 */

/* Dropped, and counted: the peer tries again. */
static void expect_dropped(struct door *door, const struct tcp_arrival *segment, enum gw_err why)
{
	uint64_t before = door_errors(door, why), open = half_open(door);

	EXPECT(handshake_cookie(&door->tcp, segment));
	EXPECT_EQ(before + 1, door_errors(door, why));
	EXPECT_EQ(open, half_open(door));
	EXPECT_EQ(0, door->accepted);
	EXPECT_EQ(0, door->refused);
}

TEST(cookies, are_dropped_when_the_worker_is_full)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), ack = door_ack(&door, &syn),
			   data = door_data(&door, &syn);

	door.pressure = 2;
	expect_dropped(&door, &ack, GW_TCP_PRESSURE);
	expect_dropped(&door, &data, GW_TCP_PRESSURE);
	door.pressure = 0;
	door.tcp.config.net.limits.connections = 0;
	expect_dropped(&door, &ack, GW_CONN_LIMIT);
	expect_dropped(&door, &data, GW_CONN_LIMIT);
	EXPECT_EQ(4, counter_read(&door.counters.conn_refused));
	EXPECT_EQ(0, taken(&door));
	door_close(&door);
}

TEST(cookies, are_dropped_when_their_source_has_enough_half_open)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), ack = door_ack(&door, &syn);

	door.tcp.limits.source_half_open = 0;
	expect_dropped(&door, &ack, GW_TCP_SOURCE_HALF_OPEN);
	door_close(&door);
}

TEST(cookies, are_reset_when_their_source_has_enough_connections)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), data = door_data(&door, &syn);

	door.tcp.limits.source4_connections = 0;
	EXPECT(handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(1, door_errors(&door, GW_TCP_SOURCE_CONNECTIONS));
	EXPECT_EQ(1, door.refused);
	EXPECT_EQ(0, door.accepted);
	door_close(&door);
}

TEST(cookies, need_no_place_when_they_bring_data)
{
	struct door door;
	struct tcp_arrival syn, ack, data;

	syn = cookie_open(&door, 1);
	ack = door_ack(&door, &syn);
	EXPECT(handshake_cookie(&door.tcp, &ack));
	EXPECT_EQ(1, half_open(&door));
	syn.tcp.src_port++;
	handshake_syn(&door.tcp, &syn, 0);
	ack = door_ack(&door, &syn);
	data = door_data(&door, &syn);
	door.tcp.limits.source_half_open = 2; /* nothing of it is kept by who finds no place */
	for (uint32_t i = 0; i < 3; i++)
		expect_dropped(&door, &ack, GW_TCP_HALF_OPEN);
	EXPECT(handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(1, door.accepted);
	door_close(&door);
}

TEST(cookies, are_none_while_the_worker_drains)
{
	struct door door;
	struct tcp_arrival syn = cookie_open(&door, 1000), data = door_data(&door, &syn);

	door.tcp.draining = true;
	EXPECT(!handshake_cookie(&door.tcp, &data));
	EXPECT_EQ(0, door.accepted);
	door_close(&door);
}

TEST_MAIN("cookies", RUN(cookies, are_sent_when_half_of_the_places_are_taken),
	  RUN(cookies, are_sent_above_a_rate_of_syns_and_a_second_longer),
	  RUN(cookies, are_sent_always_or_never_if_so_configured),
	  RUN(cookies, keep_nothing_and_say_what_any_answer_says),
	  RUN(cookies, are_not_sent_to_the_peer_of_a_time_wait),
	  RUN(cookies, that_come_back_with_data_make_a_connection),
	  RUN(cookies, that_come_back_alone_wait_for_data),
	  RUN(cookies, of_peers_without_options_make_connections_without),
	  RUN(cookies, of_ipv6_make_connections_too),
	  RUN(cookies, are_good_for_15_seconds_at_least_and_30_at_most),
	  RUN(cookies, are_not_looked_at_when_none_were_sent_lately),
	  RUN(cookies, that_are_wrong_are_counted_and_none_of_ours),
	  RUN(cookies, are_acks_and_nothing_else),
	  RUN(cookies, of_who_guesses_are_not_looked_at_and_not_reset),
	  RUN(cookies, are_dropped_when_the_worker_is_full),
	  RUN(cookies, are_dropped_when_their_source_has_enough_half_open),
	  RUN(cookies, are_reset_when_their_source_has_enough_connections),
	  RUN(cookies, need_no_place_when_they_bring_data),
	  RUN(cookies, are_none_while_the_worker_drains))
