/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include "test.h"
#include "signer.h"

static EVP_PKEY *generate(enum jws_alg alg, unsigned int rsa_bits)
{
	switch (alg) {
	case JWS_ES256:
		return EVP_EC_gen("P-256");
	case JWS_ES384:
		return EVP_EC_gen("P-384");
	case JWS_EDDSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	default:
		return EVP_RSA_gen(rsa_bits);
	}
}

static void public_octets(EVP_PKEY *pkey, struct verify_key *key)
{
	size_t len;

	EXPECT_EQ(1, EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, key->material,
						     sizeof(key->material), &len));
	key->len = (uint32_t)len;
}

static void public_rsa(EVP_PKEY *pkey, struct verify_key *key)
{
	BIGNUM *n = NULL, *e = NULL;

	EXPECT_EQ(1, EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n));
	EXPECT_EQ(1, EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e));
	key->modulus = (uint32_t)BN_bn2bin(n, key->material);
	key->len = key->modulus + (uint32_t)BN_bn2bin(e, key->material + key->modulus);
	BN_free(n);
	BN_free(e);
}

void signer_init(struct signer *signer, enum jws_alg alg, uint32_t id, unsigned int rsa_bits)
{
	memset(signer, 0, sizeof(*signer));
	signer->pkey = generate(alg, rsa_bits);
	assert_non_null(signer->pkey);
	signer->key.alg = alg;
	signer->key.id = id;
	if (alg == JWS_RS256 || alg == JWS_PS256)
		public_rsa(signer->pkey, &signer->key);
	else
		public_octets(signer->pkey, &signer->key);
}

void signer_fini(struct signer *signer)
{
	EVP_PKEY_free(signer->pkey);
}

/* DER to R | S. */
static void unwrap(struct verify_job *job, int half)
{
	uint8_t der[256];
	const uint8_t *at = der;
	ECDSA_SIG *pair;

	memcpy(der, job->signature, job->signature_len);
	pair = d2i_ECDSA_SIG(NULL, &at, job->signature_len);
	assert_non_null(pair);
	EXPECT_EQ(half, BN_bn2binpad(ECDSA_SIG_get0_r(pair), job->signature, half));
	EXPECT_EQ(half, BN_bn2binpad(ECDSA_SIG_get0_s(pair), job->signature + half, half));
	job->signature_len = 2 * (uint32_t)half;
	ECDSA_SIG_free(pair);
}

void signer_job(const struct signer *signer, const char *text, struct verify_job *job)
{
	static const char *const digests[] = {
		[JWS_ES256] = "SHA256", [JWS_ES384] = "SHA384", [JWS_RS256] = "SHA256",
		[JWS_PS256] = "SHA256", [JWS_EDDSA] = NULL,
	};
	enum jws_alg alg = signer->key.alg;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	size_t len = sizeof(job->signature);

	memset(job, 0, sizeof(*job));
	job->key = signer->key;
	job->text_len = (uint32_t)strlen(text);
	memcpy(job->text, text, job->text_len);
	EXPECT_EQ(1,
		  EVP_DigestSignInit_ex(ctx, &pctx, digests[alg], NULL, NULL, signer->pkey, NULL));
	if (alg == JWS_PS256) {
		EXPECT_EQ(1, EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING));
		EXPECT_EQ(1, EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST));
	}
	EXPECT_EQ(1, EVP_DigestSign(ctx, job->signature, &len, job->text, job->text_len));
	job->signature_len = (uint32_t)len;
	if (alg == JWS_ES256)
		unwrap(job, 32);
	if (alg == JWS_ES384)
		unwrap(job, 48);
	job->verdict = GW_ERR_COUNT;
	EVP_MD_CTX_free(ctx);
}
