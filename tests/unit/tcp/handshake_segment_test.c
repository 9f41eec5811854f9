/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "door_scene.h"

#define IRS 0xfffffff0u /* windows go round */
#define HOST 7u

/* A half-open connection, and segments of its peer's. */
struct visit {
	struct door door;
	struct tcp_arrival syn, ack, data;
};

static void visit_begin(struct visit *visit, const struct tcp_arrival *syn)
{
	door_open(&visit->door, NULL);
	visit->syn = *syn;
	handshake_syn(&visit->door.tcp, syn, 0);
	EXPECT_EQ(1, visit->door.sends);
	visit->ack = door_ack(&visit->door, syn);
	visit->data = door_data(&visit->door, syn);
}

static void visit_open(struct visit *visit)
{
	struct ip_address host = door_v4(HOST);
	struct tcp_arrival syn = door_syn(&host, 4000, IRS);

	visit_begin(visit, &syn);
}

static void visit_close(struct visit *visit)
{
	door_close(&visit->door);
}

static void give(struct visit *visit, const struct tcp_arrival *segment)
{
	EXPECT(handshake_segment(&visit->door.tcp, segment));
}

static bool half_open(const struct visit *visit)
{
	return counter_read(&visit->door.counters.tcp_half_open_live) == 1;
}

/* A copy of a segment with another sequence number. */
static struct tcp_arrival at(struct tcp_arrival segment, uint32_t seq)
{
	segment.tcp.seq = seq;
	return segment;
}

static struct tcp_arrival with(struct tcp_arrival segment, uint8_t flags)
{
	segment.tcp.flags = flags;
	return segment;
}

/* ---- deferred accept
 * -----------------------------------------------------------------------------
 */

TEST(half_open, becomes_no_connection_by_an_ack_alone)
{
	struct visit visit;

	visit_open(&visit);
	give(&visit, &visit.ack);
	give(&visit, &visit.ack);
	EXPECT_EQ(0, visit.door.accepted);
	EXPECT_EQ(1, visit.door.sends);
	EXPECT(half_open(&visit));
	EXPECT_EQ(visit.door.clock.now_us + 20 * DOOR_SECOND, handshake_next_us(&visit.door.tcp));
	door_live_ms(&visit.door, 10000);
	give(&visit, &visit.ack); /* gives it no longer */
	door_live_ms(&visit.door, 9990);
	EXPECT(half_open(&visit));
	door_live_ms(&visit.door, 10);
	EXPECT(!half_open(&visit));
	EXPECT_EQ(1, door_errors(&visit.door, GW_CONN_TIMEOUT));
	EXPECT_EQ(1, visit.door.sends);
	EXPECT(!handshake_segment(&visit.door.tcp, &visit.data));
	visit_close(&visit);
}

