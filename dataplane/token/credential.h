/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

#include "token.h"

/** What the carriers of a request held so far. */
struct credential_found {
	bool bearer, digest, other;
	struct span token, username;
};

/** s without white space at both ends; folds are still in values. */
struct span credential_trim(struct span s);

/**
 * Keeps a token; the same said twice is said once. GW_TOKEN_SEVERAL: it is another one, or for
 * another username. GW_TOKEN_MALFORMED: no token of any scheme looks like it.
 */
enum gw_err GW_MUST_CHECK credential_keep(struct credential_found *found, struct span token,
					  struct span username);

/** Keeps the tokens that are parts of the body. */
enum gw_err GW_MUST_CHECK body_tokens(const struct sip_message *m, struct credential_found *found);

#endif
