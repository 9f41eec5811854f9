/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_STACK_STATION_H
#define WIRE_STACK_STATION_H

#include <pthread.h>

#include "net/net.h"

/**
 * A worker with nothing but his stack: he has his own UDP port and one that all have, echoes what
 * comes and keeps what it was. A datagram begins with its number, 32 bits of this machine's order,
 * so that afterwards one can ask who had it.
 */
#define STACK_WORKERS 4u
#define STACK_STEER_BASE 5070 /* + w: worker w's own port */
#define STACK_COMMON_PORT 5060
#define STACK_NUMBERS 131072u /* datagrams of one world */

#define STACK_OURS_4 "198.18.0.2"
#define STACK_OURS_6 "fd00:18::2"
#define STACK_PEER_4 "198.18.0.1" /* trusted */
#define STACK_PEER_6 "fd00:18::1"

struct stack_station {
	uint16_t worker;
	struct stack *stack;
	struct net_clock clock;
	struct counters counters;
	uint64_t random;
	uint64_t sleeps, wakes; /* wakes: before the time was up */
	uint64_t refused;	/* echoes that the stack would not send */
	uint64_t strange;	/* datagrams that nobody should have had: no number, a wrong port */
	pthread_t thread;
	const _Atomic bool *stop;     /* of who runs it on a thread */
	int stop_fd;		      /* readable: so that a sleeper sees stop */
	uint8_t heard[STACK_NUMBERS]; /* times that each was delivered */
};

/** Makes the stack of a worker. What fails here fails the test. */
void stack_station_open(struct stack_station *station, uint16_t worker, struct net_shared *shared);
void stack_station_turn(struct stack_station *station);
/** Turns and sleep until stop; for pthread_create(). */
void *stack_station_run(void *station);

/** From its text. */
struct endpoint stack_endpoint(const char *text, uint16_t port);
/** Monotonic time. */
uint64_t stack_clock_us(void);

#endif
