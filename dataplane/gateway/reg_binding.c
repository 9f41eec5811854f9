/* SPDX-License-Identifier: BSD-3-Clause */
#include "reg_event.h"

#include "homes.h"

/*
 * What the core's registration events mean for a binding: each row of PROTOCOL 9.9. What has ended
 * there ends here without a de-REGISTER.
 */

#define PROBATION_S 60	      /* where the core says no retry-after */
#define PROBATION_MAX_S 86400 /* more than that is not believed */

/** Whether a contact is about the binding's last REGISTER, or about one before (PROTOCOL 10.5). */
enum reg_order {
	REG_OLDER,   /* the core has heard a newer one since, and said 200 */
	REG_CURRENT, /* of this one, or of one that comes */
	REG_UNKNOWN, /* it does not say */
};

/** What a document says of a binding. */
struct reg_word {
	const struct reginfo_contact *stands; /* our Contact, active; NULL: nothing of that */
	const struct reginfo_contact *ended;  /* our Contact, terminated; NULL: not named */
	bool over;			      /* the registration has ended */
	bool own_over;			      /* that of the identity it came about by has */
	bool unsure;			      /* what says so may be older than the last 200 */
	bool fresh;   /* nothing in the document is: the core was asked for it behind that */
	bool unshown; /* registered by contacts that may be ours: the core writes them otherwise */
};

/* ---- reading --------------------------------------------------------------------------------- */

/** Two values of a parameter are the same, quotes aside; also when one of them is not there. */
static bool same_value(struct span a, struct span b)
{
	return a.len == 0 || b.len == 0 || span_equal(sip_unquote(a), sip_unquote(b));
}

static bool is_ours(const struct sip_address *ours, const struct reginfo_contact *c)
{
	struct sip_uri uri = sip_uri_parse(c->uri);
	struct span instance = SPAN(""), reg_id = SPAN("");

	if (uri.err != GW_OK || !sip_uri_equal(&ours->uri, &uri))
		return false;
	(void)sip_param(ours->params, SPAN("+sip.instance"), &instance);
	(void)sip_param(ours->params, SPAN("reg-id"), &reg_id);
	return same_value(instance, c->instance) && same_value(reg_id, c->reg_id);
}

/** Our Contact in r, of several that may be one that is active; NULL: it is not there. */
static const struct reginfo_contact *find_ours(const struct binding *b, const struct reginfo *doc,
					       const struct reginfo_registration *r)
{
	struct sip_address ours =
		sip_address_parse(span_of(b->text + b->contact_at, b->contact_len));
	const struct reginfo_contact *found = NULL;

	for (uint32_t i = 0; ours.err == GW_OK && i < r->contacts; i++) {
		const struct reginfo_contact *c = &doc->contact[r->contact + i];

		if (is_ours(&ours, c) && (found == NULL || found->state != REGINFO_ACTIVE))
			found = c;
	}
	return found;
}

static enum reg_order order_of(const struct gateway *gw, const struct binding *b,
			       const struct reginfo_contact *c)
{
	if (c->callid.len == 0 || !c->has_cseq || b->call_id != binding_call_id(gw, c->callid))
		return REG_UNKNOWN;
	return c->cseq < b->cseq ? REG_OLDER : REG_CURRENT;
}

/** The core may have said this before it heard of the last REGISTER. */
static bool may_be_older(const struct gateway *gw, const struct binding *b,
			 const struct reginfo_contact *c, const struct reg_word *word)
{
	return !word->fresh && gw->time.now_us < b->asked_us + REGISTER_ENDS_US &&
	       (c == NULL || order_of(gw, b, c) == REG_UNKNOWN);
}

/** The registration r has ended, or our Contact of it. */
static void says_ended(const struct gateway *gw, const struct binding *b,
		       const struct reginfo_contact *c, struct reg_word *word)
{
	word->over = true;
	word->unsure = word->unsure || may_be_older(gw, b, c, word);
	if (c != NULL)
		word->ended = c;
}

/** What one registration says. Those of the implicit set come and go, as far as b may use them
 * (D-30): of a pool nothing else was lent. */
static void read_registration(const struct gateway *gw, struct binding *b,
			      const struct reginfo *doc, const struct reginfo_registration *r,
			      struct reg_word *word)
{
	const struct reginfo_contact *c = find_ours(b, doc, r);
	struct identity id;
	bool own;

