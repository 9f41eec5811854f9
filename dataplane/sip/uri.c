/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/text.h"

static enum sip_scheme scheme_id(struct span name)
{
	static const struct {
		const char *name;
		enum sip_scheme id;
	} schemes[] = {{"sip", SIP_SCHEME_SIP},
		       {"sips", SIP_SCHEME_SIPS},
		       {"tel", SIP_SCHEME_TEL},
		       {"urn", SIP_SCHEME_URN}};

	for (uint32_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (span_equal_nocase(name, span_text(schemes[i].name)))
			return schemes[i].id;
	return SIP_SCHEME_OTHER;
}

/* At most SIP_PARAMS_MAX parameters, each with a name. An empty one says nothing and passes. */
static bool params_ok(struct span params)
{
	uint32_t count = 0;

	if (!sip_text_all(params, SIP_TEXT_PARAM))
		return false;
	while (params.len > 0) {
		uint32_t len = span_find(params, ';');

		if (span_at(params, 0) == '=' || ++count > SIP_PARAMS_MAX)
			return false;
		params = span_from(params, len + 1);
	}
	return true;
}

/* user [ ":" password ], what stood before '@' */
static bool read_userinfo(struct span userinfo, struct sip_uri *uri)
{
	uint32_t colon = span_find(userinfo, ':');

	uri->has_user = true;
	uri->user = span_cut(userinfo, 0, colon);
	uri->password = span_from(userinfo, colon + 1);
	return uri->user.len > 0 && sip_text_all(uri->user, SIP_TEXT_USER) &&
	       sip_text_all(uri->password, SIP_TEXT_PASSWORD);
}

/* host [ ":" port ]; what follows it is left in *rest. */
static bool read_hostport(struct span *rest, struct sip_uri *uri)
{
	uint32_t len = sip_text_host_len(*rest), digits;

	uri->host = span_cut(*rest, 0, len);
	*rest = span_from(*rest, len);
	if (!sip_text_host_ok(uri->host))
		return false;
	if (span_at(*rest, 0) != ':')
		return true;
	digits = sip_text_run(*rest, 1, SIP_TEXT_DIGIT) - 1;
	if (!sip_text_port(span_cut(*rest, 1, digits), &uri->port))
		return false;
	*rest = span_from(*rest, digits + 1);
	return true;
}

/* [ ";" params ] [ "?" headers ] up to the end */
static bool read_tail(struct span rest, struct sip_uri *uri)
{
	uint32_t question = span_find(rest, '?');
	struct span params = span_cut(rest, 0, question);

	uri->params = span_from(params, 1);
	uri->headers = span_from(rest, question + 1);
	if (params.len > 0 && params.at[0] != ';')
		return false;
	if (question < rest.len && uri->headers.len == 0)
		return false;
	return params_ok(uri->params) && sip_text_all(uri->headers, SIP_TEXT_HFIELD);
}

/* sip: and sips:. '@' may stand nowhere but after the user, who may contain ';' and '?'. */
static bool read_sip(struct span rest, struct sip_uri *uri)
{
	uint32_t at = span_find(rest, '@');

	if (at < rest.len) {
		if (!read_userinfo(span_cut(rest, 0, at), uri))
			return false;
		rest = span_from(rest, at + 1);
	}
	return read_hostport(&rest, uri) && read_tail(rest, uri);
}

/* RFC 3966 3: '+' and decimal digits, or a local number, which also has A to F, '*' and '#'. */
static bool number_ok(struct span number)
{
	bool global = span_at(number, 0) == '+';
	struct span separators = SPAN("-.()"), letters = SPAN("*#");
	uint32_t digits = 0;

	for (uint32_t i = global ? 1 : 0; i < number.len; i++) {
		uint8_t c = number.at[i];
		bool local =
			sip_text_is(number, i, SIP_TEXT_HEX) || span_find(letters, c) < letters.len;

		if (sip_text_is(number, i, SIP_TEXT_DIGIT) || (local && !global))
			digits++;
		else if (span_find(separators, c) == separators.len)
			return false;
	}
	return digits > 0;
}

/* tel: number *( ";" parameter ) */
static bool read_tel(struct span rest, struct sip_uri *uri)
{
	uint32_t end = span_find(rest, ';');

	uri->has_user = true;
	uri->user = span_cut(rest, 0, end);
	uri->params = span_from(rest, end + 1);
	return number_ok(uri->user) && params_ok(uri->params);
}

static bool read_body(struct span rest, struct sip_uri *uri)
{
	switch (uri->scheme) {
	case SIP_SCHEME_SIP:
	case SIP_SCHEME_SIPS:
		return read_sip(rest, uri);
	case SIP_SCHEME_TEL:
		return read_tel(rest, uri);
	case SIP_SCHEME_URN:
	case SIP_SCHEME_OTHER:
		break;
	}
	return rest.len > 0 && sip_text_all(rest, SIP_TEXT_GENERIC);
}

static bool is_scheme(struct span name)
{
	return name.len > 0 && ascii_lower(name.at[0]) >= 'a' && ascii_lower(name.at[0]) <= 'z' &&
	       sip_text_all(name, SIP_TEXT_SCHEME);
}

struct sip_uri sip_uri_parse(struct span text)
{
	uint32_t colon = span_find(span_cut(text, 0, SIP_URI_MAX), ':');
	struct span name = span_cut(text, 0, colon), rest = span_from(text, colon + 1);
	struct sip_uri uri = {.err = GW_SIP_URI, .text = text};

