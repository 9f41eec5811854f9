/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"
#include "own.h"
#include "registrar.h"

/*
 * REGISTER, whoever authenticates (PROTOCOL 9.2): what is asked for, and what every one of them
 * gets on its way to the core. Credentials and lifetime are those of register_token.c.
 */

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

#define NOBODY SPAN("anonymous@anonymous.invalid") /* TS 23.003 13.6 */

/** D-18: what address says instead of an identity. */
static struct span placeholder_of(const struct gateway *gw, const struct sip_message *m,
				  enum sip_header id)
{
	struct sip_address a = sip_address_parse(sip_value(m, id));
	struct span user = gw_config(gw)->placeholder_user;

	if (user.len == 0 || user.len > PLACEHOLDER_MAX || a.uri.scheme != SIP_SCHEME_SIP)
		return SPAN("");
	if (span_equal(span_from(a.uri_text, 4), NOBODY))
		return NOBODY;
	if (a.uri.params.len > 0 || a.uri.headers.len > 0 || a.uri.port != 0 ||
	    a.uri.password.len > 0 || !span_equal(a.uri.user, user) ||
	    !span_equal_nocase(a.uri.host, sip_uri_parse(m->uri).host))
		return SPAN("");
	return a.uri.user;
}

/** To and From name the same nobody. */
static struct span ask_placeholder(const struct gateway *gw, const struct sip_message *m)
{
	struct span to = placeholder_of(gw, m, SIP_HEADER_TO);

	return span_equal(to, placeholder_of(gw, m, SIP_HEADER_FROM)) ? to : SPAN("");
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

struct register_ask register_read(const struct gateway *gw)
{
	const struct sip_message *m = &gw->message;
	struct register_ask ask = {0};

