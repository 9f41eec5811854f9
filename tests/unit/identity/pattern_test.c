/* SPDX-License-Identifier: BSD-3-Clause */
#include <hs.h>

#include "../test.h"
#include "identity/pattern.h"
#include "pattern_table.h"

/* Three web sites: guests with a wildcard of users, one without, one with a wildcard of numbers. */

#define ROW(text, uri, begin, end, number) \
	{ \
		.wildcard = SPAN(text), .literal = SPAN(uri), .prefix = SPAN(begin), \
		.suffix = SPAN(end), .id = number \
	}

static const struct pattern_row rows[] = {
	ROW("sip:guest![a-z!.*]+!@home1.net", "sip:guest!%5Ba-z!.*%5D+!@home1.net", "sip:guest",
	    "@home1.net", 0),
	{0},
	ROW("tel:+4930!.*!", "tel:+4930!.*!", "tel:+4930", "", 1),
	ROW("sip:guestx!.*!@home1.net", "sip:guestx!.*!@home1.net", "sip:guestx", "@home1.net", 2),
};

struct scene {
	struct hs_scratch *scratch[2];
	struct pattern_database database;
	struct pattern_part part;
};

static void scene_begin(struct scene *s)
{
	static const char *const text[] = {"\\Asip:guest[a-z!.*]+@home1\\.net\\z",
					   "\\Atel:\\+4930.*\\z", "\\Asip:guestx.*@home1\\.net\\z"};
	static const unsigned int flags[] = {HS_FLAG_SINGLEMATCH, HS_FLAG_SINGLEMATCH,
					     HS_FLAG_SINGLEMATCH};
	static const unsigned int ids[] = {0, 1, 2};
	hs_compile_error_t *fault;

	memset(s, 0, sizeof(*s));
	EXPECT_EQ(HS_SUCCESS, hs_compile_multi(text, flags, ids, 3, HS_MODE_BLOCK, NULL,
					       &s->database.database, &fault));
	for (int w = 0; w < 2; w++)
		EXPECT_EQ(HS_SUCCESS, hs_alloc_scratch(s->database.database, &s->scratch[w]));
	s->database.scratch = s->scratch;
	s->database.workers = 1;
	s->part = (struct pattern_part){.database = &s->database, .row = rows, .count = 4};
}

static void scene_end(struct scene *s)
{
	hs_free_scratch(s->scratch[0]);
	hs_free_scratch(s->scratch[1]);
	hs_free_database(s->database.database);
}

static struct identity impu(const char *text)
{
	struct identity id;

	EXPECT_EQ(GW_OK, identity_impu(span_text(text), &id));
	return id;
}

static bool has(const struct pattern_part *part, uint32_t wwsf, const char *text)
{
	struct identity id = impu(text);

	return pattern_has(part, 0, wwsf, &id);
}

/* PROTOCOL 1.4 */
TEST(pattern, has_what_its_expression_matches_from_end_to_end)
{
	struct scene s;

	scene_begin(&s);
	EXPECT(has(&s.part, 0, "sip:guestabc@home1.net"));
	EXPECT(has(&s.part, 0, "SIP:guestabc@HOME1.net:5060;x=y"));
	EXPECT(has(&s.part, 0, "sips:guest%61bc@home1.net"));
	EXPECT(!has(&s.part, 0, "sip:guestABC@home1.net"));
	EXPECT(!has(&s.part, 0, "sip:Guestabc@home1.net"));
	EXPECT(!has(&s.part, 0, "sip:xguestabc@home1.net"));
	EXPECT(!has(&s.part, 0, "sip:guestabc1@home1.net"));
	EXPECT(!has(&s.part, 0, "sip:guest@home1.net"));
	EXPECT(!has(&s.part, 0, "sip:guestabc@home2.net"));
	EXPECT(!has(&s.part, 0, "sip:guestabc@home1.net.example"));
	EXPECT(!has(&s.part, 0, "tel:+49301"));
	EXPECT(has(&s.part, 2, "tel:+49-30-1"));
	EXPECT(!has(&s.part, 2, "tel:+49401"));
	EXPECT(!has(&s.part, 2, "sip:+49301@home1.net;user=phone"));
	scene_end(&s);
}

/* PROTOCOL 12.4 item 8: an exclamation mark in an identity is an ordinary character */
TEST(pattern, takes_an_exclamation_mark_for_what_it_is)
{
	struct scene s;

	scene_begin(&s);
	EXPECT(has(&s.part, 0, "sip:guest!a@home1.net"));
	EXPECT(has(&s.part, 0, "sip:guest!a!@home1.net"));
	scene_end(&s);
}

TEST(pattern, has_no_wildcard_neither_its_own_nor_that_of_another)
{
	struct scene s;

	scene_begin(&s);
	EXPECT(!has(&s.part, 0, "sip:guest!%5Ba-z!.*%5D+!@home1.net"));
	EXPECT(!has(&s.part, 3, "sip:guestx!.*!@home1.net"));
	EXPECT(!has(&s.part, 0, "sip:guestx!.*!@home1.net")); /* as an identity it would match */
	EXPECT(has(&s.part, 0, "sip:guestx!.*!.@home1.net"));
	scene_end(&s);
}

