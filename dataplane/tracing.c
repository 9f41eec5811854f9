/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <stdlib.h>

#include "identity/identity.h"
#include "token/token.h"

/*
 * SIP messages that an operator wants to see. What is secret in them does not leave the worker, and
 * no more of them do than leave room for what else control is told.
 */

#define CALLS_MAX 64	  /* of an IMPU, remembered by their Call-ID: not all of a call names it */
#define BURST_BYTES 32768 /* half of the smallest ring */

/** One that is on. */
struct trace {
	struct trace_filter filter; /* id 0: none */
	uint64_t until_us;
	uint64_t lost;
	uint64_t call[CALLS_MAX]; /* hashes; 0: none. The oldest makes room */
	uint32_t call_next;
};

struct tracing {
	struct trace trace[TRACES_MAX];
	uint64_t refilled_us;
	uint32_t room;		    /* bytes that may go now: a byte comes in every us */
	struct sip_message message; /* the gateway's own stays as it is */
	uint8_t text[TRACE_SNAP];
};

/** A message on its way. */
struct passing {
	const struct wic *wic; /* NULL: between the core and us */
	struct span bytes;
	uint64_t call; /* hash of its Call-ID; 0: it has none */
};

enum gw_err tracing_open(struct worker *w)
{
	w->tracing = calloc(1, sizeof(*w->tracing));
	return w->tracing != NULL ? GW_OK : GW_NO_MEMORY;
}

void tracing_close(struct worker *w)
{
	free(w->tracing);
}

static struct trace *trace_find(struct worker *w, uint32_t id)
{
	for (uint32_t i = 0; i < TRACES_MAX; i++)
		if (w->tracing->trace[i].filter.id == id)
			return &w->tracing->trace[i];
	return NULL;
}

/* ---- whether it is wanted -------------------------------------------------------------------- */

static bool uri_is(struct span uri, struct span canonical)
{
	struct identity id;

	return identity_impu(uri, &id) == GW_OK && span_equal(identity_span(&id), canonical);
}

/** Any address in any line of header id. */
static bool header_is(const struct sip_message *m, enum sip_header id, struct span canonical)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element))
			if (uri_is(sip_address_parse(element).uri_text, canonical))
				return true;
	}
	return false;
}

static bool message_is(const struct sip_message *m, struct span canonical)
{
	static const enum sip_header who[] = {
		SIP_HEADER_FROM,
		SIP_HEADER_TO,
		SIP_HEADER_P_ASSERTED_IDENTITY,
		SIP_HEADER_P_PREFERRED_IDENTITY,
		SIP_HEADER_P_CALLED_PARTY_ID,
	};

	for (uint32_t i = 0; i < sizeof(who) / sizeof(who[0]); i++)
		if (header_is(m, who[i], canonical))
			return true;
	return m->is_request && uri_is(m->uri, canonical);
}

static bool call_is_known(const struct trace *t, uint64_t call)
{
	for (uint32_t i = 0; call != 0 && i < CALLS_MAX; i++)
		if (t->call[i] == call)
			return true;
	return false;
}

static bool impu_matches(struct worker *w, struct trace *t, const struct passing *p)
{
	struct span canonical = span_of(t->filter.text, t->filter.len);

	if (call_is_known(t, p->call))
		return true;
	if (!(p->wic != NULL && gateway_is(w->gateway, p->wic, canonical)) &&
	    !message_is(&w->tracing->message, canonical))
		return false;
	t->call[t->call_next++ % CALLS_MAX] = p->call;
	return true;
}

static void trace_end(struct worker *w, struct trace *t)
{
	t->filter.id = 0;
	w->traces--;
}

static bool trace_matches(struct worker *w, struct trace *t, const struct passing *p)
{
	struct span call_id = sip_value(&w->tracing->message, SIP_HEADER_CALL_ID);

	if (t->filter.id == 0)
		return false;
	if (w->clock.now_us >= t->until_us) {
		trace_end(w, t);
		return false;
	}
	if (t->filter.by == TRACE_BY_IMPU)
		return impu_matches(w, t, p);
	return span_equal(call_id, span_of(t->filter.text, t->filter.len));
}

/* ---- on its way to control ------------------------------------------------------------------- */

