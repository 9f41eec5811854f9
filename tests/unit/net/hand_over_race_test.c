/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runner.h"

/*
 * hand_over_race_test [ROUNDS [SEED]]
 *
 * Four stacks, a thread each, over a port of two queues, with the smallest rings. Datagrams come in
 * for anybody, are sent on from worker to worker a few times, and in the end to the peer, by the
 * worker who has a queue. In each round some come in, and the next one begins when all of them have
 * ended: were received and not sent on, sent to the peer, or refused by a ring that was full. A
 * worker sleeps whenever he has nothing to do, and for as long as nothing wakes him: a round that
 * does not end is a datagram that was lost after it was accepted, or a wake-up that was.
 * Made for the thread sanitizer.
 */
#define ROUNDS_DEFAULT 20000u
#define RING_BYTES 4096u
#define FEW 6u	  /* frames of a queue in most rounds */
#define MANY 300u /* and in others: more than a ring holds */
#define LOST_US 20000000u
#define LOOKS_PER_YIELD 200u

struct race {
	struct port *port;
	struct net_shared *shared;
	struct endpoint ours, peer;
	int stop_fd;
	_Atomic bool stop;
	uint64_t fed, random;
	struct runner runner[MILL_WORKERS];
};

/* ---- the race ----------------------------------------------------------------------------------
 */

/** Datagrams under way. What has ended is looked at first: it is never too low. */
static uint64_t race_under_way(const struct race *race)
{
	uint64_t ended = 0, begun = race->fed;

	for (uint16_t q = 0; q < MILL_QUEUES; q++)
		ended += mill_sent(race->port, q);
	for (uint16_t w = 0; w < MILL_WORKERS; w++)
		ended +=
			atomic_load(&race->runner[w].ended) + atomic_load(&race->runner[w].refused);
	for (uint16_t w = 0; w < MILL_WORKERS; w++)
		begun += atomic_load(&race->runner[w].begun);
	return begun - ended;
}

static void race_round(struct race *race)
{
	uint32_t most = mill_roll(&race->random, 50) == 0 ? MANY : FEW;

	for (uint16_t q = 0; q < MILL_QUEUES; q++) {
		uint32_t n = mill_roll(&race->random, most);

		race->fed += n;
		if (n > 0)
			mill_feed(race->port, q, n);
	}
}

/** False: it does not end. */
static bool race_wait(const struct race *race)
{
	uint64_t end_us = runner_clock_us() + LOST_US, looks = 0;

	while (race_under_way(race) != 0) {
		if (++looks % LOOKS_PER_YIELD != 0)
			continue;
		if (runner_clock_us() > end_us)
			return false;
		sched_yield();
	}
	return true;
}

/** The next hop is known, and nobody has been refused anything. */
static bool race_settle(struct race *race)
{
	uint64_t end_us = runner_clock_us() + LOST_US;
	struct row_neighbour row = {0};

	while (row.state != NEIGHBOUR_REACHABLE && runner_clock_us() < end_us) {
		for (uint16_t w = 0; w < MILL_WORKERS; w++)
			runner_turn(&race->runner[w]);
		net_shared_neighbours(race->shared, 1, &row);
	}
	return row.state == NEIGHBOUR_REACHABLE && race_under_way(race) == 0;
}

static bool race_enter(struct race *race, uint16_t worker)
{
	struct runner *runner = &race->runner[worker];

	runner->worker = worker;
	runner->ours = race->ours;
	runner->peer = race->peer;
	runner->random = race->random + worker;
	runner->stop = &race->stop;
	runner->stop_fd = race->stop_fd;
	return runner_open(runner, race->shared) == GW_OK;
}

