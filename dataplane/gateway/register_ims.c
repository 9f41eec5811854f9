/* SPDX-License-Identifier: BSD-3-Clause */
#include "reg_event.h"

/*
 * REGISTER of a user whom the core authenticates (PROTOCOL 4, scenario 1): the S-CSCF challenges
 * and verifies, this node passes on what both say and tells the core how the request came here.
 * No token says who it is, hence no lifetime but the core's own.
 */

const struct wwsf_config *register_wwsf(const struct gateway *gw, uint32_t wwsf)
{
	const struct config_part *config = gw_config(gw);

	return wwsf < config->wwsf_count ? &config->wwsf[wwsf] : NULL;
}

bool register_is_ims(const struct gateway *gw, const struct wic *wic)
{
	const struct wwsf_config *site = register_wwsf(gw, wic->wwsf);
	const struct binding *b = binding_of(gw, wic);

	if (b != NULL)
		return b->ims_auth;
	return !wic->disowned && site != NULL && site->mode == WWSF_IMS_AUTH;
}

/** A token means nothing here (F20), and beside a Digest it is one credential too many (F02). */
static enum gw_err check_no_token(const struct gateway *gw)
{
	enum gw_err err = token_find(&gw->message, gw_config(gw)).err;

	if (err == GW_TOKEN_NONE || err == GW_TOKEN_SCHEME)
		return GW_OK; /* another scheme does not go on: the core will ask for its own */
	return err == GW_TOKEN_SEVERAL ? err : GW_TOKEN_SCENARIO;
}

/** A site that was taken away or disabled registers nobody; who is there may still leave (F19). */
static enum gw_err check_site(const struct gateway *gw, const struct wic *wic,
			      const struct register_ask *ask)
{
	const struct wwsf_config *site = register_wwsf(gw, wic->wwsf);

	if (ask->expires_s == 0 || ask->fetch)
		return GW_OK;
	return wic->disowned || site == NULL ||
			       token_wwsf_disabled(site->name, gw->time.view->revocations)
		       ? GW_TOKEN_WWSF
		       : GW_OK;
}

/** Without a Digest the S-CSCF makes the private identity of the public one (TS 24.229 5.4.1.1). */
static void derive_impi(struct transaction *t)
{
	struct span impu = identity_span(&t->registration.impu);

	if (identity_impi(span_from(impu, span_find(impu, ':') + 1), &t->registration.impi) !=
	    GW_OK)
		t->registration.impi = t->registration.impu; /* tel: has none; it is no username */
}

static void fill(const struct register_ask *ask, const struct digest_credential *digest,
		 const struct binding *b, struct transaction *t)
{
	t->registration.ims_auth = true;
	t->registration.fetch = ask->fetch;
	t->registration.impu = ask->to;
	t->registration.outbound = ask->reg_id || (b != NULL && ask->contact.star && b->outbound);
	t->registration.requested_s = ask->fetch ? 0 : ask->expires_s;
	t->registration.token_exp_us = UINT64_MAX;
	if (digest->field != NULL)
		t->registration.impi = digest->username;
	else if (b != NULL && span_equal(identity_span(&b->impu), identity_span(&ask->to)))
		t->registration.impi = b->impi;
	else
		derive_impi(t);
}

/** What is wrong with it whatever its token is worth. */
static enum gw_err check_request(const struct gateway *gw, const struct wic *wic,
				 const struct register_ask *ask,
				 const struct digest_credential *digest)
{
	enum gw_err err = admission_is_demanded(gw, wic) ? GW_OK : check_no_token(gw);

	if (err == GW_OK)
		err = digest->err;
	if (err == GW_OK)
		err = check_site(gw, wic, ask);
	return err == GW_OK ? register_home(gw, ask, &ask->to) : err;
}

