/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "door_scene.h"

#define IRS 0xfffffffeu /* the first byte's number is 0xffffffff: windows go round */

static struct tcp_arrival syn_of(uint32_t host, uint16_t port)
{
	struct ip_address address = door_v4(host);

	return door_syn(&address, port, IRS);
}

static void knock(struct door *door, uint32_t host, uint16_t port)
{
	struct tcp_arrival syn = syn_of(host, port);

	handshake_syn(&door->tcp, &syn, 0);
}

static uint64_t half_open(const struct door *door)
{
	return counter_read(&door->counters.tcp_half_open_live);
}

/* ---- what is answered
 * ----------------------------------------------------------------------------
 */

TEST(handshake, answers_a_syn_with_what_it_offers)
{
	struct door door;
	struct tcp_arrival syn = syn_of(7, 4000);
	struct tcp_ends ends = tcp_arrival_ends(&syn);
	const struct tcp_packet *answer = door.sent;

	door_open(&door, NULL);
	EXPECT(!handshake_knows(&door.tcp, &ends));
	handshake_syn(&door.tcp, &syn, 0);
	EXPECT(handshake_knows(&door.tcp, &ends));
	EXPECT_EQ(1, door.sends);
	EXPECT(ip_address_equal(&syn.remote, &door.sent_to));
	EXPECT(ip_address_equal(&syn.local, &door.sent_from));
	EXPECT_EQ(DOOR_PORT, answer->src_port);
	EXPECT_EQ(4000, answer->dst_port);
	EXPECT_EQ(TCP_SYN | TCP_ACK, answer->flags);
	EXPECT_EQ(IRS + 1, answer->ack);
	EXPECT_EQ(secret_isn(&door.tcp, &ends), answer->seq);
	EXPECT_EQ(65535, answer->window);
	EXPECT_EQ(0, answer->payload.len);
	EXPECT_EQ(TCP_MSS4, answer->options.mss);
	EXPECT(answer->options.has_scale);
	EXPECT_EQ(TCP_SHIFT, answer->options.scale);
	EXPECT(answer->options.sack_permitted);
	EXPECT(answer->options.has_timestamps);
	EXPECT_EQ(tcp_now_ms(&door.tcp) + secret_ts_offset(&door.tcp, &ends),
		  answer->options.ts_value);
	EXPECT_EQ(5000, answer->options.ts_echo);
	EXPECT_EQ(1, counter_read(&door.counters.tcp_syn_in));
	EXPECT_EQ(1, counter_read(&door.counters.tcp_out));
	EXPECT_EQ(1, half_open(&door));
	door_close(&door);
}

TEST(handshake, offers_nothing_that_the_syn_did_not)
{
	struct door door;
	struct tcp_arrival syn = syn_of(7, 4000);
	const struct tcp_options *options = &door.sent[0].options;

	door_open(&door, NULL);
	syn.tcp.options = (struct tcp_options){0};
	handshake_syn(&door.tcp, &syn, 0);
	EXPECT_EQ(TCP_MSS4, options->mss);
	EXPECT(!options->has_scale && !options->sack_permitted && !options->has_timestamps);
	door_close(&door);
}

TEST(handshake, announces_segments_that_every_ipv6_path_takes)
{
	struct door door;
	struct ip_address host = door_v6(0x20010db800000000, 7);
	struct tcp_arrival syn = door_syn(&host, 4000, IRS);

	door_open(&door, NULL);
	handshake_syn(&door.tcp, &syn, 0);
	EXPECT_EQ(TCP_MSS6, door.sent[0].options.mss);
	door_close(&door);
}

TEST(handshake, announces_no_more_than_the_buffer_holds)
{
	struct door door;

	door_open(&door, NULL);
	door.tcp.config.net.limits.receive_bytes = 8192;
	knock(&door, 7, 4000);
	EXPECT_EQ(8192, door.sent[0].window);
	door_close(&door);
}

