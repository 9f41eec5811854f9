/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stdlib.h>

/*
 * The next hops of the configuration, as one worker knows them: which of them are up, and which
 * gets the next request (RFC 2782's rule: the best priority that has one, by weight in it).
 */

#define SHUT_MAX_S 3600 /* a hop that asks for more is asked again after an hour */

struct hop {
	struct mw_target target;
	uint32_t priority, weight;
	bool used;
	bool wanted;	  /* while the table is made anew */
	uint64_t shut_us; /* until then it wants nothing: Retry-After of its 503 */
};

struct hops {
	struct hop hop[HOPS_MAX]; /* in their slots for as long as they are configured */
	bool known;		  /* it is that of a configuration */
	uint32_t config_generation;
};

struct hops *hops_new(void)
{
	return calloc(1, sizeof(struct hops));
}

void hops_free(struct hops *hops)
{
	free(hops);
}

/* ---- the table ------------------------------------------------------------------------------ */

static struct hop *hop_find(struct gateway *gw, const struct mw_target *target)
{
	for (uint32_t i = 0; i < HOPS_MAX; i++)
		if (gw->hops->hop[i].used && target_same(&gw->hops->hop[i].target, target))
			return &gw->hops->hop[i];
	return NULL;
}

/** The hop of target, in a free slot when it is new. NULL: there are HOPS_MAX. */
static struct hop *hop_want(struct gateway *gw, const struct mw_target *target)
{
	struct hop *hop = hop_find(gw, target);

	for (uint32_t i = 0; hop == NULL && i < HOPS_MAX; i++)
		if (!gw->hops->hop[i].used)
			hop = &gw->hops->hop[i];
	if (hop == NULL)
		return NULL;
	if (!hop->used)
		*hop = (struct hop){.used = true, .target = *target};
	hop->wanted = true;
	return hop;
}

static void hop_drop(struct hop *hop)
{
	*hop = (struct hop){0};
}

/** Those that are configured keep their slots and what is known of them. */
static void hops_update(struct gateway *gw)
{
	const struct config_part *config = gw_config(gw);

	for (uint32_t i = 0; i < HOPS_MAX; i++)
		gw->hops->hop[i].wanted = false;
	for (uint32_t i = 0; i < config->next_hop_count; i++) {
		struct mw_target target = target_of_hop(&config->next_hop[i]);
		struct hop *hop = hop_want(gw, &target);

		if (hop == NULL)
			continue;
		hop->priority = config->next_hop[i].priority;
		hop->weight = config->next_hop[i].weight;
	}
	for (uint32_t i = 0; i < HOPS_MAX; i++)
		if (gw->hops->hop[i].used && !gw->hops->hop[i].wanted)
			hop_drop(&gw->hops->hop[i]);
}

void hops_turn(struct gateway *gw)
{
	uint32_t generation = gw_config(gw)->part.generation;

	if (gw->hops->known && gw->hops->config_generation == generation)
		return;
	gw->hops->known = true;
	gw->hops->config_generation = generation;
	hops_update(gw);
}

/* ---- which one ------------------------------------------------------------------------------ */

static bool hop_usable(struct gateway *gw, const struct hop *hop, uint64_t tried)
{
	uint32_t slot = (uint32_t)(hop - gw->hops->hop);

	return hop->used && (tried >> slot & 1) == 0 && gw->time.now_us >= hop->shut_us &&
	       gw->env->hop_up(gw->env->context, &hop->target);
}

/** The usable hops of the best priority that has one, as bits. */
static uint64_t hops_best(struct gateway *gw, uint64_t tried)
{
	uint32_t best = UINT32_MAX;
	uint64_t found = 0;

	for (uint32_t i = 0; i < HOPS_MAX; i++) {
		const struct hop *hop = &gw->hops->hop[i];

		if (hop->priority > best || !hop_usable(gw, hop, tried))
			continue;
		found = hop->priority < best ? 1ull << i : found | 1ull << i;
		best = hop->priority;
	}
	return found;
}

/** One of those by their weights; each counts a little, also one of weight 0 (RFC 2782). */
static const struct hop *hops_draw(struct gateway *gw, uint64_t among)
{
	uint64_t total = 0, drawn;

	for (uint32_t i = 0; i < HOPS_MAX; i++)
		if (among >> i & 1)
			total += 16ull * gw->hops->hop[i].weight + 1;
	drawn = (among & (among - 1)) != 0 ? gw->env->random(gw->env->context) % total : 0;
	for (uint32_t i = 0; i < HOPS_MAX; i++) {
		uint64_t share = 16ull * gw->hops->hop[i].weight + 1;

		if ((among >> i & 1) == 0)
			continue;
		if (drawn < share)
			return &gw->hops->hop[i];
		drawn -= share;
	}
	return NULL; /* among has none */
}

enum gw_err hops_choose(struct gateway *gw, uint64_t tried, struct mw_target *target)
{
	const struct hop *hop = hops_draw(gw, hops_best(gw, tried));

	if (hop == NULL)
		return GW_MW_DOWN;
	*target = hop->target;
	target->tried = tried;
	return GW_OK;
}

/** What is too long for UDP goes to the same hop over TCP: the transport is left out. */
uint64_t hops_bit(struct gateway *gw, const struct mw_target *target)
{
	struct mw_target other = *target;
	const struct hop *hop = hop_find(gw, target);

	other.transport = target->transport == MW_UDP ? MW_TCP : MW_UDP;
	if (hop == NULL)
		hop = hop_find(gw, &other);
	return hop != NULL ? 1ull << (hop - gw->hops->hop) : 0;
}

void hops_shut(struct gateway *gw, const struct mw_target *target, uint32_t seconds)
{
	struct hop *hop = hop_find(gw, target);

	if (hop == NULL)
		return;
	seconds = seconds < SHUT_MAX_S ? seconds : SHUT_MAX_S;
	hop->shut_us = gw->time.now_us + seconds * 1000000ull;
}
