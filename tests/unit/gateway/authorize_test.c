/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* What is done for a token, and what is not done again (PROTOCOL 3.5, DESIGN 6). */

static struct gateway_result sends(uint32_t wic, const char *text)
{
	return gateway_from_wic(world.gw, &world.wic[wic], span_text(text));
}

static uint64_t count(const _Atomic uint64_t *counter)
{
	return world_count(counter);
}

TEST(authorize, checks_the_signature_of_a_new_token)
{
	world_start();
	EXPECT_EQ(GW_AGAIN, sends(0, register_jssip(token_alice(900), 600)).err);
	EXPECT_EQ(0, count(&world.counters.token_cached));
	EXPECT_EQ(0, world.count);
}

TEST(authorize, needs_no_job_for_a_token_that_was_verified)
{
	const char *token;

	world_start();
	token = token_alice(900);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
	core_registers(600);
	world_forget();
	world.no_job = true;
	EXPECT_EQ(GW_OK, sends(0, register_jssip(token, 600)).err);
	EXPECT(contains(world_only(TO_MW), "REGISTER"));
	EXPECT_EQ(1, count(&world.counters.token_cached));
	EXPECT_EQ(2, count(&world.counters.token_verified));
}

TEST(authorize, judges_a_verified_token_each_time)
{
	const char *token;

	world_start();
	token = token_alice(100);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
	core_registers(90);
	world_wait(131 * 1000000ull); /* the leeway is over too */
	EXPECT_EQ(GW_TOKEN_EXPIRED, sends(0, register_jssip(token, 600)).err);
	EXPECT_EQ(1, count(&world.counters.token_cached));
}

TEST(authorize, lets_a_verified_token_in_by_its_own_site_only)
{
	const char *token;

	world_start();
	token = token_alice(900);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
	world.wic[1].wwsf = 1;
	EXPECT_EQ(GW_TOKEN_WWSF, sends(1, register_jssip(token, 600)).err);
	EXPECT_EQ(GW_OK, sends(2, register_jssip(token, 600)).err); /* and it is not forgotten */
}

TEST(authorize, checks_a_verified_token_again_when_its_key_was_replaced)
{
	const char *token;

	world_start();
	token = token_alice(900);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
	world.keys.count = 0;
	world.keys.part.generation++;
	EXPECT_EQ(GW_TOKEN_KEYS_DOWN, sends(1, register_jssip(token, 600)).err);
}

TEST(authorize, believes_no_verified_token_of_an_issuer_whose_keys_are_too_old)
{
	const char *token;

	world_start();
	world_fetchable();
	token = token_alice(900);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
	world.key_issuer[0].missing = true;
	EXPECT_EQ(GW_TOKEN_KEYS_DOWN, sends(1, register_jssip(token, 600)).err);
	EXPECT_EQ(GW_TOKEN_KEYS_DOWN, sends(1, register_jssip(token_alice(901), 600)).err);
	world.key_issuer[0].missing = false;
	EXPECT_EQ(GW_OK, sends(1, register_jssip(token, 600)).err);
}

TEST(authorize, refuses_a_forged_token_again_without_a_signature)
{
	const char *token;

	world_start();
	token = token_alice(900);
	world.verdict = GW_TOKEN_SIGNATURE;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, wic_sends(0, register_jssip(token, 600)));
	EXPECT_EQ(0, count(&world.counters.token_refused_again));
	EXPECT_EQ(GW_TOKEN_SIGNATURE, sends(1, register_jssip(token, 600)).err);
	EXPECT_EQ(1, count(&world.counters.token_refused_again));
}

TEST(authorize, refuses_what_cannot_be_read_again_without_reading)
{
	world_start();
	EXPECT_EQ(GW_TOKEN_MALFORMED, sends(0, register_jssip("abc", 600)).err);
	EXPECT_EQ(GW_TOKEN_MALFORMED, sends(0, register_jssip("abc", 600)).err);
	EXPECT_EQ(1, count(&world.counters.token_refused_again));
}

TEST(authorize, looks_again_at_a_token_that_a_reload_may_have_made_good)
{
	const char *token;

	world_start();
	world.issuer[0].audience = SPAN("sip:other");
	token = token_alice(900);
	EXPECT_EQ(GW_TOKEN_AUD, wic_sends(0, register_jssip(token, 600)));
	EXPECT_EQ(GW_TOKEN_AUD, wic_sends(0, register_jssip(token, 600)));
	EXPECT_EQ(1, count(&world.counters.token_refused_again));
	world.issuer[0].audience = SPAN("sip:ep1.home1.net");
	world.config.part.generation++;
	world_turn();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
}

TEST(authorize, does_not_hold_a_lost_verdict_against_a_token)
{
	const char *token;

	world_start();
	token = token_alice(900);
	world.verdict = GW_VERIFIER_FAILED;
	EXPECT_EQ(GW_VERIFIER_FAILED, wic_sends(0, register_jssip(token, 600)));
	world.verdict = GW_OK;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
}

TEST(authorize, spends_no_signature_for_an_origin_that_is_served_no_more)
{
	world_start();
	world.wic[0].disowned = true;
	EXPECT_EQ(GW_TOKEN_WWSF, sends(0, register_jssip(token_alice(900), 600)).err);
}

