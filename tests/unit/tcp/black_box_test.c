/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "tcp/tcb.h"

/* The ring of events is played by this file: it stands where trace.c and tcp.c would. */

static struct tcp_trace ring[64];
static uint32_t in_ring;

uint32_t tcp_trace_of(const struct tcp *tcp, uint32_t slot, struct tcp_trace *events, uint32_t max)
{
	uint32_t n = in_ring < max ? in_ring : max;

	memcpy(events, ring + in_ring - n, n * sizeof(*events));
	return n;
}

uint32_t tcp_tcb_slot(const struct tcp *tcp, const struct tcb *tcb)
{
	return slots_handle(tcp->tcbs, tcb).slot;
}

const char *tcp_state_text(enum tcp_state state)
{
	return state == TCP_FIN_WAIT_1 ? "FIN-WAIT-1" : "ESTAB";
}

/* ---- text ----------------------------------------------------------------------------------- */

static void expect_text(const char *text, const struct tcp_trace *events, uint32_t count)
{
	char room[NET_TRACE_MAX];
	struct span said = black_box_text(events, count, 5000, room);

	EXPECT_EQ(strlen(text), said.len);
	EXPECT(span_equal(said, span_text(text)));
}

TEST(text, names_segments_by_direction_flags_and_where_they_are)
{
	static const struct tcp_trace events[] = {
		{.at_ms = 3000,
		 .event = TCP_EVENT_IN,
		 .value = 77,
		 .more = 517,
		 .flags = TCP_PSH | TCP_ACK},
		{.at_ms = 3001,
		 .event = TCP_EVENT_OUT,
		 .value = 0xfffffff0,
		 .more = 1360,
		 .flags = TCP_ACK},
		{.at_ms = 3001, .event = TCP_EVENT_OUT, .value = 1344, .flags = TCP_FIN | TCP_ACK},
		{.at_ms = 3500,
		 .event = TCP_EVENT_RETRANSMIT,
		 .value = 0xfffffff0,
		 .more = 1360,
		 .flags = TCP_ACK},
		{.at_ms = 5000, .event = TCP_EVENT_IN, .value = 76, .flags = TCP_RST},
	};

	expect_text("-2000 <PA 0+517 -1999 >A 0+1360 -1999 >FA 1360+0 -1500 ^A 0+1360 -0 <R -1+0",
		    events, 5);
}

TEST(text, names_everything_else_in_words)
{
	static const struct tcp_trace events[] = {
		{.at_ms = 4991, .event = TCP_EVENT_STATE, .value = TCP_FIN_WAIT_1},
		{.at_ms = 4992, .event = TCP_EVENT_RTO},
		{.at_ms = 4993, .event = TCP_EVENT_PROBE},
		{.at_ms = 4994, .event = TCP_EVENT_RECOVERY},
		{.at_ms = 4995, .event = TCP_EVENT_RECOVERED},
		{.at_ms = 4996, .event = TCP_EVENT_UNDO},
		{.at_ms = 4997, .event = TCP_EVENT_DROP, .value = GW_TCP_WINDOW},
		{.at_ms = 4998, .event = TCP_EVENT_ABORT, .value = GW_CONN_TIMEOUT},
		{.at_ms = 4999, .event = TCP_EVENT_ABORT, .value = GW_ERR_COUNT},
	};

	expect_text("-9 =FIN-WAIT-1 -8 rto -7 probe -6 recovery -5 recovered -4 undo "
		    "-3 drop GW_TCP_WINDOW -2 abort GW_CONN_TIMEOUT -1 abort ",
		    events, 9);
}

TEST(text, leaves_out_the_oldest_that_do_not_fit)
{
	struct tcp_trace events[64];
	char room[NET_TRACE_MAX];
	struct span said;

	for (uint32_t i = 0; i < 64; i++)
		events[i] = (struct tcp_trace){.at_ms = i,
					       .event = TCP_EVENT_OUT,
					       .value = i * 1360,
					       .more = 1360,
					       .flags = TCP_ACK};
	said = black_box_text(events, 64, 63, room);
	EXPECT(said.len > NET_TRACE_MAX - 40 && said.len <= NET_TRACE_MAX);
	EXPECT(span_equal(span_from(said, said.len - 4), SPAN("1360")));
	EXPECT(memmem(said.at, said.len, "-0 >A ", 6) != NULL); /* the newest */
	EXPECT(memmem(said.at, said.len, "-63 >A", 6) == NULL);
	EXPECT_EQ(0, black_box_text(events, 0, 63, room).len);
}

/* ---- when ----------------------------------------------------------------------------------- */

struct stage {
	struct tcp tcp;
	struct net_clock clock;
	struct tcb *tcb;
	uint32_t told;
	enum gw_err why;
	struct endpoint peer;
	char trace[NET_TRACE_MAX + 1];
};

