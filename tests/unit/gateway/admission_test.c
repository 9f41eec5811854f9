/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* A web site that demands a token of users whom the core authenticates: D-13. */

#define S 1000000ull
#define IMPI "alice@ims.home1.net"
#define DIGEST_OF(user) \
	"Digest username=\"" user "\",realm=\"home1.net\",nonce=\"9f\",uri=\"sip:home1.net\"," \
	"response=\"6629\""
#define CHALLENGE "WWW-Authenticate: Digest realm=\"home1.net\",nonce=\"9f\"" CRLF

static void demanding(void)
{
	world_start();
	world.wwsf[0].mode = WWSF_IMS_AUTH;
	world.wwsf[0].issuer = 0;
}

/** A token with these claims beside those that every one has, for so long. */
static const char *token_with(const char *claims, int64_t lifetime_s)
{
	return token_of(GOOD_HEADER,
			format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
			       "\"sub\":\"u1\"%s,\"iat\":%lld,\"exp\":%lld}",
			       claims, (long long)world.wall_s - 30,
			       (long long)world.wall_s + lifetime_s));
}

/** JsSIP's REGISTER of alice with these lines. */
static const char *with_lines(const char *more, uint32_t expires_s)
{
	const char *request = register_jssip(NULL, expires_s), *at = strstr(request, "Expires:");

	return format("%.*s%s%s", (int)(at - request), request, more, at);
}

static const char *with_digest(const char *digest)
{
	return with_lines(format("Authorization: %s" CRLF, digest), 600);
}

static const char *with_token(const char *token)
{
	return register_jssip(token, 600);
}

/** What alice is told for a request that does not go on. */
static const char *refused(enum gw_err err, const char *request)
{
	const char *answer;

	world_forget();
	EXPECT_EQ(err, wic_sends(0, request));
	answer = world_only(TO_WIC);
	world_forget();
	return answer;
}

/** It goes on, and the core says this. */
static const char *goes_on(const char *request, const char *status, const char *lines)
{
	const char *mw;

	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	mw = format("%s", world_only(TO_MW));
	core_answers(status, lines);
	return mw;
}

/** By a token with these claims. */
static void admitted(const char *claims, int64_t lifetime_s)
{
	demanding();
	(void)goes_on(with_token(token_with(claims, lifetime_s)), "401 Unauthorized", CHALLENGE);
}

static void registered_by(const char *claims, int64_t lifetime_s)
{
	admitted(claims, lifetime_s);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(DIGEST_OF(IMPI))));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(token, is_asked_for_before_the_core_is)
{
	const char *answer;

	demanding();
	answer = refused(GW_TOKEN_NONE, with_lines("", 600));
	EXPECT_EQ(401, status_of(answer));
	EXPECT(strstr(line(answer, "WWW-Authenticate"), "Bearer realm=\"home1.net\"") != NULL);
	answer = refused(GW_TOKEN_NONE, with_digest(DIGEST_OF(IMPI)));
	EXPECT_EQ(401, status_of(answer));
	answer = refused(GW_TOKEN_SCHEME, with_lines("Authorization: Basic x" CRLF, 600));
	EXPECT_EQ(401, status_of(answer));
	EXPECT_EQ(0, world_transactions());
}

TEST(token, goes_first_and_the_digest_follows)
{
	const char *mw;

	demanding();
	mw = goes_on(with_token(token_with("", 3570)), "401 Unauthorized", CHALLENGE);
	EXPECT_NO_LINE(mw, "Authorization");
	EXPECT(!contains(mw, "eyJ"));
	EXPECT_EQ(401, status_of(world_sent(1)->text));
	EXPECT_LINE("Digest realm=\"home1.net\",nonce=\"9f\"", world_sent(1)->text,
		    "WWW-Authenticate");
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(DIGEST_OF(IMPI))));
	EXPECT_LINE(DIGEST_OF(IMPI) ",integrity-protected=\"tls-pending\"", world_only(TO_MW),
		    "Authorization");
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.token_verified));
}

TEST(token, does_not_stand_beside_a_digest)
{
	demanding();
	EXPECT_EQ(400, status_of(refused(GW_TOKEN_SEVERAL,
					 with_lines(format("Authorization: %s" CRLF
							   "Authorization: Bearer %s" CRLF,
							   DIGEST_OF(IMPI), token_with("", 3570)),
						    600))));
}

TEST(token, that_is_bad_is_refused_as_everywhere)
{
	demanding();
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_EXPIRED, with_token(token_with("", -100)))));
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_SHORT, with_token(token_with("", 30)))));
	EXPECT_EQ(403, status_of(refused(GW_TOKEN_SCENARIO,
					 with_token(token_with(",\"scn\":\"individual\"", 3570)))));
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_CLAIM,
					 with_token(token_with(",\"impi\":\"nobody\"", 3570)))));
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_NONE, with_digest(DIGEST_OF(IMPI)))));
	world.verdict = GW_TOKEN_SIGNATURE;
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_SIGNATURE,
					 with_token(token_with(",\"scn\":\"ims-auth\"", 3570)))));
}

