/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JWS_H
#define JWS_H

#include "token.h"

/**
 * Steps 5 to 7 of PROTOCOL 3.5, from what claims says of alg, kid and iss: finds claims->issuer and
 * claims->key. GW_TOKEN_ISS, GW_TOKEN_ALG, GW_TOKEN_KID, GW_TOKEN_KEYS_DOWN. keys may be NULL.
 */
enum gw_err GW_MUST_CHECK jws_key_choose(const struct config_part *config,
					 const struct key_part *keys, struct token_claims *claims);

#endif
