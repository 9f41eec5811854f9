/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#define MAX_FORWARDS_DEFAULT 70

void request_begin(struct gateway *gw, const struct sip_message *m)
{
	writer_init(&gw->lines, gw->lines_memory, GATEWAY_LINES_MAX);
	writer_init(&gw->out, gw->out_memory, gw->config.max_message + GATEWAY_LINES_MAX);
	sip_splice_init(&gw->splice, m);
}

struct span request_lines(struct gateway *gw, uint32_t mark)
{
	return writer_since(&gw->lines, mark);
}

const struct realm_config *request_realm(const struct config_part *config, struct span host)
{
	for (uint32_t i = 0; i < config->realm_count; i++)
		if (span_equal_nocase(config->realm[i].domain, host))
			return &config->realm[i];
	return NULL;
}

/** A client's request has one Via: ours would be the second on its way (D-07). The core has any. */
static enum gw_err check_via(const struct sip_message *m)
{
	const struct sip_field *via = sip_first(m, SIP_HEADER_VIA);
	struct span rest = via->value, element;

	if (!sip_list_next(&rest, &element))
		return GW_SIP_VIA;
	return sip_via_parse(element).err;
}

static enum gw_err check_request_uri(const struct sip_message *m)
{
	return sip_uri_parse(m->uri).err;
}

static enum gw_err check_max_forwards(const struct sip_message *m)
{
	struct span value = sip_value(m, SIP_HEADER_MAX_FORWARDS);
	uint32_t hops;

	if (sip_first(m, SIP_HEADER_MAX_FORWARDS) == NULL)
		return GW_OK;
	if (!sip_number(value, 255, &hops))
		return GW_SIP_NUMBER;
	return hops == 0 ? GW_SIP_MAX_FORWARDS : GW_OK;
}

/** We support no extension that a proxy must; sec-agree is taken out later (PROTOCOL 9.1). */
static enum gw_err check_proxy_require(const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_PROXY_REQUIRE);

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, tag;

		while (sip_list_next(&rest, &tag))
			if (!span_equal_nocase(tag, SPAN("sec-agree")))
				return GW_SIP_EXTENSION;
	}
	return GW_OK;
}

enum gw_err request_check(struct gateway *gw, const struct sip_message *m)
{
	enum gw_err err = check_via(m);

	(void)gw;
	if (err == GW_OK)
		err = check_request_uri(m);
	if (err == GW_OK)
		err = check_max_forwards(m);
	if (err == GW_OK)
		err = check_proxy_require(m);
	return err;
}

void request_max_forwards(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_MAX_FORWARDS);
	uint32_t mark = writer_len(&gw->lines), hops = MAX_FORWARDS_DEFAULT;

	if (f == NULL) {
		writer_text(&gw->lines, "Max-Forwards: ");
		writer_decimal(&gw->lines, hops - 1);
		writer_text(&gw->lines, "\r\n");
		sip_splice_insert_top(&gw->splice, request_lines(gw, mark));
		return;
	}
	if (sip_number(f->value, 255, &hops) && hops > 0)
		writer_decimal(&gw->lines, hops - 1);
	sip_splice_replace(&gw->splice, f->value, request_lines(gw, mark));
}

void request_via(struct gateway *gw, const struct transaction *t, const char *transport)
{
	const struct config_part *config = gw_config(gw);
	uint32_t mark = writer_len(&gw->lines);
	uint16_t port = config->mw_advertise_common
				? config->mw_sip_port
				: (uint16_t)(config->mw_worker_port_base + gw->config.worker);

	writer_text(&gw->lines, "Via: SIP/2.0/");
	writer_text(&gw->lines, transport);
	writer_text(&gw->lines, " ");
	writer_put(&gw->lines, config->mw_host);
	writer_text(&gw->lines, ":");
	writer_decimal(&gw->lines, port);
	writer_text(&gw->lines, ";branch=");
	transaction_branch(gw, t, &gw->lines);
	writer_text(&gw->lines, "\r\n");
	sip_splice_insert_top(&gw->splice, request_lines(gw, mark));
}

void request_charging_vector(struct gateway *gw, struct writer *out)
{
	const struct config_part *config = gw_config(gw);
	uint8_t id[16];

	for (uint32_t i = 0; i < sizeof(id); i += 8) {
		uint64_t word = gw->env->random(gw->env->context);

		memcpy(id + i, &word, 8);
	}
	/* RFC 7315 5.6: icid-generated-at is a host, unquoted; orig-ioi of type 1 names the
	 * visited network */
	writer_text(out, "P-Charging-Vector: icid-value=\"");
	writer_hex(out, span_of(id, sizeof(id)));
	writer_text(out, "\";icid-generated-at=");
	writer_put(out, config->mw_host);
	writer_text(out, ";orig-ioi=\"");
	writer_put(out, config->realm[0].visited_network);
	writer_text(out, "\"\r\n");
}
