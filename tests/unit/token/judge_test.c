/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "world.h"

/* What a token with a good signature may say: PROTOCOL 3.5 steps 9 to 16. */

/* ---- F13 to F15 ---- */

TEST(token, f13_for_another_audience_is_refused)
{
	static const char *const audiences[] = {
		"",
		"\"aud\":\"sip:ep2.home1.net\",",
		"\"aud\":\"SIP:ep1.home1.net\",",
		"\"aud\":[],",
		"\"aud\":[\"sip:ep2.home1.net\",\"x\"],",
		"\"aud\":[[\"sip:ep1.home1.net\"]],",
		"\"aud\":[\"sip:ep1.home1.net\",5],",
		"\"aud\":{\"sip:ep1.home1.net\":1},",
		"\"aud\":null,",
	};
	char payload[512];

	for (size_t i = 0; i < sizeof(audiences) / sizeof(audiences[0]); i++) {
		snprintf(payload, sizeof(payload), "{%s" ISS "," IDENTITIES "," TIMES "}",
			 audiences[i]);
		EXPECT_EQ(GW_TOKEN_AUD, payload_outcome(payload));
	}
}

/* The outcome of a token with these dates; NOW is 1795168000 and the leeway 30. */
static enum gw_err dates_outcome(const char *dates)
{
	char payload[512];

	snprintf(payload, sizeof(payload), "{" ISS "," AUD "," IDENTITIES "%s}", dates);
	return payload_outcome(payload);
}

TEST(token, f14_that_has_expired_is_refused)
{
	EXPECT_EQ(GW_TOKEN_EXPIRED, dates_outcome(",\"iat\":1795167000,\"exp\":1795167970"));
	EXPECT_EQ(GW_OK, dates_outcome(",\"iat\":1795167000,\"exp\":1795167971"));
	EXPECT_EQ(GW_TOKEN_EXPIRED, dates_outcome(",\"iat\":1795167000,\"exp\":-1"));
}

TEST(token, f14_without_expiry_is_refused)
{
	EXPECT_EQ(GW_TOKEN_EXPIRED, dates_outcome(",\"iat\":1795167000"));
	EXPECT_EQ(GW_TOKEN_EXPIRED, dates_outcome(",\"iat\":1795167000,\"exp\":\"1795170600\""));
	EXPECT_EQ(GW_TOKEN_EXPIRED, dates_outcome(",\"iat\":1795167000,\"exp\":null"));
}

TEST(token, f15_of_the_future_is_refused)
{
	EXPECT_EQ(GW_OK, dates_outcome(",\"iat\":1795168030,\"exp\":1795170600"));
	EXPECT_EQ(GW_TOKEN_TIME, dates_outcome(",\"iat\":1795168031,\"exp\":1795170600"));
	EXPECT_EQ(GW_OK,
		  dates_outcome(",\"iat\":1795168000,\"nbf\":1795168030,\"exp\":1795170600"));
	EXPECT_EQ(GW_TOKEN_TIME,
		  dates_outcome(",\"iat\":1795168000,\"nbf\":1795168031,\"exp\":1795170600"));
}

TEST(token, f15_that_lives_longer_than_the_cap_is_refused)
{
	EXPECT_EQ(GW_OK, dates_outcome(",\"iat\":1795167000,\"exp\":1795170600"));
	EXPECT_EQ(GW_TOKEN_TIME, dates_outcome(",\"iat\":1795167000,\"exp\":1795170601"));
	EXPECT_EQ(GW_TOKEN_TIME, dates_outcome(",\"iat\":1795167000,\"exp\":1e300"));
	EXPECT_EQ(GW_TOKEN_TIME, dates_outcome(",\"iat\":-5,\"exp\":1795170600"));
}

/* ---- F17 ---- */

TEST(token, f17_without_a_required_claim_is_refused)
{
	static const char *const incomplete[] = {
		"{" ISS "," AUD "," IDENTITIES ",\"exp\":1795170600}",
		"{" ISS "," AUD "," TIMES ",\"impi\":\"a@b.c\",\"impu\":\"sip:a@b\"}",
		"{" ISS "," AUD "," TIMES ",\"sub\":\"s\",\"impu\":\"sip:a@b\"}",
		"{" ISS "," AUD "," TIMES ",\"sub\":\"s\",\"impi\":\"a@b.c\"}",
		"{" ISS "," AUD "," TIMES ",\"sub\":\"s\",\"impi\":\"a@b.c\",\"impu\":[]}",
		"{" ISS "," AUD "," TIMES ",\"sub\":\"s\",\"impi\":\"a@b.c\",\"impu\":\"\"}",
		"{" ISS "," AUD "," TIMES ",\"sub\":\"s\",\"impi\":\"\",\"impu\":\"sip:a@b\"}",
	};

	for (size_t i = 0; i < sizeof(incomplete) / sizeof(incomplete[0]); i++)
		EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome(incomplete[i]));
}

