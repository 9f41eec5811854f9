/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"
#include "wall.h"

/*
 * Bindings of pools that a restart gives back (DESIGN: Restart), on the home worker of their IMPI:
 * as if their connections had just been lost. Who comes back within limits.flow_grace with a token
 * of the same user takes his over; nobody else gets the pair before its token ends; and who does
 * not come back is de-registered. What has ended meanwhile, and what is no longer of its pool, is
 * told to the core at once.
 */

#define FAREWELL_EACH_US 1000 /* from one to the next: the core is not to be flooded */

/** A flow that never was on this worker: nothing that is asked for it is found. */
static struct handle no_flow(const struct gateway *gw, const struct binding *b)
{
	struct handle flow = slots_handle(gw->bindings, b);

	flow.slot = UINT32_MAX - flow.slot;
	return flow;
}

static bool store_names(struct binding *b, const struct journal_names *names)
{
	struct writer text;

	if (names->wwsf.len > SITE_NAME_MAX || names->wwsf.len == 0 ||
	    identity_impi(names->impi, &b->impi) != GW_OK ||
	    identity_impu(names->impu, &b->impu) != GW_OK)
		return false;
	memcpy(b->wwsf, names->wwsf.at, names->wwsf.len);
	writer_init(&text, b->text, sizeof(b->text));
	writer_put(&text, names->contact);
	b->contact_len = (uint16_t)names->contact.len;
	b->realm_at = b->contact_len;
	writer_put(&text, names->realm);
	b->realm_len = (uint16_t)names->realm.len;
	return writer_ok(&text) && names->contact.len > 0;
}

static void store_times(const struct gateway *gw, struct binding *b,
			const struct message_journal *m)
{
	uint64_t exp_us = wall_end_us(&gw->time, m->exp_s);

	b->core_us = wall_end_us(&gw->time, m->until_s);
	b->expires_us = exp_us < b->core_us ? exp_us : b->core_us;
	b->token_end_us = exp_us;
	b->since_us = gw->time.now_us;
	b->asked_us = gw->time.now_us;
	b->journal.until_us = b->core_us;
}

/** False: it is none of ours, or nothing could be said to the core about it. */
static bool store_all(struct gateway *gw, struct binding *b, const struct message_journal *m)
{
	struct sip_address contact;
	struct journal_names names;

	if (!journal_names(m, &names) || !store_names(b, &names))
		return false;
	contact = sip_address_parse(span_of(b->text, b->contact_len));
	if (contact.err != GW_OK || contact.star)
		return false;
	b->flow = no_flow(gw, b);
	b->path = m->path;
	b->outbound = m->outbound;
	b->jti = m->jti;
	b->token.sub = m->sub;
	b->token.iat_s = (uint32_t)m->iat_s;
	b->token.exp_s = (uint32_t)m->exp_s;
	b->impi_hash = gateway_identity_hash(gw, identity_span(&b->impi));
	b->impu_hash = gateway_identity_hash(gw, identity_span(&b->impu));
	b->claim = home_claim(gw, &(struct registration_of){&b->impi, &b->impu, m->sub}, &contact);
	b->contact = b->claim.contact;
	store_times(gw, b, m);
	return true;
}

/** A configuration of before may have given it out. */
static bool is_of_pool(const struct gateway *gw, const struct binding *b)
{
	const struct wwsf_config *site = register_site_named(gw, span_text(b->wwsf));

	return site != NULL && site->mode == WWSF_POOL &&
	       identity_allocated(site, gw->time.view->pairs, &b->impi, &b->impu) == GW_OK;
}

static struct lease_terms terms_of(const struct gateway *gw, const struct message_journal *m)
{
	return (struct lease_terms){
		.sub = m->sub,
		.jti = m->jti,
		.iat_s = m->iat_s,
		.exp_s = m->exp_s,
		.exp_us = wall_end_us(&gw->time, m->exp_s),
	};
}

/** Another binding of the same client has come behind it: the core has put that in its place, and a
 * farewell would be the other one's. */
static bool was_replaced(struct gateway *gw, const struct binding *b,
			 const struct message_journal *m)
{
	const struct binding *other = slots_at(gw->bindings, home_holder(gw, &b->claim.key));

	return other != NULL && (m->state == JOURNAL_LEAVING || other->token.iat_s > m->iat_s);
}

/** It waits for its client, which has the pair. False: it has not. */
static bool wait_for_client(struct gateway *gw, struct binding *b, const struct message_journal *m)
{
	struct lease_terms terms = terms_of(gw, m);

	if (m->state != JOURNAL_HELD || m->exp_s <= wall_now_s(&gw->time) || !is_of_pool(gw, b) ||
	    !lease_home_restore(gw, b, &terms))
		return false;
	b->state = BINDING_LOST;
	flow_loss_restored(gw, b);
	return true;
}

static void say_farewell(struct gateway *gw, struct binding *b)
{
	b->state = BINDING_LEAVING;
	home_bound_dead(gw, b);
	deregister_start(gw, b);
}

static void drop(struct gateway *gw, struct binding *b)
{
	journaled_ended(gw, b);
	if (!slots_put(gw->bindings, b))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
}

enum gw_err gateway_restore(struct gateway *gw, const struct message_journal *m)
{
	struct binding *b = slots_get(gw->bindings);

	if (b == NULL)
		return GW_BINDING_LIMIT;
	b->journal.id = m->id;
	if (m->until_s <= wall_now_s(&gw->time) || !store_all(gw, b, m) || was_replaced(gw, b, m)) {
		drop(gw, b);
		return GW_OK;
	}
	counter_add(&gw_counters(gw)->binding_restored, 1);
	b->lost_us = b->held_us = gw->time.now_us + FAREWELL_EACH_US * ++gw->restored;
	if (!wait_for_client(gw, b, m))
		say_farewell(gw, b);
	return GW_OK;
}
