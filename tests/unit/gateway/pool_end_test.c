/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

/* A binding that has a lease: how it is refreshed, and how it ends, by itself or by the word of its
 * pair's home worker, which is this test (docs/design.md, Leases). */

/** The binding that confirmed under this generation says that it is over, once. */
static void is_released(uint32_t generation)
{
	const struct message_lease_release *m = last_letter(MESSAGE_LEASE_RELEASE);

	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RELEASE));
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(pool_impi(), m->id.impi);
	EXPECT_EQ(generation, m->id.generation);
	EXPECT(!handle_is_none(m->binding));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	pool_nothing_waits();
}

static uint32_t farewells(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.count; i++)
		n += world.sent[i].to == TO_MW && begins(world.sent[i].text, "REGISTER ") &&
		     contains(world.sent[i].text, CRLF "Expires: 0" CRLF);
	return n;
}

/** Whether flow of WIC 0, and no other, has to be closed as replaced. */
static bool is_closed(void)
{
	struct gateway_ended ended, none;

	if (!gateway_replaced(world.gw, &ended))
		return false;
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
	EXPECT_EQ(GW_BINDING_REPLACED, ended.why);
	EXPECT(!gateway_replaced(world.gw, &none));
	return true;
}

/* ---- it ends by itself ---------------------------------------------------------------------- */

TEST(lease, is_released_when_its_time_is_over)
{
	pool_start(1);
	pool_holds(0, 41);
	world_wait(601 * S);
	is_released(41);
	EXPECT_EQ(0, farewells()); /* the core's is over too */
	EXPECT(!is_closed());
}

TEST(lease, is_released_when_its_token_ends_and_the_core_is_told)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks_with(0, pool_token("u1", "t-1", -10, 100)));
	home_grants(41);
	core_registers(7200);
	world_forget();
	world_wait(99 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(2 * S);
	is_released(41);
	EXPECT_EQ(1, farewells());
}

TEST(lease, is_released_by_a_de_register)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_RELEASE));
	core_answers("200 OK", "");
	is_released(41);
}

TEST(lease, is_kept_by_a_binding_that_has_lost_its_connection_until_its_grace_is_over)
{
	pool_start(1);
	pool_holds(0, 41);
	wic_leaves(0);
	world_wait(29 * S);
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_RELEASE));
	world_wait(2 * S);
	is_released(41);
	EXPECT_EQ(1, farewells());
}

static void is_taken_back(enum gw_err why)
{
	struct gateway_ended ended;
	bool more = true;

	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(why, ended.why);
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
	is_released(41);
}

TEST(lease, is_released_when_its_token_is_revoked)
{
	pool_start(1);
	pool_holds(0, 41);
	world_revoke("t-1");
	is_taken_back(GW_TOKEN_JTI);
}

TEST(lease, is_released_when_its_site_is_disabled)
{
	pool_start(1);
	pool_holds(0, 41);
	world_disable("shop");
	is_taken_back(GW_TOKEN_WWSF);
}

TEST(lease, is_released_when_a_reload_takes_its_pair_out_of_the_pool)
{
	pool_start(1);
	pool_holds(0, 41);
	world.pairs.count = 0;
	world.pairs.part.generation++;
	world_turn();
	is_taken_back(GW_IDENTITY_FOREIGN);
	EXPECT_EQ(1, world_count(&world.counters.binding_revoked));
	EXPECT_EQ(1, gateway_leaving(world.gw)); /* the core is told */
}

TEST(lease, stays_when_a_reload_leaves_its_pair_in_the_pool)
{
	struct gateway_ended none;
	bool more;

	pool_start(1);
	pool_holds(0, 41);
	world.pairs.part.generation++;
	world_turn();
	EXPECT(!gateway_revoked(world.gw, &none, &more));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, world.letters);
}

/** Nobody had to ask for it before. */
TEST(registration, without_a_lease_ends_when_a_reload_makes_a_pool_of_its_site)
{
	struct gateway_ended ended;
	bool more;

	world_start();
	world_register();
	world.wwsf[0].mode = WWSF_POOL;
	world_reload();
	world.pairs.part.generation++;
	world_turn();
	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, ended.why);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(lease, is_released_when_the_core_grants_a_refresh_nothing)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(GW_OK, pool_asks(0));
	core_answers("200 OK", ""); /* grants nothing */
	is_released(41);
}

