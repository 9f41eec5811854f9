/* SPDX-License-Identifier: BSD-3-Clause */
#include "events.h"
#include "pool.h"

/* What must hold of the pool's pairs (PROTOCOL 6), whatever its web site does. */

#define TURN_US 20000	/* a message between workers has come, and a timer has run, by then */
#define TAKEN_US SECOND /* what was taken back has ended by then */
#define RESERVED_US (45 * SECOND) /* no grant is longer, and nobody waits longer for one */
#define REGISTRATIONS_MAX 64

/** A registration of a pair, wherever it is. */
struct held {
	struct worker_registration is;
	const struct pool_token *token;
	uint16_t worker;
};

struct all_held {
	struct held held[REGISTRATIONS_MAX];
	uint32_t count;
};

static void gather(struct sim *sim, struct all_held *all)
{
	struct worker_registration r;

	all->count = 0;
	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++) {
		uint32_t cursor = 0;

		while (worker_registration(sim->worker[i].worker, &cursor, &r)) {
			const struct pool_token *t = pool_token_of(sim->pool, r.jti);

			if (r.lost && r.expires_us <= sim->now_us)
				continue; /* nobody has it any more, the core is about to be told */
			if (t != NULL && all->count < REGISTRATIONS_MAX)
				all->held[all->count++] = (struct held){r, t, i};
		}
	}
}

/* ---- one holder -------------------------------------------------------------------------------
 */

static void check_two(struct sim *sim, const struct held *a, const struct held *b)
{
	struct pool_pair *p = &sim->pool->pair[a->token->pair];

	if (a->token->pair != b->token->pair)
		return;
	if (a->token->sub != b->token->sub)
		sim_broken(sim, "one-holder", "v%u at worker %u and v%u at worker %u have user%u",
			   a->token->sub, a->worker, b->token->sub, b->worker,
			   pool_user(a->token->pair));
	if (a->is.lost || b->is.lost)
		return;
	p->twice = true;
	if (p->twice_us == 0)
		p->twice_us = sim->now_us;
	if (sim->now_us > p->twice_us + TURN_US)
		sim_broken(sim, "one-holder", "v%u has user%u at two connections for %llu us",
			   a->token->sub, pool_user(a->token->pair),
			   (unsigned long long)(sim->now_us - p->twice_us));
}

static void check_pairs(struct sim *sim, const struct all_held *all)
{
	for (uint32_t i = 0; i < sim->shape.pool_pairs; i++)
		sim->pool->pair[i].twice = false;
	for (uint32_t i = 0; i < all->count; i++)
		for (uint32_t k = i + 1; k < all->count; k++)
			check_two(sim, &all->held[i], &all->held[k]);
	for (uint32_t i = 0; i < sim->shape.pool_pairs; i++)
		if (!sim->pool->pair[i].twice)
			sim->pool->pair[i].twice_us = 0;
}

/* ---- its end ----------------------------------------------------------------------------------
 */

/** What was taken back at that time must have ended; what comes out of the journal ends then. */
static bool is_taken(const struct sim *sim, uint64_t taken_us)
{
	uint64_t from_us = taken_us > sim->restarted_us ? taken_us : sim->restarted_us;

	return sim->now_us > from_us + TAKEN_US;
}

static void check_end(struct sim *sim, const struct held *h)
{
	const struct pool_token *t = h->token;
	const struct pool_pair *p = &sim->pool->pair[t->pair];
	uint64_t end_us = sim_wall_at(sim, t->exp_s);

	if (sim->now_us > end_us + TURN_US || (h->is.expires_us > end_us && !sim_step_unseen(sim)))
		sim_broken(sim, "registration-within-token", "v%u has user%u behind its token",
			   t->sub, pool_user(t->pair));
	if (t->revoked && is_taken(sim, t->revoked_us))
		sim_broken(sim, "taken-back-ends", "v%u has user%u by a revoked token", t->sub,
			   pool_user(t->pair));
	if (sim->pool->disabled && is_taken(sim, sim->pool->changed_us))
		sim_broken(sim, "taken-back-ends", "v%u has user%u of a disabled site", t->sub,
			   pool_user(t->pair));
	if (p->removed && is_taken(sim, p->removed_us))
		sim_broken(sim, "taken-back-ends", "v%u has user%u, which is in no pool", t->sub,
			   pool_user(t->pair));
}

/* ---- leases -----------------------------------------------------------------------------------
 */

static void check_deadlines(struct sim *sim, const struct worker_lease *l)
{
	const uint64_t until_us[] = {l->granted_us, l->asked_us, l->leaving_us};

	for (uint32_t i = 0; i < sizeof(until_us) / sizeof(until_us[0]); i++)
		if (until_us[i] != 0 && (sim->now_us > until_us[i] + TURN_US ||
					 until_us[i] > sim->now_us + RESERVED_US))
			sim_broken(sim, "nothing-reserved-for-ever", "until %llu",
				   (unsigned long long)until_us[i]);
}

