/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "homes.h"
#include "originate.h"

/* What the core's answer to a REGISTER means, and what the WIC sees of it (PROTOCOL 9.3, 9.4). */

/* DESIGN 9: 423s for one flow in a minute */
#define BRIEF_MAX 2
#define BRIEF_WINDOW_US 60000000ull

/** Our Contact in the 200, and what the core granted it. */
struct register_grant {
	uint32_t expires_s;
	struct span value; /* the expires parameter's digits; empty when absent */
};

/** Two values of a parameter that both have are the same; also when one of them has none.
 * Kamailio's S-CSCF writes reg-id in quotes. */
static bool same_param(const struct sip_address *a, const struct sip_address *b, struct span name)
{
	struct span left, right;

	return !sip_param(a->params, name, &left) || !sip_param(b->params, name, &right) ||
	       span_equal(sip_unquote(left), sip_unquote(right));
}

/** The same URI, and the same flow of a client that has several. */
static bool same_contact(const struct sip_address *ours, const struct sip_address *a)
{
	return a->err == GW_OK && ours->err == GW_OK && !a->star && !ours->star &&
	       sip_uri_equal(&ours->uri, &a->uri) && same_param(a, ours, SPAN("reg-id")) &&
	       same_param(a, ours, SPAN("+sip.instance"));
}

struct sip_address register_contact(struct gateway *gw, const struct transaction *t)
{
	struct span rest, element;

	if (transaction_recall(t, &gw->kept) != GW_OK)
		return (struct sip_address){.err = GW_SIP_ADDRESS};
	rest = sip_value(&gw->kept, SIP_HEADER_CONTACT);
	if (!sip_list_next(&rest, &element))
		return (struct sip_address){.err = GW_SIP_ADDRESS};
	return sip_address_parse(element);
}

static struct register_grant grant_of(const struct sip_message *m, const struct sip_address *a)
{
	struct register_grant grant = {0};
	struct span header = sip_value(m, SIP_HEADER_EXPIRES);

	if (a != NULL)
		(void)sip_param(a->params, SPAN("expires"), &grant.value);
	if (!sip_seconds(grant.value.len > 0 ? grant.value : header, &grant.expires_s))
		grant.expires_s = 0;
	return grant;
}

/** 24.229: the S-CSCF lists all contacts; without ours it is Expires that counts, if any. */
static struct register_grant grant_find(struct gateway *gw, const struct transaction *t)
{
	const struct sip_message *m = &gw->message;
	const struct sip_field *f = sip_first(m, SIP_HEADER_CONTACT);
	struct sip_address ours = register_contact(gw, t);

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			struct sip_address a = sip_address_parse(element);

			if (same_contact(&ours, &a))
				return grant_of(m, &a);
		}
	}
	return grant_of(m, NULL);
}

uint32_t register_grant_s(struct gateway *gw, const struct transaction *t)
{
	return grant_find(gw, t).expires_s;
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
	if (request_has_tag(&gw->message, SIP_HEADER_REQUIRE, SPAN("outbound")) &&
	    sip_first(&gw->message, SIP_HEADER_FLOW_TIMER) == NULL)
		sip_splice_append(&gw->splice, SPAN("Flow-Timer: 120\r\n"));
}

/** What the WIC may have: what was asked for, and not past its token, without leeway. */
static uint32_t grant_limit(const struct gateway *gw, const struct transaction *t)
{
	uint64_t exp_us = t->registration.token_exp_us;
	uint64_t left_s = exp_us > gw->time.now_us ? (exp_us - gw->time.now_us) / 1000000 : 0;

	if (t->registration.ims_auth) /* no token: what the core grants */
		return t->registration.requested_s > 0 ? UINT32_MAX : 0;
	return t->registration.requested_s < left_s ? t->registration.requested_s
						    : (uint32_t)left_s;
}

/** What the core granted, and what of it is the WIC's: to the end of its token where it has asked
 * for as long, though it is told whole seconds. */
static struct binding_times granted_times(const struct gateway *gw, const struct transaction *t,
					  const struct register_grant *grant)
{
	uint32_t limit = grant_limit(gw, t), here_s = grant->expires_s;
	bool whole = t->registration.ims_auth || t->registration.clamped;
	uint64_t end_us;

	if (!whole && t->registration.requested_s < here_s)
		here_s = t->registration.requested_s;
	end_us = gw->time.now_us + here_s * 1000000ull;
	return (struct binding_times){
		.end_us = end_us < t->registration.token_exp_us ? end_us
								: t->registration.token_exp_us,
		.expires_s = grant->expires_s < limit ? grant->expires_s : limit,
		.core_s = grant->expires_s,
	};
}

