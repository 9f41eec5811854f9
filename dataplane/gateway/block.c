/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "block_call.h"
#include "fork.h"

/*
 * One registration for all identities of a block (PROTOCOL 8.1). The worker that the hash of its
 * private identity names registers it, from the first turn that has it in its configuration until
 * one has it no more; docs/design.md (Blocks) has its states.
 */

#define REFRESH_BEFORE_S 600 /* TS 24.229 5.1.1.4.1 */
#define LEAVE_RETRY_S 1	     /* as other farewells: PROTOCOL 6.5 */
#define LEAVE_RETRY_MAX_S 64
#define DOUBLINGS_MAX 20

bool blocks_open(struct gateway *gw)
{
	gw->blocks = calloc(1, sizeof(*gw->blocks));
	if (gw->blocks == NULL)
		return false;
	gw->blocks->pool =
		slots_new(gw->config.worker, BLOCKS_MAX, sizeof(struct block), gw->config.epoch);
	return gw->blocks->pool != NULL && block_ways_open(gw) && registrar_open(gw) &&
	       fork_open(gw);
}

void blocks_close(struct gateway *gw)
{
	if (gw->blocks == NULL)
		return;
	slots_free(gw->blocks->pool);
	block_ways_close(gw);
	registrar_close(gw);
	fork_close(gw);
	free(gw->blocks);
}

/* ---- which there are ------------------------------------------------------------------------ */

struct block *block_named(const struct gateway *gw, struct span name)
{
	uint32_t cursor = 0;
	struct block *b;

	while ((b = slots_next(gw->blocks->pool, &cursor)) != NULL)
		if (b->state != BLOCK_LEAVING && span_equal(span_text(b->name), name))
			return b;
	return NULL;
}

struct block *block_find(const struct gateway *gw, struct span name, uint64_t impi_hash,
			 uint64_t impu_hash)
{
	uint32_t cursor = 0;
	struct block *b;

	while ((b = slots_next(gw->blocks->pool, &cursor)) != NULL)
		if (span_equal(span_text(b->name), name) && b->impi_hash == impi_hash &&
		    b->impu_hash == impu_hash)
			return b;
	return NULL;
}

bool block_is_home(const struct gateway *gw, const struct block *b)
{
	return b->impi_hash % gw->config.workers == gw->config.worker;
}

bool block_is_up(const struct gateway *gw, const struct block *b)
{
	return b != NULL && b->state == BLOCK_UP && gw->time.now_us < b->until_us;
}

struct span block_routes(const struct gateway *gw, struct span name)
{
	const struct block *b = block_named(gw, name);

	return block_is_up(gw, b) ? span_of(b->routes, b->routes_len) : SPAN("");
}

struct block *block_new(struct gateway *gw, struct span name)
{
	struct block *b = slots_get(gw->blocks->pool);

	if (b == NULL) {
		counter_add(&gw_counters(gw)->block_refused, 1);
		return NULL;
	}
	name = span_cut(name, 0, SITE_NAME_MAX);
	memcpy(b->name, name.at, name.len);
	return b;
}

void block_free(struct gateway *gw, struct block *b)
{
	wheel_disarm(gw->wheel, &b->timer);
	if (!slots_put(gw->blocks->pool, b))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
}

void block_moves(struct gateway *gw, const char *from, const char *to)
{
	struct block *old = from[0] != '\0' ? block_named(gw, span_text(from)) : NULL;
	struct block *new = to[0] != '\0' ? block_named(gw, span_text(to)) : NULL;

	if (old != NULL && old->bindings > 0) /* else the block is younger than its binding */
		old->bindings--;
	if (new != NULL)
		new->bindings++;
}

void block_drop(struct gateway *gw, struct block *b)
{
	b->dropped_us = gw->time.now_us;
	revoked_walk(gw);
}

bool block_has_dropped(const struct gateway *gw, const struct binding *binding)
{
	const struct block *b = block_named(gw, span_text(binding->wwsf));

	/* asked for in the same turn: the block was down, or goes down behind it */
	return b != NULL && b->dropped_us != 0 && binding->asked_us <= b->dropped_us;
}

/* ---- when it is registered ------------------------------------------------------------------ */

/** 0: that has passed, or never comes. */
static uint32_t seconds_to(const struct gateway *gw, uint64_t us)
{
	if (us == NEVER || us <= gw->time.now_us)
		return 0;
	return (uint32_t)((us - gw->time.now_us + 999999) / 1000000);
}

