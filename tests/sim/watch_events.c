/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"
#include "events.h"
#include "pool.h"
#include "wic.h"

/*
 * What must hold of registration events (PROTOCOL 9.9, 10.5). Each registration of the gateway's is
 * known by the REGISTER that it has come about by; so what ended it, and what did not, is too.
 */

#define TURN_US 100000	       /* what a NOTIFY does it has done by then */
#define DOUBT_US (20 * SECOND) /* what could not be believed at once has been asked by then */
#define UNANSWERED_US \
	4900000ull	     /* an end in doubt counts when the core has said nothing so long \
			      */
#define OLD_US (60 * SECOND) /* nothing that is older still arrives */
#define CROSSING_US (2 * SECOND)
#define GONE_US (20 * SECOND) /* by then a connection that has to go has ended */
#define LATE_US (2 * SECOND)  /* a message is on its way so long at most, and seconds are whole */

static const uint8_t hash_key[16] = SIM_HASH_KEY;

/* ---- whose is it ------------------------------------------------------------------------------
 */

/** The REGISTER by which e stands; NULL: one of before a restart. */
static struct request *request_by(const struct sim *sim, uint64_t call_id, uint32_t cseq)
{
	for (uint32_t i = sim->requests; i-- > 0;) {
		struct request *r = &sim->request[i];

		if (r->call_hash == call_id && r->cseq == cseq && r->kind == REQUEST_REGISTER)
			return r;
	}
	return NULL;
}

static struct core_binding *binding_of(const struct sim *sim, const struct request *r)
{
	for (uint32_t i = 0; i < sim->core->bindings; i++)
		if (sim->core->binding[i].by > 0 && sim->core->binding[i].user == r->user)
			return &sim->core->binding[i];
	return NULL;
}

static struct event_state *state_of(const struct sim *sim, const struct core_binding *b)
{
	return &sim->events->state[b - sim->core->binding];
}

/** How many registrations the gateway has of user; *by: the last of them, plus 1. */
static uint32_t count(struct sim *sim, uint32_t user, uint32_t *by)
{
	struct worker_registration w;
	uint32_t n = 0;

	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++) {
		uint32_t cursor = 0;

		while (worker_registration(sim->worker[i].worker, &cursor, &w)) {
			const struct request *r = request_by(sim, w.call_id, w.cseq);

			if (r == NULL || r->user != user)
				continue;
			n++;
			*by = (uint32_t)(r - sim->request) + 1;
		}
	}
	return n;
}

bool watch_events_alone(struct sim *sim, uint32_t user, uint32_t by)
{
	uint32_t found = 0;

	return count(sim, user, &found) == 1 && found == by;
}

static bool stands(struct sim *sim, uint32_t by)
{
	const struct request *r = &sim->request[by - 1];
	struct worker_registration w;

	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++) {
		uint32_t cursor = 0;

		while (worker_registration(sim->worker[i].worker, &cursor, &w))
			if (w.call_id == r->call_hash && w.cseq == r->cseq)
				return true;
	}
	return false;
}

static uint64_t jti_of(const struct sim *sim, const struct request *r)
{
	uint8_t text[32], iss[32];
	struct writer w, issuer;

	if (r->pool != 0)
		return pool_token(sim, r->pool)->hash;
	writer_init(&w, text, sizeof(text));
	token_write_jti(r->user, r->exp_s, &w);
	writer_init(&issuer, iss, sizeof(iss));
	text_add(&issuer, "https://waf%u.example", r->user / (SIM_USERS / 2));
	return jti_hash(hash_key, writer_span(&issuer), writer_span(&w));
}

/* ---- after a turn -----------------------------------------------------------------------------
 */

static void check_token(struct sim *sim, const struct event_entry *e)
{
	const struct request *r = request_by(sim, e->call_id, e->cseq);

	if (e->lost && e->expires_us <= sim->now_us)
		return; /* nobody has it any more, the core is about to be told */
	if (r != NULL && r->exp_s > 0 && e->expires_us > sim_wall_at(sim, r->exp_s))
		sim_broken(sim, "registration-within-token", "user%u by r%u lasts until %llu",
			   r->user, (unsigned)(r - sim->request),
			   (unsigned long long)e->expires_us);
}

/** What was said before the registration, and could not be told from what is so now, may have been
 * believed when the core did not say better. */
static bool is_excused(const struct sim *sim, const struct event_state *s)
{
	return s->old_us > 0 && sim->now_us < s->old_us + OLD_US &&
	       (sim->now_us > s->old_first_us + UNANSWERED_US || s->odd_us >= s->old_first_us);
}

