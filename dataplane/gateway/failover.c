/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/*
 * A request whose next hop has failed goes to another one as a new client transaction (RFC 3263
 * 4.3): the same bytes under a new Via. Its time goes on; each next hop gets it once.
 */

/** Whom a request belongs to that any next hop may serve: the WIC's, or a de-REGISTER of ours. */
static bool is_movable(const struct transaction *t)
{
	if (t->kind == TRANSACTION_OWN)
		return t->own.what == OWN_DEREGISTER;
	return t->kind == TRANSACTION_REGISTER || t->kind == TRANSACTION_ORIGINATE;
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
		/* the dialog's own peers alone know the dialog; and each try keeps other bytes */
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
	if (t->method == SIP_INVITE && t->whole && target_another(gw, &next) == GW_OK)
		cancel_acknowledge_once(gw, t);
	return failover(gw, t);
}
