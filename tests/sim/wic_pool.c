/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"
#include "wic.h"

/*
 * Visitors of the pool: each page is somebody's, with the pair that the site has given him for a
 * while. Pages are loaded again, users come and go, some have two browsers.
 */

/** What it shows, and says that it is, from now on. */
static void take_token(struct wic *w, uint32_t token)
{
	const struct pool_token *t = pool_token(w->sim, token);

	w->older = w->token != 0 && pool_token(w->sim, w->token)->sub == t->sub ? w->token : 0;
	w->token = token;
	w->token_refused = false;
}

static void begin_visit(struct wic *w, uint32_t token)
{
	struct sim *sim = w->sim;
	const struct pool_token *t = pool_token(sim, token);

	take_token(w, token);
	w->users[1] = w->users[0];
	w->users[0] = t->fault == POOL_FOREIGN ? t->pair : pool_user(t->pair);
	w->registered = w->registered << 1 & 3;
	w->user = w->users[0];
	w->sub = t->sub;
	w->visit++;
	w->mixed |= w->state == WIC_OPEN;
	if (sim_chance(sim, 50))
		w->instance++;
	sim_note(sim, "wic %u.%u is v%u, user%u: token %u j%u of %lld to %lld", w->index, w->number,
		 w->sub, w->user, token, t->jti, (long long)(t->iat_s - SIM_WALL_START),
		 (long long)(t->exp_s - SIM_WALL_START));
}

static bool has_ended(const struct wic *w, uint32_t token)
{
	return pool_token(w->sim, token)->exp_s <= sim_wall(w->sim) + w->sim->shape.min_grant_s + 1;
}

/** Another browser of the same user. */
static uint32_t somebody_s(const struct wic *w)
{
	const struct wic *other = &w->sim->wics->wic[sim_below(w->sim, w->sim->shape.visitors)];

	return other != w && other->token != 0 && !has_ended(other, other->token) ? other->token
										  : 0;
}

static void visit(struct wic *w)
{
	uint32_t token = sim_chance(w->sim, 12) ? somebody_s(w) : 0;

	if (token == 0)
		token = pool_visit(w->sim);
	if (token != 0)
		begin_visit(w, token);
}

/** The site has given the user a newer one, at his other browser. */
static void follow(struct wic *w)
{
	const struct pool_token *t = pool_token(w->sim, w->token);
	const struct pool_pair *p = &w->sim->pool->pair[t->pair];

	if (p->sub == t->sub && p->last != w->token && t->fault == POOL_HONEST)
		take_token(w, p->last);
}

static void renew(struct wic *w)
{
	uint32_t token = pool_renew(w->sim, w->token);

	if (token == 0)
		return;
	take_token(w, token);
	sim_note(w->sim, "wic %u.%u has another token: %u j%u to %lld", w->index, w->number, token,
		 pool_token(w->sim, token)->jti,
		 (long long)(pool_token(w->sim, token)->exp_s - SIM_WALL_START));
}

bool visitor_ready(struct wic *w)
{
	if (w->token != 0)
		follow(w);
	if (w->token != 0 && has_ended(w, w->token) && sim_chance(w->sim, 60))
		renew(w);
	else if (w->token != 0 && sim_chance(w->sim, 8))
		renew(w);
	if (w->token != 0 && !w->token_refused && !has_ended(w, w->token))
		return true;
	w->token = 0;
	if (w->sub_here != 0 && sim_chance(w->sim, 75)) {
		wic_leave(w);
		return false;
	}
	visit(w);
	return w->token != 0;
}

uint32_t visitor_token(struct wic *w)
{
	bool again = w->sim->shape.pool_fault == POOL_OLDER && w->older != 0;

	return again && sim_chance(w->sim, 40) ? w->older : w->token;
}

void visitor_connects(struct wic *w)
{
	bool same = w->token != 0 && !has_ended(w, w->token) && sim_chance(w->sim, 75);

	if (same && sim_chance(w->sim, 20))
		w->instance++;
	if (!same)
		visit(w);
}

void visitor_answered(struct wic *w, const struct request *r, struct span message)
{
	uint16_t status = text_status(message);

	watch_pool_answered(w->sim, r, message);
	if (status < 300)
		w->sim->pool->pair[pool_token(w->sim, r->pool)->pair].holder = w->index + 1;
	if (r->pool == w->token && r->core_status == 0 &&
	    ((status == 401 && sim_chance(w->sim, 80)) ||
	     (status == 403 && sim_chance(w->sim, 40))))
		w->token_refused = true;
}

bool visitor_is(const struct wic *w, uint32_t sub)
{
	return !w->visitor || w->sub == sub;
}
