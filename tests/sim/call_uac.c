/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include <stdio.h>

#include "member.h"

/* The end that asks: INVITE, what comes inside its dialogs, CANCEL, and both kinds of ACK. */

static void write_party(const struct call *c, bool caller, char text[80])
{
	if ((c->caller == END_WIC) == caller)
		snprintf(text, 80, "<sip:user%u@" DOMAIN ">", c->user);
	else
		snprintf(text, 80, "<sip:else%u@else.example>", c->party);
}

/** From, To and Call-ID: the asking end is the caller or the called one. to: To's value, when that
 * is known already; or empty. */
static void write_parties(struct sim *sim, const struct call *c, const struct exchange *x,
			  struct span to, struct writer *out)
{
	uint32_t number = call_number(sim, c);
	char caller[120], called[120];

	write_party(c, true, caller);
	write_party(c, false, called);
	snprintf(caller + strlen(caller), 24, ";tag=f%u", number);
	if (x->leg != NO_LEG)
		snprintf(called + strlen(called), 24, ";tag=t%u", c->leg[x->leg].tag);
	text_add(out, "From: %s\r\n", x->from == c->caller ? caller : called);
	if (to.len > 0)
		text_add(out, "To: %.*s\r\n", (int)to.len, (const char *)to.at);
	else
		text_add(out, "To: %s\r\n", x->from == c->caller ? called : caller);
	if (c->caller == END_WIC)
		text_add(out, "Call-ID: k%u@w%u.invalid\r\n", number, c->wic);
	else
		text_add(out, "Call-ID: k%u@call.example\r\n", number);
}

static void write_via(struct sim *sim, const struct call *c, const struct exchange *x,
		      struct writer *out)
{
	uint32_t number = exchange_number(sim, x);

	if (x->from == END_WIC)
		text_add(out, "Via: SIP/2.0/WSS w%u.invalid;branch=z9hG4bKx%u\r\n", c->wic, number);
	else
		text_add(out, "Via: SIP/2.0/%s 198.18.0.20:5060;branch=z9hG4bKx%u\r\n",
			 x->tcp ? "TCP" : "UDP", number);
}

/** Start line and what every request has. */
static void write_head(struct sim *sim, const struct call *c, const struct exchange *x,
		       const char *to, const char *route, struct writer *out)
{
	text_add(out, "%s %s SIP/2.0\r\n", exchange_name(x), to);
	write_via(sim, c, x, out);
	text_add(out, "Max-Forwards: 70\r\n");
	writer_text(out, route);
	write_parties(sim, c, x, SPAN(""), out);
	text_add(out, "CSeq: %u %s\r\nX-End: %u\r\n", x->cseq, exchange_name(x), x->from);
	if (x->from == END_WIC)
		wic_call_extras(sim, c, out);
	else
		core_call_extras(sim, c, out);
}

static void write_contact(struct sim *sim, const struct call *c, enum call_end end,
			  struct writer *out)
{
	if (end == END_WIC)
		wic_call_contact(sim, c, out);
	else
		text_add(out, "Contact: <sip:else%u@198.18.0.20:5060>\r\n", c->party);
}

/** A body, sometimes more than a datagram takes. */
static void write_body(struct sim *sim, bool offer, struct writer *out)
{
	uint32_t lines = !offer ? 0 : sim_chance(sim, 10) ? 60 : 1 + sim_below(sim, 8);

	if (lines == 0) {
		text_add(out, "Content-Length: 0\r\n\r\n");
		return;
	}
	text_add(out, "Content-Type: application/sdp\r\nContent-Length: %u\r\n\r\n", lines * 25);
	for (uint32_t i = 0; i < lines; i++)
		text_add(out, "a=candidate:%08u host\r\n\r\n", i + 1000);
}

static void send_it(struct sim *sim, const struct call *c, struct exchange *x, const char *route,
		    const struct writer *out)
{
	if (x->from == END_WIC)
		(void)wic_call_send(sim, c, 0, writer_span(out));
	else
		core_call_send(sim, x, route, writer_span(out));
}

static void acts(struct sim *sim, void *context, uint64_t number);
static void cancel(struct sim *sim, void *context, uint64_t number);

