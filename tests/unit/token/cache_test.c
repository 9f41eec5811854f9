/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"
#include "token/token.h"

/* Issuer 0 has one key, issuer 1 has none. */

static struct issuer_config issuers[2];
static struct config_part config;
static struct key_row rows[2];
static struct key_part keys;
static struct token_cache *cache;
static struct token_claims found;

static struct issuer_config issuer(const char *iss)
{
	return (struct issuer_config){.iss = span_text(iss),
				      .audience = SPAN("sip:ep1.home1.net"),
				      .algorithms = 1u << JWS_ES256};
}

static int world_open(void **state)
{
	issuers[0] = issuer("https://waf.example");
	issuers[1] = issuer("https://two.example");
	config = (struct config_part){.part.generation = 1,
				      .issuer = issuers,
				      .issuer_count = 2,
				      .max_token_bytes = 8192};
	rows[0] = (struct key_row){.issuer = 0,
				   .kid = SPAN("k1"),
				   .key = {.alg = JWS_ES256, .id = 7}};
	rows[1] = (struct key_row){.issuer = 0,
				   .kid = SPAN("k2"),
				   .key = {.alg = JWS_ES256, .id = 8}};
	keys = (struct key_part){.part.generation = 1, .row = rows, .count = 1};
	cache = token_cache_new(4);
	return cache != NULL ? 0 : -1;
}

static int world_close(void **state)
{
	token_cache_free(cache);
	return 0;
}

static struct token_claims claims_of(const char *sub)
{
	return (struct token_claims){
		.alg = JWS_ES256,
		.typ = SPAN("at+jwt"),
		.kid = SPAN("k1"),
		.has_kid = true,
		.iss = SPAN("https://waf.example"),
		.sub = span_text(sub),
		.jti = SPAN("j1"),
		.impi = SPAN("a@ims.home1.net"),
		.wwsf = SPAN("shop"),
		.scn = SPAN("individual"),
		.scope = SPAN("ims.register"),
		.client = SPAN("app"),
		.impu = {SPAN("sip:a@home1.net"), SPAN("tel:+1")},
		.impu_count = 2,
		.audience_ok = true,
		.claims_typed = true,
		.has_exp = true,
		.has_iat = true,
		.exp_s = 2000,
		.iat_s = 1000,
	};
}

/* The digest of a token that stands for its subject. */
static struct token_digest digest_of(const char *sub)
{
	return token_digest(span_text(sub));
}

static void put(const char *sub)
{
	struct token_digest digest = digest_of(sub);
	struct token_claims claims = claims_of(sub);

	token_cache_put(cache, &digest, &config, &keys, &claims);
}

static bool find(const char *sub)
{
	struct token_digest digest = digest_of(sub);

	memset(&found, 0xee, sizeof(found));
	return token_cache_find(cache, &digest, &config, &keys, &found);
}

TEST(cache, digests_are_sha_256)
{
	/* FIPS 180-2 appendix B.1 */
	static const uint8_t abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
					0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
					0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
					0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
	struct token_digest digest = token_digest(SPAN("abc"));

	EXPECT_BYTES(abc, digest.bytes, 32);
}

TEST(cache, does_not_know_a_token_it_was_not_told)
{
	EXPECT(!find("alice"));
}

