/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEM_H
#define PEM_H

#include "tls_context.h"

/** Certificates in memory, of different kinds of key. */

enum pem_kind { PEM_P256, PEM_RSA, PEM_RSA_SHORT };

/** What a certificate is to say; extensions as OpenSSL writes them, NULL for none. */
struct pem_wish {
	const char *names;		      /* "DNS:a.example,IP:198.18.0.10" */
	const char *constraints;	      /* "critical,CA:TRUE" */
	const char *usage;		      /* extended: "serverAuth" */
	const struct tls_certificate *issuer; /* NULL: itself */
	long from_s, until_s;		      /* from now; both 0: an hour ago, tomorrow */
	enum pem_kind kind;
};

/** Given back by pem_free(). */
struct tls_certificate pem_issue(const struct pem_wish *wish);

/** A self-signed one for names as OpenSSL writes them, "DNS:a.example,DNS:*.b.example"; given back
 * by pem_free(). */
struct tls_certificate pem_make(const char *names, enum pem_kind kind);
void pem_free(struct tls_certificate *pem);

/** The key under a pass phrase. */
struct span pem_locked(struct span key);

/** Both, one after the other: a chain. */
struct span pem_join(struct span first, struct span second);

#endif