TEST(half_open, becomes_a_connection_with_its_first_bytes)
{
	struct visit visit;
	struct tcb *tcb;

	visit_open(&visit);
	visit.door.tcp.listener[0].ops = (const struct conn_ops *)&visit;
	door_wait_ms(&visit.door, 30);
	give(&visit, &visit.ack);
	door_wait_ms(&visit.door, 5000);
	visit.data.tcp.window = 2000;
	visit.data.tcp.options.ts_value += 5000;
	give(&visit, &visit.data);
	EXPECT(!half_open(&visit));
	EXPECT_EQ(1, visit.door.accepted);
	EXPECT_EQ(1, visit.door.inputs);
	EXPECT(visit.door.recovery_ready);
	EXPECT_EQ(30000, visit.door.rtt_us);
	tcb = visit.door.tcb;
	EXPECT_EQ(TCP_ESTABLISHED, tcb->state);
	EXPECT_EQ(TCB_TIMESTAMPS | TCB_SACK | TCB_SCALE, tcb->flags);
	EXPECT_EQ(IRS, tcb->irs);
	EXPECT_EQ(IRS + 1, tcb->rcv_nxt);
	EXPECT_EQ(IRS + 1, tcb->last_ack);
	EXPECT_EQ(IRS + 1 + 65535, tcb->rcv_edge);
	EXPECT_EQ(visit.door.sent[0].seq, tcb->iss);
	EXPECT_EQ(tcb->iss + 1, tcb->snd_una);
	EXPECT_EQ(tcb->iss + 1, tcb->snd_nxt);
	EXPECT_EQ(tcb->iss + 1, tcb->snd_end);
	EXPECT_EQ(2000 << 7, tcb->snd_wnd);
	EXPECT_EQ(2000 << 7, tcb->snd_wnd_max);
	EXPECT_EQ(visit.data.tcp.seq, tcb->snd_wl1);
	EXPECT_EQ(visit.data.tcp.ack, tcb->snd_wl2);
	EXPECT_EQ(7, tcb->snd_shift);
	EXPECT_EQ(TCP_SHIFT, tcb->rcv_shift);
	EXPECT_EQ(1448, tcb->mss);
	EXPECT_EQ(10 * 1448, tcb->cwnd);
	EXPECT_EQ(secret_ts_offset(&visit.door.tcp, &tcb->ends), tcb->ts_offset);
	EXPECT_EQ(visit.data.tcp.options.ts_value, tcb->ts_recent);
	EXPECT_EQ(tcp_now_s(&visit.door.tcp), tcb->ts_recent_s);
	EXPECT_EQ(tcp_now_s(&visit.door.tcp), tcb->born_s);
	EXPECT_EQ(16, tcb->quick_acks);
	EXPECT_EQ(EVENT_ACCEPT, tcb->events);
	EXPECT(visit.door.tcp.user_ops[tcb->ops_at] == (const struct conn_ops *)&visit);
	EXPECT(tcb->context == &visit.door);
	EXPECT(tcb->source < visit.door.tcp.limits.sources);
	source_connection_ended(&visit.door.tcp, tcb->source); /* counted: else it is broken */
	EXPECT(!handshake_segment(&visit.door.tcp, &visit.data));
	visit_close(&visit);
}

TEST(half_open, becomes_a_connection_also_where_the_ack_was_lost)
{
	struct visit visit;

	visit_open(&visit);
	door_wait_ms(&visit.door, 50);
	give(&visit, &visit.data);
	EXPECT_EQ(1, visit.door.inputs);
	EXPECT_EQ(50000, visit.door.rtt_us);
	visit_close(&visit);
}

TEST(half_open, becomes_a_connection_by_a_fin)
{
	struct visit visit;
	struct tcp_arrival fin;

	visit_open(&visit);
	fin = with(visit.ack, TCP_FIN | TCP_ACK);
	give(&visit, &fin);
	EXPECT_EQ(1, visit.door.inputs);
	EXPECT_EQ(1000, visit.door.rtt_us); /* under a ms is one */
	visit_close(&visit);
}

TEST(half_open, without_options_becomes_a_connection_without)
{
	struct ip_address host = door_v4(HOST);
	struct tcp_arrival syn = door_syn(&host, 4000, IRS);
	struct visit visit;

	syn.tcp.options = (struct tcp_options){0};
	visit_begin(&visit, &syn);
	visit.data.tcp.options.has_timestamps = true; /* were not negotiated: not looked at */
	visit.data.tcp.options.ts_value = UINT32_MAX;
	give(&visit, &visit.data);
	EXPECT_EQ(0, visit.door.tcb->flags);
	EXPECT_EQ(0, visit.door.tcb->snd_shift);
	EXPECT_EQ(0, visit.door.tcb->rcv_shift);
	EXPECT_EQ(1000, visit.door.tcb->snd_wnd);
	EXPECT_EQ(536, visit.door.tcb->mss);
	visit_close(&visit);
}

