/* SPDX-License-Identifier: BSD-3-Clause */
#include "registrar.h"
#include "wildcard.h"

/*
 * Bindings whose token, WWSF or pool pair an operator has taken back, or whose block the core has
 * rejected, and users who are not registered. Every revocation, every reload and every such word
 * makes a walk over all of them, some in each turn; a binding that comes behind the walk begins it
 * again. A user is let in by the same view as the walk looks at. A step of the wall's clock makes
 * one too: it finds the ends of tokens anew (wall.c).
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

/** A reload has not put it into the wildcard of another site; as when it registered, where that
 * goes by domains. */
static bool still_its_own(const struct gateway *gw, const struct wwsf_config *site,
			  const struct binding *b)
{
	const struct snapshot *view = gw->time.view;

	return b->ims_auth || site->domain_count == 0 ||
	       !pattern_of_another(view->patterns, gw->config.worker,
				   (uint32_t)(site - view->config->wwsf), &b->impu);
}

/** A reload has not taken the pair out of its site's pool, nor made a pool of it under a binding
 * without a lease. */
static bool still_allocated(const struct gateway *gw, const struct binding *b)
{
	const struct wwsf_config *site = register_site_named(gw, span_text(b->wwsf));

	if (b->local || (site != NULL && site->mode == WWSF_BLOCK))
		return still_in_block(gw, site, b);
	if (site == NULL)
		return true;
	if (site->mode != WWSF_POOL)
		return still_its_own(gw, site, b);
	return !lease_id_is_none(b->lease) &&
	       identity_allocated(site, gw->time.view->pairs, &b->impi, &b->impu) == GW_OK;
}

/** GW_OK, or which of them was taken back, and by whom. */
static enum gw_err taken_back(const struct gateway *gw, const struct binding *b)
{
	const struct revocation_part *revocations = gw->time.view->revocations;

	if (b->state == BINDING_LEAVING)
		return GW_OK; /* it has ended */
	if (token_jti_revoked(b->jti, revocations))
		return GW_TOKEN_JTI;
	if (token_wwsf_disabled(span_text(b->wwsf), revocations))
		return GW_TOKEN_WWSF;
	if (b->local && block_has_dropped(gw, b))
		return GW_REG_REJECTED;
	return still_allocated(gw, b) ? GW_OK : GW_IDENTITY_FOREIGN;
}

void revoked_walk(struct gateway *gw)
{
	gw->revoked.cursor = 0;
	gw->revoked.users = false;
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
	revoked_walk(gw);
}

void revoked_binding(struct gateway *gw, const struct binding *b)
{
	if (taken_back(gw, b) != GW_OK)
		revoked_walk(gw);
}

/** Looks at the next binding. True: it was taken back, and has ended. */
static bool walk_binding(struct gateway *gw, struct gateway_ended *ended)
{
	struct binding *b = slots_next(gw->bindings, &gw->revoked.cursor);
	enum gw_err why = b != NULL ? taken_back(gw, b) : GW_OK;
	struct counters *c = gw_counters(gw);

	if (b == NULL) {
		gw->revoked.users = true;
		gw->revoked.cursor = 0;
		return false;
	}
	if (why == GW_OK) {
		wall_binding(gw, b); /* b may have ended: by time, so that its flow stays */
		return false;
	}
	*ended = (struct gateway_ended){b->flow, why};
	binding_leave(gw, b, why == GW_REG_REJECTED ? &c->binding_core_ended : &c->binding_revoked,
		      why);
	return true;
}

/** At the next user who is not registered. */
static bool walk_user(struct gateway *gw, struct gateway_ended *ended)
{
	struct wildcard_user *u = slots_next(gw->wildcards, &gw->revoked.cursor);
	enum gw_err why = u != NULL ? wildcard_taken_back(gw, u) : GW_OK;

	gw->revoked.under_way = u != NULL;
	if (why == GW_OK)
		return false;
	*ended = (struct gateway_ended){u->flow, why};
	counter_add(&gw_counters(gw)->wildcard_revoked, 1);
	wildcard_end(gw, u);
	return true;
}

bool gateway_revoked(struct gateway *gw, struct gateway_ended *ended, bool *more)
{
	struct revoked_walk *walk = &gw->revoked;

	while (walk->under_way && walk->looked++ < LOOKED_AT_MAX)
		if (walk->users ? walk_user(gw, ended) : walk_binding(gw, ended))
			return true;
	*more = walk->under_way;
	return false;
}
