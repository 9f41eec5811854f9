/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "identity/lease.h"
#include "identity/lease_last.h"
#include "homes.h"
#include "wall.h"

/*
 * The leases whose home is this worker: a table around identity/lease.c, which decides. An entry is
 * there while somebody has its pair or asks for it; what is left then is a tombstone.
 */

struct lease_entry {
	struct timer timer;
	struct lease lease;
	uint32_t next; /* slot + 1 of the next in its bucket */
};

struct lease_homes {
	struct slots *entries;
	struct lease_last *last;
	uint32_t generations; /* given out so far */
	uint32_t mask;
	uint32_t bucket[]; /* slot + 1 */
};

bool lease_homes_open(struct gateway *gw)
{
	uint32_t capacity = 2 * gw->config.max_bindings, buckets = 16;
	struct lease_homes *homes;

	while (buckets < capacity)
		buckets *= 2;
	homes = calloc(1, sizeof(*homes) + buckets * sizeof(homes->bucket[0]));
	gw->leases = homes;
	if (homes == NULL)
		return false;
	homes->mask = buckets - 1;
	homes->generations = gw->config.epoch;
	homes->last = lease_last_new(gw->config.lease_tombstones);
	homes->entries = slots_new(gw->config.worker, capacity, sizeof(struct lease_entry),
				   gw->config.epoch);
	return homes->last != NULL && homes->entries != NULL;
}

void lease_homes_close(struct gateway *gw)
{
	if (gw->leases == NULL)
		return;
	slots_free(gw->leases->entries);
	lease_last_free(gw->leases->last);
	free(gw->leases);
}

static struct lease_call lease_now(const struct gateway *gw)
{
	return (struct lease_call){gw->time.now_us, wall_now_s(&gw->time),
				   &gw->leases->generations};
}

/* ---- the table ------------------------------------------------------------------------------ */

static uint32_t *lease_bucket(struct lease_homes *homes, uint64_t impi)
{
	return &homes->bucket[impi >> 16 & homes->mask];
}

static struct lease_entry *entry_in_slot(const struct lease_homes *homes, uint32_t slot_plus_1)
{
	return slot_plus_1 == 0 ? NULL : slots_slot(homes->entries, slot_plus_1 - 1);
}

static struct lease_entry *entry_find(struct lease_homes *homes, uint64_t impi)
{
	struct lease_entry *e = entry_in_slot(homes, *lease_bucket(homes, impi));

	while (e != NULL && e->lease.impi != impi)
		e = entry_in_slot(homes, e->next);
	return e;
}

/** The entry of a pair that nobody has, with what is known of who had it. NULL: no room. */
static struct lease_entry *entry_new(struct gateway *gw, uint64_t impi)
{
	struct lease_homes *homes = gw->leases;
	struct lease_entry *e = slots_get(homes->entries);
	uint32_t *bucket = lease_bucket(homes, impi);

	if (e == NULL)
		return NULL;
	e->lease.impi = impi;
	e->lease.last = lease_last_take(homes->last, impi, wall_now_s(&gw->time));
	e->next = *bucket;
	*bucket = slots_handle(homes->entries, e).slot + 1;
	counter_add(&gw_counters(gw)->lease_live, 1);
	return e;
}

static void entry_put(struct gateway *gw, struct lease_entry *e)
{
	struct lease_homes *homes = gw->leases;
	uint32_t self = slots_handle(homes->entries, e).slot + 1;
	uint32_t *link = lease_bucket(homes, e->lease.impi);

	wheel_disarm(gw->wheel, &e->timer);
	while (*link != 0 && *link != self)
		link = &entry_in_slot(homes, *link)->next;
	if (*link == self)
		*link = e->next;
	if (e->lease.last.exp_s != 0 &&
	    !lease_last_put(homes->last, e->lease.impi, &e->lease.last, wall_now_s(&gw->time)))
		counter_add(&gw_counters(gw)->lease_forgotten, 1);
	if (!slots_put(homes->entries, e))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	else
		counter_sub(&gw_counters(gw)->lease_live, 1);
}

static void entry_due(struct timer *timer, void *context);

/** After every step: when it has to be looked at again, or that nothing is left of it. */
static void entry_settle(struct gateway *gw, struct lease_entry *e)
{
	if (lease_is_free(&e->lease))
		entry_put(gw, e);
	else
		wheel_arm(gw->wheel, &e->timer, lease_next_us(&e->lease), entry_due);
}

/* ---- what is said --------------------------------------------------------------------------- */

static uint16_t worker_of(const union lease_message *m)
{
	switch (m->head.kind) {
	case MESSAGE_LEASE_GRANTED:
		return m->granted.flow.worker;
	case MESSAGE_LEASE_REFUSED:
		return m->refused.flow.worker;
	default:
		return m->ended.binding.worker;
	}
}

/** What is said to this worker itself may change any entry: none is in hand by then. */
static void send_all(struct gateway *gw, const struct lease_said *said)
{
	for (uint32_t i = 0; i < said->count; i++)
		outbox_send(gw, worker_of(&said->message[i]), &said->message[i].head);
}

/**
 * The wall's clock may have stepped since the token was shown. Back: the binding may live on, or
 * have been refreshed by the same token, and nobody else gets the pair before that has ended.
 * Forth: the binding's worker has ended it and released the pair; nothing is left to do here.
 */
static void entry_reckon(const struct gateway *gw, struct lease_entry *e)
{
	struct lease_terms *terms = &e->lease.holder.terms;

	if (e->lease.holder.state == LEASE_HELD)
		terms->exp_us = wall_end_us(&gw->time, terms->exp_s);
}

