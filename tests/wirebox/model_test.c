/* SPDX-License-Identifier: BSD-3-Clause */
#include "model.h"

#include "test.h"

#define FRAMES 100000u
#define SEED 7
#define HALF (MODEL_CERTAIN / 2)
#define LEN 1000u
#define PACKET (LEN - 14u)

static struct model_verdict at(struct model *m, uint64_t now_us)
{
	return model_frame(m, LEN, PACKET, now_us);
}

/** Nothing of a verdict but when, which depends on when it was asked. */
static bool same_chance(struct model_verdict a, struct model_verdict b)
{
	return a.fate == b.fate && a.twice == b.twice && a.reordered == b.reordered &&
	       a.corrupted == b.corrupted && a.bit == b.bit;
}

TEST(model, passes_everything_at_once_when_nothing_is_configured)
{
	struct model_config config = {0};
	struct model m;

	model_init(&m, &config, SEED, 0);
	for (uint64_t i = 0; i < 1000; i++) {
		struct model_verdict v = at(&m, i);

		EXPECT_EQ(MODEL_PASSED, v.fate);
		EXPECT(!v.twice && !v.reordered && !v.corrupted);
		EXPECT_EQ(i, v.due_us);
	}
}

TEST(model, makes_each_thing_happen_as_often_as_it_is_told)
{
	const uint64_t chance = MODEL_CERTAIN / 20;
	struct model_config config = {.loss = chance,
				      .duplicate = chance,
				      .reorder = chance,
				      .corrupt = chance};
	uint32_t lost = 0, twice = 0, reordered = 0, corrupted = 0;
	struct model m;

	model_init(&m, &config, SEED, 0);
	for (uint64_t i = 0; i < FRAMES; i++) {
		struct model_verdict v = at(&m, i);

		lost += v.fate == MODEL_LOST;
		twice += v.twice;
		reordered += v.reordered;
		corrupted += v.corrupted;
	}
	/* 5 % of 100000 with a standard deviation of 69: four of them to each side */
	assert_in_range(lost, 5000 - 276, 5000 + 276);
	assert_in_range(twice, 5000 - 276, 5000 + 276);
	assert_in_range(reordered, 5000 - 276, 5000 + 276);
	assert_in_range(corrupted, 5000 - 276, 5000 + 276);
}

TEST(model, knows_never_and_always)
{
	struct model_config config = {.loss = 0, .duplicate = MODEL_CERTAIN};
	struct model m;

	model_init(&m, &config, SEED, 0);
	for (uint64_t i = 0; i < FRAMES; i++) {
		struct model_verdict v = at(&m, i);

		EXPECT(v.fate == MODEL_PASSED && v.twice);
	}
}

TEST(model, decides_the_same_for_the_same_seed_whenever_the_frames_come)
{
	struct model_config config = {.loss = HALF,
				      .duplicate = HALF,
				      .corrupt = HALF,
				      .reorder = HALF};
	struct model a, b;

	model_init(&a, &config, SEED, 1);
	model_init(&b, &config, SEED, 1);
	for (uint64_t i = 0; i < 10000; i++)
		EXPECT(same_chance(at(&a, i), at(&b, i * 977)));
}

TEST(model, decides_the_same_for_a_frame_whatever_else_is_switched_on)
{
	struct model_config some = {.loss = HALF};
	struct model_config more = {.loss = HALF,
				    .duplicate = HALF,
				    .corrupt = HALF,
				    .delay_max_us = 5000};
	struct model a, b;

	model_init(&a, &some, SEED, 0);
	model_init(&b, &more, SEED, 0);
	for (uint64_t i = 0; i < 10000; i++)
		EXPECT_EQ(at(&a, i).fate, at(&b, i).fate);
}

TEST(model, decides_differently_for_another_seed_and_for_the_other_direction)
{
	struct model_config config = {.loss = HALF};
	uint32_t other_seed = 0, other_direction = 0;
	struct model a, b, c;

	model_init(&a, &config, SEED, 0);
	model_init(&b, &config, SEED + 1, 0);
	model_init(&c, &config, SEED, 1);
	for (uint64_t i = 0; i < 10000; i++) {
		enum model_fate fate = at(&a, i).fate;

		other_seed += fate != at(&b, i).fate;
		other_direction += fate != at(&c, i).fate;
	}
	assert_in_range(other_seed, 4800, 5200);
	assert_in_range(other_direction, 4800, 5200);
}

