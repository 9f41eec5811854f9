/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STACK_FRAME_H
#define STACK_FRAME_H

#include "stack_world.h"

/** Frames for the stack as the other hosts of the world would send them: well-formed, and then
 * spoiled as the input says. */

/** A frame of kind from host, with the rest of its fields made of detail, into w (WORLD_FRAME). */
void frame_make(const struct world *world, uint8_t kind, uint8_t host, uint8_t detail,
		struct writer *w);
/** Makes the checksums of what a frame looks like right again. */
void frame_repair(uint8_t *frame, uint32_t len);

#endif
