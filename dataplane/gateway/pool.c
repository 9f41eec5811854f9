/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "homes.h"
#include "wall.h"

/*
 * REGISTER with a token of a pool (PROTOCOL 6). Before it goes to the core the pair's home worker
 * is asked whether this flow may have it; reading on its connection pauses meanwhile, as for a
 * signature. From the core's 200 on the binding has the lease; whatever ends the binding gives it
 * back. docs/design.md (Leases) has who says what.
 */

#define READY_MAX 4096u /* flows of one worker that wait for their home worker; a power of two */

/** Flows whose answer has come, and connections to be closed: the worker takes them. */
struct pool_ready {
	uint32_t waiting; /* for their home worker: each may need a place in asked[] */
	uint32_t asked_from, asked_to, over_from, over_to;
	struct handle asked[READY_MAX], over[READY_MAX];
};

bool pools_open(struct gateway *gw)
{
	gw->pool_ready = calloc(1, sizeof(*gw->pool_ready));
	return gw->pool_ready != NULL && lease_homes_open(gw);
}

void pools_close(struct gateway *gw)
{
	lease_homes_close(gw);
	free(gw->pool_ready);
}

static struct lease_id lease_of(const struct gateway *gw, const struct transaction *t)
{
	return (struct lease_id){
		gateway_identity_hash(gw, identity_span(&t->registration.impi)),
		t->registration.lease_generation,
	};
}

static uint16_t home_of_lease(const struct gateway *gw, uint64_t impi)
{
	return (uint16_t)(impi % gw->config.workers);
}

/* ---- what the home worker is told ----------------------------------------------------------- */

static void say_cancel(struct gateway *gw, struct lease_id id)
{
	struct message_lease_cancel m = {.head = {MESSAGE_LEASE_CANCEL, sizeof(m)}, .id = id};

	outbox_send(gw, home_of_lease(gw, id.impi), &m.head);
}

static void say_release(struct gateway *gw, const struct binding *b, struct lease_id id)
{
	struct message_lease_release m = {
		.head = {MESSAGE_LEASE_RELEASE, sizeof(m)},
		.id = id,
		.binding = slots_handle(gw->bindings, b),
	};

	outbox_send(gw, home_of_lease(gw, id.impi), &m.head);
}

static struct message_lease_confirm confirm_of(struct gateway *gw, const struct binding *b)
{
	return (struct message_lease_confirm){
		.head = {MESSAGE_LEASE_CONFIRM, sizeof(struct message_lease_confirm)},
		.id = b->lease,
		.flow = b->flow,
		.binding = slots_handle(gw->bindings, b),
		.contact = b->claim.contact,
		.instance = b->claim.outbound ? b->claim.key.instance : 0,
	};
}

static void say_confirm(struct gateway *gw, const struct binding *b)
{
	struct message_lease_confirm m = confirm_of(gw, b);

	outbox_send(gw, home_of_lease(gw, b->lease.impi), &m.head);
}

/* ---- asking --------------------------------------------------------------------------------- */

static struct lease_terms terms_of(const struct gateway *gw, const struct transaction *t)
{
	return (struct lease_terms){
		.sub = t->registration.sub,
		.jti = t->registration.jti,
		.iat_s = t->registration.iat_s,
		.exp_s = t->registration.exp_s,
		.exp_us = wall_end_us(&gw->time, t->registration.exp_s),
	};
}

/** Its home worker's answer does not matter any more. */
static void give_up(struct gateway *gw, struct wic *wic)
{
	gw->pool_ready->waiting--;
	wic->pool.state = POOL_IDLE;
}

/** To another worker's ring, behind all that was said to it before; or to this one's own table. */
static enum gw_err send_reserve(struct gateway *gw, const struct message_lease_reserve *m)
{
	uint16_t home = home_of_lease(gw, m->impi);

	if (home == gw->config.worker) {
		lease_home_message(gw, &m->head);
		return GW_OK;
	}
	if (outbox_try(gw, home, &m->head) == GW_OK)
		return GW_OK;
	counter_add(&gw_counters(gw)->lease_ring_full, 1);
	return GW_LEASE_BUSY;
}

/** GW_AGAIN: the answer will come. GW_OK: the answer has come at once: the flow has a grant. */
static enum gw_err reserve(struct gateway *gw, struct wic *wic, const struct transaction *t)
{
	struct message_lease_reserve m = {
		.head = {MESSAGE_LEASE_RESERVE, sizeof(m)},
		.impi = gateway_identity_hash(gw, identity_span(&t->registration.impi)),
		.flow = wic->flow,
		.ticket = ++wic->pool.ticket,
		.terms = terms_of(gw, t),
	};
	enum gw_err err;

