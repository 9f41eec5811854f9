/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "events.h"
#include "guest.h"
#include "member.h"
#include "pool.h"
#include "wic.h"

/* What the scripted WICs say, and what they may hear. */

#define TEXT_MAX 4000

static const uint8_t hash_key[16] = SIM_HASH_KEY;

/* ---- requests ---------------------------------------------------------------------------------
 */

/** Start line and what every request has. to: whom it names in To. */
static void write_head(struct wic *w, uint32_t number, const char *method, const char *uri,
		       const char *from, const char *to, struct writer *out)
{
	struct request *r = &w->sim->request[number];
	bool one = w->member ? w->sim->members->one_call_id
			     : w->sim->events != NULL && w->sim->events->one_call_id;
	bool shared = one && r->kind != REQUEST_MESSAGE;
	char id[48];

	if (shared)
		snprintf(id, sizeof(id), "s%uc%u@w%u.invalid", w->index, w->number, w->index);
	else
		snprintf(id, sizeof(id), "r%u@w%u.invalid", number, w->index);
	r->call_hash = siphash(hash_key, span_text(id));
	r->cseq = ++w->cseq;
	text_add(out, "%s %s SIP/2.0\r\nVia: SIP/2.0/WSS w%u.invalid;branch=z9hG4bKr%u\r\n", method,
		 uri, w->index, number);
	if (sim_chance(w->sim, 90))
		text_add(out, "Max-Forwards: 70\r\n");
	text_add(out, "From: <%s>;tag=f%u\r\nTo: <%s>\r\nCall-ID: %s\r\n", from, number, to, id);
	text_add(out, "CSeq: %u %s\r\n", r->cseq, method);
}

void wic_contact_user(const struct wic *w, uint32_t visit, struct writer *out)
{
	text_add(out, "w%uc%u", w->index, w->number);
	if (visit > 0)
		text_add(out, "v%u", visit);
}

static void write_contact(struct wic *w, bool reg_id, uint32_t asked_s, struct writer *out)
{
	text_add(out, "Contact: <sip:");
	wic_contact_user(w, w->visit, out);
	text_add(out, "@w%u.invalid;transport=ws>", w->index);
	if (reg_id && w->visitor)
		text_add(out, ";reg-id=1;+sip.instance=\"<urn:uuid:w%ui%u>\"", w->index,
			 w->instance);
	else if (reg_id)
		text_add(out, ";reg-id=1;+sip.instance=\"<urn:uuid:w%u>\"", w->index);
	if (sim_chance(w->sim, 50))
		text_add(out, ";expires=%u\r\n", asked_s);
	else
		text_add(out, "\r\nExpires: %u\r\n", asked_s);
}

void wic_forge(struct wic *w, struct writer *out)
{
	if (sim_chance(w->sim, 20))
		text_add(out, "P-Asserted-Identity: <sip:president@" DOMAIN ">\r\n");
	if (sim_chance(w->sim, 10))
		text_add(out, "P-Charging-Vector: icid-value=forged\r\nPath: <sip:forged@x>\r\n");
}

static uint32_t whose_token(const struct wic *w, enum token_kind kind)
{
	if (kind == TOKEN_FOREIGN)
		return (w->user + SIM_USERS / 2) % SIM_USERS;
	return kind == TOKEN_UNKNOWN ? w->user + 1000 : w->user;
}

static uint64_t draw_exp(struct wic *w, enum token_kind kind)
{
	uint64_t now = sim_wall(w->sim);

	if (kind == TOKEN_EXPIRED)
		return now - sim_between(w->sim, 1, 500);
	return now +
	       (sim_chance(w->sim, 20) ? 3000 : sim_between(w->sim, w->sim->shape.min_grant_s, 60));
}

static void write_token(struct wic *w, struct request *r, struct writer *out)
{
	uint8_t text[2048];
	struct writer token;

	if (r->token == TOKEN_NO_TOKEN)
		return;
	r->unknown_key = w->sim->rotation.signing != w->sim->rotation.known;
	w->sim->rotation.unknown_once |= r->unknown_key;
	writer_init(&token, text, sizeof(text));
	if (r->pool != 0)
		pool_token_write(w->sim, r->pool, &token);
	else if (w->member)
		member_token_write(w, r, &token);
	else
		token_write(w->sim, r->token, w->user, r->exp_s, &token);
	writer_text(out, "Authorization: Bearer ");
	if (sim_chance(w->sim, 50)) {
		writer_put(out, writer_span(&token));
		writer_text(out, "\r\n");
	} else {
		writer_text(out, "access_token=\"");
		writer_put(out, writer_span(&token));
		writer_text(out, "\"\r\n");
	}
}

