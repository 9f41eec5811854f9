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

static bool is_emergency(const struct gateway *gw)
{
	const struct emergency_config *emergency = &gw_config(gw)->emergency;
	struct sip_uri uri;

	if (is_service(gw->message.uri))
		return true;
	if (emergency->number_count == 0)
		return false;
	uri = sip_uri_parse(gw->message.uri);
	if (!is_dialled(gw, &uri))
		return false;
	for (uint32_t i = 0; i < emergency->number_count; i++)
		if (number_is(uri.user, emergency->number[i]))
			return true;
	return false;
}

enum gw_err emergency_check(const struct gateway *gw)
{
	enum emergency_policy policy = gw_config(gw)->emergency.policy;

	if (policy == EMERGENCY_FORWARD || !is_emergency(gw))
		return GW_OK;
	return policy == EMERGENCY_FORBIDDEN ? GW_SIP_EMERGENCY_FORBIDDEN : GW_SIP_EMERGENCY;
}

bool emergency_forwarded(const struct gateway *gw)
{
	return gw_config(gw)->emergency.policy == EMERGENCY_FORWARD && is_emergency(gw);
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
