/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CHANCE_H
#define CHANCE_H

#include <stdint.h>

/**
 * The dice of the load: numbers that follow from a seed (SplitMix64), so that a run can be played
 * again. Nothing secret comes from here.
 */
struct chance {
	uint64_t state;
};

static inline uint64_t chance_next(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/** A number from 0 to n - 1; n > 0. */
static inline uint32_t chance_below(struct chance *c, uint32_t n)
{
	return (uint32_t)((chance_next(c) >> 32) * n >> 32);
}

#endif
