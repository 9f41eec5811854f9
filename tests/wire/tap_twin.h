/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_TAP_TWIN_H
#define WIRE_TAP_TWIN_H

#include "port/tap_steer.h"
#include "tap_world.h"

/** Where frames came out of a TAP port, beside where tap_steer_queue() says that they belong. */
#define TWIN_CHUNK 64 /* frames on their way at a time: the kernel's queues have room for 500 */

/** What came to a queue: frames for which the twin names that queue, and others. */
struct twin_came {
	uint32_t right, wrong;
};

/** A world whose port steers; where the kernel refuses that, the test is skipped. */
struct tap_world twin_world(uint16_t queues);
/** The twin of that port's steering. */
struct tap_steer twin_of(uint16_t queues);

/** Empties all queues of the port and adds to came, one for each. */
void twin_collect(struct tap_world *world, struct twin_came came[]);

/** Nothing is wrong, and there are count frames in all. */
void twin_expect(const struct twin_came came[], uint16_t queues, uint32_t count);

#endif
