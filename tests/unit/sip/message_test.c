/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "messages.h"
#include "sip/sip.h"
#include "test.h"

/* What every request needs but for the parts under test. */
#define VIA "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\n"
#define FROM "From: <sip:a@example.test>;tag=1\r\n"
#define TO "To: <sip:a@example.test>\r\n"
#define CALL_ID "Call-ID: 1\r\n"
#define CSEQ "CSeq: 1 OPTIONS\r\n"
#define START "OPTIONS sip:example.test SIP/2.0\r\n"
#define HEAD START VIA FROM TO CALL_ID CSEQ

static enum gw_err index_text(const char *text)
{
	struct sip_message m;

	return sip_index(span_text(text), &m);
}

TEST(message, indexes_the_register_of_jssip)
{
	struct sip_message m;

	EXPECT_EQ(GW_OK, sip_index(SPAN(JSSIP_REGISTER), &m));
	EXPECT(m.is_request);
	EXPECT_EQ(SIP_REGISTER, m.method);
	EXPECT_SPAN("sip:example.test", m.uri);
	EXPECT_EQ(13, m.count);
	EXPECT_EQ(1, m.cseq);
	EXPECT_EQ(0, m.body.len);
	EXPECT_SPAN("600", sip_value(&m, SIP_HEADER_EXPIRES));
	EXPECT_SPAN("<sip:alice@example.test>;tag=v1vr0ckug8", sip_value(&m, SIP_HEADER_FROM));
	EXPECT_SPAN("path,gruu,outbound", sip_value(&m, SIP_HEADER_SUPPORTED));
	EXPECT_SPAN("REGISTER sip:example.test SIP/2.0\r\n", m.start_line);
	EXPECT_EQ(m.text.len, m.start_line.len + m.headers.len + 2);
}

TEST(message, indexes_the_register_of_sipjs)
{
	struct sip_message m;

	EXPECT_EQ(GW_OK, sip_index(SPAN(SIPJS_REGISTER), &m));
	EXPECT_EQ(2, m.cseq);
	EXPECT(sip_first(&m, SIP_HEADER_EXPIRES) == NULL);
	EXPECT_EQ(0, sip_value(&m, SIP_HEADER_EXPIRES).len);
	EXPECT_SPAN("outbound, path, gruu", sip_value(&m, SIP_HEADER_SUPPORTED));
}

TEST(message, indexes_a_response_and_takes_its_method_from_cseq)
{
	struct sip_message m;
	const struct sip_field *via;

	EXPECT_EQ(GW_OK, sip_index(SPAN(REGISTER_OK), &m));
	EXPECT(!m.is_request);
	EXPECT_EQ(200, m.status);
	EXPECT_SPAN("OK", m.reason);
	EXPECT_EQ(SIP_REGISTER, m.method);
	EXPECT_SPAN("REGISTER", m.method_text);
	via = sip_first(&m, SIP_HEADER_VIA);
	EXPECT_SPAN("SIP/2.0/TCP 192.0.2.10:5070;branch=z9hG4bKmw95", via->value);
	via = sip_next(&m, via);
	EXPECT_SPAN("SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK4563742", via->value);
	EXPECT(sip_next(&m, via) == NULL);
}

TEST(message, keeps_the_body_of_a_message)
{
	struct sip_message m;

	EXPECT_EQ(GW_OK, sip_index(SPAN(TEXT_MESSAGE), &m));
	EXPECT_EQ(SIP_MESSAGE, m.method);
	EXPECT_SPAN("Watson, come here.\r\n", m.body);
}

TEST(message, chains_headers_that_are_not_acted_on_too)
{
	struct sip_message m;
	const struct sip_field *field;

	EXPECT_EQ(GW_OK, sip_index(SPAN(HEAD "X-A: 1\r\nUser-Agent: 2\r\n\r\n"), &m));
	field = sip_first(&m, SIP_HEADER_OTHER);
	EXPECT_SPAN("X-A", field->name);
	EXPECT_SPAN("X-A: 1\r\n", field->line);
	field = sip_next(&m, field);
	EXPECT_SPAN("User-Agent", field->name);
	EXPECT(sip_next(&m, field) == NULL);
}

TEST(message, finds_every_spelling_of_a_header_under_one_id)
{
	struct sip_message m;
	const struct sip_field *field;
	uint32_t count = 0;

	EXPECT_EQ(GW_OK, sip_index(SPAN(HEAD "P-Asserted-Identity: 1\r\n"
					     "p-asserted-identity:2\r\n"
					     "P-ASSERTED-IDENTITY  : 3\r\n"
					     "P-asserted-Identity\t:\r\n 4\r\n\r\n"),
				   &m));
	field = sip_first(&m, SIP_HEADER_P_ASSERTED_IDENTITY);
	for (; field != NULL; field = sip_next(&m, field))
		count++;
	EXPECT_EQ(4, count);
}