	if (identity_impu(r->aor, &id) != GW_OK ||
	    (c == NULL && !binding_has(b, identity_span(&id))))
		return; /* somebody else's */
	b->shown = b->shown || c != NULL;
	if (c != NULL && order_of(gw, b, c) == REG_OLDER)
		return;
	own = span_equal(identity_span(&id), identity_span(&b->impu));
	if (r->state == REGINFO_ACTIVE && c != NULL && c->state == REGINFO_ACTIVE) {
		word->stands = own || word->stands == NULL ? c : word->stands;
		if (b->token.sub == 0)
			binding_learn(b, &id);
	} else if (r->state == REGINFO_ACTIVE && c != NULL) {
		says_ended(gw, b, c, word);
	} else if (own &&
		   (r->state == REGINFO_TERMINATED || (r->state == REGINFO_INIT && doc->full))) {
		says_ended(gw, b, c, word);
		word->own_over = word->own_over || !may_be_older(gw, b, c, word);
	} else if (r->state == REGINFO_TERMINATED && !may_be_older(gw, b, c, word)) {
		if (!binding_drop(b, &id))
			says_ended(gw, b, c, word);
	} else if (r->state == REGINFO_ACTIVE && own && doc->full && b->shown) {
		says_ended(gw, b, c, word); /* full state, and our Contact is not in it */
	} else if (r->state == REGINFO_ACTIVE && own && doc->full) {
		word->unshown = true;
	}
}

/* ---- doing ----------------------------------------------------------------------------------- */

static uint32_t probation_s(const struct reginfo_contact *c)
{
	if (!c->has_retry_after)
		return PROBATION_S;
	return c->retry_after_s < PROBATION_MAX_S ? c->retry_after_s : PROBATION_MAX_S;
}

/** What the row says of who may come back; why it ended. */
static enum gw_err judge(struct gateway *gw, const struct binding *b,
			 const struct reginfo_contact *c)
{
	switch (c != NULL ? c->event : REGINFO_OTHER) {
	case REGINFO_DEACTIVATED:
		return GW_REG_DEACTIVATED;
	case REGINFO_PROBATION:
		barred_add(gw, barred_pair(gw, &b->impi, &b->impu), GW_REG_PROBATION,
			   probation_s(c));
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
static void retime(struct gateway *gw, struct binding *b, const struct reg_word *word)
{
	const struct reginfo_contact *c = word->stands;
	uint64_t core_us = gw->time.now_us + c->expires_s * UINT64_C(1000000);
	uint64_t end_us = core_us < b->token_end_us ? core_us : b->token_end_us;

	if (!c->has_expires || may_be_older(gw, b, c, word))
		return; /* the 200 has said it */
	if (c->event == REGINFO_SHORTENED && end_us > b->expires_us)
		end_us = b->expires_us;
	binding_retime(gw, b, &(struct binding_ends){end_us, core_us});
}

static void stands(struct gateway *gw, struct binding *b, const struct reg_word *word)
{
	b->in_doubt = false;
	retime(gw, b, word);
}

/** The user is registered; whether by this binding, this core's documents never say. */
static void unshown(struct gateway *gw, struct binding *b)
{
	counter_add(&gw_counters(gw)->reg_event_unshown, 1);
	b->in_doubt = false;
}

/** Kept, in case that the core does not answer. */
static void doubt(struct gateway *gw, struct binding *b, const struct reginfo_contact *c)
{
	counter_add(&gw_counters(gw)->reg_event_unsure, 1);
	b->in_doubt = true;
	b->doubted = c != NULL ? (uint8_t)c->event : REGINFO_OTHER;
	b->doubted_retry_s = c != NULL ? probation_s(c) : 0;
}

static void binding_unanswered(struct gateway *gw, struct handle subject)
{
	struct binding *b = slots_at(gw->bindings, subject);
	struct reginfo_contact c = {.state = REGINFO_TERMINATED, .has_retry_after = true};

	if (b == NULL || b->state == BINDING_LEAVING || !b->in_doubt)
		return; /* the core has said since that it stands */
	c.event = b->doubted;
	c.retry_after_s = b->doubted_retry_s;
	end(gw, b, &c);
}

static enum reg_event_next binding_said(struct gateway *gw, struct handle subject,
					const struct reginfo *doc, uint64_t since_us)
{
	struct binding *b = slots_at(gw->bindings, subject);
	struct reg_word word = {0};

	if (b == NULL || b->state == BINDING_LEAVING)
		return REG_EVENT_WELL;
	word.fresh = b->granted_us <= since_us;
	for (uint32_t i = 0; i < doc->registrations; i++)
		read_registration(gw, b, doc, &doc->registration[i], &word);
	if (word.stands != NULL && word.own_over && !binding_drop(b, &b->impu))
		word.stands = NULL; /* by an identity that b does not have */
	if (word.stands != NULL)
		stands(gw, b, &word);
	else if (word.unshown)
		unshown(gw, b);
	if (word.stands == NULL && !word.over && doc->full && word.fresh)
		binding_unanswered(gw, subject); /* full state, and the user is not in it */
	if (word.stands != NULL || !word.over)
		return REG_EVENT_WELL;
	if (word.unsure) {
		doubt(gw, b, word.ended);
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
