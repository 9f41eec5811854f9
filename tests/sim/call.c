/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>

#include "mailbox.h"
#include "peer.h"

/* The ledger of calls: who asked what, who was told what, and what must hold of it. */

#define ASKED_US (75 * SECOND)		/* the core repeats a request for 60 s over UDP */
#define CANCELLED_US (45 * SECOND)	/* 64*T1 for the CANCEL, and some for the answer */
#define CANCEL_ARRIVES_US (12 * SECOND) /* the core repeats it for 8 s over UDP */
#define GIVEN_UP_US (32 * SECOND)
#define SLACK_US (45 * SECOND) /* timer B or 64*T1 after the end of timer C, and some */
#define FORGOTTEN_US (400 * SECOND)

struct calls *calls_new(void)
{
	return table_new(sizeof(struct calls));
}

void calls_free(struct calls *calls)
{
	for (uint32_t i = 0; i < calls->exchanges; i++)
		free(calls->exchange[i].head);
	table_free(calls, sizeof(*calls));
}

/* ---- numbers ---------------------------------------------------------------------------------
 */

struct call *call_new(struct sim *sim, enum call_end caller, uint32_t wic, uint32_t conn,
		      uint32_t user)
{
	struct calls *all = sim->calls;
	struct call *c;

	if (all->count == CALL_COUNT_MAX || all->exchanges + 100 > EXCHANGES_MAX)
		return NULL;
	c = &all->call[all->count++];
	*c = (struct call){
		.caller = caller,
		.wic = wic,
		.party = wic,
		.conn = conn,
		.user = user,
		.home_user = user,
		.cseq = 1,
		.key_round = sim->key_round,
	};
	return c;
}

uint32_t call_number(const struct sim *sim, const struct call *c)
{
	return (uint32_t)(c - sim->calls->call);
}

struct call *call_of(struct sim *sim, struct span message)
{
	struct span id = text_header(message, "Call-ID", 0);
	uint64_t number = id.len > 0 && id.at[0] == 'k'
				  ? text_number(span_cut(id, 0, 12), "k", UINT64_MAX)
				  : UINT64_MAX;

	return number < sim->calls->count ? &sim->calls->call[number] : NULL;
}

struct exchange *exchange_new(struct sim *sim, struct call *c, enum call_method method,
			      enum call_end from, uint32_t leg)
{
	struct calls *all = sim->calls;
	struct exchange *x;

	if (all->exchanges == EXCHANGES_MAX)
		return NULL;
	x = &all->exchange[all->exchanges++];
	*x = (struct exchange){
		.method = method,
		.from = from,
		.call = call_number(sim, c),
		.leg = leg,
		.before = c->last,
		.conn = wic_call_conn(sim, c),
		.sent_us = sim->now_us,
		.progress_us = sim->now_us,
	};
	c->last = all->exchanges;
	return x;
}

uint32_t exchange_number(const struct sim *sim, const struct exchange *x)
{
	return (uint32_t)(x - sim->calls->exchange);
}

struct exchange *exchange_of(struct sim *sim, const struct call *c, struct span message)
{
	uint32_t vias = text_count(message, "Via");
	struct span via = text_header(message, "Via", vias > 0 ? vias - 1 : 0);
	uint64_t number = text_number(via, "branch=z9hG4bKx", UINT64_MAX);
	struct calls *all = sim->calls;

	if (number >= all->exchanges || all->exchange[number].call != call_number(sim, c))
		return NULL;
	return &all->exchange[number];
}

static bool is_invite(const struct exchange *x)
{
	return x->method == CALL_INVITE || x->method == CALL_REINVITE;
}

struct exchange *exchange_invite(struct sim *sim, const struct call *c, enum call_end from,
				 uint32_t cseq)
{
	struct exchange *x;

	for (uint32_t i = c->last; i > 0; i = x->before) {
		x = &sim->calls->exchange[i - 1];
		if (is_invite(x) && x->from == from && x->cseq == cseq)
			return x;
	}
	return NULL;
}