TEST(token, f17_with_a_claim_of_the_wrong_type_is_refused)
{
	static const char *const wrong[] = {
		"\"jti\":7",	"\"nbf\":\"1\"", "\"wwsf\":[\"shop\"]", "\"scope\":[]",
		"\"scn\":true", "\"azp\":1",	 "\"jti\":null",	"\"client_id\":false",
	};
	char payload[512];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(payload, sizeof(payload),
			 "{" ISS "," AUD "," IDENTITIES
			 ",\"iat\":1795167000,\"exp\":1795170600,%s}",
			 wrong[i]);
		EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome(payload));
	}
	EXPECT_EQ(GW_TOKEN_CLAIM,
		  payload_outcome("{" ISS "," AUD "," TIMES
				  ",\"sub\":\"s\",\"impi\":\"a@b.c\",\"impu\":[\"sip:a@b\",1]}"));
}

TEST(token, f17_with_more_public_identities_than_bounded_is_refused)
{
	EXPECT_EQ(GW_OK,
		  payload_outcome("{" ISS "," AUD "," TIMES ",\"sub\":\"s\",\"impi\":\"a@b.c\","
				  "\"impu\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]}"));
	EXPECT_EQ(GW_TOKEN_CLAIM,
		  payload_outcome(
			  "{" ISS "," AUD "," TIMES ",\"sub\":\"s\",\"impi\":\"a@b.c\","
			  "\"impu\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}"));
}

TEST(token, f17_with_a_jti_longer_than_128_bytes_is_refused)
{
	char payload[512], jti[130];

	for (int len = 128; len <= 129; len++) {
		memset(jti, 'j', sizeof(jti));
		jti[len] = '\0';
		snprintf(payload, sizeof(payload),
			 "{" ISS "," AUD "," IDENTITIES "," TIMES ",\"jti\":\"%s\"}", jti);
		EXPECT_EQ(len == 128 ? GW_OK : GW_TOKEN_CLAIM, payload_outcome(payload));
	}
}

/* ---- F19, F20 ---- */

TEST(token, f19_on_an_origin_of_another_issuer_is_refused)
{
	EXPECT_EQ(GW_TOKEN_WWSF, signed_outcome(0, GOOD_HEADER, GOOD_PAYLOAD, TOYS));
}

TEST(token, f19_naming_another_wwsf_than_the_origin_is_refused)
{
	const char *header = "{\"alg\":\"ES256\",\"kid\":\"two-a\"}";
	const char *toys = TWO_PAYLOAD(",\"wwsf\":\"toys\"");

	EXPECT_EQ(GW_OK, signed_outcome(1, header, toys, TOYS));
	EXPECT_EQ(GW_TOKEN_WWSF, signed_outcome(1, header, toys, BOOKS));
	EXPECT_EQ(GW_TOKEN_WWSF,
		  payload_outcome("{" ISS "," AUD "," IDENTITIES "," TIMES ",\"wwsf\":\"toys\"}"));
}

TEST(token, f19_may_name_the_wwsf_by_its_origin)
{
	const char *header = "{\"alg\":\"ES256\",\"kid\":\"two-a\"}";
	const char *toys = TWO_PAYLOAD(",\"wwsf\":\"https://toys.example\"");

	EXPECT_EQ(GW_OK, signed_outcome(1, header, toys, TOYS));
	EXPECT_EQ(GW_TOKEN_WWSF, signed_outcome(1, header, toys, BOOKS));
}

