/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"
#include "test.h"

#define RING 65536u

/* Played of tcp.c: connections of this test know their slot. */
uint32_t tcp_tcb_slot(const struct tcp *tcp, const struct tcb *tcb)
{
	(void)tcp;
	return tcb->source;
}

struct scene {
	struct tcp tcp;
	struct net_clock clock;
	struct tcb tcb[3];
};

static struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->tcp.config.net.clock = &s->clock;
	for (uint32_t i = 0; i < 3; i++)
		s->tcb[i].source = i;
	EXPECT_EQ(GW_OK, trace_open(&s->tcp));
	return s;
}

static void scene_free(struct scene *s)
{
	trace_close(&s->tcp);
	EXPECT(s->tcp.tracer == NULL);
	free(s);
}

TEST(trace, has_nothing_at_first_for_slot_0_either)
{
	struct scene *s = scene_new();
	struct tcp_trace event;

	EXPECT_EQ(0, tcp_trace_of(&s->tcp, 0, &event, 1));
	scene_free(s);
}

TEST(trace, tells_an_event_as_it_was)
{
	struct scene *s = scene_new();
	struct tcp_trace event;

	s->clock.now_us = 1234567;
	trace(&s->tcp, &s->tcb[1], TCP_EVENT_OUT, 0xdeadbeef, 1360, TCP_ACK | TCP_PSH);
	EXPECT_EQ(1, tcp_trace_of(&s->tcp, 1, &event, 1));
	EXPECT_EQ(1234, event.at_ms);
	EXPECT_EQ(1, event.slot);
	EXPECT_EQ(0xdeadbeef, event.value);
	EXPECT_EQ(1360, event.more);
	EXPECT_EQ(TCP_EVENT_OUT, event.event);
	EXPECT_EQ(TCP_ACK | TCP_PSH, event.flags);
	scene_free(s);
}

TEST(trace, keeps_what_is_too_large_at_its_bound)
{
	struct scene *s = scene_new();
	struct tcp_trace event;

	trace(&s->tcp, &s->tcb[0], TCP_EVENT_RTO, 1, 70000, 0);
	EXPECT_EQ(1, tcp_trace_of(&s->tcp, 0, &event, 1));
	EXPECT_EQ(UINT16_MAX, event.more);
	scene_free(s);
}

TEST(trace, gives_the_newest_of_one_connection_oldest_first)
{
	struct scene *s = scene_new();
	struct tcp_trace event[64];

	for (uint32_t i = 0; i < 300; i++)
		trace(&s->tcp, &s->tcb[i % 3], TCP_EVENT_IN, i, 0, 0);
	EXPECT_EQ(64, tcp_trace_of(&s->tcp, 2, event, 64));
	for (uint32_t i = 0; i < 64; i++)
		EXPECT_EQ(299 - 3 * (63 - i), event[i].value);
	EXPECT_EQ(0, tcp_trace_of(&s->tcp, 3, event, 64));
	EXPECT_EQ(0, tcp_trace_of(&s->tcp, 2, event, 0));
	scene_free(s);
}

TEST(trace, gives_all_when_there_are_fewer)
{
	struct scene *s = scene_new();
	struct tcp_trace event[8];

	for (uint32_t i = 0; i < 5; i++)
		trace(&s->tcp, &s->tcb[1], TCP_EVENT_IN, i, 0, 0);
	EXPECT_EQ(5, tcp_trace_of(&s->tcp, 1, event, 8));
	EXPECT_EQ(0, event[0].value);
	EXPECT_EQ(4, event[4].value);
	scene_free(s);
}

TEST(trace, forgets_the_oldest)
{
	struct scene *s = scene_new();
	struct tcp_trace *events = calloc(RING + 1, sizeof(*events));

	trace(&s->tcp, &s->tcb[0], TCP_EVENT_STATE, 7, 0, 0);
	for (uint32_t i = 1; i < RING; i++)
		trace(&s->tcp, &s->tcb[1], TCP_EVENT_IN, i, 0, 0);
	EXPECT_EQ(1, tcp_trace_of(&s->tcp, 0, events, RING + 1));
	EXPECT_EQ(RING - 1, tcp_trace_of(&s->tcp, 1, events, RING + 1));
	trace(&s->tcp, &s->tcb[1], TCP_EVENT_IN, RING, 0, 0);
	EXPECT_EQ(0, tcp_trace_of(&s->tcp, 0, events, RING + 1));
	EXPECT_EQ(RING, tcp_trace_of(&s->tcp, 1, events, RING + 1));
	EXPECT_EQ(1, events[0].value);
	EXPECT_EQ(RING, events[RING - 1].value);
	free(events);
	scene_free(s);
}

TEST_MAIN("trace", RUN(trace, has_nothing_at_first_for_slot_0_either),
	  RUN(trace, tells_an_event_as_it_was), RUN(trace, keeps_what_is_too_large_at_its_bound),
	  RUN(trace, gives_the_newest_of_one_connection_oldest_first),
	  RUN(trace, gives_all_when_there_are_fewer), RUN(trace, forgets_the_oldest))
