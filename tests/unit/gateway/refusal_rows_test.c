/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/*
 * Each row of PROTOCOL 3.6 by its number, both columns: what a REGISTER is told, and what another
 * request is told. F16's pool rule, F20 and F24 belong to modes that are not there yet; F29 has its
 * limits elsewhere, and here its answer.
 */

#define REALM "Bearer realm=\"home1.net\",authz_server=\"https://waf.home1.net/login\""
#define HEADER(alg, more) "{\"typ\":\"JWT\",\"alg\":\"" alg "\",\"kid\":\"waf-1\"" more "}"

/** The columns of a row. */
enum header { NOTHING, CHALLENGE, INVALID_TOKEN, INVALID_SCOPE, RETRY_AFTER };

static const char *const challenge[] = {
	[CHALLENGE] = "",
	[INVALID_TOKEN] = ",error=\"invalid_token\"",
	[INVALID_SCOPE] = ",error=\"invalid_scope\"",
};

/** What a refused request was told: status and header, and nothing beside. */
static void told(const char *answer, uint32_t status, enum header header, const char *scope)
{
	bool challenged = header >= CHALLENGE && header <= INVALID_SCOPE;
	const char *name = status == 401 ? "WWW-Authenticate" : "Proxy-Authenticate";

	EXPECT_EQ(status, status_of(answer));
	EXPECT_EQ(challenged && status == 401 ? 1 : 0, lines(answer, "WWW-Authenticate"));
	EXPECT_EQ(challenged && status == 407 ? 1 : 0, lines(answer, "Proxy-Authenticate"));
	EXPECT_EQ(header == RETRY_AFTER ? 1 : 0, lines(answer, "Retry-After"));
	EXPECT_NO_LINE(answer, "Warning"); /* D-12 is off */
	if (challenged)
		EXPECT_LINE(format(REALM "%s%s", scope, challenge[header]), answer, name);
}

/** Nothing of the request went on, and the flow has lost nothing. */
static void nothing_left(void)
{
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_parked(world.gw));
	EXPECT_EQ(0, world.wic[0].transactions);
	EXPECT_EQ(0, world.jobs);
}

static const char *request_of(const char *method, const char *credential)
{
	return format("%s sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 %s" CRLF "Contact: <sip:x@a.invalid>" CRLF
		      "%s" CRLF,
		      method, method, credential);
}

static void refused(enum gw_err err, uint32_t status, enum header header, const char *request)
{
	world_forget();
	EXPECT_EQ(err, wic_sends(0, request));
	told(world_only(TO_WIC), status, header, "");
	nothing_left();
}

/** A row whose columns are C401 and C407, or the same status twice. */
static void row(enum gw_err err, uint32_t status, enum header header, const char *credential)
{
	refused(err, status, header, request_of("REGISTER", credential));
	refused(err, status == 401 ? 407 : status, header, request_of("MESSAGE", credential));
}

static const char *bearer(const char *token)
{
	return format("Authorization: Bearer %s" CRLF, token);
}

static const char *times(int64_t iat, int64_t exp)
{
	return format("\"iat\":%lld,\"exp\":%lld", (long long)WORLD_WALL_S + iat,
		      (long long)WORLD_WALL_S + exp);
}

#define ISS "\"iss\":\"https://waf.home1.net\","
#define AUD "\"aud\":\"sip:ep1.home1.net\","
#define IMPI "\"impi\":\"alice@ims.home1.net\","
#define IMPU "\"impu\":\"sip:alice@home1.net\","
#define SUB "\"sub\":\"u1\","

/** A token with these members and times, well signed. */
static const char *token(const char *members, const char *when)
{
	return bearer(token_of(GOOD_HEADER, format("{%s%s}", members, when)));
}

static const char *good(void)
{
	return token(ISS AUD SUB IMPI IMPU "\"jti\":\"t-1\",", times(-10, 900));
}

static const char *headed(const char *header)
{
	return bearer(token_of(header, format("{" ISS AUD SUB IMPI IMPU "%s}", times(-10, 900))));
}

TEST(row, f01_no_credential)
{
	world_start();
	refused(GW_TOKEN_NONE, 401, CHALLENGE, request_of("REGISTER", ""));
	refused(GW_NOT_REGISTERED, 403, NOTHING, request_of("MESSAGE", "")); /* F27 */
}

