/* SPDX-License-Identifier: BSD-3-Clause */
#include "wildcard.h"

/*
 * How often a WIC may ask. A connection has a bucket for what begins something and a wider one for
 * what goes on with it or ends it: whoever is talking must be able to hang up. Bindings and WWSFs
 * have theirs behind the first, so that one connection cannot use up what is for all.
 */

static enum gw_err limits_take(const struct gateway *gw, struct bucket *bucket,
			       const struct rate_limit *rate, _Atomic uint64_t *counter)
{
	if (bucket_take(bucket, rate, gw->time.now_us))
		return GW_OK;
	counter_add(counter, 1);
	return GW_RATE;
}

/** Goes on with something that has begun, or ends it. A REGISTER never does, whatever its To; a BYE
 * without a To tag ends nothing, and its token would be looked at. */
static bool is_within(const struct sip_message *m)
{
	if (m->method == SIP_ACK || m->method == SIP_CANCEL)
		return true;
	return m->method != SIP_REGISTER && request_in_dialog(m);
}

/** Registered users are not held up by a flood of others: only who has no binding is counted, with
 * whatever method a token may come. */
static enum gw_err limits_registration(struct gateway *gw, const struct wic *wic)
{
	const struct wwsf_config *wwsf = &gw_config(gw)->wwsf[wic->wwsf];
	struct rates_answer answer;

	if (wic->disowned)
		return GW_OK; /* refused without a look at its token */
	answer = rates_take(gw->sites, siphash(gw->bucket_key, wwsf->name), &wwsf->registrations,
			    gw->time.now_us);
	if (answer.err != GW_OK)
		counter_add(&gw_counters(gw)->rate_wwsf, 1);
	return answer.err;
}

static enum gw_err limits_binding(struct gateway *gw, struct wic *wic)
{
	const struct wwsf_config *wwsf = &gw_config(gw)->wwsf[wic->wwsf];
	enum gw_err err;

	if (wic->disowned)
		return GW_OK; /* of no WWSF that is configured: the connection's limit holds */
	err = limits_take(gw, &wic->binding_rate, &wwsf->requests, &gw_counters(gw)->rate_binding);
	if (err != GW_OK || gw->message.method != SIP_INVITE)
		return err;
	if (wwsf->calls_in_setup == 0 || wic->calls < wwsf->calls_in_setup)
		return GW_OK;
	counter_add(&gw_counters(gw)->rate_calls, 1);
	return GW_RATE;
}

enum gw_err limits_malformed(struct gateway *gw, struct wic *wic)
{
	return limits_take(gw, &wic->requests_rate, &gw_config(gw)->requests,
			   &gw_counters(gw)->rate_connection);
}

enum gw_err limits_answer(struct gateway *gw, struct wic *wic)
{
	return limits_take(gw, &wic->dialog_rate, &gw_config(gw)->dialog_requests,
			   &gw_counters(gw)->rate_connection);
}

/** Not registered, and has shown a token that has not ended. */
static bool is_known(const struct gateway *gw, const struct wic *wic)
{
	const struct wildcard_user *u = wildcard_of(gw, wic);

	return u != NULL && wildcard_lasts(gw, u);
}

enum gw_err limits_request(struct gateway *gw, struct wic *wic)
{
	bool bound = binding_of(gw, wic) != NULL;
	enum gw_err err;

	if (is_within(&gw->message))
		return limits_answer(gw, wic);
	err = limits_malformed(gw, wic);
	if (err == GW_OK && !bound && !is_known(gw, wic))
		err = limits_registration(gw, wic);
	if (err == GW_OK && (bound || wildcard_site(gw, wic)))
		err = limits_binding(gw, wic);
	return err;
}
