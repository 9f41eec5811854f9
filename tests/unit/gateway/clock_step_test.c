/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "lent.h"

/*
 * The wall's clock steps, and the ends of tokens are found anew (PROTOCOL 11): what has ended by
 * then ends, what ends sooner is shortened, and nothing lasts longer than it was granted.
 */

/** The wall's clock is set by so much, in milliseconds; nobody has looked yet. */
static void set_by(int64_t ms)
{
	uint64_t wall_us = world_time().wall_us + (uint64_t)(ms * 1000);

	world.wall_s = wall_us / S;
	world.wall_part_us = wall_us % S;
}

/** A turn with the walk that begins in it. */
static void turn(void)
{
	struct gateway_ended ended;
	bool more;

	world_turn();
	EXPECT(!gateway_revoked(world.gw, &ended, &more)); /* a step closes no connection */
	EXPECT(!more);
}

static void step_by(int64_t seconds)
{
	set_by(seconds * 1000);
	turn();
}

/** It is looked at in so many microseconds. */
static uint32_t bindings_after(uint64_t us)
{
	world_wait(us);
	turn();
	return gateway_bindings(world.gw);
}

/** Alice is registered by a token of so many seconds, for as long; the core grants two hours. */
static void alice(uint32_t token_s)
{
	world_start();
	(void)mw_register(register_jssip(token_alice(token_s), 600000));
	core_registers(7200);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
}

TEST(clock_step, forth_ends_a_registration_whose_token_is_over_by_it)
{
	alice(100);
	step_by(100);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, farewells()); /* the core holds it for longer */
	EXPECT_EQ(1, world_count(&world.counters.binding_expired));
}

TEST(clock_step, forth_shortens_a_registration_to_what_its_token_has_left)
{
	alice(100);
	step_by(60);
	EXPECT_EQ(1, bindings_after(40 * S - 1));
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, bindings_after(1));
	EXPECT_EQ(1, farewells());
}

