/* SPDX-License-Identifier: BSD-3-Clause */
#include "thumbprint.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum { BASE64_MAX = (VERIFY_KEY_MAX + 2) / 3 * 4 + 1 };

/** base64url without padding (RFC 7515 section 2). */
static void thumbprint_encode(const uint8_t *bytes, uint32_t len, char out[BASE64_MAX])
{
	(void)EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
	for (char *c = out; *c != '\0'; c++) {
		if (*c == '=')
			*c = '\0';
		else if (*c == '+')
			*c = '-';
		else if (*c == '/')
			*c = '_';
		if (*c == '\0')
			return;
	}
}

/** The required members in the order of their names, no white space: RFC 7638 section 3.2. */
static int thumbprint_text(const struct verify_key *key, char *text, size_t size)
{
	const uint8_t *at = key->material;
	char a[BASE64_MAX], b[BASE64_MAX];
	uint32_t half = (key->len - 1) / 2;

	switch (key->alg) {
	case JWS_RS256:
	case JWS_PS256:
		thumbprint_encode(at + key->modulus, key->len - key->modulus, a);
		thumbprint_encode(at, key->modulus, b);
		return snprintf(text, size, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", a, b);
	case JWS_EDDSA:
		thumbprint_encode(at, key->len, a);
		return snprintf(text, size, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}",
				a);
	default:
		thumbprint_encode(at + 1, half, a);
		thumbprint_encode(at + 1 + half, half, b);
		return snprintf(text, size,
				"{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
				key->alg == JWS_ES256 ? "P-256" : "P-384", a, b);
	}
}

void thumbprint(const struct verify_key *key, char out[THUMBPRINT_MAX])
{
	char text[2 * BASE64_MAX + 64], encoded[BASE64_MAX];
	int len = thumbprint_text(key, text, sizeof(text));
	uint8_t digest[32];

	if (EVP_Digest(text, (size_t)len, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* libcrypto without SHA-256 */
	thumbprint_encode(digest, sizeof(digest), encoded);
	snprintf(out, THUMBPRINT_MAX, "%.43s", encoded);
}
