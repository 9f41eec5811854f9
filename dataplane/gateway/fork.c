/* SPDX-License-Identifier: BSD-3-Clause */
#include "block_call.h"
#include "fork.h"

/*
 * A request for several flows. Each branch is a transaction of its flow's worker, with its own
 * timers B, C and F, and answers the core by itself with what RFC 3261 16.7 step 5 forwards at
 * once: provisional responses, and each 2xx to an INVITE. What it comes to is told here, where the
 * request has its server transaction: the first 2xx or 6xx cancels the others, and when all have
 * failed the best failure goes to the core. Challenges of several branches are not put together
 * (16.7 step 7): those of WICs are for a WIC, who has no credentials for another one.
 */

#define FORKS_SHARE 16 /* one for so many transactions */

struct fork {
	uint32_t count;
	uint32_t open; /* branches without a final response, as bits */
	bool busy; /* all its branches are being told something: what they answer ends nothing */
	uint16_t best;	    /* status of the best failure; 0: there is none */
	uint32_t best_rank; /* of it */
	uint16_t len;
	uint8_t *text; /* it, lent from gateway.heads; NULL: not kept, this node says it in its own
			  words */
	struct handle flow[FORK_BRANCHES_MAX];
};
_Static_assert(FORK_BRANCHES_MAX <= 32, "bits");

bool fork_open(struct gateway *gw)
{
	gw->blocks->forks =
		slots_new(gw->config.worker, gw->config.max_transactions / FORKS_SHARE + 1,
			  sizeof(struct fork), gw->config.epoch);
	return gw->blocks->forks != NULL;
}

void fork_close(struct gateway *gw)
{
	slots_free(gw->blocks->forks);
}

uint32_t gateway_forks(const struct gateway *gw)
{
	return slots_live(gw->blocks->forks);
}

/** n more leave half of them free. */
static bool half_stays_free(const struct slots *slots, uint32_t n)
{
	return 2 * (slots_live(slots) + n) <= slots_capacity(slots);
}

bool fork_has_room(const struct gateway *gw, uint32_t count)
{
	uint32_t n = count + 1; /* the core's side */

	if (slots_live(gw->blocks->forks) < slots_capacity(gw->blocks->forks) &&
	    half_stays_free(gw->transactions, n) &&
	    (!transaction_head_is_long(&gw->message) || half_stays_free(gw->heads, n)))
		return true;
	counter_add(&gw_counters(gw)->block_fork_full, 1);
	return false;
}

bool fork_is(const struct transaction *t)
{
	return t->kind == TRANSACTION_TERMINATE && t->termination.fork != NULL;
}

bool fork_has(const struct transaction *t)
{
	return t->kind == TRANSACTION_TERMINATE && !handle_is_none(t->termination.branch.fork);
}

bool fork_has_cancelled(const struct transaction *t)
{
	return fork_has(t) && t->cancelled;
}

static struct fork_branch branch_of(const struct gateway *gw, const struct transaction *t,
				    uint32_t number)
{
	return (struct fork_branch){slots_handle(gw->transactions, t), number};
}

/* ---- the best failure ----------------------------------------------------------------------- */

/** RFC 3261 16.7 step 6, lower is better: 6xx, then the lowest class; of 4xx first those by which
 * the caller may try again otherwise, last those that say no more than that nobody has answered.
 * What no WIC has said comes behind all that one has. */
static uint32_t rank(uint16_t status, bool own)
{
	uint32_t class = (status >= 600 ? 0 : status / 100) + (own ? 10 : 0);

	switch (status) {
	case 401:
	case 407:
	case 415:
	case 420:
	case 484:
		return 3 * class;
	case 408:
	case 480:
	case 487:
		return 3 * class + 2;
	default:
		return 3 * class + 1;
	}
}

static void text_release(struct gateway *gw, struct fork *f)
{
	if (f->text != NULL && !slots_put(gw->heads, f->text))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	f->text = NULL;
}

/** Heads of requests need half of the blocks that are lent. */
static void text_keep(struct gateway *gw, struct fork *f, struct span bytes)
{
	if (bytes.len == 0 || bytes.len > HEAD_LONG) {
		text_release(gw, f);
		return;
	}
	if (f->text == NULL && 2 * slots_live(gw->heads) < slots_capacity(gw->heads))
		f->text = slots_get_unzeroed(gw->heads);
	if (f->text == NULL)
		return;
	memcpy(f->text, bytes.at, bytes.len);
	f->len = (uint16_t)bytes.len;
}

