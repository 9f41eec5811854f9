/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_HOST_H
#define TLS_HOST_H

#include <openssl/ssl.h>

#include "span.h"
#include "tls_context.h"

/** Longest server name, RFC 1035 2.3.4. */
#define TLS_NAME_MAX 255

/** The DNS names of a certificate, lower case, ascending. */
struct tls_names {
	char **name;
	uint32_t count;
};

/** Certificates that are for the same names: one for each kind of key. */
struct tls_host {
	SSL_CTX *ctx;
	struct tls_names names;
};

/** A certificate of a configuration with its key, parsed. */
struct tls_leaf {
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * chain; /* what stands behind the leaf */
	struct tls_names names;
};

/** Parses row i of config in lib. GW_CONFIG with *fault; GW_NO_MEMORY. Either way *read is to be
 * given to tls_leaf_fini(). */
enum gw_err tls_leaf_read(OSSL_LIB_CTX *lib, const struct tls_config *config, uint32_t i,
			  struct tls_leaf *read, struct tls_fault *fault);
void tls_leaf_fini(struct tls_leaf *leaf);

/** Parses PEM certificates, at least one, into a store that is the caller's. GW_CONFIG with *fault;
 * GW_NO_MEMORY. */
enum gw_err tls_authorities_read(OSSL_LIB_CTX *lib, struct span pem, X509_STORE **read,
				 struct tls_fault *fault);

bool tls_names_equal(const struct tls_names *a, const struct tls_names *b);

/** Takes the names out of leaf; host->ctx is the caller's work. */
void tls_host_init(struct tls_host *host, SSL_CTX *ctx_owned, struct tls_leaf *leaf);
void tls_host_fini(struct tls_host *host);

/** The host of a server name in any case: an exact name before a wildcard of one label. NULL: none
 * has it. */
const struct tls_host *tls_host_find(const struct tls_host *hosts, uint32_t count,
				     struct span name);

#endif
