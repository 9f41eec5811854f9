/* SPDX-License-Identifier: BSD-3-Clause */
#include "block_call.h"
#include "fork.h"
#include "homes.h"
#include "reg_event.h"
#include "wildcard.h"

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

/** Who the WIC is in its calls though it is not registered; NULL: nobody. */
static const struct identity *unregistered(const struct gateway *gw, const struct transaction *t)
{
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	const struct wildcard_user *u = wic != NULL ? wildcard_of(gw, wic) : NULL;

	return u != NULL ? &u->impu : NULL;
}

/** What the core calls this subscriber: asserted in the answer (PROTOCOL 9.7). */
static void keep_called(const struct gateway *gw, const struct binding *b, struct transaction *t)
{
	struct sip_address a =
		sip_address_parse(sip_value(&gw->message, SIP_HEADER_P_CALLED_PARTY_ID));
	struct identity *called = &t->termination.called;
	const struct identity *own = b != NULL ? &b->impu : unregistered(gw, t);
	struct span fallback = b != NULL     ? binding_default(b)
			       : own != NULL ? identity_span(own)
					     : SPAN("");

	if (own != NULL)
		t->termination.realm =
			(uint32_t)(request_realm_of(gw_config(gw), own) - gw_config(gw)->realm);
	if (a.err == GW_OK && identity_impu(a.uri_text, called) == GW_OK)
		return;
	called->len = (uint16_t)fallback.len;
	memcpy(called->text, fallback.at, fallback.len);
}

/** The identifier of the request, or that of the dialog it is in. False: there is none. */
static bool write_icid(struct span vector, const struct dialog_mark *mark, struct writer *w)
{
	struct span icid;

	if (sip_param(vector, SPAN("icid-value"), &icid)) {
		writer_text(w, "icid-value=");
		writer_put(w, icid);
		return true;
	}
	if (mark->icid_len == 0)
		return false;
	writer_text(w, "icid-value=\"");
	writer_bytes(w, mark->icid, mark->icid_len);
	writer_text(w, "\"");
	return true;
}

/** icid-value and orig-ioi come back to the core as they came (PROTOCOL 9.7). */
static void keep_charging(const struct gateway *gw, const struct dialog_mark *mark,
			  struct transaction *t)
{
	struct span vector = sip_value(&gw->message, SIP_HEADER_P_CHARGING_VECTOR), ioi;
	struct writer w;

	writer_init(&w, t->termination.charging, sizeof(t->termination.charging));
	if (!write_icid(vector, mark, &w))
		return;
	if (sip_param(vector, SPAN("orig-ioi"), &ioi)) {
		writer_text(&w, ";orig-ioi=");
		writer_put(&w, ioi);
	}
	if (writer_ok(&w))
		t->termination.charging_len = (uint16_t)writer_len(&w);
}

/** What the WIC's requests inside the dialog must know: the core's charging identifier. */
static struct dialog_mark dialog_of(const struct gateway *gw)
{
	struct span vector = sip_value(&gw->message, SIP_HEADER_P_CHARGING_VECTOR), icid;
	struct dialog_mark mark = {.originating = false};

	if (!sip_param(vector, SPAN("icid-value"), &icid))
		return mark;
	icid = sip_unquote(icid);
	if (icid.len <= sizeof(mark.icid)) { /* a longer one is not repeated */
		memcpy(mark.icid, icid.at, icid.len);
		mark.icid_len = (uint16_t)icid.len;
	}
	return mark;
}

enum gw_err terminate_write(struct gateway *gw, struct transaction *t, const struct route_top *top)
{
	const struct sip_message *m = &gw->message;
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	struct dialog_mark mark = dialog_of(gw);

	if (wic == NULL)
		return GW_STALE;
	request_begin(gw, m);
	if (top->field != NULL)
		sip_splice_remove_element(&gw->splice, top->field, top->element);
	if (block_call_is(gw, top))
		block_call_edit(gw, wic);
	trust_strip_to_wic(gw, m);
	if (request_makes_dialog(m))
		route_record_request(gw, wic, &mark, t->termination.source.transport);
	request_via(gw, t);
	request_max_forwards(gw, m);
	if (!writer_ok(&gw->lines))
		return GW_NO_ROOM;
	return sip_splice_write(&gw->splice, &gw->out);
}

