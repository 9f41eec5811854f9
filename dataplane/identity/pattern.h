/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PATTERN_H
#define PATTERN_H

#include "identity.h"

/* Wildcarded identities of web sites (PROTOCOL 1.4). part may be NULL: nobody has one. */

/** Whether impu (canonical) is one of the identities of the wildcard of the WWSF in that row. A
 * wildcard itself is no identity. Never blocks. */
bool pattern_has(const struct pattern_part *part, uint16_t worker, uint32_t wwsf,
		 const struct identity *impu);

/** The wildcard of that row as configured, canonical ("sip:guest!.*!@home1.net"); empty: none. */
struct span pattern_wildcard(const struct pattern_part *part, uint32_t wwsf);

/** The same as it stands in a URI: of its expression what cannot stand in a user is escaped. */
struct span pattern_uri(const struct pattern_part *part, uint32_t wwsf);

/** Whether impu is in the wildcard of another WWSF than that one. O(wildcards), one scan. */
bool pattern_of_another(const struct pattern_part *part, uint16_t worker, uint32_t wwsf,
			const struct identity *impu);

/**
 * What a token of a WWSF with a wildcard may name: an identity of its wildcard that no pool has,
 * since a distinct identity takes precedence (PROTOCOL 1.4). GW_IDENTITY_FOREIGN when not. pairs
 * may be NULL. O(pools).
 */
enum gw_err GW_MUST_CHECK identity_wildcarded(const struct pattern_part *part,
					      const struct pair_part *pairs, uint16_t worker,
					      uint32_t wwsf, const struct identity *impu);

#endif
