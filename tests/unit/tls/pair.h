/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAIR_H
#define PAIR_H

#include <openssl/ssl.h>

#include "fake.h"
#include "files.h"
#include "tls/tls.h"

/** A tls_libssl server and a libssl client with a fake connection between them. */
struct pair {
	struct files files;
	struct fake fake;
	struct tls_context *context;
	struct tls *tls;
	SSL_CTX *client_ctx;
	SSL *client;
	BIO *to_client, *from_client; /* the client's */
};

/** config's certificate and key are set here. The client trusts the certificate and asks for
 * ep1.home1.net and http/1.1; change it before the first step. */
struct pair *pair_new(struct tls_config config);
void pair_free(struct pair *p);

/** Moves what either side has sent to the other, at most n bytes each way. True: something moved.
 */
bool pair_carry(struct pair *p, uint32_t n);

/** Handshakes to the end, or until neither side goes on; what open says then. */
enum gw_err pair_handshake(struct pair *p, uint32_t bytes_a_step);

#endif