TEST(cache, tells_all_that_the_token_said)
{
	put("alice");
	EXPECT(find("alice"));
	EXPECT_EQ(0, found.issuer);
	EXPECT_EQ(0, found.key);
	EXPECT_EQ(JWS_ES256, found.alg);
	EXPECT_SPAN("at+jwt", found.typ);
	EXPECT_SPAN("k1", found.kid);
	EXPECT_SPAN("https://waf.example", found.iss);
	EXPECT_SPAN("alice", found.sub);
	EXPECT_SPAN("j1", found.jti);
	EXPECT_SPAN("a@ims.home1.net", found.impi);
	EXPECT_SPAN("shop", found.wwsf);
	EXPECT_SPAN("individual", found.scn);
	EXPECT_SPAN("ims.register", found.scope);
	EXPECT_SPAN("app", found.client);
	EXPECT_EQ(2, found.impu_count);
	EXPECT_SPAN("sip:a@home1.net", found.impu[0]);
	EXPECT_SPAN("tel:+1", found.impu[1]);
	EXPECT(found.has_kid && found.audience_ok && found.claims_typed);
	EXPECT(found.has_exp && found.has_iat && !found.has_nbf);
	EXPECT_EQ(2000, found.exp_s);
	EXPECT_EQ(1000, found.iat_s);
	EXPECT_EQ(0, found.signed_text.len);
	EXPECT_EQ(0, found.signature.len);
}

TEST(cache, keeps_a_copy)
{
	char sub[] = "alice";
	struct token_digest digest = digest_of(sub);
	struct token_claims claims = claims_of(sub);

	token_cache_put(cache, &digest, &config, &keys, &claims);
	memset(sub, 'x', sizeof(sub));
	EXPECT(find("alice"));
	EXPECT_SPAN("alice", found.sub);
}

TEST(cache, lets_the_one_longest_not_used_go)
{
	put("a");
	put("b");
	put("c");
	put("d");
	EXPECT(find("a"));
	put("e");
	EXPECT(!find("b"));
	EXPECT(find("a") && find("c") && find("d") && find("e"));
	put("f");
	EXPECT(!find("a"));
}

TEST(cache, keeps_one_entry_for_a_token_that_is_put_twice)
{
	put("a");
	put("b");
	put("c");
	put("a");
	put("d");
	put("e");
	EXPECT(find("a") && find("c") && find("d") && find("e"));
	EXPECT(!find("b"));
}

TEST(cache, compares_the_whole_digest)
{
	struct token_digest digest = digest_of("alice");

	put("alice");
	for (uint32_t i = 0; i < sizeof(digest.bytes); i++) {
		digest.bytes[i] ^= 1;
		EXPECT(!token_cache_find(cache, &digest, &config, &keys, &found));
		digest.bytes[i] ^= 1;
	}
	EXPECT(token_cache_find(cache, &digest, &config, &keys, &found));
}

TEST(cache, of_no_entries_remembers_nothing)
{
	struct token_cache *none = token_cache_new(0);
	struct token_digest digest = digest_of("alice");
	struct token_claims claims = claims_of("alice");

	assert_non_null(none);
	token_cache_put(none, &digest, &config, &keys, &claims);
	EXPECT(!token_cache_find(none, &digest, &config, &keys, &found));
	token_cache_free(none);
	token_cache_free(NULL);
}

TEST(cache, is_not_made_larger_than_can_be_counted)
{
	EXPECT(token_cache_new(UINT32_MAX) == NULL);
	EXPECT(token_refused_new(UINT32_MAX) == NULL);
}

TEST(cache, does_not_keep_what_has_too_much_text)
{
	static char sub[500];

	memset(sub, 's', sizeof(sub) - 1);
	put(sub);
	EXPECT(!find(sub));
	put("a");
	put("b");
	put("c");
	put("d");
	EXPECT(find("a") && find("b") && find("c") && find("d"));
}

TEST(cache, forgets_tokens_of_a_key_that_is_taken_back)
{
	put("alice");
	keys.part.generation = 2;
	keys.count = 0;
	EXPECT(!find("alice"));
	keys.count = 1;
	EXPECT(!find("alice"));
}

TEST(cache, forgets_tokens_of_a_key_whose_material_has_changed)
{
	put("alice");
	keys.part.generation = 2;
	rows[0].key.id = 9;
	EXPECT(!find("alice"));
}

TEST(cache, forgets_tokens_of_a_key_that_is_for_another_algorithm_now)
{
	put("alice");
	keys.part.generation = 2;
	rows[0].key.alg = JWS_ES384;
	EXPECT(!find("alice"));
}