TEST(token, f19_may_name_the_wwsf_as_the_oauth_client)
{
	const char *header = "{\"alg\":\"ES256\",\"kid\":\"two-a\"}";

	EXPECT_EQ(GW_OK, signed_outcome(1, header, TWO_PAYLOAD(",\"client_id\":\"toys\""), TOYS));
	EXPECT_EQ(GW_TOKEN_WWSF,
		  signed_outcome(1, header, TWO_PAYLOAD(",\"client_id\":\"toys\""), BOOKS));
	EXPECT_EQ(GW_OK,
		  signed_outcome(1, header,
				 TWO_PAYLOAD(",\"azp\":\"toys\",\"client_id\":\"books\""), TOYS));
	EXPECT_EQ(GW_OK, payload_outcome("{" ISS "," AUD "," IDENTITIES "," TIMES
					 ",\"client_id\":\"any\"}")); /* the issuer serves one */
}

TEST(token, f17_not_naming_its_wwsf_is_refused_where_the_issuer_serves_several)
{
	EXPECT_EQ(GW_TOKEN_CLAIM, signed_outcome(1, "{\"alg\":\"ES256\",\"kid\":\"two-a\"}",
						 TWO_PAYLOAD(""), TOYS));
}

TEST(token, f20_for_another_scenario_is_refused)
{
	EXPECT_EQ(GW_OK, payload_outcome("{" ISS "," AUD "," IDENTITIES "," TIMES
					 ",\"scn\":\"individual\"}"));
	EXPECT_EQ(GW_TOKEN_SCENARIO, payload_outcome("{" ISS "," AUD "," IDENTITIES "," TIMES
						     ",\"scn\":\"wildcard\"}"));
	EXPECT_EQ(GW_TOKEN_SCENARIO,
		  payload_outcome("{" ISS "," AUD "," IDENTITIES "," TIMES ",\"scn\":\"pool\"}"));
}

/* ---- F16, F18, F19: what an operator says ---- */

TEST(token, f16_whose_jti_is_revoked_is_refused)
{
	uint64_t hash = jti_hash(config.hash_key, SPAN("https://waf.example.com"), SPAN("j1"));

	revocations = (struct revocation_part){.jti = &hash, .jti_count = 1};
	EXPECT_EQ(GW_TOKEN_JTI, payload_outcome(WITH(",\"jti\":\"j1\"")));
	EXPECT_EQ(GW_TOKEN_JTI, payload_outcome(WITH(",\"jti\":\"\\u006a1\"")));
	EXPECT_EQ(GW_OK, payload_outcome(WITH(",\"jti\":\"j2\"")));
	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	revocations = (struct revocation_part){0};
	EXPECT_EQ(GW_OK, payload_outcome(WITH(",\"jti\":\"j1\"")));
}

TEST(token, f17_without_jti_is_refused_where_the_web_site_asks_for_one)
{
	wwsfs[SHOP].jti_required = true;
	EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome(GOOD_PAYLOAD));
	EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome(WITH(",\"jti\":\"\"")));
	EXPECT_EQ(GW_OK, payload_outcome(WITH(",\"jti\":\"j1\"")));
	wwsfs[SHOP].jti_required = false;
}

TEST(token, f18_without_the_scope_that_is_asked_for_is_refused)
{
	issuers[0].scope_register = SPAN("ims.register");
	EXPECT_EQ(GW_TOKEN_SCOPE, payload_outcome(GOOD_PAYLOAD));
	EXPECT_EQ(GW_TOKEN_SCOPE, payload_outcome(WITH(",\"scope\":\"\"")));
	EXPECT_EQ(GW_TOKEN_SCOPE, payload_outcome(WITH(",\"scope\":\"ims.registe\"")));
	EXPECT_EQ(GW_TOKEN_SCOPE, payload_outcome(WITH(",\"scope\":\"ims.registers x\"")));
	EXPECT_EQ(GW_TOKEN_SCOPE, payload_outcome(WITH(",\"scope\":\"IMS.register\"")));
	EXPECT_EQ(GW_OK, payload_outcome(WITH(",\"scope\":\"ims.register\"")));
	EXPECT_EQ(GW_OK, payload_outcome(WITH(",\"scope\":\"openid ims.register email\"")));
	issuers[0].scope_register = SPAN("");
	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
}

TEST(token, f18_is_asked_for_another_scope_when_it_does_not_register)
{
	const char *both = WITH(",\"scope\":\"ims.register ims.originate\"");
	const char *one = WITH(",\"scope\":\"ims.register\"");

	issuers[0].scope_register = SPAN("ims.register");
	issuers[0].scope_originate = SPAN("ims.originate");
	EXPECT_EQ(GW_OK, payload_outcome(one));
	method = SIP_INVITE;
	EXPECT_EQ(GW_TOKEN_SCOPE, payload_outcome(one));
	EXPECT_EQ(GW_OK, payload_outcome(both));
	method = SIP_REGISTER;
	issuers[0].scope_register = issuers[0].scope_originate = SPAN("");
}