/** What is counted of the pool of that name as held here. */
static uint32_t held_of(const char *site)
{
	struct row_pool rows[4];
	uint32_t cursor = 0, n = gateway_pool_rows(world.gw, &cursor, 4, rows);

	for (uint32_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, site) == 0)
			return rows[i].held;
	return 0;
}

TEST(lease, is_counted_for_its_site_also_when_a_reload_gives_that_another_name)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(1, held_of("shop"));
	world.wwsf[0].name = SPAN("store");
	world_reload();
	EXPECT_EQ(GW_OK, pool_asks(0));
	core_registers(600);
	EXPECT_EQ(0, held_of("shop"));
	EXPECT_EQ(1, held_of("store"));
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
	core_answers("200 OK", "");
	EXPECT_EQ(0, held_of("shop"));
	EXPECT_EQ(0, held_of("store"));
}

/* ---- refreshes ------------------------------------------------------------------------------ */

TEST(refresh, by_the_very_token_of_its_lease_needs_no_grant)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(GW_OK, pool_asks(0));
	EXPECT_EQ(1, count_to(TO_MW));
	core_registers(600);
	EXPECT_EQ(200, status_of(last_to(TO_WIC)));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_RESERVE) + letters_of(MESSAGE_LEASE_CONFIRM) +
			     letters_of(MESSAGE_LEASE_CANCEL) + letters_of(MESSAGE_LEASE_RELEASE));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	pool_nothing_waits();
}

TEST(refresh, without_a_grant_is_one_under_way_as_any)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(GW_OK, pool_asks(0));
	EXPECT_EQ(GW_REQUEST_PENDING,
		  wic_sends(0, register_jssip(pool_token("u1", "t-3", 5, 3500), 600)));
	EXPECT_EQ(500, status_of(last_to(TO_WIC)));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_RESERVE));
}

TEST(refresh, by_another_token_asks_and_the_same_binding_confirms)
{
	const struct message_lease_confirm *m;
	struct handle binding;

	pool_start(1);
	pool_holds(0, 41);
	binding = world.wic[0].binding;
	EXPECT_EQ(GW_AGAIN, pool_asks_with(0, pool_token("u1", "t-3", 5, 3500)));
	home_grants(42);
	core_registers(600);
	m = last_letter(MESSAGE_LEASE_CONFIRM);
	EXPECT_EQ(42, m->id.generation);
	EXPECT(handle_equal(binding, m->binding));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_RELEASE));
	home_ends(LEASE_END_EXPIRED); /* of 41, which it has no more */
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_RELEASE));
}

TEST(refresh, that_the_core_refuses_gives_its_grant_back_and_keeps_the_lease)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(GW_AGAIN, pool_asks_with(0, pool_token("u1", "t-3", 5, 3500)));
	home_grants(42);
	core_answers("403 Forbidden", "");
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_CANCEL));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_RELEASE));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(refresh, without_a_grant_whose_lease_has_ended_meanwhile_is_undone)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(GW_OK, pool_asks(0));
	home_ends(LEASE_END_EXPIRED);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RELEASE));
	core_registers(600);
	EXPECT_EQ(503, status_of(last_to(TO_WIC)));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CONFIRM));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	world_wait(2 * S);
	EXPECT(farewells() > 0);
}

TEST(refresh, on_a_flow_that_ended_is_undone_when_its_lease_has_ended_meanwhile)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(GW_OK, pool_asks(0));
	wic_leaves(0);
	home_ends(LEASE_END_BESIDE);
	core_registers(600);
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CONFIRM));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RELEASE));
	world_wait(2 * S);
	EXPECT(farewells() > 0);
}

/* ---- the home worker says that it is over --------------------------------------------------- */

