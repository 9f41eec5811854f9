/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include "gw_err.h"
#include "parts.h"

/**
 * What control makes of certificates and settings: a TLS context for each worker, with a library
 * context of its own. Control builds them all at start and at each reload; a worker takes its own
 * out of the part when it sees a new one, and its older connections keep the one they began with.
 */

struct tls_ops; /* dataplane/tls/tls.h */

#define TLS_GROUPS_DEFAULT "X25519:P-256"
/** TLS 1.3, then TLS 1.2: forward secrecy and AEAD only. The server's order counts. */
#define TLS_CIPHERS_DEFAULT \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:" \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define TLS_CERTIFICATES_MAX 64

struct tls_certificate {
	struct span chain; /* PEM, leaf first */
	struct span key;   /* PEM, without pass phrase */
};

/**
 * The names that a certificate is for are its DNS names (RFC 6125): a client gets the first one
 * that names its server exactly, else the first whose wildcard does, and the first of all when it
 * names none. Two with the same names and different kinds of key (RSA, ECDSA) stand together: a
 * client gets the one that it can check.
 */
struct tls_config {
	const struct tls_certificate *certificate; /* [0] also serves clients that name no server */
	uint32_t certificates;			   /* at most TLS_CERTIFICATES_MAX */
	const char *ciphers;  /* OpenSSL's names, "TLS_AES_128_GCM_SHA256:..."; NULL: the default */
	const char *groups;   /* NULL: the default */
	uint16_t min_version; /* 0x0303 or 0x0304 as on the wire; 0: 0x0303. The highest is always
				 TLS 1.3 */
	uint8_t tickets;      /* TLS 1.3 tickets after a handshake; 0: none, nor with TLS 1.2 */
	uint32_t ticket_life_s;
	bool key_log; /* secrets of connections are told: debugging only */
	/*
	 * PEM certificates of who may have signed a peer's certificate; empty: peers are asked for
	 * none. With some the context is mutual: it serves only who shows a certificate that one of
	 * them has signed, itself or through a chain, and tls_ops.connect works, which shows
	 * certificate[0]. Each of them is trusted by itself, with or without its own issuer. A
	 * mutual context resumes nothing (tickets are not made), neither wants nor offers ALPN, and
	 * serves who asks for a name that no certificate is for with certificate[0].
	 */
	struct span authorities;
};

/** What of a tls_config was refused, and why in words. */
struct tls_fault {
	enum {
		TLS_FAULT_NONE, /* no memory */
		TLS_FAULT_CERTIFICATE,
		TLS_FAULT_KEY,
		TLS_FAULT_CIPHERS,
		TLS_FAULT_GROUPS,
		TLS_FAULT_VERSION,
		TLS_FAULT_AUTHORITIES,
	} of;
	uint32_t certificate; /* index; of the first two */
	char why[128];
};

/** libssl: the table that the product runs on. */
extern const struct tls_ops tls_libssl;

/**
 * Makes a context for each of workers and the part that carries them; everything in config is
 * borrowed for the call. Blocks for some milliseconds, for control. GW_CONFIG with *fault;
 * GW_NO_MEMORY.
 */
enum gw_err GW_MUST_CHECK tls_part_new(const struct tls_ops *ops, const struct tls_config *config,
				       uint16_t workers, struct tls_fault *fault,
				       struct tls_part **made);

#endif