/** m: status and own of it. bytes: a WIC's. */
static void note_failure(struct gateway *gw, struct fork *f, const struct message_fork_answer *m,
			 struct span bytes)
{
	uint16_t status = m->status < 300 ? 500 : m->status; /* it was lost: there are no bytes */

	if (f->best != 0 && rank(status, m->own) >= f->best_rank)
		return;
	f->best = status;
	f->best_rank = rank(status, m->own);
	text_keep(gw, f, bytes);
}

/* ---- its end -------------------------------------------------------------------------------- */

/** t has, or gets at once, its final response: its branches are no matter of its any more. */
static void release(struct gateway *gw, struct transaction *t)
{
	struct fork *f = t->termination.fork;

	t->termination.fork = NULL;
	t->limit_us = NEVER;
	text_release(gw, f);
	if (!slots_put(gw->blocks->forks, f))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
}

/** All branches have failed. Who has cancelled the INVITE is told so. */
static void fail(struct gateway *gw, struct transaction *t)
{
	const struct fork *f = t->termination.fork;
	uint16_t status = t->cancelled ? 487 : f->best;
	bool said = f->text != NULL && !t->cancelled;
	bool absent = f->best_rank == rank(480, true) && status == 480;

	request_begin(gw, NULL);
	if (said)
		writer_bytes(&gw->out, f->text, f->len);
	release(gw, t);
	if (said && writer_ok(&gw->out))
		transaction_respond(gw, t, status);
	else if (absent)
		block_call_absent(gw, t);
	else
		transaction_answer(gw, t, status);
}

static void settle(struct gateway *gw, struct transaction *t)
{
	const struct fork *f = t->termination.fork;

	if (f->busy)
		return;
	if (f->open == 0)
		fail(gw, t);
	else
		transaction_settle(gw, t);
}

/** Branches that have not ended do so (RFC 3261 9.1: as soon as they may be told). */
static void cancel_open(struct gateway *gw, const struct transaction *t)
{
	struct fork *f = t->termination.fork;
	struct message_fork_cancel m = {.head = {MESSAGE_FORK_CANCEL, sizeof(m)}};

	if (t->method != SIP_INVITE)
		return; /* RFC 3261 9.1 */
	f->busy = true;
	for (uint32_t i = 0; i < f->count; i++) {
		m.branch = branch_of(gw, t, i);
		if (f->open & 1u << i)
			outbox_send(gw, f->flow[i].worker, &m.head);
	}
	f->busy = false;
}

void fork_cancel(struct gateway *gw, struct transaction *t)
{
	t->cancelled = true;
	cancel_open(gw, t);
	settle(gw, t);
}

void fork_overdue(struct gateway *gw, struct transaction *t)
{
	static const struct message_fork_answer silence = {.status = 408, .own = true};
	struct fork *f = t->termination.fork;

	counter_add(&gw_counters(gw)->transaction_timeout, 1);
	cancel_open(gw, t);
	if (f->open != 0)
		note_failure(gw, f, &silence, SPAN(""));
	f->open = 0;
	settle(gw, t);
}

/* ---- what branches come to ------------------------------------------------------------------ */

/** Its branches have timers B, C or F, and 64*T1 for a CANCEL that has no effect. One that says
 * nothing even then has lost its word on the way. */
static void wait_on(struct gateway *gw, struct transaction *t)
{
	uint64_t timer_us =
		t->method == SIP_INVITE ? gw_config(gw)->timer_c_s * 1000000ull : SIP_64T1_US;

	t->limit_us = gw->time.now_us + timer_us + 2 * SIP_64T1_US;
}

/** The core has the 2xx, and gets those of other branches that say so in spite of their CANCEL. */
static void accepted(struct gateway *gw, struct transaction *t)
{
	if (!(sip_machine_event(&t->server, SIP_ON_SUCCESS, gw->time.now_us) & SIP_DO_RESPONSE))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	cancel_open(gw, t);
	transaction_forget(gw, t);
	release(gw, t);
	transaction_settle(gw, t);
}

