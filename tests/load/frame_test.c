/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"
#include "test.h"

#define MAX 1000

TEST(frame, writes_what_the_gateway_reads)
{
	static const uint32_t lengths[] = {0, 1, 125, 126, 65535, 65536};
	static uint8_t payload[65536], bytes[65536 + 32];

	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct ws_frame head;
		struct writer out;
		struct span in;

		writer_init(&out, bytes, sizeof(bytes));
		frame_write(&out, WS_TEXT, 0x12345678, span_of(payload, lengths[i]));
		EXPECT(writer_ok(&out));
		in = writer_span(&out);
		EXPECT_EQ(GW_OK, ws_frame_read(&in, sizeof(payload), &head));
		EXPECT_EQ(lengths[i], head.payload_len);
		EXPECT_EQ(lengths[i], in.len);
		ws_unmask(bytes + writer_len(&out) - in.len, in.len, head.mask, 0);
		EXPECT(span_equal(in, span_of(payload, lengths[i])));
	}
}

TEST(frame, reads_what_the_gateway_writes_cut_at_every_byte)
{
	uint8_t bytes[300];
	struct writer out;

	writer_init(&out, bytes, sizeof(bytes));
	ws_head_write(WS_TEXT, 200, &out);
	for (uint32_t i = 0; i < 200; i++)
		writer_u8(&out, 'x');
	for (uint32_t n = 0; n < writer_len(&out); n++) {
		struct span in = span_of(bytes, n);
		struct frame f;

		EXPECT_EQ(GW_AGAIN, frame_read(&in, MAX, &f));
		EXPECT_EQ(n, in.len);
	}
	struct span in = writer_span(&out);
	struct frame f;

	EXPECT_EQ(GW_OK, frame_read(&in, MAX, &f));
	EXPECT_EQ(WS_TEXT, f.opcode);
	EXPECT_EQ(200, f.payload.len);
	EXPECT_EQ(0, in.len);
}

TEST(frame, takes_one_frame_and_leaves_the_next)
{
	struct span in = SPAN("\x89\x02hi\x8a\x00");
	struct frame f;

	EXPECT_EQ(GW_OK, frame_read(&in, MAX, &f));
	EXPECT_EQ(WS_PING, f.opcode);
	EXPECT_SPAN("hi", f.payload);
	EXPECT_EQ(GW_OK, frame_read(&in, MAX, &f));
	EXPECT_EQ(WS_PONG, f.opcode);
	EXPECT_EQ(0, in.len);
}

TEST(frame, refuses_what_a_server_must_not_send)
{
	static const struct {
		struct span bytes;
		enum gw_err err;
	} cases[] = {
		{{(const uint8_t *)"\x81\x82", 2}, GW_WS_RESERVED}, /* masked */
		{{(const uint8_t *)"\xc1\x00", 2}, GW_WS_RESERVED}, /* RSV1: compression */
		{{(const uint8_t *)"\x83\x00", 2}, GW_WS_RESERVED}, /* opcode 3 */
		{{(const uint8_t *)"\x01\x00", 2}, GW_WS_FRAGMENT},
		{{(const uint8_t *)"\x80\x00", 2}, GW_WS_FRAGMENT}, /* continuation */
		{{(const uint8_t *)"\x09\x00", 2}, GW_WS_CONTROL},
		{{(const uint8_t *)"\x89\x7e\x00\x7e", 4}, GW_WS_CONTROL},
		{{(const uint8_t *)"\x81\x7e\x00\x7d", 4}, GW_WS_LENGTH},
		{{(const uint8_t *)"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10}, GW_WS_LENGTH},
		{{(const uint8_t *)"\x81\x7e\x03\xe9", 4}, GW_WS_TOO_LONG},
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span in = cases[i].bytes;
		struct frame f;

		EXPECT_EQ(cases[i].err, frame_read(&in, MAX, &f));
		EXPECT_EQ(cases[i].bytes.len, in.len);
	}
}

TEST_MAIN("load frame", RUN(frame, writes_what_the_gateway_reads),
	  RUN(frame, reads_what_the_gateway_writes_cut_at_every_byte),
	  RUN(frame, takes_one_frame_and_leaves_the_next),
	  RUN(frame, refuses_what_a_server_must_not_send))
