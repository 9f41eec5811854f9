/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "conn_conformance.h"
#include "net_sim.h"

/* The simulated network through the test that every back end passes: a world of two cores. */

#define NOBODY "198.18.7.7:9"
#define BLACKHOLE "198.18.8.8:9"

void sim_arrived(struct sim *sim, uint16_t number)
{
	(void)sim; /* both cores turn all the time */
	(void)number;
}

void sim_broken(struct sim *sim, const char *name, const char *format, ...)
{
	(void)sim;
	va_list args;

	va_start(args, format);
	fprintf(stderr, "broken: %s: ", name);
	vfprintf(stderr, format, args);
	va_end(args);
	abort();
}

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint e = {0};

	if (!endpoint_parse(span_text(text), &e))
		abort();
	return e;
}

static void world_open(struct conn_world *w, const struct net_limits *limits)
{
	static const char *const v4[] = {"198.18.0.1", "198.18.0.2"};
	static const char *const v6[] = {"fd00:18::1", "fd00:18::2"};
	struct sim *sim = calloc(1, sizeof(*sim));

	sim_seed(sim, 7);
	sim->now_us = SECOND;
	sim->sched = sched_new();
	sim->net = simnet_new(sim);
	simnet_enter(sim->net);
	w->context = sim;
	w->ops = &net_sim;
	w->nobody = endpoint_of(NOBODY);
	w->blackhole = endpoint_of(BLACKHOLE);
	w->port = 4000;
	simnet_host(sim->net, &w->nobody, HOST_REFUSES);
	simnet_host(sim->net, &w->blackhole, HOST_SILENT);
	for (uint16_t i = 0; i < CORES; i++) {
		struct net_config config = {
			.worker = i,
			.epoch = 1000u * (i + 1u),
			.limits = *limits,
			.clock = &w->clock[i],
		};

		w->clock[i].now_us = sim->now_us;
		w->v4[i] = endpoint_of(v4[i]);
		w->v6[i] = endpoint_of(v6[i]);
		if (net_open(w->ops, &config, &w->core[i]) != GW_OK)
			abort();
	}
}

static void world_turn(struct conn_world *w)
{
	struct sim *sim = w->context;
	uint64_t until = sim->now_us + 1000;

	while (sched_step(sim, until))
		;
	sim->now_us = until;
	for (uint16_t i = 0; i < CORES; i++) {
		if (w->core[i] == NULL)
			continue;
		w->clock[i].now_us = sim->now_us;
		net_receive(w->core[i]);
		net_run_ready(w->core[i]);
		net_transmit(w->core[i]);
	}
}

static void world_close(struct conn_world *w)
{
	struct sim *sim = w->context;

	for (uint16_t i = 0; i < CORES; i++)
		if (w->core[i] != NULL)
			net_close(w->core[i]);
	sched_free(sim);
	simnet_free(sim->net);
	free(sim);
}

static const struct conn_world_ops sim_world = {world_open, world_turn, world_close};

int main(void)
{
	return conn_conformance("conn (simulated network)", &sim_world);
}