const char *exchange_name(const struct exchange *x)
{
	static const char *const names[CALL_METHODS] = {"INVITE", "INVITE", "ACK", "PRACK",
							"UPDATE", "INFO",   "BYE"};

	return names[x->method];
}

/* ---- dialogs ---------------------------------------------------------------------------------
 */

struct leg *leg_of(struct call *c, uint32_t tag)
{
	for (uint32_t i = 0; i < c->legs; i++)
		if (c->leg[i].tag == tag)
			return &c->leg[i];
	return NULL;
}

struct leg *leg_new(struct sim *sim, struct call *c)
{
	struct leg *leg;

	if (c->legs == CALL_LEGS_MAX)
		return NULL;
	leg = &c->leg[c->legs++];
	*leg = (struct leg){.tag = ++sim->calls->tags, .cseq = {c->cseq, c->cseq}};
	return leg;
}

uint32_t leg_number(const struct call *c, const struct leg *leg)
{
	return (uint32_t)(leg - c->leg);
}

/** Takes the next <...> off a Record-Route value. */
static bool take_element(struct span *rest, struct span *element)
{
	uint32_t from = span_find(*rest, '<'), to = span_find(*rest, '>');

	if (to >= rest->len || from >= to)
		return false;
	*element = span_cut(*rest, from, to + 1);
	*rest = span_from(*rest, to + 1);
	return true;
}

/** The scripted core is its own proxy: its part of the route is not on the wire. */
static bool is_own(enum call_end end, struct span element)
{
	return end == END_CORE &&
	       (text_has(element, "@198.18.0.20") || text_has(element, "@198.18.0.21"));
}

static uint32_t list_routes(enum call_end end, struct span message, struct span elements[8])
{
	uint32_t n = 0, lines = text_count(message, "Record-Route");

	for (uint32_t i = 0; i < lines; i++) {
		struct span rest = text_header(message, "Record-Route", i), element;

		while (n < 8 && take_element(&rest, &element))
			if (!is_own(end, element))
				elements[n++] = element;
	}
	return n;
}

void leg_retarget(struct leg *leg, enum call_end end, struct span message)
{
	struct span contact = text_header(message, "Contact", 0), element;

	if (take_element(&contact, &element))
		snprintf(leg->target[end], sizeof(leg->target[end]), "%.*s", (int)element.len - 2,
			 (const char *)element.at + 1);
}

void leg_learn(struct leg *leg, enum call_end end, struct span message)
{
	bool reversed = text_status(message) != 0; /* RFC 3261 12.1.2 */
	struct span element, elements[8];
	uint32_t n = list_routes(end, message, elements);
	struct writer w;

	writer_init(&w, leg->route[end], CALL_ROUTE_MAX);
	for (uint32_t i = 0; i < n; i++) {
		element = elements[reversed ? n - 1 - i : i];
		text_add(&w, "Route: %.*s\r\n", (int)element.len, (const char *)element.at);
	}
	writer_u8(&w, 0);
	leg->route[end][CALL_ROUTE_MAX - 1] = 0;
	leg_retarget(leg, end, message);
	leg->by_home |= strstr(leg->route[end], "<sip:Bt1.") != NULL;
	leg->live[end] = true;
}

/* ---- what must hold --------------------------------------------------------------------------
 */

static void broken(struct sim *sim, const char *name, const struct exchange *x, const char *what)
{
	sim_broken(sim, name, "%s x%u of the %s in k%u: %s", exchange_name(x),
		   exchange_number(sim, x), x->from == END_WIC ? "WIC" : "core", x->call, what);
}

static uint32_t tag_hash(struct span message)
{
	static const uint8_t key[16] = {1};

	return (uint32_t)siphash(key, text_header(message, "To", 0));
}

/** The WIC's connection has ended or has another registration: a worker that knows it answers what
 * is asked again, and not the one that has the transaction. */
