/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "stack_client.h"

#include <unistd.h>

/*
 * Four workers over a TAP port, one turn after the other: whose a datagram is, whichever queue it
 * comes to. The kernel's steering is that of a port whose program the kernel refuses; a port whose
 * packets all come to the last queue is the worst that a device can do.
 */
#define QUEUES 4u
#define EACH 10000u
#define ALL (STACK_WORKERS * EACH)
#define IDLE_S 6 /* the kernel forgets a flow after 3 s, and looks once in 3 s */

static uint64_t handed_in(const struct stack_world *world)
{
	uint64_t all = 0;

	for (uint16_t w = 0; w < STACK_WORKERS; w++)
		all += STACK_COUNTER(world, w, net_handed_in);
	return all;
}

static void converse(struct stack_world *world, enum wire_family family, uint32_t count)
{
	struct stack_client client;

	stack_client_open(&client, world, family, STACK_SOCKETS);
	stack_client_converse(&client, count);
	stack_client_expect_home(&client, count);
	stack_client_close(&client);
}

static void converse_both(struct stack_world *world, uint32_t count)
{
	converse(world, WIRE_V4, count);
	converse(world, WIRE_V6, count);
}

/* ---- each worker's own port --------------------------------------------------------------------
 */

TEST(stack_tap, brings_10000_of_10000_to_the_worker_they_name_by_the_queue_alone)
{
	struct stack_world *world = stack_world_open(QUEUES, STACK_STEER_PROGRAM);

	converse_both(world, ALL);
	EXPECT_EQ(0, handed_in(world));
	for (uint16_t w = 0; w < STACK_WORKERS; w++) {
		EXPECT_EQ(2 * EACH, STACK_COUNTER(world, w, net_udp_in));
		EXPECT_EQ(2 * EACH, stack_world_sent(world, w));
	}
	stack_world_close(world);
}

TEST(stack_tap, brings_10000_of_10000_without_the_program_by_queue_and_ring)
{
	struct stack_world *world = stack_world_open(QUEUES, STACK_STEER_KERNEL);

	converse_both(world, ALL);
	EXPECT(handed_in(world) > 0);
	EXPECT(handed_in(world) < ALL); /* the kernel follows what we send, as long as it talks */
	stack_world_close(world);
}

TEST(stack_tap, brings_10000_of_10000_by_the_ring_when_all_come_to_the_wrong_queue)
{
	struct stack_world *world = stack_world_open(QUEUES, STACK_STEER_LAST);

	converse_both(world, ALL);
	for (uint16_t w = 0; w < STACK_WORKERS - 1; w++)
		EXPECT_EQ(2 * EACH, STACK_COUNTER(world, w, net_handed_in));
	EXPECT_EQ(0, STACK_COUNTER(world, STACK_WORKERS - 1, net_handed_in));
	for (uint16_t w = 0; w < STACK_WORKERS; w++)
		EXPECT_EQ(2 * EACH, stack_world_sent(world, w));
	stack_world_close(world);
}

TEST(stack_tap, brings_them_after_the_kernel_has_forgotten_the_flows)
{
	struct stack_world *world = stack_world_open(QUEUES, STACK_STEER_KERNEL);
	struct stack_client client;
	uint64_t before;

	stack_client_open(&client, world, WIRE_V4, STACK_SOCKETS);
	stack_client_converse(&client, 2 * STACK_WORKERS * STACK_SOCKETS);
	before = handed_in(world);
	stack_client_converse(&client, STACK_WORKERS * STACK_SOCKETS);
	EXPECT(handed_in(world) - before < STACK_SOCKETS); /* it knows them */
	sleep(IDLE_S);
	before = handed_in(world);
	stack_client_converse(&client, STACK_WORKERS * STACK_SOCKETS);
	stack_client_expect_home(&client, STACK_WORKERS * STACK_SOCKETS);
	EXPECT(handed_in(world) - before >= STACK_SOCKETS); /* and has forgotten them */
	stack_client_close(&client);
	stack_world_close(world);
}

