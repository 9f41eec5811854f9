/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "registrar.h"

/*
 * The bindings of the identities of blocks (RFC 3261 10.3), with the home worker of each identity:
 * what is decided about one is decided here, one REGISTER after the other. A row says where a
 * binding is; the binding itself is its flow's (register_block.c). The core knows nothing of them.
 */

/** A binding of an identity. */
struct contact {
	struct timer expiry;
	uint32_t next; /* slot + 1 of the next in its bucket */
	struct registrar_key key;
	uint64_t apart, call_id;
	uint32_t cseq;
	struct handle flow, from; /* who has it; who had it before, none */
	struct registrar_order from_order;
	uint64_t since_us; /* when its flow had it first: the youngest is called */
	uint64_t expires_us;
	uint16_t len;
	uint8_t text[REGISTRAR_CONTACT_MAX];
};

struct registrar {
	struct slots *pool;
	uint32_t *bucket; /* slot + 1 */
	uint32_t mask;
	uint8_t list[REGISTRAR_LIST_MAX]; /* Contact lines of an answer */
};

bool registrar_open(struct gateway *gw)
{
	uint32_t capacity = 2 * gw->config.max_bindings, buckets = 16; /* hashes share unevenly */
	struct registrar *r = calloc(1, sizeof(*r));

	gw->blocks->registrar = r;
	if (r == NULL)
		return false;
	while (buckets < capacity)
		buckets *= 2;
	r->mask = buckets - 1;
	r->bucket = calloc(buckets, sizeof(*r->bucket));
	r->pool = slots_new(gw->config.worker, capacity, sizeof(struct contact), gw->config.epoch);
	return r->bucket != NULL && r->pool != NULL;
}

void registrar_close(struct gateway *gw)
{
	struct registrar *r = gw->blocks->registrar;

	if (r == NULL)
		return;
	slots_free(r->pool);
	free(r->bucket);
	free(r);
}

/* ---- the table ------------------------------------------------------------------------------ */

struct registrar_key registrar_key(const struct gateway *gw, struct span site,
				   const struct identity *impu)
{
	return (struct registrar_key){
		.impu = gateway_identity_hash(gw, identity_span(impu)),
		.site = gateway_identity_hash(gw, span_cut(site, 0, SITE_NAME_MAX)),
	};
}

uint16_t registrar_home(const struct gateway *gw, const struct registrar_key *key)
{
	return (uint16_t)(key->impu % gw->config.workers);
}

static bool key_equal(const struct registrar_key *a, const struct registrar_key *b)
{
	return a->impu == b->impu && a->site == b->site;
}

static uint32_t *bucket_of(struct registrar *r, const struct registrar_key *key)
{
	return &r->bucket[(key->impu ^ key->impu >> 32) & r->mask];
}

/** The first at slot_plus_1 or behind it that is of that key. */
static struct contact *contact_at(const struct registrar *r, const struct registrar_key *key,
				  uint32_t slot_plus_1)
{
	struct contact *c;

	for (; slot_plus_1 != 0; slot_plus_1 = c->next) {
		c = slots_slot(r->pool, slot_plus_1 - 1);
		if (key_equal(&c->key, key))
			return c;
	}
	return NULL;
}

static struct contact *contact_first(struct registrar *r, const struct registrar_key *key)
{
	return contact_at(r, key, *bucket_of(r, key));
}

static struct contact *contact_next(const struct registrar *r, const struct contact *c)
{
	return contact_at(r, &c->key, c->next);
}

static struct contact *contact_apart(struct registrar *r, const struct registrar_key *key,
				     uint64_t apart)
{
	struct contact *c = contact_first(r, key);

	while (c != NULL && c->apart != apart)
		c = contact_next(r, c);
	return c;
}

static struct contact *contact_of_flow(struct registrar *r, const struct registrar_key *key,
				       struct handle flow)
{
	struct contact *c = contact_first(r, key);

