/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"
#include "reg_event.h"
#include "registrar.h"
#include "wall.h"

struct binding *binding_of(const struct gateway *gw, const struct wic *wic)
{
	return slots_at(gw->bindings, wic->binding); /* wic names it only while it is live */
}

uint16_t binding_routes(const struct sip_message *m, struct writer *text)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_SERVICE_ROUTE);
	uint16_t count = 0;

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			if (count++ > 0)
				writer_text(text, ", ");
			writer_put(text, element);
		}
	}
	return count;
}

static void store_id(struct writer *text, struct span canonical)
{
	writer_put(text, canonical);
	writer_u8(text, '\n');
}

/** P-Associated-URI, canonical, first = default; without it the registered identity alone. Of a
 * pool or of a block that one in any case: nothing else was lent (D-30). */
static void store_ids(const struct sip_message *m, const struct transaction *t, struct writer *text)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_P_ASSOCIATED_URI);
	bool lent = t->registration.sub != 0 || t->registration.local;
	uint32_t count = 0;

	for (; f != NULL && !lent; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			struct sip_address a = sip_address_parse(element);
			struct identity id;

			if (a.err != GW_OK || identity_impu(a.uri_text, &id) != GW_OK)
				continue; /* an identity we cannot assert is not asserted */
			store_id(text, identity_span(&id));
			count++;
		}
	}
	if (count == 0)
		store_id(text, identity_span(&t->registration.impu));
}

/** What a de-REGISTER needs of the REGISTER that t keeps: its Contact with what tells its flow
 * apart (RFC 5626 6), and whose realm it went to. */
static void store_contact(struct gateway *gw, const struct sip_address *contact, struct binding *b,
			  struct writer *text)
{
	struct span realm = sip_uri_parse(gw->kept.uri).host, value;

	b->contact_at = (uint16_t)writer_len(text);
	writer_text(text, "<");
	writer_put(text, contact->uri_text);
	writer_text(text, ">");
	if (sip_param(contact->params, SPAN("reg-id"), &value)) {
		writer_text(text, ";reg-id=");
		writer_put(text, value);
	}
	if (sip_param(contact->params, SPAN("+sip.instance"), &value)) {
		writer_text(text, ";+sip.instance=");
		writer_put(text, value);
	}
	b->contact_len = (uint16_t)(writer_len(text) - b->contact_at);
	b->realm_at = (uint16_t)writer_len(text);
	writer_put(text, realm);
	b->realm_len = (uint16_t)realm.len;
}

/** Contact and Request-URI of the REGISTER, and by what its home entry is found. */
static void store_sent(struct gateway *gw, const struct transaction *t, struct binding *b,
		       struct writer *text)
{
	struct sip_address contact = register_contact(gw, t);
	struct home_claim claim;

	b->contact_len = 0;
	b->call_id = binding_call_id(gw, sip_value(&gw->kept, SIP_HEADER_CALL_ID));
	b->cseq = gw->kept.cseq;
	if (contact.err != GW_OK || contact.star)
		return;
	store_contact(gw, &contact, b, text);
	claim = home_claim(gw, &(struct registration_of){&b->impi, &b->impu, t->registration.sub},
			   &contact);
	if (b->claim.key.impi != 0 && !home_key_equal(&b->claim.key, &claim.key))
		home_binding_ended(gw, b); /* refreshed as another instance or Contact */
	b->claim = claim;
}

static void binding_expire(struct timer *timer, void *context)
{
	struct gateway *gw = context;
	struct binding *b = (struct binding *)timer;

	binding_leave(gw, b, &gw_counters(gw)->binding_expired, GW_OK);
}

static bool binding_is(const struct binding *b, const struct transaction *t)
{
	return span_equal(identity_span(&b->impi), identity_span(&t->registration.impi)) &&
	       span_equal(identity_span(&b->impu), identity_span(&t->registration.impu));
}

bool binding_is_newer(const struct binding *b, const struct transaction *t)
{
	return b != NULL && binding_is(b, t) && b->number > t->number;
}

/** One more of the web site's, on this worker. False: it has as many as it may. */
static bool site_takes(struct gateway *gw, struct span site, uint32_t *row)
{
	const struct wwsf_config *wwsf = register_site_named(gw, site);
	const struct rate_limit any = {0};
	struct rates_answer answer =
		rates_open(gw->sites, siphash(gw->bucket_key, site), &any,
			   wwsf != NULL ? wwsf->max_bindings : 0, gw->time.now_us);

	*row = answer.row;
	return answer.err == GW_OK;
}

static bool is_full(const struct gateway *gw)
{
	return counter_read(&gw_counters(gw)->binding_live) >= gw->config.max_bindings;
}

enum gw_err binding_room(struct gateway *gw, const struct wic *wic, const struct transaction *t)
{
	uint32_t row;

	if (t->registration.requested_s == 0 || binding_of(gw, wic) != NULL)
		return GW_OK;
	if (is_full(gw) || !site_takes(gw, span_text(t->registration.wwsf), &row))
		return GW_BINDING_LIMIT;
	if (!rates_close(gw->sites, row))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	return GW_OK;
}

