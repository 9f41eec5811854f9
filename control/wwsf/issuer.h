/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ISSUER_H
#define ISSUER_H

#include "file.h"
#include "span.h"

/** Who signs, and for whom. Borrowed strings: they must live as long as the issuer made of them. */
struct issuer_config {
	const char *signing_key; /* PEM file of an unencrypted P-256 private key */
	const char *kid;	 /* names the key in the token header and in the JWKS */
	const char *iss;
	const char *aud;  /* the gateway's configured audience */
	const char *wwsf; /* NULL: no such claim */
};

/** What one token says. Borrowed for the call. */
struct issuer_claims {
	const char *sub;     /* opaque to the gateway, never an identity of the IMS */
	const char *impi;    /* NULL or "": no such claim */
	const char *impu;    /* sip: or tel: URI */
	uint64_t now_s;	     /* Unix time: iat */
	uint32_t lifetime_s; /* exp is iat + this */
	const char *scn;     /* scenario, PROTOCOL 3.3; NULL: no such claim */
};

/** A signing key in use. The process may call it from one thread at a time. */
struct issuer;

/**
 * Loads the key and prepares its JWKS; blocks.
 *
 * Returns GW_OK and *made, to be given to issuer_free(); an error of file_load(); GW_CONFIG, the
 * file has no unencrypted P-256 private key; GW_NO_MEMORY. *reason says which.
 */
enum gw_err issuer_new(const struct issuer_config *config, struct issuer **made,
		       struct reason *reason) GW_MUST_CHECK;

/** Wipes the key. NULL does nothing. */
void issuer_free(struct issuer *issuer);

/**
 * Signs a token (ES256; header typ JWT and kid; claims iss, aud, sub, impi, impu, wwsf, scn, jti,
 * iat, exp).
 *
 * Source: PROTOCOL 3.3. The jti is 128 random bits, so that it serves as revocation and replay key.
 * Returns GW_OK and *token, a string the caller frees with free(); GW_NO_MEMORY; GW_SYSTEM, the
 * random generator or the signature failed.
 */
enum gw_err issuer_token(const struct issuer *issuer, const struct issuer_claims *claims,
			 char **token) GW_MUST_CHECK;

/** Reads a token lifetime in decimal seconds. False, nothing changed, unless it is a number
 * in 1..max_s. */
bool issuer_lifetime_read(struct span text, uint32_t max_s, uint32_t *lifetime_s);

/** The public key as a JWK Set (RFC 7517 section 5), one line of JSON. Lent until issuer_free(). */
const char *issuer_jwks(const struct issuer *issuer);

#endif
