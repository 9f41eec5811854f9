/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#include "base64url.h"
#include "test.h"
#include "mint.h"

#define POINT_LEN 65
#define HALF_LEN 32

EVP_PKEY *mint_key_new(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

void mint_public(EVP_PKEY *key, uint32_t id, struct verify_key *out)
{
	size_t len;

	*out = (struct verify_key){.alg = JWS_ES256, .id = id, .len = POINT_LEN};
	EXPECT_EQ(1, EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out->material,
						     sizeof(out->material), &len));
	EXPECT_EQ(POINT_LEN, len);
}

/* R | S of the text (RFC 7518 section 3.4). */
static void sign(EVP_PKEY *key, struct span text, uint8_t raw[2 * HALF_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[128];
	const uint8_t *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *pair;

	EXPECT_EQ(1, EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL));
	EXPECT_EQ(1, EVP_DigestSign(ctx, der, &len, text.at, text.len));
	pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_non_null(pair);
	EXPECT_EQ(HALF_LEN, BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, HALF_LEN));
	EXPECT_EQ(HALF_LEN, BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + HALF_LEN, HALF_LEN));
	ECDSA_SIG_free(pair);
	EVP_MD_CTX_free(ctx);
}

void mint(EVP_PKEY *key, struct span header, struct span payload, struct minted *token)
{
	uint8_t signature[2 * HALF_LEN];
	struct writer out;

	writer_init(&out, token->text, sizeof(token->text));
	base64url_write(&out, header);
	writer_u8(&out, '.');
	base64url_write(&out, payload);
	sign(key, writer_span(&out), signature);
	writer_u8(&out, '.');
	base64url_write(&out, span_of(signature, sizeof(signature)));
	EXPECT(writer_ok(&out));
	token->len = writer_len(&out);
}

void mint_join(struct span header, struct span payload, struct span signature, struct minted *token)
{
	struct writer out;

	writer_init(&out, token->text, sizeof(token->text));
	writer_put(&out, header);
	writer_u8(&out, '.');
	writer_put(&out, payload);
	writer_u8(&out, '.');
	writer_put(&out, signature);
	EXPECT(writer_ok(&out));
	token->len = writer_len(&out);
}
