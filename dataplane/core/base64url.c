/* SPDX-License-Identifier: BSD-3-Clause */
#include "base64url.h"

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

/* The bits that up to four letters say, in *bits. False: a letter is not of the alphabet. */
static bool sextets_read(struct span text, uint32_t *bits)
{
	*bits = 0;
	for (uint32_t i = 0; i < text.len; i++) {
		uint8_t sextet = sextets[text.at[i]];

		if (sextet == 0)
			return false;
		*bits = *bits << 6 | (sextet - 1u);
	}
	return true;
}

/* The last letters, fewer than four, become up to two bytes. A lone letter says no byte, and bits
 * that no byte takes have to be zero, or one value had two texts. */
static bool end_decode(struct span text, struct writer *out)
{
	uint32_t bits, count = text.len * 6, unused = count % 8;

	if (!sextets_read(text, &bits) || unused == 6 || (bits & ((1u << unused) - 1)) != 0)
		return false;
	for (; count >= 8; count -= 8)
		writer_u8(out, (uint8_t)(bits >> (count - 8)));
	return true;
}

enum base64url base64url_read(struct span text, uint8_t *out, uint32_t max, uint32_t *len)
{
	struct writer bytes;
	struct span group;
	uint32_t bits;

	writer_init(&bytes, out, max);
	while (span_take(&text, 4, &group)) {
		if (!sextets_read(group, &bits))
			return BASE64URL_WRONG;
		writer_bytes(&bytes,
			     (const uint8_t[]){(uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
					       (uint8_t)bits},
			     3);
	}
	if (!end_decode(text, &bytes))
		return BASE64URL_WRONG;
	if (!writer_ok(&bytes))
		return BASE64URL_LONG;
	*len = writer_len(&bytes);
	return BASE64URL_OK;
}

void base64url_write(struct writer *out, struct span bytes)
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
