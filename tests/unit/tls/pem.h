/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEM_H
#define PEM_H

#include "tls_context.h"

/** Self-signed certificates in memory, of different kinds of key. */

enum pem_kind { PEM_P256, PEM_RSA, PEM_RSA_SHORT };

/** For names as OpenSSL writes them, "DNS:a.example,DNS:*.b.example"; given back by pem_free(). */
struct tls_certificate pem_make(const char *names, enum pem_kind kind);
void pem_free(struct tls_certificate *pem);

/** The key under a pass phrase. */
struct span pem_locked(struct span key);

/** Both, one after the other: a chain. */
struct span pem_join(struct span first, struct span second);

#endif
