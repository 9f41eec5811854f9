/* SPDX-License-Identifier: BSD-3-Clause */
#include "destination.h"

/* Emergency calls (PROTOCOL 9.5 item 2, D-32): what is one, and what becomes of it here. */

/** RFC 5031: the service sos, or one below it. */
static bool is_service(struct span uri)
{
	struct span service = SPAN("urn:service:sos");
	int after = span_at(uri, service.len);

	return span_equal_nocase(span_cut(uri, 0, service.len), service) &&
	       (after < 0 || after == '.');
}

/** RFC 3966 5.1.1: what people write between digits. */
static bool is_separator(int c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

/** The number that user begins with, up to its own parameters, is wanted. */
static bool number_is(struct span user, struct span wanted)
{
	uint32_t bytes;
	int c;

	for (; (c = sip_uri_char(user, &bytes)) >= 0 && c != ';'; user = span_from(user, bytes)) {
		if (is_separator(c))
			continue;
		if (c != span_at(wanted, 0))
			return false;
		wanted = span_from(wanted, 1);
	}
	return wanted.len == 0;
}

/** The user part is what was dialled: a telephone number, or whatever a page makes of digits, which
 * is a user of the home domain. */
static bool is_dialled(const struct gateway *gw, const struct sip_uri *uri)
{
	struct span user;

	if (uri->err != GW_OK || !uri->has_user)
		return false;
	return uri->scheme == SIP_SCHEME_TEL || request_realm(gw_config(gw), uri->host) != NULL ||
	       (sip_param(uri->params, SPAN("user"), &user) &&
		span_equal_nocase(user, SPAN("phone")));
}

static bool is_number(const struct gateway *gw, const struct sip_uri *uri)
{
	const struct emergency_config *emergency = &gw_config(gw)->emergency;

	if (emergency->number_count == 0 || !is_dialled(gw, uri))
		return false;
	for (uint32_t i = 0; i < emergency->number_count; i++)
		if (number_is(uri->user, emergency->number[i]))
			return true;
	return false;
}

static bool is_emergency(const struct gateway *gw)
{
	struct sip_uri uri = sip_uri_parse(gw->message.uri);

	return is_service(gw->message.uri) || is_number(gw, &uri);
}

enum gw_err emergency_check(const struct gateway *gw)
{
	enum emergency_policy policy = gw_config(gw)->emergency.policy;

	if (policy == EMERGENCY_FORWARD || !is_emergency(gw))
		return GW_OK;
	return policy == EMERGENCY_FORBIDDEN ? GW_SIP_EMERGENCY_FORBIDDEN : GW_SIP_EMERGENCY;
}

/** Parameters of a number that leave it what it is: it holds in a home domain. */
static bool number_params_plain(const struct gateway *gw, struct span params)
{
	struct span name, value;

	while (sip_param_next(&params, &name, &value))
		if (!span_equal_nocase(name, SPAN("phone-context")) ||
		    request_realm(gw_config(gw), value) == NULL)
			return false;
	return true;
}

static bool uri_params_plain(struct span params)
{
	struct span name, value;

	while (sip_param_next(&params, &name, &value))
		if (!span_equal_nocase(name, SPAN("user")) &&
		    !span_equal_nocase(name, SPAN("transport")))
			return false;
	return true;
}

/** It says nothing by which another one than the emergency number could be reached. */
static bool is_plain(const struct gateway *gw, const struct sip_uri *uri)
{
	uint32_t at = span_find(uri->user, ';');
	struct span params = span_from(uri->user, at + 1), number = span_cut(uri->user, 0, at);
	uint32_t bytes;
	int c;

	while ((c = sip_uri_char(number, &bytes)) >= 0 && c != ';')
		number = span_from(number, bytes);
	if (c == ';' || uri->password.len > 0 || uri->headers.len > 0)
		return false;
	if (uri->scheme == SIP_SCHEME_TEL)
		return number_params_plain(gw, uri->params);
	return request_realm(gw_config(gw), uri->host) != NULL && uri_params_plain(uri->params) &&
	       number_params_plain(gw, params);
}

bool emergency_forwarded(const struct gateway *gw)
{
	struct sip_uri uri = sip_uri_parse(gw->message.uri);

	return gw_config(gw)->emergency.policy == EMERGENCY_FORWARD &&
	       (is_service(gw->message.uri) || (is_number(gw, &uri) && is_plain(gw, &uri)));
}

struct span emergency_body(struct gateway *gw)
{
	uint32_t mark = writer_len(&gw->lines);

	writer_text(&gw->lines, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
				"<ims-3gpp version=\"1\"><alternative-service>"
				"<type>emergency</type><reason>");
	writer_put(&gw->lines, gw_config(gw)->emergency.reason_xml);
	writer_text(&gw->lines, "</reason></alternative-service></ims-3gpp>\r\n");
	return request_lines(gw, mark);
}
