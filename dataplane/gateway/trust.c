/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/*
 * The trust boundary (PROTOCOL 9.1, TS 24.229 4.4): nothing that a WIC writes may forge identity,
 * routing or charging in the core, and nothing of the core's charging reaches a WIC.
 */

/** What a WIC may never bring in, whole header lines. */
static const enum sip_header never_from_wic[] = {
	SIP_HEADER_P_ASSERTED_IDENTITY,
	SIP_HEADER_P_PREFERRED_IDENTITY, /* read before, replaced by P-Asserted-Identity */
	SIP_HEADER_P_ASSERTED_SERVICE,
	SIP_HEADER_P_ASSOCIATED_URI,
	SIP_HEADER_P_CALLED_PARTY_ID,
	SIP_HEADER_P_CHARGING_VECTOR,
	SIP_HEADER_P_CHARGING_FUNCTION_ADDRESSES,
	SIP_HEADER_P_VISITED_NETWORK_ID,
	SIP_HEADER_P_SERVED_USER,
	SIP_HEADER_P_PROFILE_KEY,
	SIP_HEADER_P_USER_DATABASE,
	SIP_HEADER_P_PRIVATE_NETWORK_INDICATION,
	SIP_HEADER_PATH,
	SIP_HEADER_SERVICE_ROUTE,
	SIP_HEADER_RECORD_ROUTE, /* we are the first hop: nobody before us can have recorded */
	SIP_HEADER_FEATURE_CAPS,
	SIP_HEADER_RESTORATION_INFO,
	SIP_HEADER_RELAYED_CHARGE,
	SIP_HEADER_SERVICE_INTERACT_INFO,
	SIP_HEADER_CELLULAR_NETWORK_INFO,
	SIP_HEADER_RESPONSE_SOURCE,
	SIP_HEADER_ATTESTATION_INFO,
	SIP_HEADER_ORIGINATION_ID,
	SIP_HEADER_ADDITIONAL_IDENTITY,
	SIP_HEADER_RESOURCE_PRIORITY,
	SIP_HEADER_HISTORY_INFO, /* D-27 */
	SIP_HEADER_SECURITY_CLIENT,
	SIP_HEADER_SECURITY_SERVER,
	SIP_HEADER_SECURITY_VERIFY,
};

/** What a WIC never sees of the core. */
static const enum sip_header never_to_wic[] = {
	SIP_HEADER_P_CHARGING_VECTOR,
	SIP_HEADER_P_CHARGING_FUNCTION_ADDRESSES,
	SIP_HEADER_P_SERVED_USER,
	SIP_HEADER_P_PROFILE_KEY,
	SIP_HEADER_P_USER_DATABASE,
	SIP_HEADER_P_VISITED_NETWORK_ID,
	SIP_HEADER_P_PRIVATE_NETWORK_INDICATION,
	SIP_HEADER_PATH, /* topology, D-29 */
	SIP_HEADER_RESTORATION_INFO,
	SIP_HEADER_RELAYED_CHARGE,
	SIP_HEADER_SERVICE_INTERACT_INFO,
	SIP_HEADER_CELLULAR_NETWORK_INFO,
	SIP_HEADER_ATTESTATION_INFO,
	SIP_HEADER_ORIGINATION_ID,
	SIP_HEADER_ADDITIONAL_IDENTITY,
};

/** Removes the elements equal to tag from every line of header id. */
static void strip_tag(struct gateway *gw, const struct sip_message *m, enum sip_header id,
		      struct span tag)
{
	const struct sip_field *f = sip_first(m, id);

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;
		uint32_t kept = 0;

		while (sip_list_next(&rest, &element))
			kept += !span_equal_nocase(element, tag);
		if (kept == 0) {
			sip_splice_remove(&gw->splice, f);
			continue;
		}
		rest = f->value;
		while (sip_list_next(&rest, &element))
			if (span_equal_nocase(element, tag))
				sip_splice_remove_element(&gw->splice, f, element);
	}
}