void call_begin(struct sim *sim, struct call *c)
{
	struct exchange *x = exchange_new(sim, c, CALL_INVITE, c->caller, NO_LEG);
	uint8_t text[CALL_TEXT_MAX];
	struct writer out;

	if (x == NULL)
		return;
	c->first = exchange_number(sim, x);
	x->cseq = c->cseq;
	x->conn = c->conn;
	x->tcp = strstr(c->route, "transport=tcp") != NULL || sim_chance(sim, 20);
	writer_init(&out, text, sizeof(text));
	write_head(sim, c, x, c->to, c->route, &out);
	write_contact(sim, c, x->from, &out);
	if (x->from == END_CORE && sim_chance(sim, 50))
		text_add(&out, "Record-Route: <sip:k%u@198.18.0.20;lr>\r\n", call_number(sim, c));
	text_add(&out, "Supported: 100rel\r\n");
	write_body(sim, true, &out);
	sim_note(sim, "INVITE x%u of the %s begins k%u of wic %u.%u", c->first,
		 x->from == END_WIC ? "WIC" : "core", call_number(sim, c), c->wic, c->conn);
	send_it(sim, c, x, c->route, &out);
	sim_at(sim, sim->now_us + sim_between(sim, SECOND / 2, sim_s(5)), acts, NULL, x->call);
	if (sim_chance(sim, 35))
		sim_at(sim,
		       sim->now_us + (sim_chance(sim, 50) ? sim_between(sim, 1, 300000)
							  : sim_between(sim, 1, sim_s(15))),
		       cancel, NULL, x->call);
}

/* ---- inside dialogs --------------------------------------------------------------------------
 */

static struct exchange *ask(struct sim *sim, struct call *c, struct leg *leg, enum call_end end,
			    enum call_method method)
{
	struct exchange *x = exchange_new(sim, c, method, end, leg_number(c, leg));

	if (x == NULL)
		return NULL;
	x->cseq = ++leg->cseq[end];
	x->tcp = strstr(leg->route[end], "transport=tcp") != NULL || sim_chance(sim, 20);
	return x;
}

void call_ask(struct sim *sim, struct call *c, struct leg *leg, enum call_end end,
	      enum call_method method)
{
	bool offers = method == CALL_REINVITE || method == CALL_UPDATE;
	const struct exchange *first = &sim->calls->exchange[c->first];
	uint8_t text[CALL_TEXT_MAX];
	struct exchange *x;
	struct writer out;

	if (leg->over[end] || (end == END_WIC && !wic_call_ready(sim, c)))
		return;
	x = ask(sim, c, leg, end, method);
	if (x == NULL)
		return;
	writer_init(&out, text, sizeof(text));
	write_head(sim, c, x, leg->target[end], leg->route[end], &out);
	if (offers)
		write_contact(sim, c, end, &out);
	if (method == CALL_PRACK)
		text_add(&out, "RAck: %u %u INVITE\r\n", leg->rseq, first->cseq);
	write_body(sim, offers, &out);
	leg->busy[end] = exchange_number(sim, x) + 1;
	if (method == CALL_BYE)
		leg->over[end] = true;
	sim_note(sim, "%s x%u of the %s in k%u leg %u", exchange_name(x), exchange_number(sim, x),
		 end == END_WIC ? "WIC" : "core", x->call, x->leg);
	send_it(sim, c, x, leg->route[end], &out);
}

/** The ACK of a 2xx: it has its INVITE's CSeq and a branch of its own. */
static void acknowledge(struct sim *sim, struct call *c, struct leg *leg, enum call_end end,
			uint32_t cseq)
{
	struct exchange *x = exchange_new(sim, c, CALL_ACK, end, leg_number(c, leg));
	uint8_t text[CALL_TEXT_MAX];
	struct writer out;

	if (x == NULL)
		return;
	x->cseq = cseq;
	x->tcp = strstr(leg->route[end], "transport=tcp") != NULL || sim_chance(sim, 20);
	leg->acknowledged_cseq[end] = cseq;
	writer_init(&out, text, sizeof(text));
	write_head(sim, c, x, leg->target[end], leg->route[end], &out);
	if (end == END_WIC && sim_chance(sim, 20)) /* RFC 3261 22.1: as the INVITE had it */
		text_add(&out, "Authorization: Bearer eyJ0eXAiOiJhdCtqd3Qi.x.y\r\n");
	write_body(sim, false, &out);
	sim_note(sim, "ACK x%u of the %s in k%u leg %u", exchange_number(sim, x),
		 end == END_WIC ? "WIC" : "core", x->call, x->leg);
	send_it(sim, c, x, leg->route[end], &out);
}