static bool race_open(struct race *race)
{
	struct netif netif = {.name = "mill",
			      .ops = &port_mill,
			      .address_count = 1,
			      .probe_s = 3600};
	struct net_shared_config config = {.netif = &netif,
					   .netifs = 1,
					   .workers = MILL_WORKERS,
					   .steer_base = MILL_PORT,
					   .ring_bytes = RING_BYTES,
					   .neighbours = 4};

	race->stop_fd = eventfd(0, EFD_CLOEXEC);
	race->port = mill_new(race->random, &netif.info);
	if (race->stop_fd < 0 || race->port == NULL ||
	    !endpoint_parse(SPAN(MILL_OURS), &race->ours) ||
	    !endpoint_parse(SPAN(MILL_PEER), &race->peer))
		return false;
	netif.port = race->port;
	netif.address[0] = (struct netif_address){race->ours, 24};
	endpoint_set_port(&race->peer, 4000);
	race->shared = net_shared_new(&config);
	for (uint16_t w = 0; race->shared != NULL && w < MILL_WORKERS; w++)
		if (!race_enter(race, w))
			return false;
	return race->shared != NULL && race_settle(race);
}

static void race_close(struct race *race)
{
	for (uint16_t w = 0; w < MILL_WORKERS; w++)
		stack_free(race->runner[w].stack);
	port_mill.close(race->port);
	net_shared_free(race->shared);
	close(race->stop_fd);
}

static void race_threads(struct race *race)
{
	for (uint16_t w = 0; w < MILL_WORKERS; w++)
		if (pthread_create(&race->runner[w].thread, NULL, runner_run, &race->runner[w]) !=
		    0)
			abort();
}

static void race_join(struct race *race)
{
	const uint64_t one = 1;

	atomic_store(&race->stop, true);
	if (write(race->stop_fd, &one, sizeof(one)) != sizeof(one))
		abort();
	for (uint16_t w = 0; w < MILL_WORKERS; w++)
		pthread_join(race->runner[w].thread, NULL);
}

struct sum {
	uint64_t ended, refused, other, in, out, sleeps, broken;
};

static struct sum race_sum(const struct race *race)
{
	struct sum sum = {0};

	for (uint16_t w = 0; w < MILL_WORKERS; w++) {
		const struct runner *runner = &race->runner[w];

		sum.ended += atomic_load(&runner->ended);
		sum.refused += counter_read(&runner->counters.errors[GW_NET_HAND_OVER]);
		sum.other += atomic_load(&runner->refused);
		sum.in += counter_read(&runner->counters.net_handed_in);
		sum.out += counter_read(&runner->counters.net_handed_out);
		sum.sleeps += runner->sleeps;
		sum.broken += runner->broken;
	}
	sum.other -= sum.refused;
	return sum;
}

static void race_explain(const struct runner *runner)
{
	for (uint32_t err = 0; err < GW_ERR_COUNT; err++)
		if (counter_read(&runner->counters.errors[err]) > 0)
			printf("worker %u: %s: %llu\n", runner->worker, gw_err_text(err),
			       (unsigned long long)counter_read(&runner->counters.errors[err]));
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
	static struct race race;
	struct sum sum;
	bool good;

	race.random = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (!race_open(&race))
		return 1;
	race_threads(&race);
	good = race_wait(&race);
	for (uint32_t i = 0; good && i < rounds; i++) {
		race_round(&race);
		good = race_wait(&race);
	}
	race_join(&race);
	sum = race_sum(&race);
	printf("%u rounds, %llu frames, %llu datagrams, %llu handed over, %llu refused, "
	       "%llu sleeps, %llu broken%s\n",
	       rounds, (unsigned long long)race.fed, (unsigned long long)sum.ended,
	       (unsigned long long)sum.out, (unsigned long long)sum.refused,
	       (unsigned long long)sum.sleeps, (unsigned long long)sum.broken,
	       good ? "" : "; lost");
	good = good && sum.broken == 0 && sum.other == 0 && sum.in == sum.out && sum.refused > 0 &&
	       sum.sleeps > rounds;
	for (uint16_t w = 0; !good && w < MILL_WORKERS; w++)
		race_explain(&race.runner[w]);
	race_close(&race);
	return good ? 0 : 1;
}
