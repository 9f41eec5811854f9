/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/publish.h"
#include "identity/pattern.h"
#include "loaded.h"

/* Wildcards in a configuration. */

#define GUESTS \
	"  - name: guests\n"					    /* 20 */ \
	"    issuer: shop-waf\n"				    /* 21 */ \
	"    mode: wildcard-unregistered\n"			    /* 22 */ \
	"    origins: [\"https://guests.example\"]\n"		    /* 23 */ \
	"    identities: {wildcard: \"sip:guest!.*!@home1.net\"}\n" /* 24 */
#define ACME \
	"  - name: acme\n"						/* 25 */ \
	"    issuer: shop-waf\n"					/* 26 */ \
	"    mode: wildcard-unregistered\n"				/* 27 */ \
	"    origins: [\"https://acme.example\"]\n"			/* 28 */ \
	"    identities: {wildcard: \"sip:acme-![0-9]+!@home1.net\"}\n" /* 29 */

struct read {
	struct folder folder;
	struct problems *problems;
	struct config *config; /* NULL: refused */
};

/** Reads what was read before with from replaced by to in it. */
static void read_text(struct read *r, const char *from, const char *to, const char *pairs,
		      const struct config *before)
{
	char text[LOADED_MAX], *changed;
	struct config_from source = {.before = before};

	folder_make(&r->folder);
	r->problems = problems_new();
	strcpy(text, loaded_minimal);
	strcat(text, GUESTS ACME);
	changed = folder_replace(text, from, to);
	folder_write(&r->folder, "wicgate.yaml", changed);
	folder_write(&r->folder, "shop-pairs.csv", pairs);
	source.path = folder_path(&r->folder, "wicgate.yaml");
	r->config = config_read(&source, r->problems);
	free(changed);
}

static void read_end(struct read *r)
{
	config_free(r->config);
	problems_free(r->problems);
	folder_remove(&r->folder);
}

/** How many problems have that in their text. */
static uint32_t told(const struct read *r, const char *text)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < problems_count(r->problems); i++)
		count += strstr(problems_text(r->problems, i), text) != NULL;
	return count;
}

#define PAIRS "alice@home1.net,sip:alice@home1.net\n"

static void expect_told(const char *from, const char *to, const char *pairs, const char *text)
{
	struct read r;

	read_text(&r, from, to, pairs, NULL);
	if (told(&r, text) != 1)
		problems_print(r.problems, stderr);
	EXPECT_EQ(1, told(&r, text));
	EXPECT(r.config == NULL);
	read_end(&r);
}

TEST(patterns, are_read_and_have_no_fault)
{
	struct read r;

	read_text(&r, "name: shop\n", "name: shop\n", PAIRS, NULL);
	EXPECT_EQ(0, told(&r, "wildcard: "));
	EXPECT_EQ(0, told(&r, "in the wildcard"));
	read_end(&r);
}

TEST(patterns, that_are_wrong_are_told_with_their_line_and_place)
{
	expect_told("guest!.*!@", "guest!(.*!@", PAIRS,
		    "wicgate.yaml:24: wwsf[].identities.wildcard: at byte 11: '(' without ')'");
	expect_told("guest!.*!@", "guest!a{1,300}!@", PAIRS,
		    "wicgate.yaml:24: wwsf[].identities.wildcard: at byte 12: repeated more than "
		    "255 times");
	expect_told("guest!.*!@", "guest!((a{99}b){99}c){99}!@", PAIRS,
		    "wicgate.yaml:24: wwsf[].identities.wildcard: at byte 20: repeated so often it "
		    "is too large");
	expect_told("guest!.*!@", "guest!.{0,200}a.{0,200}!@", PAIRS,
		    "wicgate.yaml:24: wwsf[].identities.wildcard: the expression becomes too "
		    "large");
}

TEST(patterns, are_of_a_home_domain)
{
	expect_told("guest!.*!@home1.net", "guest!.*!@home2.net", PAIRS,
		    "wicgate.yaml:24: wwsf[].identities.wildcard: its host is no domain of realms");
}

TEST(patterns, are_of_web_sites_in_two_modes_only)
{
	expect_told("file: shop-pairs.csv", "file: shop-pairs.csv, wildcard: \"tel:+1!.*!\"", PAIRS,
		    "wicgate.yaml:19: wwsf[].identities.wildcard: with mode wildcard-unregistered "
		    "or block only");
}

TEST(patterns, belong_to_one_web_site)
{
	expect_told("sip:acme-![0-9]+!@home1.net", "SIP:guest!.*!@HOME1.net", PAIRS,
		    "wicgate.yaml:29: wwsf[].identities.wildcard: that of WWSF \"guests\" already, "
		    "on line 24");
}

