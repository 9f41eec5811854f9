/* SPDX-License-Identifier: BSD-3-Clause */
#include "../../../control/origins.h"
#include "../../../control/publish.h"
#include "../../../control/state.h"

#include <stdio.h>

#include "../test.h"
#include "loaded.h"

/* Which Origins a web site has (PROTOCOL 1.2, D-02, D-03). */

static const char listed[] = "    origins: [\"https://shop.example\"]\n";
static const char site[] = "  - name: shop\n    issuer: shop-waf\n"
			   "    origins: [\"https://shop.example\"]\n"
			   "    identities: {file: shop-pairs.csv}\n";

/** The Origins of all web sites, "NAME ORIGIN\n" each, of the minimal configuration with sites in
 * place of its own and these home domains. */
static void expect_origins(const char *realms, const char *sites, const char *expected)
{
	static struct state state;
	char *text = folder_replace(loaded_minimal, "[{domain: home1.net}]", realms);
	char *changed = folder_replace(text, site, sites), said[2048] = "";
	struct config_part *part;
	struct loaded l;

	loaded_begin(&l, changed);
	free(changed);
	free(text);
	if (l.config == NULL)
		fail_msg("%s", loaded_problem(&l, 0));
	part = publish_config(l.config, &state);
	for (uint32_t i = 0; i < part->origin_count; i++) {
		const struct origin_config *o = &part->origin[i];

		EXPECT(span_equal(o->origin, part->origin_text[i]));
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%.*s %.*s\n",
			 (int)part->wwsf[o->wwsf].name.len,
			 (const char *)part->wwsf[o->wwsf].name.at, (int)o->origin.len,
			 (const char *)o->origin.at);
	}
	part->part.free(&part->part);
	loaded_end(&l);
	EXPECT_TEXT(expected, said);
}

TEST(origins, of_a_site_that_lists_none_are_those_that_discovery_leads_to)
{
	expect_origins("[{domain: HOME1.net}, {domain: ims.mnc012.mcc345.3gppnetwork.org}]",
		       "  - name: shop\n    issuer: shop-waf\n"
		       "    identities: {file: shop-pairs.csv}\n",
		       "shop https://wwsf.home1.net\n"
		       "shop https://wwsf.ims.mnc012.mcc345.pub.3gppnetwork.org\n");
}

TEST(origins, of_a_site_that_lists_some_are_those_and_no_default_one)
{
	expect_origins("[{domain: home1.net}]", site, "shop https://shop.example\n");
}

TEST(origins, by_default_are_those_of_the_home_domains_of_its_identities)
{
	expect_origins("[{domain: home1.net}, {domain: home2.net}, {domain: home3.net}]",
		       "  - name: one\n    issuer: shop-waf\n"
		       "    identities: {domains: [home1.net, home4.net, Home3.net]}\n"
		       "  - name: two\n    issuer: shop-waf\n"
		       "    identities: {domains: [home2.net]}\n",
		       "one https://wwsf.home1.net\none https://wwsf.home3.net\n"
		       "two https://wwsf.home2.net\n");
}

TEST(origins, of_a_site_whose_users_the_core_knows_have_a_default_too)
{
	expect_origins("[{domain: home1.net}]", "  - name: own\n    mode: ims-auth\n",
		       "own https://wwsf.home1.net\n");
}

static void expect_refused(const char *sites, const char *reason)
{
	loaded_expect_refused(loaded_minimal, site, sites, reason);
}

TEST(origins, that_two_sites_would_have_by_default_are_refused)
{
	expect_refused("  - name: one\n    issuer: shop-waf\n"
		       "    identities: {domains: [home1.net]}\n"
		       "  - name: two\n    mode: ims-auth\n",
		       "wicgate.yaml:19: wwsf[].origins: must be given: the default "
		       "\"https://wwsf.home1.net\" belongs to WWSF \"one\" already, on line 16, "
		       "which lists none");
}

TEST(origins, that_one_site_lists_are_no_default_of_another)
{
	expect_refused("  - name: one\n    mode: ims-auth\n"
		       "    origins: [\"https://wwsf.HOME1.net:443\"]\n"
		       "  - name: two\n    mode: ims-auth\n",
		       "wicgate.yaml:19: wwsf[].origins: must be given: the default "
		       "\"https://wwsf.home1.net\" belongs to WWSF \"one\" already, on line 18");
	expect_refused("  - name: one\n    mode: ims-auth\n"
		       "  - name: two\n    mode: ims-auth\n"
		       "    origins: [\"https://wwsf.home1.net\"]\n",
		       "wicgate.yaml:20: wwsf[].origins: \"https://wwsf.home1.net\" belongs to "
		       "WWSF \"one\" already, on line 16, which lists none");
}

TEST(origins, must_be_listed_where_no_home_domain_has_one_by_default)
{
	expect_refused("  - name: one\n    issuer: shop-waf\n"
		       "    identities: {domains: [home4.net]}\n",
		       "wicgate.yaml:16: wwsf[].origins: must be given: its identities are of no "
		       "home domain of realms[], whose default Origin it could have");
}

TEST(origins, of_the_http_form_that_discovery_names_are_refused)
{
	loaded_expect_refused(loaded_minimal, listed, "    origins: [\"http://wwsf.home1.net\"]\n",
			      "wicgate.yaml:18: wwsf[].origins: \"http://wwsf.home1.net\": not an "
			      "https origin");
}

TEST_MAIN("origins", RUN(origins, of_a_site_that_lists_none_are_those_that_discovery_leads_to),
	  RUN(origins, of_a_site_that_lists_some_are_those_and_no_default_one),
	  RUN(origins, by_default_are_those_of_the_home_domains_of_its_identities),
	  RUN(origins, of_a_site_whose_users_the_core_knows_have_a_default_too),
	  RUN(origins, that_two_sites_would_have_by_default_are_refused),
	  RUN(origins, that_one_site_lists_are_no_default_of_another),
	  RUN(origins, must_be_listed_where_no_home_domain_has_one_by_default),
	  RUN(origins, of_the_http_form_that_discovery_names_are_refused))
