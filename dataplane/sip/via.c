/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/text.h"

/* Takes a token, then the separator, white space around both. */
static bool take_token(struct span *rest, struct span *token, uint8_t separator)
{
	uint32_t start = sip_text_space(*rest, 0);
	uint32_t end = sip_text_run(*rest, start, SIP_TEXT_TOKEN);
	uint32_t after = sip_text_space(*rest, end);

	if (end == start || span_at(*rest, after) != separator)
		return false;
	*token = span_cut(*rest, start, end - start);
	*rest = span_from(*rest, after + 1);
	return true;
}

/* sent-protocol: "SIP" SLASH "2.0" SLASH transport LWS */
static bool read_protocol(struct span *rest, struct sip_via *via)
{
	struct span name, version;
	uint32_t start, end;

	if (!take_token(rest, &name, '/') || !take_token(rest, &version, '/') ||
	    !span_equal_nocase(name, SPAN("SIP")) || !span_equal(version, SPAN("2.0")))
		return false;
	start = sip_text_space(*rest, 0);
	end = sip_text_run(*rest, start, SIP_TEXT_TOKEN);
	via->transport = span_cut(*rest, start, end - start);
	if (end == start || !sip_text_is_space(span_at(*rest, end)))
		return false;
	*rest = span_from(*rest, sip_text_space(*rest, end));
	return true;
}

/* sent-by: host [ COLON port ]; leaves the parameters with their ';' in *rest */
static bool read_sent_by(struct span *rest, struct sip_via *via)
{
	uint32_t len = sip_text_host_len(*rest), at, end;

	via->host = span_cut(*rest, 0, len);
	at = sip_text_space(*rest, len);
	if (!sip_text_host_ok(via->host))
		return false;
	if (span_at(*rest, at) == ':') {
		at = sip_text_space(*rest, at + 1);
		end = sip_text_run(*rest, at, SIP_TEXT_DIGIT);
		if (!sip_text_port(span_cut(*rest, at, end - at), &via->port))
			return false;
		at = sip_text_space(*rest, end);
	}
	*rest = span_from(*rest, at);
	return rest->len == 0 || rest->at[0] == ';';
}

struct sip_via sip_via_parse(struct span element)
{
	struct sip_via via = {.err = GW_OK};
	struct span rest = element;

	if (!read_protocol(&rest, &via) || !read_sent_by(&rest, &via))
		return (struct sip_via){.err = GW_SIP_VIA};
	via.params = sip_text_trim(span_from(rest, 1));
	if (!sip_text_params_ok(via.params))
		return (struct sip_via){.err = GW_SIP_VIA};
	if (!sip_param(via.params, SPAN("branch"), &via.branch))
		via.branch = span_cut(via.params, 0, 0);
	return via;
}