/** A lease that has no registration, or a registration that has no lease: for how long. */
static void check_alone(struct sim *sim, struct pool_pair *p, bool alone, const char *what)
{
	if (!alone)
		p->alone_us = 0;
	else if (p->alone_us == 0)
		p->alone_us = sim->now_us;
	else if (sim->now_us > p->alone_us + TURN_US)
		sim_broken(sim, "lease-and-registration", "user%u: %s",
			   pool_user((uint32_t)(p - sim->pool->pair)), what);
}

/** What the home workers say of each pair. */
static void gather_leases(struct sim *sim, bool leased[POOL_PAIRS_MAX])
{
	struct worker_lease l;

	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++) {
		uint32_t cursor = 0;

		while (worker_lease(sim->worker[i].worker, &cursor, &l)) {
			check_deadlines(sim, &l);
			for (uint32_t p = 0; p < sim->shape.pool_pairs; p++)
				leased[p] |= l.held && sim->pool->pair[p].impi == l.impi;
		}
	}
}

static void check_leases(struct sim *sim, const struct all_held *all)
{
	bool leased[POOL_PAIRS_MAX] = {false}, bound[POOL_PAIRS_MAX] = {false};

	for (uint32_t i = 0; i < all->count; i++) {
		struct pool_pair *p = &sim->pool->pair[all->held[i].token->pair];

		bound[all->held[i].token->pair] = true;
		p->impi = all->held[i].is.impi;
		p->held = all->held[i].token;
		p->held_us = sim->now_us;
	}
	gather_leases(sim, leased);
	for (uint32_t p = 0; p < sim->shape.pool_pairs; p++)
		check_alone(sim, &sim->pool->pair[p], leased[p] != bound[p],
			    leased[p] ? "a lease without a registration"
				      : "a registration without a lease");
}

void watch_pool(struct sim *sim)
{
	struct all_held all;

	gather(sim, &all);
	check_pairs(sim, &all);
	check_leases(sim, &all);
	for (uint32_t i = 0; i < all.count; i++)
		check_end(sim, &all.held[i]);
}

/* ---- who may ask ------------------------------------------------------------------------------
 */

static void check_asker(struct sim *sim, const struct request *r, const struct pool_token *t)
{
	uint32_t number = (uint32_t)(r - sim->request);

	if (pool_verdict(sim, t, r->sent_us) != 0 && pool_verdict(sim, t, sim->now_us) != 0 &&
	    !sim_stepped(sim, r->sent_us))
		sim_broken(sim, "bad-token-refused", "r%u has come to the core", number);
	if (t->revoked && r->sent_us > t->revoked_us + TURN_US)
		sim_broken(sim, "bad-token-refused", "r%u has come to the core, revoked", number);
}

/** What is remembered of who had the pair last: his token is not over, or it is his (6.4). */
static void check_last(struct sim *sim, const struct request *r, const struct pool_token *t)
{
	const struct pool_pair *p = &sim->pool->pair[t->pair];
	const struct pool_token *x = p->held;

	if (x == NULL || x->sub == t->sub || p->held_us <= sim->restarted_us || sim->shape.tight)
		return;
	if (t->iat_s <= x->exp_s && x->iat_s <= t->exp_s)
		sim_broken(sim, "overlap-is-refused",
			   "r%u of v%u has come to the core, v%u had "
			   "user%u",
			   (unsigned)(r - sim->request), t->sub, x->sub, pool_user(t->pair));
	if (t->jti == x->jti)
		sim_broken(sim, "jti-is-once", "r%u of v%u has come to the core, v%u had j%u",
			   (unsigned)(r - sim->request), t->sub, x->sub, t->jti);
}

void watch_pool_asked(struct sim *sim, const struct request *r)
{
	const struct pool_token *t = pool_token(sim, r->pool);
	struct all_held all;

	check_asker(sim, r, t);
	check_last(sim, r, t);
	gather(sim, &all);
	for (uint32_t i = 0; i < all.count; i++) {
		const struct pool_token *x = all.held[i].token;

		/* a late repeat of one whose end the other's site has waited for is his own */
		if (x->pair == t->pair && x->sub != t->sub && x->iat_s <= t->exp_s)
			sim_broken(sim, "one-holder",
				   "r%u of v%u has come to the core while v%u has user%u",
				   (unsigned)(r - sim->request), t->sub, x->sub,
				   pool_user(t->pair));
	}
	sim->pool->owner[t->jti - 1] = r->pool;
}

/* ---- what is answered -------------------------------------------------------------------------
 */

