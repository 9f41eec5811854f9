/* SPDX-License-Identifier: BSD-3-Clause */
#include "identity/identity.h"
#include "pair_table.h"
#include "test.h"

static const struct span domains[] = {{(const uint8_t *)"home1.net", 9},
				      {(const uint8_t *)"home2.example", 13}};
static const struct wwsf_config by_domain = {.domain = domains, .domain_count = 2};

/* Whether the pair, as a token has it, belongs to the web site. */
static enum gw_err outcome(const struct wwsf_config *wwsf, const struct pair_part *pairs,
			   const char *impi_text, const char *impu_text)
{
	struct identity impi, impu;

	EXPECT_EQ(GW_OK, identity_impi(span_text(impi_text), &impi));
	EXPECT_EQ(GW_OK, identity_impu(span_text(impu_text), &impu));
	identity_allocated_expect(wwsf, pairs, &impi, &impu); /* which changes nothing */
	return identity_allocated(wwsf, pairs, &impi, &impu);
}

static enum gw_err home(const char *impi, const char *impu)
{
	return outcome(&by_domain, NULL, impi, impu);
}

TEST(home, takes_identities_of_the_domain)
{
	EXPECT_EQ(GW_OK, home("alice@home1.net", "sip:alice@home1.net"));
	EXPECT_EQ(GW_OK, home("alice@home2.example", "sip:alice@HOME2.example:5060;user=phone"));
}

TEST(home, takes_private_identities_below_the_domain)
{
	EXPECT_EQ(GW_OK, home("alice@ims.home1.net", "sip:alice@home1.net"));
	EXPECT_EQ(GW_OK, home("alice@a.b.HOME1.net", "sip:alice@home1.net"));
	EXPECT_EQ(GW_OK, home("alice@ims.home1.net", "sip:alice@home2.example"));
}

TEST(home, refuses_public_identities_of_another_host)
{
	static const char *const foreign[] = {
		"sip:alice@evil.example",	"sip:alice@ims.home1.net", "sip:alice@xhome1.net",
		"sip:alice@home1.net.evil.com", "sip:alice@home1.ne",	   "sip:home1.net@evil.com",
		"sip:alice@home1.net.",
	};

	for (uint32_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		EXPECT_EQ(GW_IDENTITY_FOREIGN, home("alice@home1.net", foreign[i]));
}

TEST(home, refuses_tel_since_a_number_has_no_domain)
{
	EXPECT_EQ(GW_IDENTITY_FOREIGN, home("alice@home1.net", "tel:+15550100"));
}

TEST(home, refuses_private_identities_of_another_realm)
{
	static const char *const foreign[] = {"alice@evil.example", "alice@xhome1.net",
					      "alice@net",	    "alice@home1.net.evil.com",
					      "alice@home1.net.",   "home1.net@evil.com",
					      "alice@imshome1.net"};

	for (uint32_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		EXPECT_EQ(GW_IDENTITY_FOREIGN, home(foreign[i], "sip:alice@home1.net"));
}

static struct pair_table table_of(enum pair_kind kind, const char *impi, const char *impu)
{
	static const uint8_t key[16];
	struct pair_table table;
	struct pair_build build;

	EXPECT_EQ(GW_OK, pair_build_init(&build, kind, key, 0));
	EXPECT_EQ(GW_OK, pair_build_add(&build, span_text(impi), span_text(impu), 1));
	EXPECT_EQ(GW_OK, pair_build_give(&build, &table, NULL, NULL));
	return table;
}

TEST(allocation, without_domains_is_the_file_of_pairs)
{
	static const struct wwsf_config by_file = {.pairs = 1};
	struct pair_table tables[2] = {{.count = 0}, table_of(PAIRS_LISTED, "a@h", "sip:a@h")};
	struct pair_part part = {.table = tables, .count = 2};

	EXPECT_EQ(GW_OK, outcome(&by_file, &part, "a@h", "sip:a@h"));
	part.count = 1;
	EXPECT_EQ(GW_IDENTITY_FOREIGN, outcome(&by_file, &part, "a@h", "sip:a@h"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, outcome(&by_file, NULL, "a@h", "sip:a@h"));
	pair_table_free(&tables[1]);
}

/* PROTOCOL 3.5 step 17: what a pool has is nobody else's, whichever rule he goes by. */
TEST(allocation, takes_nothing_of_a_pool_of_another_web_site)
{
	static const struct wwsf_config by_file = {.pairs = 1},
					by_home = {.pairs = 0,
						   .domain = domains,
						   .domain_count = 2},
					pool = {.pairs = 2, .mode = WWSF_POOL};
	struct pair_table tables[3] = {
		{.kind = PAIRS_NONE},
		table_of(PAIRS_LISTED, "a@home1.net", "sip:shared@home1.net"),
		table_of(PAIRS_POOL, "p@home1.net", "sip:p@home1.net"),
	};
	struct pair_part part = {.table = tables, .count = 3};

	EXPECT_EQ(GW_OK, outcome(&pool, &part, "p@home1.net", "sip:p@home1.net"));
	EXPECT_EQ(GW_OK, outcome(&by_file, &part, "a@home1.net", "sip:shared@home1.net"));
	EXPECT_EQ(GW_OK, outcome(&by_home, &part, "a@home1.net", "sip:shared@home1.net"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, outcome(&by_home, &part, "p@home1.net", "sip:x@home1.net"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, outcome(&by_home, &part, "x@home1.net", "sip:p@home1.net"));
	pair_table_free(&tables[2]);
	tables[2] = table_of(PAIRS_POOL, "p@home1.net", "sip:shared@home1.net");
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  outcome(&by_file, &part, "a@home1.net", "sip:shared@home1.net"));
	for (uint32_t i = 1; i < 3; i++)
		pair_table_free(&tables[i]);
}

TEST_MAIN("allocation", RUN(home, takes_identities_of_the_domain),
	  RUN(home, takes_private_identities_below_the_domain),
	  RUN(home, refuses_public_identities_of_another_host),
	  RUN(home, refuses_tel_since_a_number_has_no_domain),
	  RUN(home, refuses_private_identities_of_another_realm),
	  RUN(allocation, without_domains_is_the_file_of_pairs),
	  RUN(allocation, takes_nothing_of_a_pool_of_another_web_site))
