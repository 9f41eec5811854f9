/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/publish.h"
#include "loaded.h"

/* Blocks in a configuration. */

#define ACME \
	"  - name: acme\n"							  /* 20 */ \
	"    issuer: shop-waf\n"						  /* 21 */ \
	"    mode: block\n"							  /* 22 */ \
	"    origins: [\"https://acme.example\"]\n"				  /* 23 */ \
	"    identities:\n"							  /* 24 */ \
	"      wildcard: \"sip:acme-!.*!@home1.net\"\n"				  /* 25 */ \
	"      registering: {impi: b@ims.home1.net, impu: \"sip:b@HOME1.net\"}\n" /* 26 */ \
	"block: {expires: 7200, absent: {status: 404, cause: 1, text: \"Not here\"}}\n"

/** Reads what was read before with from replaced by to in it. */
static void read_text(struct loaded *l, const char *from, const char *to)
{
	char text[LOADED_MAX], *changed;

	strcpy(text, loaded_minimal);
	strcat(text, ACME);
	changed = folder_replace(text, from, to);
	loaded_begin(l, changed);
	free(changed);
}

TEST(block, has_what_the_workers_need)
{
	struct state kept = {.folder = -1, .flow_key = {{.id = 7}}, .flow_key_count = 1};
	struct config_part *part;
	struct loaded l;

	read_text(&l, "7200", "7300");
	assert_non_null(l.config);
	part = publish_config(l.config, &kept);
	loaded_end(&l);
	EXPECT_EQ(WWSF_BLOCK, part->wwsf[1].mode);
	EXPECT_SPAN("b@ims.home1.net", part->wwsf[1].registering_impi);
	EXPECT_SPAN("sip:b@HOME1.net", part->wwsf[1].registering_impu);
	EXPECT_EQ(7300, part->block_expires_s);
	EXPECT_EQ(30, part->block_retry_s);
	EXPECT_EQ(1800, part->block_retry_max_s);
	EXPECT_EQ(8, part->block_contacts);
	EXPECT(!part->wwsf[1].fork);
	EXPECT_EQ(404, part->absent.status);
	EXPECT_EQ(1, part->absent.cause);
	EXPECT_SPAN("Not here", part->absent.text);
	EXPECT_EQ(404, part->unknown.status);
	EXPECT_SPAN("", part->unknown.text);
	part->part.free(&part->part);
}

TEST(block, may_fork_its_calls)
{
	struct state kept = {.folder = -1, .flow_key = {{.id = 7}}, .flow_key_count = 1};
	struct config_part *part;
	struct loaded l;

	read_text(&l, "    mode: block\n", "    mode: block\n    fork: true\n");
	assert_non_null(l.config);
	part = publish_config(l.config, &kept);
	loaded_end(&l);
	EXPECT(!part->wwsf[0].fork);
	EXPECT(part->wwsf[1].fork);
	part->part.free(&part->part);
}

static void refused(const char *from, const char *to, const char *why)
{
	struct loaded l;
	bool told = false;

	read_text(&l, from, to);
	assert_null(l.config);
	for (uint32_t i = 0; i < problems_count(l.problems); i++)
		told = told || strstr(problems_text(l.problems, i), why) != NULL;
	EXPECT(told);
	loaded_end(&l);
}

TEST(block, needs_its_wildcard_and_its_registering_pair_and_nothing_else)
{
	refused("registering: {impi: b@ims.home1.net, ", "registering: {",
		"wwsf[].identities.registering: both impi and impu expected");
	refused("      wildcard: \"sip:acme-!.*!@home1.net\"\n", "",
		"wwsf[].identities.wildcard: must be given with mode block");
	refused("      wildcard:", "      file: shop-pairs.csv\n      wildcard:",
		"wwsf[].identities: only wildcard and registering with mode block");
	refused("      wildcard:", "      domains: [home1.net]\n      wildcard:",
		"wwsf[].identities: only wildcard and registering with mode block");
}

TEST(block, is_registered_by_identities_of_a_home_domain)
{
	refused("impi: b@ims.home1.net", "impi: b", "\"b\" is no such identity");
	refused("sip:b@HOME1.net", "mailto:b", "\"mailto:b\" is no such identity");
	refused("sip:b@HOME1.net", "sip:b@home2.net",
		"\"sip:b@home2.net\" is of no domain of realms");
	refused("sip:b@HOME1.net", "tel:+4930123", "\"tel:+4930123\" is of no domain of realms");
}

TEST(block, has_a_name_that_can_stand_in_a_uri)
{
	refused("name: acme", "name: \"ac@me\"", "wwsf[].name: \"ac@me\": letters, digits");
}

TEST(block, never_outlives_its_tokens)
{
	refused("    mode: block\n", "    mode: block\n    clamp_lifetime: false\n",
		"wwsf[].clamp_lifetime: never false with mode block");
}

TEST(block, alone_has_a_registering_pair)
{
	refused("    identities: {file: shop-pairs.csv}",
		"    identities: {file: shop-pairs.csv, registering: {impi: b@h}}",
		"wwsf[].identities.registering: with mode block only");
}

TEST(block, alone_forks)
{
	refused("    issuer: shop-waf\n    origins",
		"    issuer: shop-waf\n    fork: true\n    origins",
		"wwsf[].fork: with mode block only");
}

TEST(block, has_texts_that_can_stand_in_quotes)
{
	refused("\"Not here\"", "'Not \"here\"'", "block.absent.text: printable ASCII");
	refused("absent: {", "unknown: {text: \"\\\\\"}, absent: {",
		"block.unknown.text: printable ASCII");
}

TEST_MAIN("block", RUN(block, has_what_the_workers_need),
	  RUN(block, needs_its_wildcard_and_its_registering_pair_and_nothing_else),
	  RUN(block, is_registered_by_identities_of_a_home_domain),
	  RUN(block, has_a_name_that_can_stand_in_a_uri), RUN(block, never_outlives_its_tokens),
	  RUN(block, alone_has_a_registering_pair), RUN(block, may_fork_its_calls),
	  RUN(block, alone_forks), RUN(block, has_texts_that_can_stand_in_quotes))