void block_event(struct gateway *gw, const struct block *b, enum event_kind what)
{
	struct message_event event = {
		.head = {MESSAGE_EVENT, sizeof(event)},
		.what = what,
		.impi_hash = b->impi_hash,
		.impu_hash = b->impu_hash,
		.status = b->status,
	};

	if (block_is_up(gw, b)) {
		event.seconds = (uint32_t)((b->until_us - gw->time.now_us) / 1000000);
	} else if (what == EVENT_BLOCK_DOWN) {
		event.seconds = seconds_to(gw, b->next_us);
		event.err = b->ended;
	}
	memcpy(event.text, b->name, sizeof(b->name));
	gw->env->event(gw->env->context, &event);
}

static void block_timer(struct timer *timer, void *context);

/** What comes first: the next try, unless one is under way, or its end at the core. */
static void block_arm(struct gateway *gw, struct block *b)
{
	uint64_t due = slots_at(gw->transactions, b->own) != NULL ? NEVER : b->next_us;

	if (b->state == BLOCK_UP && b->until_us < due)
		due = b->until_us;
	if (due == NEVER)
		wheel_disarm(gw->wheel, &b->timer);
	else
		wheel_arm(gw->wheel, &b->timer, due, block_timer);
}

static void block_down(struct gateway *gw, struct block *b)
{
	if (b->state != BLOCK_UP)
		return;
	b->state = BLOCK_DOWN;
	if (!block_is_home(gw, b))
		return;
	reg_block_over(gw, b);
	block_named_over(gw, b);
	counter_sub(&gw_counters(gw)->block_up, 1);
	block_event(gw, b, EVENT_BLOCK_DOWN);
	block_tell(gw, b);
}

/** The wait after the n-th failure in a row (RFC 5626 4.5): twice as long each time, up to a
 * limit, and of that between a half and all. */
static uint64_t backoff_us(const struct gateway *gw, uint32_t failures)
{
	uint64_t most_us = gw_config(gw)->block_retry_max_s * 1000000ull;
	uint64_t us = gw_config(gw)->block_retry_s * 1000000ull;

	us <<= failures < DOUBLINGS_MAX ? failures : DOUBLINGS_MAX;
	if (us > most_us)
		us = most_us;
	return us / 2 + gw->env->random(gw->env->context) % (us / 2 + 1);
}

/** A registration that the core holds counts until its end, while it only does not answer. */
static bool is_refused(uint16_t status)
{
	return status != 408 && status != 429 && status != 480 && (status < 500 || status >= 600);
}

static void block_failed(struct gateway *gw, struct block *b, uint16_t status)
{
	counter_add(&gw_counters(gw)->block_failed, 1);
	b->status = status;
	b->failures++;
	b->next_us = gw->time.now_us + backoff_us(gw, b->failures);
	if (b->next_us < b->barred_us)
		b->next_us = b->barred_us;
	if (gw->time.now_us >= b->barred_us)
		b->ended = GW_OK; /* it is down because of this */
	block_event(gw, b, EVENT_BLOCK_FAILED);
	if (is_refused(status))
		block_down(gw, b);
	else
		block_tell(gw, b);
	block_arm(gw, b);
}

static void block_ask(struct gateway *gw, struct block *b)
{
	uint32_t asked_s = gw_config(gw)->block_expires_s;

	b->next_us = NEVER;
	b->asked_s = asked_s > b->least_s ? asked_s : b->least_s;
	if (block_register(gw, b))
		block_arm(gw, b);
	else
		block_failed(gw, b, 503);
}

static void block_leave_again(struct gateway *gw, struct block *b);

/** Tells the core that it is over. */
static void block_leave_now(struct gateway *gw, struct block *b)
{
	b->asked_s = 0;
	b->next_us = NEVER;
	if (gw->time.now_us >= b->until_us)
		block_free(gw, b); /* it knows by itself */
	else if (block_register(gw, b))
		block_arm(gw, b);
	else
		block_leave_again(gw, b);
}

static void block_leave_again(struct gateway *gw, struct block *b)
{
	uint32_t wait_s = LEAVE_RETRY_S << (b->failures < DOUBLINGS_MAX ? b->failures : 0);

	b->failures++;
	if (b->failures > DOUBLINGS_MAX || wait_s > LEAVE_RETRY_MAX_S)
		wait_s = LEAVE_RETRY_MAX_S;
	b->next_us = gw->time.now_us + wait_s * 1000000ull;
	if (b->next_us > b->until_us)
		b->next_us = b->until_us;
	block_arm(gw, b);
}

