/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "token/token.h"

static struct sip_message message;
static struct config_part config;
static char text[4096];

/* The credential of a request with these header lines, each with its CRLF. */
static struct token_credential find(const char *method, const char *lines)
{
	int len = snprintf(text, sizeof(text),
			   "%s sip:home1.net SIP/2.0\r\n"
			   "Via: SIP/2.0/WSS k3.invalid;branch=z9hG4bK1\r\n"
			   "From: <sip:alice@home1.net>;tag=a\r\n"
			   "To: <sip:alice@home1.net>\r\n"
			   "Call-ID: c1\r\n"
			   "CSeq: 1 %s\r\n"
			   "%s\r\n",
			   method, method, lines);

	EXPECT_EQ(GW_OK, sip_index(span_of(text, (uint32_t)len), &message));
	return token_find(&message, &config);
}

static enum gw_err outcome(const char *method, const char *lines)
{
	return find(method, lines).err;
}

TEST(credential, f01_a_request_without_credential_has_none)
{
	EXPECT_EQ(GW_TOKEN_NONE, outcome("REGISTER", ""));
	EXPECT_EQ(GW_TOKEN_NONE, outcome("INVITE", ""));
}

TEST(credential, f01_a_lone_digest_is_no_credential_of_ours)
{
	EXPECT_EQ(GW_TOKEN_NONE,
		  outcome("REGISTER", "Authorization: Digest username=\"a\", realm=\"b\"\r\n"));
}

TEST(credential, f01_a_register_has_no_proxy_authorization)
{
	EXPECT_EQ(GW_TOKEN_NONE, outcome("REGISTER", "Proxy-Authorization: Bearer a.b.c\r\n"));
}

TEST(credential, f02_two_different_tokens_are_several)
{
	EXPECT_EQ(GW_TOKEN_SEVERAL, outcome("REGISTER", "Authorization: Bearer a.b.c\r\n"
							"Authorization: Bearer a.b.d\r\n"));
	EXPECT_EQ(GW_TOKEN_SEVERAL, outcome("INVITE", "Authorization: Bearer a.b.c\r\n"
						      "Proxy-Authorization: Bearer a.b.d\r\n"));
}

TEST(credential, f02_bearer_beside_digest_is_several)
{
	EXPECT_EQ(GW_TOKEN_SEVERAL,
		  outcome("REGISTER", "Authorization: Digest username=\"a\", realm=\"b\"\r\n"
				      "Authorization: Bearer a.b.c\r\n"));
}

TEST(credential, f02_one_token_with_two_usernames_is_several)
{
	EXPECT_EQ(GW_TOKEN_SEVERAL,
		  outcome("REGISTER",
			  "Authorization: Bearer access_token=\"a.b.c\",username=\"x\"\r\n"
			  "Authorization: Bearer access_token=\"a.b.c\",username=\"y\"\r\n"));
}

TEST(credential, f03_another_scheme_is_unknown)
{
	EXPECT_EQ(GW_TOKEN_SCHEME, outcome("REGISTER", "Authorization: Basic QWxhZGRpbg==\r\n"));
	EXPECT_EQ(GW_TOKEN_SCHEME, outcome("INVITE", "Proxy-Authorization: NoOneKnows abc\r\n"));
	EXPECT_EQ(GW_TOKEN_SCHEME, outcome("REGISTER", "Authorization: Bearers a.b.c\r\n"));
}

TEST(credential, reads_the_parameter_form_of_24_371)
{
	struct token_credential c =
		find("REGISTER", "Authorization: Bearer access_token=\"eyJ.eyK._-x\"\r\n");

	EXPECT_EQ(GW_OK, c.err);
	EXPECT_SPAN("eyJ.eyK._-x", c.token);
	EXPECT_EQ(0, c.username.len);
}

TEST(credential, reads_the_plain_form_of_rfc_6750)
{
	struct token_credential c = find("REGISTER", "Authorization: Bearer eyJ.eyK._-x\r\n");

	EXPECT_EQ(GW_OK, c.err);
	EXPECT_SPAN("eyJ.eyK._-x", c.token);
}

TEST(credential, reads_scheme_and_parameter_names_in_any_case_and_order)
{
	struct token_credential c =
		find("REGISTER", "AUTHORIZATION: bEARER UserName = \"a@b\" , x=y,\r\n"
				 "  ACCESS_token=eyJ.eyK.sig\r\n");

	EXPECT_EQ(GW_OK, c.err);
	EXPECT_SPAN("eyJ.eyK.sig", c.token);
	EXPECT_SPAN("a@b", c.username);
}

