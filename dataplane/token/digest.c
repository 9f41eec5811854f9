/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash functions that need no look-up by name, no lock and no heap are the ones that OpenSSL
 * would like to see replaced by EVP, which needs all three. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "token.h"

struct token_digest token_digest(struct span token)
{
	struct token_digest digest;
	SHA256_CTX hash;

	/* They return 1 whatever they are given. */
	(void)SHA256_Init(&hash);
	(void)SHA256_Update(&hash, token.at, token.len);
	(void)SHA256_Final(digest.bytes, &hash);
	return digest;
}
