/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "token/token.h"

/* PROTOCOL 12.2: no token to traces. */

#define HEADER "eyJhbGciOiJFUzI1NiJ9"
#define PAYLOAD "eyJzdWIiOiJhbGljZSIsImp0aSI6IjcifQ"
#define SIGNATURE "c2lnbmF0dXJlLW9mLXRoZS10b2tlbi1pbi1oYW5k"
#define TOKEN HEADER "." PAYLOAD "." SIGNATURE
#define WINDOW 6 /* so many characters of it in a row are a leak */

#define START "REGISTER sip:home1.net SIP/2.0\r\n"
#define LINES \
	"Via: SIP/2.0/WSS k3.invalid;branch=z9hG4bK56sdasks\r\n" \
	"From: <sip:alice@home1.net>;tag=a\r\nTo: <sip:alice@home1.net>\r\n" \
	"Call-ID: c1\r\nCSeq: 1 REGISTER\r\n"
#define MESSAGE(lines, body) START LINES lines "\r\n" body

static char out[8192];

static const char *redact(struct span text)
{
	struct writer w;

	writer_init(&w, out, sizeof(out) - 1);
	EXPECT(token_redact(text, &w));
	*w.at = '\0';
	for (uint32_t i = 0; i < writer_len(&w); i++)
		out[i] = out[i] != '\0' ? out[i] : '?'; /* a search is to see all of it */
	return out;
}

static bool leaks(const char *seen, const char *secret)
{
	char window[WINDOW + 1] = "";

	for (size_t i = 0; i + WINDOW <= strlen(secret); i++) {
		memcpy(window, secret + i, WINDOW);
		if (strstr(seen, window) != NULL)
			return true;
	}
	return false;
}

static void expect_none_leaks(const char *const *texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *seen = redact(span_text(texts[i]));

		if (leaks(seen, TOKEN) || strstr(seen, "[redacted ") == NULL)
			fail_msg("%s\nbecame\n%s", texts[i], seen);
	}
}
#define EXPECT_NONE_LEAKS(texts) expect_none_leaks(texts, sizeof(texts) / sizeof((texts)[0]))

TEST(redact, keeps_what_is_not_secret_byte_for_byte)
{
	static const char text[] = MESSAGE(
		"Authorization: Digest username=\"a@b\", realm=\"home1.net\", "
		"nonce=\"bm9uY2U=\",\r\n"
		"  uri=\"sip:home1.net\", response=\"6629fae49393a05397450978507c4ef1\", "
		"cnonce=\"0a4f113b\"\r\n"
		"WWW-Authenticate: Bearer authz_server=\"https://waf.example\", "
		"error=\"invalid\"\r\n"
		"Path: <sip:Ft1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8@198.18.0.10;lr;ob>\r\n"
		"Contact: <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;reg-id=1;"
		"+sip.instance=\"<urn:uuid:0c67446b-f1a1-41d9-87ea-d2b1a1d7a1a1>\"\r\n"
		"Content-Type: application/sdp\r\n",
		"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
		"a=fingerprint:sha-256 "
		"12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02\r\n");

	EXPECT_TEXT(text, redact(span_text(text)));
}

TEST(redact, says_how_much_it_took_out_and_of_what)
{
	EXPECT_TEXT("Authorization: Bearer [redacted 7 bytes]\r\nTo: x\r\n",
		    redact(SPAN("Authorization: Bearer a.b.c+/\r\nTo: x\r\n")));
	EXPECT_TEXT("a=1;access_token=[redacted 4 bytes];b=2",
		    redact(SPAN("a=1;access_token=abcd;b=2")));
	EXPECT_TEXT(
		"k: x\r\n\r\n--B\r\nContent-Type: application/jwt\r\n\r\n[redacted 5 "
		"bytes]\r\n--B--",
		redact(SPAN(
			"k: x\r\n\r\n--B\r\nContent-Type: application/jwt\r\n\r\nabcde\r\n--B--")));
}

