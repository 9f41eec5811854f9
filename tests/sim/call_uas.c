/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include <stdio.h>

#include "peer.h"

/* The end that answers: what rings, who picks up, and the 2xx that is said until its ACK comes. */

#define T1_US (SECOND / 2)
#define T2_US (4 * SECOND)
#define GIVES_UP_US (16 * SECOND) /* after seven of them; RFC 3261 13.3.1.4 would wait longer */

static enum call_end end_of(const struct exchange *x)
{
	return call_other(x->from);
}

static void broken(struct sim *sim, const char *name, const struct exchange *x, const char *what)
{
	sim_broken(sim, name, "%s x%u of the %s in k%u: %s", exchange_name(x),
		   exchange_number(sim, x), x->from == END_WIC ? "WIC" : "core", x->call, what);
}

/* ---- answers ---------------------------------------------------------------------------------
 */

static void reply(struct sim *sim, const struct exchange *x, const struct writer *out)
{
	if (end_of(x) == END_WIC)
		(void)wic_call_send(sim, &sim->calls->call[x->call], x->delivered_conn,
				    writer_span(out));
	else
		core_call_reply(sim, x, writer_span(out));
}

/** What every answer to request has. tag: of this end, in an answer to an initial INVITE. */
static void write_head(struct sim *sim, const struct exchange *x, struct span request,
		       uint16_t status, uint32_t tag, struct writer *out)
{
	struct span to = text_header(request, "To", 0);

	text_add(out, "SIP/2.0 %u Whatever\r\n", status);
	text_copy(out, request, "Via");
	text_copy(out, request, "From");
	text_add(out, "To: %.*s", (int)to.len, (const char *)to.at);
	if (tag > 0 && status > 100 && !text_has(to, ";tag="))
		text_add(out, ";tag=t%u", tag);
	writer_text(out, "\r\n");
	text_copy(out, request, "Call-ID");
	text_copy(out, request, "CSeq");
	text_add(out, "X-End: %u\r\n", end_of(x));
	if (status == 100)
		return;
	if (end_of(x) == END_WIC)
		wic_call_extras(sim, &sim->calls->call[x->call], out);
	else
		core_call_extras(sim, &sim->calls->call[x->call], out);
}

/** The core is its own proxy, and stays in the route sometimes. */
static void write_routes(struct sim *sim, const struct exchange *x, const struct leg *leg,
			 struct writer *out)
{
	if (end_of(x) == END_CORE && (leg->tag + sim->options.seed) % 2 == 0)
		text_add(out, "Record-Route: <sip:k%u@198.18.0.20;lr>\r\n", x->call);
	text_copy(out, span_of(x->head, x->head_len), "Record-Route");
}

static void write_contact(struct sim *sim, const struct exchange *x, struct writer *out)
{
	const struct call *c = &sim->calls->call[x->call];

	if (end_of(x) == END_WIC)
		wic_call_contact(sim, c, out);
	else
		text_add(out, "Contact: <sip:else%u@198.18.0.20:5060>\r\n", c->party);
}

static void answer(struct sim *sim, struct exchange *x, const struct leg *leg, uint16_t status,
		   uint32_t rseq)
{
	bool invite = x->method == CALL_INVITE || x->method == CALL_REINVITE;
	struct span request = span_of(x->head, x->head_len);
	uint8_t text[CALL_TEXT_MAX];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	write_head(sim, x, request, status, leg != NULL ? leg->tag : 0, &out);
	if (invite && leg != NULL && status > 100 && status < 300) {
		write_routes(sim, x, leg, &out);
		write_contact(sim, x, &out);
	}
	if (rseq > 0)
		text_add(&out, "Require: 100rel\r\nRSeq: %u\r\n", rseq);
	text_add(&out, "Content-Length: 0\r\n\r\n");
	if (status < 200 && status > 100)
		x->progress_us = sim->now_us;
	if (status >= 200)
		x->answered = status;
	if (invite)
		sim_note(sim, "  %s x%u: the %s says %u in leg %u", exchange_name(x),
			 exchange_number(sim, x), end_of(x) == END_WIC ? "WIC" : "core", status,
			 leg != NULL ? leg->tag : 0);
	reply(sim, x, &out);
}