TEST(handshake, leaves_data_and_congestion_bits_of_a_syn_alone)
{
	struct door door;
	struct tcp_arrival syn = syn_of(7, 4000);

	door_open(&door, NULL);
	syn.tcp.flags |= TCP_ECE | TCP_CWR | TCP_PSH | TCP_URG;
	syn.tcp.payload = SPAN("early");
	handshake_syn(&door.tcp, &syn, 0);
	EXPECT_EQ(TCP_SYN | TCP_ACK, door.sent[0].flags);
	EXPECT_EQ(IRS + 1, door.sent[0].ack);
	EXPECT_EQ(0, door.accepted);
	door_close(&door);
}

TEST(handshake, number_lies_behind_that_of_a_connection_that_has_ended)
{
	struct door door;
	struct tcp_arrival syn = syn_of(7, 4000);
	struct tcp_ends ends = tcp_arrival_ends(&syn);
	uint32_t isn;

	door_open(&door, NULL);
	isn = secret_isn(&door.tcp, &ends);
	handshake_syn(&door.tcp, &syn, isn + 100);
	EXPECT_EQ(isn + 101, door_last(&door)->seq);
	syn.tcp.src_port++;
	ends = tcp_arrival_ends(&syn);
	isn = secret_isn(&door.tcp, &ends);
	handshake_syn(&door.tcp, &syn, isn - 1);
	EXPECT_EQ(isn, door_last(&door)->seq);
	door_close(&door);
}

/* ---- again
 * ---------------------------------------------------------------------------------------
 */

TEST(handshake, answers_again_after_1_3_and_7_seconds_and_gives_up_after_15)
{
	const uint32_t after_ms[] = {1000, 2000, 4000};
	struct door door;

	door_open(&door, NULL);
	EXPECT_EQ(UINT64_MAX, handshake_next_us(&door.tcp));
	knock(&door, 7, 4000);
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_EQ(door.clock.now_us + after_ms[i] * 1000, handshake_next_us(&door.tcp));
		door_live_ms(&door, after_ms[i] - 10);
		EXPECT_EQ(1 + i, door.sends);
		door_wait_ms(&door, 10);
		EXPECT_EQ(0, handshake_next_us(&door.tcp));
		handshake_run(&door.tcp);
		EXPECT_EQ(2 + i, door.sends);
		EXPECT_EQ(door.sent[0].seq, door_last(&door)->seq);
		EXPECT_EQ(TCP_SYN | TCP_ACK, door_last(&door)->flags);
		EXPECT(door.sent[0].options.ts_value != door_last(&door)->options.ts_value);
	}
	door_live_ms(&door, 7990);
	EXPECT_EQ(1, half_open(&door));
	door_live_ms(&door, 10);
	EXPECT_EQ(0, half_open(&door));
	EXPECT_EQ(4, door.sends);
	EXPECT_EQ(3, counter_read(&door.counters.tcp_retransmits));
	EXPECT_EQ(1, door_errors(&door, GW_CONN_TIMEOUT));
	EXPECT_EQ(UINT64_MAX, handshake_next_us(&door.tcp));
	door_close(&door);
}

TEST(handshake, answers_a_syn_that_comes_again_with_the_same_and_gives_up_no_sooner)
{
	struct door door;
	struct tcp_arrival syn = syn_of(7, 4000);

	door_open(&door, NULL);
	handshake_syn(&door.tcp, &syn, 0);
	for (uint32_t i = 1; i <= 9; i++) {
		door_wait_ms(&door, 100);
		syn.tcp.options.ts_value += 100;
		EXPECT(handshake_segment(&door.tcp, &syn));
		EXPECT_EQ(1 + i, door.sends);
		EXPECT_EQ(door.sent[0].seq, door_last(&door)->seq);
		EXPECT_EQ(5000 + i * 100, door_last(&door)->options.ts_echo);
	}
	syn.tcp.options.ts_value = 5; /* an old one */
	EXPECT(handshake_segment(&door.tcp, &syn));
	EXPECT_EQ(5900, door_last(&door)->options.ts_echo);
	EXPECT_EQ(11, counter_read(&door.counters.tcp_syn_in));
	door_live_ms(&door, 14090);
	EXPECT_EQ(11 + 3, door.sends);
	EXPECT_EQ(1, half_open(&door));
	door_live_ms(&door, 10);
	EXPECT_EQ(0, half_open(&door));
	door_close(&door);
}

