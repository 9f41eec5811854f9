/* SPDX-License-Identifier: BSD-3-Clause */
#include "../../../control/publish.h"
#include "../../../control/state.h"

#include <stdio.h>

#include "../test.h"
#include "loaded.h"

/* What mode wildcard-unregistered asks of a configuration (PROTOCOL 7.1). */

static const char realms[] = "realms: [{domain: home1.net}]";
static const char pairs[] = "    identities: {file: shop-pairs.csv}\n";
static const char wildcard[] = "    mode: wildcard-unregistered\n"
			       "    identities: {wildcard: \"sip:web!.*!@home1.net\"}\n";
static const char entry[] = "realms: [{domain: home1.net, icscf_orig: "
			    "\"sip:icscf.home1.net;lr;orig\"}]";

/** The minimal configuration with that entry, and that in place of the identities. */
static const char *changed(const char *with_entry, const char *identities)
{
	static char text[LOADED_MAX];
	char *one = folder_replace(loaded_minimal, realms, with_entry);
	char *two = folder_replace(one, pairs, identities);

	strcpy(text, two);
	free(one);
	free(two);
	return text;
}

static void expect_refused(const char *with_entry, const char *identities, const char *reason)
{
	struct loaded l;

	loaded_begin(&l, changed(with_entry, identities));
	assert_null(l.config);
	EXPECT_TEXT(reason, loaded_problem(&l, 0));
	loaded_end(&l);
}

static struct config_part *published(const char *text)
{
	static struct state state;
	struct config_part *part;
	struct loaded l;

	loaded_begin(&l, text);
	if (l.config == NULL)
		fail_msg("%s", loaded_problem(&l, 0));
	part = publish_config(l.config, &state);
	loaded_end(&l);
	return part;
}

TEST(unregistered, users_of_a_wildcard_are_told_to_workers)
{
	struct config_part *part = published(changed(entry, wildcard));

	EXPECT_EQ(WWSF_WILDCARD, part->wwsf[0].mode);
	EXPECT_SPAN("<sip:icscf.home1.net;lr;orig>", part->realm[0].icscf_orig);
	EXPECT(!part->realm[0].orig_served_user);
	EXPECT(!part->realm[0].orig_profile_key);
	EXPECT(part->cache_wildcard_auth);
	part->part.free(&part->part);
}

TEST(unregistered, users_may_be_told_of_more_and_asked_for_more)
{
	char *text = folder_replace(changed("realms: [{domain: home1.net, icscf_orig: "
					    "\"sip:u@icscf.home1.net:5062;ORIG;lr\", "
					    "orig_served_user: true, orig_profile_key: true}]",
					    wildcard),
				    "  listen: [{port: access}]\n",
				    "  listen: [{port: access}]\n  cache_wildcard_auth: false\n");
	struct config_part *part = published(text);

	EXPECT_SPAN("<sip:u@icscf.home1.net:5062;ORIG;lr>", part->realm[0].icscf_orig);
	EXPECT(part->realm[0].orig_served_user);
	EXPECT(part->realm[0].orig_profile_key);
	EXPECT(!part->cache_wildcard_auth);
	part->part.free(&part->part);
	free(text);
}

TEST(unregistered, users_are_of_no_site_without_a_wildcard)
{
	expect_refused(entry, "    mode: wildcard-unregistered\n",
		       "wicgate.yaml:16: wwsf[].identities.wildcard: must be given with mode "
		       "wildcard-unregistered");
	expect_refused(entry,
		       "    mode: wildcard-unregistered\n    identities: {wildcard: "
		       "\"sip:web!.*!@home1.net\", file: shop-pairs.csv}\n",
		       "wicgate.yaml:20: wwsf[].identities: with mode wildcard-unregistered "
		       "nothing but the wildcard");
	expect_refused(entry,
		       "    mode: wildcard-unregistered\n    identities: {wildcard: "
		       "\"sip:web!.*!@home1.net\", domains: [home1.net]}\n",
		       "wicgate.yaml:20: wwsf[].identities: with mode wildcard-unregistered "
		       "nothing but the wildcard");
}

TEST(unregistered, users_need_an_entry_of_their_home_network)
{
	expect_refused(realms, wildcard,
		       "wicgate.yaml:19: wwsf[].mode: realms[].icscf_orig of "
		       "\"home1.net\" must be given for mode wildcard-unregistered");
	expect_refused("realms: [{domain: home1.net}, {domain: home2.net, icscf_orig: "
		       "\"sip:icscf.home2.net;lr;orig\"}]",
		       "    mode: wildcard-unregistered\n    identities: {wildcard: "
		       "\"tel:+1555!.*!\"}\n",
		       "wicgate.yaml:19: wwsf[].mode: realms[].icscf_orig of "
		       "\"home1.net\" must be given for mode wildcard-unregistered");
}

TEST(unregistered, entry_has_to_say_that_it_is_one)
{
	static const char *const rows[][2] = {
		{"icscf.home1.net;lr;orig", "not a sip: URI"},
		{"sip:", "not a sip: URI"},
		{"sip:;lr;orig", "not a sip: URI"},
		{"sip:icscf.home1.net;orig", "the parameter lr is missing"},
		{"sip:icscf.home1.net;lrx;orig", "the parameter lr is missing"},
		{"sip:icscf.home1.net;lr;origin", "the parameter orig is missing: without it the "
						  "core would take the request for one "
						  "to its user"},
		{"sip:icscf.home1.net;lr;orig?Route=x", "one URI without header fields expected"},
		{"sip:a.net;lr;orig,sip:b.net;lr", "one URI without header fields expected"},
	};
	char with[256], reason[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(with, sizeof(with), "realms: [{domain: home1.net, icscf_orig: \"%s\"}]",
			 rows[i][0]);
		snprintf(reason, sizeof(reason), "wicgate.yaml:2: realms[].icscf_orig: %s",
			 rows[i][1]);
		expect_refused(with, pairs, reason);
	}
}

TEST_MAIN("unregistered", RUN(unregistered, users_of_a_wildcard_are_told_to_workers),
	  RUN(unregistered, users_may_be_told_of_more_and_asked_for_more),
	  RUN(unregistered, users_are_of_no_site_without_a_wildcard),
	  RUN(unregistered, users_need_an_entry_of_their_home_network),
	  RUN(unregistered, entry_has_to_say_that_it_is_one))
