/* SPDX-License-Identifier: BSD-3-Clause */
#include "utf8.h"
#include "ws.h"

/* RFC 6455 section 5.2 */
#define FRAME_FIN 0x80
#define FRAME_RESERVED 0x70
#define FRAME_OPCODE 0x0F
#define FRAME_CONTROL 0x08
#define FRAME_MASK 0x80
#define FRAME_LENGTH 0x7F
#define FRAME_LENGTH_16 126
#define FRAME_LENGTH_64 127
#define FRAME_CONTROL_MAX 125 /* section 5.5 */

#define CLOSE_NONE 1005 /* section 7.4.1: the close frame had no code */

static bool frame_is_control(uint8_t opcode)
{
	return (opcode & FRAME_CONTROL) != 0;
}

static enum gw_err frame_flags(uint8_t flags, struct ws_frame *frame)
{
	uint8_t opcode = flags & FRAME_OPCODE;

	if ((flags & FRAME_RESERVED) != 0)
		return GW_WS_RESERVED; /* no extension was negotiated */
	if ((opcode > WS_BINARY && opcode < WS_CLOSE) || opcode > WS_PONG)
		return GW_WS_RESERVED;
	if (frame_is_control(opcode) && (flags & FRAME_FIN) == 0)
		return GW_WS_CONTROL;
	frame->fin = (flags & FRAME_FIN) != 0;
	frame->opcode = (enum ws_opcode)opcode;
	return GW_OK;
}

/* The length after its first seven bits, which say how many bytes follow. */
static enum gw_err frame_length(struct span *rest, uint8_t bits, uint64_t *n)
{
	uint16_t n16;

	*n = bits;
	if (bits < FRAME_LENGTH_16)
		return GW_OK;
	if (bits == FRAME_LENGTH_16) {
		if (!span_u16_be(rest, &n16))
			return GW_AGAIN;
		*n = n16;
		return n16 < FRAME_LENGTH_16 ? GW_WS_LENGTH : GW_OK;
	}
	if (!span_u64_be(rest, n))
		return GW_AGAIN;
	return *n <= UINT16_MAX || *n > INT64_MAX ? GW_WS_LENGTH : GW_OK;
}

enum gw_err ws_frame_read(struct span *in, uint32_t max_payload, struct ws_frame *frame)
{
	struct span rest = *in;
	struct ws_frame read = {0};
	uint8_t flags, length;
	enum gw_err err;

	if (!span_u8(&rest, &flags))
		return GW_AGAIN;
	err = frame_flags(flags, &read);
	if (err != GW_OK)
		return err;
	if (!span_u8(&rest, &length))
		return GW_AGAIN;
	if ((length & FRAME_MASK) == 0)
		return GW_WS_UNMASKED; /* RFC 6455 section 5.1: close, do not repair */
	length &= FRAME_LENGTH;
	if (frame_is_control(read.opcode) && length > FRAME_CONTROL_MAX)
		return GW_WS_CONTROL;
	err = frame_length(&rest, length, &read.payload_len);
	if (err != GW_OK)
		return err;
	if (!frame_is_control(read.opcode) && read.payload_len > max_payload)
		return GW_WS_TOO_LONG; /* before waiting for bytes we would refuse anyway */
	if (!span_copy(&rest, read.mask, sizeof(read.mask)))
		return GW_AGAIN;
	*frame = read;
	*in = rest;
	return GW_OK;
}

void ws_unmask(uint8_t *bytes, uint32_t n, const uint8_t mask[4], uint32_t offset)
{
	uint8_t turned[8]; /* the mask as it lies over any eight bytes from here on */
	uint64_t key, word;
	uint32_t i;

	for (i = 0; i < sizeof(turned); i++)
		turned[i] = mask[(offset + i) & 3];
	memcpy(&key, turned, sizeof(key));
	for (i = 0; n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		word ^= key;
		memcpy(bytes + i, &word, sizeof(word));
	}
	for (; i < n; i++)
		bytes[i] ^= turned[i & 7];
}

void ws_head_write(enum ws_opcode opcode, uint32_t n, struct writer *out)
{
	writer_u8(out, (uint8_t)(FRAME_FIN | opcode));
	if (n < FRAME_LENGTH_16) {
		writer_u8(out, (uint8_t)n);
	} else if (n <= UINT16_MAX) {
		writer_u8(out, FRAME_LENGTH_16);
		writer_u16_be(out, (uint16_t)n);
	} else {
		writer_u8(out, FRAME_LENGTH_64);
		writer_u64_be(out, n);
	}
}

/* The longest part of reason that fits beside the code and does not cut a character in two. */
static struct span close_reason(struct span reason)
{
	uint32_t n = FRAME_CONTROL_MAX - sizeof(uint16_t);

	if (reason.len <= n)
		return reason;
	while (n > 0 && (reason.at[n] & 0xC0) == 0x80)
		n--;
	return span_cut(reason, 0, n);
}

void ws_close_write(uint16_t code, struct span reason, struct writer *out)
{
	if (code == 0) {
		ws_head_write(WS_CLOSE, 0, out);
		return;
	}
	if (code == CLOSE_NONE || code == 1006 || code == 1015)
		code = 1000;
	reason = close_reason(reason);
	ws_head_write(WS_CLOSE, (uint32_t)sizeof(code) + reason.len, out);
	writer_u16_be(out, code);
	writer_put(out, reason);
}

uint16_t ws_close_code(enum gw_err err)
{
	switch (err) {
	case GW_OK:
	case GW_CONN_CLOSED:
	case GW_TLS_CLOSED:
	case GW_WS_CLOSED:
		return 1000;
	case GW_STOPPING:
	case GW_REG_DEACTIVATED: /* to come back at once, as after a restart */
		return 1001;
	case GW_WS_UNMASKED ... GW_WS_LENGTH:
	case GW_WS_CLOSE_CODE:
	case GW_SIP_START_LINE ... GW_SIP_HEADERS_MANY:
		return 1002;
	case GW_WS_UTF8:
		return 1007;
	case GW_WS_TOO_LONG:
	case GW_SIP_TOO_LONG:
		return 1009;
	case GW_TIMEOUT: /* before a registration: PROTOCOL 2.2 */
	case GW_CONN_LIMIT:
	case GW_WS_SLOW:
	case GW_WS_SILENT:
	case GW_SIP_MISSING ... GW_SIP_CONTENT_LENGTH:
	case GW_SIP_URI ... GW_IDENTITY_SYNTAX:
	case GW_FLOW_FORGED:
	case GW_FLOW_GONE:
	case GW_BINDING_LIMIT:
	case GW_BINDING_REPLACED:
	case GW_TRANSACTION_LIMIT:
	case GW_REG_REJECTED:
		return 1008;
	default:
		return 1011;
	}
}