TEST(message, skips_line_ends_before_the_start_line)
{
	struct sip_message m;

	EXPECT_EQ(GW_OK, sip_index(SPAN("\r\n\r\n" HEAD "\r\n"), &m));
	EXPECT_EQ('O', m.text.at[0]);
}

TEST(message, refuses_what_is_no_start_line_and_says_it_is_not_sip)
{
	static const char *const lines[] = {"",
					    "\r\n",
					    "OPTIONS",
					    "GET / HTTP/1.1\r\n\r\n",
					    "\x16\x03\x01\x02\r\n\r\n",
					    "OPTIONS sip:a@b\r\n\r\n",
					    "OPTIONS  SIP\r\n\r\n",
					    " OPTIONS sip:a@b SIP/2.0\r\n\r\n",
					    "OPT(IONS sip:a@b SIP/2.0\r\n\r\n",
					    "OPTIONS sip:a@b SIP/2\r\n\r\n",
					    "OPTIONS sip:a@b SIP/2.0 \r\n\r\n",
					    "OPTIONS sip:a@b SIP/.0\r\n\r\n",
					    "OPTIONS sip:a@b SIP/2.\r\n\r\n",
					    "OPTIONS sip:a@b SIP/2.0x\r\n\r\n",
					    "OPTIONS sip:a@b SIP/2.0\n\r\n",
					    "OPTIONS sip:a@b SIP/2.0\r\r\n"};
	struct sip_message m;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		EXPECT_EQ(GW_SIP_START_LINE, sip_index(span_text(lines[i]), &m));
		EXPECT_EQ(0, m.start_line.len);
		EXPECT_EQ(0, m.count);
	}
}

TEST(message, refuses_a_malformed_request_uri_but_can_still_be_answered)
{
	static const char *const starts[] = {
		"OPTIONS <sip:a@b> SIP/2.0\r\n",
		"OPTIONS sip:a@b; lr SIP/2.0\r\n",
		"OPTIONS  sip:a@b SIP/2.0\r\n",
		"OPTIONS sip:a@b  SIP/2.0\r\n",
		"OPTIONS sip:\"a\"@b SIP/2.0\r\n",
		"OPTIONS  SIP/2.0\r\n",
		"OPTIONS SIP/2.0\r\n",
		"OPTIONS sip:a\t@b SIP/2.0\r\n",
		"OPTIONS sip:\xc3\xb6@b SIP/2.0\r\n",
		"SIP/2.0 099 No\r\n",
		"SIP/2.0 700 No\r\n",
		"SIP/2.0 4294967301 No\r\n",
		"SIP/2.0 20 No\r\n",
		"SIP/2.0 200\r\n",
	};
	char text[512];
	struct sip_message m;

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", starts[i], VIA FROM TO CALL_ID CSEQ "\r\n");
		EXPECT_EQ(GW_SIP_START_LINE, sip_index(span_text(text), &m));
		EXPECT_EQ(5, m.count);
	}
}

