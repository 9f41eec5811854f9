/* SPDX-License-Identifier: BSD-3-Clause */
#include "fork.h"
#include "registrar.h"
#include "wildcard.h"

/*
 * What the machines of a transaction want done: a client side towards where the request went, a
 * server side towards where it came from (RFC 3261 16, 17, RFC 6026).
 */

#define ACCEPTED_LOOKED_AT 64 /* for an ACK; what is not found ends by timers L and M */

static void transaction_timer(struct timer *timer, void *context);

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/** Both sides have their final answer, none says anything again by itself, and a WIC's 2xx, which
 * it repeats until it is acknowledged, has its ACK. */
static bool is_finished(const struct transaction *t)
{
	bool waits_for_ack = t->server.state == SIP_ACCEPTED && t->flow_link != NULL;

	return t->client.state >= SIP_ACCEPTED && t->server.state >= SIP_ACCEPTED &&
	       t->server.retry_us == NEVER && t->limit_us == NEVER && !waits_for_ack;
}

static bool is_over(const struct transaction *t)
{
	return t->client.state == SIP_TERMINATED && t->server.state == SIP_TERMINATED;
}

void transaction_settle(struct gateway *gw, struct transaction *t)
{
	uint64_t due = earlier(sip_machine_due(&t->client), sip_machine_due(&t->server));

	if (is_over(t) || is_finished(t)) {
		if (!is_over(t))
			tombstone_leave(gw, t);
		transaction_free(gw, t);
		return;
	}
	due = earlier(due, earlier(sip_machine_due(&t->cancel), t->limit_us));
	due = earlier(due, earlier(t->unheard_us, t->again_us));
	if (due == NEVER)
		wheel_disarm(gw->wheel, &t->timer);
	else
		wheel_arm(gw->wheel, &t->timer, due, transaction_timer);
}

bool transaction_waits(const struct transaction *t)
{
	return t->client.state == SIP_CALLING || t->client.state == SIP_PROCEEDING;
}

/** Nothing more is expected of that side. */
static void machine_stop(struct sip_machine *m)
{
	m->state = SIP_TERMINATED;
	m->retry_us = NEVER;
	m->end_us = NEVER;
}

/* ---- the client side ------------------------------------------------------------------------ */

void transaction_start_client(struct gateway *gw, struct transaction *t)
{
	bool reliable = t->kind == TRANSACTION_TERMINATE || t->target.transport != MW_UDP;
	bool invite = t->method == SIP_INVITE;

	sip_machine_start(&t->client, invite ? SIP_CLIENT_INVITE : SIP_CLIENT_OTHER, reliable,
			  gw->time.now_us);
	if (invite)
		t->limit_us = gw->time.now_us + gw_config(gw)->timer_c_s * 1000000ull;
}

enum gw_err transaction_dispatch(struct gateway *gw, struct transaction *t)
{
	bool reliable = t->target.transport != MW_UDP;
	uint64_t end_us = t->client.end_us;
	enum gw_err err = transaction_keep_sent(gw, t);

	if (err == GW_OK)
		err = gw->env->to_mw(gw->env->context, &t->target, writer_span(&gw->out));
	if (err != GW_OK)
		return err;
	if (t->kind == TRANSACTION_REGISTER)
		memcpy(t->registration.icid, gw->icid, sizeof(gw->icid));
	counter_add(&gw_counters(gw)->mw_requests_out, 1);
	transaction_start_client(gw, t);
	t->client.end_us = earlier(t->client.end_us, end_us); /* another hop: its time goes on */
	t->unheard_us = reliable ? NEVER : gw->time.now_us + UNHEARD_US;
	transaction_settle(gw, t);
	return GW_OK;
}

enum gw_err transaction_send(struct gateway *gw, struct transaction *t)
{
	enum gw_err err = transaction_dispatch(gw, t);

	if (err == GW_OK || (err == GW_MW_DOWN && failover(gw, t)) || failover_wait(gw, t))
		return GW_OK;
	transaction_free(gw, t);
	return err;
}

enum gw_err transaction_deliver(struct gateway *gw, struct transaction *t)
{
	struct span bytes = writer_span(&gw->out);
	enum gw_err err = transaction_keep_sent(gw, t);

	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, t->flow, bytes);
	if (err != GW_OK)
		return err;
	transaction_start_client(gw, t);
	return GW_OK;
}

/** Timer C begins anew with every provisional response but 100 (RFC 3261 16.7 step 2). */
static void client_proceeds(struct gateway *gw, struct transaction *t, uint16_t status)
{
	if (t->cancelled) {
		if (!t->cancel_sent)
			cancel_send(gw, t);
	} else if (status > 100 && t->limit_us != NEVER) {
		t->limit_us = gw->time.now_us + gw_config(gw)->timer_c_s * 1000000ull;
	}
}

