/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "canonical.h"

/* TS 23.003 13.4, after ITU-T E.164: digits of an international number. */
#define NUMBER_DIGITS_MAX 15

/* ---- characters ---- */

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_alphanum(int c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Alphanumeric, or one of the bytes of also. */
static bool is_one_of(int c, const char *also)
{
	return is_alphanum(c) || (c > 0 && strchr(also, c) != NULL);
}

/* RFC 3261 25.1: what may stand in a user, a password, and behind the host without being escaped.
 */
#define MARK "-_.!~*'()"
#define USER_ALSO MARK "&=+$,;?/"
#define PASSWORD_ALSO MARK "&=+$,"
#define TAIL_ALSO MARK "[]/:&+$;=?"

static int hex_value(int c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes one character, its escape resolved. -1: not one of also and not escaped, an escaped NUL, or
 * the end. */
static int character_take(struct span *in, const char *also)
{
	int c = span_at(*in, 0), high, low;

	if (c != '%')
		return is_one_of(c, also) && span_skip(in, 1) ? c : -1;
	high = hex_value(span_at(*in, 1));
	low = hex_value(span_at(*in, 2));
	if (high < 0 || low < 0 || !span_skip(in, 3))
		return -1;
	return high == 0 && low == 0 ? -1 : high << 4 | low;
}

/* Every character is one of also, or escaped. */
static bool is_made_of(struct span text, const char *also)
{
	while (text.len > 0)
		if (character_take(&text, also) < 0)
			return false;
	return true;
}

/* ---- user ---- */

static void escape_write(struct writer *out, int c)
{
	static const char digits[] = "0123456789ABCDEF";

	writer_u8(out, '%');
	writer_u8(out, (uint8_t)digits[c >> 4]);
	writer_u8(out, (uint8_t)digits[c & 15]);
}

static bool user_write(struct span user, struct writer *out)
{
	while (user.len > 0) {
		int c = character_take(&user, USER_ALSO);

		if (c < 0)
			return false;
		if (is_one_of(c, USER_ALSO))
			writer_u8(out, (uint8_t)c);
		else
			escape_write(out, c);
	}
	return true;
}

static bool is_separator(int c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

/**
 * Writes a global number (RFC 3966 section 3) up to its parameters: '+' and digits, separators left
 * out. A number in a user part may have escapes.
 */
static bool number_write(struct span number, struct writer *out)
{
	uint32_t digits = 0;
	int c = character_take(&number, USER_ALSO);

	if (c != '+')
		return false;
	writer_u8(out, '+');
	while (number.len > 0) {
		c = character_take(&number, USER_ALSO);
		if (c == ';')
			break;
		if (is_separator(c))
			continue;
		if (!is_digit(c) || ++digits > NUMBER_DIGITS_MAX)
			return false;
		writer_u8(out, (uint8_t)c);
	}
	return digits > 0 && is_made_of(number, USER_ALSO);
}

/* ---- host ---- */

/* Writes labels of letters, digits and inner hyphens, in lower case; one dot may end them. */
static bool name_write(struct span name, struct writer *out)
{
	int before = 0;
	uint8_t c;

	while (span_u8(&name, &c)) {
		bool inside = is_alphanum(before) || (c == '-' && before == '-');

		if (!is_alphanum(c) && !(inside && (c == '-' || c == '.')))
			return false;
		writer_u8(out, ascii_lower(c));
		before = c;
	}
	return is_alphanum(before) || before == '.';
}

/* Writes an IPv6 reference in its one text form (RFC 5952), so that one address is one identity. */
static bool ip6_write(struct span inside, struct writer *out)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr address;
	struct writer copy;

	for (uint32_t i = 0; i < inside.len; i++)
		if (!is_one_of(inside.at[i], ":."))
			return false; /* no zone, and no NUL that would end the text early */
	writer_init(&copy, text, sizeof(text) - 1); /* keeps the terminator */
	writer_put(&copy, inside);
	if (!writer_ok(&copy) || inet_pton(AF_INET6, text, &address) != 1 ||
	    inet_ntop(AF_INET6, &address, text, sizeof(text)) == NULL)
		return false;
	writer_u8(out, '[');
	writer_text(out, text);
	writer_u8(out, ']');
	return true;
}

/* Takes the host at the front of rest and writes it. */
static bool host_write(struct span *rest, struct writer *out)
{
	uint32_t n = 0;
	struct span host;

	if (span_at(*rest, 0) == '[') {
		host = span_cut(*rest, 1, span_find(*rest, ']') - 1);
		return span_skip(rest, host.len + 2) && ip6_write(host, out);
	}
	while (is_one_of(span_at(*rest, n), "-."))
		n++;
	return span_take(rest, n, &host) && name_write(host, out);
}

/* Takes ":port" when there is one. */
static bool port_skip(struct span *rest)
{
	uint32_t port = 0, digits = 1;

	if (span_at(*rest, 0) != ':')
		return true;
	for (; is_digit(span_at(*rest, digits)) && port <= UINT16_MAX; digits++)
		port = port * 10 + (uint32_t)(span_at(*rest, digits) - '0');
	return digits > 1 && port <= UINT16_MAX && span_skip(rest, digits);
}

/* ---- URIs ---- */

/* Takes scheme, which ends with its colon, in any case. */
static bool scheme_take(struct span *uri, struct span scheme)
{
	return span_equal_nocase(span_cut(*uri, 0, scheme.len), scheme) &&
	       span_skip(uri, scheme.len);
}

/* Whether the parameters in rest, which lie behind a host and before '?', have user=phone. */
static bool is_phone(struct span rest)
{
	struct span params = span_cut(rest, 0, span_find(rest, '?'));
	uint32_t end;

	for (params = span_from(params, span_find(params, ';')); span_skip(&params, 1);
	     params = span_from(params, end)) {
		end = span_find(params, ';');
		if (span_equal_nocase(span_cut(params, 0, end), SPAN("user=phone")))
			return true;
	}
	return false;
}

static bool is_global_number(struct span user)
{
	return character_take(&user, USER_ALSO) == '+';
}

static bool is_tail(struct span tail)
{
	int c = span_at(tail, 0);

	return c < 0 || ((c == ';' || c == '?') && is_made_of(tail, TAIL_ALSO));
}

/* Writes what follows "sip:". A user may have ';' and '?' but no '@' (RFC 3261 25.1): the first '@'
 * ends it. */
static bool sip_write(struct span uri, struct writer *out)
{
	uint32_t at = span_find(uri, '@');
	struct span userinfo = span_cut(uri, 0, at), rest = span_from(uri, at + 1);
	uint32_t colon = span_find(userinfo, ':');
	struct span user = span_cut(userinfo, 0, colon), password = span_from(userinfo, colon + 1);
	bool written;

	if (user.len == 0 || !is_made_of(password, PASSWORD_ALSO))
		return false;
	writer_text(out, "sip:");
	if (is_phone(rest) && is_global_number(user))
		written = number_write(user, out);
	else
		written = user_write(user, out);
	writer_u8(out, '@');
	return written && host_write(&rest, out) && port_skip(&rest) && is_tail(rest);
}

/* Writes what follows "tel:"; a number has no escapes there (RFC 3966 section 3). */
static bool tel_write(struct span uri, struct writer *out)
{
	uint32_t end = span_find(uri, ';');
	struct span number = span_cut(uri, 0, end);

	writer_text(out, "tel:");
	return span_at(number, span_find(number, '%')) < 0 && number_write(number, out) &&
	       is_tail(span_from(uri, end));
}

enum gw_err identity_canonical_impu(struct span uri, struct writer *out)
{
	uint8_t text[IDENTITY_MAX];
	struct writer w;
	bool written = false;

	writer_init(&w, text, sizeof(text));
	if (scheme_take(&uri, SPAN("sip:")) || scheme_take(&uri, SPAN("sips:")))
		written = sip_write(uri, &w);
	else if (scheme_take(&uri, SPAN("tel:")))
		written = tel_write(uri, &w);
	if (!written || !writer_ok(&w))
		return GW_IDENTITY_SYNTAX;
	writer_put(out, writer_span(&w));
	return GW_OK;
}

/* ---- private identities ---- */

static bool is_nai_user(struct span user)
{
	for (uint32_t i = 0; i < user.len; i++)
		if (user.at[i] <= ' ' || user.at[i] > '~' || user.at[i] == '"' ||
		    user.at[i] == '\\')
			return false;
	return user.len > 0;
}

enum gw_err identity_canonical_impi(struct span nai, struct writer *out)
{
	uint8_t text[IDENTITY_MAX];
	uint32_t at = span_find(nai, '@');
	struct span user = span_cut(nai, 0, at);
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_put(&w, user);
	writer_u8(&w, '@');
	if (!is_nai_user(user) || !name_write(span_from(nai, at + 1), &w) || !writer_ok(&w))
		return GW_IDENTITY_SYNTAX;
	writer_put(out, writer_span(&w));
	return GW_OK;
}