	while (c != NULL && !handle_equal(c->flow, flow))
		c = contact_next(r, c);
	return c;
}

static void contact_put(struct gateway *gw, struct contact *c)
{
	struct registrar *r = gw->blocks->registrar;
	uint32_t self = slots_handle(r->pool, c).slot + 1;
	uint32_t *link = bucket_of(r, &c->key);

	while (*link != self) {
		struct contact *before = slots_slot(r->pool, *link - 1);

		link = &before->next;
	}
	*link = c->next;
	wheel_disarm(gw->wheel, &c->expiry);
	if (!slots_put(r->pool, c))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	else
		counter_sub(&gw_counters(gw)->registrar_live, 1);
}

static struct contact *contact_get(struct gateway *gw, const struct registrar_key *key)
{
	struct registrar *r = gw->blocks->registrar;
	struct contact *c = slots_get(r->pool);
	uint32_t *bucket = bucket_of(r, key);

	if (c == NULL) {
		counter_add(&gw_counters(gw)->registrar_refused, 1);
		return NULL;
	}
	c->key = *key;
	c->next = *bucket;
	*bucket = slots_handle(r->pool, c).slot + 1;
	counter_add(&gw_counters(gw)->registrar_live, 1);
	return c;
}

/** A binding of that flow has ended by another one's doing. */
static void say_ended(struct gateway *gw, const struct registrar_key *key, struct handle flow,
		      const struct registrar_order *order)
{
	struct message_registrar_ended m = {
		.head = {MESSAGE_REGISTRAR_ENDED, sizeof(m)},
		.key = *key,
		.flow = flow,
		.order = *order,
	};

	outbox_send(gw, flow.worker, &m.head);
}

/** It goes. Who had the Contact before may not have heard of that: the binding that was to tell him
 * was perhaps never attached. Maybe he hears at once, so the row is gone by then. */
static void contact_end(struct gateway *gw, struct contact *c)
{
	struct registrar_key key = c->key;
	struct registrar_order order = c->from_order;
	struct handle from = c->from;

	contact_put(gw, c);
	if (!handle_is_none(from))
		say_ended(gw, &key, from, &order);
}

static void contact_expire(struct timer *timer, void *context)
{
	contact_put(context,
		    (struct contact *)timer); /* its flow's worker knows the time as well */
}

struct handle registrar_youngest(const struct gateway *gw, const struct registrar_key *key)
{
	struct registrar *r = gw->blocks->registrar;
	const struct contact *youngest = contact_first(r, key);

	for (const struct contact *c = youngest; c != NULL; c = contact_next(r, c))
		if (c->since_us > youngest->since_us)
			youngest = c;
	return youngest != NULL ? youngest->flow : handle_none();
}

uint32_t registrar_flows(const struct gateway *gw, const struct registrar_key *key,
			 struct handle *flow, uint32_t max)
{
	struct registrar *r = gw->blocks->registrar;
	uint32_t n = 0;

	for (const struct contact *c = contact_first(r, key); c != NULL && n < max;
	     c = contact_next(r, c))
		flow[n++] = c->flow;
	return n;
}

/* ---- what a REGISTER does ------------------------------------------------------------------- */

/** RFC 3261 10.3 step 7: of one call, a later one only. */
static bool is_late(const struct contact *c, const struct message_registrar_ask *ask)
{
	return c != NULL && c->call_id == ask->call_id && ask->cseq <= c->cseq;
}

/** It goes; whose it is hears of it, when it is not who asks. */
static void remove_one(struct gateway *gw, struct contact *c,
		       const struct message_registrar_ask *ask)
{
	struct registrar_order any = {0};
	struct handle flow = c->flow;

	contact_end(gw, c);
	if (!handle_equal(flow, ask->flow))
		say_ended(gw, &ask->key, flow, &any);
}

static enum gw_err unbind_contact(struct gateway *gw, const struct message_registrar_ask *ask)
{
	struct contact *c = contact_apart(gw->blocks->registrar, &ask->key, ask->apart);