TEST(pattern, of_a_row_is_asked_and_of_no_other)
{
	struct scene s;

	scene_begin(&s);
	EXPECT(!has(&s.part, 1, "sip:guestabc@home1.net"));
	EXPECT(!has(&s.part, 4, "sip:guestabc@home1.net"));
	EXPECT(!has(&s.part, 3, "sip:guestabc@home1.net"));
	EXPECT(!has(NULL, 0, "sip:guestabc@home1.net"));
	EXPECT_SPAN("tel:+4930!.*!", pattern_wildcard(&s.part, 2));
	EXPECT_SPAN("sip:guest![a-z!.*]+!@home1.net", pattern_wildcard(&s.part, 0));
	EXPECT_SPAN("sip:guest!%5Ba-z!.*%5D+!@home1.net", pattern_uri(&s.part, 0));
	EXPECT_EQ(0, pattern_wildcard(&s.part, 1).len);
	EXPECT_EQ(0, pattern_wildcard(&s.part, 4).len + pattern_uri(&s.part, 4).len);
	EXPECT_EQ(0, pattern_wildcard(NULL, 0).len + pattern_uri(NULL, 0).len);
	scene_end(&s);
}

TEST(pattern, of_another_web_site_is_found)
{
	struct scene s;
	struct identity guest = impu("sip:guestabc@home1.net"),
			both = impu("sip:guestxa@home1.net"), none = impu("sip:alice@home1.net");

	scene_begin(&s);
	EXPECT(!pattern_of_another(&s.part, 0, 0, &guest));
	EXPECT(pattern_of_another(&s.part, 0, 1, &guest));
	EXPECT(pattern_of_another(&s.part, 0, 2, &guest));
	EXPECT(pattern_of_another(&s.part, 0, 0, &both));
	EXPECT(pattern_of_another(&s.part, 0, 3, &both));
	EXPECT(!pattern_of_another(&s.part, 0, 1, &none));
	EXPECT(!pattern_of_another(NULL, 0, 1, &guest));
	scene_end(&s);
}

/* D-26: what the core says the wildcards of a block are is a bound, each way it says so */
TEST(pattern, is_narrowed_by_what_the_core_has_named)
{
	struct pattern_row narrowed[4];
	struct scene s;

	scene_begin(&s);
	memcpy(narrowed, rows, sizeof(narrowed));
	s.part.row = narrowed;
	narrowed[3].named[BLOCK_NAMED_BY_RESPONSE] = &s.database; /* any of it */
	EXPECT(has(&s.part, 3, "sip:guestxa@home1.net"));
	narrowed[0].named[BLOCK_NAMED_BY_EVENT] = &s.database;
	EXPECT(has(&s.part, 0, "sip:guestabc@home1.net"));
	EXPECT(!has(&s.part, 0, "sip:guestABC@home1.net")); /* no wider than configured */
	narrowed[0].named[BLOCK_NAMED_BY_RESPONSE] = &(struct pattern_database){.scratch = s.scratch};
	EXPECT(!has(&s.part, 0, "sip:guestabc@home1.net")); /* in nothing */
	EXPECT(has(&s.part, 3, "sip:guestxa@home1.net"));
	scene_end(&s);
}

TEST(pattern, gives_way_to_a_distinct_identity)
{
	static const struct pair_generator one = {.impu_len = 22, .impi_len = 1};
	struct pair_generator g = one;
	struct pair_table table = {.kind = PAIRS_MADE, .count = 1, .generator = &g};
	const struct pair_part pairs = {.table = &table, .count = 1};
	struct identity guest = impu("sip:guestabc@home1.net"),
			other = impu("sip:guestabd@home1.net"),
			foreign = impu("sip:alice@home1.net");
	struct scene s;

	for (uint32_t i = 0; i < guest.len; i++)
		g.set[i][guest.text[i] >> 6] |= 1ull << (guest.text[i] & 63);
	EXPECT_EQ(22, guest.len);
	scene_begin(&s);
	EXPECT_EQ(GW_OK, identity_wildcarded(&s.part, NULL, 0, 0, &guest));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_wildcarded(&s.part, &pairs, 0, 0, &guest));
	EXPECT_EQ(GW_OK, identity_wildcarded(&s.part, &pairs, 0, 0, &other));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_wildcarded(&s.part, &pairs, 0, 0, &foreign));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_wildcarded(NULL, &pairs, 0, 0, &other));
	scene_end(&s);
}

TEST_MAIN("pattern", RUN(pattern, has_what_its_expression_matches_from_end_to_end),
	  RUN(pattern, takes_an_exclamation_mark_for_what_it_is),
	  RUN(pattern, has_no_wildcard_neither_its_own_nor_that_of_another),
	  RUN(pattern, of_a_row_is_asked_and_of_no_other),
	  RUN(pattern, of_another_web_site_is_found),
	  RUN(pattern, is_narrowed_by_what_the_core_has_named),
	  RUN(pattern, gives_way_to_a_distinct_identity))
