/* SPDX-License-Identifier: BSD-3-Clause */
#include "originate.h"

#include <stdlib.h>

/*
 * Finished transactions. Nothing is sent by one of its own accord: what comes again is absorbed, or
 * gets what it got before, and a further 2xx to an INVITE goes the way of the first (RFC 6026 7.1).
 * They end in the order in which they came, so two queues stand for timers D, H, J, L, M and I. A
 * full table forgets the one that would end first: a repeat that comes later than all those is as
 * good as a new request, which is what it would be without this table.
 */

#define ENDED_AT_ONCE 32 /* in one firing of the timer */

/** A message that is said again: over UDP, the response to a request that is no INVITE (timer J),
 * or the ACK of a failure (timer D). */
struct tombstone_copy {
	struct tombstone_copy *older, *newer;
	struct tombstone *of;
	struct mw_target target; /* of an ACK; a response goes where the repeat came from */
	uint16_t len;
	uint8_t bytes[UDP_MAX];
};

enum side { SIDE_CLIENT, SIDE_SERVER };

struct tombstones *tombstones_new(const struct gateway_config *config)
{
	struct tombstones *tombs = calloc(1, sizeof(*tombs));
	uint32_t buckets = 16;

	if (tombs == NULL)
		return NULL;
	while (buckets < config->max_transactions)
		buckets *= 2;
	tombs->mask = buckets - 1;
	tombs->pool = slots_new(config->worker, config->max_transactions * TOMBSTONES_SHARE,
				sizeof(struct tombstone), config->epoch);
	tombs->copies = slots_new(config->worker, config->max_transactions / COPIES_SHARE + 1,
				  sizeof(struct tombstone_copy), config->epoch);
	tombs->bucket[TOMB_KEY] = calloc(buckets, sizeof(uint32_t));
	tombs->bucket[TOMB_BRANCH] = calloc(buckets, sizeof(uint32_t));
	if (tombs->pool && tombs->copies && tombs->bucket[TOMB_KEY] && tombs->bucket[TOMB_BRANCH])
		return tombs;
	tombstones_free(tombs);
	return NULL;
}

void tombstones_free(struct tombstones *tombs)
{
	if (tombs == NULL)
		return;
	slots_free(tombs->pool);
	slots_free(tombs->copies);
	free(tombs->bucket[TOMB_KEY]);
	free(tombs->bucket[TOMB_BRANCH]);
	free(tombs);
}

uint32_t gateway_finished(const struct gateway *gw)
{
	return slots_live(gw->tombs->pool);
}

static struct tombstone *in_slot(const struct gateway *gw, uint32_t slot_plus_1)
{
	return slot_plus_1 == 0 ? NULL : slots_slot(gw->tombs->pool, slot_plus_1 - 1);
}

static uint32_t slot_of(const struct gateway *gw, const struct tombstone *tomb)
{
	return tomb == NULL ? 0 : slots_handle(gw->tombs->pool, tomb).slot + 1;
}

/* ---- time ----------------------------------------------------------------------------------- */

/** Milliseconds until it ends; 0 or less: it has. */
static int32_t left_ms(const struct gateway *gw, const struct tombstone *tomb)
{
	return (int32_t)(tomb->end_ms - (uint32_t)(gw->time.now_us / 1000));
}

/** The one that ends next, or nearly so; NULL: there is none. */
static struct tombstone *first_to_end(const struct gateway *gw)
{
	struct tombstone *a = in_slot(gw, gw->tombs->queue[false].oldest);
	struct tombstone *b = in_slot(gw, gw->tombs->queue[true].oldest);

	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	return left_ms(gw, b) < left_ms(gw, a) ? b : a;
}

static void queue_add(struct gateway *gw, struct tombstone *tomb)
{
	struct tombstone_queue *q = &gw->tombs->queue[tomb->brief];
	struct tombstone *before = in_slot(gw, q->newest);
	uint32_t self = slot_of(gw, tomb);

	tomb->older = q->newest;
	tomb->newer = 0;
	if (before != NULL)
		before->newer = self;
	else
		q->oldest = self;
	q->newest = self;
}

static void queue_remove(struct gateway *gw, struct tombstone *tomb)
{
	struct tombstone_queue *q = &gw->tombs->queue[tomb->brief];
	struct tombstone *older = in_slot(gw, tomb->older), *newer = in_slot(gw, tomb->newer);

	if (older != NULL)
		older->newer = tomb->newer;
	else
		q->oldest = tomb->newer;
	if (newer != NULL)
		newer->older = tomb->older;
	else
		q->newest = tomb->older;
}

