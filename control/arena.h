/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

#include "span.h"

/**
 * Memory that is given back all at once: what one configuration or one snapshot part is made of.
 * It is wiped when it is freed, because keys and identities lie in it. Not for tables of millions
 * of rows (control/pairs.h has its own memory).
 *
 * A control plane that cannot get some kilobytes cannot go on: it says so and aborts, so no call
 * here fails.
 */
struct arena;

struct arena *arena_new(void);

/** Wipes and frees everything. NULL does nothing. */
void arena_free(struct arena *arena);

/** Zeroed bytes, aligned to 16. Never NULL, also for 0 bytes. */
void *arena_get(struct arena *arena, size_t bytes);

/** A terminated copy of len bytes at text. */
char *arena_text(struct arena *arena, const void *text, size_t len);

/** A copy of a terminated string, as a span. */
struct span arena_span(struct arena *arena, const char *text);

#endif