	if (gw->pool_ready->waiting == READY_MAX)
		return GW_LEASE_BUSY;
	gw->pool_ready->waiting++;
	wic->pool.state = POOL_ASKED;
	wic->pool.impi = m.impi;
	wic->pool.parked = gw->resumed != NULL ? parked_handle(gw, gw->resumed) : handle_none();
	wic->pool.at_once = true;
	err = send_reserve(gw, &m);
	wic->pool.at_once = false;
	if (err != GW_OK) {
		give_up(gw, wic);
		return err;
	}
	if (wic->pool.state == POOL_ASKED)
		return GW_AGAIN;
	if (wic->pool.state == POOL_GRANTED)
		return GW_OK;
	wic->pool.state = POOL_IDLE;
	return wic->pool.refused;
}

/** The grant is this transaction's from now on. */
static void take_grant(struct wic *wic, struct transaction *t)
{
	t->registration.lease_generation = wic->pool.id.generation;
	t->registration.lease_until_us = wic->pool.deadline_us;
	wic->pool.state = POOL_OPEN;
}

/** b has come about by the token that t was asked with. */
static bool same_token(const struct binding *b, const struct transaction *t)
{
	return b->token.sub == t->registration.sub && b->jti == t->registration.jti &&
	       b->token.iat_s == t->registration.iat_s && b->token.exp_s == t->registration.exp_s;
}

/** The flow has the pair by the same token: nothing is new to the home worker. */
static bool is_covered(const struct gateway *gw, const struct wic *wic, const struct transaction *t)
{
	const struct binding *b = binding_of(gw, wic);

	return b != NULL && !lease_id_is_none(b->lease) && same_token(b, t) &&
	       b->held_us <= gw->time.now_us &&
	       span_equal(identity_span(&b->impi), identity_span(&t->registration.impi)) &&
	       span_equal(identity_span(&b->impu), identity_span(&t->registration.impu));
}

enum gw_err pool_admit(struct gateway *gw, struct wic *wic, struct transaction *t)
{
	enum gw_err err;