TEST(patterns, that_may_have_something_in_common_are_a_warning)
{
	struct read r;

	read_text(&r, "sip:acme-!", "sip:gue!", PAIRS, NULL);
	EXPECT_EQ(1, told(&r, "wicgate.yaml:29: warning: wwsf[].identities.wildcard: may have "
			      "identities in common with that of line 24"));
	read_end(&r);
	read_text(&r, "[0-9]+!@home1", "[0-9]+!x@home1", PAIRS, NULL);
	EXPECT_EQ(0, told(&r, "in common"));
	read_end(&r);
}

TEST(patterns, have_no_identity_of_another_web_site)
{
	expect_told("name: shop\n", "name: shop\n", PAIRS "bob@home1.net,sip:guest-bob@home1.net\n",
		    "shop-pairs.csv:2: the public identity is in the wildcard of WWSF \"guests\", "
		    "it can belong to one WWSF only");
	expect_told("    identities: {file", "    mode: pool\n    identities: {file",
		    PAIRS "bob@home1.net,sip:acme-12@home1.net\nc@h,sip:acme-13@home1.net\n",
		    "shop-pairs.csv:2: the public identity is in the wildcard of WWSF \"acme\", it "
		    "can belong to one WWSF only");
}

/* ---- what is made of them ------------------------------------------------------------------- */

/** A configuration of two web sites, of which the second has a wildcard. */
static struct pattern_part *published(struct arena *arena, const char *text)
{
	struct config_wwsf wwsf[2] = {{.identities.wildcard = {"", 0}},
				      {.identities.wildcard = {text, 7}}};
	struct config config = {.wwsf = {wwsf, 2, 1}};
	struct problems *problems = problems_new();
	struct expression at;
	struct expressions_from from = {&at, 1, "wicgate.yaml", 1, NULL, NULL};
	struct pattern_part *part;

	wwsf[1].wildcard = wildcard_read(span_text(text), arena);
	assert_null(wwsf[1].wildcard.why);
	at = (struct expression){wwsf[1].wildcard.expression, "wildcard", 7};
	config.patterns = expressions_compile(&from, problems);
	assert_non_null(config.patterns);
	part = publish_patterns(&config, NULL);
	expressions_put(config.patterns);
	problems_free(problems);
	return part;
}

static bool has(const struct pattern_part *part, uint32_t wwsf, const char *text)
{
	struct identity id;

	EXPECT_EQ(GW_OK, identity_impu(span_text(text), &id));
	return pattern_has(part, 0, wwsf, &id);
}

TEST(patterns, are_what_workers_look_into)
{
	struct arena *arena = arena_new();
	struct pattern_part *part = published(arena, "sip:guest-![[:alnum:]]{1,8}(!x)?!@HOME1.net");

	arena_free(arena); /* the part has its own */
	EXPECT_SPAN("sip:guest-![[:alnum:]]{1,8}(!x)?!@home1.net", pattern_wildcard(part, 1));
	EXPECT(has(part, 1, "sip:guest-A1@home1.net"));
	EXPECT(has(part, 1, "sip:guest-A1!x@home1.net"));
	EXPECT(!has(part, 1, "sip:guest-A1!y@home1.net"));
	EXPECT(!has(part, 1, "sip:guest-@home1.net"));
	EXPECT(!has(part, 1, "sip:guest-123456789@home1.net"));
	EXPECT(!has(part, 1, "sip:guest-A1@home1.net.de"));
	EXPECT(!has(part, 0, "sip:guest-A1@home1.net"));
	part->part.free(&part->part);
}

TEST(patterns, may_be_none)
{
	struct config config = {0};
	struct pattern_part *part = publish_patterns(&config, NULL);

	EXPECT(part->database == NULL);
	EXPECT(!has(part, 0, "sip:a@home1.net"));
	part->part.free(&part->part);
}

TEST_MAIN("patterns", RUN(patterns, are_read_and_have_no_fault),
	  RUN(patterns, that_are_wrong_are_told_with_their_line_and_place),
	  RUN(patterns, are_of_a_home_domain), RUN(patterns, are_of_web_sites_in_two_modes_only),
	  RUN(patterns, belong_to_one_web_site),
	  RUN(patterns, that_may_have_something_in_common_are_a_warning),
	  RUN(patterns, have_no_identity_of_another_web_site),
	  RUN(patterns, are_what_workers_look_into), RUN(patterns, may_be_none))
