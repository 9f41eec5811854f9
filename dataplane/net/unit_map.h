/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_MAP_H
#define UNIT_MAP_H

#include <stdint.h>

/**
 * Which parts of an IP datagram are there, in units of 8 bytes: fragments begin at one, and all but
 * the last end at one. Of reassembly.c.
 */
#define UNIT 8u		     /* bytes */
#define UNIT_MAP_UNITS 8192u /* of the longest datagram */
#define UNIT_MAP_WORD 64u    /* bits */

struct unit_map {
	uint64_t word[UNIT_MAP_UNITS / UNIT_MAP_WORD];
};

/** A part of a datagram in bytes, end not included; not empty, and from is a multiple of UNIT. */
struct unit_range {
	uint32_t from, end;
};

static inline uint32_t unit_range_first(struct unit_range range)
{
	return range.from / UNIT;
}

static inline uint32_t unit_range_end(struct unit_range range)
{
	return (range.end + UNIT - 1) / UNIT;
}

static inline uint32_t unit_range_count(struct unit_range range)
{
	return unit_range_end(range) - unit_range_first(range);
}

/** The bits of word w that stand for units of range. w is one of those that range touches. */
static inline uint64_t unit_map_mask(uint32_t w, struct unit_range range)
{
	uint32_t low = w * UNIT_MAP_WORD, high = low + UNIT_MAP_WORD;
	uint32_t first = unit_range_first(range), end = unit_range_end(range);
	uint64_t mask = UINT64_MAX;

	if (first > low)
		mask &= UINT64_MAX << (first - low);
	if (end < high)
		mask &= UINT64_MAX >> (high - end);
	return mask;
}

/** How many units of range are there. */
static inline uint32_t unit_map_there(const struct unit_map *map, struct unit_range range)
{
	uint32_t w = unit_range_first(range) / UNIT_MAP_WORD, there = 0;

	for (; w * UNIT_MAP_WORD < unit_range_end(range); w++)
		there += (uint32_t)__builtin_popcountll(map->word[w] & unit_map_mask(w, range));
	return there;
}

static inline void unit_map_set(struct unit_map *map, struct unit_range range)
{
	uint32_t w = unit_range_first(range) / UNIT_MAP_WORD;

	for (; w * UNIT_MAP_WORD < unit_range_end(range); w++)
		map->word[w] |= unit_map_mask(w, range);
}

#endif