TEST(message, refuses_another_version_but_can_still_be_answered)
{
	struct sip_message m;

	EXPECT_EQ(GW_SIP_VERSION,
		  sip_index(SPAN("OPTIONS sip:b SIP/7.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), &m));
	EXPECT(m.is_request);
	EXPECT_EQ(SIP_OPTIONS, m.method);
	EXPECT_SPAN("1 OPTIONS", sip_value(&m, SIP_HEADER_CSEQ));
	EXPECT_EQ(GW_SIP_VERSION, index_text("SIP/3.0 200 OK\r\n\r\n"));
	EXPECT_EQ(GW_SIP_VERSION, index_text("SIP/2.00 200 OK\r\n\r\n"));
	EXPECT_EQ(GW_OK, index_text("OPTIONS sip:b sip/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"));
}

TEST(message, accepts_an_empty_reason)
{
	struct sip_message m;

	EXPECT_EQ(GW_OK, sip_index(SPAN("SIP/2.0 100 \r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), &m));
	EXPECT_EQ(100, m.status);
	EXPECT_EQ(0, m.reason.len);
}

TEST(message, needs_every_mandatory_header)
{
	EXPECT_EQ(GW_OK, index_text(HEAD "\r\n"));
	EXPECT_EQ(GW_SIP_MISSING, index_text(START FROM TO CALL_ID CSEQ "\r\n"));
	EXPECT_EQ(GW_SIP_MISSING, index_text(START VIA TO CALL_ID CSEQ "\r\n"));
	EXPECT_EQ(GW_SIP_MISSING, index_text(START VIA FROM CALL_ID CSEQ "\r\n"));
	EXPECT_EQ(GW_SIP_MISSING, index_text(START VIA FROM TO CSEQ "\r\n"));
	EXPECT_EQ(GW_SIP_MISSING, index_text(START VIA FROM TO CALL_ID "\r\n"));
	EXPECT_EQ(GW_SIP_MISSING, index_text(START VIA FROM TO "Call-ID: \r\n" CSEQ "\r\n"));
	EXPECT_EQ(GW_SIP_MISSING, index_text(START "\r\n"));
}

TEST(message, refuses_repeated_single_headers_in_any_spelling)
{
	static const char *const repeats[] = {"f: <sip:a@b>;tag=2\r\n",
					      "t: <sip:a@b>\r\n",
					      "i: 2\r\n",
					      "cseq: 1 OPTIONS\r\n",
					      "Max-Forwards: 1\r\nMAX-FORWARDS : 1\r\n",
					      "Content-Length: 0\r\nl: 0\r\n",
					      "Content-Type: a/b\r\nc: a/b\r\n",
					      "Expires: 1\r\nexpires:1\r\n"};
	char text[1024];

	for (size_t i = 0; i < sizeof(repeats) / sizeof(repeats[0]); i++) {
		snprintf(text, sizeof(text), "%s%s\r\n", HEAD, repeats[i]);
		EXPECT_EQ(GW_SIP_REPEATED, index_text(text));
	}
	EXPECT_EQ(GW_OK,
		  index_text(HEAD VIA "Contact: *\r\nm: *\r\nRequire: a\r\nRequire: b\r\n\r\n"));
}

TEST(message, refuses_a_cseq_that_is_none_or_of_another_method)
{
	static const char *const values[] = {"1 INVITE",
					     "1 options",
					     "OPTIONS",
					     "1",
					     "1OPTIONS",
					     "-1 OPTIONS",
					     "1 OPTIONS x",
					     "1 OPTIONS;x",
					     "2147483648 OPTIONS",
					     "36893488147419103232 OPTIONS"};
	char text[1024];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(text, sizeof(text), "%sCSeq: %s\r\n\r\n", START VIA FROM TO CALL_ID,
			 values[i]);
		EXPECT_EQ(GW_SIP_CSEQ, index_text(text));
	}
	EXPECT_EQ(GW_OK, index_text(START VIA FROM TO CALL_ID "CSeq: 2147483647 OPTIONS\r\n\r\n"));
	EXPECT_EQ(GW_OK, index_text(START VIA FROM TO CALL_ID "CSeq: 0009\r\n\tOPTIONS\r\n\r\n"));
}

TEST(message, cuts_the_body_to_content_length_and_refuses_a_larger_one)
{
	struct sip_message m;

	EXPECT_EQ(GW_OK, sip_index(SPAN(HEAD "Content-Length: 2\r\n\r\nabc"), &m));
	EXPECT_SPAN("ab", m.body);
	EXPECT_EQ('b', m.text.at[m.text.len - 1]);
	EXPECT_EQ(GW_OK, sip_index(SPAN(HEAD "\r\nabc"), &m));
	EXPECT_SPAN("abc", m.body);
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, index_text(HEAD "Content-Length: 4\r\n\r\nabc"));
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, index_text(HEAD "Content-Length: -1\r\n\r\nabc"));
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, index_text(HEAD "Content-Length: 1,1\r\n\r\nabc"));
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, index_text(HEAD "Content-Length:\r\n\r\nabc"));
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, index_text(HEAD "Content-Length: 4294967297\r\n\r\nabc"));
}

TEST(message, refuses_headers_without_the_empty_line)
{
	EXPECT_EQ(GW_SIP_HEADER, index_text(HEAD));
	EXPECT_EQ(GW_SIP_HEADER, index_text(HEAD "X: y"));
	EXPECT_EQ(GW_SIP_HEADER, index_text(HEAD "\r"));
}

TEST(message, refuses_a_fold_behind_the_start_line)
{
	EXPECT_EQ(GW_SIP_HEADER,
		  index_text(START " P-Asserted-Identity: <sip:a@b>\r\n" VIA FROM TO CALL_ID CSEQ
				   "\r\n"));
}

TEST(message, holds_what_came_before_an_error)
{
	struct sip_message m;

	EXPECT_EQ(GW_SIP_HEADER, sip_index(SPAN(HEAD "B@d: x\r\nX: y\r\n\r\n"), &m));
	EXPECT_EQ(5, m.count);
	EXPECT_SPAN("1", sip_value(&m, SIP_HEADER_CALL_ID));
}

static enum gw_err index_lines(uint32_t lines, struct sip_message *m)
{
	char text[4096] = HEAD;
	size_t len = strlen(HEAD);

	for (uint32_t i = 5; i < lines; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "X: y\r\n");
	len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n");
	return sip_index(span_of(text, (uint32_t)len), m);
}

