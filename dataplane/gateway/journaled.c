/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "homes.h"

/*
 * What control is told of the bindings of pools, so that a restart knows of them
 * (control/journal.h, restore.c). What finds control's ring full is told later: a binding that is
 * there waits on a list, one that has gone leaves its name.
 */

#define RETRY_US 5000
#define PER_TRY 64	   /* of either kind, in one go */
#define LOOKED_AT_MAX 256u /* bindings in one go, when all of them are to be told of again */

_Static_assert(JOURNAL_TEXT_MAX >= 2 * IDENTITY_MAX + SITE_NAME_MAX + BINDING_TEXT_MAX,
	       "a message has room for a binding");

struct journaled {
	struct timer retry;
	struct binding *first, **end; /* to be told of */
	uint32_t over_max, over_from, over_count;
	uint32_t cursor; /* of the walk over all of them */
	bool walking;
	struct handle over[]; /* what bindings were called that have gone */
};

bool journaled_open(struct gateway *gw)
{
	uint32_t max = slots_capacity(gw->bindings);
	struct journaled *due = calloc(1, sizeof(*due) + max * sizeof(due->over[0]));

	gw->journaled = due;
	if (due == NULL)
		return false;
	due->over_max = max;
	due->end = &due->first;
	return true;
}

void journaled_close(struct gateway *gw)
{
	free(gw->journaled);
}

/* ---- what is said --------------------------------------------------------------------------- */

static void put(struct writer *text, struct span what, uint16_t *len)
{
	writer_put(text, what);
	*len = (uint16_t)what.len;
}

/** All but how long the core holds it: zeroed, so that two of them can be compared. */
static void compose(const struct binding *b, struct message_journal *m)
{
	struct writer text;

	memset(m, 0, offsetof(struct message_journal, text));
	m->id = b->journal.id;
	m->state = b->state == BINDING_LEAVING ? JOURNAL_LEAVING : JOURNAL_HELD;
	m->path = b->path;
	m->outbound = b->outbound;
	m->sub = b->token.sub;
	m->jti = b->jti;
	m->iat_s = b->token.iat_s;
	m->exp_s = b->token.exp_s;
	writer_init(&text, m->text, sizeof(m->text));
	put(&text, identity_span(&b->impi), &m->impi_len);
	put(&text, identity_span(&b->impu), &m->impu_len);
	put(&text, span_text(b->wwsf), &m->wwsf_len);
	put(&text, span_of(b->text + b->realm_at, b->realm_len), &m->realm_len);
	put(&text, span_of(b->text + b->contact_at, b->contact_len), &m->contact_len);
	m->head.kind = MESSAGE_JOURNAL;
	m->head.len = offsetof(struct message_journal, text) + writer_len(&text);
}

static bool send_word(struct gateway *gw, const struct message_journal *m)
{
	return gw->env->to_worker(gw->env->context, gw->config.workers, span_of(m, m->head.len),
				  SPAN("")) == GW_OK;
}

/**
 * Tells of b, when there is something new. A refresh that changes nothing else is not worth a line:
 * what is told is twice the time that the core has granted. False: the ring is full.
 */
static bool tell(struct gateway *gw, struct binding *b)
{
	uint64_t left_us = b->core_us > gw->time.now_us ? b->core_us - gw->time.now_us : 0;
	struct message_journal m;
	uint64_t hash;
	bool sent;

	compose(b, &m);
	hash = siphash(gw->bucket_key, span_of(&m, m.head.len));
	sent = hash == b->journal.said && b->core_us <= b->journal.until_us;
	if (!sent) {
		m.until_s = (gw->time.wall_us + 2 * left_us + 999999) / 1000000;
		sent = send_word(gw, &m);
		b->journal.until_us = b->core_us + left_us;
		b->journal.said = sent ? hash : 0;
	}
	OPENSSL_cleanse(m.text, m.head.len - offsetof(struct message_journal, text));
	return sent;
}

