/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

/* The home worker of a pair: this one, asked by a window on worker 1, which is this test, and by
 * its own WICs (docs/design.md, Leases). */

#define FAR_SUB 5

static struct lease_id far_id(void)
{
	return ((const struct message_lease_granted *)last_letter(MESSAGE_LEASE_GRANTED))->id;
}

/** Worker 1's window is granted the pair, its token being good for 3000 s. */
static struct lease_id far_granted(void)
{
	struct lease_terms terms = far_terms(FAR_SUB, -10, 3000);

	far_asks(pool_impi(), 8, &terms);
	return far_id();
}

static struct lease_id far_holds(void)
{
	struct lease_id id = far_granted();

	far_confirms(id);
	world_forget();
	return id;
}

/** u1, of pool_asks(), as home workers know him. */
static uint64_t u1(void)
{
	return pair_hash(world.config.hash_key, world.issuer[0].iss, SPAN("u1"));
}

static const struct message_lease_refused *far_refused(enum gw_err err)
{
	const struct message_lease_refused *m = last_letter(MESSAGE_LEASE_REFUSED);

	EXPECT_EQ(1, world.letters);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(8, m->ticket);
	EXPECT(handle_equal(pool_far_flow, m->flow));
	EXPECT_EQ(err, m->err);
	return m;
}

/** WIC 0 has the pair by this worker's word. */
static void holds(void)
{
	EXPECT_EQ(GW_OK, pool_asks(0));
	core_registers(600);
	EXPECT_EQ(200, status_of(last_to(TO_WIC)));
	EXPECT_EQ(1, gateway_leases(world.gw));
	world_forget();
}

/* ---- a window on another worker ------------------------------------------------------------- */

TEST(home, grants_nobodys_pair_to_a_window_of_another_worker)
{
	const struct message_lease_granted *m;

	pool_start(0);
	(void)far_granted();
	m = last_letter(MESSAGE_LEASE_GRANTED);
	EXPECT_EQ(1, world.letters);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(pool_impi(), m->id.impi);
	EXPECT(m->id.generation != 0);
	EXPECT(handle_equal(pool_far_flow, m->flow));
	EXPECT_EQ(8, m->ticket);
	EXPECT_EQ(world.now_us + LEASE_RESERVED_US, m->deadline_us);
	EXPECT_EQ(1, gateway_leases(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.lease_live));
}

TEST(home, gives_every_grant_a_generation_of_its_own)
{
	struct lease_id first, second;

	pool_start(0);
	first = far_granted();
	far_cancels(first);
	second = far_granted();
	EXPECT_EQ(first.impi, second.impi);
	EXPECT(first.generation != second.generation);
}

TEST(home, forgets_a_grant_that_is_cancelled)
{
	pool_start(0);
	far_cancels(far_granted());
	EXPECT_EQ(0, gateway_leases(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.lease_live));
}

TEST(home, takes_a_grant_back_of_which_nothing_is_heard_for_45_s)
{
	struct lease_id id;

	pool_start(0);
	id = far_granted();
	world_wait(LEASE_RESERVED_US + LEASE_MARGIN_US - S);
	EXPECT_EQ(1, gateway_leases(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(0, gateway_leases(world.gw));
	world_forget();
	far_confirms(id);
	EXPECT_EQ(LEASE_END_VOID,
		  ((const struct message_lease_ended *)last_letter(MESSAGE_LEASE_ENDED))->why);
}

TEST(home, answers_a_confirm_of_nobodys_pair_as_void)
{
	const struct message_lease_ended *m;

	pool_start(0);
	far_confirms((struct lease_id){pool_impi(), 7});
	m = last_letter(MESSAGE_LEASE_ENDED);
	EXPECT_EQ(LEASE_END_VOID, m->why);
	EXPECT_EQ(7, m->id.generation);
	EXPECT(handle_equal(pool_far_flow, m->flow));
	EXPECT(handle_equal(pool_far_binding, m->binding));
	EXPECT_EQ(0, gateway_leases(world.gw));
}

TEST(home, ignores_what_is_said_of_a_pair_that_nobody_has)
{
	pool_start(0);
	far_cancels((struct lease_id){pool_impi(), 7});
	far_releases((struct lease_id){pool_impi(), 7});
	EXPECT_EQ(0, world.letters);
	EXPECT_EQ(0, gateway_leases(world.gw));
}

TEST(home, tells_the_holder_at_the_end_of_his_token_and_waits_45_s_for_him)
{
	struct lease_id id;

	pool_start(0);
	id = far_holds();
	world_wait(2999 * S);
	EXPECT_EQ(0, world.letters);
	world_wait(2 * S);
	EXPECT_EQ(LEASE_END_EXPIRED,
		  ((const struct message_lease_ended *)last_letter(MESSAGE_LEASE_ENDED))->why);
	EXPECT_EQ(1, gateway_leases(world.gw));
	world_wait(LEASE_RESERVED_US + LEASE_MARGIN_US);
	EXPECT_EQ(0, gateway_leases(world.gw));
	far_releases(id);
	EXPECT_EQ(1, world.letters);
}

TEST(home, refuses_an_overlapping_user_and_says_until_when)
{
	struct lease_terms other = far_terms(FAR_SUB + 1, 0, 3000);

	pool_start(0);
	(void)far_holds();
	far_asks(pool_impi(), 8, &other);
	EXPECT(far_refused(GW_PAIR_IN_USE)->conflict);
	EXPECT_EQ(3000, far_refused(GW_PAIR_IN_USE)->retry_s);
}

/* ---- who had it last ------------------------------------------------------------------------ */

TEST(home, remembers_who_had_a_pair_last_until_five_minutes_behind_his_token)
{
	struct lease_terms other;

	pool_start(0);
	far_releases(far_holds());
	EXPECT_EQ(0, gateway_leases(world.gw));
	world_wait(3299 * S);
	other = far_terms(FAR_SUB + 1, 2999, 9000);
	far_asks(pool_impi(), 8, &other);
	(void)far_refused(GW_PAIR_IN_USE);
	EXPECT_EQ(0, gateway_leases(world.gw));
	world_wait(2 * S);
	world_forget();
	far_asks(pool_impi(), 8, &other);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_GRANTED));
}