TEST(authorize, looks_at_the_site_again_when_the_verdict_is_there)
{
	struct span text;

	world_start();
	text = span_text(register_jssip(token_alice(900), 600));
	EXPECT_EQ(GW_AGAIN, gateway_from_wic(world.gw, &world.wic[0], text).err);
	world.wic[0].disowned = true;
	EXPECT_EQ(GW_TOKEN_WWSF, gateway_verified(world.gw, &world.wic[0], text, GW_OK).err);
}

TEST(authorize, names_no_place_to_fetch_a_token_for_an_origin_that_is_served_no_more)
{
	world_start();
	world.wic[0].disowned = true;
	EXPECT_EQ(GW_TOKEN_WWSF, wic_sends(0, register_jssip(NULL, 600)));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	EXPECT_NO_LINE(world_only(TO_WIC), "WWW-Authenticate");
}

TEST(authorize, holds_a_request_whose_token_is_gone_against_no_other_token)
{
	const char *token;

	world_start();
	token = token_alice(900);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
	EXPECT_EQ(GW_TOKEN_MALFORMED, gateway_verified(world.gw, &world.wic[1],
						       span_text(register_jssip("a\\", 600)), GW_OK)
					      .err);
	EXPECT_EQ(GW_OK, sends(0, register_jssip(token, 600)).err);
}

TEST(authorize, believes_no_token_whose_signature_is_still_being_checked)
{
	const char *token;

	world_start();
	token = token_alice(900);
	EXPECT_EQ(GW_AGAIN, sends(0, register_jssip(token, 600)).err);
	EXPECT_EQ(GW_AGAIN, sends(1, register_jssip(token, 600)).err);
	EXPECT_EQ(GW_TOKEN_SIGNATURE,
		  gateway_verified(world.gw, &world.wic[0], span_text(register_jssip(token, 600)),
				   GW_TOKEN_SIGNATURE)
			  .err);
	EXPECT_EQ(GW_TOKEN_SIGNATURE, sends(2, register_jssip(token, 600)).err);
	EXPECT_EQ(0, count(&world.counters.token_cached));
}

TEST(authorize, reads_a_token_once_unless_a_reload_came_in_between)
{
	struct span text;

	world_start();
	for (uint32_t reloaded = 0; reloaded < 2; reloaded++) {
		text = span_text(register_jssip(token_alice(900 + reloaded), 600));
		EXPECT_EQ(GW_AGAIN, gateway_from_wic(world.gw, &world.wic[reloaded], text).err);
		world.issuer[0].audience = SPAN("sip:other");
		world.config.part.generation += reloaded;
		world_turn();
		EXPECT_EQ(reloaded ? GW_TOKEN_AUD : GW_OK,
			  gateway_verified(world.gw, &world.wic[reloaded], text, GW_OK).err);
		world.issuer[0].audience = SPAN("sip:ep1.home1.net");
	}
}

TEST(authorize, reads_a_token_again_when_others_took_its_place)
{
	struct span text[WICS];

	world_start();
	gateway_free(world.gw);
	world.gateway_config.verify_jobs = 1;
	world.gw = gateway_new(&world.gateway_config);
	assert_non_null(world.gw);
	world_turn();
	for (uint32_t i = 0; i < WICS; i++) {
		text[i] = span_text(register_jssip(token_alice(900 + i), 600));
		EXPECT_EQ(GW_AGAIN, gateway_from_wic(world.gw, &world.wic[i], text[i]).err);
	}
	for (uint32_t i = 0; i < WICS; i++)
		EXPECT_EQ(GW_OK, gateway_verified(world.gw, &world.wic[i], text[i], GW_OK).err);
}

TEST_MAIN("gateway_authorize", RUN(authorize, checks_the_signature_of_a_new_token),
	  RUN(authorize, needs_no_job_for_a_token_that_was_verified),
	  RUN(authorize, judges_a_verified_token_each_time),
	  RUN(authorize, lets_a_verified_token_in_by_its_own_site_only),
	  RUN(authorize, checks_a_verified_token_again_when_its_key_was_replaced),
	  RUN(authorize, believes_no_verified_token_of_an_issuer_whose_keys_are_too_old),
	  RUN(authorize, refuses_a_forged_token_again_without_a_signature),
	  RUN(authorize, refuses_what_cannot_be_read_again_without_reading),
	  RUN(authorize, looks_again_at_a_token_that_a_reload_may_have_made_good),
	  RUN(authorize, does_not_hold_a_lost_verdict_against_a_token),
	  RUN(authorize, spends_no_signature_for_an_origin_that_is_served_no_more),
	  RUN(authorize, looks_at_the_site_again_when_the_verdict_is_there),
	  RUN(authorize, names_no_place_to_fetch_a_token_for_an_origin_that_is_served_no_more),
	  RUN(authorize, holds_a_request_whose_token_is_gone_against_no_other_token),
	  RUN(authorize, believes_no_token_whose_signature_is_still_being_checked),
	  RUN(authorize, reads_a_token_once_unless_a_reload_came_in_between),
	  RUN(authorize, reads_a_token_again_when_others_took_its_place))
