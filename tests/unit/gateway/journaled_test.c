/* SPDX-License-Identifier: BSD-3-Clause */
#include "lent.h"

/* What control is told of bindings of pools. */

static void expect_over(const struct message_journal *m, struct handle id)
{
	EXPECT_EQ(JOURNAL_OVER, m->state);
	EXPECT(handle_equal(id, m->id));
}

/** Visitor a is registered, and control knows it; what it calls the binding. */
static struct handle registered_a(void)
{
	const struct visitor a = visitor("a");

	lent_start();
	lent_registers(0, &a);
	EXPECT_EQ(1, world.told);
	return told(0)->id;
}

TEST(journal, is_told_what_a_restart_has_to_know)
{
	const struct message_journal *m;
	struct journal_names names;

	(void)registered_a();
	m = told(0);
	EXPECT(journal_names(m, &names));
	EXPECT_EQ(JOURNAL_HELD, m->state);
	EXPECT_EQ(MW_TCP, m->path);
	EXPECT(m->outbound);
	EXPECT(m->sub != 0 && m->jti != 0);
	EXPECT_EQ(WORLD_WALL_S, m->iat_s);
	EXPECT_EQ(WORLD_WALL_S + 3600, m->exp_s);
	EXPECT_EQ(WORLD_WALL_S + 1200, m->until_s); /* the core holds it for 600 s */
	EXPECT_SPAN("alice@ims.home1.net", names.impi);
	EXPECT_SPAN("sip:alice@home1.net", names.impu);
	EXPECT_SPAN("shop", names.wwsf);
	EXPECT_SPAN("home1.net", names.realm);
	EXPECT_SPAN("<sip:a@a.invalid;transport=ws>;reg-id=1;"
		    "+sip.instance=\"<urn:uuid:a0000000-0000-4000-8000-000000000000>\"",
		    names.contact);
}

TEST(journal, hears_nothing_of_a_site_without_a_pool)
{
	world_start();
	world_register();
	wic_leaves(0);
	world_wait(31 * S);
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, world.told);
}

TEST(journal, hears_of_a_refresh_when_it_brings_something)
{
	struct visitor a = visitor("a");

	(void)registered_a();
	world_forget();
	world_wait(300 * S);
	a.iat_s -= 300;
	a.exp_s -= 300; /* the same token */
	lent_registers(0, &a);
	EXPECT_EQ(0, world.told); /* it was said that the core may hold it for 1200 s */
	world_wait(301 * S);
	a.iat_s -= 301;
	a.exp_s -= 301;
	lent_registers(0, &a);
	EXPECT_EQ(1, world.told);
	EXPECT_EQ(WORLD_WALL_S + 601 + 1200, told(0)->until_s);
	a.iat_s = 0;
	a.jti = "next";
	lent_registers(0, &a);
	EXPECT_EQ(2, world.told);
	EXPECT_EQ(WORLD_WALL_S + 601, told(1)->iat_s);
	EXPECT(handle_equal(told(0)->id, told(1)->id));
}

TEST(journal, hears_when_it_has_ended_here_and_when_the_core_knows)
{
	struct handle id = registered_a();

	world_forget();
	wic_leaves(0);
	EXPECT_EQ(0, world.told); /* it still has the pair */
	world_wait(31 * S);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(1, world.told);
	EXPECT_EQ(JOURNAL_LEAVING, told(0)->state);
	EXPECT(handle_equal(id, told(0)->id));
	core_answers("200 OK", "");
	EXPECT_EQ(2, world.told);
	expect_over(told(1), id);
}

TEST(journal, hears_of_what_the_core_granted_and_nobody_may_have)
{
	struct visitor a = visitor("a");

	lent_start();
	world.config.min_grant_s = 1;
	a.exp_s = 10;
	EXPECT_EQ(GW_OK, wic_sends(0, lent_register(&a)));
	world_wait(12 * S); /* its token has ended */
	core_registers(600);
	EXPECT(handle_is_none(world.wic[0].binding));
	world_wait(S / 100);
	EXPECT_EQ(1, world.told);
	EXPECT_EQ(JOURNAL_LEAVING, told(0)->state);
	EXPECT_EQ(0, farewells()); /* its home worker might say that it is somewhere else */
	world_wait(1 * S);
	EXPECT_EQ(1, farewells());
	core_answers("200 OK", "");
	EXPECT_EQ(2, world.told);
	expect_over(told(1), told(0)->id);
}

TEST(journal, that_has_no_room_hears_it_later)
{
	const struct visitor a = visitor("a");

	lent_start();
	world.journal_full = true;
	lent_registers(0, &a);
	world_wait(1 * S);
	EXPECT_EQ(0, world.told);
	world.journal_full = false;
	world_wait(S / 100);
	EXPECT_EQ(1, world.told);
	EXPECT_EQ(JOURNAL_HELD, told(0)->state);
	world_wait(1 * S);
	EXPECT_EQ(1, world.told);
}

TEST(journal, that_has_no_room_hears_of_an_end_later)
{
	struct handle id = registered_a();

	world_forget();
	world.journal_full = true;
	wic_leaves(0);
	world_wait(31 * S);
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.journal_kept));
	world_wait(1 * S);
	EXPECT_EQ(0, world.told);
	world.journal_full = false;
	world_wait(S / 100);
	EXPECT_EQ(1, world.told); /* that it was leaving is history */
	expect_over(told(0), id);
	world_wait(1 * S);
	EXPECT_EQ(1, world.told);
}

/** A binding comes and goes. */
static void come_and_go(void)
{
	struct visitor a = visitor("a");

	a.jti = format("j%u", (uint32_t)(world.now_us / S));
	lent_registers(0, &a);
	a.expires_s = 0;
	EXPECT_EQ(GW_OK, wic_sends(0, lent_register(&a)));
	core_answers("200 OK", "");
	EXPECT(handle_is_none(world.wic[0].binding));
	world_forget();
}

TEST(journal, loses_ends_only_when_more_wait_than_there_may_be_bindings)
{
	lent_start();
	world.journal_full = true;
	for (uint32_t i = 0; i < 9; i++) { /* twice the four that may live */
		come_and_go();
		world_wait(1 * S);
	}
	EXPECT_EQ(8, world_count(&world.counters.journal_kept));
	EXPECT_EQ(1, world_count(&world.counters.journal_lost));
	world.journal_full = false;
	world_wait(S / 10);
	EXPECT_EQ(8, world.told);
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

TEST(journal, that_has_lost_something_is_told_all_of_it_again)
{
	struct handle id = registered_a();

	world_forget();
	gateway_journal_again(world.gw);
	world_wait(S / 10);
	EXPECT_EQ(1, world.told);
	EXPECT_EQ(JOURNAL_HELD, told(0)->state);
	EXPECT(handle_equal(id, told(0)->id));
	world_wait(1 * S);
	EXPECT_EQ(1, world.told);
}

TEST_MAIN("journaled", RUN(journal, is_told_what_a_restart_has_to_know),
	  RUN(journal, hears_nothing_of_a_site_without_a_pool),
	  RUN(journal, hears_of_a_refresh_when_it_brings_something),
	  RUN(journal, hears_when_it_has_ended_here_and_when_the_core_knows),
	  RUN(journal, hears_of_what_the_core_granted_and_nobody_may_have),
	  RUN(journal, that_has_no_room_hears_it_later),
	  RUN(journal, that_has_no_room_hears_of_an_end_later),
	  RUN(journal, loses_ends_only_when_more_wait_than_there_may_be_bindings),
	  RUN(journal, that_has_lost_something_is_told_all_of_it_again))
