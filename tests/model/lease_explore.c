/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lease_world.h"
#include "parts.h"

/*
 * Tries everything that can happen to one pool pair, breadth first, with the lease.c that the
 * gateway has. After each step the promises are looked at; the shortest way to a broken one is
 * printed. Each row of the tables of docs/design.md (Leases) has to be reached. lease_explore
 * [WORDS OF SCENARIOS]
 */

#define A \
	{ \
		'A', 1, -4, 2 \
	}
#define A_NEW \
	{ \
		'A', 2, -2, 4 \
	}
#define A_SHORT \
	{ \
		'A', 3, -2, 1 \
	}
#define B \
	{ \
		'B', 4, -2, 6 \
	}
#define B_AFTER \
	{ \
		'B', 5, 4, 18 \
	}
#define B_BETWEEN \
	{ \
		'B', 6, 2, 18 \
	}
#define B_JTI \
	{ \
		'B', 1, 4, 18 \
	}
#define C_JTI \
	{ \
		'C', 5, 20, 22 \
	}

static const struct scenario scenarios[] = {
	{.name = "a jti of two users",
	 .token = {A, B_JTI},
	 .shown = {1, 3},
	 .asks = {2, 1},
	 .deaths = {1, 1},
	 .end = 4},
	{.name = "two users at a time",
	 .token = {A, B},
	 .shown = {1, 2},
	 .asks = {3, 2},
	 .deaths = {1, 0},
	 .end = 2},
	{.name = "two users, one after the other",
	 .token = {A, B_AFTER},
	 .shown = {1, 2},
	 .asks = {2, 2},
	 .deaths = {1, 0},
	 .end = 4},
	{.name = "one user, an older and a newer token, one Contact",
	 .token = {A, A_NEW},
	 .shown = {3, 2},
	 .asks = {2, 1},
	 .deaths = {1, 1},
	 .contact = {7, 7},
	 .end = 4},
	{.name = "both windows have both users",
	 .token = {A, B_AFTER},
	 .shown = {3, 3},
	 .asks = {2, 1},
	 .contact = {7, 8},
	 .end = 4},
	{.name = "a user whose newer token ends first, another in between",
	 .token = {A, A_SHORT, B_BETWEEN},
	 .shown = {3, 4},
	 .asks = {2, 1},
	 .deaths = {1, 0},
	 .end = 4},
	{.name = "one user, two windows",
	 .token = {A},
	 .shown = {1, 1},
	 .asks = {2, 2},
	 .contact = {7, 8},
	 .end = 2},
	{.name = "messages are lost",
	 .token = {A, B_AFTER},
	 .shown = {1, 3},
	 .asks = {2, 1},
	 .end = 4,
	 .losses = 1},
	{.name = "messages and workers are later than home waits",
	 .token = {A, B_AFTER, A_NEW},
	 .shown = {5, 3},
	 .asks = {2, 1},
	 .contact = {7, 7},
	 .end = 4,
	 .late = true},
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* ---- promises ------------------------------------------------------------------------------- */

struct living {
	unsigned count;
	unsigned going; /* of them, those that are told to end, or will be by a confirm */
	bool two_users;
};

static bool is_going(const struct world *world, unsigned who, const struct bound *b)
{
	const struct ring *down = &world->a.down[who], *up = &world->a.up[who];

	for (uint8_t i = 0; i < down->count; i++)
		if (down->note[i].kind == MESSAGE_LEASE_ENDED &&
		    down->note[i].generation == b->generation)
			return true;
	for (uint8_t i = 0; i < up->count; i++)
		if (up->note[i].kind == MESSAGE_LEASE_CONFIRM &&
		    up->note[i].generation == b->generation)
			return true;
	return false;
}

static struct living living(const struct world *world, struct watch *watch)
{
	const struct model_token *token = watch->scenario->token;
	struct living l = {0};
	char sub = 0;

	for (unsigned who = 0; who < WINDOWS; who++)
		for (uint8_t i = 0; i < world->a.window[who].bounds; i++) {
			const struct bound *b = &world->a.window[who].bound[i];

			l.count++;
			l.going += is_going(world, who, b);
			l.two_users = l.two_users || (sub != 0 && sub != token[b->token].sub);
			sub = token[b->token].sub;
			if (token[b->token].exp + SLOW < world->a.now)
				watch->broken = "a binding lives longer than its token";
		}
	return l;
}

/** Windows that have a grant that they may use, or will have it with the next message. */
static unsigned grants_out(const struct world *world)
{
	unsigned flows = 0;

	for (unsigned who = 0; who < WINDOWS; who++) {
		const struct window *w = &world->a.window[who];
		const struct ring *down = &world->a.down[who];

		for (uint8_t i = 0; i < w->unders; i++)
			flows += w->under[i].sent == SENT_GRANT;
		for (uint8_t i = 0; i < down->count; i++)
			flows += down->note[i].kind == MESSAGE_LEASE_GRANTED && w->asking != 0 &&
				 down->note[i].ticket == w->asking && down->note[i].flow == w->flow;
	}
	return flows;
}

static bool rings_empty(const struct world *world)
{
	for (unsigned who = 0; who < WINDOWS; who++)
		if (world->a.up[who].count != 0 || world->a.down[who].count != 0)
			return false;
	return true;
}

static const char *reserve_unanswered(const struct world *world)
{
	const struct lease *l = &world->lease;

	for (unsigned who = 0; who < WINDOWS; who++) {
		const struct window *w = &world->a.window[who];

		if (w->asking != 0 &&
		    (!l->asker.waits || l->asker.ticket != w->asking ||
		     l->asker.flow.worker != who + 1 || l->asker.flow.slot != w->flow))
			return "a reserve is not answered";
	}
	return NULL;
}

static bool has_binding(const struct world *world, uint32_t generation)
{
	for (unsigned who = 0; who < WINDOWS; who++)
		for (uint8_t i = 0; i < world->a.window[who].bounds; i++)
			if (world->a.window[who].bound[i].generation == generation)
				return true;
	return false;
}

/** Nothing is on its way, nothing at the core: nothing may be left over, but what a message that
 * was lost leaves to a timer. */
static const char *left_over(const struct world *world, const struct watch *watch, unsigned alive)
{
	const struct lease *l = &world->lease;
	bool lost = world->a.losses != watch->scenario->losses;

	for (unsigned who = 0; who < WINDOWS; who++)
		if (world->a.window[who].unders != 0)
			return NULL;
	if (l->holder.state == LEASE_HELD && alive > 0 && !has_binding(world, l->holder.generation))
		return "a binding has no lease";
	if (l->holder.state == LEASE_NOBODY && alive > 0)
		return "a binding lives and nobody has the pair";
	if (lost)
		return NULL;
	if (l->grant.generation != 0)
		return "a grant is out and nobody has it";
	if (l->leaving.generation != 0)
		return "somebody is waited for who has ended";
	if (l->holder.state == LEASE_ENDING)
		return "a holder is told to end and says nothing";
	if (l->asker.waits)
		return "somebody waits for nobody";
	if (l->holder.state == LEASE_HELD && alive != 1)
		return "a lease is held and has no binding";
	return NULL;
}

static void promises(const struct world *world, struct watch *watch)
{
	struct living l = living(world, watch);
	bool late = watch->scenario->late;
	const char *why = NULL;

	if (l.two_users && !late)
		why = "two users have live bindings of the pair";
	else if (l.count > 1 && l.count - l.going > 1)
		why = "two bindings have the pair and nobody is told to end";
	else if (grants_out(world) > 1 && !late)
		why = "two flows have a grant of the pair";
	else if (rings_empty(world) && world->a.losses == watch->scenario->losses)
		why = reserve_unanswered(world);
	if (why == NULL && rings_empty(world))
		why = left_over(world, watch, l.count);
	if (why != NULL && watch->broken == NULL)
		watch->broken = why;
}

/* ---- the search ----------------------------------------------------------------------------- */

/** A world that was seen: its key's hash stands for it. */
struct seen {
	uint64_t hash[2];
	uint32_t from;
	struct step step;
};

/** Whom a search has seen, and which of them it has to go on from. */
struct search {
	struct seen *seen;
	uint32_t *slot; /* seen + 1 by hash */
	uint32_t count, mask;
	struct world *now, *next;   /* a layer and the following one */
	uint32_t *now_at, *next_at; /* which of seen they are */
	uint32_t now_count, next_count;
	uint64_t transitions;
	struct watch watch;
};

#define SEEN_MAX (1u << 21)
#define LAYER_MAX (1u << 18)

static void *memory(size_t count, size_t size)
{
	void *at = calloc(count, size);

	if (at == NULL)
		abort();
	return at;
}

static void search_open(struct search *s)
{
	*s = (struct search){
		.seen = memory(SEEN_MAX, sizeof(*s->seen)),
		.slot = memory(2 * SEEN_MAX, sizeof(*s->slot)),
		.mask = 2 * SEEN_MAX - 1,
		.now = memory(LAYER_MAX, sizeof(*s->now)),
		.next = memory(LAYER_MAX, sizeof(*s->next)),
		.now_at = memory(LAYER_MAX, sizeof(*s->now_at)),
		.next_at = memory(LAYER_MAX, sizeof(*s->next_at)),
	};
}

static void search_close(struct search *s)
{
	free(s->seen);
	free(s->slot);
	free(s->now);
	free(s->next);
	free(s->now_at);
	free(s->next_at);
}

/** False: it was seen before. */
static bool search_add(struct search *s, const struct world *world, uint32_t from, struct step step)
{
	static const uint8_t secret[2][16] = {{1}, {2}};
	uint8_t key[WORLD_KEY_MAX];
	struct span text = span_of(key, world_key(world, s->watch.scenario, key));
	struct seen one = {{siphash(secret[0], text), siphash(secret[1], text)}, from, step};
	uint32_t at = (uint32_t)one.hash[0] & s->mask;

	while (s->slot[at] != 0) {
		if (memcmp(s->seen[s->slot[at] - 1].hash, one.hash, sizeof(one.hash)) == 0)
			return false;
		at = (at + 1) & s->mask;
	}
	if (s->count == SEEN_MAX || s->next_count == LAYER_MAX)
		abort(); /* the bounds of a scenario are too wide */
	s->next[s->next_count] = *world;
	s->next_at[s->next_count++] = s->count;
	s->seen[s->count++] = one;
	s->slot[at] = s->count;
	return true;
}

static void print_way(const struct search *s, uint32_t at)
{
	const struct seen *one = &s->seen[at];

	if (at == 0)
		return;
	print_way(s, one->from);
	printf("    %s %u (%u)\n", world_steps[one->step.kind].text, one->step.who,
	       one->step.which);
}

/** One of the steps from the world n of this layer. False: a promise is broken. */
static bool search_step(struct search *s, uint32_t n, struct step step)
{
	struct world world = s->now[n];

	if (!world_steps[step.kind].take(&world, &s->watch, step.who, step.which))
		return true;
	s->transitions++;
	if (search_add(s, &world, s->now_at[n], step))
		promises(&world, &s->watch);
	if (s->watch.broken == NULL)
		return true;
	printf("%s: %s\n", s->watch.scenario->name, s->watch.broken);
	print_way(s, s->now_at[n]);
	printf("    %s %u (%u)\n", world_steps[step.kind].text, step.who, step.which);
	return false;
}

static bool search_world(struct search *s, uint32_t n)
{
	for (uint8_t kind = 0; kind < world_step_kinds; kind++)
		for (uint8_t who = 0; who < world_steps[kind].whos; who++)
			for (uint8_t which = 0; which < world_steps[kind].whiches; which++)
				if (!search_step(s, n, (struct step){kind, who, which}))
					return false;
	return true;
}

static void next_layer(struct search *s)
{
	struct world *worlds = s->now;
	uint32_t *at = s->now_at;

	s->now = s->next;
	s->now_at = s->next_at;
	s->now_count = s->next_count;
	s->next = worlds;
	s->next_at = at;
	s->next_count = 0;
}

static bool search_run(struct search *s, const struct scenario *scenario, uint32_t *reached)
{
	struct world world;

	s->watch = (struct watch){.scenario = scenario, .reached = reached};
	world_begin(&world, scenario);
	(void)search_add(s, &world, 0, (struct step){0});
	for (next_layer(s); s->now_count > 0; next_layer(s))
		for (uint32_t n = 0; n < s->now_count; n++)
			if (!search_world(s, n))
				return false;
	return true;
}

/* ---- rows ----------------------------------------------------------------------------------- */

#define ROW_TEXT(name, text) text,
static const char *const message_text[] = {MESSAGES(ROW_TEXT)};
static const char *const verdict_text[] = {VERDICTS(ROW_TEXT)};
static const char *const place_text[] = {PLACES(ROW_TEXT)};

/** The same flow is never compared with who had it last; all else comes to pass. */
static bool can_be_reached(unsigned cell)
{
	return cell != CELL_VERDICT(MODEL_SAME_FLOW, PLACE_LAST);
}

static bool all_reached(const uint32_t *reached)
{
	bool all = true;

	for (unsigned i = 0; i < CELLS; i++) {
		unsigned v = i - ROW_MESSAGES;

		if ((reached[i] > 0) == can_be_reached(i))
			continue;
		all = false;
		if (i < ROW_MESSAGES)
			printf("never: %s\n", message_text[i]);
		else
			printf("%s: %s, compared with %s\n",
			       reached[i] > 0 ? "against the table" : "never",
			       verdict_text[v / MODEL_PLACES], place_text[v % MODEL_PLACES]);
	}
	return all;
}

int main(int argc, char **argv)
{
	uint32_t reached[CELLS] = {0};
	uint64_t worlds = 0, transitions = 0;
	bool kept = true;

	for (unsigned i = 0; i < SCENARIOS && kept; i++) {
		clock_t begun = clock();
		struct search s;

		if (argc > 1 && strstr(scenarios[i].name, argv[1]) == NULL)
			continue;
		search_open(&s);
		kept = search_run(&s, &scenarios[i], reached);
		worlds += s.count;
		transitions += s.transitions;
		printf("  %s: %u states, %llu transitions, %.1f s\n", scenarios[i].name, s.count,
		       (unsigned long long)s.transitions,
		       (double)(clock() - begun) / CLOCKS_PER_SEC);
		fflush(stdout);
		search_close(&s);
	}
	printf("%llu states, %llu transitions: %s\n", (unsigned long long)worlds,
	       (unsigned long long)transitions,
	       kept ? "every promise is kept" : "a promise is broken");
	return kept && (argc > 1 || all_reached(reached)) ? 0 : 1;
}
