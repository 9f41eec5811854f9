/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"
#include "identity/pattern.h"
#include "reg_event.h"
#include "registrar.h"
#include "wall.h"
#include "wildcard.h"

/*
 * REGISTER with a token (PROTOCOL 5): checked, its Bearer credential replaced by trusted node
 * authentication, the lifetime held within the token's.
 */

/** D-15: who has vouched for the user, where that is a third party: the core may check it against
 * the subscription. */
static void write_waf(struct gateway *gw, struct span name)
{
	const struct wwsf_config *site = register_site_named(gw, name);

	if (site == NULL || site->waf_identity.len == 0)
		return;
	writer_text(&gw->lines, ",");
	writer_put(&gw->lines, site->waf_parameter);
	writer_text(&gw->lines, "=\"");
	writer_put(&gw->lines, site->waf_identity);
	writer_text(&gw->lines, "\"");
}

/* TS 33.203 annex U: nonce and response empty (PROTOCOL 5.2) */
void register_authorization(struct gateway *gw, const struct identity *impi,
			    const struct realm_config *realm, struct span site)
{
	writer_text(&gw->lines, "Authorization: Digest username=\"");
	writer_put(&gw->lines, identity_span(impi));
	writer_text(&gw->lines, "\",realm=\"");
	writer_put(&gw->lines, realm->domain);
	writer_text(&gw->lines, "\",nonce=\"\",uri=\"sip:");
	writer_put(&gw->lines, realm->domain);
	writer_text(&gw->lines, "\",response=\"\",integrity-protected=\"");
	writer_put(&gw->lines, realm->tna_value);
	writer_text(&gw->lines, "\"");
	write_waf(gw, site);
	writer_text(&gw->lines, "\r\n");
}

/** Writes the asked time between two texts. */
static struct span seconds_text(struct gateway *gw, const struct transaction *t, const char *before,
				const char *after)
{
	uint32_t mark = writer_len(&gw->lines);

	writer_text(&gw->lines, before);
	writer_decimal(&gw->lines, t->registration.requested_s);
	writer_text(&gw->lines, after);
	return request_lines(gw, mark);
}

/** The clamp, in both: Expires and the Contact's parameter (PROTOCOL 5.5). */
static void write_expires(struct gateway *gw, const struct transaction *t,
			  const struct register_ask *ask)
{
	const struct sip_field *header = sip_first(&gw->message, SIP_HEADER_EXPIRES);

	if (ask->contact_expires.len > 0)
		sip_splice_replace(&gw->splice, ask->contact_expires, seconds_text(gw, t, "", ""));
	else if (!ask->contact.star)
		sip_splice_replace(&gw->splice, span_from(ask->element, ask->element.len),
				   seconds_text(gw, t, ";expires=", ""));
	if (header != NULL)
		sip_splice_replace(&gw->splice, header->value, seconds_text(gw, t, "", ""));
	else
		sip_splice_append(&gw->splice, seconds_text(gw, t, "Expires: ", "\r\n"));
}

void register_token_edit(struct gateway *gw, const struct transaction *t,
			 const struct register_ask *ask)
{
	uint32_t mark;

	trust_strip_from_wic(gw, &gw->message);
	if (!ask->fetch)
		write_expires(gw, t, ask);
	mark = writer_len(&gw->lines);
	register_authorization(gw, &t->registration.impi, ask->realm,
			       span_text(t->registration.wwsf));
	sip_splice_append(&gw->splice, request_lines(gw, mark));
}

/** D-18: what the WIC calls itself is kept, to be said again in the answer. */
static void keep_placeholder(const struct register_ask *ask, struct transaction *t)
{
	t->registration.placeholder_len = (uint8_t)ask->placeholder.len;
	memcpy(t->registration.placeholder, ask->placeholder.at, ask->placeholder.len);
}

