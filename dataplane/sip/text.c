/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/text.h"

#define TOKEN (SIP_TEXT_TOKEN | SIP_TEXT_WORD)
#define RESERVED (SIP_TEXT_USER | SIP_TEXT_PARAM | SIP_TEXT_HFIELD | SIP_TEXT_GENERIC)
#define ANYWHERE (RESERVED | SIP_TEXT_PASSWORD)
#define LETTER (TOKEN | ANYWHERE | SIP_TEXT_SCHEME | SIP_TEXT_HOST)

const uint16_t sip_text_classes[256] = {
	['0' ... '9'] = LETTER | SIP_TEXT_DIGIT | SIP_TEXT_HEX,
	['A' ... 'F'] = LETTER | SIP_TEXT_HEX,
	['a' ... 'f'] = LETTER | SIP_TEXT_HEX,
	['G' ... 'Z'] = LETTER,
	['g' ... 'z'] = LETTER,
	['-'] = LETTER,
	['.'] = LETTER,
	['_'] = TOKEN | ANYWHERE | SIP_TEXT_HOST,
	['+'] = TOKEN | ANYWHERE | SIP_TEXT_SCHEME,
	['!'] = TOKEN | ANYWHERE,
	['*'] = TOKEN | ANYWHERE,
	['\''] = TOKEN | ANYWHERE,
	['~'] = TOKEN | ANYWHERE,
	['%'] = TOKEN | ANYWHERE,
	['`'] = TOKEN,
	['('] = ANYWHERE,
	[')'] = ANYWHERE,
	['&'] = ANYWHERE,
	['='] = ANYWHERE,
	['$'] = ANYWHERE,
	[','] = SIP_TEXT_USER | SIP_TEXT_PASSWORD | SIP_TEXT_GENERIC,
	[';'] = SIP_TEXT_USER | SIP_TEXT_PARAM | SIP_TEXT_GENERIC,
	['?'] = SIP_TEXT_USER | SIP_TEXT_HFIELD | SIP_TEXT_GENERIC,
	['/'] = RESERVED,
	[':'] = SIP_TEXT_PARAM | SIP_TEXT_HFIELD | SIP_TEXT_GENERIC,
	['['] = SIP_TEXT_PARAM | SIP_TEXT_HFIELD | SIP_TEXT_GENERIC,
	[']'] = SIP_TEXT_PARAM | SIP_TEXT_HFIELD | SIP_TEXT_GENERIC,
	['@'] = SIP_TEXT_GENERIC,
	[' '] = SIP_TEXT_WORD,
	['\t'] = SIP_TEXT_WORD,
	['\r'] = SIP_TEXT_WORD,
	['\n'] = SIP_TEXT_WORD,
	[0x80 ... 0xff] = SIP_TEXT_WORD,
};

uint32_t sip_text_quoted(struct span s, uint32_t from)
{
	uint32_t i = from + 1, quote = span_find(span_from(s, i), '"');
	int c;

	/* Nearly always nothing is escaped: a token is found to its end at once. */
	if (span_find(span_cut(s, i, quote), '\\') == quote && span_at(s, i + quote) >= 0)
		return i + quote + 1;
	while ((c = span_at(s, i)) >= 0 && c != '"')
		i += c == '\\' ? 2 : 1;
	return c == '"' ? i + 1 : s.len + 1;
}

uint32_t sip_text_find(struct span s, uint8_t c)
{
	uint32_t i = 0;
	int here;

	while ((here = span_at(s, i)) >= 0 && here != c)
		i = here == '"' ? sip_text_quoted(s, i) : i + 1;
	return here == c ? i : s.len;
}

bool sip_text_escapes_ok(struct span s)
{
	uint32_t i = span_find(s, '%');

	for (; span_at(s, i) >= 0; i++)
		if (s.at[i] == '%' &&
		    (!sip_text_is(s, i + 1, SIP_TEXT_HEX) || !sip_text_is(s, i + 2, SIP_TEXT_HEX)))
			return false;
	return true;
}

bool sip_text_port(struct span digits, uint16_t *port)
{
	uint32_t value;

	if (!sip_number(digits, UINT16_MAX, &value) || value == 0)
		return false;
	*port = (uint16_t)value;
	return true;
}

/* Inside of an IPv6reference: its characters; inet_pton() has the last word where it is used. */
static bool address6_ok(struct span inside)
{
	uint32_t colons = 0;

	for (uint32_t i = 0; span_at(inside, i) >= 0; i++) {
		if (inside.at[i] == ':')
			colons++;
		else if (inside.at[i] != '.' && !sip_text_is(inside, i, SIP_TEXT_HEX))
			return false;
	}
	return colons >= 2;
}

bool sip_text_host_ok(struct span host)
{
	if (span_at(host, 0) != '[')
		return host.len > 0 && host.at[0] != '.' && host.at[0] != '-' &&
		       sip_text_all(host, SIP_TEXT_HOST);
	if (host.len < 4 || host.at[host.len - 1] != ']')
		return false;
	return address6_ok(span_cut(host, 1, host.len - 2));
}

uint32_t sip_text_host_len(struct span s)
{
	uint32_t end;

	if (span_at(s, 0) != '[')
		return sip_text_run(s, 0, SIP_TEXT_HOST);
	end = span_find(s, ']');
	return end == s.len ? s.len : end + 1;
}

/* A value: token, host or quoted string as the grammar has it, and whatever else is harmless. */
static bool value_ok(struct span value)
{
	uint32_t i = 0;
	int c;

	while ((c = span_at(value, i)) >= 0) {
		if (c == ',' || c == '<' || c == '>')
			return false;
		i = c == '"' ? sip_text_quoted(value, i) : i + 1;
	}
	return i == value.len;
}

bool sip_text_params_ok(struct span params)
{
	struct span name, value;
	uint32_t count = 0;

	while (sip_param_next(&params, &name, &value)) {
		if (++count > SIP_PARAMS_MAX)
			return false;
		if (name.len == 0 || !sip_text_all(name, SIP_TEXT_TOKEN) || !value_ok(value))
			return false;
	}
	return true;
}
