/* SPDX-License-Identifier: BSD-3-Clause */
#include "lease_scene.h"

/* Who has a pool pair, and how long: one test for each row of the table of messages in
 * docs/design.md (Leases). */

/* ---- confirm -------------------------------------------------------------------------------- */

TEST(confirm, of_the_grant_makes_a_holder_and_forgets_who_was_last)
{
	lease_start();
	releases(holds(0, token(ALICE, -10, 100)), BINDING(0));
	EXPECT_EQ(ALICE, lease.last.sub);
	(void)holds(1, token(BOB, 101, 200));
	EXPECT_EQ(0, lease.last.exp_s);
	EXPECT_EQ(0, lease.grant.generation);
	EXPECT_EQ(BOB, lease.holder.terms.sub);
}

TEST(confirm, of_a_refresh_tells_nobody)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	(void)holds(0, token(ALICE, 50, 200));
	EXPECT_EQ(0, lease.leaving.generation);
	EXPECT_EQ(WALL_S + 200, lease.holder.terms.exp_s);
}

/** Window 1 takes over from 0, whose Contact and instance are 5 and 6. */
static uint32_t taken_over(uint64_t contact, uint64_t instance)
{
	uint32_t before;

	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	before = generations;
	confirms(before, 0, 5, 6);
	is_granted(1, token(ALICE, 50, 200));
	confirms(generations, 1, contact, instance);
	EXPECT_EQ(1, said.count);
	EXPECT_EQ(before, lease.leaving.generation);
	EXPECT(handle_equal(BINDING(1), lease.holder.binding));
	return before;
}

TEST(confirm, of_the_same_contact_tells_the_one_before_that_he_is_replaced)
{
	told_to_end(0, taken_over(5, 0), 0, LEASE_END_REPLACED);
}

TEST(confirm, of_the_same_instance_tells_the_one_before_that_he_is_replaced)
{
	told_to_end(0, taken_over(7, 6), 0, LEASE_END_REPLACED);
}

TEST(confirm, of_another_contact_tells_the_one_before_that_the_core_has_both)
{
	told_to_end(0, taken_over(7, 8), 0, LEASE_END_BESIDE);
}

TEST(confirm, does_not_take_two_without_an_instance_for_one)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	is_granted(1, token(ALICE, -10, 100));
	confirms(generations, 1, 1, 0);
	EXPECT_EQ(1, said.count);
	told_to_end(0, generations - 1, 0, LEASE_END_BESIDE);
}

TEST(confirm, beside_one_who_is_ending_waits_for_him_and_does_not_tell_him_again)
{
	uint32_t first;

	lease_start();
	first = holds(0, token(ALICE, -10, 20));
	is_granted(1, token(ALICE, -5, 200));
	due_at(BEGUN_US + 20 * SECOND);
	told_to_end(0, first, 0, LEASE_END_EXPIRED);
	confirms(generations, 1, 1, 0);
	EXPECT_EQ(0, said.count);
	EXPECT_EQ(first, lease.leaving.generation);
	EXPECT_EQ(LEASE_HELD, lease.holder.state);
}

TEST(confirm, of_the_holder_is_noted_again)
{
	uint32_t generation;

	lease_start();
	generation = holds(0, token(ALICE, -10, 100));
	confirms(generation, 1, 9, 4);
	EXPECT_EQ(0, said.count);
	EXPECT(handle_equal(WINDOW(1), lease.holder.flow));
	EXPECT(handle_equal(BINDING(1), lease.holder.binding));
	EXPECT_EQ(9, lease.holder.contact);
	EXPECT_EQ(4, lease.holder.instance);
}

TEST(confirm, of_nobodys_pair_is_void)
{
	lease_start();
	lease.impi = IMPI;
	confirms(41, 0, 0, 0);
	EXPECT_EQ(1, said.count);
	told_to_end(0, 41, 0, LEASE_END_VOID);
	EXPECT(lease_is_free(&lease));
}

TEST(confirm, that_is_late_is_void_beside_another_contact_and_replaced_by_the_same)
{
	lease_start();
	(void)holds(1, token(ALICE, -10, 100)); /* Contact 1 */
	confirms(7, 0, 2, 0);
	EXPECT_EQ(1, said.count);
	told_to_end(0, 7, 0, LEASE_END_VOID);
	confirms(7, 0, 1, 0);
	EXPECT_EQ(1, said.count);
	told_to_end(0, 7, 0, LEASE_END_REPLACED);
}

TEST(confirm, of_who_was_told_to_end_is_void)
{
	uint32_t generation;

	lease_start();
	generation = holds(0, token(ALICE, -10, 100));
	due_at(BEGUN_US + 100 * SECOND);
	confirms(generation, 0, 0, 0);
	EXPECT_EQ(1, said.count);
	told_to_end(0, generation, 0, LEASE_END_VOID);
	EXPECT_EQ(LEASE_ENDING, lease.holder.state);
}

