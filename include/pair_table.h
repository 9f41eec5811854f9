/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAIR_TABLE_H
#define PAIR_TABLE_H

#include "parts.h"

/* ---- looking up ------------------------------------------------------------------------------ */

/** The record of a pair, both canonical, compared byte for byte; NULL: the table does not list it.
 * For control, which has lines to name: workers ask identity_allowed(). */
const struct pair_record *pair_table_find(const struct pair_table *table, struct span impi,
					  struct span impu);

/** The record of an identity in a PAIRS_POOL; NULL: there is none, or the table is no such pool. */
const struct pair_record *pair_table_by_impi(const struct pair_table *table, struct span impi);
const struct pair_record *pair_table_by_impu(const struct pair_table *table, struct span impu);

/** Whether a generator makes the pair; an IMPI of some pair; an IMPU of some pair. */
bool pair_generator_makes(const struct pair_generator *g, struct span impi, struct span impu);
bool pair_generator_makes_impi(const struct pair_generator *g, struct span impi);
bool pair_generator_makes_impu(const struct pair_generator *g, struct span impu);

/* ---- making ---------------------------------------------------------------------------------- */

/**
 * Makes a pair_table: pairs are added one after the other, then its indices are made. All of it
 * allocates and none of it is for workers.
 */
struct pair_build {
	enum pair_kind kind; /* PAIRS_LISTED or PAIRS_POOL */
	uint32_t count, frames, frame_room, last_frame;
	uint8_t *record;
	uint64_t used, room; /* bytes */
	struct pair_frame *frame;
	uint16_t *bucket; /* frames by their hash; 0: free */
	uint8_t key[16];
};

/** What of a pair was there before. */
enum pair_clash { PAIR_CLASH_PAIR, PAIR_CLASH_IMPI, PAIR_CLASH_IMPU };

/** Is told of a pair on line that repeats some of the one on line earlier. */
typedef void pair_clashed(void *context, enum pair_clash what, uint32_t line, uint32_t earlier);

/**
 * Begins a table of that kind. key: of its hashes, random where others choose the identities.
 * bytes: memory for records to begin with, of which only what is used becomes resident; 0: little.
 * GW_NO_MEMORY.
 */
enum gw_err GW_MUST_CHECK pair_build_init(struct pair_build *b, enum pair_kind kind,
					  const uint8_t key[16], uint64_t bytes);

/** Adds a pair of canonical identities. GW_NO_MEMORY: it was not added. */
enum gw_err GW_MUST_CHECK pair_build_add(struct pair_build *b, struct span impi, struct span impu,
					 uint32_t line);

/**
 * Turns b into the table, the caller's until pair_table_free(); b has nothing any more. Tells
 * clashed of each repeated pair, or in a pool IMPI or IMPU: the table has only the first of each.
 * GW_NO_MEMORY: *table is untouched and everything is freed.
 */
enum gw_err GW_MUST_CHECK pair_build_give(struct pair_build *b, struct pair_table *table,
					  pair_clashed *clashed, void *context);

/** Frees what has not been given. */
void pair_build_fini(struct pair_build *b);

/** Wipes and frees what a table has, also its generator. */
void pair_table_free(const struct pair_table *table);

/** Bytes of memory that a table has. */
uint64_t pair_table_bytes(const struct pair_table *table);

/** Record i counts in bytes: from 0, and from each to the next one; NULL behind the last. */
const struct pair_record *pair_table_record(const struct pair_table *table, uint64_t at);
uint64_t pair_table_next(const struct pair_table *table, uint64_t at);

/** Writes the identities of a record: at most IDENTITY_MAX bytes each. */
void pair_record_impi(const struct pair_table *table, const struct pair_record *record,
		      struct writer *out);
void pair_record_impu(const struct pair_table *table, const struct pair_record *record,
		      struct writer *out);

#endif