TEST(stack_tap, sends_by_the_workers_that_have_a_queue_what_the_others_say)
{
	struct stack_world *world = stack_world_open(2, STACK_STEER_KERNEL);

	converse_both(world, ALL);
	for (uint16_t w = 0; w < 2; w++) {
		EXPECT_EQ(4 * EACH, stack_world_sent(world, w)); /* w's and w + 2's */
		EXPECT(STACK_COUNTER(world, w, net_handed_in) >= 2 * EACH);
		EXPECT_EQ(2 * EACH, STACK_COUNTER(world, w + 2, net_handed_in));
		EXPECT_EQ(2 * EACH, STACK_COUNTER(world, w + 2, net_handed_out));
		EXPECT_EQ(0, STACK_COUNTER(world, w + 2, net_tx_packets));
	}
	stack_world_close(world);
}

/* ---- the common port ---------------------------------------------------------------------------
 */

#define SAYS 8u /* datagrams of a flow */

/** Each flow has one worker, and each worker has some of the flows. */
static void spread(struct stack_world *world, enum wire_family family)
{
	struct stack_client client;
	uint32_t first = world->numbers, flows[STACK_WORKERS] = {0};

	stack_client_open(&client, world, family, STACK_SOCKETS);
	for (uint32_t k = 0; k < SAYS; k++) {
		for (uint32_t i = 0; i < STACK_SOCKETS; i++)
			stack_client_send(&client, i, STACK_COMMON_PORT, 100);
		for (uint32_t i = 0; i < STACK_SOCKETS; i++)
			stack_client_await(&client, i);
	}
	for (uint32_t n = 0; n < SAYS * STACK_SOCKETS; n++) {
		uint32_t flow = n % STACK_SOCKETS;

		EXPECT_EQ(stack_world_who(world, first + flow), stack_world_who(world, first + n));
		flows[stack_world_who(world, first + n)] += n < STACK_SOCKETS;
	}
	for (uint16_t w = 0; w < STACK_WORKERS; w++)
		EXPECT(flows[w] >= 24 && flows[w] <= 104); /* of 64: six standard deviations */
	stack_client_close(&client);
}

static void spread_both(uint16_t queues, enum stack_steering steering)
{
	struct stack_world *world = stack_world_open(queues, steering);

	spread(world, WIRE_V4);
	spread(world, WIRE_V6);
	EXPECT_EQ(queues<STACK_WORKERS, handed_in(world)> 0);
	stack_world_close(world);
}

TEST(stack_tap, spreads_256_flows_to_the_common_port_and_leaves_each_with_its_worker)
{
	spread_both(QUEUES, STACK_STEER_PROGRAM);
}

TEST(stack_tap, spreads_them_without_the_program)
{
	spread_both(QUEUES, STACK_STEER_KERNEL);
}

TEST(stack_tap, spreads_them_over_workers_that_have_no_queue)
{
	spread_both(2, STACK_STEER_KERNEL);
}

WIRE_MAIN("stack_tap",
	  RUN(stack_tap, brings_10000_of_10000_to_the_worker_they_name_by_the_queue_alone),
	  RUN(stack_tap, brings_10000_of_10000_without_the_program_by_queue_and_ring),
	  RUN(stack_tap, brings_10000_of_10000_by_the_ring_when_all_come_to_the_wrong_queue),
	  RUN(stack_tap, brings_them_after_the_kernel_has_forgotten_the_flows),
	  RUN(stack_tap, sends_by_the_workers_that_have_a_queue_what_the_others_say),
	  RUN(stack_tap, spreads_256_flows_to_the_common_port_and_leaves_each_with_its_worker),
	  RUN(stack_tap, spreads_them_without_the_program),
	  RUN(stack_tap, spreads_them_over_workers_that_have_no_queue))
