/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <jwt.h>
#include <stdio.h>
#include <unistd.h>

#include "base64url.h"
#include "control/keys.h"
#include "test.h"
#include "world.h"

/*
 * The checklist of PROTOCOL 12.1 (RFC 8725, and what went wrong in the field), a test for each box,
 * in its order. Signatures by others are made by hand here.
 */

#define KEYLESS_PAYLOAD "{\"iss\":\"https://keyless.example.com\"," AUD "," IDENTITIES "," TIMES "}"

/* Writes header "." payload to token, and gives that text. */
static struct span begin(const char *header, const char *payload, struct writer *out)
{
	writer_init(out, token.text, sizeof(token.text));
	base64url_write(out, span_text(header));
	writer_u8(out, '.');
	base64url_write(out, span_text(payload));
	return writer_span(out);
}

static struct span end(struct writer *out, struct span signature)
{
	writer_u8(out, '.');
	base64url_write(out, signature);
	EXPECT(writer_ok(out));
	token.len = writer_len(out);
	return token_span();
}

/* The signature of the good token, with its bytes; it is 64 long. */
static void good_signature(uint8_t signature[VERIFY_SIGNATURE_MAX])
{
	struct span parts[3];
	uint32_t len;

	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	token_parts(parts);
	EXPECT_EQ(BASE64URL_OK, base64url_read(parts[2], signature, VERIFY_SIGNATURE_MAX, &len));
	EXPECT_EQ(64, len);
}

static enum gw_err outcome_signed_with(const uint8_t *signature, uint32_t len)
{
	struct writer out;

	(void)begin(GOOD_HEADER, GOOD_PAYLOAD, &out);
	return outcome(end(&out, span_of(signature, len)), SHOP);
}

/* ---- box 1 ---- */

TEST(checklist, an_issuer_and_a_key_have_their_algorithms_and_the_token_does_not_choose)
{
	static const char *const names[] = {"ES384", "RS256", "PS256", "EdDSA"};
	char header[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"waf-1\"}", names[i]);
		issuers[0].algorithms = ES256_ONLY; /* not of the issuer */
		EXPECT_EQ(GW_TOKEN_ALG, header_outcome(header));
		issuers[0].algorithms = (1u << JWS_ALG_COUNT) - 1; /* not of the key */
		EXPECT_EQ(GW_TOKEN_ALG, header_outcome(header));
		EXPECT_EQ(GW_OK, header_outcome(GOOD_HEADER));
	}
	issuers[0].algorithms = ES256_ONLY;
}

/* ---- box 2 ---- */

TEST(checklist, none_and_empty_signatures_are_refused)
{
	static const char *const names[] = {"none", "None", "NONE", "nOnE"};
	struct span parts[3];
	char header[64];
	struct writer out;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);
		(void)begin(header, GOOD_PAYLOAD, &out);
		EXPECT_EQ(GW_TOKEN_ALG, outcome(end(&out, SPAN("")), SHOP));
		EXPECT_EQ(GW_TOKEN_ALG, header_outcome(header));
	}
	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	token_parts(parts);
	token.len -= parts[2].len;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome(token_span(), SHOP));
}

/* The public half as a file has it. */
static uint32_t public_pem(EVP_PKEY *key, char *pem, uint32_t room)
{
	BIO *out = BIO_new(BIO_s_mem());
	int len;

	EXPECT_EQ(1, PEM_write_bio_PUBKEY(out, key));
	len = BIO_read(out, pem, (int)room);
	EXPECT(len > 0 && (uint32_t)len < room);
	BIO_free(out);
	return (uint32_t)len;
}

TEST(checklist, hmac_under_the_public_rsa_key_is_refused)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	uint8_t mac[32];
	struct writer out;
	char pem[2048];
	uint32_t pem_len = public_pem(rsa, pem, sizeof(pem));
	struct span text = begin("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", KEYLESS_PAYLOAD, &out);
	size_t mac_len;
	jwt_t *jwt;

	EXPECT(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, pem, pem_len, text.at, text.len, mac,
			 sizeof(mac), &mac_len) != NULL);
	(void)end(&out, span_of(mac, sizeof(mac)));
	token.text[token.len] = '\0';
	/* The attack works on who lets the token choose: libjwt, asked with the public key. */
	EXPECT_EQ(0, jwt_decode(&jwt, (const char *)token.text, (const unsigned char *)pem,
				(int)pem_len));
	jwt_free(jwt);
	issuers[2].algorithms = 1u << JWS_RS256;
	EXPECT_EQ(GW_TOKEN_ALG, outcome(token_span(), SHOP));
	issuers[2].algorithms = ES256_ONLY;
	EVP_PKEY_free(rsa);
}

/* ---- box 3 ---- */

