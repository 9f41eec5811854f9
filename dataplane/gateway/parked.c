/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "internal.h"

/*
 * Requests that wait for the keys of their token's issuer (PROTOCOL 3.5 step 7). Only the request
 * waits: its bytes are moved here, its connection is read on. One for each flow, so that a flow's
 * REGISTERs stay in order: another REGISTER meanwhile gets 500 with Retry-After, as RFC 3261 14.2
 * has it for what overlaps, and one that is the same again is dropped. A request waits
 * for one fetch; what is still unknown then is refused. A reload may have given its issuer another
 * row, or its key: it is looked at anew, and waits on where that is needed, until its old deadline.
 */

#define PARKED_US 7000000 /* a fetch may take 5 s (PROTOCOL 3.8), and has to be heard of */
#define LARGE_SHARE 16	  /* one in so many may be longer than a small one */

/* ---- lists ---------------------------------------------------------------------------------- */

static void list_init(struct parked_list *list)
{
	list->first = NULL;
	list->end = &list->first;
	list->count = 0;
}

static void list_append(struct parked_list *list, struct parked *p)
{
	p->next = NULL;
	p->link = list->end;
	*list->end = p;
	list->end = &p->next;
	list->count++;
	p->list = list;
}

static void list_remove(struct parked *p)
{
	struct parked_list *list = p->list;

	if (list == NULL)
		return;
	*p->link = p->next;
	if (p->next != NULL)
		p->next->link = p->link;
	else
		list->end = p->link;
	list->count--;
	p->list = NULL;
}

static void make_ready(struct gateway *gw, struct parked *p)
{
	list_remove(p);
	wheel_disarm(gw->wheel, &p->deadline);
	list_append(&gw->parked->ready, p);
}

/* ---- the pool ------------------------------------------------------------------------------- */

struct parked_pool *parked_pool_new(const struct gateway_config *config)
{
	uint32_t records = config->max_parked, large = (records + LARGE_SHARE - 1) / LARGE_SHARE;
	struct parked_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->records = slots_new(config->worker, records, sizeof(struct parked), config->epoch);
	pool->small = slots_new(config->worker, records, PARKED_SMALL, config->epoch);
	pool->large = slots_new(config->worker, large, config->max_message, config->epoch);
	list_init(&pool->ready);
	for (uint32_t i = 0; i < PARKED_ISSUERS_MAX; i++)
		list_init(&pool->issuer[i].waiting);
	if (pool->records != NULL && pool->small != NULL && pool->large != NULL)
		return pool;
	parked_pool_free(pool);
	return NULL;
}

void parked_pool_free(struct parked_pool *pool)
{
	if (pool == NULL)
		return;
	slots_free(pool->records);
	slots_free(pool->small);
	slots_free(pool->large);
	free(pool);
}

struct handle parked_handle(const struct gateway *gw, const struct parked *p)
{
	return slots_handle(gw->parked->records, p);
}

uint32_t gateway_parked(const struct gateway *gw)
{
	return slots_live(gw->parked->records);
}

static bool is_small(uint32_t len)
{
	return len <= PARKED_SMALL;
}

static void parked_free(struct gateway *gw, struct parked *p)
{
	struct parked_pool *pool = gw->parked;
	struct wic *wic = gw->env->wic(gw->env->context, p->flow);

	list_remove(p);
	wheel_disarm(gw->wheel, &p->deadline);
	if (!is_small(p->len))
		pool->issuer[p->issuer].large--;
	if (wic != NULL && handle_equal(wic->parked, parked_handle(gw, p)))
		wic->parked = handle_none();
	if (!slots_put(is_small(p->len) ? pool->small : pool->large, p->bytes) ||
	    !slots_put(pool->records, p))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	counter_sub(&gw_counters(gw)->parked_live, 1);
}

void parked_flow_ended(struct gateway *gw, struct wic *wic)
{
	struct parked *p = slots_at(gw->parked->records, wic->parked);

	wic->parked = handle_none();
	if (p != NULL)
		parked_free(gw, p);
}

/* ---- parking -------------------------------------------------------------------------------- */

static void parked_late(struct timer *timer, void *context)
{
	struct parked *p = (struct parked *)timer;
	struct gateway *gw = context;

	if (p->state == PARKED_VERIFYING) {
		p->state = PARKED_VERIFIED; /* a lost verdict counts as a failed driver */
	} else {
		p->state = PARKED_LATE;
		gw->parked->issuer[p->issuer].asked = false; /* the next one may ask again */
	}
	make_ready(gw, p);
}