TEST(handshake, keeps_the_timestamp_when_a_syn_comes_again_without)
{
	struct door door;
	struct tcp_arrival syn = syn_of(7, 4000);

	door_open(&door, NULL);
	syn.tcp.options.ts_value = 0xf0000000;
	handshake_syn(&door.tcp, &syn, 0);
	syn.tcp.options = (struct tcp_options){0};
	EXPECT(handshake_segment(&door.tcp, &syn));
	EXPECT_EQ(2, door.sends);
	EXPECT_EQ(0xf0000000, door_last(&door)->options.ts_echo);
	door_close(&door);
}

TEST(handshake, works_through_many_that_are_due_in_bounded_turns)
{
	struct door door;
	struct tcp_limits limits = door_limits;

	limits.cookies = COOKIES_NEVER;
	door_open(&door, &limits);
	for (uint32_t i = 0; i < 1000; i++)
		knock(&door, i, 4000);
	EXPECT_EQ(1000, half_open(&door));
	door_wait_ms(&door, 1000);
	for (uint32_t turn = 1; turn <= 3; turn++) {
		handshake_run(&door.tcp);
		EXPECT_EQ(1000 + turn * 256, door.sends);
		EXPECT_EQ(0, handshake_next_us(&door.tcp));
	}
	handshake_run(&door.tcp);
	EXPECT_EQ(2000, door.sends);
	EXPECT_EQ(door.clock.now_us + 2 * DOOR_SECOND, handshake_next_us(&door.tcp));
	door_live_ms(&door, 15000);
	EXPECT_EQ(0, half_open(&door));
	EXPECT_EQ(4000, door.sends);
	door_close(&door);
}

TEST(handshake, goes_on_when_the_link_takes_no_answer)
{
	struct door door;

	door_open(&door, NULL);
	door.send_err = GW_NET_TX_FULL;
	knock(&door, 7, 4000);
	EXPECT_EQ(1, door_errors(&door, GW_NET_TX_FULL));
	EXPECT_EQ(0, counter_read(&door.counters.tcp_out));
	door.send_err = GW_OK;
	door_live_ms(&door, 1000);
	EXPECT_EQ(1, counter_read(&door.counters.tcp_out));
	door_close(&door);
}

/* Resets the one of host's: it leaves its list, first, last or between others. */
static void leave(struct door *door, uint32_t host)
{
	struct tcp_arrival reset = syn_of(host, 4000);

	reset.tcp.flags = TCP_RST;
	reset.tcp.seq = IRS + 1;
	EXPECT(handshake_segment(&door->tcp, &reset));
}

TEST(handshake, goes_on_for_the_others_when_one_ends)
{
	for (uint32_t gone = 0; gone < 9; gone++) {
		struct door door;

		door_open(&door, NULL);
		for (uint32_t i = 0; i < 3; i++)
			knock(&door, 1 + i, 4000);
		leave(&door, 1 + gone % 3);
		if (gone / 3 != gone % 3)
			leave(&door, 1 + gone / 3);
		knock(&door, 9, 4000);
		door_live_ms(&door, 15000);
		EXPECT_EQ(0, half_open(&door));
		EXPECT_EQ(gone / 3 != gone % 3 ? 4 + 6 : 4 + 9, door.sends);
		door_close(&door);
	}
}

/* ---- what is refused
 * -----------------------------------------------------------------------------
 */

