/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/* Where answers to the core go: what a server transport does with the top Via of a request. */

#define SIP_PORT 5060

/** RFC 3581 4: rport without a value asks for the answer at the port that the request came from. */
static bool asks_rport(const struct sip_via *via, struct span *value)
{
	return sip_param(via->params, SPAN("rport"), value) && value->len == 0;
}

void source_answer(const struct sip_message *m, struct mw_source *source)
{
	struct sip_via via = request_top_via(m);
	struct span value;

	if (source->transport != MW_UDP || via.err != GW_OK || asks_rport(&via, &value))
		return;
	endpoint_set_port(&source->peer, via.port != 0 ? via.port : SIP_PORT);
}

/** The address alone, an IPv6 one without brackets (RFC 3261 25.1, via-received). */
static struct span address_text(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX])
{
	struct span all = span_text(endpoint_format(e, text));

	if (span_at(all, 0) == '[')
		return span_cut(all, 1, span_find(all, ']') - 1);
	return span_cut(all, 0, span_find(all, ':'));
}

static bool is_sent_by(const struct sip_via *via, const struct endpoint *peer)
{
	struct endpoint named;

	return endpoint_parse(via->host, &named) && endpoint_same_host(&named, peer);
}

static void stamp_rport(struct gateway *gw, struct span value, const struct endpoint *peer)
{
	uint32_t mark = writer_len(&gw->lines);

	if (value.at[-1] != '=')
		writer_text(&gw->lines, "=");
	writer_decimal(&gw->lines, endpoint_port(peer));
	sip_splice_replace(&gw->splice, value, request_lines(gw, mark));
}

static void stamp_received(struct gateway *gw, struct span element, struct span old,
			   const struct endpoint *peer)
{
	char text[ENDPOINT_TEXT_MAX];
	uint32_t mark = writer_len(&gw->lines);

	if (old.len == 0) {
		old = span_from(element, element.len);
		writer_text(&gw->lines, ";received=");
	}
	writer_put(&gw->lines, address_text(peer, text));
	sip_splice_replace(&gw->splice, old, request_lines(gw, mark));
}

enum gw_err source_stamp(struct gateway *gw, const struct endpoint *peer)
{
	struct span rest = sip_value(&gw->message, SIP_HEADER_VIA), element = rest;
	struct span rport, received = SPAN("");
	struct sip_via via = request_top_via(&gw->message);
	struct writer stamped;
	bool asked = asks_rport(&via, &rport);
	enum gw_err err;

	if (via.err != GW_OK || (!asked && is_sent_by(&via, peer)))
		return GW_OK; /* what is wrong with a Via is found by request_check() */
	(void)sip_list_next(&rest, &element);
	(void)sip_param(via.params, SPAN("received"), &received);
	request_begin(gw, &gw->message);
	if (asked)
		stamp_rport(gw, rport, peer);
	stamp_received(gw, element, received, peer);
	writer_init(&stamped, gw->stamped_memory, gw->config.max_message + GATEWAY_LINES_MAX);
	err = sip_splice_write(&gw->splice, &stamped);
	return err == GW_OK ? sip_index(writer_span(&stamped), &gw->message) : err;
}