TEST(redact, finds_a_credential_in_every_spelling_of_its_header)
{
	static const char *const texts[] = {
		MESSAGE("Authorization: Bearer " TOKEN "\r\n", ""),
		MESSAGE("authorization:bEaReR " TOKEN "\r\n", ""),
		MESSAGE("AUTHORIZATION \t: \t Bearer \t " TOKEN " \t\r\n", ""),
		MESSAGE("Proxy-Authorization: Bearer " TOKEN "\r\n", ""),
		MESSAGE("Authorization:\r\n Bearer\r\n\t" TOKEN "\r\n", ""),
		MESSAGE("Authorization: Bearer " HEADER "\r\n ." PAYLOAD "\r\n ." SIGNATURE "\r\n",
			""),
		MESSAGE("Authorization: Bearer " TOKEN "\r\nAuthorization: Bearer " TOKEN "\r\n"
			"Proxy-Authorization: Bearer " TOKEN "\r\n",
			""),
		MESSAGE("Authorization: Bearer access_token=\"" TOKEN "\", username=\"a\"\r\n", ""),
		MESSAGE("Authorization: Bearer username=\"a\",access_token = " TOKEN "\r\n", ""),
		MESSAGE("Authorization: Bearer access_token=\"" HEADER "\\." PAYLOAD "\\." SIGNATURE
			"\r\n",
			""),
		MESSAGE("Authorization: Digest username=\"a\", access_token=\"" TOKEN "\"\r\n", ""),
		MESSAGE("Authorization: Digest username=\"a\", realm=\"b\", Bearer " TOKEN "\r\n",
			""),
		MESSAGE("Authorization: Digest " TOKEN "\r\n", ""),
		MESSAGE("Authorization: " TOKEN "\r\n", ""),
		MESSAGE("Authorization: NoOneKnows " TOKEN "\r\n", ""),
		MESSAGE("Authorization: Bearer" TOKEN "\r\n", ""),
		MESSAGE("X-Authorization: Bearer " TOKEN "\r\n", ""),
		MESSAGE("v: SIP/2.0/WSS x;y=\"Bearer " TOKEN "\"\r\n", ""),
		MESSAGE("m: <sip:a@b;access_token=" TOKEN ">\r\n", ""),
		MESSAGE("m: <sip:a@b;%61ccess%5Ftoken%3D" TOKEN ">\r\n", ""),
		MESSAGE("Refer-To: <sip:a@b?Authorization=Bearer%20" HEADER "%2E" PAYLOAD
			"%2e" SIGNATURE ">\r\n",
			""),
		MESSAGE("Subject: " TOKEN "\r\n", ""),
		"REGISTER sip:home1.net;access_token=" TOKEN " SIP/2.0\r\n" LINES "\r\n",
		"REGISTER sip:" TOKEN "@home1.net SIP/2.0\r\n" LINES "\r\n",
	};

	EXPECT_NONE_LEAKS(texts);
}

TEST(redact, finds_a_token_in_messages_that_nobody_could_read)
{
	static const char *const texts[] = {
		TOKEN,
		"Bearer " TOKEN,
		"Authorization Bearer " TOKEN "\r\n",
		"Authorization\r\n : Bearer " TOKEN "\r\n",
		"Authorization:\rBearer " TOKEN "\n",
		START "Authorization: Bearer " HEADER "\r\n." PAYLOAD "\r\n." SIGNATURE "\r\n",
		START "Authorization: Bearer " HEADER "\r." PAYLOAD "\n." SIGNATURE,
		START "Authorization: Bearer\r\n" TOKEN "\r\n" LINES,
		START "\xef\xbb\xbf"
		      "Authorization: " PAYLOAD "." SIGNATURE "\r\n",
		START "Authori\x01zation: " PAYLOAD "." SIGNATURE "\r\n",
		"\r\n\r\n" START "Authorization: Bearer " TOKEN "\r\n\r\n",
		"SIP/2.0 200 OK\nauthorization:Bearer " TOKEN "\n\nbody",
		START "Authorization: Bearer access_token=\"" PAYLOAD "." SIGNATURE,
		"{\"access_token\" : \"" TOKEN "\", \"expires_in\":3600}",
		"{\"access_token\": \"" PAYLOAD "." SIGNATURE "\"}",
		"{\\\"access_token\\\":\\\"" PAYLOAD "." SIGNATURE "\\\"}",
		"grant_type=x&access_token=" PAYLOAD "." SIGNATURE "&x=y",
		HEADER "\r\n." PAYLOAD "\r\n." SIGNATURE "\r\n",
	};

	EXPECT_NONE_LEAKS(texts);
}

TEST(redact, sees_behind_a_nul)
{
	static const char text[] = START "Authorization: Bearer\0" PAYLOAD "\0" SIGNATURE "\r\n";

	EXPECT(!leaks(redact(span_of(text, sizeof(text) - 1)), TOKEN));
	EXPECT(strstr(out, "[redacted ") != NULL);
}

#define PART "Content-Disposition: by-reference; handling=optional\r\n"
#define MULTIPART "Content-Type: multipart/mixed;boundary=B\r\n"
#define SDP "--B\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n"