void terminate_begin(struct gateway *gw, const struct mw_source *source, const struct binding *b,
		     const struct route_top *top, struct transaction *t)
{
	bool invite = t->method == SIP_INVITE;

	t->termination.source = *source;
	sip_machine_start(&t->server, invite ? SIP_SERVER_INVITE : SIP_SERVER_OTHER,
			  source->transport != MW_UDP, gw->time.now_us);
	transaction_insert(gw, t,
			   fork_has(t) ? fork_branch_key(gw, &t->termination.branch)
				       : transaction_key(gw, &gw->message));
	t->termination.ends = t->method == SIP_BYE ? wildcard_dialog(gw) : 0;
	t->termination.call = invite ? transaction_call(gw, &gw->message) : 0;
	keep_called(gw, b, t);
	keep_charging(gw, &top->mark, t);
}

/** The WIC gets the request. GW_OK: t waits for the answer; else t is the caller's to free. */
static enum gw_err terminate_deliver(struct gateway *gw, const struct mw_source *source,
				     const struct binding *b, const struct route_top *top,
				     struct transaction *t)
{
	enum gw_err err;

	terminate_begin(gw, source, b, top, t);
	err = terminate_write(gw, t, top);
	if (err == GW_OK)
		err = transaction_deliver(gw, t);
	if (err != GW_OK)
		return err;
	if (t->method == SIP_INVITE && !fork_has(t))
		transaction_trying(gw, t); /* RFC 3261 17.2.1: within 200 ms */
	transaction_settle(gw, t);
	return GW_OK;
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

static bool is_flow_gone(enum gw_err err)
{
	return err == GW_STALE || err == GW_WS_SLOW;
}

void terminate_local(struct gateway *gw, const struct mw_source *source, struct wic *wic,
		     const struct route_top *top)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_TERMINATE, wic);
	enum gw_err err;

	if (t == NULL) {
		gateway_count(gw, GW_TRANSACTION_LIMIT);
		terminate_refuse(gw, source, 503, SPAN("Retry-After: 2\r\n"));
		return;
	}
	err = terminate_deliver(gw, source, binding_of(gw, wic), top, t);
	if (err == GW_OK)
		return;
	transaction_free(gw, t);
	if (is_flow_gone(err)) {
		terminate_no_flow(gw, source, GW_FLOW_GONE, top->outbound);
		return;
	}
	gateway_count(gw, err);
	terminate_refuse(gw, source, refusal_status(err), SPAN(""));
}

void terminate_branch(struct gateway *gw, const struct message_fork_branch *m, struct wic *wic,
		      const struct route_top *top)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_TERMINATE, wic);
	enum gw_err err = GW_TRANSACTION_LIMIT;

	if (t != NULL) {
		t->termination.branch = m->branch;
		err = terminate_deliver(gw, &m->source, binding_of(gw, wic), top, t);
	}
	if (err == GW_OK)
		return;
	gateway_count(gw, err);
	if (t != NULL) {
		t->termination.branch = (struct fork_branch){handle_none(), 0};
		transaction_free(gw, t);
	}
	fork_tell(gw, &m->branch, is_flow_gone(err) ? 480 : refusal_status(err));
}

void terminate_by_way_of(struct gateway *gw, const struct mw_source *source, uint16_t worker,
			 struct handle flow)
{
	struct message_deliver deliver = {
		.head = {MESSAGE_DELIVER, (uint32_t)sizeof(deliver) + gw->message.text.len},
		.flow = flow,
		.source = *source,
	};

	if (gw->env->to_worker(gw->env->context, worker, span_of(&deliver, sizeof(deliver)),
			       gw->message.text) == GW_OK) {
		counter_add(&gw_counters(gw)->mw_delivered_remote, 1);
		counter_add(&gw_counters(gw)->deliver_out, 1);
	} else if (source->transport != MW_UDP) {
		/* over UDP it is as if the wire had lost it: the core sends it again */
		terminate_refuse(gw, source, 503, SPAN("Retry-After: 2\r\n"));
	}
}

void terminate_elsewhere(struct gateway *gw, const struct mw_source *source, struct handle flow)
{
	terminate_by_way_of(gw, source, flow.worker, flow);
}

bool terminate_under_way(struct gateway *gw, const struct mw_source *source)
{
	if (gw->message.method == SIP_CANCEL) {
		cancel_from_mw(gw, source);
		return true;
	}
	return transaction_repeated(gw, transaction_key(gw, &gw->message), source);
}

bool terminate_is_ours(struct gateway *gw, const struct mw_source *source)
{
	uint64_t key = transaction_key(gw, &gw->message);

	if (gw->message.method == SIP_CANCEL && transaction_find(gw, key, SIP_INVITE) == NULL &&
	    tombstone_find(gw, key, SIP_INVITE) == NULL)
		return false;
	return terminate_under_way(gw, source);
}

void terminate_passing(struct gateway *gw, const struct mw_source *source, struct handle flow)
{
	if (!terminate_is_ours(gw, source))
		terminate_elsewhere(gw, source, flow);
}