TEST(half_open, of_ipv6_without_an_mss_sends_1220)
{
	struct ip_address host = door_v6(0x20010db800000000, 7);
	struct tcp_arrival syn = door_syn(&host, 4000, IRS);
	struct visit visit;

	syn.tcp.options = (struct tcp_options){.has_scale = true, .scale = 255};
	visit_begin(&visit, &syn);
	give(&visit, &visit.data);
	EXPECT_EQ(1220, visit.door.tcb->mss);
	EXPECT_EQ(14, visit.door.tcb->snd_shift);
	visit_close(&visit);
}

TEST(half_open, takes_the_mtu_of_the_way_and_the_least_without_one)
{
	struct visit visit;

	visit_open(&visit);
	visit.door.mtu = 1400;
	visit.door.route_err = GW_NET_UNRESOLVED;
	give(&visit, &visit.data);
	EXPECT_EQ(1348, visit.door.tcb->mss);
	visit_close(&visit);
	visit_open(&visit);
	visit.door.route_err = GW_NET_NO_ROUTE;
	give(&visit, &visit.data);
	EXPECT_EQ(1228, visit.door.tcb->mss);
	visit_close(&visit);
}

/* Karn: nobody knows which of them was answered. */
TEST(half_open, that_was_answered_twice_gives_no_round_trip_and_begins_slowly)
{
	struct visit visit;

	visit_open(&visit);
	give(&visit, &visit.syn);
	give(&visit, &visit.data);
	EXPECT_EQ(0, visit.door.rtt_us);
	EXPECT_EQ(3 * 1448, visit.door.tcb->cwnd);
	visit_close(&visit);
	visit_open(&visit);
	door_live_ms(&visit.door, 1000);
	EXPECT_EQ(2, visit.door.sends);
	give(&visit, &visit.data);
	EXPECT_EQ(0, visit.door.rtt_us);
	EXPECT_EQ(3 * 1448, visit.door.tcb->cwnd);
	visit_close(&visit);
}

TEST(half_open, that_is_acknowledged_is_answered_no_more)
{
	struct visit visit;

	visit_open(&visit);
	give(&visit, &visit.ack);
	door_live_ms(&visit.door, 19000);
	EXPECT_EQ(1, visit.door.sends);
	visit_close(&visit);
}

/* ---- what is not believed
 * ------------------------------------------------------------------------
 */

static void expect_challenge(struct visit *visit, const struct tcp_arrival *segment,
			     enum gw_err why)
{
	uint64_t before = door_errors(&visit->door, why);
	uint32_t sends = visit->door.sends;
	const struct tcp_packet *ack;

	give(visit, segment);
	EXPECT(half_open(visit));
	EXPECT_EQ(0, visit->door.inputs);
	EXPECT_EQ(before + 1, door_errors(&visit->door, why));
	EXPECT_EQ(sends + 1, visit->door.sends);
	ack = door_last(&visit->door);
	EXPECT_EQ(TCP_ACK, ack->flags);
	EXPECT_EQ(visit->door.sent[0].seq + 1, ack->seq);
	EXPECT_EQ(IRS + 1, ack->ack);
	EXPECT_EQ(65535 >> TCP_SHIFT, ack->window);
	EXPECT(ack->options.has_timestamps);
	EXPECT(!ack->options.has_scale && ack->options.mss == 0);
}

static void expect_dropped(struct visit *visit, const struct tcp_arrival *segment, enum gw_err why)
{
	uint64_t before = door_errors(&visit->door, why);
	uint32_t sends = visit->door.sends;

	give(visit, segment);
	EXPECT(half_open(visit));
	EXPECT_EQ(0, visit->door.inputs);
	EXPECT_EQ(before + 1, door_errors(&visit->door, why));
	EXPECT_EQ(sends, visit->door.sends);
}