TEST(token, f19_for_a_disabled_web_site_is_refused)
{
	struct span name = SPAN("shop");

	revocations = (struct revocation_part){.wwsf = &name, .wwsf_count = 1};
	EXPECT_EQ(GW_TOKEN_WWSF, payload_outcome(GOOD_PAYLOAD));
	name = SPAN("toys");
	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	revocations = (struct revocation_part){0};
}

/* ---- D-13: who the user is the core finds out ---- */

TEST(token, of_a_site_whose_users_the_core_authenticates_needs_no_identities)
{
	wwsfs[SHOP].mode = WWSF_IMS_AUTH;
	EXPECT_EQ(GW_OK, payload_outcome("{" ISS "," AUD "," TIMES ",\"sub\":\"s\"}"));
	EXPECT_EQ(GW_OK, payload_outcome("{" ISS "," AUD "," TIMES ",\"sub\":\"s\","
					 "\"scn\":\"ims-auth\"}"));
	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome("{" ISS "," AUD "," TIMES "}"));
	EXPECT_EQ(GW_TOKEN_SCENARIO, payload_outcome("{" ISS "," AUD "," TIMES ",\"sub\":\"s\","
						     "\"scn\":\"individual\"}"));
	wwsfs[SHOP].mode = WWSF_INDIVIDUAL;
	EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome("{" ISS "," AUD "," TIMES ",\"sub\":\"s\"}"));
	EXPECT_EQ(GW_TOKEN_SCENARIO, payload_outcome("{" ISS "," AUD "," IDENTITIES "," TIMES
						     ",\"scn\":\"ims-auth\"}"));
}

/* ---- PROTOCOL 7.1: nobody is registered ---- */

TEST(token, of_a_wildcard_names_one_public_identity_and_must_have_a_jti)
{
#define GUEST(more) "{" ISS "," AUD "," TIMES ",\"sub\":\"s\"" more "}"
	wwsfs[SHOP].mode = WWSF_WILDCARD;
	method = SIP_INVITE;
	EXPECT_EQ(GW_OK, payload_outcome(GUEST(",\"jti\":\"j\",\"impu\":\"sip:w@home1.net\"")));
	EXPECT_EQ(GW_OK, payload_outcome(GUEST(",\"jti\":\"j\",\"impu\":[\"sip:w@home1.net\"]")));
	EXPECT_EQ(GW_OK, payload_outcome(WITH(",\"jti\":\"j\""))); /* an impi may be there */
	EXPECT_EQ(GW_OK, payload_outcome(WITH(",\"jti\":\"j\",\"scn\":\"wildcard\"")));
	EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome(WITH("")));
	EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome(GUEST(",\"jti\":\"j\"")));
	EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome(GUEST(",\"jti\":\"j\",\"impu\":[]")));
	EXPECT_EQ(GW_TOKEN_CLAIM,
		  payload_outcome(GUEST(",\"jti\":\"j\",\"impu\":[\"sip:w@home1.net\","
					"\"sip:x@home1.net\"]")));
	EXPECT_EQ(GW_TOKEN_SCENARIO, payload_outcome(WITH(",\"jti\":\"j\",\"scn\":\"pool\"")));
	wwsfs[SHOP].mode = WWSF_INDIVIDUAL;
	EXPECT_EQ(GW_TOKEN_CLAIM,
		  payload_outcome(GUEST(",\"jti\":\"j\",\"impu\":\"sip:w@home1.net\"")));
	method = SIP_REGISTER;
}

/* ---- claims by other names ---- */

TEST(token, may_name_its_claims_as_the_issuer_is_configured)
{
	const char *mcx = "{" ISS "," AUD "," TIMES
			  ",\"sub\":\"s\",\"https://x/impi\":\"a@b.c\",\"mcptt_id\":[\"sip:a@b\"],"
			  "\"site\":\"shop\",\"mode\":\"individual\",\"impi\":7,\"wwsf\":\"toys\"}";

	issuers[0].claim.impi = SPAN("https://x/impi");
	issuers[0].claim.impu = SPAN("mcptt_id");
	issuers[0].claim.wwsf = SPAN("site");
	issuers[0].claim.scn = SPAN("mode");
	EXPECT_EQ(GW_OK, payload_outcome(mcx));
	EXPECT_SPAN("a@b.c", claims.impi);
	EXPECT_SPAN("sip:a@b", claims.impu[0]);
	EXPECT_SPAN("shop", claims.wwsf);
	EXPECT_SPAN("individual", claims.scn);
	EXPECT_EQ(GW_TOKEN_CLAIM, payload_outcome(GOOD_PAYLOAD)); /* impi and impu mean nothing */
	memset(&issuers[0].claim, 0, sizeof(issuers[0].claim));
	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
}

