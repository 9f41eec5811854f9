/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_H
#define ECHO_H

#include <stdatomic.h>

#include "net/net.h"

/** A worker with nothing above the stack but an echo of what comes to SPACE_PORT. */
enum echo_idle { ECHO_POLL, ECHO_SLEEP };

struct echo {
	const struct port_ops *ops;
	struct port *port;
	struct net_shared *shared;
	struct stack *stack;
	struct net_clock clock;
	struct counters counters;
	uint64_t random;
	_Atomic int idle; /* enum echo_idle */
	_Atomic bool stop;
	_Atomic unsigned long cpu_us; /* of its thread, each time it sleeps */
};

/** Opens device and makes the stack. 0, or -1 with the reason on stderr. */
int echo_open(struct echo *echo, const char *device);
void echo_close(struct echo *echo);
/** One turn; false: nothing was done. */
bool echo_turn(struct echo *echo);
/** Turns until stop; for pthread_create(). */
void *echo_run(void *echo);

#endif
