/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_TOKEN_PEERS_H
#define BENCH_TOKEN_PEERS_H

#include <openssl/evp.h>

#include "span.h"

/** What we compare with: libjwt, which reads key and JSON anew for each token, and OpenSSL that
 * knows the key already and does nothing but hash and verify. */
struct peers;

/** For tokens that key signed; text is one of them, terminated. Ends the program when it cannot. */
struct peers *peers_new(EVP_PKEY *key, const char *text);
void peers_free(struct peers *peers);

/** True when the token's signature is good. libjwt does not look at its times. */
bool peers_libjwt(struct peers *peers);
bool peers_openssl(struct peers *peers);

#endif
