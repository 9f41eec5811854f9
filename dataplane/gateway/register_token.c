/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/*
 * REGISTER with a token (PROTOCOL 5): checked, its Bearer credential replaced by trusted node
 * authentication, a Path with this flow put in, the lifetime held within the token's.
 */

/** What a REGISTER asks for. */
struct register_ask {
	enum gw_err err;
	const struct realm_config *realm;
	struct identity to;
	bool fetch;		     /* no Contact: asks for bindings and changes none */
	struct sip_address contact;  /* star: all */
	struct span element;	     /* the Contact as it stands in its line */
	struct span contact_expires; /* the parameter's value; empty when absent */
	uint32_t expires_s;
	bool reg_id;
};

static enum gw_err ask_uri(const struct gateway *gw, const struct sip_message *m,
			   struct register_ask *ask)
{
	struct sip_uri uri = sip_uri_parse(m->uri);

	if (uri.err != GW_OK)
		return uri.err;
	ask->realm = uri.has_user ? NULL : request_realm(gw_config(gw), uri.host);
	return ask->realm != NULL ? GW_OK : GW_DOMAIN;
}

/** To and From name the same identity: no registration for somebody else (F23). */
static enum gw_err ask_identity(const struct sip_message *m, struct register_ask *ask)
{
	struct sip_address to = sip_address_parse(sip_value(m, SIP_HEADER_TO));
	struct sip_address from = sip_address_parse(sip_value(m, SIP_HEADER_FROM));
	struct identity other;

	if (to.err != GW_OK || from.err != GW_OK)
		return GW_SIP_ADDRESS;
	if (identity_impu(to.uri_text, &ask->to) != GW_OK ||
	    identity_impu(from.uri_text, &other) != GW_OK)
		return GW_IDENTITY_MISMATCH;
	return span_equal(identity_span(&ask->to), identity_span(&other)) ? GW_OK
									  : GW_IDENTITY_THIRD_PARTY;
}

/** One expires at most: of two, the core might take the one that was not clamped. */
static enum gw_err ask_contact_expires(struct register_ask *ask)
{
	struct span rest = ask->contact.params, name, value;
	uint32_t seen = 0;

	while (sip_param_next(&rest, &name, &value)) {
		if (!span_equal_nocase(name, SPAN("expires")))
			continue;
		if (seen++ > 0 || !sip_seconds(value, &ask->expires_s))
			return GW_SIP_CONTACT;
		ask->contact_expires = value;
	}
	return GW_OK;
}

/**
 * One Contact or none; D-17: header fields in its URI would plant routing, so they are refused.
 */
static enum gw_err ask_contact(const struct sip_message *m, struct register_ask *ask)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_CONTACT);
	struct span rest, second, value;

	ask->fetch = f == NULL;
	if (f == NULL)
		return GW_OK;
	rest = f->value;
	if (sip_next(m, f) != NULL || !sip_list_next(&rest, &ask->element) ||
	    sip_list_next(&rest, &second))
		return GW_SIP_CONTACT;
	ask->contact = sip_address_parse(ask->element);
	if (ask->contact.err != GW_OK)
		return ask->contact.err;
	if (ask->contact.star)
		return GW_OK;
	if (ask->contact.uri.headers.len > 0)
		return GW_SIP_CONTACT;
	ask->reg_id = sip_param(ask->contact.params, SPAN("reg-id"), &value);
	return ask_contact_expires(ask);
}

/** RFC 3261 10.3 step 6: the Contact's own parameter, then Expires, then the default. */
static enum gw_err ask_expires(const struct gateway *gw, const struct sip_message *m,
			       struct register_ask *ask)
{
	struct span header = sip_value(m, SIP_HEADER_EXPIRES);
	struct span text = ask->contact_expires.len > 0 ? ask->contact_expires : header;

