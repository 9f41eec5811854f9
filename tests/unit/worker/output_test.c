/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "peer.h"

/* What waits for a core that does not read for a while: all of it in order, or not at all. */

#define MESSAGE_BYTES 1024
#define MESSAGES_MAX 65536 /* far above what the sockets in between take */

/** A message of its own length that begins with its number. */
static struct span numbered(char text[MESSAGE_BYTES], uint32_t number)
{
	uint32_t len = MESSAGE_BYTES - number % 257;

	memset(text, 'x', MESSAGE_BYTES);
	text[snprintf(text, MESSAGE_BYTES, "INFO %08u ", number)] = 'x';
	memcpy(text + len - 2, "\r\n", 2);
	return span_of(text, len);
}

static struct mw_target the_core(const struct world *world)
{
	return (struct mw_target){.transport = MW_TCP,
				  .address = world_endpoint(world->core, CORE_PORT)};
}

/** Sends until no more may wait; how many messages that took. The core has not read a byte. */
static uint32_t send_until(struct world *world, enum gw_err bound)
{
	struct mw_target target = the_core(world);
	char text[MESSAGE_BYTES];
	enum gw_err err = GW_OK;
	uint32_t n = 0;

	while (n < MESSAGES_MAX && err == GW_OK) {
		err = mw_request(world->worker[0], &target, numbered(text, n));
		n += err == GW_OK;
		if (n % 64 == 0)
			world_run(world);
	}
	EXPECT_EQ(bound, err);
	return n;
}

/** All of them have come, whole and in their order. */
static void expect_messages(struct world *world, struct peer *link, uint32_t count)
{
	char text[MESSAGE_BYTES];

	for (uint32_t i = 0; i < count; i++) {
		struct span want = numbered(text, i);

		if (link->len < want.len)
			peer_take(world, link);
		assert_true(link->len >= want.len);
		assert_memory_equal(want.at, link->in, want.len);
		peer_drop(link, want.len);
	}
	EXPECT_EQ(0, link->len);
}

static void opened(struct world *world, struct peer **core, struct peer **link)
{
	struct mw_target target;
	char text[MESSAGE_BYTES];

	world->hop = MW_TCP;
	world_open(world);
	*core = core_listen(world);
	target = the_core(world);
	EXPECT_EQ(GW_OK, mw_request(world->worker[0], &target, numbered(text, 0)));
	*link = core_accept(world, *core);
	assert_non_null(*link);
	expect_messages(world, *link, 1);
}

TEST(output, waits_for_a_core_that_does_not_read_and_reaches_it_in_order)
{
	struct world world = world_plan();
	struct peer *core, *link;
	uint32_t sent;

	world.mw_output = 20 * WORLD_MESSAGE_MAX;
	opened(&world, &core, &link);
	sent = send_until(&world, GW_QUEUE_FULL);
	EXPECT(sent * MESSAGE_BYTES > world.mw_output);
	expect_messages(&world, link, sent);
	/* and it is as new */
	sent = send_until(&world, GW_QUEUE_FULL);
	expect_messages(&world, link, sent);
	EXPECT_EQ(0, worker_balance(world.worker[0]).large_buffers);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

TEST(output, of_one_link_leaves_no_buffer_when_there_is_none_left)
{
	struct world world = world_plan();
	struct peer *core, *link;
	uint32_t sent;

	world.mw_output = UINT32_MAX / 2;
	opened(&world, &core, &link);
	sent = send_until(&world, GW_POOL_EMPTY);
	EXPECT_EQ(2 * MW_LINKS_MAX, worker_balance(world.worker[0]).large_buffers);
	expect_messages(&world, link, sent);
	EXPECT_EQ(0, worker_balance(world.worker[0]).large_buffers);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

TEST(output, that_waits_is_given_up_with_its_link)
{
	struct world world = world_plan();
	struct peer *core, *link;

	opened(&world, &core, &link);
	(void)send_until(&world, GW_QUEUE_FULL);
	EXPECT(worker_balance(world.worker[0]).large_buffers > 0);
	peer_free(&world, link);
	EXPECT_EQ(0, worker_balance(world.worker[0]).links);
	EXPECT_EQ(0, worker_balance(world.worker[0]).large_buffers);
	peer_free(&world, core);
	world_close(&world);
}

TEST_MAIN("worker_output", RUN(output, waits_for_a_core_that_does_not_read_and_reaches_it_in_order),
	  RUN(output, of_one_link_leaves_no_buffer_when_there_is_none_left),
	  RUN(output, that_waits_is_given_up_with_its_link))
