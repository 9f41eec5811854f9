/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "gw_err.h"
#include "parts.h"

/**
 * The root of separately replaced parts. Control publishes; each worker takes a view at the start
 * of its turn, so that all of a turn agrees, and says "quiescent" at its end (RCU, rte_rcu_qsbr).
 */
struct snapshot_root;

/** What one turn of a worker sees. Any may be NULL before its first publication. */
struct snapshot {
	const struct config_part *config;
	const struct key_part *keys;
	const struct pair_part *pairs;
	const struct revocation_part *revocations;
	const struct ticket_part *tickets;
	const struct tls_part *tls;
	const struct tls_part *mw_tls; /* NULL: none */
	const struct peer_part *peers;
	const struct pattern_part *patterns;
	const struct destination_part *destinations;
};

/** For readers workers. NULL: no memory. */
struct snapshot_root *snapshot_root_new(uint16_t readers);

/** Frees the root and every part. No reader may be running. NULL does nothing. */
void snapshot_root_free(struct snapshot_root *root);

/**
 * Makes part_owned the live part of its kind and keeps the old one until no reader can see it.
 * Control only. Never blocks. GW_QUEUE_FULL: 64 old things are still waited for; GW_NO_MEMORY. Then
 * part_owned is freed and nothing changes.
 */
enum gw_err GW_MUST_CHECK snapshot_publish(struct snapshot_root *root, enum snapshot_kind kind,
					   struct snapshot_part *part_owned);

/**
 * The same for several kinds at one moment: no view ever mixes them with older ones. A NULL entry
 * keeps that kind's live part.
 */
enum gw_err GW_MUST_CHECK snapshot_publish_all(struct snapshot_root *root,
					       struct snapshot_part *parts_owned[SNAPSHOT_KINDS]);

/** Frees old parts that no reader can see any more; how many still wait. Control only, on a timer.
 */
uint32_t snapshot_reclaim(struct snapshot_root *root);

/** Fills view with the live parts. Control may call it too, as long as it is the one that
 * publishes. */
void snapshot_view(struct snapshot_root *root, struct snapshot *view);

/** A reader starts, or comes back from sleep: from now on parts it views stay. */
void snapshot_online(struct snapshot_root *root, uint16_t reader);
/** A reader goes to sleep or ends: it holds no view. */
void snapshot_offline(struct snapshot_root *root, uint16_t reader);
/** The turn is over: the reader holds no view of before. */
void snapshot_quiescent(struct snapshot_root *root, uint16_t reader);

#endif
