/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONN_CONFORMANCE_H
#define CONN_CONFORMANCE_H

#include "conn.h"

/**
 * The test of include/conn.h that every back end passes. A back end gives a world: two cores that
 * reach each other, in one thread. The tests know nothing else of it. Where the back end has a
 * virtual clock, the tests run on it.
 */
enum { SERVER, CLIENT, CORES };

struct conn_world {
	const struct net_ops *ops;
	struct net_clock clock[CORES];
	struct counters *counters; /* of the server core; may be NULL */
	struct net_core *core[CORES];
	struct endpoint v4[CORES]; /* addresses of the cores, port 0 */
	struct endpoint v6[CORES];
	struct endpoint nobody;	   /* an address and port that refuses, reached from the client */
	struct endpoint blackhole; /* one that never answers; AF_UNSPEC: this world has none */
	uint16_t port;		   /* free on the server, TCP and UDP */
	const struct conn_world_ops *world;
	void *context; /* the world's own */
};

struct conn_world_ops {
	/** Opens both cores with these limits and fills the rest; fails the test when it cannot. */
	void (*open)(struct conn_world *w, const struct net_limits *limits);
	/** Moves the clocks on, by 1 ms at most, and runs one turn of both cores. */
	void (*turn)(struct conn_world *w);
	/** Closes the cores that are not NULL, and all else. */
	void (*close)(struct conn_world *w);
};

/** Runs every conformance test, the UDP ones too. Returns the number of tests that failed. */
int conn_conformance(const char *name, const struct conn_world_ops *world);
int udp_conformance(const char *name, const struct conn_world_ops *world);

#endif
