/* SPDX-License-Identifier: BSD-3-Clause */
#include "lease_scene.h"

/* Who may ask for a pool pair: one test for each row of the tables in docs/design.md (Leases). */

/* ---- who asks ------------------------------------------------------------------------------- */

TEST(verdict, nobodys_pair_is_granted)
{
	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	EXPECT(!lease_is_free(&lease));
}

static struct lease_terms with_jti(struct lease_terms terms, uint64_t jti)
{
	terms.jti = jti;
	return terms;
}

TEST(verdict, jti_of_the_holder_under_another_sub_is_f16)
{
	struct lease_terms alice = token(ALICE, -10, 100);

	lease_start();
	(void)holds(0, alice);
	is_refused(1, with_jti(token(BOB, 200, 300), alice.jti), GW_TOKEN_JTI, true, 100);
}

TEST(verdict, jti_of_a_grant_of_who_waits_and_of_who_was_last_is_f16_too)
{
	struct lease_terms alice = token(ALICE, -10, 100), bob = token(BOB, 200, 300);

	lease_start();
	is_granted(0, alice);
	is_refused(1, with_jti(bob, alice.jti), GW_TOKEN_JTI, true, 100);
	(void)waits(1, bob);
	is_refused(2, with_jti(token(CAROL, 400, 500), bob.jti), GW_TOKEN_JTI, true, 300);
	lease_start();
	releases(holds(0, alice), BINDING(0));
	is_refused(1, with_jti(bob, alice.jti), GW_TOKEN_JTI, true, 100);
}

TEST(verdict, jti_of_the_same_sub_is_his_own)
{
	struct lease_terms alice = token(ALICE, -10, 100);

	lease_start();
	(void)holds(0, alice);
	is_granted(1, alice);
}

TEST(verdict, same_flow_may_refresh_by_an_older_token_of_the_same_sub)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	is_granted(0, token(ALICE, -20, 90));
}

TEST(verdict, same_sub_takes_over_by_a_token_that_is_newer_or_as_old)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	is_granted(1, token(ALICE, -10, 90));
	EXPECT_EQ(LEASE_HELD, lease.holder.state); /* he keeps his calls until confirm */
	cancels(generations);
	is_granted(1, token(ALICE, -9, 90));
}

TEST(verdict, other_sub_whose_token_began_behind_the_holders_end_waits_until_that_has_gone)
{
	uint32_t generation, ticket;

	lease_start();
	generation = holds(0, token(ALICE, -10, 100));
	ticket = asks(1, token(BOB, 101, 300)); /* an issuer's clock that is ahead */
	EXPECT_EQ(1, said.count);
	told_to_end(0, generation, 0, LEASE_END_EXPIRED);
	releases(generation, BINDING(0));
	EXPECT_EQ(1, said.count);
	granted(0, 1, ticket);
}

TEST(verdict, other_sub_is_granted_at_once_behind_who_was_last)
{
	lease_start();
	releases(holds(0, token(ALICE, -10, 100)), BINDING(0));
	is_granted(1, token(BOB, 101, 300));
}

TEST(verdict, older_token_of_the_same_sub_is_f24_until_the_holders_ends)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	lease_wait(40 * SECOND);
	is_refused(1, token(ALICE, -11, 200), GW_PAIR_IN_USE, false, 60);
}

TEST(verdict, older_token_than_the_last_of_the_same_sub_is_f24)
{
	lease_start();
	releases(holds(0, token(ALICE, -10, 100)), BINDING(0));
	is_refused(0, token(ALICE, -11, 200), GW_PAIR_IN_USE, false, 100);
}

TEST(verdict, overlapping_tokens_of_two_subs_are_f24_and_a_conflict)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	is_refused(1, token(BOB, 100, 300), GW_PAIR_IN_USE, true, 100); /* not behind: at */
	is_refused(0, token(BOB, 50, 300), GW_PAIR_IN_USE, true, 100);	/* on his flow too */
}

TEST(verdict, overlap_with_who_was_last_is_a_conflict)
{
	lease_start();
	releases(holds(0, token(ALICE, -10, 100)), BINDING(0));
	is_refused(1, token(BOB, 99, 300), GW_PAIR_IN_USE, true, 100);
}

TEST(verdict, retry_after_is_a_second_when_the_token_has_ended)
{
	lease_start();
	releases(holds(0, token(ALICE, -10, 100)), BINDING(0));
	lease_wait(200 * SECOND);
	is_refused(1, token(BOB, 99, 300), GW_PAIR_IN_USE, true, 1);
}

TEST(verdict, worst_of_holder_and_grant_counts)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	is_granted(1, token(ALICE, 20, 200));
	is_refused(2, token(ALICE, 10, 150), GW_PAIR_IN_USE, false, 200);
}

TEST(verdict, worst_of_grant_and_who_waits_counts)
{
	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	(void)waits(1, token(BOB, 101, 200));
	is_refused(2, token(CAROL, 150, 300), GW_PAIR_IN_USE, true, 200);
}

