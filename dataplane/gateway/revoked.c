/* SPDX-License-Identifier: BSD-3-Clause */
#include "registrar.h"

/*
 * Bindings whose token, WWSF or pool pair an operator has taken back. Every revocation and every
 * reload makes a walk over all
 * bindings, some in each turn; a binding that comes behind the walk begins it again.
 */

#define LOOKED_AT_MAX 256u /* bindings in one turn */

/** The web site has its block still, and that the identity; and no other mode's binding stays in
 * one. */
static bool still_in_block(const struct gateway *gw, const struct wwsf_config *site,
			   const struct binding *b)
{
	const struct snapshot *view = gw->time.view;

	return b->local && site != NULL && site->mode == WWSF_BLOCK &&
	       pattern_has(view->patterns, gw->config.worker, (uint32_t)(site - view->config->wwsf),
			   &b->impu);
}

/** A reload has not taken the pair out of its site's pool, nor made a pool of it under a binding
 * without a lease. */
static bool still_allocated(const struct gateway *gw, const struct binding *b)
{
	const struct wwsf_config *site = register_site_named(gw, span_text(b->wwsf));

	if (b->local || (site != NULL && site->mode == WWSF_BLOCK))
		return still_in_block(gw, site, b);
	if (site == NULL || site->mode != WWSF_POOL)
		return true;
	return !lease_id_is_none(b->lease) &&
	       identity_allocated(site, gw->time.view->pairs, &b->impi, &b->impu) == GW_OK;
}

/** GW_OK, or which of them was taken back. */
static enum gw_err taken_back(const struct gateway *gw, const struct binding *b)
{
	const struct revocation_part *revocations = gw->time.view->revocations;

	if (b->state == BINDING_LEAVING)
		return GW_OK; /* it has ended */
	if (token_jti_revoked(b->jti, revocations))
		return GW_TOKEN_JTI;
	if (token_wwsf_disabled(span_text(b->wwsf), revocations))
		return GW_TOKEN_WWSF;
	return still_allocated(gw, b) ? GW_OK : GW_IDENTITY_FOREIGN;
}

static void walk_begin(struct gateway *gw)
{
	gw->revoked.cursor = 0;
	gw->revoked.under_way = true;
}

void revoked_turn(struct gateway *gw)
{
	const struct revocation_part *revocations = gw->time.view->revocations;
	const struct pair_part *pairs = gw->time.view->pairs;
	const struct pattern_part *patterns = gw->time.view->patterns;
	uint32_t generation[3] = {
		revocations != NULL ? revocations->part.generation : 0,
		pairs != NULL ? pairs->part.generation : 0,
		patterns != NULL ? patterns->part.generation : 0,
	};

	gw->revoked.looked = 0;
	if (memcmp(generation, gw->revoked.generation, sizeof(generation)) == 0)
		return;
	memcpy(gw->revoked.generation, generation, sizeof(generation));
	walk_begin(gw);
}

void revoked_binding(struct gateway *gw, const struct binding *b)
{
	if (taken_back(gw, b) != GW_OK)
		walk_begin(gw);
}

bool gateway_revoked(struct gateway *gw, struct gateway_ended *ended, bool *more)
{
	struct revoked_walk *walk = &gw->revoked;

	while (walk->under_way && walk->looked++ < LOOKED_AT_MAX) {
		struct binding *b = slots_next(gw->bindings, &walk->cursor);
		enum gw_err why = b != NULL ? taken_back(gw, b) : GW_OK;

		walk->under_way = b != NULL;
		if (why == GW_OK)
			continue;
		*ended = (struct gateway_ended){b->flow, why};
		binding_leave(gw, b, &gw_counters(gw)->binding_revoked, why);
		return true;
	}
	*more = walk->under_way;
	return false;
}