	if (wic->pool.state == POOL_OPEN)
		return GW_REQUEST_PENDING;
	if (is_covered(gw, wic, t)) {
		t->registration.lease_until_us = NEVER;
		wic->pool.state = POOL_OPEN;
		return GW_OK;
	}
	if ((wic->pool.state == POOL_GRANTED || wic->pool.state == POOL_KEPT) &&
	    wic->pool.impi == gateway_identity_hash(gw, identity_span(&t->registration.impi))) {
		take_grant(wic, t);
		return GW_OK;
	}
	err = reserve(gw, wic, t);
	if (err == GW_OK)
		take_grant(wic, t);
	return err;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static bool is_asked(const struct wic *wic, uint32_t ticket)
{
	return wic != NULL && wic->pool.state == POOL_ASKED && wic->pool.ticket == ticket;
}

/** The worker goes on with the request when nothing else is in hand. */
static void answered(struct gateway *gw, struct wic *wic, enum pool_state state)
{
	struct pool_ready *ready = gw->pool_ready;

	wic->pool.state = state;
	if (!wic->pool.at_once && handle_is_none(wic->pool.parked)) {
		ready->asked[ready->asked_to++ % READY_MAX] = wic->flow;
		return;
	}
	ready->waiting--;
	if (!wic->pool.at_once) /* no verdict on a signature: pool_resumed() looks at the state */
		gateway_parked_verdict(gw, wic->pool.parked, GW_VERIFIER_FAILED);
}

/** A reload may have taken the last web site away meanwhile. */
static void count_for(struct gateway *gw, const struct wic *wic, enum pool_counted what)
{
	const struct wwsf_config *site = register_wwsf(gw, wic->wwsf);

	if (site != NULL)
		pool_count(gw, site->name, what);
}

static void granted(struct gateway *gw, const struct message_lease_granted *m)
{
	struct wic *wic = gw->env->wic(gw->env->context, m->flow);

	if (!is_asked(wic, m->ticket)) {
		say_cancel(gw, m->id);
		return;
	}
	counter_add(&gw_counters(gw)->lease_granted, 1);
	count_for(gw, wic, POOL_COUNT_GRANTED);
	wic->pool.id = m->id;
	wic->pool.deadline_us = m->deadline_us;
	answered(gw, wic, POOL_GRANTED);
}

/** The agreement with a web site is broken: its pair is another user's as well. */
static void tell_conflict(struct gateway *gw, const struct message_lease_refused *m,
			  const struct wic *wic)
{
	const struct wwsf_config *site = wic != NULL ? register_wwsf(gw, wic->wwsf) : NULL;
	struct message_event event = {
		.head = {MESSAGE_EVENT, sizeof(event)},
		.what = EVENT_POOL_CONFLICT,
		.err = m->err,
		.handle = m->flow,
		.impi_hash = m->impi,
		.seconds = m->retry_s,
	};

	counter_add(&gw_counters(gw)->pool_conflicts, 1);
	if (site != NULL) {
		pool_count(gw, site->name, POOL_COUNT_CONFLICT);
		memcpy(event.text, site->name.at, span_cut(site->name, 0, SITE_NAME_MAX).len);
	}
	if (gw_config(gw)->audit != AUDIT_NONE)
		audit_registration(gw, &event, NULL);
	else
		gw->env->event(gw->env->context, &event);
}

static void refused(struct gateway *gw, const struct message_lease_refused *m)
{
	struct wic *wic = gw->env->wic(gw->env->context, m->flow);

	if (m->conflict)
		tell_conflict(gw, m, wic);
	if (!is_asked(wic, m->ticket))
		return;
	counter_add(&gw_counters(gw)->lease_refused, 1);
	if (m->err == GW_PAIR_IN_USE)
		count_for(gw, wic, POOL_COUNT_IN_USE);
	wic->pool.refused = m->err;
	wic->pool.retry_s = m->retry_s;
	answered(gw, wic, POOL_REFUSED);
}

bool gateway_leased(struct gateway *gw, struct handle *flow)
{
	struct pool_ready *ready = gw->pool_ready;

	while (ready->asked_from != ready->asked_to) {
		struct handle h = ready->asked[ready->asked_from++ % READY_MAX];
		const struct wic *wic = gw->env->wic(gw->env->context, h);

		ready->waiting--;
		if (wic == NULL || !handle_is_none(wic->pool.parked) ||
		    (wic->pool.state != POOL_GRANTED && wic->pool.state != POOL_REFUSED))
			continue;
		*flow = h;
		return true;
	}
	return false;
}

/** The request in gw->message is the one that asked. */
static bool is_asker(const struct gateway *gw, const struct wic *wic)
{
	struct handle parked = gw->resumed != NULL ? parked_handle(gw, gw->resumed) : handle_none();

	return gw->message.method == SIP_REGISTER && handle_equal(wic->pool.parked, parked);
}

bool pool_waits(const struct gateway *gw, const struct wic *wic)
{
	return (wic->pool.state == POOL_ASKED || wic->pool.state == POOL_GRANTED ||
		wic->pool.state == POOL_REFUSED) &&
	       is_asker(gw, wic);
}

/** Nothing has come of a grant: it is given back. */
static void give_back(struct gateway *gw, struct wic *wic)
{
	if (wic->pool.state != POOL_GRANTED && wic->pool.state != POOL_KEPT)
		return;
	wic->pool.state = POOL_IDLE;
	say_cancel(gw, wic->pool.id);
}

void pool_settle(struct gateway *gw, struct wic *wic)
{
	if (wic->pool.state == POOL_KEPT && is_asker(gw, wic))
		give_back(gw, wic);
}

/** It has a grant: its token is believed again, by what is remembered of it, or by its signature.
 */
static enum gw_err go_on(struct gateway *gw, struct wic *wic)
{
	enum gw_err err = authorize_request(gw, wic);

