/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/core.h"
#include "test.h"

#define MS 1000u
#define DAY_US (UINT64_C(24) * 3600 * 1000 * 1000)

/* What the fire functions of these tests write to. */
struct log {
	struct wheel *wheel;
	struct timer *other; /* disarmed by the next fire */
	uint32_t fired;
	struct timer *last;
	uint64_t again_us; /* the timer arms itself for this time */
};

static void note(struct timer *timer, void *context)
{
	struct log *log = context;

	EXPECT(!timer_armed(timer));
	log->fired++;
	log->last = timer;
	if (log->other != NULL)
		wheel_disarm(log->wheel, log->other);
	if (log->again_us != 0)
		wheel_arm(log->wheel, timer, log->again_us, note);
}

TEST(wheel, fires_at_the_tick_and_not_before)
{
	struct log log = {0};
	struct timer t = {0};
	struct wheel *w = wheel_new(0, &log);

	wheel_arm(w, &t, 10 * MS, note);
	EXPECT(timer_armed(&t));
	EXPECT_EQ(0, wheel_run(w, 10 * MS - 1, 8));
	EXPECT_EQ(1, wheel_run(w, 10 * MS, 8));
	EXPECT(!timer_armed(&t));
	EXPECT_EQ(0, wheel_armed(w));
	wheel_free(w);
}

TEST(wheel, rounds_a_part_of_a_tick_up)
{
	struct log log = {0};
	struct timer t = {0};
	struct wheel *w = wheel_new(0, &log);

	wheel_arm(w, &t, 10 * MS + 1, note);
	EXPECT_EQ(0, wheel_run(w, 11 * MS - 1, 8));
	EXPECT_EQ(1, wheel_run(w, 11 * MS, 8));
	wheel_free(w);
}

TEST(wheel, fires_what_is_already_due_at_the_next_run)
{
	struct log log = {0};
	struct timer t = {0};
	struct wheel *w = wheel_new(500 * MS, &log);

	wheel_arm(w, &t, 3 * MS, note);
	EXPECT_EQ(0, wheel_next_us(w));
	EXPECT_EQ(1, wheel_run(w, 500 * MS, 8));
	wheel_free(w);
}

TEST(wheel, does_not_fire_what_was_disarmed)
{
	struct log log = {0};
	struct timer t = {0};
	struct wheel *w = wheel_new(0, &log);

	wheel_arm(w, &t, 10 * MS, note);
	wheel_disarm(w, &t);
	wheel_disarm(w, &t);
	EXPECT_EQ(0, wheel_run(w, 100 * MS, 8));
	EXPECT_EQ(UINT64_MAX, wheel_next_us(w));
	wheel_free(w);
}

TEST(wheel, moves_an_armed_timer)
{
	struct log log = {0};
	struct timer t = {0};
	struct wheel *w = wheel_new(0, &log);

	wheel_arm(w, &t, 10 * MS, note);
	wheel_arm(w, &t, 20000 * MS, note);
	EXPECT_EQ(1, wheel_armed(w));
	EXPECT_EQ(0, wheel_run(w, 19999 * MS, 8));
	EXPECT_EQ(1, wheel_run(w, 20000 * MS, 8));
	wheel_free(w);
}

TEST(wheel, lets_a_timer_disarm_another_that_is_due_in_the_same_run)
{
	struct timer t[3] = {{0}};
	struct log log = {0};
	struct wheel *w = wheel_new(0, &log);

	log.wheel = w;
	for (int i = 0; i < 3; i++)
		wheel_arm(w, &t[i], 0, note); /* due: fire in the order of arming */
	log.other = &t[2];
	EXPECT_EQ(2, wheel_run(w, 5 * MS, 8));
	EXPECT(!timer_armed(&t[2]));
	wheel_arm(w, &t[2], 0, note); /* the end of the list has followed */
	EXPECT_EQ(1, wheel_run(w, 5 * MS, 8));
	wheel_free(w);
}

TEST(wheel, lets_a_timer_arm_itself_again)
{
	struct timer t = {0};
	struct log log = {0};
	struct wheel *w = wheel_new(0, &log);

	log.wheel = w;
	log.again_us = 7 * MS;
	wheel_arm(w, &t, 1 * MS, note);
	EXPECT_EQ(1, wheel_run(w, 6 * MS, 8));
	log.again_us = 0;
	EXPECT_EQ(1, wheel_run(w, 7 * MS, 8));
	wheel_free(w);
}

