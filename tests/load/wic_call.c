/* SPDX-License-Identifier: BSD-3-Clause */
#include "wic.h"

/* What a WIC says to others: MESSAGEs, and calls that end as soon as they are answered. */

static const char sdp[] = "v=0\r\n"
			  "o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n"
			  "s=-\r\n"
			  "t=0 0\r\n"
			  "a=group:BUNDLE 0\r\n"
			  "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
			  "c=IN IP4 0.0.0.0\r\n"
			  "a=ice-ufrag:8hhY\r\n"
			  "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
			  "a=fingerprint:sha-256 "
			  "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:"
			  "19:E5:7C:AB:3E:5D:49:6B:19:E5:7C:AB:00:01:02:03\r\n"
			  "a=setup:actpass\r\n"
			  "a=mid:0\r\n"
			  "a=sendrecv\r\n"
			  "a=rtcp-mux\r\n"
			  "a=rtpmap:111 opus/48000/2\r\n";
static const char words[] = "Is this a good time to call you about Thursday?";

/** All that the requests of a WIC to others have, up to CSeq. to: the value of To. */
static void write_head(const struct wic *w, const char *method, struct span uri, struct span to,
		       struct writer *out)
{
	const uint64_t branch = chance_next(&w->world->chance);

	writer_text(out, method);
	writer_text(out, " ");
	writer_put(out, uri);
	writer_text(out, " SIP/2.0\r\nVia: SIP/2.0/WSS ");
	wic_write_host(w, out);
	writer_text(out, ";branch=z9hG4bK");
	writer_hex(out, span_of(&branch, sizeof(branch)));
	writer_text(out, "\r\nMax-Forwards: 69\r\nTo: ");
	writer_put(out, to);
	writer_text(out, "\r\nFrom: <");
	writer_put(out, w->pair->impu);
	writer_text(out, ">;tag=t");
	writer_decimal(out, w->dialog.number);
	writer_text(out, "\r\nCall-ID: ");
	wic_write_call_id(w, ASK_MESSAGE, out);
	writer_text(out, "\r\nCSeq: ");
	writer_decimal(out, w->cseq);
	writer_text(out, " ");
	writer_text(out, method);
	writer_text(out, "\r\n");
}

static void write_body(const char *type, struct span body, struct writer *out)
{
	writer_text(out, "Supported: outbound\r\nUser-Agent: wicgate-load\r\n");
	if (body.len > 0) {
		writer_text(out, "Content-Type: ");
		writer_text(out, type);
		writer_text(out, "\r\n");
	}
	writer_text(out, "Content-Length: ");
	writer_decimal(out, body.len);
	writer_text(out, "\r\n\r\n");
	writer_put(out, body);
}

/** Whom it is for: a visitor of the site, or whom the command line names. */
static struct span addressee_uri(const struct wic *w)
{
	if (w->addressee.visit != 0)
		return w->world->site->pairs->pair[w->addressee.pair].impu;
	return span_text(w->world->options->to);
}

/** The first request of something new. */
static void write_initial(struct wic *w, const char *method, struct writer *out)
{
	struct span uri = addressee_uri(w);
	uint8_t text[256];
	struct writer to;

	w->dialog.number = ++w->cseq;
	writer_init(&to, text, sizeof(text));
	writer_text(&to, "<");
	writer_put(&to, uri);
	writer_text(&to, ">");
	out->full |= !writer_ok(&to);
	write_head(w, method, uri, writer_span(&to), out);
}

void wic_write_message(struct wic *w, struct writer *out)
{
	write_initial(w, "MESSAGE", out);
	write_body("text/plain", span_text(words), out);
}

static void write_options(struct wic *w, struct writer *out)
{
	write_initial(w, "OPTIONS", out);
	writer_text(out, "Accept: application/sdp\r\n");
	write_body("", SPAN(""), out);
}

void wic_write_invite(struct wic *w, struct writer *out)
{
	write_initial(w, "INVITE", out);
	writer_text(out, "Contact: <");
	wic_write_contact_uri(w, out);
	writer_text(out, ";ob>\r\nAllow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,"
			 "NOTIFY\r\n");
	write_body("application/sdp", span_text(sdp), out);
}

