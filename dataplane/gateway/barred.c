/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "homes.h"
#include "reg_event.h"

/*
 * Whom the core has sent away by a registration event (PROTOCOL 9.9): a pair on probation, a token
 * that was rejected. Who comes back may do so on any worker, so all of them know. At the bound the
 * entry of its set that would end first makes room: its WIC is then refused by the core, as it
 * would have been without this table.
 */

#define WAYS 8u
#define SHARE 8u /* an entry for so many bindings */
#define SETS_MIN 8u

struct barred_entry {
	uint64_t who;	   /* 0: free */
	uint64_t until_us; /* monotonic */
	enum gw_err why;
};

struct barred {
	uint32_t sets;
	struct barred_entry entry[];
};

bool barred_open(struct gateway *gw)
{
	uint32_t sets = gw->config.max_bindings / SHARE / WAYS + SETS_MIN;

	gw->barred = calloc(1, sizeof(*gw->barred) + sets * WAYS * sizeof(struct barred_entry));
	if (gw->barred != NULL)
		gw->barred->sets = sets;
	return gw->barred != NULL;
}

void barred_close(struct gateway *gw)
{
	free(gw->barred);
}

static struct barred_entry *set_of(const struct gateway *gw, uint64_t who)
{
	return &gw->barred->entry[who % gw->barred->sets * WAYS];
}

/** The entry of who, else the one of its set that has ended or ends first. */
static struct barred_entry *entry_for(const struct gateway *gw, uint64_t who)
{
	struct barred_entry *set = set_of(gw, who), *first = set;

	for (uint32_t i = 0; i < WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].until_us < first->until_us)
			first = &set[i];
	}
	return first;
}

static void put(struct gateway *gw, const struct message_barred *m)
{
	struct barred_entry *e = entry_for(gw, m->who);

	if (e->who != m->who && e->until_us > gw->time.now_us)
		counter_add(&gw_counters(gw)->barred_forgotten, 1);
	*e = (struct barred_entry){m->who, m->until_us, m->why};
}

void barred_add(struct gateway *gw, uint64_t who, enum gw_err why, uint32_t seconds)
{
	struct message_barred m = {
		.head = {MESSAGE_BARRED, sizeof(m)},
		.who = who,
		.why = why,
		.until_us = gw->time.now_us + seconds * UINT64_C(1000000),
	};

	if (who == 0 || seconds == 0)
		return;
	counter_add(&gw_counters(gw)->barred, 1);
	for (uint16_t i = 0; i < gw->config.workers; i++)
		outbox_send(gw, i, &m.head);
}

void barred_message(struct gateway *gw, const struct message_head *head)
{
	const void *at = head;

	put(gw, at);
}

uint64_t barred_pair(const struct gateway *gw, const struct identity *impi,
		     const struct identity *impu)
{
	uint64_t hash =
		pair_hash(gw_config(gw)->hash_key, identity_span(impi), identity_span(impu));

	return hash != 0 ? hash : 1;
}

/** NULL: who may come. */
static const struct barred_entry *find(const struct gateway *gw, uint64_t who)
{
	const struct barred_entry *set = set_of(gw, who);

	for (uint32_t i = 0; i < WAYS && who != 0; i++)
		if (set[i].who == who && set[i].until_us > gw->time.now_us)
			return &set[i];
	return NULL;
}

enum gw_err barred_check(struct gateway *gw, struct wic *wic, const struct transaction *t)
{
	const struct barred_entry *e;

	if (t->registration.requested_s == 0 || t->registration.fetch)
		return GW_OK; /* it asks for nothing that could be refused it */
	e = find(gw, t->registration.jti);
	if (e == NULL && binding_of(gw, wic) == NULL)
		e = find(gw, barred_pair(gw, &t->registration.impi, &t->registration.impu));
	if (e == NULL)
		return GW_OK;
	wic->barred_s = (uint32_t)((e->until_us - gw->time.now_us + 999999) / 1000000);
	counter_add(&gw_counters(gw)->barred_refused, 1);
	return e->why;
}
