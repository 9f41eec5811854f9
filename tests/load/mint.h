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

/**
 * Writes a token for a pair. jti: a number never given before. now_s: Unix time. False: it could
 * not be signed, or did not fit.
 */
bool mint_write(struct mint *mint, const struct pair *pair, uint64_t jti, uint64_t now_s,
		struct writer *out);

#endif
