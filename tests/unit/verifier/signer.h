/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIGNER_H
#define SIGNER_H

#include <openssl/evp.h>

#include "verifier.h"

/** Signs with OpenSSL's default library context, which no driver uses. */
struct signer {
	EVP_PKEY *pkey;
	struct verify_key key;
};

/** A new key for alg, known to drivers as id. RSA has so many bits; others do not look at them. */
void signer_init(struct signer *signer, enum jws_alg alg, uint32_t id, unsigned int rsa_bits);
void signer_fini(struct signer *signer);

/** Fills job with text and its signature as JWS writes it. */
void signer_job(const struct signer *signer, const char *text, struct verify_job *job);

#endif