	if (is_late(c, ask))
		return GW_REGISTRAR_ORDER;
	if (c != NULL)
		remove_one(gw, c, ask);
	return GW_OK;
}

/** All, or none. */
static enum gw_err unbind_all(struct gateway *gw, const struct message_registrar_ask *ask)
{
	struct registrar *r = gw->blocks->registrar;
	struct contact *c;

	for (c = contact_first(r, &ask->key); c != NULL; c = contact_next(r, c))
		if (is_late(c, ask))
			return GW_REGISTRAR_ORDER;
	while ((c = contact_first(r, &ask->key)) != NULL)
		remove_one(gw, c, ask);
	return GW_OK;
}

static uint32_t count_of(struct registrar *r, const struct registrar_key *key)
{
	uint32_t n = 0;

	for (const struct contact *c = contact_first(r, key); c != NULL; c = contact_next(r, c))
		n++;
	return n;
}

/** The row that the REGISTER is about, or that of its flow, which has one; else a new one. */
static struct contact *contact_for(struct gateway *gw, const struct message_registrar_ask *ask)
{
	struct registrar *r = gw->blocks->registrar;
	struct contact *c = contact_apart(r, &ask->key, ask->apart);
	struct contact *own = contact_of_flow(r, &ask->key, ask->flow);

	if (c != NULL && own != NULL && own != c)
		contact_put(gw, own); /* the flow has the other one from now on */
	if (c == NULL)
		c = own;
	if (c != NULL || count_of(r, &ask->key) >= ask->max)
		return c;
	return contact_get(gw, &ask->key);
}

/** c is the asking flow's from now on. Who had it before on another one hears of it when the
 * binding is attached (home.c), or when that comes to nothing. */
static void contact_moves(struct gateway *gw, struct contact *c,
			  const struct message_registrar_ask *ask)
{
	struct handle earlier = c->from;
	struct registrar_order order = c->from_order;

	if (handle_equal(c->flow, ask->flow))
		return;
	c->since_us = gw->time.now_us;
	c->from = c->flow; /* none of a new row */
	c->from_order = (struct registrar_order){c->call_id, c->cseq};
	c->flow = ask->flow;
	if (!handle_is_none(earlier) && !handle_equal(earlier, ask->flow))
		say_ended(gw, &ask->key, earlier, &order);
}

static enum gw_err bind_contact(struct gateway *gw, const struct message_registrar_ask *ask,
				struct span text)
{
	struct contact *c = contact_apart(gw->blocks->registrar, &ask->key, ask->apart);

	if (is_late(c, ask))
		return GW_REGISTRAR_ORDER;
	c = contact_for(gw, ask);
	if (c == NULL)
		return GW_BINDING_LIMIT;
	contact_moves(gw, c, ask);
	c->apart = ask->apart;
	c->call_id = ask->call_id;
	c->cseq = ask->cseq;
	c->expires_us = gw->time.now_us + ask->expires_s * 1000000ull;
	text = span_cut(text, 0, sizeof(c->text));
	c->len = (uint16_t)text.len;
	memcpy(c->text, text.at, text.len);
	wheel_arm(gw->wheel, &c->expiry, c->expires_us, contact_expire);
	return GW_OK;
}

static enum gw_err decide(struct gateway *gw, const struct message_registrar_ask *ask,
			  struct span text)
{
	switch (ask->what) {
	case REGISTRAR_BIND:
		return bind_contact(gw, ask, text);
	case REGISTRAR_UNBIND:
		return unbind_contact(gw, ask);
	case REGISTRAR_UNBIND_ALL:
		return unbind_all(gw, ask);
	default:
		return GW_OK;
	}
}

/* ---- the answer ----------------------------------------------------------------------------- */

/** Contact lines of all bindings, with whole seconds of what is left; what has none is as gone. */
static struct span list(struct gateway *gw, const struct registrar_key *key)
{
	struct registrar *r = gw->blocks->registrar;
	struct writer w;