static void block_timer(struct timer *timer, void *context)
{
	struct gateway *gw = context;
	struct block *b = (struct block *)timer;

	if (b->state == BLOCK_LEAVING) {
		block_leave_now(gw, b);
		return;
	}
	if (b->state == BLOCK_UP && gw->time.now_us >= b->until_us)
		block_down(gw, b);
	if (gw->time.now_us >= b->next_us)
		block_ask(gw, b);
	else
		block_arm(gw, b);
}

/* ---- what the core says --------------------------------------------------------------------- */

/** When what lasts for so many seconds from now on is refreshed. */
static uint64_t refresh_us(const struct gateway *gw, uint32_t seconds)
{
	uint64_t us = seconds * 1000000ull;

	return gw->time.now_us +
	       (seconds > 2 * REFRESH_BEFORE_S ? us - REFRESH_BEFORE_S * 1000000ull : us / 2);
}

static void block_registered(struct gateway *gw, struct block *b, uint32_t granted_s)
{
	bool was_up = b->state == BLOCK_UP;

	b->state = BLOCK_UP;
	b->status = 0;
	b->failures = 0;
	b->longer = false;
	b->ended = GW_OK;
	b->barred_us = 0;
	b->doubt.in = false; /* the core has said so of a REGISTER before */
	b->until_us = gw->time.now_us + granted_s * 1000000ull;
	b->next_us = refresh_us(gw, granted_s);
	if (!was_up) {
		b->up_us = gw->time.now_us;
		counter_add(&gw_counters(gw)->block_up, 1);
		block_event(gw, b, EVENT_BLOCK_UP);
	}
	reg_block_up(gw, b);
	block_tell(gw, b);
	block_arm(gw, b);
}

void block_lasts(struct gateway *gw, struct block *b, uint32_t seconds)
{
	uint64_t next_us = refresh_us(gw, seconds);

	b->until_us = gw->time.now_us + seconds * 1000000ull;
	if (next_us < b->next_us && slots_at(gw->transactions, b->own) == NULL)
		b->next_us = next_us; /* one REGISTER at a time */
	block_tell(gw, b);
	block_arm(gw, b);
}

/** When a block that the core has ended is asked for again: at once, but after longer and longer
 * waits where no registration lasts. */
static uint64_t again_us(const struct gateway *gw, struct block *b)
{
	if (gw->time.now_us - b->up_us >= gw_config(gw)->block_retry_max_s * 1000000ull)
		b->ends = 0;
	b->ends++;
	return gw->time.now_us + (b->ends > 1 ? backoff_us(gw, b->ends - 1) : 0);
}

void block_ended(struct gateway *gw, struct block *b, enum gw_err why, uint32_t wait_s)
{
	uint64_t wait_us = gw->time.now_us + wait_s * 1000000ull;

	counter_add(&gw_counters(gw)->block_ended, 1);
	b->ended = why;
	b->until_us = gw->time.now_us; /* there is nothing to take leave of */
	b->barred_us = again_us(gw, b);
	if (b->barred_us < wait_us)
		b->barred_us = wait_us;
	if (why == GW_REG_REJECTED) {
		b->barred_us = NEVER;
		b->rejected_us = gw->time.now_us;
		block_drop(gw, b);
	}
	b->next_us = b->barred_us;
	block_down(gw, b);
	block_arm(gw, b);
}

/** 423: it is asked again at once, and once, for what the core wants; where that changes nothing,
 * or the core wants more each time, it is a failure as any other. */
static bool block_asks_longer(const struct gateway *gw, struct block *b)
{
	uint32_t least_s;

	if (gw->time.now_us < b->barred_us ||
	    !sip_seconds(sip_value(&gw->message, SIP_HEADER_MIN_EXPIRES), &least_s) ||
	    least_s <= b->asked_s)
		return false;
	b->least_s = least_s;
	return true;
}

/** The core may have stored what it has not answered, or so that we cannot use it: until then a
 * farewell is due. */
static void block_may_be_held(const struct gateway *gw, struct block *b, uint16_t status)
{
	uint64_t until_us = gw->time.now_us + b->asked_s * 1000000ull;
	bool held = status < 300 || !is_refused(status);

	if (held && b->state != BLOCK_UP && b->until_us < until_us)
		b->until_us = until_us;
}

