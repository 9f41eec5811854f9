/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_WALL_H
#define GATEWAY_WALL_H

#include "core/core.h"
#include "gateway.h"

/*
 * The clock on the wall, which tokens name in seconds of Unix time, against the monotonic one, by
 * which everything here ends (PROTOCOL 11). An end is turned from the one into the other once, to
 * the microsecond; a clock that is set afterwards moves it no more.
 */

/** Unix time in whole seconds, the fraction cut off: what an iat or exp may be compared with. */
static inline uint64_t wall_now_s(const struct gateway_time *now)
{
	return now->wall_us / 1000000;
}

/** Microseconds until that second begins; 0: it has. end_s: Unix time, below 2^44. */
static inline uint64_t wall_left_us(const struct gateway_time *now, uint64_t end_s)
{
	uint64_t end_us = end_s * 1000000;

	return end_us > now->wall_us ? end_us - now->wall_us : 0;
}

/** The same in whole seconds, never more than is left: what may be asked for and granted. */
static inline uint64_t wall_left_s(const struct gateway_time *now, uint64_t end_s)
{
	return wall_left_us(now, end_s) / 1000000;
}

/** When it begins, monotonic, and less than a tick of the wheel before: a timer that is armed for
 * it fires then, and not behind it. Now or that little before, when it has begun. end_s: as above.
 */
static inline uint64_t wall_end_us(const struct gateway_time *now, uint64_t end_s)
{
	uint64_t end_us = now->now_us + wall_left_us(now, end_s);

	return end_us - end_us % WHEEL_TICK_US;
}

#endif
