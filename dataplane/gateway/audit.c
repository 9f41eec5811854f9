/* SPDX-License-Identifier: BSD-3-Clause */
#include "destination.h"
#include "wildcard.h"

/*
 * What the audit stream is told of registrations and calls (DESIGN 8). Control writes it. An
 * identity leaves the worker in clear only when the configuration says so; else by its keyed hash.
 */

static bool is_on(const struct gateway *gw)
{
	return gw_config(gw)->audit != AUDIT_NONE;
}

/** Puts an identity behind the others. */
static uint16_t put_identity(struct gateway *gw, struct message_audit *audit, struct span identity)
{
	uint32_t at = audit->impi_len + audit->impu_len + audit->peer_len;

	if (gw_config(gw)->audit != AUDIT_CLEAR || identity.len > AUDIT_IDENTITY_MAX)
		return 0;
	if (identity.len > 0)
		memcpy(audit->text + at, identity.at, identity.len);
	return (uint16_t)identity.len;
}

static void put_icid(struct message_audit *audit, struct span icid)
{
	struct span kept = span_cut(icid, 0, AUDIT_ICID_MAX);

	memcpy(audit->icid, kept.at, kept.len);
	audit->icid[kept.len] = '\0';
}

/** The one that the request went on with, or came with. */
static void put_icid_of(struct message_audit *audit, const struct transaction *t)
{
	struct span charging, icid;

	if (t->kind == TRANSACTION_REGISTER) {
		put_icid(audit, span_of(t->registration.icid, sizeof(t->registration.icid)));
	} else if (t->kind == TRANSACTION_ORIGINATE) {
		put_icid(audit, span_of(t->origination.mark.icid, t->origination.mark.icid_len));
	} else if (t->kind == TRANSACTION_TERMINATE) {
		charging = span_of(t->termination.charging, t->termination.charging_len);
		if (sip_param(charging, SPAN("icid-value"), &icid))
			put_icid(audit, sip_unquote(icid));
	}
}

static void send_audit(struct gateway *gw, struct message_audit *audit)
{
	uint32_t used = audit->impi_len + audit->impu_len + audit->peer_len;

	audit->event.head =
		(struct message_head){MESSAGE_EVENT,
				      (uint32_t)offsetof(struct message_audit, text) + used};
	gw->env->event(gw->env->context, &audit->event);
}

/* ---- registrations --------------------------------------------------------------------------- */

void audit_registration(struct gateway *gw, const struct message_event *event,
			const struct binding *binding)
{
	struct message_audit audit = {.event = *event};

	if (binding != NULL) {
		audit.refresh = binding->since_us != gw->time.now_us;
		audit.elapsed_ms = (gw->time.now_us - binding->since_us) / 1000;
		audit.impi_len = put_identity(gw, &audit, identity_span(&binding->impi));
		audit.impu_len = put_identity(gw, &audit, identity_span(&binding->impu));
		put_icid(&audit, span_of(binding->icid, sizeof(binding->icid)));
	}
	send_audit(gw, &audit);
}

void audit_register_failed(struct gateway *gw, const struct transaction *t, uint32_t status)
{
	const struct identity *impi = &t->registration.impi, *impu = &t->registration.impu;
	struct message_audit audit = {
		.event = {.head = {MESSAGE_EVENT, sizeof(audit.event)},
			  .what = EVENT_REGISTER_FAILED,
			  .handle = t->flow,
			  .impi_hash = gateway_identity_hash(gw, identity_span(impi)),
			  .impu_hash = gateway_identity_hash(gw, identity_span(impu)),
			  .status = status},
		.elapsed_ms = (gw->time.now_us - t->since_us) / 1000,
	};

	if (!is_on(gw)) {
		gw->env->event(gw->env->context, &audit.event);
		return;
	}
	audit.impi_len = put_identity(gw, &audit, identity_span(impi));
	audit.impu_len = put_identity(gw, &audit, identity_span(impu));
	put_icid_of(&audit, t);
	send_audit(gw, &audit);
}

void audit_wildcard(struct gateway *gw, const struct wildcard_user *u)
{
	struct message_audit audit = {
		.event = {.head = {MESSAGE_EVENT, sizeof(audit.event)},
			  .what = EVENT_WILDCARD_USER,
			  .handle = u->flow,
			  .impi_hash = u->impi_hash,
			  .impu_hash = u->impu_hash,
			  .seconds = wildcard_left(gw, u)},
	};

	memcpy(audit.event.text, u->wwsf, sizeof(u->wwsf));
	if (!is_on(gw)) {
		gw->env->event(gw->env->context, &audit.event);
		return;
	}
	audit.impi_len = put_identity(gw, &audit, identity_span(&u->impi));
	audit.impu_len = put_identity(gw, &audit, identity_span(&u->impu));
	send_audit(gw, &audit);
}

