/* SPDX-License-Identifier: BSD-3-Clause */
#include "credential.h"

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'; /* folds are still in values */
}

struct span credential_trim(struct span s)
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
	*in = credential_trim(span_from(*in, n));
	return word;
}

static const bool token68[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
	['-'] = true,	      ['.'] = true,	    ['_'] = true,
	['~'] = true,	      ['+'] = true,	    ['/'] = true,
};

/* b64token of RFC 6750 2.1: what any scheme's token may be made of; the JWS reader is stricter. */
static bool is_b64token(struct span text)
{
	bool good = true;

	while (text.len > 0 && text.at[text.len - 1] == '=')
		text.len--;
	for (uint32_t i = 0; i < text.len; i++)
		good &= token68[text.at[i]];
	return good && text.len > 0;
}

/* PROTOCOL 3.2: a '=' that is followed by anything but '=' or the end makes it parameters. */
static bool has_parameters(struct span value)
{
	uint32_t n = span_find(value, '=');

	while (span_at(value, n) == '=')
		n++;
	return span_at(value, n) >= 0;
}

/* Takes the quotes off. False: they do not enclose the whole. */
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
	return true;
}

/* No escape and no control byte. */
static bool is_plain(struct span value)
{
	for (uint32_t i = 0; i < value.len; i++)
		if (value.at[i] < 0x20 || value.at[i] == '\\')
			return false;
	return true;
}

/* Keeps a parameter's value; one that is repeated counts once. */
static enum gw_err parameter_keep(struct span *kept, struct span value)
{
	if (value.len == 0)
		return GW_TOKEN_MALFORMED;
	if (kept->len > 0 && !span_equal(*kept, value))
		return GW_TOKEN_SEVERAL;
	*kept = value;
	return GW_OK;
}

/* One of them. What a token is made of is looked at when it is kept. */
static enum gw_err parameter_read(struct span name, struct span value, struct span *token,
				  struct span *username)
{
	if (span_equal_nocase(name, SPAN("access_token")))
		return parameter_keep(token, value);
	if (!is_plain(value))
		return GW_TOKEN_MALFORMED;
	if (span_equal_nocase(name, SPAN("username")))
		return parameter_keep(username, value);
	return GW_OK;
}

/* Reads access_token="..."[, username="..."]; other parameters are stepped over. */
static enum gw_err parameters_read(struct span rest, struct span *token, struct span *username)
{
	enum gw_err err;
	struct span item;

	while (sip_list_next(&rest, &item)) {
		uint32_t equals = span_find(item, '=');
		struct span name = credential_trim(span_cut(item, 0, equals));
		struct span value = credential_trim(span_from(item, equals + 1));

		if (name.len == 0 || span_at(item, equals) != '=' || !parameter_unquote(&value))
			return GW_TOKEN_MALFORMED;
		err = parameter_read(name, value, token, username);
		if (err != GW_OK)
			return err;
	}
	return GW_OK;
}

enum gw_err credential_keep(struct credential_found *found, struct span token, struct span username)
{
	bool other_token = found->bearer && !span_equal(found->token, token);
	bool other_name = found->username.len > 0 && username.len > 0 &&
			  !span_equal(found->username, username);

	if (!is_b64token(token))
		return GW_TOKEN_MALFORMED;
	if (other_token || other_name)
		return GW_TOKEN_SEVERAL;
	found->bearer = true;
	found->token = token;
	if (username.len > 0)
		found->username = username;
	return GW_OK;
}

/* Each line is one credential: these headers do not join by comma (RFC 3261 7.3.1). */
static enum gw_err line_read(struct span value, struct credential_found *f)
{
	struct span token = {0}, username = {0}, scheme;
	enum gw_err err = GW_OK;

	value = credential_trim(value);
	scheme = word_take(&value);
	if (span_equal_nocase(scheme, SPAN("Digest"))) {
		f->digest = true;
		return GW_OK;
	}
	if (!span_equal_nocase(scheme, SPAN("Bearer"))) {
		f->other = true;
		return GW_OK;
	}
	if (has_parameters(value))
		err = parameters_read(value, &token, &username);
	else
		token = value;
	return err == GW_OK ? credential_keep(f, token, username) : err;
}

static enum gw_err lines_read(const struct sip_message *m, enum sip_header id,
			      struct credential_found *f)
{
	const struct sip_field *field = sip_first(m, id);
	enum gw_err err = GW_OK;

	for (; field != NULL && err == GW_OK; field = sip_next(m, field))
		err = line_read(field->value, f);
	return err;
}

struct token_credential token_find(const struct sip_message *m, const struct config_part *config)
{
	struct credential_found f = {0};
	enum gw_err err = lines_read(m, SIP_HEADER_AUTHORIZATION, &f);

	if (err == GW_OK && m->method != SIP_REGISTER)
		err = lines_read(m, SIP_HEADER_PROXY_AUTHORIZATION, &f);
	if (err == GW_OK && config->token_in_body)
		err = body_tokens(m, &f);
	if (err == GW_OK && f.bearer && f.digest)
		err = GW_TOKEN_SEVERAL;
	if (err == GW_OK && !f.bearer)
		err = f.other ? GW_TOKEN_SCHEME : GW_TOKEN_NONE;
	if (err != GW_OK)
		return (struct token_credential){.err = err};
	return (struct token_credential){.token = f.token, .username = f.username};
}
