/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEERS_H
#define PEERS_H

#include "fake.h"
#include "pem.h"
#include "tls/tls.h"

/** Two nodes of tls_libssl that ask each other for a certificate, and the fake connection between
 * them. */

enum peer_side { PEER_CLIENT, PEER_SERVER, PEER_SIDES };

struct peers {
	struct tls_certificate authority;	/* has signed what follows */
	struct tls_certificate own[PEER_SIDES]; /* of wic.home1.net and of icscf.home1.net */
	struct fake fake[PEER_SIDES];
	struct tls_context *context[PEER_SIDES];
	struct tls *tls[PEER_SIDES];
	uint16_t version; /* highest that the server speaks; 0: TLS 1.3 */
};

#define PEERS_VERSIONS 2
extern const uint16_t peers_version[PEERS_VERSIONS]; /* TLS 1.3 and 1.2 */

/** Certificates are made and contexts that trust them; nothing is connected. */
struct peers *peers_new(uint16_t version);
void peers_free(struct peers *p);

/** The configuration that side has; borrows of p. */
struct tls_config peers_config(const struct peers *p, enum peer_side side);

/** A context of another configuration for side: connections keep theirs. */
void peers_context(struct peers *p, enum peer_side side, struct tls_config config);

/** Another connection, of a client that asks for name, instead of the last. */
void peers_connect(struct peers *p, const char *name);

/** Moves what either side has sent to the other, at most n bytes each way. True: something moved.
 */
bool peers_carry(struct peers *p, uint32_t n);

/** Handshakes until neither side goes on; what each side's open says then is at err. */
void peers_handshake(struct peers *p, uint32_t bytes_a_step, enum gw_err err[PEER_SIDES]);

/** A connection to icscf.home1.net that must become ready on both sides. */
void peers_meet(struct peers *p);

/** A certificate for names that the authority of p has signed; pem_free() is the caller's. */
struct tls_certificate peers_issue(const struct peers *p, const char *names);

/** What side says, sealed and carried, must come to the other. */
void peers_say(struct peers *p, enum peer_side side, const char *text);

#endif
