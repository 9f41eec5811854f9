/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_WALL_H
#define GATEWAY_WALL_H

#include "core/core.h"
#include "gateway.h"

/*
 * The clock on the wall, which tokens name in seconds of Unix time, against the monotonic one, by
 * which everything here ends (PROTOCOL 11). An end is turned from the one into the other when a
 * token is shown, and again when the wall's clock has stepped: the ends of bindings by a walk over
 * them (revoked.h), the ends of leases when they seem to have come (lease_home.c).
 */

struct binding;
struct transaction;

/** What a worker knows of the wall's clock. */
struct wall_watch {
	struct timer look; /* while there are bindings: a worker that sleeps looks at it too */
	uint64_t ahead_us; /* of the monotonic clock, modulo 2^64: by which ends were found */
	bool known;
};

/** Looks at it, in every turn. After a step the walk over the bindings begins, the log is told,
 * refused tokens are forgotten, and control's journal is written anew. */
void wall_turn(struct gateway *gw);
/** While there are bindings, a turn comes each second: said by each turn, and with a new binding,
 * which may be the last thing that happens before the worker sleeps. */
void wall_watch_bindings(struct gateway *gw);
/**
 * Finds the end of b's token anew. b ends then, or now, where that is sooner than it would; it
 * never lasts longer, since a step grants nothing. b may be gone afterwards.
 */
void wall_binding(struct gateway *gw, struct binding *b);
/** The same of the token of t, a REGISTER that is answered now. */
void wall_registration(const struct gateway *gw, struct transaction *t);

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
