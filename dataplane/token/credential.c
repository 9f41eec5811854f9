/* SPDX-License-Identifier: BSD-3-Clause */
#include "token.h"

/** What the Authorization and Proxy-Authorization lines of a request held. */
struct found {
	bool bearer, digest, other;
	struct span token, username;
};

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'; /* folds are still in values */
}

static struct span trim(struct span s)
{
	while (is_space(span_at(s, 0)))
		s = span_from(s, 1);
	while (s.len > 0 && is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Takes the bytes before the first white space, and the white space. */
static struct span word_take(struct span *in)
{
	uint32_t n = 0;
	struct span word;

	while (span_at(*in, n) >= 0 && !is_space(span_at(*in, n)))
		n++;
	word = span_cut(*in, 0, n);
	*in = trim(span_from(*in, n));
	return word;
}

static bool is_token68_byte(uint8_t c)
{
	uint8_t lower = ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	       (c != 0 && strchr("-._~+/", c) != NULL);
}

/* b64token of RFC 6750 2.1: what any scheme's token may be made of; the JWS reader is stricter. */
static bool is_b64token(struct span text)
{
	uint32_t n = 0, body;

	while (span_at(text, n) >= 0 && is_token68_byte(text.at[n]))
		n++;
	body = n;
	while (span_at(text, n) == '=')
		n++;
	return body > 0 && span_at(text, n) < 0;
}

/* PROTOCOL 3.2: a '=' that is followed by anything but '=' or the end makes it parameters. */
static bool has_parameters(struct span value)
{
	uint32_t n = span_find(value, '=');

	while (span_at(value, n) == '=')
		n++;
	return span_at(value, n) >= 0;
}

/* Takes the quotes off. False: an escape, a control byte, or quotes that do not enclose the whole.
 */
static bool parameter_unquote(struct span *value)
{
	uint32_t end;

	if (span_at(*value, 0) != '"')
		return span_at(*value, span_find(*value, '"')) < 0;
	*value = span_from(*value, 1);
	end = span_find(*value, '"');
	if (span_at(*value, end) < 0 || span_at(*value, end + 1) >= 0)
		return false;
	*value = span_cut(*value, 0, end);
	for (uint32_t i = 0; i < value->len; i++)
		if (value->at[i] < 0x20 || value->at[i] == '\\')
			return false;
	return true;
}

/* Keeps a parameter's value. False when it was there before, or says nothing. */
static bool parameter_keep(struct span *kept, struct span value)
{
	if (kept->len > 0 || value.len == 0)
		return false;
	*kept = value;
	return true;
}

/* Reads access_token="..."[, username="..."]; other parameters are stepped over. */
static bool parameters_read(struct span rest, struct span *token, struct span *username)
{
	struct span item;

	while (sip_list_next(&rest, &item)) {
		uint32_t equals = span_find(item, '=');
		struct span name = trim(span_cut(item, 0, equals));
		struct span value = trim(span_from(item, equals + 1));

		if (name.len == 0 || span_at(item, equals) != '=' || !parameter_unquote(&value))
			return false;
		if (span_equal_nocase(name, SPAN("access_token")) && !parameter_keep(token, value))
			return false;
		if (span_equal_nocase(name, SPAN("username")) && !parameter_keep(username, value))
			return false;
	}
	return true;
}

/* Keeps what a line says; the same said twice is said once. */
static enum gw_err found_keep(struct found *f, struct span token, struct span username)
{
	bool other_token = f->bearer && !span_equal(f->token, token);
	bool other_name =
		f->username.len > 0 && username.len > 0 && !span_equal(f->username, username);

	if (other_token || other_name)
		return GW_TOKEN_SEVERAL;
	f->bearer = true;
	f->token = token;
	if (username.len > 0)
		f->username = username;
	return GW_OK;
}

/* Each line is one credential: these headers do not join by comma (RFC 3261 7.3.1). */
static enum gw_err line_read(struct span value, struct found *f)
{
	struct span token = {0}, username = {0}, scheme;

	value = trim(value);
	scheme = word_take(&value);
	if (span_equal_nocase(scheme, SPAN("Digest"))) {
		f->digest = true;
		return GW_OK;
	}
	if (!span_equal_nocase(scheme, SPAN("Bearer"))) {
		f->other = true;
		return GW_OK;
	}
	if (!has_parameters(value))
		token = value;
	else if (!parameters_read(value, &token, &username))
		return GW_TOKEN_MALFORMED;
	if (!is_b64token(token))
		return GW_TOKEN_MALFORMED;
	return found_keep(f, token, username);
}

static enum gw_err lines_read(const struct sip_message *m, enum sip_header id, struct found *f)
{
	const struct sip_field *field = sip_first(m, id);
	enum gw_err err = GW_OK;

	for (; field != NULL && err == GW_OK; field = sip_next(m, field))
		err = line_read(field->value, f);
	return err;
}

struct token_credential token_find(const struct sip_message *m)
{
	struct found f = {0};
	enum gw_err err = lines_read(m, SIP_HEADER_AUTHORIZATION, &f);

	if (err == GW_OK && m->method != SIP_REGISTER)
		err = lines_read(m, SIP_HEADER_PROXY_AUTHORIZATION, &f);
	if (err == GW_OK && f.bearer && f.digest)
		err = GW_TOKEN_SEVERAL;
	if (err == GW_OK && !f.bearer)
		err = f.other ? GW_TOKEN_SCHEME : GW_TOKEN_NONE;
	if (err != GW_OK)
		return (struct token_credential){.err = err};
	return (struct token_credential){.token = f.token, .username = f.username};
}
