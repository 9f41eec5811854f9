/* SPDX-License-Identifier: BSD-3-Clause */
#include "token.h"
#include "writer.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The six bits of a letter, plus one; 0: not a letter of the alphabet. */
static const uint8_t sextets[256] = {
	['A'] = 1,  ['B'] = 2,	['C'] = 3,  ['D'] = 4,	['E'] = 5,  ['F'] = 6,	['G'] = 7,
	['H'] = 8,  ['I'] = 9,	['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63,
	['_'] = 64,
};

/* Up to four letters become up to three bytes. False: foreign letter, a lone one, or unused bits
 * set. */
static bool group_decode(struct span letters4, struct writer *out)
{
	uint32_t bits = 0, unused = letters4.len * 6 % 8;

	for (uint32_t i = 0; i < letters4.len; i++) {
		uint8_t sextet = sextets[letters4.at[i]];

		if (sextet == 0)
			return false;
		bits = bits << 6 | (sextet - 1u);
	}
	if (unused == 6 || (bits & ((1u << unused) - 1)) != 0)
		return false;
	for (uint32_t left = letters4.len * 6; left >= 8; left -= 8)
		writer_u8(out, (uint8_t)(bits >> (left - 8)));
	return true;
}

enum gw_err token_base64url_decode(struct span text, uint8_t *to, uint32_t room, uint32_t *len)
{
	struct writer out;
	struct span group;

	writer_init(&out, to, room);
	while (span_take(&text, 4, &group))
		if (!group_decode(group, &out))
			return GW_TOKEN_MALFORMED;
	if (!group_decode(text, &out) || !writer_ok(&out))
		return GW_TOKEN_MALFORMED;
	*len = writer_len(&out);
	return GW_OK;
}

void token_base64url_write(struct writer *out, struct span bytes)
{
	uint32_t bits = 0, count = 0;
	uint8_t byte;

	while (span_u8(&bytes, &byte)) {
		bits = bits << 8 | byte;
		for (count += 8; count >= 6; count -= 6)
			writer_u8(out, (uint8_t)letters[bits >> (count - 6) & 63]);
	}
	if (count > 0)
		writer_u8(out, (uint8_t)letters[bits << (6 - count) & 63]);
}