TEST(cache, forgets_tokens_of_a_key_that_has_another_name_now)
{
	put("alice");
	keys.part.generation = 2;
	rows[0].kid = SPAN("k9");
	EXPECT(!find("alice"));
}

TEST(cache, forgets_tokens_when_there_are_no_keys)
{
	struct token_digest digest = digest_of("alice");

	put("alice");
	EXPECT(!token_cache_find(cache, &digest, &config, NULL, &found));
}

TEST(cache, forgets_tokens_of_an_issuer_that_has_gone)
{
	put("alice");
	config.part.generation = 2;
	issuers[0].iss = SPAN("https://other.example");
	EXPECT(!find("alice"));
}

TEST(cache, forgets_tokens_of_an_algorithm_that_the_issuer_has_given_up)
{
	put("alice");
	config.part.generation = 2;
	issuers[0].algorithms = 1u << JWS_ES384;
	EXPECT(!find("alice"));
}

TEST(cache, forgets_tokens_when_we_have_another_audience)
{
	put("alice");
	config.part.generation = 2;
	issuers[0].audience = SPAN("sip:ep2.home1.net");
	EXPECT(!find("alice"));
}

TEST(cache, forgets_tokens_when_the_longest_token_is_another)
{
	put("alice");
	config.part.generation = 2;
	config.max_token_bytes = 100;
	EXPECT(!find("alice"));
}

TEST(cache, forgets_tokens_when_their_claims_have_other_names)
{
	put("alice");
	config.part.generation = 2;
	issuers[0].claim.impu = SPAN("mcptt_id");
	EXPECT(!find("alice"));
}

TEST(cache, finds_issuer_and_key_again_where_a_reload_has_moved_them)
{
	put("alice");
	config.part.generation = 2;
	issuers[1] = issuers[0];
	issuers[0] = issuer("https://new.example");
	keys.part.generation = 2;
	rows[1] = rows[0];
	rows[1].issuer = 1;
	rows[0].kid = SPAN("n1");
	keys.count = 2;
	for (int i = 0; i < 2; i++) { /* looked for, then known */
		EXPECT(find("alice"));
		EXPECT_EQ(1, found.issuer);
		EXPECT_EQ(1, found.key);
	}
}

#define WORLD(sentence) cmocka_unit_test_setup_teardown(cache_##sentence, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(digests_are_sha_256),
		WORLD(does_not_know_a_token_it_was_not_told),
		WORLD(tells_all_that_the_token_said),
		WORLD(keeps_a_copy),
		WORLD(lets_the_one_longest_not_used_go),
		WORLD(keeps_one_entry_for_a_token_that_is_put_twice),
		WORLD(compares_the_whole_digest),
		WORLD(of_no_entries_remembers_nothing),
		WORLD(is_not_made_larger_than_can_be_counted),
		WORLD(does_not_keep_what_has_too_much_text),
		WORLD(forgets_tokens_of_a_key_that_is_taken_back),
		WORLD(forgets_tokens_of_a_key_whose_material_has_changed),
		WORLD(forgets_tokens_of_a_key_that_is_for_another_algorithm_now),
		WORLD(forgets_tokens_of_a_key_that_has_another_name_now),
		WORLD(forgets_tokens_when_there_are_no_keys),
		WORLD(forgets_tokens_of_an_issuer_that_has_gone),
		WORLD(forgets_tokens_of_an_algorithm_that_the_issuer_has_given_up),
		WORLD(forgets_tokens_when_we_have_another_audience),
		WORLD(forgets_tokens_when_the_longest_token_is_another),
		WORLD(forgets_tokens_when_their_claims_have_other_names),
		WORLD(finds_issuer_and_key_again_where_a_reload_has_moved_them),
	};

	return cmocka_run_group_tests_name("token cache", tests, NULL, NULL);
}