TEST(token, holds_until_its_end_and_not_for_its_leeway)
{
	registered_by("", 100);
	world_wait(99 * S);
	(void)goes_on(with_digest(DIGEST_OF(IMPI)), "200 OK",
		      "Contact: " OUR_CONTACT ";expires=600" CRLF);
	world_wait(2 * S);
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_NONE, with_digest(DIGEST_OF(IMPI)))));
	EXPECT_EQ(1, gateway_bindings(world.gw)); /* the lifetime is the core's */
}

TEST(token, holds_to_its_end_wherever_in_a_second_it_is_shown)
{
	demanding();
	world.wall_part_us = 750000;
	world_turn();
	(void)goes_on(with_token(token_with("", 100)), "401 Unauthorized", CHALLENGE);
	world_wait(100 * S - 750000 - 1);
	(void)goes_on(with_digest(DIGEST_OF(IMPI)), "401 Unauthorized", CHALLENGE);
	world_wait(1);
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_NONE, with_digest(DIGEST_OF(IMPI)))));
}

TEST(token, holds_to_its_end_by_a_clock_that_was_set_meanwhile)
{
	demanding();
	(void)goes_on(with_token(token_with("", 100)), "401 Unauthorized", CHALLENGE);
	world.wall_s += 99;
	world_turn();
	(void)goes_on(with_digest(DIGEST_OF(IMPI)), "401 Unauthorized", CHALLENGE);
	world.wall_s++;
	world_turn();
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_NONE, with_digest(DIGEST_OF(IMPI)))));
	world.wall_s -= 50;
	world_turn();
	(void)goes_on(with_digest(DIGEST_OF(IMPI)), "401 Unauthorized", CHALLENGE);
}

TEST(token, is_not_needed_to_leave_and_to_look)
{
	const char *fetch =
		"REGISTER sip:home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bKf" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		"Call-ID: f" CRLF "CSeq: 1 REGISTER" CRLF CRLF;

	registered_by("", 100);
	world_wait(200 * S);
	(void)goes_on(fetch, "200 OK", "");
	(void)goes_on(with_lines("Authorization: " DIGEST_OF(IMPI) CRLF, 0), "200 OK", "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_NONE, with_lines("", 0))));
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_NONE, fetch)));
}

TEST(token, names_who_may_come_in_by_it)
{
	demanding();
	EXPECT_EQ(403, status_of(refused(GW_IDENTITY_MISMATCH,
					 with_token(token_with(",\"impu\":\"sip:bob@home1.net\"",
							       3570)))));
	admitted(",\"impu\":[\"sip:bob@home1.net\",\"sip:alice@home1.net\"],"
		 "\"impi\":\"" IMPI "\"",
		 3570);
	EXPECT_EQ(403, status_of(refused(GW_IDENTITY_MISMATCH,
					 with_digest(DIGEST_OF("bob@ims.home1.net")))));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(DIGEST_OF(IMPI))));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(token, has_no_other_user_beside_it)
{
	const char *token;

	demanding();
	token = token_with(",\"impi\":\"" IMPI "\"", 3570);
	EXPECT_EQ(403, status_of(refused(GW_IDENTITY_MISMATCH,
					 with_lines(format("Authorization: Bearer access_token="
							   "\"%s\",username=\"bob@home1.net\"" CRLF,
							   token),
						    600))));
}

TEST(token, is_believed_for_one_identity)
{
	const char *request;

	admitted("", 3570);
	(void)goes_on(with_digest(DIGEST_OF(IMPI)), "403 Forbidden", "");
	request = with_digest(DIGEST_OF("bob@ims.home1.net"));
	request = format("REGISTER sip:home1.net SIP/2.0" CRLF "To: <sip:bob@home1.net>" CRLF
			 "From: <sip:bob@home1.net>;tag=b" CRLF "%s",
			 strstr(request, "Call-ID"));
	request = format("%.*sVia: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bKb" CRLF "%s",
			 (int)(strstr(request, "To:") - request), request, strstr(request, "To:"));
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_NONE, request)));
}

TEST(token, is_believed_for_one_connection)
{
	registered_by("", 3570);
	world_forget();
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(1, with_digest(DIGEST_OF(IMPI))));
	EXPECT_EQ(401, status_of(world_only(TO_WIC)));
}

TEST(token, that_is_revoked_ends_what_it_let_in)
{
	struct gateway_ended ended = {.why = GW_OK};
	bool more = true;

	registered_by(",\"jti\":\"t-1\"", 3570);
	world_revoke("t-1");
	EXPECT_EQ(401, status_of(refused(GW_TOKEN_JTI, with_digest(DIGEST_OF(IMPI)))));
	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(GW_TOKEN_JTI, ended.why);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST_MAIN("gateway_admission", RUN(token, is_asked_for_before_the_core_is),
	  RUN(token, goes_first_and_the_digest_follows), RUN(token, does_not_stand_beside_a_digest),
	  RUN(token, that_is_bad_is_refused_as_everywhere),
	  RUN(token, holds_until_its_end_and_not_for_its_leeway),
	  RUN(token, holds_to_its_end_wherever_in_a_second_it_is_shown),
	  RUN(token, holds_to_its_end_by_a_clock_that_was_set_meanwhile),
	  RUN(token, is_not_needed_to_leave_and_to_look), RUN(token, names_who_may_come_in_by_it),
	  RUN(token, has_no_other_user_beside_it), RUN(token, is_believed_for_one_identity),
	  RUN(token, is_believed_for_one_connection),
	  RUN(token, that_is_revoked_ends_what_it_let_in))
