/* SPDX-License-Identifier: BSD-3-Clause */
#include "originate.h"
#include "block.h"
#include "destination.h"
#include "wildcard.h"

/* Requests of a registered WIC to the core (PROTOCOL 9.5). */

/** What the P-Preferred-Identity lines of a request ask for. */
struct preference {
	uint32_t sip, tel; /* how many of each scheme */
	bool found;
	struct identity id; /* the first that is the binding's */
};

static void preference_add(const struct binding *b, struct span element, struct preference *p)
{
	struct sip_address a = sip_address_parse(element);
	struct identity id;

	if (a.err != GW_OK)
		return; /* names nobody */
	if (a.uri.scheme == SIP_SCHEME_TEL)
		p->tel++;
	else
		p->sip++;
	if (p->found || identity_impu(a.uri_text, &id) != GW_OK ||
	    !binding_has(b, identity_span(&id)))
		return;
	p->found = true;
	p->id = id;
}

/** Which identity is asserted: the preferred one when it is the binding's, else the default. */
static enum gw_err asserted_identity(const struct gateway *gw, const struct binding *b,
				     struct identity *asserted)
{
	const struct sip_field *f = sip_first(&gw->message, SIP_HEADER_P_PREFERRED_IDENTITY);
	struct span fallback = binding_default(b);
	struct preference p = {0};

	for (; f != NULL; f = sip_next(&gw->message, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element))
			preference_add(b, element, &p);
	}
	if (p.sip > 1 || p.tel > 1)
		return GW_IDENTITY_MISMATCH; /* RFC 3325 9.2: one of each scheme at most */
	*asserted = p.id;
	if (p.found)
		return GW_OK;
	asserted->len = (uint16_t)fallback.len;
	memcpy(asserted->text, fallback.at, fallback.len);
	return GW_OK;
}

/** D-33: From is one of the binding's identities, or anonymous (TS 23.003 13.6). */
static enum gw_err check_from(const struct gateway *gw, const struct binding *b)
{
	struct sip_address from = sip_address_parse(sip_value(&gw->message, SIP_HEADER_FROM));
	struct identity id;

	if (from.err != GW_OK)
		return GW_SIP_ADDRESS;
	if (!gw_config(gw)->from_check)
		return GW_OK;
	if (identity_impu(from.uri_text, &id) != GW_OK)
		return GW_IDENTITY_MISMATCH;
	if (span_equal(identity_span(&id), SPAN("sip:anonymous@anonymous.invalid")))
		return GW_OK;
	return binding_has(b, identity_span(&id)) ? GW_OK : GW_IDENTITY_MISMATCH;
}

/** What can be served at all. GW_OK: go on. */
static enum gw_err check_initial(struct gateway *gw, const struct wic *wic, const struct binding *b)
{
	enum gw_err err = emergency_check(gw);

	if (err == GW_OK)
		err = destination_check(gw, wic);
	return err == GW_OK && b == NULL ? GW_NOT_REGISTERED : err;
}

/** The Service-Route of the binding, or of its block. */
static struct span routes_of(const struct gateway *gw, const struct binding *b)
{
	return b->local ? block_routes(gw, span_text(b->wwsf)) : span_of(b->text, b->routes_len);
}

void originate_edit(struct gateway *gw, const struct wic *wic, struct transaction *t)
{
	const struct sip_message *m = &gw->message;

	trust_strip_from_wic(gw, m);
	if (request_makes_dialog(m))
		route_record(gw, wic, &t->origination.mark, t->target.transport);
	request_via(gw, t);
	request_max_forwards(gw, m);
}

void originate_write_identity(struct gateway *gw, const struct transaction *t)
{
	const struct identity *asserted = &t->origination.asserted;
	const struct dialog_mark *mark = &t->origination.mark;

	writer_text(&gw->lines, "P-Asserted-Identity: <");
	writer_put(&gw->lines, identity_span(asserted));
	writer_text(&gw->lines, ">\r\n");
	request_charging(gw, request_realm_of(gw_config(gw), asserted),
			 span_of(mark->icid, mark->icid_len), &gw->lines);
}

static enum gw_err originate_build(struct gateway *gw, struct transaction *t)
{
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	const struct binding *b = wic != NULL ? binding_of(gw, wic) : NULL;
	uint32_t mark;

	if (b == NULL)
		return GW_NOT_REGISTERED;
	originate_edit(gw, wic, t);
	mark = writer_len(&gw->lines);
	if (routes_of(gw, b).len > 0) {
		writer_text(&gw->lines, "Route: ");
		writer_put(&gw->lines, routes_of(gw, b));
		writer_text(&gw->lines, "\r\n");
	}
	originate_write_identity(gw, t);
	sip_splice_append(&gw->splice, request_lines(gw, mark));
	return writer_ok(&gw->lines) ? GW_OK : GW_NO_ROOM;
}

/** The first Service-Route names the S-CSCF; without one the next hop has it. */
enum gw_err originate_target(struct gateway *gw, struct span element, struct mw_target *target)
{
	struct sip_address first;

	if (element.len == 0)
		return target_next_hop(gw, target);
	first = sip_address_parse(element);
	if (first.err != GW_OK)
		return target_next_hop(gw, target);
	return target_of_route(gw, first.uri_text, target);
}

struct span originate_first(struct span routes)
{
	struct span element = SPAN("");

	(void)sip_list_next(&routes, &element);
	return element;
}

void originate_prefetch(struct gateway *gw, struct span routes)
{
	struct mw_target target;

	/* asking is all: a host that is not known yet is looked up */
	if (originate_target(gw, originate_first(routes), &target) != GW_OK)
		return;
}

/**
 * Without a binding: F27, or what the token that came along is worth. Only of a site with a
 * wildcard is a good one enough (PROTOCOL 7.1).
 */
