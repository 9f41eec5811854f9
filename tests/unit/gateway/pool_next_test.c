/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* What is left of a pair's user when the next one has come: PROTOCOL 6.6, 10.5. */

#define S 1000000ull

/** Alice's pair is one of a pool. */
static void pool_world(uint32_t grace_s)
{
	world_start();
	world.wwsf[0].mode = WWSF_POOL;
	world.config.max_pool_lifetime_s = 3600;
	world.config.flow_grace_s = grace_s;
	world.config.min_grant_s = 1;
	world_reload();
}

/** A token of the pair for this user, issued by a clock that is so far ahead. */
static const char *token_ahead(const char *sub, uint32_t ahead_s, uint32_t lifetime_s)
{
	return token_of(GOOD_HEADER,
			format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
			       "\"sub\":\"%s\",\"jti\":\"of-%s\",\"impi\":\"alice@ims.home1.net\","
			       "\"impu\":\"sip:alice@home1.net\",\"iat\":%lld,\"exp\":%lld}",
			       sub, sub, (long long)world.wall_s + ahead_s,
			       (long long)world.wall_s + ahead_s + lifetime_s));
}

static const char *token_for(const char *sub, uint32_t lifetime_s)
{
	return token_ahead(sub, 0, lifetime_s);
}

/** What went to the core and takes a registration away. */
static uint32_t farewells(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.count; i++)
		n += world.sent[i].to == TO_MW &&
		     contains(world.sent[i].text, "\r\nExpires: 0\r\nSupported: path, outbound");
	return n;
}

/** The first user has gone, and the next one of his pair is on his connection. */
static void next_user(void)
{
	pool_world(30);
	path_remember(mw_register(register_jssip(token_for("v1", 100), 60)));
	core_registers(60);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
	world_wait(101 * S);
	EXPECT_EQ(GW_OK, wic_sends(0, register_sipjs(token_for("v2", 100), 60)));
	core_registers(60);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
}

TEST(next_user, on_the_same_connection_does_not_get_what_is_for_the_one_before)
{
	next_user();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

TEST(next_user, on_the_same_connection_gets_what_is_for_him)
{
	next_user();
	core_sends(format("MESSAGE sip:l45tahiv@t2nsfi2bgmd9.invalid;transport=ws SIP/2.0%s",
			  strstr(core_message(path_uri(), ""), CRLF)));
	EXPECT_EQ(0, strncmp(world_only(TO_WIC), "MESSAGE sip:l45tahiv@", 21));
}

/** Its web site's clock is ahead, and by that he is over: it has broken nothing. */
TEST(user_before, is_refused_and_no_conflict)
{
	const char *before;

	pool_world(30);
	before = register_jssip(token_for("v1", 10), 60);
	EXPECT_EQ(GW_OK, wic_sends(0, before));
	core_registers(60);
	EXPECT_EQ(GW_OK, wic_sends(1, register_sipjs(token_ahead("v2", 11, 100), 60)));
	core_registers(60);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(GW_PAIR_IN_USE, wic_sends(0, before));
	EXPECT_EQ(0, world_count(&world.counters.pool_conflicts));
	EXPECT_EQ(GW_PAIR_IN_USE, wic_sends(0, register_jssip(token_for("v3", 100), 60)));
	EXPECT_EQ(1, world_count(&world.counters.pool_conflicts));
}

/** A refresh is under way when the connection ends, and nothing waits for another one. */
static uint32_t refresh_under_way(uint32_t lifetime_s)
{
	uint32_t refresh;

	pool_world(0);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_for("v1", lifetime_s), 600)));
	core_registers(600);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_for("v1", lifetime_s), 600)));
	refresh = world.count - 1;
	wic_leaves(0);
	world_wait(1000);
	return refresh;
}

TEST(late_200, of_a_pair_that_is_not_held_any_more_is_undone)
{
	uint32_t refresh = refresh_under_way(3000);

	world.sent[world.count++] = world.sent[refresh];
	core_registers(600);
	EXPECT_EQ(0, farewells()); /* its client may be back */
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
	core_answers("200 OK", "");
	world_wait(60 * S);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

TEST(late_200, of_a_pair_that_is_not_held_any_more_undoes_no_registration_of_the_next_flow)
{
	uint32_t refresh = refresh_under_way(3000), next;

	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_for("v1", 3000), 600)));
	next = world.count - 1;
	world.sent[world.count++] = world.sent[refresh];
	core_registers(600);
	world.sent[world.count++] = world.sent[next];
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(60 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

/** The core has one registration for both: they have a page's instance. */
TEST(late_200, of_the_user_before_undoes_no_registration_of_the_next_one_on_his_page)
{
	uint32_t refresh = refresh_under_way(10), next;

	world_wait(11 * S);
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_for("v2", 3000), 600)));
	next = world.count - 1;
	world.sent[world.count++] = world.sent[refresh];
	core_registers(600);
	world.sent[world.count++] = world.sent[next];
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(60 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

/** He had his connection when his token ended, and the farewell of what the late 200 had made is
 * not answered. */
TEST(late_200, of_the_user_before_on_his_connection_undoes_no_registration_of_the_next_one)
{
	uint32_t refresh;

	pool_world(0);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_for("v1", 10), 600)));
	core_registers(600);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_for("v1", 10), 600)));
	refresh = world.count - 1;
	world_wait(11 * S);
	world.sent[world.count++] = world.sent[refresh];
	core_registers(600);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	wic_leaves(0);
	world_wait(2 * S);
	EXPECT(farewells() > 0);
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_for("v2", 3000), 600)));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

TEST_MAIN("gateway_pool_next",
	  RUN(next_user, on_the_same_connection_does_not_get_what_is_for_the_one_before),
	  RUN(next_user, on_the_same_connection_gets_what_is_for_him),
	  RUN(user_before, is_refused_and_no_conflict),
	  RUN(late_200, of_a_pair_that_is_not_held_any_more_is_undone),
	  RUN(late_200,
	      of_a_pair_that_is_not_held_any_more_undoes_no_registration_of_the_next_flow),
	  RUN(late_200, of_the_user_before_undoes_no_registration_of_the_next_one_on_his_page),
	  RUN(late_200,
	      of_the_user_before_on_his_connection_undoes_no_registration_of_the_next_one))
