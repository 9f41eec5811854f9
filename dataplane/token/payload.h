/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "json.h"
#include "token.h"

/**
 * The claims of a payload (PROTOCOL 3.3): read here whatever they say, judged by token_judge(). A
 * claim of another type than it should have is left out, and claims->claims_typed falls.
 */

/**
 * Reads the registered claims of a checked object into claims. strings: memory for unescaped text.
 * Returns aud, which can be looked at only when iss has told the issuer; JSON_NULL when there is
 * none.
 */
struct json_value payload_registered(struct json_value object, struct writer *strings,
				     struct token_claims *claims);

/** Reads the claims whose names the issuer chooses (D-10). */
void payload_profile(struct json_value object, const struct issuer_config *issuer,
		     struct writer *strings, struct token_claims *claims);

/** Whether aud, one string or an array of nothing else, contains wanted. */
bool payload_audience(struct json_value audience, struct span wanted, struct writer *strings);

#endif
