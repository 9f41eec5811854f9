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

/** A kid is opaque and at most so long (PROTOCOL 3.5 step 7). */
#define TOKEN_KID_MAX 256

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
	bool has_kid;	   /* kid is there, if only as "" */
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
 * Finds the Bearer credential of a request in Authorization (every method), Proxy-Authorization
 * (not REGISTER), both spellings of PROTOCOL 3.2, and, where config->token_in_body says so, in the
 * body. Identical repeats count as one; different ones, or Bearer beside Digest, are
 * GW_TOKEN_SEVERAL; another scheme alone is GW_TOKEN_SCHEME, but a lone Digest gives GW_TOKEN_NONE.
 * A URI is never looked at.
 */
struct token_credential token_find(const struct sip_message *m, const struct config_part *config);

/** Parts of a body that are looked at. */
#define TOKEN_PARTS_MAX 8

/**
 * Writes the body of m without the parts that token_find() would take a token from: what may go on
 * to the core. Such a part is application/jwt with the disposition by-reference;handling=optional,
 * among the first TOKEN_PARTS_MAX of a multipart/mixed body (RFC 2046 5.1), whatever it contains.
 * Writes nothing when no other part is left. False, nothing written: there is no such part. A
 * token anywhere else in a body is for the caller to refuse.
 */
bool token_body_strip(const struct sip_message *m, struct writer *out);

/**
 * Steps 1-7 and the syntax of 10: reads the token and finds issuer and key. F04, F05, F07-F11. keys
 * may be NULL. claims point into token and scratch.
 */
enum gw_err GW_MUST_CHECK token_read(struct span token, const struct config_part *config,
				     const struct key_part *keys, struct token_scratch *scratch,
				     struct token_claims *claims);

/** Step 8's job: copies signed text, decoded signature and key. GW_TOKEN_SIGNATURE: not decodable.
 */
enum gw_err GW_MUST_CHECK token_job(const struct token_claims *claims, const struct key_part *keys,
				    struct verify_job *job);

/** What a token is shown for. */
struct token_use {
	const struct config_part *config;
	const struct revocation_part *revocations; /* NULL: none */
	uint32_t wwsf; /* row of config_part.wwsf that the connection's Origin belongs to */
	enum sip_method method; /* REGISTER asks for another scope than the others */
	uint64_t now_s;		/* Unix time */
};

/**
 * Steps 9-16, after the signature was found good: typ, aud, times, revocation of jti, WWSF against
 * use->wwsf, scenario, scope, claims of its mode. That identities are canonical and whose they are
 * is the identity layer's to say. F06, F13-F20. Pure, O(size of the claims).
 */
enum gw_err GW_MUST_CHECK token_judge(const struct token_claims *claims,
				      const struct token_use *use);

/* ---- explaining ------------------------------------------------------------------------------ */

/** Steps that token_read(), the signature and token_judge() are made of. */
#define TOKEN_STEPS 18

/** What one step says of a token. */
struct token_step {
	const char *name; /* "audience" */
	const char *row;  /* of PROTOCOL 3.6, "F13"; err may be of a neighbouring one */
	enum gw_err err;
};

/**
 * The same steps as token_read() and token_judge() take, one by one up to the first that refuses.
 * signature: the verdict on it, which the caller gets by token_job(); it is looked at only when all
 * steps before it are good. Returns how many of steps are filled. keys may be NULL.
 */
uint32_t token_explain(struct span token, const struct key_part *keys, const struct token_use *use,
		       enum gw_err signature, struct token_scratch *scratch,
		       struct token_step steps[TOKEN_STEPS]);

/* ---- what is remembered of tokens ----------------------------------------------------------- */

/** SHA-256 of a whole token as it was sent. */
struct token_digest {
	uint8_t bytes[32];
};

/** No look-up, no lock, no heap. */
struct token_digest token_digest(struct span token);

