/* SPDX-License-Identifier: BSD-3-Clause */
#include "digest_table.h"

#include <stdlib.h>

#define NONE DIGEST_ROW_NONE
#define ROWS_MAX (1u << 30)

/** A row in use is in the chain of its hash and in the order of use; a free one is in neither. */
struct row {
	struct token_digest digest;
	uint32_t chain; /* next of the same hash; of a free row, the next free one */
	uint32_t newer, older;
};

struct digest_table {
	/* read-mostly */
	struct row *row;
	uint32_t *first; /* row at the head of each chain */
	uint32_t rows;
	uint32_t mask; /* chains - 1 */
	bool keyed;
	uint8_t key[16];
	/* per token */
	uint32_t fresh;	 /* rows from here on were never used: their memory is untouched */
	uint32_t free;	 /* first row given back */
	uint32_t newest; /* used last */
	uint32_t oldest;
};

struct digest_table *digest_table_new(uint32_t rows)
{
	struct digest_table *t;
	uint32_t chains = 1;

	if (rows > ROWS_MAX)
		return NULL;
	while (chains < rows)
		chains *= 2;
	t = malloc(sizeof(*t));
	if (t == NULL)
		return NULL;
	*t = (struct digest_table){.rows = rows, .mask = chains - 1};
	t->free = t->newest = t->oldest = NONE;
	t->first = malloc(chains * sizeof(*t->first));
	/* one row at least, so that NULL says no memory; pages are touched as rows are used */
	t->row = malloc((rows + (size_t)1) * sizeof(*t->row));
	if (t->first == NULL || t->row == NULL) {
		digest_table_free(t);
		return NULL;
	}
	for (uint32_t i = 0; i < chains; i++)
		t->first[i] = NONE;
	return t;
}

void digest_table_free(struct digest_table *table)
{
	if (table == NULL)
		return;
	free(table->row);
	free(table->first);
	free(table);
}

/* The head of the chain that digest belongs to. */
static uint32_t *chain_of(struct digest_table *t, const struct token_digest *digest)
{
	uint64_t hash = siphash(t->key, span_of(digest->bytes, sizeof(digest->bytes)));

	return &t->first[hash & t->mask];
}

/* ---- order of use ---- */

/* What points at row from the newer side, and from the older one. */
static uint32_t *newer_link(struct digest_table *t, const struct row *row)
{
	return row->newer == NONE ? &t->newest : &t->row[row->newer].older;
}

static uint32_t *older_link(struct digest_table *t, const struct row *row)
{
	return row->older == NONE ? &t->oldest : &t->row[row->older].newer;
}

static void order_leave(struct digest_table *t, const struct row *row)
{
	*newer_link(t, row) = row->older;
	*older_link(t, row) = row->newer;
}

static void order_enter(struct digest_table *t, uint32_t index)
{
	struct row *row = &t->row[index];

	row->newer = NONE;
	row->older = t->newest;
	*older_link(t, row) = index;
	t->newest = index;
}

/* ---- rows ---- */

uint32_t digest_table_find(struct digest_table *table, const struct token_digest *digest)
{
	uint32_t index = *chain_of(table, digest);

	while (index != NONE && memcmp(&table->row[index].digest, digest, sizeof(*digest)) != 0)
		index = table->row[index].chain;
	if (index != NONE && index != table->newest) {
		order_leave(table, &table->row[index]);
		order_enter(table, index);
	}
	return index;
}

void digest_table_drop(struct digest_table *table, uint32_t row)
{
	struct row *gone = &table->row[row];
	uint32_t *link = chain_of(table, &gone->digest);

	while (*link != row)
		link = &table->row[*link].chain;
	*link = gone->chain;
	order_leave(table, gone);
	gone->chain = table->free;
	table->free = row;
}

/* A row nobody uses, if need be by dropping the oldest. */
static uint32_t row_get(struct digest_table *t)
{
	uint32_t index;

	if (t->free == NONE && t->fresh < t->rows)
		return t->fresh++;
	if (t->free == NONE)
		digest_table_drop(t, t->oldest);
	index = t->free;
	t->free = t->row[index].chain;
	return index;
}

uint32_t digest_table_take(struct digest_table *table, const uint8_t key[16],
			   const struct token_digest *digest)
{
	uint32_t index, *chain;

	if (table->rows == 0)
		return NONE;
	if (!table->keyed)
		memcpy(table->key, key, sizeof(table->key)); /* no row depends on it yet */
	table->keyed = true;
	index = digest_table_find(table, digest);
	if (index != NONE)
		return index;
	index = row_get(table);
	chain = chain_of(table, digest);
	table->row[index].digest = *digest;
	table->row[index].chain = *chain;
	*chain = index;
	order_enter(table, index);
	return index;
}