TEST(home, remembers_him_again_behind_a_grant_that_came_to_nothing)
{
	struct lease_terms same = far_terms(FAR_SUB, -5, 3000),
			   other = far_terms(FAR_SUB + 1, 0, 3000);

	pool_start(0);
	far_releases(far_holds());
	far_asks(pool_impi(), 8, &same);
	far_cancels(far_id());
	world_forget();
	far_asks(pool_impi(), 8, &other);
	EXPECT(far_refused(GW_PAIR_IN_USE)->conflict);
}

/** Pair n of this home worker: even. */
static uint64_t impi_of(uint64_t n)
{
	return 2 * (n + 1) << 16;
}

TEST(home, counts_whom_it_had_to_forget)
{
	struct lease_terms terms = far_terms(FAR_SUB, -10, 3000);

	pool_start(0); /* remembers 8 */
	for (uint64_t i = 0; i < 9; i++) {
		EXPECT_EQ(0, world_count(&world.counters.lease_forgotten));
		far_asks(impi_of(i), 8, &terms);
		far_confirms(far_id());
		far_releases(far_id());
	}
	EXPECT_EQ(1, world_count(&world.counters.lease_forgotten));
	EXPECT_EQ(0, gateway_leases(world.gw));
}

TEST(home, refuses_when_it_has_no_room_and_has_it_again)
{
	struct lease_terms terms = far_terms(FAR_SUB, -10, 3000);

	pool_start(0); /* 8 pairs */
	for (uint64_t i = 0; i < 8; i++)
		far_asks(impi_of(i), 8, &terms);
	EXPECT_EQ(8, letters_of(MESSAGE_LEASE_GRANTED));
	world_forget();
	far_asks(impi_of(8), 8, &terms);
	(void)far_refused(GW_LEASE_LIMIT);
	EXPECT_EQ(GW_LEASE_LIMIT, pool_asks(0)); /* its own WIC too */
	EXPECT_EQ(503, status_of(last_to(TO_WIC)));
	pool_nothing_waits();
	world_wait(LEASE_RESERVED_US + LEASE_MARGIN_US + S);
	EXPECT_EQ(0, gateway_leases(world.gw));
	EXPECT_EQ(GW_OK, pool_asks(0));
}

/* ---- its own WICs --------------------------------------------------------------------------- */

TEST(home, grants_to_its_own_wic_at_once)
{
	pool_start(0);
	EXPECT_EQ(GW_OK, pool_asks(0));
	EXPECT_EQ(1, count_to(TO_MW));
	EXPECT_EQ(0, gateway_lease_waits(world.gw));
	core_registers(600);
	EXPECT_EQ(200, status_of(last_to(TO_WIC)));
	EXPECT_EQ(0, world.letters);
	EXPECT_EQ(1, gateway_leases(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.lease_granted));
	world_wait(601 * S);
	EXPECT_EQ(0, gateway_leases(world.gw));
	pool_nothing_waits();
}