/* Nothing is sent, nothing is kept. */
static void expect_silence(struct door *door, enum gw_err err, uint64_t refused)
{
	uint32_t sends = door->sends;
	uint64_t before = door_errors(door, err), open = half_open(door);
	uint64_t counted = counter_read(&door->counters.conn_refused);

	knock(door, 7, 4999);
	EXPECT_EQ(sends, door->sends);
	EXPECT_EQ(open, half_open(door));
	EXPECT_EQ(before + 1, door_errors(door, err));
	EXPECT_EQ(counted + refused, counter_read(&door->counters.conn_refused));
}

TEST(handshake, refuses_when_connections_are_at_their_bound)
{
	struct door door;

	door_open(&door, NULL);
	door.tcp.config.net.limits.connections = 1;
	EXPECT(slots_get(door.tcp.tcbs) != NULL);
	expect_silence(&door, GW_CONN_LIMIT, 1);
	EXPECT_EQ(0, door.refused);
	door_close(&door);
}

TEST(handshake, refuses_when_packets_are_short)
{
	struct door door;

	door_open(&door, NULL);
	door.pressure = 2;
	expect_silence(&door, GW_TCP_PRESSURE, 1);
	door.pressure = 1;
	knock(&door, 7, 4999);
	EXPECT_EQ(1, half_open(&door));
	door_close(&door);
}

TEST(handshake, refuses_a_source_beyond_each_of_its_bounds)
{
	struct door door;
	struct tcp_limits limits = door_limits;

	limits.source_half_open = 2;
	door_open(&door, &limits);
	knock(&door, 7, 4000);
	knock(&door, 7, 4001);
	expect_silence(&door, GW_TCP_SOURCE_HALF_OPEN, 1);
	door_close(&door);
	limits = door_limits;
	limits.source4_connections = 0;
	door_open(&door, &limits);
	expect_silence(&door, GW_TCP_SOURCE_CONNECTIONS, 1);
	door_close(&door);
	limits = door_limits;
	limits.source_burst = 1;
	door_open(&door, &limits);
	knock(&door, 7, 4000);
	expect_silence(&door, GW_TCP_SOURCE_RATE, 1);
	door_close(&door);
}

TEST(handshake, gives_its_source_back_what_it_held_when_it_ends)
{
	struct door door;
	struct tcp_limits limits = door_limits;

	limits.source_half_open = 1;
	door_open(&door, &limits);
	for (uint32_t i = 0; i < 5; i++) {
		knock(&door, 7, 4000);
		EXPECT_EQ(1, half_open(&door));
		door_live_ms(&door, 15000);
		EXPECT_EQ(0, half_open(&door));
	}
	EXPECT_EQ(20, door.sends);
	door_close(&door);
}

TEST(handshake, refuses_when_all_places_are_taken_and_cookies_are_not_wanted)
{
	struct door door;
	struct tcp_limits limits = door_limits;

	limits.cookies = COOKIES_NEVER;
	limits.half_open = 3;
	limits.source_half_open = 4;
	door_open(&door, &limits);
	for (uint32_t i = 0; i < 3; i++)
		knock(&door, 7, (uint16_t)(4000 + i));
	for (uint32_t i = 0; i < 3; i++) /* and holds nothing of its source's */
		expect_silence(&door, GW_TCP_HALF_OPEN, 1);
	door_close(&door);
}

TEST(handshake, resets_who_comes_while_the_worker_drains)
{
	struct door door;

	door_open(&door, NULL);
	door.tcp.draining = true;
	expect_silence(&door, GW_TCP_DRAIN, 1);
	EXPECT_EQ(1, door.refused);
	door_close(&door);
}

static void expect_no_source(struct ip_address host, uint16_t port)
{
	struct door door;
	struct tcp_arrival syn = door_syn(&host, port, IRS);

	door_open(&door, NULL);
	handshake_syn(&door.tcp, &syn, 0);
	EXPECT_EQ(1, door_errors(&door, GW_TCP_SYN_SOURCE));
	EXPECT_EQ(0, door.sends);
	EXPECT_EQ(0, half_open(&door));
	door_close(&door);
}

