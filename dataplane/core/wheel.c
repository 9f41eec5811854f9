/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/core.h"

#include <stdlib.h>

/*
 * Time is cut into ticks. A timer lies on the level of the highest byte in which its tick differs
 * from the wheel's, in the slot of that byte's value; what is due lies in a list of its own. So all
 * of a lower level comes before all of a higher one, and the next thing to do is found with one
 * look at the bitmaps: the wheel jumps there, however long nothing happened.
 */
#define WHEEL_LEVELS 4u
#define WHEEL_BITS 8u
#define WHEEL_SLOTS 256u
#define WHEEL_MAP_WORDS (WHEEL_SLOTS / 64u)

/* On the top level a timer must not lie in the current slot, one turn ahead. */
#define WHEEL_REACH ((uint64_t)(WHEEL_SLOTS - 1) << (WHEEL_BITS * (WHEEL_LEVELS - 1)))

/* Timers moved between levels in one run, for each one that may fire: the bound of a cascade. */
#define WHEEL_MOVES_PER_FIRE 4u

struct wheel {
	uint64_t tick; /* all timers before it have fired or are in the due list */
	void *context;
	uint32_t armed;
	struct timer *due;
	struct timer **due_end;
	uint64_t map[WHEEL_LEVELS][WHEEL_MAP_WORDS]; /* slots that are not empty */
	struct timer *slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

/* Where the wheel has to stop next. */
struct wheel_stop {
	uint64_t tick; /* UINT64_MAX: nowhere */
	uint32_t level;
	uint32_t slot;
};

struct wheel *wheel_new(uint64_t now_us, void *context)
{
	struct wheel *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->tick = now_us / WHEEL_TICK_US;
	w->context = context;
	w->due_end = &w->due;
	return w;
}

void wheel_free(struct wheel *wheel)
{
	free(wheel);
}

/* Rounded up: a timer never fires early. */
static uint64_t wheel_tick_of(uint64_t due_us)
{
	return due_us / WHEEL_TICK_US + (due_us % WHEEL_TICK_US != 0);
}

static void wheel_place_due(struct wheel *w, struct timer *t)
{
	t->next = NULL;
	t->link = w->due_end;
	*w->due_end = t;
	w->due_end = &t->next;
}

static void wheel_place(struct wheel *w, struct timer *t)
{
	uint64_t tick = wheel_tick_of(t->due_us);
	uint32_t level = 0, slot;
	struct timer **head;

	if (tick <= w->tick) {
		wheel_place_due(w, t);
		return;
	}
	if (tick - w->tick > WHEEL_REACH)
		tick = w->tick + WHEEL_REACH; /* it is placed anew when the wheel gets there */
	while (level < WHEEL_LEVELS - 1 && (tick ^ w->tick) >> (WHEEL_BITS * (level + 1)) != 0)
		level++;
	slot = (uint32_t)(tick >> (WHEEL_BITS * level)) % WHEEL_SLOTS;
	head = &w->slot[level][slot];
	t->next = *head;
	t->link = head;
	if (t->next != NULL)
		t->next->link = &t->next;
	*head = t;
	w->map[level][slot / 64] |= UINT64_C(1) << slot % 64;
}

/* When link is the head of a slot that has become empty, the bitmap follows. */
static void wheel_unmark(struct wheel *w, struct timer **link)
{
	uintptr_t offset = (uintptr_t)link - (uintptr_t)w->slot;
	uint32_t index;

	if (offset >= sizeof(w->slot) || *link != NULL)
		return;
	index = (uint32_t)(offset / sizeof(struct timer *));
	w->map[index / WHEEL_SLOTS][index % WHEEL_SLOTS / 64] &= ~(UINT64_C(1) << index % 64);
}

static void wheel_unlink(struct wheel *w, struct timer *t)
{
	*t->link = t->next;
	if (t->next != NULL)
		t->next->link = t->link;
	else if (w->due_end == &t->next)
		w->due_end = t->link;
	wheel_unmark(w, t->link);
	t->next = NULL;
	t->link = NULL;
}

void wheel_arm(struct wheel *wheel, struct timer *timer, uint64_t due_us, timer_fire *fire)
{
	wheel_disarm(wheel, timer);
	timer->due_us = due_us;
	timer->fire = fire;
	wheel_place(wheel, timer);
	wheel->armed++;
}

void wheel_disarm(struct wheel *wheel, struct timer *timer)
{
	if (!timer_armed(timer))
		return;
	wheel_unlink(wheel, timer);
	wheel->armed--;
}

/* The first slot in use at or after from; WHEEL_SLOTS when there is none. */
static uint32_t wheel_scan(const uint64_t map[WHEEL_MAP_WORDS], uint32_t from)
{
	for (uint32_t word = from / 64; word < WHEEL_MAP_WORDS; word++) {
		uint64_t bits = map[word];

		if (word == from / 64)
			bits &= ~UINT64_C(0) << from % 64;
		if (bits != 0)
			return word * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return WHEEL_SLOTS;
}

/*
 * The next stop on one level, slots before first left out. Only the top level wraps: on the others
 * what lies before the current slot would differ in a higher byte.
 */
static bool wheel_stop_on(const struct wheel *w, uint32_t level, uint32_t first,
			  struct wheel_stop *stop)
{
	uint32_t shift = WHEEL_BITS * level;
	uint64_t turn = w->tick >> shift >> WHEEL_BITS;
	uint32_t slot = wheel_scan(w->map[level], first);

	if (slot == WHEEL_SLOTS && level == WHEEL_LEVELS - 1) {
		slot = wheel_scan(w->map[level], 0);
		turn++;
	}
	*stop = (struct wheel_stop){(turn << WHEEL_BITS | slot) << shift, level, slot};
	return slot != WHEEL_SLOTS;
}

static struct wheel_stop wheel_stop_next(const struct wheel *w)
{
	struct wheel_stop stop;
	uint32_t current[WHEEL_LEVELS];

	/* A current slot is in use only while its cascade is unfinished: that comes first. */
	for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
		current[level] = (uint32_t)(w->tick >> (WHEEL_BITS * level)) % WHEEL_SLOTS;
		if (w->slot[level][current[level]] != NULL)
			return (struct wheel_stop){w->tick, level, current[level]};
	}
	for (uint32_t level = 0; level < WHEEL_LEVELS; level++)
		if (wheel_stop_on(w, level, current[level], &stop))
			return stop;
	return (struct wheel_stop){UINT64_MAX, 0, 0};
}

/* Moves the timers of the slot where the wheel stands to where they now belong; at most *moves. */
static void wheel_cascade(struct wheel *w, struct wheel_stop stop, uint32_t *moves)
{
	struct timer **head = &w->slot[stop.level][stop.slot];

	for (; *moves > 0 && *head != NULL; (*moves)--) {
		struct timer *t = *head;

		wheel_unlink(w, t);
		wheel_place(w, t);
	}
}

static uint32_t wheel_fire_due(struct wheel *w, uint32_t max)
{
	uint32_t fired = 0;

	for (; fired < max && w->due != NULL; fired++) {
		struct timer *t = w->due;

		wheel_disarm(w, t);
		t->fire(t, w->context);
	}
	return fired;
}

uint32_t wheel_run(struct wheel *wheel, uint64_t now_us, uint32_t max)
{
	uint64_t target = now_us / WHEEL_TICK_US;
	uint64_t budget = (uint64_t)max * WHEEL_MOVES_PER_FIRE;
	uint32_t moves = budget < UINT32_MAX ? (uint32_t)budget : UINT32_MAX;
	uint32_t fired = wheel_fire_due(wheel, max);

	while (fired < max && moves > 0) {
		struct wheel_stop stop = wheel_stop_next(wheel);

		if (stop.tick > target) {
			if (target > wheel->tick)
				wheel->tick = target;
			break;
		}
		wheel->tick = stop.tick;
		wheel_cascade(wheel, stop, &moves);
		fired += wheel_fire_due(wheel, max - fired);
	}
	return fired;
}

uint64_t wheel_next_us(const struct wheel *wheel)
{
	struct wheel_stop stop;

	if (wheel->due != NULL)
		return 0;
	stop = wheel_stop_next(wheel);
	return stop.tick > UINT64_MAX / WHEEL_TICK_US ? UINT64_MAX : stop.tick * WHEEL_TICK_US;
}

uint32_t wheel_armed(const struct wheel *wheel)
{
	return wheel->armed;
}
