/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/text.h"

/* [ display-name ] LAQUOT: offset of the '<', or value.len when the address has none; value.len + 1
 * when the display name is malformed. */
static uint32_t find_bracket(struct span value, struct span *display)
{
	uint32_t at = 0, end;

	if (span_at(value, 0) == '"') {
		end = sip_text_quoted(value, 0);
		at = sip_text_space(value, end);
		*display = span_cut(value, 0, end);
		return span_at(value, at) == '<' ? at : value.len + 1;
	}
	at = sip_text_run(value, 0, SIP_TEXT_WORD);
	if (span_at(value, at) == '<') {
		*display = sip_text_trim(span_cut(value, 0, at));
		return at;
	}
	return value.len;
}

/* name-addr after its '<' */
static bool read_bracketed(struct span rest, struct sip_address *address)
{
	uint32_t end = span_find(rest, '>');
	struct span after = sip_text_trim(span_from(rest, end + 1));

	address->uri_text = span_cut(rest, 0, end);
	address->params = span_from(after, 1);
	return end < rest.len && (after.len == 0 || after.at[0] == ';');
}

/*
 * addr-spec: parameters are the header's, and a URI with a comma, a question mark or a semicolon of
 * its own must be in brackets (RFC 3261 20). An '@' behind the first ';' would be one whose user
 * has a semicolon: another parser might read another user there. A '<' is one behind a display name
 * that is none.
 */
static bool read_bare(struct span value, struct sip_address *address)
{
	uint32_t end = span_find(value, ';');

	address->uri_text = sip_text_trim(span_cut(value, 0, end));
	address->params = sip_text_trim(span_from(value, end + 1));
	return span_find(address->uri_text, '<') == address->uri_text.len &&
	       span_find(address->uri_text, '?') == address->uri_text.len &&
	       span_find(address->uri_text, ',') == address->uri_text.len &&
	       sip_text_find(address->params, '@') == address->params.len;
}

struct sip_address sip_address_parse(struct span value)
{
	struct sip_address address = {.err = GW_SIP_ADDRESS};
	uint32_t bracket;
	bool ok;

	value = sip_text_trim(value);
	if (span_equal(value, SPAN("*"))) {
		address.err = GW_OK;
		address.star = true;
		return address;
	}
	bracket = find_bracket(value, &address.display);
	if (bracket < value.len)
		ok = read_bracketed(span_from(value, bracket + 1), &address);
	else
		ok = bracket == value.len && read_bare(value, &address);
	if (!ok || !sip_text_params_ok(address.params))
		return (struct sip_address){.err = GW_SIP_ADDRESS};
	address.uri = sip_uri_parse(address.uri_text);
	address.err = address.uri.err;
	return address;
}