/* ---- calls ----------------------------------------------------------------------------------- */

/** The canonical identity in an address of the request that t keeps; empty: none. */
static void kept_identity(const struct gateway *gw, enum sip_header id, struct identity *out)
{
	struct sip_address a = sip_address_parse(sip_value(&gw->kept, id));

	if (a.err != GW_OK || identity_impu(a.uri_text, out) != GW_OK)
		out->len = 0;
}

/** Whom the node serves in t: as asserted to the core, else as the request says. */
static void served_identity(const struct gateway *gw, const struct transaction *t,
			    struct identity *out)
{
	bool originating = t->kind == TRANSACTION_ORIGINATE;

	*out = originating ? t->origination.asserted : t->termination.called;
	if (out->len == 0)
		kept_identity(gw, originating ? SIP_HEADER_FROM : SIP_HEADER_TO, out);
}

static uint64_t hash_of(const struct gateway *gw, const struct identity *identity)
{
	return identity->len > 0 ? gateway_identity_hash(gw, identity_span(identity)) : 0;
}

/** Who shows a token there and is not registered. */
static void put_wildcard(struct gateway *gw, const struct wic *wic, struct message_audit *audit)
{
	const struct wildcard_user *u = wildcard_of(gw, wic);

	if (u == NULL)
		return;
	audit->event.impi_hash = u->impi_hash;
	audit->impi_len = put_identity(gw, audit, identity_span(&u->impi));
	memcpy(audit->event.text, u->wwsf, sizeof(u->wwsf));
}

/** The binding of t's flow, when it still has one. */
static void put_binding(struct gateway *gw, const struct transaction *t,
			struct message_audit *audit)
{
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	const struct binding *b = wic != NULL ? binding_of(gw, wic) : NULL;

	if (wic != NULL && b == NULL)
		put_wildcard(gw, wic, audit);
	if (b == NULL)
		return;
	audit->event.impi_hash = b->impi_hash;
	audit->impi_len = put_identity(gw, audit, identity_span(&b->impi));
	memcpy(audit->event.text, b->wwsf, sizeof(b->wwsf));
}

void audit_call(struct gateway *gw, const struct transaction *t, enum event_kind what,
		uint16_t status)
{
	bool originating = t->kind == TRANSACTION_ORIGINATE;
	struct message_audit audit = {
		.event = {.what = what, .handle = t->flow, .status = status},
		.originating = originating,
		.elapsed_ms = (gw->time.now_us - t->since_us) / 1000,
	};
	struct identity served = {0}, peer = {0};

	if (!is_on(gw) || (!originating && t->kind != TRANSACTION_TERMINATE) ||
	    transaction_recall(t, &gw->kept) != GW_OK)
		return;
	served_identity(gw, t, &served);
	kept_identity(gw, originating ? SIP_HEADER_TO : SIP_HEADER_FROM, &peer);
	audit.event.impu_hash = hash_of(gw, &served);
	audit.peer_hash = hash_of(gw, &peer);
	put_binding(gw, t, &audit);
	audit.impu_len = put_identity(gw, &audit, identity_span(&served));
	audit.peer_len = put_identity(gw, &audit, identity_span(&peer));
	put_icid_of(&audit, t);
	send_audit(gw, &audit);
}

/* ---- refused destinations -------------------------------------------------------------------- */

void audit_destination(struct gateway *gw, const struct wic *wic, enum gw_err err)
{
	const struct binding *b = binding_of(gw, wic);
	const struct wildcard_user *u = wildcard_of(gw, wic);
	struct message_audit audit = {
		.event = {.what = EVENT_DESTINATION_REFUSED,
			  .err = err,
			  .handle = wic->flow,
			  .status = refusal_status(err)},
		.originating = true,
	};
	struct span site = destination_site(gw, wic);
	struct identity peer;

	if (!is_on(gw))
		return;
	if (identity_impu(gw->message.uri, &peer) != GW_OK)
		peer.len = 0;
	audit.peer_hash = hash_of(gw, &peer);
	if (b != NULL) {
		audit.event.impi_hash = b->impi_hash;
		audit.event.impu_hash = b->impu_hash;
		audit.impi_len = put_identity(gw, &audit, identity_span(&b->impi));
		audit.impu_len = put_identity(gw, &audit, identity_span(&b->impu));
	} else if (u != NULL) {
		audit.event.impi_hash = u->impi_hash;
		audit.event.impu_hash = u->impu_hash;
		audit.impi_len = put_identity(gw, &audit, identity_span(&u->impi));
		audit.impu_len = put_identity(gw, &audit, identity_span(&u->impu));
	}
	audit.peer_len = put_identity(gw, &audit, identity_span(&peer));
	site = span_cut(site, 0, sizeof(audit.event.text) - 1);
	memcpy(audit.event.text, site.at, site.len);
	send_audit(gw, &audit);
}
