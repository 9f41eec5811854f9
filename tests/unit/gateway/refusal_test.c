/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* The failure table of PROTOCOL 3.6: error, status, header; the connection stays. */

#define CHALLENGE "Bearer realm=\"home1.net\",authz_server=\"https://waf.home1.net/login\""
#define INVALID CHALLENGE ",error=\"invalid_token\""
#define IDS "\"sub\":\"u1\",\"impi\":\"alice@ims.home1.net\",\"impu\":\"sip:alice@home1.net\""
#define ISS "\"iss\":\"https://waf.home1.net\""
#define AUD "\"aud\":\"sip:ep1.home1.net\""

/** alice's REGISTER with these lines instead of a credential. */
static const char *register_with(const char *credential)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "Contact: <sip:x@a.invalid>" CRLF
		      "%s" CRLF,
		      credential);
}

static const char *bearer(const char *token)
{
	return register_with(format("Authorization: Bearer %s" CRLF, token));
}

/** A request gets that error and status, nothing goes to the core, nothing is left. */
static const char *refused(enum gw_err err, uint32_t status, const char *request)
{
	world_forget();
	EXPECT_EQ(err, wic_sends(0, request));
	EXPECT_EQ(status, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, world.wic[0].transactions);
	EXPECT_EQ(0, world.jobs);
	return world_only(TO_WIC);
}

static void challenged(enum gw_err err, const char *challenge, const char *request)
{
	const char *answer = refused(err, 401, request);

	EXPECT_EQ(1, lines(answer, "WWW-Authenticate"));
	EXPECT_LINE(challenge, answer, "WWW-Authenticate");
	EXPECT_NO_LINE(answer, "Proxy-Authenticate");
}

static void forbidden(enum gw_err err, const char *request)
{
	const char *answer = refused(err, 403, request);

	EXPECT_NO_LINE(answer, "WWW-Authenticate");
	EXPECT_NO_LINE(answer, "Proxy-Authenticate");
}

/** A payload with these members beside good identities. */
static const char *token_with(const char *members)
{
	return token_of(GOOD_HEADER, format("{" IDS ",%s}", members));
}

static const char *times(int64_t iat, int64_t exp)
{
	return format("\"iat\":%lld,\"exp\":%lld", (long long)WORLD_WALL_S + iat,
		      (long long)WORLD_WALL_S + exp);
}

static const char *token_headed(const char *header)
{
	return token_of(header, payload_of("alice@ims.home1.net", "sip:alice@home1.net", 900));
}

TEST(refusal, f01_of_no_credential_challenges_without_error)
{
	world_start();
	challenged(GW_TOKEN_NONE, CHALLENGE, register_with(""));
}

TEST(refusal, f01_of_a_lone_digest_challenges_without_error)
{
	world_start();
	challenged(GW_TOKEN_NONE, CHALLENGE,
		   register_with("Authorization: Digest username=\"alice\",response=\"x\"" CRLF));
}

TEST(refusal, f02_of_two_tokens_is_400)
{
	world_start();
	refused(GW_TOKEN_SEVERAL, 400,
		register_with("Authorization: Bearer aaa.bbb.ccc" CRLF
			      "Authorization: Bearer aaa.bbb.ccd" CRLF));
}

TEST(refusal, f02_of_bearer_and_digest_is_400)
{
	world_start();
	refused(GW_TOKEN_SEVERAL, 400,
		register_with("Authorization: Bearer aaa.bbb.ccc" CRLF
			      "Authorization: Digest username=\"a\"" CRLF));
}

TEST(refusal, f03_of_another_scheme_challenges_without_error)
{
	world_start();
	challenged(GW_TOKEN_SCHEME, CHALLENGE,
		   register_with("Authorization: NoOneKnowsThisScheme opaque-data=here" CRLF));
}

TEST(refusal, f04_of_a_malformed_token_challenges)
{
	world_start();
	challenged(GW_TOKEN_MALFORMED, INVALID, bearer("abc"));
	challenged(GW_TOKEN_MALFORMED, INVALID, bearer("a+/.bbbb.cccc"));
}

TEST(refusal, f05_of_a_token_that_is_not_strict_json_challenges)
{
	world_start();
	challenged(GW_TOKEN_JSON, INVALID, bearer(token_of(GOOD_HEADER, "{\"iss\":1,\"iss\":2}")));
	challenged(GW_TOKEN_JSON, INVALID, bearer(token_of("[]", "{}")));
}