TEST(home, refuses_its_own_wic_at_once)
{
	pool_start(0);
	(void)far_holds();
	EXPECT_EQ(GW_PAIR_IN_USE, pool_asks(0));
	EXPECT_EQ(403, status_of(last_to(TO_WIC)));
	EXPECT_LINE("3000", last_to(TO_WIC), "Retry-After");
	EXPECT_EQ(1, world_count(&world.counters.pool_conflicts));
	pool_nothing_waits();
}

TEST(home, lets_its_own_wic_wait_for_the_grant_of_another_worker)
{
	struct lease_terms terms = far_terms(0, -20, 3000);

	pool_start(0);
	terms.sub = u1();
	far_asks(pool_impi(), 8, &terms);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	EXPECT_EQ(1, gateway_lease_waits(world.gw));
	EXPECT_EQ(0, world.count);
	far_cancels(far_id());
	EXPECT_EQ(1, count_to(TO_MW));
	core_registers(600);
	EXPECT_EQ(200, status_of(last_to(TO_WIC)));
	pool_nothing_waits();
}

TEST(home, refuses_its_own_wic_that_has_waited_2_s)
{
	struct lease_terms terms = far_terms(0, -20, 3000);

	pool_start(0);
	terms.sub = u1();
	far_asks(pool_impi(), 8, &terms);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	world_wait(LEASE_WAIT_US + 10 * MS);
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	pool_nothing_waits();
}

TEST(takeover, by_another_worker_closes_the_connection_of_the_one_before_and_tells_the_core)
{
	struct lease_terms terms = far_terms(0, 0, 3000);
	struct gateway_ended ended;

	pool_start(0);
	holds();
	terms.sub = u1();
	far_asks(pool_impi(), 8, &terms);
	EXPECT_EQ(1, gateway_bindings(world.gw)); /* he keeps his calls until confirm */
	far_confirms(far_id());
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT(gateway_replaced(world.gw, &ended));
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
	EXPECT_EQ(GW_BINDING_REPLACED, ended.why);
	EXPECT_EQ(1, gateway_leaving(world.gw)); /* another Contact: the core has both */
	world_forget();
	far_asks(pool_impi(), 9, &terms); /* nobody is leaving any more */
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_GRANTED));
}

TEST(takeover, by_another_connection_here_closes_the_one_before)
{
	struct gateway_ended ended, none;

	pool_start(0);
	holds();
	EXPECT_EQ(GW_OK, pool_asks(1));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	core_registers(600);
	EXPECT_EQ(200, status_of(last_to(TO_WIC)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(handle_is_none(world.wic[0].binding));
	EXPECT(!handle_is_none(world.wic[1].binding));
	EXPECT(gateway_replaced(world.gw, &ended));
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
	EXPECT(!gateway_replaced(world.gw, &none));
	EXPECT_EQ(1, gateway_leases(world.gw));
	EXPECT_EQ(0, world.letters);
}

TEST(takeover, by_the_same_client_on_another_connection_leaves_the_core_alone)
{
	struct gateway_ended ended;

	pool_start(0);
	holds();
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(pool_token("u1", "t-2", 0, 3000), 600)));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT(gateway_replaced(world.gw, &ended));
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
}

TEST(takeover, from_another_worker_tells_its_binding_and_waits_for_its_release)
{
	struct lease_terms terms = far_terms(0, -20, 3000);
	const struct message_lease_ended *m;
	struct lease_id id;

	pool_start(0);
	terms.sub = u1();
	far_asks(pool_impi(), 8, &terms);
	id = far_id();
	far_confirms(id);
	world_forget();
	EXPECT_EQ(GW_OK, pool_asks(0));
	EXPECT_EQ(0, world.letters);
	core_registers(600);
	m = last_letter(MESSAGE_LEASE_ENDED);
	EXPECT_EQ(id.generation, m->id.generation);
	EXPECT_EQ(LEASE_END_BESIDE, m->why);
	EXPECT(handle_equal(pool_far_binding, m->binding));
	EXPECT_EQ(GW_AGAIN, pool_asks(1)); /* waits for who is leaving */
	far_releases(id);
	EXPECT_EQ(2, count_of(TO_MW, "REGISTER "));
}

/* ---- two users ------------------------------------------------------------------------------ */

/** The next user's token began behind the end of the one before, by an issuer's clock that is
 * ahead. */