TEST(token, may_map_one_claim_to_two)
{
	issuers[0].claim.impu = SPAN("sub");
	issuers[0].claim.impi = SPAN("sub");
	EXPECT_EQ(GW_OK, payload_outcome("{" ISS "," AUD "," TIMES ",\"sub\":\"sip:a@b.c\"}"));
	EXPECT_SPAN("sip:a@b.c", claims.sub);
	EXPECT_SPAN("sip:a@b.c", claims.impi);
	EXPECT_SPAN("sip:a@b.c", claims.impu[0]);
	memset(&issuers[0].claim, 0, sizeof(issuers[0].claim));
}

/* ---- order ---- */

TEST(token, in_which_all_is_wrong_is_refused_in_the_order_of_the_specification)
{
	uint64_t hash = jti_hash(config.hash_key, SPAN("https://waf.example.com"), SPAN("j1"));
	struct span disabled = SPAN("shop");
	/* Each row puts right what the one before was refused for. */
	static const struct {
		enum gw_err err;
		const char *typ, *aud, *exp, *iat, *jti, *scn, *scope, *impi;
	} rows[] = {
		{GW_TOKEN_TYP, "x", "x", "1", "9e9", "j1", "pool", "x", ""},
		{GW_TOKEN_AUD, "JWT", "x", "1", "9e9", "j1", "pool", "x", ""},
		{GW_TOKEN_EXPIRED, "JWT", "sip:ep1.home1.net", "1", "9e9", "j1", "pool", "x", ""},
		{GW_TOKEN_TIME, "JWT", "sip:ep1.home1.net", "1795170600", "9e9", "j1", "pool", "x",
		 ""},
		{GW_TOKEN_JTI, "JWT", "sip:ep1.home1.net", "1795170600", "1795167000", "j1", "pool",
		 "x", ""},
		{GW_TOKEN_WWSF, "JWT", "sip:ep1.home1.net", "1795170600", "1795167000", "j2",
		 "pool", "x", ""},
		{GW_TOKEN_SCENARIO, "JWT", "sip:ep1.home1.net", "1795170600", "1795167000", "j2",
		 "pool", "x", ""},
		{GW_TOKEN_SCOPE, "JWT", "sip:ep1.home1.net", "1795170600", "1795167000", "j2",
		 "individual", "x", ""},
		{GW_TOKEN_CLAIM, "JWT", "sip:ep1.home1.net", "1795170600", "1795167000", "j2",
		 "individual", "s", ""},
		{GW_OK, "JWT", "sip:ep1.home1.net", "1795170600", "1795167000", "j2", "individual",
		 "s", "a@b.c"},
	};
	char header[128], payload[512];

	revocations = (struct revocation_part){.jti = &hash,
					       .jti_count = 1,
					       .wwsf = &disabled,
					       .wwsf_count = 1};
	issuers[0].scope_register = SPAN("s");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].err == GW_TOKEN_SCENARIO)
			revocations.wwsf_count = 0;
		snprintf(header, sizeof(header), "{\"typ\":\"%s\",\"alg\":\"ES256\"}", rows[i].typ);
		snprintf(payload, sizeof(payload),
			 "{" ISS ",\"aud\":\"%s\",\"exp\":%s,\"iat\":%s,\"jti\":\"%s\","
			 "\"scn\":\"%s\",\"scope\":\"%s\",\"sub\":\"s\",\"impi\":\"%s\","
			 "\"impu\":\"sip:a@b\"}",
			 rows[i].aud, rows[i].exp, rows[i].iat, rows[i].jti, rows[i].scn,
			 rows[i].scope, rows[i].impi);
		EXPECT_EQ(rows[i].err, signed_outcome(0, header, payload, SHOP));
	}
	issuers[0].scope_register = SPAN("");
	revocations = (struct revocation_part){0};
}

/* ---- explain ---- */

