/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"
#include "registrar.h"
#include "wall.h"

/*
 * REGISTER of a WIC whose web site is a block (PROTOCOL 8.2): this node is its registrar. What the
 * token allows is found out here; the home worker of the identity then plays the part of the core,
 * in whose 200 the bindings of all flows stand.
 */

#define ANSWER_US 2000000 /* a home worker answers within a turn or two */

bool register_is_block(const struct gateway *gw, const struct wic *wic)
{
	const struct wwsf_config *site = register_wwsf(gw, wic->wwsf);

	return !wic->disowned && site != NULL && site->mode == WWSF_BLOCK;
}

/* ---- what is asked for ---------------------------------------------------------------------- */

/** RFC 3261 10.3 step 2: what a client demands we know, or refuse. sec-agree is taken out for the
 * core too (PROTOCOL 9.1). */
static enum gw_err check_require(const struct gateway *gw)
{
	const struct sip_field *f = sip_first(&gw->message, SIP_HEADER_REQUIRE);

	for (; f != NULL; f = sip_next(&gw->message, f)) {
		struct span rest = f->value, tag;

		while (sip_list_next(&rest, &tag))
			if (!refusal_understands(tag))
				return GW_SIP_REQUIRE;
	}
	return GW_OK;
}

/** One of the wildcard's, and not who registers the block: that is this node. */
static enum gw_err check_inside(const struct gateway *gw, const struct wic *wic,
				const struct identity *impu)
{
	const struct snapshot *view = gw->time.view;
	const struct block *b = block_named(gw, register_wwsf(gw, wic->wwsf)->name);

	if (b != NULL && b->impu_hash == gateway_identity_hash(gw, identity_span(impu)))
		return GW_IDENTITY_FOREIGN;
	return identity_wildcarded(view->patterns, view->pairs, gw->config.worker, wic->wwsf, impu);
}

/** The token names To; of its own block. A placeholder is who it names first (D-18). */
static enum gw_err check_identity(const struct gateway *gw, const struct wic *wic,
				  const struct register_ask *ask, struct identity *impu)
{
	bool named = false;
	enum gw_err err;

	if (gw->claims.impu_count == 0)
		return GW_TOKEN_CLAIM;
	for (uint32_t i = 0; i < gw->claims.impu_count; i++) {
		struct identity id;

		if (identity_impu(gw->claims.impu[i], &id) != GW_OK)
			return GW_TOKEN_CLAIM;
		if (i == 0)
			*impu = id;
		named = named || span_equal(identity_span(&id), identity_span(&ask->to));
	}
	if (!named && ask->placeholder.len == 0)
		return GW_IDENTITY_MISMATCH;
	if (named)
		*impu = ask->to;
	err = check_inside(gw, wic, impu);
	return err == GW_OK ? register_home(gw, ask, impu) : err;
}

/** What binds it, and for how long: not past the token, without leeway. */
static enum gw_err check_time(const struct gateway *gw, const struct register_ask *ask,
			      struct transaction *t)
{
	uint64_t exp_us = wall_end_us(&gw->time, gw->claims.exp_s);
	uint64_t left_s = wall_left_s(&gw->time, gw->claims.exp_s);

	if (left_s < gw_config(gw)->min_grant_s)
		return GW_TOKEN_SHORT;
	if (ask->expires_s < gw_config(gw)->min_grant_s)
		return GW_REGISTRAR_BRIEF;
	t->registration.requested_s = ask->expires_s < left_s ? ask->expires_s : (uint32_t)left_s;
	t->registration.token_exp_us = exp_us;
	t->registration.exp_s = (uint32_t)gw->claims.exp_s;
	return GW_OK;
}

static bool is_outbound(const struct gateway *gw, const struct register_ask *ask)
{
	struct span value;

	return ask->reg_id && sip_param(ask->contact.params, SPAN("+sip.instance"), &value) &&
	       request_has_tag(&gw->message, SIP_HEADER_SUPPORTED, SPAN("outbound"));
}

/** What the token allows of what is asked (PROTOCOL 3.5 from step 17 on, 8.1). */
static enum gw_err check_ask(struct gateway *gw, const struct wic *wic,
			     const struct register_ask *ask, struct transaction *t)
{
	enum gw_err err = check_identity(gw, wic, ask, &t->registration.impu);

	t->registration.impi = t->registration.impu; /* what its home is found by */
	if (err == GW_OK)
		err = register_one_identity(gw, wic, t);
	if (err != GW_OK || ask->fetch || ask->expires_s == 0)
		return err;
	if (!block_is_up(gw, block_named(gw, span_text(t->registration.wwsf))))
		return GW_BLOCK_DOWN;
	t->registration.outbound = is_outbound(gw, ask);
	err = check_time(gw, ask, t);
	return err == GW_OK ? binding_room(gw, wic, t) : err;
}