TEST(credential, takes_a_fold_for_a_space)
{
	struct token_credential c = find("REGISTER", "Authorization: Bearer\r\n eyJ.eyK.sig\r\n");

	EXPECT_EQ(GW_OK, c.err);
	EXPECT_SPAN("eyJ.eyK.sig", c.token);
}

TEST(credential, takes_padding_at_the_end_for_part_of_the_token)
{
	struct token_credential c = find("REGISTER", "Authorization: Bearer abc==\r\n");

	EXPECT_EQ(GW_OK, c.err);
	EXPECT_SPAN("abc==", c.token); /* base64url will refuse it: F04 */
}

TEST(credential, takes_the_same_token_said_twice_for_one)
{
	struct token_credential c =
		find("INVITE",
		     "Authorization: Bearer a.b.c\r\n"
		     "Proxy-Authorization: Bearer username=\"u@r\",access_token=\"a.b.c\"\r\n");

	EXPECT_EQ(GW_OK, c.err);
	EXPECT_SPAN("a.b.c", c.token);
	EXPECT_SPAN("u@r", c.username);
}

TEST(credential, ignores_an_unknown_scheme_beside_bearer)
{
	EXPECT_EQ(GW_OK, outcome("REGISTER", "Authorization: Basic QQ==\r\n"
					     "Authorization: Bearer a.b.c\r\n"));
}

TEST(credential, counts_parameters_that_are_repeated_once_and_refuses_others)
{
	struct token_credential found =
		find("REGISTER",
		     "Authorization: Bearer access_token=a.b.c,access_token=\"a.b.c\"\r\n");

	EXPECT_EQ(GW_OK, found.err);
	EXPECT_SPAN("a.b.c", found.token);
	found = find("REGISTER", "Authorization: Bearer access_token=a.b.c,access_token=a.b.d\r\n");
	EXPECT_EQ(GW_TOKEN_SEVERAL, found.err);
	found = find("REGISTER",
		     "Authorization: Bearer access_token=a.b.c,username=u,username=v\r\n");
	EXPECT_EQ(GW_TOKEN_SEVERAL, found.err);
}

TEST(credential, refuses_malformed_bearer_credentials)
{
	static const char *const values[] = {
		"Bearer",
		"Bearer =",
		"Bearer a b",
		"Bearer \"a.b.c\"",
		"Bearer a.b.c, d.e.f",
		"Bearer access_token=\"a.b.c",
		"Bearer access_token=\"a.b.c\"x",
		"Bearer access_token=a.b.c\"",
		"Bearer access_token=\"\\a.b.c\"",
		"Bearer access_token=\"\"",
		"Bearer access_token=a b",
		"Bearer username=\"u\"",
		"Bearer access_token=\"a.b.c\",username",
		"Bearer access_token=\"a.b.c\",username=\"a\\b\"",
		"Bearer access_token=\"a.b.c\",=x",
		"Bearer access_token=a.b.\x01",
	};
	char line[128];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct sip_message m = {.is_request = true, .method = SIP_REGISTER, .count = 1};

		/* By hand: the lexer would not let each of them through. */
		m.field[0].id = SIP_HEADER_AUTHORIZATION;
		m.field[0].value = span_text(values[i]);
		m.first[SIP_HEADER_AUTHORIZATION] = 1;
		m.last[SIP_HEADER_AUTHORIZATION] = 1;
		snprintf(line, sizeof(line), "%s", values[i]);
		if (token_find(&m, &config).err != GW_TOKEN_MALFORMED)
			fail_msg("accepted: %s", line);
	}
}

TEST_MAIN("credential", RUN(credential, f01_a_request_without_credential_has_none),
	  RUN(credential, f01_a_lone_digest_is_no_credential_of_ours),
	  RUN(credential, f01_a_register_has_no_proxy_authorization),
	  RUN(credential, f02_two_different_tokens_are_several),
	  RUN(credential, f02_bearer_beside_digest_is_several),
	  RUN(credential, f02_one_token_with_two_usernames_is_several),
	  RUN(credential, f03_another_scheme_is_unknown),
	  RUN(credential, reads_the_parameter_form_of_24_371),
	  RUN(credential, reads_the_plain_form_of_rfc_6750),
	  RUN(credential, reads_scheme_and_parameter_names_in_any_case_and_order),
	  RUN(credential, takes_a_fold_for_a_space),
	  RUN(credential, takes_padding_at_the_end_for_part_of_the_token),
	  RUN(credential, takes_the_same_token_said_twice_for_one),
	  RUN(credential, ignores_an_unknown_scheme_beside_bearer),
	  RUN(credential, counts_parameters_that_are_repeated_once_and_refuses_others),
	  RUN(credential, refuses_malformed_bearer_credentials))
