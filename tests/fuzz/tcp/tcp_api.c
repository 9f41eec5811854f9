/* SPDX-License-Identifier: BSD-3-Clause */
#include "user.h"

#include <stdlib.h>

/*
 * The connection API (conn.h) on two hosts whose network loses nothing. Input: a byte of bounds,
 * then steps of 4 bytes,
 *
 *	who      0x0f: which end of which connection
 *	what     0x0f: what it does  0xf0: 0 now; else whenever it is called so, 0x80: at most
 *	arg
 *	time     how long until the next step: 0 no turn, else so many times so many microseconds
 *
 * What must hold is in user.c; and that bytes and ends arrive, as nothing is lost.
 */

#define STEPS_MAX 300u
#define TURNS_MAX 2000u	 /* of a step */
#define TURNS_ALL 10000u /* two who echo each other never end */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct step {
	uint8_t who, what, arg, time;
};

/* ---- time --------------------------------------------------------------------------------------
 */

static uint64_t next_us(const struct stage *stage)
{
	const struct flight *first = flights_first(&stage->world.flights);
	uint64_t next = first != NULL ? first->at_us : UINT64_MAX;

	for (uint32_t i = 0; i < HOSTS; i++)
		if (stage->world.host[i].wake_us < next)
			next = stage->world.host[i].wake_us;
	return next;
}

static void arrive(struct stage *stage)
{
	struct flight *flight;
	struct host *host;

	while ((flight = flights_first(&stage->world.flights)) != NULL &&
	       flight->at_us <= stage->world.now_us) {
		host = &stage->world.host[flight->to];
		if (host->arrivals == ARRIVALS_MAX)
			stage_turn(stage, host->index);
		host->arrival[host->arrivals++] = flights_take(&stage->world.flights);
		host->wake_us = stage->world.now_us;
	}
}

/** Everything that happens until then, or until nothing would. */
static void run_until(struct stage *stage, uint64_t to_us)
{
	struct world *world = &stage->world;
	uint64_t next;

	for (uint32_t i = 0; i < TURNS_MAX && (next = next_us(stage)) <= to_us; i++) {
		world->now_us = next > world->now_us ? next : world->now_us;
		arrive(stage);
		for (uint32_t k = 0; k < HOSTS; k++)
			if (world->host[k].wake_us <= world->now_us)
				stage_turn(stage, k);
	}
	world->now_us = to_us > world->now_us ? to_us : world->now_us;
}

/* ---- steps -------------------------------------------------------------------------------------
 */

static struct user *user_at(struct stage *stage, uint32_t i)
{
	return &stage->user[i / 2 % STAGE_PAIRS][i % 2];
}

static void step_run(struct stage *stage, const struct step *step)
{
	struct user *user = user_at(stage, step->who & 15);
	struct wish wish = {step->what & 15, step->arg};
	uint32_t call = step->what >> 4;

	if (call == 0)
		user_do(user, &wish);
	else if (call <= CALLS)
		user->habit[call - 1] = wish;
	stage->world.host[user->app->host].wake_us = stage->world.now_us;
	if (step->time != 0)
		run_until(stage, stage->world.now_us + (uint64_t)step->time * step->time * 20);
}

/** Everybody who is left reads, and ends; and as nothing is lost, everything ends in order. */
static void end_in_order(struct stage *stage)
{
	static const struct wish last[] = {{DEED_RESUME, 0}, {DEED_READ, 0}, {DEED_SHUTDOWN, 0}};

	for (uint32_t i = 0; i < STAGE_PAIRS * 2; i++) {
		struct user *user = user_at(stage, i);

		memset(user->habit, 0, sizeof(user->habit));
		user->habit[CALL_READABLE].deed = DEED_READ;
		user->habit[CALL_ACCEPT].deed = DEED_SHUTDOWN;
		for (uint32_t k = 0; k < 3; k++)
			user_do(user, &last[k]);
		stage->world.host[user->app->host].wake_us = stage->world.now_us;
	}
	for (uint32_t i = 0; i < 10; i++)
		run_until(stage, stage->world.now_us + 20000000);
	for (uint32_t i = 0; i < STAGE_PAIRS * 2; i++)
		if (user_at(stage, i)->app->conn != NULL)
			violate(&stage->world, 11, "connection %u.%u did not end", i / 2, i % 2);
	check_end(&stage->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct stage *stage;
	struct step step;
	uint8_t bounds;

	if (!span_u8(&in, &bounds))
		return 0;
	stage = stage_new(true, bounds >> 2);
	for (uint32_t i = 0;
	     i < STEPS_MAX && stage->turns < TURNS_ALL && span_copy(&in, &step, sizeof(step)); i++)
		step_run(stage, &step);
	if ((bounds & 1) == 0)
		end_in_order(stage);
	stage_free(stage);
	return 0;
}