TEST(half_open, ends_by_a_reset_at_the_very_number)
{
	struct visit visit;
	struct tcp_arrival reset;

	visit_open(&visit);
	reset = at(with(visit.ack, TCP_RST), IRS + 1);
	reset.tcp.options.ts_value = 1; /* PAWS is not for resets */
	give(&visit, &reset);
	EXPECT(!half_open(&visit));
	EXPECT_EQ(1, door_errors(&visit.door, GW_CONN_RESET));
	door_live_ms(&visit.door, 20000);
	EXPECT_EQ(1, visit.door.sends); /* a victim of reflection has stopped it */
	visit_close(&visit);
}

TEST(half_open, challenges_a_reset_in_the_window_and_drops_others)
{
	struct visit visit;
	struct tcp_arrival reset;

	visit_open(&visit);
	reset = with(visit.ack, TCP_RST | TCP_ACK);
	reset = at(reset, IRS + 2);
	expect_challenge(&visit, &reset, GW_TCP_RST_CHALLENGED);
	reset = at(reset, IRS + 65535);
	expect_challenge(&visit, &reset, GW_TCP_RST_CHALLENGED);
	reset = at(reset, IRS + 65536);
	expect_dropped(&visit, &reset, GW_TCP_RST_WINDOW);
	reset = at(reset, IRS);
	expect_dropped(&visit, &reset, GW_TCP_RST_WINDOW);
	visit_close(&visit);
}

TEST(half_open, challenges_a_syn_that_is_not_its_own)
{
	struct visit visit;
	struct tcp_arrival syn;

	visit_open(&visit);
	syn = at(visit.syn, IRS + 1);
	expect_challenge(&visit, &syn, GW_TCP_SYN_CHALLENGED);
	syn = at(visit.syn, IRS - 100000);
	expect_challenge(&visit, &syn, GW_TCP_SYN_CHALLENGED);
	syn = with(visit.syn, TCP_SYN | TCP_ACK);
	expect_challenge(&visit, &syn, GW_TCP_SYN_CHALLENGED);
	syn = with(visit.syn, TCP_SYN | TCP_FIN);
	expect_challenge(&visit, &syn, GW_TCP_SYN_CHALLENGED);
	give(&visit, &visit.ack);
	expect_challenge(&visit, &visit.syn, GW_TCP_SYN_CHALLENGED);
	visit_close(&visit);
}

TEST(half_open, challenges_ten_times_and_then_is_silent)
{
	struct visit visit;
	struct tcp_arrival old;

	visit_open(&visit);
	old = at(visit.data, IRS - 1000);
	for (uint32_t i = 0; i < 10; i++)
		expect_challenge(&visit, &old, GW_TCP_WINDOW);
	EXPECT_EQ(10, counter_read(&visit.door.counters.tcp_challenges_out));
	expect_dropped(&visit, &old, GW_TCP_WINDOW);
	expect_dropped(&visit, &old, GW_TCP_CHALLENGE_RATE);
	give(&visit, &visit.data);
	EXPECT_EQ(1, visit.door.inputs);
	visit_close(&visit);
}

TEST(half_open, takes_no_data_outside_its_window)
{
	struct visit visit;
	struct tcp_arrival data, probe, fin;

	visit_open(&visit);
	data = at(visit.data, IRS + 65536);
	expect_challenge(&visit, &data, GW_TCP_WINDOW);
	data = at(visit.data, IRS - 4); /* five bytes, up to the SYN's */
	expect_challenge(&visit, &data, GW_TCP_WINDOW);
	data = at(visit.data, IRS + 0x80000000u);
	expect_challenge(&visit, &data, GW_TCP_WINDOW);
	fin = at(with(visit.ack, TCP_FIN | TCP_ACK), IRS);
	expect_challenge(&visit, &fin, GW_TCP_WINDOW);
	probe = at(visit.ack, IRS + 65536);
	expect_challenge(&visit, &probe, GW_TCP_WINDOW);
	give(&visit, &visit.ack);
	probe = at(visit.ack, IRS); /* a keep-alive wants its answer */
	expect_challenge(&visit, &probe, GW_TCP_WINDOW);
	visit_close(&visit);
}

