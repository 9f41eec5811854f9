/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "block_call.h"
#include "fork.h"

/*
 * The core's requests for a block come to its one Contact, at any worker (PROTOCOL 8.3, 7.3). Who
 * is called stands in the request; the home worker of that identity knows on which flow. What is
 * about an INVITE, its repeat, its CANCEL, the ACK of its failure, may not say who is called, and
 * must go where that went, whoever has registered since: the worker that the Call-ID names
 * remembers it. The repeat of another request says it, and comes to the same home worker, which
 * remembers where that one went: so nothing overtakes what is for the same identity.
 */

#define WAYS 8 /* rows in a set; what does not fit takes the place of the oldest */

struct block_ways {
	uint32_t mask; /* sets */
	struct block_way way[];
};

bool block_ways_open(struct gateway *gw)
{
	uint32_t sets = 1;

	while (sets * WAYS < gw->config.max_transactions)
		sets *= 2;
	gw->blocks->ways = calloc(1, sizeof(struct block_ways) +
					     (size_t)sets * WAYS * sizeof(struct block_way));
	if (gw->blocks->ways == NULL)
		return false;
	gw->blocks->ways->mask = sets - 1;
	return true;
}

void block_ways_close(struct gateway *gw)
{
	free(gw->blocks->ways);
}

/* ---- ways of INVITEs ------------------------------------------------------------------------ */

static uint64_t way_key(const struct gateway *gw)
{
	uint64_t key = transaction_key_by(gw_config(gw)->hash_key, &gw->message);

	return key != 0 ? key : 1; /* 0: a free place */
}

static uint16_t way_worker(const struct gateway *gw)
{
	struct span call = sip_value(&gw->message, SIP_HEADER_CALL_ID);

	return (uint16_t)(gateway_identity_hash(gw, call) % gw->config.workers);
}

static struct block_way *way_set(const struct gateway *gw, uint64_t key)
{
	struct block_ways *ways = gw->blocks->ways;

	return &ways->way[(key & ways->mask) * WAYS];
}

static const struct block_way *way_find(const struct gateway *gw, uint64_t key)
{
	const struct block_way *set = way_set(gw, key);

	for (uint32_t i = 0; i < WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/** The row of that key, else the one that ends first. */
static struct block_way *way_place(const struct gateway *gw, uint64_t key)
{
	struct block_way *set = way_set(gw, key), *first = set;

	for (uint32_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].until_us < first->until_us)
			first = &set[i];
	}
	return first;
}

static void way_keep(struct gateway *gw, uint64_t key, struct handle flow, uint64_t lasts_us)
{
	struct block_way *way = way_place(gw, key);

	if (way->key != key && way->until_us > gw->time.now_us)
		counter_add(&gw_counters(gw)->block_way_forgotten, 1);
	*way = (struct block_way){
		.key = key,
		.flow = flow,
		.until_us = gw->time.now_us + lasts_us,
	};
}

void gateway_block_way(struct gateway *gw, const struct message_block_way *m)
{
	/* timer C, and what may come behind it; one that rings on stays while there is room */
	way_keep(gw, m->key, m->flow, gw_config(gw)->timer_c_s * 1000000ull + SIP_64T1_US);
}

/** Before the INVITE goes there: its CANCEL comes behind the 100 that this leads to. */
static void way_tell(struct gateway *gw, struct handle flow)
{
	struct message_block_way m = {
		.head = {MESSAGE_BLOCK_WAY, sizeof(m)},
		.key = way_key(gw),
		.flow = flow,
	};

	outbox_send(gw, way_worker(gw), &m.head);
}

/* ---- who is called -------------------------------------------------------------------------- */

/** The web site's name in the Request-URI; empty: it is none of a block. */
static struct span called_site(const struct gateway *gw)
{
	struct sip_uri uri = sip_uri_parse(gw->message.uri);
	struct span prefix = SPAN(BLOCK_USER);

	if (uri.err != GW_OK || !span_starts(uri.user, prefix) ||
	    !span_equal_nocase(uri.host, gw_config(gw)->mw_host))
		return SPAN("");
	return span_from(uri.user, prefix.len);
}

