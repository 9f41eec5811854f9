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
	struct sip_address contact; /* star: all */
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

/** Exactly one Contact; D-17: header fields in its URI would plant routing, so they are refused. */
static enum gw_err ask_contact(const struct sip_message *m, struct register_ask *ask)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_CONTACT);
	struct span rest, element, second, value;

	if (f == NULL || sip_next(m, f) != NULL)
		return GW_SIP_CONTACT;
	rest = f->value;
	if (!sip_list_next(&rest, &element) || sip_list_next(&rest, &second))
		return GW_SIP_CONTACT;
	ask->contact = sip_address_parse(element);
	if (ask->contact.err != GW_OK)
		return ask->contact.err;
	if (ask->contact.star)
		return GW_OK;
	if (ask->contact.uri.headers.len > 0)
		return GW_SIP_CONTACT;
	(void)sip_param(ask->contact.params, SPAN("expires"), &ask->contact_expires);
	ask->reg_id = sip_param(ask->contact.params, SPAN("reg-id"), &value);
	return GW_OK;
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

/** trusted node authentication, TS 33.203 annex U: nonce and response empty (PROTOCOL 5.2). */
static void write_authorization(struct gateway *gw, const struct transaction *t,
				const struct realm_config *realm)
{
	writer_text(&gw->lines, "Authorization: Digest username=\"");
	writer_put(&gw->lines, identity_span(&t->impi));
	writer_text(&gw->lines, "\",realm=\"");
	writer_put(&gw->lines, realm->domain);
	writer_text(&gw->lines, "\",nonce=\"\",uri=\"");
	writer_put(&gw->lines, gw->message.uri);
	writer_text(&gw->lines, "\",response=\"\",integrity-protected=\"");
	writer_put(&gw->lines, realm->tna_value);
	writer_text(&gw->lines, "\"\r\n");
}

/** Path with the flow token; ob when the client uses outbound (RFC 5626 5.1, RFC 3327). */
static void write_path(struct gateway *gw, const struct transaction *t)
{
	const struct config_part *config = gw_config(gw);
	uint16_t port = config->mw_advertise_common
				? config->mw_sip_port
				: (uint16_t)(config->mw_worker_port_base + gw->config.worker);

	writer_text(&gw->lines, "Path: <sip:");
	flow_token_write(config, t->flow, &gw->lines);
	writer_text(&gw->lines, "@");
	writer_put(&gw->lines, config->mw_host);
	writer_text(&gw->lines, ":");
	writer_decimal(&gw->lines, port);
	writer_text(&gw->lines, t->target.transport == MW_TCP ? ";transport=tcp;lr" : ";lr");
	writer_text(&gw->lines, t->outbound ? ";ob>\r\n" : ">\r\n");
}

/** Whether an option tag stands in any line of header id. */
static bool has_tag(const struct sip_message *m, enum sip_header id, struct span tag)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element))
			if (span_equal_nocase(element, tag))
				return true;
	}
	return false;
}

/** The clamp, in Expires and in the Contact's parameter (PROTOCOL 5.5). */
static void write_expires(struct gateway *gw, const struct transaction *t,
			  const struct register_ask *ask)
{
	const struct sip_field *header = sip_first(&gw->message, SIP_HEADER_EXPIRES);
	struct span number;
	uint32_t mark = writer_len(&gw->lines);

	writer_decimal(&gw->lines, t->requested_s);
	number = request_lines(gw, mark);
	if (ask->contact_expires.len > 0)
		sip_splice_replace(&gw->splice, ask->contact_expires, number);
	if (header != NULL) {
		sip_splice_replace(&gw->splice, header->value, number);
		return;
	}
	mark = writer_len(&gw->lines);
	writer_text(&gw->lines, "Expires: ");
	writer_put(&gw->lines, number);
	writer_text(&gw->lines, "\r\n");
	sip_splice_append(&gw->splice, request_lines(gw, mark));
}

