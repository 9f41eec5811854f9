/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "jwk_file.h"
#include "verifier.h"

/*
 * The examples of RFC 7520, RFC 7797 and RFC 8037 as files (tests/vectors/jose): each key is read
 * by the control side, each serialisation shown to the JWS layer.
 */

#define NOW 1795168000
#define FILES VECTORS "/jose/"

/** What the JWS layer makes of one serialisation of a file. */
struct example {
	const char *file, *form; /* member of "output" */
	enum gw_err err;
	const char *why;
};

#define JSON_FORM "JSON serialisation"
#define HMAC "HMAC is no algorithm of ours"

static const struct example examples[] = {
	{"jws/4_1.rsa_v15_signature", "compact", GW_OK, "RS256"},
	{"jws/4_1.rsa_v15_signature", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_1.rsa_v15_signature", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_2.rsa-pss_signature", "compact", GW_TOKEN_ALG, "PS384 is no algorithm of ours"},
	{"jws/4_2.rsa-pss_signature", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_2.rsa-pss_signature", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_3.ecdsa_signature", "compact", GW_TOKEN_ALG, "ES512 is no algorithm of ours"},
	{"jws/4_3.ecdsa_signature", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_3.ecdsa_signature", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_4.hmac-sha2_integrity_protection", "compact", GW_TOKEN_ALG, HMAC},
	{"jws/4_4.hmac-sha2_integrity_protection", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_4.hmac-sha2_integrity_protection", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_5.signature_with_detached_content", "compact", GW_TOKEN_ALG, HMAC},
	{"jws/4_5.signature_with_detached_content", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_5.signature_with_detached_content", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_6.protecting_specific_header_fields", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_6.protecting_specific_header_fields", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_7.protecting_content_only", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_7.protecting_content_only", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"jws/4_8.multiple_signatures", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"curve25519/jws", "compact", GW_OK, "EdDSA"},
	{"curve25519/jws", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"curve25519/jws", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"curve25519/ecdh-es", "compact", GW_TOKEN_MALFORMED, "five parts: a JWE (D-08)"},
	{"curve25519/ecdh-es", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"curve25519/ecdh-es", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"rfc7797/hmac-sha2_b64_false", "compact", GW_TOKEN_CRIT, "b64 is critical, and not ours"},
	{"rfc7797/hmac-sha2_b64_false", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"rfc7797/hmac-sha2_b64_false", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
	{"rfc7797/4.2.hmac-sha2_b64_false", "json", GW_TOKEN_MALFORMED, JSON_FORM},
	{"rfc7797/4.2.hmac-sha2_b64_false", "json_flat", GW_TOKEN_MALFORMED, JSON_FORM},
};

/** A key of the jwk folder: why the control side leaves it out, NULL when it does not. */
static const struct {
	const char *file, *left_out;
} keys[] = {
	{"jwk/3_1.ec_public_key", "its curve is not used here"},
	{"jwk/3_2.ec_private_key", "its curve is not used here"},
	{"jwk/3_3.rsa_public_key", NULL},
	{"jwk/3_4.rsa_private_key", NULL}, /* and says that it is private */
	{"jwk/3_5.symmetric_key_mac_computation", "its kty is not used here"},
	{"jwk/3_6.symmetric_key_encryption", "its use is not sig"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static json_t *file_load(const char *name)
{
	char path[1024];
	json_t *file;

	snprintf(path, sizeof(path), FILES "%s.json", name);
	file = json_load_file(path, 0, NULL);
	assert_non_null(file);
	return file;
}

/* The relying party of a file; of the examples with several keys, of the first. An RSA key that
 * names no alg is for RS256 here. */
static struct relying *relying_of(const json_t *file)
{
	const json_t *key = json_object_get(json_object_get(file, "input"), "key");

	if (json_is_array(key))
		key = json_array_get(key, 0);
	assert_non_null(key);
	return jwk_relying(key, RELYING_ALL & ~(1u << JWS_PS256));
}

/* A serialisation as one would send it; the caller frees it. */
static char *form_text(const json_t *file, const char *form)
{
	const json_t *value = json_object_get(json_object_get(file, "output"), form);

	assert_non_null(value);
	return json_is_string(value) ? strdup(json_string_value(value))
				     : json_dumps(value, JSON_COMPACT);
}

TEST(jose, the_layer_accepts_compact_examples_by_algorithms_of_ours_and_no_other)
{
	for (size_t i = 0; i < COUNT(examples); i++) {
		const struct example *e = &examples[i];
		json_t *file = file_load(e->file);
		struct relying *relying = relying_of(file);
		char *text = form_text(file, e->form);
		enum gw_err err = relying_jws(relying, span_text(text));

		if (err != e->err)
			fail_msg("%s, %s (%s): %s", e->file, e->form, e->why, gw_err_name(err));
		free(text);
		relying_free(relying);
		json_decref(file);
	}
}

TEST(jose, each_serialisation_of_a_file_has_a_row)
{
	const char *name = NULL, *form;
	size_t forms = 0;
	json_t *value;

	for (size_t i = 0; i < COUNT(examples); i++) {
		json_t *file;

		if (name != NULL && strcmp(name, examples[i].file) == 0)
			continue;
		name = examples[i].file;
		file = file_load(name);
		json_object_foreach(json_object_get(file, "output"), form, value) forms++;
		json_decref(file);
	}
	EXPECT_EQ(COUNT(examples), forms);
}

TEST(jose, the_pipeline_wants_claims_where_the_examples_have_prose)
{
	for (size_t i = 0; i < COUNT(examples); i++) {
		json_t *file = file_load(examples[i].file);
		struct relying *relying = relying_of(file);
		char *text = form_text(file, examples[i].form);
		enum gw_err expected = examples[i].err == GW_OK ? GW_TOKEN_JSON : examples[i].err;

		EXPECT_EQ(expected, relying_whole(relying, span_text(text), NOW));
		free(text);
		relying_free(relying);
		json_decref(file);
	}
}

TEST(jose, an_accepted_example_is_refused_with_any_bit_of_its_signature_flipped)
{
	static const char *const accepted[] = {"jws/4_1.rsa_v15_signature", "curve25519/jws"};

	for (size_t i = 0; i < COUNT(accepted); i++) {
		json_t *file = file_load(accepted[i]);
		struct relying *relying = relying_of(file);
		char *text = form_text(file, "compact"), *end = text + strlen(text);

		for (char *at = strrchr(text, '.') + 1; at < end; at++)
			for (int bit = 1; bit < 0x100; bit <<= 1) {
				*at = (char)(*at ^ bit);
				EXPECT(relying_jws(relying, span_of((uint8_t *)text,
								    (uint32_t)(end - text))) !=
				       GW_OK);
				*at = (char)(*at ^ bit);
			}
		EXPECT_EQ(GW_OK, relying_jws(relying, span_text(text)));
		free(text);
		relying_free(relying);
		json_decref(file);
	}
}

TEST(jose, keys_are_read_or_left_out_as_listed)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		json_t *key = file_load(keys[i].file);
		struct relying *relying = jwk_relying(key, RELYING_ALL & ~(1u << JWS_PS256));
		bool private = json_object_get(key, "d") != NULL;

		EXPECT_EQ(keys[i].left_out == NULL, relying_keys(relying));
		EXPECT(keys[i].left_out == NULL || relying_complains(relying, keys[i].left_out));
		EXPECT_EQ(private, relying_complains(relying, "is a private key"));
		relying_free(relying);
		json_decref(key);
	}
}

TEST_MAIN("jose", RUN(jose, the_layer_accepts_compact_examples_by_algorithms_of_ours_and_no_other),
	  RUN(jose, each_serialisation_of_a_file_has_a_row),
	  RUN(jose, the_pipeline_wants_claims_where_the_examples_have_prose),
	  RUN(jose, an_accepted_example_is_refused_with_any_bit_of_its_signature_flipped),
	  RUN(jose, keys_are_read_or_left_out_as_listed))
