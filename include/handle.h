/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HANDLE_H
#define HANDLE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * The name of a pooled object that may outlive a turn of its worker: connections, bindings,
 * transactions, parked work. Messages, jobs and timers hold handles, never pointers; whoever holds
 * one asks slots_at() and takes NULL for "it has ended". The generation changes each time a slot is
 * given out, so a stale handle never names the next owner.
 */
struct handle {
	uint16_t worker;     /* index of the owning worker */
	uint16_t reserved;   /* 0 */
	uint32_t slot;	     /* index in that worker's pool */
	uint32_t generation; /* never 0 for something that lives */
};

/** The handle of nothing. */
static inline struct handle handle_none(void)
{
	return (struct handle){0};
}

static inline bool handle_is_none(struct handle h)
{
	return h.generation == 0;
}

static inline bool handle_equal(struct handle a, struct handle b)
{
	return a.worker == b.worker && a.slot == b.slot && a.generation == b.generation;
}

#endif
