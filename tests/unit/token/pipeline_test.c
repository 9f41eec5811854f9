/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/bio.h>
#include <openssl/pem.h>

#include <jwt.h>
#include <stdio.h>

#include "test.h"
#include "world.h"

/* Reading a token and its signature: PROTOCOL 3.5 steps 1 to 8. */

/* ---- accepted ---- */

TEST(token, of_an_issuer_for_us_is_good)
{
	EXPECT_EQ(GW_OK, signed_outcome(0, GOOD_HEADER, GOOD_PAYLOAD, SHOP));
	EXPECT_EQ(0, claims.issuer);
	EXPECT_EQ(0, claims.key);
	EXPECT_EQ(JWS_ES256, claims.alg);
	EXPECT_SPAN("waf-1", claims.kid);
	EXPECT_SPAN("https://waf.example.com", claims.iss);
	EXPECT_SPAN("anon-7f3c", claims.sub);
	EXPECT_SPAN("a@ims.home1.net", claims.impi);
	EXPECT_EQ(1, claims.impu_count);
	EXPECT_SPAN("sip:a@home1.net", claims.impu[0]);
	EXPECT_EQ(1795170600, claims.exp_s);
}

TEST(token, may_list_audiences_and_public_identities)
{
	EXPECT_EQ(GW_OK,
		  payload_outcome("{" ISS ",\"aud\":[\"x\",\"sip:ep1.home1.net\"],\"sub\":\"s\","
				  "\"impi\":\"a@b.c\",\"impu\":[\"sip:a@b\",\"tel:+1\"]," TIMES
				  "}"));
	EXPECT_EQ(2, claims.impu_count);
	EXPECT_SPAN("tel:+1", claims.impu[1]);
}

TEST(token, may_escape_what_it_says)
{
	EXPECT_EQ(GW_OK, payload_outcome(
				 "{\"\\u0069ss\":\"https:\\/\\/waf.example.com\","
				 "\"aud\":\"sip:ep1.home1.n\\u0065t\",\"sub\":\"\\u20ac\","
				 "\"impi\":\"\\u0061@b.c\",\"impu\":\"sip:a\\u0040b\"," TIMES "}"));
	EXPECT_SPAN("\xe2\x82\xac", claims.sub);
	EXPECT_SPAN("a@b.c", claims.impi);
	EXPECT_SPAN("sip:a@b", claims.impu[0]);
}

TEST(token, may_have_fractional_dates)
{
	EXPECT_EQ(GW_OK, payload_outcome("{" ISS "," AUD "," IDENTITIES
					 ",\"iat\":1795167000.25,\"exp\":1.7951706009e9}"));
	EXPECT_EQ(1795167000, claims.iat_s);
	EXPECT_EQ(1795170600, claims.exp_s);
}

TEST(token, may_leave_out_kid_where_the_issuer_has_one_key)
{
	EXPECT_EQ(GW_OK, header_outcome("{\"typ\":\"at+jwt\",\"alg\":\"ES256\"}"));
}

TEST(token, made_by_libjwt_is_good)
{
	BIO *pem = BIO_new(BIO_s_mem());
	jwt_t *jwt;
	char *bytes, *text;
	long len;

	EXPECT_EQ(1,
		  PEM_write_bio_PKCS8PrivateKey(pem, private_keys[0], NULL, NULL, 0, NULL, NULL));
	len = BIO_get_mem_data(pem, &bytes);
	EXPECT_EQ(0, jwt_new(&jwt));
	EXPECT_EQ(0, jwt_add_header(jwt, "kid", "waf-1"));
	EXPECT_EQ(0, jwt_add_grants_json(jwt, GOOD_PAYLOAD));
	EXPECT_EQ(0, jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)bytes, (int)len));
	text = jwt_encode_str(jwt);
	assert_non_null(text);
	EXPECT_EQ(GW_OK, outcome(span_text(text), SHOP));
	EXPECT_SPAN("JWT", claims.typ);
	free(text);
	jwt_free(jwt);
	BIO_free(pem);
}

/* ---- F04, F05: not a token ---- */

TEST(token, f04_without_three_parts_is_malformed)
{
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(SPAN(""), SHOP));
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(SPAN("abc"), SHOP));
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(SPAN("YQ.YQ"), SHOP));
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(SPAN("YQ.YQ.YQ.YQ"), SHOP));
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(SPAN("YQ.YQ.YQ.YQ.YQ"), SHOP));
}

