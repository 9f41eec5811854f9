/* SPDX-License-Identifier: BSD-3-Clause */
#include "messages.h"
#include "sip/sip.h"
#include "test.h"

#define MESSAGE_HEAD \
	"Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK776asdhds\r\n" \
	"From: \"Alice\" <sip:alice@example.test>;tag=49583\r\n"
#define MESSAGE_TAIL "Call-ID: asd88asd77a@v5e0bm0sd9mg.invalid\r\nCSeq: 1 MESSAGE\r\n"

struct bench {
	struct sip_message m;
	struct writer out;
	uint8_t room[2048];
};

static enum gw_err reply(struct bench *b, struct span request, uint16_t status, const char *extra)
{
	enum gw_err err = sip_index(request, &b->m);

	(void)err; /* a refused request is answered too */
	writer_init(&b->out, b->room, sizeof(b->room));
	return sip_reply_write(&b->m, status, SPAN("gw1"), span_text(extra), &b->out);
}

TEST(reply, copies_what_a_response_repeats_and_adds_a_tag)
{
	struct bench b;

	EXPECT_EQ(GW_OK, reply(&b, SPAN(TEXT_MESSAGE), 403, "Retry-After: 5\r\n"));
	EXPECT_SPAN("SIP/2.0 403 Forbidden\r\n" MESSAGE_HEAD
		    "To: \"Bob\" <sip:bob@example.test>;tag=gw1\r\n" MESSAGE_TAIL
		    "Retry-After: 5\r\nContent-Length: 0\r\n\r\n",
		    writer_span(&b.out));
}

TEST(reply, has_a_body_with_its_length)
{
	struct bench b;

	EXPECT_EQ(GW_OK, reply(&b, SPAN(TEXT_MESSAGE), 380, ""));
	writer_init(&b.out, b.room, sizeof(b.room));
	EXPECT_EQ(GW_OK,
		  sip_reply_write_body(&b.m, 380, SPAN("gw1"), SPAN("Content-Type: text/plain\r\n"),
				       SPAN("call somebody"), &b.out));
	EXPECT_SPAN("SIP/2.0 380 Alternative Service\r\n" MESSAGE_HEAD
		    "To: \"Bob\" <sip:bob@example.test>;tag=gw1\r\n" MESSAGE_TAIL
		    "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\ncall somebody",
		    writer_span(&b.out));
	writer_init(&b.out, b.room, writer_len(&b.out) - 1);
	EXPECT_EQ(GW_NO_ROOM,
		  sip_reply_write_body(&b.m, 380, SPAN("gw1"), SPAN("Content-Type: text/plain\r\n"),
				       SPAN("call somebody"), &b.out));
}

TEST(reply, adds_no_tag_to_trying)
{
	struct bench b;

	EXPECT_EQ(GW_OK, reply(&b, SPAN(TEXT_MESSAGE), 100, ""));
	EXPECT_SPAN("SIP/2.0 100 Trying\r\n" MESSAGE_HEAD
		    "To: \"Bob\" <sip:bob@example.test>\r\n" MESSAGE_TAIL
		    "Content-Length: 0\r\n\r\n",
		    writer_span(&b.out));
}

#define REQUEST(to) \
	"OPTIONS sip:b SIP/2.0\r\nv: SIP/2.0/WSS a.invalid\r\nVia: SIP/2.0/WSS b.invalid,\r\n" \
	" SIP/2.0/TCP c.invalid\r\nf: <sip:a@b>;tag=1\r\ni: 7\r\nCSeq: 1 OPTIONS\r\nt: " to \
	"\r\n\r\n"
#define ANSWER(to) \
	"SIP/2.0 480 Temporarily Unavailable\r\nVia: SIP/2.0/WSS a.invalid\r\n" \
	"Via: SIP/2.0/WSS b.invalid,\r\n SIP/2.0/TCP c.invalid\r\nFrom: <sip:a@b>;tag=1\r\n" \
	"To: " to "\r\nCall-ID: 7\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

#define EXPECT_ANSWER(to_in, to_out) \
	do { \
		struct bench bench_; \
		EXPECT_EQ(GW_OK, reply(&bench_, SPAN(REQUEST(to_in)), 480, "")); \
		EXPECT_SPAN(ANSWER(to_out), writer_span(&bench_.out)); \
	} while (0)

