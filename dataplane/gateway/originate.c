/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/* Requests of a registered WIC to the core (PROTOCOL 9.5). */

/** Methods that make dialogs need Record-Route and both INVITE machines: not in this version. */
static bool makes_dialog(enum sip_method method)
{
	return method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_REFER;
}

static bool in_dialog(const struct sip_message *m)
{
	struct sip_address to = sip_address_parse(sip_value(m, SIP_HEADER_TO));
	struct span tag;

	return to.err == GW_OK && sip_param(to.params, SPAN("tag"), &tag);
}

/** Which identity is asserted: the preferred one when it is the binding's, else the default. */
static enum gw_err asserted_identity(const struct gateway *gw, const struct binding *b,
				     struct identity *asserted)
{
	const struct sip_field *f = sip_first(&gw->message, SIP_HEADER_P_PREFERRED_IDENTITY);
	uint32_t sip = 0, tel = 0;
	struct span chosen = binding_default(b);

	for (; f != NULL; f = sip_next(&gw->message, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			struct sip_address a = sip_address_parse(element);
			struct identity id;

			sip += a.err == GW_OK && a.uri.scheme != SIP_SCHEME_TEL;
			tel += a.err == GW_OK && a.uri.scheme == SIP_SCHEME_TEL;
			if (a.err != GW_OK || identity_impu(a.uri_text, &id) != GW_OK ||
			    !binding_has(b, identity_span(&id)) || sip + tel > 1)
				continue;
			*asserted = id;
			chosen = identity_span(asserted);
		}
	}
	if (sip > 1 || tel > 1)
		return GW_IDENTITY_MISMATCH; /* RFC 3325 9.2: one of each scheme at most */
	if (chosen.at != asserted->text) {
		asserted->len = (uint16_t)chosen.len;
		memcpy(asserted->text, chosen.at, chosen.len);
	}
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

/** What needs no binding to be answered, or cannot be served. GW_OK: go on. */
static enum gw_err check_method(const struct gateway *gw)
{
	if (gw->message.method == SIP_CANCEL)
		return GW_SIP_NO_TRANSACTION; /* 481: no INVITE of ours can be pending */
	if (in_dialog(&gw->message))
		return GW_SIP_NO_TRANSACTION; /* 481: no dialog runs through us */
	return makes_dialog(gw->message.method) ? GW_SIP_METHOD : GW_OK;
}

/** The parameters of a Request-URI that only the core may write (PROTOCOL 9.1). */
static void strip_uri_params(struct gateway *gw, const struct sip_message *m)
{
	static const char *const names[] = {"orig", "cpc", "oli", "iotl"};
	struct sip_uri uri = sip_uri_parse(m->uri);
	struct span rest = uri.params, name, value;

	while (uri.err == GW_OK && sip_param_next(&rest, &name, &value))
		for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			const uint8_t *end = value.len > 0 ? value.at + value.len
							   : name.at + name.len;

			if (span_equal_nocase(name, span_text(names[i])))
				sip_splice_replace(
					&gw->splice,
					span_of(name.at - 1, (uint32_t)(end - name.at) + 1),
					SPAN(""));
		}
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
	strip_uri_params(gw, m);
	request_via(gw, t, t->target.transport == MW_TCP ? "TCP" : "UDP");
	request_max_forwards(gw, m);
	mark = writer_len(&gw->lines);
	if (b->routes_len > 0) {
		writer_text(&gw->lines, "Route: ");
		writer_put(&gw->lines, span_of(b->text, b->routes_len));
		writer_text(&gw->lines, "\r\n");
	}
	writer_text(&gw->lines, "P-Asserted-Identity: <");
	writer_put(&gw->lines, identity_span(&t->impu));
	writer_text(&gw->lines, ">\r\n");
	request_charging_vector(gw, &gw->lines);
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

static enum gw_err originate_forward(struct gateway *gw, const struct binding *b,
				     struct transaction *t)
{
	enum gw_err err;

	err = asserted_identity(gw, b, &t->impu);
	if (err == GW_OK)
		err = originate_target(gw, b, &t->target);
	if (err == GW_OK)
		err = transaction_keep_head(t, &gw->message);
	if (err == GW_OK)
		err = target_write(gw, t, originate_build);
	return err;
}

enum gw_err originate_request(struct gateway *gw, struct wic *wic)
{
	struct binding *b = binding_of(gw, wic);
	struct transaction *t;
	enum gw_err err;

	if (gw->message.method == SIP_ACK)
		return GW_OK; /* never answered (RFC 3261 17); nothing of ours waits for one */
	err = check_method(gw);
	if (err == GW_OK && b == NULL)
		err = GW_NOT_REGISTERED;
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

	if (status == 100)
		return; /* hop by hop; timers go on, F ends them */
	request_begin(gw, &gw->message);
	if (status == 503) /* RFC 3261 16.7 step 6 */
		sip_splice_replace(&gw->splice, span_cut(gw->message.start_line, 8, 3),
				   SPAN("500"));
	response_to_wic(gw, t);
	if (status >= 200)
		transaction_free(gw, t);
}