/** The core holds what r has asked for: nothing that it has said can have ended it. */
static bool is_wronged(struct sim *sim, const struct request *r)
{
	const struct core_binding *b = binding_of(sim, r);

	return b != NULL && b->live && b->by == (uint32_t)(r - sim->request) + 1 &&
	       b->until_us > sim->now_us && !is_excused(sim, state_of(sim, b));
}

static bool is_still_there(const struct event_worker *now, const struct event_entry *e)
{
	for (uint32_t i = 0; i < now->entries; i++)
		if (now->entry[i].call_id == e->call_id && now->entry[i].cseq == e->cseq)
			return true;
	return false;
}

/** ended: so many of those that were there before have ended by the core's word. */
static void check_ended(struct sim *sim, const struct event_worker *before,
			const struct event_worker *now, uint64_t ended)
{
	uint32_t vanished = 0, right = 0;
	struct request *wronged = NULL;

	for (uint32_t i = 0; i < before->entries; i++) {
		const struct event_entry *e = &before->entry[i];
		struct request *r;

		if (is_still_there(now, e))
			continue;
		vanished++;
		r = request_by(sim, e->call_id, e->cseq);
		if (r == NULL || !is_wronged(sim, r))
			right++;
		else
			wronged = r;
		if (r != NULL) {
			sim->wics->wic[r->wic].home_since_us = 0; /* its dialogs end with it */
			r->ended_us = sim->now_us;
		}
	}
	if (vanished >= ended && right < ended && wronged != NULL)
		sim_broken(sim, "event-ends-its-own",
			   "user%u by r%u has ended, and the core has not said so", wronged->user,
			   (unsigned)(wronged - sim->request));
}

static void gather(struct sim *sim, uint16_t index, struct event_worker *now)
{
	struct worker_registration w;
	uint32_t cursor = 0;

	now->entries = 0;
	now->life = sim->restarts;
	now->ended = counter_read(&worker_counters(sim->worker[index].worker)->binding_core_ended);
	while (worker_registration(sim->worker[index].worker, &cursor, &w))
		if (now->entries < ENTRIES_MAX)
			now->entry[now->entries++] =
				(struct event_entry){w.call_id, w.jti, w.expires_us, w.cseq,
						     w.lost};
}

void watch_events(struct sim *sim, uint16_t index)
{
	struct event_worker *before = &sim->events->worker[index], now;

	gather(sim, index, &now);
	if (before->life != now.life)
		*before = (struct event_worker){0};
	for (uint32_t i = 0; i < now.entries; i++)
		if (i >= before->entries || now.entry[i].call_id != before->entry[i].call_id ||
		    now.entry[i].expires_us != before->entry[i].expires_us)
			check_token(sim, &now.entry[i]);
	if (now.ended > before->ended)
		check_ended(sim, before, &now, now.ended - before->ended);
	before->entries = now.entries;
	before->life = now.life;
	before->ended = now.ended;
	memcpy(before->entry, now.entry, now.entries * sizeof(now.entry[0]));
}

/* ---- a NOTIFY ---------------------------------------------------------------------------------
 */

static struct core_binding *binding_about(const struct sim *sim, const struct core_notify *n)
{
	return &sim->core->binding[sim->events->sub[n->sub].binding];
}

/** It was made before the registration that is there now, and its own words do not say so. */
static bool is_old(const struct core_notify *n, const struct core_binding *b)
{
	return n->by != b->by || n->made_us < b->since_us;
}

void watch_events_stored(struct sim *sim, struct event_state *s)
{
	s->gone_us = 0;
	if (s->doubt_us == 0 || sim->now_us > s->doubt_us + OLD_US)
		return;
	s->old_first_us = s->doubt_first_us;
	s->old_us = s->doubt_us;
}

void watch_notify_sent(struct sim *sim, struct core_notify *n)
{
	struct core_binding *b = binding_about(sim, n);
	struct event_state *s = state_of(sim, b);
	struct wic *w = &sim->wics->wic[b->wic];
	uint64_t until_us = sim->now_us + sim_s(n->expires_s) + LATE_US;

	if (sim->now_us == n->sent_us)
		n->alone = n->by != 0 && watch_events_alone(sim, b->user, n->by);
	if (is_old(n, b)) {
		if (sim->now_us > s->old_us + OLD_US)
			s->old_first_us = sim->now_us;
		s->old_us = sim->now_us;
	}
	if (n->ends) /* its dialogs end with it */
		w->home_since_us = 0;
	if (n->ends && !(n->named && n->alone) && !is_old(n, b)) {
		if (sim->now_us == n->sent_us)
			s->doubt_first_us = sim->now_us;
		s->doubt_us = sim->now_us;
	}
	if (n->stands && n->has_expires && w->number == b->conn) {
		w->told_us = sim->now_us;
		w->told_until_us = w->told_until_us > until_us ? w->told_until_us : until_us;
	}
}

