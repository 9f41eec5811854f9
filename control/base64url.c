/* SPDX-License-Identifier: BSD-3-Clause */
#include "base64url.h"

/** The value of one digit, or -1. */
static int base64url_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum base64url base64url_read(struct span text, uint8_t *out, uint32_t max, uint32_t *len)
{
	uint32_t held = 0, bits = 0;
	uint8_t c;

	*len = 0;
	while (span_u8(&text, &c)) {
		int digit = base64url_digit(c);

		if (digit < 0)
			return BASE64URL_WRONG;
		held = held << 6 | (uint32_t)digit;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (*len == max)
			return BASE64URL_LONG;
		out[(*len)++] = (uint8_t)(held >> bits);
		held &= (1u << bits) - 1;
	}
	return bits < 6 && held == 0 ? BASE64URL_OK : BASE64URL_WRONG;
}
