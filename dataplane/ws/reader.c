/* SPDX-License-Identifier: BSD-3-Clause */
#include "utf8.h"
#include "ws.h"

void ws_reader_init(struct ws_reader *r, uint32_t max_message)
{
	*r = (struct ws_reader){.max_message = max_message};
}

static struct ws_event reader_fail(struct ws_reader *r, enum gw_err err)
{
	r->failed = (uint8_t)err;
	return (struct ws_event){.kind = WS_FAILED, .err = err};
}

/* Message and raw bytes to the start of the buffer. A message lies there from then on, and what
 * is raw is at most a frame head or part of a control frame: little moves twice. */
static struct ws_event reader_need_more(struct ws_reader *r, uint8_t *buffer, uint32_t *len)
{
	uint32_t raw_len = *len - r->raw;

	if (r->start > 0)
		memmove(buffer, buffer + r->start, r->assembled);
	if (r->raw > r->assembled)
		memmove(buffer + r->assembled, buffer + r->raw, raw_len);
	r->start = 0;
	r->raw = r->assembled;
	*len = r->assembled + raw_len;
	return (struct ws_event){.kind = WS_NEED_MORE};
}

static struct ws_event reader_message(const struct ws_reader *r, const uint8_t *buffer)
{
	return (struct ws_event){
		.kind = WS_MESSAGE,
		.payload = span_of(buffer + r->start, r->assembled),
		.text = r->opcode == WS_TEXT,
	};
}

static bool reader_complete(const struct ws_reader *r)
{
	return r->opcode != 0 && r->fin && !r->in_frame;
}

/* RFC 6455 section 7.4 and the IANA registry it made: codes that may stand in a close frame. */
static bool close_code_valid(uint16_t code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

static struct ws_event reader_close(struct ws_reader *r, struct span payload)
{
	struct ws_event event = {.kind = WS_CONTROL_CLOSE, .close_code = 1005};

	if (payload.len == 0)
		return event;
	if (!span_u16_be(&payload, &event.close_code) || !close_code_valid(event.close_code))
		return reader_fail(r, GW_WS_CLOSE_CODE);
	if (!ws_is_utf8(payload))
		return reader_fail(r, GW_WS_UTF8);
	event.payload = payload;
	return event;
}

/* A control frame, whose payload starts with in, once it is whole. */
static struct ws_event reader_control(struct ws_reader *r, const struct ws_frame *frame,
				      struct span in, uint8_t *buffer, uint32_t *len)
{
	uint32_t n = (uint32_t)frame->payload_len;
	uint32_t at = (uint32_t)(in.at - buffer);
	struct span payload;

	if (!span_take(&in, n, &payload))
		return reader_need_more(r, buffer, len);
	ws_unmask(buffer + at, n, frame->mask, 0);
	r->raw = at + n;
	if (frame->opcode == WS_CLOSE)
		return reader_close(r, payload);
	return (struct ws_event){
		.kind = frame->opcode == WS_PING ? WS_CONTROL_PING : WS_CONTROL_PONG,
		.payload = payload,
	};
}

static enum gw_err reader_begin_frame(struct ws_reader *r, const struct ws_frame *frame,
				      uint32_t payload_at)
{
	if ((frame->opcode == WS_CONTINUATION) != (r->opcode != 0))
		return GW_WS_FRAGMENT; /* RFC 6455 section 5.4 */
	r->raw = payload_at;
	if (frame->opcode != WS_CONTINUATION)
		r->opcode = (uint8_t)frame->opcode;
	if (r->assembled == 0)
		r->start = payload_at; /* the first bytes of a message stay where they are */
	r->fin = frame->fin;
	r->in_frame = true;
	r->frame_left = (uint32_t)frame->payload_len;
	memcpy(r->mask, frame->mask, sizeof(r->mask));
	r->mask_offset = 0;
	return GW_OK;
}

/* Takes payload of the frame under way, as far as it is there, to the end of the message. */
static enum gw_err reader_payload(struct ws_reader *r, uint8_t *buffer, uint32_t len)
{
	uint8_t *to = buffer + r->start + r->assembled;
	uint32_t n = span_cut(span_of(buffer + r->raw, len - r->raw), 0, r->frame_left).len;

	if (to != buffer + r->raw)
		memmove(to, buffer + r->raw, n);
	ws_unmask(to, n, r->mask, r->mask_offset);
	r->raw += n;
	r->assembled += n;
	r->frame_left -= n;
	r->mask_offset = (uint8_t)((r->mask_offset + n) & 3);
	r->in_frame = r->frame_left > 0;
	if (r->opcode != WS_TEXT)
		return GW_OK;
	r->utf8_state = ws_utf8_feed(r->utf8_state, span_of(to, n));
	if (r->utf8_state == WS_UTF8_INVALID)
		return GW_WS_UTF8;
	return reader_complete(r) && r->utf8_state != WS_UTF8_BOUNDARY ? GW_WS_UTF8 : GW_OK;
}

/* Looks at the next frame head. *event is what comes of it; false: go on, a data frame began. */
static bool reader_head(struct ws_reader *r, uint8_t *buffer, uint32_t *len, struct ws_event *event)
{
	struct span in = span_of(buffer + r->raw, *len - r->raw);
	struct ws_frame frame;
	enum gw_err err = ws_frame_read(&in, r->max_message - r->assembled, &frame);

	if (err == GW_OK && frame.opcode >= WS_CLOSE) {
		*event = reader_control(r, &frame, in, buffer, len);
		return true;
	}
	if (err == GW_OK)
		err = reader_begin_frame(r, &frame, (uint32_t)(in.at - buffer));
	if (err == GW_OK)
		return false;
	*event = err == GW_AGAIN ? reader_need_more(r, buffer, len) : reader_fail(r, err);
	return true;
}

struct ws_event ws_read(struct ws_reader *r, uint8_t *buffer, uint32_t *len)
{
	struct ws_event event;
	enum gw_err err;

	if (r->failed != GW_OK)
		return reader_fail(r, (enum gw_err)r->failed);
	while (!reader_complete(r)) {
		if (!r->in_frame && reader_head(r, buffer, len, &event))
			return event;
		err = reader_payload(r, buffer, *len);
		if (err != GW_OK)
			return reader_fail(r, err);
		if (r->in_frame)
			return reader_need_more(r, buffer, len);
	}
	return reader_message(r, buffer);
}

void ws_read_done(struct ws_reader *r)
{
	if (!reader_complete(r))
		return;
	r->opcode = 0;
	r->fin = false;
	r->assembled = 0;
	r->start = r->raw;
	r->utf8_state = WS_UTF8_BOUNDARY;
}
