/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_world.h"

#include <net/if.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "test.h"

#define SETTLE_US 10000000u
#define QUIET_US 20000u
#define RING_BYTES 65536u /* the least that a configuration can have */

static void open_shared(struct stack_world *world)
{
	struct netif netif = {.name = "wic",
			      .ops = &port_tap,
			      .port = world->tap.port,
			      .info = world->tap.info,
			      .address_count = 2,
			      .probe_s = 60};
	struct net_shared_config config = {.netif = &netif,
					   .netifs = 1,
					   .workers = STACK_WORKERS,
					   .steer_base = STACK_STEER_BASE,
					   .ring_bytes = RING_BYTES,
					   .neighbours = 16};

	netif.address[0] = (struct netif_address){stack_endpoint(STACK_OURS_4, 0), 24};
	netif.address[1] = (struct netif_address){stack_endpoint(STACK_OURS_6, 0), 64};
	world->shared = net_shared_new(&config);
	EXPECT(world->shared != NULL);
}

static bool is_settled(const struct stack_world *world)
{
	struct row_neighbour rows[2];

	return net_shared_neighbours(world->shared, 2, rows) == 2 &&
	       rows[0].state == NEIGHBOUR_REACHABLE && rows[1].state == NEIGHBOUR_REACHABLE;
}

/** Both ends know each other, our addresses are announced, and it is quiet. */
static void settle(struct stack_world *world)
{
	uint64_t end_us = stack_clock_us() + SETTLE_US, quiet_us = stack_clock_us() + QUIET_US;

	while (!is_settled(world) || stack_clock_us() < quiet_us) {
		if (stack_clock_us() > end_us)
			fail_msg("the kernel's end does not answer");
		stack_world_turn(world);
	}
	for (uint16_t w = 0; w < STACK_WORKERS; w++) {
		memset(&world->station[w].counters, 0, sizeof(world->station[w].counters));
		EXPECT_EQ(0, world->station[w].strange);
	}
	for (uint16_t q = 0; q < world->tap.info.queues; q++)
		world->before[q] = tap_world_counters(&world->tap, q).tx_packets;
}

static void steer(struct stack_world *world, enum stack_steering steering)
{
	struct ifreq detach = {.ifr_flags = IFF_DETACH_QUEUE};
	uint16_t last = world->tap.info.queues - 1;
	int none = -1;

	if (steering == STACK_STEER_PROGRAM)
		return;
	EXPECT_EQ(0, ioctl(port_tap.wait_fd(world->tap.port, 0), TUNSETSTEERINGEBPF, &none));
	if (steering == STACK_STEER_KERNEL)
		return;
	for (uint16_t q = 0; q < last; q++) /* it still sends what is written to it */
		EXPECT_EQ(0, ioctl(port_tap.wait_fd(world->tap.port, q), TUNSETQUEUE, &detach));
}

struct stack_world *stack_world_open(uint16_t queues, enum stack_steering steering)
{
	struct port_config config = tap_world_config(queues);
	struct stack_world *world = calloc(1, sizeof(*world));

	EXPECT(world != NULL);
	config.steer_base = STACK_STEER_BASE;
	config.rx_packets = 1024;
	world->tap = tap_world_open(&config);
	if (steering == STACK_STEER_PROGRAM && !world->tap.info.steers) {
		tap_world_close(&world->tap);
		free(world);
		skip();
	}
	tap_world_add_v6(&world->tap);
	steer(world, steering);
	open_shared(world);
	for (uint16_t w = 0; w < STACK_WORKERS; w++)
		stack_station_open(&world->station[w], w, world->shared);
	settle(world);
	return world;
}

void stack_world_close(struct stack_world *world)
{
	for (uint16_t w = 0; w < STACK_WORKERS; w++) {
		EXPECT_EQ(0, world->station[w].strange);
		EXPECT_EQ(0, world->station[w].refused);
		stack_free(world->station[w].stack);
	}
	tap_world_close(&world->tap);
	net_shared_free(world->shared);
	free(world);
}

/* ---- turns and threads -------------------------------------------------------------------------
 */

void stack_world_turn(struct stack_world *world)
{
	EXPECT_EQ(STACK_TURNS, world->life);
	for (uint16_t w = 0; w < STACK_WORKERS; w++)
		stack_station_turn(&world->station[w]);
}

/** EAL has pinned the main thread, and threads inherit that. */
static void unpin(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	EXPECT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
}

void stack_world_threads(struct stack_world *world)
{
	unpin();
	world->stop_fd = eventfd(0, EFD_CLOEXEC);
	EXPECT(world->stop_fd >= 0);
	atomic_store(&world->stop, false);
	world->life = STACK_THREADS;
	for (uint16_t w = 0; w < STACK_WORKERS; w++) {
		struct stack_station *station = &world->station[w];

		station->stop = &world->stop;
		station->stop_fd = world->stop_fd;
		EXPECT_EQ(0, pthread_create(&station->thread, NULL, stack_station_run, station));
	}
}

void stack_world_join(struct stack_world *world)
{
	const uint64_t one = 1;

	atomic_store(&world->stop, true);
	EXPECT_EQ(sizeof(one), write(world->stop_fd, &one, sizeof(one)));
	for (uint16_t w = 0; w < STACK_WORKERS; w++)
		EXPECT_EQ(0, pthread_join(world->station[w].thread, NULL));
	close(world->stop_fd);
	world->life = STACK_TURNS;
}

/* ---- questions ---------------------------------------------------------------------------------
 */

uint16_t stack_world_who(const struct stack_world *world, uint32_t number)
{
	uint16_t who = STACK_WORKERS;
	uint32_t times = 0;

	EXPECT(number < world->numbers);
	for (uint16_t w = 0; w < STACK_WORKERS; w++) {
		times += world->station[w].heard[number];
		who = world->station[w].heard[number] > 0 ? w : who;
	}
	EXPECT_EQ(1, times);
	return who;
}

uint64_t stack_world_sent(const struct stack_world *world, uint16_t queue)
{
	uint64_t sent = tap_world_counters(&world->tap, queue).tx_packets - world->before[queue];

	if (queue == 0)
		sent -= STACK_COUNTER(world, 0, net_arp_out) + STACK_COUNTER(world, 0, net_ndp_out);
	return sent;
}
