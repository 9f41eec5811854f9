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

/** An entry that claims to be the network's (RFC 7315 5.4). One whose quotes do not end could hide
 * it from us and not from others. */
static bool is_network_provided(struct span entry)
{
	struct span params = span_from(entry, span_find(entry, ';') + 1), name, value;
	uint32_t quotes = 0;

	for (uint32_t i = 0; i < entry.len; i++)
		quotes += entry.at[i] == '"';
	if (quotes % 2 != 0)
		return true;
	while (sip_param_next(&params, &name, &value))
		if (span_equal_nocase(name, SPAN("network-provided")) ||
		    span_equal_nocase(name, SPAN("np")))
			return true;
	return false;
}

static void strip_access_network(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_P_ACCESS_NETWORK_INFO);

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, entry;

		while (sip_list_next(&rest, &entry))
			if (is_network_provided(entry))
				sip_splice_remove_element(&gw->splice, f, entry);
	}
}

/** A Digest for whoever challenged the WIC, with nothing in it that is ours to say or to keep. */
static bool is_plain_digest(struct span value)
{
	return span_equal_nocase(span_cut(value, 0, 7), SPAN("Digest ")) &&
	       !digest_says_ours(value);
}

/** Bearer credentials are for us alone; a Digest is between the WIC and who challenged it. */
static void strip_but_digest(struct gateway *gw, const struct sip_message *m, enum sip_header id)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f))
		if (!is_plain_digest(f->value))
			sip_splice_remove(&gw->splice, f);
}

/** Nobody but us has anything to ask of who registers by a token. */
static void strip_credentials(struct gateway *gw, const struct sip_message *m)
{
	if (m->method == SIP_REGISTER) {
		sip_splice_remove_all(&gw->splice, SIP_HEADER_AUTHORIZATION);
		sip_splice_remove_all(&gw->splice, SIP_HEADER_PROXY_AUTHORIZATION);
		return;
	}
	strip_but_digest(gw, m, SIP_HEADER_AUTHORIZATION);
	strip_but_digest(gw, m, SIP_HEADER_PROXY_AUTHORIZATION);
}

/* ---- URIs ----------------------------------------------------------------------------------- */

/** Offset of the first c in text, escaped or not; its length when there is none. */
static uint32_t character_find(struct span text, int c)
{
	uint32_t at = 0, bytes = 0;

	while (at < text.len && sip_uri_char(span_from(text, at), &bytes) != c)
		at += bytes;
	return at;
}

/** name is wanted, also with escapes: another parser may resolve them (RFC 3261 19.1.4). */
static bool name_is(struct span name, struct span wanted)
{
	for (; wanted.len > 0; wanted = span_from(wanted, 1)) {
		uint32_t bytes;
		int c = sip_uri_char(name, &bytes);

		if (c < 0 || ascii_lower((uint8_t)c) != wanted.at[0])
			return false;
		name = span_from(name, bytes);
	}
	return name.len == 0;
}

/** Where parameters stand: in a URI, or in the number of its user part. */
enum param_place { PARAM_OF_URI, PARAM_OF_NUMBER };

/** Parameters of a URI that only the core may write. */
static bool is_core_param(struct span name, enum param_place place)
{
	static const char *const names[] = {"cpc", "oli", "orig", "iotl"};
	/* the last two are of SIP URIs: in a user part they are a part of a name */
	uint32_t count = place == PARAM_OF_NUMBER ? 2 : 4;

	for (uint32_t i = 0; i < count; i++)
		if (name_is(name, span_text(names[i])))
			return true;
	return false;
}

/**
 * params begin with a ';', and each goes with the one before it. The marks may be escaped as well:
 * whoever makes a number of a user part may resolve it before it is taken apart.
 */
static void strip_params(struct gateway *gw, struct span params, enum param_place place)
{
	while (params.len > 0) {
		uint32_t mark;
		struct span param, name;

		(void)sip_uri_char(params, &mark);
		name = span_from(params, mark);
		param = span_cut(params, 0, mark + character_find(name, ';'));
		name = span_from(param, mark);
		if (is_core_param(span_cut(name, 0, character_find(name, '=')), place))
			sip_splice_replace(&gw->splice, param, SPAN(""));
		params = span_from(params, param.len);
	}
}

/** A number's parameters stand in the user part of a SIP URI (RFC 3261 19.1.6). */
static void strip_uri(struct gateway *gw, const struct sip_uri *uri)
{
	if (uri->params.len > 0)
		strip_params(gw, span_of(uri->params.at - 1, uri->params.len + 1), PARAM_OF_URI);
	strip_params(gw, span_from(uri->user, character_find(uri->user, ';')), PARAM_OF_NUMBER);
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
	struct span body = SPAN("");

	/* a request with one in another place has been refused; an answer goes on without its body
	 */
	if (!trust_body_strip(gw, m, &body) && (m->is_request || request_body_check(gw) == GW_OK))
		return;
	sip_splice_body(&gw->splice, body);
	if (body.len == 0)
		sip_splice_remove_all(&gw->splice, SIP_HEADER_CONTENT_TYPE);
}

/* ---- both directions ------------------------------------------------------------------------ */

/** All but credentials and routes. */
static void strip_claims(struct gateway *gw, const struct sip_message *m)
{
	for (uint32_t i = 0; i < sizeof(never_from_wic) / sizeof(never_from_wic[0]); i++)
		sip_splice_remove_all(&gw->splice, never_from_wic[i]);
	strip_tag(gw, m, SIP_HEADER_REQUIRE, SPAN("sec-agree"));
	strip_tag(gw, m, SIP_HEADER_PROXY_REQUIRE, SPAN("sec-agree"));
	strip_tag(gw, m, SIP_HEADER_PRIORITY, SPAN("psap-callback"));
	strip_access_network(gw, m);
	for (const struct sip_field *f = sip_first(m, SIP_HEADER_CONTACT); f; f = sip_next(m, f))
		strip_contact(gw, f);
	strip_body(gw, m);
	if (m->is_request) {
		strip_request_uri(gw, m);
		strip_from(gw, m);
	}
}

static void strip_from_wic(struct gateway *gw, const struct sip_message *m)
{
	strip_claims(gw, m);
	strip_credentials(gw, m);
}

void trust_strip_ims(struct gateway *gw, const struct sip_message *m, const struct sip_field *kept)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_AUTHORIZATION);

	strip_claims(gw, m);
	for (; f != NULL; f = sip_next(m, f))
		if (f != kept)
			sip_splice_remove(&gw->splice, f);
	/* RFC 3261 22.3: a proxy of the core may ask for its own, by a 407 */
	strip_but_digest(gw, m, SIP_HEADER_PROXY_AUTHORIZATION);
	sip_splice_remove_all(&gw->splice, SIP_HEADER_ROUTE); /* it enters where we say */
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
	digest_strip_keys(gw, m);
	/* RFC 3325 7: with "id" the identity must not leave the trust domain */
	for (; privacy != NULL; privacy = sip_next(m, privacy))
		if (request_mentions(privacy->value, SPAN("id"))) {
			sip_splice_remove_all(&gw->splice, SIP_HEADER_P_ASSERTED_IDENTITY);
			return;
		}
}
