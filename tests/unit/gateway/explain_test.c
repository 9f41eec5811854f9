/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* What an operator is told of a token (wicctl explain). */

static struct row_step rows[GATEWAY_STEPS_MAX];

static uint32_t explain_at(const char *token, uint32_t wwsf, enum gw_err signature)
{
	const struct gateway_explained what = {wwsf, span_text(token)};

	return gateway_explain(world.gw, &what, signature, rows);
}

/** The last row is this one, and the only one that refuses. */
static void ends_with(uint32_t n, const char *name, enum gw_err err)
{
	assert_in_range(n, 1, GATEWAY_STEPS_MAX);
	for (uint32_t i = 0; i + 1 < n; i++)
		EXPECT_EQ(GW_OK, rows[i].err);
	assert_string_equal(name, rows[n - 1].name);
	EXPECT_EQ(err, rows[n - 1].err);
}

TEST(explain, goes_through_all_steps_of_a_good_token)
{
	world_start();
	ends_with(explain_at(token_alice(900), 0, GW_OK), "allocation", GW_OK);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(0, world_transactions());
}

TEST(explain, ends_where_the_token_is_refused)
{
	world_start();
	ends_with(explain_at("abc", 0, GW_OK), "parts", GW_TOKEN_MALFORMED);
	ends_with(explain_at(token_alice(900), 0, GW_TOKEN_SIGNATURE), "signature",
		  GW_TOKEN_SIGNATURE);
	ends_with(explain_at(token_alice(-60), 0, GW_OK), "expiry", GW_TOKEN_EXPIRED);
	ends_with(explain_at(token_alice(900), 1, GW_OK), "web site", GW_TOKEN_WWSF);
	ends_with(explain_at(token_alice(900), UINT32_MAX, GW_OK), "web site", GW_TOKEN_WWSF);
	ends_with(explain_at(token_of(GOOD_HEADER,
				      payload_of("eve@ims.home1.net", "sip:alice@home1.net", 900)),
			     0, GW_OK),
		  "allocation", GW_IDENTITY_FOREIGN);
	ends_with(explain_at(token_of(GOOD_HEADER,
				      payload_of("no name", "sip:alice@home1.net", 900)),
			     0, GW_OK),
		  "allocation", GW_TOKEN_CLAIM);
}

TEST(explain, knows_that_the_keys_are_too_old)
{
	world_start();
	world_fetchable();
	world.key_issuer[0].missing = true;
	ends_with(explain_at(token_alice(900), 0, GW_OK), "key", GW_TOKEN_KEYS_DOWN);
}

TEST(explain, finds_the_site_by_origin_or_by_issuer)
{
	struct origin_config origin = {SPAN("https://toys.example"), 1};

	world_start();
	world.config.origin = &origin;
	world.config.origin_count = 1;
	EXPECT_EQ(1, gateway_explain_wwsf(world.gw, SPAN("https://toys.example"),
					  span_text(token_alice(900))));
	EXPECT_EQ(UINT32_MAX, gateway_explain_wwsf(world.gw, SPAN("https://evil.example"),
						   span_text(token_alice(900))));
	EXPECT_EQ(0, gateway_explain_wwsf(world.gw, SPAN(""), span_text(token_alice(900))));
	EXPECT_EQ(UINT32_MAX, gateway_explain_wwsf(world.gw, SPAN(""), SPAN("abc")));
	world.wwsf[0].issuer = 1;
	EXPECT_EQ(UINT32_MAX,
		  gateway_explain_wwsf(world.gw, SPAN(""), span_text(token_alice(900))));
}

TEST(explain, asks_for_a_signature_only_when_it_comes_to_that)
{
	static struct verify_job job;
	struct gateway_explained what = {0, SPAN("abc")};

	world_start();
	EXPECT(!gateway_explain_job(world.gw, &what, &job));
	what.token = span_text(token_alice(900));
	EXPECT(gateway_explain_job(world.gw, &what, &job));
	EXPECT_EQ(64, job.signature_len);
}

TEST(explain, remembers_nothing)
{
	const char *token;

	world_start();
	token = token_alice(900);
	ends_with(explain_at(token, 0, GW_OK), "allocation", GW_OK);
	EXPECT_EQ(GW_AGAIN,
		  gateway_from_wic(world.gw, &world.wic[0], span_text(register_jssip(token, 600)))
			  .err);
	EXPECT_EQ(0, world_count(&world.counters.token_cached));
}

TEST_MAIN("gateway_explain", RUN(explain, goes_through_all_steps_of_a_good_token),
	  RUN(explain, ends_where_the_token_is_refused),
	  RUN(explain, knows_that_the_keys_are_too_old),
	  RUN(explain, finds_the_site_by_origin_or_by_issuer),
	  RUN(explain, asks_for_a_signature_only_when_it_comes_to_that),
	  RUN(explain, remembers_nothing))