static void block_refused(struct gateway *gw, struct block *b, uint16_t status)
{
	block_may_be_held(gw, b, status);
	if (status == 401 || status == 407) { /* the core does not trust us (PROTOCOL 5.2) */
		counter_add(&gw_counters(gw)->tna_challenged, 1);
		gateway_event(gw, EVENT_TNA_CHALLENGED, handle_none(), NULL, GW_MW_CHALLENGED,
			      status);
	}
	b->longer = status == 423 && block_asks_longer(gw, b) && !b->longer;
	if (b->longer)
		block_ask(gw, b);
	else
		block_failed(gw, b, status);
}

/** The end of a farewell: again, where it may be answered otherwise later. */
static void block_left(struct gateway *gw, struct block *b, uint16_t status)
{
	if (status < 300 || is_refused(status))
		block_free(gw, b);
	else
		block_leave_again(gw, b);
}

void block_answered(struct gateway *gw, const struct transaction *t, uint16_t status)
{
	struct block *b = slots_at(gw->blocks->pool, t->own.subject);
	uint32_t granted_s;

	if (b == NULL || !handle_equal(b->own, slots_handle(gw->transactions, t)))
		return;
	b->own = handle_none();
	if (b->state == BLOCK_LEAVING) {
		block_left(gw, b, status);
		return;
	}
	if (status < 300 && b->cseq <= b->over_cseq) {
		block_arm(gw, b); /* what it brought has ended since: what ended it counts */
		return;
	}
	granted_s = status < 300 ? block_granted(gw, t, b) : 0;
	if (granted_s == 0) {
		block_refused(gw, b, status);
		return;
	}
	block_registered(gw, b, granted_s);
	block_named_response(gw, b);
}

/* ---- what the configuration says ------------------------------------------------------------ */

/** What names the registration of a site. */
struct block_pair {
	struct identity impi, impu;
	uint64_t impi_hash, impu_hash;
};

static bool pair_of(const struct gateway *gw, const struct wwsf_config *site,
		    struct block_pair *pair)
{
	if (identity_impi(site->registering_impi, &pair->impi) != GW_OK ||
	    identity_impu(site->registering_impu, &pair->impu) != GW_OK)
		return false; /* the check of the configuration saw them */
	pair->impi_hash = gateway_identity_hash(gw, identity_span(&pair->impi));
	pair->impu_hash = gateway_identity_hash(gw, identity_span(&pair->impu));
	return true;
}

/** In this turn, but when the worker runs: a view is looked at before it does, too. */
static void block_soon(struct gateway *gw, struct block *b)
{
	b->failures = 0;
	b->next_us = gw->time.now_us;
	block_arm(gw, b);
}

/** The home worker begins; its REGISTERs have one Call-ID, so that the core knows their order. */
static void block_begin(struct gateway *gw, struct block *b, const struct block_pair *pair)
{
	struct writer w;

	b->impi = pair->impi;
	b->impu = pair->impu;
	writer_init(&w, b->call_id, sizeof(b->call_id));
	request_random(gw, &w);
	request_random(gw, &w);
	block_soon(gw, b);
}

/** Its REGISTER under way is given up; the next one has a higher CSeq. */
static void block_stop(struct gateway *gw, struct block *b)
{
	struct transaction *t = slots_at(gw->transactions, b->own);

	if (t != NULL)
		transaction_free(gw, t);
	b->own = handle_none();
}

/** The configuration has it again while its farewell is under way. */
static void block_return(struct gateway *gw, struct block *b)
{
	block_stop(gw, b);
	b->state = BLOCK_DOWN;
	b->ended = GW_OK; /* an operator wants it: what the core said before is over */
	b->barred_us = 0;
	block_soon(gw, b);
}

static void block_want(struct gateway *gw, const struct wwsf_config *site)
{
	struct span name = span_cut(site->name, 0, SITE_NAME_MAX);
	struct block_pair pair;
	struct block *b;

	if (!pair_of(gw, site, &pair))
		return;
	b = block_find(gw, name, pair.impi_hash, pair.impu_hash);
	if (b != NULL) {
		b->wanted = true;
		if (b->state == BLOCK_LEAVING)
			block_return(gw, b);
		else
			block_tell(gw, b); /* who saw a view without it has forgotten it */
		return;
	}
	b = block_new(gw, name);
	if (b == NULL)
		return;
	b->wanted = true;
	b->next_us = NEVER;
	b->impi_hash = pair.impi_hash;
	b->impu_hash = pair.impu_hash;
	if (block_is_home(gw, b))
		block_begin(gw, b, &pair);
}

