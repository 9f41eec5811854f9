/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#define MAX_FORWARDS_DEFAULT 70

void request_begin(struct gateway *gw, const struct sip_message *m)
{
	writer_init(&gw->lines, gw->lines_memory, GATEWAY_LINES_MAX);
	writer_init(&gw->out, gw->out_memory, gw->config.max_message + GATEWAY_LINES_MAX);
	if (m != NULL)
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

const struct realm_config *request_realm_of(const struct config_part *config,
					    const struct identity *impu)
{
	const struct realm_config *realm = request_realm(config, identity_host(impu));

	return realm != NULL ? realm : &config->realm[0];
}

struct sip_via request_top_via(const struct sip_message *m)
{
	struct span rest = sip_value(m, SIP_HEADER_VIA), element;

	if (!sip_list_next(&rest, &element))
		return (struct sip_via){.err = GW_SIP_VIA};
	return sip_via_parse(element);
}

bool request_in_dialog(const struct sip_message *m)
{
	struct sip_address to = sip_address_parse(sip_value(m, SIP_HEADER_TO));
	struct span tag;

	return to.err == GW_OK && sip_param(to.params, SPAN("tag"), &tag);
}

bool request_makes_dialog(const struct sip_message *m)
{
	/* an unknown method may as well */
	bool makes = m->method == SIP_INVITE || m->method == SIP_SUBSCRIBE ||
		     m->method == SIP_REFER || m->method == SIP_METHOD_OTHER;

	return makes && !request_in_dialog(m);
}

bool request_has_tag(const struct sip_message *m, enum sip_header id, struct span tag)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element))
			if (span_equal_nocase(element, tag))
				return true;
	}
	return false;
}

static bool is_word_byte(int c)
{
	int lower = c >= 0 ? ascii_lower((uint8_t)c) : c;

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool request_mentions(struct span text, struct span word)
{
	int before = -1;

	for (; text.len > 0; before = text.at[0], text = span_from(text, 1))
		if (span_equal_nocase(span_cut(text, 0, word.len), word) && !is_word_byte(before) &&
		    !is_word_byte(span_at(text, word.len)))
			return true;
	return false;
}

/* ---- checks --------------------------------------------------------------------------------- */

/** A client's request has one Via: ours would be the second on its way (D-07). */
static enum gw_err check_one_via(const struct sip_message *m)
{
	const struct sip_field *via = sip_first(m, SIP_HEADER_VIA);
	struct span rest = via->value, element;

	(void)sip_list_next(&rest, &element);
	return sip_list_next(&rest, &element) || sip_next(m, via) != NULL ? GW_SIP_VIA : GW_OK;
}

/** RFC 3261 19.1.1: no header fields in a Request-URI. */
static enum gw_err check_request_uri(const struct sip_message *m)
{
	struct sip_uri uri = sip_uri_parse(m->uri);

	if (uri.err != GW_OK)
		return uri.err;
	return uri.headers.len > 0 ? GW_SIP_URI : GW_OK;
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

/** Lists of option tags hold tokens only: a quote would hide a tag from us and not from others. */
static enum gw_err check_tags(const struct sip_message *m, enum sip_header id)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, tag;

		while (sip_list_next(&rest, &tag))
			if (!sip_is_token(tag))
				return GW_SIP_HEADER;
	}
	return GW_OK;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/** Begins with the media type of tokens; a slash may have white space about it (RFC 3261 25.1). */
static bool starts_with_jwt(struct span text)
{
	struct span left = SPAN("application/jwt");

	for (; text.len > 0 && left.len > 0; text = span_from(text, 1)) {
		if (is_space(text.at[0]))
			continue;
		if (ascii_lower(text.at[0]) != left.at[0])
			return false;
		left = span_from(left, 1);
	}
	return left.len == 0 && !is_word_byte(span_at(text, 0));
}

static bool mentions_jwt(struct span text)
{
	int before = -1;

	for (; text.len > 0; before = text.at[0], text = span_from(text, 1))
		if (!is_word_byte(before) && !is_space(text.at[0]) && starts_with_jwt(text))
			return true;
	return false;
}

/* D-09, PROTOCOL 9.1: it must not go on to the core either */
enum gw_err request_body_check(struct gateway *gw)
{
	const struct sip_message *m = &gw->message;
	struct span type = sip_value(m, SIP_HEADER_CONTENT_TYPE), body = m->body;

	if (mentions_jwt(type))
		return GW_TOKEN_CARRIER;
	if (!request_mentions(type, SPAN("multipart")))
		return GW_OK;
	(void)trust_body_strip(gw, m, &body);
	return mentions_jwt(body) ? GW_TOKEN_CARRIER : GW_OK;
}

static enum gw_err check_from_wic(struct gateway *gw)
{
	const struct sip_message *m = &gw->message;
	enum gw_err err = check_one_via(m);

	if (err == GW_OK &&
	    (sip_address_parse(sip_value(m, SIP_HEADER_FROM)).err == GW_SIP_ADDRESS ||
	     sip_address_parse(sip_value(m, SIP_HEADER_TO)).err == GW_SIP_ADDRESS))
		err = GW_SIP_ADDRESS;
	if (err == GW_OK)
		err = check_tags(m, SIP_HEADER_REQUIRE);
	if (err == GW_OK)
		err = check_tags(m, SIP_HEADER_PROXY_REQUIRE);
	return err == GW_OK ? request_body_check(gw) : err;
}

enum gw_err request_check(struct gateway *gw, enum request_side side)
{
	const struct sip_message *m = &gw->message;
	enum gw_err err = request_top_via(m).err;

	if (err == GW_OK && side == REQUEST_FROM_WIC)
		err = check_from_wic(gw);
	if (err == GW_OK)
		err = check_request_uri(m);
	if (err == GW_OK)
		err = check_max_forwards(m);
	return err == GW_OK ? check_proxy_require(m) : err;
}

/* ---- what every forwarded request gets ------------------------------------------------------ */

void request_max_forwards(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_MAX_FORWARDS);
	uint32_t mark = writer_len(&gw->lines), hops;

	if (f == NULL) {
		writer_text(&gw->lines, "Max-Forwards: ");
		writer_decimal(&gw->lines, MAX_FORWARDS_DEFAULT);
		writer_text(&gw->lines, "\r\n");
		sip_splice_insert_top(&gw->splice, request_lines(gw, mark));
		return;
	}
	if (sip_number(f->value, 255, &hops) && hops > 0)
		writer_decimal(&gw->lines, hops - 1);
	sip_splice_replace(&gw->splice, f->value, request_lines(gw, mark));
}

