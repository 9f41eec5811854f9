/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* What is left of a pair's user when the next one has come: PROTOCOL 6.6. */

#define S 1000000ull

/** Alice's pair is one of a pool. */
static void pool_world(void)
{
	world_start();
	world.wwsf[0].mode = WWSF_POOL;
	world.config.max_pool_lifetime_s = 3600;
	world_reload();
}

/** A token of the pair for this user. */
static const char *token_for(const char *sub, uint32_t lifetime_s)
{
	return token_of(GOOD_HEADER,
			format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
			       "\"sub\":\"%s\",\"jti\":\"of-%s\",\"impi\":\"alice@ims.home1.net\","
			       "\"impu\":\"sip:alice@home1.net\",\"iat\":%lld,\"exp\":%lld}",
			       sub, sub, (long long)world.wall_s,
			       (long long)world.wall_s + lifetime_s));
}

/** The first user has gone, and the next one of his pair is on his connection. */
static void next_user(void)
{
	pool_world();
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

TEST_MAIN("gateway_pool_next",
	  RUN(next_user, on_the_same_connection_does_not_get_what_is_for_the_one_before),
	  RUN(next_user, on_the_same_connection_gets_what_is_for_him))