/** An empty place for what t has registered; wic: which it serves, NULL: none. NULL: there is none.
 * Who is lost or leaves has places beside those of live ones. */
static struct binding *binding_get(struct gateway *gw, const struct transaction *t,
				   const struct wic *wic)
{
	struct span site = span_text(t->registration.wwsf);
	struct binding *b = wic != NULL && is_full(gw) ? NULL : slots_get(gw->bindings);

	if (b == NULL || wic == NULL || site_takes(gw, site, &b->site_row))
		return b;
	if (!slots_put(gw->bindings, b))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	return NULL;
}

static struct binding *binding_new(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	struct binding *b = binding_get(gw, t, wic);

	if (b == NULL)
		return NULL;
	wall_watch_bindings(gw);
	b->flow = t->flow;
	b->since_us = gw->time.now_us;
	b->impi = t->registration.impi;
	b->impu = t->registration.impu;
	b->impi_hash = gateway_identity_hash(gw, identity_span(&b->impi));
	b->impu_hash = gateway_identity_hash(gw, identity_span(&b->impu));
	if (wic == NULL) {
		b->state = BINDING_LOST;
		return b;
	}
	wic->binding = slots_handle(gw->bindings, b);
	counter_add(&gw_counters(gw)->binding_live, 1);
	return b;
}

/** The binding that t refreshes, or a new one. NULL: there is no room. */
static struct binding *binding_for(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	struct binding *b =
		wic != NULL ? binding_of(gw, wic) : slots_at(gw->bindings, t->registration.lost);

	if (b != NULL && b->state == BINDING_LEAVING)
		b = NULL; /* the core holds it again: the new one replaces it there and here */
	if (b != NULL && !binding_is(b, t)) { /* two under way at once: the last one counts */
		binding_leave(gw, b, &gw_counters(gw)->binding_removed, GW_OK);
		b = NULL;
	}
	return b != NULL ? b : binding_new(gw, t, wic);
}

/** What the core said, and what was asked of it. False: it is more than a binding has room for. */
static bool store_text(struct gateway *gw, struct transaction *t, struct binding *b)
{
	struct writer text;

	writer_init(&text, b->text, sizeof(b->text));
	/* of a block there is no 200 of the core in gw->message */
	b->route_count = t->registration.local ? 0 : binding_routes(&gw->message, &text);
	b->routes_len = (uint16_t)writer_len(&text);
	b->ids_at = b->routes_len;
	store_ids(&gw->message, t, &text);
	b->ids_len = (uint16_t)(writer_len(&text) - b->ids_at);
	store_sent(gw, t, b, &text);
	return writer_ok(&text);
}

static void store_registration(struct gateway *gw, const struct transaction *t, struct binding *b)
{
	b->outbound = t->registration.outbound;
	b->contact = t->registration.contact;
	b->jti = t->registration.jti;
	b->token = (struct binding_token){t->registration.sub, t->registration.iat_s,
					  t->registration.exp_s};
	b->asked_us = t->since_us;
	b->number = t->number;
	b->path = t->target.transport;
	b->ims_auth = t->registration.ims_auth;
	b->local = t->registration.local;
	if (b->local)
		block_moves(gw, b->wwsf, t->registration.wwsf);
	b->token_end_us = t->registration.token_exp_us;
	memcpy(b->icid, t->registration.icid, sizeof(b->icid));
	pool_named(gw, b, t->registration.wwsf);
}

/** Where it is known from now on, and when it ends. */
static void binding_begin(struct gateway *gw, struct binding *b, struct wic *wic)
{
	if (wic == NULL) {
		flow_loss_late(gw, b);
		return;
	}
	wheel_arm(gw->wheel, &b->expiry, b->expires_us, binding_expire);
	home_bound(gw, wic, b);
	reg_binding_bound(gw, b);
}

/** GW_NO_ROOM: b has ended. */
static enum gw_err store_all(struct gateway *gw, struct transaction *t, struct binding *b,
			     const struct binding_times *times)
{
	store_registration(gw, t, b);
	b->granted_us = gw->time.now_us;
	b->doubt.in = false; /* the core has said so of a REGISTER before */
	b->expires_us = times->end_us;
	b->core_us = gw->time.now_us + (uint64_t)times->core_s * 1000000;
	if (!store_text(gw, t, b)) {
		b->contact_len = 0; /* nothing is left that could be said to the core */
		binding_end(gw, b, &gw_counters(gw)->binding_removed, GW_NO_ROOM);
		return GW_NO_ROOM;
	}
	b->held_us = 0; /* its refresh is over; one of another flow is said again */
	return GW_OK;
}

enum gw_err binding_store(struct gateway *gw, struct transaction *t, struct wic *wic,
			  const struct binding_times *times)
{
	struct binding *b = binding_for(gw, t, wic);
	enum gw_err err = b != NULL ? store_all(gw, t, b, times) : GW_BINDING_LIMIT;

	if (err != GW_OK)
		return err;
	journaled_changed(gw, b); /* before the end of the one that it replaces */
	if (!pool_confirm(gw, t, b))
		return GW_LEASE_VOID;
	revoked_binding(gw, b);
	binding_begin(gw, b, wic); /* a lost one may have ended by then */
	return GW_OK;
}