TEST(wheel, fires_at_most_max_and_the_rest_next_time)
{
	struct timer t[5] = {{0}};
	struct log log = {0};
	struct wheel *w = wheel_new(0, &log);

	for (int i = 0; i < 5; i++)
		wheel_arm(w, &t[i], 2 * MS, note);
	EXPECT_EQ(2, wheel_run(w, 3 * MS, 2));
	EXPECT(wheel_next_us(w) <= 3 * MS);
	EXPECT_EQ(2, wheel_run(w, 3 * MS, 2));
	EXPECT_EQ(1, wheel_run(w, 3 * MS, 2));
	EXPECT_EQ(UINT64_MAX, wheel_next_us(w));
	wheel_free(w);
}

TEST(wheel, keeps_a_timer_of_a_year_and_one_without_end)
{
	struct timer year = {0}, never = {0};
	struct log log = {0};
	struct wheel *w = wheel_new(0, &log);

	wheel_arm(w, &year, 365 * DAY_US, note);
	wheel_arm(w, &never, UINT64_MAX, note);
	for (uint64_t day = 1; day < 365; day++)
		EXPECT_EQ(0, wheel_run(w, day * DAY_US, 8));
	EXPECT_EQ(1, wheel_run(w, 365 * DAY_US, 8));
	EXPECT(log.last == &year);
	EXPECT(timer_armed(&never));
	wheel_free(w);
}

TEST(wheel, jumps_over_a_year_in_one_run)
{
	struct timer t = {0};
	struct log log = {0};
	struct wheel *w = wheel_new(0, &log);

	wheel_arm(w, &t, 365 * DAY_US, note);
	EXPECT_EQ(1, wheel_run(w, 366 * DAY_US, 8));
	wheel_arm(w, &t, 366 * DAY_US + 5 * MS, note);
	EXPECT_EQ(0, wheel_run(w, 366 * DAY_US + 4 * MS, 8));
	EXPECT_EQ(1, wheel_run(w, 366 * DAY_US + 5 * MS, 8));
	wheel_free(w);
}

/* A sleeper that goes only by wheel_next_us() reaches the timer, in few steps. */
TEST(wheel, wakes_a_sleeper_in_time_and_seldom)
{
	const uint64_t due[] = {1,     255,   256,	257,	  65535,
				65536, 70000, 16777216, 20000000, 4294967295};

	for (uint32_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
		struct timer t = {0};
		struct log log = {0};
		uint64_t now_us = 123456789 * (uint64_t)MS;
		struct wheel *w = wheel_new(now_us, &log);
		uint64_t due_us = now_us + due[i] * MS;
		int steps = 0;

		wheel_arm(w, &t, due_us, note);
		while (log.fired == 0) {
			uint64_t next_us = wheel_next_us(w);

			EXPECT(next_us <= due_us);
			EXPECT(next_us > now_us);
			now_us = next_us;
			wheel_run(w, now_us, 8);
			EXPECT(++steps <= 6);
		}
		EXPECT_EQ(due_us, now_us);
		wheel_free(w);
	}
}

TEST(wheel, cascades_a_crowded_slot_in_bounded_steps_without_loss)
{
	enum { N = 10000 };
	struct timer *t = calloc(N, sizeof(*t));
	struct log log = {0};
	struct wheel *w = wheel_new(0, &log);
	uint32_t runs = 0;

	for (uint32_t i = 0; i < N; i++)
		wheel_arm(w, &t[i], (65536 + i % 200) * (uint64_t)MS, note);
	while (log.fired < N) {
		uint32_t before = log.fired;

		EXPECT(wheel_run(w, 66000 * (uint64_t)MS, 16) <= 16);
		EXPECT(log.fired - before <= 16);
		EXPECT(++runs < N);
	}
	EXPECT_EQ(N, log.fired);
	EXPECT_EQ(0, wheel_armed(w));
	wheel_free(w);
	free(t);
}

/* ---- against a naive reference: an array of due times ---- */

enum { MODEL_TIMERS = 300 };

struct model {
	struct wheel *wheel;
	struct timer timer[MODEL_TIMERS];
	uint64_t due_us[MODEL_TIMERS]; /* UINT64_MAX: disarmed */
	uint64_t now_us;
	uint64_t seed;
	uint32_t armed;
};

static uint64_t model_random(struct model *m)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return m->seed;
}

/* Anything from a part of a tick to hours, small more often than large. */
static uint64_t model_span_us(struct model *m)
{
	return model_random(m) >> (30 + model_random(m) % 34);
}

static void model_fire(struct timer *timer, void *context);