TEST(checklist, exp_must_be_there_and_is_checked_by_us)
{
	EXPECT_EQ(GW_TOKEN_EXPIRED,
		  payload_outcome("{" ISS "," AUD "," IDENTITIES ",\"iat\":1795167000}"));
	EXPECT_EQ(GW_TOKEN_EXPIRED, payload_outcome("{" ISS "," AUD "," IDENTITIES
						    ",\"iat\":1795160000,\"exp\":1795161000}"));
}

/* ---- box 4 ---- */

TEST(checklist, a_token_of_one_issuer_under_the_key_of_another_is_refused)
{
	EXPECT_EQ(GW_TOKEN_SIGNATURE, signed_outcome(1, GOOD_HEADER, GOOD_PAYLOAD, SHOP));
	EXPECT_EQ(GW_TOKEN_KID,
		  signed_outcome(1, "{\"alg\":\"ES256\",\"kid\":\"two-a\"}", GOOD_PAYLOAD, SHOP));
}

TEST(checklist, a_token_for_another_audience_or_none_is_refused)
{
	EXPECT_EQ(GW_TOKEN_AUD, payload_outcome("{" ISS ",\"aud\":\"sip:ep2.home1.net\"," IDENTITIES
						"," TIMES "}"));
	EXPECT_EQ(GW_TOKEN_AUD, payload_outcome("{" ISS "," IDENTITIES "," TIMES "}"));
}

/* ---- box 5 ---- */

TEST(checklist, every_other_type_of_token_is_refused)
{
	static const char *const types[] = {"logout+jwt",      "dpop+jwt",
					    "secevent+jwt",    "rt+jwt",
					    "kb+jwt",	       "JWS",
					    "application/jwk", "openid4vci-proof+jwt"};
	char header[128];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snprintf(header, sizeof(header), "{\"typ\":\"%s\",\"alg\":\"ES256\"}", types[i]);
		EXPECT_EQ(GW_TOKEN_TYP, header_outcome(header));
	}
}

TEST(checklist, id_and_refresh_tokens_are_refused_by_their_audience)
{
	const char *header = "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"kid\":\"waf-1\"}";

	/* OpenID Connect Core 2: aud is the client. A refresh token is for its issuer. */
	EXPECT_EQ(GW_TOKEN_AUD,
		  signed_outcome(0, header,
				 "{" ISS
				 ",\"aud\":\"app\",\"azp\":\"app\",\"nonce\":\"n\"," IDENTITIES
				 "," TIMES "}",
				 SHOP));
	EXPECT_EQ(GW_TOKEN_AUD,
		  signed_outcome(0, header,
				 "{" ISS ",\"aud\":\"https://waf.example.com\"," IDENTITIES
				 "," TIMES "}",
				 SHOP));
}

/* ---- box 6 ---- */

TEST(checklist, keys_that_a_token_brings_or_points_at_are_not_looked_at)
{
	static const char *const headers[] = {
		"{\"alg\":\"ES256\",\"jku\":\"http://127.0.0.1:9/\"}",
		"{\"alg\":\"ES256\",\"x5u\":\"file:///etc/passwd\"}",
		"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
		"{\"alg\":\"ES256\",\"x5c\":[\"AAAA\"],\"x5t\":7}",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		EXPECT_EQ(GW_OK, header_outcome(headers[i])); /* by our key, whatever they say */
		EXPECT_EQ(GW_TOKEN_SIGNATURE, signed_outcome(1, headers[i], GOOD_PAYLOAD, SHOP));
	}
}

TEST(checklist, kid_is_compared_and_nothing_else)
{
	static const char *const kids[] = {"../../dev/null", "' OR '1'='1", "waf-1\\u0000",
					   "waf-1 ",	     "/etc/passwd", "waf-*"};
	char header[128];

	for (size_t i = 0; i < sizeof(kids) / sizeof(kids[0]); i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kids[i]);
		EXPECT_EQ(GW_TOKEN_KID, header_outcome(header));
	}
}

/* ---- box 7 ---- */

TEST(checklist, es256_signatures_are_64_bytes_and_nothing_else)
{
	uint8_t signature[VERIFY_SIGNATURE_MAX] = {0};

	good_signature(signature);
	EXPECT_EQ(GW_OK, outcome_signed_with(signature, 64));
	for (uint32_t len = 1; len < 130; len++)
		if (len != 64)
			EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome_signed_with(signature, len));
}

