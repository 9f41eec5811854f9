/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAIR_H
#define PAIR_H

#include <openssl/ssl.h>

#include "fake.h"
#include "pem.h"
#include "tls/tls.h"

/** A tls_libssl server and a libssl client with a fake connection between them. */
struct pair {
	struct tls_certificate own; /* for ep1.home1.net, where config has none */
	struct fake fake;
	struct tls_context *context;
	struct tls *tls;
	SSL_CTX *client_ctx;
	SSL *client;
	BIO *to_client, *from_client; /* the client's */
	SSL_SESSION *session;	      /* of the last ticket; the next client offers it */
	struct ticket_part keys;      /* a test's; live when it says so */
	const struct ticket_part *live;
};

/** config's certificate is set here when it has none. The client trusts it and asks for
 * ep1.home1.net and http/1.1; change it before the first step. */
struct pair *pair_new(struct tls_config config);
void pair_free(struct pair *p);

/** Another connection after this one, of a client that asks for name (NULL: for none) and offers
 * the session that it has. */
void pair_next(struct pair *p, const char *name);

/** What a reload, or another worker, is: another context; connections keep theirs. */
void pair_context(struct pair *p, struct tls_config config);

/** Moves what either side has sent to the other, at most n bytes each way. True: something moved.
 */
bool pair_carry(struct pair *p, uint32_t n);

/** Handshakes to the end, or until neither side goes on; what open says then. */
enum gw_err pair_handshake(struct pair *p, uint32_t bytes_a_step);

/** The same, which must end well, and a byte each way, so that the client has seen its tickets. */
void pair_meet(struct pair *p);

#endif
