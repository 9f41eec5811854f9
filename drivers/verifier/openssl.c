/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "known_answers.h"
#include "openssl_key.h"
#include "verifier.h"

/* Keys kept in OpenSSL's form: issuers have a few each, and a miss costs one import. */
#define KEYS_KEPT 64

struct verifier {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *provider;
	EVP_MD *sha256, *sha384; /* prefetched: a look-up by name costs more than the hash */
	EVP_MD_CTX *digest;
	bool can[JWS_ALG_COUNT];
	uint64_t jobs; /* taken so far: the clock of the cache */
	struct openssl_key keys[KEYS_KEPT];
	uint32_t depth;
	uint32_t finished;
	struct verify_job *done[]; /* depth of them, the first finished to be polled */
};

/* ---- one signature ---- */

/* Turns R | S (RFC 7518 3.4) into the DER form EVP takes. Returns its length, 0 when that fails;
 * *der is freed with OPENSSL_free(). */
static int der_make(const uint8_t *signature, int half, uint8_t **der)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, half, NULL), *s = BN_bin2bn(signature + half, half, NULL);
	int len = 0;

	*der = NULL;
	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = NULL; /* the pair's now */
		s = NULL;
		len = i2d_ECDSA_SIG(pair, der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return len > 0 ? len : 0;
}

/* r and s outside [1, n-1] are refused by OpenSSL. */
static bool ecdsa_verify(const struct openssl_key *key, const struct verify_job *job,
			 const uint8_t *hash, uint32_t hash_len)
{
	uint8_t *der;
	int len = der_make(job->signature, (int)job->signature_len / 2, &der);
	bool good = len > 0 && EVP_PKEY_verify(key->verify, der, (size_t)len, hash, hash_len) == 1;

	OPENSSL_free(der);
	return good;
}

/* Reset first: an initialised context would keep the key it was used with before. */
static bool eddsa_verify(struct verifier *v, const struct openssl_key *key,
			 const struct verify_job *job)
{
	return EVP_MD_CTX_reset(v->digest) == 1 &&
	       EVP_DigestVerifyInit_ex(v->digest, NULL, NULL, v->lib, NULL, key->pkey, NULL) == 1 &&
	       EVP_DigestVerify(v->digest, job->signature, job->signature_len, job->text,
				job->text_len) == 1;
}

/* Bytes that a signature of the key has, no more and no less. */
static uint32_t signature_size(const struct openssl_key *key, enum jws_alg alg)
{
	static const uint32_t sizes[JWS_ALG_COUNT] = {
		[JWS_ES256] = 64,
		[JWS_ES384] = 96,
		[JWS_EDDSA] = 64,
	};

	return sizes[alg] != 0 ? sizes[alg] : (uint32_t)EVP_PKEY_get_size(key->pkey);
}

static bool signature_good(struct verifier *v, const struct openssl_key *key,
			   const struct verify_job *job)
{
	enum jws_alg alg = job->key.alg;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned int hash_len;

	if (job->signature_len != signature_size(key, alg))
		return false;
	if (alg == JWS_EDDSA)
		return eddsa_verify(v, key, job);
	if (EVP_Digest(job->text, job->text_len, hash, &hash_len,
		       alg == JWS_ES384 ? v->sha384 : v->sha256, NULL) != 1)
		return false;
	if (alg == JWS_ES256 || alg == JWS_ES384)
		return ecdsa_verify(key, job, hash, hash_len);
	return EVP_PKEY_verify(key->verify, job->signature, job->signature_len, hash, hash_len) ==
	       1;
}

/* ---- keys ---- */

/* The kept key of that id, or else the place for it: an empty one, or the one longest not used. */
static struct openssl_key *key_place(struct verifier *v, uint32_t id)
{
	struct openssl_key *oldest = &v->keys[0];

	for (uint32_t i = 0; i < KEYS_KEPT; i++) {
		struct openssl_key *key = &v->keys[i];

		if (key->pkey != NULL && key->id == id)
			return key;
		if (key->used < oldest->used)
			oldest = key;
	}
	return oldest;
}

/* NULL: the key's material is not what its algorithm wants. */
static struct openssl_key *key_get(struct verifier *v, const struct verify_key *wanted)
{
	struct openssl_key *key = key_place(v, wanted->id);