	if (err == GW_OK)
		err = register_authorized(gw, wic);
	if (err == GW_AGAIN && wic->pool.state == POOL_GRANTED)
		wic->pool.state = POOL_KEPT;
	else
		give_back(gw, wic);
	return err;
}

enum gw_err pool_resumed(struct gateway *gw, struct wic *wic)
{
	switch (wic->pool.state) {
	case POOL_GRANTED:
		return go_on(gw, wic);
	case POOL_REFUSED:
		wic->pool.state = POOL_IDLE;
		return wic->pool.refused;
	default: /* no answer in time; one that comes is given back */
		give_up(gw, wic);
		return GW_LEASE_BUSY;
	}
}

void pool_flow_ended(struct gateway *gw, struct wic *wic)
{
	if (wic->pool.state == POOL_ASKED)
		give_up(gw, wic);
	else
		give_back(gw, wic);
	wic->pool.state = POOL_IDLE;
}

/* ---- what the core says --------------------------------------------------------------------- */

bool pool_stands(const struct gateway *gw, const struct transaction *t, const struct binding *b)
{
	if (t->registration.lease_generation != 0)
		return gw->time.now_us < t->registration.lease_until_us;
	return t->registration.sub == 0 ||
	       (b != NULL && !lease_id_is_none(b->lease) && same_token(b, t));
}

bool pool_confirm(struct gateway *gw, struct transaction *t, struct binding *b)
{
	struct handle self = slots_handle(gw->bindings, b);
	struct wic *wic = gw->env->wic(gw->env->context, b->flow);

	if (t->registration.lease_generation == 0)
		return true; /* not of a pool, or by the lease that it has */
	if (lease_id_is_none(b->lease))
		pool_count(gw, span_text(b->wwsf), POOL_COUNT_HELD);
	b->lease = lease_of(gw, t);
	t->registration.lease_generation = 0;
	if (wic != NULL)
		wic->pool.held = b->lease;
	say_confirm(gw, b);
	b = slots_at(gw->bindings, self); /* the home worker may be this one, and say no at once */
	return b != NULL && !lease_id_is_none(b->lease);
}

bool pool_is_called(const struct gateway *gw, const struct binding *b)
{
	struct sip_uri uri = sip_uri_parse(gw->message.uri);

	return lease_id_is_none(b->lease) || b->contact == 0 ||
	       pair_hash(gw->bucket_key, uri.user, uri.host) == b->contact;
}

void pool_transaction_over(struct gateway *gw, struct transaction *t)
{
	struct lease_id id;
	struct wic *wic;

	if (t->kind != TRANSACTION_REGISTER || t->registration.lease_until_us == 0)
		return;
	wic = gw->env->wic(gw->env->context, t->flow);
	if (wic != NULL && wic->pool.state == POOL_OPEN)
		wic->pool.state = POOL_IDLE;
	id = lease_of(gw, t);
	t->registration.lease_generation = 0;
	if (!lease_id_is_none(id))
		say_cancel(gw, id);
}

struct message_lease_confirm pool_restore(struct gateway *gw, struct binding *b,
					  struct lease_id lease)
{
	pool_count(gw, span_text(b->wwsf), POOL_COUNT_HELD);
	b->lease = lease;
	return confirm_of(gw, b);
}

/* ---- the end of a lease --------------------------------------------------------------------- */

void pool_unbind(struct gateway *gw, struct binding *b)
{
	struct lease_id id = b->lease;

	if (lease_id_is_none(id))
		return;
	b->lease = (struct lease_id){0};
	pool_count(gw, span_text(b->wwsf), POOL_COUNT_RELEASED);
	say_release(gw, b, id);
}

void pool_named(struct gateway *gw, struct binding *b, const char wwsf[SITE_NAME_MAX + 1])
{
	if (!lease_id_is_none(b->lease) && memcmp(b->wwsf, wwsf, sizeof(b->wwsf)) != 0) {
		pool_count(gw, span_text(b->wwsf), POOL_COUNT_RELEASED);
		pool_count(gw, span_text(wwsf), POOL_COUNT_HELD);
	}
	memcpy(b->wwsf, wwsf, sizeof(b->wwsf));
}

/** Another connection has the pair now: this one is closed, so that its page knows. */
static void close_flow(struct gateway *gw, const struct message_lease_ended *m)
{
	struct wic *wic = handle_is_none(m->flow) ? NULL : gw->env->wic(gw->env->context, m->flow);
	struct pool_ready *ready = gw->pool_ready;

	if (wic == NULL || m->why == LEASE_END_EXPIRED || !lease_id_equal(wic->pool.held, m->id))
		return;
	wic->pool.held = (struct lease_id){0};
	if (ready->over_to - ready->over_from < READY_MAX)
		ready->over[ready->over_to++ % READY_MAX] = m->flow;
}

bool gateway_replaced(struct gateway *gw, struct gateway_ended *ended)
{
	struct pool_ready *ready = gw->pool_ready;

	if (ready->over_from == ready->over_to)
		return false;
	*ended = (struct gateway_ended){ready->over[ready->over_from++ % READY_MAX],
					GW_BINDING_REPLACED};
	return true;
}

static void lease_ended(struct gateway *gw, const struct message_lease_ended *m)
{
	struct binding *b = slots_at(gw->bindings, m->binding);
	struct counters *c = gw_counters(gw);

	if (b != NULL && lease_id_equal(b->lease, m->id)) {
		pool_unbind(gw, b);
		if (m->why == LEASE_END_REPLACED)
			binding_end(gw, b, &c->binding_replaced, GW_BINDING_REPLACED);
		else if (m->why == LEASE_END_EXPIRED)
			binding_leave(gw, b, &c->binding_expired, GW_OK);
		else
			binding_leave(gw, b, &c->binding_replaced, GW_BINDING_REPLACED);
	}
	close_flow(gw, m);
}

void gateway_lease_message(struct gateway *gw, const struct message_head *head)
{
	const void *at = head;

	if (head->kind == MESSAGE_LEASE_GRANTED)
		granted(gw, at);
	else if (head->kind == MESSAGE_LEASE_REFUSED)
		refused(gw, at);
	else if (head->kind == MESSAGE_LEASE_ENDED)
		lease_ended(gw, at);
	else
		lease_home_message(gw, head);
}

uint32_t gateway_lease_waits(const struct gateway *gw)
{
	return gw->pool_ready->waiting;
}
