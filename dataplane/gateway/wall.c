/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "internal.h"

/*
 * Steps of the wall's clock, against which the ends of tokens are found anew. What it drifts
 * without a step adds up, and counts as one from STEP_US on: no end is ever further off than twice
 * that.
 */

#define STEP_US 500000
#define LOOK_US 1000000 /* from one look of a worker that sleeps to the next */

/** Its turn has looked already: each begins with that. */
static void looked(struct timer *timer, void *context)
{
	(void)timer;
	wall_watch_bindings(context);
}

void wall_watch_bindings(struct gateway *gw)
{
	struct timer *look = &gw->wall.look;

	if (slots_live(gw->bindings) > 0 && !timer_armed(look))
		wheel_arm(gw->wheel, look, gw->time.now_us + LOOK_US, looked);
}

static void tell_step(struct gateway *gw, int64_t step_us)
{
	struct message_event event = {
		.head = {MESSAGE_EVENT, sizeof(event)},
		.what = EVENT_CLOCK_STEPPED,
	};

	snprintf(event.text, sizeof(event.text), "%+lld ms", (long long)(step_us / 1000));
	gw->env->event(gw->env->context, &event);
}

static void wall_stepped(struct gateway *gw, int64_t step_us)
{
	gw->wall.ahead_us += (uint64_t)step_us;
	counter_add(&gw_counters(gw)->clock_stepped, 1);
	tell_step(gw, step_us);
	token_refused_forget(gw->refused);
	revoked_walk(gw);
	gateway_journal_again(gw);
}

void wall_turn(struct gateway *gw)
{
	struct wall_watch *wall = &gw->wall;
	uint64_t ahead_us = gw->time.wall_us - gw->time.now_us;
	int64_t step_us;

	if (!wall->known)
		wall->ahead_us = ahead_us;
	wall->known = true;
	step_us = (int64_t)(ahead_us - wall->ahead_us);
	if (step_us >= STEP_US || step_us <= -STEP_US)
		wall_stepped(gw, step_us);
	wall_watch_bindings(gw);
}

void wall_binding(struct gateway *gw, struct binding *b)
{
	if (b->state == BINDING_LEAVING || b->token_end_us == NEVER)
		return;
	b->token_end_us = wall_end_us(&gw->time, b->token.exp_s);
	if (b->token_end_us >= b->expires_us)
		return;
	if (b->token_end_us > gw->time.now_us)
		binding_retime(gw, b, &(struct binding_ends){b->token_end_us, b->core_us});
	else
		b->expiry.fire(&b->expiry, gw); /* as if its timer had come: b may be gone */
}

void wall_registration(const struct gateway *gw, struct transaction *t)
{
	if (t->registration.requested_s > 0 && t->registration.token_exp_us != NEVER)
		t->registration.token_exp_us = wall_end_us(&gw->time, t->registration.exp_s);
}