static enum gw_err register_build(struct gateway *gw, struct transaction *t)
{
	struct register_ask ask = register_read(gw);
	const struct sip_message *m = &gw->message;
	uint32_t mark;

	if (ask.err != GW_OK)
		return ask.err;
	trust_strip_from_wic(gw, m);
	request_via(gw, t, t->target.transport == MW_TCP ? "TCP" : "UDP");
	request_max_forwards(gw, m);
	write_expires(gw, t, &ask);
	mark = writer_len(&gw->lines);
	write_path(gw, t);
	if (!has_tag(m, SIP_HEADER_REQUIRE, SPAN("path")))
		writer_text(&gw->lines, "Require: path\r\n");
	if (!has_tag(m, SIP_HEADER_SUPPORTED, SPAN("path")))
		writer_text(&gw->lines, "Supported: path\r\n"); /* D-28 */
	write_authorization(gw, t, ask.realm);
	writer_text(&gw->lines, "P-Visited-Network-ID: \"");
	writer_put(&gw->lines, ask.realm->visited_network);
	writer_text(&gw->lines, "\"\r\n");
	request_charging_vector(gw, &gw->lines);
	sip_splice_append(&gw->splice, request_lines(gw, mark));
	return writer_ok(&gw->lines) ? GW_OK : GW_NO_ROOM;
}

/** The Contact's URI is what tells our binding apart in the core's answer. */
static enum gw_err keep_contact(struct transaction *t, const struct register_ask *ask)
{
	struct span uri = ask->contact.uri_text;

	if (uri.len > sizeof(t->contact))
		return GW_SIP_CONTACT;
	t->contact_len = (uint16_t)uri.len;
	memcpy(t->contact, uri.at, uri.len);
	return GW_OK;
}

/** Sends what the WIC asks for, for at most requested_s, as the given identity. */
static enum gw_err register_forward(struct gateway *gw, struct wic *wic, struct transaction *t)
{
	struct register_ask ask = register_read(gw);
	enum gw_err err;

	t->wwsf = wic->wwsf;
	err = keep_contact(t, &ask);
	if (err == GW_OK)
		err = target_next_hop(gw, &t->target);
	if (err == GW_OK)
		err = transaction_keep_head(t, &gw->message);
	if (err == GW_OK)
		err = target_write(gw, t, register_build);
	if (err != GW_OK) {
		transaction_free(gw, t);
		return err;
	}
	return transaction_send(gw, t); /* frees t itself when it fails */
}

/** De-registration by the flow that owns the binding: no token needed (PROTOCOL 5.6). */
static enum gw_err register_end(struct gateway *gw, struct wic *wic, struct binding *b)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_REGISTER, wic);

	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	t->impi = b->impi;
	t->impu = b->impu;
	t->outbound = b->outbound;
	return register_forward(gw, wic, t);
}

/** Hands the token's signature to the driver. GW_AGAIN: the verdict will come. */
static enum gw_err register_verify(struct gateway *gw, struct wic *wic, struct span token)
{
	const struct snapshot *view = gw->time.view;
	struct verify_job *job;
	enum gw_err err;

	err = token_read(token, view->config, view->keys, &gw->scratch, &gw->claims);
	if (err != GW_OK)
		return err;
	job = gw->env->job(gw->env->context);
	if (job == NULL)
		return GW_POOL_EMPTY;
	err = token_job(&gw->claims, view->keys, job);
	job->owner = err == GW_OK ? wic->flow : handle_none();
	gw->env->submit(gw->env->context, job); /* one without an owner goes back to its pool */
	return err == GW_OK ? GW_AGAIN : err;
}

enum gw_err register_request(struct gateway *gw, struct wic *wic)
{
	struct register_ask ask = register_read(gw);
	struct binding *b = binding_of(gw, wic);
	struct token_credential credential;

	counter_add(&gw_counters(gw)->register_in, 1);
	if (ask.err != GW_OK)
		return ask.err;
	if (ask.expires_s == 0 && b != NULL &&
	    span_equal(identity_span(&b->impu), identity_span(&ask.to)))
		return register_end(gw, wic, b);
	credential = token_find(&gw->message);
	if (credential.err != GW_OK)
		return credential.err;
	return register_verify(gw, wic, credential.token);
}