/** A line with an entry that claims to be the network's goes whole: its writer lies. */
static void strip_access_network(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_P_ACCESS_NETWORK_INFO);

	for (; f != NULL; f = sip_next(m, f))
		if (request_mentions(f->value, SPAN("network-provided")) ||
		    request_mentions(f->value, SPAN("np")))
			sip_splice_remove(&gw->splice, f);
}

/** A Digest for whoever challenged the WIC, with nothing in it that is ours to say or to keep. */
static bool is_plain_digest(struct span value)
{
	static const char *const ours[] = {"integrity-protected", "authorization-entity", "bearer",
					   "access_token"};

	if (!span_equal_nocase(span_cut(value, 0, 7), SPAN("Digest ")))
		return false;
	for (uint32_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (request_mentions(value, span_text(ours[i])))
			return false;
	return true;
}

/** Bearer credentials are for us alone; a Digest is between the WIC and who challenged it. */
static void strip_credentials(struct gateway *gw, const struct sip_message *m, enum sip_header id)
{
	const struct sip_field *f = sip_first(m, id);

	for (; f != NULL; f = sip_next(m, f))
		if (m->method == SIP_REGISTER || !is_plain_digest(f->value))
			sip_splice_remove(&gw->splice, f);
}

/* ---- URIs ----------------------------------------------------------------------------------- */

static int hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = c >= 0 ? ascii_lower((uint8_t)c) : c;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** name is wanted, also with escapes: another parser may resolve them (RFC 3261 19.1.4). */
static bool name_is(struct span name, struct span wanted)
{
	for (; wanted.len > 0; wanted = span_from(wanted, 1)) {
		int c = span_at(name, 0), high = hex_value(span_at(name, 1));
		bool escaped = c == '%' && high >= 0;

		if (escaped)
			c = high << 4 | hex_value(span_at(name, 2));
		if (c < 0 || ascii_lower((uint8_t)c) != wanted.at[0])
			return false;
		name = span_from(name, escaped ? 3 : 1);
	}
	return name.len == 0;
}

/** Parameters of a URI that only the core may write. */
static bool is_core_param(struct span name)
{
	static const char *const names[] = {"orig", "cpc", "oli", "iotl"};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name_is(name, span_text(names[i])))
			return true;
	return false;
}

/** params follow a ';' in the message, and each goes with the one before it. */
static void strip_params(struct gateway *gw, struct span params)
{
	while (params.len > 0) {
		struct span param = span_cut(params, 0, span_find(params, ';'));

		if (is_core_param(span_cut(param, 0, span_find(param, '='))))
			sip_splice_replace(&gw->splice, span_of(param.at - 1, param.len + 1),
					   SPAN(""));
		params = span_from(params, param.len + 1);
	}
}

/** A number's parameters stand in the user part of a SIP URI (RFC 3261 19.1.6). */
static void strip_uri(struct gateway *gw, const struct sip_uri *uri)
{
	strip_params(gw, uri->params);
	strip_params(gw, span_from(uri->user, span_find(uri->user, ';') + 1));
}

static void strip_request_uri(struct gateway *gw, const struct sip_message *m)
{
	struct sip_uri uri = sip_uri_parse(m->uri);

	if (uri.err == GW_OK)
		strip_uri(gw, &uri);
}

/** The caller's number says no more about the caller than the core may (PROTOCOL 9.1). */
static void strip_from(struct gateway *gw, const struct sip_message *m)
{
	struct sip_address from = sip_address_parse(sip_value(m, SIP_HEADER_FROM));

	if (from.err == GW_OK)
		strip_uri(gw, &from.uri);
}

/** What is left of a dialog's Route goes where the core has put it, and says no more. */
static void strip_routes(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_ROUTE);
	bool own = true;

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			struct sip_address a = sip_address_parse(element);

			if (!own && a.err == GW_OK)
				strip_uri(gw, &a.uri);
			own = false; /* the first is removed whole */
		}
	}
}

