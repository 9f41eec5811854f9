/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPENSSL_KEY_H
#define OPENSSL_KEY_H

#include <openssl/evp.h>

#include "verifier.h"

/** A key in OpenSSL's form, ready to verify. Owned by the cache of the verifier that made it. */
struct openssl_key {
	uint32_t id;   /* of verify_key */
	uint64_t used; /* when last, in jobs */
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verify; /* padding and digest set; NULL for Ed25519, which signs the text */
};

/**
 * Imports key. RSA: 2048 bits to 4096, exponent at least 65537 (RFC 7518 3.3, RFC 8725 3.5); EC: a
 * point on its curve. False: not such a key, or no memory; *made untouched.
 */
bool openssl_key_init(OSSL_LIB_CTX *lib, const struct verify_key *key, struct openssl_key *made);

/** Frees what init made. Does nothing to a zeroed one. */
void openssl_key_fini(struct openssl_key *key);

#endif
