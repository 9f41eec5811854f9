/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "token/token.h"

#define NOW 1000

static struct config_part config;
static struct key_part keys;
static struct snapshot view;
static struct token_refused *refused;

static int world_open(void **state)
{
	config = (struct config_part){.part.generation = 1};
	keys = (struct key_part){.part.generation = 1, .rows_version = 1};
	view = (struct snapshot){.config = &config, .keys = &keys};
	refused = token_refused_new(4);
	return refused != NULL ? 0 : -1;
}

static int world_close(void **state)
{
	token_refused_free(refused);
	return 0;
}

static void put(const char *token, enum gw_err why)
{
	struct token_digest digest = token_digest(span_text(token));

	token_refused_put(refused, &digest, &view, NOW, why);
}

static enum gw_err find_at(const char *token, uint64_t now_us)
{
	struct token_digest digest = token_digest(span_text(token));

	return token_refused_find(refused, &digest, &view, now_us);
}

static enum gw_err find(const char *token)
{
	return find_at(token, NOW);
}

TEST(refused, says_why_a_token_was_refused)
{
	EXPECT_EQ(GW_OK, find("a"));
	put("a", GW_TOKEN_SIGNATURE);
	put("b", GW_TOKEN_AUD);
	EXPECT_EQ(GW_TOKEN_SIGNATURE, find("a"));
	EXPECT_EQ(GW_TOKEN_AUD, find("b"));
	EXPECT_EQ(GW_OK, find("c"));
}

TEST(refused, is_forgotten_when_the_clock_was_set)
{
	put("a", GW_TOKEN_EXPIRED);
	token_refused_forget(refused);
	EXPECT_EQ(GW_OK, find("a"));
	put("a", GW_TOKEN_EXPIRED);
	EXPECT_EQ(GW_TOKEN_EXPIRED, find("a"));
}

TEST(refused, keeps_what_is_wrong_with_the_token_itself_and_nothing_else)
{
	static const enum gw_err kept[] = {GW_TOKEN_MALFORMED, GW_TOKEN_JSON,	GW_TOKEN_TYP,
					   GW_TOKEN_ALG,       GW_TOKEN_CRIT,	GW_TOKEN_SIGNATURE,
					   GW_TOKEN_AUD,       GW_TOKEN_EXPIRED};

	for (uint32_t err = GW_OK; err < GW_ERR_COUNT; err++) {
		enum gw_err expected = GW_OK;
		char token[16];

		for (uint32_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			if (err == kept[i])
				expected = kept[i];
		snprintf(token, sizeof(token), "t%u", err);
		put(token, (enum gw_err)err);
		EXPECT_EQ(expected, find(token));
	}
}

TEST(refused, says_the_reason_told_last)
{
	put("a", GW_TOKEN_SIGNATURE);
	put("a", GW_TOKEN_EXPIRED);
	EXPECT_EQ(GW_TOKEN_EXPIRED, find("a"));
}

TEST(refused, forgives_after_a_time)
{
	put("a", GW_TOKEN_EXPIRED);
	EXPECT_EQ(GW_TOKEN_EXPIRED, find_at("a", NOW + TOKEN_REFUSED_US - 1));
	EXPECT_EQ(GW_OK, find_at("a", NOW + TOKEN_REFUSED_US));
	EXPECT_EQ(GW_OK, find("a")); /* and does not come back */
}

TEST(refused, forgets_with_the_configuration)
{
	put("a", GW_TOKEN_AUD);
	config.part.generation = 2;
	EXPECT_EQ(GW_OK, find("a"));
}

TEST(refused, forgets_with_the_keys)
{
	put("a", GW_TOKEN_SIGNATURE);
	keys.rows_version = 2;
	EXPECT_EQ(GW_OK, find("a"));
	put("a", GW_TOKEN_SIGNATURE);
	view.keys = NULL;
	EXPECT_EQ(GW_OK, find("a"));
}

TEST(refused, remembers_when_the_same_keys_were_fetched_again)
{
	put("a", GW_TOKEN_SIGNATURE);
	keys.part.generation = 2;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, find("a"));
}

