/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_BIO_H
#define TLS_BIO_H

#include <openssl/bio.h>

#include "conn.h"
#include "flight.h"

/** An OpenSSL BIO over a connection: libssl reads from what was received and writes into the send
 * buffer. Says "retry" when there is nothing or no room, never end of file: that is for open to
 * tell, when it knows what FIN means. */

/** The way to make such BIOs; freed with BIO_meth_free() after the last of them. NULL: no memory.
 */
BIO_METHOD *tls_bio_method_new(void);

/** What a BIO works on. */
struct tls_wire {
	struct conn *conn;
	struct tls_flight flight; /* of what is read */
	bool spent;		  /* it costs too much: no read succeeds any more */
};

/**
 * A BIO on wire, which it borrows and does not touch when freed. Two reads fail, with the reason in
 * OpenSSL's queue: a message too long for its flight (SSL_R_EXCESSIVE_MESSAGE_SIZE), and any from a
 * wire that is spent (SSL_R_TOO_MANY_KEY_UPDATES). NULL: no memory.
 */
BIO *tls_bio_new(OSSL_LIB_CTX *lib, const BIO_METHOD *method, struct tls_wire *wire);

#endif
