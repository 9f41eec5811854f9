/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "identity/identity.h"

/* A pool of pairs user<N>@ims.home1.net, sip:user<N>@home1.net, laid out as parts.h says. */

#define PAIRS_MAX 512
#define SLOTS_MAX (2 * PAIRS_MAX)

static uint8_t text[PAIRS_MAX * 64];
static struct pair_row rows[PAIRS_MAX];
static uint32_t slots[SLOTS_MAX];

static struct pair_table table_keyed(uint32_t count, uint32_t slot_count, uint8_t first_key_byte)
{
	struct pair_table table = {.row = rows,
				   .slot = slots,
				   .mask = slot_count - 1,
				   .count = count};
	struct writer out;

	memcpy(table.key, "0123456789abcdef", sizeof(table.key));
	table.key[0] = first_key_byte;
	memset(slots, 0, sizeof(slots));
	writer_init(&out, text, sizeof(text));
	for (uint32_t i = 0; i < count; i++) {
		struct pair_row *row = &rows[i];
		uint32_t slot;

		row->impi_at = writer_len(&out);
		writer_text(&out, "user");
		writer_decimal(&out, i);
		writer_text(&out, "@ims.home1.net");
		row->impi_len = (uint16_t)(writer_len(&out) - row->impi_at);
		row->impu_at = writer_len(&out);
		writer_text(&out, "sip:user");
		writer_decimal(&out, i);
		writer_text(&out, "@home1.net");
		row->impu_len = (uint16_t)(writer_len(&out) - row->impu_at);
		slot = (uint32_t)pair_hash(table.key, span_of(text + row->impi_at, row->impi_len),
					   span_of(text + row->impu_at, row->impu_len)) &
		       table.mask;
		while (slots[slot] != 0)
			slot = (slot + 1) & table.mask;
		slots[slot] = i + 1;
	}
	EXPECT(writer_ok(&out));
	table.text = writer_span(&out);
	return table;
}

static struct pair_table table_make(uint32_t count, uint32_t slot_count)
{
	return table_keyed(count, slot_count, 0);
}

static enum gw_err allowed(const struct pair_table *table, uint32_t impi, uint32_t impu)
{
	char impi_text[64], impu_text[64];

	snprintf(impi_text, sizeof(impi_text), "user%u@ims.home1.net", impi);
	snprintf(impu_text, sizeof(impu_text), "sip:user%u@home1.net", impu);
	return identity_allowed(table, span_text(impi_text), span_text(impu_text));
}

TEST(pairs, of_the_pool_are_allowed)
{
	struct pair_table table = table_make(PAIRS_MAX, SLOTS_MAX);

	for (uint32_t i = 0; i < PAIRS_MAX; i++)
		EXPECT_EQ(GW_OK, allowed(&table, i, i));
}

TEST(pairs, outside_the_pool_are_foreign)
{
	struct pair_table table = table_make(PAIRS_MAX, SLOTS_MAX);

	for (uint32_t i = PAIRS_MAX; i < 3 * PAIRS_MAX; i++)
		EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, i, i));
}

TEST(pairs, mixed_of_two_subscriptions_are_foreign)
{
	struct pair_table table = table_make(PAIRS_MAX, SLOTS_MAX);

	for (uint32_t i = 1; i < PAIRS_MAX; i++)
		EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, i, i - 1));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, SPAN("sip:user1@home1.net"),
							SPAN("user1@ims.home1.net")));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, SPAN(""), SPAN("")));
}

/* As full as a table may be, under many keys: both pairs meet in every slot, the last one too. */
TEST(pairs, are_found_when_they_collide_and_wrap_around)
{
	for (uint32_t key = 0; key < 256; key++) {
		struct pair_table table = table_keyed(2, 4, (uint8_t)key);

		EXPECT_EQ(GW_OK, allowed(&table, 0, 0));
		EXPECT_EQ(GW_OK, allowed(&table, 1, 1));
		for (uint32_t i = 2; i < 20; i++)
			EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, i, i));
	}
}

TEST(pairs, of_an_empty_pool_are_foreign)
{
	struct pair_table table = {.count = 0};

	EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, 0, 0));
}

TEST(pairs, longer_than_any_identity_are_foreign)
{
	struct pair_table table = table_make(PAIRS_MAX, SLOTS_MAX);
	static uint8_t longer[4000];

	memset(longer, 'a', sizeof(longer));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, span_of(longer, sizeof(longer)),
							SPAN("sip:user1@home1.net")));
}

TEST_MAIN("pairs", RUN(pairs, of_the_pool_are_allowed), RUN(pairs, outside_the_pool_are_foreign),
	  RUN(pairs, mixed_of_two_subscriptions_are_foreign),
	  RUN(pairs, are_found_when_they_collide_and_wrap_around),
	  RUN(pairs, of_an_empty_pool_are_foreign),
	  RUN(pairs, longer_than_any_identity_are_foreign))
