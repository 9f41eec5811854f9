/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/** Takes our own Via off the top. */
static void pop_via(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *via = sip_first(m, SIP_HEADER_VIA);
	struct span rest = via->value, element;

	if (sip_list_next(&rest, &element))
		sip_splice_remove_element(&gw->splice, via, element);
}

void response_to_wic(struct gateway *gw, struct transaction *t)
{
	enum gw_err err;

	pop_via(gw, &gw->message);
	trust_strip_to_wic(gw, &gw->message);
	err = sip_splice_write(&gw->splice, &gw->out);
	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
	if (err != GW_OK)
		gateway_count(gw, err);
}

/** RFC 3325, PROTOCOL 9.7: the answer's identity is the called one, whatever the WIC says. */
static void answer_identity(struct gateway *gw, const struct transaction *t)
{
	uint32_t mark = writer_len(&gw->lines);

	if (t->impu.len > 0) {
		writer_text(&gw->lines, "P-Asserted-Identity: <");
		writer_put(&gw->lines, identity_span(&t->impu));
		writer_text(&gw->lines, ">\r\n");
	}
	if (t->icid[0] != 0) {
		writer_text(&gw->lines, "P-Charging-Vector: ");
		writer_text(&gw->lines, t->icid);
		writer_text(&gw->lines, ";term-ioi=\"");
		writer_put(&gw->lines, gw_config(gw)->realm[0].visited_network);
		writer_text(&gw->lines, "\"\r\n");
	}
	sip_splice_append(&gw->splice, request_lines(gw, mark));
}

/** The transaction of ours on this flow that the response's top Via names. */
static struct transaction *answered(struct gateway *gw, const struct wic *wic)
{
	const struct sip_field *via = sip_first(&gw->message, SIP_HEADER_VIA);
	struct span rest = via->value, element;
	struct handle elsewhere = handle_none();
	struct transaction *t;
	struct sip_via top;

	if (!sip_list_next(&rest, &element))
		return NULL;
	top = sip_via_parse(element);
	if (top.err != GW_OK)
		return NULL;
	t = transaction_of(gw, &top, &elsewhere);
	if (t == NULL || t->kind != TRANSACTION_TERMINATE || t->state != TRANSACTION_TRYING ||
	    t->method != gw->message.method || !handle_equal(t->flow, wic->flow))
		return NULL;
	return t;
}

enum gw_err terminate_response(struct gateway *gw, struct wic *wic)
{
	struct transaction *t = answered(gw, wic);
	enum gw_err err;

	if (t == NULL)
		return GW_SIP_NO_TRANSACTION; /* dropped: nobody waits for it (PROTOCOL 9.7) */
	if (gw->message.status < 200)
		return GW_OK; /* a non-INVITE request has nothing to say before its end */
	request_begin(gw, &gw->message);
	pop_via(gw, &gw->message);
	trust_strip_from_wic(gw, &gw->message);
	answer_identity(gw, t);
	err = sip_splice_write(&gw->splice, &gw->out);
	if (err == GW_OK)
		transaction_respond(gw, t);
	else
		transaction_answer(gw, t, 500);
	return err;
}
