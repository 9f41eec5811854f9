/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* What an operator takes back while it is in use. */

static const char *token_named(const char *jti)
{
	return token_of(GOOD_HEADER,
			format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
			       "\"sub\":\"u1\",\"impi\":\"alice@ims.home1.net\","
			       "\"impu\":\"sip:alice@home1.net\",\"jti\":\"%s\",\"iat\":%lld,"
			       "\"exp\":%lld}",
			       jti, (long long)world.wall_s - 30, (long long)world.wall_s + 3570));
}

static void registered_with(const char *jti)
{
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_named(jti), 600)));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
}

/** The flow of the only binding has to be closed for that. */
static void ended(enum gw_err why)
{
	struct gateway_ended ended = {.why = GW_OK};
	bool more = true;

	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(why, ended.why);
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
	EXPECT(!gateway_revoked(world.gw, &ended, &more));
	EXPECT(!more);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT(handle_is_none(world.wic[0].binding));
	EXPECT_EQ(1, world_count(&world.counters.binding_revoked));
	EXPECT_EQ(1, gateway_leaving(world.gw)); /* the core is told */
	EXPECT_EQ(EVENT_BINDING_END, world.event[world.events - 1].what);
	EXPECT_EQ(why, world.event[world.events - 1].err);
}

static void untouched(void)
{
	struct gateway_ended ended;
	bool more = true;

	EXPECT(!gateway_revoked(world.gw, &ended, &more));
	EXPECT(!more);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(revoked, token_is_refused)
{
	world_start();
	world_revoke("t-1");
	EXPECT_EQ(GW_TOKEN_JTI, wic_sends(0, register_jssip(token_named("t-1"), 600)));
	EXPECT_EQ(401, status_of(world_only(TO_WIC)));
}

TEST(revoked, token_is_refused_though_it_was_verified_before)
{
	world_start();
	registered_with("t-1");
	world_revoke("t-1");
	EXPECT_EQ(GW_TOKEN_JTI, wic_sends(1, register_jssip(token_named("t-1"), 600)));
	EXPECT_EQ(401, status_of(world_only(TO_WIC)));
}

TEST(revoked, token_is_accepted_again_when_the_operator_says_so)
{
	world_start();
	world_revoke("t-1");
	EXPECT_EQ(GW_TOKEN_JTI, wic_sends(0, register_jssip(token_named("t-1"), 600)));
	world_revoke("another");
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_named("t-1"), 600)));
}

TEST(revoked, token_ends_its_binding)
{
	world_start();
	registered_with("t-1");
	world_revoke("t-1");
	ended(GW_TOKEN_JTI);
}

TEST(revoked, token_of_another_leaves_a_binding_alone)
{
	world_start();
	registered_with("t-1");
	world_revoke("t-2");
	untouched();
}

TEST(revoked, token_that_a_refresh_replaced_leaves_the_binding_alone)
{
	world_start();
	registered_with("t-1");
	registered_with("t-2");
	world_revoke("t-1");
	untouched();
}

TEST(revoked, token_ends_a_binding_that_the_core_grants_too_late)
{
	struct gateway_ended none;
	bool more;

	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_named("t-1"), 600)));
	world_revoke("t-1");
	EXPECT(!gateway_revoked(world.gw, &none, &more)); /* the walk is over */
	core_registers(600);
	ended(GW_TOKEN_JTI);
}

TEST(revoked, site_is_refused)
{
	world_start();
	world_disable("shop");
	EXPECT_EQ(GW_TOKEN_WWSF, wic_sends(0, register_jssip(token_named("t-1"), 600)));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
}

TEST(revoked, site_ends_its_bindings)
{
	world_start();
	registered_with("t-1");
	world_disable("shop");
	ended(GW_TOKEN_WWSF);
}

TEST(revoked, site_of_another_name_leaves_a_binding_alone)
{
	world_start();
	registered_with("t-1");
	world_disable("shopping");
	untouched();
}

TEST(revoked, walk_looks_at_a_bounded_number_of_bindings_in_a_turn)
{
	struct gateway_ended none;
	uint32_t turns = 0;
	bool more = true;

	world_start();
	registered_with("t-1");
	world_revoke("t-2");
	for (; more && turns < 10; turns++) {
		EXPECT(!gateway_revoked(world.gw, &none, &more));
		world_turn();
	}
	EXPECT_EQ(1, turns);
	EXPECT(!gateway_revoked(world.gw, &none, &more)); /* and never again */
	EXPECT(!more);
}

TEST_MAIN("gateway_revoked", RUN(revoked, token_is_refused),
	  RUN(revoked, token_is_refused_though_it_was_verified_before),
	  RUN(revoked, token_is_accepted_again_when_the_operator_says_so),
	  RUN(revoked, token_ends_its_binding),
	  RUN(revoked, token_of_another_leaves_a_binding_alone),
	  RUN(revoked, token_that_a_refresh_replaced_leaves_the_binding_alone),
	  RUN(revoked, token_ends_a_binding_that_the_core_grants_too_late),
	  RUN(revoked, site_is_refused), RUN(revoked, site_ends_its_bindings),
	  RUN(revoked, site_of_another_name_leaves_a_binding_alone),
	  RUN(revoked, walk_looks_at_a_bounded_number_of_bindings_in_a_turn))
