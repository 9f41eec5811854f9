/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOKEN_H
#define TOKEN_H

#include "gw_err.h"
#include "parts.h"
#include "sip/sip.h"
#include "snapshot.h"
#include "span.h"
#include "verifier.h"

/**
 * Security tokens: JWS compact serialisations (RFC 7515) that name IMS identities. Pure functions
 * in the order of PROTOCOL 3.5: find the credential, read (steps 1-7), make the signature job
 * (step 8), judge (steps 9-16). Nothing but iss, kid and alg is believed before the signature is.
 */

/** Decoded header and payload of a token; scratch memory of the worker, re-used for each token. */
struct token_scratch {
	uint8_t header[1024];
	uint8_t payload[VERIFY_TEXT_MAX];
	uint8_t strings[VERIFY_TEXT_MAX]; /* unescaped JSON strings that differ from their text */
};

#define TOKEN_IMPU_MAX 8

/** What a token says. Spans point into the scratch (or the token) and live as long. */
struct token_claims {
	uint32_t issuer; /* row of config_part.issuer that iss names */
	uint32_t key;	 /* row of key_part that kid (or the only key) names */
	enum jws_alg alg;
	struct span signed_text; /* header "." payload, as received */
	struct span signature;	 /* base64url text, as received */
	struct span typ;	 /* "JWT" when absent (D-46) */
	struct span kid;
	struct span iss, sub, jti, impi, wwsf, scn, scope; /* empty when absent */
	struct span client; /* azp, or else client_id: names the WWSF where wwsf does not */
	struct span impu[TOKEN_IMPU_MAX];
	uint32_t impu_count;
	bool audience_ok;  /* aud contains the issuer's configured audience */
	bool claims_typed; /* every claim that is there has its type */
	bool has_exp, has_iat, has_nbf;
	uint64_t exp_s, iat_s, nbf_s; /* Unix time, fractions cut off */
};

/** Where a token was found in a request. */
struct token_credential {
	enum gw_err err; /* GW_OK, GW_TOKEN_NONE, GW_TOKEN_SEVERAL, GW_TOKEN_SCHEME,
			    GW_TOKEN_MALFORMED */
	struct span token;
	struct span username; /* of the Bearer parameters; empty when none */
};

/**
 * Finds the Bearer credential of a request in Authorization (every method) and
 * Proxy-Authorization (not REGISTER), both spellings of PROTOCOL 3.2. Identical repeats count as
 * one; different ones, or Bearer beside Digest, are GW_TOKEN_SEVERAL; another scheme alone is
 * GW_TOKEN_SCHEME, but a lone Digest gives GW_TOKEN_NONE.
 */
struct token_credential token_find(const struct sip_message *m);

/** Steps 1-7 and the syntax of 10: reads the token and finds issuer and key. F04-F10, F17. */
enum gw_err GW_MUST_CHECK token_read(struct span token, const struct config_part *config,
				     const struct key_part *keys, struct token_scratch *scratch,
				     struct token_claims *claims);

/** Step 8's job: copies signed text, decoded signature and key. GW_TOKEN_SIGNATURE: not decodable.
 */
enum gw_err GW_MUST_CHECK token_job(const struct token_claims *claims, const struct key_part *keys,
				    struct verify_job *job);

/**
 * Steps 9-16, after the signature was found good: typ, aud, times, WWSF against the row wwsf that
 * the connection's Origin belongs to, claims of its mode. now_s: Unix time. F06, F13-F15, F17, F19,
 * F20.
 */
enum gw_err GW_MUST_CHECK token_judge(const struct token_claims *claims,
				      const struct config_part *config, uint32_t wwsf,
				      uint64_t now_s);

/* ---- what is remembered of tokens ----------------------------------------------------------- */

/** SHA-256 of a whole token as it was sent. */
struct token_digest {
	uint8_t bytes[32];
};

struct token_digest token_digest(struct span token);

/**
 * Tokens whose signature was found good, by digest: what token_read() said of each, copied. One per
 * worker, sized at start; the one longest not used makes room. An entry says nothing about time,
 * revocation or policy: whoever finds it still calls token_judge().
 */
struct token_cache;

/** NULL: no memory. entries 0: remembers nothing. */
struct token_cache *token_cache_new(uint32_t entries);
void token_cache_free(struct token_cache *cache);

/**
 * Finds what was kept under digest and fills claims with it; spans live until the next
 * token_cache_put(). Entries whose issuer or key (material and algorithm) is not a row of config
 * and keys any more are forgotten. False: not there. O(1).
 */
bool token_cache_find(struct token_cache *cache, const struct token_digest *digest,
		      const struct config_part *config, const struct key_part *keys,
		      struct token_claims *claims);

/** Keeps claims under digest. What has too much text for an entry is not kept. O(1). */
void token_cache_put(struct token_cache *cache, const struct token_digest *digest,
		     const struct config_part *config, const struct key_part *keys,
		     const struct token_claims *claims);

/**
 * Tokens that were refused for what they are (F04-F08, F12, F13 and F14's passed exp), by digest: a
 * client repeats one for ever, and gets the same answer without a signature being checked. Entries
 * end with the configuration and the keys they were made under, and after a time. One per worker;
 * the one longest not used makes room. O(1).
 */
struct token_refused;

struct token_refused *token_refused_new(uint32_t entries);
void token_refused_free(struct token_refused *refused);

/** GW_OK: not there; else why it was refused. */
enum gw_err token_refused_find(struct token_refused *refused, const struct token_digest *digest,
			       const struct snapshot *view, uint64_t now_us);

/** Keeps why, when it is one that another time or another connection would not change. */
void token_refused_put(struct token_refused *refused, const struct token_digest *digest,
		       const struct snapshot *view, uint64_t now_us, enum gw_err why);

/* ---- revocation ------------------------------------------------------------------------------ */

/** True when the token's jti is revoked. revocations may be NULL. */
bool token_is_revoked(const struct token_claims *claims, const struct config_part *config,
		      const struct revocation_part *revocations);

/** True when the web site of that name is disabled. revocations may be NULL. */
bool token_wwsf_disabled(struct span wwsf, const struct revocation_part *revocations);

/* ---- the layer's tools, used by its tests -------------------------------------------------- */

/** Strict base64url (RFC 4648 5): no padding, no white space, unused bits zero. F04. */
enum gw_err GW_MUST_CHECK token_base64url_decode(struct span text, uint8_t *to, uint32_t room,
						 uint32_t *len);

/** Writes bytes as base64url without padding. */
void token_base64url_write(struct writer *out, struct span bytes);

#endif