/* ---- the 2xx to an INVITE --------------------------------------------------------------------
 */

/** Said over and over and no ACK: whose fault was it? */
static void unacknowledged(struct sim *sim, struct call *c, struct leg *leg, struct exchange *x)
{
	uint32_t conn = x->from == END_WIC ? x->conn : x->delivered_conn;
	enum call_end end = end_of(x);

	leg->accepted[end] = 0;
	sim_note(sim, "no ACK came in k%u leg %u", x->call, leg->tag);
	if (call_undisturbed(sim, c, conn, leg->accepted_us[end]) && x->status < 300 &&
	    !x->abandoned && core_call_open(sim, x)) {
		if (leg->acknowledged_cseq[x->from] != x->cseq)
			broken(sim, "answer-arrives", x, "its 2xx has not come");
		else if (leg_stands(sim, c, leg, leg->accepted_us[end]))
			broken(sim, "ack-arrives", x, "its ACK has not come");
	}
	call_ask(sim, c, leg, end, CALL_BYE);
}

/** arg: call, leg, end. */
static void accept_again(struct sim *sim, void *context, uint64_t arg)
{
	struct call *c = &sim->calls->call[arg >> 8];
	struct leg *leg = &c->leg[arg >> 1 & 7];
	enum call_end end = (enum call_end)(arg & 1);
	struct exchange *x;

	(void)context;
	if (leg->accepted[end] == 0)
		return;
	x = &sim->calls->exchange[leg->accepted[end] - 1];
	if (end == END_WIC && !wic_connected(sim->wics, c->wic, x->delivered_conn)) {
		leg->accepted[end] = 0;
		return;
	}
	if (sim->now_us > leg->accepted_us[end] + GIVES_UP_US) {
		unacknowledged(sim, c, leg, x);
		return;
	}
	answer(sim, x, leg, 200, 0);
	leg->again_us[end] = leg->again_us[end] * 2 < T2_US ? leg->again_us[end] * 2 : T2_US;
	sim_at(sim, sim->now_us + leg->again_us[end], accept_again, NULL, arg);
}

static void pick_up(struct sim *sim, struct exchange *x, struct leg *leg)
{
	struct call *c = &sim->calls->call[x->call];
	enum call_end end = end_of(x);
	uint64_t arg = (uint64_t)x->call << 8 | leg_number(c, leg) << 1 | end;

	leg->confirmed[end] = true;
	leg->accepted[end] = exchange_number(sim, x) + 1;
	leg->accepted_us[end] = sim->now_us;
	leg->again_us[end] = T1_US;
	answer(sim, x, leg, 200, 0);
	sim_at(sim, sim->now_us + T1_US, accept_again, NULL, arg);
}

static void acknowledged(struct sim *sim, struct call *c, const struct exchange *x)
{
	struct leg *leg = &c->leg[x->leg];
	enum call_end end = end_of(x);
	const struct exchange *invite;

	if (leg->accepted[end] == 0)
		return; /* again */
	invite = &sim->calls->exchange[leg->accepted[end] - 1];
	if (invite->cseq == x->cseq)
		leg->accepted[end] = 0;
}

/* ---- INVITE ----------------------------------------------------------------------------------
 */

enum step { STEP_TRYING, STEP_RING, STEP_RING_RELIABLY, STEP_ACCEPT, STEP_FAIL };

/** The exchange can still be answered from this end. */
static bool pending(const struct sim *sim, const struct exchange *x)
{
	const struct call *c = &sim->calls->call[x->call];

	return end_of(x) == END_CORE || wic_connected(sim->wics, c->wic, x->delivered_conn);
}

