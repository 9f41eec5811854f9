/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IDENTITY_PAIRS_H
#define IDENTITY_PAIRS_H

#include "identity.h"
#include "pair_table.h"

/* What looking up in a table and making one share; identity.h and pair_table.h are for others. */

/** Where a hash begins to look: bytes from the first line. */
static inline uint64_t index_home(const struct pair_index *index, uint64_t hash)
{
	return ((hash >> 32) * index->lines >> 32) * PAIR_LINE;
}

static inline uint32_t index_tag(uint64_t hash)
{
	return (uint32_t)hash;
}

static inline uint64_t index_next(const struct pair_index *index, uint64_t at)
{
	at += index->slot_bytes;
	return at < (uint64_t)index->lines * PAIR_LINE ? at : 0;
}

static inline const struct pair_slot *index_at(const struct pair_index *index, uint64_t at)
{
	return (const struct pair_slot *)(const void *)(index->line + at);
}

/**
 * What pair_proved keeps of a pair, of the keyed hashes of both: equal for another pair, of one of
 * the two or of none, by chance only, once in 2^64. An odd multiple, so that the two are no pair
 * the other way round.
 */
static inline uint64_t pair_proof(uint64_t impi_hash, uint64_t impu_hash)
{
	return 3 * impi_hash + impu_hash;
}

static inline struct span record_impi_user(const struct pair_record *record)
{
	return span_of(record + 1, record->impi_last + 1u);
}

static inline struct span record_impu_user(const struct pair_record *record)
{
	const uint8_t *users = (const uint8_t *)(record + 1);

	return span_of(users + record->impi_last + 1, record->impu_last + 1u);
}

/** Bytes of a record with its users, and to the next one. */
static inline uint64_t record_bytes(const struct pair_record *record)
{
	uint64_t bytes = sizeof(*record) + record->impi_last + 1 + record->impu_last + 1;

	return (bytes + 3) & ~3ull;
}

typedef bool record_test(const struct pair_table *table, const struct pair_record *record,
			 struct span identity);
record_test record_is_impi, record_is_impu;

const struct pair_record *record_at(const struct pair_table *table, const struct pair_slot *slot);

/** The record of a pair, whose hash is pair_hash(); the table is PAIRS_LISTED. */
const struct pair_record *table_by_pair(const struct pair_table *table, uint64_t hash,
					struct span impi, struct span impu);
/** The record of an identity, whose hash is siphash(); index is one of a PAIRS_POOL. */
const struct pair_record *table_by_one(const struct pair_table *table,
				       const struct pair_index *index, uint64_t hash,
				       struct span identity);

#endif
