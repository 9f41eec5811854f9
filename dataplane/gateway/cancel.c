/* SPDX-License-Identifier: BSD-3-Clause */
#include "fork.h"

/*
 * What goes hop by hop beside an INVITE: CANCEL (RFC 3261 9, 16.10) and the ACK of a failure (RFC
 * 3261 17.1.1.3). Both are made here, of the INVITE as it went on.
 */

static bool is_for_wic(const struct transaction *t)
{
	return t->kind == TRANSACTION_TERMINATE;
}

static void write_field(struct gateway *gw, const struct sip_message *m, enum sip_header id)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f))
		writer_put(&gw->out, f->line);
}

/** Writes the request of this method beside t's INVITE to gw->out; its To is that of to. */
static enum gw_err write_beside(struct gateway *gw, const struct transaction *t, const char *method,
				const struct sip_message *to)
{
	enum gw_err err = transaction_recall(t, &gw->kept);

	request_begin(gw, NULL);
	if (err != GW_OK)
		return err;
	writer_text(&gw->out, method);
	writer_text(&gw->out, " ");
	writer_put(&gw->out, gw->kept.uri);
	writer_text(&gw->out, " SIP/2.0\r\n");
	request_write_via(gw, t, &gw->out);
	write_field(gw, &gw->kept, SIP_HEADER_ROUTE);
	writer_text(&gw->out, "Max-Forwards: 70\r\n");
	write_field(gw, &gw->kept, SIP_HEADER_FROM);
	write_field(gw, to != NULL ? to : &gw->kept, SIP_HEADER_TO);
	write_field(gw, &gw->kept, SIP_HEADER_CALL_ID);
	writer_text(&gw->out, "CSeq: ");
	writer_decimal(&gw->out, gw->kept.cseq);
	writer_text(&gw->out, " ");
	writer_text(&gw->out, method);
	writer_text(&gw->out, "\r\nContent-Length: 0\r\n\r\n");
	return writer_ok(&gw->out) ? GW_OK : GW_NO_ROOM;
}

static void send_beside(struct gateway *gw, const struct transaction *t, enum gw_err err)
{
	struct span bytes = writer_span(&gw->out);

	if (err == GW_OK)
		err = is_for_wic(t) ? gw->env->to_wic(gw->env->context, t->flow, bytes)
				    : gw->env->to_mw(gw->env->context, &t->target, bytes);
	if (err != GW_OK && err != GW_STALE)
		gateway_count(gw, err);
}

void cancel_acknowledge(struct gateway *gw, struct transaction *t)
{
	enum gw_err err;

	if (t->acked) { /* the failure came again over UDP */
		(void)gw->env->to_mw(gw->env->context, &t->target, transaction_kept(t));
		return;
	}
	err = write_beside(gw, t, "ACK", &gw->message);
	send_beside(gw, t, err);
	if (err == GW_OK && !t->client.reliable)
		t->acked = transaction_keep_bytes(gw, t, writer_span(&gw->out));
}

void cancel_acknowledge_once(struct gateway *gw, const struct transaction *t)
{
	send_beside(gw, t, write_beside(gw, t, "ACK", &gw->message));
}

void cancel_send(struct gateway *gw, struct transaction *t)
{
	bool reliable = is_for_wic(t) || t->target.transport != MW_UDP;

	send_beside(gw, t, write_beside(gw, t, "CANCEL", NULL));
	if (t->cancel_sent)
		return;
	t->cancel_sent = true;
	sip_machine_start(&t->cancel, SIP_CLIENT_OTHER, reliable, gw->time.now_us);
	t->limit_us = gw->time.now_us + SIP_64T1_US;
}

void cancel_transaction(struct gateway *gw, struct transaction *t)
{
	if (t->cancelled || !transaction_waits(t))
		return; /* it is on its way, or comes too late */
	t->cancelled = true;
	if (t->client.state == SIP_PROCEEDING)
		cancel_send(gw, t);
}

/** Answers the CANCEL in gw->message with 200; its tag is the one that a repeat gets too. */
static enum gw_err write_answer(struct gateway *gw)
{
	uint64_t key = transaction_key(gw, &gw->message);
	struct span tag;

	request_begin(gw, &gw->message);
	writer_text(&gw->lines, "ep-");
	writer_hex(&gw->lines, span_of(&key, sizeof(key)));
	tag = writer_span(&gw->lines);
	return sip_reply_write(&gw->message, 200, tag, SPAN(""), &gw->out);
}

enum gw_err cancel_from_wic(struct gateway *gw, struct wic *wic)
{
	uint64_t key = transaction_flow_key(gw, wic);
	struct transaction *t = transaction_find(gw, key, SIP_INVITE);
	enum gw_err err;

	if (t == NULL && tombstone_find(gw, key, SIP_INVITE) == NULL)
		return GW_SIP_NO_TRANSACTION;
	err = write_answer(gw);
	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, wic->flow, writer_span(&gw->out));
	if (t == NULL)
		return err; /* it comes too late (RFC 3261 9.2) */
	cancel_transaction(gw, t);
	transaction_settle(gw, t);
	return err;
}

void cancel_at_flow(struct gateway *gw, struct transaction *t)
{
	if (t->orphan && t->server.state == SIP_PROCEEDING) {
		t->cancelled = true; /* nobody is there to say 487 */
		transaction_answer(gw, t, 487);
		return;
	}
	cancel_transaction(gw, t);
	transaction_settle(gw, t);
}

void cancel_from_mw(struct gateway *gw, const struct mw_source *source)
{
	uint64_t key = transaction_key(gw, &gw->message);
	struct transaction *t = transaction_find(gw, key, SIP_INVITE);

	if (t == NULL && tombstone_find(gw, key, SIP_INVITE) == NULL) {
		gateway_count(gw, GW_SIP_NO_TRANSACTION);
		terminate_refuse(gw, source, 481, SPAN(""));
		return;
	}
	if (write_answer(gw) == GW_OK &&
	    gw->env->to_source(gw->env->context, source, writer_span(&gw->out)) == GW_OK)
		counter_add(&gw_counters(gw)->mw_responses_out, 1);
	if (t == NULL)
		return; /* it comes too late (RFC 3261 9.2) */
	if (fork_is(t))
		fork_cancel(gw, t);
	else
		cancel_at_flow(gw, t);
}
