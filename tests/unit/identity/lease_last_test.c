/* SPDX-License-Identifier: BSD-3-Clause */
#include "identity/lease_last.h"

#include "identity/lease.h"
#include "test.h"

/* Who had a pool pair last, and what happens when there is no room for all of them. */

#define WALL_S 10000ull
#define WAYS 8

static struct lease_terms terms(uint64_t sub, uint64_t exp_s)
{
	return (struct lease_terms){.sub = sub,
				    .jti = sub + 1,
				    .iat_s = exp_s - 100,
				    .exp_s = exp_s};
}

/** The pair's terms end then. */
static bool put(struct lease_last *last, uint64_t impi, uint64_t exp_s)
{
	struct lease_terms t = terms(impi, exp_s);

	return lease_last_put(last, impi, &t, WALL_S);
}

TEST(last, gives_what_was_remembered_and_does_so_once)
{
	struct lease_last *last = lease_last_new(WAYS);
	struct lease_terms t;

	EXPECT(put(last, 5, WALL_S + 7));
	t = lease_last_take(last, 5, WALL_S);
	EXPECT_EQ(5, t.sub);
	EXPECT_EQ(6, t.jti);
	EXPECT_EQ(WALL_S - 93, t.iat_s);
	EXPECT_EQ(WALL_S + 7, t.exp_s);
	EXPECT_EQ(0, lease_last_take(last, 5, WALL_S).exp_s);
	lease_last_free(last);
}

TEST(last, knows_nothing_of_another_pair)
{
	struct lease_last *last = lease_last_new(WAYS);

	EXPECT(put(last, 5, WALL_S + 7));
	EXPECT_EQ(0, lease_last_take(last, 6, WALL_S).exp_s);
	EXPECT_EQ(5, lease_last_take(last, 5, WALL_S).sub);
	lease_last_free(last);
}

TEST(last, forgets_five_minutes_behind_the_end_of_the_token)
{
	struct lease_last *last = lease_last_new(WAYS);

	EXPECT(put(last, 5, WALL_S));
	EXPECT_EQ(5, lease_last_take(last, 5, WALL_S + LEASE_TOMBSTONE_S - 1).sub);
	EXPECT(put(last, 5, WALL_S));
	EXPECT_EQ(0, lease_last_take(last, 5, WALL_S + LEASE_TOMBSTONE_S).exp_s);
	lease_last_free(last);
}

TEST(last, remembers_as_many_of_a_set_as_it_has_room_for)
{
	struct lease_last *last = lease_last_new(WAYS);

	for (uint64_t i = 1; i <= WAYS; i++)
		EXPECT(put(last, i, WALL_S + i));
	for (uint64_t i = 1; i <= WAYS; i++)
		EXPECT_EQ(i, lease_last_take(last, i, WALL_S).sub);
	lease_last_free(last);
}

TEST(last, gives_the_room_of_the_one_that_ends_first_and_says_so)
{
	struct lease_last *last = lease_last_new(WAYS);

	for (uint64_t i = 1; i <= WAYS; i++)
		EXPECT(put(last, i, WALL_S + (i == 4 ? 50 : 100 + i)));
	EXPECT(!put(last, 99, WALL_S + 70));
	EXPECT_EQ(0, lease_last_take(last, 4, WALL_S).exp_s);
	EXPECT_EQ(99, lease_last_take(last, 99, WALL_S).sub);
	for (uint64_t i = 1; i <= WAYS; i++)
		EXPECT_EQ(i == 4 ? 0 : i, lease_last_take(last, i, WALL_S).sub);
	lease_last_free(last);
}

TEST(last, takes_the_room_of_one_that_is_over_and_says_nothing)
{
	struct lease_last *last = lease_last_new(WAYS);

	for (uint64_t i = 1; i <= WAYS; i++)
		EXPECT(put(last, i, i == 4 ? WALL_S - LEASE_TOMBSTONE_S : WALL_S + 100));
	EXPECT(put(last, 99, WALL_S + 70));
	EXPECT_EQ(99, lease_last_take(last, 99, WALL_S).sub);
	EXPECT_EQ(5, lease_last_take(last, 5, WALL_S).sub);
	lease_last_free(last);
}

TEST(last, keeps_sets_apart)
{
	struct lease_last *last = lease_last_new(2 * WAYS);

	for (uint64_t i = 0; i < 2 * WAYS; i++)
		EXPECT(put(last, i << 32 | 1, WALL_S + 1));
	for (uint64_t i = 0; i < 2 * WAYS; i++)
		EXPECT_EQ(i << 32 | 1, lease_last_take(last, i << 32 | 1, WALL_S).sub);
	lease_last_free(last);
}

TEST(last, refuses_more_pairs_than_it_can_count)
{
	EXPECT(lease_last_new(UINT32_MAX) == NULL);
}

TEST_MAIN("identity_lease_last", RUN(last, gives_what_was_remembered_and_does_so_once),
	  RUN(last, knows_nothing_of_another_pair),
	  RUN(last, forgets_five_minutes_behind_the_end_of_the_token),
	  RUN(last, remembers_as_many_of_a_set_as_it_has_room_for),
	  RUN(last, gives_the_room_of_the_one_that_ends_first_and_says_so),
	  RUN(last, takes_the_room_of_one_that_is_over_and_says_nothing),
	  RUN(last, keeps_sets_apart), RUN(last, refuses_more_pairs_than_it_can_count))