/* ---- asking --------------------------------------------------------------------------------- */

/** The Contact as it is listed to others: all but how long. */
static struct span write_contact(struct gateway *gw, const struct register_ask *ask)
{
	struct span rest = ask->contact.params, name, value;

	request_begin(gw, NULL);
	writer_text(&gw->lines, "<");
	writer_put(&gw->lines, ask->contact.uri_text);
	writer_text(&gw->lines, ">");
	while (sip_param_next(&rest, &name, &value)) {
		if (span_equal_nocase(name, SPAN("expires")))
			continue;
		writer_text(&gw->lines, ";");
		writer_put(&gw->lines, name);
		writer_text(&gw->lines, value.len > 0 ? "=" : "");
		writer_put(&gw->lines, value);
	}
	return writer_ok(&gw->lines) ? request_lines(gw, 0) : SPAN("");
}

static enum registrar_what what_of(const struct register_ask *ask)
{
	if (ask->fetch)
		return REGISTRAR_FETCH;
	if (ask->contact.star)
		return REGISTRAR_UNBIND_ALL;
	return ask->expires_s == 0 ? REGISTRAR_UNBIND : REGISTRAR_BIND;
}

static struct registrar_key key_of(const struct gateway *gw, const struct transaction *t)
{
	return registrar_key(gw, span_text(t->registration.wwsf), &t->registration.impu);
}

/** The same of a REGISTER that waits. */
static enum registrar_what what_was(const struct transaction *t)
{
	if (t->registration.fetch)
		return REGISTRAR_FETCH;
	if (t->registration.requested_s > 0)
		return REGISTRAR_BIND;
	return t->registration.contact != 0 ? REGISTRAR_UNBIND : REGISTRAR_UNBIND_ALL;
}

/** What tells the Contact apart: as its home entry does. */
static uint64_t apart_of(const struct gateway *gw, const struct transaction *t,
			 const struct register_ask *ask)
{
	struct registration_of who = {&t->registration.impi, &t->registration.impu, 0};

	if (ask->fetch || ask->contact.star)
		return 0;
	return home_claim(gw, &who, &ask->contact).key.instance;
}

static void refuse(struct gateway *gw, struct transaction *t, enum gw_err err)
{
	counter_add(&gw_counters(gw)->register_failed, 1);
	audit_register_failed(gw, t, refusal_status(err));
	transaction_refuse(gw, t, err);
}

static struct registrar_order order_of(struct gateway *gw, const struct transaction *t)
{
	if (transaction_recall(t, &gw->kept) != GW_OK)
		return (struct registrar_order){0};
	return (struct registrar_order){
		.call_id = binding_call_id(gw, sip_value(&gw->kept, SIP_HEADER_CALL_ID)),
		.cseq = gw->kept.cseq,
	};
}

/** What t may have bound at the home worker is not. */
static void say_gone(struct gateway *gw, const struct transaction *t)
{
	struct registrar_key key = key_of(gw, t);
	struct registrar_order order = order_of(gw, t);

	registrar_say_gone(gw, &key, t->flow, &order);
}

/** The binding that wic has of t's own identity; NULL: none. */
static struct binding *own_binding(const struct gateway *gw, const struct transaction *t,
				   const struct wic *wic)
{
	struct binding *b = wic != NULL ? binding_of(gw, wic) : NULL;

	return b != NULL && b->local && b->impu_hash == key_of(gw, t).impu ? b : NULL;
}

/** No answer in time. What it may have changed is undone, where there was nothing before; else the
 * binding's end undoes it. */
static void answer_late(struct timer *timer, void *context)
{
	struct gateway *gw = context;
	struct transaction *t = (struct transaction *)timer;
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	struct binding *b = own_binding(gw, t, wic);
	struct registrar_order order = order_of(gw, t);

	if (b != NULL) {
		b->call_id = order.call_id;
		b->cseq = order.cseq;
	} else {
		say_gone(gw, t);
	}
	refuse(gw, t, GW_REGISTRAR_BUSY);
}