/** arg: exchange, leg, step. */
static void step(struct sim *sim, void *context, uint64_t arg)
{
	static const uint16_t failures[] = {486, 404, 480, 603, 500, 503, 302, 600};
	struct exchange *x = &sim->calls->exchange[arg >> 8];
	struct leg *leg = &sim->calls->call[x->call].leg[arg >> 4 & 7];
	bool over = x->answered >= 300 || leg->confirmed[end_of(x)];

	(void)context;
	if (over || !pending(sim, x))
		return;
	switch ((enum step)(arg & 15)) {
	case STEP_TRYING:
		if (x->answered == 0)
			answer(sim, x, NULL, 100, 0);
		return;
	case STEP_RING:
		answer(sim, x, leg, sim_chance(sim, 60) ? 180 : 183, 0);
		return;
	case STEP_RING_RELIABLY:
		answer(sim, x, leg, 183, ++leg->rseq);
		return;
	case STEP_ACCEPT:
		pick_up(sim, x, leg);
		return;
	default:
		if (x->answered == 0) /* a fork's failure is told when no other has succeeded */
			answer(sim, x, leg, failures[sim_below(sim, 8)], 0);
	}
}

static void later(struct sim *sim, const struct exchange *x, uint32_t leg, enum step what,
		  uint64_t after_us)
{
	sim_at(sim, sim->now_us + after_us, step, NULL,
	       (uint64_t)exchange_number(sim, x) << 8 | leg << 4 | what);
}

/** What becomes of one leg: it rings, and then something, or nothing ever. */
static void draw_leg(struct sim *sim, struct exchange *x, struct leg *leg)
{
	uint32_t n = leg_number(&sim->calls->call[x->call], leg), what = sim_below(sim, 100);
	uint64_t rings = sim_between(sim, 1, 300000);
	uint64_t ends = rings + (sim_chance(sim, 70) ? sim_between(sim, 1, sim_s(4))
						     : sim_between(sim, 1, sim_s(20)));

	leg_learn(leg, end_of(x), span_of(x->head, x->head_len));
	later(sim, x, n, sim_chance(sim, 40) ? STEP_RING_RELIABLY : STEP_RING, rings);
	for (uint32_t i = sim_below(sim, 3); i > 0; i--)
		later(sim, x, n, STEP_RING, sim_between(sim, rings, ends));
	if (what < 65)
		later(sim, x, n, STEP_ACCEPT, ends);
	else if (what < 85)
		later(sim, x, n, STEP_FAIL, ends);
}

static void invited(struct sim *sim, struct call *c, struct exchange *x)
{
	uint32_t forks = end_of(x) == END_CORE && sim_chance(sim, 30) ? 1 + sim_below(sim, 3) : 1;

	x->deaf = sim_chance(sim, 4);
	if (x->deaf)
		return;
	if (sim_chance(sim, 80))
		later(sim, x, 0, STEP_TRYING, sim_between(sim, 1, 200000));
	while (forks-- > 0) {
		struct leg *leg = leg_new(sim, c);

		if (leg != NULL)
			draw_leg(sim, x, leg);
	}
}

static void reinvited(struct sim *sim, struct call *c, struct exchange *x)
{
	struct leg *leg = &c->leg[x->leg];
	enum call_end end = end_of(x);

	if (leg->busy[end] > 0 || leg->accepted[end] > 0 || leg->over[end]) {
		answer(sim, x, leg, leg->over[end] ? 481 : 491, 0);
	} else if (sim_chance(sim, 15)) {
		answer(sim, x, leg, 488, 0);
	} else {
		if (sim_chance(sim, 20))
			answer(sim, x, leg, 180, 0);
		pick_up(sim, x, leg);
	}
}