bool block_call_is(const struct gateway *gw, const struct route_top *top)
{
	struct sip_address route = {0};

	if (slots_live(gw->blocks->pool) == 0 || gw->message.method == SIP_REGISTER ||
	    called_site(gw).len == 0)
		return false;
	if (top->field == NULL)
		return true;
	route = sip_address_parse(top->element);
	return route.err == GW_OK && route.uri.user.len == 0 &&
	       span_equal_nocase(route.uri.host, gw_config(gw)->mw_host);
}

/** P-Called-Party-ID, which the S-CSCF has put the identity into when it put the Contact in its
 * place (RFC 7315 4.2). Else To, which is what the caller has written, of a request that has come
 * by the block's Path: who knows the Contact and sends there gets nobody by it. */
static enum gw_err called_identity(const struct gateway *gw, struct identity *called)
{
	const struct sip_message *m = &gw->message;
	bool said = sip_first(m, SIP_HEADER_P_CALLED_PARTY_ID) != NULL;
	struct sip_address a = sip_address_parse(
		sip_value(m, said ? SIP_HEADER_P_CALLED_PARTY_ID : SIP_HEADER_TO));

	if (!said && sip_first(m, SIP_HEADER_ROUTE) == NULL)
		return GW_IDENTITY_MISMATCH;
	return a.err == GW_OK ? identity_impu(a.uri_text, called) : a.err;
}

/** A call for an identity. */
struct call {
	const struct wwsf_config *site; /* NULL: none of that name is a block */
	struct identity called;
	struct registrar_key key;
};

/** GW_BLOCK_FOREIGN: it is in no block of this node. */
static enum gw_err read_call(const struct gateway *gw, struct call *call)
{
	const struct config_part *config = gw_config(gw);

	call->site = register_site_named(gw, called_site(gw));
	if (call->site == NULL || call->site->mode != WWSF_BLOCK ||
	    called_identity(gw, &call->called) != GW_OK ||
	    !pattern_has(gw->time.view->patterns, gw->config.worker,
			 (uint32_t)(call->site - config->wwsf), &call->called))
		return GW_BLOCK_FOREIGN;
	call->key = registrar_key(gw, call->site->name, &call->called);
	return GW_OK;
}

/* ---- refusals ------------------------------------------------------------------------------- */

/** D-25. */
static void write_reason(const struct absent_config *absent, struct writer *w)
{
	if (absent->cause == 0)
		return;
	writer_text(w, "Reason: Q.850;cause=");
	writer_decimal(w, absent->cause);
	if (absent->text.len > 0) {
		writer_text(w, ";text=\"");
		writer_put(w, absent->text);
		writer_text(w, "\"");
	}
	writer_text(w, "\r\n");
}

static void write_term_ioi(const struct gateway *gw, const struct identity *called,
			   struct writer *w)
{
	writer_text(w, ";term-ioi=\"");
	writer_put(w, request_realm_of(gw_config(gw), called)->ioi);
	writer_text(w, "\"\r\n");
}

/** The request's charging identifier and origin come back, with who answers (PROTOCOL 7.3). */
static void write_charging(const struct gateway *gw, const struct call *call, struct writer *w)
{
	struct span vector = sip_value(&gw->message, SIP_HEADER_P_CHARGING_VECTOR), icid, ioi;

	if (!sip_param(vector, SPAN("icid-value"), &icid))
		return;
	writer_text(w, "P-Charging-Vector: icid-value=");
	writer_put(w, icid);
	if (sip_param(vector, SPAN("orig-ioi"), &ioi)) {
		writer_text(w, ";orig-ioi=");
		writer_put(w, ioi);
	}
	write_term_ioi(gw, &call->called, w);
}

static void refuse_absent(struct gateway *gw, const struct mw_source *source, enum gw_err err,
			  const struct call *call)
{
	const struct absent_config *absent =
		err == GW_BLOCK_FOREIGN ? &gw_config(gw)->unknown : &gw_config(gw)->absent;
	struct counters *c = gw_counters(gw);
	uint8_t text[1024];
	struct writer w;

	gateway_count(gw, err);
	counter_add(err == GW_BLOCK_FOREIGN ? &c->block_foreign : &c->block_absent, 1);
	writer_init(&w, text, sizeof(text));
	write_reason(absent, &w);
	write_charging(gw, call, &w);
	terminate_refuse(gw, source, absent->status, writer_ok(&w) ? writer_span(&w) : SPAN(""));
}

