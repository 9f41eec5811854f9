/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The run of a seed: whatever is next happens, until everything is over and nothing is left. */

#define TRAFFIC_US UINT64_C(400000000) /* then users are told to end */
#define REST_US UINT64_C(700000000)    /* and by then all is quiet */
#define EVENTS_MAX 2000000u

void violate(struct world *world, uint32_t number, const char *format, ...)
{
	va_list args;

	if (world->failed)
		return;
	world->failed = true;
	world->invariant = number;
	va_start(args, format);
	vsnprintf(world->why, sizeof(world->why), format, args);
	va_end(args);
	if (world->verbose)
		printf("%12.6f VIOLATION %u: %s\n", (double)world->now_us / 1e6, number,
		       world->why);
}

static bool all_over(const struct world *world)
{
	for (uint32_t i = 0; i < world->plan.pairs; i++)
		if (!app_over(&world->pair[i].app[0]) || !app_over(&world->pair[i].app[1]))
			return false;
	return true;
}

/** Users who are not done by now end. */
static void end_all(struct world *world)
{
	world->ending = true;
	world->attack.next_us = UINT64_MAX;
	for (uint32_t i = 0; i < world->plan.pairs * 2; i++) {
		struct app *app = &world->pair[i / 2].app[i % 2];

		if (world->plan.must_finish && !app_over(app))
			violate(world, 11, "connection %u.%u did not end", i / 2, i % 2);
		app_end(app);
	}
	for (uint32_t i = 0; i < HOSTS; i++)
		world->host[i].wake_us = world->now_us;
}

static void arrive(struct world *world)
{
	struct flight *flight = flights_take(&world->flights);
	struct host *host = &world->host[flight->to];

	if (host->arrivals == ARRIVALS_MAX) {
		free(flight);
		return;
	}
	host->arrival[host->arrivals++] = flight;
	if (host->ready_us < host->wake_us)
		host->wake_us = host->ready_us > world->now_us ? host->ready_us : world->now_us;
}

/** The next thing; its time, UINT64_MAX when there is none. */
static uint64_t next_us(const struct world *world)
{
	const struct flight *first = flights_first(&world->flights);
	uint64_t next = first != NULL ? first->at_us : UINT64_MAX;

	for (uint32_t i = 0; i < HOSTS; i++)
		next = world->host[i].wake_us < next ? world->host[i].wake_us : next;
	return world->attack.next_us < next ? world->attack.next_us : next;
}

/** One event. */
static void step(struct world *world)
{
	const struct flight *first = flights_first(&world->flights);

	if (first != NULL && first->at_us <= world->now_us) {
		arrive(world);
		return;
	}
	if (world->attack.next_us <= world->now_us) {
		attack_run(world);
		return;
	}
	for (uint32_t i = 0; i < HOSTS; i++)
		if (world->host[i].wake_us <= world->now_us) {
			host_turn(&world->host[i]);
			return;
		}
}

/** Nobody is accepted any more: once. */
static void drain(struct world *world)
{
	if (world->now_us < world->plan.drain_us)
		return;
	world->plan.drain_us = UINT64_MAX;
	for (uint32_t i = 0; i < HOSTS; i++)
		tcp_stop_listening(world->host[i].tcp);
}

static void run(struct world *world)
{
	for (uint32_t i = 0; i < EVENTS_MAX && !world->failed; i++) {
		uint64_t next = next_us(world);

		if (!world->ending && (next > TRAFFIC_US || all_over(world))) {
			world->now_us = next < TRAFFIC_US ? next
					: all_over(world) ? world->now_us
							  : TRAFFIC_US;
			end_all(world);
			continue;
		}
		if (next == UINT64_MAX || next > world->plan.stop_us)
			return;
		if (next > REST_US) {
			violate(world, 4, "it never comes to rest");
			return;
		}
		world->now_us = next > world->now_us ? next : world->now_us;
		drain(world);
		step(world);
	}
	violate(world, 6, "%u events", EVENTS_MAX);
}

/** Everything that is chance, but secrets. */
static void tape_take(struct world *world, struct tape *tape)
{
	world->attack.draw.tape = tape;
	for (uint32_t i = 0; i < HOSTS; i++)
		world->host[i].draw.tape = world->path[i].draw.tape = tape;
	for (uint32_t i = 0; i < world->plan.pairs * 2; i++)
		world->pair[i / 2].app[i % 2].draw.tape = tape;
}

static bool world_open(struct world *world, const struct run_options *options)
{
	if (options->tape != NULL)
		plan_of(options->seed, options->features, &world->plan);
	else
		plan_make(options->seed, options->without, &world->plan);
	world->verbose = options->verbose;
	world->hash = 0xcbf29ce484222325ull;
	if (options->pcap != NULL && (world->pcap = fopen(options->pcap, "wb")) != NULL)
		pcap_begin(world->pcap);
	for (uint8_t i = 0; i < HOSTS; i++) {
		host_init(world, i);
		path_open(world, i);
	}
	for (uint32_t i = 0; i < world->plan.pairs; i++) {
		app_init(world, i, 0);
		app_init(world, i, 1);
	}
	attack_open(world);
	tape_take(world, options->tape);
	return host_open(&world->host[0]) && host_open(&world->host[1]);
}

static void describe(const struct world *world)
{
	char text[512];

	plan_describe(&world->plan, text, sizeof(text));
	printf("seed %llu: %s%s\n", (unsigned long long)world->plan.seed, text,
	       world->plan.must_finish ? " (must finish)" : "");
}

struct run_result world_run(const struct run_options *options)
{
	struct world *world = calloc(1, sizeof(*world));
	struct run_result result;

	if (world == NULL)
		abort();
	if (world_open(world, options)) {
		if (world->verbose)
			describe(world);
		run(world);
		if (!world->failed && world->plan.stop_us == UINT64_MAX)
			check_end(world);
	}
	for (uint32_t i = 0; i < HOSTS; i++)
		host_close(&world->host[i]);
	check_told(world);
	flights_free(&world->flights);
	if (world->pcap != NULL)
		fclose(world->pcap);
	result = (struct run_result){.failed = world->failed,
				     .invariant = world->invariant,
				     .hash = world->hash,
				     .totals = world->totals,
				     .class = world->plan.class};
	memcpy(result.why, world->why, sizeof(result.why));
	free(world);
	return result;
}