TEST(checklist, r_and_s_lie_in_their_range)
{
	/* n of P-256 (SEC 2 2.4.2), and n + 1 by its last byte */
	static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					  0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
					  0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
	uint8_t good[VERIFY_SIGNATURE_MAX], bad[64];

	good_signature(good);
	for (uint32_t half = 0; half < 64; half += 32) {
		memcpy(bad, good, sizeof(bad));
		memset(bad + half, 0, 32);
		EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome_signed_with(bad, 64));
		memcpy(bad + half, order, 32);
		EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome_signed_with(bad, 64));
		bad[half + 31]++;
		EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome_signed_with(bad, 64));
		memset(bad + half, 0xff, 32);
		EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome_signed_with(bad, 64));
	}
	memset(bad, 0, sizeof(bad)); /* CVE-2022-21449 */
	EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome_signed_with(bad, 64));
}

/* Adds the order of the group (RFC 8032 5.1) to S: another signature of the same text, for whoever
 * does not look. */
static void malleate(uint8_t s[32])
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a,	      0x63,
					  0x12, 0x58, 0xd6, 0x9c, 0xf7,	      0xa2,
					  0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	uint32_t carry = 0;

	for (uint32_t i = 0; i < 32; i++) {
		carry += (uint32_t)s[i] + order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
	EXPECT_EQ(0, carry);
}

TEST(checklist, ed25519_is_strict)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(key_rows[0].key.material), signature_len = 64;
	struct key_row before = key_rows[0];
	uint8_t signature[64];
	struct span text;
	struct writer out;

	key_rows[0].key = (struct verify_key){.alg = JWS_EDDSA, .id = 90, .len = 32};
	EXPECT_EQ(1, EVP_PKEY_get_raw_public_key(key, key_rows[0].key.material, &len));
	issuers[0].algorithms = 1u << JWS_EDDSA;
	text = begin("{\"alg\":\"EdDSA\"}", GOOD_PAYLOAD, &out);
	EXPECT_EQ(1, EVP_DigestSignInit(ctx, NULL, NULL, NULL, key));
	EXPECT_EQ(1, EVP_DigestSign(ctx, signature, &signature_len, text.at, text.len));
	EXPECT_EQ(GW_OK, outcome(end(&out, span_of(signature, 64)), SHOP));
	malleate(signature + 32);
	(void)begin("{\"alg\":\"EdDSA\"}", GOOD_PAYLOAD, &out);
	EXPECT_EQ(GW_TOKEN_SIGNATURE, outcome(end(&out, span_of(signature, 64)), SHOP));
	issuers[0].algorithms = ES256_ONLY;
	key_rows[0] = before;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

/* How many keys of a set with this one are used. */
static uint32_t keys_used(const char *jwk)
{
	char path[] = "/tmp/wicgate-checklist-XXXXXX";
	struct keys_source source = {.path = path,
				     .file = "f",
				     .line = 1,
				     .algorithms = (1u << JWS_ALG_COUNT) - 1};
	struct problems *problems = problems_new();
	struct arena *arena = arena_new();
	struct key_list list = {0};
	int fd = mkstemp(path);
	uint32_t count;

	EXPECT(fd >= 0);
	EXPECT(dprintf(fd, "{\"keys\":[%s]}", jwk) > 0);
	close(fd);
	keys_load(&source, arena, &list, problems);
	count = list.count;
	unlink(path);
	arena_free(arena);
	problems_free(problems);
	return count;
}

/* Keys of an RSA modulus of so many bytes, all its bits set, and that exponent. */
static uint32_t rsa_used(uint32_t bytes, const char *e)
{
	uint8_t modulus[512], text[1024];
	char jwk[1200];
	struct writer out;

	memset(modulus, 0xff, sizeof(modulus));
	writer_init(&out, text, sizeof(text));
	base64url_write(&out, span_of(modulus, bytes));
	snprintf(jwk, sizeof(jwk),
		 "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"%.*s\",\"e\":\"%s\"}",
		 (int)writer_len(&out), (const char *)text, e);
	return keys_used(jwk);
}

TEST(checklist, points_lie_on_their_curve_and_rsa_keys_are_strong)
{
	/* RFC 7515 appendix A.3 */
#define POINT(y) \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"" y "\"}"
	EXPECT_EQ(1, keys_used(POINT("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")));
	EXPECT_EQ(0, keys_used(POINT("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4")));
	EXPECT_EQ(0, keys_used(POINT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
	EXPECT_EQ(1, rsa_used(256, "AQAB"));
	EXPECT_EQ(0, rsa_used(255, "AQAB"));
	EXPECT_EQ(0, rsa_used(128, "AQAB"));
	EXPECT_EQ(0, rsa_used(256, "Aw"));
	EXPECT_EQ(0, rsa_used(256, "AQAA"));
}

/* ---- box 8 ---- */

TEST(checklist, utf8_base64url_and_json_have_one_reading)
{
	struct span signature = SPAN("AAAA");

	/* "e30" is {}: its last two bits say nothing and have to be zero */
	mint_join(SPAN("eyJhbGciOiJFUzI1NiJ9"), SPAN("e31"), signature, &token);
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
	mint_join(SPAN("eyJhbGciOiJFUzI1NiJ9="), SPAN("e30"), signature, &token);
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
	mint_join(SPAN("eyJhbGciOiJFUzI1NiJ9"), SPAN("e30"), SPAN("AA+/"), &token);
	EXPECT_EQ(GW_TOKEN_MALFORMED, outcome(token_span(), SHOP));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome("{" ISS ",\"sub\":\"\xc0\x80\"}"));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome("{" ISS ",\"sub\":\"\\ud800\"}"));
	EXPECT_EQ(GW_TOKEN_JSON, payload_outcome("{" ISS "," AUD "," AUD "}"));
	EXPECT_EQ(GW_TOKEN_JSON, header_outcome("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}"));
}