/** Nothing has come between: no restart, no other REGISTER, and no 200 that was still on its way.
 */
static bool is_undisturbed(const struct sim *sim, const struct core_notify *n)
{
	const struct core_binding *b = binding_about(sim, n);

	return !sim->down && sim->restarted_us < n->made_us && b->by == n->by && n->alone &&
	       n->made_us >= b->since_us && b->answer_us + CROSSING_US < n->made_us;
}

/** The core could be asked, and was there to say what is. */
static bool is_told(const struct sim *sim, const struct core_notify *n)
{
	return !sim->shape.tight && core_disturbed_us(sim) < n->sent_us &&
	       state_of(sim, binding_about(sim, n))->odd_us < n->sent_us;
}

static void has_gone(struct sim *sim, void *context, uint64_t number)
{
	const struct core_notify *n = context;
	const struct core_binding *b = binding_about(sim, n);
	struct event_state *s = state_of(sim, b);

	(void)number;
	if (!is_undisturbed(sim, n) || b->live || (!n->named && !is_told(sim, n)))
		return;
	if (stands(sim, n->by))
		sim_broken(sim, "ended-is-gone", "n%u was taken, and user%u is still registered",
			   (unsigned)(n - sim->events->notify), b->user);
	else if (s->gone_us == 0)
		s->gone_us = sim->now_us;
}

static void is_shorter(struct sim *sim, void *context, uint64_t words)
{
	const struct core_notify *n = context;
	const struct core_binding *b = binding_about(sim, n);
	const struct request *r = &sim->request[n->by - 1];
	uint64_t until_us = n->answered_us + sim_s(n->expires_s) + TURN_US;
	struct worker_registration w;

	if (!is_undisturbed(sim, n) || state_of(sim, b)->words != words)
		return;
	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++) {
		uint32_t cursor = 0;

		while (worker_registration(sim->worker[i].worker, &cursor, &w))
			if (w.call_id == r->call_hash && w.cseq == r->cseq && !w.lost &&
			    w.expires_us > until_us)
				sim_broken(sim, "shortened-ends",
					   "user%u by r%u lasts until %llu and not %llu", b->user,
					   (unsigned)(n->by - 1), (unsigned long long)w.expires_us,
					   (unsigned long long)until_us);
	}
}

/* ---- who is sent away -------------------------------------------------------------------------
 */

static void has_left(struct sim *sim, void *context, uint64_t number)
{
	const struct request *r = context;

	if (wic_connected(sim->wics, r->wic, r->conn) && !sim->draining &&
	    sim->restarted_us < r->ended_us)
		sim_broken(sim, "sent-away-leaves", "wic %u.%u is still here after n%u", r->wic,
			   r->conn, (unsigned)number);
}

static void bar(struct sim *sim, const struct core_notify *n, struct request *r)
{
	const struct core_binding *b = binding_about(sim, n);
	struct event_state *s = state_of(sim, b);
	struct events *e = sim->events;

	if (n->row == ROW_PROBATION) {
		s->barred_us = n->answered_us;
		s->barred_until_us =
			r->ended_us + sim_s(n->retry_after_s > 0 ? n->retry_after_s : 60);
	}
	if (n->row == ROW_REJECTED && e->rejects < REJECTED_MAX)
		e->rejected[e->rejects++] = (struct event_rejected){jti_of(sim, r), n->answered_us};
	if (n->row == ROW_REJECTED || n->row == ROW_DEACTIVATED)
		sim_at(sim, sim->now_us + GONE_US, has_left, r,
		       (uint64_t)(n - sim->events->notify));
}

/** This one has ended it, and no other could have. */
static bool has_ended_it(const struct sim *sim, const struct core_notify *n,
			 const struct request *r)
{
	return r->ended_us >= n->sent_us && r->ended_us <= n->answered_us && n->alone &&
	       n->contact && n->named && state_of(sim, binding_about(sim, n))->ending == 1;
}

