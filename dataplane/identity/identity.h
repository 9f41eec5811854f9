/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "canonical.h"
#include "gw_err.h"
#include "parts.h"

/** A canonical identity by value. */
struct identity {
	uint16_t len;
	uint8_t text[IDENTITY_MAX];
};

static inline struct span identity_span(const struct identity *identity)
{
	return span_of(identity->text, identity->len);
}

/** Reads a public identity into its canonical form. GW_IDENTITY_SYNTAX. */
enum gw_err GW_MUST_CHECK identity_impu(struct span uri, struct identity *out);

/** Reads a private identity into its canonical form. GW_IDENTITY_SYNTAX. */
enum gw_err GW_MUST_CHECK identity_impi(struct span nai, struct identity *out);

/** The host part of a canonical SIP identity; empty for tel. */
struct span identity_host(const struct identity *impu);

/**
 * Whether the pair (both canonical) is in the WWSF's allocation (PROTOCOL 3.5 step 17).
 * GW_IDENTITY_FOREIGN when not. O(1), about one cache miss.
 */
enum gw_err GW_MUST_CHECK identity_allowed(const struct pair_table *table, struct span impi,
					   struct span impu);

#endif