TEST(refusal, f06_of_another_typ_challenges)
{
	world_start();
	challenged(GW_TOKEN_TYP, INVALID,
		   bearer(token_headed(
			   "{\"typ\":\"logout+jwt\",\"alg\":\"ES256\",\"kid\":\"waf-1\"}")));
}

TEST(refusal, f07_of_alg_none_and_hmac_challenges)
{
	world_start();
	challenged(GW_TOKEN_ALG, INVALID,
		   bearer(token_headed("{\"alg\":\"none\",\"kid\":\"waf-1\"}")));
	challenged(GW_TOKEN_ALG, INVALID,
		   bearer(token_headed("{\"alg\":\"HS256\",\"kid\":\"waf-1\"}")));
	challenged(GW_TOKEN_ALG, INVALID,
		   bearer(token_headed("{\"alg\":\"RS256\",\"kid\":\"waf-1\"}")));
}

TEST(refusal, f08_of_crit_challenges)
{
	world_start();
	challenged(GW_TOKEN_CRIT, INVALID,
		   bearer(token_headed(
			   "{\"alg\":\"ES256\",\"kid\":\"waf-1\",\"crit\":[\"exp\"]}")));
}

TEST(refusal, f09_of_an_unknown_issuer_challenges)
{
	world_start();
	challenged(GW_TOKEN_ISS, INVALID,
		   bearer(token_with(format("\"iss\":\"https://evil.example\"," AUD ",%s",
					    times(-10, 900)))));
}

TEST(refusal, f10_of_an_unknown_key_challenges)
{
	world_start();
	challenged(GW_TOKEN_KID, INVALID,
		   bearer(token_headed("{\"alg\":\"ES256\",\"kid\":\"waf-2\"}")));
}

TEST(refusal, f11_of_an_issuer_without_keys_is_503_with_retry_after)
{
	const char *answer;

	world_start();
	world.keys.count = 0;
	answer = refused(GW_TOKEN_KEYS_DOWN, 503, bearer(token_alice(900)));
	EXPECT_EQ(1, lines(answer, "Retry-After"));
}

TEST(refusal, f12_of_a_bad_signature_challenges)
{
	world_start();
	world.verdict = GW_TOKEN_SIGNATURE;
	challenged(GW_TOKEN_SIGNATURE, INVALID, bearer(token_alice(900)));
}

TEST(refusal, of_a_driver_that_failed_is_503_with_retry_after)
{
	world_start();
	world.verdict = GW_VERIFIER_FAILED;
	EXPECT_EQ(1,
		  lines(refused(GW_VERIFIER_FAILED, 503, bearer(token_alice(900))), "Retry-After"));
}

TEST(refusal, f13_of_another_audience_challenges)
{
	world_start();
	challenged(GW_TOKEN_AUD, INVALID,
		   bearer(token_with(format(ISS ",\"aud\":\"sip:other\",%s", times(-10, 900)))));
	challenged(GW_TOKEN_AUD, INVALID, bearer(token_with(format(ISS ",%s", times(-10, 900)))));
}

TEST(refusal, f14_of_an_expired_token_challenges)
{
	world_start();
	challenged(GW_TOKEN_EXPIRED, INVALID,
		   bearer(token_with(format(ISS "," AUD ",%s", times(-900, -30)))));
	challenged(GW_TOKEN_EXPIRED, INVALID,
		   bearer(token_with(format(ISS "," AUD ",\"iat\":%u", WORLD_WALL_S))));
}

TEST(refusal, f15_of_a_token_of_the_future_or_of_too_long_a_life_challenges)
{
	world_start();
	challenged(GW_TOKEN_TIME, INVALID,
		   bearer(token_with(format(ISS "," AUD ",%s", times(100, 900)))));
	challenged(GW_TOKEN_TIME, INVALID,
		   bearer(token_with(format(ISS "," AUD ",%s", times(0, 86401)))));
}

