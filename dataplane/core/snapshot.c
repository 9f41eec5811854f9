/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <rte_rcu_qsbr.h>

#include "snapshot.h"

#define RETIRED_MAX 64

/** What is live at one moment: replaced whole, its parts one by one or together. */
struct snapshot_set {
	struct snapshot_part *part[SNAPSHOT_KINDS];
};

/** A set that is not live any more, and the parts that went with it. */
struct retired {
	struct snapshot_set *set;
	struct snapshot_part *replaced[SNAPSHOT_KINDS]; /* NULL: lives on in the next set */
	uint64_t token;					/* of rte_rcu_qsbr_start() */
};

struct snapshot_root {
	_Atomic(struct snapshot_set *) live;
	uint32_t generation[SNAPSHOT_KINDS];
	struct retired retired[RETIRED_MAX];
	uint32_t retired_count;
	struct rte_rcu_qsbr *rcu;
};

static void part_free(struct snapshot_part *part)
{
	if (part != NULL)
		part->free(part);
}

struct snapshot_root *snapshot_root_new(uint16_t readers)
{
	struct snapshot_root *root = calloc(1, sizeof(*root));
	struct snapshot_set *set = calloc(1, sizeof(*set));
	size_t size = rte_rcu_qsbr_get_memsize(readers);

	if (root == NULL || set == NULL) {
		free(root);
		free(set);
		return NULL;
	}
	atomic_init(&root->live, set);
	root->rcu = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_ROUNDUP(size));
	if (root->rcu == NULL || rte_rcu_qsbr_init(root->rcu, readers) != 0) {
		snapshot_root_free(root);
		return NULL;
	}
	for (uint16_t i = 0; i < readers; i++)
		(void)rte_rcu_qsbr_thread_register(root->rcu, i);
	return root;
}

static void retired_free(struct retired *r)
{
	for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
		part_free(r->replaced[kind]);
	free(r->set);
}

void snapshot_root_free(struct snapshot_root *root)
{
	struct snapshot_set *set;

	if (root == NULL)
		return;
	for (uint32_t i = 0; i < root->retired_count; i++)
		retired_free(&root->retired[i]);
	set = atomic_load(&root->live);
	for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
		part_free(set->part[kind]);
	free(set);
	free(root->rcu);
	free(root);
}

static enum gw_err publish_refused(struct snapshot_part *parts[SNAPSHOT_KINDS], enum gw_err err)
{
	for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
		part_free(parts[kind]);
	return err;
}

enum gw_err snapshot_publish_all(struct snapshot_root *root,
				 struct snapshot_part *parts_owned[SNAPSHOT_KINDS])
{
	struct snapshot_set *set;
	struct retired *old;

	if (snapshot_reclaim(root) == RETIRED_MAX)
		return publish_refused(parts_owned, GW_QUEUE_FULL);
	set = malloc(sizeof(*set));
	if (set == NULL)
		return publish_refused(parts_owned, GW_NO_MEMORY);
	old = &root->retired[root->retired_count++];
	*old = (struct retired){.set = atomic_load(&root->live)};
	*set = *old->set;
	for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
		if (parts_owned[kind] == NULL)
			continue;
		old->replaced[kind] = set->part[kind];
		set->part[kind] = parts_owned[kind];
		set->part[kind]->generation = ++root->generation[kind];
	}
	atomic_store_explicit(&root->live, set, memory_order_release);
	old->token = rte_rcu_qsbr_start(root->rcu);
	return GW_OK;
}

enum gw_err snapshot_publish(struct snapshot_root *root, enum snapshot_kind kind,
			     struct snapshot_part *part_owned)
{
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {0};

	parts[kind] = part_owned;
	return snapshot_publish_all(root, parts);
}

uint32_t snapshot_reclaim(struct snapshot_root *root)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < root->retired_count; i++) {
		struct retired r = root->retired[i];

		if (rte_rcu_qsbr_check(root->rcu, r.token, false) == 1)
			retired_free(&r);
		else
			root->retired[kept++] = r;
	}
	root->retired_count = kept;
	return kept;
}

void snapshot_view(struct snapshot_root *root, struct snapshot *view)
{
	const struct snapshot_set *set = atomic_load_explicit(&root->live, memory_order_acquire);

	/* every part begins with its struct snapshot_part */
	*view = (struct snapshot){
		.config = (const struct config_part *)set->part[SNAPSHOT_CONFIG],
		.keys = (const struct key_part *)set->part[SNAPSHOT_KEYS],
		.pairs = (const struct pair_part *)set->part[SNAPSHOT_PAIRS],
		.revocations = (const struct revocation_part *)set->part[SNAPSHOT_REVOCATIONS],
		.tickets = (const struct ticket_part *)set->part[SNAPSHOT_TICKETS],
		.tls = (const struct tls_part *)set->part[SNAPSHOT_TLS],
		.mw_tls = (const struct tls_part *)set->part[SNAPSHOT_MW_TLS],
		.peers = (const struct peer_part *)set->part[SNAPSHOT_PEERS],
		.patterns = (const struct pattern_part *)set->part[SNAPSHOT_PATTERNS],
		.destinations =
			(const struct destination_part *)set->part[SNAPSHOT_DESTINATIONS],
	};
}

void snapshot_online(struct snapshot_root *root, uint16_t reader)
{
	rte_rcu_qsbr_thread_online(root->rcu, reader);
}

void snapshot_offline(struct snapshot_root *root, uint16_t reader)
{
	rte_rcu_qsbr_thread_offline(root->rcu, reader);
}

void snapshot_quiescent(struct snapshot_root *root, uint16_t reader)
{
	rte_rcu_qsbr_quiescent(root->rcu, reader);
}
