/* SPDX-License-Identifier: BSD-3-Clause */
#include <hs.h>

#include "world.h"

/* Identities that belong to the wildcard of another web site (PROTOCOL 12.2). */

static struct hs_scratch *scratch[2];
static struct pattern_database database = {.scratch = scratch, .workers = 1};
static const struct span domains[] = {SPAN("home1.net")};

static struct pattern_row rows[2];
static struct pattern_part part = {.database = &database, .row = rows, .count = 2};

/** The wildcard al.* is that site's. */
static void wildcard_is_of(uint32_t of)
{
	memset(rows, 0, sizeof(rows));
	rows[of] = (struct pattern_row){.wildcard = SPAN("sip:al!.*!@home1.net"),
					.literal = SPAN("sip:al!.*!@home1.net"),
					.prefix = SPAN("sip:al"),
					.suffix = SPAN("@home1.net")};
	part.part.generation++;
	world.view.patterns = &part;
}

/** The first web site has all of home1.net by rule, and the second one's wildcard is al.*. */
static void world_with_wildcard(uint32_t of)
{
	hs_compile_error_t *fault;

	world_start();
	world.wwsf[0].domain = domains;
	world.wwsf[0].domain_count = 1;
	EXPECT_EQ(HS_SUCCESS, hs_compile("\\Asip:al.*@home1\\.net\\z", HS_FLAG_SINGLEMATCH,
					 HS_MODE_BLOCK, NULL, &database.database, &fault));
	for (uint32_t w = 0; w < 2; w++)
		EXPECT_EQ(HS_SUCCESS, hs_alloc_scratch(database.database, &scratch[w]));
	wildcard_is_of(of);
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

/** Whether alice, registered, is not any more after a reload that makes al.* the second one's. */
static bool ends_by_reload(uint32_t domains_of_hers)
{
	struct gateway_ended ended;
	bool more, ends;

	world_with_wildcard(0);
	world.wwsf[0].domain_count = domains_of_hers;
	(void)mw_register(register_jssip(token_alice(3570), 600));
	core_registers(600);
	EXPECT(!gateway_revoked(world.gw, &ended, &more));
	wildcard_is_of(1);
	world_reload();
	ends = gateway_revoked(world.gw, &ended, &more);
	EXPECT(!ends || ended.why == GW_IDENTITY_FOREIGN);
	EXPECT_EQ(ends ? 0 : 1, gateway_bindings(world.gw));
	world_end();
	return ends;
}

TEST(foreign, is_who_a_reload_puts_into_the_wildcard_of_another_web_site)
{
	EXPECT(ends_by_reload(1));
	EXPECT(!ends_by_reload(0)); /* her pair is in a file */
}

TEST_MAIN("gateway_foreign", RUN(foreign, is_an_identity_in_the_wildcard_of_another_web_site),
	  RUN(foreign, is_none_when_the_wildcard_is_its_own),
	  RUN(foreign, is_none_where_pairs_say_whose_it_is),
	  RUN(foreign, is_who_a_reload_puts_into_the_wildcard_of_another_web_site))
