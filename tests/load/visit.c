/* SPDX-License-Identifier: BSD-3-Clause */
#include "visit.h"

#include <stdlib.h>

enum {
	WAITING_MAX = 4096,	     /* a power of two */
	LEND_PATIENCE_US = 10000000, /* then a visitor goes away */
	TALK_TRIES = 16,
	CORE_EARLIER_S = 2,
	SECOND_US = 1000000
};

struct visits {
	struct wic_world *world;
	const struct options *options;
	struct tally *tally;
	uint64_t arrived; /* honest ones */
	uint64_t numbers; /* given to visitors of both kinds */
	uint64_t poor_s;  /* in this second there was no pair */
	uint32_t pages;
	uint32_t waiting_from, waiting_to;
	uint64_t waiting[WAITING_MAX]; /* since when, us */
	uint32_t idle_count;
	struct wic *idle[]; /* those that nobody uses */
};

struct visits *visits_new(struct wic_world *world, struct wic *wic, uint32_t count)
{
	struct visits *v = calloc(1, sizeof(*v) + count * sizeof(v->idle[0]));

	if (v == NULL)
		return NULL;
	v->world = world;
	v->options = world->options;
	v->tally = world->tally;
	for (uint32_t i = count; i-- > 0;)
		v->idle[v->idle_count++] = &wic[i];
	return v;
}

void visits_free(struct visits *v)
{
	free(v);
}

bool visits_over(const struct visits *v)
{
	return v->arrived == v->options->visits && visits_waiting(v) == 0;
}

uint32_t visits_waiting(const struct visits *v)
{
	return v->waiting_to - v->waiting_from;
}

/** From one second up to the longest time. */
static uint64_t some_time(struct visits *v, uint64_t longest_s)
{
	return SECOND_US + chance_next(&v->world->chance) % (longest_s * SECOND_US);
}

/* ---- arrival ------------------------------------------------------------------------------- */

static struct wic *take_idle(struct visits *v)
{
	return v->idle_count > 0 ? v->idle[--v->idle_count] : NULL;
}

/** A quarter load the page again. One in four leaves in each of the ways. */
static void plan(struct visits *v, struct visit *visit)
{
	static const enum wic_exit ways[] = {EXIT_UNREGISTER, EXIT_CLOSE, EXIT_ABORT, EXIT_FREEZE};
	struct chance *chance = &v->world->chance;
	uint64_t stay_us = some_time(v, v->options->stay_s);

	visit->end_us = v->world->now_us + stay_us;
	visit->act_us = v->world->now_us + some_time(v, 2 * v->options->talk_s);
	visit->exit = ways[chance_below(chance, 4)];
	if (chance_below(chance, 4) == 0)
		visit->reload_us = v->world->now_us + chance_next(chance) % stay_us;
}

static void begin(struct visits *v, struct wic *w, const struct visit *visit)
{
	w->visit = *visit;
	w->pair = &v->world->site->pairs->pair[visit->pair];
	w->name = (uint32_t)visit->number;
	w->page = ++v->pages;
	w->instance = (uint32_t)(visit->number % v->options->browsers);
	w->addressee = (struct addressee){0};
	wic_start(w);
}

/** False: there is no pair, or no WIC, for who waits longest. */
static bool lend(struct visits *v)
{
	struct site *site = v->world->site;
	struct visit visit = {.number = v->numbers + 1, .rogue = ROGUE_NONE};
	uint64_t since_us = v->waiting[v->waiting_from % WAITING_MAX];

	if (v->idle_count == 0 || v->poor_s == v->world->now_s)
		return false;
	visit.pair = site_lend(site, visit.number, v->world->now_s);
	if (visit.pair == SITE_NONE) {
		v->poor_s = v->world->now_s; /* the next token ends in another one */
		return false;
	}
	v->numbers++;
	v->waiting_from++;
	tally_count(v->tally, COUNT_VISIT);
	tally_took(v->tally, DEED_LEND, v->world->now_us - since_us);
	plan(v, &visit);
	site->loan[visit.pair].wic = take_idle(v);
	begin(v, site->loan[visit.pair].wic, &visit);
	return true;
}

static void turn_away(struct visits *v)
{
	while (visits_waiting(v) > 0 &&
	       v->world->now_us > v->waiting[v->waiting_from % WAITING_MAX] + LEND_PATIENCE_US) {
		v->waiting_from++;
		tally_count(v->tally, COUNT_TURNED_AWAY);
	}
}

/** One after the other of the kinds. */
static void arrive_dishonest(struct visits *v)
{
	struct wic *w = take_idle(v);
	struct visit visit = {.number = ++v->numbers};

	if (w == NULL)
		return;
	visit.rogue = ROGUE_NONE + 1 + (enum rogue)chance_below(&v->world->chance, ROGUE_COUNT - 1);
	begin(v, w, &visit);
}

static void arrive(struct visits *v)
{
	v->arrived++;
	if (visits_waiting(v) < WAITING_MAX)
		v->waiting[v->waiting_to++ % WAITING_MAX] = v->world->now_us;
	else
		tally_count(v->tally, COUNT_TURNED_AWAY);
	if (chance_below(&v->world->chance, 1000) < v->options->dishonest)
		arrive_dishonest(v);
}

