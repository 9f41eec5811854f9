/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"
#include "reg_event.h"

/*
 * What a registration event says of a Contact that has come about by way of this node, whoever it
 * is of (PROTOCOL 9.9, 10.5).
 */

#define PROBATION_S 60	      /* where the core says no retry-after */
#define PROBATION_MAX_S 86400 /* more than that is not believed */

/** Two values of a parameter are the same, quotes aside; also when one of them is not there. */
static bool same_value(struct span a, struct span b)
{
	return a.len == 0 || b.len == 0 || span_equal(sip_unquote(a), sip_unquote(b));
}

static bool is_ours(const struct reg_ours *ours, const struct reginfo_contact *c)
{
	struct sip_uri uri = sip_uri_parse(c->uri);

	return uri.err == GW_OK && sip_uri_equal(&ours->uri, &uri) &&
	       same_value(ours->instance, c->instance) && same_value(ours->reg_id, c->reg_id);
}

const struct reginfo_contact *reg_contact_find(const struct reg_ours *ours,
					       const struct reginfo *doc,
					       const struct reginfo_registration *r)
{
	const struct reginfo_contact *found = NULL;

	for (uint32_t i = 0; ours->uri.err == GW_OK && i < r->contacts; i++) {
		const struct reginfo_contact *c = &doc->contact[r->contact + i];

		if (is_ours(ours, c) && (found == NULL || found->state != REGINFO_ACTIVE))
			found = c;
	}
	return found;
}

enum reg_order reg_contact_order(const struct gateway *gw, const struct reg_ours *ours,
				 const struct reginfo_contact *c)
{
	if (c->callid.len == 0 || !c->has_cseq || ours->call_id != binding_call_id(gw, c->callid))
		return REG_UNKNOWN;
	return c->cseq < ours->cseq ? REG_OLDER : REG_CURRENT;
}

bool reg_contact_may_be_older(const struct gateway *gw, const struct reg_ours *ours,
			      const struct reginfo_contact *c)
{
	return !ours->fresh && gw->time.now_us < ours->asked_us + REGISTER_ENDS_US &&
	       (c == NULL || reg_contact_order(gw, ours, c) == REG_UNKNOWN);
}

void reg_contact_ended(const struct gateway *gw, const struct reg_ours *ours,
		       const struct reginfo_contact *c, struct reg_word *word)
{
	word->over = true;
	word->unsure = word->unsure || reg_contact_may_be_older(gw, ours, c);
	if (c != NULL)
		word->ended = c;
}

uint32_t reg_contact_probation_s(const struct reginfo_contact *c)
{
	if (!c->has_retry_after)
		return PROBATION_S;
	return c->retry_after_s < PROBATION_MAX_S ? c->retry_after_s : PROBATION_MAX_S;
}

void reg_contact_doubt(struct gateway *gw, struct reg_doubt *doubt, const struct reginfo_contact *c)
{
	counter_add(&gw_counters(gw)->reg_event_unsure, 1);
	doubt->in = true;
	doubt->event = c != NULL ? c->event : REGINFO_OTHER;
	doubt->retry_s = c != NULL ? reg_contact_probation_s(c) : 0;
}

struct reginfo_contact reg_contact_doubted(const struct reg_doubt *doubt)
{
	return (struct reginfo_contact){
		.state = REGINFO_TERMINATED,
		.event = doubt->event,
		.has_retry_after = true,
		.retry_after_s = doubt->retry_s,
	};
}

void reg_contact_unshown(struct gateway *gw, struct reg_doubt *doubt)
{
	counter_add(&gw_counters(gw)->reg_event_unshown, 1);
	doubt->in = false;
}