TEST(confirm, lets_who_is_over_by_the_next_ones_token_be_told_at_once)
{
	uint32_t generation;

	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	generation = generations;
	(void)waits(1, token(BOB, 101, 200));
	confirms(generation, 0, 0, 0);
	EXPECT_EQ(1, said.count);
	told_to_end(0, generation, 0, LEASE_END_EXPIRED);
}

TEST(confirm, of_a_takeover_with_another_user_waiting_tells_both_in_their_order)
{
	uint32_t first, ticket;

	lease_start();
	first = holds(0, token(ALICE, -10, 100));
	is_granted(1, token(ALICE, -10, 100));
	ticket = waits(2, token(BOB, 101, 200));
	confirms(generations, 1, 1, 0);
	EXPECT_EQ(1, said.count); /* one leaves at a time */
	told_to_end(0, first, 0, LEASE_END_BESIDE);
	releases(first, BINDING(0));
	EXPECT_EQ(1, said.count);
	told_to_end(0, generations, 1, LEASE_END_EXPIRED);
	releases(generations, BINDING(1));
	EXPECT_EQ(1, said.count);
	granted(0, 2, ticket);
}

/* ---- cancel, release ------------------------------------------------------------------------ */

TEST(cancel, of_the_grant_leaves_nobody)
{
	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	cancels(generations);
	EXPECT_EQ(0, said.count);
	EXPECT(lease_is_free(&lease));
	EXPECT_EQ(0, lease.last.exp_s); /* the core has not heard of him */
}

TEST(cancel, of_the_grant_lets_who_waits_have_it)
{
	uint32_t ticket;

	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	ticket = waits(1, token(ALICE, -10, 100));
	cancels(generations);
	EXPECT_EQ(1, said.count);
	granted(0, 1, ticket);
}

TEST(cancel, of_no_grant_is_ignored)
{
	struct lease before;

	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	is_granted(1, token(ALICE, -10, 100));
	before = lease;
	cancels(generations - 1);
	EXPECT_EQ(0, said.count);
	EXPECT_BYTES(&before, &lease, sizeof(lease));
}

TEST(release, of_the_holder_leaves_his_terms)
{
	struct lease_terms terms = token(ALICE, -10, 100);

	lease_start();
	releases(holds(0, terms), BINDING(0));
	EXPECT_EQ(0, said.count);
	EXPECT(lease_is_free(&lease));
	EXPECT_BYTES(&terms, &lease.last, sizeof(terms));
}

TEST(release, of_the_holders_binding_under_another_generation_counts)
{
	lease_start();
	(void)holds(0, token(ALICE, -10, 100));
	releases(7, BINDING(0));
	EXPECT(lease_is_free(&lease));
}

TEST(release, of_the_holder_does_not_touch_the_grant_beside_him)
{
	uint32_t generation;

	lease_start();
	generation = holds(0, token(ALICE, -10, 100));
	is_granted(1, token(ALICE, -10, 100));
	releases(generation, BINDING(0));
	EXPECT_EQ(LEASE_NOBODY, lease.holder.state);
	EXPECT_EQ(generations, lease.grant.generation);
	confirms(generations, 1, 1, 0);
	EXPECT_EQ(0, said.count);
	EXPECT_EQ(0, lease.leaving.generation);
}

TEST(release, of_who_is_leaving_counts_by_his_generation_and_by_his_binding)
{
	uint32_t first = taken_over(5, 6);

	releases(first, handle_none());
	EXPECT_EQ(0, lease.leaving.generation);
	EXPECT_EQ(LEASE_HELD, lease.holder.state);
	(void)taken_over(5, 6);
	releases(7, BINDING(0));
	EXPECT_EQ(0, lease.leaving.generation);
	EXPECT_EQ(LEASE_HELD, lease.holder.state);
}

TEST(release, of_neither_is_ignored)
{
	struct lease before;

	(void)taken_over(5, 6);
	before = lease;
	releases(7, BINDING(3));
	EXPECT_EQ(0, said.count);
	EXPECT_BYTES(&before, &lease, sizeof(lease));
}

/* ---- time ----------------------------------------------------------------------------------- */

TEST(time, of_nobody_never_comes)
{
	lease_start();
	EXPECT_EQ(UINT64_MAX, lease_next_us(&lease));
}