TEST(ended, as_replaced_closes_the_connection_and_leaves_the_core_alone)
{
	pool_start(1);
	pool_holds(0, 41);
	home_ends(LEASE_END_REPLACED);
	is_released(41);
	EXPECT(is_closed());
	world_wait(2 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(1, world_count(&world.counters.binding_replaced));
}

TEST(ended, beside_another_closes_the_connection_and_takes_its_contact_from_the_core)
{
	pool_start(1);
	pool_holds(0, 41);
	home_ends(LEASE_END_BESIDE);
	is_released(41);
	EXPECT(is_closed());
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(1, world_count(&world.counters.binding_replaced));
}

TEST(ended, as_void_closes_the_connection_and_takes_its_contact_from_the_core)
{
	pool_start(1);
	pool_holds(0, 41);
	home_ends(LEASE_END_VOID);
	is_released(41);
	EXPECT(is_closed());
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
}

TEST(ended, as_expired_takes_its_contact_from_the_core_and_leaves_the_connection)
{
	pool_start(1);
	pool_holds(0, 41);
	home_ends(LEASE_END_EXPIRED);
	is_released(41);
	EXPECT(!is_closed());
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(1, world_count(&world.counters.binding_expired));
}

TEST(ended, of_a_binding_that_has_lost_its_connection_closes_none)
{
	pool_start(1);
	pool_holds(0, 41);
	wic_leaves(0);
	home_ends(LEASE_END_REPLACED);
	is_released(41);
	EXPECT(!is_closed());
}

TEST(ended, twice_says_release_once)
{
	pool_start(1);
	pool_holds(0, 41);
	home_ends(LEASE_END_BESIDE);
	home_ends(LEASE_END_BESIDE);
	is_released(41);
	EXPECT(is_closed());
}

/** It has gone by itself; another window has the pair, and this page should know. */
TEST(ended, behind_the_end_of_its_binding_closes_the_connection_all_the_same)
{
	pool_start(1);
	pool_holds(0, 41);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
	core_answers("200 OK", "");
	home_ends(LEASE_END_REPLACED);
	is_released(41);
	EXPECT(is_closed());
}

TEST_MAIN("gateway_pool_end", RUN(lease, is_released_when_its_time_is_over),
	  RUN(lease, is_released_when_its_token_ends_and_the_core_is_told),
	  RUN(lease, is_released_by_a_de_register),
	  RUN(lease, is_kept_by_a_binding_that_has_lost_its_connection_until_its_grace_is_over),
	  RUN(lease, is_released_when_its_token_is_revoked),
	  RUN(lease, is_released_when_its_site_is_disabled),
	  RUN(lease, is_released_when_a_reload_takes_its_pair_out_of_the_pool),
	  RUN(lease, stays_when_a_reload_leaves_its_pair_in_the_pool),
	  RUN(lease, is_released_when_the_core_grants_a_refresh_nothing),
	  RUN(registration, without_a_lease_ends_when_a_reload_makes_a_pool_of_its_site),
	  RUN(lease, is_counted_for_its_site_also_when_a_reload_gives_that_another_name),
	  RUN(refresh, by_the_very_token_of_its_lease_needs_no_grant),
	  RUN(refresh, without_a_grant_is_one_under_way_as_any),
	  RUN(refresh, by_another_token_asks_and_the_same_binding_confirms),
	  RUN(refresh, that_the_core_refuses_gives_its_grant_back_and_keeps_the_lease),
	  RUN(refresh, without_a_grant_whose_lease_has_ended_meanwhile_is_undone),
	  RUN(refresh, on_a_flow_that_ended_is_undone_when_its_lease_has_ended_meanwhile),
	  RUN(ended, as_replaced_closes_the_connection_and_leaves_the_core_alone),
	  RUN(ended, beside_another_closes_the_connection_and_takes_its_contact_from_the_core),
	  RUN(ended, as_void_closes_the_connection_and_takes_its_contact_from_the_core),
	  RUN(ended, as_expired_takes_its_contact_from_the_core_and_leaves_the_connection),
	  RUN(ended, of_a_binding_that_has_lost_its_connection_closes_none),
	  RUN(ended, twice_says_release_once),
	  RUN(ended, behind_the_end_of_its_binding_closes_the_connection_all_the_same))