static struct request *new_request(struct wic *w, enum request_kind kind, uint32_t *number)
{
	struct request *r = request_new(w->sim, number);

	if (r == NULL)
		return NULL;
	r->kind = kind;
	r->wic = w->index;
	r->conn = w->number;
	r->user = w->user;
	r->sub = w->sub;
	r->visit = w->visit;
	r->instance = w->instance;
	return r;
}

/** A registration under another key would end the home's dialogs: what is known of it is not known
 * any more. */
static bool same_home(const struct wic *w, const struct request *r)
{
	return w->home_user == r->user && w->home_sub == r->sub &&
	       w->home_instance == r->instance && w->home_outbound == r->outbound &&
	       (r->outbound || w->home_conn == w->number);
}

static void home_asked(struct wic *w, const struct request *r)
{
	if (r->kind == REQUEST_REGISTER && !same_home(w, r))
		w->home_since_us = 0;
}

static void home_bound(struct wic *w, const struct request *r)
{
	const struct sim *sim = w->sim;
	uint64_t grace_us = sim->shape.grace_s * SECOND;
	bool late = w->home_lost_us > 0 && sim->now_us + SECOND > w->home_lost_us + grace_us;

	if (w->home_since_us == 0 || late || !same_home(w, r) ||
	    w->home_since_us < sim->restarted_us)
		w->home_since_us = sim->now_us;
	if (w->home_conn != w->number || w->home_since_us == sim->now_us)
		w->home_here_us = sim->now_us;
	w->home_lost_us = 0;
	w->home_user = r->user;
	w->home_conn = w->number;
	w->home_outbound = r->outbound;
	w->home_sub = r->sub;
	w->home_instance = r->instance;
}

static void send_register(struct wic *w, struct request *r, uint32_t number)
{
	char aor[64];
	uint8_t text[TEXT_MAX];
	struct writer out, name;

	writer_init(&name, aor, sizeof(aor));
	text_add(&name, "sip:user%u@" DOMAIN "%c", whose_token(w, r->token), 0);
	writer_init(&out, text, sizeof(text));
	write_head(w, number, "REGISTER", "sip:" DOMAIN, aor, aor, &out);
	r->outbound = w->outbound ^ sim_chance(w->sim, 3);
	if (r->all)
		text_add(&out, "Contact: *\r\nExpires: 0\r\n");
	else if (r->kind != REQUEST_FETCH)
		write_contact(w, r->outbound, r->asked_s, &out);
	write_token(w, r, &out);
	wic_forge(w, &out);
	home_asked(w, r);
	text_add(&out, "Supported: path, outbound\r\nContent-Length: 0\r\n\r\n");
	sim_note(w->sim, "wic %u.%u REGISTER r%u user%u token %d exp %lld asks %u%s%s", w->index,
		 w->number, number, w->user, (int)r->token, (long long)(r->exp_s - SIM_WALL_START),
		 r->asked_s, r->outbound ? " outbound" : "",
		 r->all			    ? " removes all"
		 : r->kind == REQUEST_FETCH ? " fetches"
					    : "");
	r->beside = w->visitor && w->open > 0;
	w->open++;
	if (r->pool != 0)
		pool_asked(w->sim, r->pool, w->index);
	if (w->member)
		member_asks(w, r);
	wic_send(w, writer_span(&out));
}

/** The next REGISTER shows what the pool's site has given its visitor. */
static void show_pool(struct wic *w, struct request *r)
{
	if (!w->visitor || r->token != TOKEN_GOOD)
		return;
	r->pool = visitor_token(w);
	r->exp_s = pool_token(w->sim, r->pool)->exp_s;
}

void wic_register(struct wic *w)
{
	static const uint32_t asks[] = {600000, 3600, 60, 20, 5};
	uint32_t number;
	struct request *r;

	if (!w->visitor && sim_chance(w->sim, 4)) { /* another identity on the same flow */
		w->user = w->users[sim_below(w->sim, SIM_IDENTITIES)];
		w->mixed = true;
	}
	r = new_request(w, REQUEST_REGISTER, &number);
	if (r == NULL)
		return;
	r->token = sim_chance(w->sim, 70)
			   ? TOKEN_GOOD
			   : (enum token_kind)(1 + sim_below(w->sim, TOKEN_KINDS - 1));
	r->exp_s = draw_exp(w, r->token);
	r->asked_s = asks[sim_below(w->sim, 5)];
	show_pool(w, r);
	if (r->token == TOKEN_GOOD && r->exp_s > w->authorised_exp_s)
		w->authorised_exp_s = r->exp_s;
	send_register(w, r, number);
}

