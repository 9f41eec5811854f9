/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "identity/identity.h"
#include "identity/pairs.h"
#include "pair_table.h"

/* Pairs user<N>@ims.home1.net, sip:user<N>@home1.net, line N + 1. */

enum { MANY = 512 };

/** What was told of repeated pairs. */
struct told {
	uint32_t count;
	enum pair_clash what;
	uint32_t line, earlier;
};

static void tell(void *context, enum pair_clash what, uint32_t line, uint32_t earlier)
{
	struct told *told = context;

	*told = (struct told){told->count + 1, what, line, earlier};
}

static void add(struct pair_build *build, const char *impi, const char *impu, uint32_t line)
{
	EXPECT_EQ(GW_OK, pair_build_add(build, span_text(impi), span_text(impu), line));
}

static void build_begin(struct pair_build *build, enum pair_kind kind, uint8_t first_key_byte)
{
	uint8_t key[16] = "0123456789abcdef";

	key[0] = first_key_byte;
	EXPECT_EQ(GW_OK, pair_build_init(build, kind, key, 0));
}

static void texts(uint32_t n, char impi[64], char impu[64])
{
	snprintf(impi, 64, "user%u@ims.home1.net", n);
	snprintf(impu, 64, "sip:user%u@home1.net", n);
}

static struct pair_table table_keyed(enum pair_kind kind, uint32_t count, uint8_t first_key_byte)
{
	char impi[64], impu[64];
	struct pair_table table;
	struct pair_build build;
	struct told told = {0};

	build_begin(&build, kind, first_key_byte);
	for (uint32_t i = 0; i < count; i++) {
		texts(i, impi, impu);
		add(&build, impi, impu, i + 1);
	}
	EXPECT_EQ(GW_OK, pair_build_give(&build, &table, tell, &told));
	EXPECT_EQ(0, told.count);
	EXPECT_EQ(count, table.count);
	return table;
}

static enum gw_err allowed(const struct pair_table *table, uint32_t impi, uint32_t impu)
{
	char impi_text[64], impu_text[64], other[64];

	texts(impi, impi_text, other);
	texts(impu, other, impu_text);
	identity_expect(table, span_text(impi_text), span_text(impu_text)); /* changes nothing */
	return identity_allowed(table, span_text(impi_text), span_text(impu_text));
}

static const enum pair_kind kinds[] = {PAIRS_LISTED, PAIRS_POOL};

TEST(pairs, of_the_table_are_allowed)
{
	for (uint32_t k = 0; k < 2; k++) {
		struct pair_table table = table_keyed(kinds[k], MANY, 0);

		for (uint32_t i = 0; i < MANY; i++)
			EXPECT_EQ(GW_OK, allowed(&table, i, i));
		pair_table_free(&table);
	}
}

TEST(pairs, outside_the_table_are_foreign)
{
	for (uint32_t k = 0; k < 2; k++) {
		struct pair_table table = table_keyed(kinds[k], MANY, 0);

		for (uint32_t i = MANY; i < 3 * MANY; i++)
			EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, i, i));
		pair_table_free(&table);
	}
}

TEST(pairs, mixed_of_two_subscriptions_are_foreign)
{
	for (uint32_t k = 0; k < 2; k++) {
		struct pair_table table = table_keyed(kinds[k], MANY, 0);

		for (uint32_t i = 1; i < MANY; i++)
			EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, i, i - 1));
		EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, SPAN("sip:user1@home1.net"),
								SPAN("user1@ims.home1.net")));
		EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, SPAN(""), SPAN("")));
		pair_table_free(&table);
	}
}

TEST(pairs, whose_parts_stand_elsewhere_are_foreign)
{
	struct pair_table table = table_keyed(PAIRS_POOL, 1, 0);
	static const struct span impi[] = {SPAN("user0@ims.home1.nets"), SPAN("user0ims.home1.net"),
					   SPAN("user0"), SPAN("@ims.home1.net"),
					   SPAN("user0@ims.home1.ne")};

	for (uint32_t i = 0; i < sizeof(impi) / sizeof(impi[0]); i++)
		EXPECT_EQ(GW_IDENTITY_FOREIGN,
			  identity_allowed(&table, impi[i], SPAN("sip:user0@home1.net")));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, SPAN("user0@ims.home1.net"),
							SPAN("sip:user0@home1.nets")));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, SPAN("user0@ims.home1.net"),
							SPAN("tel:user0@home1.net")));
	pair_table_free(&table);
}

/** How many pairs of the first n begin to be looked for in the last line of their table. */
static uint32_t at_the_end(const struct pair_table *table, uint32_t n)
{
	uint64_t last = (uint64_t)(table->by_impi.lines - 1) * PAIR_LINE;
	char impi[64], impu[64];
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t hash;

		texts(i, impi, impu);
		hash = table->kind == PAIRS_POOL
			       ? siphash(table->key, span_text(impi))
			       : pair_hash(table->key, span_text(impi), span_text(impu));
		count += index_home(&table->by_impi, hash) == last;
	}
	return count;
}

