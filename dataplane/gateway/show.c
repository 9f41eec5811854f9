/* SPDX-License-Identifier: BSD-3-Clause */
#include "wildcard.h"

/* What an operator is shown of one flow, and whose it is. */

static bool binding_is_of(const struct binding *b, struct span canonical)
{
	return span_equal(identity_span(&b->impu), canonical) || binding_has(b, canonical);
}

bool gateway_is(const struct gateway *gw, const struct wic *wic, struct span canonical)
{
	const struct binding *b = binding_of(gw, wic);

	const struct wildcard_user *u = wildcard_of(gw, wic);

	return (b != NULL && binding_is_of(b, canonical)) ||
	       (u != NULL && span_equal(identity_span(&u->impu), canonical));
}

struct handle gateway_find(const struct gateway *gw, struct span canonical, uint32_t max,
			   uint32_t *cursor)
{
	const struct binding *b = NULL;

	for (uint32_t i = 0; i < max; i++) {
		b = slots_next(gw->bindings, cursor);
		if (b == NULL) {
			*cursor = 0;
			return handle_none();
		}
		if (binding_is_of(b, canonical))
			return b->flow;
	}
	return handle_none();
}

struct handle gateway_binding_flow(const struct gateway *gw, uint32_t slot)
{
	uint32_t cursor = slot;
	const struct binding *b = slots_next(gw->bindings, &cursor);

	return b != NULL && slots_handle(gw->bindings, b).slot == slot ? b->flow : handle_none();
}

struct handle gateway_transaction_flow(const struct gateway *gw, uint32_t slot)
{
	uint32_t cursor = slot;
	const struct transaction *t = slots_next(gw->transactions, &cursor);

	return t != NULL && slots_handle(gw->transactions, t).slot == slot ? t->flow
									   : handle_none();
}

bool gateway_registration(const struct gateway *gw, uint32_t *cursor,
			  struct worker_registration *registration)
{
	const struct binding *b = slots_next(gw->bindings, cursor);

	while (b != NULL && b->state == BINDING_LEAVING)
		b = slots_next(gw->bindings, cursor);
	if (b == NULL) {
		*cursor = 0;
		return false;
	}
	*registration = (struct worker_registration){
		.jti = b->jti,
		.impi = b->impi_hash,
		.call_id = b->call_id,
		.cseq = b->cseq,
		.expires_us = b->expires_us,
		.flow = b->flow,
		.lost = b->state == BINDING_LOST,
	};
	return true;
}

/* ---- transactions ---------------------------------------------------------------------------- */

/** The method's name is in the head that t keeps. */
static void row_method(const struct transaction *t, struct row_transaction *row)
{
	static const char *const names[] = {
		"other",     "REGISTER", "INVITE",  "ACK",   "BYE",  "CANCEL", "OPTIONS", "MESSAGE",
		"SUBSCRIBE", "NOTIFY",	 "PUBLISH", "REFER", "INFO", "UPDATE", "PRACK",
	};
	struct writer w;

	writer_init(&w, row->method, sizeof(row->method) - 1);
	writer_text(&w, names[t->method]);
}

static void transaction_row(const struct gateway *gw, const struct transaction *t,
			    struct row_transaction *row)
{
	static const char *const kinds[] = {
		[TRANSACTION_REGISTER] = "register",
		[TRANSACTION_ORIGINATE] = "originate",
		[TRANSACTION_TERMINATE] = "terminate",
		[TRANSACTION_OWN] = "own",
	};
	static const char *const states[SIP_STATES] = {
		[SIP_CALLING] = "calling",	 [SIP_TRYING] = "trying",
		[SIP_PROCEEDING] = "proceeding", [SIP_ACCEPTED] = "accepted",
		[SIP_COMPLETED] = "completed",	 [SIP_CONFIRMED] = "confirmed",
		[SIP_TERMINATED] = "terminated",
	};
	bool terminates = t->kind == TRANSACTION_TERMINATE;
	struct writer w;

	*row = (struct row_transaction){
		.handle = slots_handle(gw->transactions, t),
		.flow = t->flow,
		.age_ms = (gw->time.now_us - t->since_us) / 1000,
		.transport = terminates ? t->termination.source.transport : t->target.transport,
		.hop = terminates ? t->termination.source.peer : t->target.address,
	};
	row_method(t, row);
	writer_init(&w, row->kind, sizeof(row->kind) - 1);
	writer_text(&w, kinds[t->kind]);
	writer_init(&w, row->state, sizeof(row->state) - 1);
	writer_text(&w, states[t->client.state]);
}

uint32_t gateway_transaction_rows(const struct gateway *gw, const struct wic *wic, uint32_t max,
				  struct row_transaction *rows)
{
	uint32_t n = 0;

	for (const struct transaction *t = wic->pending; t != NULL && n < max; t = t->flow_next)
		transaction_row(gw, t, &rows[n++]);
	return n;
}
