/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MINT_H
#define MINT_H

#include <openssl/evp.h>

#include "verifier.h"

/** Makes tokens with OpenSSL, good ones and any other. */

#define MINT_TOKEN_MAX 16384

/** A token as text, and where its parts are. */
struct minted {
	uint32_t len;
	uint8_t text[MINT_TOKEN_MAX];
};

/** A new P-256 key; the caller frees it with EVP_PKEY_free(). */
EVP_PKEY *mint_key_new(void);

/** The public half in the form of the contract. */
void mint_public(EVP_PKEY *key, uint32_t id, struct verify_key *out);

/** Signs header "." payload, both JSON (or anything else), with ES256 whatever the header says. */
void mint(EVP_PKEY *key, struct span header, struct span payload, struct minted *token);

/** Joins parts that are base64url already, without looking at them. */
void mint_join(struct span header, struct span payload, struct span signature,
	       struct minted *token);

#endif
