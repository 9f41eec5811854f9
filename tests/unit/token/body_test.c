/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "token/token.h"

static struct config_part config;
static struct sip_message message;
static char text[8192];
static char stripped[8192];

#define JWT \
	"Content-Type: application/jwt\r\n" \
	"Content-Disposition: by-reference;handling=optional\r\n"
#define TOKEN_PART JWT "\r\neyJ.eyK.sig\r\n"
#define SDP_PART "Content-Type: application/sdp\r\n\r\nv=0\r\n\r\n"
#define MIXED "multipart/mixed;boundary=b"

/* Indexes an INVITE with that Content-Type, more header lines and body. */
static void index_with(const char *type, const char *lines, const char *body)
{
	int len = snprintf(text, sizeof(text),
			   "INVITE sip:bob@home1.net SIP/2.0\r\n"
			   "Via: SIP/2.0/WSS k3.invalid;branch=z9hG4bK1\r\n"
			   "From: <sip:alice@home1.net>;tag=a\r\n"
			   "To: <sip:bob@home1.net>\r\n"
			   "Call-ID: c1\r\n"
			   "CSeq: 1 INVITE\r\n"
			   "Content-Type: %s\r\n"
			   "%s\r\n"
			   "%s",
			   type, lines, body);

	EXPECT_EQ(GW_OK, sip_index(span_of(text, (uint32_t)len), &message));
	config.token_in_body = true;
}

static struct token_credential find(const char *type, const char *body)
{
	index_with(type, "", body);
	return token_find(&message, &config);
}

/* What is left of the body, or NULL when it had no token. */
static const char *strip(const char *type, const char *body)
{
	struct writer out;
	bool had;

	index_with(type, "", body);
	writer_init(&out, stripped, sizeof(stripped) - 1);
	had = token_body_strip(&message, &out);
	EXPECT(writer_ok(&out));
	EXPECT(had || writer_len(&out) == 0);
	stripped[writer_len(&out)] = '\0';
	return had ? stripped : NULL;
}

TEST(body, carries_a_token_as_an_attachment)
{
	struct token_credential c =
		find(MIXED, "--b\r\n" SDP_PART "--b\r\n" TOKEN_PART "--b--\r\n");

	EXPECT_EQ(GW_OK, c.err);
	EXPECT_SPAN("eyJ.eyK.sig", c.token);
	EXPECT_EQ(0, c.username.len);
}

TEST(body, carries_no_token_where_that_is_not_configured)
{
	index_with(MIXED, "", "--b\r\n" TOKEN_PART "--b--\r\n");
	config.token_in_body = false;
	EXPECT_EQ(GW_TOKEN_NONE, token_find(&message, &config).err);
}

