/* SPDX-License-Identifier: BSD-3-Clause */
#include "wic.h"

/* The SIP of a WIC, in the form browser libraries give it: .invalid hosts, outbound, no rport. */

/* a core whose clock counts whole seconds ends a registration up to one earlier */
enum { CLOSE_NORMAL = 1000, TOKEN_SPARE_S = 120, REFRESH_SPARE_US = 1200000 };

/* ---- names --------------------------------------------------------------------------------- */

void wic_write_host(const struct wic *w, struct writer *out)
{
	writer_text(out, "w");
	writer_decimal(out, w->name);
	writer_text(out, ".invalid");
}

void wic_write_contact_uri(const struct wic *w, struct writer *out)
{
	writer_text(out, "sip:wic");
	writer_decimal(out, w->page);
	writer_text(out, "@");
	wic_write_host(w, out);
	writer_text(out, ";transport=ws");
}

/** One for all REGISTERs of a page, whatever becomes of its connections (RFC 3261 10.2). */
void wic_write_call_id(const struct wic *w, enum wic_ask ask, struct writer *out)
{
	writer_decimal(out, w->world->run);
	writer_text(out, "-");
	writer_decimal(out, w->page);
	if (ask < ASK_MESSAGE)
		return;
	writer_text(out, "-");
	writer_decimal(out, w->dialog.number);
}

/** urn:uuid of the browser: the same at each reconnect, and in each run. */
static void write_instance(const struct wic *w, struct writer *out)
{
	const uint8_t node[6] = {0,
				 0,
				 (uint8_t)(w->instance >> 24),
				 (uint8_t)(w->instance >> 16),
				 (uint8_t)(w->instance >> 8),
				 (uint8_t)w->instance};

	writer_text(out, "\"<urn:uuid:00000000-0000-4000-8000-");
	writer_hex(out, span_of(node, sizeof(node)));
	writer_text(out, ">\"");
}

/* ---- requests ------------------------------------------------------------------------------ */

static void write_head(const struct wic *w, struct writer *out)
{
	const uint64_t branch = chance_next(&w->world->chance);

	writer_text(out, "REGISTER sip:");
	writer_text(out, w->world->options->domain);
	writer_text(out, " SIP/2.0\r\nVia: SIP/2.0/WSS ");
	wic_write_host(w, out);
	writer_text(out, ";branch=z9hG4bK");
	writer_hex(out, span_of(&branch, sizeof(branch)));
	writer_text(out, "\r\nMax-Forwards: 69\r\nTo: <");
	writer_put(out, w->pair->impu);
	writer_text(out, ">\r\nFrom: <");
	writer_put(out, w->pair->impu);
	writer_text(out, ">;tag=t");
	writer_decimal(out, w->page);
	writer_text(out, "\r\nCall-ID: ");
	wic_write_call_id(w, ASK_REGISTER, out);
	writer_text(out, "\r\nCSeq: ");
	writer_decimal(out, w->cseq);
	writer_text(out, " REGISTER\r\n");
}

static void write_contact(const struct wic *w, uint64_t expires_s, struct writer *out)
{
	writer_text(out, "Contact: <");
	wic_write_contact_uri(w, out);
	writer_text(out, ">;+sip.ice;reg-id=1;+sip.instance=");
	write_instance(w, out);
	writer_text(out, ";expires=");
	writer_decimal(out, expires_s);
	writer_text(out, "\r\nExpires: ");
	writer_decimal(out, expires_s);
	writer_text(out, "\r\nAllow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY"
			 "\r\nSupported: path,gruu,outbound\r\nUser-Agent: wicgate-load\r\n"
			 "Content-Length: 0\r\n\r\n");
}

void wic_ask(struct wic *w, enum wic_ask what, const struct writer *text)
{
	if (!writer_ok(text)) {
		wic_fail(w, FAILURE_OUTPUT, 0);
		return;
	}
	w->ask = what;
	w->asked_us = wic_now(w);
	w->deadline_us = w->asked_us + WIC_PATIENCE_US;
	(void)wic_send(w, WS_TEXT, writer_span(text));
}

/** What the site says in its next token. False: it gives none. */
static bool claims_of_site(struct wic *w, struct writer *sub, struct mint_claims *claims)
{
	if (!wic_issue(w))
		return false;
	writer_text(sub, "anon-");
	writer_decimal(sub, w->issue.issue.visit);
	*claims = (struct mint_claims){
		.sub = writer_span(sub),
		.pair = w->pair,
		.scn = "pool",
		.jti = w->issue.issue.jti,
		.iat_s = w->issue.issue.iat_s,
		.exp_s = w->issue.issue.exp_s,
	};
	return writer_ok(sub);
}

