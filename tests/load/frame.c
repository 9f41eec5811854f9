/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

enum { FRAME_FIN = 0x80, FRAME_MASKED = 0x80, FRAME_CONTROL = 0x08, FRAME_CONTROL_MAX = 125 };

void frame_write(struct writer *out, enum ws_opcode opcode, uint32_t mask, struct span payload)
{
	const uint8_t key[4] = {(uint8_t)(mask >> 24), (uint8_t)(mask >> 16), (uint8_t)(mask >> 8),
				(uint8_t)mask};

	writer_u8(out, (uint8_t)(FRAME_FIN | opcode));
	if (payload.len <= FRAME_CONTROL_MAX) {
		writer_u8(out, (uint8_t)(FRAME_MASKED | payload.len));
	} else if (payload.len <= UINT16_MAX) {
		writer_u8(out, FRAME_MASKED | 126);
		writer_u16_be(out, (uint16_t)payload.len);
	} else {
		writer_u8(out, FRAME_MASKED | 127);
		writer_u64_be(out, payload.len);
	}
	writer_bytes(out, key, sizeof(key));
	for (uint32_t i = 0; i < payload.len; i++)
		writer_u8(out, payload.at[i] ^ key[i % 4]);
}

static enum gw_err opcode_check(uint8_t first)
{
	switch (first & 0x7f) {
	case WS_TEXT:
	case WS_BINARY:
		return (first & FRAME_FIN) != 0 ? GW_OK : GW_WS_FRAGMENT;
	case WS_CONTINUATION:
		return GW_WS_FRAGMENT;
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return (first & FRAME_FIN) != 0 ? GW_OK : GW_WS_CONTROL;
	default: /* with the reserved bits still in: none of them may be set */
		return GW_WS_RESERVED;
	}
}

/** The payload's length; each form may be used only for what the shorter one cannot say. */
static enum gw_err length_read(struct span *in, uint8_t second, uint64_t *len)
{
	uint16_t medium;

	*len = second;
	if (second < 126)
		return GW_OK;
	if (second == 126) {
		if (!span_u16_be(in, &medium))
			return GW_AGAIN;
		*len = medium;
		return medium < 126 ? GW_WS_LENGTH : GW_OK;
	}
	if (!span_u64_be(in, len))
		return GW_AGAIN;
	return *len <= UINT16_MAX ? GW_WS_LENGTH : GW_OK;
}

enum gw_err frame_read(struct span *in, uint32_t max_payload, struct frame *out)
{
	struct span rest = *in;
	uint8_t first, second;
	uint64_t len;
	enum gw_err err;

	if (!span_u8(&rest, &first) || !span_u8(&rest, &second))
		return GW_AGAIN;
	err = opcode_check(first);
	if (err != GW_OK)
		return err;
	if ((second & FRAME_MASKED) != 0)
		return GW_WS_RESERVED;
	if ((first & FRAME_CONTROL) != 0 && second > FRAME_CONTROL_MAX)
		return GW_WS_CONTROL;
	err = length_read(&rest, second, &len);
	if (err != GW_OK)
		return err;
	if (len > max_payload)
		return GW_WS_TOO_LONG;
	if (!span_take(&rest, (uint32_t)len, &out->payload))
		return GW_AGAIN;
	out->opcode = (enum ws_opcode)(first & 0x0f);
	*in = rest;
	return GW_OK;
}