/** An end does one of the things that it can do in a dialog. */
static void act(struct sim *sim, struct call *c, struct leg *leg, enum call_end end)
{
	static const enum call_method methods[] = {CALL_REINVITE, CALL_REINVITE, CALL_UPDATE,
						   CALL_INFO,	  CALL_INFO,	 CALL_BYE};

	if (leg->confirmed[end] && !leg->over[end] && leg->busy[end] == 0 &&
	    leg->accepted[end] == 0)
		call_ask(sim, c, leg, end, methods[sim_below(sim, 6)]);
}

static void acts(struct sim *sim, void *context, uint64_t number)
{
	struct call *c = &sim->calls->call[number];
	bool over = true;

	(void)context;
	for (uint32_t i = 0; i < c->legs; i++)
		over &= c->leg[i].over[END_WIC] || c->leg[i].over[END_CORE];
	if (sim->draining || (over && c->legs > 0))
		return;
	if (c->legs > 0)
		act(sim, c, &c->leg[sim_below(sim, c->legs)],
		    sim_chance(sim, 50) ? END_WIC : END_CORE);
	sim_at(sim,
	       sim->now_us + (sim_chance(sim, 15) ? sim_between(sim, 1, 2000)
						  : sim_between(sim, SECOND / 5, sim_s(8))),
	       acts, NULL, number);
}

/* ---- beside an INVITE ------------------------------------------------------------------------
 */

/** CANCEL, or the ACK of a failure: branch, CSeq and Route of x. to: the To line's value. */
static void send_beside(struct sim *sim, const struct call *c, const struct exchange *x,
			const char *method, struct span to)
{
	const struct leg *leg = x->leg != NO_LEG ? &c->leg[x->leg] : NULL;
	uint8_t text[CALL_TEXT_MAX];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	text_add(&out, "%s %s SIP/2.0\r\n", method, leg != NULL ? leg->target[x->from] : c->to);
	write_via(sim, c, x, &out);
	writer_text(&out, "Max-Forwards: 70\r\n");
	writer_text(&out, leg != NULL ? leg->route[x->from] : c->route);
	write_parties(sim, c, x, to, &out);
	text_add(&out, "CSeq: %u %s\r\nContent-Length: 0\r\n\r\n", x->cseq, method);
	if (x->from == END_WIC)
		(void)wic_call_send(sim, c, x->conn, writer_span(&out));
	else
		core_call_send_beside(sim, x, writer_span(&out));
}

static void cancel_again(struct sim *sim, void *context, uint64_t number)
{
	struct exchange *x = &sim->calls->exchange[number];

	(void)context;
	if (x->cancel_answers == 0 && x->status == 0)
		send_beside(sim, &sim->calls->call[x->call], x, "CANCEL", SPAN(""));
}

static void cancel(struct sim *sim, void *context, uint64_t number)
{
	struct call *c = &sim->calls->call[number];
	struct exchange *x = &sim->calls->exchange[c->first];

	(void)context;
	if (sim->draining || x->status != 0 || x->cancelled_us > 0)
		return;
	if (x->from == END_WIC && !wic_connected(sim->wics, c->wic, x->conn))
		return;
	x->cancelled_us = sim->now_us;
	c->cancelled = true;
	sim_note(sim, "CANCEL of INVITE x%u", c->first);
	send_beside(sim, c, x, "CANCEL", SPAN(""));
	for (uint32_t i = 1; x->from == END_CORE && !x->tcp && i <= 4; i++)
		sim_at(sim, sim->now_us + (SECOND / 2 << i), cancel_again, NULL, c->first);
}

/* ---- answers ---------------------------------------------------------------------------------
 */

/** The leg that a response to an INVITE is about; one that this end did not know is new to it. */
static struct leg *answering(struct call *c, const struct exchange *x, struct span message)
{
	uint64_t tag = text_number(text_header(message, "To", 0), ";tag=t", 0);
	struct leg *leg = x->leg != NO_LEG ? &c->leg[x->leg] : leg_of(c, (uint32_t)tag);