	if (text.len == 0)
		ask->expires_s = gw_config(gw)->default_expires_s;
	else if (!sip_seconds(text, &ask->expires_s))
		return GW_SIP_NUMBER;
	return ask->contact.star && ask->expires_s != 0 ? GW_SIP_CONTACT : GW_OK;
}

static struct register_ask register_read(const struct gateway *gw)
{
	const struct sip_message *m = &gw->message;
	struct register_ask ask = {0};

	ask.err = ask_uri(gw, m, &ask);
	if (ask.err == GW_OK)
		ask.err = ask_identity(m, &ask);
	if (ask.err == GW_OK)
		ask.err = ask_contact(m, &ask);
	if (ask.err == GW_OK)
		ask.err = ask_expires(gw, m, &ask);
	return ask;
}

/* TS 33.203 annex U: nonce and response empty (PROTOCOL 5.2) */
void register_authorization(struct gateway *gw, const struct identity *impi,
			    const struct realm_config *realm)
{
	writer_text(&gw->lines, "Authorization: Digest username=\"");
	writer_put(&gw->lines, identity_span(impi));
	writer_text(&gw->lines, "\",realm=\"");
	writer_put(&gw->lines, realm->domain);
	writer_text(&gw->lines, "\",nonce=\"\",uri=\"sip:");
	writer_put(&gw->lines, realm->domain);
	writer_text(&gw->lines, "\",response=\"\",integrity-protected=\"");
	writer_put(&gw->lines, realm->tna_value);
	writer_text(&gw->lines, "\"\r\n");
}

