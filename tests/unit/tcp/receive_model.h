/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECEIVE_MODEL_H
#define RECEIVE_MODEL_H

#include "receive_world.h"

/**
 * A receiving connection beside a map that has an entry for each sequence number of the stream.
 * Each step goes to both; false: they do not agree, or something that must be true is not.
 */

#define MODEL_STREAM 262144u /* sequence numbers of a stream */

struct receive_model {
	struct receive_world *w;
	uint32_t first; /* sequence number of offset 0 */
	uint32_t nxt;	/* offset behind what is in order */
	uint32_t read;	/* offset behind what was consumed */
	uint32_t grown; /* offset of what is new of the last segment out of order; 0: nothing */
	uint32_t top;	/* offset behind all that ever came */
	bool ended;	/* FIN is in order */
	uint8_t byte[MODEL_STREAM];
	uint8_t have[MODEL_STREAM]; /* 0: nothing, 1: a byte, 2: FIN */
};

struct model_segment {
	uint32_t offset, len;
	bool fin;
	uint8_t salt; /* another one: other bytes */
};

struct receive_model *receive_model_new(uint32_t first, uint32_t limit);
bool receive_model_free(struct receive_model *m);
/** A segment that may lie anywhere; what is outside of the window is cut, as tcp_in.c does. */
bool receive_model_segment(struct receive_model *m, const struct model_segment *segment);
/** At most n bytes are read and consumed. */
bool receive_model_read(struct receive_model *m, uint32_t n);
/** An ACK with room for max blocks: window and SACK. */
bool receive_model_ack(struct receive_model *m, uint32_t max);

#endif