/* ---- what is said again --------------------------------------------------------------------- */

static void copy_drop(struct gateway *gw, struct tombstone_copy *copy)
{
	struct tombstones *tombs = gw->tombs;

	if (copy->older != NULL)
		copy->older->newer = copy->newer;
	else
		tombs->oldest_copy = copy->newer;
	if (copy->newer != NULL)
		copy->newer->older = copy->older;
	else
		tombs->newest_copy = copy->older;
	copy->of->copied = false;
	if (!slots_put(tombs->copies, copy))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
}

static struct tombstone_copy *copy_of(const struct gateway *gw, const struct tombstone *tomb)
{
	return tomb->copied ? slots_slot(gw->tombs->copies, tomb->copy) : NULL;
}

/** Keeps what t keeps; where there is no room, the oldest such message is forgotten, and who asks
 * for it again gets nothing. */
static void copy_add(struct gateway *gw, struct tombstone *tomb, const struct transaction *t)
{
	struct tombstones *tombs = gw->tombs;
	struct span kept = transaction_kept(t);
	struct tombstone_copy *copy = slots_get_unzeroed(tombs->copies);

	if (copy == NULL) {
		counter_add(&gw_counters(gw)->transaction_copy_forgotten, 1);
		copy_drop(gw, tombs->oldest_copy);
		copy = slots_get_unzeroed(tombs->copies);
	}
	copy->older = tombs->newest_copy;
	copy->newer = NULL;
	copy->of = tomb;
	copy->target = t->target;
	copy->len = (uint16_t)kept.len;
	memcpy(copy->bytes, kept.at, kept.len);
	if (copy->older != NULL)
		copy->older->newer = copy;
	else
		tombs->oldest_copy = copy;
	tombs->newest_copy = copy;
	tomb->copied = true;
	tomb->copy = slots_handle(tombs->copies, copy).slot;
}

/** Whether what t keeps may be asked for again: no INVITE's head, which is for who answers it. */
static bool is_said_again(const struct transaction *t)
{
	return t->acked || (t->kind == TRANSACTION_TERMINATE && t->method != SIP_INVITE &&
			    !t->sent && t->kept_len > 0);
}

/* ---- the table ------------------------------------------------------------------------------ */

static uint32_t *bucket_of(struct gateway *gw, enum tomb_chain chain, uint64_t hash)
{
	return &gw->tombs->bucket[chain][hash & gw->tombs->mask];
}

static void chain_add(struct gateway *gw, struct tombstone *tomb, enum tomb_chain chain)
{
	uint32_t *bucket = bucket_of(gw, chain, tomb->hash[chain]);

	tomb->next[chain] = *bucket;
	*bucket = slot_of(gw, tomb);
}

static void chain_remove(struct gateway *gw, struct tombstone *tomb, enum tomb_chain chain)
{
	uint32_t *link = bucket_of(gw, chain, tomb->hash[chain]), self = slot_of(gw, tomb);

	while (*link != 0 && *link != self)
		link = &in_slot(gw, *link)->next[chain];
	if (*link == self)
		*link = tomb->next[chain];
}

static void tomb_remove(struct gateway *gw, struct tombstone *tomb)
{
	struct tombstone_copy *copy = copy_of(gw, tomb);

	if (copy != NULL)
		copy_drop(gw, copy);
	chain_remove(gw, tomb, TOMB_KEY);
	chain_remove(gw, tomb, TOMB_BRANCH);
	queue_remove(gw, tomb);
	if (!slots_put(gw->tombs->pool, tomb))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	else
		counter_sub(&gw_counters(gw)->transaction_finished, 1);
}

static void tombs_timer(struct timer *timer, void *context);

/** The timer is for the first to end; one that it was armed for may have gone meanwhile. */
static void tombs_arm(struct gateway *gw)
{
	const struct tombstone *first = first_to_end(gw);
	uint64_t now_ms = gw->time.now_us / 1000;
	struct timer *timer = &gw->tombs->timer;
	uint64_t due;

	if (first == NULL)
		return;
	due = left_ms(gw, first) > 0 ? (now_ms + (uint32_t)left_ms(gw, first)) * 1000 : 0;
	if (!timer_armed(timer) || due < timer->due_us)
		wheel_arm(gw->wheel, timer, due, tombs_timer);
}

static void tombs_timer(struct timer *timer, void *context)
{
	struct gateway *gw = context;

	(void)timer;
	for (uint32_t i = 0; i < ENDED_AT_ONCE; i++) {
		struct tombstone *tomb = first_to_end(gw);

		if (tomb == NULL || left_ms(gw, tomb) > 0)
			break;
		tomb_remove(gw, tomb);
	}
	tombs_arm(gw);
}