/** The core holds nothing of the Contact that t was about. False: that of b, or NULL, is another.
 */
static bool unbind(struct gateway *gw, const struct transaction *t, struct binding *b)
{
	if (b != NULL && t->registration.contact != 0 && b->contact != t->registration.contact)
		return false;
	if (b != NULL)
		binding_end(gw, b, &gw_counters(gw)->binding_removed, GW_OK);
	return true;
}

/**
 * The answer to an older REGISTER than that of b, or NULL, which the core has heard since: it must
 * not take what the newer one has brought, the token's time or the instance. Else the last answer
 * counts, as for who has asked.
 */
static bool comes_behind(const struct binding *b, const struct transaction *t,
			 const struct binding_times *times)
{
	return binding_is_newer(b, t) &&
	       (times->expires_s == 0 || b->outbound != t->registration.outbound);
}

/** On error nothing is bound. What there was room for when the core was asked, but is not any more,
 * is undone there: who is not bound here must not be called here. */
static enum gw_err store(struct gateway *gw, struct transaction *t, struct wic *wic,
			 const struct binding_times *times)
{
	enum gw_err err, undone = GW_OK;

	wic->identity = register_pair(gw, t);
	err = binding_store(gw, t, wic, times);
	if (err == GW_BINDING_LIMIT)
		undone = binding_undo(gw, t, NULL, times);
	if (err != GW_OK && binding_of(gw, wic) == NULL)
		wic->identity = 0;
	return undone == GW_OK ? err : undone;
}

/** Binds the flow, or ends its binding when the core granted nothing, or the token has ended while
 * it did. */
static enum gw_err bind_flow(struct gateway *gw, struct transaction *t, struct wic *wic,
			     const struct binding_times *times)
{
	bool held = t->registration.requested_s > 0 && times->core_s > 0; /* by the core */
	bool stands = pool_stands(gw, t, binding_of(gw, wic));
	enum gw_err err = GW_OK;

	if (held && comes_behind(binding_of(gw, wic), t, times))
		return GW_OK;
	if (held && times->expires_s > 0 && stands)
		return store(gw, t, wic, times);
	if (held)
		err = binding_undo(gw, t, wic, times);
	else if (!unbind(gw, t, binding_of(gw, wic)))
		return GW_OK; /* another Contact of the identity went: the core still has ours */
	if (binding_of(gw, wic) == NULL)
		wic->identity = 0;
	return err == GW_OK && held && !stands ? GW_LEASE_VOID : err;
}

/** The flow is bound, or not any more: the WIC is told for how long. */
static enum gw_err register_granted(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	struct register_grant grant = grant_find(gw, t);
	uint32_t limit = grant_limit(gw, t);
	struct binding_times times = granted_times(gw, t, &grant);
	enum gw_err err = bind_flow(gw, t, wic, &times);
	const struct binding *b;

	if (err != GW_OK)
		return err;
	/* one that comes late has ended again already: its client is elsewhere */
	b = binding_of(gw, wic);
	if (times.expires_s > 0 && b != NULL) {
		originate_prefetch(gw, span_of(b->text, b->routes_len));
		gateway_event(gw, EVENT_REGISTERED, t->flow, b, GW_OK, 200);
	}
	request_begin(gw, &gw->message);
	if (t->registration.requested_s > 0) {
		lower(gw, grant.value, limit);
		lower(gw, sip_value(&gw->message, SIP_HEADER_EXPIRES), limit);
		flow_timer(gw);
	}
	return GW_OK;
}

static void register_accepted(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	enum gw_err err = GW_OK;

	if (t->registration.fetch)
		request_begin(gw, &gw->message);
	else
		err = register_granted(gw, t, wic);
	if (err != GW_OK) {
		transaction_refuse(gw, t, err);
		return;
	}
	counter_add(&gw_counters(gw)->register_ok, 1);
	response_relay(gw, t);
	transaction_free(gw, t);
}

/** Whether another 423 may go to this WIC: it comes back at once with what the core wants. */
static bool brief_again(const struct gateway *gw, struct wic *wic)
{
	if (wic->briefs == 0 || gw->time.now_us - wic->brief_us >= BRIEF_WINDOW_US) {
		wic->brief_us = gw->time.now_us;
		wic->briefs = 0;
	}
	return wic->briefs++ < BRIEF_MAX;
}

