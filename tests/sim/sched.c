/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

#include <stdlib.h>

/* Chance (xoshiro256**, Blackman and Vigna 2018) and the schedule: a binary heap of events. */

static uint64_t rotate(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t sim_random(struct sim *sim)
{
	uint64_t *s = sim->random;
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/** SplitMix64 spreads one seed over the state. */
void sim_seed(struct sim *sim, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		sim->random[i] = z ^ z >> 31;
	}
}

uint32_t sim_below(struct sim *sim, uint32_t n)
{
	return (uint32_t)((sim_random(sim) >> 32) * n >> 32);
}

uint64_t sim_between(struct sim *sim, uint64_t from, uint64_t to)
{
	return from + sim_random(sim) % (to - from + 1);
}

bool sim_chance(struct sim *sim, uint32_t percent)
{
	return sim_below(sim, 100) < percent;
}

uint64_t sim_now(const struct sim *sim)
{
	return sim->now_us;
}

void sim_step_draw(struct sim *sim)
{
	uint64_t z = (sim->options.seed + 1) * 0xbf58476d1ce4e5b9ull;

	sim->step.at_us = UINT64_MAX;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	if ((sim->options.mode != SIM_PLAIN && sim->options.mode != SIM_POOL) || z >> 62 != 0)
		return;
	sim->step.at_us = sim_s(5) + (z >> 32) % sim_s(25);
	z = (z ^ z >> 29) * 0xbf58476d1ce4e5b9ull;
	sim->step.by_us = (int64_t)((z >> 32) % sim_s(180)) - (int64_t)sim_s(90);
	if (sim->step.by_us < STEP_LEAST_US && sim->step.by_us > -STEP_LEAST_US)
		sim->step.by_us = STEP_LEAST_US;
}

bool sim_stepped(const struct sim *sim, uint64_t since_us)
{
	return since_us <= sim->step.at_us && sim->step.at_us <= sim->now_us;
}

bool sim_step_unseen(const struct sim *sim)
{
	return sim_stepped(sim, 0) && sim->now_us < sim->step.at_us + STEP_SEEN_US;
}

uint64_t sim_wall_us(const struct sim *sim)
{
	int64_t step_us = sim_stepped(sim, 0) ? sim->step.by_us : 0;

	return SIM_WALL_START * SECOND + sim->wall_part_us + sim->now_us + (uint64_t)step_us;
}

uint64_t sim_wall(const struct sim *sim)
{
	return sim_wall_us(sim) / SECOND;
}

/** When a clock shows that second that has been ahead by step_us all the time. */
static uint64_t wall_at(const struct sim *sim, uint64_t wall_s, int64_t step_us)
{
	uint64_t began_us = SIM_WALL_START * SECOND + sim->wall_part_us + (uint64_t)step_us;

	return wall_s * SECOND > began_us ? wall_s * SECOND - began_us : 0;
}

uint64_t sim_wall_before(const struct sim *sim, uint64_t wall_s)
{
	return wall_at(sim, wall_s, 0);
}

uint64_t sim_wall_at(const struct sim *sim, uint64_t wall_s)
{
	uint64_t before_us = wall_at(sim, wall_s, 0), seen_us = sim->step.at_us + STEP_SEEN_US;
	uint64_t after_us = wall_at(sim, wall_s, sim->step.by_us);

	if (!sim_stepped(sim, 0) || (sim->step.by_us > 0 && before_us <= sim->step.at_us))
		return before_us;
	if (sim->step.by_us < 0 || after_us > seen_us)
		return after_us;
	return before_us < seen_us ? before_us : seen_us;
}

struct event {
	uint64_t at_us;
	uint64_t order; /* of making, among those of one instant */
	sim_event *run;
	void *context;
	uint64_t arg;
	bool owned;
};

struct sched {
	struct event *heap;
	uint32_t len, size;
	uint64_t made;
};

struct sched *sched_new(void)
{
	return calloc(1, sizeof(struct sched));
}

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void push(struct sim *sim, struct event e)
{
	struct sched *s = sim->sched;
	uint32_t i = s->len++;

	if (s->len > s->size) {
		s->size = s->size == 0 ? 256 : s->size * 2;
		s->heap = realloc(s->heap, s->size * sizeof(*s->heap));
	}
	e.at_us = e.at_us > sim->now_us ? e.at_us : sim->now_us;
	e.order = s->made++;
	while (i > 0 && before(&e, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = e;
}

static struct event pop(struct sched *s)
{
	struct event first = s->heap[0], last = s->heap[--s->len];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < s->len) {
		if (child + 1 < s->len && before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	if (s->len > 0)
		s->heap[i] = last;
	return first;
}

void sim_at(struct sim *sim, uint64_t at_us, sim_event *event, void *context, uint64_t arg)
{
	push(sim, (struct event){.at_us = at_us, .run = event, .context = context, .arg = arg});
}

void sim_at_owned(struct sim *sim, uint64_t at_us, sim_event *event, void *context)
{
	push(sim, (struct event){.at_us = at_us, .run = event, .context = context, .owned = true});
}

bool sched_step(struct sim *sim, uint64_t until_us)
{
	struct event e;

	if (sim->sched->len == 0 || sim->sched->heap[0].at_us > until_us)
		return false;
	e = pop(sim->sched);
	sim->now_us = e.at_us;
	sim->steps++;
	e.run(sim, e.context, e.arg);
	return true;
}

void sched_free(struct sim *sim)
{
	struct sched *s = sim->sched;

	while (s->len > 0) {
		struct event e = pop(s);

		if (e.owned)
			e.run(sim, e.context, e.arg);
	}
	free(s->heap);
	free(s);
}