/** The home worker is asked for t. On error t is freed. */
static enum gw_err ask_home(struct gateway *gw, struct transaction *t,
			    const struct register_ask *ask)
{
	struct message_registrar_ask m = {
		.what = what_of(ask),
		.key = key_of(gw, t),
		.flow = t->flow,
		.transaction = slots_handle(gw->transactions, t),
		.apart = apart_of(gw, t, ask),
		.call_id = binding_call_id(gw, sip_value(&gw->message, SIP_HEADER_CALL_ID)),
		.cseq = gw->message.cseq,
		.expires_s = t->registration.requested_s,
		.max = gw_config(gw)->block_contacts,
	};
	struct span contact = m.what == REGISTRAR_BIND ? write_contact(gw, ask) : SPAN("");
	enum gw_err err = transaction_keep_came(gw, t);

	t->registration.contact = m.apart;
	if (m.what == REGISTRAR_BIND && (contact.len == 0 || contact.len > REGISTRAR_CONTACT_MAX))
		err = GW_SIP_TOO_LONG;
	if (err == GW_OK) {
		wheel_arm(gw->wheel, &t->timer, gw->time.now_us + ANSWER_US, answer_late);
		err = registrar_ask(gw, &m, contact);
		if (err == GW_OK)
			return GW_OK; /* and t may be gone */
	}
	transaction_free(gw, t);
	return err;
}

static struct transaction *transaction_for(struct gateway *gw, struct wic *wic,
					   const struct register_ask *ask)
{
	struct transaction *t = transaction_new(gw, TRANSACTION_REGISTER, wic);

	if (t == NULL)
		return NULL;
	t->registration.local = true;
	t->registration.fetch = ask->fetch;
	return t;
}

enum gw_err register_block_authorized(struct gateway *gw, struct wic *wic,
				      const struct register_ask *ask)
{
	struct transaction *t = transaction_for(gw, wic, ask);
	enum gw_err err;

	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	register_site(gw, wic, t);
	t->registration.jti = register_jti(gw);
	err = check_ask(gw, wic, ask, t);
	if (err != GW_OK) {
		transaction_free(gw, t);
		return err;
	}
	counter_add(&gw_counters(gw)->token_verified, 1);
	return ask_home(gw, t, ask);
}

/** By the flow that has the binding: no token is needed (PROTOCOL 5.6). */
static enum gw_err register_owner(struct gateway *gw, struct wic *wic, const struct binding *b,
				  const struct register_ask *ask)
{
	struct transaction *t = transaction_for(gw, wic, ask);

	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	t->registration.impi = b->impi;
	t->registration.impu = b->impu;
	t->registration.jti = b->jti;
	memcpy(t->registration.wwsf, b->wwsf, sizeof(b->wwsf)); /* wic's may be none any more */
	return ask_home(gw, t, ask);
}

enum gw_err register_block(struct gateway *gw, struct wic *wic, const struct register_ask *ask)
{
	const struct binding *b = binding_of(gw, wic);
	enum gw_err err = check_require(gw);

	if (err != GW_OK)
		return err;
	if (register_is_owner(b, ask) && b->local)
		return register_owner(gw, wic, b, ask);
	err = authorize_request(gw, wic);
	return err == GW_OK ? register_block_authorized(gw, wic, ask) : err;
}

/* ---- the answer ----------------------------------------------------------------------------- */

/** As long as the home worker says, but not past the token, which has grown older meanwhile. */
static uint32_t time_left_s(const struct gateway *gw, const struct transaction *t)
{
	uint64_t end_us = t->registration.token_exp_us;
	uint64_t left_s = end_us > gw->time.now_us ? (end_us - gw->time.now_us) / 1000000 : 0;

	return left_s < t->registration.requested_s ? (uint32_t)left_s
						    : t->registration.requested_s;
}

/** The home worker has bound the flow by t, and that came to nothing: neither it nor the flow has
 * anything of t's identity from now on, since what it had before is not known any more. */
static void undo_bind(struct gateway *gw, const struct transaction *t, struct wic *wic,
		      enum gw_err why)
{
	struct binding *b = own_binding(gw, t, wic);

	say_gone(gw, t);
	if (b != NULL)
		binding_end(gw, b, &gw_counters(gw)->binding_removed, why);
	if (binding_of(gw, wic) == NULL)
		wic->identity = 0;
}

/** The flow is bound from now on. On error nothing is bound. */
static enum gw_err bind_flow(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	uint32_t left_s = time_left_s(gw, t);
	struct binding_times times = {gw->time.now_us + left_s * 1000000ull, left_s, left_s};
	enum gw_err err = left_s > 0 ? binding_store(gw, t, wic, &times) : GW_TOKEN_SHORT;

	if (err != GW_OK) {
		undo_bind(gw, t, wic, err);
		return err;
	}
	wic->identity = register_pair(gw, t);
	gateway_event(gw, EVENT_REGISTERED, t->flow, binding_of(gw, wic), GW_OK, 200);
	return GW_OK;
}