/** The audit stream hears of calls: how each began, and that it ended. */
static void audit_final(struct gateway *gw, struct transaction *t, uint16_t status)
{
	if (gw_config(gw)->audit == AUDIT_NONE || status < 200 || t->told)
		return;
	if (fork_has(t) && status >= 300)
		return; /* its fork says how the call ended */
	t->told = true;
	if (t->method == SIP_BYE)
		audit_call(gw, t, EVENT_CALL_ENDED, status);
	else if (t->method == SIP_INVITE && transaction_recall(t, &gw->kept) == GW_OK &&
		 !request_in_dialog(&gw->kept))
		audit_call(gw, t, status < 300 ? EVENT_CALL_ANSWERED : EVENT_CALL_FAILED, status);
}

bool transaction_received(struct gateway *gw, struct transaction *t)
{
	uint16_t status = gw->message.status;
	uint32_t todo;

	if (gw->message.method == SIP_CANCEL) { /* our CANCEL's: it has done what it can */
		todo = sip_machine_event(&t->cancel, sip_status_event(status), gw->time.now_us);
		transaction_settle(gw, t);
		return false;
	}
	todo = sip_machine_event(&t->client, sip_status_event(status), gw->time.now_us);
	t->unheard_us = NEVER;
	t->rang |= status > 100;
	wildcard_answered(gw, t, status);
	failover_release(gw, t);
	if (status >= 200) {
		t->limit_us = NEVER;
		machine_stop(&t->cancel); /* what it was to end has ended; its head may be gone */
	}
	if (status >= 200 && t->method != SIP_INVITE)
		machine_stop(&t->client); /* timer K: a repeat finds its branch stale */
	if (todo & SIP_DO_RESPONSE)
		audit_final(gw, t, status); /* before the ACK takes the head's place */
	if (todo & SIP_DO_ACK)
		cancel_acknowledge(gw, t);
	if (status < 200 && t->method == SIP_INVITE && (todo & SIP_DO_RESPONSE))
		client_proceeds(gw, t, status);
	if ((todo & SIP_DO_RESPONSE) && status != 100)
		return true;
	transaction_settle(gw, t);
	return false;
}

static void client_again(struct gateway *gw, struct transaction *t)
{
	(void)gw->env->to_mw(gw->env->context, &t->target, transaction_kept(t));
	counter_add(&gw_counters(gw)->mw_retransmits, 1);
}

/* ---- the server side ------------------------------------------------------------------------ */

/** RFC 3261 17.2: over UDP a final response is said again whenever the request comes again; that to
 * an INVITE which succeeds is repeated by who gave it (RFC 6026 7.1). */
static bool is_repeated(const struct transaction *t, uint16_t status)
{
	return status >= 200 && !t->server.reliable && (t->method != SIP_INVITE || status >= 300);
}

static void respond_to_mw(struct gateway *gw, struct transaction *t, uint16_t status)
{
	struct span bytes = writer_span(&gw->out);

	if (gw->env->to_source(gw->env->context, &t->termination.source, bytes) == GW_OK)
		counter_add(&gw_counters(gw)->mw_responses_out, 1);
	if (is_repeated(t, status))
		/* one that is too long is not said again, but the WIC is not asked again */
		(void)transaction_keep_bytes(gw, t, bytes);
}

/** The final response in gw->out is that of a branch: whether the core gets it is not for it to
 * say, and who asks again asks the fork. */
static void respond_to_fork(struct gateway *gw, struct transaction *t, uint16_t status)
{
	uint32_t todo;

	t->server.reliable = true;
	todo = sip_machine_event(&t->server, sip_status_event(status), gw->time.now_us);
	transaction_detach(gw, t);
	if (todo & SIP_DO_RESPONSE)
		fork_says(gw, t, status, writer_span(&gw->out));
	transaction_settle(gw, t);
}

void transaction_respond(struct gateway *gw, struct transaction *t, uint16_t status)
{
	uint32_t todo;

	if (fork_has(t) && (status >= 300 || t->method != SIP_INVITE)) {
		respond_to_fork(gw, t, status);
		return;
	}
	todo = sip_machine_event(&t->server, sip_status_event(status), gw->time.now_us);
	if (!(todo & SIP_DO_RESPONSE)) {
		transaction_settle(gw, t);
		return;
	}
	audit_final(gw, t, status);
	register_restore(gw, t);
	if (t->kind == TRANSACTION_TERMINATE)
		respond_to_mw(gw, t, status);
	else if (gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out)) != GW_OK)
		machine_stop(&t->server); /* nobody is there to acknowledge it */
	if (t->kind == TRANSACTION_TERMINATE && t->server.state == SIP_ACCEPTED)
		transaction_await_ack(gw, t);
	else if (status >= 200)
		transaction_detach(gw, t);
	if (status >= 200 && t->kind == TRANSACTION_ORIGINATE && !t->acked)
		transaction_forget(gw, t); /* there is nothing more that it could be needed for */
	if (fork_has(t))
		fork_says(gw, t, status, SPAN(""));
	transaction_settle(gw, t);
}