TEST(next_user, has_the_pair_at_once_when_the_one_before_is_here)
{
	pool_start(0);
	EXPECT_EQ(GW_OK, pool_asks_with(0, pool_token("u1", "t-1", -10, 70)));
	core_registers(600);
	world_wait(50 * S);
	world_forget();
	EXPECT_EQ(GW_OK, pool_asks_with(1, pool_token("u2", "t-2", 71, 3000)));
	EXPECT_EQ(0, gateway_bindings(world.gw)); /* gone first */
	EXPECT_LINE("600", last_to(TO_MW), "Expires");
	EXPECT_EQ(1, gateway_leases(world.gw));
}

TEST(next_user, waits_for_the_release_of_the_one_before_on_another_worker)
{
	struct lease_terms terms = far_terms(FAR_SUB, -10, 70);
	struct lease_id id;

	pool_start(0);
	far_asks(pool_impi(), 8, &terms);
	id = far_id();
	far_confirms(id);
	world_wait(50 * S);
	world_forget();
	EXPECT_EQ(GW_AGAIN, pool_asks_with(0, pool_token("u2", "t-2", 71, 3000)));
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_ENDED));
	EXPECT_EQ(0, world.count);
	far_releases(id);
	EXPECT_EQ(1, count_to(TO_MW));
}

/** u1 has a call with bob, loses his connection, and his token ends; then this user has the pair,
 * with the same client, and bob hangs up. */
static void bob_hangs_up_on_the_one_before(const char *sub)
{
	struct call c;

	pool_start(0);
	EXPECT_EQ(GW_OK, pool_asks_with(0, pool_token("u1", "t-1", -10, 100)));
	path_remember(last_to(TO_MW));
	core_registers(600);
	c = bob_called();
	world_wait(95 * S);
	wic_leaves(0);
	world_wait(7 * S);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(pool_token(sub, "t-2", 101, 3000), 600)));
	core_registers(600);
	EXPECT_EQ(200, status_of(last_to(TO_WIC)));
	world_forget();
	core_sends(bob_in_call(&c, "BYE", ""));
}

TEST(next_user, does_not_get_what_is_for_the_one_before)
{
	bob_hangs_up_on_the_one_before("u2");
	EXPECT_EQ(0, count_to(TO_WIC));
	world_wait(40 * S);
	EXPECT_EQ(0, count_of(TO_WIC, "BYE "));
	EXPECT(status_of(last_to(TO_SOURCE)) >= 400);
}

TEST(next_user, who_is_the_same_gets_what_is_for_him)
{
	bob_hangs_up_on_the_one_before("u1");
	EXPECT_EQ(1, count_of(TO_WIC, "BYE "));
}

TEST_MAIN("gateway_lease_home", RUN(home, grants_nobodys_pair_to_a_window_of_another_worker),
	  RUN(home, gives_every_grant_a_generation_of_its_own),
	  RUN(home, forgets_a_grant_that_is_cancelled),
	  RUN(home, takes_a_grant_back_of_which_nothing_is_heard_for_45_s),
	  RUN(home, answers_a_confirm_of_nobodys_pair_as_void),
	  RUN(home, ignores_what_is_said_of_a_pair_that_nobody_has),
	  RUN(home, tells_the_holder_at_the_end_of_his_token_and_waits_45_s_for_him),
	  RUN(home, refuses_an_overlapping_user_and_says_until_when),
	  RUN(home, remembers_who_had_a_pair_last_until_five_minutes_behind_his_token),
	  RUN(home, remembers_him_again_behind_a_grant_that_came_to_nothing),
	  RUN(home, counts_whom_it_had_to_forget),
	  RUN(home, refuses_when_it_has_no_room_and_has_it_again),
	  RUN(home, grants_to_its_own_wic_at_once), RUN(home, refuses_its_own_wic_at_once),
	  RUN(home, lets_its_own_wic_wait_for_the_grant_of_another_worker),
	  RUN(home, refuses_its_own_wic_that_has_waited_2_s),
	  RUN(takeover,
	      by_another_worker_closes_the_connection_of_the_one_before_and_tells_the_core),
	  RUN(takeover, by_another_connection_here_closes_the_one_before),
	  RUN(takeover, by_the_same_client_on_another_connection_leaves_the_core_alone),
	  RUN(takeover, from_another_worker_tells_its_binding_and_waits_for_its_release),
	  RUN(next_user, has_the_pair_at_once_when_the_one_before_is_here),
	  RUN(next_user, waits_for_the_release_of_the_one_before_on_another_worker),
	  RUN(next_user, does_not_get_what_is_for_the_one_before),
	  RUN(next_user, who_is_the_same_gets_what_is_for_him))
