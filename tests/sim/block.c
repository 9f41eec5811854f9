/* SPDX-License-Identifier: BSD-3-Clause */
#include "member.h"

/* The web site with a block: what its configuration says, and what its operator does to it. */

static const char *const impis[BLOCK_PAIRS] = {"block0@" DOMAIN, "block1@" DOMAIN};
static const char *const impus[BLOCK_PAIRS] = {"sip:block0@" DOMAIN, "sip:block1@" DOMAIN};

struct members *members_new(struct sim *sim)
{
	struct members *m = table_new(sizeof(*m));

	m->users = 1 + sim_below(sim, BLOCK_USERS_MAX);
	m->contacts = (uint32_t)sim_between(sim, 1, 4);
	m->expires_s = (uint32_t)sim_between(sim, 4, 40);
	m->least_s = sim_chance(sim, 30) ? m->expires_s + sim_below(sim, 10) : 0;
	m->retry_s = (uint32_t)sim_between(sim, 1, 3);
	m->retry_max_s = (uint32_t)sim_between(sim, 3, 10);
	m->one_call_id = sim_chance(sim, 70);
	return m;
}

void members_free(struct members *members)
{
	if (members != NULL)
		table_free(members, sizeof(*members));
}

bool members_served(const struct members *m)
{
	return !m->removed && !m->disabled;
}

void members_configure(const struct members *m, struct wwsf_config *site, struct config_part *part)
{
	site->mode = WWSF_BLOCK;
	site->registering_impi = span_text(impis[m->pair]);
	site->registering_impu = span_text(impus[m->pair]);
	part->block_expires_s = m->expires_s;
	part->block_retry_s = m->retry_s;
	part->block_retry_max_s = m->retry_max_s;
	part->block_contacts = m->contacts;
	part->absent = (struct absent_config){480, 20, SPAN("Subscriber absent")};
	part->unknown = (struct absent_config){404, 1, SPAN("")};
}

uint32_t members_revoked(const struct members *m, uint64_t *jti)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->tokens; i++)
		if (m->token[i].revoked_us > 0)
			jti[n++] = m->token[i].hash;
	return n;
}

/* ---- the operator ---------------------------------------------------------------------------- */

static void revoke(struct sim *sim)
{
	struct members *m = sim->members;
	uint32_t last = m->tokens < 20 ? m->tokens : 20;
	struct member_token *t;

	if (last == 0 || m->revoked == MEMBER_REVOKED_MAX)
		return;
	t = &m->token[m->tokens - 1 - sim_below(sim, last)];
	if (t->revoked_us > 0)
		return;
	t->revoked_us = sim->now_us;
	m->revoked++;
	member_disturb(sim, t->user);
	sim_note(sim, "operator revokes m%u of user%u", (unsigned)(t - m->token), t->user);
	parts_publish_revocations(sim);
}

static void disable(struct sim *sim, bool disabled)
{
	sim->members->disabled = disabled;
	sim->members->changed_us = sim->now_us;
	sim_note(sim, "the block's site is %s", disabled ? "disabled" : "enabled");
	parts_publish_revocations(sim);
}

static void configure(struct sim *sim, bool removed, uint32_t pair)
{
	sim->members->removed = removed;
	sim->members->pair = pair;
	sim->members->changed_us = sim->now_us;
	sim_note(sim, "the block is %s, by block%u", removed ? "not configured" : "configured",
		 pair);
	parts_publish(sim, sim->wwsf_1_served);
}

void members_meddle(struct sim *sim)
{
	const struct members *m = sim->members;
	uint32_t what = sim_below(sim, 100);

	if (m->disabled && what < 70)
		disable(sim, false);
	else if (m->removed && what < 70)
		configure(sim, false, sim_below(sim, BLOCK_PAIRS));
	else if (what < 60)
		revoke(sim);
	else if (what < 75)
		configure(sim, m->removed, m->pair ^ 1);
	else if (what < 88)
		configure(sim, true, m->pair);
	else
		disable(sim, true);
}
