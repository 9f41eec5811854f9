/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORLD_H
#define WORLD_H

#include "mint.h"
#include "token/token.h"

/**
 * The whole way of a token: read, verified by the openssl driver, judged. Issuer 0 serves one WWSF
 * with one key, issuer 1 serves two and has two keys, issuer 2 has none. A test that changes the
 * world puts it back.
 */

#define NOW 1795168000
#define GOOD_HEADER "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"waf-1\"}"
#define TIMES "\"iat\":1795167000,\"nbf\":1795167000,\"exp\":1795170600"
#define IDENTITIES "\"sub\":\"anon-7f3c\",\"impi\":\"a@ims.home1.net\",\"impu\":\"sip:a@home1.net\""
#define ISS "\"iss\":\"https://waf.example.com\""
#define AUD "\"aud\":\"sip:ep1.home1.net\""
#define GOOD_PAYLOAD "{" ISS "," AUD "," IDENTITIES "," TIMES "}"

#define ES256_ONLY (1u << JWS_ES256)

enum { SHOP, TOYS, BOOKS }; /* rows of wwsf */

#define TWO_PAYLOAD(wwsf) \
	"{\"iss\":\"https://two.example.com\"," AUD "," IDENTITIES "," TIMES wwsf "}"

#define WITH(more) "{" ISS "," AUD "," IDENTITIES "," TIMES more "}"

extern struct issuer_config issuers[3];
extern struct wwsf_config wwsfs[3];
extern struct config_part config;
extern struct key_row key_rows[3];
extern struct key_part keys;
extern struct revocation_part revocations;
extern enum sip_method method; /* of the request that shows the token */
extern EVP_PKEY *private_keys[3];

/* Of the token looked at last. */
extern struct token_scratch scratch;
extern struct token_claims claims;
extern struct minted token;

int world_open(void **state);
int world_close(void **state);

struct span token_span(void);

/** What becomes of a token shown on an Origin of that WWSF. */
enum gw_err outcome(struct span text, uint32_t wwsf);

/** The same for one that is made of header and payload, both JSON, and signed by key. */
enum gw_err signed_outcome(uint32_t key, const char *header, const char *payload, uint32_t wwsf);

/** With key 0, on SHOP, and with the good payload or header. */
enum gw_err header_outcome(const char *header);
enum gw_err payload_outcome(const char *payload);

/** The three parts of the token as it stands. */
void token_parts(struct span parts[3]);

#endif