void block_call_absent(struct gateway *gw, struct transaction *t)
{
	const struct absent_config *absent = &gw_config(gw)->absent;
	uint8_t text[1024];
	struct writer w;

	counter_add(&gw_counters(gw)->block_absent, 1);
	writer_init(&w, text, sizeof(text));
	write_reason(absent, &w);
	if (t->termination.charging_len > 0) {
		writer_text(&w, "P-Charging-Vector: ");
		writer_bytes(&w, t->termination.charging, t->termination.charging_len);
		write_term_ioi(gw, &t->termination.called, &w);
	}
	transaction_answer_with(gw, t, absent->status, writer_ok(&w) ? writer_span(&w) : SPAN(""));
}

/* ---- from worker to worker ------------------------------------------------------------------ */

static void deliver_to(struct gateway *gw, const struct mw_source *source, uint16_t worker,
		       enum block_stage stage)
{
	struct message_deliver_block m = {
		.head = {MESSAGE_DELIVER_BLOCK, (uint32_t)sizeof(m) + gw->message.text.len},
		.stage = stage,
		.source = *source,
	};

	if (gw->env->to_worker(gw->env->context, worker, span_of(&m, sizeof(m)),
			       gw->message.text) == GW_OK)
		counter_add(&gw_counters(gw)->deliver_out, 1);
	else if (source->transport != MW_UDP)
		terminate_refuse(gw, source, 503, SPAN("Retry-After: 2\r\n"));
}

static void to_flow(struct gateway *gw, const struct mw_source *source, struct handle flow)
{
	struct route_top top = route_read(gw);

	if (flow.worker == gw->config.worker)
		block_call_here(gw, source, flow, &top);
	else
		terminate_elsewhere(gw, source, flow);
}

/** Where a request that is no INVITE has gone, when it comes again; none: it does not. */
static struct handle flow_before(const struct gateway *gw)
{
	const struct block_way *way =
		gw->message.method != SIP_INVITE ? way_find(gw, way_key(gw)) : NULL;

	return way != NULL && gw->time.now_us < way->until_us ? way->flow : handle_none();
}

/** True: the request goes to all bindings at once (PROTOCOL 8.3). What is about it comes here. */
static bool to_all(struct gateway *gw, const struct mw_source *source, const struct call *call)
{
	struct handle flow[FORK_BRANCHES_MAX];
	uint32_t n = registrar_flows(gw, &call->key, flow, FORK_BRANCHES_MAX);

	if (!call->site->fork || n < 2 || !fork_has_room(gw, n))
		return false;
	if (gw->message.method == SIP_INVITE)
		way_tell(gw, (struct handle){.worker = gw->config.worker});
	fork_begin(gw, source, &call->called, flow, n);
	return true;
}

/** At the home worker of who is called. */
static void at_home(struct gateway *gw, const struct mw_source *source, const struct call *call)
{
	struct handle flow = flow_before(gw);

	if (transaction_repeated(gw, transaction_key(gw, &gw->message), source))
		return; /* of one that went to several */
	if (handle_is_none(flow)) {
		if (to_all(gw, source, call))
			return;
		flow = registrar_youngest(gw, &call->key);
	}
	if (handle_is_none(flow)) {
		refuse_absent(gw, source, GW_BLOCK_ABSENT, call);
		return;
	}
	if (gw->message.method == SIP_INVITE)
		way_tell(gw, flow);
	else
		way_keep(gw, way_key(gw), flow, SIP_64T1_US);
	to_flow(gw, source, flow);
}

/** To the home worker of who is called. */
static void to_home(struct gateway *gw, const struct mw_source *source)
{
	struct call call = {0};
	enum gw_err err = read_call(gw, &call);

	if (err != GW_OK)
		refuse_absent(gw, source, err, &call);
	else if (registrar_home(gw, &call.key) != gw->config.worker)
		deliver_to(gw, source, registrar_home(gw, &call.key), BLOCK_TO_HOME);
	else
		at_home(gw, source, &call);
}

