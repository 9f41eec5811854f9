/* SPDX-License-Identifier: BSD-3-Clause */
#include <poll.h>

#include "scene.h"

/* When a worker may sleep, for how long, and who wakes it (net_sleep_begin). */

#define BASE 5070
#define SHORTEST_US 50u
#define LONGEST_US 2000u

static const struct scene_config plain = {0};
static const struct scene_config interrupts = {.interrupts = true};
static const struct scene_config two = {.workers = 2, .queues = 2, .steer_base = BASE};
static const struct flow in = {PEER4, OURS4, 5060, BASE};

/* How long it would sleep from now; 0: not at all. */
static uint64_t nap_us(struct scene *s, uint16_t worker)
{
	uint64_t until = stack_sleep_begin(s->worker[worker].stack);

	stack_sleep_end(s->worker[worker].stack);
	if (until == 0 || until <= s->clock.now_us)
		return 0;
	return until == UINT64_MAX ? until : until - s->clock.now_us;
}

static void settle(struct scene *s)
{
	for (uint16_t w = 0; w < s->workers; w++)
		for (int i = 0; i < 3; i++)
			scene_work(s, w);
}

TEST(sleep, backs_off_from_50_us_to_2_ms_where_a_device_cannot_wake)
{
	struct scene *s = scene_ready(&plain);
	uint64_t first, before, nap;

	scene_bind(s, 0, OURS4, BASE);
	scene_feed_udp(s, &in, SPAN("x"));
	settle(s);
	first = before = nap_us(s, 0);
	EXPECT(first >= SHORTEST_US && first < LONGEST_US / 2);
	for (int i = 0; i < 40; i++) {
		s->clock.now_us += before;
		settle(s);
		nap = nap_us(s, 0);
		EXPECT(nap >= SHORTEST_US && nap <= LONGEST_US);
		EXPECT(nap >= before || nap == LONGEST_US ||
		       stack_next_us(s->worker[0].stack) == s->clock.now_us + nap);
		before = nap;
	}
	EXPECT(before > first);
	s->clock.now_us += 100000;
	settle(s);
	EXPECT(nap_us(s, 0) > 1000); /* idle CPU under 2 % */
	scene_feed_udp(s, &in, SPAN("x"));
	settle(s);
	EXPECT_EQ(first, nap_us(s, 0));
	scene_free(s);
}

TEST(sleep, is_as_long_as_its_timers_allow_where_devices_wake_it)
{
	struct scene *s = scene_ready(&interrupts);
	uint64_t until;

	settle(s);
	until = stack_sleep_begin(s->worker[0].stack);
	EXPECT_EQ(1, s->port[0]->armed);
	EXPECT_EQ(stack_next_us(s->worker[0].stack), until);
	EXPECT(until > s->clock.now_us + 100000); /* the next probe */
	stack_sleep_end(s->worker[0].stack);
	EXPECT_EQ(0, s->port[0]->armed);
	scene_free(s);
}

TEST(sleep, arms_its_own_queue_of_every_port_and_disarms_whatever_came_of_it)
{
	struct scene_config config = {.ports = 2, .interrupts = true, .workers = 2, .queues = 2};
	struct scene *s = scene_ready(&config);

	settle(s);
	for (uint16_t w = 0; w < 2; w++) {
		uint64_t until = stack_sleep_begin(s->worker[w].stack);

		EXPECT(until > s->clock.now_us);
		EXPECT_EQ(1, s->port[0]->armed);
		EXPECT_EQ(1, s->port[1]->armed);
		stack_sleep_end(s->worker[w].stack);
		EXPECT_EQ(0, s->port[0]->armed);
		EXPECT_EQ(0, s->port[1]->armed);
	}
	scene_free(s);
}

