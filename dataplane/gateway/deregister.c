/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"
#include "own.h"

/*
 * De-registration by this node (PROTOCOL 6.5, TS 33.203 U.1): what has ended here ends at the core
 * too. A try that is not answered, or answered that it may be made again, is made again after a
 * wait that doubles, for as long as the core holds the binding by itself.
 */

#define RETRY_MIN_US 1000000u
#define RETRY_MAX_US 64000000u
#define LEFT_MIN_US 2000000 /* what the core ends by itself as soon is not worth telling */

static const struct realm_config *realm_of(const struct gateway *gw, const struct binding *b)
{
	return request_realm(gw_config(gw), span_of(b->text + b->realm_at, b->realm_len));
}

bool deregister_due(const struct gateway *gw, const struct binding *b)
{
	return !b->ims_auth && !b->local && b->contact_len > 0 &&
	       b->core_us >= gw->time.now_us + LEFT_MIN_US && realm_of(gw, b) != NULL;
}

/** A registration of its own: nothing of the WIC's Call-ID, CSeq and tags. */
static void write_dialog(struct gateway *gw, const struct binding *b, struct writer *out)
{
	writer_text(out, "Max-Forwards: 70\r\nFrom: <");
	writer_put(out, identity_span(&b->impu));
	writer_text(out, ">;tag=");
	request_random(gw, out);
	writer_text(out, "\r\nTo: <");
	writer_put(out, identity_span(&b->impu));
	writer_text(out, ">\r\nCall-ID: ");
	request_random(gw, out);
	request_random(gw, out);
	writer_text(out, "@");
	writer_put(out, gw_config(gw)->mw_host);
	writer_text(out, "\r\nCSeq: 1 REGISTER\r\nContact: ");
	writer_put(out, span_of(b->text + b->contact_at, b->contact_len));
	/* RFC 5626 6: reg-id counts only beside the option tag */
	writer_text(out, b->outbound ? "\r\nExpires: 0\r\nSupported: path, outbound\r\n"
				     : "\r\nExpires: 0\r\nSupported: path\r\n");
}

static bool write_request(struct gateway *gw, const struct binding *b, const struct transaction *t)
{
	const struct realm_config *realm = realm_of(gw, b);

	own_register_begin(gw, t, realm);
	write_dialog(gw, b, &gw->out);
	register_path(gw, b->flow, b->path, b->outbound);
	writer_text(&gw->lines, "Require: path\r\n");
	return own_register_end(gw, &b->impi, realm, span_text(b->wwsf));
}

/** Writes it for t's target; more than a datagram takes goes over TCP. */
static bool write_for_target(struct gateway *gw, const struct binding *b, struct transaction *t)
{
	return write_request(gw, b, t) && (!target_outgrown(gw, t) || write_request(gw, b, t));
}

/** Half of the table at most is for those who leave: the others are for those who stay. */
static struct transaction *own_transaction(struct gateway *gw, const struct binding *b)
{
	if (slots_live(gw->transactions) > slots_capacity(gw->transactions) / 2)
		return NULL;
	return transaction_own(gw, OWN_DEREGISTER, slots_handle(gw->bindings, b), SIP_REGISTER);
}

/** Sends it. False: not now. */
static bool send_one(struct gateway *gw, struct binding *b)
{
	struct transaction *t = own_transaction(gw, b);

	if (t == NULL)
		return false;
	if (target_next_hop(gw, &t->target) != GW_OK || !write_for_target(gw, b, t)) {
		transaction_free(gw, t);
		return false;
	}
	b->own = slots_handle(gw->transactions, t);
	if (transaction_send(gw, t) == GW_OK) { /* frees t itself when it fails */
		counter_add(&gw_counters(gw)->deregister_out, 1);
		return true;
	}
	b->own = handle_none();
	return false;
}

/** Nothing more is said to the core about b. */
static void done(struct gateway *gw, struct binding *b, uint16_t status, bool good)
{
	struct counters *c = gw_counters(gw);

	b->own = handle_none();
	gateway_event(gw, EVENT_DEREGISTERED, b->flow, b, status == 0 ? GW_MW_TIMEOUT : GW_OK,
		      status);
	counter_add(good ? &c->deregister_ok : &c->deregister_failed, 1);
	binding_end(gw, b, &c->binding_removed, GW_OK);
}

static void next_try(struct timer *timer, void *context)
{
	deregister_start(context, (struct binding *)timer);
}

static void wait_until(struct gateway *gw, struct binding *b, uint64_t due_us)
{
	wheel_arm(gw->wheel, &b->expiry, due_us < b->core_us ? due_us : b->core_us, next_try);
}

/** The wait after a failure, longer each time. */
static void try_later(struct gateway *gw, struct binding *b)
{
	if (b->retry_us == 0)
		b->retry_us = RETRY_MIN_US;
	wait_until(gw, b, gw->time.now_us + b->retry_us);
	b->retry_us = b->retry_us * 2 < RETRY_MAX_US ? b->retry_us * 2 : RETRY_MAX_US;
}

void deregister_start(struct gateway *gw, struct binding *b)
{
	deregister_stop(gw, b);
	wheel_disarm(gw->wheel, &b->expiry);
	if (!deregister_due(gw, b))
		done(gw, b, 0, false);
	else if (b->held_us > gw->time.now_us)
		wait_until(gw, b, b->held_us);
	else if (send_one(gw, b))
		wait_until(gw, b, b->core_us); /* at another hop it would take a newer one away */
	else
		try_later(gw, b);
}

void deregister_stop(struct gateway *gw, struct binding *b)
{
	struct transaction *t = slots_at(gw->transactions, b->own);

	if (t != NULL)
		transaction_free(gw, t);
	b->own = handle_none();
}

void deregister_answered(struct gateway *gw, struct binding *b, uint16_t status)
{
	b->own = handle_none();
	if (status == 401 || status == 407) { /* the core does not trust us (PROTOCOL 5.2) */
		counter_add(&gw_counters(gw)->tna_challenged, 1);
		gateway_event(gw, EVENT_TNA_CHALLENGED, b->flow, NULL, GW_MW_CHALLENGED, status);
	}
	if (own_may_change(status))
		try_later(gw, b);
	else /* 403, 404, 481: it has nothing of it */
		done(gw, b, status,
		     status < 300 || status == 403 || status == 404 || status == 481);
}