	ask.err = ask_uri(gw, m, &ask);
	if (ask.err == GW_OK)
		ask.err = ask_identity(m, &ask);
	if (ask.err == GW_OK)
		ask.placeholder = ask_placeholder(gw, m);
	if (ask.err == GW_OK)
		ask.err = ask_contact(m, &ask);
	if (ask.err == GW_OK)
		ask.err = ask_expires(gw, m, &ask);
	return ask;
}

/* ob when the client uses outbound (RFC 5626 5.1, RFC 3327) */
void register_path(struct gateway *gw, struct handle flow, enum mw_transport transport,
		   bool outbound)
{
	struct flow_token token = {FLOW_CONNECTION, flow};

	writer_text(&gw->lines, "Path: <sip:");
	flow_token_write(gw, &token, SPAN(""), &gw->lines);
	writer_text(&gw->lines, "@");
	request_own_uri(gw, transport);
	writer_text(&gw->lines, outbound ? ";ob>\r\n" : ">\r\n");
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

void register_networks(struct gateway *gw, const struct realm_config *realm)
{
	writer_text(&gw->lines, "P-Visited-Network-ID: \"");
	writer_put(&gw->lines, realm->visited_network);
	writer_text(&gw->lines, "\"\r\n");
	request_charging_vector(gw, realm, &gw->lines);
}

static enum gw_err register_build(struct gateway *gw, struct transaction *t)
{
	struct register_ask ask = register_read(gw);
	const struct sip_message *m = &gw->message;
	uint32_t mark;

	if (ask.err != GW_OK)
		return ask.err;
	t->registration.contact = contact_hash(gw, &ask);
	request_via(gw, t);
	request_max_forwards(gw, m);
	if (t->registration.ims_auth)
		register_ims_edit(gw, t, &ask);
	else
		register_token_edit(gw, t, &ask);
	register_name(gw, t);
	mark = writer_len(&gw->lines);
	register_path(gw, t->flow, t->target.transport, t->registration.outbound);
	if (!request_has_tag(m, SIP_HEADER_REQUIRE, SPAN("path")))
		writer_text(&gw->lines, "Require: path\r\n");
	if (!request_has_tag(m, SIP_HEADER_SUPPORTED, SPAN("path")))
		writer_text(&gw->lines, "Supported: path\r\n"); /* D-28 */
	register_networks(gw, ask.realm);
	sip_splice_append(&gw->splice, request_lines(gw, mark));
	return writer_ok(&gw->lines) ? GW_OK : GW_NO_ROOM;
}

uint64_t register_pair(const struct gateway *gw, const struct transaction *t)
{
	struct span impi =
		t->registration.ims_auth ? SPAN("") : identity_span(&t->registration.impi);
	uint64_t hash = pair_hash(gw->bucket_key, impi, identity_span(&t->registration.impu));

	return hash != 0 ? hash : 1;
}

const struct wwsf_config *register_site_named(const struct gateway *gw, struct span name)
{
	const struct config_part *config = gw_config(gw);

	for (uint32_t i = 0; i < config->wwsf_count; i++)
		if (span_equal(span_cut(config->wwsf[i].name, 0, SITE_NAME_MAX), name))
			return &config->wwsf[i];
	return NULL;
}

/* a reload may number the sites anew meanwhile */
void register_site(const struct gateway *gw, const struct wic *wic, struct transaction *t)
{
	struct span name = gw_config(gw)->wwsf[wic->wwsf].name;

	name = span_cut(name, 0, SITE_NAME_MAX);
	memcpy(t->registration.wwsf, name.at, name.len);
}

void register_announce(struct gateway *gw, const struct wic *wic, const struct register_ask *ask,
		       const struct transaction *t)
{
	struct binding *b = binding_of(gw, wic);
	struct home_claim claim;

	bool same_key;

	if (t->registration.requested_s == 0 || ask->fetch)
		return;
	claim = home_claim(gw,
			   &(struct registration_of){&t->registration.impi, &t->registration.impu,
						     t->registration.sub},
			   &ask->contact);
	same_key = b != NULL && home_key_equal(&b->claim.key, &claim.key);
	if (same_key || (b != NULL && b->contact == contact_hash(gw, ask)))
		binding_hold(gw, b); /* its own refresh, which its end must not undo (D-44) */
	if (!same_key)
		home_asked(gw, wic, &claim);
}

enum gw_err register_forward(struct gateway *gw, struct wic *wic, struct transaction *t)
{
	enum gw_err err = target_next_hop(gw, &t->target);
	uint64_t pair;
	bool asks;

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

enum gw_err register_home(const struct gateway *gw, const struct register_ask *ask,
			  const struct identity *impu)
{
	const struct realm_config *home = request_realm(gw_config(gw), identity_host(impu));

	return home == NULL || home == ask->realm ? GW_OK : GW_DOMAIN;
}

enum gw_err register_one_identity(const struct gateway *gw, const struct wic *wic,
				  const struct transaction *t)
{
	return wic->identity == 0 || wic->identity == register_pair(gw, t) ? GW_OK
									   : GW_IDENTITY_MISMATCH;
}

/* ---- placeholders (D-18) -------------------------------------------------------------------- */

static void name_edit(struct gateway *gw, const struct sip_message *m, enum sip_header id,
		      struct span uri)
{
	struct sip_address a = sip_address_parse(sip_value(m, id));

	if (a.err == GW_OK)
		sip_splice_replace(&gw->splice, a.uri_text, uri);
}

void register_name(struct gateway *gw, const struct transaction *t)
{
	struct span impu = identity_span(&t->registration.impu);

	if (t->registration.placeholder_len == 0)
		return;
	name_edit(gw, &gw->message, SIP_HEADER_TO, impu);
	name_edit(gw, &gw->message, SIP_HEADER_FROM, impu);
}

/** What the WIC called itself: the home domain is that of the Request-URI. */
static struct span placeholder_uri(struct gateway *gw, const struct transaction *t)
{
	struct span name = span_of(t->registration.placeholder, t->registration.placeholder_len);
	uint32_t mark = writer_len(&gw->lines);

	writer_text(&gw->lines, "sip:");
	writer_put(&gw->lines, name);
	if (span_find(name, '@') == name.len) {
		writer_text(&gw->lines, "@");
		writer_put(&gw->lines, sip_uri_parse(gw->kept.uri).host);
	}
	return request_lines(gw, mark);
}

void register_restore(struct gateway *gw, const struct transaction *t)
{
	struct writer restored;
	struct span uri;

	if (t->kind != TRANSACTION_REGISTER || t->registration.placeholder_len == 0 ||
	    transaction_recall(t, &gw->kept) != GW_OK)
		return;
	uri = placeholder_uri(gw, t);
	if (sip_index(writer_span(&gw->out), &gw->kept) != GW_OK)
		return;
	sip_splice_init(&gw->splice, &gw->kept);
	name_edit(gw, &gw->kept, SIP_HEADER_TO, uri);
	name_edit(gw, &gw->kept, SIP_HEADER_FROM, uri);
	writer_init(&restored, gw->stamped_memory, gw->config.max_message + GATEWAY_LINES_MAX);
	if (sip_splice_write(&gw->splice, &restored) != GW_OK)
		return;
	writer_init(&gw->out, gw->out_memory, gw->config.max_message + GATEWAY_LINES_MAX);
	writer_put(&gw->out, writer_span(&restored));
}

/* ---- what the core has lost ----------------------------------------------------------------- */

bool register_restoration(const struct sip_message *m)
{
	return m->status == 504 &&
	       request_mentions(sip_value(m, SIP_HEADER_CONTENT_TYPE),
				SPAN("application/3gpp-ims+xml")) &&
	       request_mentions(m->body, SPAN("restoration"));
}

enum gw_err register_request(struct gateway *gw, struct wic *wic)
{
	struct register_ask ask = register_read(gw);
	const struct binding *b = binding_of(gw, wic);

	if (ask.err != GW_OK)
		return ask.err;
	if (b != NULL && b->local && register_is_owner(b, &ask))
		return register_block(gw, wic, &ask); /* a reload may have taken its site */
	if (register_is_ims(gw, wic))
		return register_ims(gw, wic, &ask);
	return register_is_block(gw, wic) ? register_block(gw, wic, &ask)
					  : register_token(gw, wic, &ask);
}