static void ask(struct wic *w, enum request_kind kind, bool all)
{
	uint32_t number;
	struct request *r = new_request(w, kind, &number);

	if (r == NULL)
		return;
	r->all = all;
	r->token = sim_chance(w->sim, 50) ? TOKEN_NO_TOKEN : TOKEN_GOOD;
	r->exp_s = sim_wall(w->sim) + 60;
	show_pool(w, r);
	send_register(w, r, number);
}

void wic_deregister(struct wic *w)
{
	ask(w, REQUEST_DEREGISTER, false);
}

void wic_fetch(struct wic *w)
{
	ask(w, REQUEST_FETCH, false);
}

void wic_remove_all(struct wic *w)
{
	ask(w, REQUEST_DEREGISTER, true);
}

static const char *draw_from(struct wic *w, struct request *r, char text[64])
{
	struct writer out;

	writer_init(&out, text, 64);
	r->foreign_from = sim_chance(w->sim, 10);
	if (r->foreign_from)
		text_add(&out, "sip:user%u@" DOMAIN "%c",
			 w->user + (w->visitor	? SIM_USERS
				    : w->member ? 50
						: 2),
			 0);
	else if (sim_chance(w->sim, 5))
		text_add(&out, "sip:anonymous@anonymous.invalid%c", 0);
	else
		text_add(&out, "sip:user%u@" DOMAIN "%c", w->user, 0);
	return text;
}

void wic_say(struct wic *w)
{
	struct wic_script *all = w->sim->wics;
	const struct wic *whom = &all->wic[sim_below(w->sim, all->count)];
	char from[64], uri[64];
	uint32_t number;
	struct request *r = new_request(w, REQUEST_MESSAGE, &number);
	uint8_t text[TEXT_MAX];
	struct writer out, name;

	if (r == NULL)
		return;
	writer_init(&name, uri, sizeof(uri));
	text_add(&name, "sip:user%u@" DOMAIN "%c", whom->users[sim_below(w->sim, SIM_IDENTITIES)],
		 0);
	writer_init(&out, text, sizeof(text));
	write_head(w, number, "MESSAGE", uri, draw_from(w, r, from), uri, &out);
	if (sim_chance(w->sim, 30))
		text_add(&out, "P-Preferred-Identity: <sip:user%u@" DOMAIN ">\r\n",
			 w->user + sim_below(w->sim, 3));
	else if (sim_chance(w->sim, 20))
		text_add(&out, "P-Preferred-Identity: <tel:+1555%05u>\r\n", w->user);
	if (sim_chance(w->sim, 10) && !w->visitor) {
		r->token = TOKEN_GOOD; /* not needed, but a stack may send it with everything */
		r->exp_s = sim_wall(w->sim) + 100;
		write_token(w, r, &out);
	}
	wic_forge(w, &out);
	text_add(&out, "Content-Type: text/plain\r\nContent-Length: %u\r\n\r\n%.*s",
		 sim_below(w->sim, 2) * 5, 0, "");
	if (text_number(writer_span(&out), "Content-Length: ", 0) == 5)
		text_add(&out, "hello");
	sim_note(w->sim, "wic %u.%u MESSAGE r%u to %s", w->index, w->number, number, uri);
	wic_send(w, writer_span(&out));
}

void wic_garble(struct wic *w)
{
	static const char *const texts[] = {
		"REGISTER sip:" DOMAIN " SIP/2.0\r\nTo: x\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/WSS x;branch=z9hG4bKwg1\r\nFrom: "
		"<sip:a@b>;tag=1\r\n"
		"To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
		"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/WSS x;branch=z9hG4bK1\r\nFrom: "
		"<sip:a@b>;tag=1\r\n"
		"To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
		"INVITE sip:a@b SIP/9.0\r\n\r\n",
	};

	wic_send(w, span_text(texts[sim_below(w->sim, 4)]));
}

/* ---- answers ----------------------------------------------------------------------------------
 */

/** No charging, no topology of the core in what a WIC hears. */
static void check_secrets(struct wic *w, struct span message)
{
	if (text_count(message, "P-Charging-Vector") + text_count(message, "Path") +
		    text_count(message, "P-Charging-Function-Addresses") >
	    0)
		sim_broken(w->sim, "wic-sees-no-charging", "wic %u.%u: %.*s", w->index, w->number,
			   (int)span_find(message, '\r'), (const char *)message.at);
}

