/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/core.h"
#include "test.h"

#include <sys/resource.h>

#define EPOCH 7000u

struct thing {
	uint64_t value[5];
};

static struct slots *things(uint32_t capacity)
{
	struct slots *s = slots_new(3, capacity, sizeof(struct thing), EPOCH);

	EXPECT(s != NULL);
	return s;
}

TEST(slots, gives_zeroed_objects_until_the_capacity_is_out)
{
	struct slots *s = things(2);
	struct thing *a = slots_get(s), *b = slots_get(s);

	EXPECT(a != NULL && b != NULL && a != b);
	EXPECT_EQ(0, a->value[0] | a->value[4] | b->value[0] | b->value[4]);
	EXPECT(slots_get(s) == NULL);
	EXPECT_EQ(2, slots_live(s));
	EXPECT_EQ(2, slots_capacity(s));
	slots_free(s);
}

TEST(slots, zeroes_an_object_that_was_used_before)
{
	struct slots *s = things(1);
	struct thing *a = slots_get(s);

	memset(a, 0xa5, sizeof(*a));
	EXPECT(slots_put(s, a));
	a = slots_get(s);
	EXPECT_EQ(0, a->value[0] | a->value[1] | a->value[4]);
	slots_free(s);
}

TEST(slots, finds_an_object_by_its_handle)
{
	struct slots *s = things(4);
	void *a = slots_get(s), *b = slots_get(s);

	EXPECT(slots_at(s, slots_handle(s, a)) == a);
	EXPECT(slots_at(s, slots_handle(s, b)) == b);
	EXPECT(!handle_equal(slots_handle(s, a), slots_handle(s, b)));
	slots_free(s);
}

TEST(slots, starts_its_generations_after_the_epoch)
{
	struct slots *s = things(1);

	EXPECT_EQ(EPOCH + 1, slots_handle(s, slots_get(s)).generation);
	slots_free(s);
}

TEST(slots, does_not_find_what_was_given_back)
{
	struct slots *s = things(1);
	void *a = slots_get(s);
	struct handle h = slots_handle(s, a);

	EXPECT(slots_put(s, a));
	EXPECT(slots_at(s, h) == NULL);
	EXPECT(handle_is_none(slots_handle(s, a)));
	slots_free(s);
}

TEST(slots, does_not_find_the_next_owner_of_a_slot_by_the_old_handle)
{
	struct slots *s = things(1);
	void *a = slots_get(s);
	struct handle old = slots_handle(s, a);

	EXPECT(slots_put(s, a));
	EXPECT(slots_get(s) == a);
	EXPECT(slots_at(s, old) == NULL);
	EXPECT(slots_at(s, slots_handle(s, a)) == a);
	slots_free(s);
}

TEST(slots, does_not_find_by_the_handle_of_another_worker_or_of_nothing)
{
	struct slots *s = things(2);
	struct handle h = slots_handle(s, slots_get(s));

	h.worker++;
	EXPECT(slots_at(s, h) == NULL);
	EXPECT(slots_at(s, handle_none()) == NULL);
	h.worker--;
	h.slot = 1; /* never given out */
	EXPECT(slots_at(s, h) == NULL);
	h.slot = UINT32_MAX;
	EXPECT(slots_at(s, h) == NULL);
	slots_free(s);
}

TEST(slots, never_gives_generation_zero)
{
	struct slots *s = slots_new(0, 1, 8, UINT32_MAX);

	EXPECT_EQ(1, slots_handle(s, slots_get(s)).generation);
	slots_free(s);
}

TEST(slots, refuses_to_take_back_twice)
{
	struct slots *s = things(2);
	void *a = slots_get(s);

	EXPECT(slots_put(s, a));
	EXPECT(!slots_put(s, a));
	EXPECT_EQ(0, slots_live(s));
	slots_free(s);
}

