/* SPDX-License-Identifier: BSD-3-Clause */
#include "lease.h"

/*
 * Who has a pool pair, message by message; docs/design.md has it as a table. Whom an asker is
 * compared with is the matrix of PROTOCOL 6.4.
 */

enum verdict {
	VERDICT_GRANT,	  /* beside the one it was compared with, if he is there */
	VERDICT_OVER,	  /* the same, but he has to go first: his web site says that he is over */
	VERDICT_IN_USE,	  /* F24: his token is the older one of the same user, or his web site says
			     that   he is over himself */
	VERDICT_CONFLICT, /* F24: two users' tokens overlap */
	VERDICT_REPLAY,	  /* F16: two users have one jti */
};

/** The matrix. same_flow: the asker is on the flow of x. */
static enum verdict compare(const struct lease_terms *x, const struct lease_terms *asker,
			    bool same_flow)
{
	bool same_sub = x->sub == asker->sub;

	if (!same_sub && x->jti == asker->jti)
		return VERDICT_REPLAY;
	if (!same_sub && x->iat_s > asker->exp_s)
		return VERDICT_IN_USE; /* its clock is ahead of ours: nothing overlaps by it */
	if (!same_sub)
		return asker->iat_s > x->exp_s ? VERDICT_OVER : VERDICT_CONFLICT;
	return same_flow || asker->iat_s >= x->iat_s ? VERDICT_GRANT : VERDICT_IN_USE;
}

/* ---- what is said --------------------------------------------------------------------------- */

static union lease_message *say(struct lease_said *said, enum message_kind kind, uint32_t len)
{
	union lease_message *m = &said->message[said->count++];

	*m = (union lease_message){.head = {kind, len}};
	return m;
}

static struct message_lease_refused *say_refused(const struct message_lease_reserve *ask,
						 enum gw_err err, struct lease_said *said)
{
	struct message_lease_refused *m = &say(said, MESSAGE_LEASE_REFUSED, sizeof(*m))->refused;

	m->impi = ask->impi;
	m->flow = ask->flow;
	m->ticket = ask->ticket;
	m->err = err;
	return m;
}

/** The asker has waited in vain. */
static void say_busy(const struct lease *l, struct lease_said *said)
{
	struct message_lease_reserve ask = {.impi = l->impi,
					    .flow = l->asker.flow,
					    .ticket = l->asker.ticket};

	say_refused(&ask, GW_LEASE_BUSY, said);
}

static void say_ended(const struct lease *l, enum lease_end why, struct lease_said *said)
{
	struct message_lease_ended *m = &say(said, MESSAGE_LEASE_ENDED, sizeof(*m))->ended;

	m->id = (struct lease_id){l->impi, l->holder.generation};
	m->why = why;
	m->flow = l->holder.flow;
	m->binding = l->holder.binding;
}

/* ---- who may ask ---------------------------------------------------------------------------- */

/** The worst verdict, and when the token of the one that it was compared with ends. */
struct judged {
	enum verdict verdict;
	uint64_t exp_s;
};

static void judge(struct judged *judged, const struct lease_terms *x, struct handle flow,
		  const struct message_lease_reserve *ask)
{
	enum verdict verdict = compare(x, &ask->terms, handle_equal(flow, ask->flow));

	if (verdict > judged->verdict)
		*judged = (struct judged){verdict, x->exp_s};
}

/** By who has it, may have it, or asked before; when nobody has it, by who had it last. */
static struct judged judge_all(const struct lease *l, const struct message_lease_reserve *ask)
{
	struct judged judged = {VERDICT_GRANT, 0};

	if (l->holder.state != LEASE_NOBODY)
		judge(&judged, &l->holder.terms, l->holder.flow, ask);
	if (l->grant.generation != 0)
		judge(&judged, &l->grant.terms, l->grant.flow, ask);
	if (l->asker.waits)
		judge(&judged, &l->asker.terms, l->asker.flow, ask);
	if (l->last.exp_s != 0)
		judge(&judged, &l->last, handle_none(), ask);
	return judged;
}