/** Room for one more of that issuer: half of the records and half of the large ones at most. */
static bool has_room(const struct parked_pool *pool, uint32_t issuer, uint32_t len)
{
	const struct parked_issuer *i = &pool->issuer[issuer];
	uint32_t records = (slots_capacity(pool->records) + 1) / 2;
	uint32_t large = (slots_capacity(pool->large) + 1) / 2;

	return i->waiting.count < records && (is_small(len) || i->large < large);
}

static struct parked *parked_get(struct gateway *gw, struct span bytes)
{
	struct parked_pool *pool = gw->parked;
	struct parked *p = slots_get(pool->records);

	if (p == NULL)
		return NULL;
	p->bytes = slots_get_unzeroed(is_small(bytes.len) ? pool->small : pool->large);
	if (p->bytes == NULL) {
		if (!slots_put(pool->records, p))
			counter_add(&gw_counters(gw)->invariant_broken, 1);
		return NULL;
	}
	memcpy(p->bytes, bytes.at, bytes.len);
	p->len = bytes.len;
	return p;
}

/** Asks control for the keys, once for each fetch that has ended. */
static void ask(struct gateway *gw, uint32_t issuer)
{
	struct parked_issuer *i = &gw->parked->issuer[issuer];
	struct message_keys_wanted wanted = {
		.head = {MESSAGE_KEYS_WANTED, sizeof(wanted)},
		.config_generation = gw_config(gw)->part.generation,
		.issuer = issuer,
	};

	if (i->asked || gw->env->to_worker(gw->env->context, gw->config.workers,
					   span_of(&wanted, sizeof(wanted)), SPAN("")) != GW_OK)
		return;
	i->asked = true;
	counter_add(&gw_counters(gw)->keys_wanted, 1);
}

/** Whether somebody could still bring the key: it can be fetched, or is being fetched. */
static bool can_be_fetched(const struct gateway *gw, uint32_t issuer)
{
	const struct key_part *keys = gw->time.view->keys;

	if (keys == NULL || keys->issuer == NULL || issuer >= keys->issuer_count ||
	    issuer >= PARKED_ISSUERS_MAX)
		return false;
	return keys->issuer[issuer].refetchable || gw->parked->issuer[issuer].asked;
}

/** A kid that a set could have. */
static bool names_a_key(const struct token_claims *claims)
{
	return claims->kid.len > 0 && span_at(claims->kid, TOKEN_KID_MAX) < 0;
}

/** p waits for the keys of an issuer, until its deadline. */
static void wait_for(struct gateway *gw, struct parked *p, uint32_t issuer)
{
	p->state = PARKED_WAITING;
	p->issuer = issuer;
	gw->parked->issuer[issuer].large += !is_small(p->len);
	list_append(&gw->parked->issuer[issuer].waiting, p);
	wheel_arm(gw->wheel, &p->deadline, p->due_us, parked_late);
	ask(gw, issuer);
}

/** After a reload: the issuer of its token may have another row. */
static enum gw_err wait_on(struct gateway *gw, struct parked *p, uint32_t issuer)
{
	struct parked_issuer *before = &gw->parked->issuer[p->issuer];

	if (p->state != PARKED_RELOADED)
		return GW_TOKEN_KID;
	before->large -= !is_small(p->len);
	if (has_room(gw->parked, issuer, p->len)) {
		wait_for(gw, p, issuer);
		return GW_PARKED;
	}
	before->large += !is_small(p->len);
	return GW_PARKED_LIMIT;
}

enum gw_err parked_for_keys(struct gateway *gw, struct wic *wic)
{
	uint32_t issuer = gw->claims.issuer;
	struct parked *p;

	if (!names_a_key(&gw->claims) || !can_be_fetched(gw, issuer))
		return GW_TOKEN_KID;
	if (gw->resumed != NULL)
		return wait_on(gw, gw->resumed, issuer);
	if (!handle_is_none(wic->parked))
		return GW_REQUEST_PENDING;
	if (!has_room(gw->parked, issuer, gw->message.text.len))
		return GW_PARKED_LIMIT;
	p = parked_get(gw, gw->message.text);
	if (p == NULL)
		return GW_PARKED_LIMIT;
	p->flow = wic->flow;
	p->due_us = gw->time.now_us + PARKED_US;
	p->transaction = transaction_key(gw, &gw->message);
	p->method = gw->message.method;
	wic->parked = parked_handle(gw, p);
	counter_add(&gw_counters(gw)->parked_live, 1);
	counter_add(&gw_counters(gw)->parked, 1);
	wait_for(gw, p, issuer);
	return GW_PARKED;
}

