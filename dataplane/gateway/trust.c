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
	SIP_HEADER_ROUTE, /* the stored Service-Route replaces it */
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

static bool is_network_provided(struct span element)
{
	struct span value, params = span_from(element, span_find(element, ';') + 1);

	return sip_param(params, SPAN("network-provided"), &value) ||
	       sip_param(params, SPAN("np"), &value);
}

/** A line with an entry that claims to be the network's goes whole: its writer lies. */
static void strip_access_network(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_P_ACCESS_NETWORK_INFO);

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element))
			if (is_network_provided(element)) {
				sip_splice_remove(&gw->splice, f);
				break;
			}
	}
}

/** Bearer credentials are for us alone; a Digest is between the WIC and who challenged it. */
static void strip_bearer(struct gateway *gw, const struct sip_message *m, enum sip_header id)
{
	const struct sip_field *f = sip_first(m, id);

	for (; f != NULL; f = sip_next(m, f))
		if (m->method == SIP_REGISTER ||
		    !span_equal_nocase(span_cut(f->value, 0, 6), SPAN("Digest")))
			sip_splice_remove(&gw->splice, f);
}

void trust_strip_from_wic(struct gateway *gw, const struct sip_message *m)
{
	for (uint32_t i = 0; i < sizeof(never_from_wic) / sizeof(never_from_wic[0]); i++)
		sip_splice_remove_all(&gw->splice, never_from_wic[i]);
	strip_tag(gw, m, SIP_HEADER_REQUIRE, SPAN("sec-agree"));
	strip_tag(gw, m, SIP_HEADER_PROXY_REQUIRE, SPAN("sec-agree"));
	strip_tag(gw, m, SIP_HEADER_PRIORITY, SPAN("psap-callback"));
	strip_access_network(gw, m);
	if (m->is_request) {
		strip_bearer(gw, m, SIP_HEADER_AUTHORIZATION);
		strip_bearer(gw, m, SIP_HEADER_PROXY_AUTHORIZATION);
	}
}

void trust_strip_to_wic(struct gateway *gw, const struct sip_message *m)
{
	const struct sip_field *privacy = sip_first(m, SIP_HEADER_PRIVACY);

	for (uint32_t i = 0; i < sizeof(never_to_wic) / sizeof(never_to_wic[0]); i++)
		sip_splice_remove_all(&gw->splice, never_to_wic[i]);
	for (; privacy != NULL; privacy = sip_next(m, privacy)) {
		struct span rest = privacy->value, name, value;

		/* RFC 3325 7: with "id" the identity must not leave the trust domain */
		while (sip_param_next(&rest, &name, &value))
			if (span_equal_nocase(name, SPAN("id"))) {
				sip_splice_remove_all(&gw->splice, SIP_HEADER_P_ASSERTED_IDENTITY);
				return;
			}
	}
}
