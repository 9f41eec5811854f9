/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LINE_H
#define LINE_H

#include <stdio.h>

#include "frame.h"
#include "model.h"

/** One direction of the wire: its model, and the frames that are on it. */
#define LINE_HELD_MAX 16384u /* frames; what comes above is dropped as by a full queue */

struct held {
	uint64_t due_us, number; /* of two that are due at one time, in the order they came */
	uint32_t len;
	uint8_t *bytes;
};

struct line_counters {
	uint64_t in, out;
	uint64_t fates[MODEL_FATES];
	uint64_t duplicated, reordered, corrupted;
	uint64_t answered; /* "too big" told to the sender */
	uint64_t foreign;  /* of another VLAN than ours */
	uint64_t refused;  /* by an end: not readable, or not taken */
};

struct line {
	struct model model;
	struct held *heap; /* the next one due first */
	uint32_t held;
	uint64_t number;
	struct line_counters counters;
};

/** False: no memory. */
bool line_init(struct line *line, const struct model_config *config, uint64_t seed,
	       uint32_t direction);
void line_fini(struct line *line);

/** Puts a copy of the frame on the wire, or not, as the model says; the frame itself may be
 * changed. */
enum model_fate line_put(struct line *line, struct frame *frame, uint64_t now_us);
/** Takes a frame off that is due. False: none is. */
bool line_take(struct line *line, uint64_t now_us, struct frame *frame);
/** When the next one is due; UINT64_MAX: there is none. */
uint64_t line_next_us(const struct line *line);

/** The counters as a JSON object. */
void line_print(const struct line *line, FILE *to);

#endif
