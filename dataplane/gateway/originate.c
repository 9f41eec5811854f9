/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/* Requests of a registered WIC to the core (PROTOCOL 9.5). */

/** Methods that make dialogs need Record-Route and both INVITE machines: not in this version. */
static bool makes_dialog(enum sip_method method)
{
	return method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_REFER;
}

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

/** PROTOCOL 9.5 step 2, RFC 5031. */
static bool is_emergency(struct span uri)
{
	struct span service = SPAN("urn:service:sos");
	int after = span_at(uri, service.len);

	return span_equal_nocase(span_cut(uri, 0, service.len), service) &&
	       (after < 0 || after == '.');
}

/** What can be served at all. GW_OK: go on. */
static enum gw_err check_method(const struct gateway *gw, const struct binding *b)
{
	if (gw->message.method == SIP_CANCEL)
		return GW_SIP_NO_TRANSACTION; /* 481: no INVITE of ours can be pending */
	if (request_in_dialog(&gw->message))
		return GW_SIP_NO_TRANSACTION; /* 481: no dialog runs through us */
	if (is_emergency(gw->message.uri))
		return GW_SIP_EMERGENCY;
	if (b == NULL)
		return GW_NOT_REGISTERED;
	return makes_dialog(gw->message.method) ? GW_SIP_METHOD : GW_OK;
}

static enum gw_err originate_build(struct gateway *gw, struct transaction *t)
{
	const struct sip_message *m = &gw->message;
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	const struct binding *b = wic != NULL ? binding_of(gw, wic) : NULL;
	uint32_t mark;

	if (b == NULL)
		return GW_NOT_REGISTERED;
	trust_strip_from_wic(gw, m);
	request_via(gw, t, mw_transport_name(t->target.transport));
	request_max_forwards(gw, m);
	mark = writer_len(&gw->lines);
	if (b->routes_len > 0) {
		writer_text(&gw->lines, "Route: ");
		writer_put(&gw->lines, span_of(b->text, b->routes_len));
		writer_text(&gw->lines, "\r\n");
	}
	writer_text(&gw->lines, "P-Asserted-Identity: <");
	writer_put(&gw->lines, identity_span(&t->origination.asserted));
	writer_text(&gw->lines, ">\r\n");
	request_charging_vector(gw, request_realm_of(gw_config(gw), &b->impu), &gw->lines);
	sip_splice_append(&gw->splice, request_lines(gw, mark));
	return writer_ok(&gw->lines) ? GW_OK : GW_NO_ROOM;
}

/** The first Service-Route names the S-CSCF; without one the next hop has it. */
static enum gw_err originate_target(struct gateway *gw, const struct binding *b,
				    struct mw_target *target)
{
	struct span rest = span_of(b->text, b->routes_len), element;
	struct sip_address first;

	if (!sip_list_next(&rest, &element))
		return target_next_hop(gw, target);
	first = sip_address_parse(element);
	if (first.err != GW_OK)
		return target_next_hop(gw, target);
	return target_of_route(gw, first.uri_text, target);
}

void originate_prefetch(struct gateway *gw, const struct binding *b)
{
	struct mw_target target;

	(void)originate_target(gw, b, &target);
}

static enum gw_err originate_forward(struct gateway *gw, const struct binding *b,
				     struct transaction *t)
{
	enum gw_err err;

	err = asserted_identity(gw, b, &t->origination.asserted);
	if (err == GW_OK)
		err = originate_target(gw, b, &t->target);
	if (err == GW_OK)
		err = transaction_keep_head(t, &gw->message);
	if (err == GW_OK)
		err = target_write(gw, t, originate_build);
	return err;
}

enum gw_err originate_authorized(void)
{
	return GW_TOKEN_SCENARIO;
}

/**
 * Without a binding: F27, or what the token that came along is worth. No WWSF has a mode yet in
 * which a good one would be enough.
 */
static enum gw_err originate_unregistered(struct gateway *gw, struct wic *wic)
{
	enum gw_err err = authorize_request(gw, wic);

	if (err == GW_TOKEN_NONE)
		return GW_NOT_REGISTERED;
	return err == GW_OK ? originate_authorized() : err;
}

enum gw_err originate_request(struct gateway *gw, struct wic *wic)
{
	struct binding *b = binding_of(gw, wic);
	struct transaction *t;
	enum gw_err err;

	if (gw->message.method == SIP_ACK)
		return GW_OK; /* never answered (RFC 3261 17); nothing of ours waits for one */
	err = check_method(gw, b);
	if (err == GW_NOT_REGISTERED)
		return originate_unregistered(gw, wic);
	if (err == GW_OK)
		err = check_from(gw, b);
	if (err != GW_OK)
		return err;
	t = transaction_new(gw, TRANSACTION_ORIGINATE, wic);
	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	err = originate_forward(gw, b, t);
	if (err != GW_OK) {
		transaction_free(gw, t);
		return err;
	}
	return transaction_send(gw, t);
}

void originate_response(struct gateway *gw, struct transaction *t)
{
	uint16_t status = gw->message.status;

	if (status < 200)
		transaction_proceeding(t);
	if (status == 100)
		return; /* hop by hop */
	request_begin(gw, &gw->message);
	response_no_503(gw);
	response_to_wic(gw, t);
	if (status >= 200)
		transaction_free(gw, t);
}