TEST(row, f02_two_different_tokens)
{
	world_start();
	row(GW_TOKEN_SEVERAL, 400, NOTHING,
	    "Authorization: Bearer a.b.c" CRLF "Authorization: Bearer a.b.d" CRLF);
	row(GW_TOKEN_SEVERAL, 400, NOTHING,
	    "Authorization: Bearer a.b.c" CRLF "Authorization: Digest username=\"a\"" CRLF);
}

TEST(row, f03_unknown_scheme)
{
	world_start();
	row(GW_TOKEN_SCHEME, 401, CHALLENGE, "Authorization: NoOneKnowsThisScheme x=y" CRLF);
}

TEST(row, f04_not_a_jws)
{
	world_start();
	row(GW_TOKEN_MALFORMED, 401, INVALID_TOKEN, bearer("abc"));
	row(GW_TOKEN_MALFORMED, 401, INVALID_TOKEN, bearer("a+/.bbbb.cccc"));
	world.config.max_token_bytes = 100;
	world.config.part.generation++;
	row(GW_TOKEN_MALFORMED, 401, INVALID_TOKEN, good());
}

TEST(row, f05_not_strict_json)
{
	world_start();
	row(GW_TOKEN_JSON, 401, INVALID_TOKEN,
	    bearer(token_of(GOOD_HEADER, "{\"iss\":1,\"iss\":2}")));
	row(GW_TOKEN_JSON, 401, INVALID_TOKEN, bearer(token_of("[]", "{}")));
	row(GW_TOKEN_JSON, 401, INVALID_TOKEN,
	    bearer(token_of(GOOD_HEADER, "{\"sub\":\"\xc3\x28\"}")));
}

TEST(row, f06_typ)
{
	world_start();
	row(GW_TOKEN_TYP, 401, INVALID_TOKEN,
	    headed("{\"typ\":\"logout+jwt\",\"alg\":\"ES256\",\"kid\":\"waf-1\"}"));
}

TEST(row, f07_alg)
{
	world_start();
	row(GW_TOKEN_ALG, 401, INVALID_TOKEN, headed(HEADER("none", "")));
	row(GW_TOKEN_ALG, 401, INVALID_TOKEN, headed(HEADER("HS256", "")));
	row(GW_TOKEN_ALG, 401, INVALID_TOKEN, headed(HEADER("RS256", "")));
	world.issuer[0].algorithms |= 1u << JWS_RS256; /* allowed, but not this key's */
	world.config.part.generation++;
	row(GW_TOKEN_ALG, 401, INVALID_TOKEN, headed(HEADER("RS256", "")));
}

TEST(row, f08_crit)
{
	world_start();
	row(GW_TOKEN_CRIT, 401, INVALID_TOKEN, headed(HEADER("ES256", ",\"crit\":[\"exp\"]")));
}

TEST(row, f09_unknown_issuer)
{
	world_start();
	row(GW_TOKEN_ISS, 401, INVALID_TOKEN,
	    token("\"iss\":\"https://evil.example\"," AUD SUB IMPI IMPU, times(-10, 900)));
	row(GW_TOKEN_ISS, 401, INVALID_TOKEN, token(AUD SUB IMPI IMPU, times(-10, 900)));
}

TEST(row, f10_unknown_key)
{
	world_start();
	row(GW_TOKEN_KID, 401, INVALID_TOKEN,
	    headed("{\"alg\":\"ES256\",\"kid\":\"waf-2\"}")); /* parked_test.c: after refresh */
}

TEST(row, f11_no_keys)
{
	world_start();
	world.keys.count = 0;
	row(GW_TOKEN_KEYS_DOWN, 503, RETRY_AFTER, good());
}

TEST(row, f12_bad_signature)
{
	world_start();
	world.verdict = GW_TOKEN_SIGNATURE;
	row(GW_TOKEN_SIGNATURE, 401, INVALID_TOKEN, good());
}

TEST(row, f13_audience)
{
	world_start();
	row(GW_TOKEN_AUD, 401, INVALID_TOKEN,
	    token(ISS "\"aud\":\"sip:other\"," SUB IMPI IMPU, times(-10, 900)));
	row(GW_TOKEN_AUD, 401, INVALID_TOKEN, token(ISS SUB IMPI IMPU, times(-10, 900)));
}

TEST(row, f14_expired)
{
	world_start();
	row(GW_TOKEN_EXPIRED, 401, INVALID_TOKEN, token(ISS AUD SUB IMPI IMPU, times(-900, -30)));
	row(GW_TOKEN_EXPIRED, 401, INVALID_TOKEN,
	    token(ISS AUD SUB IMPI IMPU, format("\"iat\":%u", WORLD_WALL_S)));
}