	if (key->pkey == NULL || key->id != wanted->id) {
		openssl_key_fini(key);
		if (!openssl_key_init(v->lib, wanted, key))
			return NULL;
	}
	key->used = ++v->jobs;
	return key;
}

/* ---- operations ---- */

/* Leaves OpenSSL's error queue as it was: the TLS layer on this thread reads it. */
static enum gw_err judge(struct verifier *v, const struct verify_job *job)
{
	enum gw_err verdict = GW_VERIFIER_FAILED;
	const struct openssl_key *key;

	ERR_set_mark();
	key = key_get(v, &job->key);
	if (key != NULL)
		verdict = signature_good(v, key, job) ? GW_OK : GW_TOKEN_SIGNATURE;
	ERR_pop_to_mark();
	return verdict;
}

static bool passes(struct verifier *v, enum jws_alg alg, struct verify_job *job)
{
	bool good, bad;

	known_answer(alg, job);
	good = judge(v, job) == GW_OK;
	job->text[0] ^= 1;
	bad = judge(v, job) == GW_TOKEN_SIGNATURE;
	openssl_key_fini(key_place(v, job->key.id)); /* the next answer has the same id */
	return good && bad;
}

static enum gw_err answers_check(struct verifier *v)
{
	struct verify_job *job = malloc(sizeof(*job));

	if (job == NULL)
		return GW_NO_MEMORY;
	for (uint32_t alg = 0; alg < JWS_ALG_COUNT; alg++)
		v->can[alg] = passes(v, (enum jws_alg)alg, job);
	free(job);
	return GW_OK;
}

static bool crypto_open(struct verifier *v)
{
	v->lib = OSSL_LIB_CTX_new();
	if (v->lib == NULL)
		return false;
	v->provider = OSSL_PROVIDER_load(v->lib, "default");
	v->sha256 = EVP_MD_fetch(v->lib, "SHA256", NULL);
	v->sha384 = EVP_MD_fetch(v->lib, "SHA384", NULL);
	v->digest = EVP_MD_CTX_new();
	return v->provider != NULL && v->sha256 != NULL && v->sha384 != NULL && v->digest != NULL;
}

static void openssl_close(struct verifier *v)
{
	for (uint32_t i = 0; i < KEYS_KEPT; i++)
		openssl_key_fini(&v->keys[i]);
	EVP_MD_CTX_free(v->digest);
	EVP_MD_free(v->sha384);
	EVP_MD_free(v->sha256);
	if (v->provider != NULL)
		(void)OSSL_PROVIDER_unload(v->provider);
	OSSL_LIB_CTX_free(v->lib);
	free(v);
}

static enum gw_err openssl_open(const struct verifier_config *config, struct verifier **opened)
{
	struct verifier *v = calloc(1, sizeof(*v) + config->depth * sizeof(v->done[0]));
	enum gw_err err;

	if (v == NULL)
		return GW_NO_MEMORY;
	v->depth = config->depth;
	err = crypto_open(v) ? answers_check(v) : GW_NO_MEMORY;
	if (err != GW_OK) {
		openssl_close(v);
		return err;
	}
	*opened = v;
	return GW_OK;
}

static bool openssl_can(const struct verifier *v, enum jws_alg alg)
{
	return v->can[alg];
}

/* Verifies at once: what is submitted is finished. */
static uint16_t openssl_submit(struct verifier *v, struct verify_job *const jobs[], uint16_t n)
{
	uint16_t taken = 0;

	for (; taken < n && v->finished < v->depth; taken++) {
		jobs[taken]->verdict = judge(v, jobs[taken]);
		v->done[v->finished++] = jobs[taken];
	}
	return taken;
}

static uint16_t openssl_poll(struct verifier *v, struct verify_job *done[], uint16_t max)
{
	uint16_t given = 0;

	while (given < max && v->finished > 0)
		done[given++] = v->done[--v->finished];
	return given;
}

const struct verifier_ops verifier_openssl = {
	.name = "openssl",
	.open = openssl_open,
	.can = openssl_can,
	.submit = openssl_submit,
	.poll = openssl_poll,
	.close = openssl_close,
};