static void refuse(const struct lease_call *call, const struct judged *judged,
		   const struct message_lease_reserve *ask, struct lease_said *said)
{
	enum gw_err err = judged->verdict == VERDICT_REPLAY ? GW_TOKEN_JTI : GW_PAIR_IN_USE;
	struct message_lease_refused *m = say_refused(ask, err, said);

	m->conflict = judged->verdict != VERDICT_IN_USE;
	m->retry_s = judged->exp_s > call->wall_s ? (uint32_t)(judged->exp_s - call->wall_s) : 1;
}

static void holder_end(struct lease *l, uint64_t now_us, struct lease_said *said)
{
	say_ended(l, LEASE_END_EXPIRED, said);
	l->holder.state = LEASE_ENDING;
	l->holder.until_us = now_us + LEASE_RESERVED_US + LEASE_MARGIN_US;
}

static void grant(struct lease *l, const struct lease_call *call, struct lease_said *said)
{
	struct message_lease_granted *m = &say(said, MESSAGE_LEASE_GRANTED, sizeof(*m))->granted;

	if (++*call->generations == 0)
		++*call->generations; /* 0 is none */
	l->grant.generation = *call->generations;
	l->grant.flow = l->asker.flow;
	l->grant.terms = l->asker.terms;
	l->grant.until_us = call->now_us + LEASE_RESERVED_US + LEASE_MARGIN_US;
	l->asker.waits = false;
	m->id = (struct lease_id){l->impi, l->grant.generation};
	m->flow = l->grant.flow;
	m->ticket = l->asker.ticket;
	m->deadline_us = call->now_us + LEASE_RESERVED_US;
}

/** Whoever waits gets his grant when nobody is in the way: one grant and one that leaves at a time,
 * and no holder but one of the same user. */
static void advance(struct lease *l, const struct lease_call *call, struct lease_said *said)
{
	bool same_sub = l->holder.terms.sub == l->asker.terms.sub;

	if (!l->asker.waits || l->leaving.generation != 0 ||
	    (l->grant.generation != 0 && !handle_equal(l->grant.flow, l->asker.flow)))
		return;
	if (l->holder.state == LEASE_HELD && !same_sub)
		holder_end(l, call->now_us, said); /* he is over: it was judged when he asked */
	if (l->holder.state == LEASE_NOBODY || same_sub)
		grant(l, call, said);
}

void lease_reserve(struct lease *lease, const struct lease_call *call,
		   const struct message_lease_reserve *ask, struct lease_said *said)
{
	struct judged judged = judge_all(lease, ask);

	said->count = 0;
	lease->impi = ask->impi;
	if (judged.verdict > VERDICT_OVER) {
		refuse(call, &judged, ask, said);
		return;
	}
	if (lease->asker.waits)
		say_busy(lease, said);
	lease->asker.waits = true;
	lease->asker.flow = ask->flow;
	lease->asker.ticket = ask->ticket;
	lease->asker.terms = ask->terms;
	lease->asker.until_us = call->now_us + LEASE_WAIT_US;
	advance(lease, call, said);
}

void lease_cancel(struct lease *lease, const struct lease_call *call,
		  const struct message_lease_cancel *cancel, struct lease_said *said)
{
	said->count = 0;
	if (lease->grant.generation == cancel->id.generation)
		lease->grant.generation = 0;
	advance(lease, call, said);
}

/* ---- who has it ----------------------------------------------------------------------------- */

/** The core has one registration of the two: their Contacts, or instance and reg-id, are the same.
 */
static bool is_one(const struct lease *l, const struct message_lease_confirm *confirm)
{
	return l->holder.contact == confirm->contact ||
	       (confirm->instance != 0 && l->holder.instance == confirm->instance);
}

static void holder_take(struct lease *l, const struct message_lease_confirm *confirm)
{
	l->holder.flow = confirm->flow;
	l->holder.binding = confirm->binding;
	l->holder.contact = confirm->contact;
	l->holder.instance = confirm->instance;
}

/** Another binding has the pair: the one before is told, if it was not, and waited for. */
static void holder_leaves(struct lease *l, const struct lease_call *call,
			  const struct message_lease_confirm *confirm, struct lease_said *said)
{
	if (l->holder.state == LEASE_HELD)
		say_ended(l, is_one(l, confirm) ? LEASE_END_REPLACED : LEASE_END_BESIDE, said);
	l->leaving.generation = l->holder.generation;
	l->leaving.binding = l->holder.binding;
	l->leaving.until_us = call->now_us + LEASE_RESERVED_US + LEASE_MARGIN_US;
}