/** 423: beyond the token's end the client would be clamped and ask for ever (F25). */
static enum gw_err too_brief(const struct gateway *gw, const struct transaction *t, struct wic *wic)
{
	uint32_t wait;

	if (!sip_seconds(sip_value(&gw->message, SIP_HEADER_MIN_EXPIRES), &wait))
		return GW_MW_TOO_BRIEF;
	if (gw->time.now_us + (uint64_t)wait * 1000000 > t->registration.token_exp_us)
		return GW_TOKEN_SHORT;
	return brief_again(gw, wic) ? GW_OK : GW_MW_TOO_BRIEF;
}

/** What a refusal of the core becomes. GW_OK: it is relayed as it is. */
static enum gw_err refusal_of_core(struct gateway *gw, const struct transaction *t, struct wic *wic)
{
	switch (gw->message.status) {
	case 401:
	case 407:
		/* the core does not trust us: nothing the WIC could answer (PROTOCOL 5.2) */
		counter_add(&gw_counters(gw)->tna_challenged, 1);
		gateway_event(gw, EVENT_TNA_CHALLENGED, t->flow, NULL, GW_MW_CHALLENGED,
			      gw->message.status);
		return GW_MW_CHALLENGED;
	case 423:
		return too_brief(gw, t, wic);
	case 305: /* D-31: not followed */
	case 408:
		return GW_MW_TIMEOUT;
	default:
		return GW_OK;
	}
}

static void relay_refusal(struct gateway *gw, struct transaction *t)
{
	request_begin(gw, &gw->message);
	response_no_503(gw);
	response_relay(gw, t);
	transaction_free(gw, t);
}

/** 504 of a core that lost the registration: the WIC is told to register anew, we know no better.
 */
static void restore(struct gateway *gw, struct wic *wic)
{
	struct binding *b = binding_of(gw, wic);

	if (b != NULL && register_restoration(&gw->message))
		binding_end(gw, b, &gw_counters(gw)->binding_removed, GW_OK);
}

static void register_refused(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	enum gw_err err = refusal_of_core(gw, t, wic);

	restore(gw, wic);
	counter_add(&gw_counters(gw)->register_failed, 1);
	audit_register_failed(gw, t, gw->message.status);
	if (t->registration.first)
		wic->identity = 0; /* the core holds nothing for this flow */
	if (err == GW_OK)
		relay_refusal(gw, t);
	else
		transaction_refuse(gw, t, err);
}

/** The flow ended before the core said 200 (PROTOCOL 10.5): the core holds a binding of it. */
static void register_late(struct gateway *gw, struct transaction *t)
{
	struct register_grant grant = grant_find(gw, t);
	struct binding_times times = granted_times(gw, t, &grant);
	struct binding *b = slots_at(gw->bindings, t->registration.lost);
	bool asked = t->registration.requested_s > 0;
	enum gw_err err = GW_OK;

	if (asked && times.core_s > 0 && t->registration.sub != 0 &&
	    (times.expires_s == 0 || !pool_stands(gw, t, b)))
		err = binding_undo(gw, t, NULL, &times);
	else if (asked && times.core_s > 0 && !comes_behind(b, t, &times))
		err = binding_store(gw, t, NULL, &times);
	else if (!asked && !t->registration.fetch)
		(void)unbind(gw, t, b);
	if (err != GW_OK)
		gateway_count(gw, err);
	counter_add(&gw_counters(gw)->register_ok, 1);
	transaction_free(gw, t);
}

/** The core's challenge goes on to the WIC. */
static void register_asked(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	register_challenged(gw, t, wic);
	relay_refusal(gw, t);
}

static void register_settled(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	wic->challenged_us = 0;
	if (gw->message.status < 300)
		register_accepted(gw, t, wic);
	else
		register_refused(gw, t, wic);
}

/** Of the registrar, or of a proxy before it (RFC 3261 22.3). */
static bool is_challenge(const struct gateway *gw)
{
	return gw->message.status == 401 || gw->message.status == 407;
}

void register_response(struct gateway *gw, struct transaction *t)
{
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);

	wall_registration(gw, t);
	if (wic == NULL && gw->message.status >= 200 && gw->message.status < 300)
		register_late(gw, t);
	else if (wic == NULL)
		transaction_free(gw, t);
	else if (is_challenge(gw) && t->registration.ims_auth)
		register_asked(gw, t, wic);
	else
		register_settled(gw, t, wic);
}