	if (text.len > SIP_URI_MAX || colon == text.len || !is_scheme(name))
		return uri;
	uri.scheme = scheme_id(name);
	if (!read_body(rest, &uri) || !sip_text_escapes_ok(rest))
		return (struct sip_uri){.err = GW_SIP_URI, .text = text, .scheme = uri.scheme};
	uri.err = uri.scheme == SIP_SCHEME_OTHER ? GW_SIP_URI_SCHEME : GW_OK;
	return uri;
}

static int hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = c >= 0 ? ascii_lower((uint8_t)c) : c;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int sip_uri_char(struct span text, uint32_t *bytes)
{
	int high = hex_value(span_at(text, 1)), low = hex_value(span_at(text, 2));
	bool escaped = span_at(text, 0) == '%' && high >= 0 && low >= 0;

	*bytes = escaped ? 3 : 1;
	return escaped ? high << 4 | low : span_at(text, 0);
}

/* ---- comparison ----------------------------------------------------------------------------- */

enum letter_case { CASE_COUNTS, CASE_IS_NOTHING };

/** RFC 2396 2.2: what an escape makes another character of. */
static bool is_reserved(int c)
{
	return c > 0 && strchr(";/?:@&=+$,", c) != NULL;
}

/** The same characters, escapes resolved. */
static bool same_characters(struct span a, struct span b, enum letter_case letters)
{
	int of_a, of_b;

	do {
		uint32_t a_bytes = 0, b_bytes = 0;

		of_a = sip_uri_char(a, &a_bytes);
		of_b = sip_uri_char(b, &b_bytes);
		if (a_bytes != b_bytes && is_reserved(of_a))
			return false;
		if (letters == CASE_IS_NOTHING && of_a >= 0 && of_b >= 0) {
			of_a = ascii_lower((uint8_t)of_a);
			of_b = ascii_lower((uint8_t)of_b);
		}
		a = span_from(a, a_bytes);
		b = span_from(b, b_bytes);
	} while (of_a == of_b && of_a >= 0);
	return of_a == of_b;
}

/** One that must not stand in one URI alone. "transport=udp" is not the same as nothing: that may
 * lead to another transport. */
static bool is_telling(struct span name)
{
	static const char *const telling[] = {"user", "ttl", "method", "maddr", "transport"};

	for (uint32_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
		if (span_equal_nocase(name, span_text(telling[i])))
			return true;
	return false;
}

/** No parameter of a makes another URI of it than b. */
static bool params_agree(const struct sip_uri *a, const struct sip_uri *b)
{
	struct span rest = a->params, name, value, other;

	while (sip_param_next(&rest, &name, &value)) {
		if (!sip_param(b->params, name, &other)) {
			if (is_telling(name))
				return false;
		} else if (!same_characters(value, other, CASE_IS_NOTHING)) {
			return false;
		}
	}
	return true;
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	return a->scheme == b->scheme && same_characters(a->user, b->user, CASE_COUNTS) &&
	       same_characters(a->password, b->password, CASE_COUNTS) &&
	       span_equal_nocase(a->host, b->host) && a->port == b->port && params_agree(a, b) &&
	       params_agree(b, a);
}