/** What the REGISTER was about is not bound any more; another Contact's binding stays. */
static void unbind_flow(struct gateway *gw, const struct transaction *t, struct wic *wic)
{
	struct binding *b = binding_of(gw, wic);

	if (b != NULL && b->local &&
	    (what_was(t) == REGISTRAR_UNBIND_ALL ||
	     b->claim.key.instance == t->registration.contact))
		binding_end(gw, b, &gw_counters(gw)->binding_removed, GW_OK);
	if (binding_of(gw, wic) == NULL)
		wic->identity = 0;
}

static enum gw_err apply(struct gateway *gw, struct transaction *t, struct wic *wic)
{
	if (what_was(t) == REGISTRAR_BIND)
		return bind_flow(gw, t, wic);
	if (what_was(t) != REGISTRAR_FETCH)
		unbind_flow(gw, t, wic);
	return GW_OK;
}

/** PROTOCOL 8.2: all bindings, whose they are, the time, and how to keep the flow. */
static enum gw_err write_accepted(struct gateway *gw, const struct transaction *t,
				  struct span contacts)
{
	enum gw_err err = transaction_recall(t, &gw->message);
	uint32_t mark;

	if (err != GW_OK)
		return err;
	request_begin(gw, &gw->message);
	writer_text(&gw->lines, "ep-");
	request_random(gw, &gw->lines);
	mark = writer_len(&gw->lines);
	writer_put(&gw->lines, contacts);
	writer_text(&gw->lines, "P-Associated-URI: <");
	writer_put(&gw->lines, identity_span(&t->registration.impu));
	writer_text(&gw->lines, ">\r\n");
	date_write(wall_now_s(&gw->time), &gw->lines);
	if (t->registration.outbound && t->registration.requested_s > 0)
		writer_text(&gw->lines, "Require: outbound\r\nFlow-Timer: 120\r\n");
	if (!writer_ok(&gw->lines))
		return GW_NO_ROOM;
	return sip_reply_write(&gw->message, 200, span_cut(writer_span(&gw->lines), 0, mark),
			       request_lines(gw, mark), &gw->out);
}

static void accept_it(struct gateway *gw, struct transaction *t, struct span contacts)
{
	enum gw_err err = write_accepted(gw, t, contacts);

	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
	if (err != GW_OK)
		gateway_count(gw, err);
	counter_add(&gw_counters(gw)->register_ok, 1);
	transaction_free(gw, t);
}

void register_block_answered(struct gateway *gw, const struct message_registrar_answer *m,
			     struct span contacts)
{
	struct transaction *t = slots_at(gw->transactions, m->transaction);
	struct wic *wic = t != NULL ? gw->env->wic(gw->env->context, t->flow) : NULL;
	enum gw_err err;

	if (wic == NULL || t->kind != TRANSACTION_REGISTER || !t->registration.local)
		return; /* its flow has ended, and has said so; or it was late */
	wall_registration(gw, t);
	err = m->err == GW_OK ? apply(gw, t, wic) : m->err;
	if (err == GW_OK)
		accept_it(gw, t, contacts);
	else
		refuse(gw, t, err);
}

/** What has ended is of an older REGISTER than b, or of another call. */
static bool is_later(const struct binding *b, const struct registrar_order *ended)
{
	return ended->call_id != 0 && (b->call_id != ended->call_id || b->cseq > ended->cseq);
}

void register_block_ended(struct gateway *gw, const struct message_registrar_ended *m)
{
	struct wic *wic = gw->env->wic(gw->env->context, m->flow);
	struct binding *b = wic != NULL ? binding_of(gw, wic) : NULL;

	if (b == NULL || !b->local || b->impu_hash != m->key.impu || is_later(b, &m->order))
		return;
	binding_end(gw, b, &gw_counters(gw)->binding_removed, GW_OK);
	wic->identity = 0;
}

void register_block_orphaned(struct gateway *gw, struct transaction *t)
{
	say_gone(gw, t);
	transaction_free(gw, t);
}

void register_block_gone(struct gateway *gw, const struct binding *b)
{
	struct registrar_key key = registrar_key(gw, span_text(b->wwsf), &b->impu);
	struct registrar_order order = {b->call_id, b->cseq};

	registrar_say_gone(gw, &key, b->flow, &order);
}