	writer_init(&w, r->list, sizeof(r->list));
	for (const struct contact *c = contact_first(r, key); c != NULL; c = contact_next(r, c)) {
		uint64_t left_s = c->expires_us > gw->time.now_us
					  ? (c->expires_us - gw->time.now_us) / 1000000
					  : 0;

		if (left_s == 0)
			continue;
		writer_text(&w, "Contact: ");
		writer_bytes(&w, c->text, c->len);
		writer_text(&w, ";expires=");
		writer_decimal(&w, left_s);
		writer_text(&w, "\r\n");
	}
	return writer_ok(&w) ? writer_span(&w) : SPAN("");
}

static void answer(struct gateway *gw, const struct message_registrar_ask *ask, enum gw_err err)
{
	struct span lines = err == GW_OK ? list(gw, &ask->key) : SPAN("");
	struct message_registrar_answer m = {
		.head = {MESSAGE_REGISTRAR_ANSWER, (uint32_t)sizeof(m) + lines.len},
		.transaction = ask->transaction,
		.err = err,
	};

	if (ask->flow.worker == gw->config.worker)
		register_block_answered(gw, &m, lines);
	else if (outbox_try_with(gw, ask->flow.worker, &m.head, sizeof(m), lines) != GW_OK)
		counter_add(&gw_counters(gw)->registrar_ring_full, 1); /* it asks no longer soon */
}

static void asked(struct gateway *gw, const struct message_registrar_ask *ask, struct span text)
{
	answer(gw, ask, decide(gw, ask, text));
}

enum gw_err registrar_ask(struct gateway *gw, struct message_registrar_ask *ask,
			  struct span contact)
{
	uint16_t home = registrar_home(gw, &ask->key);

	ask->head =
		(struct message_head){MESSAGE_REGISTRAR_ASK, (uint32_t)sizeof(*ask) + contact.len};
	if (home == gw->config.worker) {
		asked(gw, ask, contact);
		return GW_OK;
	}
	if (outbox_try_with(gw, home, &ask->head, sizeof(*ask), contact) == GW_OK)
		return GW_OK;
	counter_add(&gw_counters(gw)->registrar_ring_full, 1);
	return GW_REGISTRAR_BUSY;
}

/* ---- the end of a binding ------------------------------------------------------------------- */

void registrar_say_gone(struct gateway *gw, const struct registrar_key *key, struct handle flow,
			const struct registrar_order *order)
{
	struct message_registrar_gone m = {
		.head = {MESSAGE_REGISTRAR_GONE, sizeof(m)},
		.key = *key,
		.flow = flow,
		.order = *order,
	};

	outbox_send(gw, registrar_home(gw, key), &m.head);
}

static void gone(struct gateway *gw, const struct message_registrar_gone *m)
{
	struct contact *c = contact_of_flow(gw->blocks->registrar, &m->key, m->flow);

	/* a later REGISTER of the flow may have been here meanwhile: its row stays */
	if (c != NULL && c->call_id == m->order.call_id && c->cseq <= m->order.cseq)
		contact_end(gw, c);
}

void gateway_registrar_message(struct gateway *gw, const struct message_head *head,
			       struct span message)
{
	const void *at = head;

	switch (head->kind) {
	case MESSAGE_REGISTRAR_ASK:
		asked(gw, at, span_from(message, sizeof(struct message_registrar_ask)));
		return;
	case MESSAGE_REGISTRAR_ANSWER:
		register_block_answered(gw, at,
					span_from(message,
						  sizeof(struct message_registrar_answer)));
		return;
	case MESSAGE_REGISTRAR_GONE:
		gone(gw, at);
		return;
	case MESSAGE_REGISTRAR_ENDED:
		register_block_ended(gw, at);
		return;
	default:
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	}
}

uint32_t gateway_registrar(const struct gateway *gw)
{
	return slots_live(gw->blocks->registrar->pool);
}