/** The expires of our own Contact in a 200; 0: it is not there. */
static uint32_t granted(struct wic *w, const struct request *r, struct span message)
{
	char own[32];
	struct span contact;
	struct writer name;

	writer_init(&name, own, sizeof(own));
	text_add(&name, "sip:");
	wic_contact_user(w, r->visit, &name);
	text_add(&name, "@%c", 0);
	for (uint32_t i = 0; i < text_count(message, "Contact"); i++) {
		contact = text_header(message, "Contact", i);
		if (text_has(contact, own))
			return (uint32_t)text_number(contact, ";expires=",
						     text_number(text_header(message, "Expires", 0),
								 "", 0));
	}
	return 0;
}

/** What another REGISTER has brought holds: this is the answer to an older one, for another
 * instance or with nothing in it; or one of another user's with nothing in it. */
static bool is_behind(const struct wic *w, const struct request *r, uint32_t got)
{
	if (r->kind != REQUEST_REGISTER || w->granted == NULL ||
	    w->bound_until_us <= w->sim->now_us)
		return false;
	if (r->user != w->granted->user)
		return got == 0;
	return r < w->granted && (got == 0 || r->outbound != w->granted->outbound);
}

/** It was about a Contact that is not the one that is registered. */
static bool is_of_another_visit(const struct wic *w, const struct request *r)
{
	return w->visitor && w->granted != NULL && w->granted->visit != r->visit;
}

/** What a 200 with so many seconds is good for: to the end of the token where that is what has cut
 * it down to whole ones. The gateway reckons from a little earlier. */
static uint64_t granted_until_us(const struct wic *w, const struct request *r, uint32_t got)
{
	return got < r->asked_s && got < r->core_granted ? sim_wall_at(w->sim, r->exp_s)
							 : w->sim->now_us + got * SECOND;
}

static void bound(struct wic *w, struct request *r, uint32_t got)
{
	bool registers = r->kind == REQUEST_REGISTER && got > 0;

	if (is_behind(w, r, got) || (!registers && is_of_another_visit(w, r)))
		return;
	if (registers) {
		home_bound(w, r);
		w->sub_here = r->sub;
	}
	if (r->sent_us > w->told_us)
		w->told_until_us = 0;
	w->bound_until_us = registers ? granted_until_us(w, r, got) : w->sim->now_us;
	w->granted = registers ? r : NULL;
}

static void registered(struct wic *w, struct request *r, struct span message)
{
	uint32_t got = granted(w, r, message);
	uint64_t left = request_left_s(w->sim, r);

	if (r->kind == REQUEST_FETCH || (w->member && r->kind == REQUEST_DEREGISTER && got > 0))
		return; /* it was about another Contact than the one that is left */
	bound(w, r, got);
	if (r->kind == REQUEST_DEREGISTER || got == 0)
		return;
	if (r->token != TOKEN_GOOD)
		sim_broken(w->sim, "bad-token-refused", "wic %u registered with token kind %d",
			   w->index, (int)r->token);
	if (got > r->asked_s || got > left)
		sim_broken(w->sim, "registration-within-token",
			   "wic %u asked %u, token left %llu, got %u", w->index, r->asked_s,
			   (unsigned long long)left, got);
}

/** A refusal that the core has not asked for needs a reason that this side knows. */
static void refused(struct wic *w, const struct request *r)
{
	const struct sim *sim = w->sim;
	bool fresh = r->exp_s > sim_wall(sim) + sim->shape.min_grant_s + 5;

	/* 500 is also for what would overtake a request that waits for keys */
	if (r->core_status == 0 && r->status == 500 && !sim->rotation.unknown_once &&
	    !r->refused_busy && !r->beside)
		sim_broken(w->sim, "no-internal-error", "wic %u.%u r%u got 500", w->index,
			   w->number, (unsigned)(r - sim->request));
	if (r->kind != REQUEST_REGISTER || r->token != TOKEN_GOOD || r->core_status != 0 ||
	    w->visitor || w->guest || w->member) /* see watch_pool.c, wic_wildcard.c, wic_block.c */
		return;
	if (r->status == 401 && fresh && !r->unknown_key)
		sim_broken(w->sim, "good-token-accepted", "wic %u.%u r%u got 401", w->index,
			   w->number, (unsigned)(r - sim->request));
	if (r->status == 403 && !sim->disowned_once && !w->mixed &&
	    (sim->events == NULL || !watch_events_rejected(w->sim, r)))
		sim_broken(w->sim, "good-token-accepted", "wic %u.%u r%u got 403", w->index,
			   w->number, (unsigned)(r - sim->request));
}

