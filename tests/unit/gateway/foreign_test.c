/* SPDX-License-Identifier: BSD-3-Clause */
#include <hs.h>

#include "world.h"

/* Identities that belong to the wildcard of another web site (PROTOCOL 12.2). */

static struct hs_scratch *scratch[2];
static struct pattern_database database = {.scratch = scratch, .workers = 1};
static const struct span domains[] = {SPAN("home1.net")};

/** The first web site has all of home1.net by rule, and the second one's wildcard is al.*. */
static void world_with_wildcard(uint32_t of)
{
	static struct pattern_row rows[2];
	static struct pattern_part part = {.database = &database, .row = rows, .count = 2};
	hs_compile_error_t *fault;

	world_start();
	world.wwsf[0].domain = domains;
	world.wwsf[0].domain_count = 1;
	EXPECT_EQ(HS_SUCCESS, hs_compile("\\Asip:al.*@home1\\.net\\z", HS_FLAG_SINGLEMATCH,
					 HS_MODE_BLOCK, NULL, &database.database, &fault));
	for (uint32_t w = 0; w < 2; w++)
		EXPECT_EQ(HS_SUCCESS, hs_alloc_scratch(database.database, &scratch[w]));
	memset(rows, 0, sizeof(rows));
	rows[of] = (struct pattern_row){.wildcard = SPAN("sip:al!.*!@home1.net"),
					.literal = SPAN("sip:al!.*!@home1.net"),
					.prefix = SPAN("sip:al"),
					.suffix = SPAN("@home1.net")};
	world.view.patterns = &part;
}

static void world_end(void)
{
	hs_free_scratch(scratch[0]);
	hs_free_scratch(scratch[1]);
	hs_free_database(database.database);
	scratch[0] = scratch[1] = NULL;
}

TEST(foreign, is_an_identity_in_the_wildcard_of_another_web_site)
{
	world_with_wildcard(1);
	EXPECT_EQ(GW_IDENTITY_FOREIGN, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	world_end();
}

TEST(foreign, is_none_when_the_wildcard_is_its_own)
{
	world_with_wildcard(0);
	(void)mw_register(register_jssip(token_alice(3570), 600)); /* goes to the core */
	world_end();
}

TEST(foreign, is_none_where_pairs_say_whose_it_is)
{
	world_with_wildcard(1);
	world.wwsf[0].domain_count = 0;
	(void)mw_register(register_jssip(token_alice(3570), 600)); /* goes to the core */
	world_end();
}

TEST_MAIN("gateway_foreign", RUN(foreign, is_an_identity_in_the_wildcard_of_another_web_site),
	  RUN(foreign, is_none_when_the_wildcard_is_its_own),
	  RUN(foreign, is_none_where_pairs_say_whose_it_is))