TEST(time, of_waiting_is_over_after_2_s)
{
	uint32_t ticket;

	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	ticket = waits(1, token(ALICE, -10, 100));
	due_at(BEGUN_US + LEASE_WAIT_US);
	EXPECT_EQ(1, said.count);
	(void)refused(0, 1, ticket, GW_LEASE_BUSY);
	EXPECT(!lease.asker.waits);
	cancels(generations);
	EXPECT_EQ(0, said.count);
}

TEST(time, of_a_grant_is_over_10_s_behind_its_users_deadline)
{
	uint32_t ticket;

	lease_start();
	is_granted(0, token(ALICE, -10, 100));
	lease_wait(44 * SECOND);
	ticket = waits(1, token(ALICE, -10, 100));
	due_at(BEGUN_US + LEASE_RESERVED_US + LEASE_MARGIN_US);
	EXPECT_EQ(1, said.count);
	granted(0, 1, ticket);
}

TEST(time, of_leaving_is_over_after_45_s)
{
	(void)taken_over(5, 6);
	due_at(BEGUN_US + LEASE_RESERVED_US + LEASE_MARGIN_US);
	EXPECT_EQ(0, said.count);
	EXPECT_EQ(0, lease.leaving.generation);
	EXPECT_EQ(LEASE_HELD, lease.holder.state);
}

TEST(time, of_the_holder_ends_with_his_token_and_of_ending_45_s_later)
{
	uint32_t generation;

	lease_start();
	generation = holds(0, token(ALICE, -10, 100));
	due_at(BEGUN_US + 100 * SECOND);
	EXPECT_EQ(1, said.count);
	told_to_end(0, generation, 0, LEASE_END_EXPIRED);
	EXPECT_EQ(LEASE_ENDING, lease.holder.state);
	due_at(BEGUN_US + 100 * SECOND + LEASE_RESERVED_US + LEASE_MARGIN_US);
	EXPECT_EQ(0, said.count);
	EXPECT(lease_is_free(&lease));
	EXPECT_EQ(ALICE, lease.last.sub);
}

TEST(time, does_all_that_is_due_at_once_and_says_it_in_order)
{
	uint32_t generation, ticket;

	lease_start();
	generation = holds(0, token(ALICE, -10, 100));
	lease_wait(99 * SECOND);
	is_granted(1, token(ALICE, -10, 100));
	ticket = waits(2, token(ALICE, -10, 100));
	lease_wait(60 * SECOND);
	lease_due(&lease, &now, &said);
	EXPECT_EQ(2, said.count);
	(void)refused(0, 2, ticket, GW_LEASE_BUSY);
	told_to_end(1, generation, 0, LEASE_END_EXPIRED);
	EXPECT_EQ(0, lease.grant.generation);
}

TEST_MAIN("identity_lease_holder",
	  RUN(confirm, of_the_grant_makes_a_holder_and_forgets_who_was_last),
	  RUN(confirm, of_a_refresh_tells_nobody),
	  RUN(confirm, of_the_same_contact_tells_the_one_before_that_he_is_replaced),
	  RUN(confirm, of_the_same_instance_tells_the_one_before_that_he_is_replaced),
	  RUN(confirm, of_another_contact_tells_the_one_before_that_the_core_has_both),
	  RUN(confirm, does_not_take_two_without_an_instance_for_one),
	  RUN(confirm, beside_one_who_is_ending_waits_for_him_and_does_not_tell_him_again),
	  RUN(confirm, of_the_holder_is_noted_again), RUN(confirm, of_nobodys_pair_is_void),
	  RUN(confirm, that_is_late_is_void_beside_another_contact_and_replaced_by_the_same),
	  RUN(confirm, of_who_was_told_to_end_is_void),
	  RUN(confirm, lets_who_is_over_by_the_next_ones_token_be_told_at_once),
	  RUN(confirm, of_a_takeover_with_another_user_waiting_tells_both_in_their_order),
	  RUN(cancel, of_the_grant_leaves_nobody), RUN(cancel, of_the_grant_lets_who_waits_have_it),
	  RUN(cancel, of_no_grant_is_ignored), RUN(release, of_the_holder_leaves_his_terms),
	  RUN(release, of_the_holders_binding_under_another_generation_counts),
	  RUN(release, of_the_holder_does_not_touch_the_grant_beside_him),
	  RUN(release, of_who_is_leaving_counts_by_his_generation_and_by_his_binding),
	  RUN(release, of_neither_is_ignored), RUN(time, of_nobody_never_comes),
	  RUN(time, of_waiting_is_over_after_2_s),
	  RUN(time, of_a_grant_is_over_10_s_behind_its_users_deadline),
	  RUN(time, of_leaving_is_over_after_45_s),
	  RUN(time, of_the_holder_ends_with_his_token_and_of_ending_45_s_later),
	  RUN(time, does_all_that_is_due_at_once_and_says_it_in_order))