static enum gw_err originate_unregistered(struct gateway *gw, struct wic *wic)
{
	enum gw_err err;

	if (wildcard_site(gw, wic))
		return originate_wildcard(gw, wic);
	if (register_is_ims(gw, wic))
		return GW_NOT_REGISTERED; /* no token could help there */
	err = authorize_request(gw, wic);
	if (err == GW_TOKEN_NONE)
		return GW_NOT_REGISTERED;
	return err == GW_OK ? GW_TOKEN_SCENARIO : err;
}

enum gw_err originate_send(struct gateway *gw, struct transaction *t)
{
	bool invite = t->method == SIP_INVITE;
	enum gw_err err = transaction_send(gw, t);

	if (err == GW_OK && invite)
		transaction_trying(gw, t); /* RFC 3261 16.2: within 200 ms */
	return err;
}

enum gw_err originate_check_route(struct gateway *gw, const struct wic *wic)
{
	struct route_top top = route_read(gw);

	if (top.err != GW_OK || route_is_of(wic, &top))
		return GW_OK; /* what else stands there is replaced (PROTOCOL 9.5) */
	counter_add(&gw_counters(gw)->flow_forged, 1);
	return GW_DIALOG_FOREIGN;
}

static enum gw_err originate_forward(struct gateway *gw, const struct origination *o,
				     struct transaction *t)
{
	struct dialog_mark *mark = &t->origination.mark;
	enum gw_err err;

	mark->originating = true;
	mark->icid_len = ICID_LEN;
	request_icid(gw, mark->icid);
	t->origination.asserted = o->asserted;
	t->origination.unregistered = o->unregistered;
	err = originate_target(gw, o->route, &t->target);
	return err == GW_OK ? target_write(gw, t, o->build) : err;
}

enum gw_err originate_begin(struct gateway *gw, struct wic *wic, const struct origination *o)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_ORIGINATE, wic);
	enum gw_err err;

	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	transaction_insert(gw, t, transaction_flow_key(gw, wic));
	err = originate_forward(gw, o, t);
	if (err == GW_OK)
		return originate_send(gw, t);
	transaction_free(gw, t);
	return err;
}

/** A request that begins something. */
static enum gw_err originate_initial(struct gateway *gw, struct wic *wic)
{
	const struct binding *b = binding_of(gw, wic);
	enum gw_err err = check_initial(gw, wic, b);
	struct origination o = {.build = originate_build};

	if (err == GW_NOT_REGISTERED)
		return originate_unregistered(gw, wic);
	if (err == GW_OK && b->local && !block_is_up(gw, block_named(gw, span_text(b->wwsf))))
		err = GW_BLOCK_DOWN;
	if (err == GW_OK)
		err = check_from(gw, b);
	if (err == GW_OK)
		err = originate_check_route(gw, wic);
	if (err == GW_OK)
		err = asserted_identity(gw, b, &o.asserted);
	if (err != GW_OK)
		return err;
	o.route = originate_first(routes_of(gw, b));
	return originate_begin(gw, wic, &o);
}

enum gw_err originate_request(struct gateway *gw, struct wic *wic)
{
	if (gw->message.method == SIP_CANCEL)
		return cancel_from_wic(gw, wic);
	if (transaction_repeated(gw, transaction_flow_key(gw, wic), NULL))
		return GW_OK;
	if (gw->message.method == SIP_ACK || request_in_dialog(&gw->message))
		return in_dialog_request(gw, wic);
	return originate_initial(gw, wic);
}

enum gw_err originate_answer(struct gateway *gw, struct wic *wic, struct dialog_mark *mark,
			     enum mw_transport transport)
{
	request_begin(gw, &gw->message);
	response_no_503(gw);
	if (wic != NULL && mark != NULL) {
		route_record_response(gw, wic, mark, transport);
		wildcard_dialog_begins(gw, wic);
	}
	return response_to_wic(gw);
}

/** PROTOCOL 7.1: the core asks a user for a Digest who has nothing to answer with. */
static bool is_challenge(const struct gateway *gw, const struct transaction *t)
{
	return t->origination.unregistered &&
	       (gw->message.status == 401 || gw->message.status == 407);
}

/** The WIC gets a 500 of it. */
static enum gw_err originate_challenged(struct gateway *gw, const struct transaction *t)
{
	counter_add(&gw_counters(gw)->tna_challenged, 1);
	gateway_event(gw, EVENT_TNA_CHALLENGED, t->flow, NULL, GW_MW_CHALLENGED,
		      gw->message.status);
	request_begin(gw, &gw->message);
	sip_splice_replace(&gw->splice, gw->message.start_line,
			   SPAN("SIP/2.0 500 Server Internal Error\r\n"));
	sip_splice_remove_all(&gw->splice, SIP_HEADER_WWW_AUTHENTICATE);
	sip_splice_remove_all(&gw->splice, SIP_HEADER_PROXY_AUTHENTICATE);
	sip_splice_remove_all(&gw->splice, SIP_HEADER_AUTHENTICATION_INFO);
	return response_to_wic(gw);
}

void originate_response(struct gateway *gw, struct transaction *t)
{
	bool challenged = is_challenge(gw, t);
	uint16_t status = gw->message.status == 503 || challenged ? 500 : gw->message.status;
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	struct dialog_mark *mark = t->origination.in_dialog ? NULL : &t->origination.mark;
	enum gw_err err = challenged ? originate_challenged(gw, t)
				     : originate_answer(gw, wic, mark, t->target.transport);

	if (err == GW_OK)
		transaction_respond(gw, t, status);
	else if (status >= 200)
		transaction_answer(gw, t, 500);
	else
		transaction_settle(gw, t);
	if (err != GW_OK)
		gateway_count(gw, err);
}