TEST(refused, lets_the_one_longest_not_used_go)
{
	put("a", GW_TOKEN_TYP);
	put("b", GW_TOKEN_TYP);
	put("c", GW_TOKEN_TYP);
	put("d", GW_TOKEN_TYP);
	EXPECT_EQ(GW_TOKEN_TYP, find("a"));
	put("e", GW_TOKEN_TYP);
	EXPECT_EQ(GW_OK, find("b"));
	EXPECT_EQ(GW_TOKEN_TYP, find("a"));
	EXPECT_EQ(GW_TOKEN_TYP, find("e"));
}

TEST(refused, of_no_entries_remembers_nothing)
{
	struct token_refused *none = token_refused_new(0);
	struct token_digest digest = token_digest(SPAN("a"));

	assert_non_null(none);
	token_refused_put(none, &digest, &view, NOW, GW_TOKEN_TYP);
	EXPECT_EQ(GW_OK, token_refused_find(none, &digest, &view, NOW));
	token_refused_free(none);
	token_refused_free(NULL);
}

/* ---- revocation ---- */

static struct token_claims with_jti(const char *iss, const char *jti)
{
	return (struct token_claims){.iss = span_text(iss), .jti = span_text(jti)};
}

TEST(revocation, is_found_by_issuer_and_jti)
{
	uint64_t hash = jti_hash(config.hash_key, SPAN("i"), SPAN("j"));
	struct revocation_part part = {.jti = &hash, .jti_count = 1};
	struct token_claims revoked = with_jti("i", "j"), other = with_jti("i", "k"),
			    foreign = with_jti("x", "j"), without = with_jti("i", "");

	EXPECT(token_is_revoked(&revoked, &config, &part));
	EXPECT(!token_is_revoked(&other, &config, &part));
	EXPECT(!token_is_revoked(&foreign, &config, &part));
	EXPECT(!token_is_revoked(&without, &config, &part));
	EXPECT(!token_is_revoked(&revoked, &config, NULL));
}

TEST(revocation, is_found_wherever_it_stands_in_the_list)
{
	struct token_claims claims = with_jti("i", "j");
	uint64_t hash = jti_hash(config.hash_key, claims.iss, claims.jti);

	for (uint32_t count = 1; count < 10; count++)
		for (uint32_t at = 0; at <= count; at++) {
			uint64_t list[10];
			struct revocation_part part = {.jti = list, .jti_count = count};

			for (uint32_t i = 0; i < count; i++)
				list[i] = hash + i - at; /* ours at place "at", if it is one */
			EXPECT_EQ(at < count, token_is_revoked(&claims, &config, &part));
		}
}

TEST(revocation, disables_web_sites_by_their_whole_name)
{
	static const struct span names[] = {{(const uint8_t *)"toys", 4},
					    {(const uint8_t *)"shop", 4}};
	struct revocation_part part = {.wwsf = names, .wwsf_count = 2};

	EXPECT(token_wwsf_disabled(SPAN("shop"), &part));
	EXPECT(token_wwsf_disabled(SPAN("toys"), &part));
	EXPECT(!token_wwsf_disabled(SPAN("sho"), &part));
	EXPECT(!token_wwsf_disabled(SPAN("shops"), &part));
	EXPECT(!token_wwsf_disabled(SPAN("shop"), NULL));
}

#define WORLD(group, sentence) \
	cmocka_unit_test_setup_teardown(group##_##sentence, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(refused, says_why_a_token_was_refused),
		WORLD(refused, is_forgotten_when_the_clock_was_set),
		WORLD(refused, keeps_what_is_wrong_with_the_token_itself_and_nothing_else),
		WORLD(refused, says_the_reason_told_last),
		WORLD(refused, forgives_after_a_time),
		WORLD(refused, forgets_with_the_configuration),
		WORLD(refused, forgets_with_the_keys),
		WORLD(refused, remembers_when_the_same_keys_were_fetched_again),
		WORLD(refused, lets_the_one_longest_not_used_go),
		WORLD(refused, of_no_entries_remembers_nothing),
		WORLD(revocation, is_found_by_issuer_and_jti),
		WORLD(revocation, is_found_wherever_it_stands_in_the_list),
		WORLD(revocation, disables_web_sites_by_their_whole_name),
	};

	return cmocka_run_group_tests_name("refused and revoked tokens", tests, NULL, NULL);
}