static void expect_promotes(uint32_t seq)
{
	struct visit visit;
	struct tcp_arrival data;

	visit_open(&visit);
	data = at(visit.data, seq);
	give(&visit, &data);
	EXPECT_EQ(1, visit.door.inputs);
	EXPECT_EQ(IRS + 1, visit.door.tcb->rcv_nxt);
	EXPECT_EQ(5000 + (seq_after(seq, IRS + 1) ? 0 : 10), visit.door.tcb->ts_recent);
	visit_close(&visit);
}

TEST(half_open, takes_data_that_begins_or_ends_in_its_window)
{
	expect_promotes(IRS + 1);
	expect_promotes(IRS - 3); /* its last byte */
	expect_promotes(IRS + 101);
	expect_promotes(IRS + 65535);
}

TEST(half_open, resets_an_ack_of_anything_but_its_syn_and_stays)
{
	const uint32_t off[] = {(uint32_t)-1, 1, 65536, 0x80000000u};
	struct visit visit;

	visit_open(&visit);
	for (uint32_t i = 0; i < 4; i++) {
		struct tcp_arrival data = visit.data, ack = visit.ack;

		data.tcp.ack += off[i];
		ack.tcp.ack += off[i];
		expect_dropped(&visit, &ack, GW_TCP_ACK_UNSENT);
		expect_dropped(&visit, &data, GW_TCP_ACK_UNSENT);
		EXPECT_EQ(2 * (i + 1), visit.door.refused);
	}
	give(&visit, &visit.data);
	EXPECT_EQ(1, visit.door.inputs);
	visit_close(&visit);
}

TEST(half_open, drops_data_without_an_ack)
{
	struct visit visit;
	struct tcp_arrival data;

	visit_open(&visit);
	data = with(visit.data, TCP_PSH);
	expect_dropped(&visit, &data, GW_TCP_NO_ACK);
	EXPECT_EQ(0, visit.door.refused);
	visit_close(&visit);
}

TEST(half_open, takes_no_data_with_an_old_timestamp)
{
	struct visit visit;
	struct tcp_arrival old;

	visit_open(&visit);
	old = visit.data;
	old.tcp.options.ts_value = 4999;
	expect_challenge(&visit, &old, GW_TCP_PAWS);
	give(&visit, &visit.ack); /* 5010 */
	old.tcp.options.ts_value = 5009;
	expect_challenge(&visit, &old, GW_TCP_PAWS);
	EXPECT_EQ(5010, door_last(&visit.door)->options.ts_echo);
	old.tcp.options.has_timestamps = false; /* somebody on the way has taken it out */
	give(&visit, &old);
	EXPECT_EQ(1, visit.door.inputs);
	EXPECT_EQ(5010, visit.door.tcb->ts_recent);
	visit_close(&visit);
}

TEST(half_open, is_none_for_other_ends)
{
	struct visit visit;
	struct tcp_arrival other;

	visit_open(&visit);
	other = visit.data;
	other.tcp.src_port++;
	EXPECT(!handshake_segment(&visit.door.tcp, &other));
	other = visit.data;
	other.tcp.dst_port++;
	EXPECT(!handshake_segment(&visit.door.tcp, &other));
	visit_close(&visit);
}

/* ---- no connection can be had
 * --------------------------------------------------------------------
 */

static void expect_refused(struct visit *visit, enum gw_err why)
{
	uint32_t source;
	struct ip_address host = door_v4(HOST);

	give(visit, &visit->data);
	EXPECT(!half_open(visit));
	EXPECT_EQ(0, visit->door.accepted);
	EXPECT_EQ(1, visit->door.refused);
	EXPECT_EQ(1, door_errors(&visit->door, why));
	EXPECT_EQ(1, counter_read(&visit->door.counters.conn_refused));
	visit->door.tcp.limits.source4_connections = 1; /* none is counted */
	EXPECT_EQ(GW_OK, source_connection(&visit->door.tcp, &host, &source));
	visit->door.tcp.limits.source_half_open = 1;
	visit->door.tcp.limits.source4_connections = 2;
	EXPECT_EQ(GW_OK, source_syn(&visit->door.tcp, &host, &source));
	visit_close(visit);
}

