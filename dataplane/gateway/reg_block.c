/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "reg_event.h"

/*
 * What the core's registration events mean for a block (PROTOCOL 8.1, 9.9). They are about the
 * registration of its registering identity; what else is in its implicit set comes and goes with
 * that.
 */

#define CONTACT_MAX 512 /* bytes: a web site's name, a host and what goes with it */

/* ---- reading --------------------------------------------------------------------------------- */

/** Its Contact is written to contact. */
static struct reg_ours ours_of(const struct gateway *gw, const struct block *b, uint64_t since_us,
			       struct writer *contact)
{
	block_contact(gw, span_text(b->name), contact);
	return (struct reg_ours){
		.uri = sip_uri_parse(writer_span(contact)),
		.call_id = b->last.call_id,
		.cseq = b->last.cseq,
		.asked_us = b->last.asked_us,
		.fresh = b->last.granted_us <= since_us,
	};
}

static bool is_registering(const struct block *b, const struct reginfo_registration *r)
{
	struct identity id;

	return identity_impu(r->aor, &id) == GW_OK &&
	       span_equal(identity_span(&id), identity_span(&b->impu));
}

/** What the registration of its registering identity says. */
static void read_own(const struct gateway *gw, struct block *b, const struct reg_ours *ours,
		     const struct reginfo *doc, const struct reginfo_registration *r,
		     struct reg_word *word)
{
	const struct reginfo_contact *c = reg_contact_find(ours, doc, r);

	b->shown = b->shown || c != NULL;
	if (c != NULL && reg_contact_order(gw, ours, c) == REG_OLDER)
		return;
	if (r->state == REGINFO_ACTIVE && c != NULL && c->state == REGINFO_ACTIVE)
		word->stands = c;
	else if ((r->state == REGINFO_ACTIVE && c != NULL) || r->state == REGINFO_TERMINATED)
		reg_contact_ended(gw, ours, c, word);
	else if (doc->full && (r->state == REGINFO_INIT || b->shown))
		reg_contact_ended(gw, ours, c, word); /* full state, and it is not in it */
	else if (doc->full)
		word->unshown = true;
}

/** True: it speaks of others than before, but not of all, and the core is to be asked for them. */
static bool read_wildcards(struct gateway *gw, struct block *b, const struct reginfo *doc)
{
	struct block_naming n;

	block_named_begin(gw, b, &n);
	for (uint32_t i = 0; i < doc->registrations; i++) {
		const struct reginfo_registration *r = &doc->registration[i];

		if (r->wildcard.len > 0 && (r->state == REGINFO_ACTIVE || !doc->full))
			block_named_add(&n, r->wildcard);
	}
	if (!doc->full)
		return block_named_part(gw, b, &n);
	block_named_end(gw, b, &n, BLOCK_NAMED_BY_EVENT);
	return false;
}

static void read_document(struct gateway *gw, struct block *b, const struct reg_ours *ours,
			  const struct reginfo *doc, struct reg_word *word)
{
	for (uint32_t i = 0; i < doc->registrations; i++)
		if (is_registering(b, &doc->registration[i]))
			read_own(gw, b, ours, doc, &doc->registration[i], word);
}

/* ---- doing ----------------------------------------------------------------------------------- */

static void end(struct gateway *gw, struct block *b, const struct reginfo_contact *c)
{
	switch (c != NULL ? c->event : REGINFO_OTHER) {
	case REGINFO_DEACTIVATED:
		block_ended(gw, b, GW_REG_DEACTIVATED, 0);
		return;
	case REGINFO_PROBATION:
		block_ended(gw, b, GW_REG_PROBATION, reg_contact_probation_s(c));
		return;
	case REGINFO_REJECTED:
		block_ended(gw, b, GW_REG_REJECTED, 0);
		return;
	default:
		block_ended(gw, b, GW_REG_ENDED, 0);
	}
}

/** c, or NULL, has ended: a 200 to its REGISTER that comes yet, or to one before, is older. */
static void ended_by(const struct gateway *gw, struct block *b, const struct reg_ours *ours,
		     const struct reginfo_contact *c)
{
	if (c != NULL && reg_contact_order(gw, ours, c) == REG_CURRENT)
		b->over_cseq = c->cseq < b->cseq ? c->cseq : b->cseq;
}

