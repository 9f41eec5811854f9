/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "jwk_file.h"
#include "verifier.h"

/*
 * The verdicts of C2SP/wycheproof on JSON Web Signatures (tests/vectors/wycheproof). Each group's
 * key is read by the control side; each token is shown to the JWS layer, which has to say what the
 * file says, and to the whole pipeline, to which no payload of the file is a set of claims.
 */

#define NOW 1795168000

/** How the JWS layer refuses tests first to last. What has no row is accepted. */
struct refusal {
	int first, last; /* tcId */
	enum gw_err err;
	const char *why;
};

#define HMAC "valid or not: HMAC is no algorithm of ours (D-11)"
#define SIZE "valid or not: RS384, RS512, PS384 and PS512 are no algorithms of ours"
#define PARTS "a part is missing, or there is one too many"
#define EMPTY "an empty signature is none of any key"
#define FORGED "the signature is not one of these bytes by this key"

static const struct refusal refusals[] = {
	/* HS256 */
	{1, 2, GW_TOKEN_ALG, HMAC},
	{3, 3, GW_TOKEN_ALG, HMAC},
	{4, 4, GW_TOKEN_MALFORMED, PARTS},
	{5, 6, GW_TOKEN_ALG, HMAC},
	{7, 7, GW_TOKEN_MALFORMED, PARTS},
	{8, 8, GW_TOKEN_ALG, HMAC},
	{9, 9, GW_TOKEN_JSON, "an empty header is no JSON object"},
	{10, 10, GW_TOKEN_MALFORMED, PARTS},
	{11, 11, GW_TOKEN_JSON, "an empty header is no JSON object"},
	{12, 15, GW_TOKEN_MALFORMED, PARTS},
	{16, 16, GW_TOKEN_ALG, "alg none, its signature empty"},
	{17, 17, GW_TOKEN_MALFORMED, "JSON serialisation"},
	/* ES256 */
	{19, 19, GW_TOKEN_SIGNATURE, FORGED},
	{20, 20, GW_TOKEN_SIGNATURE, EMPTY},
	{21, 21, GW_TOKEN_MALFORMED, PARTS},
	{22, 23, GW_TOKEN_SIGNATURE, FORGED},
	{24, 24, GW_TOKEN_MALFORMED, PARTS},
	{25, 25, GW_TOKEN_KID, "the modified header names another key"},
	{26, 26, GW_TOKEN_JSON, "an empty header is no JSON object"},
	{27, 27, GW_TOKEN_MALFORMED, PARTS},
	{28, 28, GW_TOKEN_JSON, "an empty header is no JSON object"},
	{29, 30, GW_TOKEN_MALFORMED, PARTS},
	{31, 31, GW_TOKEN_ALG, "HS256 with the public key as secret"},
	{32, 32, GW_TOKEN_SIGNATURE, "signed by the key in its own jwk member"},
	/* RS256 */
	{34, 34, GW_TOKEN_SIGNATURE, FORGED},
	{35, 35, GW_TOKEN_SIGNATURE, EMPTY},
	{36, 36, GW_TOKEN_MALFORMED, PARTS},
	{37, 38, GW_TOKEN_SIGNATURE, FORGED},
	{39, 39, GW_TOKEN_MALFORMED, PARTS},
	{40, 40, GW_TOKEN_KID, "the modified header names another key"},
	{41, 41, GW_TOKEN_JSON, "an empty header is no JSON object"},
	{42, 42, GW_TOKEN_MALFORMED, PARTS},
	{43, 43, GW_TOKEN_JSON, "an empty header is no JSON object"},
	{44, 45, GW_TOKEN_MALFORMED, PARTS},
	{46, 258, GW_TOKEN_SIGNATURE, "PKCS #1 padding modified"},
	/* other hashes */
	{264, 271, GW_TOKEN_ALG, SIZE},
	/* PS256 */
	{276, 286, GW_TOKEN_SIGNATURE, FORGED},
	{289, 319, GW_TOKEN_SIGNATURE, FORGED},
	/* PS384, PS512: their keys are left out */
	{320, 331, GW_TOKEN_ALG, SIZE},
	{332, 332, GW_TOKEN_KEYS_DOWN, "RS256 with a key for PS512, which we have not"},
	{333, 337, GW_TOKEN_ALG, SIZE},
	{338, 338, GW_TOKEN_KEYS_DOWN, "PS256 with a key for PS512, which we have not"},
	{339, 340, GW_TOKEN_ALG, SIZE},
	{341, 344, GW_TOKEN_ALG, "alg none, its signature empty"},
	/* RFC 7520 */
	{346, 346, GW_TOKEN_ALG, "valid: PS384 by a key that names itself PS256"},
	{347, 347, GW_TOKEN_ALG, "valid: ES512 by a key that names itself ES521"},
	{348, 348, GW_TOKEN_ALG, HMAC},
	{350, 350, GW_TOKEN_ALG, "valid: PS384 by a key that names itself PS256"},
	{351, 351, GW_TOKEN_ALG, "valid: ES512 by a key that names itself ES521"},
	{352, 352, GW_TOKEN_ALG, HMAC},
	/* keys for something else are left out */
	{353, 356, GW_TOKEN_KEYS_DOWN, "the only key is not for signatures"},
	/* base64url, by HS256 */
	{357, 359, GW_TOKEN_ALG, HMAC},
	{360, 366, GW_TOKEN_MALFORMED, "not of the alphabet of base64url"},
	{367, 371, GW_TOKEN_ALG, HMAC},
	{372, 372, GW_TOKEN_MALFORMED, "valid to the file: '?' in the header; RFC 7515 2 has none"},
	{373, 377, GW_TOKEN_ALG, HMAC},
	/* ES256, special cases */
	{379, 401, GW_TOKEN_SIGNATURE, "r or s out of range, or not 32 bytes each"},
};