void wic_do(struct wic *w, enum wic_deed deed)
{
	static const enum wic_ask asks[] = {
		[WIC_MESSAGE] = ASK_MESSAGE, [WIC_CALL] = ASK_INVITE, [WIC_OPTIONS] = ASK_OPTIONS};
	struct writer text;

	if (deed == WIC_REREGISTER || deed == WIC_REREGISTER_AGAIN) {
		w->token_stays = deed == WIC_REREGISTER_AGAIN;
		wic_register(w);
		return;
	}
	writer_init(&text, w->world->text, sizeof(w->world->text));
	if (deed == WIC_MESSAGE)
		wic_write_message(w, &text);
	else if (deed == WIC_OPTIONS)
		write_options(w, &text);
	else
		wic_write_invite(w, &text);
	wic_ask(w, asks[deed], &text);
}

/* ---- the call ------------------------------------------------------------------------------ */

/** Writes the elements of Record-Route as Route lines, the last one first (RFC 3261 12.1.2). */
static void write_routes(const struct sip_message *m, struct writer *out)
{
	struct span route[8], rest;
	uint32_t count = 0;

	for (const struct sip_field *f = sip_first(m, SIP_HEADER_RECORD_ROUTE); f != NULL;
	     f = sip_next(m, f)) {
		rest = f->value;
		while (count < 8 && sip_list_next(&rest, &route[count]))
			count++;
	}
	while (count-- > 0) {
		writer_text(out, "Route: ");
		writer_put(out, route[count]);
		writer_text(out, "\r\n");
	}
}

/** Keeps of a 200 what the requests of its dialog need. False: it makes none, or has no room. */
static bool dialog_keep(struct wic_dialog *d, const struct sip_message *m)
{
	struct sip_address contact = sip_address_parse(sip_value(m, SIP_HEADER_CONTACT));
	struct sip_address to = sip_address_parse(sip_value(m, SIP_HEADER_TO));
	struct span tag;
	struct writer text;
	uint32_t mark;

	if (contact.err != GW_OK || to.err != GW_OK || !sip_param(to.params, SPAN("tag"), &tag))
		return false;
	writer_init(&text, d->text, sizeof(d->text));
	writer_put(&text, contact.uri_text);
	d->target = writer_span(&text);
	mark = writer_len(&text);
	writer_put(&text, sip_value(m, SIP_HEADER_TO));
	d->to = writer_since(&text, mark);
	mark = writer_len(&text);
	write_routes(m, &text);
	d->route = writer_since(&text, mark);
	return writer_ok(&text);
}

static void write_in_dialog(struct wic *w, const char *method, struct writer *out)
{
	writer_init(out, w->world->text, sizeof(w->world->text));
	write_head(w, method, w->dialog.target, w->dialog.to, out);
	writer_put(out, w->dialog.route);
	write_body("", SPAN(""), out);
}

/** ACK, and BYE behind it. */
static void call_answered(struct wic *w, const struct sip_message *m)
{
	uint64_t began_us = w->asked_us;
	struct writer text;

	if (!dialog_keep(&w->dialog, m)) {
		wic_fail(w, FAILURE_DIALOG, 0);
		return;
	}
	write_in_dialog(w, "ACK", &text);
	if (!writer_ok(&text)) {
		wic_fail(w, FAILURE_OUTPUT, 0);
		return;
	}
	if (!wic_send(w, WS_TEXT, writer_span(&text)))
		return;
	w->cseq++;
	write_in_dialog(w, "BYE", &text);
	wic_ask(w, ASK_BYE, &text);
	w->asked_us = began_us; /* a call is timed as a whole */
}

void wic_answered(struct wic *w, enum wic_ask asked, const struct sip_message *m)
{
	static const enum deed deeds[ASK_COUNT] = {
		[ASK_MESSAGE] = DEED_MESSAGE, [ASK_OPTIONS] = DEED_OPTIONS, [ASK_BYE] = DEED_CALL};

	if (asked == ASK_INVITE) {
		call_answered(w, m);
		return;
	}
	if (m->status < 300)
		tally_took(w->world->tally, deeds[asked], w->world->now_us - w->asked_us);
	if (w->exit != EXIT_NONE)
		wic_leave(w, w->exit, w->away_us);
}
