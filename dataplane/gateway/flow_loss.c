/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"
#include "registrar.h"

/*
 * A connection has ended (PROTOCOL 10.4). Its registration waits limits.flow_grace for the client
 * to come back on another one, whose registration the home entry then puts in its place; after that
 * the core is told. A dialog's way outlives both (D-36): the home entry of the flow is let go of
 * here too, with the same grace.
 */

#define HOME_SAYS_US 1000000 /* a home worker's answer is there by then */

static void grace_over(struct timer *timer, void *context)
{
	struct gateway *gw = context;
	struct binding *b = (struct binding *)timer;

	binding_leave(gw, b, &gw_counters(gw)->binding_grace_over, GW_FLOW_GONE);
}

/** Waits for another flow, but not past its token's end or its own. */
static void wait_for_flow(struct gateway *gw, struct binding *b)
{
	uint64_t end_us = b->lost_us + (uint64_t)gw_config(gw)->flow_grace_s * 1000000;

	wheel_arm(gw->wheel, &b->expiry, end_us < b->expires_us ? end_us : b->expires_us,
		  grace_over);
}

static void lose(struct gateway *gw, struct binding *b)
{
	binding_unbind(gw, b);
	b->state = BINDING_LOST;
	b->lost_us = gw->time.now_us;
	counter_add(&gw_counters(gw)->binding_lost, 1);
	gateway_event(gw, EVENT_BINDING_LOST, b->flow, b, GW_OK, 0);
	if (b->local)
		register_block_gone(gw, b); /* nobody is called there (PROTOCOL 10.4) */
	wait_for_flow(gw, b);
}

/** Registrations that the core has not answered go on: it may hold them, and say so later. */
static void mark_registrations(struct wic *wic, struct handle lost)
{
	for (struct transaction *t = wic->pending; t != NULL; t = t->flow_next)
		if (t->kind == TRANSACTION_REGISTER)
			t->registration.lost = lost;
}

void flow_loss(struct gateway *gw, struct wic *wic)
{
	struct binding *b = binding_of(gw, wic);

	mark_registrations(wic, wic->binding);
	if (b != NULL)
		lose(gw, b);
	home_flow_ended(gw, wic);
}

void flow_loss_restored(struct gateway *gw, struct binding *b)
{
	wait_for_flow(gw, b);
	home_bound_dead(gw, b);
}

void flow_loss_late(struct gateway *gw, struct binding *b)
{
	if (b->lost_us == 0) { /* else it waits since its flow ended */
		b->lost_us = gw->time.now_us;
		counter_add(&gw_counters(gw)->binding_lost, 1);
		gateway_event(gw, EVENT_BINDING_LOST, b->flow, b, GW_OK, 0);
	}
	/* its client may be back already: the home worker says so before the core is told */
	if (b->held_us < gw->time.now_us + HOME_SAYS_US)
		b->held_us = gw->time.now_us + HOME_SAYS_US;
	wait_for_flow(gw, b);
	home_bound_dead(gw, b);
}
