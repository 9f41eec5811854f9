/* SPDX-License-Identifier: BSD-3-Clause */
#include "utf8.h"

#include "ws.h"

/* What must come next inside a character. The rows are the lines of RFC 3629 section 4: E0, ED, F0
 * and F4 narrow the second byte, which keeps out overlong forms, surrogates and what lies past
 * U+10FFFF. */
enum { TAIL1 = 1, TAIL2, TAIL3, AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4 };

struct utf8_row {
	uint8_t low, high; /* of the next byte */
	uint8_t next;
};

static const struct utf8_row utf8_rows[] = {
	[TAIL1] = {0x80, 0xBF, WS_UTF8_BOUNDARY},
	[TAIL2] = {0x80, 0xBF, TAIL1},
	[TAIL3] = {0x80, 0xBF, TAIL2},
	[AFTER_E0] = {0xA0, 0xBF, TAIL1},
	[AFTER_ED] = {0x80, 0x9F, TAIL1},
	[AFTER_F0] = {0x90, 0xBF, TAIL2},
	[AFTER_F4] = {0x80, 0x8F, TAIL2},
};

static uint8_t utf8_lead(uint8_t c)
{
	switch (c) {
	case 0x00 ... 0x7F:
		return WS_UTF8_BOUNDARY;
	case 0xC2 ... 0xDF:
		return TAIL1;
	case 0xE0:
		return AFTER_E0;
	case 0xED:
		return AFTER_ED;
	case 0xE1 ... 0xEC:
	case 0xEE ... 0xEF:
		return TAIL2;
	case 0xF0:
		return AFTER_F0;
	case 0xF1 ... 0xF3:
		return TAIL3;
	case 0xF4:
		return AFTER_F4;
	default:
		return WS_UTF8_INVALID;
	}
}

static uint8_t utf8_step(uint8_t state, uint8_t c)
{
	if (state == WS_UTF8_BOUNDARY)
		return utf8_lead(c);
	if (c < utf8_rows[state].low || c > utf8_rows[state].high)
		return WS_UTF8_INVALID;
	return utf8_rows[state].next;
}

/* SIP is nearly all ASCII: eight bytes at a time. */
static void utf8_skip_ascii(struct span *bytes)
{
	struct span word;
	uint64_t bits;

	for (struct span rest = *bytes; span_take(&rest, sizeof(bits), &word); *bytes = rest) {
		memcpy(&bits, word.at, sizeof(bits));
		if ((bits & 0x8080808080808080u) != 0)
			return;
	}
}

uint8_t ws_utf8_feed(uint8_t state, struct span bytes)
{
	uint8_t c;

	while (state != WS_UTF8_INVALID) {
		if (state == WS_UTF8_BOUNDARY)
			utf8_skip_ascii(&bytes);
		if (!span_u8(&bytes, &c))
			break;
		state = utf8_step(state, c);
	}
	return state;
}

bool ws_is_utf8(struct span bytes)
{
	return ws_utf8_feed(WS_UTF8_BOUNDARY, bytes) == WS_UTF8_BOUNDARY;
}