TEST(model, drops_the_frames_that_are_numbered)
{
	struct model_config config = {.drops = {2, 5}};
	struct model m;

	model_init(&m, &config, SEED, 0);
	for (uint64_t i = 1; i <= 100; i++)
		EXPECT_EQ(i == 2 || i == 5 ? MODEL_DROPPED : MODEL_PASSED, at(&m, i).fate);
}

TEST(model, lets_a_packet_of_exactly_the_mtu_through_and_no_bigger_one)
{
	struct model_config config = {.mtu = 1300};
	struct model m;

	model_init(&m, &config, SEED, 0);
	EXPECT_EQ(MODEL_PASSED, model_frame(&m, 1314, 1300, 0).fate);
	EXPECT_EQ(MODEL_TOO_BIG, model_frame(&m, 1315, 1301, 0).fate);
}

TEST(model, spreads_delays_evenly_and_keeps_the_order)
{
	struct model_config config = {.delay_min_us = 5000, .delay_max_us = 9999};
	uint64_t last = 0, late = 0;
	struct model m;

	model_init(&m, &config, SEED, 0);
	for (uint64_t i = 0; i < FRAMES; i++) {
		uint64_t now = i * 10000; /* far enough from each other not to push */
		struct model_verdict v = at(&m, now);

		assert_in_range(v.due_us - now, 5000, 9999);
		late += v.due_us - now >= 7500;
	}
	assert_in_range(late, 49000, 51000);
	for (uint64_t i = 0; i < FRAMES; i++) {
		struct model_verdict v = at(&m, FRAMES * 10000 + i);

		EXPECT(v.due_us >= last);
		last = v.due_us;
	}
}

TEST(model, lets_later_frames_overtake_a_reordered_one)
{
	struct model_config config = {.delay_min_us = 100, .delay_max_us = 200, .reorder = HALF};
	uint64_t overtaken = 0, held_due = 0;
	struct model m;

	model_init(&m, &config, SEED, 0);
	for (uint64_t i = 0; i < 10000; i++) {
		struct model_verdict v = at(&m, i * 300);

		if (v.reordered)
			held_due = v.due_us;
		else
			overtaken += v.due_us < held_due;
	}
	EXPECT(overtaken > 2000);
}

TEST(model, sends_no_faster_than_its_rate)
{
	struct model_config config = {.rate_kbits = 8000}; /* 1000 bytes in 1 ms */
	struct model m;

	model_init(&m, &config, SEED, 0);
	EXPECT_EQ(1000, at(&m, 0).due_us);
	EXPECT_EQ(2000, at(&m, 0).due_us);
	EXPECT_EQ(6000, at(&m, 5000).due_us); /* it was free meanwhile: nothing is saved up */
}

TEST(model, drops_what_its_queue_has_no_room_for)
{
	struct model_config config = {.rate_kbits = 8000, .queue_bytes = 2500};
	struct model m;

	model_init(&m, &config, SEED, 0);
	EXPECT_EQ(MODEL_PASSED, at(&m, 0).fate);
	EXPECT_EQ(MODEL_PASSED, at(&m, 0).fate);
	EXPECT_EQ(MODEL_QUEUE_FULL, at(&m, 0).fate);
	EXPECT_EQ(MODEL_PASSED, model_frame(&m, 500, 486, 0).fate); /* a small one still fits */
	EXPECT_EQ(MODEL_PASSED, at(&m, 1000).fate);
	EXPECT_EQ(MODEL_QUEUE_FULL, at(&m, 1000).fate);
}

TEST_MAIN("wirebox model", RUN(model, passes_everything_at_once_when_nothing_is_configured),
	  RUN(model, makes_each_thing_happen_as_often_as_it_is_told),
	  RUN(model, knows_never_and_always),
	  RUN(model, decides_the_same_for_the_same_seed_whenever_the_frames_come),
	  RUN(model, decides_the_same_for_a_frame_whatever_else_is_switched_on),
	  RUN(model, decides_differently_for_another_seed_and_for_the_other_direction),
	  RUN(model, drops_the_frames_that_are_numbered),
	  RUN(model, lets_a_packet_of_exactly_the_mtu_through_and_no_bigger_one),
	  RUN(model, spreads_delays_evenly_and_keeps_the_order),
	  RUN(model, lets_later_frames_overtake_a_reordered_one),
	  RUN(model, sends_no_faster_than_its_rate),
	  RUN(model, drops_what_its_queue_has_no_room_for))
