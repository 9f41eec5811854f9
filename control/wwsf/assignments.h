/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ASSIGNMENTS_H
#define ASSIGNMENTS_H

#include "pairs.h"

/**
 * Who has which pair of a pool, and until when (PROTOCOL 6.1): a pair goes to one visitor, and to
 * another one only when the last token that named it has ended. What was promised is in a file
 * before the token is made, so that a site that starts again keeps its word.
 */
struct assignments;

/** What a visitor was given, or how long until somebody's pair is free. */
struct assignment {
	const struct pair *pair;
	uint64_t retry_s;
};

/**
 * Reads what was promised before from the file at path, made when there is none, and forgets in it
 * what has ended. Blocks.
 *
 * pairs: lent for as long as the assignments live. path: copied. now_s: Unix time.
 * Returns GW_OK and *made, to be given to assignments_free(); GW_CONFIG, a pair without an IMPI or
 * a line of the file that is none; GW_SYSTEM, the file cannot be read or written; GW_NO_MEMORY.
 * *reason says what.
 */
enum gw_err assignments_new(const struct pairs *pairs, const char *path, uint64_t now_s,
			    struct assignments **made, struct reason *reason) GW_MUST_CHECK;

/** NULL does nothing. */
void assignments_free(struct assignments *assignments);

/**
 * Promises a pair to a visitor until until_s at least: the one he has, or had when nobody else had
 * it since; else the one that has been free for longest. Blocks until that is in the file.
 *
 * sub: of the visitor's tokens. now_s, until_s: iat and exp of the next one, Unix time.
 * Returns GW_OK and given->pair; GW_POOL_EMPTY and given->retry_s, seconds until the first pair is
 * free; GW_SYSTEM, the file cannot be written: nothing is promised.
 */
enum gw_err assignments_lend(struct assignments *assignments, struct span sub, uint64_t now_s,
			     uint64_t until_s, struct assignment *given) GW_MUST_CHECK;

#endif
