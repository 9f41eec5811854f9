/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MINT_H
#define MINT_H

#include <stdbool.h>

#include "options.h"
#include "pairs.h"
#include "writer.h"

/** Issues tokens as a site would (PROTOCOL 3.3), signed with ES256. */
struct mint;

/** Longest token written, bytes. */
#define MINT_TOKEN_MAX 2048

/** options is borrowed for the mint's life. NULL: the reason is on standard error. */
struct mint *mint_new(const struct options *options);
void mint_free(struct mint *mint);

/** What a token says of its user, beside what all of a mint say. */
struct mint_claims {
	struct span sub;
	const struct pair *pair;
	const char *scn;       /* NULL: no such claim */
	uint64_t jti;	       /* a number; of an honest issuer one never given before */
	uint64_t iat_s, exp_s; /* Unix time */
};

/** Writes a token. Claims are borrowed. False: it could not be signed, or did not fit. */
bool mint_write(struct mint *mint, const struct mint_claims *claims, struct writer *out);

#endif
