/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* A token that comes as a part of the body (D-09): taken where that is configured, and never passed
 * on to the core. */

#define MIXED "Content-Type: multipart/mixed;boundary=b" CRLF
#define SDP "--b" CRLF "Content-Type: application/sdp" CRLF CRLF "v=0" CRLF
#define JWT \
	"--b" CRLF "Content-Type: application/jwt" CRLF \
	"Content-Disposition: by-reference;handling=optional" CRLF CRLF

/* alice's REGISTER with that body. */
static const char *register_of(const char *body)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF "Max-Forwards: 69" CRLF
		      "To: <sip:alice@home1.net>" CRLF "From: <sip:alice@home1.net>;tag=v" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "Expires: 600" CRLF
		      "Contact: <sip:m@a.invalid;transport=ws>" CRLF MIXED
		      "Content-Length: %zu" CRLF CRLF "%s",
		      strlen(body), body);
}

static const char *message_of(const char *body)
{
	return format("MESSAGE sip:bob@home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK2" CRLF "Max-Forwards: 70" CRLF
		      "From: <sip:alice@home1.net>;tag=m1" CRLF "To: <sip:bob@home1.net>" CRLF
		      "Call-ID: m1" CRLF "CSeq: 1 MESSAGE" CRLF MIXED CRLF "%s",
		      body);
}

static void world_with_bodies(void)
{
	world_start();
	world.config.token_in_body = true;
}

TEST(body, registers_with_the_token_in_it)
{
	const char *mw;

	world_with_bodies();
	mw = mw_register(register_of(format(SDP JWT "%s" CRLF "--b--", token_alice(3570))));
	EXPECT_LINE("multipart/mixed;boundary=b", mw, "Content-Type");
	EXPECT(strstr(mw, CRLF CRLF SDP "--b--") != NULL);
	EXPECT(!contains(mw, "jwt"));
	EXPECT(!contains(mw, "eyJ"));
	EXPECT_LINE("48", mw, "Content-Length");
}

TEST(body, of_a_token_alone_goes_on_as_no_body)
{
	const char *mw;

	world_with_bodies();
	mw = mw_register(register_of(format(JWT "%s" CRLF "--b--", token_alice(3570))));
	EXPECT_NO_LINE(mw, "Content-Type");
	EXPECT_LINE("0", mw, "Content-Length");
	EXPECT(!contains(mw, "eyJ"));
}

TEST(body, passes_no_token_on_that_nobody_asked_for)
{
	const char *mw;

	world_with_bodies();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_of(SDP JWT "eyJ" CRLF "--b--")));
	mw = world_only(TO_MW);
	EXPECT(strstr(mw, CRLF CRLF SDP "--b--") != NULL);
	EXPECT(!contains(mw, "eyJ"));
}

TEST(body, with_a_token_in_another_place_is_refused)
{
	world_with_bodies();
	world_register();
	EXPECT_EQ(GW_TOKEN_CARRIER,
		  wic_sends(0, message_of(JWT "eyJ" CRLF "--b" CRLF
					      "Content-Type: application/jwt" CRLF CRLF "eyJ" CRLF
					      "--b--")));
	EXPECT_EQ(GW_TOKEN_CARRIER, wic_sends(0, message_of(JWT "eyJ" CRLF)));
}

TEST(body, with_a_token_is_refused_where_none_is_configured)
{
	world_start();
	EXPECT_EQ(GW_TOKEN_CARRIER,
		  wic_sends(0, register_of(format(JWT "%s" CRLF "--b--", token_alice(3570)))));
}

TEST_MAIN("gateway_body", RUN(body, registers_with_the_token_in_it),
	  RUN(body, of_a_token_alone_goes_on_as_no_body),
	  RUN(body, passes_no_token_on_that_nobody_asked_for),
	  RUN(body, with_a_token_in_another_place_is_refused),
	  RUN(body, with_a_token_is_refused_where_none_is_configured))