TEST(token, f04_with_padding_or_white_space_is_malformed)
{
	struct span good = SPAN("eyJhbGciOiJFUzI1NiJ9"), signature = SPAN("AAAA");

	mint_join(SPAN("eyJhbGciOiJFUzI1NiJ9="), SPAN("e30"), signature, &token);
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
	mint_join(good, SPAN("e30="), signature, &token);
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
	mint_join(good, SPAN("e30"), SPAN("AAA="), &token);
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
	mint_join(good, SPAN(" e30"), signature, &token);
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
}

TEST(token, f04_longer_than_configured_is_malformed)
{
	EXPECT_EQ(GW_OK, signed_outcome(0, GOOD_HEADER, GOOD_PAYLOAD, SHOP));
	config.max_token_bytes = token.len;
	EXPECT_EQ(GW_OK, outcome(token_span(), SHOP));
	config.max_token_bytes = token.len - 1;
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
	config.max_token_bytes = VERIFY_TEXT_MAX;
}

TEST(token, f04_longer_than_any_job_is_malformed)
{
	static uint8_t payload[VERIFY_TEXT_MAX];

	memset(payload, ' ', sizeof(payload));
	config.max_token_bytes = UINT32_MAX;
	mint(private_keys[0], SPAN(GOOD_HEADER), span_of(payload, sizeof(payload)), &token);
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
	config.max_token_bytes = VERIFY_TEXT_MAX;
}

TEST(token, cut_at_any_byte_is_refused)
{
	EXPECT_EQ(GW_OK, signed_outcome(0, GOOD_HEADER, GOOD_PAYLOAD, SHOP));
	for (uint32_t n = 0; n < token.len; n++)
		EXPECT(outcome(span_cut(token_span(), 0, n), SHOP) != GW_OK);
	for (uint32_t n = 1; n < token.len; n++)
		EXPECT(outcome(span_from(token_span(), n), SHOP) != GW_OK);
}

TEST(token, with_any_bit_flipped_is_refused)
{
	EXPECT_EQ(GW_OK, signed_outcome(0, GOOD_HEADER, GOOD_PAYLOAD, SHOP));
	for (uint32_t n = 0; n < token.len; n++) {
		uint8_t before = token.text[n];

		token.text[n] ^= (uint8_t)(1u << n % 8);
		EXPECT(outcome(token_span(), SHOP) != GW_OK);
		token.text[n] = before;
	}
}

TEST(token, f05_whose_header_is_not_strict_json_is_refused)
{
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":\"ES256\""));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("[\"ES256\"]"));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":\"ES256\",\"alg\":\"ES256\"}"));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}"));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":\"ES256\",\"kid\":7}"));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":[\"ES256\"]}"));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":\"ES256\",\"typ\":null}"));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":\"ES256\",\"x\":\"\xff\"}"));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":\"ES256\",\"x\":[[[[[[[[1]]]]]]]]}"));
}

TEST(token, f05_whose_payload_is_not_strict_json_is_refused)
{
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome(""));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome("\"iss\""));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome(GOOD_PAYLOAD "x"));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome("{" ISS "," ISS "," AUD "}"));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome("{" ISS ",\"x\":{\"y\":1,\"y\":1}}"));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome("{" ISS ",\"sub\":\"\xc0\xaf\"}"));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome("{" ISS ",\"exp\":1e400}"));
}

/* ---- F06 to F10: the header ---- */

TEST(token, f06_of_another_type_is_refused)
{
	static const char *const foreign[] = {"logout+jwt", "dpop+jwt",	    "secevent+jwt",
					      "",	    "application/", "at+jwt ",
					      "JW",	    "text/at+jwt"};
	char header[128];

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		snprintf(header, sizeof(header), "{\"typ\":\"%s\",\"alg\":\"ES256\"}", foreign[i]);
		EXPECT_EQ(GW_TOKEN_TYP, header_outcome(header));
	}
}

TEST(token, f06_type_is_compared_without_case_and_application_prefix)
{
	EXPECT_EQ(GW_OK, header_outcome("{\"typ\":\"AT+JWT\",\"alg\":\"ES256\"}"));
	EXPECT_EQ(GW_OK, header_outcome("{\"typ\":\"Application/at+jwt\",\"alg\":\"ES256\"}"));
	EXPECT_EQ(GW_OK, header_outcome("{\"typ\":\"jwt\",\"alg\":\"ES256\"}"));
}

