/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/lexer.h"
#include "sip/start.h"

/* What the header section of a message in a stream says about its length. */
struct head {
	enum gw_err err; /* GW_AGAIN: no empty line yet */
	uint32_t len;	 /* start line to empty line */
	bool has_length;
	uint32_t body; /* Content-Length */
};

/* Drops keep-alive CRLFs. What may still become a ping, half a CRLFCRLF at the end, stays. */
static void skip_keepalive(struct span stream, struct sip_frame *frame)
{
	uint32_t pairs = 0;
	struct span rest = stream;

	for (; span_starts(rest, SPAN("\r\n")); pairs++)
		rest = span_from(rest, 2);
	if (pairs % 2 == 1 && (rest.len == 0 || span_equal(rest, SPAN("\r"))))
		pairs--;
	frame->skip = pairs * 2;
	frame->ping = pairs > 1;
}

/* Two Content-Lengths that differ would let two parsers see two streams. */
static bool take_length(struct head *head, struct span value)
{
	uint32_t length = 0;

	if (!sip_number(value, UINT32_MAX, &length))
		head->err = GW_SIP_CONTENT_LENGTH;
	else if (head->has_length && length != head->body)
		head->err = GW_SIP_CONTENT_LENGTH;
	head->has_length = true;
	head->body = length;
	return head->err == GW_AGAIN;
}

static struct head read_head(struct span text)
{
	struct sip_start start = sip_start_read(text);
	struct head head = {.err = GW_AGAIN, .len = start.used};
	struct span rest = span_from(text, start.used);

	if (start.used == 0) {
		head.err = start.err;
		return head;
	}
	while (!span_starts(rest, SPAN("\r\n"))) {
		struct sip_line line;

		if (span_equal(rest, SPAN("\r")))
			return head;
		sip_lexer_frame(rest, &line);
		head.err = line.err;
		if (line.err != GW_OK)
			return head;
		head.err = GW_AGAIN;
		if (line.id == SIP_HEADER_CONTENT_LENGTH && !take_length(&head, line.value))
			return head;
		head.len += line.used;
		rest = span_from(rest, line.used);
	}
	head.len += 2;
	head.err = head.has_length ? GW_OK : GW_SIP_CONTENT_LENGTH;
	return head;
}

struct sip_frame sip_frame_read(struct span stream, uint32_t max_message)
{
	struct sip_frame frame = {.err = GW_AGAIN};
	struct span text;
	struct head head;

	skip_keepalive(stream, &frame);
	text = span_cut(stream, frame.skip, max_message);
	if (span_starts(text, SPAN("\r\n")) || span_equal(text, SPAN("\r")))
		return frame;
	head = read_head(text);
	frame.err = head.err;
	if (head.err == GW_AGAIN && text.len == max_message)
		frame.err = GW_SIP_TOO_LONG;
	if (head.err != GW_OK)
		return frame;
	if (head.body > max_message - head.len) {
		frame.err = GW_SIP_TOO_LONG;
		return frame;
	}
	frame.len = head.len + head.body;
	if (text.len < frame.len)
		return (struct sip_frame){GW_AGAIN, frame.skip, 0, frame.ping};
	return frame;
}