void watch_notify_answered(struct sim *sim, struct core_notify *n)
{
	struct core_sub *sub = &sim->events->sub[n->sub];
	struct core_binding *b = binding_about(sim, n);
	struct event_state *s = state_of(sim, b);
	struct request *r = n->by > 0 ? &sim->request[n->by - 1] : NULL;
	bool news = n->version >= sub->taken;

	if (!news || r == NULL || n->len == 0)
		return;
	sub->taken = n->version + 1;
	if (n->ends)
		sim_at(sim, sim->now_us + (n->named ? TURN_US : DOUBT_US), has_gone, n, 0);
	if (n->ends && has_ended_it(sim, n, r))
		bar(sim, n, r);
	if (n->stands && n->named && n->has_expires && n->row == ROW_SHORTENED)
		sim_at(sim, sim->now_us + TURN_US, is_shorter, n, s->words);
	if (n->stands && n->full && n->made_us > s->old_us && !is_old(n, b))
		s->old_us = s->old_first_us = 0; /* that is over */
}

/* ---- what reaches the core, and the WIC ---------------------------------------------------------
 */

static uint64_t forgotten(const struct sim *sim)
{
	uint64_t all = 0;

	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++)
		all += counter_read(&worker_counters(sim->worker[i].worker)->barred_forgotten);
	return all;
}

static const struct event_rejected *rejected(const struct sim *sim, const struct request *r)
{
	uint64_t jti = jti_of(sim, r);

	for (uint32_t i = 0; i < sim->events->rejects; i++)
		if (sim->events->rejected[i].jti == jti)
			return &sim->events->rejected[i];
	return NULL;
}

void watch_events_asked(struct sim *sim, const struct request *r)
{
	const struct core_binding *b = binding_of(sim, r);
	const struct event_state *s = b != NULL ? state_of(sim, b) : NULL;
	const struct event_rejected *x = rejected(sim, r);

	if (r->kind != REQUEST_REGISTER || r->core_status != 0 || forgotten(sim) > 0)
		return;
	if (s != NULL && s->barred_us > sim->restarted_us && r->sent_us > s->barred_us + TURN_US &&
	    sim->now_us + TURN_US < s->barred_until_us && !b->live &&
	    b->answer_us + CROSSING_US < s->barred_us) /* else it may be bound again */
		sim_broken(sim, "barred-is-refused", "r%u of user%u has come to the core",
			   (unsigned)(r - sim->request), r->user);
	if (x != NULL && x->since_us > sim->restarted_us && r->sent_us > x->since_us + TURN_US)
		sim_broken(sim, "barred-is-refused", "r%u has come to the core by a rejected token",
			   (unsigned)(r - sim->request));
}

/** A connection that is where b was. */
static bool is_silent(const struct sim *sim, const struct core_binding *b, uint64_t sent_us)
{
	const struct event_state *s = state_of(sim, b);

	return !b->live && s->gone_us > 0 && sent_us > s->gone_us &&
	       b->answer_us + CROSSING_US < s->gone_us && !wic_mixed(sim->wics, b->wic);
}

void watch_events_heard(struct sim *sim, const struct request *r, uint32_t user)
{
	const struct request whose = {.user = user};
	const struct core_binding *b = binding_of(sim, &whose);

	if (b != NULL && b->wic == r->wic && b->conn == r->conn && is_silent(sim, b, r->sent_us))
		sim_broken(sim, "ended-is-silent", "r%u of user%u has come to the core",
			   (unsigned)(r - sim->request), user);
}

void watch_events_delivered(struct sim *sim, const struct event_called *c)
{
	const struct request whose = {.user = c->user};
	const struct core_binding *b = binding_of(sim, &whose);

	if (b != NULL && b->wic == c->wic && b->conn == c->conn && is_silent(sim, b, c->sent_us))
		sim_broken(sim, "ended-is-silent", "wic %u.%u is called as user%u", c->wic, c->conn,
			   c->user);
}

/** The registration that n has ended here was that of an older REGISTER, whose 200 came last. */
static bool rejects_crossing(const struct sim *sim, const struct core_notify *n, uint64_t jti)
{
	for (uint32_t i = 0; i < n->by - 1; i++) {
		const struct request *r = &sim->request[i];

		if (r->kind == REQUEST_REGISTER && r->user == sim->request[n->by - 1].user &&
		    r->ended_us >= n->sent_us && r->ended_us <= n->answered_us &&
		    jti_of(sim, r) == jti)
			return true;
	}
	return false;
}

bool watch_events_rejected(struct sim *sim, const struct request *r)
{
	uint64_t jti = jti_of(sim, r);

	for (uint32_t i = 0; i < sim->events->notifies; i++) {
		const struct core_notify *n = &sim->events->notify[i];

		if (n->row == ROW_REJECTED && n->by > 0 && n->sent_us > 0 &&
		    (jti_of(sim, &sim->request[n->by - 1]) == jti || rejects_crossing(sim, n, jti)))
			return true;
	}
	return false;
}