TEST(token, f06_without_type_counts_as_jwt)
{
	EXPECT_EQ(GW_OK, header_outcome("{\"alg\":\"ES256\"}"));
	issuers[0].typ_count = 1; /* at+jwt alone */
	EXPECT_EQ(GW_TOKEN_TYP, header_outcome("{\"alg\":\"ES256\"}"));
	EXPECT_EQ(GW_TOKEN_TYP, header_outcome("{\"typ\":\"JWT\",\"alg\":\"ES256\"}"));
	EXPECT_EQ(GW_OK, header_outcome("{\"typ\":\"at+jwt\",\"alg\":\"ES256\"}"));
	issuers[0].typ_count = 2;
}

TEST(token, f07_with_none_or_an_unknown_algorithm_is_refused)
{
	static const char *const names[] = {"none",  "None",   "HS256", "es256",
					    "ES512", "ES256 ", ""};
	char header[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);
		EXPECT_EQ(GW_TOKEN_ALG, header_outcome(header));
	}
	EXPECT_EQ(GW_TOKEN_ALG, header_outcome("{\"typ\":\"at+jwt\"}"));
}

TEST(token, f07_with_none_is_refused_before_its_payload_is_read)
{
	EXPECT_EQ(GW_TOKEN_ALG, signed_outcome(0, "{\"alg\":\"none\"}", "junk", SHOP));
}

TEST(token, f07_with_an_algorithm_the_issuer_does_not_use_is_refused)
{
	static const char *const names[] = {"ES384", "RS256", "PS256", "EdDSA"};
	char header[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);
		EXPECT_EQ(GW_TOKEN_ALG, header_outcome(header));
	}
	issuers[0].algorithms = 1u << JWS_PS256;
	EXPECT_EQ(GW_TOKEN_ALG, header_outcome(GOOD_HEADER));
	issuers[0].algorithms = ES256_ONLY;
}

TEST(token, f07_with_an_algorithm_the_key_is_not_for_is_refused)
{
	issuers[0].algorithms = ES256_ONLY | 1u << JWS_RS256;
	EXPECT_EQ(GW_TOKEN_ALG, header_outcome("{\"alg\":\"RS256\",\"kid\":\"waf-1\"}"));
	EXPECT_EQ(GW_TOKEN_ALG, header_outcome("{\"alg\":\"RS256\"}"));
	issuers[0].algorithms = ES256_ONLY;
}

