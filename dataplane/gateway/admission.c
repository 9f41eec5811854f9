/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"
#include "wall.h"

/*
 * A web site may demand a token of users whom the core authenticates (D-13): the token says who may
 * come in by it, the Digest who it is. One request has room for one of the two (F02), so that a
 * token is believed for the connection until it ends, and the Digest follows.
 */

/** The site of the connection, where it is one of that kind. */
static const struct wwsf_config *demanding_site(const struct gateway *gw, const struct wic *wic)
{
	const struct wwsf_config *site = register_wwsf(gw, wic->wwsf);

	return site != NULL && site->mode == WWSF_IMS_AUTH && site->issuer != WWSF_NO_ISSUER ? site
											     : NULL;
}

bool admission_is_demanded(const struct gateway *gw, const struct wic *wic)
{
	return demanding_site(gw, wic) != NULL;
}

/** The hash of a private identity as it is written; 0: it is none. */
static uint64_t private_hash(const struct gateway *gw, struct span nai)
{
	struct identity id;

	return nai.len > 0 && identity_impi(nai, &id) == GW_OK
		       ? gateway_identity_hash(gw, identity_span(&id))
		       : 0;
}

/** The token names no public identity, or to among others. */
static bool names(const struct gateway *gw, const struct identity *to)
{
	struct identity id;

	for (uint32_t i = 0; i < gw->claims.impu_count; i++)
		if (identity_impu(gw->claims.impu[i], &id) == GW_OK &&
		    span_equal(identity_span(&id), identity_span(to)))
			return true;
	return gw->claims.impu_count == 0;
}

enum gw_err admission_give(struct gateway *gw, struct wic *wic, const struct register_ask *ask)
{
	uint64_t left_s = wall_left_s(&gw->time, gw->claims.exp_s);
	uint64_t impi = private_hash(gw, gw->claims.impi);

	if (gw->claims.impi.len > 0 && impi == 0)
		return GW_TOKEN_CLAIM;
	if (!names(gw, &ask->to) ||
	    (gw->username.len > 0 && impi != 0 && private_hash(gw, gw->username) != impi))
		return GW_IDENTITY_MISMATCH;
	if (left_s < gw_config(gw)->min_grant_s && ask->expires_s > 0 && !ask->fetch)
		return GW_TOKEN_SHORT;
	wic->shown = (struct shown_token){
		.exp_s = gw->claims.exp_s,
		.jti = register_jti(gw),
		.impi = impi,
		.impu = gateway_identity_hash(gw, identity_span(&ask->to)),
	};
	counter_add(&gw_counters(gw)->token_verified, 1);
	return GW_OK;
}

/** Who is registered here may leave without one, and look (PROTOCOL 5.6). */
static bool needs_none(const struct gateway *gw, const struct wic *wic,
		       const struct register_ask *ask)
{
	const struct binding *b = binding_of(gw, wic);

	return (ask->expires_s == 0 || ask->fetch) && b != NULL &&
	       span_equal(identity_span(&b->impu), identity_span(&ask->to));
}

/** What was believed before. none: what is said when there is nothing. */
static enum gw_err check_before(const struct gateway *gw, const struct wic *wic,
				const struct register_ask *ask, enum gw_err none)
{
	const struct shown_token *a = &wic->shown;

	if (wall_left_us(&gw->time, a->exp_s) == 0 ||
	    a->impu != gateway_identity_hash(gw, identity_span(&ask->to)))
		return none;
	return token_jti_revoked(a->jti, gw->time.view->revocations) ? GW_TOKEN_JTI : GW_OK;
}

enum gw_err admission_check(struct gateway *gw, struct wic *wic, const struct register_ask *ask)
{
	enum gw_err err = token_find(&gw->message, gw_config(gw)).err;

	if (err == GW_TOKEN_NONE || err == GW_TOKEN_SCHEME)
		return needs_none(gw, wic, ask) ? GW_OK : check_before(gw, wic, ask, err);
	err = authorize_request(gw, wic);
	return err == GW_OK ? admission_give(gw, wic, ask) : err;
}

enum gw_err admission_fits(const struct gateway *gw, const struct wic *wic,
			   const struct transaction *t)
{
	struct span impi = identity_span(&t->registration.impi);

	return !admission_is_demanded(gw, wic) || wic->shown.impi == 0 ||
			       wic->shown.impi == gateway_identity_hash(gw, impi)
		       ? GW_OK
		       : GW_IDENTITY_MISMATCH;
}