/** bytes: the 2xx to what is no INVITE, maybe in gw->out. */
static void succeed(struct gateway *gw, struct transaction *t, uint16_t status, struct span bytes)
{
	if (bytes.at != gw->out.start) {
		request_begin(gw, NULL);
		writer_put(&gw->out, bytes);
	}
	release(gw, t);
	if (writer_ok(&gw->out))
		transaction_respond(gw, t, status);
	else
		transaction_answer(gw, t, 500);
}

static void ended(struct gateway *gw, struct transaction *t, const struct message_fork_answer *m,
		  struct span bytes)
{
	uint16_t status = m->status;

	if (status < 300 && t->method == SIP_INVITE) {
		accepted(gw, t);
		return;
	}
	if (status < 300 && bytes.len > 0) {
		succeed(gw, t, status, bytes);
		return;
	}
	note_failure(gw, t->termination.fork, m, bytes);
	if (status >= 600 && !t->termination.fork->busy)
		cancel_open(gw, t);
	settle(gw, t);
}

/** A page rings that is not to: the CANCEL for it was lost for want of room, or is on its way. Only
 * an INVITE has provisional responses here. */
static void cancel_again(struct gateway *gw, const struct message_fork_answer *m)
{
	struct message_fork_cancel cancel = {
		.head = {MESSAGE_FORK_CANCEL, sizeof(cancel)},
		.branch = m->branch,
	};

	if (m->worker != gw->config.worker) /* here it is a call, and not lost */
		outbox_send(gw, m->worker, &cancel.head);
}

/** The fork of t waits for this branch. */
static bool waits_for(const struct transaction *t, const struct fork_branch *branch)
{
	uint32_t bit = branch->number < FORK_BRANCHES_MAX ? 1u << branch->number : 0;

	return t != NULL && fork_is(t) && (t->termination.fork->open & bit);
}

static void answered(struct gateway *gw, const struct message_fork_answer *m, struct span bytes)
{
	struct transaction *t = slots_at(gw->transactions, m->branch.fork);
	bool waits = waits_for(t, &m->branch);

	if (m->status < 200 && (!waits || t->cancelled || t->termination.fork->best >= 600))
		cancel_again(gw, m);
	if (!waits)
		return; /* it has its final response */
	if (m->status < 200) {
		wait_on(gw, t);
		settle(gw, t);
		return;
	}
	t->termination.fork->open &= ~(1u << m->branch.number);
	ended(gw, t, m, bytes);
}

/* ---- its beginning -------------------------------------------------------------------------- */

static void branch_begin(struct gateway *gw, const struct transaction *t, uint32_t number)
{
	struct message_fork_branch m = {
		.head = {MESSAGE_FORK_BRANCH, (uint32_t)sizeof(m) + gw->message.text.len},
		.branch = branch_of(gw, t, number),
		.flow = t->termination.fork->flow[number],
		.source = t->termination.source,
	};

	if (m.flow.worker == gw->config.worker) {
		block_call_branch(gw, &m);
	} else if (gw->env->to_worker(gw->env->context, m.flow.worker, span_of(&m, sizeof(m)),
				      gw->message.text) == GW_OK) {
		counter_add(&gw_counters(gw)->deliver_out, 1);
	} else {
		counter_add(&gw_counters(gw)->block_branch_lost, 1);
		fork_tell(gw, &m.branch, 503);
	}
}

/** The core's side. NULL: refused. */
static struct transaction *begin(struct gateway *gw, const struct mw_source *source)
{
	struct fork *f = slots_get(gw->blocks->forks);
	struct transaction *t = transaction_of_fork(gw, f);
	enum gw_err err = t != NULL ? transaction_keep_came(gw, t) : GW_TRANSACTION_LIMIT;
	uint16_t status;

	if (err == GW_OK)
		return t;
	gateway_count(gw, err);
	if (t != NULL)
		transaction_free(gw, t);
	else if (!slots_put(gw->blocks->forks, f))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	status = refusal_status(err);
	terminate_refuse(gw, source, status, status == 503 ? SPAN("Retry-After: 2\r\n") : SPAN(""));
	return NULL;
}

