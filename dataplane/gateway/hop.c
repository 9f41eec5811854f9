/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * The next hops of the configuration, as one worker knows them: which of them are up, and which
 * gets the next request (RFC 2782's rule: the best priority that has one, by weight in it). With
 * mw.options_interval each is asked by OPTIONS how it is (RFC 3261 11); any final answer but 408
 * and 503 is a good one.
 */

#define SHUT_MAX_S 3600	    /* a hop that asks for more is asked again after an hour */
#define DOWN_INTERVAL_S 5   /* at most, between two questions to one that is down */
#define FIRST_US 1000000ull /* the first question comes at a random time within */
#define LOST_US 1000000ull  /* to the first question after it was lost */
#define ANSWER_UDP_US 3000000ull
#define ANSWER_TCP_US 8000000ull /* its connection may take half of it */

enum hop_state { HOP_UP, HOP_DOWN }; /* nothing known: up */

struct hop {
	struct timer timer; /* the next question, or the end of the wait for its answer */
	struct mw_target target;
	uint32_t priority, weight;
	bool used;
	bool wanted; /* while the table is made anew */
	enum hop_state state;
	struct handle question; /* the OPTIONS under way, or none */
	uint64_t shut_us;	/* until then it wants nothing: Retry-After of its 503 */
};

struct hops {
	struct hop hop[HOPS_MAX]; /* in their slots for as long as they are configured */
	bool known;		  /* it is that of a configuration */
	uint32_t config_generation, peers_generation;
};

struct hops *hops_new(void)
{
	return calloc(1, sizeof(struct hops));
}

void hops_free(struct hops *hops)
{
	free(hops);
}

static struct hop *hop_find(struct gateway *gw, const struct mw_target *target)
{
	for (uint32_t i = 0; i < HOPS_MAX; i++)
		if (gw->hops->hop[i].used && target_same(&gw->hops->hop[i].target, target))
			return &gw->hops->hop[i];
	return NULL;
}

/* ---- how they are --------------------------------------------------------------------------- */

static void hop_fire(struct timer *timer, void *context);

/** The question under way has no use any more. */
static void question_end(struct gateway *gw, struct hop *hop)
{
	struct transaction *t = slots_at(gw->transactions, hop->question);

	if (t != NULL)
		transaction_free(gw, t);
	hop->question = handle_none();
}

/** The next question, if any are asked: not before the time that the hop has asked for. */
static void ask_after(struct gateway *gw, struct hop *hop, uint64_t us)
{
	uint64_t due = gw->time.now_us + us;

	if (gw_config(gw)->mw_options_s > 0)
		wheel_arm(gw->wheel, &hop->timer, due > hop->shut_us ? due : hop->shut_us,
			  hop_fire);
}

static void ask_again(struct gateway *gw, struct hop *hop)
{
	uint32_t interval_s = gw_config(gw)->mw_options_s;

	if (hop->state == HOP_DOWN && interval_s > DOWN_INTERVAL_S)
		interval_s = DOWN_INTERVAL_S;
	ask_after(gw, hop, interval_s * 1000000ull);
}

static void hop_is(struct gateway *gw, struct hop *hop, enum hop_state state, enum gw_err why)
{
	struct message_event event = {
		.what = state == HOP_UP ? EVENT_MW_UP : EVENT_MW_DOWN,
		.err = why,
		.peer = hop->target.address,
	};

	if (hop->state == state)
		return;
	hop->state = state;
	if (state == HOP_DOWN)
		counter_add(&gw_counters(gw)->mw_hop_failures, 1);
	gw->env->event(gw->env->context, &event);
}

/** A configuration has come: questions begin, go on, or end. */
static void ask_first(struct gateway *gw, struct hop *hop)
{
	if (gw_config(gw)->mw_options_s == 0) {
		question_end(gw, hop);
		wheel_disarm(gw->wheel, &hop->timer);
		hop->state = HOP_UP; /* as far as the transport knows */
	} else if (!timer_armed(&hop->timer)) {
		ask_after(gw, hop, gw->env->random(gw->env->context) % FIRST_US);
	}
}

/** The hop has said nothing, or that it cannot serve. */
static void hop_failed(struct gateway *gw, struct hop *hop, enum gw_err why)
{
	hop_is(gw, hop, HOP_DOWN, why);
	ask_again(gw, hop);
}

static void write_host(struct gateway *gw, const struct hop *hop)
{
	char text[ENDPOINT_TEXT_MAX];

	writer_text(&gw->out, "sip:");
	writer_text(&gw->out, endpoint_format(&hop->target.address, text));
	if (hop->target.transport != MW_UDP)
		writer_text(&gw->out,
			    hop->target.transport == MW_TLS ? ";transport=tls" : ";transport=tcp");
}

/** To the hop and no further: it answers an OPTIONS with Max-Forwards 0 itself (RFC 3261 16.3). */
static void question_write(struct gateway *gw, const struct hop *hop, const struct transaction *t)
{
	struct writer *out = &gw->out;

	request_begin(gw, NULL);
	writer_text(out, "OPTIONS ");
	write_host(gw, hop);
	writer_text(out, " SIP/2.0\r\n");
	request_write_via(gw, t, &gw->out);
	writer_text(out, "Max-Forwards: 0\r\nFrom: <sip:");
	writer_put(out, gw_config(gw)->node_name);
	writer_text(out, ">;tag=ep-");
	request_random(gw, out);
	writer_text(out, "\r\nTo: <");
	write_host(gw, hop);
	writer_text(out, ">\r\nCall-ID: ");
	request_random(gw, out);
	writer_text(out, "@");
	writer_put(out, gw_config(gw)->node_name);
	writer_text(out, "\r\nCSeq: 1 OPTIONS\r\nAccept: application/sdp\r\n"
			 "Content-Length: 0\r\n\r\n");
}

static void ask(struct gateway *gw, struct hop *hop)
{
	struct handle self = {.worker = gw->config.worker, .slot = (uint32_t)(hop - gw->hops->hop)};
	struct transaction *t = transaction_own(gw, OWN_OPTIONS, self, SIP_OPTIONS);

	if (t == NULL) { /* that says nothing about the hop */
		ask_again(gw, hop);
		return;
	}
	t->target = hop->target;
	hop->question = slots_handle(gw->transactions, t);
	question_write(gw, hop, t);
	counter_add(&gw_counters(gw)->mw_options_out, 1);
	if (transaction_send(gw, t) != GW_OK) {
		hop->question = handle_none();
		hop_failed(gw, hop, GW_MW_DOWN);
		return;
	}
	ask_after(gw, hop, hop->target.transport == MW_UDP ? ANSWER_UDP_US : ANSWER_TCP_US);
}

static void hop_fire(struct timer *timer, void *context)
{
	struct hop *hop = (struct hop *)timer;
	struct gateway *gw = context;

	if (slots_at(gw->transactions, hop->question) == NULL) {
		ask(gw, hop);
		return;
	}
	question_end(gw, hop);
	hop_failed(gw, hop, GW_MW_TIMEOUT);
}

void hops_answered(struct gateway *gw, const struct transaction *t, uint16_t status)
{
	struct hop *hop = &gw->hops->hop[t->own.subject.slot];

	hop->question = handle_none(); /* its caller frees it */
	if (status == 503 || status == 408) {
		hop_failed(gw, hop, GW_MW_DOWN);
		return;
	}
	hop_is(gw, hop, HOP_UP, GW_OK);
	ask_again(gw, hop);
}

void hops_lost(struct gateway *gw, const struct mw_target *target)
{
	struct hop *hop = hop_find(gw, target);

	if (hop == NULL || gw_config(gw)->mw_options_s == 0)
		return;
	if (!gw->env->hop_up(gw->env->context, target))
		hop_is(gw, hop, HOP_DOWN, GW_MW_DOWN);
	if (slots_at(gw->transactions, hop->question) == NULL)
		ask_after(gw, hop, LOST_US);
}

void hops_doubt(struct gateway *gw, const struct mw_target *target)
{
	struct hop *hop = hop_find(gw, target);

	if (hop != NULL && slots_at(gw->transactions, hop->question) == NULL)
		ask_after(gw, hop, 0);
}

void hops_busy(struct gateway *gw, const struct mw_target *target)
{
	struct hop *hop = hop_find(gw, target);
	struct span value = sip_value(&gw->message, SIP_HEADER_RETRY_AFTER);
	uint32_t seconds, digits = 0;

	while (digits < value.len && value.at[digits] >= '0' && value.at[digits] <= '9')
		digits++; /* a comment and parameters may follow (RFC 3261 20.33) */
	if (hop == NULL || !sip_seconds(span_cut(value, 0, digits), &seconds))
		return;
	seconds = seconds < SHUT_MAX_S ? seconds : SHUT_MAX_S;
	hop->shut_us = gw->time.now_us + seconds * 1000000ull;
}

/* ---- the table ------------------------------------------------------------------------------ */

/** The hop of target, in a free slot when it is new. NULL: there are HOPS_MAX. */
static struct hop *hop_want(struct gateway *gw, const struct mw_target *target)
{
	struct hop *hop = hop_find(gw, target);

	for (uint32_t i = 0; hop == NULL && i < HOPS_MAX; i++)
		if (!gw->hops->hop[i].used)
			hop = &gw->hops->hop[i];
	if (hop == NULL)
		return NULL;
	if (!hop->used)
		*hop = (struct hop){.used = true, .target = *target};
	hop->wanted = true;
	return hop;
}

static void hop_drop(struct gateway *gw, struct hop *hop)
{
	question_end(gw, hop);
	wheel_disarm(gw->wheel, &hop->timer);
	*hop = (struct hop){0};
}

static void hop_configured(struct gateway *gw, const struct mw_target *target, uint32_t priority,
			   uint32_t weight)
{
	struct hop *hop = hop_want(gw, target);

	if (hop == NULL)
		return;
	ask_first(gw, hop);
	hop->priority = priority;
	hop->weight = weight;
}

/** How many addresses of the row come before a. */
static uint32_t rank_of(const struct peer_row *row, const struct peer_address *a)
{
	uint32_t before = 0;

	for (uint32_t i = 0; i < row->count; i++)
		before += row->address[i].priority < a->priority;
	return before;
}

/** Every address of a name; within one priority of ours they go by that of their records. */
static void hop_named(struct gateway *gw, const struct next_hop_config *from)
{
	const struct peer_row *row = target_peer(gw, from->name, from->port, from->transport);

	for (uint32_t i = 0; row != NULL && i < row->count; i++) {
		const struct peer_address *a = &row->address[i];
		struct mw_target target = target_of_peer(a);

		hop_configured(gw, &target, from->priority << 16 | rank_of(row, a),
			       a->weight > 0 ? a->weight : from->weight);
	}
}

/** Those that are configured keep their slots and what is known of them. */
static void hops_update(struct gateway *gw)
{
	const struct config_part *config = gw_config(gw);

	for (uint32_t i = 0; i < HOPS_MAX; i++)
		gw->hops->hop[i].wanted = false;
	for (uint32_t i = 0; i < config->next_hop_count; i++) {
		const struct next_hop_config *from = &config->next_hop[i];
		struct mw_target target = target_of_hop(from);

		if (from->name.len > 0)
			hop_named(gw, from);
		else
			hop_configured(gw, &target, from->priority << 16, from->weight);
	}
	for (uint32_t i = 0; i < HOPS_MAX; i++)
		if (gw->hops->hop[i].used && !gw->hops->hop[i].wanted)
			hop_drop(gw, &gw->hops->hop[i]);
}

void hops_turn(struct gateway *gw)
{
	const struct peer_part *peers = gw->time.view->peers;
	uint32_t config = gw_config(gw)->part.generation;
	uint32_t names = peers != NULL ? peers->part.generation : 0;

	if (gw->hops->known && gw->hops->config_generation == config &&
	    gw->hops->peers_generation == names)
		return;
	gw->hops->known = true;
	gw->hops->config_generation = config;
	gw->hops->peers_generation = names;
	hops_update(gw);
}

/* ---- which one ------------------------------------------------------------------------------ */

/** Whom a 503 has asked to be left alone (RFC 3261 21.5.4), and who is down. */
enum shut_hops { SHUT_LEFT_OUT, SHUT_TAKEN, DOWN_TAKEN };

static bool hop_usable(struct gateway *gw, const struct hop *hop, uint64_t tried,
		       enum shut_hops shut)
{
	uint32_t slot = (uint32_t)(hop - gw->hops->hop);

	if (shut == DOWN_TAKEN)
		return hop->used;
	return hop->used && (tried >> slot & 1) == 0 && hop->state == HOP_UP &&
	       (shut == SHUT_TAKEN || gw->time.now_us >= hop->shut_us) &&
	       gw->env->hop_up(gw->env->context, &hop->target);
}

/** The usable hops of the best priority that has one, as bits. */
static uint64_t hops_best(struct gateway *gw, uint64_t tried, enum shut_hops shut)
{
	uint32_t best = UINT32_MAX;
	uint64_t found = 0;

	for (uint32_t i = 0; i < HOPS_MAX; i++) {
		const struct hop *hop = &gw->hops->hop[i];

		if (hop->priority > best || !hop_usable(gw, hop, tried, shut))
			continue;
		found = hop->priority < best ? 1ull << i : found | 1ull << i;
		best = hop->priority;
	}
	return found;
}

/** One of those by their weights; each counts a little, also one of weight 0 (RFC 2782). */
static const struct hop *hops_draw(struct gateway *gw, uint64_t among)
{
	uint64_t total = 0, drawn;

	for (uint32_t i = 0; i < HOPS_MAX; i++)
		if (among >> i & 1)
			total += 16ull * gw->hops->hop[i].weight + 1;
	drawn = (among & (among - 1)) != 0 ? gw->env->random(gw->env->context) % total : 0;
	for (uint32_t i = 0; i < HOPS_MAX; i++) {
		uint64_t share = 16ull * gw->hops->hop[i].weight + 1;

		if ((among >> i & 1) == 0)
			continue;
		if (drawn < share)
			return &gw->hops->hop[i];
		drawn -= share;
	}
	return NULL; /* among has none */
}

enum gw_err hops_choose(struct gateway *gw, uint64_t tried, struct mw_target *target)
{
	uint64_t among = hops_best(gw, tried, SHUT_LEFT_OUT);
	const struct hop *hop;

	/* where all want to be left alone, one user's 503 must not be everybody's */
	if (among == 0 && tried == 0)
		among = hops_best(gw, tried, SHUT_TAKEN);
	hop = hops_draw(gw, among);
	if (hop == NULL)
		return GW_MW_DOWN;
	*target = hop->target;
	target->tried = tried;
	return GW_OK;
}

enum gw_err hops_away(struct gateway *gw, struct mw_target *target)
{
	const struct hop *hop = hops_draw(gw, hops_best(gw, 0, DOWN_TAKEN));

	if (hop == NULL)
		return GW_MW_DOWN;
	*target = hop->target;
	return GW_OK;
}

/** What is too long for UDP goes to the same hop over TCP: the transport is left out. */
uint64_t hops_bit(struct gateway *gw, const struct mw_target *target)
{
	struct mw_target other = *target;
	const struct hop *hop = hop_find(gw, target);

	other.transport = target->transport == MW_UDP ? MW_TCP : MW_UDP;
	if (hop == NULL && target->transport != MW_TLS)
		hop = hop_find(gw, &other);
	return hop != NULL ? 1ull << (hop - gw->hops->hop) : 0;
}

/* ---- for operators -------------------------------------------------------------------------- */

static const char *hop_state_name(struct gateway *gw, const struct hop *hop)
{
	if (hop->state == HOP_DOWN)
		return "down";
	if (gw->time.now_us < hop->shut_us)
		return "shut";
	return gw->env->hop_up(gw->env->context, &hop->target) ? "up" : "lost";
}

static void hop_row(struct gateway *gw, const struct hop *hop, struct row_mw *row)
{
	*row = (struct row_mw){
		.peer = hop->target.address,
		.transport = hop->target.transport,
		.what = "hop",
		.priority = hop->priority >> 16,
		.weight = hop->weight,
	};
	snprintf(row->state, sizeof(row->state), "%s", hop_state_name(gw, hop));
	if (hop->shut_us > gw->time.now_us)
		row->seconds = (uint32_t)((hop->shut_us - gw->time.now_us) / 1000000);
}

uint32_t gateway_hops(struct gateway *gw, uint32_t *cursor, uint32_t max, struct row_mw *rows)
{
	uint32_t n = 0, i = *cursor;

	for (; i < HOPS_MAX && n < max; i++)
		if (gw->hops->hop[i].used)
			hop_row(gw, &gw->hops->hop[i], &rows[n++]);
	*cursor = i < HOPS_MAX ? i : UINT32_MAX;
	return n;
}