void visits_turn(struct visits *v, uint64_t lasts_us)
{
	uint64_t wanted = lasts_us * v->options->rate / SECOND_US + 1;

	while (v->arrived < v->options->visits && v->arrived < wanted)
		arrive(v);
	turn_away(v);
	while (visits_waiting(v) > 0 && lend(v))
		;
}

/* ---- what they do -------------------------------------------------------------------------- */

static bool token_has(const struct visits *v, const struct wic *w, uint64_t seconds)
{
	return w->token_exp_s > v->world->now_s + seconds;
}

/** So much of a token has to be left for what takes a moment. The core's registration ends in the
 * second before: it is for whole seconds, and so is the core's clock. */
static uint64_t left_s(const struct visits *v)
{
	return CORE_EARLIER_S + v->options->token_lifetime_s / 8;
}

/** It may be talked to for a while: who asks one that freezes is busy until the core gives up. */
static bool is_addressee(const struct visits *v, const struct wic *to)
{
	const struct visit *visit = &to->visit;

	return to->registered && token_has(v, to, left_s(v)) &&
	       (visit->exit != EXIT_FREEZE || visit->end_us > v->world->now_us + SECOND_US);
}

/** Another one that is there. */
static bool find_addressee(struct visits *v, const struct wic *w, struct addressee *out)
{
	const struct site *site = v->world->site;

	for (uint32_t i = 0; i < TALK_TRIES; i++) {
		uint32_t pair = chance_below(&v->world->chance, site->pairs->count);
		const struct wic *to = site->loan[pair].wic;

		if (to == NULL || to == w || !is_addressee(v, to))
			continue;
		*out = (struct addressee){pair, to->visit.number, to->page};
		return true;
	}
	return false;
}

static void act(struct visits *v, struct wic *w)
{
	uint32_t what = chance_below(&v->world->chance, 10);

	w->visit.act_us = v->world->now_us + some_time(v, 2 * v->options->talk_s);
	if (what == 0 && token_has(v, w, v->options->min_grant_s + 1))
		wic_do(w, WIC_REREGISTER_AGAIN);
	else if (token_has(v, w, CORE_EARLIER_S) && find_addressee(v, w, &w->addressee))
		wic_do(w, what == 1 ? WIC_OPTIONS : WIC_MESSAGE);
}

/** The page is loaded while the old connection is still there: a network that changed, a second
 * tab. */
static void reload_beside(struct visits *v, struct wic *w, uint32_t instance)
{
	struct wic *next = take_idle(v);

	if (next == NULL)
		return;
	v->world->site->loan[w->visit.pair].wic = next;
	wic_await_replaced(w);
	begin(v, next, &w->visit);
	next->instance = instance;
}

static void reload(struct visits *v, struct wic *w)
{
	static const enum wic_exit ways[] = {EXIT_CLOSE, EXIT_ABORT};
	struct chance *chance = &v->world->chance;
	bool same = chance_below(chance, 2) == 0;
	uint32_t way = chance_below(chance, 3), instance;

	w->visit.reload_us = 0;
	if (!token_has(v, w, left_s(v)))
		return;
	tally_count(v->tally, COUNT_RELOAD);
	instance = same ? w->instance : (v->pages + 1) | 1u << 31;
	if (way == 2) {
		reload_beside(v, w, instance);
		return;
	}
	wic_leave(w, ways[way], chance_below(chance, SECOND_US));
	w->page = ++v->pages;
	w->instance = instance;
}

static void leave(struct visits *v, struct wic *w)
{
	site_gone(v->world->site, w->visit.pair, w);
	wic_leave(w, w->visit.exit, WIC_NEVER_US);
}

/** It is the one that its visitor uses. Dishonest ones have none of the site's pairs. */
static bool is_current(const struct visits *v, const struct wic *w)
{
	return w->visit.rogue != ROGUE_NONE || v->world->site->loan[w->visit.pair].wic == w;
}

/** It comes back when it should, and may. */
static bool comes_back(const struct visits *v, const struct wic *w)
{
	return w->due_us < WIC_NEVER_US && w->visit.rogue == ROGUE_NONE && is_current(v, w) &&
	       site_is_lent(v->world->site, w->visit.pair, w->visit.number, v->world->now_s + 3);
}

/** Its visitor is gone: somebody else may use it. */
static void put_idle(struct visits *v, struct wic *w)
{
	if (w->visit.rogue == ROGUE_NONE)
		site_gone(v->world->site, w->visit.pair, w);
	w->visit.number = 0;
	w->due_us = 0;
	v->idle[v->idle_count++] = w;
}

void visits_look(struct visits *v, struct wic *w)
{
	const struct visit *visit = &w->visit;
	uint64_t now_us = v->world->now_us;

	if (visit->number == 0)
		return;
	if (w->state == WIC_OUT && !comes_back(v, w))
		put_idle(v, w);
	else if (!wic_is_idle(w) || v->world->ending)
		return;
	else if (now_us >= visit->end_us)
		leave(v, w);
	else if (visit->reload_us != 0 && now_us >= visit->reload_us)
		reload(v, w);
	else if (now_us >= visit->act_us)
		act(v, w);
}
