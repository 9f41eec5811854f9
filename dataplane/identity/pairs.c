/* SPDX-License-Identifier: BSD-3-Clause */
#include "identity.h"

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

static bool row_is(const struct pair_table *table, uint32_t row, struct span impi, struct span impu)
{
	const struct pair_row *pair = &table->row[row];

	return span_equal(impi, span_cut(table->text, pair->impi_at, pair->impi_len)) &&
	       span_equal(impu, span_cut(table->text, pair->impu_at, pair->impu_len));
}

enum gw_err identity_allowed(const struct pair_table *table, struct span impi, struct span impu)
{
	uint32_t slot;

	if (table->count == 0)
		return GW_IDENTITY_FOREIGN;
	/* At most half of the slots are taken: an empty one always comes. */
	slot = (uint32_t)pair_hash(table->key, impi, impu) & table->mask;
	for (; table->slot[slot] != 0; slot = (slot + 1) & table->mask)
		if (row_is(table, table->slot[slot] - 1, impi, impu))
			return GW_OK;
	return GW_IDENTITY_FOREIGN;
}