/** Why the control side leaves out the key of the group that begins with a test. */
static const struct {
	int first; /* tcId */
	const char *words;
} left_out[] = {
	{1, "its kty is not used here"},     {264, "its alg is not used here"},
	{268, "its alg is not used here"},   {320, "its alg is not used here"},
	{325, "its alg is not used here"},   {347, "its curve is not used here"},
	{348, "its kty is not used here"},   {351, "its curve is not used here"},
	{352, "its kty is not used here"},   {353, "its use is not sig"},
	{354, "its use is not sig"},	     {355, "its key_ops have no verify"},
	{356, "its key_ops have no verify"}, {357, "its kty is not used here"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int id_of(const json_t *test)
{
	return (int)json_integer_value(json_object_get(test, "tcId"));
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	assert_non_null(text);
	return text;
}

static enum gw_err expected(const json_t *test)
{
	int id = id_of(test);

	for (size_t i = 0; i < COUNT(refusals); i++)
		if (id >= refusals[i].first && id <= refusals[i].last)
			return refusals[i].err;
	return GW_OK;
}

/* Parts, header and alg come before the payload, key and signature after it. */
static enum gw_err expected_whole(const json_t *test)
{
	enum gw_err err = expected(test);

	return err == GW_TOKEN_MALFORMED || err == GW_TOKEN_ALG ? err : GW_TOKEN_JSON;
}

/** One test of a group whose key the relying party trusts. */
typedef void (*test_check)(struct relying *relying, const json_t *test);

/* Shows each group's first test, then each test. */
static void file_walk(void (*group_check)(struct relying *relying, const json_t *first),
		      test_check check)
{
	json_t *file = json_load_file(VECTORS "/wycheproof/json_web_signature_test.json", 0, NULL);
	const json_t *group, *test, *key;
	size_t seen = 0, i, j;

	assert_non_null(file);
	json_array_foreach(json_object_get(file, "testGroups"), i, group)
	{
		const json_t *tests = json_object_get(group, "tests");
		struct relying *relying;

		key = json_object_get(group, "public"); /* a MAC has none */
		if (key == NULL)
			key = json_object_get(group, "private");
		relying = jwk_relying(key, RELYING_ALL);
		group_check(relying, json_array_get(tests, 0));
		json_array_foreach(tests, j, test) check(relying, test);
		seen += json_array_size(tests);
		relying_free(relying);
	}
	EXPECT_EQ(401, seen);
	json_decref(file);
}

static void group_ignore(struct relying *relying, const json_t *first)
{
}

static void test_ignore(struct relying *relying, const json_t *test)
{
}

static void layer_check(struct relying *relying, const json_t *test)
{
	enum gw_err err = relying_jws(relying, span_text(text_of(test, "jws")));

	if (err != expected(test))
		fail_msg("tcId %d (%s): %s", id_of(test), text_of(test, "comment"),
			 gw_err_name(err));
}

TEST(wycheproof_jws, the_layer_accepts_what_has_no_row_and_refuses_for_the_reason_of_its_row)
{
	file_walk(group_ignore, layer_check);
}

static void row_check(struct relying *relying, const json_t *test)
{
	bool valid = strcmp(text_of(test, "result"), "valid") == 0;

	if (!valid && expected(test) == GW_OK)
		fail_msg("tcId %d is invalid and has no row", id_of(test));
}

TEST(wycheproof_jws, each_test_that_is_not_valid_has_a_row)
{
	file_walk(group_ignore, row_check);
}

static void whole_check(struct relying *relying, const json_t *test)
{
	enum gw_err err = relying_whole(relying, span_text(text_of(test, "jws")), NOW);

	if (err != expected_whole(test))
		fail_msg("tcId %d (%s): %s", id_of(test), text_of(test, "comment"),
			 gw_err_name(err));
}

TEST(wycheproof_jws, the_pipeline_refuses_all_and_a_good_signature_of_no_claims_too)
{
	file_walk(group_ignore, whole_check);
}

static void key_check(struct relying *relying, const json_t *first)
{
	for (size_t i = 0; i < COUNT(left_out); i++)
		if (left_out[i].first == id_of(first)) {
			EXPECT_EQ(0, relying_keys(relying));
			EXPECT(relying_complains(relying, left_out[i].words));
			return;
		}
	EXPECT_EQ(1, relying_keys(relying));
}

TEST(wycheproof_jws, keys_for_anything_else_are_left_out)
{
	file_walk(key_check, test_ignore);
}

TEST_MAIN("wycheproof_jws",
	  RUN(wycheproof_jws,
	      the_layer_accepts_what_has_no_row_and_refuses_for_the_reason_of_its_row),
	  RUN(wycheproof_jws, each_test_that_is_not_valid_has_a_row),
	  RUN(wycheproof_jws, the_pipeline_refuses_all_and_a_good_signature_of_no_claims_too),
	  RUN(wycheproof_jws, keys_for_anything_else_are_left_out))
