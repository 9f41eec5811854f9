/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/* Requests of the core to a WIC: through the flow token of our Path (PROTOCOL 9.6, 10.3). */

#define SUBSCRIBER_ABSENT SPAN("Reason: Q.850;cause=20;text=\"Subscriber absent\"\r\n")

void terminate_refuse(struct gateway *gw, const struct mw_source *source, uint16_t status,
		      struct span extra)
{
	uint64_t word = gw->env->random(gw->env->context);
	enum gw_err err;
	uint32_t mark;

	if (gw->message.method == SIP_ACK)
		return;
	request_begin(gw, &gw->message);
	mark = writer_len(&gw->lines);
	writer_text(&gw->lines, "ep-");
	writer_hex(&gw->lines, span_of(&word, sizeof(word)));
	err = sip_reply_write(&gw->message, status, request_lines(gw, mark), extra, &gw->out);
	if (err != GW_OK) {
		gateway_count(gw, err);
		return;
	}
	if (gw->env->to_source(gw->env->context, source, writer_span(&gw->out)) == GW_OK)
		counter_add(&gw_counters(gw)->mw_responses_out, 1);
}

/** Our own URI on top of Route: whose flow it names, and whether outbound was used. */
struct route_top {
	enum gw_err err;
	const struct sip_field *field;
	struct span element;
	struct handle flow;
	bool outbound;
	bool more; /* a further Route is left after ours */
};

static struct route_top route_read(const struct gateway *gw)
{
	const struct sip_message *m = &gw->message;
	struct route_top top = {.field = sip_first(m, SIP_HEADER_ROUTE)};
	struct sip_address address;
	struct span rest, other;

	if (top.field == NULL) {
		top.err = GW_FLOW_GONE;
		return top;
	}
	rest = top.field->value;
	(void)sip_list_next(&rest, &top.element);
	address = sip_address_parse(top.element);
	top.more = sip_list_next(&rest, &other) || sip_next(m, top.field) != NULL;
	top.outbound = sip_param(address.uri.params, SPAN("ob"), &other);
	top.err = address.err != GW_OK
			  ? GW_FLOW_FORGED
			  : flow_token_read(gw_config(gw), address.uri.user, &top.flow);
	return top;
}

/** What the core calls this subscriber: asserted in the answer (PROTOCOL 9.7). */
static void keep_called(const struct gateway *gw, const struct binding *b, struct transaction *t)
{
	struct sip_address a =
		sip_address_parse(sip_value(&gw->message, SIP_HEADER_P_CALLED_PARTY_ID));
	struct span fallback = b != NULL ? binding_default(b) : SPAN("");

	if (a.err == GW_OK && identity_impu(a.uri_text, &t->impu) == GW_OK)
		return;
	t->impu.len = (uint16_t)fallback.len;
	memcpy(t->impu.text, fallback.at, fallback.len);
}

static void keep_charging(const struct gateway *gw, struct transaction *t)
{
	struct span value = sip_value(&gw->message, SIP_HEADER_P_CHARGING_VECTOR);

	if (value.len < sizeof(t->icid) && span_find(value, '\r') == value.len)
		memcpy(t->icid, value.at, value.len);
}

static enum gw_err terminate_build(struct gateway *gw, struct transaction *t)
{
	const struct sip_message *m = &gw->message;
	struct route_top top = route_read(gw);

	request_begin(gw, m);
	sip_splice_remove_element(&gw->splice, top.field, top.element);
	trust_strip_to_wic(gw, m);
	request_via(gw, t, "WSS");
	request_max_forwards(gw, m);
	if (!writer_ok(&gw->lines))
		return GW_NO_ROOM;
	return sip_splice_write(&gw->splice, &gw->out);
}

/** A request for a WIC of this worker. */
static void terminate_local(struct gateway *gw, const struct mw_source *source, struct wic *wic,
			    bool outbound)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_TERMINATE, wic);
	enum gw_err err;

	if (t == NULL) {
		gateway_count(gw, GW_TRANSACTION_LIMIT);
		terminate_refuse(gw, source, 503, SPAN("Retry-After: 2\r\n"));
		return;
	}
	t->source = *source;
	t->outbound = outbound;
	t->key = transaction_key(gw, &gw->message);
	transaction_insert(gw, t);
	keep_called(gw, binding_of(gw, wic), t);
	keep_charging(gw, t);
	err = transaction_keep_head(t, &gw->message);
	if (err == GW_OK)
		err = terminate_build(gw, t);
	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
	if (err == GW_OK) {
		transaction_wait(gw, t);
		return;
	}
	gateway_count(gw, err);
	transaction_free(gw, t);
	terminate_refuse(gw, source, err == GW_STALE ? 480 : 500, SPAN(""));
}

