/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_PAIRS_H
#define CONTROL_PAIRS_H

#include <stdatomic.h>

#include "parts.h"
#include "problem.h"

/** Pairs in one file, and bytes of one line of it. */
enum { PAIRS_MAX = 1 << 24, PAIRS_LINE_MAX = 2048 };

/**
 * The identity pairs of one WWSF: the table that workers read, and where it is from. Configurations
 * and snapshot parts share it: it is there as long as one of them holds it. Nothing changes it.
 */
struct pairs;

/** Where pairs are from, and where a fault is told. Lent. */
struct pairs_from {
	const char *path;	 /* of the file of pairs; NULL: a generator */
	const char *impu, *impi; /* of the generator */
	enum pair_kind kind;	 /* of a file: PAIRS_LISTED or PAIRS_POOL */
	const char *file;	 /* the configuration that names it */
	uint32_t line;		 /* the same: of the path, or of the public identities */
	uint32_t impi_line;	 /* of the private ones */
	const atomic_bool *stop; /* set: nobody wants it any more; may be NULL */
};

/**
 * Reads a file of lines "impi,impu"; empty lines and lines that begin with '#' say nothing.
 * Identities become canonical (include/canonical.h). Adds a problem for each line that is not such
 * a pair, and for each pair, in a pool each IMPI and each IMPU, that stands there twice, with both
 * lines; and when the file changed meanwhile. Or reads a generator (control/generator.h). NULL when
 * there is nothing of it, which is a problem. The caller holds the result. Blocks on the file
 * system.
 */
struct pairs *pairs_load(const struct pairs_from *from, struct problems *problems);

/** Whether from names the file that pairs was read from, of the same kind, and it is the same file,
 * as long and last written at the same time. */
bool pairs_are_from(const struct pairs *pairs, const struct pairs_from *from);

/** Holds it once more. Any thread. */
struct pairs *pairs_hold(struct pairs *pairs);
/** Holds it once less; whoever is the last wipes and frees it. NULL does nothing. Any thread. */
void pairs_put(struct pairs *pairs);

const struct pair_table *pairs_table(const struct pairs *pairs);
/** Of the file, or of the configuration that has the generator. */
const char *pairs_path(const struct pairs *pairs);
/** The line of a generator in pairs_path(). */
uint32_t pairs_line(const struct pairs *pairs);

struct pairs_about {
	uint64_t count;	   /* pairs */
	uint64_t bytes;	   /* of memory */
	uint64_t loaded_s; /* Unix time */
	uint32_t took_ms;
};

/** What is told of pairs to operators. */
struct pairs_about pairs_about(const struct pairs *pairs);

/**
 * Adds a problem for what two tables, of two WWSFs, have both (PROTOCOL 6.2), with both lines: each
 * IMPI and IMPU of two pools; each pair of two others; for each pair of a generator and a list; and
 * one example of two generators. A pair that is in a pool in parts is no fault but worth a warning.
 */
void pairs_overlap(const struct pairs *a, const struct pairs *b, struct problems *problems);

#endif