/** It is over here; the core may hold it, or be about to. */
static void block_leave(struct gateway *gw, struct block *b)
{
	uint64_t asked_us = gw->time.now_us + b->asked_s * 1000000ull;

	if (b->state == BLOCK_LEAVING)
		return;
	if (slots_at(gw->transactions, b->own) != NULL && b->until_us < asked_us)
		b->until_us = asked_us;
	block_stop(gw, b);
	block_down(gw, b);
	if (!block_is_home(gw, b)) {
		block_free(gw, b);
		return;
	}
	b->state = BLOCK_LEAVING;
	block_soon(gw, b);
}

/** A reload is an operator's word: what the core has refused is asked for once more. */
static void block_reloaded(struct gateway *gw, struct block *b)
{
	b->no_events = false;
	block_named_again(gw, b);
	if (b->state == BLOCK_UP)
		reg_block_up(gw, b);
	if (b->state != BLOCK_DOWN || b->ended != GW_REG_REJECTED)
		return;
	b->barred_us = 0;
	block_soon(gw, b);
}

static void blocks_reloaded(struct gateway *gw)
{
	uint32_t cursor = 0;
	struct block *b;

	while ((b = slots_next(gw->blocks->pool, &cursor)) != NULL)
		if (block_is_home(gw, b))
			block_reloaded(gw, b);
}

static void blocks_leave(struct gateway *gw)
{
	uint32_t cursor = 0;
	struct block *b;

	while ((b = slots_next(gw->blocks->pool, &cursor)) != NULL)
		if (!b->wanted)
			block_leave(gw, b);
}

static void blocks_update(struct gateway *gw)
{
	const struct config_part *config = gw_config(gw);
	uint32_t cursor = 0;
	struct block *b;

	while ((b = slots_next(gw->blocks->pool, &cursor)) != NULL)
		b->wanted = false;
	for (uint32_t i = 0; i < config->wwsf_count && !gw->blocks->draining; i++)
		if (config->wwsf[i].mode == WWSF_BLOCK &&
		    !token_wwsf_disabled(config->wwsf[i].name, gw->time.view->revocations))
			block_want(gw, &config->wwsf[i]);
	blocks_leave(gw);
}

void blocks_turn(struct gateway *gw)
{
	const struct revocation_part *revocations = gw->time.view->revocations;
	uint32_t generation[2] = {gw_config(gw)->part.generation,
				  revocations != NULL ? revocations->part.generation : 0};
	struct blocks *blocks = gw->blocks;
	bool reloaded = generation[0] != blocks->generation[0];

	if (blocks->known && memcmp(generation, blocks->generation, sizeof(generation)) == 0)
		return;
	blocks->known = true;
	memcpy(blocks->generation, generation, sizeof(generation));
	blocks_update(gw);
	if (reloaded)
		blocks_reloaded(gw);
}

void gateway_drain(struct gateway *gw)
{
	if (gw->blocks->draining)
		return;
	gw->blocks->draining = true;
	blocks_update(gw);
}

/* ---- for operators -------------------------------------------------------------------------- */

static void block_row(const struct gateway *gw, const struct block *b, struct row_block *row)
{
	*row = (struct row_block){
		.home = block_is_home(gw, b),
		.state = b->state == BLOCK_LEAVING ? ROW_BLOCK_LEAVING
			 : block_is_up(gw, b)	   ? ROW_BLOCK_UP
						   : ROW_BLOCK_DOWN,
		.status = b->status,
		.bindings = b->bindings,
		.ended = b->ended,
		.again_s =
			slots_at(gw->transactions, b->own) != NULL ? 0 : seconds_to(gw, b->next_us),
	};
	if (row->state == ROW_BLOCK_UP)
		row->seconds = (uint32_t)((b->until_us - gw->time.now_us) / 1000000);
	reg_block_name(gw, b, row->reg_event);
	memcpy(row->name, b->name, sizeof(row->name));
}

uint32_t gateway_block_rows(const struct gateway *gw, uint32_t *cursor, uint32_t max,
			    struct row_block *rows)
{
	const struct block *b;
	uint32_t n = 0;

	while (n < max && (b = slots_next(gw->blocks->pool, cursor)) != NULL)
		block_row(gw, b, &rows[n++]);
	if (n < max)
		*cursor = 0;
	return n;
}

uint32_t gateway_blocks(const struct gateway *gw)
{
	return slots_live(gw->blocks->pool);
}
