/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "lent.h"

/* A token ends with a second of the wall's clock, and what it stands for not behind it (PROTOCOL
 * 5.5, 6.3), wherever in a second anything begins. */

#define PART_US 750000		    /* of a second are gone when worlds begin */
#define LEFT_US (100 * S - PART_US) /* of a token of 100 s */

static uint32_t bindings_after(uint64_t us)
{
	world_wait(us);
	return gateway_bindings(world.gw);
}

/** So much of the wall's second has gone. */
static void begin(void)
{
	world.wall_part_us = PART_US;
	world_turn();
}

static void individual(void)
{
	world_start();
	begin();
}

/** The core grants two hours to alice, who has a token of 100 s and asks for so long. */
static const char *granted(uint32_t asked_s)
{
	(void)mw_register(register_jssip(token_alice(100), asked_s));
	core_registers(7200);
	return world_sent(1)->text;
}

TEST(registration, is_asked_for_and_granted_in_whole_seconds_of_what_is_left)
{
	const char *mw;

	individual();
	mw = mw_register(register_jssip(token_alice(100), 600000));
	EXPECT_LINE("99", mw, "Expires");
	EXPECT(contains(line(mw, "Contact"), ";expires=99"));
	core_registers(7200);
	EXPECT(contains(line(world_sent(1)->text, "Contact"), ";expires=99"));
}

TEST(registration, ends_with_its_token_and_not_behind_it)
{
	individual();
	(void)granted(600000);
	EXPECT_EQ(1, bindings_after(LEFT_US - 1));
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, bindings_after(1));
	EXPECT_EQ(1, farewells());
}

TEST(registration, that_the_core_grants_as_it_is_asked_ends_in_the_second_before)
{
	individual();
	(void)mw_register(register_jssip(token_alice(100), 600000));
	core_registers(99);
	EXPECT_EQ(1, bindings_after(99 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

TEST(registration, that_begins_between_two_ticks_of_the_wheel_ends_in_the_one_before)
{
	individual();
	world_clock(300);
	world_turn();
	(void)granted(600000);
	EXPECT_EQ(1, bindings_after(LEFT_US - 1000));
	EXPECT_EQ(0, bindings_after(1000 - 300));
}

TEST(registration, ends_when_its_client_wanted_where_that_is_sooner)
{
	individual();
	EXPECT(contains(line(granted(60), "Contact"), ";expires=60"));
	EXPECT_EQ(1, bindings_after(60 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

TEST(registration, needs_the_shortest_time_in_whole_seconds)
{
	individual();
	EXPECT_EQ(GW_TOKEN_SHORT, wic_sends(0, register_jssip(token_alice(60), 600)));
	EXPECT_LINE("60", mw_register(register_jssip(token_alice(61), 600)), "Expires");
}

TEST(registration, of_which_less_than_a_second_is_left_by_the_200_is_none)
{
	individual();
	world.config.min_grant_s = 1;
	(void)mw_register(register_jssip(token_alice(3), 600));
	world_wait(S + S / 2);
	core_registers(7200);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
}

TEST(registration, that_may_outlive_its_token_lasts_as_long_as_the_core_says)
{
	individual();
	world.wwsf[0].outlives_token = true;
	EXPECT(contains(line(granted(600), "Contact"), ";expires=600"));
	EXPECT_EQ(1, bindings_after(600 * S - 1));
	EXPECT_EQ(0, bindings_after(1));
}

/* ---- of a pool ------------------------------------------------------------------------------ */

/** Visitor a has the pair, by a token of 100 s, or less. */
static struct message_journal lent(int64_t exp_s)
{
	struct visitor a = visitor("a");

	lent_start();
	world.config.min_grant_s = 1;
	begin();
	a.exp_s = exp_s;
	a.expires_s = 600000;
	lent_registers(0, &a);
	return *told(0);
}

TEST(pair, is_its_holders_to_the_end_of_his_token_and_not_behind_it)
{
	const struct visitor b = visitor("b");

	(void)lent(100);
	EXPECT_LINE("100", lent_refused(1, &b), "Retry-After"); /* he would come too early by 99 */
	EXPECT_EQ(1, bindings_after(LEFT_US - 1));
	EXPECT_EQ(1, gateway_leases(world.gw));
	EXPECT_EQ(0, bindings_after(1));
	EXPECT_EQ(0, gateway_leases(world.gw));
}

TEST(pair, is_in_the_journal_for_no_less_than_the_core_may_have_it)
{
	EXPECT_EQ(WORLD_WALL_S + 1 + 2 * 600, lent(3600).until_s);
}

TEST(pair, that_a_restart_gives_back_ends_with_its_token_and_not_behind_it)
{
	struct message_journal kept = lent(20);
	uint8_t key = world.config.hash_key[0];

	lent_start();
	world.config.hash_key[0] = key;
	begin();
	EXPECT_EQ(GW_OK, gateway_restore(world.gw, &kept));
	world_wait(20 * S - PART_US - 1);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(1, gateway_leases(world.gw));
	world_wait(1000);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(0, gateway_leases(world.gw));
}

/* ---- of a block ----------------------------------------------------------------------------- */

TEST(guest, of_a_block_has_whole_seconds_of_what_is_left)
{
	block_guest_home(0);
	block_up();
	begin();
	EXPECT_LINE("<sip:c0@c0.invalid;transport=ws>;expires=99",
		    guest_registered(&(struct guest){.token = token_guest(GUEST1, 100),
						     .cseq = 1,
						     .expires_s = 600}),
		    "Contact");
	world_wait(S / 2);
	EXPECT_LINE("<sip:c0@c0.invalid;transport=ws>;expires=98",
		    guest_registered(&(struct guest){.fetch = true, .cseq = 2}), "Contact");
	world_wait(98 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_NO_LINE(guest_registered(&(struct guest){.fetch = true, .cseq = 3}), "Contact");
	world_wait(S / 2);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_registrar(world.gw));
}

TEST_MAIN("token_end", RUN(registration, is_asked_for_and_granted_in_whole_seconds_of_what_is_left),
	  RUN(registration, ends_with_its_token_and_not_behind_it),
	  RUN(registration, that_the_core_grants_as_it_is_asked_ends_in_the_second_before),
	  RUN(registration, that_begins_between_two_ticks_of_the_wheel_ends_in_the_one_before),
	  RUN(registration, ends_when_its_client_wanted_where_that_is_sooner),
	  RUN(registration, needs_the_shortest_time_in_whole_seconds),
	  RUN(registration, of_which_less_than_a_second_is_left_by_the_200_is_none),
	  RUN(registration, that_may_outlive_its_token_lasts_as_long_as_the_core_says),
	  RUN(pair, is_its_holders_to_the_end_of_his_token_and_not_behind_it),
	  RUN(pair, is_in_the_journal_for_no_less_than_the_core_may_have_it),
	  RUN(pair, that_a_restart_gives_back_ends_with_its_token_and_not_behind_it),
	  RUN(guest, of_a_block_has_whole_seconds_of_what_is_left))