/* The last step that is told of a token, and what it says. All before it are good. */
static struct token_step last_step(enum gw_err signature)
{
	const struct token_use use = {.config = &config, .wwsf = SHOP, .now_s = NOW};
	struct token_step steps[TOKEN_STEPS];
	uint32_t count = token_explain(token_span(), &keys, &use, signature, &scratch, steps);

	EXPECT(count > 0 && count <= TOKEN_STEPS);
	for (uint32_t i = 0; i + 1 < count; i++)
		EXPECT_EQ(GW_OK, steps[i].err);
	return steps[count - 1];
}

TEST(token, is_explained_up_to_the_step_that_refuses_it)
{
	EXPECT_EQ(GW_TOKEN_ALG, header_outcome("{\"alg\":\"none\"}"));
	EXPECT_TEXT("algorithm known", last_step(GW_OK).name);
	EXPECT_EQ(GW_TOKEN_ALG, last_step(GW_OK).err);
	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	EXPECT_TEXT("signature", last_step(GW_TOKEN_SIGNATURE).name);
	EXPECT_TEXT("F12", last_step(GW_TOKEN_SIGNATURE).row);
	EXPECT_EQ(GW_TOKEN_SIGNATURE, last_step(GW_TOKEN_SIGNATURE).err);
	EXPECT_EQ(GW_TOKEN_SCENARIO, payload_outcome(WITH(",\"scn\":\"pool\"")));
	EXPECT_TEXT("scenario", last_step(GW_OK).name);
	EXPECT_TEXT("F20", last_step(GW_OK).row);
	EXPECT_EQ(GW_TOKEN_SCENARIO, last_step(GW_OK).err);
}

TEST(token, that_is_good_is_explained_by_all_steps)
{
	const struct token_use use = {.config = &config, .wwsf = SHOP, .now_s = NOW};
	struct token_step steps[TOKEN_STEPS];

	EXPECT_EQ(GW_OK, payload_outcome(GOOD_PAYLOAD));
	EXPECT_EQ(TOKEN_STEPS, token_explain(token_span(), &keys, &use, GW_OK, &scratch, steps));
	EXPECT_TEXT("parts", steps[0].name);
	EXPECT_TEXT("identities", steps[TOKEN_STEPS - 1].name);
	EXPECT_EQ(GW_OK, steps[TOKEN_STEPS - 1].err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(token, f13_for_another_audience_is_refused),
		RUN(token, f14_that_has_expired_is_refused),
		RUN(token, f14_without_expiry_is_refused),
		RUN(token, f15_of_the_future_is_refused),
		RUN(token, f15_that_lives_longer_than_the_cap_is_refused),
		RUN(token, f17_without_a_required_claim_is_refused),
		RUN(token, f17_with_a_claim_of_the_wrong_type_is_refused),
		RUN(token, f17_with_more_public_identities_than_bounded_is_refused),
		RUN(token, f17_with_a_jti_longer_than_128_bytes_is_refused),
		RUN(token, f19_on_an_origin_of_another_issuer_is_refused),
		RUN(token, f19_naming_another_wwsf_than_the_origin_is_refused),
		RUN(token, f19_may_name_the_wwsf_by_its_origin),
		RUN(token, f19_may_name_the_wwsf_as_the_oauth_client),
		RUN(token, f17_not_naming_its_wwsf_is_refused_where_the_issuer_serves_several),
		RUN(token, f20_for_another_scenario_is_refused),
		RUN(token, f16_whose_jti_is_revoked_is_refused),
		RUN(token, f17_without_jti_is_refused_where_the_web_site_asks_for_one),
		RUN(token, f18_without_the_scope_that_is_asked_for_is_refused),
		RUN(token, f18_is_asked_for_another_scope_when_it_does_not_register),
		RUN(token, f19_for_a_disabled_web_site_is_refused),
		RUN(token, of_a_site_whose_users_the_core_authenticates_needs_no_identities),
		RUN(token, of_a_wildcard_names_one_public_identity_and_must_have_a_jti),
		RUN(token, may_name_its_claims_as_the_issuer_is_configured),
		RUN(token, may_map_one_claim_to_two),
		RUN(token, in_which_all_is_wrong_is_refused_in_the_order_of_the_specification),
		RUN(token, is_explained_up_to_the_step_that_refuses_it),
		RUN(token, that_is_good_is_explained_by_all_steps),
	};

	return cmocka_run_group_tests_name("judge", tests, world_open, world_close);
}
