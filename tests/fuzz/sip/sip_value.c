/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

static void check_params(struct span params, struct span text)
{
	struct span name, value, found;

	while (sip_param_next(&params, &name, &value)) {
		MUST(inside(name, text) && inside(value, text));
		MUST(inside(sip_unquote(value), value));
		MUST(sip_param(text, name, &found) || text.at != params.at);
	}
}

static void check_uri(struct span text)
{
	struct sip_uri uri = sip_uri_parse(text);

	MUST(inside(uri.user, text) && inside(uri.password, text) && inside(uri.host, text));
	MUST(inside(uri.params, text) && inside(uri.headers, text));
	MUST(span_equal(uri.text, text));
	if (uri.err != GW_OK) {
		MUST(uri.err == GW_SIP_URI || uri.err == GW_SIP_URI_SCHEME);
		MUST(uri.user.len == 0 && uri.host.len == 0 && !uri.has_user);
		return;
	}
	MUST(text.len <= SIP_URI_MAX && uri.scheme != SIP_SCHEME_OTHER);
	MUST(span_find(text, '>') == text.len && span_find(text, '"') == text.len);
	MUST(span_find(text, '\n') == text.len && span_find(text, ' ') == text.len);
	if (uri.scheme == SIP_SCHEME_SIP || uri.scheme == SIP_SCHEME_SIPS)
		MUST(uri.host.len > 0 && uri.has_user == (uri.user.len > 0));
	check_params(uri.params, uri.params);
}

/* The URI of an address is the same in brackets. */
static void check_brackets(struct sip_address address)
{
	uint8_t room[SIP_URI_MAX + 2];
	struct writer out;
	struct sip_address again;

	writer_init(&out, room, sizeof(room));
	writer_text(&out, "<");
	writer_put(&out, address.uri_text);
	writer_text(&out, ">");
	again = sip_address_parse(writer_span(&out));
	MUST(writer_ok(&out) && again.err == address.err);
	MUST(span_equal(again.uri_text, address.uri_text));
	MUST(span_equal(again.uri.host, address.uri.host));
}

static void check_address(struct span text)
{
	struct sip_address address = sip_address_parse(text);

	MUST(inside(address.display, text) && inside(address.uri_text, text));
	MUST(inside(address.params, text));
	if (address.err == GW_SIP_ADDRESS)
		MUST(address.uri_text.len == 0 && address.params.len == 0);
	if (address.err == GW_OK && !address.star)
		check_brackets(address);
	check_params(address.params, address.params);
}

static void check_via(struct span text)
{
	struct sip_via via = sip_via_parse(text);

	MUST(inside(via.transport, text) && inside(via.host, text));
	MUST(inside(via.params, text) && inside(via.branch, text));
	if (via.err == GW_OK)
		MUST(via.host.len > 0 && sip_is_token(via.transport));
	else
		MUST(via.err == GW_SIP_VIA && via.host.len == 0);
}

/* Each element is inside, ordered, not empty, and one element by itself unless a quote or bracket
 * has no end. */
static void check_list(struct span text)
{
	struct span rest = text, item, inner, again;
	const uint8_t *last = text.at;

	while (sip_list_next(&rest, &item)) {
		MUST(item.len > 0 && inside(item, text) && item.at >= last);
		last = item.at + item.len;
		inner = item;
		MUST(sip_list_next(&inner, &again) && span_equal(item, again));
		MUST(!sip_list_next(&inner, &again));
		check_address(item);
		check_via(item);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, (uint32_t)size);
	uint32_t number;

	check_uri(text);
	check_address(text);
	check_via(text);
	check_list(text);
	check_params(text, text);
	if (sip_number(text, 1000, &number))
		MUST(number <= 1000 && sip_seconds(text, &number));
	return 0;
}
