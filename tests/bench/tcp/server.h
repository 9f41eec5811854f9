/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include "node.h"

/** What stands above the worker's connections in a measurement. */
enum server_mode {
	SERVER_ECHO,
	SERVER_SINK,   /* reads */
	SERVER_SOURCE, /* sends without end when something has come */
	SERVER_ONCE,   /* answers with what has come and closes */
};

struct server {
	enum server_mode mode;
	uint64_t accepted, closed, broken; /* broken: closed, and not in order */
	uint64_t received;
};

/** Listens at NODE_PORT, IPv4. 0, or -1 with the reason on stderr. */
int server_open(struct server *server, struct node *node);

#endif
