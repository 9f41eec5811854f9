/* SPDX-License-Identifier: BSD-3-Clause */
#include "core.h"

#define LENGTH_0 "Content-Length: 0\r\n\r\n"
#define TO_TAG SPAN("core")

static const char sdp[] = "v=0\r\n"
			  "o=- 1 1 IN IP4 198.18.0.20\r\n"
			  "s=-\r\n"
			  "t=0 0\r\n"
			  "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
			  "c=IN IP4 198.18.0.20\r\n"
			  "a=ice-ufrag:k2Hd\r\n"
			  "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
			  "a=setup:active\r\n"
			  "a=rtcp-mux\r\n"
			  "a=rtpmap:111 opus/48000/2\r\n";

/** Copies every line with that id. */
static void copy(const struct sip_message *m, enum sip_header id, struct writer *out)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f))
		writer_put(out, f->line);
}

/** Asks for its registration's end. */
static bool is_leaving(const struct sip_message *m)
{
	struct sip_address contact = sip_address_parse(sip_value(m, SIP_HEADER_CONTACT));
	struct span expires = sip_value(m, SIP_HEADER_EXPIRES);
	uint32_t seconds = 1;

	if (contact.err == GW_OK)
		(void)sip_param(contact.params, SPAN("expires"), &expires);
	return sip_seconds(expires, &seconds) && seconds == 0;
}

static void registered(struct core *core, struct writer *extra)
{
	const struct sip_message *m = &core->message;
	struct sip_address to = sip_address_parse(sip_value(m, SIP_HEADER_TO));

	if (!is_leaving(m))
		copy(m, SIP_HEADER_CONTACT, extra);
	copy(m, SIP_HEADER_PATH, extra);
	writer_text(extra, "Service-Route: <sip:orig@");
	writer_text(extra, core->address);
	writer_text(extra, ";transport=tcp;lr>\r\nP-Associated-URI: <");
	writer_put(extra, to.uri_text);
	writer_text(extra, ">\r\n");
}

static void dialog(const struct core *core, struct writer *extra)
{
	copy(&core->message, SIP_HEADER_RECORD_ROUTE, extra);
	writer_text(extra, "Contact: <sip:echo@");
	writer_text(extra, core->address);
	writer_text(extra, ";transport=tcp>\r\n");
}

static void reply(struct core *core, uint16_t status, struct span extra, struct writer *out)
{
	struct writer before = *out;

	if (sip_reply_write(&core->message, status, TO_TAG, extra, out) != GW_OK) {
		*out = before;
		core->refused++;
		return;
	}
	core->answered += status >= 200;
}

/** The 200 to an INVITE: a reply with a body. */
static void accept_call(struct core *core, struct span extra, struct writer *out)
{
	uint64_t refused = core->refused;

	reply(core, 200, extra, out);
	if (core->refused != refused)
		return;
	out->at -= sizeof(LENGTH_0) - 1;
	writer_text(out, "Content-Type: application/sdp\r\nContent-Length: ");
	writer_decimal(out, sizeof(sdp) - 1);
	writer_text(out, "\r\n\r\n");
	writer_text(out, sdp);
}

static void answer(struct core *core, struct writer *out)
{
	const struct sip_message *m = &core->message;
	struct sip_uri uri = sip_uri_parse(m->uri);
	uint8_t text[2048];
	struct writer extra;

	if (m->method == SIP_ACK || span_equal(uri.user, SPAN("silent")))
		return;
	writer_init(&extra, text, sizeof(text));
	if (m->method == SIP_REGISTER)
		registered(core, &extra);
	else if (m->method == SIP_INVITE)
		dialog(core, &extra);
	if (!writer_ok(&extra)) {
		core->refused++;
		return;
	}
	if (m->method != SIP_INVITE) {
		reply(core, 200, writer_span(&extra), out);
		return;
	}
	reply(core, 180, writer_span(&extra), out);
	if (!span_equal(uri.user, SPAN("ringing")))
		accept_call(core, writer_span(&extra), out);
}

bool core_serve(struct core *core, struct span *in, struct writer *out)
{
	while (writer_room(out) >= CORE_MESSAGE_MAX) {
		struct sip_frame frame = sip_frame_read(*in, CORE_MESSAGE_MAX);

		*in = span_from(*in, frame.skip);
		if (frame.err != GW_OK)
			return frame.err == GW_AGAIN;
		if (sip_index(span_cut(*in, 0, frame.len), &core->message) == GW_OK &&
		    core->message.is_request)
			answer(core, out);
		else
			core->refused++;
		*in = span_from(*in, frame.len);
	}
	return true;
}
