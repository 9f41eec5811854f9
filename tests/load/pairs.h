/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAIRS_H
#define PAIRS_H

#include <stdbool.h>
#include <stdio.h>

#include "span.h"

/** The identities of one WIC. */
struct pair {
	struct span impi, impu; /* into struct pairs */
};

/** Longest identity that is taken, bytes. */
#define PAIRS_IDENTITY_MAX 200

/** The pairs file in memory. */
struct pairs {
	char *text;
	struct pair *pair;
	uint32_t count;
};

/**
 * Reads the first wanted pairs of a file, impi,impu on each line; empty lines and those that begin
 * with # are stepped over. Refuses what could not stand in a JSON string as it is. False: the
 * reason is on standard error, and there is nothing to free.
 */
bool pairs_init(struct pairs *p, const char *path, uint32_t wanted);
void pairs_fini(struct pairs *p);

/** Prints n pairs of a domain. */
void pairs_make(FILE *to, uint64_t n, const char *domain);

#endif