/* ---- box 9: JWE is not enabled ---- */

TEST(checklist, encrypted_tokens_are_refused)
{
	/* RFC 7516 3.3, its shape: five parts, the second one may be empty */
	EXPECT_EQ(GW_TOKEN_MALFORMED,
		  outcome(SPAN("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.YQ.YQ.YQ.YQ"),
			  SHOP));
	EXPECT_EQ(GW_TOKEN_MALFORMED,
		  outcome(SPAN("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..YQ.YQ.YQ"), SHOP));
	EXPECT_EQ(GW_TOKEN_ALG, header_outcome("{\"alg\":\"RSA1_5\",\"enc\":\"A128GCM\"}"));
}

/* ---- box 10 ---- */

TEST(checklist, no_claim_is_used_before_the_signature_was_checked)
{
	/* Everything is wrong with them; what is told is the signature. */
	EXPECT_EQ(GW_TOKEN_SIGNATURE,
		  signed_outcome(1, "{\"typ\":\"x\",\"alg\":\"ES256\"}",
				 "{" ISS ",\"aud\":\"x\",\"exp\":1,\"scn\":\"pool\"}", SHOP));
	EXPECT_EQ(GW_TOKEN_SIGNATURE, signed_outcome(1, GOOD_HEADER, "{" ISS "}", TOYS));
}

/* ---- box 11; the binding's timer: tests/unit/gateway ---- */

TEST(checklist, a_token_that_was_verified_before_is_judged_each_time)
{
	struct token_use use = {.config = &config,
				.wwsf = SHOP,
				.method = SIP_REGISTER,
				.now_s = NOW};
	struct token_cache *cache = token_cache_new(1);
	struct token_digest digest;
	struct token_claims known;

	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	digest = token_digest(token_span());
	token_cache_put(cache, &digest, &config, &keys, &claims);
	EXPECT(token_cache_find(cache, &digest, &config, &keys, &known));
	EXPECT_EQ(GW_OK, token_judge(&known, &use));
	use.now_s = claims.exp_s + 30;
	EXPECT(token_cache_find(cache, &digest, &config, &keys, &known));
	EXPECT_EQ(GW_TOKEN_EXPIRED, token_judge(&known, &use));
	use.now_s = NOW;
	use.wwsf = TOYS;
	EXPECT_EQ(GW_TOKEN_WWSF, token_judge(&known, &use));
	token_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(checklist,
		    an_issuer_and_a_key_have_their_algorithms_and_the_token_does_not_choose),
		RUN(checklist, none_and_empty_signatures_are_refused),
		RUN(checklist, hmac_under_the_public_rsa_key_is_refused),
		RUN(checklist, exp_must_be_there_and_is_checked_by_us),
		RUN(checklist, a_token_of_one_issuer_under_the_key_of_another_is_refused),
		RUN(checklist, a_token_for_another_audience_or_none_is_refused),
		RUN(checklist, every_other_type_of_token_is_refused),
		RUN(checklist, id_and_refresh_tokens_are_refused_by_their_audience),
		RUN(checklist, keys_that_a_token_brings_or_points_at_are_not_looked_at),
		RUN(checklist, kid_is_compared_and_nothing_else),
		RUN(checklist, es256_signatures_are_64_bytes_and_nothing_else),
		RUN(checklist, r_and_s_lie_in_their_range),
		RUN(checklist, ed25519_is_strict),
		RUN(checklist, points_lie_on_their_curve_and_rsa_keys_are_strong),
		RUN(checklist, utf8_base64url_and_json_have_one_reading),
		RUN(checklist, encrypted_tokens_are_refused),
		RUN(checklist, no_claim_is_used_before_the_signature_was_checked),
		RUN(checklist, a_token_that_was_verified_before_is_judged_each_time),
	};

	return cmocka_run_group_tests_name("PROTOCOL 12.1", tests, world_open, world_close);
}
