/* SPDX-License-Identifier: BSD-3-Clause */
#include "wildcard.h"

#include "identity/pattern.h"
#include "wall.h"

/*
 * What is known of a user who is not registered: which token was accepted on the connection, whose
 * identity it names, and which calls go on. No timer: who asks looks at the clock, and the session
 * ends a connection that has neither.
 */

bool wildcards_open(struct gateway *gw)
{
	gw->wildcards = slots_new(gw->config.worker, gw->config.max_bindings,
				  sizeof(struct wildcard_user), gw->config.epoch);
	return gw->wildcards != NULL;
}

void wildcards_close(struct gateway *gw)
{
	slots_free(gw->wildcards);
}

bool wildcard_site(const struct gateway *gw, const struct wic *wic)
{
	const struct wwsf_config *site = wic->disowned ? NULL : register_wwsf(gw, wic->wwsf);

	return site != NULL && site->mode == WWSF_WILDCARD;
}

struct wildcard_user *wildcard_of(const struct gateway *gw, const struct wic *wic)
{
	return slots_at(gw->wildcards, wic->wildcard);
}

bool wildcard_lasts(const struct gateway *gw, const struct wildcard_user *u)
{
	return wall_now_s(&gw->time) < u->exp_s;
}

uint32_t wildcard_left(const struct gateway *gw, const struct wildcard_user *u)
{
	return (uint32_t)wall_left_s(&gw->time, u->exp_s);
}

bool wildcard_talks(const struct wildcard_user *u)
{
	bool talks = u->more_dialogs;

	for (uint32_t i = 0; i < WILDCARD_DIALOGS_MAX; i++)
		talks = talks || u->dialog[i] != 0;
	return talks;
}

bool gateway_serves(const struct gateway *gw, const struct wic *wic)
{
	const struct wildcard_user *u = wildcard_of(gw, wic);

	return !handle_is_none(wic->binding) ||
	       (u != NULL && (wildcard_lasts(gw, u) || wildcard_talks(u)));
}

/* ---- its token ------------------------------------------------------------------------------ */

/** The key that signed its token is still one of its site's issuer. */
static bool has_key(const struct gateway *gw, const struct wildcard_user *u, uint32_t issuer)
{
	const struct key_part *keys = gw->time.view->keys;

	for (uint32_t i = 0; keys != NULL && i < keys->count; i++)
		if (keys->row[i].key.id == u->key && keys->row[i].issuer == issuer)
			return true;
	return false;
}

enum gw_err wildcard_taken_back(const struct gateway *gw, const struct wildcard_user *u)
{
	const struct snapshot *view = gw->time.view;
	const struct wwsf_config *site = register_site_named(gw, span_text(u->wwsf));

	if (token_jti_revoked(u->jti, view->revocations))
		return GW_TOKEN_JTI;
	if (site == NULL || site->mode != WWSF_WILDCARD ||
	    token_wwsf_disabled(span_text(u->wwsf), view->revocations))
		return GW_TOKEN_WWSF;
	return identity_wildcarded(view->patterns, view->pairs, gw->config.worker,
				   (uint32_t)(site - view->config->wwsf), &u->impu);
}

enum gw_err wildcard_still_valid(const struct gateway *gw, const struct wic *wic,
				 const struct wildcard_user *u)
{
	const struct wwsf_config *site = &gw_config(gw)->wwsf[wic->wwsf];

	if (!wildcard_lasts(gw, u))
		return GW_TOKEN_NONE;
	if (site != register_site_named(gw, span_text(u->wwsf)))
		return GW_TOKEN_WWSF; /* a reload has given the Origin to another site */
	if (!has_key(gw, u, site->issuer))
		return GW_TOKEN_KID;
	return wildcard_taken_back(gw, u);
}

/** Somebody else, while requests, calls or subscriptions of who it was go on: they would be taken
 * for his. */
static bool is_held(const struct wic *wic, const struct wildcard_user *u,
		    const struct identity *impu)
{
	return !span_equal(identity_span(&u->impu), identity_span(impu)) &&
	       (wic->transactions > 0 || u->pinned || wildcard_talks(u));
}

static uint64_t hash_of(const struct gateway *gw, const struct identity *identity)
{
	return identity->len > 0 ? gateway_identity_hash(gw, identity_span(identity)) : 0;
}

enum gw_err wildcard_accept(struct gateway *gw, struct wic *wic,
			    const struct wildcard_claims *claims)
{
	struct wildcard_user *u = wildcard_of(gw, wic);
	struct span name = gw_config(gw)->wwsf[wic->wwsf].name;
	uint64_t impu_hash = hash_of(gw, &claims->impu);
	bool told = u != NULL && u->impu_hash == impu_hash;

	if (u != NULL && is_held(wic, u, &claims->impu))
		return GW_IDENTITY_MISMATCH;
	if (u == NULL) {
		u = slots_get(gw->wildcards);
		if (u == NULL)
			return GW_BINDING_LIMIT;
		u->flow = wic->flow;
		wic->wildcard = slots_handle(gw->wildcards, u);
		counter_add(&gw_counters(gw)->wildcard_live, 1);
	}
	u->exp_s = claims->exp_s;
	u->jti = claims->jti;
	u->key = claims->key;
	u->impi = claims->impi;
	u->impu = claims->impu;
	u->impi_hash = hash_of(gw, &claims->impi);
	u->impu_hash = impu_hash;
	memset(u->wwsf, 0, sizeof(u->wwsf));
	memcpy(u->wwsf, name.at, span_cut(name, 0, SITE_NAME_MAX).len);
	if (!told)
		audit_wildcard(gw, u);
	return GW_OK;
}