TEST(row, f15_times)
{
	world_start();
	row(GW_TOKEN_TIME, 401, INVALID_TOKEN, token(ISS AUD SUB IMPI IMPU, times(31, 900)));
	row(GW_TOKEN_TIME, 401, INVALID_TOKEN,
	    token(ISS AUD SUB IMPI IMPU,
		  format("%s,\"nbf\":%u", times(-10, 900), WORLD_WALL_S + 31)));
	row(GW_TOKEN_TIME, 401, INVALID_TOKEN, token(ISS AUD SUB IMPI IMPU, times(-10, 86400)));
}

TEST(row, f16_revoked)
{
	world_start();
	world_revoke("t-1");
	row(GW_TOKEN_JTI, 401, INVALID_TOKEN, good());
}

TEST(row, f17_claim)
{
	world_start();
	row(GW_TOKEN_CLAIM, 401, INVALID_TOKEN, token(ISS AUD SUB IMPI, times(-10, 900)));
	row(GW_TOKEN_CLAIM, 401, INVALID_TOKEN,
	    token(ISS AUD SUB IMPU "\"impi\":7,", times(-10, 900)));
}

TEST(row, f18_scope)
{
	const char *scopeless;

	world_start();
	world.issuer[0].scope_register = SPAN("ims.register");
	world.issuer[0].scope_originate = SPAN("ims.originate");
	scopeless = token(ISS AUD SUB IMPI IMPU "\"scope\":\"profile\",", times(-10, 900));
	EXPECT_EQ(GW_TOKEN_SCOPE, wic_sends(0, request_of("REGISTER", scopeless)));
	told(world_only(TO_WIC), 401, INVALID_SCOPE, ",scope=\"ims.register\"");
	world_forget();
	EXPECT_EQ(GW_TOKEN_SCOPE, wic_sends(0, request_of("MESSAGE", scopeless)));
	told(world_only(TO_WIC), 407, INVALID_SCOPE, ",scope=\"ims.originate\"");
	nothing_left();
}

TEST(row, f19_site)
{
	world_start();
	world.wic[0].wwsf = 1; /* another issuer's */
	row(GW_TOKEN_WWSF, 403, NOTHING, good());
	world.wic[0].wwsf = 0;
	row(GW_TOKEN_WWSF, 403, NOTHING,
	    token(ISS AUD SUB IMPI IMPU "\"wwsf\":\"toys\",", times(-10, 900)));
	world.wic[0].disowned = true; /* not for this Origin any more */
	row(GW_TOKEN_WWSF, 403, NOTHING, good());
	world.wic[0].disowned = false;
	world_disable("shop");
	row(GW_TOKEN_WWSF, 403, NOTHING, good());
}

TEST(row, f20_scenario)
{
	world_start();
	row(GW_TOKEN_SCENARIO, 403, NOTHING,
	    token(ISS AUD SUB IMPI IMPU "\"scn\":\"pool\",", times(-10, 900)));
	refused(GW_TOKEN_SCENARIO, 403, NOTHING, request_of("MESSAGE", good()));
}

TEST(row, f21_foreign_identity)
{
	world_start();
	refused(GW_IDENTITY_FOREIGN, 403, NOTHING,
		request_of("REGISTER", token(ISS AUD SUB IMPU "\"impi\":\"mallory@ims.home1.net\",",
					     times(-10, 900))));
}

TEST(row, f22_request_names_another)
{
	world_start();
	refused(GW_IDENTITY_MISMATCH, 403, NOTHING,
		request_of("REGISTER", token(ISS AUD SUB "\"impi\":\"bob@ims.home1.net\","
							 "\"impu\":\"sip:bob@home1.net\",",
					     times(-10, 900))));
	refused(GW_IDENTITY_MISMATCH, 403, NOTHING,
		request_of("REGISTER", format("Authorization: Bearer access_token=\"%s\","
					      "username=\"bob@ims.home1.net\"" CRLF,
					      token_alice(900))));
}

TEST(row, f23_third_party)
{
	world_start();
	refused(GW_IDENTITY_THIRD_PARTY, 403, NOTHING,
		format("REGISTER sip:home1.net SIP/2.0" CRLF
		       "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		       "From: <sip:bob@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		       "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "Contact: <sip:x@a.invalid>" CRLF
		       "%s" CRLF,
		       good()));
}

TEST(row, f25_too_short)
{
	world_start();
	refused(GW_TOKEN_SHORT, 401, INVALID_TOKEN,
		request_of("REGISTER", token(ISS AUD SUB IMPI IMPU, times(-10, 59))));
}

