/* SPDX-License-Identifier: BSD-3-Clause */
#include "mint.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "base64url.h"
#include "test.h"

/** A key in a file of its own; the caller frees and unlinks. */
static EVP_PKEY *key_in_file(char path[])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *file = fdopen(mkstemp(path), "w");

	EXPECT(file != NULL && key != NULL);
	EXPECT_EQ(1, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	return key;
}

/** The third part of a token, 64 bytes, is a signature of the other two. */
static bool signed_by(EVP_PKEY *key, struct span token)
{
	uint32_t first = span_find(token, '.');
	uint32_t second = first + 1 + span_find(span_from(token, first + 1), '.'), len = 0;
	uint8_t flat[64], *der = NULL;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool good;

	EXPECT_EQ(BASE64URL_OK,
		  base64url_read(span_from(token, second + 1), flat, sizeof(flat), &len));
	EXPECT_EQ(64, len);
	ECDSA_SIG_set0(sig, BN_bin2bn(flat, 32, NULL), BN_bin2bn(flat + 32, 32, NULL));
	len = (uint32_t)i2d_ECDSA_SIG(sig, &der);
	EVP_DigestVerifyInit(digest, NULL, EVP_sha256(), NULL, key);
	good = EVP_DigestVerify(digest, der, len, token.at, second) == 1;
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(digest);
	return good;
}

TEST(mint, signs_tokens_that_verify_every_time)
{
	char path[] = "/tmp/wicgate-mint-XXXXXX";
	EVP_PKEY *key = key_in_file(path);
	const struct options options = {.signing_key = path,
					.kid = "k",
					.issuer = "https://i",
					.audience = "sip:a"};
	const struct pair pair = {SPAN("a@d"), SPAN("sip:a@d")};
	struct mint_claims claims = {.sub = SPAN("a@d"),
				     .pair = &pair,
				     .jti = 7,
				     .iat_s = 1700000000,
				     .exp_s = 1700000600};
	struct mint *mint = mint_new(&options);
	uint8_t text[MINT_TOKEN_MAX];
	struct writer token;

	EXPECT(mint != NULL);
	for (claims.jti = 0; claims.jti < 300;
	     claims.jti++) { /* some R or S begin with a zero byte */
		writer_init(&token, text, sizeof(text));
		EXPECT(mint_write(mint, &claims, &token));
		EXPECT(signed_by(key, writer_span(&token)));
	}
	mint_free(mint);
	EVP_PKEY_free(key);
	unlink(path);
}

TEST(mint, writes_the_claims_of_the_profile)
{
	char path[] = "/tmp/wicgate-mint-XXXXXX";
	EVP_PKEY *key = key_in_file(path);
	const struct options options = {.signing_key = path,
					.kid = "k",
					.issuer = "https://i",
					.audience = "sip:a"};
	const struct pair pair = {SPAN("a@d"), SPAN("sip:a@d")};
	struct mint_claims claims = {.sub = SPAN("a@d"),
				     .pair = &pair,
				     .scn = "pool",
				     .jti = 7,
				     .iat_s = 1700000000,
				     .exp_s = 1700000600};
	struct mint *mint = mint_new(&options);
	uint8_t text[MINT_TOKEN_MAX], json[MINT_TOKEN_MAX];
	struct writer token;
	struct span rest;
	uint32_t len = 0;

	writer_init(&token, text, sizeof(text));
	EXPECT(mint_write(mint, &claims, &token));
	rest = writer_span(&token);
	EXPECT_EQ(BASE64URL_OK, base64url_read(span_cut(rest, 0, span_find(rest, '.')), json,
					       sizeof(json), &len));
	EXPECT_SPAN("{\"typ\":\"at+jwt\",\"kid\":\"k\",\"alg\":\"ES256\"}", span_of(json, len));
	rest = span_from(rest, span_find(rest, '.') + 1);
	EXPECT_EQ(BASE64URL_OK, base64url_read(span_cut(rest, 0, span_find(rest, '.')), json,
					       sizeof(json), &len));
	EXPECT_SPAN("{\"iss\":\"https://i\",\"aud\":\"sip:a\",\"sub\":\"a@d\",\"impi\":\"a@d\","
		    "\"impu\":\"sip:a@d\",\"scn\":\"pool\",\"jti\":\"load-7\",\"iat\":1700000000,"
		    "\"exp\":1700000600}",
		    span_of(json, len));
	mint_free(mint);
	EVP_PKEY_free(key);
	unlink(path);
}

TEST(mint, says_so_when_a_token_does_not_fit)
{
	char path[] = "/tmp/wicgate-mint-XXXXXX";
	EVP_PKEY *key = key_in_file(path);
	const struct options options = {.signing_key = path,
					.kid = "k",
					.issuer = "https://i",
					.audience = "sip:a"};
	const struct pair pair = {SPAN("a@d"), SPAN("sip:a@d")};
	struct mint_claims claims = {.sub = SPAN("a@d"),
				     .pair = &pair,
				     .jti = 7,
				     .iat_s = 1700000000,
				     .exp_s = 1700000600};
	struct mint *mint = mint_new(&options);
	uint8_t text[100];
	struct writer token;

	writer_init(&token, text, sizeof(text));
	EXPECT(!mint_write(mint, &claims, &token));
	mint_free(mint);
	EVP_PKEY_free(key);
	unlink(path);
}

TEST_MAIN("load mint", RUN(mint, signs_tokens_that_verify_every_time),
	  RUN(mint, writes_the_claims_of_the_profile), RUN(mint, says_so_when_a_token_does_not_fit))