/** De-registration or fetch by the flow that owns the binding: no token needed (PROTOCOL 5.6). */
static enum gw_err register_owner(struct gateway *gw, struct wic *wic, const struct binding *b,
				  const struct register_ask *ask)
{
	enum gw_err err = register_home(gw, ask, &b->impu);
	struct transaction *t;

	if (err != GW_OK)
		return err;
	t = transaction_new(gw, TRANSACTION_REGISTER, wic);
	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	t->registration.impi = b->impi;
	t->registration.impu = b->impu;
	t->registration.jti = b->jti;
	memcpy(t->registration.wwsf, b->wwsf, sizeof(b->wwsf));
	t->registration.outbound = b->outbound;
	t->registration.fetch = ask->fetch;
	keep_placeholder(ask, t);
	return register_forward(gw, wic, t);
}

bool register_is_username(const struct gateway *gw, const struct identity *impi)
{
	struct identity named;

	return gw->username.len == 0 || (identity_impi(gw->username, &named) == GW_OK &&
					 span_equal(identity_span(&named), identity_span(impi)));
}

/** The identities of the token: t's are the private one, and the public one that To is, else the
 * first. *named: To is one of them. */
static enum gw_err read_identities(const struct gateway *gw, const struct register_ask *ask,
				   struct transaction *t, bool *named)
{
	struct identity id;

	*named = false;
	if (identity_impi(gw->claims.impi, &t->registration.impi) != GW_OK ||
	    gw->claims.impu_count == 0)
		return GW_TOKEN_CLAIM;
	for (uint32_t i = 0; i < gw->claims.impu_count; i++) {
		if (identity_impu(gw->claims.impu[i], &id) != GW_OK)
			return GW_TOKEN_CLAIM;
		if (i == 0)
			t->registration.impu = id;
		*named = *named || span_equal(identity_span(&id), identity_span(&ask->to));
	}
	if (*named)
		t->registration.impu = ask->to;
	return GW_OK;
}

/** The token's identities are this WWSF's (F21), and the request names them (F22); a placeholder is
 * who the token names first (D-18). */
static enum gw_err check_identities(struct gateway *gw, const struct wic *wic,
				    const struct register_ask *ask, struct transaction *t)
{
	const struct snapshot *view = gw->time.view;
	const struct wwsf_config *wwsf = &view->config->wwsf[wic->wwsf];
	enum gw_err err;
	bool named;

	err = read_identities(gw, ask, t, &named);
	if (err == GW_OK)
		err = identity_allocated(wwsf, view->pairs, &t->registration.impi,
					 &t->registration.impu);
	if (err != GW_OK)
		return err;
	if (!register_is_username(gw, &t->registration.impi) ||
	    (!named && ask->placeholder.len == 0))
		return GW_IDENTITY_MISMATCH;
	if (!named)
		keep_placeholder(ask, t);
	return GW_OK;
}

/** Clamps the lifetime to the token's: requested = min(asked, floor(exp - now)), without leeway;
 * but where the site's registrations may outlive their tokens (D-19). */
static enum gw_err check_lifetime(struct gateway *gw, const struct wic *wic,
				  const struct register_ask *ask, struct transaction *t)
{
	bool outlives = gw_config(gw)->wwsf[wic->wwsf].outlives_token;
	uint64_t exp_us = wall_end_us(&gw->time, gw->claims.exp_s);
	uint64_t left_s = wall_left_s(&gw->time, gw->claims.exp_s);

	if (left_s < gw_config(gw)->min_grant_s)
		return GW_TOKEN_SHORT;
	t->registration.clamped = ask->expires_s > left_s && !outlives;
	t->registration.requested_s = t->registration.clamped ? (uint32_t)left_s : ask->expires_s;
	t->registration.token_exp_us = outlives ? UINT64_MAX : exp_us;
	t->registration.exp_s = (uint32_t)gw->claims.exp_s;
	t->registration.outbound = ask->reg_id;
	return GW_OK;
}

uint64_t register_jti(const struct gateway *gw)
{
	return gw->claims.jti.len == 0
		       ? 0
		       : jti_hash(gw_config(gw)->hash_key, gw->claims.iss, gw->claims.jti);
}

/** Home domains that are a site's may be those of another one's wildcard: its identities are not
 * (PROTOCOL 12.2). Of pairs that was seen when they were loaded. */