void transaction_trying(struct gateway *gw, struct transaction *t)
{
	request_begin(gw, &gw->message);
	if (transaction_recall(t, &gw->kept) != GW_OK ||
	    sip_reply_write(&gw->kept, 100, SPAN(""), SPAN(""), &gw->out) != GW_OK)
		return;
	if (t->kind == TRANSACTION_TERMINATE)
		(void)gw->env->to_source(gw->env->context, &t->termination.source,
					 writer_span(&gw->out));
	else
		(void)gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
}

/** Of an INVITE that is not answered the last word would be a provisional response; 100 quiets who
 * repeats it as well. */
static void server_again(struct gateway *gw, struct transaction *t)
{
	if (t->server.state == SIP_PROCEEDING)
		transaction_trying(gw, t);
	else if (t->kind == TRANSACTION_TERMINATE && !t->sent && t->kept_len > 0)
		/* else what is kept is still the request: over TCP no answer is */
		(void)gw->env->to_source(gw->env->context, &t->termination.source,
					 transaction_kept(t));
}

static void transaction_again(struct gateway *gw, struct transaction *t)
{
	counter_add(&gw_counters(gw)->mw_absorbed, 1);
	if (sip_machine_event(&t->server, SIP_ON_REQUEST, gw->time.now_us) & SIP_DO_AGAIN)
		server_again(gw, t);
	transaction_settle(gw, t);
}

/** Of a failure: nothing is left to be done but to wait for repeats of it. */
static void transaction_acknowledged(struct gateway *gw, struct transaction *t)
{
	if (sip_machine_event(&t->server, SIP_ON_ACK, gw->time.now_us) != 0)
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	transaction_settle(gw, t);
}

bool transaction_repeated(struct gateway *gw, uint64_t key, const struct mw_source *source)
{
	bool ack = gw->message.method == SIP_ACK;
	struct transaction *t = transaction_find(gw, key, ack ? SIP_INVITE : gw->message.method);

	if (t == NULL)
		return tombstone_repeated(gw, key, source);
	if (ack && t->server.state == SIP_ACCEPTED)
		return false; /* RFC 6026 7.1: the ACK of a 2xx, whatever its branch */
	if (ack)
		transaction_acknowledged(gw, t);
	else
		transaction_again(gw, t);
	return true;
}

void transaction_acked(struct gateway *gw, struct wic *wic)
{
	uint64_t call = transaction_call(gw, &gw->message);
	struct transaction *t = wic->accepted;

	for (uint32_t i = 0; t != NULL && i < ACCEPTED_LOOKED_AT; i++, t = t->flow_next)
		if (t->termination.call == call) {
			transaction_detach(gw, t);
			transaction_settle(gw, t);
			return;
		}
}

/* ---- answers of our own --------------------------------------------------------------------- */

/** A fresh To tag. */
static struct span fresh_tag(struct gateway *gw)
{
	uint32_t mark = writer_len(&gw->lines);

	writer_text(&gw->lines, "ep-");
	request_random(gw, &gw->lines);
	return request_lines(gw, mark);
}

/** Nobody outside waits for it: its maker is told. */
static void answer_own(struct gateway *gw, struct transaction *t, uint16_t status)
{
	own_answered(gw, t, status == 504 ? 503 : status, OWN_SILENCE);
	transaction_free(gw, t);
}

/** What this node says beside that status. */
static struct span extra_of(uint16_t status)
{
	switch (status) {
	case 480:
		return SPAN("Reason: Q.850;cause=20;text=\"Subscriber absent\"\r\n");
	case 503:
		return SPAN("Retry-After: 2\r\n");
	default:
		return SPAN("");
	}
}

void transaction_answer(struct gateway *gw, struct transaction *t, uint16_t status)
{
	transaction_answer_with(gw, t, status, extra_of(status));
}

void transaction_answer_with(struct gateway *gw, struct transaction *t, uint16_t status,
			     struct span lines)
{
	enum gw_err err;

	machine_stop(&t->client);
	machine_stop(&t->cancel);
	t->limit_us = NEVER;
	t->unheard_us = NEVER;
	failover_release(gw, t);
	if (t->kind == TRANSACTION_OWN) {
		answer_own(gw, t, status);
		return;
	}
	if (t->kind == TRANSACTION_TERMINATE)
		t->termination.own = true;
	wildcard_answered(gw, t, status);
	err = transaction_recall(t, &gw->message);
	request_begin(gw, &gw->message);
	if (err == GW_OK)
		err = sip_reply_write(&gw->message, status, fresh_tag(gw), lines, &gw->out);
	if (err != GW_OK) {
		gateway_count(gw, err);
		transaction_free(gw, t);
		return;
	}
	transaction_respond(gw, t, status);
}

