/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PUBLISH_H
#define PUBLISH_H

#include "config.h"
#include "jwks.h"
#include "named.h"
#include "state.h"

/**
 * Makes the parts of the snapshot (include/parts.h) from an accepted configuration. Each part has
 * its own memory, freed and wiped by part.free. Rows keep the order of the configuration:
 * key_row.issuer, wwsf_config.issuer and wwsf_config.pairs fit together only in parts made of one
 * configuration.
 */
struct config_part *publish_config(const struct config *config, const struct state *state);

/** What the keys of a configuration are made of. */
struct publish_keys_from {
	const struct config *config;
	struct key_ids *ids;
	const struct jwks *jwks;	   /* NULL: none has been fetched */
	const struct keys_filter *revoked; /* NULL: none is */
};

/** Gives keys their ids, and settles them; the same key keeps its id over reloads. */
struct key_part *publish_keys(const struct publish_keys_from *from);

/** The TLS contexts of W2, and of Mw where it has TLS, of config that was accepted. GW_NO_MEMORY:
 * parts has those that were made. */
enum gw_err GW_MUST_CHECK publish_tls(const struct config *config,
				      struct snapshot_part *parts[SNAPSHOT_KINDS]);

/** Holds the pairs of config, without a copy. NULL: no memory. */
struct pair_part *publish_pairs(const struct config *config);

/** The rules about destinations: a copy, but for compiled expressions, which it holds. */
struct destination_part *publish_destinations(const struct config *config);

/** Holds the compiled wildcards of config, and those that the core has named. named: NULL: none. */
struct pattern_part *publish_patterns(const struct config *config, const struct named *named);

#endif
