/* SPDX-License-Identifier: BSD-3-Clause */
#include "reg_event.h"

#include "homes.h"

/*
 * What the core's registration events mean for a binding: each row of PROTOCOL 9.9. What has ended
 * there ends here without a de-REGISTER.
 */

/* ---- reading --------------------------------------------------------------------------------- */

/** Its spans lie in b until its identities change. */
static struct reg_ours ours_of(const struct binding *b, uint64_t since_us)
{
	struct sip_address contact =
		sip_address_parse(span_of(b->text + b->contact_at, b->contact_len));
	struct reg_ours ours = {
		.uri = contact.uri,
		.call_id = b->call_id,
		.cseq = b->cseq,
		.asked_us = b->asked_us,
		.fresh = b->granted_us <= since_us,
	};

	if (contact.err != GW_OK) /* no contact is ours */
		ours.uri.err = contact.err;
	(void)sip_param(contact.params, SPAN("+sip.instance"), &ours.instance);
	(void)sip_param(contact.params, SPAN("reg-id"), &ours.reg_id);
	return ours;
}

/** What one registration says. Those of the implicit set come and go, as far as b may use them
 * (D-30): of a pool nothing else was lent. */
static void read_registration(const struct gateway *gw, struct binding *b, uint64_t since_us,
			      const struct reginfo *doc, const struct reginfo_registration *r,
			      struct reg_word *word)
{
	const struct reg_ours ours = ours_of(b, since_us);
	const struct reginfo_contact *c = reg_contact_find(&ours, doc, r);
	struct identity id;
	bool own;

	if (identity_impu(r->aor, &id) != GW_OK ||
	    (c == NULL && !binding_has(b, identity_span(&id))))
		return; /* somebody else's */
	b->shown = b->shown || c != NULL;
	if (c != NULL && reg_contact_order(gw, &ours, c) == REG_OLDER)
		return;
	own = span_equal(identity_span(&id), identity_span(&b->impu));
	if (r->state == REGINFO_ACTIVE && c != NULL && c->state == REGINFO_ACTIVE) {
		word->stands = own || word->stands == NULL ? c : word->stands;
		if (b->token.sub == 0)
			binding_learn(b, &id);
	} else if (r->state == REGINFO_ACTIVE && c != NULL) {
		reg_contact_ended(gw, &ours, c, word);
	} else if (own &&
		   (r->state == REGINFO_TERMINATED || (r->state == REGINFO_INIT && doc->full))) {
		reg_contact_ended(gw, &ours, c, word);
		word->own_over = word->own_over || !reg_contact_may_be_older(gw, &ours, c);
	} else if (r->state == REGINFO_TERMINATED && !reg_contact_may_be_older(gw, &ours, c)) {
		if (!binding_drop(b, &id))
			reg_contact_ended(gw, &ours, c, word);
	} else if (r->state == REGINFO_ACTIVE && own && doc->full && b->shown) {
		reg_contact_ended(gw, &ours, c,
				  word); /* full state, and our Contact is not in it */
	} else if (r->state == REGINFO_ACTIVE && own && doc->full) {
		word->unshown = true;
	}
}

/* ---- doing ----------------------------------------------------------------------------------- */

/** What the row says of who may come back; why it ended. */
static enum gw_err judge(struct gateway *gw, const struct binding *b,
			 const struct reginfo_contact *c)
{
	switch (c != NULL ? c->event : REGINFO_OTHER) {
	case REGINFO_DEACTIVATED:
		return GW_REG_DEACTIVATED;
	case REGINFO_PROBATION:
		barred_add(gw, barred_pair(gw, &b->impi, &b->impu), GW_REG_PROBATION,
			   reg_contact_probation_s(c));
		return GW_REG_PROBATION;
	case REGINFO_REJECTED: /* no token is good for longer */
		barred_add(gw, b->jti, GW_REG_REJECTED, gw_config(gw)->max_token_lifetime_s);
		return GW_REG_REJECTED;
	default:
		return GW_REG_ENDED;
	}
}

static void end(struct gateway *gw, struct binding *b, const struct reginfo_contact *c)
{
	struct wic *wic = gw->env->wic(gw->env->context, b->flow);
	enum gw_err why = judge(gw, b, c);
	struct handle flow = b->state == BINDING_LIVE ? b->flow : handle_none();

	if (b->state == BINDING_LIVE && wic != NULL)
		wic->identity = 0; /* the core holds nothing for this flow */
	binding_end(gw, b, &gw_counters(gw)->binding_core_ended, why);
	/* one has to go, the other to come back and register at once */
	if (why == GW_REG_REJECTED || why == GW_REG_DEACTIVATED)
		reg_event_close_flow(gw, flow, why);
}