TEST(refusal, f17_of_a_missing_claim_challenges)
{
	world_start();
	challenged(GW_TOKEN_CLAIM, INVALID,
		   bearer(token_of(GOOD_HEADER,
				   format("{" ISS "," AUD ",\"sub\":\"u\",%s}", times(-10, 900)))));
	challenged(GW_TOKEN_CLAIM, INVALID,
		   bearer(token_of(GOOD_HEADER,
				   payload_of("no-realm", "sip:alice@home1.net", 900))));
	challenged(GW_TOKEN_CLAIM, INVALID,
		   bearer(token_of(GOOD_HEADER,
				   payload_of("alice@ims.home1.net", "http://home1.net", 900))));
}

TEST(refusal, f19_of_an_origin_that_was_taken_away_is_403)
{
	world_start();
	world.wic[0].disowned = true;
	forbidden(GW_TOKEN_WWSF, bearer(token_alice(900)));
}

TEST(refusal, f19_of_an_issuer_of_another_site_is_403)
{
	world_start();
	world.wic[0].wwsf = 1;
	forbidden(GW_TOKEN_WWSF, bearer(token_alice(900)));
}

TEST(refusal, f20_of_another_scenario_is_403)
{
	world_start();
	forbidden(GW_TOKEN_SCENARIO,
		  bearer(token_with(format(ISS "," AUD ",\"scn\":\"pool\",%s", times(-10, 900)))));
}

TEST(refusal, f21_of_an_identity_outside_the_allocation_is_403)
{
	world_start();
	forbidden(GW_IDENTITY_FOREIGN,
		  bearer(token_of(GOOD_HEADER, payload_of("mallory@ims.home1.net",
							  "sip:alice@home1.net", 900))));
	forbidden(GW_IDENTITY_FOREIGN,
		  bearer(token_of(GOOD_HEADER,
				  payload_of("bob@ims.home1.net", "sip:alice@home1.net", 900))));
}

TEST(refusal, f22_of_a_to_that_the_token_does_not_name_is_403)
{
	world_start();
	forbidden(GW_IDENTITY_MISMATCH,
		  bearer(token_of(GOOD_HEADER,
				  payload_of("bob@ims.home1.net", "sip:bob@home1.net", 900))));
}

TEST(refusal, f22_of_another_username_is_403)
{
	world_start();
	forbidden(GW_IDENTITY_MISMATCH,
		  register_with(format("Authorization: Bearer access_token=\"%s\","
				       "username=\"bob@ims.home1.net\"" CRLF,
				       token_alice(900))));
}

TEST(refusal, f22_does_not_look_at_the_case_of_a_realm)
{
	world_start();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, register_with(format("Authorization: Bearer access_token=\"%s\","
						    "username=\"alice@IMS.home1.net\"" CRLF,
						    token_alice(900)))));
}

/** A REGISTER of these URIs. */
static const char *register_uris(const char *uri, const char *from, const char *to)
{
	return format("REGISTER %s SIP/2.0" CRLF "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		      "From: <%s>;tag=a" CRLF "To: <%s>" CRLF "Call-ID: c" CRLF
		      "CSeq: 1 REGISTER" CRLF "Contact: <sip:x@a.invalid>" CRLF
		      "Authorization: Bearer %s" CRLF CRLF,
		      uri, from, to, token_alice(900));
}

TEST(refusal, f23_of_a_third_party_is_403)
{
	world_start();
	forbidden(GW_IDENTITY_THIRD_PARTY,
		  register_uris("sip:home1.net", "sip:bob@home1.net", "sip:alice@home1.net"));
}

TEST(refusal, f25_of_too_little_time_left_challenges)
{
	world_start();
	challenged(GW_TOKEN_SHORT, INVALID, bearer(token_alice(59)));
	challenged(GW_TOKEN_SHORT, INVALID, bearer(token_alice(-1))); /* alive by leeway only */
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, bearer(token_alice(60))));
}

TEST(refusal, f26_of_a_domain_that_is_not_served_is_403)
{
	world_start();
	forbidden(GW_DOMAIN,
		  register_uris("sip:home3.net", "sip:alice@home1.net", "sip:alice@home1.net"));
	forbidden(GW_DOMAIN, register_uris("sip:alice@home1.net", "sip:alice@home1.net",
					   "sip:alice@home1.net"));
	forbidden(GW_DOMAIN,
		  register_uris("tel:+1555", "sip:alice@home1.net", "sip:alice@home1.net"));
}