void transaction_refuse(struct gateway *gw, struct transaction *t, enum gw_err err)
{
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);

	request_begin(gw, &gw->message);
	gateway_count(gw, err);
	if (wic != NULL && transaction_recall(t, &gw->message) == GW_OK &&
	    gateway_refusal_write(gw, wic, err, &gw->out) == GW_OK) {
		register_restore(gw, t);
		(void)gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
	}
	transaction_free(gw, t);
}

/* ---- time ----------------------------------------------------------------------------------- */

/** Timers B and F: nobody has answered. */
static void transaction_expired(struct gateway *gw, struct transaction *t)
{
	counter_add(&gw_counters(gw)->transaction_timeout, 1);
	gateway_count(gw, GW_MW_TIMEOUT);
	transaction_answer(gw, t, t->kind == TRANSACTION_REGISTER ? 504 : 408);
}

/** Timer C, or a CANCEL without effect (RFC 3261 16.8, 9.1). */
static void transaction_overdue(struct gateway *gw, struct transaction *t)
{
	bool nobody = t->orphan && t->kind == TRANSACTION_TERMINATE;

	if (t->client.state == SIP_PROCEEDING && !t->cancelled && !nobody) {
		cancel_transaction(gw, t);
	} else if (t->client.state == SIP_CALLING && t->orphan && !t->cancelled) {
		t->cancelled = true; /* as soon as the core says that it has the request */
		t->limit_us = NEVER;
	} else {
		counter_add(&gw_counters(gw)->transaction_timeout, 1);
		transaction_answer(gw, t, t->cancelled ? 487 : 408);
		return;
	}
	transaction_settle(gw, t);
}

/** A hop that says nothing over UDP loses the request to another one, if there is one. */
static bool transaction_unheard(struct gateway *gw, struct transaction *t)
{
	t->unheard_us = NEVER;
	hops_doubt(gw, &t->target);
	return failover(gw, t);
}

static void transaction_timer(struct timer *timer, void *context)
{
	struct gateway *gw = context;
	struct transaction *t = (struct transaction *)timer;
	uint64_t now = gw->time.now_us;
	uint32_t todo;

	if (now >= t->limit_us && fork_is(t)) {
		fork_overdue(gw, t);
		return;
	}
	if (now >= t->limit_us) {
		transaction_overdue(gw, t);
		return;
	}
	if (now >= t->unheard_us && transaction_unheard(gw, t))
		return;
	if (now >= t->again_us && failover_again(gw, t))
		return;
	if (now >= sip_machine_due(&t->cancel) &&
	    (sip_machine_event(&t->cancel, SIP_ON_TIMER, now) & SIP_DO_AGAIN))
		cancel_send(gw, t);
	if (now >= sip_machine_due(&t->server) &&
	    (sip_machine_event(&t->server, SIP_ON_TIMER, now) & SIP_DO_AGAIN))
		server_again(gw, t);
	if (now >= sip_machine_due(&t->client)) {
		todo = sip_machine_event(&t->client, SIP_ON_TIMER, now);
		if (todo & SIP_DO_AGAIN)
			client_again(gw, t);
		if (todo & SIP_DO_TIMEOUT) {
			transaction_expired(gw, t);
			return;
		}
	}
	transaction_settle(gw, t);
}

/* ---- a WIC that has gone -------------------------------------------------------------------- */

void transaction_orphaned(struct gateway *gw, struct transaction *t)
{
	uint64_t grace_us = gw->time.now_us + gw_config(gw)->flow_grace_s * 1000000ull;
	bool early = t->method == SIP_INVITE && transaction_waits(t);

	if (t->kind == TRANSACTION_REGISTER && t->registration.local) {
		register_block_orphaned(gw, t);
		return;
	}
	t->orphan = true;
	transaction_detach(gw, t);
	if (t->kind == TRANSACTION_TERMINATE) {
		/* PROTOCOL 10.3: it had the request and said nothing, or 100, which stacks say by
		 * themselves; or its phone has rung: but a fork has others, and one of them may
		 * have said by now how the call ends */
		if (t->rang && t->client.state == SIP_PROCEEDING && !t->cancelled && !fork_has(t))
			transaction_settle(gw, t);
		else
			transaction_answer(gw, t, t->cancelled ? 487 : 480);
		return;
	}
	if (early && !t->cancelled)
		t->limit_us = earlier(t->limit_us, grace_us); /* then the core is told */
	transaction_settle(gw, t);
}