TEST(body, is_read_in_every_spelling_of_mime)
{
	static const char *const types[] = {
		"MULTIPART/Mixed; Boundary=\"b\"",
		"multipart / mixed ; charset=x ;boundary = b",
		"multipart/mixed;boundary=b;x=y",
		"multipart/mixed;\r\n boundary=b",
	};
	static const char *const bodies[] = {
		"preamble\r\n--bb\r\n--b \t\r\n" TOKEN_PART "--b-- \r\nepilogue",
		"--b\r\ncontent-type: Application / JWT;x=y\r\nX: y\r\n"
		"CONTENT-DISPOSITION: By-Reference ; Handling=Optional\r\n\r\neyJ.eyK.sig\r\n--b--",
		"--b\r\nContent-Transfer-Encoding: 7bit\r\n" JWT "\r\n eyJ.eyK.sig \r\n\r\n--b--",
		"--b\r\nContent-Type:\r\n application/jwt\r\nContent-Disposition: by-reference\r\n"
		" ;handling=optional\r\n\r\neyJ.eyK.sig\r\n--b--",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		EXPECT_SPAN("eyJ.eyK.sig", find(types[i], "--b\r\n" TOKEN_PART "--b--\r\n").token);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		EXPECT_SPAN("eyJ.eyK.sig", find(MIXED, bodies[i]).token);
}

TEST(body, of_another_kind_carries_no_token)
{
	static const char *const types[] = {
		"multipart/alternative;boundary=b",
		"multipart/mixed",
		"multipart/mixed;boundary=\"\"",
		"multipart/mixed;boundary=c",
		"application/jwt",
		"multipart/mixedboundary=b",
		"multipart/mixed;boundary="
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		EXPECT_EQ(GW_TOKEN_NONE, find(types[i], "--b\r\n" TOKEN_PART "--b--\r\n").err);
}

TEST(body, with_a_part_that_is_not_quite_a_token_carries_none)
{
	static const char *const parts[] = {
		"Content-Type: application/jwt\r\n\r\na.b.c\r\n",
		"Content-Disposition: by-reference;handling=optional\r\n\r\na.b.c\r\n",
		"Content-Type: application/jwt\r\nContent-Disposition: "
		"by-reference\r\n\r\na.b.c\r\n",
		"Content-Type: application/jwt\r\n"
		"Content-Disposition: by-reference;handling=required\r\n\r\na.b.c\r\n",
		"Content-Type: application/jwt\r\n"
		"Content-Disposition: session;handling=optional\r\n\r\na.b.c\r\n",
		"Content-Type: application/jwts\r\n"
		"Content-Disposition: by-reference;handling=optional\r\n\r\na.b.c\r\n",
		"Content-Transfer-Encoding: base64\r\n" JWT "\r\nYS5iLmM=\r\n",
		"Content-Type: text/plain\r\n" JWT "\r\na.b.c\r\n",
		"Content-Disposition: session\r\n" JWT "\r\na.b.c\r\n",
		"no header\r\n" JWT "\r\na.b.c\r\n",
		JWT, /* no content, not even an empty one */
		"",
		"\r\n" JWT "\r\na.b.c\r\n",
	};
	char body[512];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(body, sizeof(body), "--b\r\n%s--b--\r\n", parts[i]);
		if (find(MIXED, body).err != GW_TOKEN_NONE || strip(MIXED, body) != NULL)
			fail_msg("taken: %s", parts[i]);
	}
}

TEST(body, without_its_delimiters_carries_no_token)
{
	static const char *const bodies[] = {
		"",
		"--b\r\n" TOKEN_PART,
		"--b\n" TOKEN_PART "--b--",
		"x--b\r\n" TOKEN_PART "--b--",
		"--b--\r\n" TOKEN_PART "--b--",
		"--b\r\n--b--\r\n" TOKEN_PART "--b--",
		"--bx\r\n" TOKEN_PART "--b--",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		EXPECT_EQ(GW_TOKEN_NONE, find(MIXED, bodies[i]).err);
}

TEST(body, with_something_else_in_the_token_part_is_malformed)
{
	EXPECT_EQ(GW_TOKEN_MALFORMED, find(MIXED, "--b\r\n" JWT "\r\na b\r\n--b--\r\n").err);
	EXPECT_EQ(GW_TOKEN_MALFORMED, find(MIXED, "--b\r\n" JWT "\r\n\r\n--b--\r\n").err);
}

TEST(body, and_header_may_carry_the_same_token)
{
	index_with(MIXED, "Authorization: Bearer access_token=\"eyJ.eyK.sig\",username=\"u@r\"\r\n",
		   "--b\r\n" TOKEN_PART "--b\r\n" TOKEN_PART "--b--\r\n");
	EXPECT_SPAN("eyJ.eyK.sig", token_find(&message, &config).token);
	EXPECT_SPAN("u@r", token_find(&message, &config).username);
}

TEST(body, f02_with_another_token_than_the_header_is_several)
{
	index_with(MIXED, "Authorization: Bearer a.b.c\r\n", "--b\r\n" TOKEN_PART "--b--\r\n");
	EXPECT_EQ(GW_TOKEN_SEVERAL, token_find(&message, &config).err);
	EXPECT_EQ(GW_TOKEN_SEVERAL,
		  find(MIXED, "--b\r\n" TOKEN_PART "--b\r\n" JWT "\r\na.b.c\r\n--b--\r\n").err);
}

TEST(body, f02_with_a_token_beside_digest_is_several)
{
	index_with(MIXED, "Authorization: Digest username=\"a\", realm=\"b\"\r\n",
		   "--b\r\n" TOKEN_PART "--b--\r\n");
	EXPECT_EQ(GW_TOKEN_SEVERAL, token_find(&message, &config).err);
}

TEST(body, is_read_for_eight_parts)
{
	char body[2048] = "";

	for (int i = 0; i < TOKEN_PARTS_MAX - 1; i++)
		strcat(body, "--b\r\n" SDP_PART);
	strcat(body, "--b\r\n" TOKEN_PART "--b--\r\n");
	EXPECT_EQ(GW_OK, find(MIXED, body).err);
	memmove(body + strlen("--b\r\n" SDP_PART), body, strlen(body) + 1);
	memcpy(body, "--b\r\n" SDP_PART, strlen("--b\r\n" SDP_PART));
	EXPECT_EQ(GW_TOKEN_NONE, find(MIXED, body).err);
	EXPECT(strip(MIXED, body) == NULL);
}

TEST(body, goes_on_without_the_token)
{
	EXPECT_TEXT("pre\r\n--b\r\n" SDP_PART "--b--\r\nepi",
		    strip(MIXED, "pre\r\n--b\r\n" SDP_PART "--b\r\n" TOKEN_PART "--b--\r\nepi"));
	EXPECT_TEXT("--b\r\n" SDP_PART "--b--",
		    strip(MIXED, "--b\r\n" TOKEN_PART "--b\r\n" SDP_PART "--b--"));
	EXPECT_TEXT("--b\r\n" SDP_PART "--b\r\n" SDP_PART "--b--",
		    strip(MIXED, "--b\r\n" TOKEN_PART "--b\r\n" SDP_PART "--b\r\n" TOKEN_PART
				 "--b\r\n" SDP_PART "--b--"));
}

TEST(body, of_nothing_but_tokens_goes_on_as_none)
{
	EXPECT_TEXT("", strip(MIXED, "pre\r\n--b\r\n" TOKEN_PART "--b--\r\nepi"));
	EXPECT_TEXT("", strip(MIXED, "--b\r\n" TOKEN_PART "--b\r\n" TOKEN_PART "--b--"));
}

TEST(body, that_is_not_closed_keeps_its_end)
{
	EXPECT_TEXT("--b\r\nrest", strip(MIXED, "--b\r\n" TOKEN_PART "--b\r\nrest"));
}

TEST(body, loses_a_token_part_whatever_is_in_it)
{
	EXPECT_TEXT("", strip(MIXED, "--b\r\n" JWT "\r\nnot a token\r\n--b--"));
}

TEST(body, without_a_token_is_left_alone)
{
	EXPECT(strip(MIXED, "--b\r\n" SDP_PART "--b--") == NULL);
	EXPECT(strip("application/sdp", "v=0\r\n") == NULL);
}

TEST(body, cut_at_any_byte_is_stripped_of_whole_parts_only)
{
	static const char body[] = "--b\r\n" SDP_PART "--b\r\n" TOKEN_PART "--b--\r\n";
	char cut[sizeof(body)];

	for (size_t n = 0; n < sizeof(body); n++) {
		memcpy(cut, body, n);
		cut[n] = '\0';
		if (find(MIXED, cut).err == GW_OK)
			EXPECT(strstr(strip(MIXED, cut), "eyJ") == NULL);
		else
			EXPECT(strip(MIXED, cut) == NULL);
	}
}

TEST_MAIN("body", RUN(body, carries_a_token_as_an_attachment),
	  RUN(body, carries_no_token_where_that_is_not_configured),
	  RUN(body, is_read_in_every_spelling_of_mime), RUN(body, of_another_kind_carries_no_token),
	  RUN(body, with_a_part_that_is_not_quite_a_token_carries_none),
	  RUN(body, without_its_delimiters_carries_no_token),
	  RUN(body, with_something_else_in_the_token_part_is_malformed),
	  RUN(body, and_header_may_carry_the_same_token),
	  RUN(body, f02_with_another_token_than_the_header_is_several),
	  RUN(body, f02_with_a_token_beside_digest_is_several), RUN(body, is_read_for_eight_parts),
	  RUN(body, goes_on_without_the_token), RUN(body, of_nothing_but_tokens_goes_on_as_none),
	  RUN(body, that_is_not_closed_keeps_its_end),
	  RUN(body, loses_a_token_part_whatever_is_in_it), RUN(body, without_a_token_is_left_alone),
	  RUN(body, cut_at_any_byte_is_stripped_of_whole_parts_only))