/* Under some keys more pairs than a line has slots meet in the last one. */
TEST(pairs, are_found_when_they_collide_and_wrap_around)
{
	uint32_t wrapped[2] = {0, 0};

	for (uint32_t key = 0; key < 512; key++) {
		struct pair_table table = table_keyed(kinds[key % 2], 6, (uint8_t)(key / 2));

		EXPECT_EQ(3, table.by_impi.lines);
		wrapped[key % 2] += at_the_end(&table, 6) > PAIR_LINE / sizeof(struct pair_proved);
		for (uint32_t i = 0; i < 6; i++)
			EXPECT_EQ(GW_OK, allowed(&table, i, i));
		for (uint32_t i = 6; i < 20; i++)
			EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, i, i));
		pair_table_free(&table);
	}
	EXPECT(wrapped[0] > 0);
	EXPECT(wrapped[1] > 0);
}

/* Lines of an index are those of the cache; huge pages begin with it where it has some. */
TEST(pairs, lie_in_lines_of_the_cache_and_of_many_in_huge_pages)
{
	static const uint32_t counts[] = {0, 6, MANY, 330000};

	for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct pair_table table = table_keyed(PAIRS_POOL, counts[i], 0);
		uint64_t unit = counts[i] == 330000 ? 2u << 20 : PAIR_LINE;

		EXPECT_EQ(0, (uintptr_t)table.by_impi.line % unit);
		EXPECT_EQ(0, (uintptr_t)table.by_impu.line % PAIR_LINE);
		for (uint32_t n = 0; n < counts[i]; n += 1 + counts[i] / 100) {
			EXPECT_EQ(GW_OK, allowed(&table, n, n));
			EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, n, n + 1));
		}
		pair_table_free(&table);
	}
}

TEST(pairs, are_proved_by_both_identities_and_their_order)
{
	EXPECT(pair_proof(5, 7) != pair_proof(7, 5));
	EXPECT(pair_proof(5, 7) != pair_proof(5, 8));
	EXPECT(pair_proof(5, 7) != pair_proof(5 ^ 1ull << 63, 7));
	EXPECT(pair_proof(5, 7) != pair_proof(5, 7 ^ 1ull << 63));
}

TEST(pairs, of_an_empty_pool_are_foreign)
{
	struct pair_table table = {.count = 0};

	EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, 0, 0));
	EXPECT(!identity_pooled(&table, SPAN("a@h"), SPAN("sip:a@h")));
	table = table_keyed(PAIRS_POOL, 0, 0);
	EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&table, 0, 0));
	pair_table_free(&table);
}

TEST(pairs, longer_than_any_identity_are_foreign)
{
	struct pair_table table = table_keyed(PAIRS_LISTED, MANY, 0);
	static uint8_t longer[4000];

	memset(longer, 'a', sizeof(longer));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, span_of(longer, sizeof(longer)),
							SPAN("sip:user1@home1.net")));
	pair_table_free(&table);
}

TEST(pairs, as_long_as_identities_may_be_are_kept_whole)
{
	uint8_t impi[IDENTITY_MAX], impu[IDENTITY_MAX];
	struct span longest = span_of(impi, sizeof(impi)),
		    longest_impu = span_of(impu, sizeof(impu));
	struct pair_table table;
	struct pair_build build;

	memset(impi, 'a', sizeof(impi));
	memcpy(impi + IDENTITY_MAX - 2, "@h", 2);
	memset(impu, 'a', sizeof(impu));
	memcpy(impu, "sip:", 4);
	memcpy(impu + IDENTITY_MAX - 2, "@h", 2);
	build_begin(&build, PAIRS_POOL, 0);
	EXPECT_EQ(GW_OK, pair_build_add(&build, longest, longest_impu, 1));
	EXPECT_EQ(GW_IDENTITY_SYNTAX, pair_build_add(&build, SPAN(""), SPAN("sip:a@h"), 2));
	EXPECT_EQ(GW_OK, pair_build_add(&build, SPAN("without"), SPAN("these"), 3));
	EXPECT_EQ(GW_OK, pair_build_give(&build, &table, NULL, NULL));
	EXPECT_EQ(GW_OK, identity_allowed(&table, longest, longest_impu));
	EXPECT_EQ(GW_OK, identity_allowed(&table, SPAN("without"), SPAN("these")));
	EXPECT(pair_table_bytes(&table) > 2 * IDENTITY_MAX - 10);
	pair_table_free(&table);
}

