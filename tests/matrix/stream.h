/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MATRIX_STREAM_H
#define MATRIX_STREAM_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Bytes of one direction of a connection: each follows from the seed, the direction and its place,
 * so that who receives knows what must come, and finds bytes that came twice, late or not at all.
 */
enum stream_direction { STREAM_OURS, STREAM_THEIRS };

struct stream {
	uint64_t seed;
	uint64_t at;   /* bytes so far */
	uint64_t hash; /* of them, FNV-1a */
	bool wrong;    /* a byte was not the one that had to come */
};

void stream_init(struct stream *stream, uint64_t seed, enum stream_direction direction);
/** The next n bytes. */
void stream_fill(struct stream *stream, uint8_t *bytes, uint32_t n);
/** Takes n bytes that have come. */
void stream_take(struct stream *stream, const uint8_t *bytes, uint32_t n);

#endif
