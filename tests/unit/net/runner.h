/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RUNNER_H
#define RUNNER_H

#include <pthread.h>

#include "mill.h"
#include "net/net.h"

/**
 * A worker over a mill: he sends on what comes as often as it says, to anybody, and half of what
 * has come so far to the peer; and sleeps whenever he has nothing to do, for as long as nothing
 * wakes him.
 */
struct runner {
	uint16_t worker;
	struct endpoint ours, peer;
	int stop_fd; /* readable: so that a sleeper sees stop */
	const _Atomic bool *stop;
	struct stack *stack;
	struct net_clock clock;
	struct counters counters;
	uint64_t random;
	uint32_t seen[MILL_QUEUES]; /* last number of each queue */
	uint64_t broken;	    /* datagrams of somebody else's, or in another order */
	uint64_t sleeps;
	uint32_t lead; /* turns of a loop before he sleeps: so that he does in every other case */
	_Atomic uint64_t begun, ended; /* datagrams; what ends is first begun */
	_Atomic uint64_t refused;      /* what the stack has counted as dropped */
	pthread_t thread;
};

/** Makes the stack of the worker that is set, as are ours, peer, random and what stops him. */
enum gw_err GW_MUST_CHECK runner_open(struct runner *runner, struct net_shared *shared);
void runner_turn(struct runner *runner);
/** Turns and sleep until stop; for pthread_create(). */
void *runner_run(void *runner);

/** Monotonic time. */
uint64_t runner_clock_us(void);

#endif