void wildcard_end(struct gateway *gw, struct wildcard_user *u)
{
	struct wic *wic = gw->env->wic(gw->env->context, u->flow);

	if (wic != NULL)
		wic->wildcard = handle_none();
	if (!slots_put(gw->wildcards, u))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	counter_sub(&gw_counters(gw)->wildcard_live, 1);
}

void wildcard_flow_ended(struct gateway *gw, struct wic *wic)
{
	struct wildcard_user *u = wildcard_of(gw, wic);

	if (u != NULL)
		wildcard_end(gw, u);
	wic->wildcard = handle_none();
}

/* ---- its calls ------------------------------------------------------------------------------ */

static uint64_t tag_hash(const struct gateway *gw, enum sip_header id)
{
	struct sip_address a = sip_address_parse(sip_value(&gw->message, id));
	struct span tag = SPAN("");

	if (a.err == GW_OK)
		(void)sip_param(a.params, SPAN("tag"), &tag);
	return siphash(gw->bucket_key, tag);
}

uint64_t wildcard_dialog(const struct gateway *gw)
{
	uint64_t call = siphash(gw->bucket_key, sip_value(&gw->message, SIP_HEADER_CALL_ID));
	uint64_t id = call + tag_hash(gw, SIP_HEADER_FROM) + tag_hash(gw, SIP_HEADER_TO);

	return id != 0 ? id : 1;
}

/** NULL: it is not there. id 0: a free place. */
static uint64_t *dialog_find(struct wildcard_user *u, uint64_t id)
{
	for (uint32_t i = 0; i < WILDCARD_DIALOGS_MAX; i++)
		if (u->dialog[i] == id)
			return &u->dialog[i];
	return NULL;
}

void wildcard_dialog_begins(struct gateway *gw, const struct wic *wic)
{
	struct wildcard_user *u = wildcard_of(gw, wic);
	bool begins = gw->message.method == SIP_INVITE && gw->message.status >= 200 &&
		      gw->message.status < 300;
	uint64_t id, *free;

	if (u == NULL || !begins)
		return;
	id = wildcard_dialog(gw);
	if (dialog_find(u, id) != NULL)
		return;
	free = dialog_find(u, 0);
	if (free != NULL)
		*free = id;
	else
		u->more_dialogs = true;
}

/** Of what a method makes, but calls, no end is known: it may go on in the dialog of a call when
 * that is over (RFC 6665, RFC 3515). */
static bool is_pinning(enum sip_method method)
{
	return method == SIP_SUBSCRIBE || method == SIP_REFER || method == SIP_METHOD_OTHER;
}

/** RFC 3261 15.1.1, 12.2.1.2: the other side has no such dialog any more. After another failure, as
 * one for a CSeq that is too low, it has. */
static bool has_ended(uint16_t status)
{
	return (status >= 200 && status < 300) || status == 408 || status == 481;
}

/** 0: none. */
static uint64_t ended_by(const struct transaction *t)
{
	return t->kind == TRANSACTION_ORIGINATE	  ? t->origination.ends
	       : t->kind == TRANSACTION_TERMINATE ? t->termination.ends
						  : 0;
}

void wildcard_answered(struct gateway *gw, const struct transaction *t, uint16_t status)
{
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	struct wildcard_user *u = wic != NULL ? wildcard_of(gw, wic) : NULL;
	uint64_t *dialog;

	if (u == NULL || status < 200)
		return;
	if (status < 300 && is_pinning(t->method))
		u->pinned = true;
	if (ended_by(t) == 0 || !has_ended(status))
		return;
	dialog = dialog_find(u, ended_by(t));
	if (dialog != NULL)
		*dialog = 0;
}

/* ---- what the core wants of it -------------------------------------------------------------- */

bool wildcard_is_called(const struct gateway *gw)
{
	const struct snapshot *view = gw->time.view;
	struct identity called;

	if (identity_impu(gw->message.uri, &called) != GW_OK)
		return false;
	for (uint32_t i = 0; i < view->config->wwsf_count; i++)
		if (view->config->wwsf[i].mode == WWSF_WILDCARD &&
		    pattern_has(view->patterns, gw->config.worker, i, &called))
			return true;
	return false;
}

/* ---- what an operator is shown of it -------------------------------------------------------- */

bool gateway_wildcard_row(const struct gateway *gw, const struct wic *wic, struct row_binding *row)
{
	const struct wildcard_user *u = wildcard_of(gw, wic);

	if (u == NULL)
		return false;
	*row = (struct row_binding){
		.handle = wic->wildcard,
		.flow = u->flow,
		.impi_hash = u->impi_hash,
		.impu_hash = u->impu_hash,
		.expires_s = wildcard_left(gw, u),
	};
	memcpy(row->wwsf, u->wwsf, sizeof(row->wwsf));
	return true;
}

uint32_t gateway_wildcards(const struct gateway *gw)
{
	return slots_live(gw->wildcards);
}

/** So that one walk over bindings and these has one cursor. */
struct handle gateway_wildcard_find(const struct gateway *gw, struct span canonical, uint32_t max,
				    uint32_t *cursor)
{
	const struct wildcard_user *u;

	for (uint32_t i = 0; i < max; i++) {
		u = slots_next(gw->wildcards, cursor);
		if (u == NULL) {
			*cursor = 0;
			return handle_none();
		}
		if (span_equal(identity_span(&u->impu), canonical))
			return u->flow;
	}
	return handle_none();
}