static void answered(struct wic *w, struct span message, uint16_t status)
{
	struct request *r = request_of(w->sim, message);

	if (r == NULL)
		return; /* to something garbled */
	if (r->wic != w->index || r->conn != w->number) {
		sim_broken(w->sim, "right-flow", "wic %u.%u got the answer to r%u of %u.%u",
			   w->index, w->number, (unsigned)(r - w->sim->request), r->wic, r->conn);
		return;
	}
	if (status < 200)
		return;
	sim_note(w->sim, "wic %u.%u r%u -> %u", w->index, w->number,
		 (unsigned)(r - w->sim->request), status);
	r->status = status;
	if (++r->finals > 1)
		sim_broken(w->sim, "one-final-answer", "r%u of wic %u has %u",
			   (unsigned)(r - w->sim->request), w->index, r->finals);
	if (r->kind != REQUEST_MESSAGE && !r->guest && w->open > 0)
		w->open--;
	if (r->guest)
		guest_answered(w, r);
	if (r->pool != 0 && r->kind == REQUEST_REGISTER)
		visitor_answered(w, r, message);
	if (status < 300 && r->kind != REQUEST_MESSAGE && !r->guest)
		registered(w, r, message);
	else if (status >= 400)
		refused(w, r);
	if (w->member && r->kind != REQUEST_MESSAGE)
		member_answered(w, r, message);
}

/* ---- requests of the core ---------------------------------------------------------------------
 */

struct late {
	struct wic *wic;
	uint32_t number;
	uint32_t len;
	uint8_t bytes[TEXT_MAX];
};

static void send_late(struct sim *sim, void *context, uint64_t arg)
{
	struct late *l = context;

	(void)arg;
	if (l->wic->conn != NULL && l->wic->number == l->number && l->wic->state == WIC_OPEN) {
		wic_send(l->wic, span_of(l->bytes, l->len));
		sim_arrived(sim, SIM_HOST_WICS);
	}
	free(l);
}

/** The answer to a MESSAGE: now, later or never. */
static void answer(struct wic *w, struct span message)
{
	static const char *const lines[] = {"200 OK", "200 OK", "486 Busy Here", "202 Accepted"};
	struct late *l = malloc(sizeof(*l));
	struct writer out;

	*l = (struct late){.wic = w, .number = w->number};
	writer_init(&out, l->bytes, sizeof(l->bytes));
	text_add(&out, "SIP/2.0 %s\r\n", lines[sim_below(w->sim, 4)]);
	text_copy(&out, message, "Via");
	text_copy(&out, message, "From");
	text_copy(&out, message, "To");
	text_copy(&out, message, "Call-ID");
	text_copy(&out, message, "CSeq");
	text_add(&out, "X-From-Wic: %u\r\n", w->index);
	wic_forge(w, &out);
	if (sim_chance(w->sim, 10))
		text_add(&out, "Authorization: Bearer eyJ0eXAiOiJhdCtqd3Qi.x.y\r\n");
	text_add(&out, "Content-Length: 0\r\n\r\n");
	l->len = writer_len(&out);
	sim_at_owned(w->sim,
		     w->sim->now_us + (sim_chance(w->sim, 80) ? sim_between(w->sim, 1, 200000)
							      : sim_between(w->sim, 1, sim_s(40))),
		     send_late, l);
}

static void requested(struct wic *w, struct span message)
{
	char own[32];
	struct writer name;

	writer_init(&name, own, sizeof(own));
	text_add(&name, "sip:w%uc%u%s%c", w->index, w->number, w->visitor ? "v" : "@", 0);
	if (!span_starts(message, SPAN("MESSAGE ")) ||
	    !text_has(span_cut(message, 0, span_find(message, '\r')), own))
		sim_broken(w->sim, "right-flow", "wic %u.%u got %.*s", w->index, w->number,
			   (int)span_find(message, '\r'), (const char *)message.at);
	core_delivered(w->sim, message, w->index, w->number);
	if (sim_chance(w->sim, 90))
		answer(w, message);
}

void wic_message(struct wic *w, struct span message)
{
	uint16_t status = text_status(message);

	if (span_equal(message, SPAN("\r\n")))
		return;
	check_secrets(w, message);
	if (call_of(w->sim, message) != NULL)
		wic_call_message(w, call_of(w->sim, message), message);
	else if (status != 0)
		answered(w, message, status);
	else
		requested(w, message);
}
