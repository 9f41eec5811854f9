/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "stack_client.h"

/*
 * Four workers with a thread each, which sleep whenever they have nothing to do and for as long as
 * nothing happens: an echo that does not come in time is a packet that somebody has slept through,
 * or lost. The thread sanitizer looks on in the race suite.
 */
#define QUEUES 4u
#define HALF (STACK_WORKERS * 5000u) /* of them come by IPv4, and as many by IPv6 */
#define ALONE (STACK_WORKERS * 1000u)

static void converse(struct stack_world *world, enum wire_family family, uint32_t sockets,
		     uint32_t count)
{
	struct stack_client client;

	stack_client_open(&client, world, family, sockets);
	stack_world_threads(world);
	stack_client_converse(&client, count);
	stack_world_join(world);
	stack_client_expect_home(&client, count);
	stack_client_close(&client);
}

/** Many at a time; then one at a time, and each finds everybody asleep. */
static struct stack_world *converse_all(uint16_t queues, enum stack_steering steering)
{
	struct stack_world *world = stack_world_open(queues, steering);

	converse(world, WIRE_V4, STACK_SOCKETS, HALF);
	converse(world, WIRE_V6, STACK_SOCKETS, HALF);
	converse(world, WIRE_V4, 1, ALONE);
	for (uint16_t w = 0; w < STACK_WORKERS; w++) {
		EXPECT(world->station[w].sleeps >= ALONE / STACK_WORKERS / 2);
		EXPECT(world->station[w].wakes >= ALONE / STACK_WORKERS / 2);
	}
	return world;
}

TEST(stack_sleep, loses_nothing_when_the_device_wakes_the_worker_who_is_meant)
{
	struct stack_world *world = converse_all(QUEUES, STACK_STEER_PROGRAM);

	for (uint16_t w = 0; w < STACK_WORKERS; w++)
		EXPECT_EQ(0, STACK_COUNTER(world, w, net_handed_in));
	stack_world_close(world);
}

TEST(stack_sleep, loses_nothing_when_the_device_wakes_anybody)
{
	stack_world_close(converse_all(QUEUES, STACK_STEER_KERNEL));
}

TEST(stack_sleep, loses_nothing_when_the_ring_must_wake_the_worker_who_is_meant)
{
	struct stack_world *world = converse_all(QUEUES, STACK_STEER_LAST);

	for (uint16_t w = 0; w < STACK_WORKERS - 1; w++)
		EXPECT_EQ((2 * HALF + ALONE) / STACK_WORKERS,
			  STACK_COUNTER(world, w, net_handed_in));
	stack_world_close(world);
}

TEST(stack_sleep, loses_nothing_when_the_ring_must_wake_the_worker_who_sends)
{
	struct stack_world *world = converse_all(2, STACK_STEER_KERNEL);

	for (uint16_t w = 2; w < STACK_WORKERS; w++) {
		EXPECT_EQ((2 * HALF + ALONE) / STACK_WORKERS,
			  STACK_COUNTER(world, w, net_handed_in));
		EXPECT_EQ((2 * HALF + ALONE) / STACK_WORKERS,
			  STACK_COUNTER(world, w, net_handed_out));
	}
	stack_world_close(world);
}

WIRE_MAIN("stack_sleep",
	  RUN(stack_sleep, loses_nothing_when_the_device_wakes_the_worker_who_is_meant),
	  RUN(stack_sleep, loses_nothing_when_the_device_wakes_anybody),
	  RUN(stack_sleep, loses_nothing_when_the_ring_must_wake_the_worker_who_is_meant),
	  RUN(stack_sleep, loses_nothing_when_the_ring_must_wake_the_worker_who_sends))