TEST(refusal, f26_of_an_identity_of_another_home_network_is_403)
{
	world_start();
	forbidden(GW_DOMAIN,
		  register_uris("sip:home2.net", "sip:alice@home1.net", "sip:alice@home1.net"));
}

TEST(refusal, f26_of_another_home_network_holds_for_who_is_registered_too)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_DOMAIN, wic_sends(0, "REGISTER sip:home2.net SIP/2.0" CRLF
					  "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
					  "From: <sip:alice@home1.net>;tag=a" CRLF
					  "To: <sip:alice@home1.net>" CRLF "Call-ID: c" CRLF
					  "CSeq: 1 REGISTER" CRLF CRLF));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
}

TEST(refusal, f27_of_a_message_without_a_binding_is_403)
{
	world_start();
	forbidden(GW_NOT_REGISTERED, message_with(""));
}

TEST(refusal, f27_of_an_invite_without_a_binding_is_403)
{
	world_start();
	forbidden(GW_NOT_REGISTERED,
		  "INVITE sip:bob@home1.net SIP/2.0" CRLF
		  "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		  "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		  "Call-ID: c" CRLF "CSeq: 1 INVITE" CRLF CRLF);
}

TEST(refusal, of_other_requests_challenges_as_a_proxy)
{
	uint8_t text[1024];
	struct span bytes;
	struct writer out;

	world_start();
	bytes = span_text(message_with(""));
	EXPECT_EQ(GW_NOT_REGISTERED, gateway_from_wic(world.gw, &world.wic[0], bytes).err);
	writer_init(&out, text, sizeof(text) - 1);
	EXPECT_EQ(GW_OK, gateway_refusal_write(world.gw, &world.wic[0], GW_TOKEN_EXPIRED, &out));
	*out.at = 0;
	EXPECT_EQ(407, status_of((char *)text));
	EXPECT_LINE(INVALID, (char *)text, "Proxy-Authenticate");
	EXPECT_NO_LINE((char *)text, "WWW-Authenticate");
}

TEST(refusal, repeats_what_an_answer_needs_and_nothing_of_the_token)
{
	const char *answer, *token;

	world_start();
	token = token_alice(30);
	answer = refused(GW_TOKEN_SHORT, 401, bearer(token));
	EXPECT_LINE("SIP/2.0/WSS a.invalid;branch=z9hG4bK1", answer, "Via");
	EXPECT_LINE("<sip:alice@home1.net>;tag=a", answer, "From");
	EXPECT_EQ(0, strncmp(line(answer, "To"), "<sip:alice@home1.net>;tag=ep-", 29));
	EXPECT_LINE("c", answer, "Call-ID");
	EXPECT_LINE("1 REGISTER", answer, "CSeq");
	EXPECT_LINE("0", answer, "Content-Length");
	EXPECT(strstr(answer, format("%.8s", token)) == NULL);
	EXPECT(!contains(answer, "F25"));
}