static bool trace_room(struct worker *w, uint32_t bytes)
{
	struct tracing *tracing = w->tracing;
	uint64_t room = tracing->room + (w->clock.now_us - tracing->refilled_us);

	tracing->refilled_us = w->clock.now_us;
	tracing->room = room < BURST_BYTES ? (uint32_t)room : BURST_BYTES;
	if (bytes > tracing->room)
		return false;
	tracing->room -= bytes;
	return true;
}

static void trace_send(struct worker *w, struct message_traced *message, struct span bytes)
{
	struct writer text;
	bool sent;

	writer_init(&text, w->tracing->text, sizeof(w->tracing->text));
	message->cut = !token_redact(bytes, &text);
	message->len = bytes.len;
	message->head = (struct message_head){MESSAGE_TRACED,
					      (uint32_t)sizeof(*message) + writer_len(&text)};
	sent = trace_room(w, message->head.len) &&
	       mailbox_send(w->config.hub, w->config.index, w->config.workers,
			    span_of(message, sizeof(*message)), writer_span(&text)) == GW_OK;
	counter_add(sent ? &w->counters.traced : &w->counters.trace_lost, 1);
	for (uint32_t i = 0; !sent && i < TRACES_MAX && message->id[i] != 0; i++)
		trace_find(w, message->id[i])->lost++;
}

static void trace_message(struct worker *w, struct message_traced *message, struct passing *p)
{
	struct tracing *tracing = w->tracing;
	struct span call_id;
	uint32_t wanted = 0;

	/* one that is refused is indexed as far as it goes */
	(void)!sip_index(p->bytes, &tracing->message);
	call_id = sip_value(&tracing->message, SIP_HEADER_CALL_ID);
	p->call = call_id.len > 0 ? siphash(w->rates_key, call_id) : 0;
	for (uint32_t i = 0; i < TRACES_MAX; i++)
		if (trace_matches(w, &tracing->trace[i], p))
			message->id[wanted++] = tracing->trace[i].filter.id;
	if (wanted == 0)
		return;
	message->now_us = w->clock.now_us;
	trace_send(w, message, p->bytes);
}

void tracing_wic(struct worker *w, enum trace_leg leg, const struct session *s, struct span bytes)
{
	struct message_traced message = {.leg = leg, .peer = s->peer, .flow = s->wic.flow};
	struct passing p = {.wic = &s->wic, .bytes = bytes};

	trace_message(w, &message, &p);
}

void tracing_mw(struct worker *w, enum trace_leg leg, enum mw_transport transport,
		const struct endpoint *peer, struct span bytes)
{
	struct message_traced message = {.leg = leg, .transport = transport, .peer = *peer};
	struct passing p = {.bytes = bytes};

	trace_message(w, &message, &p);
}

/* ---- commands -------------------------------------------------------------------------------- */

/** Those that control has not ended itself make room for others. */
static void trace_end_late(struct worker *w)
{
	for (uint32_t i = 0; i < TRACES_MAX; i++) {
		struct trace *t = &w->tracing->trace[i];

		if (t->filter.id != 0 && w->clock.now_us >= t->until_us)
			trace_end(w, t);
	}
}

static struct row_trace trace_begin(struct worker *w, const struct trace_filter *filter)
{
	struct trace *t;

	trace_end_late(w);
	t = trace_find(w, 0);
	if (t == NULL)
		return (struct row_trace){.err = GW_BUSY};
	*t = (struct trace){
		.filter = *filter,
		.until_us = w->clock.now_us + filter->seconds * 1000000ull,
	};
	w->traces++;
	return (struct row_trace){GW_OK, 0};
}

static struct row_trace trace_stop(struct worker *w, uint32_t id)
{
	struct trace *t = trace_find(w, id);
	struct row_trace row = {GW_STALE, 0};

	if (t == NULL)
		return row;
	row = (struct row_trace){GW_OK, t->lost};
	trace_end(w, t);
	return row;
}

void tracing_command(struct worker *w, const struct message_command *command, struct span body)
{
	struct message_answer head = {.id = command->id, .rows = 1};
	struct trace_filter filter;
	struct row_trace row;

	if (!span_copy(&body, &filter, sizeof(filter)) || filter.len > sizeof(filter.text) ||
	    filter.id == 0) {
		worker_count(w, GW_INVARIANT);
		return;
	}
	row = command->what == COMMAND_TRACE ? trace_begin(w, &filter) : trace_stop(w, filter.id);
	head.row_size = sizeof(row);
	command_answer(w, &head, &row);
}