void fork_begin(struct gateway *gw, const struct mw_source *source, const struct identity *called,
		const struct handle *flow, uint32_t count)
{
	struct transaction *t = begin(gw, source);
	struct route_top top = route_read(gw);
	struct fork *f;

	if (t == NULL)
		return;
	counter_add(&gw_counters(gw)->block_forks, 1);
	f = t->termination.fork;
	f->count = count;
	f->open = (1u << count) - 1;
	memcpy(f->flow, flow, count * sizeof(*flow));
	terminate_begin(gw, source, NULL, &top, t);
	t->termination.called = *called;
	wait_on(gw, t);
	if (t->method == SIP_INVITE)
		transaction_trying(gw, t); /* RFC 3261 17.2.1: within 200 ms */
	f->busy = true;
	for (uint32_t i = 0; i < count; i++)
		branch_begin(gw, t, i);
	f->busy = false;
	settle(gw, t);
}

/* ---- at a branch ---------------------------------------------------------------------------- */

uint64_t fork_branch_key(const struct gateway *gw, const struct fork_branch *branch)
{
	uint32_t words[] = {branch->fork.worker, branch->fork.slot, branch->fork.generation,
			    branch->number};

	return siphash(gw->bucket_key, span_of((const uint8_t *)words, sizeof(words)));
}

/** To its fork; all of m but its head is written. */
static void answer(struct gateway *gw, struct message_fork_answer *m, struct span bytes)
{
	uint16_t home = m->branch.fork.worker;

	m->worker = gw->config.worker;
	m->head = (struct message_head){MESSAGE_FORK_ANSWER, (uint32_t)sizeof(*m) + bytes.len};
	if (home == gw->config.worker) {
		answered(gw, m, bytes);
		return;
	}
	if (outbox_try_with(gw, home, &m->head, sizeof(*m), bytes) == GW_OK)
		return;
	if (m->status < 200)
		return; /* it may wait a little less long */
	counter_add(&gw_counters(gw)->block_branch_lost, bytes.len > 0);
	m->head.len = sizeof(*m);
	outbox_send(gw, home, &m->head);
}

void fork_tell(struct gateway *gw, const struct fork_branch *branch, uint16_t status)
{
	struct message_fork_answer m = {.branch = *branch, .status = status, .own = true};

	answer(gw, &m, SPAN(""));
}

void fork_says(struct gateway *gw, struct transaction *t, uint16_t status, struct span bytes)
{
	struct message_fork_answer m = {
		.branch = t->termination.branch,
		.status = status,
		.own = t->termination.own,
	};

	if (status >= 200)
		t->termination.branch = (struct fork_branch){handle_none(), 0};
	answer(gw, &m, m.own ? SPAN("") : bytes);
}

void fork_transaction_over(struct gateway *gw, struct transaction *t)
{
	if (fork_is(t))
		release(gw, t);
	if (fork_has(t)) { /* what it came to could not be said */
		t->termination.own = true;
		fork_says(gw, t, 500, SPAN(""));
	}
}

/** The branch has been cancelled; it may have ended by itself. */
static void cancelled(struct gateway *gw, const struct message_fork_cancel *m)
{
	struct transaction *t = transaction_find(gw, fork_branch_key(gw, &m->branch), SIP_INVITE);

	if (t != NULL)
		cancel_at_flow(gw, t);
}

static void delivered(struct gateway *gw, const struct message_fork_branch *m, struct span bytes)
{
	if (sip_index(bytes, &gw->message) == GW_OK) {
		block_call_branch(gw, m);
		return;
	}
	gateway_count(gw, GW_INVARIANT); /* the sender had indexed it */
	fork_tell(gw, &m->branch, 500);
}

void gateway_fork_message(struct gateway *gw, const struct message_head *head, struct span message)
{
	const void *at = head;

	switch (head->kind) {
	case MESSAGE_FORK_BRANCH:
		counter_add(&gw_counters(gw)->deliver_in, 1);
		delivered(gw, at, span_from(message, sizeof(struct message_fork_branch)));
		return;
	case MESSAGE_FORK_ANSWER:
		answered(gw, at, span_from(message, sizeof(struct message_fork_answer)));
		return;
	case MESSAGE_FORK_CANCEL:
		cancelled(gw, at);
		return;
	default:
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	}
}