TEST(handshake, refuses_addresses_and_ports_that_no_client_has)
{
	struct ip_address host = door_v4(7);

	expect_no_source(host, 0);
	expect_no_source(door_v4(0xe0000001), 4000);
	expect_no_source(door_v4(0xffffffff), 4000);
	expect_no_source(door_v4(0x7f000001), 4000);
	expect_no_source(ip_address_v4((const uint8_t[]){0, 0, 0, 0}), 4000);
	expect_no_source(door_v6(0xff02000000000000, 1), 4000);
	expect_no_source(door_v6(0, 0), 4000);
	expect_no_source(door_v6(0, 1), 4000);
	expect_no_source(door_v4(0xc6120001), DOOR_PORT); /* LAND */
}

TEST(handshake, begins_with_a_syn_alone)
{
	const uint8_t flags[] = {TCP_SYN | TCP_FIN, TCP_SYN | TCP_RST, TCP_SYN | TCP_ACK, 0};
	struct door door;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < sizeof(flags); i++) {
		struct tcp_arrival syn = syn_of(7, 4000);

		syn.tcp.flags = flags[i];
		handshake_syn(&door.tcp, &syn, 0);
		EXPECT_EQ(i + 1, door_errors(&door, GW_TCP_STATE));
	}
	EXPECT_EQ(0, door.sends);
	door_close(&door);
}

TEST(handshake, opens_and_closes_with_the_smallest_and_largest_bounds)
{
	struct door door;
	struct tcp_limits limits = door_limits;

	limits.half_open = 0;
	limits.time_waits = 0;
	limits.cookies = COOKIES_NEVER;
	door_open(&door, &limits);
	knock(&door, 7, 4000);
	expect_silence(&door, GW_TCP_HALF_OPEN, 1);
	door_close(&door);
	limits.half_open = UINT32_MAX;
	limits.source_half_open = UINT16_MAX;
	limits.source_burst = UINT32_MAX;
	door_open(&door, &limits);
	for (uint32_t i = 0; i < 65536; i++)
		knock(&door, i >> 10, (uint16_t)(1 + (i & 1023)));
	EXPECT_EQ(65535, half_open(&door));
	expect_silence(&door, GW_TCP_HALF_OPEN, 1);
	door_close(&door);
	handshake_close(&door.tcp); /* once more does nothing */
	EXPECT(door.tcp.handshake == NULL);
}

TEST_MAIN("handshake", RUN(handshake, answers_a_syn_with_what_it_offers),
	  RUN(handshake, offers_nothing_that_the_syn_did_not),
	  RUN(handshake, announces_segments_that_every_ipv6_path_takes),
	  RUN(handshake, announces_no_more_than_the_buffer_holds),
	  RUN(handshake, leaves_data_and_congestion_bits_of_a_syn_alone),
	  RUN(handshake, number_lies_behind_that_of_a_connection_that_has_ended),
	  RUN(handshake, answers_again_after_1_3_and_7_seconds_and_gives_up_after_15),
	  RUN(handshake, answers_a_syn_that_comes_again_with_the_same_and_gives_up_no_sooner),
	  RUN(handshake, keeps_the_timestamp_when_a_syn_comes_again_without),
	  RUN(handshake, works_through_many_that_are_due_in_bounded_turns),
	  RUN(handshake, goes_on_when_the_link_takes_no_answer),
	  RUN(handshake, goes_on_for_the_others_when_one_ends),
	  RUN(handshake, refuses_when_connections_are_at_their_bound),
	  RUN(handshake, refuses_when_packets_are_short),
	  RUN(handshake, refuses_a_source_beyond_each_of_its_bounds),
	  RUN(handshake, gives_its_source_back_what_it_held_when_it_ends),
	  RUN(handshake, refuses_when_all_places_are_taken_and_cookies_are_not_wanted),
	  RUN(handshake, resets_who_comes_while_the_worker_drains),
	  RUN(handshake, refuses_addresses_and_ports_that_no_client_has),
	  RUN(handshake, begins_with_a_syn_alone),
	  RUN(handshake, opens_and_closes_with_the_smallest_and_largest_bounds))
