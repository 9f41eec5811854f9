/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CORE_H
#define CORE_H

#include "gw_err.h"
#include "handle.h"
#include "rate_limit.h"
#include "span.h"

/**
 * What every layer stands on: bounded pools that give out handles, the timing wheel, and limits of
 * rate and number. No clock, no allocation after start, no threads.
 */

/* ---- slots: a bounded pool of equal objects, named by handles
 * ------------------------------------
 */

struct slots;

/**
 * Makes a pool of capacity objects of size bytes each, zeroed, for worker's handles. Generations
 * start at epoch, so that handles of an earlier run of the process are stale. Memory is touched
 * only as objects are used; an object is aligned to 64 bytes (to 16 when smaller). NULL: no memory,
 * or a size or capacity of 0.
 */
struct slots *slots_new(uint16_t worker, uint32_t capacity, uint32_t size, uint32_t epoch);

/** Frees the pool and everything in it. NULL does nothing. */
void slots_free(struct slots *slots);

/** An object with its bytes zeroed, or NULL when all are out. O(1). */
void *slots_get(struct slots *slots);

/** The same with its bytes as they were: for buffers, whose length says what is valid. */
void *slots_get_unzeroed(struct slots *slots);

/**
 * Gives an object back; every handle to it is stale from now on. False, nothing changed, when the
 * object is not out: the caller counts a broken invariant. O(1).
 */
bool GW_MUST_CHECK slots_put(struct slots *slots, void *object);

/** The object that h names, or NULL when it has ended or h is another worker's. O(1). */
void *slots_at(const struct slots *slots, struct handle h);

/** The object of a slot, out or not: for tables beside the pool. */
void *slots_slot(const struct slots *slots, uint32_t slot);

/** The handle of an object that is out; handle_none() for anything else. */
struct handle slots_handle(const struct slots *slots, const void *object);

/** Objects now out. */
uint32_t slots_live(const struct slots *slots);
uint32_t slots_capacity(const struct slots *slots);

/**
 * Walks the objects that are out, in slot order: *cursor starts at 0 and is moved on. NULL at the
 * end. Objects may be got and put between calls.
 */
void *slots_next(const struct slots *slots, uint32_t *cursor);

/* ---- wheel: timers of one worker
 * ------------------------------------------------------------------ */

#define WHEEL_TICK_US 1000u

struct wheel;
struct timer;

/** Runs in wheel_run(). The timer is disarmed before the call and may be armed again inside. */
typedef void timer_fire(struct timer *timer, void *context);

/** Part of the object it is for; zeroed means disarmed. Not moved while armed. */
struct timer {
	struct timer *next;
	struct timer **link; /* NULL: disarmed */
	uint64_t due_us;
	timer_fire *fire;
};

/** Four levels of 256 slots, ticks of WHEEL_TICK_US (49 days). NULL: no memory. context goes to
 * every fire. */
struct wheel *wheel_new(uint64_t now_us, void *context);
void wheel_free(struct wheel *wheel);

/**
 * Arms timer for due_us, or moves it there. Never fires early; late by at most one tick and what
 * the worker is behind. O(1).
 */
void wheel_arm(struct wheel *wheel, struct timer *timer, uint64_t due_us, timer_fire *fire);

/** Disarms; a disarmed timer stays so. O(1). */
void wheel_disarm(struct wheel *wheel, struct timer *timer);

static inline bool timer_armed(const struct timer *timer)
{
	return timer->link != NULL;
}

/**
 * Fires at most max timers that are due, and returns how many. What is left fires next time. Work
 * is bounded by max too, so a run may end early with fewer; wheel_next_us() then says "at once".
 */
uint32_t wheel_run(struct wheel *wheel, uint64_t now_us, uint32_t max);

/**
 * A time not after the tick at which the earliest timer fires (its due time rounded up to a whole
 * tick): when a sleeper must look again. 0: at once; UINT64_MAX: none is armed. May be early by up
 * to the coarseness of the level the timer lies in, and is then followed by a later one.
 */
uint64_t wheel_next_us(const struct wheel *wheel);

/** Timers now armed. */
uint32_t wheel_armed(const struct wheel *wheel);

/* ---- buckets: how often something may happen
 * ------------------------------------------------------ */

/** A token bucket: the moment at which it is full again. Zeroed means full. */
struct bucket {
	uint64_t full_ns;
};

/** Takes a token. False: none is left, nothing changed. now_us never goes back. O(1). */
bool GW_MUST_CHECK bucket_take(struct bucket *bucket, const struct rate_limit *rate,
			       uint64_t now_us);

/** Seconds until a token is there, rounded up: what Retry-After says. 0: one is there. */
uint32_t bucket_wait_s(const struct bucket *bucket, const struct rate_limit *rate, uint64_t now_us);

/* ---- rates: the same for many that nobody knows beforehand
 * ---------------------------------------- */

/**
 * A bounded table of keys, each with a bucket and a number of what it has open. Keys are 64-bit
 * hashes under a secret of the caller's, so that nobody can make two meet. A key that is not in the
 * table has a full bucket and nothing open; it takes the row of its set whose bucket is nearest to
 * full, but never of one that has something open. So who is forgotten is never refused for it, and
 * where all of a set have something open the newcomer goes unlimited: the caller has bounds for
 * all.
 */
struct rates;

/** No row: what it stands for is not counted. */
#define RATES_NONE UINT32_MAX

/** For about so many keys, at least 8; all memory is taken now. NULL: no memory, or more than
 * 2^30. */
struct rates *rates_new(uint32_t keys);

/** NULL does nothing. */
void rates_free(struct rates *rates);

/** What became of a request for a token or a place. */
struct rates_answer {
	enum gw_err err; /* GW_OK, GW_RATE (no token), GW_CONN_LIMIT (as many are open already) */
	uint32_t wait_s; /* GW_RATE: until there is a token */
	uint32_t row;	 /* rates_open(): what rates_close() wants; RATES_NONE */
	bool forgot;	 /* another key's bucket was not full and is forgotten */
	bool unlimited;	 /* no row was to be had */
};

/** Takes a token of key. O(1). */
struct rates_answer rates_take(struct rates *rates, uint64_t key, const struct rate_limit *rate,
			       uint64_t now_us);

/**
 * Takes a token of key and opens one of at most most (0: no limit) that may be open at a time; the
 * row is then held until rates_close(). A key with as many open keeps its token. O(1).
 */
struct rates_answer rates_open(struct rates *rates, uint64_t key, const struct rate_limit *rate,
			       uint32_t most, uint64_t now_us);

/** One of row's is closed. RATES_NONE does nothing. False: nothing was open, a broken invariant. */
bool GW_MUST_CHECK rates_close(struct rates *rates, uint32_t row);

/** What all keys together have open, those without a row left out. */
uint32_t rates_live(const struct rates *rates);

#endif