/* ob when the client uses outbound (RFC 5626 5.1, RFC 3327) */
void register_path(struct gateway *gw, struct handle flow, enum mw_transport transport,
		   bool outbound)
{
	struct flow_token token = {FLOW_CONNECTION, flow};

	writer_text(&gw->lines, "Path: <sip:");
	flow_token_write(gw_config(gw), &token, SPAN(""), &gw->lines);
	writer_text(&gw->lines, "@");
	request_sent_by(gw);
	writer_text(&gw->lines, transport == MW_TCP ? ";transport=tcp;lr" : ";lr");
	writer_text(&gw->lines, outbound ? ";ob>\r\n" : ">\r\n");
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

/** Tells one Contact of a WIC from another: user and host, both random in browsers. */
static uint64_t contact_hash(const struct gateway *gw, const struct register_ask *ask)
{
	uint64_t hash;

	if (ask->fetch || ask->contact.star)
		return 0;
	hash = pair_hash(gw->bucket_key, ask->contact.uri.user, ask->contact.uri.host);
	return hash != 0 ? hash : 1;
}

static enum gw_err register_build(struct gateway *gw, struct transaction *t)
{
	struct register_ask ask = register_read(gw);
	const struct sip_message *m = &gw->message;
	uint32_t mark;

	if (ask.err != GW_OK)
		return ask.err;
	t->registration.contact = contact_hash(gw, &ask);
	trust_strip_from_wic(gw, m);
	request_via(gw, t, t->target.transport == MW_TCP ? "TCP" : "UDP");
	request_max_forwards(gw, m);
	if (!ask.fetch)
		write_expires(gw, t, &ask);
	mark = writer_len(&gw->lines);
	register_path(gw, t->flow, t->target.transport, t->registration.outbound);
	if (!request_has_tag(m, SIP_HEADER_REQUIRE, SPAN("path")))
		writer_text(&gw->lines, "Require: path\r\n");
	if (!request_has_tag(m, SIP_HEADER_SUPPORTED, SPAN("path")))
		writer_text(&gw->lines, "Supported: path\r\n"); /* D-28 */
	register_authorization(gw, &t->registration.impi, ask.realm);
	writer_text(&gw->lines, "P-Visited-Network-ID: \"");
	writer_put(&gw->lines, ask.realm->visited_network);
	writer_text(&gw->lines, "\"\r\n");
	request_charging_vector(gw, ask.realm, &gw->lines);
	sip_splice_append(&gw->splice, request_lines(gw, mark));
	return writer_ok(&gw->lines) ? GW_OK : GW_NO_ROOM;
}

uint64_t register_pair(const struct gateway *gw, const struct transaction *t)
{
	uint64_t hash = pair_hash(gw->bucket_key, identity_span(&t->registration.impi),
				  identity_span(&t->registration.impu));

	return hash != 0 ? hash : 1;
}

/** Sends what the WIC asks for, for at most requested_s, as the given identity. */
static enum gw_err register_forward(struct gateway *gw, struct wic *wic, struct transaction *t)
{
	enum gw_err err = target_next_hop(gw, &t->target);
	uint64_t pair;
	bool asks;

	t->registration.wwsf = wic->wwsf;
	if (err == GW_OK)
		err = transaction_keep_head(gw, t, &gw->message);
	if (err == GW_OK)
		err = target_write(gw, t, register_build);
	if (err != GW_OK) {
		transaction_free(gw, t);
		return err;
	}
	pair = register_pair(gw, t);
	asks = t->registration.requested_s > 0;
	t->registration.first = asks && wic->identity == 0;
	err = transaction_send(gw, t); /* frees t itself when it fails */
	if (err == GW_OK && asks)
		wic->identity = pair;
	return err;
}

/** The identity's own home network, where we serve it, is the one asked to register it (F26). */
static enum gw_err check_home(const struct gateway *gw, const struct register_ask *ask)
{
	const struct realm_config *home = request_realm(gw_config(gw), identity_host(&ask->to));

	return home == NULL || home == ask->realm ? GW_OK : GW_DOMAIN;
}

/** De-registration or fetch by the flow that owns the binding: no token needed (PROTOCOL 5.6). */
static enum gw_err register_owner(struct gateway *gw, struct wic *wic, const struct binding *b,
				  const struct register_ask *ask)
{
	enum gw_err err = check_home(gw, ask);
	struct transaction *t;

	if (err != GW_OK)
		return err;
	t = transaction_new(gw, TRANSACTION_REGISTER, wic);
	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	t->registration.impi = b->impi;
	t->registration.impu = b->impu;
	t->registration.jti = b->jti;
	t->registration.outbound = b->outbound;
	t->registration.fetch = ask->fetch;
	return register_forward(gw, wic, t);
}

/** The private identity of the token, and the Bearer parameter that may repeat it (F22). */
static enum gw_err check_private(const struct gateway *gw, struct transaction *t)
{
	struct identity named;

	if (identity_impi(gw->claims.impi, &t->registration.impi) != GW_OK)
		return GW_TOKEN_CLAIM;
	if (gw->username.len == 0)
		return GW_OK;
	return identity_impi(gw->username, &named) == GW_OK &&
			       span_equal(identity_span(&named),
					  identity_span(&t->registration.impi))
		       ? GW_OK
		       : GW_IDENTITY_MISMATCH;
}

/** The request names the identities of the token and of this WWSF (F21, F22). */
static enum gw_err check_identities(struct gateway *gw, const struct wic *wic,
				    const struct register_ask *ask, struct transaction *t)
{
	const struct snapshot *view = gw->time.view;
	const struct wwsf_config *wwsf = &view->config->wwsf[wic->wwsf];
	enum gw_err err = check_private(gw, t);
	bool named = false;
	struct identity id;

	if (err != GW_OK)
		return err;
	for (uint32_t i = 0; i < gw->claims.impu_count; i++) {
		if (identity_impu(gw->claims.impu[i], &id) != GW_OK)
			return GW_TOKEN_CLAIM;
		named = named || span_equal(identity_span(&id), identity_span(&ask->to));
	}
	if (!named)
		return GW_IDENTITY_MISMATCH;
	t->registration.impu = ask->to;
	return identity_allocated(wwsf, view->pairs, &t->registration.impi, &t->registration.impu);
}

/**
 * One identity a flow (PROTOCOL 5.6), for as long as the core may hold it: its requests come with
 * the flow's token, and must not reach whoever came next (6.6).
 */
static enum gw_err check_flow(const struct gateway *gw, const struct wic *wic,
			      const struct transaction *t)
{
	return wic->identity == 0 || wic->identity == register_pair(gw, t) ? GW_OK
									   : GW_IDENTITY_MISMATCH;
}

/** Clamps the lifetime to the token's: requested = min(asked, exp - now), without leeway. */
static enum gw_err check_lifetime(struct gateway *gw, const struct register_ask *ask,
				  struct transaction *t)
{
	uint64_t left = gw->claims.exp_s > gw->time.wall_s ? gw->claims.exp_s - gw->time.wall_s : 0;

	if (left < gw_config(gw)->min_grant_s)
		return GW_TOKEN_SHORT;
	t->registration.requested_s = ask->expires_s < left ? ask->expires_s : (uint32_t)left;
	t->registration.token_exp_us = gw->time.now_us + left * 1000000;
	t->registration.outbound = ask->reg_id;
	return GW_OK;
}

/** What revokes the registration's token; 0: it has no jti. */
static uint64_t claimed_jti(const struct gateway *gw)
{
	return gw->claims.jti.len == 0
		       ? 0
		       : jti_hash(gw_config(gw)->hash_key, gw->claims.iss, gw->claims.jti);
}

/** What the token allows of what is asked: PROTOCOL 3.5 from step 17 on. */
static enum gw_err check_ask(struct gateway *gw, const struct wic *wic,
			     const struct register_ask *ask, struct transaction *t)
{
	enum gw_err err = check_identities(gw, wic, ask, t);

	if (err == GW_OK)
		err = check_home(gw, ask);
	if (err == GW_OK)
		err = check_flow(gw, wic, t);
	if (err == GW_OK && ask->expires_s > 0 && !ask->fetch)
		err = check_lifetime(gw, ask, t);
	return err;
}

/** Before the REGISTER goes to the core: a flow that had the same registration lets it alone. */
static void register_announce(struct gateway *gw, const struct wic *wic,
			      const struct register_ask *ask, const struct transaction *t)
{
	struct home_claim claim;

	if (t->registration.requested_s == 0 || ask->fetch || binding_of(gw, wic) != NULL)
		return;
	claim = home_claim(gw, &t->registration.impi, &t->registration.impu, &ask->contact);
	home_asked(gw, wic, &claim);
}

/** The token is good: what is asked goes to the core. */
static enum gw_err register_admit(struct gateway *gw, struct wic *wic,
				  const struct register_ask *ask)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_REGISTER, wic);
	enum gw_err err;

	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	t->registration.fetch = ask->fetch;
	t->registration.jti = claimed_jti(gw);
	err = check_ask(gw, wic, ask, t);
	if (err != GW_OK) {
		transaction_free(gw, t);
		return err;
	}
	counter_add(&gw_counters(gw)->token_verified, 1);
	register_announce(gw, wic, ask, t);
	return register_forward(gw, wic, t);
}

enum gw_err register_request(struct gateway *gw, struct wic *wic)
{
	struct register_ask ask = register_read(gw);
	struct binding *b = binding_of(gw, wic);
	enum gw_err err = ask.err;

	if (err != GW_OK)
		return err;
	if ((ask.expires_s == 0 || ask.fetch) && b != NULL &&
	    span_equal(identity_span(&b->impu), identity_span(&ask.to)))
		return register_owner(gw, wic, b, &ask);
	err = authorize_request(gw, wic);
	return err == GW_OK ? register_admit(gw, wic, &ask) : err;
}

enum gw_err register_authorized(struct gateway *gw, struct wic *wic)
{
	struct register_ask ask = register_read(gw);

	return ask.err == GW_OK ? register_admit(gw, wic, &ask) : ask.err;
}