/** Whether b's client is on this connection, for all that is known here: it has the home entry, and
 * its dialogs go on (D-36). Else it may be back elsewhere, or be asking there (10.5), also while
 * this one is thought to be open. */
static bool is_here(const struct wic *wic, const struct binding *b)
{
	return wic != NULL && home_key_equal(&wic->home_key, &b->claim.key);
}

enum gw_err binding_undo(struct gateway *gw, struct transaction *t, struct wic *wic,
			 const struct binding_times *times)
{
	struct binding *b = wic != NULL ? binding_of(gw, wic) : NULL;
	enum gw_err err = GW_BINDING_LIMIT;

	if (b == NULL || !binding_is(b, t)) /* not the flow's: its dialogs stay as they are */
		b = binding_new(gw, t, NULL);
	if (b != NULL)
		err = store_all(gw, t, b, times);
	if (err != GW_OK)
		return err;
	if (b->state == BINDING_LIVE || is_here(wic, b)) {
		if (b->state != BINDING_LIVE)
			home_leaving(gw, b);
		binding_leave(gw, b, &gw_counters(gw)->binding_expired, GW_OK);
		return GW_OK;
	}
	b->expires_us = gw->time.now_us;
	flow_loss_late(gw, b);
	return GW_OK;
}

uint64_t binding_call_id(const struct gateway *gw, struct span call_id)
{
	return siphash(gw_config(gw)->hash_key, call_id);
}

void binding_retime(struct gateway *gw, struct binding *b, const struct binding_ends *ends)
{
	uint64_t due_us = ends->here_us;
	bool longer = ends->core_us > b->core_us;

	if (b->state == BINDING_LOST && b->expiry.due_us < due_us)
		due_us = b->expiry.due_us; /* the end of its grace */
	b->expires_us = ends->here_us;
	b->core_us = ends->core_us;
	wheel_arm(gw->wheel, &b->expiry, due_us, b->expiry.fire);
	if (longer)
		home_lasts(gw, b);
	journaled_changed(gw, b);
}

void binding_unbind(struct gateway *gw, struct binding *b)
{
	struct wic *wic = gw->env->wic(gw->env->context, b->flow);

	if (b->state != BINDING_LIVE)
		return;
	if (wic != NULL)
		wic->binding = handle_none();
	counter_sub(&gw_counters(gw)->binding_live, 1);
	if (!rates_close(gw->sites, b->site_row))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
}

/** It is over here: the log is told, once. */
static void binding_over(struct gateway *gw, struct binding *b, _Atomic uint64_t *counter,
			 enum gw_err why)
{
	binding_unbind(gw, b);
	pool_unbind(gw, b);
	reg_binding_over(gw, b);
	b->expires_us = gw->time.now_us;
	if (b->state == BINDING_LEAVING)
		return;
	gateway_event(gw, EVENT_BINDING_END, b->flow, b, why, 0);
	counter_add(counter, 1);
}

void binding_end(struct gateway *gw, struct binding *b, _Atomic uint64_t *counter, enum gw_err why)
{
	wheel_disarm(gw->wheel, &b->expiry);
	deregister_stop(gw, b);
	binding_over(gw, b, counter, why);
	if (b->local) {
		block_moves(gw, b->wwsf, "");
		register_block_gone(gw, b);
	}
	if (b->claim.key.impi != 0)
		home_binding_ended(gw, b);
	journaled_ended(gw, b);
	if (!slots_put(gw->bindings, b))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
}

void binding_leave(struct gateway *gw, struct binding *b, _Atomic uint64_t *counter,
		   enum gw_err why)
{
	if (b->state == BINDING_LEAVING)
		return;
	if (!deregister_due(gw, b)) {
		binding_end(gw, b, counter, why);
		return;
	}
	wheel_disarm(gw->wheel, &b->expiry);
	binding_over(gw, b, counter, why); /* no terminating delivery from now on (PROTOCOL 6.3) */
	b->state = BINDING_LEAVING;
	journaled_changed(gw, b);
	deregister_start(gw, b);
}

void binding_hold(struct gateway *gw, struct binding *b)
{
	b->held_us = gw->time.now_us + REGISTER_ENDS_US;
	if (b->state == BINDING_LEAVING)
		deregister_start(gw, b);
}

void binding_replaced(struct gateway *gw, struct binding *b, enum ended_why why)
{
	_Atomic uint64_t *counter = &gw_counters(gw)->binding_replaced;

	b->held_us = 0;
	if (why == ENDED_REPLACED)
		binding_end(gw, b, counter, GW_BINDING_REPLACED);
	else if (b->state == BINDING_LEAVING)
		deregister_start(gw, b);
	else
		binding_leave(gw, b, counter, GW_BINDING_REPLACED);
}
