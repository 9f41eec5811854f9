/* SPDX-License-Identifier: BSD-3-Clause */
#include "mint.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base64url.h"

enum { MINT_NUMBER_BYTES = 32, MINT_DER_MAX = 80 };

struct mint {
	const struct options *options;
	EVP_PKEY *key;
	EVP_MD_CTX *digest;
};

static EVP_PKEY *key_read(const char *path)
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *key;

	if (file == NULL)
		return NULL;
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	if (key != NULL && (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_bits(key) != 256)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

/** The text can stand in a JSON string as it is. */
static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	return true;
}

struct mint *mint_new(const struct options *options)
{
	struct mint *mint = calloc(1, sizeof(*mint));

	if (mint == NULL)
		return NULL;
	mint->options = options;
	mint->key = key_read(options->signing_key);
	mint->digest = EVP_MD_CTX_new();
	if (mint->key == NULL || mint->digest == NULL) {
		fprintf(stderr, "wicgate-load: %s: no P-256 private key\n", options->signing_key);
	} else if (!is_plain(options->kid) || !is_plain(options->issuer) ||
		   !is_plain(options->audience)) {
		fprintf(stderr, "wicgate-load: --kid, --issuer and --audience are plain ASCII\n");
	} else {
		return mint;
	}
	mint_free(mint);
	return NULL;
}

void mint_free(struct mint *mint)
{
	if (mint == NULL)
		return;
	EVP_PKEY_free(mint->key);
	EVP_MD_CTX_free(mint->digest);
	free(mint);
}

static void member(struct writer *out, const char *name, struct span value)
{
	writer_text(out, "\"");
	writer_text(out, name);
	writer_text(out, "\":\"");
	writer_put(out, value);
	writer_text(out, "\",");
}

static void number(struct writer *out, const char *name, uint64_t value, const char *after)
{
	writer_text(out, "\"");
	writer_text(out, name);
	writer_text(out, "\":");
	writer_decimal(out, value);
	writer_text(out, after);
}

static void write_header(const struct mint *mint, struct writer *json)
{
	writer_text(json, "{");
	member(json, "typ", SPAN("at+jwt"));
	member(json, "kid", span_text(mint->options->kid));
	writer_text(json, "\"alg\":\"ES256\"}");
}

static void write_claims(const struct mint *mint, const struct mint_claims *claims,
			 struct writer *json)
{
	writer_text(json, "{");
	member(json, "iss", span_text(mint->options->issuer));
	member(json, "aud", span_text(mint->options->audience));
	member(json, "sub", claims->sub);
	member(json, "impi", claims->pair->impi);
	member(json, "impu", claims->pair->impu);
	if (claims->scn != NULL)
		member(json, "scn", span_text(claims->scn));
	writer_text(json, "\"jti\":\"load-");
	writer_decimal(json, claims->jti);
	writer_text(json, "\",");
	number(json, "iat", claims->iat_s, ",");
	number(json, "exp", claims->exp_s, "}");
}

/** RFC 7518 3.4: R and S as 32 bytes each, not the DER that OpenSSL makes. */
static bool signature_flatten(const uint8_t *der, size_t der_len, uint8_t *flat)
{
	const unsigned char *at = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	bool ok;

	if (sig == NULL)
		return false;
	ok = BN_bn2binpad(ECDSA_SIG_get0_r(sig), flat, MINT_NUMBER_BYTES) == MINT_NUMBER_BYTES &&
	     BN_bn2binpad(ECDSA_SIG_get0_s(sig), flat + MINT_NUMBER_BYTES, MINT_NUMBER_BYTES) ==
		     MINT_NUMBER_BYTES;
	ECDSA_SIG_free(sig);
	return ok;
}

static bool sign(struct mint *mint, struct span text, uint8_t flat[2 * MINT_NUMBER_BYTES])
{
	uint8_t der[MINT_DER_MAX];
	size_t der_len = sizeof(der);

	return EVP_MD_CTX_reset(mint->digest) == 1 &&
	       EVP_DigestSignInit(mint->digest, NULL, EVP_sha256(), NULL, mint->key) == 1 &&
	       EVP_DigestSign(mint->digest, der, &der_len, text.at, text.len) == 1 &&
	       signature_flatten(der, der_len, flat);
}

bool mint_write(struct mint *mint, const struct mint_claims *claims, struct writer *out)
{
	uint8_t text[MINT_TOKEN_MAX], flat[2 * MINT_NUMBER_BYTES];
	uint32_t mark = writer_len(out);
	struct writer json;

	writer_init(&json, text, sizeof(text));
	write_header(mint, &json);
	base64url_write(out, writer_span(&json));
	writer_text(out, ".");
	writer_init(&json, text, sizeof(text));
	write_claims(mint, claims, &json);
	base64url_write(out, writer_span(&json));
	if (!writer_ok(&json) || !writer_ok(out) || !sign(mint, writer_since(out, mark), flat))
		return false;
	writer_text(out, ".");
	base64url_write(out, span_of(flat, sizeof(flat)));
	return writer_ok(out);
}
