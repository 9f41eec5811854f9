/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "openssl_key.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define RSA_EXPONENT_MIN 65537

static EVP_PKEY *pkey_from(OSSL_LIB_CTX *lib, const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(lib, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *ec_import(OSSL_LIB_CTX *lib, const struct verify_key *key, const char *curve)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (build != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, key->material,
					     key->len) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params != NULL)
		pkey = pkey_from(lib, "EC", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	return pkey;
}

static bool rsa_is_strong(const BIGNUM *n, const BIGNUM *e)
{
	int bits = BN_num_bits(n);

	return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && BN_is_odd(n) && BN_is_odd(e) &&
	       BN_num_bits(e) <= 64 && BN_get_word(e) >= RSA_EXPONENT_MIN;
}

static EVP_PKEY *rsa_build(OSSL_LIB_CTX *lib, const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (build != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params != NULL)
		pkey = pkey_from(lib, "RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	return pkey;
}

static EVP_PKEY *rsa_import(OSSL_LIB_CTX *lib, const struct verify_key *key)
{
	struct span e = span_of(key->material, key->len), n;
	EVP_PKEY *pkey = NULL;
	BIGNUM *modulus, *exponent;

	if (!span_take(&e, key->modulus, &n))
		return NULL;
	modulus = BN_bin2bn(n.at, (int)n.len, NULL);
	exponent = BN_bin2bn(e.at, (int)e.len, NULL);
	if (modulus != NULL && exponent != NULL && rsa_is_strong(modulus, exponent))
		pkey = rsa_build(lib, modulus, exponent);
	BN_free(modulus);
	BN_free(exponent);
	return pkey;
}

static EVP_PKEY *import(OSSL_LIB_CTX *lib, const struct verify_key *key)
{
	switch (key->alg) {
	case JWS_ES256:
		return ec_import(lib, key, "P-256");
	case JWS_ES384:
		return ec_import(lib, key, "P-384");
	case JWS_RS256:
	case JWS_PS256:
		return rsa_import(lib, key);
	case JWS_EDDSA:
		return EVP_PKEY_new_raw_public_key_ex(lib, "ED25519", NULL, key->material,
						      key->len);
	case JWS_ALG_COUNT:
		break;
	}
	return NULL;
}

/* Sets what the key's algorithm says once for all its signatures (RFC 7518 3.3 to 3.5). */
static bool verify_init(EVP_PKEY_CTX *ctx, enum jws_alg alg)
{
	const EVP_MD *digest = alg == JWS_ES384 ? EVP_sha384() : EVP_sha256();

	if (EVP_PKEY_verify_init(ctx) != 1)
		return false;
	if (alg == JWS_RS256 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
		return false;
	if (alg == JWS_PS256 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1)
		return false;
	if (EVP_PKEY_CTX_set_signature_md(ctx, digest) != 1)
		return false;
	return alg != JWS_PS256 ||
	       (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool openssl_key_init(OSSL_LIB_CTX *lib, const struct verify_key *key, struct openssl_key *made)
{
	struct openssl_key k = {.id = key->id};

	k.pkey = import(lib, key);
	if (k.pkey == NULL)
		return false;
	if (key->alg != JWS_EDDSA) {
		k.verify = EVP_PKEY_CTX_new_from_pkey(lib, k.pkey, NULL);
		if (k.verify == NULL || !verify_init(k.verify, key->alg))
			goto free_key;
	}
	*made = k;
	return true;

free_key:
	openssl_key_fini(&k);
	return false;
}

void openssl_key_fini(struct openssl_key *key)
{
	EVP_PKEY_CTX_free(key->verify);
	EVP_PKEY_free(key->pkey);
	*key = (struct openssl_key){0};
}