/** Alice's newer token ends sooner than the one by which she had the pair; it brings nothing. */
TEST(verdict, of_who_was_last_counts_beside_a_grant_that_has_brought_nothing_yet)
{
	lease_start();
	releases(holds(0, token(ALICE, -20, 100)), BINDING(0));
	is_granted(0, token(ALICE, -10, 30));
	is_refused(1, token(BOB, 50, 300), GW_PAIR_IN_USE, true, 100);
}

/* ---- reserve -------------------------------------------------------------------------------- */

TEST(reserve, finds_who_waited_before_and_he_is_refused_as_busy)
{
	const struct message_lease_refused *m;
	uint32_t ticket;

	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	ticket = waits(1, token(ALICE, -10, 100));
	(void)asks(2, token(ALICE, -9, 100));
	EXPECT_EQ(1, said.count);
	m = refused(0, 1, ticket, GW_LEASE_BUSY);
	EXPECT(!m->conflict);
	EXPECT(handle_equal(WINDOW(2), lease.asker.flow));
}

TEST(reserve, that_is_refused_leaves_who_waits_waiting)
{
	uint32_t ticket;

	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	ticket = waits(1, token(ALICE, -10, 100));
	is_refused(2, token(BOB, 0, 100), GW_PAIR_IN_USE, true, 100);
	cancels(generations);
	EXPECT_EQ(1, said.count);
	granted(0, 1, ticket);
}

TEST(reserve, waits_while_another_flow_has_a_grant)
{
	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	(void)waits(1, token(ALICE, -10, 100));
	EXPECT_EQ(41, lease.grant.generation);
}

TEST(reserve, of_the_flow_that_has_the_grant_gets_another_and_the_first_is_void)
{
	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	is_granted(0, token(ALICE, -5, 100));
	EXPECT_EQ(42, lease.grant.generation);
	confirms(41, 0, 0, 0);
	EXPECT_EQ(1, said.count);
	told_to_end(0, 41, 0, LEASE_END_VOID);
}

TEST(reserve, waits_while_one_who_was_replaced_is_leaving)
{
	uint32_t first, ticket;

	lease_start();
	first = holds(0, token(ALICE, -10, 100));
	is_granted(1, token(ALICE, -10, 100));
	confirms(generations, 1, 1, 0);
	ticket = waits(1, token(ALICE, -5, 100));
	releases(first, BINDING(0));
	EXPECT_EQ(1, said.count);
	granted(0, 1, ticket);
}

TEST(reserve, is_granted_beside_one_of_the_same_sub_who_is_ending)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	due_at(BEGUN_US + 100 * SECOND);
	is_granted(1, token(ALICE, 90, 200));
	EXPECT_EQ(LEASE_ENDING, lease.holder.state);
}

TEST(reserve, waits_for_one_of_another_sub_who_is_ending_and_does_not_tell_him_twice)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	due_at(BEGUN_US + 100 * SECOND);
	(void)waits(1, token(BOB, 101, 200));
}

TEST(reserve, passes_over_generation_zero)
{
	lease_start();
	generations = UINT32_MAX;
	is_granted(0, token(ALICE, -10, 100));
	EXPECT_EQ(1, lease.grant.generation);
}

TEST_MAIN("identity_lease", RUN(verdict, nobodys_pair_is_granted),
	  RUN(verdict, jti_of_the_holder_under_another_sub_is_f16),
	  RUN(verdict, jti_of_a_grant_of_who_waits_and_of_who_was_last_is_f16_too),
	  RUN(verdict, jti_of_the_same_sub_is_his_own),
	  RUN(verdict, same_flow_may_refresh_by_an_older_token_of_the_same_sub),
	  RUN(verdict, same_sub_takes_over_by_a_token_that_is_newer_or_as_old),
	  RUN(verdict,
	      other_sub_whose_token_began_behind_the_holders_end_waits_until_that_has_gone),
	  RUN(verdict, other_sub_is_granted_at_once_behind_who_was_last),
	  RUN(verdict, older_token_of_the_same_sub_is_f24_until_the_holders_ends),
	  RUN(verdict, older_token_than_the_last_of_the_same_sub_is_f24),
	  RUN(verdict, overlapping_tokens_of_two_subs_are_f24_and_a_conflict),
	  RUN(verdict, overlap_with_who_was_last_is_a_conflict),
	  RUN(verdict, retry_after_is_a_second_when_the_token_has_ended),
	  RUN(verdict, worst_of_holder_and_grant_counts),
	  RUN(verdict, worst_of_grant_and_who_waits_counts),
	  RUN(verdict, of_who_was_last_counts_beside_a_grant_that_has_brought_nothing_yet),
	  RUN(reserve, finds_who_waited_before_and_he_is_refused_as_busy),
	  RUN(reserve, that_is_refused_leaves_who_waits_waiting),
	  RUN(reserve, waits_while_another_flow_has_a_grant),
	  RUN(reserve, of_the_flow_that_has_the_grant_gets_another_and_the_first_is_void),
	  RUN(reserve, waits_while_one_who_was_replaced_is_leaving),
	  RUN(reserve, is_granted_beside_one_of_the_same_sub_who_is_ending),
	  RUN(reserve, waits_for_one_of_another_sub_who_is_ending_and_does_not_tell_him_twice),
	  RUN(reserve, passes_over_generation_zero))