/** The time that the core says is left, but never past the token's end. */
static void retime(struct gateway *gw, struct binding *b, const struct reg_ours *ours,
		   const struct reg_word *word)
{
	const struct reginfo_contact *c = word->stands;
	uint64_t core_us = gw->time.now_us + c->expires_s * UINT64_C(1000000);
	uint64_t end_us = core_us < b->token_end_us ? core_us : b->token_end_us;

	if (!c->has_expires || reg_contact_may_be_older(gw, ours, c))
		return; /* the 200 has said it */
	if (c->event == REGINFO_SHORTENED && end_us > b->expires_us)
		end_us = b->expires_us;
	binding_retime(gw, b, &(struct binding_ends){end_us, core_us});
}

static void stands(struct gateway *gw, struct binding *b, const struct reg_ours *ours,
		   const struct reg_word *word)
{
	b->doubt.in = false;
	retime(gw, b, ours, word);
}

static void binding_unanswered(struct gateway *gw, struct handle subject)
{
	struct binding *b = slots_at(gw->bindings, subject);
	struct reginfo_contact c;

	if (b == NULL || b->state == BINDING_LEAVING || !b->doubt.in)
		return; /* the core has said since that it stands */
	c = reg_contact_doubted(&b->doubt);
	end(gw, b, &c);
}

static enum reg_event_next binding_said(struct gateway *gw, struct handle subject,
					const struct reginfo *doc, uint64_t since_us)
{
	struct binding *b = slots_at(gw->bindings, subject);
	struct reg_word word = {0};
	struct reg_ours ours;

	if (b == NULL || b->state == BINDING_LEAVING)
		return REG_EVENT_WELL;
	ours = ours_of(b, since_us);
	for (uint32_t i = 0; i < doc->registrations; i++)
		read_registration(gw, b, since_us, doc, &doc->registration[i], &word);
	if (word.stands != NULL && word.own_over && !binding_drop(b, &b->impu))
		word.stands = NULL; /* by an identity that b does not have */
	if (word.stands != NULL)
		stands(gw, b, &ours, &word);
	else if (word.unshown)
		reg_contact_unshown(gw, &b->doubt);
	if (word.stands == NULL && !word.over && doc->full && ours.fresh)
		binding_unanswered(gw, subject); /* full state, and the user is not in it */
	if (word.stands != NULL || !word.over)
		return REG_EVENT_WELL;
	if (word.unsure) {
		reg_contact_doubt(gw, &b->doubt, word.ended);
		return REG_EVENT_ASK;
	}
	end(gw, b, word.ended);
	return REG_EVENT_WELL;
}

/* ---- its subscription ------------------------------------------------------------------------ */

static bool binding_about(const struct gateway *gw, struct handle subject,
			  struct reg_event_about *about)
{
	const struct binding *b = slots_at(gw->bindings, subject);

	if (b == NULL || b->state == BINDING_LEAVING)
		return false;
	*about = (struct reg_event_about){
		.impu = binding_default(b),
		.routes = span_of(b->text, b->routes_len),
		.lasts_s = b->core_us > gw->time.now_us
				   ? (uint32_t)((b->core_us - gw->time.now_us) / 1000000)
				   : 0,
	};
	return true;
}

static void binding_refused(struct gateway *gw, struct handle subject)
{
	struct binding *b = slots_at(gw->bindings, subject);

	if (b == NULL)
		return;
	b->subscription = handle_none();
	b->untold = true; /* its refreshes do not ask again */
}

const struct reg_event_ops reg_binding_ops = {
	.about = binding_about,
	.said = binding_said,
	.unanswered = binding_unanswered,
	.refused = binding_refused,
};

void reg_binding_bound(struct gateway *gw, struct binding *b)
{
	/* the core knows nothing of who is of a block */
	if (!b->local && handle_is_none(b->subscription) && !b->untold)
		b->subscription =
			reg_event_subscribe(gw, REG_EVENT_BINDING, slots_handle(gw->bindings, b));
}

void reg_binding_over(struct gateway *gw, struct binding *b)
{
	reg_event_forget(gw, b->subscription);
	b->subscription = handle_none();
}