/** Another user's token of the same pair that lives beside t; or a newer one of the same user's. */
static bool has_rival(const struct sim *sim, const struct pool_token *t)
{
	const struct pool *pool = sim->pool;

	for (uint32_t i = 0; i < pool->tokens; i++) {
		const struct pool_token *x = &pool->token[i];

		if (x->pair != t->pair || x->fault != POOL_HONEST)
			continue;
		if (x->sub != t->sub ? x->exp_s >= t->iat_s : x->iat_s > t->iat_s)
			return true;
	}
	return false;
}

static bool has_jti_twin(const struct sim *sim, const struct pool_token *t)
{
	const struct pool *pool = sim->pool;

	for (uint32_t i = 0; i < pool->tokens; i++)
		if (pool->token[i].jti == t->jti && pool->token[i].sub != t->sub)
			return true;
	return false;
}

/** F24 */
static void check_in_use(struct sim *sim, const struct request *r, const struct pool_token *t,
			 struct span message)
{
	uint64_t end_s = sim->pool->pair[t->pair].end_s;
	uint64_t left = end_s > r->sent_wall ? end_s - r->sent_wall : 0;
	uint64_t wait = text_number(text_header(message, "Retry-After", 0), "", 0);
	uint32_t number = (uint32_t)(r - sim->request);

	sim->pool->in_use++;
	if (!has_rival(sim, t))
		sim_broken(sim, "honest-has-its-pair", "r%u of v%u: user%u is in use by nobody",
			   number, t->sub, pool_user(t->pair));
	if (wait == 0 || wait > left + 1)
		sim_broken(sim, "retry-after-the-token", "r%u: Retry-After %llu, %llu left", number,
			   (unsigned long long)wait, (unsigned long long)left);
}

/** 403 of the gateway's own. */
static void check_forbidden(struct sim *sim, const struct request *r, const struct pool_token *t,
			    struct span message)
{
	const struct pool *pool = sim->pool;
	const struct pool_pair *p = &pool->pair[t->pair];
	bool taken = pool->disabled || pool->changed_us + TURN_US > r->sent_us || p->removed ||
		     p->removed_us + TURN_US > r->sent_us;

	if (text_count(message, "Retry-After") > 0)
		check_in_use(sim, r, t, message);
	else if (!taken && !wic_mixed(sim->wics, r->wic))
		sim_broken(sim, "good-token-accepted", "r%u of v%u got 403",
			   (unsigned)(r - sim->request), t->sub);
}

static void check_refused(struct sim *sim, const struct request *r, const struct pool_token *t,
			  struct span message)
{
	bool short_by_then = pool_verdict(sim, t, sim->now_us) == r->status;

	if (r->status == pool_verdict(sim, t, r->sent_us) || short_by_then)
		return;
	if (r->status == 403 && sim->events != NULL && watch_events_rejected(sim, r))
		return;
	if (r->status == 403)
		check_forbidden(sim, r, t, message);
	else if (r->status == 401 && !t->revoked && !r->unknown_key && !has_jti_twin(sim, t))
		sim_broken(sim, "good-token-accepted", "r%u of v%u got 401",
			   (unsigned)(r - sim->request), t->sub);
}

void watch_pool_answered(struct sim *sim, const struct request *r, struct span message)
{
	const struct pool_token *t = pool_token(sim, r->pool);
	uint16_t verdict = pool_verdict(sim, t, r->sent_us);
	uint64_t seen_us = r->sent_us > STEP_SEEN_US ? r->sent_us - STEP_SEEN_US : 0;

	if (r->core_status != 0 || sim_stepped(sim, seen_us))
		return; /* it may have been judged by either clock */
	if (verdict != 0 && r->status < 300 && pool_verdict(sim, t, sim->now_us) != 0)
		sim_broken(sim, "bad-token-refused", "r%u of v%u got %u and not %u",
			   (unsigned)(r - sim->request), t->sub, r->status, verdict);
	if (r->status == 401 || r->status == 403)
		check_refused(sim, r, t, message);
}

/* ---- what is counted --------------------------------------------------------------------------
 */

void watch_pool_counted(struct sim *sim, uint16_t index)
{
	const struct counters *c = worker_counters(sim->worker[index].worker);
	uint64_t conflicts = counter_read(&c->pool_conflicts);
	bool back = sim_stepped(sim, 0) && sim->step.by_us < 0; /* so that tokens overlap */

	sim->pool->counted += counter_read(&c->errors[GW_PAIR_IN_USE]);
	if (sim->shape.pool_fault == POOL_HONEST && conflicts > 0 && !back)
		sim_broken(sim, "honest-has-no-conflicts", "worker %u counts %llu", index,
			   (unsigned long long)conflicts);
}

void watch_pool_drained(struct sim *sim)
{
	if (sim->pool->counted < sim->pool->in_use)
		sim_broken(sim, "conflicts-are-counted", "%u were answered, %llu counted",
			   sim->pool->in_use, (unsigned long long)sim->pool->counted);
}
