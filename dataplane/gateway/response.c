/* SPDX-License-Identifier: BSD-3-Clause */
#include "fork.h"

/** Takes our own Via off the top. */
static void pop_via(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *via = sip_first(m, SIP_HEADER_VIA);
	struct span rest = via->value, element;

	if (sip_list_next(&rest, &element))
		sip_splice_remove_element(&gw->splice, via, element);
}

enum gw_err response_to_wic(struct gateway *gw)
{
	pop_via(gw, &gw->message);
	trust_strip_to_wic(gw, &gw->message);
	return writer_ok(&gw->lines) ? sip_splice_write(&gw->splice, &gw->out) : GW_NO_ROOM;
}

void response_relay(struct gateway *gw, struct transaction *t)
{
	enum gw_err err = response_to_wic(gw);

	register_restore(gw, t);
	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
	if (err != GW_OK)
		gateway_count(gw, err);
}

void response_no_503(struct gateway *gw)
{
	struct span line = gw->message.start_line;

	if (gw->message.status == 503)
		sip_splice_replace(&gw->splice, line,
				   SPAN("SIP/2.0 500 Server Internal Error\r\n"));
}

/** A reload may have fewer of them. */
static const struct realm_config *answering_realm(const struct gateway *gw,
						  const struct transaction *t)
{
	const struct config_part *config = gw_config(gw);

	return &config->realm[t->termination.realm < config->realm_count ? t->termination.realm
									 : 0];
}

/** RFC 3325, PROTOCOL 9.7: the answer's identity is the called one, whatever the WIC says. */
static void answer_identity(struct gateway *gw, const struct transaction *t)
{
	const struct identity *called = &t->termination.called;
	uint32_t mark = writer_len(&gw->lines);

	if (called->len > 0) {
		writer_text(&gw->lines, "P-Asserted-Identity: <");
		writer_put(&gw->lines, identity_span(called));
		writer_text(&gw->lines, ">\r\n");
	}
	if (t->termination.charging_len > 0) {
		writer_text(&gw->lines, "P-Charging-Vector: ");
		writer_bytes(&gw->lines, t->termination.charging, t->termination.charging_len);
		writer_text(&gw->lines, ";term-ioi=\"");
		writer_put(&gw->lines, answering_realm(gw, t)->ioi);
		writer_text(&gw->lines, "\"\r\n");
	}
	sip_splice_append(&gw->splice, request_lines(gw, mark));
}

/** What a WIC makes of the Record-Route would lead the dialog elsewhere (PROTOCOL 9.7). */
static void answer_routes(struct gateway *gw)
{
	uint32_t mark = writer_len(&gw->lines);

	if (gw->message.status <= 100 || gw->message.status >= 300)
		return;
	for (const struct sip_field *f = sip_first(&gw->kept, SIP_HEADER_RECORD_ROUTE); f != NULL;
	     f = sip_next(&gw->kept, f))
		writer_put(&gw->lines, f->line);
	sip_splice_insert_top(&gw->splice, request_lines(gw, mark));
}

/** The Vias are those of the request: what a WIC makes of them would send its answer elsewhere. */
static enum gw_err answer_vias(struct gateway *gw, const struct transaction *t)
{
	enum gw_err err = transaction_recall(t, &gw->kept);
	uint32_t mark = writer_len(&gw->lines);

	if (err != GW_OK)
		return err;
	for (const struct sip_field *f = sip_first(&gw->kept, SIP_HEADER_VIA); f != NULL;
	     f = sip_next(&gw->kept, f))
		writer_put(&gw->lines, f->line);
	sip_splice_remove_all(&gw->splice, SIP_HEADER_VIA);
	sip_splice_insert_top(&gw->splice, request_lines(gw, mark));
	answer_routes(gw);
	return GW_OK;
}

/** The transaction of ours on this flow that the response's top Via names. */
static struct transaction *answered(struct gateway *gw, const struct wic *wic)
{
	struct sip_via top = request_top_via(&gw->message);
	enum sip_method method = gw->message.method;
	struct handle elsewhere = handle_none();
	struct transaction *t;

	if (top.err != GW_OK)
		return NULL;
	t = transaction_of(gw, &top, &elsewhere);
	if (t == NULL || t->kind != TRANSACTION_TERMINATE || !handle_equal(t->flow, wic->flow))
		return NULL;
	return t->method == method || (method == SIP_CANCEL && t->cancel_sent) ? t : NULL;
}

/** It comes again, and nobody waits for it any more. */
static bool answers_finished(struct gateway *gw, const struct wic *wic)
{
	struct sip_via top = request_top_via(&gw->message);

	return top.err == GW_OK && tombstone_absorbs(gw, wic, &top);
}

enum gw_err terminate_response(struct gateway *gw, struct wic *wic)
{
	struct transaction *t = answered(gw, wic);
	uint16_t status = gw->message.status == 503 ? 500 : gw->message.status;
	enum gw_err err;

	if (t == NULL && answers_finished(gw, wic))
		return GW_OK;
	if (t == NULL)
		return GW_SIP_NO_TRANSACTION; /* dropped: nobody waits for it (PROTOCOL 9.7) */
	if ((status < 200 || !transaction_waits(t)) && limits_answer(gw, wic) != GW_OK) {
		gateway_count(gw, GW_RATE);
		return GW_OK; /* dropped */
	}
	if (!transaction_received(gw, t))
		return GW_OK;
	if (status < 200 && (t->method != SIP_INVITE || fork_has_cancelled(t))) {
		transaction_settle(gw, t); /* it has nothing to say before its end */
		return GW_OK;
	}
	request_begin(gw, &gw->message);
	response_no_503(gw); /* the core would take this node for the one that is overloaded */
	err = answer_vias(gw, t);
	trust_strip_from_wic(gw, &gw->message);
	answer_identity(gw, t);
	if (err == GW_OK)
		err = sip_splice_write(&gw->splice, &gw->out);
	if (err == GW_OK)
		transaction_respond(gw, t, status);
	else if (status >= 200)
		transaction_answer(gw, t, 500);
	else
		transaction_settle(gw, t);
	return err;
}
