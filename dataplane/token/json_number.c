/* SPDX-License-Identifier: BSD-3-Clause */
#include "json_lexer.h"

/* Takes digits, at least one. */
static bool digits_take(struct span *in, struct span *digits)
{
	struct span rest = *in;

	while (json_is_digit(span_at(rest, 0)))
		(void)span_skip(&rest, 1);
	*digits = json_taken(*in, rest);
	*in = rest;
	return span_at(*digits, 0) >= 0;
}

/* A number as it is written: (-) integer (. fraction) (e exponent). */
struct number {
	bool negative;
	struct span integer, fraction;
	int32_t exponent;  /* cut to +-NUMBER_EXPONENT_MAX */
	bool zero;	   /* no digit but 0 */
	int32_t magnitude; /* the value is below 10^magnitude, and not below 10^(magnitude - 1) */
};

#define NUMBER_EXPONENT_MAX 1000000
#define NUMBER_MAGNITUDE_MAX 308

static bool exponent_take(struct span *in, int32_t *exponent)
{
	int sign = span_at(*in, 0);
	struct span digits;
	int32_t value = 0;

	if (sign == '+' || sign == '-')
		(void)span_skip(in, 1);
	if (!digits_take(in, &digits))
		return false;
	for (uint32_t i = 0; i < digits.len && value < NUMBER_EXPONENT_MAX; i++)
		value = value * 10 + (digits.at[i] - '0');
	*exponent = sign == '-' ? -value : value;
	return true;
}

/* Offset of the first digit that is not 0; the length when there is none. */
static uint32_t zeros(struct span digits)
{
	uint32_t n = 0;

	while (span_at(digits, n) == '0')
		n++;
	return n;
}

static void number_measure(struct number *n)
{
	uint32_t skipped = zeros(n->fraction);

	n->zero = span_at(n->integer, 0) == '0' && span_at(n->fraction, skipped) < 0;
	n->magnitude = n->exponent + (span_at(n->integer, 0) == '0' ? -(int32_t)skipped
								    : (int32_t)n->integer.len);
}

static bool number_take(struct span *in, struct number *n)
{
	int c;

	*n = (struct number){.negative = span_at(*in, 0) == '-'};
	if (n->negative)
		(void)span_skip(in, 1);
	if (!digits_take(in, &n->integer))
		return false;
	if (span_at(n->integer, 0) == '0' && span_at(n->integer, 1) >= 0)
		return false; /* RFC 8259 section 6: no leading zeros */
	if (span_at(*in, 0) == '.' && (!span_skip(in, 1) || !digits_take(in, &n->fraction)))
		return false;
	c = span_at(*in, 0);
	if ((c == 'e' || c == 'E') && (!span_skip(in, 1) || !exponent_take(in, &n->exponent)))
		return false;
	number_measure(n);
	return n->zero || n->magnitude <= NUMBER_MAGNITUDE_MAX;
}

bool json_number_take(struct span *in)
{
	struct number ignored;

	return number_take(in, &ignored);
}

uint64_t json_date(struct span text)
{
	uint64_t value = 0;
	struct number n;
	int64_t whole;

	if (!number_take(&text, &n) || n.negative || n.zero)
		return 0;
	if (n.magnitude > 18)
		return JSON_DATE_MAX;
	whole = (int64_t)n.integer.len + n.exponent; /* digits before the decimal point */
	for (int64_t i = 0; i < whole; i++) {
		struct span part = i < n.integer.len ? n.integer : n.fraction;
		int c = span_at(part, (uint32_t)(i < n.integer.len ? i : i - n.integer.len));

		value = value * 10 + (c < 0 ? 0u : (uint64_t)(c - '0'));
	}
	return value;
}
