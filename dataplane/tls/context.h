/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "tls.h"

/** What the connections of tls_libssl share: nothing of it is OpenSSL's global state. Owned by
 * whoever made it until context_free, then by its connections together. */
struct tls_context {
	OSSL_LIB_CTX *lib; /* freed last: everything else was made in it */
	SSL_CTX *ctx;
	BIO_METHOD *method;
	uint32_t connections; /* that live */
	bool abandoned;	      /* by context_free: ends with the last connection */
};

/** As tls_ops.context_new. */
enum gw_err tls_context_new(const struct tls_config *config, char *why, uint32_t why_len,
			    struct tls_context **made);

/** As tls_ops.context_free. */
void tls_context_free(struct tls_context *context);

/** A connection of context has ended. */
void tls_context_put(struct tls_context *context);

/** The reason of the first error in OpenSSL's queue of this thread, which it empties. A static
 * string. */
const char *tls_context_reason(void);

#endif
