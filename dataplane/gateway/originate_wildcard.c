/* SPDX-License-Identifier: BSD-3-Clause */
#include "identity/pattern.h"
#include "originate.h"
#include "wildcard.h"

/*
 * Un-registered wildcard (PROTOCOL 7.1): who is not registered begins something by a token that
 * names an identity of its web site's wildcard. The core serves it by what it has for the
 * un-registered state: the request enters where realms[].icscf_orig says, and asserts that
 * identity, never the wildcard.
 */

/* ---- what goes to the core ------------------------------------------------------------------ */

/** D-23, D-24: what the home network's entry may want to be told. */
static void write_served(struct gateway *gw, const struct wic *wic, const struct transaction *t,
			 const struct realm_config *realm)
{
	struct span wildcard = pattern_uri(gw->time.view->patterns, wic->wwsf);

	if (realm->orig_served_user) { /* RFC 5502 6 */
		writer_text(&gw->lines, "P-Served-User: <");
		writer_put(&gw->lines, identity_span(&t->origination.asserted));
		writer_text(&gw->lines, ">;sescase=orig;regstate=unreg\r\n");
	}
	if (realm->orig_profile_key && wildcard.len > 0) { /* RFC 5002 */
		writer_text(&gw->lines, "P-Profile-Key: <");
		writer_put(&gw->lines, wildcard);
		writer_text(&gw->lines, ">\r\n");
	}
}

static enum gw_err wildcard_build(struct gateway *gw, struct transaction *t)
{
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	const struct realm_config *realm =
		request_realm_of(gw_config(gw), &t->origination.asserted);
	uint32_t mark;

	if (wic == NULL)
		return GW_STALE;
	originate_edit(gw, wic, t);
	mark = writer_len(&gw->lines);
	writer_text(&gw->lines, "Route: ");
	writer_put(&gw->lines, realm->icscf_orig);
	writer_text(&gw->lines, "\r\n");
	originate_write_identity(gw, t);
	write_served(gw, wic, t, realm);
	sip_splice_append(&gw->splice, request_lines(gw, mark));
	return writer_ok(&gw->lines) ? GW_OK : GW_NO_ROOM;
}

static enum gw_err begin(struct gateway *gw, struct wic *wic, const struct identity *impu)
{
	struct origination o = {
		.asserted = *impu,
		.route = request_realm_of(gw_config(gw), impu)->icscf_orig,
		.build = wildcard_build,
		.unregistered = true,
	};
	enum gw_err err = o.route.len > 0 ? GW_OK : GW_TOKEN_SCENARIO;

	if (err == GW_OK)
		err = originate_check_route(gw, wic);
	if (err == GW_OK)
		err = originate_begin(gw, wic, &o);
	if (err == GW_OK)
		counter_add(&gw_counters(gw)->wildcard_requests, 1);
	return err;
}

/* ---- who it is ------------------------------------------------------------------------------ */

/** *named: a P-Preferred-Identity says so too. No other one may stand there (F22). */
static enum gw_err check_preferred(const struct gateway *gw, const struct identity *impu,
				   bool *named)
{
	const struct sip_field *f = sip_first(&gw->message, SIP_HEADER_P_PREFERRED_IDENTITY);
	struct identity id;

	for (*named = false; f != NULL; f = sip_next(&gw->message, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			struct sip_address a = sip_address_parse(element);

			if (a.err != GW_OK || identity_impu(a.uri_text, &id) != GW_OK ||
			    !span_equal(identity_span(&id), identity_span(impu)))
				return GW_IDENTITY_MISMATCH;
			*named = true;
		}
	}
	return GW_OK;
}

/** F22: From is the token's identity; or P-Preferred-Identity is, and From hides it. */
static enum gw_err check_from(const struct gateway *gw, const struct identity *impu)
{
	struct sip_address from = sip_address_parse(sip_value(&gw->message, SIP_HEADER_FROM));
	struct identity id;
	bool named;
	enum gw_err err = check_preferred(gw, impu, &named);

