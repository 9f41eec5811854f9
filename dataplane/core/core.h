/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CORE_H
#define CORE_H

#include "gw_err.h"
#include "handle.h"
#include "span.h"

/**
 * What every layer stands on: bounded pools that give out handles, and the timing wheel. No clock,
 * no allocation after start, no threads.
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

/** Four levels of 256 slots, 1 ms ticks (49 days). NULL: no memory. context goes to every fire. */
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

#endif