TEST(message, takes_as_many_headers_as_the_limit_and_not_one_more)
{
	struct sip_message m;

	EXPECT_EQ(GW_OK, index_lines(SIP_FIELDS_MAX, &m));
	EXPECT_EQ(SIP_FIELDS_MAX, m.count);
	EXPECT_EQ(GW_SIP_HEADERS_MANY, index_lines(SIP_FIELDS_MAX + 1, &m));
	EXPECT_EQ(SIP_FIELDS_MAX, m.count);
}

static enum gw_err index_long_start(uint32_t len, struct sip_message *m)
{
	const char *end = " SIP/2.0\r\n", *rest = VIA FROM TO CALL_ID CSEQ "\r\n";
	uint32_t rest_len = (uint32_t)strlen(rest);
	uint8_t *text = malloc(len + rest_len);
	enum gw_err err;

	memset(text, 'x', len);
	memcpy(text, "OPTIONS sip:", 12);
	memcpy(text + len - strlen(end), end, strlen(end));
	memcpy(text + len, rest, rest_len);
	err = sip_index(span_of(text, len + rest_len), m);
	free(text);
	return err;
}

TEST(message, takes_a_start_line_at_the_limit_and_none_longer)
{
	struct sip_message m;

	EXPECT_EQ(GW_OK, index_long_start(SIP_LINE_MAX, &m));
	EXPECT_EQ(SIP_LINE_MAX, m.start_line.len);
	EXPECT_EQ(GW_SIP_HEADER_LONG, index_long_start(SIP_LINE_MAX + 1, &m));
	EXPECT_EQ(0, m.start_line.len);
}

TEST(message, forgets_the_message_indexed_before)
{
	struct sip_message m;

	memset(&m, 0xa5, sizeof(m));
	EXPECT_EQ(GW_OK, sip_index(SPAN(REGISTER_OK), &m));
	EXPECT_EQ(GW_OK, sip_index(SPAN(HEAD "\r\n"), &m));
	EXPECT_EQ(5, m.count);
	EXPECT_EQ(0, m.status);
	for (uint32_t id = 0; id < SIP_HEADER_COUNT; id++)
		EXPECT((sip_first(&m, id) != NULL) ==
		       (id >= SIP_HEADER_VIA && id <= SIP_HEADER_CSEQ));
}

/* Indexes from memory that ends where text ends, so that a sanitizer sees an overread. */
static enum gw_err index_exact(struct span text)
{
	uint8_t *copy = malloc(text.len > 0 ? text.len : 1);
	struct sip_message m;
	enum gw_err err;

	memcpy(copy, text.at, text.len);
	err = sip_index(span_of(copy, text.len), &m);
	free(copy);
	return err;
}

TEST(message, refuses_every_message_at_every_cut)
{
	const struct span messages[] = {SPAN(JSSIP_REGISTER), SPAN(SIPJS_REGISTER),
					SPAN(TEXT_MESSAGE),   SPAN(REGISTER_OK),
					SPAN(PLAIN_INVITE),   SPAN(TORTUOUS_INVITE)};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		for (uint32_t len = 0; len < messages[i].len; len++)
			EXPECT(index_exact(span_cut(messages[i], 0, len)) != GW_OK);
		EXPECT_EQ(GW_OK, index_exact(messages[i]));
	}
}

TEST_MAIN("sip message", RUN(message, indexes_the_register_of_jssip),
	  RUN(message, indexes_the_register_of_sipjs),
	  RUN(message, indexes_a_response_and_takes_its_method_from_cseq),
	  RUN(message, keeps_the_body_of_a_message),
	  RUN(message, chains_headers_that_are_not_acted_on_too),
	  RUN(message, finds_every_spelling_of_a_header_under_one_id),
	  RUN(message, skips_line_ends_before_the_start_line),
	  RUN(message, refuses_what_is_no_start_line_and_says_it_is_not_sip),
	  RUN(message, refuses_a_malformed_request_uri_but_can_still_be_answered),
	  RUN(message, refuses_another_version_but_can_still_be_answered),
	  RUN(message, accepts_an_empty_reason), RUN(message, needs_every_mandatory_header),
	  RUN(message, refuses_repeated_single_headers_in_any_spelling),
	  RUN(message, refuses_a_cseq_that_is_none_or_of_another_method),
	  RUN(message, cuts_the_body_to_content_length_and_refuses_a_larger_one),
	  RUN(message, refuses_headers_without_the_empty_line),
	  RUN(message, refuses_a_fold_behind_the_start_line),
	  RUN(message, holds_what_came_before_an_error),
	  RUN(message, takes_as_many_headers_as_the_limit_and_not_one_more),
	  RUN(message, takes_a_start_line_at_the_limit_and_none_longer),
	  RUN(message, forgets_the_message_indexed_before),
	  RUN(message, refuses_every_message_at_every_cut))