/** It counts until the core says, which a shortened one does not make later. */
static void stands(struct gateway *gw, struct block *b, const struct reg_ours *ours,
		   const struct reginfo_contact *c)
{
	uint64_t until_us = gw->time.now_us + c->expires_s * UINT64_C(1000000);

	b->doubt.in = false;
	if (!c->has_expires || reg_contact_may_be_older(gw, ours, c))
		return; /* the 200 has said it */
	if (c->expires_s == 0) {
		ended_by(gw, b, ours, c);
		block_ended(gw, b, GW_REG_ENDED, 0);
	} else if (c->event != REGINFO_SHORTENED || until_us < b->until_us) {
		block_lasts(gw, b, c->expires_s);
	}
}

/** The block, while the core holds it; else NULL. */
static struct block *held(const struct gateway *gw, struct handle subject)
{
	struct block *b = slots_at(gw->blocks->pool, subject);

	return block_is_up(gw, b) ? b : NULL;
}

static void block_unanswered(struct gateway *gw, struct handle subject)
{
	struct block *b = held(gw, subject);
	struct reginfo_contact c;

	if (b == NULL || !b->doubt.in)
		return; /* the core has said since that it stands */
	c = reg_contact_doubted(&b->doubt);
	end(gw, b, &c);
}

static enum reg_event_next block_said(struct gateway *gw, struct handle subject,
				      const struct reginfo *doc, uint64_t since_us)
{
	struct block *b = held(gw, subject);
	struct reg_word word = {0};
	uint8_t text[CONTACT_MAX];
	struct writer contact;
	struct reg_ours ours;
	bool ask;

	if (b == NULL)
		return REG_EVENT_WELL;
	writer_init(&contact, text, sizeof(text));
	ours = ours_of(gw, b, since_us, &contact);
	ask = read_wildcards(gw, b, doc);
	read_document(gw, b, &ours, doc, &word);
	if (word.stands != NULL) {
		stands(gw, b, &ours, word.stands);
	} else if (word.over && word.unsure) {
		reg_contact_doubt(gw, &b->doubt, word.ended);
		return REG_EVENT_ASK;
	} else if (word.over) {
		ended_by(gw, b, &ours, word.ended);
		end(gw, b, word.ended);
	} else if (word.unshown) {
		reg_contact_unshown(gw, &b->doubt);
	} else if (doc->full && ours.fresh) {
		block_unanswered(gw, subject); /* full state, and it is not in it */
	}
	return ask && held(gw, subject) != NULL ? REG_EVENT_ASK : REG_EVENT_WELL;
}

/* ---- its subscription ------------------------------------------------------------------------ */

static bool block_about(const struct gateway *gw, struct handle subject,
			struct reg_event_about *about)
{
	const struct block *b = held(gw, subject);

	if (b == NULL)
		return false;
	*about = (struct reg_event_about){
		.impu = identity_span(&b->impu),
		.routes = span_of(b->routes, b->routes_len),
		.lasts_s = (uint32_t)((b->until_us - gw->time.now_us) / 1000000),
	};
	return true;
}

static void block_refused(struct gateway *gw, struct handle subject)
{
	struct block *b = slots_at(gw->blocks->pool, subject);

	if (b == NULL)
		return;
	b->subscription = handle_none();
	b->no_events = true; /* its refreshes do not ask again */
}

const struct reg_event_ops reg_block_ops = {
	.about = block_about,
	.said = block_said,
	.unanswered = block_unanswered,
	.refused = block_refused,
};

void reg_block_up(struct gateway *gw, struct block *b)
{
	if (handle_is_none(b->subscription) && !b->no_events)
		b->subscription =
			reg_event_subscribe(gw, REG_EVENT_BLOCK, slots_handle(gw->blocks->pool, b));
}

void reg_block_over(struct gateway *gw, struct block *b)
{
	reg_event_forget(gw, b->subscription);
	b->subscription = handle_none();
	b->no_events = b->shown = b->doubt.in = false;
}

void reg_block_name(const struct gateway *gw, const struct block *b, char name[ROW_REG_EVENT_MAX])
{
	reg_event_name(gw, b->subscription, name);
}