TEST(slots, refuses_to_take_back_what_is_not_its_own)
{
	struct slots *s = things(2);
	uint8_t *a = slots_get(s);
	struct thing stranger;

	EXPECT(!slots_put(s, &stranger));
	EXPECT(!slots_put(s, NULL));
	EXPECT(!slots_put(s, a + 1));
	EXPECT(!slots_put(s, a + 48)); /* the next slot, never given out */
	EXPECT_EQ(1, slots_live(s));
	slots_free(s);
}

TEST(slots, walks_what_is_out_while_things_come_and_go)
{
	struct slots *s = things(5);
	void *a[5];
	uint32_t cursor = 0;

	for (int i = 0; i < 5; i++)
		a[i] = slots_get(s);
	EXPECT(slots_put(s, a[1]));
	EXPECT(slots_next(s, &cursor) == a[0]);
	EXPECT(slots_put(s, a[0]));
	EXPECT(slots_next(s, &cursor) == a[2]);
	EXPECT(slots_put(s, a[3]));
	EXPECT(slots_next(s, &cursor) == a[4]);
	EXPECT(slots_next(s, &cursor) == NULL);
	slots_free(s);
}

TEST(slots, agrees_with_a_naive_model_over_random_use)
{
	enum { N = 64 };
	struct slots *s = things(N);
	struct thing *out[N] = {NULL};
	struct handle name[N] = {{0}};
	uint32_t live = 0, seed = 1;

	for (int step = 0; step < 100000; step++) {
		uint32_t i = (seed = seed * 1664525u + 1013904223u) >> 26;

		EXPECT_EQ(out[i] != NULL, slots_at(s, name[i]) != NULL);
		if (out[i] != NULL) {
			EXPECT(slots_at(s, name[i]) == out[i]);
			EXPECT_EQ(i, out[i]->value[0]);
			EXPECT(slots_put(s, out[i]));
			out[i] = NULL;
			live--;
		} else {
			out[i] = slots_get(s);
			EXPECT(out[i] != NULL);
			out[i]->value[0] = i;
			name[i] = slots_handle(s, out[i]);
			live++;
		}
		EXPECT_EQ(live, slots_live(s));
	}
	slots_free(s);
}

static long resident_kib(void)
{
	struct rusage usage;

	EXPECT_EQ(0, getrusage(RUSAGE_SELF, &usage));
	return usage.ru_maxrss;
}

TEST(slots, does_not_touch_memory_that_nobody_uses)
{
	long before = resident_kib();
	struct slots *s = slots_new(0, 1u << 20, 1024, 0); /* 1 GiB */

	EXPECT(s != NULL);
	EXPECT(slots_get(s) != NULL);
	EXPECT(resident_kib() - before < 256 * 1024);
	slots_free(s);
}

TEST(slots, refuses_a_pool_of_nothing)
{
	EXPECT(slots_new(0, 0, 8, 0) == NULL);
	EXPECT(slots_new(0, 8, 0, 0) == NULL);
	slots_free(NULL);
}

TEST_MAIN("slots", RUN(slots, gives_zeroed_objects_until_the_capacity_is_out),
	  RUN(slots, zeroes_an_object_that_was_used_before),
	  RUN(slots, finds_an_object_by_its_handle),
	  RUN(slots, starts_its_generations_after_the_epoch),
	  RUN(slots, does_not_find_what_was_given_back),
	  RUN(slots, does_not_find_the_next_owner_of_a_slot_by_the_old_handle),
	  RUN(slots, does_not_find_by_the_handle_of_another_worker_or_of_nothing),
	  RUN(slots, never_gives_generation_zero), RUN(slots, refuses_to_take_back_twice),
	  RUN(slots, refuses_to_take_back_what_is_not_its_own),
	  RUN(slots, walks_what_is_out_while_things_come_and_go),
	  RUN(slots, agrees_with_a_naive_model_over_random_use),
	  RUN(slots, does_not_touch_memory_that_nobody_uses), RUN(slots, refuses_a_pool_of_nothing))