enum gw_err parked_check(struct gateway *gw, const struct wic *wic)
{
	const struct parked *p = slots_at(gw->parked->records, wic->parked);

	if (p == NULL || gw->resumed != NULL || gw->message.method == SIP_ACK)
		return GW_OK;
	if (p->method == gw->message.method &&
	    p->transaction == transaction_key(gw, &gw->message)) {
		counter_add(&gw_counters(gw)->parked_repeated, 1);
		return GW_PARKED;
	}
	return p->method == SIP_REGISTER && gw->message.method == SIP_REGISTER ? GW_REQUEST_PENDING
									       : GW_OK;
}

/* ---- going on ------------------------------------------------------------------------------- */

/** All that wait for an issuer go on, in their order. */
static void issuer_ready(struct gateway *gw, struct parked_issuer *i, enum parked_state state)
{
	while (i->waiting.first != NULL) {
		i->waiting.first->state = state;
		make_ready(gw, i->waiting.first);
	}
	i->asked = false;
}

void parked_turn(struct gateway *gw)
{
	const struct snapshot *view = gw->time.view;
	struct parked_pool *pool = gw->parked;
	uint32_t config = view->config->part.generation;
	uint32_t keys = view->keys != NULL ? view->keys->part.generation : 0;
	bool reloaded = config != pool->config_generation;

	if (!reloaded && keys == pool->keys_generation)
		return;
	pool->config_generation = config;
	pool->keys_generation = keys;
	for (uint32_t i = 0; i < PARKED_ISSUERS_MAX; i++) {
		struct parked_issuer *row = &pool->issuer[i];
		bool known = view->keys != NULL && view->keys->issuer != NULL &&
			     i < view->keys->issuer_count;
		uint32_t fetches = known ? view->keys->issuer[i].fetches : 0;

		if (reloaded)
			issuer_ready(gw, row, PARKED_RELOADED);
		else if (fetches != row->fetches)
			issuer_ready(gw, row, PARKED_FETCHED);
		row->fetches = fetches;
	}
}

/** F10, or F11 when what was waited for did not come and nothing else is left. */
static enum gw_err late(const struct gateway *gw, const struct parked *p)
{
	return authorize_keys_missing(gw, p->issuer) ? GW_TOKEN_KEYS_DOWN : GW_TOKEN_KID;
}

static enum gw_err go_on(struct gateway *gw, struct parked *p, struct wic *wic)
{
	if (p->state == PARKED_LATE)
		return late(gw, p);
	if (p->state == PARKED_VERIFIED)
		return request_verified(gw, wic, p->verdict);
	return request_of_wic(gw, wic);
}

/** Runs p. GW_AGAIN: its signature is being checked; GW_PARKED: it waits on; else it is not parked
 * any more. */
static enum gw_err resume(struct gateway *gw, struct parked *p)
{
	struct wic *wic = gw->env->wic(gw->env->context, p->flow);
	struct span bytes = span_of(memcpy(gw->resumed_memory, p->bytes, p->len), p->len);
	enum gw_err err = wic != NULL ? sip_index(bytes, &gw->message) : GW_STALE;

	gw->resumed = p;
	if (err == GW_OK)
		err = go_on(gw, p, wic);
	gw->resumed = NULL;
	if (err == GW_AGAIN) {
		p->state = PARKED_VERIFYING;
		p->verdict = GW_VERIFIER_FAILED;
		wheel_arm(gw->wheel, &p->deadline, gw->time.now_us + GATEWAY_VERDICT_US,
			  parked_late);
	} else if (err != GW_PARKED) {
		parked_free(gw, p);
	}
	return err;
}

bool gateway_resume(struct gateway *gw, struct gateway_resumed *resumed)
{
	struct parked *p = gw->parked->ready.first;
	enum gw_err err;

	if (p == NULL)
		return false;
	list_remove(p);
	resumed->flow = p->flow;
	err = resume(gw, p);
	resumed->result = (struct gateway_result){err, true};
	if (err == GW_AGAIN || err == GW_PARKED)
		resumed->result.err = GW_OK; /* it is answered another time */
	return true;
}

void gateway_parked_verdict(struct gateway *gw, struct handle owner, enum gw_err verdict)
{
	struct parked *p = slots_at(gw->parked->records, owner);

	if (p == NULL || p->state != PARKED_VERIFYING) {
		counter_add(&gw_counters(gw)->mailbox_stale, 1);
		return;
	}
	p->state = PARKED_VERIFIED;
	p->verdict = verdict;
	make_ready(gw, p);
}
