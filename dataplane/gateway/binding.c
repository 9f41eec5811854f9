/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

struct binding *binding_of(const struct gateway *gw, const struct wic *wic)
{
	return slots_at(gw->bindings, wic->binding);
}

struct span binding_default(const struct binding *b)
{
	struct span ids = span_of(b->text + b->ids_at, b->ids_len);

	return span_cut(ids, 0, span_find(ids, '\n'));
}

bool binding_has(const struct binding *b, struct span canonical)
{
	struct span ids = span_of(b->text + b->ids_at, b->ids_len);

	while (ids.len > 0) {
		uint32_t end = span_find(ids, '\n');

		if (span_equal(span_cut(ids, 0, end), canonical))
			return true;
		ids = span_from(ids, end + 1);
	}
	return false;
}

/** Service-Route lines of the 200 as the value of one Route header; how many routes. */
static uint16_t store_routes(const struct sip_message *m, struct writer *text)
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

/** P-Associated-URI, canonical, first = default; without it the registered identity alone. */
static void store_ids(const struct sip_message *m, const struct identity *own, struct writer *text)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_P_ASSOCIATED_URI);
	uint32_t count = 0;

	for (; f != NULL; f = sip_next(m, f)) {
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
		store_id(text, identity_span(own));
}

static void binding_expire(struct timer *timer, void *context)
{
	struct gateway *gw = context;
	struct binding *b = (struct binding *)timer;

	binding_end(gw, b, &gw_counters(gw)->binding_expired, GW_OK);
}

static bool binding_is(const struct binding *b, const struct transaction *t)
{
	return span_equal(identity_span(&b->impi), identity_span(&t->registration.impi)) &&
	       span_equal(identity_span(&b->impu), identity_span(&t->registration.impu));
}

static struct binding *binding_new(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	struct binding *b = slots_get(gw->bindings);

	if (b == NULL)
		return NULL;
	b->flow = t->flow;
	b->impi = t->registration.impi;
	b->impu = t->registration.impu;
	b->impi_hash = gateway_identity_hash(gw, identity_span(&b->impi));
	b->impu_hash = gateway_identity_hash(gw, identity_span(&b->impu));
	wic->binding = slots_handle(gw->bindings, b);
	counter_add(&gw_counters(gw)->binding_live, 1);
	return b;
}

enum gw_err binding_store(struct gateway *gw, struct transaction *t, struct wic *wic,
			  uint32_t expires_s)
{
	const struct config_part *config = gw_config(gw);
	struct binding *b = binding_of(gw, wic);
	struct span name;
	struct writer text;

	if (b != NULL && !binding_is(b, t)) { /* two under way at once: the last one counts */
		binding_end(gw, b, &gw_counters(gw)->binding_removed, GW_OK);
		b = NULL;
	}
	if (b == NULL)
		b = binding_new(gw, t, wic);
	if (b == NULL)
		return GW_BINDING_LIMIT;
	writer_init(&text, b->text, sizeof(b->text));
	b->route_count = store_routes(&gw->message, &text);
	b->routes_len = (uint16_t)writer_len(&text);
	b->ids_at = b->routes_len;
	store_ids(&gw->message, &t->registration.impu, &text);
	b->ids_len = (uint16_t)(writer_len(&text) - b->ids_at);
	name = t->registration.wwsf < config->wwsf_count
		       ? span_cut(config->wwsf[t->registration.wwsf].name, 0, sizeof(b->wwsf) - 1)
		       : SPAN("");
	b->outbound = t->registration.outbound;
	b->contact = t->registration.contact;
	b->jti = t->registration.jti;
	b->ims_auth = t->registration.ims_auth;
	memset(b->wwsf, 0, sizeof(b->wwsf));
	memcpy(b->wwsf, name.at, name.len);
	b->expires_us = gw->time.now_us + (uint64_t)expires_s * 1000000;
	wheel_arm(gw->wheel, &b->expiry, b->expires_us, binding_expire);
	revoked_binding(gw, b);
	if (writer_ok(&text))
		return GW_OK;
	binding_end(gw, b, &gw_counters(gw)->binding_removed, GW_OK);
	return GW_NO_ROOM;
}

void binding_end(struct gateway *gw, struct binding *b, _Atomic uint64_t *counter, enum gw_err why)
{
	struct wic *wic = gw->env->wic(gw->env->context, b->flow);

	wheel_disarm(gw->wheel, &b->expiry);
	if (wic != NULL)
		wic->binding = handle_none();
	b->expires_us = gw->time.now_us;
	gateway_event(gw, EVENT_BINDING_END, b->flow, b, why, 0);
	if (!slots_put(gw->bindings, b)) {
		counter_add(&gw_counters(gw)->invariant_broken, 1);
		return;
	}
	counter_add(counter, 1);
	counter_sub(&gw_counters(gw)->binding_live, 1);
}
