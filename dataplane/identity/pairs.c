/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

uint64_t pair_hash(const uint8_t key[16], struct span impi, struct span impu)
{
	uint8_t text[2 * IDENTITY_MAX + 1];
	struct writer out;

	/* A line feed is in no canonical identity. What does not fit is no identity either: it
	 * only has to hash the same each time. */
	writer_init(&out, text, sizeof(text));
	writer_put(&out, impi);
	writer_u8(&out, '\n');
	writer_put(&out, impu);
	return siphash(key, writer_span(&out));
}

/** Whether text is the three, one after the other. */
static bool is_joined(struct span text, struct span front, struct span user, struct span back)
{
	return text.len == front.len + user.len + back.len &&
	       span_equal(span_cut(text, front.len, user.len), user) &&
	       span_equal(span_cut(text, 0, front.len), front) &&
	       span_equal(span_from(text, front.len + user.len), back);
}

const struct pair_record *record_at(const struct pair_table *table, const struct pair_slot *slot)
{
	return (const struct pair_record *)(const void *)(table->record +
							  4 * ((uint64_t)slot->record - 1));
}

bool record_is_impi(const struct pair_table *table, const struct pair_record *record,
		    struct span impi)
{
	return is_joined(impi, SPAN(""), record_impi_user(record),
			 table->frame[record->frame].realm);
}

bool record_is_impu(const struct pair_table *table, const struct pair_record *record,
		    struct span impu)
{
	const struct pair_frame *frame = &table->frame[record->frame];

	return is_joined(impu, frame->scheme, record_impu_user(record), frame->host);
}

const struct pair_record *table_by_pair(const struct pair_table *table, uint64_t hash,
					struct span impi, struct span impu)
{
	const struct pair_index *index = &table->by_impi;
	uint64_t at = index_home(index, hash);
	const struct pair_slot *slot;

	for (; (slot = index_at(index, at))->record != 0; at = index_next(index, at)) {
		const struct pair_record *record = record_at(table, slot);

		if (slot->tag == index_tag(hash) && record_is_impi(table, record, impi) &&
		    record_is_impu(table, record, impu))
			return record;
	}
	return NULL;
}

const struct pair_record *table_by_one(const struct pair_table *table,
				       const struct pair_index *index, uint64_t hash,
				       struct span identity)
{
	record_test *is = index == &table->by_impi ? record_is_impi : record_is_impu;
	uint64_t at = index_home(index, hash);
	const struct pair_slot *slot;

	/* Not all of the slots are taken: an empty one always comes. */
	for (; (slot = index_at(index, at))->record != 0; at = index_next(index, at)) {
		const struct pair_record *record = record_at(table, slot);

		if (slot->tag == index_tag(hash) && is(table, record, identity))
			return record;
	}
	return NULL;
}

const struct pair_record *pair_table_by_impi(const struct pair_table *table, struct span impi)
{
	if (table->kind != PAIRS_POOL || table->count == 0)
		return NULL;
	return table_by_one(table, &table->by_impi, siphash(table->key, impi), impi);
}

const struct pair_record *pair_table_by_impu(const struct pair_table *table, struct span impu)
{
	if (table->kind != PAIRS_POOL || table->count == 0)
		return NULL;
	return table_by_one(table, &table->by_impu, siphash(table->key, impu), impu);
}

const struct pair_record *pair_table_find(const struct pair_table *table, struct span impi,
					  struct span impu)
{
	const struct pair_record *record;

	if (table->count == 0 || table->kind == PAIRS_NONE || table->kind == PAIRS_MADE)
		return NULL;
	if (table->kind == PAIRS_LISTED)
		return table_by_pair(table, pair_hash(table->key, impi, impu), impi, impu);
	record = pair_table_by_impi(table, impi);
	return record != NULL && record_is_impu(table, record, impu) ? record : NULL;
}

static void index_expect(const struct pair_index *index, uint64_t hash)
{
	__builtin_prefetch(index_at(index, index_home(index, hash)));
}

/** Where an index is asked about a pair. */
struct asked {
	uint64_t impi_hash;
	uint64_t hash;
};

/** Its line is on its way from here on. */
static struct asked table_ask(const struct pair_table *table, struct span impi, struct span impu)
{
	struct asked asked = {.impi_hash = siphash(table->key, impi)};

	asked.hash =
		table->kind == PAIRS_LISTED ? pair_hash(table->key, impi, impu) : asked.impi_hash;
	index_expect(&table->by_impi, asked.hash);
	return asked;
}

/** Whether the index has a proof of the pair. Its line is waited for while the other identity is
 * hashed. */
static bool table_proves(const struct pair_table *table, struct span impi, struct span impu)
{
	const struct pair_index *index = &table->by_impi;
	struct asked asked = table_ask(table, impi, impu);
	uint64_t proof = pair_proof(asked.impi_hash, siphash(table->key, impu));
	const struct pair_slot *slot;

	for (uint64_t at = index_home(index, asked.hash); (slot = index_at(index, at))->record != 0;
	     at = index_next(index, at))
		if (slot->tag == index_tag(asked.hash) &&
		    ((const struct pair_proved *)slot)->proof == proof)
			return true;
	return false;
}

/** Whether it has one of the two. Both lines are waited for at once. */
static bool table_has_one(const struct pair_table *table, struct span impi, struct span impu)
{
	uint64_t impi_hash = siphash(table->key, impi), impu_hash = siphash(table->key, impu);

	index_expect(&table->by_impi, impi_hash);
	index_expect(&table->by_impu, impu_hash);
	return table_by_one(table, &table->by_impi, impi_hash, impi) != NULL ||
	       table_by_one(table, &table->by_impu, impu_hash, impu) != NULL;
}

void identity_expect(const struct pair_table *table, struct span impi, struct span impu)
{
	if (table->count > 0 && (table->kind == PAIRS_LISTED || table->kind == PAIRS_POOL))
		(void)table_ask(table, impi, impu);
}

enum gw_err identity_allowed(const struct pair_table *table, struct span impi, struct span impu)
{
	if (table->kind == PAIRS_MADE)
		return pair_generator_makes(table->generator, impi, impu) ? GW_OK
									  : GW_IDENTITY_FOREIGN;
	if (table->count == 0 || !table_proves(table, impi, impu))
		return GW_IDENTITY_FOREIGN;
	return GW_OK;
}

void identity_pooled_expect(const struct pair_table *table, struct span impi, struct span impu)
{
	if (table->count == 0 || table->kind != PAIRS_POOL)
		return;
	index_expect(&table->by_impi, siphash(table->key, impi));
	index_expect(&table->by_impu, siphash(table->key, impu));
}

bool identity_pooled(const struct pair_table *table, struct span impi, struct span impu)
{
	if (table->kind == PAIRS_MADE)
		return pair_generator_makes_impi(table->generator, impi) ||
		       pair_generator_makes_impu(table->generator, impu);
	return table->kind == PAIRS_POOL && table->count > 0 && table_has_one(table, impi, impu);
}