/** The owner of the flow is another worker. */
static void terminate_elsewhere(struct gateway *gw, const struct mw_source *source,
				struct handle flow)
{
	struct message_deliver deliver = {
		.head = {MESSAGE_DELIVER, (uint32_t)sizeof(deliver) + gw->message.text.len},
		.flow = flow,
		.source = *source,
	};

	if (gw->env->to_worker(gw->env->context, flow.worker, span_of(&deliver, sizeof(deliver)),
			       gw->message.text) == GW_OK) {
		counter_add(&gw_counters(gw)->mw_delivered_remote, 1);
		counter_add(&gw_counters(gw)->deliver_out, 1);
	} else if (source->transport == MW_TCP) {
		/* over UDP it is as if the wire had lost it: the core sends it again */
		terminate_refuse(gw, source, 503, SPAN("Retry-After: 2\r\n"));
	}
}

/** A retransmission of the core: absorbed, and answered again when the answer is known. */
static bool terminate_again(struct gateway *gw)
{
	struct transaction *t =
		transaction_find(gw, transaction_key(gw, &gw->message), gw->message.method);

	if (t == NULL)
		return false;
	counter_add(&gw_counters(gw)->mw_absorbed, 1);
	if (t->state == TRANSACTION_COMPLETED)
		(void)gw->env->to_source(gw->env->context, &t->source,
					 span_of(t->copy, t->copy_len));
	return true;
}

/** PROTOCOL 10.3: what a flow that cannot be used means to the core. */
static void terminate_no_flow(struct gateway *gw, const struct mw_source *source, enum gw_err err,
			      bool outbound)
{
	gateway_count(gw, err);
	if (err == GW_FLOW_FORGED) {
		counter_add(&gw_counters(gw)->flow_forged, 1);
		terminate_refuse(gw, source, 403, SPAN(""));
		return;
	}
	counter_add(&gw_counters(gw)->flow_gone, 1);
	if (outbound)
		terminate_refuse(gw, source, 430, SPAN(""));
	else
		terminate_refuse(gw, source, 480, SUBSCRIBER_ABSENT);
}

/** Requests of the core to this node itself. */
static void terminate_self(struct gateway *gw, const struct mw_source *source)
{
	enum sip_method method = gw->message.method;

	if (method == SIP_OPTIONS)
		terminate_refuse(gw, source, 200, SPAN("")); /* the core asks whether we live */
	else if (method == SIP_REGISTER)
		terminate_refuse(gw, source, 403, SPAN("")); /* we are no registrar */
	else
		terminate_refuse(gw, source, 404, SPAN(""));
}

/** Methods that this version cannot carry to a WIC. */
static bool terminate_unsupported(struct gateway *gw, const struct mw_source *source)
{
	enum sip_method method = gw->message.method;

	if (method == SIP_ACK)
		return true;
	if (method == SIP_CANCEL)
		terminate_refuse(gw, source, 481, SPAN(""));
	else if (method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_REFER)
		terminate_refuse(gw, source, 501, SPAN(""));
	else
		return false;
	gateway_count(gw, GW_SIP_METHOD);
	return true;
}

void terminate_request(struct gateway *gw, const struct mw_source *source, struct handle flow,
		       bool flow_known)
{
	struct route_top top = route_read(gw);
	struct wic *wic;

	if (top.field == NULL) {
		terminate_self(gw, source);
		return;
	}
	if (top.err != GW_OK || (top.flow.worker >= gw->config.workers)) {
		terminate_no_flow(gw, source, top.err != GW_OK ? top.err : GW_FLOW_GONE,
				  top.outbound);
		return;
	}
	if (top.more) { /* ours was to be the last */
		gateway_count(gw, GW_SIP_LOOP);
		terminate_refuse(gw, source, 403, SPAN(""));
		return;
	}
	if (terminate_unsupported(gw, source))
		return;
	if (top.flow.worker != gw->config.worker) {
		terminate_elsewhere(gw, source, top.flow);
		return;
	}
	if (!flow_known)
		counter_add(&gw_counters(gw)->mw_delivered_local, 1);
	wic = gw->env->wic(gw->env->context, flow_known ? flow : top.flow);
	if (terminate_again(gw))
		return;
	if (wic == NULL)
		terminate_no_flow(gw, source, GW_FLOW_GONE, top.outbound);
	else
		terminate_local(gw, source, wic, top.outbound);
}
