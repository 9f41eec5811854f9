/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef THUMBPRINT_H
#define THUMBPRINT_H

#include "verifier.h"

/** Characters of a thumbprint and its end: SHA-256 in base64url. */
enum { THUMBPRINT_MAX = 44 };

/** The JWK thumbprint of a public key (RFC 7638), by which others name the same key. */
void thumbprint(const struct verify_key *key, char out[THUMBPRINT_MAX]);

#endif