TEST(reply, keeps_a_tag_that_is_there_in_any_case)
{
	EXPECT_ANSWER("<sip:a@b>;tag=2", "<sip:a@b>;tag=2");
	EXPECT_ANSWER("sip:a@b ; x ; TAG\r\n = 2", "sip:a@b ; x ; TAG\r\n = 2");
}

TEST(reply, is_not_misled_by_a_tag_of_the_uri_or_the_display_name)
{
	EXPECT_ANSWER("\";tag=2\" <sip:a@b;tag=3>", "\";tag=2\" <sip:a@b;tag=3>;tag=gw1");
	EXPECT_ANSWER("sip:a@b;x=\";tag=2\"", "sip:a@b;x=\";tag=2\";tag=gw1");
	EXPECT_ANSWER("<http://example.com/>", "<http://example.com/>;tag=gw1");
}

TEST(reply, adds_no_tag_to_a_malformed_to)
{
	EXPECT_ANSWER("\"Bob <sip:a@b>", "\"Bob <sip:a@b>");
	EXPECT_ANSWER("*", "*");
}

TEST(reply, answers_a_request_that_was_refused)
{
	struct bench b;

	EXPECT_EQ(GW_OK, reply(&b,
			       SPAN("OPTIONS sip:b SIP/7.0\r\nVia: x\r\nFrom: <sip:f>\r\n"
				    "To: <sip:t>\r\nCall-ID: i\r\nCSeq: c\r\n\r\n"),
			       505, ""));
	EXPECT_SPAN("SIP/2.0 505 Version Not Supported\r\nVia: x\r\nFrom: <sip:f>\r\n"
		    "To: <sip:t>;tag=gw1\r\nCall-ID: i\r\nCSeq: c\r\nContent-Length: 0\r\n\r\n",
		    writer_span(&b.out));
}

TEST(reply, needs_every_header_it_repeats)
{
	struct bench b;

	EXPECT_EQ(GW_SIP_MISSING, reply(&b,
					SPAN("OPTIONS sip:b SIP/2.0\r\nFrom: x\r\nTo: x\r\n"
					     "Call-ID: x\r\nCSeq: x\r\n\r\n"),
					400, ""));
	EXPECT_EQ(GW_SIP_MISSING, reply(&b, SPAN("no sip"), 400, ""));
	EXPECT_EQ(0, writer_len(&b.out));
}

TEST(reply, says_when_the_room_is_too_small)
{
	struct bench b;
	uint32_t len;

	EXPECT_EQ(GW_OK, reply(&b, SPAN(TEXT_MESSAGE), 200, ""));
	len = writer_len(&b.out);
	for (uint32_t room = 0; room < len; room++) {
		writer_init(&b.out, b.room, room);
		EXPECT_EQ(GW_NO_ROOM, sip_reply_write(&b.m, 200, SPAN("gw1"), SPAN(""), &b.out));
	}
}

TEST(reply, gives_the_standard_reasons)
{
	EXPECT_TEXT("OK", sip_reason(200));
	EXPECT_TEXT("Interval Too Brief", sip_reason(423));
	EXPECT_TEXT("Flow Failed", sip_reason(430));
	EXPECT_TEXT("Not Acceptable", sip_reason(606));
	EXPECT_TEXT("Error", sip_reason(299));
	EXPECT_TEXT("Error", sip_reason(0));
}

TEST_MAIN("sip reply", RUN(reply, copies_what_a_response_repeats_and_adds_a_tag),
	  RUN(reply, has_a_body_with_its_length), RUN(reply, adds_no_tag_to_trying),
	  RUN(reply, keeps_a_tag_that_is_there_in_any_case),
	  RUN(reply, is_not_misled_by_a_tag_of_the_uri_or_the_display_name),
	  RUN(reply, adds_no_tag_to_a_malformed_to), RUN(reply, answers_a_request_that_was_refused),
	  RUN(reply, needs_every_header_it_repeats), RUN(reply, says_when_the_room_is_too_small),
	  RUN(reply, gives_the_standard_reasons))
