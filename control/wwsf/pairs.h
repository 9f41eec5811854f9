/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAIRS_H
#define PAIRS_H

#include "file.h"
#include "span.h"

/** One pair of identities this WWSF may give to a web user (PROTOCOL 6.2). Lent by its struct
 * pairs. */
struct pair {
	const char *impi; /* NAI user@realm; "" when the line gives none (un-registered wildcard
			     mode) */
	const char *impu; /* sip: or tel: URI without parameters */
	struct span
		user;  /* of the IMPU: between the scheme and the @, the name that /token takes */
	uint32_t line; /* counted from 1 */
};

struct pairs;

/**
 * Reads the pairs of a CSV file: one `impi,impu` per line; empty lines and lines that start with #
 * are passed over.
 *
 * name:       what the reason calls the file.
 * file_owned: its text; taken, even on error.
 * Returns GW_OK and *made, to be given to pairs_free(); GW_CONFIG, with the line in *reason: not
 * two fields, an identity with a wrong form, no pair at all, or an IMPI or an IMPU's user part that
 * an earlier line has; GW_NO_MEMORY.
 */
enum gw_err pairs_new(const char *name, struct file file_owned, struct pairs **made,
		      struct reason *reason) GW_MUST_CHECK;

/** NULL does nothing. */
void pairs_free(struct pairs *pairs);

/** The pair whose IMPU has this user part (compared with case, RFC 3261 section 19.1.4), or NULL.
 * O(log n). */
const struct pair *pairs_find(const struct pairs *pairs, struct span user);

/** How many pairs there are. */
uint32_t pairs_count(const struct pairs *pairs);

/** A pair by its number, 0 to pairs_count() - 1; the order is always the same for one file. */
const struct pair *pairs_at(const struct pairs *pairs, uint32_t number);

/** The number of a pair that these pairs lent. */
uint32_t pairs_number(const struct pairs *pairs, const struct pair *pair);

/** The user part of a sip: or tel: URI; empty when it has none. */
struct span pairs_user(struct span impu);

#endif
