/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* The times that a back end sees in a turn: one of the test's own notes them. */

struct watch {
	struct net_core core;
	const struct net_clock *clock;
	uint64_t receive_us, ready_us, transmit_us;
};

static void watch_receive(struct net_core *core)
{
	struct watch *watch = (struct watch *)core;

	watch->receive_us = watch->clock->now_us;
}

static void watch_run_ready(struct net_core *core)
{
	struct watch *watch = (struct watch *)core;

	watch->ready_us = watch->clock->now_us;
}

static void watch_transmit(struct net_core *core)
{
	struct watch *watch = (struct watch *)core;

	watch->transmit_us = watch->clock->now_us;
}

static bool watch_idle(const struct net_core *core)
{
	return true;
}

static const struct net_ops watch_ops = {.receive = watch_receive,
					 .run_ready = watch_run_ready,
					 .transmit = watch_transmit,
					 .idle = watch_idle};

TEST(turn, has_one_time_until_it_sends_and_another_then)
{
	struct watch watch = {.core.ops = &watch_ops};
	struct world world = world_plan();
	struct worker *w;
	uint64_t before_us;

	world_open(&world);
	w = world.worker[0];
	watch.clock = &w->clock;
	w->net[NET_PACKETS] = &watch.core;
	before_us = world.now_us;
	world.step_us = 10; /* what callbacks took */
	(void)worker_turn(w);
	EXPECT_EQ(before_us + 10, watch.receive_us);
	EXPECT_EQ(before_us + 10, watch.ready_us);
	EXPECT_EQ(before_us + 20, watch.transmit_us);
	EXPECT_EQ(20, counter_read(&worker_counters(w)->loop_longest_us)); /* of the whole turn */
	EXPECT_EQ(0, counter_read(&worker_counters(w)->loop_long_turns));
	world.step_us = 1000;
	(void)worker_turn(w);
	EXPECT_EQ(2000, counter_read(&worker_counters(w)->loop_longest_us));
	EXPECT_EQ(1, counter_read(&worker_counters(w)->loop_long_turns));
	world.step_us = 0;
	w->net[NET_PACKETS] = NULL;
	world_close(&world);
}

TEST_MAIN("worker_turn", RUN(turn, has_one_time_until_it_sends_and_another_then))