	if (leg != NULL && x->method == CALL_INVITE && !leg->confirmed[x->from])
		leg_learn(leg, x->from, message);
	return leg;
}

static void proceeds(struct sim *sim, struct call *c, struct exchange *x, struct span message)
{
	struct leg *leg = answering(c, x, message);
	uint64_t rseq = text_number(text_header(message, "RSeq", 0), "", 0);

	if (x->status != 0 && x->from == END_WIC)
		(void)exchange_answered(sim, x, message);
	if (x->from == END_CORE)
		core_call_answered(sim, x);
	x->rang |= leg != NULL && x->cancelled_us == 0;
	if (leg == NULL || x->method != CALL_INVITE || x->status != 0)
		return;
	if (rseq > leg->rseq_seen && sim_chance(sim, 80)) {
		leg->rseq_seen = (uint32_t)rseq;
		call_ask(sim, c, leg, x->from, CALL_PRACK);
	} else if (sim_chance(sim, 10)) {
		call_ask(sim, c, leg, x->from, CALL_UPDATE);
	}
}

static void accepted(struct sim *sim, struct call *c, struct exchange *x, struct span message)
{
	struct leg *leg = answering(c, x, message);
	bool first, chosen = true;

	if (leg == NULL)
		return; /* broken() elsewhere: no 2xx is the gateway's own */
	first = !leg->confirmed[x->from];
	leg->confirmed[x->from] = true;
	acknowledge(sim, c, leg, x->from, x->cseq);
	for (uint32_t i = 0; i < c->legs; i++)
		chosen &= &c->leg[i] == leg || !c->leg[i].confirmed[x->from];
	if (first && x->method == CALL_INVITE && (c->cancelled || !chosen))
		call_ask(sim, c, leg, x->from, CALL_BYE);
}

/** The gateway knows nothing of the dialog any more, though its way was never cut. */
static void check_survival(struct sim *sim, struct call *c, const struct exchange *x,
			   const struct leg *leg)
{
	const struct exchange *first = &sim->calls->exchange[c->first];
	bool same = leg_stands(sim, c, leg, x->sent_us);

	if (x->own || (x->status != 403 && x->status != 481 && x->status != 430))
		return;
	if (same && sim->restarted_us < first->sent_us && !sim->shape.tight && !sim->draining &&
	    sim->key_round < c->key_round + FLOW_KEYS_MAX)
		sim_broken(sim, "dialog-survives", "%s x%u of the %s in k%u: %u", exchange_name(x),
			   exchange_number(sim, x), x->from == END_WIC ? "WIC" : "core", x->call,
			   x->status);
}

static void final(struct sim *sim, struct call *c, struct exchange *x, struct span message)
{
	struct leg *leg = x->leg != NO_LEG ? &c->leg[x->leg] : NULL;
	bool invite = x->method == CALL_INVITE || x->method == CALL_REINVITE;
	uint16_t status = text_status(message);
	bool first = exchange_answered(sim, x, message);

	if (x->from == END_CORE)
		core_call_answered(sim, x);
	if (leg != NULL && leg->busy[x->from] == exchange_number(sim, x) + 1)
		leg->busy[x->from] = 0;
	if (invite && status < 300)
		accepted(sim, c, x, message);
	else if (invite)
		send_beside(sim, c, x, "ACK", text_header(message, "To", 0));
	if (first && x->method == CALL_INVITE && c->to_block)
		watch_block_called(sim, c->user, x->sent_us, status, x->delivered > 0);
	if (leg == NULL || !first)
		return;
	check_survival(sim, c, x, leg);
	if (status == 481 || status == 403 || status == 408)
		leg->over[x->from] = true;
}

void call_response(struct sim *sim, struct call *c, enum call_end end, struct span message)
{
	struct exchange *x = exchange_of(sim, c, message);

	if (x == NULL || x->from != end) {
		sim_broken(sim, "right-flow", "an answer in k%u to what nobody asked",
			   call_number(sim, c));
	} else if (text_has(text_header(message, "CSeq", 0), "CANCEL")) {
		if (++x->cancel_answers > 1 && end == END_WIC)
			sim_broken(sim, "one-final-answer", "CANCEL of x%u: another one",
				   exchange_number(sim, x));
	} else if (text_status(message) < 200) {
		proceeds(sim, c, x, message);
	} else {
		final(sim, c, x, message);
	}
}