static void on_broken(void *context, const struct net_broken *broken)
{
	struct stage *s = context;

	s->told++;
	s->why = broken->why;
	s->peer = broken->peer;
	EXPECT(broken->trace.len <= NET_TRACE_MAX);
	memcpy(s->trace, broken->trace.at, broken->trace.len);
	s->trace[broken->trace.len] = '\0';
	EXPECT_EQ(slots_handle(s->tcp.tcbs, s->tcb).generation, broken->conn.generation);
}

static const struct net_events events = {.broken = on_broken};

static struct stage *stage_new(void)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct endpoint peer;

	assert_non_null(s);
	s->clock.now_us = 100000000;
	s->tcp.config.net.clock = &s->clock;
	s->tcp.config.net.events = &events;
	s->tcp.config.net.context = s;
	s->tcp.tcbs = slots_new(0, 4, sizeof(struct tcb), 1);
	s->tcb = slots_get(s->tcp.tcbs);
	s->tcb->state = TCP_ESTABLISHED;
	s->tcb->born_s = 99;
	EXPECT(endpoint_parse(SPAN("198.18.0.30:40000"), &peer));
	s->tcb->ends.local = s->tcb->ends.remote = ip_address_of(&peer);
	s->tcb->ends.remote_port = 40000;
	in_ring = 0;
	ring[in_ring++] = (struct tcp_trace){.at_ms = 98500, .event = TCP_EVENT_UNDO};
	ring[in_ring++] = (struct tcp_trace){.at_ms = 99500, .event = TCP_EVENT_RTO};
	return s;
}

static void stage_free(struct stage *s)
{
	slots_free(s->tcp.tcbs);
	free(s);
}

TEST(box, is_opened_when_the_peer_fell_silent)
{
	static const enum gw_err reasons[] = {GW_CONN_TIMEOUT, GW_TCP_SLOW, GW_TCP_PERSIST};

	for (uint32_t i = 0; i < 3; i++) {
		struct stage *s = stage_new();

		black_box(&s->tcp, s->tcb, reasons[i]);
		EXPECT_EQ(1, s->told);
		EXPECT_EQ(reasons[i], s->why);
		EXPECT_EQ(40000, endpoint_port(&s->peer));
		EXPECT_TEXT("-500 rto", s->trace); /* what is older was of another in its place */
		stage_free(s);
	}
}

TEST(box, is_opened_by_a_reset_while_losses_are_made_good_only)
{
	struct stage *s = stage_new();

	black_box(&s->tcp, s->tcb, GW_CONN_RESET);
	EXPECT_EQ(0, s->told);
	s->tcb->rec.phase = PHASE_RECOVERY;
	black_box(&s->tcp, s->tcb, GW_CONN_RESET);
	EXPECT_EQ(1, s->told);
	stage_free(s);
}

TEST(box, stays_closed_for_what_ends_as_somebody_wants)
{
	static const enum gw_err reasons[] = {GW_CONN_CLOSED, GW_CONN_ABORTED, GW_STOPPING,
					      GW_TCP_ORPHAN, GW_TLS_HANDSHAKE};
	struct stage *s = stage_new();

	for (uint32_t i = 0; i < 5; i++)
		black_box(&s->tcp, s->tcb, reasons[i]);
	s->tcb->state = TCP_SYN_SENT; /* who connects is told */
	black_box(&s->tcp, s->tcb, GW_CONN_TIMEOUT);
	s->tcb->state = TCP_ESTABLISHED;
	s->tcp.config.net.events = NULL; /* nobody to be told */
	black_box(&s->tcp, s->tcb, GW_CONN_TIMEOUT);
	EXPECT_EQ(0, s->told);
	stage_free(s);
}

TEST(box, is_opened_ten_times_a_second)
{
	struct stage *s = stage_new();

	for (uint32_t i = 0; i < 50; i++)
		black_box(&s->tcp, s->tcb, GW_CONN_TIMEOUT);
	EXPECT_EQ(10, s->told);
	s->clock.now_us += 1000000;
	black_box(&s->tcp, s->tcb, GW_CONN_TIMEOUT);
	EXPECT_EQ(11, s->told);
	stage_free(s);
}

TEST_MAIN("tcp_black_box", RUN(text, names_segments_by_direction_flags_and_where_they_are),
	  RUN(text, names_everything_else_in_words),
	  RUN(text, leaves_out_the_oldest_that_do_not_fit),
	  RUN(box, is_opened_when_the_peer_fell_silent),
	  RUN(box, is_opened_by_a_reset_while_losses_are_made_good_only),
	  RUN(box, stays_closed_for_what_ends_as_somebody_wants),
	  RUN(box, is_opened_ten_times_a_second))