TEST(row, f26_domain)
{
	world_start();
	refused(GW_DOMAIN, 403, NOTHING,
		format("REGISTER sip:other.example SIP/2.0" CRLF
		       "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		       "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		       "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "Contact: <sip:x@a.invalid>" CRLF
		       "%s" CRLF,
		       good()));
}

TEST(row, f27_not_registered)
{
	world_start();
	refused(GW_NOT_REGISTERED, 403, NOTHING, request_of("MESSAGE", ""));
	refused(GW_NOT_REGISTERED, 403, NOTHING, request_of("INVITE", ""));
	refused(GW_NOT_REGISTERED, 403, NOTHING,
		request_of("OPTIONS", "Authorization: Digest username=\"alice\"" CRLF));
}

TEST(row, f28_ack_and_cancel_are_never_challenged)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, request_of("ACK", "")));
	EXPECT_EQ(GW_OK, wic_sends(0, request_of("ACK", bearer("abc"))));
	EXPECT_EQ(0, world.count);
	refused(GW_SIP_NO_TRANSACTION, 481, NOTHING, request_of("CANCEL", ""));
	refused(GW_SIP_NO_TRANSACTION, 481, NOTHING, request_of("CANCEL", bearer("abc")));
}

TEST(row, f29_rate)
{
	uint8_t memory[2048];
	struct writer out;

	world_start();
	EXPECT_EQ(GW_TOKEN_NONE,
		  gateway_from_wic(world.gw, &world.wic[0], span_text(request_of("REGISTER", "")))
			  .err);
	writer_init(&out, memory, sizeof(memory) - 1);
	EXPECT_EQ(GW_OK, gateway_refusal_write(world.gw, &world.wic[0], GW_RATE, &out));
	memory[writer_len(&out)] = 0;
	told((const char *)memory, 503, RETRY_AFTER, "");
}

TEST(row, challenge_names_the_server_of_the_connections_own_site)
{
	world_start();
	world.issuer[1].authz_server = SPAN("https://toys.example/login");
	world.wic[0].wwsf = 1;
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(0, request_of("REGISTER", "")));
	EXPECT_LINE("Bearer realm=\"home1.net\",authz_server=\"https://toys.example/login\"",
		    world_only(TO_WIC), "WWW-Authenticate");
}

TEST(row, challenge_says_what_scope_a_token_needs)
{
	world_start();
	world.issuer[0].scope_register = SPAN("ims.register");
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(0, request_of("REGISTER", "")));
	told(world_only(TO_WIC), 401, CHALLENGE, ",scope=\"ims.register\"");
}

TEST(row, is_named_in_a_warning_where_an_operator_wants_it)
{
	world_start();
	world.config.warn_reason = true;
	EXPECT_EQ(GW_TOKEN_MALFORMED, wic_sends(0, request_of("REGISTER", bearer("abc"))));
	EXPECT_LINE("399 ep1.home1.net \"F04\"", world_only(TO_WIC), "Warning");
	world_forget();
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(0, request_of("CANCEL", "")));
	EXPECT_NO_LINE(world_only(TO_WIC), "Warning"); /* a reason without a row */
}

TEST_MAIN("gateway_refusal_rows", RUN(row, f01_no_credential), RUN(row, f02_two_different_tokens),
	  RUN(row, f03_unknown_scheme), RUN(row, f04_not_a_jws), RUN(row, f05_not_strict_json),
	  RUN(row, f06_typ), RUN(row, f07_alg), RUN(row, f08_crit), RUN(row, f09_unknown_issuer),
	  RUN(row, f10_unknown_key), RUN(row, f11_no_keys), RUN(row, f12_bad_signature),
	  RUN(row, f13_audience), RUN(row, f14_expired), RUN(row, f15_times), RUN(row, f16_revoked),
	  RUN(row, f17_claim), RUN(row, f18_scope), RUN(row, f19_site), RUN(row, f20_scenario),
	  RUN(row, f21_foreign_identity), RUN(row, f22_request_names_another),
	  RUN(row, f23_third_party), RUN(row, f25_too_short), RUN(row, f26_domain),
	  RUN(row, f27_not_registered), RUN(row, f28_ack_and_cancel_are_never_challenged),
	  RUN(row, f29_rate), RUN(row, challenge_names_the_server_of_the_connections_own_site),
	  RUN(row, challenge_says_what_scope_a_token_needs),
	  RUN(row, is_named_in_a_warning_where_an_operator_wants_it))