/** What the next token says. False: the site gives none. */
static bool claims_of(struct wic *w, struct writer *sub, struct mint_claims *claims)
{
	struct wic_world *world = w->world;

	world->jti++;
	if (w->visit.number != 0)
		return claims_of_site(w, sub, claims);
	*claims = (struct mint_claims){
		.sub = w->pair->impi,
		.pair = w->pair,
		.jti = world->jti,
		.iat_s = world->now_s,
		.exp_s = world->now_s + world->options->token_lifetime_s,
	};
	return true;
}

/** The one it has will do. */
static bool token_stays(struct wic *w)
{
	bool stays = w->token_stays;

	w->token_stays = false;
	return stays ||
	       (w->world->options->reuse_token && w->token_exp_s > w->world->now_s + TOKEN_SPARE_S);
}

/** A token good for long enough is there: a new one, unless the old one is to be used again. */
static bool token_ready(struct wic *w)
{
	uint8_t sub_text[32];
	struct mint_claims claims;
	struct writer sub, token;

	if (token_stays(w))
		return true;
	writer_init(&sub, sub_text, sizeof(sub_text));
	if (!claims_of(w, &sub, &claims))
		return false;
	writer_init(&token, w->token, sizeof(w->token));
	if (!mint_write(w->world->mint, &claims, &token))
		return false;
	w->token_len = writer_len(&token);
	w->token_exp_s = claims.exp_s;
	return true;
}

void wic_register(struct wic *w)
{
	struct writer text;

	if (!token_ready(w)) {
		if (w->visit.rogue != ROGUE_NONE)
			wic_leave(w, EXIT_CLOSE, WIC_NEVER_US); /* its victim has gone meanwhile */
		else
			wic_fail(w, FAILURE_TOKEN, 0);
		return;
	}
	w->cseq++;
	w->asked_s = w->world->now_s;
	writer_init(&text, w->world->text, sizeof(w->world->text));
	write_head(w, &text);
	writer_text(&text, "Authorization: Bearer ");
	writer_bytes(&text, w->token, w->token_len);
	writer_text(&text, "\r\n");
	write_contact(w, w->world->options->expires_s, &text);
	wic_ask(w, w->registered ? ASK_REFRESH : ASK_REGISTER, &text);
}

/** SIP.js sends no credential here; the flow that owns the binding needs none (PROTOCOL 5.6). */
void wic_unregister(struct wic *w)
{
	struct writer text;

	w->cseq++;
	writer_init(&text, w->world->text, sizeof(w->world->text));
	write_head(w, &text);
	write_contact(w, 0, &text);
	wic_ask(w, ASK_UNREGISTER, &text);
}

/* ---- responses ----------------------------------------------------------------------------- */

/** The Contact of a 200 is ours. Then *granted_s is what it grants, when it says so. */
static bool is_granted(struct wic *w, const struct sip_message *m, struct span contact,
		       uint32_t *granted_s)
{
	struct sip_address a = sip_address_parse(contact);
	struct span value;
	uint8_t ours_text[64];
	struct writer ours;

	writer_init(&ours, ours_text, sizeof(ours_text));
	wic_write_contact_uri(w, &ours);
	if (a.err != GW_OK)
		return false;
	if (!span_equal(a.uri_text, writer_span(&ours))) {
		wic_count_stranger(w, a.uri_text);
		return false;
	}
	if (!sip_param(a.params, SPAN("expires"), &value))
		value = sip_value(m, SIP_HEADER_EXPIRES);
	return sip_seconds(value, granted_s);
}

/** What the 200 grants to our Contact. False: it is not in it. */
static bool contact_granted(struct wic *w, const struct sip_message *m, uint32_t *granted_s)
{
	bool granted = false;

	for (const struct sip_field *f = sip_first(m, SIP_HEADER_CONTACT); f != NULL;
	     f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element))
			granted |= is_granted(w, m, element, granted_s);
	}
	return granted;
}

/** JsSIP's rule: a random point in the later half, for the server's sake; not in its last moment.
 */
static uint64_t refresh_after(struct wic *w, uint32_t granted_s)
{
	uint64_t half_us = (uint64_t)granted_s * 500000;
	uint64_t after_us = half_us + half_us / 100 * chance_below(&w->world->chance, 80);
	uint64_t last_us = half_us > REFRESH_SPARE_US ? 2 * half_us - REFRESH_SPARE_US : half_us;

	return after_us < last_us ? after_us : last_us;
}