TEST(sleep, of_a_worker_without_timers_and_with_interrupts_is_for_ever)
{
	struct scene_config config = {.interrupts = true, .workers = 2, .queues = 2};
	struct scene *s = scene_ready(&config);

	settle(s);
	EXPECT_EQ(UINT64_MAX, stack_next_us(s->worker[1].stack));
	EXPECT_EQ(UINT64_MAX, nap_us(s, 1));
	scene_free(s);
}

TEST(sleep, does_not_begin_after_a_full_burst)
{
	struct scene *s = scene_ready(&interrupts);

	scene_bind(s, 0, OURS4, BASE);
	for (int i = 0; i < 1000; i++)
		scene_feed_udp(s, &in, SPAN("x"));
	scene_work(s, 0);
	EXPECT(s->port[0]->rx_count[0] > 0);
	EXPECT(!stack_idle(s->worker[0].stack));
	EXPECT_EQ(0, nap_us(s, 0));
	scene_turns(s, 20);
	EXPECT(stack_idle(s->worker[0].stack));
	EXPECT(nap_us(s, 0) > 0);
	scene_free(s);
}

TEST(sleep, does_not_begin_with_datagrams_ready)
{
	struct scene *s = scene_ready(&interrupts);

	scene_bind(s, 0, OURS4, BASE);
	scene_feed_udp(s, &in, SPAN("x"));
	stack_receive(s->worker[0].stack);
	stack_receive(s->worker[0].stack);
	EXPECT(!stack_idle(s->worker[0].stack));
	EXPECT_EQ(0, nap_us(s, 0));
	EXPECT_EQ(0, s->port[0]->armed);
	scene_work(s, 0);
	EXPECT(nap_us(s, 0) > 0);
	scene_free(s);
}

TEST(sleep, does_not_begin_with_frames_that_the_device_would_take)
{
	struct flow out = {OURS4, PEER4, BASE, 5060};
	struct scene *s = scene_ready(&interrupts);

	scene_bind(s, 0, OURS4, BASE);
	settle(s);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &out, SPAN("x")));
	EXPECT(!stack_idle(s->worker[0].stack));
	EXPECT_EQ(0, nap_us(s, 0));
	scene_work(s, 0);
	EXPECT(stack_idle(s->worker[0].stack));
	scene_free(s);
}

TEST(sleep, is_short_while_a_device_is_full)
{
	struct flow out = {OURS4, PEER4, BASE, 5060};
	struct scene *s = scene_ready(&interrupts);

	scene_bind(s, 0, OURS4, BASE);
	s->port[0]->takes = 0;
	EXPECT_EQ(GW_OK, scene_send(s, 0, &out, SPAN("x")));
	settle(s);
	EXPECT(stack_idle(s->worker[0].stack));
	EXPECT(nap_us(s, 0) > 0 && nap_us(s, 0) <= LONGEST_US); /* no interrupt says: room */
	s->port[0]->takes = UINT32_MAX;
	scene_work(s, 0);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_UDP, NULL));
	scene_free(s);
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

TEST(sleep, ends_when_another_worker_hands_something_over)
{
	struct flow second = {PEER4, OURS4, 5060, BASE + 1};
	struct scene *s = scene_ready(&two);
	struct stack *sleeper = s->worker[1].stack;
	int fd = stack_wait_fd(sleeper);

	scene_bind(s, 1, OURS4, BASE + 1);
	settle(s);
	EXPECT(fd >= 0);
	EXPECT(stack_sleep_begin(sleeper) > s->clock.now_us);
	EXPECT(!readable(fd));
	scene_feed_udp(s, &second, SPAN("x"));
	scene_work(s, 0);
	EXPECT(readable(fd));
	stack_sleep_end(sleeper);
	scene_work(s, 1);
	EXPECT_EQ(1, s->heard_count);
	EXPECT(!readable(fd));
	EXPECT_EQ(fd, stack_wait_fd(sleeper));
	scene_free(s);
}