	if (err != GW_OK || from.err != GW_OK)
		return err != GW_OK ? err : GW_SIP_ADDRESS;
	if (named && !gw_config(gw)->from_check)
		return GW_OK;
	if (identity_impu(from.uri_text, &id) != GW_OK)
		return GW_IDENTITY_MISMATCH;
	if (span_equal(identity_span(&id), identity_span(impu)))
		return GW_OK;
	return named && span_equal(identity_span(&id), SPAN("sip:anonymous@anonymous.invalid"))
		       ? GW_OK
		       : GW_IDENTITY_MISMATCH;
}

/** Where it can be reached, by the connection and in no other way. */
static bool is_of_connection(struct span element)
{
	struct sip_address a = sip_address_parse(element);
	struct span end = SPAN(".invalid"), transport = SPAN("");

	if (a.err != GW_OK || a.star || a.uri.scheme == SIP_SCHEME_TEL)
		return false;
	if (a.uri.host.len > end.len &&
	    span_equal_nocase(span_from(a.uri.host, a.uri.host.len - end.len), end))
		return true;
	(void)sip_param(a.uri.params, SPAN("transport"), &transport);
	return span_equal_nocase(transport, SPAN("ws")) ||
	       span_equal_nocase(transport, SPAN("wss"));
}

static enum gw_err check_contact(const struct gateway *gw)
{
	const struct sip_field *f = sip_first(&gw->message, SIP_HEADER_CONTACT);

	for (; f != NULL; f = sip_next(&gw->message, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element))
			if (!is_of_connection(element))
				return GW_SIP_CONTACT;
	}
	return GW_OK;
}

static enum gw_err check_request(const struct gateway *gw, const struct identity *impu)
{
	enum gw_err err = check_from(gw, impu);

	return err == GW_OK ? check_contact(gw) : err;
}

/* ---- its token ------------------------------------------------------------------------------ */

/** What gw->claims say: one public identity of the wildcard (F21), and perhaps a private one. */
static enum gw_err read_claims(const struct gateway *gw, const struct wic *wic,
			       struct wildcard_claims *claims)
{
	const struct snapshot *view = gw->time.view;

	*claims = (struct wildcard_claims){
		.exp_s = gw->claims.exp_s,
		.jti = register_jti(gw),
		.key = view->keys->row[gw->claims.key].key.id,
	};
	if (gw->claims.impu_count != 1 ||
	    identity_impu(gw->claims.impu[0], &claims->impu) != GW_OK ||
	    (gw->claims.impi.len > 0 && identity_impi(gw->claims.impi, &claims->impi) != GW_OK))
		return GW_TOKEN_CLAIM;
	if (!register_is_username(gw, &claims->impi))
		return GW_IDENTITY_MISMATCH;
	return identity_wildcarded(view->patterns, view->pairs, gw->config.worker, wic->wwsf,
				   &claims->impu);
}

enum gw_err originate_authorized(struct gateway *gw, struct wic *wic)
{
	struct wildcard_claims claims;
	enum gw_err err;

	if (!wildcard_site(gw, wic))
		return GW_TOKEN_SCENARIO;
	err = read_claims(gw, wic, &claims);
	if (err == GW_OK)
		err = check_request(gw, &claims.impu);
	if (err == GW_OK)
		err = wildcard_accept(gw, wic, &claims);
	if (err != GW_OK)
		return err;
	counter_add(&gw_counters(gw)->token_verified, 1);
	return begin(gw, wic, &claims.impu);
}

/** D-22: the token that was accepted here last stands for what comes without one. */
static enum gw_err by_last_token(struct gateway *gw, struct wic *wic)
{
	const struct wildcard_user *u = wildcard_of(gw, wic);
	enum gw_err err;

	if (!gw_config(gw)->cache_wildcard_auth || u == NULL)
		return GW_TOKEN_NONE;
	err = wildcard_still_valid(gw, wic, u);
	if (err == GW_OK)
		err = check_request(gw, &u->impu);
	if (err != GW_OK)
		return err;
	counter_add(&gw_counters(gw)->wildcard_cached, 1);
	return begin(gw, wic, &u->impu);
}

enum gw_err originate_wildcard(struct gateway *gw, struct wic *wic)
{
	enum gw_err err = authorize_request(gw, wic);

	if (err == GW_TOKEN_NONE)
		return by_last_token(gw, wic);
	return err == GW_OK ? originate_authorized(gw, wic) : err;
}