static void registered(struct wic *w, const struct sip_message *m, enum deed deed)
{
	uint32_t granted_s = 0;

	if (!contact_granted(w, m, &granted_s)) {
		wic_fail(w, FAILURE_CONTACT, 0);
		return;
	}
	if (granted_s == 0 || granted_s > w->world->options->expires_s) {
		wic_fail(w, FAILURE_GRANT, (int32_t)granted_s);
		return;
	}
	w->refresh_us = w->world->now_us + refresh_after(w, granted_s);
	if (!wic_accepted(w, granted_s))
		return;
	tally_took(w->world->tally, deed, w->world->now_us - w->asked_us);
	w->registered = true;
	if (w->exit != EXIT_NONE)
		wic_leave(w, w->exit, w->away_us);
}

static void unregistered(struct wic *w, const struct sip_message *m)
{
	uint32_t granted_s;

	if (contact_granted(w, m, &granted_s) && granted_s > 0) {
		wic_fail(w, FAILURE_STILL_BOUND, 0);
		return;
	}
	tally_took(w->world->tally, DEED_UNREGISTER, w->world->now_us - w->asked_us);
	wic_close(w, CLOSE_NORMAL);
}

static bool is_ours(const struct wic *w, const struct sip_message *m)
{
	static const enum sip_method asked[ASK_COUNT] = {
		[ASK_REGISTER] = SIP_REGISTER,
		[ASK_REFRESH] = SIP_REGISTER,
		[ASK_UNREGISTER] = SIP_REGISTER,
		[ASK_MESSAGE] = SIP_MESSAGE,
		[ASK_OPTIONS] = SIP_OPTIONS,
		[ASK_INVITE] = SIP_INVITE,
		[ASK_BYE] = SIP_BYE,
	};
	uint8_t text[64];
	struct writer call_id;

	writer_init(&call_id, text, sizeof(text));
	wic_write_call_id(w, w->ask, &call_id);
	return w->ask != ASK_NOTHING && m->method == asked[w->ask] && m->cseq == w->cseq &&
	       span_equal(sip_value(m, SIP_HEADER_CALL_ID), writer_span(&call_id));
}

static void response(struct wic *w, const struct sip_message *m)
{
	static const enum failure refused[ASK_COUNT] = {
		[ASK_REGISTER] = FAILURE_REGISTER_REFUSED,
		[ASK_REFRESH] = FAILURE_REFRESH_REFUSED,
		[ASK_UNREGISTER] = FAILURE_UNREGISTER_REFUSED,
		[ASK_MESSAGE] = FAILURE_MESSAGE_REFUSED,
		[ASK_OPTIONS] = FAILURE_OPTIONS_REFUSED,
		[ASK_INVITE] = FAILURE_INVITE_REFUSED,
		[ASK_BYE] = FAILURE_BYE_REFUSED,
	};
	enum wic_ask asked = w->ask;

	if (!is_ours(w, m)) {
		tally_failure(w->world->tally, FAILURE_UNMATCHED, m->status);
		return;
	}
	if (m->status < 200)
		return;
	w->ask = ASK_NOTHING;
	w->deadline_us = 0;
	if (w->visit.rogue != ROGUE_NONE)
		wic_rogue_answered(w, m);
	else if (m->status >= 300 && !wic_addressee_gone(w, asked))
		wic_fail(w, refused[asked], m->status);
	else if (asked == ASK_UNREGISTER)
		unregistered(w, m);
	else if (asked >= ASK_MESSAGE)
		wic_answered(w, asked, m);
	else
		registered(w, m, asked == ASK_REGISTER ? DEED_REGISTER : DEED_REFRESH);
}

/* ---- what the server asks ------------------------------------------------------------------ */

static void request(struct wic *w, const struct sip_message *m)
{
	bool expected =
		m->method == SIP_MESSAGE || m->method == SIP_OPTIONS || m->method == SIP_NOTIFY;
	struct writer text;

	if (!expected)
		tally_failure(w->world->tally, FAILURE_REQUEST, m->method);
	wic_check_request(w, m);
	if (m->method == SIP_ACK)
		return;
	writer_init(&text, w->world->text, sizeof(w->world->text));
	if (sip_reply_write(m, expected ? 200 : 501, SPAN("load"), SPAN(""), &text) != GW_OK)
		wic_fail(w, FAILURE_OUTPUT, 0);
	else if (wic_send(w, WS_TEXT, writer_span(&text)))
		tally_count(w->world->tally, COUNT_REQUEST);
}

void wic_message(struct wic *w, struct span text)
{
	struct sip_message *m = &w->world->message;
	enum gw_err err;

	if (span_equal(text, SPAN("\r\n")) || span_equal(text, SPAN("\r\n\r\n")))
		return; /* keep-alive (RFC 5626 3.5.1); SIP.js leaves it unanswered */
	err = sip_index(text, m);
	if (err != GW_OK)
		wic_fail(w, FAILURE_SIP, err);
	else if (m->is_request)
		request(w, m);
	else
		response(w, m);
}
