/* SPDX-License-Identifier: BSD-3-Clause */
#include "json_lexer.h"

#define SURROGATE_HIGH 0xd800u
#define SURROGATE_LOW 0xdc00u
#define SURROGATE_END 0xe000u

static bool is_between(uint32_t value, uint32_t first, uint32_t last)
{
	return value >= first && value <= last;
}

/* Takes the rest of a UTF-8 sequence (RFC 3629 section 4) whose first byte was lead. */
static bool utf8_take(struct span *in, uint8_t lead, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
	uint32_t more = is_between(lead, 0xc2, 0xdf)   ? 1
			: is_between(lead, 0xe0, 0xef) ? 2
			: is_between(lead, 0xf0, 0xf4) ? 3
						       : 0;
	uint32_t value = lead & (0x3fu >> more);
	struct span bytes;

	if (more == 0 || !span_take(in, more, &bytes))
		return false;
	for (uint32_t i = 0; i < more; i++) {
		if ((bytes.at[i] & 0xc0) != 0x80)
			return false;
		value = value << 6 | (bytes.at[i] & 0x3fu);
	}
	*code = value;
	return value >= smallest[more] && value <= 0x10ffff &&
	       !is_between(value, SURROGATE_HIGH, SURROGATE_END - 1);
}

static bool hex4_take(struct span *in, uint32_t *unit)
{
	struct span digits;
	uint32_t value = 0;

	if (!span_take(in, 4, &digits))
		return false;
	for (uint32_t i = 0; i < digits.len; i++) {
		uint8_t c = ascii_lower(digits.at[i]);

		if (!json_is_digit(c) && !is_between(c, 'a', 'f'))
			return false;
		value = value << 4 |
			(json_is_digit(c) ? c - (uint32_t)'0' : c - (uint32_t)'a' + 10);
	}
	*unit = value;
	return true;
}

/* Takes what follows \u. A surrogate counts only as the first or second half of a pair. */
static bool unicode_take(struct span *in, uint32_t *code)
{
	struct span mark;
	uint32_t high, low;

	if (!hex4_take(in, &high))
		return false;
	*code = high;
	if (!is_between(high, SURROGATE_HIGH, SURROGATE_END - 1))
		return true;
	if (high >= SURROGATE_LOW || !span_take(in, 2, &mark) || !span_equal(mark, SPAN("\\u")) ||
	    !hex4_take(in, &low))
		return false;
	*code = 0x10000 + ((high - SURROGATE_HIGH) << 10) + (low - SURROGATE_LOW);
	return is_between(low, SURROGATE_LOW, SURROGATE_END - 1);
}

/* Takes what follows a backslash. */
static bool escape_take(struct span *in, uint32_t *code)
{
	static const uint8_t meant[256] = {
		['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
		['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
	};
	uint8_t c;

	if (!span_u8(in, &c))
		return false;
	if (c == 'u')
		return unicode_take(in, code);
	*code = meant[c];
	return meant[c] != 0;
}

/* Takes one character of a string, escape resolved. False: not a legal one, or the end. */
static bool character_take(struct span *in, uint32_t *code)
{
	uint8_t c;

	if (!span_u8(in, &c) || c < 0x20)
		return false;
	if (c == '\\')
		return escape_take(in, code);
	*code = c;
	return c < 0x80 || utf8_take(in, c, code);
}

static void character_write(struct writer *out, uint32_t code)
{
	uint32_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};

	writer_u8(out, (uint8_t)(lead[more] | code >> (6 * more)));
	while (more-- > 0)
		writer_u8(out, (uint8_t)(0x80 | (code >> (6 * more) & 0x3f)));
}

/* Bytes that are characters as they stand. */
static const bool plain[256] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... 0x7f] = true};

/* Drops those at the front: all of most strings. */
static void plain_skip(struct span *in)
{
	uint32_t n = 0;

	while (n < in->len && plain[in->at[n]])
		n++;
	*in = span_from(*in, n);
}

bool json_string_take(struct span *in, struct span *text)
{
	struct span rest = *in, inside;
	uint32_t code;

	if (!json_mark_take(&rest, '"'))
		return false;
	inside = rest;
	for (plain_skip(&rest); span_at(rest, 0) != '"'; plain_skip(&rest))
		if (!character_take(&rest, &code))
			return false;
	*text = json_taken(inside, rest);
	*in = span_from(rest, 1);
	return true;
}

static bool has_escape(struct span text)
{
	return span_at(text, span_find(text, '\\')) >= 0;
}

bool json_string_equal(struct span a, struct span b)
{
	uint32_t one = 0, other = 0;
	bool more_a, more_b;

	/* Nearly always the first byte tells. */
	if (span_at(a, 0) != span_at(b, 0) && span_at(a, 0) != '\\' && span_at(b, 0) != '\\')
		return false;
	if (!has_escape(a) && !has_escape(b))
		return span_equal(a, b);
	do {
		more_a = character_take(&a, &one);
		more_b = character_take(&b, &other);
	} while (more_a && more_b && one == other);
	return !more_a && !more_b;
}

bool json_string_read(struct span text, struct writer *scratch, struct span *string)
{
	uint32_t mark = writer_len(scratch), code;

	*string = text;
	if (!has_escape(text))
		return true;
	while (character_take(&text, &code))
		character_write(scratch, code);
	*string = writer_since(scratch, mark);
	return writer_ok(scratch);
}
