/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/* Requests of the core to a WIC: through the flow token of our Path (PROTOCOL 9.6, 10.3). */

#define SUBSCRIBER_ABSENT SPAN("Reason: Q.850;cause=20;text=\"Subscriber absent\"\r\n")

void terminate_refuse(struct gateway *gw, const struct mw_source *source, uint16_t status,
		      struct span extra)
{
	uint64_t key = transaction_key(gw, &gw->message);
	struct span tag;
	enum gw_err err;

	if (gw->message.method == SIP_ACK)
		return;
	request_begin(gw, &gw->message);
	writer_text(&gw->lines, "ep-"); /* RFC 3261 8.2.7: a retransmission gets the same tag */
	writer_hex(&gw->lines, span_of(&key, sizeof(key)));
	tag = writer_span(&gw->lines);
	if (status == 420) {
		refusal_unsupported(gw);
		if (writer_ok(&gw->lines))
			extra = request_lines(gw, tag.len);
	}
	err = sip_reply_write(&gw->message, status, tag, extra, &gw->out);
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
	struct flow_token token;
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
			  : flow_token_read(gw_config(gw), address.uri.user, SPAN(""), &top.token);
	return top;
}

/** What the core calls this subscriber: asserted in the answer (PROTOCOL 9.7). */
static void keep_called(const struct gateway *gw, const struct binding *b, struct transaction *t)
{
	struct sip_address a =
		sip_address_parse(sip_value(&gw->message, SIP_HEADER_P_CALLED_PARTY_ID));
	struct identity *called = &t->termination.called;
	struct span fallback = binding_default(b);

	if (a.err == GW_OK && identity_impu(a.uri_text, called) == GW_OK)
		return;
	called->len = (uint16_t)fallback.len;
	memcpy(called->text, fallback.at, fallback.len);
}

/** icid-value and orig-ioi come back to the core as they came (PROTOCOL 9.7). */
static void keep_charging(const struct gateway *gw, struct transaction *t)
{
	struct span vector = sip_value(&gw->message, SIP_HEADER_P_CHARGING_VECTOR), icid, ioi;
	struct writer w;

	writer_init(&w, t->termination.charging, sizeof(t->termination.charging));
	if (!sip_param(vector, SPAN("icid-value"), &icid))
		return;
	writer_text(&w, "icid-value=");
	writer_put(&w, icid);
	if (sip_param(vector, SPAN("orig-ioi"), &ioi)) {
		writer_text(&w, ";orig-ioi=");
		writer_put(&w, ioi);
	}
	if (writer_ok(&w))
		t->termination.charging_len = (uint16_t)writer_len(&w);
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

/** A registered WIC of this worker gets the request. GW_OK: t waits for the answer. */
static enum gw_err terminate_deliver(struct gateway *gw, const struct mw_source *source,
				     const struct binding *b, struct transaction *t)
{
	enum gw_err err;

	t->termination.source = *source;
	t->termination.key = transaction_key(gw, &gw->message);
	transaction_insert(gw, t);
	keep_called(gw, b, t);
	keep_charging(gw, t);
	err = transaction_keep_head(t, &gw->message);
	if (err == GW_OK)
		err = terminate_build(gw, t);
	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
	if (err == GW_OK)
		transaction_wait(gw, t);
	else
		transaction_free(gw, t);
	return err;
}

void terminate_absent(struct gateway *gw, const struct mw_source *source, bool outbound)
{
	if (outbound)
		terminate_refuse(gw, source, 430, SPAN(""));
	else
		terminate_refuse(gw, source, 480, SUBSCRIBER_ABSENT);
}

void terminate_no_flow(struct gateway *gw, const struct mw_source *source, enum gw_err err,
		       bool outbound)
{
	gateway_count(gw, err);
	if (err == GW_FLOW_FORGED) {
		counter_add(&gw_counters(gw)->flow_forged, 1);
		terminate_refuse(gw, source, 403, SPAN(""));
		return;
	}
	counter_add(&gw_counters(gw)->flow_gone, 1);
	if (request_in_dialog(&gw->message))
		terminate_refuse(gw, source, 481, SPAN("")); /* D-42 */
	else
		terminate_absent(gw, source, outbound);
}

/** A request for a registered WIC of this worker. */
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
	err = terminate_deliver(gw, source, binding_of(gw, wic), t);
	if (err == GW_OK)
		return;
	if (err == GW_STALE || err == GW_WS_SLOW) {
		terminate_no_flow(gw, source, GW_FLOW_GONE, outbound);
		return;
	}
	gateway_count(gw, err);
	terminate_refuse(gw, source, refusal_status(err), SPAN(""));
}