TEST(sleep, does_not_begin_with_mail_in_the_ring)
{
	struct flow second = {PEER4, OURS4, 5060, BASE + 1};
	struct scene *s = scene_ready(&two);

	scene_bind(s, 1, OURS4, BASE + 1);
	settle(s);
	scene_feed_udp(s, &second, SPAN("x"));
	scene_work(s, 0);
	EXPECT_EQ(0, nap_us(s, 1));
	scene_work(s, 1);
	EXPECT(nap_us(s, 1) > 0);
	scene_free(s);
}

TEST(sleep, wakes_who_sends_for_a_worker_without_a_queue)
{
	struct scene_config config = {.workers = 2, .queues = 1, .interrupts = true};
	struct flow out = {OURS4, PEER4, BASE, 5060};
	struct scene *s = scene_ready(&config);

	scene_bind(s, 1, OURS4, BASE);
	settle(s);
	EXPECT(stack_sleep_begin(s->worker[0].stack) > s->clock.now_us);
	EXPECT_EQ(GW_OK, scene_send(s, 1, &out, SPAN("x")));
	scene_work(s, 1);
	EXPECT(readable(stack_wait_fd(s->worker[0].stack)));
	stack_sleep_end(s->worker[0].stack);
	scene_work(s, 0);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_UDP, NULL));
	scene_free(s);
}

TEST(sleep, is_a_second_at_most_while_neighbours_are_asked_for)
{
	struct scene *s = scene_new(&interrupts);

	for (uint32_t i = 0; i < s->stations; i++)
		s->station[i].silent = true;
	for (int i = 0; i < 20; i++) {
		settle(s);
		EXPECT(stack_next_us(s->worker[0].stack) > s->clock.now_us);
		EXPECT(stack_next_us(s->worker[0].stack) <= s->clock.now_us + 1000000);
		EXPECT(nap_us(s, 0) <= 1000000);
		s->clock.now_us = stack_next_us(s->worker[0].stack);
	}
	EXPECT(s->port[0]->sent_count > 40); /* it does what it wakes for */
	scene_free(s);
}

TEST(sleep, ends_with_the_time_of_a_ping)
{
	struct scene *s = scene_ready(&interrupts);
	struct endpoint peer = endpoint_at(FAR4, 0);

	settle(s);
	EXPECT_EQ(GW_OK, stack_ping(s->worker[0].stack, &peer, 7));
	scene_work(s, 0);
	EXPECT(stack_next_us(s->worker[0].stack) <= s->clock.now_us + 1000000);
	for (int i = 0; i < 3 && s->heard_count == 0; i++) {
		s->clock.now_us = stack_next_us(s->worker[0].stack);
		settle(s);
	}
	EXPECT_EQ(GW_TIMEOUT, scene_last(s, HEARD_PONG)->err);
	scene_free(s);
}

TEST_MAIN("net_stack_sleep", RUN(sleep, backs_off_from_50_us_to_2_ms_where_a_device_cannot_wake),
	  RUN(sleep, is_as_long_as_its_timers_allow_where_devices_wake_it),
	  RUN(sleep, arms_its_own_queue_of_every_port_and_disarms_whatever_came_of_it),
	  RUN(sleep, of_a_worker_without_timers_and_with_interrupts_is_for_ever),
	  RUN(sleep, does_not_begin_after_a_full_burst),
	  RUN(sleep, does_not_begin_with_datagrams_ready),
	  RUN(sleep, does_not_begin_with_frames_that_the_device_would_take),
	  RUN(sleep, is_short_while_a_device_is_full),
	  RUN(sleep, ends_when_another_worker_hands_something_over),
	  RUN(sleep, does_not_begin_with_mail_in_the_ring),
	  RUN(sleep, wakes_who_sends_for_a_worker_without_a_queue),
	  RUN(sleep, is_a_second_at_most_while_neighbours_are_asked_for),
	  RUN(sleep, ends_with_the_time_of_a_ping))