/** At the worker that knows the ways of a call. */
static void at_ways(struct gateway *gw, const struct mw_source *source)
{
	const struct block_way *way = way_find(gw, way_key(gw));
	enum sip_method method = gw->message.method;

	if (way != NULL)
		to_flow(gw, source, way->flow);
	else if (method == SIP_CANCEL)
		cancel_from_mw(gw, source); /* 481 */
	else if (method == SIP_INVITE && request_in_dialog(&gw->message))
		terminate_no_flow(gw, source, GW_FLOW_GONE, false); /* dialogs go by their route */
	else if (method != SIP_ACK) /* that one is of a failure that was ours */
		to_home(gw, source);
}

void block_call(struct gateway *gw, const struct mw_source *source, const struct route_top *top)
{
	enum sip_method method = gw->message.method;
	bool about_invite = method == SIP_INVITE || method == SIP_CANCEL || method == SIP_ACK;

	counter_add(&gw_counters(gw)->block_calls, 1);
	if (top->more) {
		gateway_count(gw, GW_SIP_LOOP); /* ours was to be the last */
		terminate_refuse(gw, source, 403, SPAN(""));
	} else if (!about_invite && request_in_dialog(&gw->message)) {
		terminate_no_flow(gw, source, GW_FLOW_GONE, false); /* dialogs go by their route */
	} else if (!about_invite) {
		to_home(gw, source);
	} else if (way_worker(gw) != gw->config.worker) {
		deliver_to(gw, source, way_worker(gw), BLOCK_TO_WAYS);
	} else {
		at_ways(gw, source);
	}
}

void gateway_delivered_block(struct gateway *gw, const struct message_deliver_block *head,
			     struct span bytes)
{
	struct call call = {0};

	if (sip_index(bytes, &gw->message) != GW_OK)
		gateway_count(gw, GW_INVARIANT); /* the sender had indexed it */
	else if (head->stage == BLOCK_TO_WAYS)
		at_ways(gw, &head->source);
	else if (read_call(gw, &call) == GW_OK)
		at_home(gw, &head->source, &call);
	else /* this worker's view is another one by now */
		refuse_absent(gw, &head->source, GW_BLOCK_FOREIGN, &call);
}

/* ---- at the flow ---------------------------------------------------------------------------- */

/** wic, or NULL, is registered as who is called. GW_BLOCK_ABSENT, GW_BLOCK_FOREIGN. */
static enum gw_err read_call_of(const struct gateway *gw, const struct wic *wic, struct call *call)
{
	const struct binding *b = wic != NULL ? binding_of(gw, wic) : NULL;
	enum gw_err err = read_call(gw, call);

	if (err == GW_OK && (b == NULL || !b->local || b->impu_hash != call->key.impu))
		err = GW_BLOCK_ABSENT;
	return err;
}

void block_call_here(struct gateway *gw, const struct mw_source *source, struct handle flow,
		     const struct route_top *top)
{
	struct wic *wic = gw->env->wic(gw->env->context, flow);
	struct call call = {0};
	enum gw_err err;

	if (terminate_under_way(gw, source) || gw->message.method == SIP_ACK)
		return;
	err = read_call_of(gw, wic, &call);
	if (err == GW_OK)
		terminate_local(gw, source, wic, top);
	else if (err == GW_BLOCK_ABSENT && handle_is_none(flow) && gw->message.method == SIP_INVITE)
		at_home(gw, source, &call); /* its fork was refused, and the word of that lost */
	else
		refuse_absent(gw, source, err, &call);
}

void block_call_branch(struct gateway *gw, const struct message_fork_branch *m)
{
	struct wic *wic = gw->env->wic(gw->env->context, m->flow);
	struct route_top top = route_read(gw);
	struct call call = {0};
	enum gw_err err = read_call_of(gw, wic, &call);

	if (err == GW_OK) {
		terminate_branch(gw, m, wic, &top);
		return;
	}
	gateway_count(gw, err);
	fork_tell(gw, &m->branch, 480);
}

void block_call_edit(struct gateway *gw, const struct wic *wic)
{
	const struct binding *b = binding_of(gw, wic);
	struct sip_address contact;

	if (b == NULL || !b->local)
		return;
	contact = sip_address_parse(span_of(b->text + b->contact_at, b->contact_len));
	if (contact.err == GW_OK)
		sip_splice_replace(&gw->splice, gw->message.uri, contact.uri_text);
}