static void model_arm(struct model *m, uint32_t i)
{
	uint64_t due_us = m->now_us + model_span_us(m);

	if (model_random(m) % 16 == 0)
		due_us = m->now_us > 5000 ? m->now_us - 5000 : 0;
	m->armed += m->due_us[i] == UINT64_MAX;
	m->due_us[i] = due_us;
	wheel_arm(m->wheel, &m->timer[i], due_us, model_fire);
}

static void model_disarm(struct model *m, uint32_t i)
{
	m->armed -= m->due_us[i] != UINT64_MAX;
	m->due_us[i] = UINT64_MAX;
	wheel_disarm(m->wheel, &m->timer[i]);
}

static void model_fire(struct timer *timer, void *context)
{
	struct model *m = context;
	uint32_t i = (uint32_t)(timer - m->timer);

	EXPECT(m->due_us[i] <= m->now_us); /* never early, never one that was disarmed */
	m->due_us[i] = UINT64_MAX;
	m->armed--;
	if (model_random(m) % 4 == 0)
		model_arm(m, (uint32_t)(model_random(m) % MODEL_TIMERS));
	if (model_random(m) % 8 == 0)
		model_disarm(m, (uint32_t)(model_random(m) % MODEL_TIMERS));
}

/* When the earliest timer fires at the latest; UINT64_MAX when none is armed. */
static uint64_t model_next_us(const struct model *m)
{
	uint64_t next_us = UINT64_MAX;

	for (uint32_t i = 0; i < MODEL_TIMERS; i++)
		if (m->due_us[i] < next_us)
			next_us = m->due_us[i];
	return next_us == UINT64_MAX ? next_us : (next_us + MS - 1) / MS * MS;
}

static void model_run(struct model *m, uint32_t max)
{
	EXPECT(wheel_next_us(m->wheel) <= model_next_us(m));
	EXPECT_EQ(m->armed == 0, wheel_next_us(m->wheel) == UINT64_MAX);
	EXPECT(wheel_run(m->wheel, m->now_us, max) <= max);
	EXPECT_EQ(m->armed, wheel_armed(m->wheel));
}

/* Runs until nothing is due; what callbacks arm for the past may need another turn. */
static void model_settle(struct model *m)
{
	for (int turn = 0; wheel_next_us(m->wheel) <= m->now_us; turn++) {
		EXPECT(turn < 10000);
		model_run(m, 7);
	}
	EXPECT(model_next_us(m) > m->now_us);
}

static void model_check(uint64_t seed, int steps)
{
	struct model *m = calloc(1, sizeof(*m));

	m->seed = seed;
	m->now_us = seed % 3 == 0 ? (UINT64_C(1) << 32) * MS - 70000 : seed * 7919;
	m->wheel = wheel_new(m->now_us, m);
	for (uint32_t i = 0; i < MODEL_TIMERS; i++)
		m->due_us[i] = UINT64_MAX;
	for (int step = 0; step < steps; step++) {
		uint32_t i = (uint32_t)(model_random(m) % MODEL_TIMERS);

		switch (model_random(m) % 6) {
		case 0:
		case 1:
		case 2:
			model_arm(m, i);
			break;
		case 3:
			model_disarm(m, i);
			break;
		case 4:
			m->now_us += model_span_us(m);
			model_run(m, (uint32_t)(1 + model_random(m) % 4)); /* may be cut short */
			break;
		default:
			m->now_us += model_span_us(m);
			model_settle(m);
		}
	}
	wheel_free(m->wheel);
	free(m);
}

TEST(wheel, agrees_with_a_naive_reference_over_random_use)
{
	for (uint64_t seed = 1; seed <= 60; seed++)
		model_check(seed, 3000);
}

TEST_MAIN("wheel", RUN(wheel, fires_at_the_tick_and_not_before),
	  RUN(wheel, rounds_a_part_of_a_tick_up),
	  RUN(wheel, fires_what_is_already_due_at_the_next_run),
	  RUN(wheel, does_not_fire_what_was_disarmed), RUN(wheel, moves_an_armed_timer),
	  RUN(wheel, lets_a_timer_disarm_another_that_is_due_in_the_same_run),
	  RUN(wheel, lets_a_timer_arm_itself_again),
	  RUN(wheel, fires_at_most_max_and_the_rest_next_time),
	  RUN(wheel, keeps_a_timer_of_a_year_and_one_without_end),
	  RUN(wheel, jumps_over_a_year_in_one_run), RUN(wheel, wakes_a_sleeper_in_time_and_seldom),
	  RUN(wheel, cascades_a_crowded_slot_in_bounded_steps_without_loss),
	  RUN(wheel, agrees_with_a_naive_reference_over_random_use))