void terminate_elsewhere(struct gateway *gw, const struct mw_source *source, struct handle flow)
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
	if (t->state == TRANSACTION_COMPLETED && t->kept_len > 0)
		(void)gw->env->to_source(gw->env->context, &t->termination.source,
					 span_of(t->kept, t->kept_len));
	return true;
}

/** Requests of the core to this node itself. */
static void terminate_self(struct gateway *gw, const struct mw_source *source)
{
	enum sip_method method = gw->message.method;

	if (method == SIP_OPTIONS)
		terminate_refuse(gw, source, 200, SPAN("")); /* the core asks whether we live */
	else
		terminate_refuse(gw, source, 404, SPAN(""));
}

/** Methods that this version cannot carry to a WIC, and those that nobody may send us. */
static bool terminate_unsupported(struct gateway *gw, const struct mw_source *source,
				  const struct route_top *top)
{
	enum sip_method method = gw->message.method;

	if (method == SIP_ACK)
		return true;
	if (method == SIP_CANCEL)
		terminate_refuse(gw, source, 481, SPAN(""));
	else if (method == SIP_REGISTER)
		terminate_refuse(gw, source, 403, SPAN("")); /* we are no registrar */
	else if (top->err == GW_OK &&
		 (method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_REFER))
		terminate_refuse(gw, source, 501, SPAN(""));
	else
		return false;
	gateway_count(gw, GW_SIP_METHOD);
	return true;
}

/** The flow is registered, and a token of kind 2 names its own home entry: who was there before may
 * not be any more (PROTOCOL 6.6). */
static bool terminate_owns(const struct gateway *gw, const struct wic *wic,
			   const struct route_top *top)
{
	return wic != NULL && binding_of(gw, wic) != NULL &&
	       (top->token.kind != FLOW_HOME || handle_equal(home_of(wic), top->token.handle));
}

static void terminate_here(struct gateway *gw, const struct mw_source *source, struct handle flow,
			   const struct route_top *top)
{
	struct wic *wic = gw->env->wic(gw->env->context, flow);

	if (terminate_again(gw))
		return;
	if (terminate_owns(gw, wic, top))
		terminate_local(gw, source, wic, top->outbound);
	else
		terminate_no_flow(gw, source, GW_FLOW_GONE, top->outbound);
}

/** To the owner of the flow that the token names, or to who knows it. */
static void terminate_route(struct gateway *gw, const struct mw_source *source,
			    const struct route_top *top)
{
	if (top->token.kind == FLOW_HOME)
		home_deliver(gw, source, top->token.handle);
	else if (top->token.handle.worker != gw->config.worker)
		terminate_elsewhere(gw, source, top->token.handle);
	else
		terminate_here(gw, source, top->token.handle, top);
}

void terminate_request(struct gateway *gw, const struct mw_source *source, struct handle flow,
		       bool flow_known)
{
	struct route_top top = route_read(gw);

	if (top.err == GW_OK && top.token.handle.worker >= gw->config.workers)
		top.err = GW_FLOW_GONE;
	if (top.err == GW_OK && top.more)
		top.err = gateway_count(gw, GW_SIP_LOOP); /* ours was to be the last */
	if (terminate_unsupported(gw, source, &top))
		return;
	if (top.err == GW_OK && !flow_known && top.token.handle.worker == gw->config.worker)
		counter_add(&gw_counters(gw)->mw_delivered_local, 1);
	if (top.field == NULL)
		terminate_self(gw, source);
	else if (top.err == GW_SIP_LOOP)
		terminate_refuse(gw, source, 403, SPAN(""));
	else if (top.err != GW_OK)
		terminate_no_flow(gw, source, top.err, top.outbound);
	else if (flow_known)
		terminate_here(gw, source, flow, &top);
	else
		terminate_route(gw, source, &top);
}
