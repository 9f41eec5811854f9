/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/* What the core's answer to a REGISTER means, and what the WIC sees of it (PROTOCOL 9.3, 9.4). */

/** Our Contact in the 200, and what the core granted it. */
struct register_grant {
	bool found;
	uint32_t expires_s;
	struct span value; /* the expires parameter's digits; empty when absent */
};

/** The head of the request we keep has no Contact: the WIC's random user and host tell it apart. */
static bool contact_is_ours(const struct transaction *t, const struct sip_address *a)
{
	struct span kept = span_of(t->contact, t->contact_len);
	struct sip_uri ours = sip_uri_parse(kept);

	return a->err == GW_OK && ours.err == GW_OK && span_equal(a->uri.user, ours.user) &&
	       span_equal_nocase(a->uri.host, ours.host);
}

static struct register_grant grant_of(const struct sip_message *m, const struct sip_address *a)
{
	struct register_grant grant = {.found = true};
	struct span header = sip_value(m, SIP_HEADER_EXPIRES);

	(void)sip_param(a->params, SPAN("expires"), &grant.value);
	if (!sip_seconds(grant.value.len > 0 ? grant.value : header, &grant.expires_s))
		grant.expires_s = 0;
	return grant;
}

/** 24.229: the S-CSCF lists all contacts; without ours the registration is not there. */
static struct register_grant grant_find(const struct transaction *t, const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_CONTACT);

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			struct sip_address a = sip_address_parse(element);

			if (contact_is_ours(t, &a))
				return grant_of(m, &a);
		}
	}
	return (struct register_grant){0};
}

/** Lowers what the WIC sees to what we asked for; never raises it (PROTOCOL 9.3). */
static void lower(struct gateway *gw, struct span value, uint32_t limit)
{
	uint32_t mark = writer_len(&gw->lines), seconds;

	if (value.len == 0 || !sip_seconds(value, &seconds) || seconds <= limit)
		return;
	writer_decimal(&gw->lines, limit);
	sip_splice_replace(&gw->splice, value, request_lines(gw, mark));
}

/** RFC 5626 5.4: with outbound the client must learn how often to show that it lives. */
static void flow_timer(struct gateway *gw)
{
	struct span require = sip_value(&gw->message, SIP_HEADER_REQUIRE), tag;

	while (sip_list_next(&require, &tag))
		if (span_equal_nocase(tag, SPAN("outbound")) &&
		    sip_first(&gw->message, SIP_HEADER_FLOW_TIMER) == NULL) {
			sip_splice_append(&gw->splice, SPAN("Flow-Timer: 120\r\n"));
			return;
		}
}

/** Binds the flow, or ends its binding when the core granted nothing. */
static enum gw_err bind_flow(struct gateway *gw, struct transaction *t, struct wic *wic,
			     uint32_t granted)
{
	struct binding *b = binding_of(gw, wic);

	if (granted > 0)
		return binding_store(gw, t, wic, granted);
	if (b != NULL)
		binding_end(gw, b, &gw_counters(gw)->binding_removed);
	return GW_OK;
}

static void register_accepted(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	struct register_grant grant = grant_find(t, &gw->message);
	uint32_t limit = t->requested_s;
	uint32_t granted = grant.expires_s < limit ? grant.expires_s : limit;

	if (bind_flow(gw, t, wic, granted) != GW_OK) {
		gateway_count(gw, GW_BINDING_LIMIT);
		transaction_answer(gw, t, 503);
		return;
	}
	counter_add(&gw_counters(gw)->register_ok, 1);
	if (granted > 0)
		gateway_event(gw, EVENT_REGISTERED, t->flow, binding_of(gw, wic), GW_OK, 200);
	request_begin(gw, &gw->message);
	if (limit > 0) {
		lower(gw, grant.value, limit);
		lower(gw, sip_value(&gw->message, SIP_HEADER_EXPIRES), limit);
		flow_timer(gw);
	}
	response_to_wic(gw, t);
	transaction_free(gw, t);
}

/** What a refusal of the core becomes; 0: relayed as it is. */
static uint16_t refusal_status(struct gateway *gw, const struct transaction *t)
{
	uint32_t wait;

	switch (gw->message.status) {
	case 401:
	case 407: /* the core does not trust us: nothing the WIC could answer (PROTOCOL 5.2) */
		counter_add(&gw_counters(gw)->tna_challenged, 1);
		gateway_event(gw, EVENT_TNA_CHALLENGED, t->flow, NULL, GW_MW_CHALLENGED,
			      gw->message.status);
		return 500;
	case 423:
		if (!sip_seconds(sip_value(&gw->message, SIP_HEADER_MIN_EXPIRES), &wait))
			return 500;
		/* beyond the token's end the client would be clamped and ask for ever: F25 */
		return gw->time.now_us + (uint64_t)wait * 1000000 > t->token_exp_us ? 423 : 0;
	case 305:
		return 504; /* D-31: not followed */
	case 408:
		return 504;
	default:
		return 0;
	}
}

/** A 503 is a 500 for whoever is not the core's neighbour (RFC 3261 16.7); Retry-After stays. */
static void relay_refusal(struct gateway *gw, struct transaction *t)
{
	struct span status = span_cut(gw->message.start_line, 8, 3);

	request_begin(gw, &gw->message);
	if (gw->message.status == 503)
		sip_splice_replace(&gw->splice, status, SPAN("500"));
	response_to_wic(gw, t);
	transaction_free(gw, t);
}

void register_response(struct gateway *gw, struct transaction *t)
{
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	uint16_t status;

	if (gw->message.status < 200)
		return; /* 100 is hop by hop; retransmissions go on as RFC 3261 17.1.2.2 has it */
	if (wic == NULL) {
		transaction_free(gw, t);
		return;
	}
	if (gw->message.status < 300) {
		register_accepted(gw, t, wic);
		return;
	}
	counter_add(&gw_counters(gw)->register_failed, 1);
	gateway_event(gw, EVENT_REGISTER_FAILED, t->flow, NULL, GW_OK, gw->message.status);
	status = refusal_status(gw, t);
	if (status == 0)
		relay_refusal(gw, t);
	else if (status == 423)
		transaction_refuse(gw, t, GW_TOKEN_SHORT);
	else
		transaction_answer(gw, t, status);
}
