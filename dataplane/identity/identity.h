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

/** What follows the @: the host of a canonical SIP identity, empty for tel; the realm of a private
 * one. */
struct span identity_host(const struct identity *identity);

/**
 * Whether the pair is in the WWSF's allocation (PROTOCOL 3.5 step 17): by the home-domain rule
 * where it has domains, else among its pairs; and in no other WWSF's pool (PROTOCOL 6.2).
 * GW_IDENTITY_FOREIGN when not. pairs may be NULL. O(pools) but for mode pool, where it is O(1).
 */
enum gw_err GW_MUST_CHECK identity_allocated(const struct wwsf_config *wwsf,
					     const struct pair_part *pairs,
					     const struct identity *impi,
					     const struct identity *impu);

/** identity_allocated() will be asked about the pair soon: see identity_expect(). */
void identity_allocated_expect(const struct wwsf_config *wwsf, const struct pair_part *pairs,
			       const struct identity *impi, const struct identity *impu);

/**
 * The home-domain rule: impu is a SIP URI whose host is one of the WWSF's domains, and the realm of
 * impi is one of them or below one. Which impi goes with which impu is the issuer's word.
 * GW_IDENTITY_FOREIGN when not.
 */
enum gw_err GW_MUST_CHECK identity_at_home(const struct wwsf_config *wwsf,
					   const struct identity *impi,
					   const struct identity *impu);

/**
 * Whether the pair (both canonical) is in the table. GW_IDENTITY_FOREIGN when not. O(1): one cache
 * miss, which identity_expect() takes away.
 */
enum gw_err GW_MUST_CHECK identity_allowed(const struct pair_table *table, struct span impi,
					   struct span impu);

/** identity_allowed() will be asked about the pair soon: what it reads is asked of the memory now, and
 * nothing waits for it. */
void identity_expect(const struct pair_table *table, struct span impi, struct span impu);

/** Whether a pair of the table, which is a pool, has one of the two; no other table has. */
bool identity_pooled(const struct pair_table *table, struct span impi, struct span impu);

/** identity_pooled() will be asked soon: see identity_expect(). */
void identity_pooled_expect(const struct pair_table *table, struct span impi, struct span impu);

#endif