/**
 * Tokens by digest: what token_read() said of each, copied; those whose signature was found good,
 * and, apart from them, those whose is being checked. Each of a worker's own, sized at start; the
 * one longest not used makes room. An entry says nothing about time, revocation or policy: whoever
 * finds it still calls token_judge().
 */
struct token_cache;

/** NULL: no memory. entries 0: remembers nothing. An entry takes about 0.7 KiB, touched when it is
 * first used. */
struct token_cache *token_cache_new(uint32_t entries);
/** NULL does nothing. */
void token_cache_free(struct token_cache *cache);

/**
 * Finds what was kept under digest and fills claims with it, but for signed_text and signature,
 * which are empty; spans live until the next token_cache_put(). An entry that token_read() would
 * read otherwise today is forgotten: its issuer, its key (material and algorithm), its audience or
 * the length of tokens are not those of config and keys any more; what a reload leaves as it was
 * stays. False: not there. O(1), but for the first find after a reload, which looks for issuer and
 * key.
 */
bool token_cache_find(struct token_cache *cache, const struct token_digest *digest,
		      const struct config_part *config, const struct key_part *keys,
		      struct token_claims *claims);

/**
 * Keeps claims, which token_read() made with this config and these keys, under digest. What has too
 * much text for an entry is not kept. O(1).
 */
void token_cache_put(struct token_cache *cache, const struct token_digest *digest,
		     const struct config_part *config, const struct key_part *keys,
		     const struct token_claims *claims);

/**
 * Tokens that were refused for what they are (F04-F08, F12, F13 and F14's passed exp), by digest: a
 * client repeats one for ever, and gets the same answer without a signature being checked. Entries
 * end with the configuration and the keys they were made under, and after TOKEN_REFUSED_US. One per
 * worker; the one longest not used makes room. O(1).
 */
struct token_refused;

/** So that a clock that was wrong for a while, or a key that its issuer mended, is forgiven. */
#define TOKEN_REFUSED_US (300 * UINT64_C(1000000))

/** NULL: no memory. entries 0: remembers nothing. */
struct token_refused *token_refused_new(uint32_t entries);
/** NULL does nothing. */
void token_refused_free(struct token_refused *refused);

/** GW_OK: not there; else why it was refused. */
enum gw_err token_refused_find(struct token_refused *refused, const struct token_digest *digest,
			       const struct snapshot *view, uint64_t now_us);

/** Keeps why, when it is one that another time or another connection would not change. */
void token_refused_put(struct token_refused *refused, const struct token_digest *digest,
		       const struct snapshot *view, uint64_t now_us, enum gw_err why);

/** Forgets all: the wall's clock was set, and what was over by it may not be. O(1). */
void token_refused_forget(struct token_refused *refused);

/* ---- revocation ------------------------------------------------------------------------------ */

/** True when the token's jti is revoked. revocations may be NULL. One search in an ordered list. */
bool token_is_revoked(const struct token_claims *claims, const struct config_part *config,
		      const struct revocation_part *revocations);

/** True when the token of that jti_hash() is revoked; 0 names none. revocations may be NULL. */
bool token_jti_revoked(uint64_t hash, const struct revocation_part *revocations);

/** True when the web site of that name is disabled. revocations may be NULL. */
bool token_wwsf_disabled(struct span wwsf, const struct revocation_part *revocations);

/* ---- what people are shown ------------------------------------------------------------------- */

/**
 * Writes text, a message or any other bytes, without what is secret in it: Bearer credentials in
 * whatever header, access_token parameters, application/jwt bodies and parts, what looks like a
 * JWS wherever it stands, and ck and ik of a challenge. In the place of each stands
 * "[redacted N bytes]". Other Digest parameters stay: they prove nothing a second time. What is
 * doubtful goes. False: out was too small, and has the front. Linear in text but for lines that
 * are nearly a JWS.
 */
bool GW_MUST_CHECK token_redact(struct span text, struct writer *out);

#endif