/** Requests of the core to this node itself. */
static void terminate_self(struct gateway *gw, const struct mw_source *source)
{
	enum sip_method method = gw->message.method;

	if (method == SIP_NOTIFY)
		reg_event_notify(gw, source);
	else if (method == SIP_OPTIONS)
		terminate_refuse(gw, source, 200, SPAN("")); /* the core asks whether we live */
	else if (wildcard_is_called(gw))
		terminate_absent(gw, source, false); /* PROTOCOL 7.3: it is never registered */
	else
		terminate_refuse(gw, source, 404, SPAN(""));
}

/** A token of kind 2 names the flow's own home entry: who was there before may not be any more
 * (PROTOCOL 6.6). */
static bool terminate_home(const struct wic *wic, const struct route_top *top)
{
	return top->token.kind != FLOW_HOME || handle_equal(home_of(wic), top->token.handle);
}

/** Who is registered there is called, and not who has had a pair there before. */
static bool terminate_bound(const struct gateway *gw, const struct wic *wic)
{
	const struct binding *b = binding_of(gw, wic);

	return b != NULL && pool_is_called(gw, b);
}

void terminate_here(struct gateway *gw, const struct mw_source *source, struct handle flow,
		    const struct route_top *top)
{
	struct wic *wic = gw->env->wic(gw->env->context, flow);
	bool in_dialog = request_in_dialog(&gw->message);

	if (terminate_under_way(gw, source))
		return;
	if (gw->message.method == SIP_ACK) {
		/* by a Path: of a failure of ours, forgotten */
		if (wic != NULL && top->dialog && terminate_home(wic, top))
			in_dialog_ack_to_wic(gw, wic, top);
		return;
	}
	/* a flow without a binding begins nothing: who was registered there is not any more (6.6);
	 * what has begun goes on (D-36) */
	if (wic == NULL || (!in_dialog && !terminate_bound(gw, wic)) || !terminate_home(wic, top))
		terminate_no_flow(gw, source, GW_FLOW_GONE, top->outbound);
	else
		terminate_local(gw, source, wic, top);
}

/** Where the flow is that our URI names. */
static void terminate_by_token(struct gateway *gw, const struct mw_source *source,
			       const struct route_top *top)
{
	struct handle h = top->token.handle;

	if (top->token.kind == FLOW_HOME) {
		home_deliver(gw, source, h);
	} else if (h.worker != gw->config.worker) {
		terminate_elsewhere(gw, source, h);
	} else {
		counter_add(&gw_counters(gw)->mw_delivered_local, 1);
		terminate_here(gw, source, h, top);
	}
}

/** What is refused wherever it is for. */
static enum gw_err terminate_check(const struct gateway *gw, const struct route_top *top)
{
	if (gw->message.method == SIP_REGISTER)
		return GW_FLOW_FORGED; /* we are no registrar: 403 (PROTOCOL 12.2) */
	if (top->err == GW_OK && top->token.handle.worker >= gw->config.workers)
		return GW_FLOW_GONE;
	if (top->err == GW_OK && top->more)
		return GW_SIP_LOOP; /* ours was to be the last */
	return top->err;
}

/** What is told to who sent a request that goes nowhere. */
static void terminate_refused(struct gateway *gw, const struct mw_source *source,
			      const struct route_top *top, enum gw_err err)
{
	if (gw->message.method == SIP_ACK) {
		if (!transaction_repeated(gw, transaction_key(gw, &gw->message), source))
			gateway_count(gw, err);
	} else if (gw->message.method == SIP_CANCEL) {
		cancel_from_mw(gw, source); /* 481, or the INVITE is one that was let through */
	} else if (gw->message.method == SIP_REGISTER || err == GW_SIP_LOOP) {
		gateway_count(gw, gw->message.method == SIP_REGISTER ? GW_SIP_METHOD : err);
		terminate_refuse(gw, source, 403, SPAN(""));
	} else if (top->field == NULL) {
		terminate_self(gw, source);
	} else {
		terminate_no_flow(gw, source, err, top->outbound);
	}
}

void terminate_request(struct gateway *gw, const struct mw_source *source, struct handle flow,
		       bool flow_known)
{
	struct route_top top = route_read(gw);
	enum gw_err err = terminate_check(gw, &top);

	if (block_call_is(gw, &top) && flow_known)
		block_call_here(gw, source, flow, &top);
	else if (block_call_is(gw, &top))
		block_call(gw, source, &top);
	else if (err != GW_OK)
		terminate_refused(gw, source, &top, err);
	else if (flow_known)
		terminate_here(gw, source, flow, &top);
	else
		terminate_by_token(gw, source, &top);
}
