/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/text.h"

/* Length of the list element at the start of s, up to its comma. */
static uint32_t element_len(struct span s)
{
	uint32_t i = 0;
	int c;

	while ((c = span_at(s, i)) >= 0 && c != ',') {
		if (c == '"')
			i = sip_text_quoted(s, i);
		else if (c == '<')
			i += span_find(span_from(s, i), '>');
		else
			i++;
	}
	return i;
}

bool sip_list_next(struct span *rest, struct span *item)
{
	while (rest->len > 0) {
		uint32_t len = element_len(*rest);

		*item = sip_text_trim(span_cut(*rest, 0, len));
		*rest = span_from(*rest, len + 1);
		if (item->len > 0)
			return true;
	}
	return false;
}

bool sip_param_next(struct span *rest, struct span *name, struct span *value)
{
	while (rest->len > 0) {
		uint32_t len = sip_text_find(*rest, ';');
		struct span param = sip_text_trim(span_cut(*rest, 0, len));
		uint32_t equals = sip_text_find(param, '=');

		*rest = span_from(*rest, len + 1);
		if (param.len == 0)
			continue;
		*name = sip_text_trim(span_cut(param, 0, equals));
		*value = sip_text_trim(span_from(param, equals + 1));
		return true;
	}
	return false;
}

bool sip_param(struct span params, struct span name, struct span *value)
{
	struct span seen, found;

	while (sip_param_next(&params, &seen, &found))
		if (span_equal_nocase(seen, name)) {
			*value = found;
			return true;
		}
	return false;
}

struct span sip_unquote(struct span value)
{
	if (value.len < 2 || value.at[0] != '"' || value.at[value.len - 1] != '"')
		return value;
	return span_cut(value, 1, value.len - 2);
}

bool sip_is_token(struct span text)
{
	return text.len > 0 && sip_text_all(text, SIP_TEXT_TOKEN);
}

bool sip_number(struct span text, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;

	if (text.len == 0)
		return false;
	for (uint32_t i = 0; i < text.len; i++) {
		if (!sip_text_is(text, i, SIP_TEXT_DIGIT))
			return false;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
		if (value > max)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

bool sip_seconds(struct span text, uint32_t *out)
{
	if (text.len == 0 || !sip_text_all(text, SIP_TEXT_DIGIT))
		return false;
	if (!sip_number(text, UINT32_MAX, out))
		*out = UINT32_MAX;
	return true;
}