/** There is no such grant any more. */
static void confirmed_late(const struct lease *l, const struct message_lease_confirm *confirm,
			   struct lease_said *said)
{
	struct message_lease_ended *m = &say(said, MESSAGE_LEASE_ENDED, sizeof(*m))->ended;
	bool other = l->holder.state == LEASE_HELD &&
		     !handle_equal(l->holder.binding, confirm->binding) && is_one(l, confirm);

	m->id = confirm->id;
	m->why = other ? LEASE_END_REPLACED : LEASE_END_VOID;
	m->flow = confirm->flow;
	m->binding = confirm->binding;
}

void lease_confirm(struct lease *lease, const struct lease_call *call,
		   const struct message_lease_confirm *confirm, struct lease_said *said)
{
	said->count = 0;
	if (lease->grant.generation != confirm->id.generation) {
		if (lease->holder.state == LEASE_HELD &&
		    lease->holder.generation == confirm->id.generation)
			holder_take(lease, confirm);
		else
			confirmed_late(lease, confirm, said);
		return;
	}
	if (lease->holder.state != LEASE_NOBODY &&
	    !handle_equal(lease->holder.binding, confirm->binding))
		holder_leaves(lease, call, confirm, said);
	holder_take(lease, confirm);
	lease->holder.state = LEASE_HELD;
	lease->holder.generation = lease->grant.generation;
	lease->holder.terms = lease->grant.terms;
	lease->grant.generation = 0;
	lease->last = (struct lease_terms){0};
	advance(lease, call, said);
}

static void holder_over(struct lease *l)
{
	l->last = l->holder.terms;
	l->holder.state = LEASE_NOBODY;
}

void lease_release(struct lease *lease, const struct lease_call *call,
		   const struct message_lease_release *release, struct lease_said *said)
{
	said->count = 0;
	if (lease->leaving.generation != 0 &&
	    (lease->leaving.generation == release->id.generation ||
	     handle_equal(lease->leaving.binding, release->binding)))
		lease->leaving.generation = 0;
	if (lease->holder.state != LEASE_NOBODY &&
	    (lease->holder.generation == release->id.generation ||
	     handle_equal(lease->holder.binding, release->binding)))
		holder_over(lease);
	advance(lease, call, said);
}

/* ---- time ----------------------------------------------------------------------------------- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t lease_next_us(const struct lease *lease)
{
	uint64_t next = UINT64_MAX;

	if (lease->asker.waits)
		next = sooner(next, lease->asker.until_us);
	if (lease->grant.generation != 0)
		next = sooner(next, lease->grant.until_us);
	if (lease->leaving.generation != 0)
		next = sooner(next, lease->leaving.until_us);
	if (lease->holder.state == LEASE_HELD)
		next = sooner(next, lease->holder.terms.exp_us);
	else if (lease->holder.state == LEASE_ENDING)
		next = sooner(next, lease->holder.until_us);
	return next;
}

void lease_due(struct lease *lease, const struct lease_call *call, struct lease_said *said)
{
	said->count = 0;
	if (lease->asker.waits && call->now_us >= lease->asker.until_us) {
		say_busy(lease, said);
		lease->asker.waits = false;
	}
	if (lease->grant.generation != 0 && call->now_us >= lease->grant.until_us)
		lease->grant.generation = 0;
	if (lease->leaving.generation != 0 && call->now_us >= lease->leaving.until_us)
		lease->leaving.generation = 0;
	if (lease->holder.state == LEASE_HELD && call->now_us >= lease->holder.terms.exp_us)
		holder_end(lease, call->now_us, said);
	else if (lease->holder.state == LEASE_ENDING && call->now_us >= lease->holder.until_us)
		holder_over(lease);
	advance(lease, call, said);
}

bool lease_is_free(const struct lease *lease)
{
	return lease->holder.state == LEASE_NOBODY && lease->grant.generation == 0 &&
	       lease->leaving.generation == 0 && !lease->asker.waits;
}