/** The request names the identities of the token and of this WWSF (F21, F22). */
static enum gw_err check_identities(struct gateway *gw, const struct wic *wic,
				    const struct register_ask *ask, struct span username,
				    struct transaction *t)
{
	const struct snapshot *view = gw->time.view;
	const struct wwsf_config *wwsf = &view->config->wwsf[wic->wwsf];
	bool named = false;
	struct identity id;

	if (identity_impi(gw->claims.impi, &t->impi) != GW_OK)
		return GW_TOKEN_CLAIM;
	if (username.len > 0 && !span_equal(username, gw->claims.impi))
		return GW_IDENTITY_MISMATCH;
	for (uint32_t i = 0; i < gw->claims.impu_count; i++) {
		if (identity_impu(gw->claims.impu[i], &id) != GW_OK)
			return GW_TOKEN_CLAIM;
		named = named || span_equal(identity_span(&id), identity_span(&ask->to));
	}
	if (!named)
		return GW_IDENTITY_MISMATCH;
	t->impu = ask->to;
	if (view->pairs == NULL || wwsf->pairs >= view->pairs->count)
		return GW_IDENTITY_FOREIGN;
	return identity_allowed(&view->pairs->table[wwsf->pairs], identity_span(&t->impi),
				identity_span(&t->impu));
}

/** One identity a flow (PROTOCOL 5.6). */
static enum gw_err check_binding(const struct binding *b, const struct transaction *t)
{
	if (b == NULL || (span_equal(identity_span(&b->impi), identity_span(&t->impi)) &&
			  span_equal(identity_span(&b->impu), identity_span(&t->impu))))
		return GW_OK;
	return GW_IDENTITY_MISMATCH;
}

/** Clamps the lifetime to the token's: requested = min(asked, exp - now), without leeway. */
static enum gw_err check_lifetime(struct gateway *gw, const struct register_ask *ask,
				  struct transaction *t)
{
	uint64_t left = gw->claims.exp_s > gw->time.wall_s ? gw->claims.exp_s - gw->time.wall_s : 0;

	if (left < gw_config(gw)->min_grant_s)
		return GW_TOKEN_SHORT;
	t->requested_s = ask->expires_s < left ? ask->expires_s : (uint32_t)left;
	t->token_exp_us = gw->time.now_us + left * 1000000;
	t->outbound = ask->reg_id;
	return GW_OK;
}

/** Everything after the signature, in PROTOCOL 3.5's order. */
static enum gw_err register_judge(struct gateway *gw, struct wic *wic, struct transaction *t)
{
	const struct snapshot *view = gw->time.view;
	struct token_credential credential = token_find(&gw->message);
	struct register_ask ask = register_read(gw);
	enum gw_err err = credential.err != GW_OK ? credential.err : ask.err;

	if (err == GW_OK)
		err = token_read(credential.token, view->config, view->keys, &gw->scratch,
				 &gw->claims);
	if (err == GW_OK && wic->disowned)
		err = GW_TOKEN_WWSF;
	if (err == GW_OK)
		err = token_judge(&gw->claims, view->config, wic->wwsf, gw->time.wall_s);
	if (err == GW_OK)
		err = check_identities(gw, wic, &ask, credential.username, t);
	if (err == GW_OK)
		err = check_binding(binding_of(gw, wic), t);
	if (err == GW_OK && ask.expires_s > 0)
		err = check_lifetime(gw, &ask, t);
	return err;
}

enum gw_err register_verified(struct gateway *gw, struct wic *wic)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_REGISTER, wic);
	enum gw_err err;

	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	err = register_judge(gw, wic, t);
	if (err != GW_OK) {
		transaction_free(gw, t);
		return err;
	}
	counter_add(&gw_counters(gw)->token_verified, 1);
	return register_forward(gw, wic, t);
}