TEST(pairs, of_more_domains_than_records_can_name_are_found)
{
	enum { DOMAINS = 70000 };
	char impi[64], impu[64];
	struct pair_table table;
	struct pair_build build;

	build_begin(&build, PAIRS_POOL, 0);
	for (uint32_t i = 0; i < DOMAINS; i++) {
		snprintf(impi, sizeof(impi), "a@%u.home1.net", i);
		snprintf(impu, sizeof(impu), "sip:a@%u.home1.net", i);
		add(&build, impi, impu, i + 1);
	}
	EXPECT_EQ(GW_OK, pair_build_give(&build, &table, NULL, NULL));
	EXPECT_EQ(UINT16_MAX, table.frames);
	for (uint32_t i = 0; i < DOMAINS; i++) {
		snprintf(impi, sizeof(impi), "a@%u.home1.net", i);
		snprintf(impu, sizeof(impu), "sip:a@%u.home1.net", i);
		EXPECT_EQ(GW_OK, identity_allowed(&table, span_text(impi), span_text(impu)));
	}
	pair_table_free(&table);
}

static struct told told_of(enum pair_kind kind, const char *const pairs[][2], uint32_t count)
{
	struct pair_table table;
	struct pair_build build;
	struct told told = {0};

	build_begin(&build, kind, 0);
	for (uint32_t i = 0; i < count; i++)
		add(&build, pairs[i][0], pairs[i][1], 10 + i);
	EXPECT_EQ(GW_OK, pair_build_give(&build, &table, tell, &told));
	pair_table_free(&table);
	return told;
}

TEST(pairs, that_repeat_an_identity_are_told_in_a_pool)
{
	static const char *const same_impi[][2] = {{"b@h", "sip:b@h"},
						   {"a@h", "sip:a@h"},
						   {"a@h", "tel:+1"}};
	static const char *const same_impu[][2] = {{"a@h", "sip:a@h"}, {"b@h", "sip:a@h"}};
	struct told told = told_of(PAIRS_POOL, same_impi, 3);

	EXPECT_EQ(1, told.count);
	EXPECT_EQ(PAIR_CLASH_IMPI, told.what);
	EXPECT_EQ(12, told.line);
	EXPECT_EQ(11, told.earlier);
	told = told_of(PAIRS_POOL, same_impu, 2);
	EXPECT_EQ(1, told.count);
	EXPECT_EQ(PAIR_CLASH_IMPU, told.what);
	EXPECT_EQ(11, told.line);
	EXPECT_EQ(10, told.earlier);
	EXPECT_EQ(0, told_of(PAIRS_LISTED, same_impi, 3).count);
	EXPECT_EQ(0, told_of(PAIRS_LISTED, same_impu, 2).count);
}

TEST(pairs, that_are_repeated_are_told_in_every_table)
{
	static const char *const same[][2] = {{"a@h", "sip:a@h"},
					      {"b@h", "sip:b@h"},
					      {"a@h", "sip:a@h"}};
	struct told told = told_of(PAIRS_LISTED, same, 3);

	EXPECT_EQ(1, told.count);
	EXPECT_EQ(PAIR_CLASH_PAIR, told.what);
	EXPECT_EQ(12, told.line);
	EXPECT_EQ(10, told.earlier);
	told = told_of(PAIRS_POOL, same, 3);
	EXPECT_EQ(1, told.count);
	EXPECT_EQ(PAIR_CLASH_PAIR, told.what);
}

TEST(pairs, of_a_pool_are_known_by_either_identity)
{
	struct pair_table pool = table_keyed(PAIRS_POOL, MANY, 0);
	struct pair_table list = table_keyed(PAIRS_LISTED, MANY, 0);

	EXPECT(identity_pooled(&pool, SPAN("user7@ims.home1.net"), SPAN("sip:x@home1.net")));
	EXPECT(identity_pooled(&pool, SPAN("x@ims.home1.net"), SPAN("sip:user7@home1.net")));
	EXPECT(!identity_pooled(&pool, SPAN("x@ims.home1.net"), SPAN("sip:x@home1.net")));
	EXPECT(!identity_pooled(&pool, SPAN("sip:user7@home1.net"), SPAN("user7@ims.home1.net")));
	EXPECT(!identity_pooled(&list, SPAN("user7@ims.home1.net"), SPAN("sip:user7@home1.net")));
	pair_table_free(&pool);
	pair_table_free(&list);
}

TEST_MAIN("pairs", RUN(pairs, of_the_table_are_allowed), RUN(pairs, outside_the_table_are_foreign),
	  RUN(pairs, mixed_of_two_subscriptions_are_foreign),
	  RUN(pairs, whose_parts_stand_elsewhere_are_foreign),
	  RUN(pairs, are_found_when_they_collide_and_wrap_around),
	  RUN(pairs, lie_in_lines_of_the_cache_and_of_many_in_huge_pages),
	  RUN(pairs, are_proved_by_both_identities_and_their_order),
	  RUN(pairs, of_an_empty_pool_are_foreign),
	  RUN(pairs, longer_than_any_identity_are_foreign),
	  RUN(pairs, as_long_as_identities_may_be_are_kept_whole),
	  RUN(pairs, of_more_domains_than_records_can_name_are_found),
	  RUN(pairs, that_repeat_an_identity_are_told_in_a_pool),
	  RUN(pairs, that_are_repeated_are_told_in_every_table),
	  RUN(pairs, of_a_pool_are_known_by_either_identity))
