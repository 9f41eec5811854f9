/* SPDX-License-Identifier: BSD-3-Clause */
#include "../sip/check.h"
#include "gateway/internal.h"

/*
 * The input is the value of a credential of a REGISTER, and of a challenge. What the core gets of
 * the one says nothing of its protection but our word, what a WIC gets of the other has no key of
 * AKA: as seen by a reader that knows nothing of credentials but quotes and words.
 */

#define LINES 6 /* the input is the rest of the last one, or is not looked at */
#define OURS ",integrity-protected=\"tls-pending\""

static struct gateway gw;
static struct sip_message message, again;
static uint8_t text[1 << 17], lines[GATEWAY_LINES_MAX], out[1 << 18];
static uint32_t text_len;

static void write_message(struct span value, const char *header)
{
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_text(&w, "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/WSS a\r\nFrom: <sip:a@h>;tag=1\r\n"
			"To: <sip:a@h>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n");
	writer_text(&w, header);
	writer_put(&w, value);
	writer_text(&w, "\r\n\r\n");
	text_len = writer_len(&w);
}

/** The message as text, edits begun. False: such a header there cannot be. */
static bool begin(struct span value, const char *header)
{
	write_message(value, header);
	writer_init(&gw.lines, lines, sizeof(lines));
	writer_init(&gw.out, out, sizeof(out));
	if (sip_index(span_of(text, text_len), &message) != GW_OK || message.count != LINES)
		return false;
	sip_splice_init(&gw.splice, &message);
	return true;
}

static bool write_out(void)
{
	enum gw_err err = sip_splice_write(&gw.splice, &gw.out);

	MUST(err == GW_OK || err == GW_SIP_EDITS_MANY);
	return err == GW_OK && sip_index(writer_span(&gw.out), &again) == GW_OK;
}

static void check_credential(struct span value)
{
	struct digest_credential before, after;
	struct span sent;

	if (!begin(value, "Authorization: "))
		return;
	before = digest_read(&message);
	if (before.field == NULL || before.err != GW_OK)
		return;
	digest_protect(&gw, before.field, SPAN("tls-pending"));
	if (!write_out())
		return;
	sent = sip_value(&again, SIP_HEADER_AUTHORIZATION);
	MUST(sent.len > strlen(OURS));
	MUST(span_equal(span_from(sent, sent.len - (uint32_t)strlen(OURS)), SPAN(OURS)));
	sent.len -= (uint32_t)strlen(OURS);
	MUST(!request_mentions(sent, SPAN("integrity-protected")));
	MUST(!request_mentions(sent, SPAN("authorization-entity")));
	MUST(!request_mentions(sent, SPAN("bearer")));
	after = digest_read(&again);
	MUST(after.err == GW_OK && after.aka == before.aka && after.answered == before.answered);
	MUST(span_equal(identity_span(&after.username), identity_span(&before.username)));
}

/** A word outside quotes that is called so and has a value. */
static bool has_key(struct span value, struct span name)
{
	bool quoted = false;

	for (uint32_t i = 0; i < value.len; i++) {
		struct span word = span_cut(value, i, name.len),
			    rest = span_from(value, i + name.len);

		if (value.at[i] == '\\' && quoted)
			i++;
		else if (value.at[i] == '"')
			quoted = !quoted;
		while (span_at(rest, 0) == ' ' || span_at(rest, 0) == '\t')
			rest = span_from(rest, 1);
		if (!quoted && span_equal_nocase(word, name) && span_at(rest, 0) == '=' &&
		    (i == 0 || strchr(" \t\n,;\"", value.at[i - 1]) != NULL))
			return true;
	}
	return false;
}

static void check_challenge(struct span value)
{
	struct span left;

	if (!begin(value, "WWW-Authenticate: "))
		return;
	digest_strip_keys(&gw, &message);
	if (!write_out())
		return;
	left = sip_value(&again, SIP_HEADER_WWW_AUTHENTICATE);
	MUST(!has_key(left, SPAN("ck")) && !has_key(left, SPAN("ik")));
	if (!request_mentions(value, SPAN("ck")) && !request_mentions(value, SPAN("ik")) &&
	    span_find(value, '\\') == value.len)
		MUST(span_equal(left, sip_value(&message, SIP_HEADER_WWW_AUTHENTICATE)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span value = span_of(data, (uint32_t)size);

	if (size > SIP_LINE_MAX)
		return 0;
	check_credential(value);
	check_challenge(value);
	return 0;
}
