/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DIGEST_TABLE_H
#define DIGEST_TABLE_H

#include "token.h"

/**
 * Rows named by the digest of a token: what token_cache and token_refused have in common. Fixed
 * memory; chained under a keyed hash, so that whoever can choose tokens cannot make a chain long;
 * the row longest not used is given to the next digest. The owner keeps what it knows of a row in
 * an array beside. Not for threads.
 */
struct digest_table;

/** What stands for "no row"; no table has so many. */
#define DIGEST_ROW_NONE UINT32_MAX

/** A table of at most rows rows. NULL: no memory, or more than 2^30 rows. rows may be 0. */
struct digest_table *digest_table_new(uint32_t rows);
/** NULL does nothing. */
void digest_table_free(struct digest_table *table);

/** The row of digest, which is now the one last used; DIGEST_ROW_NONE. O(1). */
uint32_t digest_table_find(struct digest_table *table, const struct token_digest *digest);

/**
 * The row for digest: the one it has, a free one, or the one longest not used, taken from its
 * digest. DIGEST_ROW_NONE only in a table of 0 rows. key: SipHash key; that of the first call
 * stays. O(1).
 */
uint32_t digest_table_take(struct digest_table *table, const uint8_t key[16],
			   const struct token_digest *digest);

/** Gives row, one that find or take returned, back. O(1). */
void digest_table_drop(struct digest_table *table, uint32_t row);

#endif