struct tombstone *tombstone_find(struct gateway *gw, uint64_t key, enum sip_method method)
{
	struct tombstone *tomb = in_slot(gw, *bucket_of(gw, TOMB_KEY, key));

	while (tomb != NULL &&
	       (tomb->hash[TOMB_KEY] != key || tomb->method != method || left_ms(gw, tomb) <= 0))
		tomb = in_slot(gw, tomb->next[TOMB_KEY]);
	return tomb;
}

/** The one whose branch is in via; NULL: none. */
static struct tombstone *tomb_of(struct gateway *gw, const struct sip_via *via)
{
	struct tombstone *tomb;
	uint64_t hash;

	if (!transaction_branch_of(gw, via, &hash))
		return NULL;
	tomb = in_slot(gw, *bucket_of(gw, TOMB_BRANCH, hash));
	while (tomb != NULL && (tomb->hash[TOMB_BRANCH] != hash || left_ms(gw, tomb) <= 0))
		tomb = in_slot(gw, tomb->next[TOMB_BRANCH]);
	return tomb;
}

/* ---- coming into being ---------------------------------------------------------------------- */

static uint8_t hex_value(uint8_t c)
{
	return (uint8_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

/** An identifier of our own making, as request_icid() writes it. */
static void icid_pack(const struct dialog_mark *mark, uint8_t icid[ICID_LEN / 2])
{
	for (uint32_t i = 0; i < ICID_LEN / 2; i++)
		icid[i] = (uint8_t)(hex_value(mark->icid[2 * i]) << 4 |
				    hex_value(mark->icid[2 * i + 1]));
}

static void icid_unpack(const uint8_t icid[ICID_LEN / 2], struct dialog_mark *mark)
{
	struct writer w;

	writer_init(&w, mark->icid, ICID_LEN);
	writer_hex(&w, span_of(icid, ICID_LEN / 2));
	mark->icid_len = ICID_LEN;
}

/** A place for another one: a full table gives that of the first to end. */
static struct tombstone *tomb_new(struct gateway *gw)
{
	struct tombstone *tomb = slots_get(gw->tombs->pool);

	if (tomb == NULL) {
		counter_add(&gw_counters(gw)->transaction_forgotten, 1);
		tomb_remove(gw, first_to_end(gw));
		tomb = slots_get(gw->tombs->pool);
	}
	counter_add(&gw_counters(gw)->transaction_finished, 1);
	return tomb;
}

static uint64_t end_of(const struct sip_machine *m)
{
	return m->state == SIP_TERMINATED ? 0 : m->end_us;
}

static void take_route(struct gateway *gw, struct tombstone *tomb, const struct transaction *t)
{
	struct handle self = slots_handle(gw->transactions, t);

	tomb->hash[TOMB_KEY] = t->key;
	tomb->hash[TOMB_BRANCH] = transaction_branch_hash(gw, self, t->salt);
	tomb->flow_slot = t->flow.slot;
	tomb->flow_generation = t->flow.generation;
	tomb->terminating = t->kind == TRANSACTION_TERMINATE;
	tomb->transport = t->target.transport;
	tomb->in_dialog = tomb->terminating || t->origination.in_dialog;
	tomb->cancel_sent = t->cancel_sent;
}

void tombstone_leave(struct gateway *gw, const struct transaction *t)
{
	uint64_t client_us = end_of(&t->client), server_us = end_of(&t->server);
	struct tombstone *tomb = tomb_new(gw);

	take_route(gw, tomb, t);
	tomb->method = (uint8_t)t->method;
	tomb->client = t->client.state;
	tomb->server = t->server.state;
	tomb->client_reliable = t->client.reliable;
	tomb->server_reliable = t->server.reliable;
	tomb->brief = tomb->client == SIP_TERMINATED && tomb->server == SIP_CONFIRMED;
	tomb->end_ms = (uint32_t)(((client_us > server_us ? client_us : server_us) + 999) / 1000);
	if (is_said_again(t))
		copy_add(gw, tomb, t);
	else if (!tomb->in_dialog)
		icid_pack(&t->origination.mark, tomb->icid);
	chain_add(gw, tomb, TOMB_KEY);
	chain_add(gw, tomb, TOMB_BRANCH);
	queue_add(gw, tomb);
	tombs_arm(gw);
}

/* ---- what comes again ----------------------------------------------------------------------- */

/** The machine of a side, by the tables of RFC 3261 17; timers are the queues'. */
static uint32_t tomb_event(struct gateway *gw, struct tombstone *tomb, enum side side,
			   enum sip_event event)
{
	bool invite = tomb->method == SIP_INVITE, client = side == SIDE_CLIENT;
	struct sip_machine m = {
		.kind = client ? (invite ? SIP_CLIENT_INVITE : SIP_CLIENT_OTHER)
			       : (invite ? SIP_SERVER_INVITE : SIP_SERVER_OTHER),
		.state = client ? tomb->client : tomb->server,
		.reliable = client ? tomb->client_reliable : tomb->server_reliable,
		.retry_us = NEVER,
		.end_us = NEVER,
	};
	uint32_t todo = sip_machine_event(&m, event, gw->time.now_us);

	if (client)
		tomb->client = m.state;
	else
		tomb->server = m.state;
	return todo;
}

/** Over UDP who asks again gets again what it got (timer J). */
static void tomb_again(struct gateway *gw, struct tombstone *tomb, const struct mw_source *source)
{
	uint32_t todo = tomb_event(gw, tomb, SIDE_SERVER, SIP_ON_REQUEST);
	const struct tombstone_copy *copy = copy_of(gw, tomb);

	counter_add(&gw_counters(gw)->mw_absorbed, 1);
	if ((todo & SIP_DO_AGAIN) && source != NULL && copy != NULL)
		(void)gw->env->to_source(gw->env->context, source, span_of(copy->bytes, copy->len));
}

bool tombstone_repeated(struct gateway *gw, uint64_t key, const struct mw_source *source)
{
	bool ack = gw->message.method == SIP_ACK;
	struct tombstone *tomb = tombstone_find(gw, key, ack ? SIP_INVITE : gw->message.method);

	if (tomb == NULL || (ack && tomb->server == SIP_ACCEPTED))
		return false;
	if (!ack) {
		tomb_again(gw, tomb, source);
		return true;
	}
	if (tomb_event(gw, tomb, SIDE_SERVER, SIP_ON_ACK) != 0)
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	if (tomb->client == SIP_TERMINATED && tomb->server == SIP_TERMINATED)
		tomb_remove(gw, tomb);
	return true;
}

/** A further 2xx, of another branch of the call or the same once more. */
static void tomb_forward(struct gateway *gw, struct tombstone *tomb)
{
	struct handle flow = {.worker = gw->config.worker,
			      .slot = tomb->flow_slot,
			      .generation = tomb->flow_generation};
	struct wic *wic = gw->env->wic(gw->env->context, flow);
	struct dialog_mark mark = {.originating = true};
	enum gw_err err;

	if (wic == NULL || !(tomb_event(gw, tomb, SIDE_SERVER, SIP_ON_SUCCESS) & SIP_DO_RESPONSE))
		return;
	if (!tomb->in_dialog)
		icid_unpack(tomb->icid, &mark);
	err = originate_answer(gw, wic, tomb->in_dialog ? NULL : &mark,
			       (enum mw_transport)tomb->transport);
	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, flow, writer_span(&gw->out));
	if (err != GW_OK)
		gateway_count(gw, err);
}

/** A response of this method is one to tomb's request, or to our CANCEL of it. */
static bool is_answer(const struct tombstone *tomb, enum sip_method method)
{
	return tomb->method == method || (method == SIP_CANCEL && tomb->cancel_sent);
}

bool tombstone_response(struct gateway *gw, const struct sip_via *via)
{
	struct tombstone *tomb = tomb_of(gw, via);
	const struct tombstone_copy *copy;
	uint32_t todo;

	if (tomb == NULL || tomb->terminating || !is_answer(tomb, gw->message.method))
		return false;
	if (gw->message.method != tomb->method)
		return true;
	todo = tomb_event(gw, tomb, SIDE_CLIENT, sip_status_event(gw->message.status));
	copy = copy_of(gw, tomb);
	if ((todo & SIP_DO_ACK) && copy != NULL)
		(void)gw->env->to_mw(gw->env->context, &copy->target,
				     span_of(copy->bytes, copy->len));
	if (todo & SIP_DO_RESPONSE)
		tomb_forward(gw, tomb);
	return true;
}

bool tombstone_absorbs(struct gateway *gw, const struct wic *wic, const struct sip_via *via)
{
	const struct tombstone *tomb = tomb_of(gw, via);

	return tomb != NULL && tomb->terminating && tomb->flow_slot == wic->flow.slot &&
	       tomb->flow_generation == wic->flow.generation && is_answer(tomb, gw->message.method);
}
