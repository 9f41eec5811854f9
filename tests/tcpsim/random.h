/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes in the place of chance: of a fuzzer. */
struct tape {
	const uint8_t *at;
	uint32_t left;
};

/** Numbers that follow from a seed (SplitMix64): the same on every machine, one stream for each
 * user, so that who draws less does not change what the others draw. */
struct draw {
	uint64_t state;
	struct tape *tape; /* its next byte is the first of a number, while there is one; or NULL */
};

static inline uint64_t draw_u64(struct draw *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	if (d->tape == NULL || d->tape->left == 0)
		return z;
	d->tape->left--;
	return (uint64_t)*d->tape->at++ << 56 | z >> 8;
}

/** The stream number `stream` of a seed. */
static inline struct draw draw_stream(uint64_t seed, uint64_t stream)
{
	struct draw d = {.state = seed * 0xd1342543de82ef95ull ^ stream};

	d.state = draw_u64(&d) ^ stream << 32;
	return d;
}

/** 0 to n - 1; n is not 0. */
static inline uint32_t draw_below(struct draw *d, uint32_t n)
{
	return (uint32_t)((draw_u64(d) >> 32) * n >> 32);
}

/** low to high, both included. */
static inline uint32_t draw_between(struct draw *d, uint32_t low, uint32_t high)
{
	return low + draw_below(d, high - low + 1);
}

/** True `parts` times of 10,000. */
static inline bool draw_chance(struct draw *d, uint32_t parts)
{
	return parts != 0 && draw_below(d, 10000) < parts;
}

#endif