TEST(token, f08_with_critical_extensions_is_refused)
{
	EXPECT_EQ(GW_TOKEN_CRIT,
		  header_outcome("{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":true}"));
	EXPECT_EQ(GW_TOKEN_CRIT, header_outcome("{\"alg\":\"ES256\",\"crit\":[]}"));
	EXPECT_EQ(GW_TOKEN_CRIT, header_outcome("{\"alg\":\"ES256\",\"crit\":null}"));
}

TEST(token, f09_of_an_unknown_issuer_is_refused)
{
	EXPECT_EQ(GW_TOKEN_ISS, payload_outcome("{\"iss\":\"https://evil.example\"}"));
	EXPECT_EQ(GW_TOKEN_ISS, payload_outcome("{\"iss\":\"https://waf.example.com/\"}"));
	EXPECT_EQ(GW_TOKEN_ISS, payload_outcome("{\"iss\":\"https://WAF.example.com\"}"));
	EXPECT_EQ(GW_TOKEN_ISS, payload_outcome("{\"iss\":[\"https://waf.example.com\"]}"));
	EXPECT_EQ(GW_TOKEN_ISS, payload_outcome("{\"x\":{" ISS "}}"));
	EXPECT_EQ(GW_TOKEN_ISS, payload_outcome("{}"));
}

TEST(token, f10_of_an_unknown_key_is_refused)
{
	EXPECT_EQ(GW_TOKEN_KID, header_outcome("{\"alg\":\"ES256\",\"kid\":\"waf-2\"}"));
	EXPECT_EQ(GW_TOKEN_KID, header_outcome("{\"alg\":\"ES256\",\"kid\":\"WAF-1\"}"));
	EXPECT_EQ(GW_TOKEN_KID, header_outcome("{\"alg\":\"ES256\",\"kid\":\"\"}"));
	EXPECT_EQ(GW_TOKEN_KID, header_outcome("{\"alg\":\"ES256\",\"kid\":\"two-a\"}"));
}

TEST(token, f10_with_an_empty_kid_does_not_name_the_key_without_one)
{
	key_rows[0].kid = SPAN("");
	EXPECT_EQ(GW_OK, header_outcome("{\"alg\":\"ES256\"}"));
	EXPECT_EQ(GW_TOKEN_KID, header_outcome("{\"alg\":\"ES256\",\"kid\":\"\"}"));
	key_rows[0].kid = SPAN("waf-1");
}

TEST(token, f10_with_a_kid_longer_than_256_bytes_is_refused)
{
	char header[400], kid[258];

	memset(kid, 'k', 257);
	kid[257] = '\0';
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
	key_rows[0].kid = span_text(kid);
	EXPECT_EQ(GW_TOKEN_KID, header_outcome(header));
	kid[256] = '\0';
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
	key_rows[0].kid = span_text(kid);
	EXPECT_EQ(GW_OK, header_outcome(header));
	key_rows[0].kid = SPAN("waf-1");
}

TEST(token, f10_without_kid_is_refused_where_the_issuer_has_several_keys)
{
	EXPECT_EQ(GW_TOKEN_KID, signed_outcome(1, "{\"alg\":\"ES256\"}",
					       TWO_PAYLOAD(",\"wwsf\":\"toys\""), TOYS));
	EXPECT_EQ(GW_OK, signed_outcome(1, "{\"alg\":\"ES256\",\"kid\":\"two-a\"}",
					TWO_PAYLOAD(",\"wwsf\":\"toys\""), TOYS));
	EXPECT_EQ(GW_OK, signed_outcome(2, "{\"alg\":\"ES256\",\"kid\":\"two-b\"}",
					TWO_PAYLOAD(",\"wwsf\":\"toys\""), TOYS));
}

TEST(token, f11_of_an_issuer_without_keys_waits_for_them)
{
	EXPECT_EQ(GW_TOKEN_KEYS_DOWN, payload_outcome("{\"iss\":\"https://keyless.example.com\"}"));
}

TEST(token, f10_of_an_issuer_whose_keys_are_all_revoked_does_not_wait)
{
	struct key_issuer states[3] = {{.missing = false}, {.missing = false}, {.missing = false}};

	keys.issuer = states;
	keys.issuer_count = 3;
	EXPECT_EQ(GW_TOKEN_KID, payload_outcome("{\"iss\":\"https://keyless.example.com\"}"));
	states[2].missing = true;
	EXPECT_EQ(GW_TOKEN_KEYS_DOWN, payload_outcome("{\"iss\":\"https://keyless.example.com\"}"));
	keys.issuer = NULL;
	keys.issuer_count = 0;
}

TEST(token, in_which_all_is_wrong_is_refused_in_the_order_of_its_parts)
{
	/* Each row puts right what the one before was refused for. */
	static const struct {
		enum gw_err err;
		const char *header, *payload;
	} rows[] = {
		{GW_TOKEN_JSON, "{\"alg\":\"none\",\"crit\":[],\"kid\":7}", "junk"},
		{GW_TOKEN_CRIT, "{\"alg\":\"none\",\"crit\":[],\"kid\":\"x\"}", "junk"},
		{GW_TOKEN_ALG, "{\"alg\":\"none\",\"kid\":\"x\"}", "junk"},
		{GW_TOKEN_JSON, "{\"alg\":\"RS256\",\"kid\":\"x\"}", "junk"},
		{GW_TOKEN_ISS, "{\"alg\":\"RS256\",\"kid\":\"x\"}", "{\"iss\":\"x\"}"},
		{GW_TOKEN_ALG, "{\"alg\":\"RS256\",\"kid\":\"x\"}", "{" ISS "}"},
		{GW_TOKEN_KID, "{\"alg\":\"ES256\",\"kid\":\"x\"}", "{" ISS "}"},
		{GW_TOKEN_SIGNATURE, "{\"alg\":\"ES256\"}", "{" ISS "}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EXPECT_EQ(rows[i].err, signed_outcome(1, rows[i].header, rows[i].payload, SHOP));
}

/* ---- F12: the signature ---- */

TEST(token, f12_signed_by_another_key_is_refused)
{
	EXPECT_EQ(GW_TOKEN_SIGNATURE, signed_outcome(1, GOOD_HEADER, GOOD_PAYLOAD, SHOP));
}

TEST(token, f12_naming_another_key_of_its_issuer_is_refused)
{
	EXPECT_EQ(GW_TOKEN_SIGNATURE, signed_outcome(1, "{\"alg\":\"ES256\",\"kid\":\"two-b\"}",
						     TWO_PAYLOAD(",\"wwsf\":\"toys\""), TOYS));
}

TEST(token, f12_with_a_signature_of_another_payload_is_refused)
{
	static struct minted good, spliced;
	struct span parts[3], wanted[3];

	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	good = token;
	EXPECT_EQ(GW_OK, payload_outcome("{" ISS "," AUD "," IDENTITIES "," TIMES ",\"x\":1}"));
	token_parts(wanted);
	for (int i = 0; i < 2; i++)
		parts[i] = wanted[i];
	parts[2] = span_from(span_of(good.text, good.len), good.len - wanted[2].len);
	mint_join(parts[0], parts[1], parts[2], &spliced);
	EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome(span_of(spliced.text, spliced.len), SHOP));
}

TEST(token, f12_with_a_signature_of_the_wrong_length_is_refused)
{
	static struct minted cut;
	struct span parts[3];

	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	token_parts(parts);
	mint_join(parts[0], parts[1], SPAN("AAAA"), &cut);
	EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome(span_of(cut.text, cut.len), SHOP));
	mint_join(parts[0], parts[1], span_cut(parts[2], 0, 84), &cut);
	EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome(span_of(cut.text, cut.len), SHOP));
}

