/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include <stdlib.h>

#include "base64url.h"

/*
 * The web site with a pool, as the agreement has it (PROTOCOL 6): a pair belongs to one user until
 * the last token that was given for it has ended, by the site's own clock. In some worlds it breaks
 * the agreement in one way.
 */

struct pool *pool_new(void)
{
	return table_new(sizeof(struct pool));
}

void pool_free(struct pool *pool)
{
	if (pool != NULL)
		table_free(pool, sizeof(*pool));
}

/** The site's clock. */
static uint64_t site_now(const struct sim *sim)
{
	return sim_wall(sim) + sim->shape.pool_ahead_s;
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

/** Where in slot the tokens of hash are, or would be. */
static uint32_t slot_of(const struct pool *pool, uint64_t hash)
{
	uint32_t i = (uint32_t)hash % (2 * POOL_TOKENS_MAX);

	while (pool->slot[i] != 0 && pool->token[pool->slot[i] - 1].hash != hash)
		i = (i + 1) % (2 * POOL_TOKENS_MAX);
	return i;
}

const struct pool_token *pool_token_of(const struct pool *pool, uint64_t hash)
{
	uint32_t first = hash != 0 ? pool->slot[slot_of(pool, hash)] : 0, owner;

	if (first == 0)
		return NULL;
	owner = pool->owner[pool->token[first - 1].jti - 1];
	return &pool->token[(owner != 0 ? owner : first) - 1];
}

/** A token as it is agreed. */
static uint32_t token_new(struct sim *sim, uint32_t pair, uint32_t sub)
{
	struct pool *pool = sim->pool;
	struct pool_pair *p = &pool->pair[pair];
	struct pool_token *t = &pool->token[pool->tokens];
	uint32_t shortest = sim->shape.min_grant_s + 2;

	if (pool->tokens == POOL_TOKENS_MAX)
		return 0;
	*t = (struct pool_token){
		.pair = pair,
		.sub = sub,
		.jti = ++pool->jtis,
		.iat_s = site_now(sim),
	};
	t->hash = token_jti_hash(SPAN("https://waf2.example"), 'j', t->jti);
	pool->slot[slot_of(pool, t->hash)] = pool->tokens + 1;
	t->exp_s = t->iat_s + sim_between(sim, shortest, sim->shape.pool_lifetime_s);
	pool->tokens++;
	p->sub = sub;
	p->last = pool->tokens;
	p->end_s = t->exp_s > p->end_s ? t->exp_s : p->end_s;
	return pool->tokens;
}

/** A pair that is free, or one that is not. POOL_PAIRS_MAX: there is none. */
static uint32_t draw_pair(struct sim *sim, bool wanted_free)
{
	uint32_t n = sim->shape.pool_pairs, from = sim_below(sim, n);

	for (uint32_t i = 0; i < n; i++) {
		const struct pool_pair *p = &sim->pool->pair[(from + i) % n];

		if (wanted_free == (p->last == 0 || p->end_s < site_now(sim)))
			return (from + i) % n;
	}
	return POOL_PAIRS_MAX;
}

static void spoil(struct sim *sim, struct pool_token *t, uint32_t before)
{
	t->fault = sim->shape.pool_fault;
	switch (t->fault) {
	case POOL_JTI_TWICE:
		if (before != 0) {
			t->jti = pool_token(sim, before)->jti;
			t->hash = pool_token(sim, before)->hash;
		}
		t->fault = POOL_HONEST; /* it depends on who has shown the other one */
		break;
	case POOL_TOO_LONG:
		t->exp_s = t->iat_s + sim->shape.pool_lifetime_s + sim_between(sim, 1, 1000);
		break;
	case POOL_NOT_YET:
		t->iat_s = sim_wall(sim) + POOL_LEEWAY_S + sim_between(sim, 100, 300);
		t->exp_s = t->iat_s + sim->shape.pool_lifetime_s;
		break;
	case POOL_OVERLAP:
		t->fault = POOL_HONEST;
		break;
	default:
		break;
	}
}

uint32_t pool_visit(struct sim *sim)
{
	enum pool_fault fault = sim->shape.pool_fault;
	bool faulty = fault != POOL_HONEST && fault != POOL_OLDER && sim_chance(sim, 35);
	bool taken = faulty &&
		     (fault == POOL_OVERLAP || (fault == POOL_JTI_TWICE && sim_chance(sim, 50)));
	uint32_t pair = draw_pair(sim, !taken), before, token;
	uint64_t end_s;

	if (pair == POOL_PAIRS_MAX)
		return 0;
	before = sim->pool->pair[pair].last;
	end_s = sim->pool->pair[pair].end_s;
	token = token_new(sim, pair, ++sim->pool->subs);
	if (token == 0 || !faulty)
		return token;
	spoil(sim, pool_token(sim, token), before);
	if (pool_token(sim, token)->fault != POOL_HONEST)
		sim->pool->pair[pair].end_s = end_s; /* nobody has it by that one */
	return token;
}

uint32_t pool_renew(struct sim *sim, uint32_t token)
{
	const struct pool_token *t = pool_token(sim, token);
	const struct pool_pair *p = &sim->pool->pair[t->pair];

	if (p->sub != t->sub || t->fault != POOL_HONEST)
		return 0;
	return token_new(sim, t->pair, t->sub);
}

/** The identities that the token names. */
static uint32_t named_user(const struct pool_token *t)
{
	return t->fault == POOL_FOREIGN ? t->pair : pool_user(t->pair);
}

static void write_claims(const struct pool_token *t, struct writer *w)
{
	uint32_t user = named_user(t), impi = t->fault == POOL_MIXED ? user ^ 1 : user;

	text_add(w, "{\"iss\":\"https://waf%u.example\",\"aud\":\"sip:ep." DOMAIN "\",", POOL_SITE);
	if (t->fault != POOL_NO_JTI)
		text_add(w, "\"jti\":\"j%u\",", t->jti);
	text_add(w, "\"sub\":\"v%u\",\"impi\":\"user%u@" DOMAIN "\",", t->sub, impi);
	text_add(w, "\"impu\":[\"sip:user%u@" DOMAIN "\"],", user);
	text_add(w, "\"iat\":%llu,\"exp\":%llu}", (unsigned long long)t->iat_s,
		 (unsigned long long)t->exp_s);
}

void pool_token_write(struct sim *sim, uint32_t token, struct writer *out)
{
	uint8_t claims[512];
	struct writer w;

	writer_init(&w, claims, sizeof(claims));
	write_claims(pool_token(sim, token), &w);
	token_seal(sim, writer_span(&w), false, out);
}

uint16_t pool_verdict(const struct sim *sim, const struct pool_token *t, uint64_t at_us)
{
	if (sim_wall_at(sim, t->iat_s) > at_us + POOL_LEEWAY_S * SECOND)
		return 401;
	if (t->fault == POOL_MIXED || t->fault == POOL_FOREIGN)
		return 403;
	if (t->fault == POOL_TOO_LONG || t->fault == POOL_NO_JTI)
		return 401;
	if (sim_wall_at(sim, t->exp_s) < at_us + sim->shape.min_grant_s * SECOND)
		return 401;
	return 0;
}

void pool_asked(struct sim *sim, uint32_t token, uint32_t wic)
{
	struct pool_pair *p = &sim->pool->pair[pool_token(sim, token)->pair];

	if (p->wic != wic + 1 || p->holder != wic + 1)
		p->disturbed_us = sim->now_us;
	p->wic = wic + 1;
}

/* ---- the operator -----------------------------------------------------------------------------
 */

static void revoke_one(struct sim *sim)
{
	struct pool *pool = sim->pool;
	struct pool_pair *p = &pool->pair[sim_below(sim, sim->shape.pool_pairs)];

	if (p->last == 0)
		return;
	pool_token(sim, p->last)->revoked = true;
	pool_token(sim, p->last)->revoked_us = sim->now_us;
	p->disturbed_us = sim->now_us;
	sim_note(sim, "revoked: j%u of user%u", pool_token(sim, p->last)->jti,
		 pool_user((uint32_t)(p - pool->pair)));
	parts_publish_revocations(sim);
}

static void disable(struct sim *sim, bool disabled)
{
	sim->pool->disabled = disabled;
	sim_note(sim, "site %d is %s", POOL_SITE, disabled ? "disabled" : "enabled");
	parts_publish_revocations(sim);
}

static void take_pair(struct sim *sim, bool out)
{
	uint32_t n = sim->shape.pool_pairs, from = sim_below(sim, n);

	for (uint32_t i = 0; i < n; i++) {
		struct pool_pair *p = &sim->pool->pair[(from + i) % n];

		if (p->removed == out)
			continue;
		p->removed = out;
		p->removed_us = sim->now_us;
		p->disturbed_us = sim->now_us;
		sim_note(sim, "user%u is %s the pool", pool_user((from + i) % n),
			 out ? "out of" : "in");
		break;
	}
	parts_publish(sim, sim->wwsf_1_served);
}

void pool_meddle(struct sim *sim)
{
	sim->pool->changed_us = sim->now_us;
	if (sim->pool->disabled) {
		disable(sim, false);
		return;
	}
	switch (sim_below(sim, 5)) {
	case 0:
	case 1:
		revoke_one(sim);
		break;
	case 2:
	case 3:
		take_pair(sim, sim_chance(sim, 50));
		break;
	default:
		disable(sim, true);
	}
}
