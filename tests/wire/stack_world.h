/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_STACK_WORLD_H
#define WIRE_STACK_WORLD_H

#include "stack_station.h"
#include "tap_world.h"

/** Four stations over one TAP port, and who has had what. */

/** How a frame finds its queue. */
enum stack_steering {
	STACK_STEER_PROGRAM, /* by ours; where the kernel refuses it, the test is skipped */
	STACK_STEER_KERNEL,  /* by the kernel itself, who follows what we send */
	STACK_STEER_LAST,    /* all to the last queue, whosoever they are */
};

enum stack_life { STACK_TURNS, STACK_THREADS };

struct stack_world {
	struct tap_world tap;
	struct net_shared *shared;
	enum stack_life life;
	_Atomic bool stop;
	int stop_fd;
	uint32_t numbers;		/* given out */
	uint64_t before[STACK_WORKERS]; /* packets that each queue had sent */
	struct stack_station station[STACK_WORKERS];
};

/** Opens it, with as many queues; the kernel's end is known to the stacks as a trusted peer, and
 * nothing is counted yet. The caller closes it. */
struct stack_world *stack_world_open(uint16_t queues, enum stack_steering steering);
/** Every packet is back. */
void stack_world_close(struct stack_world *world);

/** One turn of each worker, one after the other; only while no threads run. */
void stack_world_turn(struct stack_world *world);

/** From here on each worker has a thread, which sleeps when it has nothing to do. */
void stack_world_threads(struct stack_world *world);
/** Until here. */
void stack_world_join(struct stack_world *world);

/** The worker who has delivered datagram number; fails unless it was one, and once. */
uint16_t stack_world_who(const struct stack_world *world, uint32_t number);

/** Packets that a queue of the port has sent since the world was opened; what worker 0 tells and
 * asks its neighbours is left out. */
uint64_t stack_world_sent(const struct stack_world *world, uint16_t queue);

/** A counter of worker w. */
#define STACK_COUNTER(world, w, name) counter_read(&(world)->station[w].counters.name)

#endif