static enum gw_err check_wildcards(const struct gateway *gw, const struct wic *wic,
				   const struct transaction *t)
{
	if (gw_config(gw)->wwsf[wic->wwsf].domain_count == 0)
		return GW_OK;
	return pattern_of_another(gw->time.view->patterns, gw->config.worker, wic->wwsf,
				  &t->registration.impu)
		       ? GW_IDENTITY_FOREIGN
		       : GW_OK;
}

/** What the token allows of what is asked: PROTOCOL 3.5 from step 17 on. */
static enum gw_err check_ask(struct gateway *gw, const struct wic *wic,
			     const struct register_ask *ask, struct transaction *t)
{
	enum gw_err err = check_identities(gw, wic, ask, t);

	if (err == GW_OK)
		err = check_wildcards(gw, wic, t);
	if (err == GW_OK)
		err = register_home(gw, ask, &t->registration.impu);
	if (err == GW_OK)
		err = register_one_identity(gw, wic, t);
	if (err == GW_OK && ask->expires_s > 0 && !ask->fetch)
		err = check_lifetime(gw, wic, ask, t);
	return err;
}

/** Nobody else has the pair, nor may claim it (PROTOCOL 3.5 step 19). */
static enum gw_err check_pool(struct gateway *gw, struct wic *wic, struct transaction *t)
{
	t->registration.sub = pair_hash(gw_config(gw)->hash_key, gw->claims.iss, gw->claims.sub);
	t->registration.iat_s = (uint32_t)gw->claims.iat_s; /* lease_last.c has no more either */
	t->registration.exp_s = (uint32_t)gw->claims.exp_s;
	return pool_admit(gw, wic, t);
}

/** The token is good: what is asked goes to the core. */
static enum gw_err register_admit(struct gateway *gw, struct wic *wic,
				  const struct register_ask *ask)
{
	const struct wwsf_config *site = &gw_config(gw)->wwsf[wic->wwsf];
	struct transaction *t;
	enum gw_err err;

	if (site->mode == WWSF_WILDCARD)
		return GW_TOKEN_SCENARIO;
	t = transaction_new(gw, TRANSACTION_REGISTER, wic);
	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	t->registration.fetch = ask->fetch;
	t->registration.jti = register_jti(gw);
	register_site(gw, wic, t);
	err = check_ask(gw, wic, ask, t);
	if (err == GW_OK)
		err = barred_check(gw, wic, t);
	if (err == GW_OK)
		err = binding_room(gw, wic, t);
	if (err == GW_OK && site->mode == WWSF_POOL)
		err = check_pool(gw, wic, t);
	if (err != GW_OK) {
		transaction_free(gw, t);
		return err;
	}
	counter_add(&gw_counters(gw)->token_verified, 1);
	register_announce(gw, wic, ask, t);
	return register_forward(gw, wic, t);
}

bool register_is_owner(const struct binding *b, const struct register_ask *ask)
{
	return (ask->expires_s == 0 || ask->fetch) && b != NULL &&
	       (ask->placeholder.len > 0 ||
		span_equal(identity_span(&b->impu), identity_span(&ask->to)));
}

enum gw_err register_token(struct gateway *gw, struct wic *wic, const struct register_ask *ask)
{
	struct binding *b = binding_of(gw, wic);
	enum gw_err err;

	if (register_is_owner(b, ask))
		return register_owner(gw, wic, b, ask);
	if (wildcard_site(gw, wic))
		return GW_TOKEN_SCENARIO; /* F20: no token could help */
	err = authorize_request(gw, wic);
	return err == GW_OK ? register_admit(gw, wic, ask) : err;
}

enum gw_err register_authorized(struct gateway *gw, struct wic *wic)
{
	struct register_ask ask = register_read(gw);

	if (ask.err != GW_OK)
		return ask.err;
	if (register_is_ims(gw, wic))
		return register_ims_authorized(gw, wic, &ask);
	return register_is_block(gw, wic) ? register_block_authorized(gw, wic, &ask)
					  : register_admit(gw, wic, &ask);
}
