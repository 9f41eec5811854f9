/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VERIFIER_H
#define VERIFIER_H

#include "gw_err.h"
#include "handle.h"
#include "span.h"

/** JWS algorithms (RFC 7518 3.1, RFC 8037). The order is that of the bits in an issuer's list of
 * allowed ones. */
enum jws_alg { JWS_ES256, JWS_ES384, JWS_RS256, JWS_PS256, JWS_EDDSA, JWS_ALG_COUNT };

/** Longest public key material in bytes: modulus of RSA-4096 and exponent, or an uncompressed P-384
 * point. */
#define VERIFY_KEY_MAX 528
/** Longest signature in bytes (RSA-4096). */
#define VERIFY_SIGNATURE_MAX 512

/** A public key in the form every driver starts from. A value: copied into jobs, owned by whoever
 * holds the copy. */
struct verify_key {
	enum jws_alg alg; /* the one algorithm this key is for (RFC 8725 3.1) */
	uint32_t id; /* names this key material for ever within the process: a driver's cache key */
	uint32_t len;	  /* bytes of material */
	uint32_t modulus; /* RSA: bytes of modulus at the start of material, the rest is the
			     exponent; else 0 */
	uint8_t material[VERIFY_KEY_MAX]; /* EC: 0x04 | X | Y. Ed25519: 32 bytes. RSA: n | e,
					     big-endian */
};

/** Longest signed text in bytes: header "." payload of a token at its configured maximum. */
#define VERIFY_TEXT_MAX 8192

/**
 * One signature to check. Owned by the submitter's pool; lent to the driver from submit() until
 * poll() gives it back. Carries copies of everything, so that whatever it came from may go away
 * meanwhile.
 */
struct verify_job {
	/* who waits for the verdict; the driver does not look at them */
	enum { VERIFY_WAITER_FLOW, VERIFY_WAITER_PARKED, VERIFY_WAITER_COMMAND } waiter;
	struct handle owner;
	struct verify_key key;
	uint32_t text_len;
	uint32_t signature_len; /* of a wrong length for the algorithm: GW_TOKEN_SIGNATURE */
	uint8_t signature[VERIFY_SIGNATURE_MAX]; /* ECDSA: R | S (RFC 7518 3.4) */
	uint8_t text[VERIFY_TEXT_MAX];
	enum gw_err verdict; /* after poll(): GW_OK, GW_TOKEN_SIGNATURE, or GW_VERIFIER_FAILED */
};

struct verifier;

struct verifier_config {
	uint16_t worker;
	uint32_t depth; /* jobs that may be under way at a time */
};

/** A way to check token signatures. Calls on one verifier come from one thread. No entry is NULL.
 */
struct verifier_ops {
	const char *name; /* as written in the configuration */
	/** GW_NO_MEMORY; GW_NOT_SUPPORTED when the machine lacks what it needs. */
	enum gw_err (*open)(const struct verifier_config *config, struct verifier **opened);
	/** True when alg passed its known-answer test at open. */
	bool (*can)(const struct verifier *v, enum jws_alg alg);
	/** Accepts up to n jobs in order and returns how many; the rest stay the caller's. Never
	 * blocks. */
	uint16_t (*submit)(struct verifier *v, struct verify_job *const jobs[], uint16_t n);
	/** Fills done with up to max finished jobs, in any order. Never blocks. */
	uint16_t (*poll)(struct verifier *v, struct verify_job *done[], uint16_t max);
	/** Jobs still under way are forgotten: the caller owns them again. */
	void (*close)(struct verifier *v);
};

/** OpenSSL EVP in a library context of its own: always there, the reference for every other driver.
 */
extern const struct verifier_ops verifier_openssl;

#endif
