/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap_twin.h"

#include "test.h"

struct tap_world twin_world(uint16_t queues)
{
	struct port_config config = tap_world_config(queues);
	struct tap_world world = tap_world_open(&config);

	if (!world.info.steers) {
		tap_world_close(&world);
		skip();
	}
	tap_world_add_v6(&world);
	return world;
}

struct tap_steer twin_of(uint16_t queues)
{
	struct port_config config = tap_world_config(queues);
	struct tap_steer steer = {.steer_base = config.steer_base, .queues = queues};

	memcpy(steer.key, config.secret, sizeof(steer.key));
	return steer;
}

/** What the kernel says unasked: it joins IPv6 groups. */
static bool is_chatter(struct span frame)
{
	return span_starts(frame, SPAN("\x33\x33"));
}

static void judge(const struct tap_steer *twin, uint16_t queue, struct span frame,
		  struct twin_came *came)
{
	if (is_chatter(frame))
		return;
	if (tap_steer_queue(twin, frame) == queue)
		came->right++;
	else
		came->wrong++;
}

void twin_collect(struct tap_world *world, struct twin_came came[])
{
	struct tap_steer twin = twin_of(world->info.queues);
	struct rte_mbuf *packet;

	for (uint16_t q = 0; q < world->info.queues; q++)
		while (port_tap.rx_burst(world->port, q, &packet, 1) > 0) {
			judge(&twin, q, packet_span(packet), &came[q]);
			packet_put(packet);
		}
}

void twin_expect(const struct twin_came came[], uint16_t queues, uint32_t count)
{
	uint32_t all = 0;

	for (uint16_t q = 0; q < queues; q++) {
		EXPECT_EQ(0, came[q].wrong);
		all += came[q].right;
	}
	EXPECT_EQ(count, all);
}