TEST(refusal, of_two_vias_is_400)
{
	world_start();
	refused(GW_SIP_VIA, 400, message_with("Via: SIP/2.0/WSS b.invalid;branch=z9hG4bK2" CRLF));
	refused(GW_SIP_VIA, 400, message_with("v: SIP/2.0/TCP b.example;branch=z9hG4bK2" CRLF));
	refused(GW_SIP_VIA, 400,
		"OPTIONS sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1, SIP/2.0/WSS b.invalid" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 OPTIONS" CRLF CRLF);
}

TEST(refusal, of_no_hops_left_is_483)
{
	world_start();
	refused(GW_SIP_MAX_FORWARDS, 483,
		"OPTIONS sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF "Max-Forwards: 0" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 OPTIONS" CRLF CRLF);
}

TEST(refusal, of_malformed_max_forwards_is_400)
{
	static const char *const all[] = {"x", "-1", "256", "1 2", "99999999999999999999"};

	world_start();
	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		refused(GW_SIP_NUMBER, 400,
			format("OPTIONS sip:bob@home1.net SIP/2.0" CRLF
			       "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
			       "Max-Forwards: %s" CRLF "From: <sip:alice@home1.net>;tag=a" CRLF
			       "To: <sip:bob@home1.net>" CRLF "Call-ID: c" CRLF
			       "CSeq: 1 OPTIONS" CRLF CRLF,
			       all[i]));
}

TEST(refusal, of_an_unknown_proxy_require_is_420_and_names_it)
{
	const char *answer;

	world_start();
	answer = refused(GW_SIP_EXTENSION, 420,
			 message_with("Proxy-Require: sec-agree, nobody" CRLF
				      "proxy-require: knows" CRLF));
	EXPECT_EQ(2, lines(answer, "Unsupported"));
	EXPECT_TEXT("nobody", line_n(answer, "Unsupported", 0));
	EXPECT_TEXT("knows", line_n(answer, "Unsupported", 1));
}

TEST(refusal, of_an_unknown_uri_scheme_is_416)
{
	world_start();
	refused(GW_SIP_URI_SCHEME, 416,
		message_to("nobodyKnowsThisScheme:totallyopaquecontent", ""));
}

TEST(refusal, of_another_version_is_505)
{
	world_start();
	refused(GW_SIP_VERSION, 505,
		"OPTIONS sip:bob@home1.net SIP/7.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 OPTIONS" CRLF CRLF);
}

TEST(refusal, of_an_ack_is_never_written)
{
	world_start();
	wic_sends(0, "ACK sip:bob@home1.net SIP/2.0" CRLF
		     "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF "Max-Forwards: 0" CRLF
		     "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		     "Call-ID: c" CRLF "CSeq: 1 ACK" CRLF CRLF);
	EXPECT_EQ(0, world.count);
}

TEST(refusal, of_a_cancel_is_481_and_no_challenge)
{
	world_start();
	refused(GW_SIP_NO_TRANSACTION, 481,
		"CANCEL sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 CANCEL" CRLF CRLF);
}

TEST(refusal, of_more_extensions_than_fit_names_none_of_them)
{
	char request[12000] =
		"OPTIONS sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 OPTIONS" CRLF "Proxy-Require: a";
	const char *answer;

	for (uint32_t i = 0; i < 3000; i++)
		strcat(request, ",a");
	strcat(request, CRLF CRLF);
	world_start();
	answer = refused(GW_SIP_EXTENSION, 420, request);
	EXPECT_LINE("0", answer, "Content-Length");
	EXPECT_NO_LINE(answer, "Unsupported");
}

TEST(refusal, of_a_token_in_a_body_is_400)
{
	world_start();
	refused(GW_TOKEN_CARRIER, 400,
		"OPTIONS sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 OPTIONS" CRLF "c: MULTIPART/mixed;boundary=b" CRLF CRLF
		"--b" CRLF "Content-Type: Application/JWT" CRLF CRLF "eyJ" CRLF "--b--");
	refused(GW_TOKEN_CARRIER, 400,
		"OPTIONS sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 OPTIONS" CRLF "Content-Type: application/jwt" CRLF CRLF
		"eyJ");
	refused(GW_TOKEN_CARRIER, 400,
		"OPTIONS sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 OPTIONS" CRLF
		"Content-Type: application /\r\n jwt" CRLF CRLF "eyJ");
	refused(GW_TOKEN_CARRIER, 400,
		"OPTIONS sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		"Call-ID: c" CRLF "CSeq: 1 OPTIONS" CRLF "c: multipart / mixed;boundary=b" CRLF CRLF
		"--b" CRLF "Content-Type: application/jwt" CRLF CRLF "eyJ" CRLF "--b--");
}

TEST(refusal, of_a_key_that_was_replaced_while_it_was_asked_challenges)
{
	struct gateway_result r;
	struct key_row next;
	struct span text;

	world_start();
	next = world.keys.row[0];
	text = span_text(register_jssip(token_alice(900), 600));
	EXPECT_EQ(GW_AGAIN, gateway_from_wic(world.gw, &world.wic[0], text).err);
	next.key.id++; /* other material under the same kid: the good verdict is not about it */
	world.keys.row = &next;
	r = gateway_verified(world.gw, &world.wic[0], text, GW_OK);
	EXPECT_EQ(GW_TOKEN_KID, r.err);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(0, world_transactions());
}

TEST(refusal, by_a_key_that_was_replaced_meanwhile_is_not_held_against_the_token)
{
	struct key_row next;
	struct span text;

	world_start();
	next = world.keys.row[0];
	text = span_text(register_jssip(token_alice(900), 600));
	EXPECT_EQ(GW_AGAIN, gateway_from_wic(world.gw, &world.wic[0], text).err);
	next.key.id++;
	world.keys.row = &next;
	EXPECT_EQ(GW_TOKEN_KID,
		  gateway_verified(world.gw, &world.wic[0], text, GW_TOKEN_SIGNATURE).err);
	EXPECT_EQ(GW_AGAIN, gateway_from_wic(world.gw, &world.wic[0], text).err);
	EXPECT_EQ(GW_OK, gateway_verified(world.gw, &world.wic[0], text, GW_OK).err);
	EXPECT_EQ(0, world_count(&world.counters.token_refused_again));
}

TEST_MAIN("gateway_refusal", RUN(refusal, f01_of_no_credential_challenges_without_error),
	  RUN(refusal, f01_of_a_lone_digest_challenges_without_error),
	  RUN(refusal, f02_of_two_tokens_is_400), RUN(refusal, f02_of_bearer_and_digest_is_400),
	  RUN(refusal, f03_of_another_scheme_challenges_without_error),
	  RUN(refusal, f04_of_a_malformed_token_challenges),
	  RUN(refusal, f05_of_a_token_that_is_not_strict_json_challenges),
	  RUN(refusal, f06_of_another_typ_challenges),
	  RUN(refusal, f07_of_alg_none_and_hmac_challenges), RUN(refusal, f08_of_crit_challenges),
	  RUN(refusal, f09_of_an_unknown_issuer_challenges),
	  RUN(refusal, f10_of_an_unknown_key_challenges),
	  RUN(refusal, of_a_key_that_was_replaced_while_it_was_asked_challenges),
	  RUN(refusal, by_a_key_that_was_replaced_meanwhile_is_not_held_against_the_token),
	  RUN(refusal, f11_of_an_issuer_without_keys_is_503_with_retry_after),
	  RUN(refusal, f12_of_a_bad_signature_challenges),
	  RUN(refusal, of_a_driver_that_failed_is_503_with_retry_after),
	  RUN(refusal, f13_of_another_audience_challenges),
	  RUN(refusal, f14_of_an_expired_token_challenges),
	  RUN(refusal, f15_of_a_token_of_the_future_or_of_too_long_a_life_challenges),
	  RUN(refusal, f17_of_a_missing_claim_challenges),
	  RUN(refusal, f19_of_an_origin_that_was_taken_away_is_403),
	  RUN(refusal, f19_of_an_issuer_of_another_site_is_403),
	  RUN(refusal, f20_of_another_scenario_is_403),
	  RUN(refusal, f21_of_an_identity_outside_the_allocation_is_403),
	  RUN(refusal, f22_of_a_to_that_the_token_does_not_name_is_403),
	  RUN(refusal, f22_of_another_username_is_403),
	  RUN(refusal, f22_does_not_look_at_the_case_of_a_realm),
	  RUN(refusal, f23_of_a_third_party_is_403),
	  RUN(refusal, f25_of_too_little_time_left_challenges),
	  RUN(refusal, f26_of_a_domain_that_is_not_served_is_403),
	  RUN(refusal, f26_of_an_identity_of_another_home_network_is_403),
	  RUN(refusal, f26_of_another_home_network_holds_for_who_is_registered_too),
	  RUN(refusal, f27_of_a_message_without_a_binding_is_403),
	  RUN(refusal, f27_of_an_invite_without_a_binding_is_403),
	  RUN(refusal, of_other_requests_challenges_as_a_proxy),
	  RUN(refusal, repeats_what_an_answer_needs_and_nothing_of_the_token),
	  RUN(refusal, of_two_vias_is_400), RUN(refusal, of_no_hops_left_is_483),
	  RUN(refusal, of_malformed_max_forwards_is_400),
	  RUN(refusal, of_an_unknown_proxy_require_is_420_and_names_it),
	  RUN(refusal, of_an_unknown_uri_scheme_is_416), RUN(refusal, of_another_version_is_505),
	  RUN(refusal, of_an_ack_is_never_written),
	  RUN(refusal, of_a_cancel_is_481_and_no_challenge),
	  RUN(refusal, of_more_extensions_than_fit_names_none_of_them),
	  RUN(refusal, of_a_token_in_a_body_is_400))