static bool has_moved(const struct sim *sim, const struct exchange *x)
{
	const struct call *c = &sim->calls->call[x->call];

	/* in the drain the gateway ends connections, and its WICs hear of it a little later */
	return sim->draining || !wic_connected(sim->wics, c->wic, x->conn) ||
	       !wic_call_at_home(sim, c, sim->calls->exchange[c->first].sent_us, x->sent_us);
}

/** More than one final answer is right: repeats over UDP, and of an INVITE other 2xx. */
static bool may_be_answered_again(const struct sim *sim, const struct exchange *x, uint16_t status,
				  uint32_t tag)
{
	if (is_invite(x) && x->status < 300 && status < 300)
		return x->method == CALL_INVITE || x->tag == tag;
	if (x->from == END_WIC)
		return false;
	if (x->sent_us <= sim->restarted_us) /* asked again, another life answers */
		return true;
	/* a gateway without room keeps nothing of what it refuses: the network's other copy of a
	 * datagram may find room */
	if (!x->tcp && sim->shape.tight && x->status == 503 && !x->own)
		return true;
	return !x->tcp && ((x->status == status && x->tag == tag) || has_moved(sim, x));
}

bool exchange_answered(struct sim *sim, struct exchange *x, struct span message)
{
	uint16_t status = text_status(message);
	uint32_t tag = tag_hash(message);

	if (x->status != 0) {
		if (!may_be_answered_again(sim, x, status, tag))
			broken(sim, "one-final-answer", x,
			       status < 200 ? "a provisional one after it" : "another one");
		return false;
	}
	if (status < 200)
		return false;
	x->status = status;
	x->tag = tag;
	x->own = text_count(message, "X-End") > 0;
	x->status_us = sim->now_us;
	sim_note(sim, "%s x%u -> %u%s", exchange_name(x), exchange_number(sim, x), status,
		 x->own ? "" : " of the gateway");
	return true;
}

/** Whether the same message may come to an end twice: over UDP, and what an end repeats itself;
 * inside a dialog, when its connection is lost, by another one with the same branch (RFC 3263 4.3
 * has no other place for it). A client has given up after 64*T1 (RFC 3261 17.1.2.2): this core,
 * which repeats for longer, is a new one by then. */
static bool may_come_again(const struct sim *sim, const struct exchange *x, struct span message,
			   uint32_t conn)
{
	struct span head = span_of(x->head, x->head_len);

	if (x->from == END_CORE)
		return !x->tcp && ((x->method == CALL_ACK && x->delivered <= 2) ||
				   x->delivered_conn != conn || /* as after has_moved() */
				   sim->now_us > x->delivered_us + GIVEN_UP_US);
	if (x->elsewhere && x->method != CALL_INVITE && x->method != CALL_ACK)
		return true;
	return text_has(text_header(message, "Via", 0), "SIP/2.0/UDP") ||
	       !span_equal(text_header(message, "Via", 0), text_header(head, "Via", 0));
}

bool exchange_delivered(struct sim *sim, struct exchange *x, struct span message, uint32_t conn)
{
	bool first = x->delivered++ == 0;

	if (first) {
		x->delivered_us = sim->now_us;
		x->delivered_conn = conn;
		sim_note(sim, "%s x%u arrives", exchange_name(x), exchange_number(sim, x));
	} else if (!may_come_again(sim, x, message, conn)) {
		broken(sim, "delivered-once", x, "again");
	}
	free(x->head);
	x->head = malloc(message.len > 0 ? message.len : 1);
	x->head_len = message.len;
	memcpy(x->head, message.at, message.len);
	return first;
}

bool call_undisturbed(const struct sim *sim, const struct call *c, uint32_t conn, uint64_t since_us)
{
	return !sim->shape.tight && wic_connected(sim->wics, c->wic, conn) &&
	       sim->restarted_us < since_us && core_disturbed_us(sim) < since_us && !sim->draining;
}

bool leg_stands(const struct sim *sim, const struct call *c, const struct leg *leg,
		uint64_t asked_us)
{
	return leg->by_home
		       ? wic_call_at_home(sim, c, sim->calls->exchange[c->first].sent_us, asked_us)
		       : wic_call_here(sim, c, asked_us);
}