static enum gw_err forward(struct gateway *gw, struct wic *wic, const struct register_ask *ask,
			   const struct digest_credential *digest)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_REGISTER, wic);
	enum gw_err err = GW_OK;

	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	fill(ask, digest, binding_of(gw, wic), t);
	t->registration.jti = wic->shown.jti;
	if (register_wwsf(gw, wic->wwsf) != NULL)
		register_site(gw, wic, t);
	if (digest->field != NULL)
		err = admission_fits(gw, wic, t);
	if (err == GW_OK)
		err = register_one_identity(gw, wic, t);
	if (err == GW_OK)
		err = barred_check(gw, wic, t);
	if (err == GW_OK)
		err = binding_room(gw, wic, t);
	if (err != GW_OK) {
		transaction_free(gw, t);
		return err;
	}
	register_announce(gw, wic, ask, t);
	return register_forward(gw, wic, t);
}

enum gw_err register_ims(struct gateway *gw, struct wic *wic, const struct register_ask *ask)
{
	struct digest_credential digest = digest_read(&gw->message);
	enum gw_err err = check_request(gw, wic, ask, &digest);

	if (err == GW_OK && admission_is_demanded(gw, wic))
		err = admission_check(gw, wic, ask);
	return err == GW_OK ? forward(gw, wic, ask, &digest) : err;
}

enum gw_err register_ims_authorized(struct gateway *gw, struct wic *wic,
				    const struct register_ask *ask)
{
	struct digest_credential digest = digest_read(&gw->message);
	enum gw_err err = check_request(gw, wic, ask, &digest);

	if (err == GW_OK && admission_is_demanded(gw, wic))
		err = admission_give(gw, wic, ask);
	return err == GW_OK ? forward(gw, wic, ask, &digest) : err;
}

/** True when the core has said 200 for this private identity on this flow, and it still counts. */
static bool is_bound(const struct gateway *gw, const struct transaction *t,
		     const struct identity *impi)
{
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	const struct binding *b = wic != NULL ? binding_of(gw, wic) : NULL;

	return b != NULL && b->ims_auth && span_equal(identity_span(&b->impi), identity_span(impi));
}

/** PROTOCOL 4.2: what the core is told of how the request came; empty: nothing. */
static struct span protection(const struct gateway *gw, const struct transaction *t,
			      const struct digest_credential *digest)
{
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	const struct wwsf_config *site = wic != NULL ? register_wwsf(gw, wic->wwsf) : NULL;
	bool aka = site != NULL && site->mode == WWSF_IMS_AUTH && site->aka;

	if (digest->aka || (aka && !digest->answered))
		return SPAN("tls-connected");
	if (!digest->answered)
		return SPAN("");
	return is_bound(gw, t, &digest->username) ? SPAN("tls-yes") : SPAN("tls-pending");
}

/** A lifetime where the client asks for none (PROTOCOL 9.2); what it asks for is the core's to
 * grant. */
static void edit_expires(struct gateway *gw, const struct transaction *t,
			 const struct register_ask *ask)
{
	uint32_t mark = writer_len(&gw->lines);

	if (ask->fetch || ask->contact_expires.len > 0 ||
	    sip_first(&gw->message, SIP_HEADER_EXPIRES) != NULL)
		return;
	writer_text(&gw->lines, "Expires: ");
	writer_decimal(&gw->lines, t->registration.requested_s);
	writer_text(&gw->lines, "\r\n");
	sip_splice_append(&gw->splice, request_lines(gw, mark));
}

void register_ims_edit(struct gateway *gw, const struct transaction *t,
		       const struct register_ask *ask)
{
	struct digest_credential digest = digest_read(&gw->message);

	trust_strip_ims(gw, &gw->message, digest.field);
	if (digest.field != NULL)
		digest_protect(gw, digest.field, protection(gw, t, &digest));
	edit_expires(gw, t, ask);
}

void register_challenged(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	counter_add(&gw_counters(gw)->register_challenged, 1);
	if (t->registration.first)
		wic->identity = 0; /* the core holds nothing for this flow */
	if (wic->challenged_us == 0)
		wic->challenged_us = gw->time.now_us; /* not moved on by another challenge */
}
