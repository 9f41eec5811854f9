/* SPDX-License-Identifier: BSD-3-Clause */
#include "messages.h"
#include "sip/sip.h"
#include "test.h"

#define MAX 65536
#define START "OPTIONS sip:example.test SIP/2.0\r\n"

static struct sip_frame read_text(const char *stream)
{
	return sip_frame_read(span_text(stream), MAX);
}

TEST(frame, finds_the_length_of_the_first_message)
{
	struct sip_frame frame = sip_frame_read(SPAN(TEXT_MESSAGE JSSIP_REGISTER), MAX);

	EXPECT_EQ(GW_OK, frame.err);
	EXPECT_EQ(0, frame.skip);
	EXPECT_EQ(sizeof(TEXT_MESSAGE) - 1, frame.len);
	EXPECT(!frame.ping);
}

TEST(frame, asks_for_more_at_every_cut_of_every_message)
{
	const struct span messages[] = {SPAN(JSSIP_REGISTER), SPAN(SIPJS_REGISTER),
					SPAN(TEXT_MESSAGE),   SPAN(REGISTER_OK),
					SPAN(PLAIN_INVITE),   SPAN(TORTUOUS_INVITE)};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		for (uint32_t len = 0; len < messages[i].len; len++)
			EXPECT_EQ(GW_AGAIN, sip_frame_read(span_cut(messages[i], 0, len), MAX).err);
		EXPECT_EQ(GW_OK, sip_frame_read(messages[i], MAX).err);
		EXPECT_EQ(messages[i].len, sip_frame_read(messages[i], MAX).len);
	}
}

TEST(frame, skips_a_keep_alive_and_tells_a_ping_from_a_pong)
{
	struct sip_frame frame = read_text("\r\n" TEXT_MESSAGE);

	EXPECT_EQ(GW_OK, frame.err);
	EXPECT_EQ(2, frame.skip);
	EXPECT(!frame.ping);
	frame = read_text("\r\n\r\n" TEXT_MESSAGE);
	EXPECT_EQ(4, frame.skip);
	EXPECT(frame.ping);
	EXPECT_EQ(sizeof(TEXT_MESSAGE) - 1, frame.len);
}

TEST(frame, keeps_what_may_become_a_ping)
{
	EXPECT_EQ(0, read_text("\r\n").skip);
	EXPECT_EQ(0, read_text("\r\n\r").skip);
	EXPECT_EQ(4, read_text("\r\n\r\n").skip);
	EXPECT(read_text("\r\n\r\n").ping);
	EXPECT_EQ(4, read_text("\r\n\r\n\r").skip);
	EXPECT_EQ(4, read_text("\r\n\r\n\r\n").skip);
	EXPECT_EQ(8, read_text("\r\n\r\n\r\n\r\n").skip);
	EXPECT_EQ(2, read_text("\r\nO").skip);
	EXPECT_EQ(GW_AGAIN, read_text("\r\n\r\n").err);
}

TEST(frame, gives_up_a_stream_that_is_not_sip)
{
	EXPECT_EQ(GW_SIP_START_LINE, read_text("GET / HTTP/1.1\r\n").err);
	EXPECT_EQ(GW_SIP_START_LINE, read_text("\x16\x03").err);
	EXPECT_EQ(GW_SIP_START_LINE, read_text("OPTIONS\n").err);
}

TEST(frame, gives_up_a_stream_without_one_clear_content_length)
{
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, read_text(START "To: x\r\n\r\n").err);
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, read_text(START "\r\n").err);
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, read_text(START "Content-Length: x\r\n\r\n").err);
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, read_text(START "l: 1\r\nContent-Length: 2\r\n\r\n").err);
	EXPECT_EQ(GW_OK, read_text(START "l: 0\r\nContent-Length : 00\r\n\r\n").err);
}

TEST(frame, gives_up_a_stream_where_a_line_end_is_open_to_doubt)
{
	EXPECT_EQ(GW_SIP_HEADER, read_text(START "X: y\nContent-Length: 9\r\nl: 0\r\n\r\n").err);
	EXPECT_EQ(GW_SIP_HEADER, read_text(START "X: y\rContent-Length: 9\r\nl: 0\r\n\r\n").err);
	EXPECT_EQ(GW_SIP_HEADER, read_text(START "Content-Length\r\n : 9\r\nl: 0\r\n\r\n").err);
	EXPECT_EQ(GW_SIP_HEADER, read_text(START "X: y\r\n \r\nl: 9\r\n\r\n").err);
}

TEST(frame, carries_a_message_that_only_the_index_refuses)
{
	struct sip_message m;
	struct span stream = SPAN(START "Subject: \x01\x7f\r\nl: 0\r\n\r\n");
	struct sip_frame frame = sip_frame_read(stream, MAX);

	EXPECT_EQ(GW_OK, frame.err);
	EXPECT_EQ(stream.len, frame.len);
	EXPECT_EQ(GW_SIP_HEADER, sip_index(stream, &m));
	EXPECT_EQ(GW_OK, read_text("OPTIONS <sip:b> SIP/2.0\r\nl: 0\r\n\r\n").err);
	EXPECT_EQ(GW_OK, read_text("OPTIONS sip:b SIP/7.0\r\nl: 0\r\n\r\n").err);
}

TEST(frame, takes_a_message_at_the_limit_and_none_longer)
{
	struct span stream = SPAN(TEXT_MESSAGE);

	EXPECT_EQ(GW_OK, sip_frame_read(stream, stream.len).err);
	EXPECT_EQ(GW_SIP_TOO_LONG, sip_frame_read(stream, stream.len - 1).err);
	EXPECT_EQ(GW_SIP_TOO_LONG, sip_frame_read(stream, 100).err);
}

TEST(frame, refuses_a_long_body_before_it_comes)
{
	EXPECT_EQ(GW_SIP_TOO_LONG, read_text(START "l: 65536\r\n\r\n").err);
	EXPECT_EQ(GW_SIP_TOO_LONG, read_text(START "l: 4294967295\r\n\r\n").err);
	EXPECT_EQ(GW_AGAIN, read_text(START "l: 60000\r\n\r\n").err);
}

TEST_MAIN("sip frame", RUN(frame, finds_the_length_of_the_first_message),
	  RUN(frame, asks_for_more_at_every_cut_of_every_message),
	  RUN(frame, skips_a_keep_alive_and_tells_a_ping_from_a_pong),
	  RUN(frame, keeps_what_may_become_a_ping), RUN(frame, gives_up_a_stream_that_is_not_sip),
	  RUN(frame, gives_up_a_stream_without_one_clear_content_length),
	  RUN(frame, gives_up_a_stream_where_a_line_end_is_open_to_doubt),
	  RUN(frame, carries_a_message_that_only_the_index_refuses),
	  RUN(frame, takes_a_message_at_the_limit_and_none_longer),
	  RUN(frame, refuses_a_long_body_before_it_comes))
