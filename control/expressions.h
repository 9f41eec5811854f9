/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPRESSIONS_H
#define EXPRESSIONS_H

#include <stdatomic.h>

#include "parts.h"
#include "problem.h"

enum {
	EXPRESSION_BYTES_MAX = 1 << 17, /* of a database with one alone */
	EXPRESSION_MS_MAX = 1000,	/* of processor time that one alone may take to compile */
	EXPRESSIONS_BYTES_MAX = 1 << 27 /* of a database with all */
};

/**
 * Expressions that are compiled into one database (Hyperscan), and what each worker needs to scan
 * with it. Configurations and snapshot parts share it: it is there as long as one of them holds it.
 * Nothing changes it but scans, each worker its own scratch.
 */
struct expressions;

/** An expression, in the syntax of Hyperscan, and where a fault of it is told. */
struct expression {
	const char *text;
	const char *setting; /* "wwsf[].identities.wildcard" */
	uint32_t line;
};

/** What expressions are made of. Lent. */
struct expressions_from {
	const struct expression *at;
	uint32_t count;	  /* at least 1 */
	const char *file; /* the configuration */
	uint16_t workers;
	struct expressions *before; /* what has not changed is not compiled again; may be NULL */
	const atomic_bool *stop;    /* set: nobody wants it any more; may be NULL */
};

/**
 * Compiles each expression alone, and adds a problem with its line for each that takes too long or
 * becomes too large; then all together: expression i is number i of the database. NULL when there
 * is a problem. The caller holds the result, which is before, held once more, when nothing has
 * changed. Takes from a millisecond to a second for each that is new: for the thread pool.
 */
struct expressions *expressions_compile(const struct expressions_from *from,
					struct problems *problems);

/** Holds it once more. Any thread. */
struct expressions *expressions_hold(struct expressions *expressions);
/** Holds it once less; whoever is the last frees it. NULL does nothing. Any thread. */
void expressions_put(struct expressions *expressions);

/** The database and its scratches: of worker w, and at the end of who compiles. */
const struct pattern_database *expressions_database(const struct expressions *expressions);

/** What is told of it to operators. */
struct expressions_about {
	uint32_t count;
	uint64_t bytes;	  /* of the database */
	uint64_t made_s;  /* Unix time */
	uint32_t took_ms; /* to compile, both ways */
};
struct expressions_about expressions_about(const struct expressions *expressions);

#endif
