/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_PAIRS_H
#define CONTROL_PAIRS_H

#include "parts.h"
#include "problem.h"

/** Pairs in one file, and bytes of one line of it. */
enum { PAIRS_MAX = 1 << 24, PAIRS_LINE_MAX = 2048 };

/** The identity pairs of one WWSF as they are read, with the lines they stand on. */
struct pairs;

/**
 * Reads a file of lines "impi,impu"; empty lines and lines that begin with '#' say nothing.
 * Identities become canonical (include/canonical.h). Adds a problem for each line that is not such
 * a pair, and for each pair that stands there twice, with both lines. NULL when the file cannot be
 * read, which is a problem on line of file, the configuration that names it. Blocks on the file
 * system.
 */
struct pairs *pairs_load(const char *path, const char *file, uint32_t line,
			 struct problems *problems);

/** NULL does nothing. */
void pairs_free(struct pairs *pairs);

uint32_t pairs_count(const struct pairs *pairs);

/** Adds a problem with both lines for each pair of b that is in a as well (PROTOCOL 6.2). */
void pairs_overlap(const struct pairs *a, const struct pairs *b, struct problems *problems);

/** Turns pairs_owned into the table that workers read, without a copy. The table is the caller's
 * until pairs_table_free(). */
void pairs_give(struct pairs *pairs_owned, struct pair_table *table);

/** Wipes and frees what pairs_give() filled. */
void pairs_table_free(const struct pair_table *table);

#endif