TEST(redact, takes_tokens_out_of_bodies_and_leaves_the_other_parts)
{
	/* of no JWS's form, so that only the type tells of it */
	static const char *const texts[] = {
		MESSAGE("Content-Type: application/jwt\r\n", PAYLOAD "\r\n\r\n" SIGNATURE),
		MESSAGE("c: Application / JWT;x=y\r\n", PAYLOAD),
		MESSAGE("c:\r\n application/\r\n jwt\r\n", PAYLOAD),
		MESSAGE(MULTIPART, SDP "--B\r\nContent-Type: application/jwt\r\n" PART
				       "\r\n" PAYLOAD "\r\n--B--\r\n"),
		MESSAGE(MULTIPART, SDP "--B\r\n" PART "content-type :APPLICATION/jwt\r\n"
				       "\r\n" PAYLOAD "\r\n--C\r\n" SIGNATURE "\r\n--B--\r\n"),
		MESSAGE(MULTIPART, SDP "--B\r\nContent-Type: application/jwt\r\n\r\n" PAYLOAD),
		MESSAGE(MULTIPART,
			SDP "--B\r\nContent-Type: application/jwt\r\n\r\n" PAYLOAD "\r\n--B\r\n"
			    "Content-Type: application/jwt\r\n\r\n" SIGNATURE "\r\n--B--\r\n"),
		MESSAGE(MULTIPART, SDP "--B\r\nContent-Type: text/plain\r\n\r\n" TOKEN "\r\n--B--"),
		MESSAGE(MULTIPART, SDP "--B\r\nContent-Type: message/sip\r\n\r\n" START
				       "Authorization: Bearer " PAYLOAD "\r\n--B--\r\n"),
		MESSAGE("c: multipart/related;type=\"application/jwt\"\r\n", PAYLOAD),
	};

	EXPECT_NONE_LEAKS(texts);
	for (uint32_t i = 3; i < 9; i++)
		EXPECT(strstr(redact(span_text(texts[i])), "application/sdp\r\n\r\nv=0\r\n--B") !=
		       NULL);
	(void)redact(span_text(texts[3]));
	EXPECT(strstr(out, "jwt\r\n[redacted ") != NULL && strstr(out, " bytes]--B--") == NULL);
	EXPECT(strstr(out, "\r\n--B--\r\n") != NULL);
}

TEST(redact, takes_session_keys_out_of_a_challenge)
{
	const char *seen = redact(SPAN("WWW-Authenticate: Digest realm=\"home1.net\", "
				       "nonce=\"bm9uY2U\", algorithm=AKAv1-MD5, "
				       "ck=\"00112233445566778899aabbccddeeff\", "
				       "IK=\"ffeeddccbbaa99887766554433221100\"\r\n"));

	EXPECT_TEXT("WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"bm9uY2U\", "
		    "algorithm=AKAv1-MD5, ck=[redacted 34 bytes], IK=[redacted 34 bytes]\r\n",
		    seen);
}

TEST(redact, leaks_nothing_of_a_message_that_is_cut_anywhere)
{
	static const char text[] =
		MESSAGE("Authorization: Bearer " TOKEN "\r\n" MULTIPART,
			SDP "--B\r\nContent-Type: application/jwt\r\n\r\n" TOKEN "\r\n--B--\r\n");

	for (uint32_t n = 0; n < sizeof(text); n++)
		EXPECT(!leaks(redact(span_of(text, n)), SIGNATURE));
	for (uint32_t n = 0; n < sizeof(text); n++)
		EXPECT(!leaks(redact(span_of(text + n, sizeof(text) - 1 - n)), HEADER));
}

TEST(redact, fills_what_is_too_small_and_says_so)
{
	static const char text[] = MESSAGE("Authorization: Bearer " TOKEN "\r\n", "");
	uint32_t whole = (uint32_t)strlen(redact(span_text(text)));
	char small[1024];
	struct writer w;

	for (uint32_t n = 0; n <= whole; n++) {
		writer_init(&w, small, n);
		EXPECT_EQ(n == whole, token_redact(span_text(text), &w));
		EXPECT_EQ(n, writer_len(&w));
		EXPECT(writer_ok(&w));
		EXPECT_BYTES(out, small, n);
	}
}

TEST_MAIN("token_redact", RUN(redact, keeps_what_is_not_secret_byte_for_byte),
	  RUN(redact, says_how_much_it_took_out_and_of_what),
	  RUN(redact, finds_a_credential_in_every_spelling_of_its_header),
	  RUN(redact, finds_a_token_in_messages_that_nobody_could_read),
	  RUN(redact, sees_behind_a_nul),
	  RUN(redact, takes_tokens_out_of_bodies_and_leaves_the_other_parts),
	  RUN(redact, takes_session_keys_out_of_a_challenge),
	  RUN(redact, leaks_nothing_of_a_message_that_is_cut_anywhere),
	  RUN(redact, fills_what_is_too_small_and_says_so))