static void entry_due(struct timer *timer, void *context)
{
	struct lease_entry *e = (struct lease_entry *)timer;
	struct gateway *gw = context;
	struct lease_call now = lease_now(gw);
	struct lease_said said;

	entry_reckon(gw, e);
	lease_due(&e->lease, &now, &said);
	entry_settle(gw, e);
	send_all(gw, &said);
}

/* ---- what workers of WICs say --------------------------------------------------------------- */

static void no_room(struct gateway *gw, const struct message_lease_reserve *ask)
{
	struct message_lease_refused m = {
		.head = {MESSAGE_LEASE_REFUSED, sizeof(m)},
		.impi = ask->impi,
		.flow = ask->flow,
		.ticket = ask->ticket,
		.err = GW_LEASE_LIMIT,
	};

	outbox_send(gw, ask->flow.worker, &m.head);
}

static void home_reserve(struct gateway *gw, const struct message_lease_reserve *ask)
{
	struct lease_entry *e = entry_find(gw->leases, ask->impi);
	struct lease_call now = lease_now(gw);
	struct lease_said said;

	if (e == NULL)
		e = entry_new(gw, ask->impi);
	if (e == NULL) {
		no_room(gw, ask);
		return;
	}
	lease_reserve(&e->lease, &now, ask, &said);
	entry_settle(gw, e);
	send_all(gw, &said);
}

static void home_confirm(struct gateway *gw, const struct message_lease_confirm *confirm)
{
	struct lease_entry *e = entry_find(gw->leases, confirm->id.impi);
	struct lease nobody = {.impi = confirm->id.impi};
	struct lease_call now = lease_now(gw);
	struct lease_said said;

	lease_confirm(e != NULL ? &e->lease : &nobody, &now, confirm, &said);
	if (e != NULL)
		entry_settle(gw, e);
	send_all(gw, &said);
}

static void home_cancel(struct gateway *gw, const struct message_lease_cancel *cancel)
{
	struct lease_entry *e = entry_find(gw->leases, cancel->id.impi);
	struct lease_call now = lease_now(gw);
	struct lease_said said;

	if (e == NULL)
		return;
	lease_cancel(&e->lease, &now, cancel, &said);
	entry_settle(gw, e);
	send_all(gw, &said);
}

static void home_release(struct gateway *gw, const struct message_lease_release *release)
{
	struct lease_entry *e = entry_find(gw->leases, release->id.impi);
	struct lease_call now = lease_now(gw);
	struct lease_said said;

	if (e == NULL)
		return;
	lease_release(&e->lease, &now, release, &said);
	entry_settle(gw, e);
	send_all(gw, &said);
}

void lease_home_message(struct gateway *gw, const struct message_head *head)
{
	const void *at = head;

	if (head->kind == MESSAGE_LEASE_RESERVE)
		home_reserve(gw, at);
	else if (head->kind == MESSAGE_LEASE_CONFIRM)
		home_confirm(gw, at);
	else if (head->kind == MESSAGE_LEASE_CANCEL)
		home_cancel(gw, at);
	else
		home_release(gw, at);
}

/* ---- after a restart ------------------------------------------------------------------------ */

/** What is said to the binding of before; nobody waits for the rest. */
static void send_ended(struct gateway *gw, const struct lease_said *said)
{
	for (uint32_t i = 0; i < said->count; i++)
		if (said->message[i].head.kind == MESSAGE_LEASE_ENDED)
			outbox_send(gw, worker_of(&said->message[i]), &said->message[i].head);
}

/** Asked for and confirmed at once. *said: the last words. */
static bool entry_restore(struct gateway *gw, struct lease_entry *e, struct binding *b,
			  const struct lease_terms *terms, struct lease_said *said)
{
	const struct message_lease_reserve ask = {.impi = e->lease.impi,
						  .flow = b->flow,
						  .terms = *terms};
	struct lease_call now = lease_now(gw);
	struct message_lease_confirm confirm;

	lease_reserve(&e->lease, &now, &ask, said);
	if (e->lease.grant.generation == 0 || !handle_equal(e->lease.grant.flow, b->flow))
		return false;
	confirm = pool_restore(gw, b, (struct lease_id){e->lease.impi, e->lease.grant.generation});
	lease_confirm(&e->lease, &now, &confirm, said);
	return true;
}

bool lease_home_restore(struct gateway *gw, struct binding *b, const struct lease_terms *terms)
{
	struct lease_entry *e = entry_find(gw->leases, b->impi_hash);
	struct lease_said said;
	bool restored;

	if (e == NULL)
		e = entry_new(gw, b->impi_hash);
	if (e == NULL)
		return false;
	restored = entry_restore(gw, e, b, terms, &said);
	entry_settle(gw, e);
	send_ended(gw, &said);
	return restored;
}

uint32_t gateway_leases(const struct gateway *gw)
{
	return slots_live(gw->leases->entries);
}

bool gateway_lease(const struct gateway *gw, uint32_t *cursor, struct worker_lease *lease)
{
	const struct lease_entry *e = slots_next(gw->leases->entries, cursor);
	const struct lease *l;

	if (e == NULL) {
		*cursor = 0;
		return false;
	}
	l = &e->lease;
	*lease = (struct worker_lease){
		.impi = l->impi,
		.held = l->holder.state != LEASE_NOBODY,
		.granted_us = l->grant.generation != 0 ? l->grant.until_us : 0,
		.asked_us = l->asker.waits ? l->asker.until_us : 0,
		.leaving_us = l->leaving.generation != 0 ? l->leaving.until_us : 0,
	};
	return true;
}
