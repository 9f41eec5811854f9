/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "mint.h"

#define WALL_START 1795168000
#define ROUNDS_MAX 2000
#define REST_ROUNDS 4

static uint64_t now_us(void *context)
{
	struct world *world = context;

	world->now_us += world->step_us;
	return world->now_us;
}

static uint64_t wall_us(void *context)
{
	return ((struct world *)context)->wall_s * 1000000;
}

static uint64_t random_word(void *context)
{
	return ((struct world *)context)->random += 0x9e3779b97f4a7c15ull;
}

struct world world_plan(void)
{
	return (struct world){
		.workers = 1,
		.sizes = {.connections = 16,
			  .bindings = 16,
			  .transactions = 32,
			  .max_message = WORLD_MESSAGE_MAX,
			  .max_output = 65536,
			  .verify_jobs = 8,
			  .large_buffers = 8,
			  .parked = 4,
			  .held = 2,
			  .token_cache = 16,
			  .token_refused = 16,
			  .lease_tombstones = 16},
		.hop = MW_UDP,
		.verifier = &verifier_openssl,
		.max_output = 65536,
		.mw_output = 65536,
		.tls_steps = 8,
	};
}

struct endpoint world_endpoint(const char *address, uint16_t port)
{
	struct endpoint e;

	EXPECT(endpoint_parse(span_text(address), &e));
	endpoint_set_port(&e, port);
	return e;
}

static struct worker *worker_open(struct world *world, uint16_t index, const struct worker_env *env)
{
	struct worker_config config = {
		.index = index,
		.workers = world->workers,
		.epoch = 7,
		.sizes = world->sizes,
		.env = env,
		.hub = world->hub,
		.snapshots = world->snapshots,
		.net = {[NET_KERNEL] = &net_posix},
		.tls = &tls_clear,
		.verifier = world->verifier,
	};
	struct worker *made;
	char why[256];

	if (worker_new(&config, why, sizeof(why), &made) != GW_OK)
		fail_msg("%s", why);
	return made;
}

void world_open(struct world *world)
{
	static struct worker_env env;
	static unsigned int opened;
	unsigned int pid = (unsigned int)getpid(), host = 1 + 2 * opened++;

	env = (struct worker_env){world, now_us, wall_us, random_word};
	world->now_us = 1000000;
	world->wall_s = WALL_START;
	/* addresses of this process and world only: tests run side by side, a failed one leaves its
	 * listeners behind */
	snprintf(world->ours, sizeof(world->ours), "127.%u.%u.%u", 1 + pid / 256 % 200, pid % 256,
		 host);
	snprintf(world->core, sizeof(world->core), "127.%u.%u.%u", 1 + pid / 256 % 200, pid % 256,
		 host + 1);
	world->key = mint_key_new();
	world->hub = mailbox_hub_new((uint16_t)(world->workers + 1), 262144, NULL, NULL);
	world->snapshots = snapshot_root_new(world->workers);
	world_publish(world, SITE_SERVED);
	world_publish_tls(world);
	for (uint16_t w = 0; w < world->workers; w++)
		world->worker[w] = worker_open(world, w, &env);
	world_run(world);
}

static void expect_balance(const struct world *world)
{
	for (uint16_t w = 0; w < world->workers; w++) {
		struct worker_balance b = worker_balance(world->worker[w]);

		EXPECT_EQ(0, b.sessions);
		EXPECT_EQ(0, b.bindings);
		EXPECT_EQ(0, b.transactions);
		EXPECT_EQ(0, b.finished);
		EXPECT_EQ(0, b.links);
		EXPECT_EQ(0, b.jobs);
		EXPECT_EQ(0, b.counted);
		EXPECT_EQ(0, b.small_buffers);
		EXPECT_EQ(0, b.large_buffers);
		EXPECT_EQ(0, b.parked);
		EXPECT_EQ(0, b.held);
	}
	EXPECT_EQ(0, world_count(world, conn_live));
	EXPECT_EQ(0, world_count(world, session_live));
	EXPECT_EQ(0, world_count(world, binding_live));
	EXPECT_EQ(0, world_count(world, transaction_live));
	EXPECT_EQ(0, world_count(world, verify_live));
	EXPECT_EQ(0, world_count(world, invariant_broken));
}

void world_close(struct world *world)
{
	world_pass(world, 40); /* what absorbs retransmissions ends with timer J */
	expect_balance(world);
	for (uint16_t w = 0; w < world->workers; w++)
		worker_free(world->worker[w]);
	snapshot_root_free(world->snapshots);
	mailbox_hub_free(world->hub);
	EVP_PKEY_free(world->key);
}

static void heard(void *context, uint16_t from, struct span message)
{
	const struct message_event *event = (const void *)message.at;
	struct world *world = context;

	if (world->hear != NULL)
		world->hear(world->hear_context, from, message);
	if (event->head.kind == MESSAGE_EVENT && event->what < EVENT_KINDS)
		world->told[event->what]++;
	world->wanted += event->head.kind == MESSAGE_KEYS_WANTED;
}

void world_run(struct world *world)
{
	static const struct timespec moment = {0, 20000}; /* for the loopback to deliver */
	uint32_t rest = 0;

	for (uint32_t i = 0; i < ROUNDS_MAX && rest < REST_ROUNDS; i++) {
		bool busy = false;

		for (uint16_t w = 0; w < world->workers; w++)
			busy |= worker_turn(world->worker[w]);
		(void)mailbox_receive(world->hub, world->workers, 1000, heard, world);
		rest = busy ? 0 : rest + 1;
		if (!busy)
			nanosleep(&moment, NULL);
	}
	EXPECT_EQ(REST_ROUNDS, rest);
}

void world_pass(struct world *world, uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds; i++) {
		world->now_us += 1000000;
		world->wall_s++;
		world_run(world);
	}
}