TEST(token, f12_with_a_signature_longer_than_any_is_refused)
{
	static struct minted longer;
	static uint8_t letters[800];
	struct span parts[3];

	memset(letters, 'A', sizeof(letters));
	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	token_parts(parts);
	mint_join(parts[0], parts[1], span_of(letters, sizeof(letters)), &longer);
	EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome(span_of(longer.text, longer.len), SHOP));
}

TEST(token, f12_comes_before_what_the_claims_say)
{
	EXPECT_EQ(GW_TOKEN_SIGNATURE,
		  signed_outcome(1, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}", "{" ISS "}", SHOP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(token, of_an_issuer_for_us_is_good),
		RUN(token, may_list_audiences_and_public_identities),
		RUN(token, may_escape_what_it_says),
		RUN(token, may_have_fractional_dates),
		RUN(token, may_leave_out_kid_where_the_issuer_has_one_key),
		RUN(token, made_by_libjwt_is_good),
		RUN(token, f04_without_three_parts_is_malformed),
		RUN(token, f04_with_padding_or_white_space_is_malformed),
		RUN(token, f04_longer_than_configured_is_malformed),
		RUN(token, f04_longer_than_any_job_is_malformed),
		RUN(token, cut_at_any_byte_is_refused),
		RUN(token, with_any_bit_flipped_is_refused),
		RUN(token, f05_whose_header_is_not_strict_json_is_refused),
		RUN(token, f05_whose_payload_is_not_strict_json_is_refused),
		RUN(token, f06_of_another_type_is_refused),
		RUN(token, f06_type_is_compared_without_case_and_application_prefix),
		RUN(token, f06_without_type_counts_as_jwt),
		RUN(token, f07_with_none_or_an_unknown_algorithm_is_refused),
		RUN(token, f07_with_none_is_refused_before_its_payload_is_read),
		RUN(token, f07_with_an_algorithm_the_issuer_does_not_use_is_refused),
		RUN(token, f07_with_an_algorithm_the_key_is_not_for_is_refused),
		RUN(token, f08_with_critical_extensions_is_refused),
		RUN(token, f09_of_an_unknown_issuer_is_refused),
		RUN(token, f10_of_an_unknown_key_is_refused),
		RUN(token, f10_with_an_empty_kid_does_not_name_the_key_without_one),
		RUN(token, f10_with_a_kid_longer_than_256_bytes_is_refused),
		RUN(token, f10_without_kid_is_refused_where_the_issuer_has_several_keys),
		RUN(token, f11_of_an_issuer_without_keys_waits_for_them),
		RUN(token, f10_of_an_issuer_whose_keys_are_all_revoked_does_not_wait),
		RUN(token, in_which_all_is_wrong_is_refused_in_the_order_of_its_parts),
		RUN(token, f12_signed_by_another_key_is_refused),
		RUN(token, f12_naming_another_key_of_its_issuer_is_refused),
		RUN(token, f12_with_a_signature_of_another_payload_is_refused),
		RUN(token, f12_with_a_signature_of_the_wrong_length_is_refused),
		RUN(token, f12_with_a_signature_longer_than_any_is_refused),
		RUN(token, f12_comes_before_what_the_claims_say),
	};

	return cmocka_run_group_tests_name("token", tests, world_open, world_close);
}
