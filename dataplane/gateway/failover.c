/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/*
 * A request whose next hop has failed goes to another one as a new client transaction (RFC 3263
 * 4.3): the same bytes under a new Via. Its time goes on; each next hop gets it once.
 */

/** Whom a request belongs to that any next hop may serve: the WIC's, or a REGISTER or SUBSCRIBE of
 * ours. A
 * dialog's own peers alone know it. */
static bool is_movable(const struct transaction *t)
{
	if (t->kind == TRANSACTION_OWN)
		return t->own.what != OWN_OPTIONS;
	if (t->kind == TRANSACTION_ORIGINATE)
		return !t->origination.in_dialog;
	return t->kind == TRANSACTION_REGISTER;
}

/** Nobody has answered it, and of an INVITE nobody has said that a phone rings. */
static bool is_unanswered(const struct transaction *t)
{
	return t->client.state == SIP_TERMINATED || t->client.state == SIP_CALLING ||
	       (t->client.state == SIP_PROCEEDING && t->method != SIP_INVITE);
}

/** Writes the kept request under a new branch, for t->target. */
static enum gw_err rewrite(struct gateway *gw, struct transaction *t)
{
	t->salt = (uint32_t)gw->env->random(gw->env->context);
	request_begin(gw, &gw->kept);
	sip_splice_remove(&gw->splice, sip_first(&gw->kept, SIP_HEADER_VIA)); /* ours */
	request_via(gw, t);
	return sip_splice_write(&gw->splice, &gw->out);
}

bool failover(struct gateway *gw, struct transaction *t)
{
	if (!is_movable(t) || !t->whole || t->cancelled || !is_unanswered(t))
		return false;
	while (target_another(gw, &t->target) == GW_OK) {
		/* each try keeps other bytes */
		if (sip_index(transaction_kept(t), &gw->kept) != GW_OK ||
		    request_in_dialog(&gw->kept) || rewrite(gw, t) != GW_OK)
			return false;
		if (transaction_dispatch(gw, t) != GW_OK)
			continue;
		counter_add(&gw_counters(gw)->mw_failovers, 1);
		return true;
	}
	return false;
}

bool failover_busy(struct gateway *gw, struct transaction *t)
{
	struct mw_target next = t->target;

	hops_busy(gw, &t->target);
	if (!transaction_waits(t) || gw->message.method != t->method)
		return false;
	/* the branch that is given up gets its ACK before the request has another */
	if (t->method == SIP_INVITE && is_movable(t) && t->whole &&
	    target_another(gw, &next) == GW_OK)
		cancel_acknowledge_once(gw, t);
	return failover(gw, t);
}

/* ---- a target that is away for a moment ----------------------------------------------------- */

/*
 * A request inside a dialog has nowhere else to go, and a BYE that is lost leaves a call that
 * nobody ends. So it waits while the core restarts: long enough for that, and well within timer F
 * of who sent it (RFC 4320). It is the same transaction, and has the same branch: a hop that did
 * get it takes it for a repeat.
 */
#define WAIT_US 8000000ull
#define WAIT_FIRST_US 250000u /* until the first time; doubled */
#define WAIT_MOST_US 1000000u
#define WAIT_TICK_US 250000ull /* all that wait are sent in the same turn, on one connection */

static bool is_strandable(const struct transaction *t)
{
	return t->kind == TRANSACTION_ORIGINATE && t->origination.in_dialog && t->whole &&
	       !t->cancelled && is_unanswered(t);
}

/** Half of the transactions may: the others are for whom the core is there. */
static bool wait_begin(struct gateway *gw, struct transaction *t)
{
	if (2 * gw->stranded >= slots_capacity(gw->transactions))
		return false;
	gw->stranded++;
	t->stranded_us = gw->time.now_us + WAIT_US;
	t->wait_us = WAIT_FIRST_US;
	counter_add(&gw_counters(gw)->mw_stranded, 1);
	if (t->client.state == SIP_TERMINATED) /* it has not been sent yet */
		transaction_start_client(gw, t);
	return true;
}

/** The next time, after wait_us. False: that would be too late. */
static bool wait_next(struct gateway *gw, struct transaction *t, uint32_t wait_us)
{
	uint64_t due = gw->time.now_us + wait_us;

	due = (due + WAIT_TICK_US - 1) / WAIT_TICK_US * WAIT_TICK_US;
	if (due > t->stranded_us)
		return false;
	t->again_us = due;
	transaction_settle(gw, t);
	return true;
}

bool failover_wait(struct gateway *gw, struct transaction *t)
{
	uint32_t wait_us;

	if (!is_strandable(t) || (t->stranded_us == 0 && !wait_begin(gw, t)))
		return false;
	if (t->again_us != NEVER)
		return true; /* its turn comes */
	wait_us = t->wait_us;
	t->wait_us = wait_us * 2 < WAIT_MOST_US ? wait_us * 2 : WAIT_MOST_US;
	return wait_next(gw, t, wait_us);
}

bool failover_again(struct gateway *gw, struct transaction *t)
{
	enum gw_err err;

	t->again_us = NEVER;
	if (t->cancelled) {
		transaction_answer(gw, t, 487);
		return true;
	}
	err = gw->env->to_mw(gw->env->context, &t->target, transaction_kept(t));
	if (err == GW_OK)
		return false; /* if it does not arrive, gateway_target_lost() says so */
	if (err == GW_QUEUE_FULL || err == GW_POOL_EMPTY) {
		if (wait_next(gw, t, (uint32_t)WAIT_TICK_US)) /* the link is being opened */
			return true;
	} else if (failover_wait(gw, t)) {
		return true;
	}
	failover_lost(gw, t);
	return true;
}

void failover_lost(struct gateway *gw, struct transaction *t)
{
	if (t->stranded_us != 0)
		counter_add(&gw_counters(gw)->mw_stranded_lost, 1);
	transaction_answer(gw, t, 504);
}

void failover_release(struct gateway *gw, struct transaction *t)
{
	gw->stranded -= t->stranded_us != 0;
	t->stranded_us = 0;
	t->again_us = NEVER;
}