static bool tell_over(struct gateway *gw, struct handle id)
{
	struct message_journal m;

	memset(&m, 0, offsetof(struct message_journal, text));
	m.head = (struct message_head){MESSAGE_JOURNAL, offsetof(struct message_journal, text)};
	m.id = id;
	m.state = JOURNAL_OVER;
	return send_word(gw, &m);
}

/* ---- what waits ----------------------------------------------------------------------------- */

static void due_add(struct gateway *gw, struct binding *b)
{
	struct journaled *due = gw->journaled;

	if (b->journal.link != NULL)
		return;
	b->journal.next = NULL;
	b->journal.link = due->end;
	*due->end = b;
	due->end = &b->journal.next;
}

static void due_remove(struct gateway *gw, struct binding *b)
{
	struct journaled *due = gw->journaled;

	if (b->journal.link == NULL)
		return;
	*b->journal.link = b->journal.next;
	if (b->journal.next != NULL)
		b->journal.next->journal.link = b->journal.link;
	else
		due->end = b->journal.link;
	b->journal.link = NULL;
}

static bool is_due(const struct journaled *due)
{
	return due->first != NULL || due->over_count > 0 || due->walking;
}

static void flush_bindings(struct gateway *gw)
{
	struct binding *b;

	for (uint32_t n = 0; n < PER_TRY && (b = gw->journaled->first) != NULL; n++) {
		if (!tell(gw, b))
			return;
		due_remove(gw, b);
	}
}

static void flush_over(struct gateway *gw)
{
	struct journaled *due = gw->journaled;

	for (uint32_t n = 0; n < PER_TRY && due->over_count > 0; n++) {
		if (!tell_over(gw, due->over[due->over_from]))
			return;
		due->over_from = (due->over_from + 1) % due->over_max;
		due->over_count--;
	}
}

/** All of them are to be told of again: some are looked at. */
static void walk(struct gateway *gw)
{
	struct journaled *due = gw->journaled;
	struct binding *b;

	for (uint32_t n = 0; n < LOOKED_AT_MAX && due->walking; n++) {
		b = slots_next(gw->bindings, &due->cursor);
		due->walking = b != NULL;
		if (b == NULL || handle_is_none(b->journal.id))
			continue;
		b->journal.said = 0;
		due_add(gw, b);
	}
}

static void retry(struct timer *timer, void *context);

static void try_again(struct gateway *gw)
{
	struct journaled *due = gw->journaled;

	if (is_due(due) && !timer_armed(&due->retry))
		wheel_arm(gw->wheel, &due->retry, gw->time.now_us + RETRY_US, retry);
}

static void retry(struct timer *timer, void *context)
{
	struct gateway *gw = context;

	(void)timer;
	walk(gw);
	flush_over(gw);
	flush_bindings(gw);
	try_again(gw);
}

/* ---- what happens --------------------------------------------------------------------------- */

void journaled_changed(struct gateway *gw, struct binding *b)
{
	if (b->token.sub == 0 || b->contact_len == 0)
		return;
	if (handle_is_none(b->journal.id))
		b->journal.id = slots_handle(gw->bindings, b);
	if (gw->journaled->first == NULL && tell(gw, b))
		return;
	due_add(gw, b);
	try_again(gw);
}

void journaled_ended(struct gateway *gw, struct binding *b)
{
	struct journaled *due = gw->journaled;

	due_remove(gw, b);
	if (handle_is_none(b->journal.id) || (due->over_count == 0 && tell_over(gw, b->journal.id)))
		return;
	if (due->over_count == due->over_max) {
		counter_add(&gw_counters(gw)->journal_lost, 1);
		return;
	}
	due->over[(due->over_from + due->over_count++) % due->over_max] = b->journal.id;
	counter_add(&gw_counters(gw)->journal_kept, 1);
	try_again(gw);
}

void gateway_journal_again(struct gateway *gw)
{
	gw->journaled->cursor = 0;
	gw->journaled->walking = true;
	try_again(gw);
}