static void cancelled(struct sim *sim, struct call *c, enum call_end end, struct span message)
{
	uint32_t cseq = (uint32_t)text_number(text_header(message, "CSeq", 0), "", 0);
	struct exchange *x = exchange_invite(sim, c, call_other(end), cseq);
	uint8_t text[CALL_TEXT_MAX];
	struct writer out;

	if (x == NULL) {
		sim_broken(sim, "right-flow", "a CANCEL in k%u of what nobody asked",
			   call_number(sim, c));
		return;
	}
	writer_init(&out, text, sizeof(text));
	write_head(sim, x, message, x->delivered > 0 ? 200 : 481, 0, &out);
	text_add(&out, "Content-Length: 0\r\n\r\n");
	sim_note(sim, "CANCEL of x%u arrives", exchange_number(sim, x));
	reply(sim, x, &out);
	x->cancel_seen = x->delivered > 0;
	if (x->delivered > 0 && x->answered == 0 && c->legs > 0)
		answer(sim, x, x->leg != NO_LEG ? &c->leg[x->leg] : &c->leg[0], 487, 0);
}

/* ---- requests --------------------------------------------------------------------------------
 */

static void inside(struct sim *sim, struct call *c, struct exchange *x)
{
	struct leg *leg = &c->leg[x->leg];
	enum call_end end = end_of(x);

	if (x->method == CALL_REINVITE || x->method == CALL_UPDATE)
		leg_retarget(leg, end, span_of(x->head, x->head_len));
	if (x->method == CALL_REINVITE) {
		reinvited(sim, c, x);
		return;
	}
	if (x->method != CALL_BYE && sim_chance(sim, 4)) {
		x->deaf = true;
		return;
	}
	if (x->method == CALL_BYE)
		leg->over[end] = true;
	answer(sim, x, leg, sim_chance(sim, 95) ? 200 : 500, 0);
}

/** The same request once more: it gets the same answer. */
static void again(struct sim *sim, struct call *c, struct exchange *x)
{
	struct leg *leg = x->leg != NO_LEG ? &c->leg[x->leg] : c->legs > 0 ? &c->leg[0] : NULL;

	if (x->answered >= 300 || (x->answered > 0 && x->method != CALL_INVITE))
		answer(sim, x, leg, x->answered, 0);
}

/** What the gateway makes itself, hop by hop. */
static bool beside(struct sim *sim, struct call *c, enum call_end end, struct span message)
{
	if (span_starts(message, SPAN("CANCEL "))) {
		cancelled(sim, c, end, message);
		return true;
	}
	return span_starts(message, SPAN("ACK ")) && text_count(message, "Via") == 1;
}

/** The ACK of a re-INVITE that the gateway refused and forgot: it takes it for that of a 2xx. */
static bool is_stray(const struct exchange *x, struct span message)
{
	return span_starts(message, SPAN("ACK ")) && x->method == CALL_REINVITE &&
	       x->status >= 300 && !x->own;
}

void call_request(struct sim *sim, struct call *c, enum call_end end, struct span message,
		  uint32_t conn)
{
	struct exchange *x;
	bool first;

	if (beside(sim, c, end, message))
		return;
	x = exchange_of(sim, c, message);
	if (x != NULL && is_stray(x, message))
		return;
	if (x == NULL || x->from == end ||
	    !span_equal(span_cut(message, 0, span_find(message, ' ')),
			span_text(exchange_name(x)))) {
		sim_broken(sim, "right-flow", "a request in k%u that nobody made: %.*s",
			   call_number(sim, c), (int)span_find(message, '\r'),
			   (const char *)message.at);
		return;
	}
	first = exchange_delivered(sim, x, message, conn);
	if (x->method == CALL_ACK) {
		acknowledged(sim, c, x);
	} else if (!first) {
		again(sim, c, x);
	} else if (x->method == CALL_INVITE) {
		invited(sim, c, x);
	} else {
		inside(sim, c, x);
	}
}