void request_sent_by(struct gateway *gw, enum mw_transport transport, struct writer *out)
{
	const struct config_part *config = gw_config(gw);
	bool tls = transport == MW_TLS;

	writer_put(out, config->mw_host);
	writer_text(out, ":");
	if (config->mw_advertise_common)
		writer_decimal(out, tls ? config->mw_tls.port : config->mw_sip_port);
	else
		writer_decimal(out, gw->config.worker + (tls ? config->mw_tls.worker_port_base
							     : config->mw_worker_port_base));
}

void request_own_uri(struct gateway *gw, enum mw_transport transport)
{
	static const char *const params[] = {
		[MW_UDP] = "", [MW_TCP] = ";transport=tcp", [MW_TLS] = ";transport=tls"};

	request_sent_by(gw, transport, &gw->lines);
	writer_text(&gw->lines, params[transport]);
	writer_text(&gw->lines, ";lr");
}

void request_write_via(struct gateway *gw, const struct transaction *t, struct writer *out)
{
	bool wic = t->kind == TRANSACTION_TERMINATE;

	writer_text(out, "Via: SIP/2.0/");
	writer_text(out, wic ? "WSS" : mw_transport_name(t->target.transport));
	writer_text(out, " ");
	request_sent_by(gw, wic ? MW_UDP : t->target.transport, out);
	writer_text(out, ";branch=");
	transaction_branch(gw, t, out);
	writer_text(out, "\r\n");
}

void request_via(struct gateway *gw, const struct transaction *t)
{
	uint32_t mark = writer_len(&gw->lines);

	request_write_via(gw, t, &gw->lines);
	sip_splice_insert_top(&gw->splice, request_lines(gw, mark));
}

void request_random(struct gateway *gw, struct writer *out)
{
	uint64_t word = gw->env->random(gw->env->context);

	writer_hex(out, span_of(&word, sizeof(word)));
}

void request_icid(struct gateway *gw, uint8_t icid[ICID_LEN])
{
	struct writer w;

	writer_init(&w, icid, ICID_LEN);
	request_random(gw, &w);
	request_random(gw, &w);
	memcpy(gw->icid, icid, sizeof(gw->icid));
}

void request_charging(struct gateway *gw, const struct realm_config *realm, struct span icid,
		      struct writer *out)
{
	/* RFC 7315 5.6: icid-generated-at is a host, unquoted; orig-ioi of type 1 names the
	 * visited network */
	writer_text(out, "P-Charging-Vector: icid-value=\"");
	writer_put(out, icid);
	writer_text(out, "\";icid-generated-at=");
	writer_put(out, gw_config(gw)->mw_host);
	writer_text(out, ";orig-ioi=\"");
	writer_put(out, realm->ioi);
	writer_text(out, "\"\r\n");
}

void request_charging_vector(struct gateway *gw, const struct realm_config *realm,
			     struct writer *out)
{
	uint8_t icid[ICID_LEN];

	request_icid(gw, icid);
	request_charging(gw, realm, span_of(icid, sizeof(icid)), out);
}