static bool contact_unreadable(const struct sip_field *f)
{
	struct span rest = f->value, element;

	while (sip_list_next(&rest, &element)) {
		struct sip_address a = sip_address_parse(element);

		if (a.err == GW_SIP_ADDRESS || a.err == GW_SIP_URI)
			return true;
	}
	return false;
}

/** Header fields in a Contact's URI would be written into requests to it: routing, identities. */
static void strip_contact(struct gateway *gw, const struct sip_field *f)
{
	struct span rest = f->value, element;

	if (contact_unreadable(f)) {
		sip_splice_remove(&gw->splice, f);
		return;
	}
	while (sip_list_next(&rest, &element)) {
		struct span headers = sip_address_parse(element).uri.headers;

		if (headers.len > 0)
			sip_splice_replace(&gw->splice, span_of(headers.at - 1, headers.len + 1),
					   SPAN(""));
	}
}

/* ---- bodies ---------------------------------------------------------------------------------- */

bool trust_body_strip(struct gateway *gw, const struct sip_message *m, struct span *body)
{
	struct writer left;

	writer_init(&left, gw->stamped_memory, gw->config.max_message + GATEWAY_LINES_MAX);
	if (!gw_config(gw)->token_in_body || !token_body_strip(m, &left))
		return false;
	*body = writer_span(&left);
	return true;
}

/** A token that came as a part of the body is for us alone. */
static void strip_body(struct gateway *gw, const struct sip_message *m)
{
	struct span body;

	if (!trust_body_strip(gw, m, &body))
		return;
	sip_splice_body(&gw->splice, body);
	if (body.len == 0)
		sip_splice_remove_all(&gw->splice, SIP_HEADER_CONTENT_TYPE);
}

/* ---- both directions ------------------------------------------------------------------------ */

static void strip_from_wic(struct gateway *gw, const struct sip_message *m)
{
	for (uint32_t i = 0; i < sizeof(never_from_wic) / sizeof(never_from_wic[0]); i++)
		sip_splice_remove_all(&gw->splice, never_from_wic[i]);
	strip_tag(gw, m, SIP_HEADER_REQUIRE, SPAN("sec-agree"));
	strip_tag(gw, m, SIP_HEADER_PROXY_REQUIRE, SPAN("sec-agree"));
	strip_tag(gw, m, SIP_HEADER_PRIORITY, SPAN("psap-callback"));
	strip_access_network(gw, m);
	strip_credentials(gw, m, SIP_HEADER_AUTHORIZATION);
	strip_credentials(gw, m, SIP_HEADER_PROXY_AUTHORIZATION);
	for (const struct sip_field *f = sip_first(m, SIP_HEADER_CONTACT); f; f = sip_next(m, f))
		strip_contact(gw, f);
	if (m->is_request) {
		strip_request_uri(gw, m);
		strip_from(gw, m);
		strip_body(gw, m);
	}
}

void trust_strip_from_wic(struct gateway *gw, const struct sip_message *m)
{
	strip_from_wic(gw, m);
	sip_splice_remove_all(&gw->splice, SIP_HEADER_ROUTE); /* the stored one replaces it */
}

void trust_strip_in_dialog(struct gateway *gw, const struct sip_message *m)
{
	strip_from_wic(gw, m);
	strip_routes(gw, m);
}

void trust_strip_to_wic(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *privacy = sip_first(m, SIP_HEADER_PRIVACY);

	for (uint32_t i = 0; i < sizeof(never_to_wic) / sizeof(never_to_wic[0]); i++)
		sip_splice_remove_all(&gw->splice, never_to_wic[i]);
	/* RFC 3325 7: with "id" the identity must not leave the trust domain */
	for (; privacy != NULL; privacy = sip_next(m, privacy))
		if (request_mentions(privacy->value, SPAN("id"))) {
			sip_splice_remove_all(&gw->splice, SIP_HEADER_P_ASSERTED_IDENTITY);
			return;
		}
}