TEST(clock_step, forth_leaves_what_ends_before_its_token_all_the_same)
{
	world_start();
	(void)mw_register(register_jssip(token_alice(3600), 600));
	core_registers(600);
	step_by(1800);
	EXPECT_EQ(1, bindings_after(600 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

TEST(clock_step, forth_leaves_what_may_outlive_its_token)
{
	world_start();
	world.wwsf[0].outlives_token = true;
	(void)mw_register(register_jssip(token_alice(100), 600));
	core_registers(600);
	step_by(200);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(clock_step, forth_ends_a_registration_that_waits_for_another_connection)
{
	alice(100);
	wic_leaves(0);
	EXPECT_EQ(1, gateway_leaving(world.gw));
	step_by(100);
	world_wait(S); /* its client may be back elsewhere, and its home says so */
	EXPECT_EQ(1, farewells());
}

TEST(clock_step, forth_and_back_gives_nothing_back)
{
	alice(100);
	step_by(60);
	step_by(-60);
	EXPECT_EQ(1, bindings_after(40 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

TEST(clock_step, back_extends_nothing)
{
	alice(100);
	step_by(-60);
	EXPECT_EQ(1, bindings_after(100 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

TEST(clock_step, back_lets_a_refresh_by_the_same_token_last_to_its_end_by_that_clock)
{
	const char *token;

	world_start();
	token = format("%s", token_alice(100));
	(void)mw_register(register_jssip(token, 600000));
	core_registers(7200);
	step_by(-60);
	(void)mw_register(register_jssip(token, 600000));
	core_registers(7200);
	EXPECT_EQ(1, bindings_after(160 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

TEST(clock_step, back_lets_in_a_token_that_was_refused_as_over)
{
	const char *token;

	world_start();
	token = format("%s", token_alice(100));
	step_by(200);
	EXPECT_EQ(GW_TOKEN_EXPIRED, wic_sends(0, register_jssip(token, 600)));
	step_by(-200);
	(void)mw_register(register_jssip(token, 600));
}

TEST(clock_step, while_the_core_is_asked_counts_when_it_has_answered)
{
	world_start();
	(void)mw_register(register_jssip(token_alice(100), 600000));
	step_by(60);
	core_registers(7200);
	EXPECT(contains(line(world_sent(world.count - 1)->text, "Contact"), ";expires=40"));
	EXPECT_EQ(1, bindings_after(40 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

TEST(clock_step, is_noticed_when_nothing_else_happens)
{
	alice(100); /* with whom no turn begins any more */
	EXPECT(gateway_next_us(world.gw) <= world.now_us + S);
	EXPECT_EQ(1, bindings_after(30 * S));
	EXPECT(gateway_next_us(world.gw) <= world.now_us + S);
}

TEST(clock_step, is_counted_and_told_with_how_much_it_was)
{
	alice(100);
	step_by(-90);
	EXPECT_EQ(1, world_count(&world.counters.clock_stepped));
	EXPECT_EQ(1, world.events);
	EXPECT_EQ(EVENT_CLOCK_STEPPED, world.event[0].what);
	assert_string_equal("-90000 ms", world.event[0].text);
	turn();
	EXPECT_EQ(1, world_count(&world.counters.clock_stepped));
	set_by(500);
	turn();
	EXPECT_EQ(2, world_count(&world.counters.clock_stepped));
	assert_string_equal("+500 ms", world.event[1].text);
}

TEST(clock_step, is_none_below_half_a_second)
{
	alice(100);
	set_by(499);
	turn();
	set_by(-998);
	turn();
	EXPECT_EQ(0, world_count(&world.counters.clock_stepped));
	EXPECT_EQ(0, world.events);
	EXPECT_EQ(1, bindings_after(100 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

TEST(clock_step, is_a_drift_that_adds_up)
{
	alice(100);
	set_by(300);
	turn();
	set_by(300);
	turn();
	EXPECT_EQ(1, world_count(&world.counters.clock_stepped));
	assert_string_equal("+600 ms", world.event[0].text);
	EXPECT_EQ(1, bindings_after(100 * S - 600000 - 1));
	EXPECT_EQ(0, bindings_after(1));
}

/* ---- of a pool ------------------------------------------------------------------------------ */

/** Visitor a has the pair, by a token of 100 s; the core grants 600 s. */
static struct visitor lent(void)
{
	struct visitor a = visitor("a");

	lent_start();
	a.iat_s = -60;
	a.exp_s = 100;
	a.expires_s = 600000;
	lent_registers(0, &a);
	world_forget();
	return a;
}

TEST(pair, is_free_when_a_step_forth_ends_its_holder_and_not_before)
{
	struct visitor b = visitor("b");

	(void)lent();
	b.exp_s = 600; /* made while a's token is good: b may not have the pair beside him */
	step_by(60);
	EXPECT_EQ(1, gateway_leases(world.gw));
	EXPECT_EQ(1, bindings_after(40 * S - 1));
	EXPECT_EQ(403, status_of(lent_refused(1, &b)));
	EXPECT_EQ(1, gateway_leases(world.gw));
	EXPECT_EQ(0, bindings_after(1));
	EXPECT_EQ(0, gateway_leases(world.gw));
	b.iat_s = 1;
	lent_registers(1, &b);
}

TEST(pair, is_free_at_once_when_a_step_forth_ends_its_holder)
{
	struct visitor b = visitor("b");

	(void)lent();
	step_by(101);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leases(world.gw));
	b.iat_s = 1;
	lent_registers(1, &b);
}

TEST(pair, stays_its_holders_for_as_long_as_a_step_back_lets_him_refresh)
{
	uint64_t end_us;

	(void)lent();
	end_us = world.now_us + 100 * S;
	step_by(-60);
	EXPECT_EQ(0, bindings_after(end_us - world.now_us));
	EXPECT_EQ(0, gateway_leases(world.gw)); /* he has not: his grant was for 100 s */
}

TEST(pair, that_was_refreshed_after_a_step_back_is_not_taken_at_the_old_end)
{
	struct visitor a = lent();

	step_by(-60);
	a.iat_s = 0; /* the same token: its times stand still */
	a.exp_s = 160;
	EXPECT_EQ(GW_OK, wic_sends(0, lent_register(&a)));
	core_registers(600);
	EXPECT_EQ(1, bindings_after(160 * S - 1));
	EXPECT_EQ(1, gateway_leases(world.gw));
	EXPECT_EQ(0, bindings_after(1));
	EXPECT_EQ(0, gateway_leases(world.gw));
}

TEST(pair, is_written_anew_into_the_journal_by_the_clock_that_was_set)
{
	uint64_t until_s;

	lent_start();
	lent_registers(0, &(struct visitor){"a", "a", 0, 3600, "a", "a", 600});
	until_s = told(0)->until_s;
	world_forget();
	step_by(-60);
	world_wait(S);
	EXPECT_EQ(until_s - 60, told(0)->until_s);
}

/* ---- of a block ----------------------------------------------------------------------------- */

TEST(guest, of_a_block_goes_with_its_row_when_a_step_forth_ends_its_token)
{
	block_guest_home(0);
	block_up();
	(void)guest_registered(
		&(struct guest){.token = token_guest(GUEST1, 100), .cseq = 1, .expires_s = 600});
	step_by(60);
	EXPECT_EQ(1, bindings_after(39 * S)); /* and a part of a second */
	EXPECT_EQ(1, gateway_registrar(world.gw));
	EXPECT_EQ(0, bindings_after(S));
	EXPECT_EQ(0, gateway_registrar(world.gw));
}

TEST_MAIN("clock_step", RUN(clock_step, forth_ends_a_registration_whose_token_is_over_by_it),
	  RUN(clock_step, forth_shortens_a_registration_to_what_its_token_has_left),
	  RUN(clock_step, forth_leaves_what_ends_before_its_token_all_the_same),
	  RUN(clock_step, forth_leaves_what_may_outlive_its_token),
	  RUN(clock_step, forth_ends_a_registration_that_waits_for_another_connection),
	  RUN(clock_step, forth_and_back_gives_nothing_back), RUN(clock_step, back_extends_nothing),
	  RUN(clock_step, back_lets_a_refresh_by_the_same_token_last_to_its_end_by_that_clock),
	  RUN(clock_step, back_lets_in_a_token_that_was_refused_as_over),
	  RUN(clock_step, while_the_core_is_asked_counts_when_it_has_answered),
	  RUN(clock_step, is_noticed_when_nothing_else_happens),
	  RUN(clock_step, is_counted_and_told_with_how_much_it_was),
	  RUN(clock_step, is_none_below_half_a_second), RUN(clock_step, is_a_drift_that_adds_up),
	  RUN(pair, is_free_when_a_step_forth_ends_its_holder_and_not_before),
	  RUN(pair, is_free_at_once_when_a_step_forth_ends_its_holder),
	  RUN(pair, stays_its_holders_for_as_long_as_a_step_back_lets_him_refresh),
	  RUN(pair, that_was_refreshed_after_a_step_back_is_not_taken_at_the_old_end),
	  RUN(pair, is_written_anew_into_the_journal_by_the_clock_that_was_set),
	  RUN(guest, of_a_block_goes_with_its_row_when_a_step_forth_ends_its_token))