TEST(half_open, is_reset_when_no_connection_is_left)
{
	struct visit visit;

	visit_open(&visit);
	visit.door.no_tcb = true;
	expect_refused(&visit, GW_CONN_LIMIT);
}

TEST(half_open, is_reset_when_its_source_has_enough)
{
	struct visit visit;

	visit_open(&visit);
	visit.door.tcp.limits.source4_connections = 0;
	expect_refused(&visit, GW_TCP_SOURCE_CONNECTIONS);
}

TEST(half_open, is_reset_when_nobody_listens_any_more)
{
	struct visit visit;

	visit_open(&visit);
	visit.door.tcp.listeners = 0;
	expect_refused(&visit, GW_TCP_DRAIN);
	visit_open(&visit);
	visit.door.tcp.draining = true;
	expect_refused(&visit, GW_TCP_DRAIN);
}

TEST(half_open, waits_for_room_and_then_becomes_a_connection)
{
	struct visit visit;

	visit_open(&visit);
	visit.door.pressure = 2;
	give(&visit, &visit.data);
	visit.door.pressure = 0;
	visit.door.tcp.config.net.limits.connections = 0;
	give(&visit, &visit.data);
	EXPECT(half_open(&visit));
	EXPECT_EQ(0, visit.door.refused);
	EXPECT_EQ(1, counter_read(&visit.door.counters.errors[GW_TCP_PRESSURE]));
	EXPECT_EQ(1, counter_read(&visit.door.counters.errors[GW_CONN_LIMIT]));
	visit.door.tcp.config.net.limits.connections = 1;
	give(&visit, &visit.data);
	EXPECT_EQ(1, visit.door.accepted);
	EXPECT(!half_open(&visit));
	visit_close(&visit);
}

TEST_MAIN("half_open", RUN(half_open, becomes_no_connection_by_an_ack_alone),
	  RUN(half_open, becomes_a_connection_with_its_first_bytes),
	  RUN(half_open, becomes_a_connection_also_where_the_ack_was_lost),
	  RUN(half_open, becomes_a_connection_by_a_fin),
	  RUN(half_open, without_options_becomes_a_connection_without),
	  RUN(half_open, of_ipv6_without_an_mss_sends_1220),
	  RUN(half_open, takes_the_mtu_of_the_way_and_the_least_without_one),
	  RUN(half_open, that_was_answered_twice_gives_no_round_trip_and_begins_slowly),
	  RUN(half_open, that_is_acknowledged_is_answered_no_more),
	  RUN(half_open, ends_by_a_reset_at_the_very_number),
	  RUN(half_open, challenges_a_reset_in_the_window_and_drops_others),
	  RUN(half_open, challenges_a_syn_that_is_not_its_own),
	  RUN(half_open, challenges_ten_times_and_then_is_silent),
	  RUN(half_open, takes_no_data_outside_its_window),
	  RUN(half_open, takes_data_that_begins_or_ends_in_its_window),
	  RUN(half_open, resets_an_ack_of_anything_but_its_syn_and_stays),
	  RUN(half_open, drops_data_without_an_ack),
	  RUN(half_open, takes_no_data_with_an_old_timestamp),
	  RUN(half_open, is_none_for_other_ends),
	  RUN(half_open, is_reset_when_no_connection_is_left),
	  RUN(half_open, is_reset_when_its_source_has_enough),
	  RUN(half_open, is_reset_when_nobody_listens_any_more),
	  RUN(half_open, waits_for_room_and_then_becomes_a_connection))
