/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include "node.h"
#include "packet.h"

/**
 * A worker whose port is two rings in memory, and what stands at their other ends: this program,
 * which plays the peers frame by frame. All in one thread; only the worker's turns are timed.
 */
struct ring {
	struct node node;
	struct rte_ring *in, *out;
	struct rte_mempool *pool;
	uint8_t mac[6];	    /* the port's */
	double spent_ns;    /* CPU time of turns */
	uint64_t fed, said; /* frames in and out */
	uint64_t lost;	    /* could not be fed */
};

/** Starts EAL too: once in a process. 0, or -1 with the reason on stderr. */
int ring_open(struct ring *ring, const struct node_config *config, uint32_t megabytes);
void ring_close(struct ring *ring);

void ring_feed(struct ring *ring, struct span frame);
/** One turn of the worker. */
void ring_turn(struct ring *ring);
/** The next frame that the worker has sent, the caller's; NULL: none. */
struct rte_mbuf *ring_take(struct ring *ring);

/** From here on it is measured. */
void ring_reset(struct ring *ring);

/** The middle one; sorts them. */
double ring_median(double *values, uint32_t count);

#endif
