/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_IDENTITY_MEASURE_H
#define BENCH_IDENTITY_MEASURE_H

#include <stdint.h>
#include <time.h>

/** Of CPU time: others may use the machine meanwhile. */
static inline double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/** The next of a row that is the same in every run. */
static inline uint32_t random_below(uint32_t n)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * n >> 32);
}

#endif
