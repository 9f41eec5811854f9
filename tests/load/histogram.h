/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

/* 32 buckets an octave: a bucket is at most 3.2 % wide. The last one ends beyond 2 minutes. */
#define HISTOGRAM_STEP_BITS 5
#define HISTOGRAM_STEPS (1u << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_OCTAVES 27
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * (HISTOGRAM_OCTAVES - HISTOGRAM_STEP_BITS + 1))

/** How long things took, in microseconds. All zero is an empty one. */
struct histogram {
	uint64_t count;
	uint64_t max_us;
	uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t us);

/**
 * The time that this share of all (0 to 1) did not exceed, us: the upper end of its bucket, at
 * most max_us. 0 when empty.
 */
uint64_t histogram_quantile(const struct histogram *h, double share);

#endif
