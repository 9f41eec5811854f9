/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>

#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base64url.h"
#include "token/token.h"

struct peers {
	const char *text;
	struct span signed_text;
	uint8_t signature[128]; /* DER */
	size_t signature_len;
	EVP_PKEY *key;
	EVP_MD *sha256;
	EVP_MD_CTX *ctx;
	char pem[512]; /* terminated */
	int pem_len;
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_token: %s failed\n", what);
	exit(1);
}

/* R | S as DER. */
static void signature_set(struct peers *p, struct span encoded)
{
	uint8_t raw[64], *at = p->signature;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	uint32_t len;

	need(base64url_read(encoded, raw, sizeof(raw), &len) == BASE64URL_OK && len == 64,
	     "decoding the signature");
	need(ECDSA_SIG_set0(pair, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL)),
	     "ECDSA_SIG_set0");
	p->signature_len = (size_t)i2d_ECDSA_SIG(pair, &at);
	ECDSA_SIG_free(pair);
}

struct peers *peers_new(EVP_PKEY *key, const char *text)
{
	struct peers *p = calloc(1, sizeof(*p));
	struct span all = span_text(text), rest = all;
	BIO *out = BIO_new(BIO_s_mem());

	need(p != NULL && PEM_write_bio_PUBKEY(out, key), "PEM_write_bio_PUBKEY");
	p->pem_len = BIO_read(out, p->pem, sizeof(p->pem) - 1);
	BIO_free(out);
	rest = span_from(rest, span_find(rest, '.') + 1);
	rest = span_from(rest, span_find(rest, '.') + 1);
	p->text = text;
	p->signed_text = span_cut(all, 0, all.len - rest.len - 1);
	signature_set(p, rest);
	p->key = key;
	p->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	p->ctx = EVP_MD_CTX_new();
	return p;
}

void peers_free(struct peers *peers)
{
	EVP_MD_CTX_free(peers->ctx);
	EVP_MD_free(peers->sha256);
	free(peers);
}

bool peers_libjwt(struct peers *peers)
{
	jwt_t *jwt = NULL;
	int failed =
		jwt_decode(&jwt, peers->text, (const unsigned char *)peers->pem, peers->pem_len);

	jwt_free(jwt);
	return failed == 0;
}

bool peers_openssl(struct peers *p)
{
	return EVP_DigestVerifyInit(p->ctx, NULL, p->sha256, NULL, p->key) == 1 &&
	       EVP_DigestVerify(p->ctx, p->signature, p->signature_len, p->signed_text.at,
				p->signed_text.len) == 1;
}