/* ---- nothing waits for ever ------------------------------------------------------------------
 */

/** Its answer cannot be expected any more. */
static bool is_lost(const struct sim *sim, const struct exchange *x)
{
	const struct call *c = &sim->calls->call[x->call];

	if (x->from == END_WIC)
		return !wic_connected(sim->wics, c->wic, x->conn);
	return sim->shape.tight || sim->restarted_us >= x->sent_us ||
	       core_disturbed_us(sim) >= x->sent_us || !core_call_open(sim, x);
}

static bool waits(const struct sim *sim, struct exchange *x)
{
	if (x->status == 0 && !x->abandoned && is_lost(sim, x))
		x->abandoned = true;
	return x->status == 0 && !x->abandoned && x->method != CALL_ACK;
}

static uint64_t answer_by_us(const struct sim *sim, const struct exchange *x)
{
	uint64_t slow = sim->shape.slow_verifier ? 130 * SECOND : 0, at;

	if (!is_invite(x))
		return x->sent_us + ASKED_US + slow;
	at = x->progress_us + sim->shape.timer_c_s * SECOND + SLACK_US;
	if (x->cancelled_us > 0 && (x->rang || x->from == END_WIC) &&
	    x->cancelled_us + CANCELLED_US < at)
		at = x->cancelled_us + CANCELLED_US;
	return at + slow;
}

/** A phone whose caller has been told a failure stops ringing. */
static bool rings_for_nobody(const struct sim *sim, const struct exchange *x)
{
	const struct call *c = &sim->calls->call[x->call];

	return is_invite(x) && x->delivered > 0 && x->answered == 0 && !x->deaf &&
	       x->status >= 300 && sim->now_us > x->status_us + CANCELLED_US &&
	       call_undisturbed(sim, c, x->from == END_WIC ? x->conn : x->delivered_conn,
				x->sent_us);
}

/** The caller has hung up, and the phone that it heard ring is told. */
static bool cancel_is_lost(const struct sim *sim, const struct exchange *x)
{
	const struct call *c = &sim->calls->call[x->call];

	return x->cancelled_us > 0 && x->rang && !x->cancel_seen && x->answered == 0 &&
	       x->status == 0 && sim->now_us > x->cancelled_us + CANCEL_ARRIVES_US &&
	       call_undisturbed(sim, c, x->from == END_WIC ? x->conn : x->delivered_conn,
				x->sent_us);
}

static bool check_open(struct sim *sim, struct exchange *x)
{
	bool cancel = x->cancelled_us > 0 && x->cancel_answers == 0 &&
		      (x->from == END_WIC || x->tcp) && !is_lost(sim, x);

	if (waits(sim, x) && sim->now_us > answer_by_us(sim, x))
		broken(sim, "nothing-parked-for-ever", x,
		       x->cancelled_us > 0 ? "it is cancelled and has no final answer"
					   : "it has no final answer");
	if (cancel && sim->now_us > x->cancelled_us + CANCELLED_US)
		broken(sim, "nothing-parked-for-ever", x, "its CANCEL has no answer");
	if (cancel_is_lost(sim, x))
		broken(sim, "cancelled-call-ends", x, "its CANCEL has not come");
	if (rings_for_nobody(sim, x))
		broken(sim, "cancelled-call-ends", x, "the phone still rings");
	return waits(sim, x) || cancel ||
	       (is_invite(x) && x->answered == 0 && x->delivered > 0 && !x->deaf &&
		sim->now_us < x->sent_us + FORGOTTEN_US);
}

void watch_calls(struct sim *sim)
{
	struct calls *all = sim->calls;
	bool first = true;

	for (uint32_t i = all->open_from; i < all->exchanges; i++) {
		bool open = check_open(sim, &all->exchange[i]);

		if (first && !open)
			all->open_from = i + 1;
		first = first && !open;
	}
}
