/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

/** Below HISTOGRAM_STEPS one bucket a microsecond, then HISTOGRAM_STEPS buckets an octave. */
static uint32_t bucket_of(uint64_t us)
{
	uint32_t octave, bucket;

	if (us < HISTOGRAM_STEPS)
		return (uint32_t)us;
	octave = 63 - (uint32_t)__builtin_clzll(us) - HISTOGRAM_STEP_BITS;
	bucket = (octave + 1) * HISTOGRAM_STEPS + (uint32_t)(us >> octave) - HISTOGRAM_STEPS;
	return octave < HISTOGRAM_OCTAVES && bucket < HISTOGRAM_BUCKETS ? bucket
									: HISTOGRAM_BUCKETS - 1;
}

/** The largest time that falls in bucket, us. */
static uint64_t bucket_end(uint32_t bucket)
{
	uint32_t octave;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	octave = bucket / HISTOGRAM_STEPS - 1;
	return ((uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1) << octave) - 1;
}

void histogram_add(struct histogram *h, uint64_t us)
{
	h->bucket[bucket_of(us)]++;
	h->count++;
	if (us > h->max_us)
		h->max_us = us;
}

uint64_t histogram_quantile(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)h->count + 0.999999), seen = 0;

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS - 1 && h->count > 0; i++) {
		seen += h->bucket[i];
		if (seen > 0 && seen >= wanted)
			return bucket_end(i) < h->max_us ? bucket_end(i) : h->max_us;
	}
	return h->max_us;
}
