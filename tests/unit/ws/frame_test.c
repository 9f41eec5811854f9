/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "ws/ws.h"

static enum gw_err read_head(struct span in, uint32_t max_payload)
{
	struct ws_frame frame;

	return ws_frame_read(&in, max_payload, &frame);
}

TEST(ws_frame, reads_the_masked_hello_of_rfc_6455)
{
	uint8_t bytes[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
	struct span in = span_of(bytes, sizeof(bytes) - 1);
	struct ws_frame frame;

	EXPECT_EQ(GW_OK, ws_frame_read(&in, 1024, &frame));
	EXPECT(frame.fin);
	EXPECT_EQ(WS_TEXT, frame.opcode);
	EXPECT_EQ(5, frame.payload_len);
	EXPECT_EQ(5, in.len);
	ws_unmask(bytes + 6, 5, frame.mask, 0);
	EXPECT_SPAN("Hello", in);
}

TEST(ws_frame, reads_lengths_of_seven_sixteen_and_sixty_four_bits)
{
	struct span in16 = SPAN("\x82\xFE\x01\x00mask");
	struct span in64 = SPAN("\x82\xFF\0\0\0\0\0\x01\0\0mask");
	struct ws_frame frame;

	EXPECT_EQ(GW_OK, ws_frame_read(&in16, 1 << 20, &frame));
	EXPECT_EQ(256, frame.payload_len);
	EXPECT_EQ(0, in16.len);
	EXPECT_EQ(GW_OK, ws_frame_read(&in64, 1 << 20, &frame));
	EXPECT_EQ(65536, frame.payload_len);
	EXPECT_EQ(0, in64.len);
}

TEST(ws_frame, refuses_a_client_frame_without_a_mask)
{
	struct span in = SPAN("\x81\x02hi");
	struct ws_frame frame;

	EXPECT_EQ(GW_WS_UNMASKED, ws_frame_read(&in, 1024, &frame));
	EXPECT_EQ(4, in.len); /* nothing consumed */
}

TEST(ws_frame, refuses_reserved_bits_at_the_first_byte)
{
	EXPECT_EQ(GW_WS_RESERVED, read_head(SPAN("\xC1"), 1024));
	EXPECT_EQ(GW_WS_RESERVED, read_head(SPAN("\xA1"), 1024));
	EXPECT_EQ(GW_WS_RESERVED, read_head(SPAN("\x91"), 1024));
}

TEST(ws_frame, refuses_reserved_opcodes)
{
	for (int opcode = 0; opcode < 16; opcode++) {
		uint8_t head[] = {(uint8_t)(0x80 | opcode), 0x80, 1, 2, 3, 4};
		bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);

		EXPECT_EQ(known ? GW_OK : GW_WS_RESERVED,
			  read_head(span_of(head, sizeof(head)), 1024));
	}
}

TEST(ws_frame, refuses_fragmented_control_frames)
{
	EXPECT_EQ(GW_WS_CONTROL, read_head(SPAN("\x08"), 1024));
	EXPECT_EQ(GW_WS_CONTROL, read_head(SPAN("\x09"), 1024));
	EXPECT_EQ(GW_WS_CONTROL, read_head(SPAN("\x0A"), 1024));
}

TEST(ws_frame, refuses_control_frames_longer_than_125_bytes)
{
	EXPECT_EQ(GW_OK, read_head(SPAN("\x89\xFDmask"), 1024));
	EXPECT_EQ(GW_WS_CONTROL, read_head(SPAN("\x89\xFE"), 1024));
	EXPECT_EQ(GW_WS_CONTROL, read_head(SPAN("\x88\xFF"), 1024));
}

TEST(ws_frame, refuses_lengths_not_in_their_shortest_form)
{
	EXPECT_EQ(GW_WS_LENGTH, read_head(SPAN("\x82\xFE\x00\x7D"), 1024));
	EXPECT_EQ(GW_WS_LENGTH, read_head(SPAN("\x82\xFF\0\0\0\0\0\0\xFF\xFF"), 1 << 20));
	EXPECT_EQ(GW_WS_LENGTH, read_head(SPAN("\x82\xFF\x80\0\0\0\0\x01\0\0"), 1 << 20));
	EXPECT_EQ(GW_AGAIN, read_head(SPAN("\x82\xFE\x00\x7E"), 1024));
}

TEST(ws_frame, refuses_a_length_above_the_limit_before_the_mask_is_there)
{
	EXPECT_EQ(GW_WS_TOO_LONG, read_head(SPAN("\x82\xFE\x04\x01"), 1024));
	EXPECT_EQ(GW_WS_TOO_LONG,
		  read_head(SPAN("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), 1024));
	EXPECT_EQ(GW_WS_TOO_LONG, read_head(SPAN("\x82\x85"), 4));
	EXPECT_EQ(GW_AGAIN, read_head(SPAN("\x82\xFE\x04\x00"), 1024));
}

TEST(ws_frame, lets_control_frames_pass_a_small_message_limit)
{
	EXPECT_EQ(GW_OK, read_head(SPAN("\x89\x85mask"), 0));
}

TEST(ws_frame, waits_for_every_byte_of_a_head)
{
	struct span whole = SPAN("\x82\xFF\0\0\0\0\0\x01\0\0mask");

	for (uint32_t n = 0; n < whole.len; n++) {
		struct span in = span_cut(whole, 0, n);
		struct ws_frame frame = {.payload_len = 7};

		EXPECT_EQ(GW_AGAIN, ws_frame_read(&in, 1 << 20, &frame));
		EXPECT_EQ(n, in.len);
		EXPECT_EQ(7, frame.payload_len);
	}
}

TEST(ws_frame, unmasks_any_length_at_any_place_as_a_byte_loop_does)
{
	const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	uint8_t bytes[64], expected[64];

	for (uint32_t offset = 0; offset < 9; offset++)
		for (uint32_t n = 0; n <= 40; n++) {
			for (uint32_t i = 0; i < sizeof(bytes); i++)
				bytes[i] = expected[i] = (uint8_t)(i * 37);
			for (uint32_t i = 0; i < n; i++)
				expected[3 + i] ^= mask[(offset + i) % 4];
			ws_unmask(bytes + 3, n, mask, offset);
			EXPECT_BYTES(expected, bytes, sizeof(bytes));
		}
}

static struct span head_of(uint32_t n, uint8_t buffer[WS_HEAD_MAX])
{
	struct writer out;

	writer_init(&out, buffer, WS_HEAD_MAX);
	ws_head_write(WS_BINARY, n, &out);
	EXPECT(writer_ok(&out));
	return writer_span(&out);
}

TEST(ws_frame, writes_heads_with_the_shortest_length)
{
	uint8_t b[WS_HEAD_MAX];

	EXPECT_SPAN("\x82\x00", head_of(0, b));
	EXPECT_SPAN("\x82\x7D", head_of(125, b));
	EXPECT_SPAN("\x82\x7E\x00\x7E", head_of(126, b));
	EXPECT_SPAN("\x82\x7E\x01\x00", head_of(256, b));
	EXPECT_SPAN("\x82\x7E\xFF\xFF", head_of(65535, b));
	EXPECT_SPAN("\x82\x7F\0\0\0\0\0\x01\0\0", head_of(65536, b));
}

static struct span close_of(uint16_t code, struct span reason, uint8_t buffer[128])
{
	struct writer out;

	writer_init(&out, buffer, 128);
	ws_close_write(code, reason, &out);
	EXPECT(writer_ok(&out));
	return writer_span(&out);
}

TEST(ws_frame, writes_a_close_frame_with_code_and_reason)
{
	uint8_t b[128];

	EXPECT_SPAN("\x88\x05\x03\xF0why", close_of(1008, SPAN("why"), b));
	EXPECT_SPAN("\x88\x02\x03\xE9", close_of(1001, SPAN(""), b));
	EXPECT_SPAN("\x88\x00", close_of(0, SPAN("unused"), b));
}

TEST(ws_frame, never_writes_the_close_codes_that_may_not_be_sent)
{
	uint8_t b[128];

	EXPECT_SPAN("\x88\x02\x03\xE8", close_of(1005, SPAN(""), b));
	EXPECT_SPAN("\x88\x02\x03\xE8", close_of(1006, SPAN(""), b));
	EXPECT_SPAN("\x88\x02\x03\xE8", close_of(1015, SPAN(""), b));
}

TEST(ws_frame, cuts_a_long_close_reason_between_characters)
{
	char reason[200];
	uint8_t b[128];
	struct span frame;

	memset(reason, 'x', sizeof(reason));
	frame = close_of(1000, span_of(reason, sizeof(reason)), b);
	EXPECT_EQ(2 + 125, frame.len);
	memcpy(reason + 122, "\xE2\x82\xAC", 3); /* would be cut after its first byte */
	frame = close_of(1000, span_of(reason, sizeof(reason)), b);
	EXPECT_EQ(2 + 2 + 122, frame.len);
	EXPECT_EQ(2 + 122, b[1]);
}

TEST(ws_frame, gives_every_failure_its_close_code)
{
	EXPECT_EQ(1002, ws_close_code(GW_WS_UNMASKED));
	EXPECT_EQ(1002, ws_close_code(GW_WS_RESERVED));
	EXPECT_EQ(1002, ws_close_code(GW_WS_CONTROL));
	EXPECT_EQ(1002, ws_close_code(GW_WS_FRAGMENT));
	EXPECT_EQ(1002, ws_close_code(GW_WS_LENGTH));
	EXPECT_EQ(1002, ws_close_code(GW_WS_CLOSE_CODE));
	EXPECT_EQ(1002, ws_close_code(GW_SIP_START_LINE));
	EXPECT_EQ(1007, ws_close_code(GW_WS_UTF8));
	EXPECT_EQ(1009, ws_close_code(GW_WS_TOO_LONG));
	EXPECT_EQ(1009, ws_close_code(GW_SIP_TOO_LONG));
	EXPECT_EQ(1008, ws_close_code(GW_TIMEOUT));
	EXPECT_EQ(1008, ws_close_code(GW_TOKEN_EXPIRED));
	EXPECT_EQ(1008, ws_close_code(GW_IDENTITY_FOREIGN));
	EXPECT_EQ(1008, ws_close_code(GW_WS_SILENT));
	EXPECT_EQ(1001, ws_close_code(GW_STOPPING));
	EXPECT_EQ(1011, ws_close_code(GW_INVARIANT));
	EXPECT_EQ(1011, ws_close_code(GW_NO_MEMORY));
	EXPECT_EQ(1000, ws_close_code(GW_WS_CLOSED));
}

TEST(ws_frame, gives_no_error_a_close_code_that_may_not_be_sent)
{
	for (int err = 0; err < GW_ERR_COUNT; err++) {
		uint16_t code = ws_close_code((enum gw_err)err);

		EXPECT(code >= 1000 && code <= 1011 && code != 1004 && code != 1005 &&
		       code != 1006);
	}
}

TEST_MAIN("ws_frame", RUN(ws_frame, reads_the_masked_hello_of_rfc_6455),
	  RUN(ws_frame, reads_lengths_of_seven_sixteen_and_sixty_four_bits),
	  RUN(ws_frame, refuses_a_client_frame_without_a_mask),
	  RUN(ws_frame, refuses_reserved_bits_at_the_first_byte),
	  RUN(ws_frame, refuses_reserved_opcodes), RUN(ws_frame, refuses_fragmented_control_frames),
	  RUN(ws_frame, refuses_control_frames_longer_than_125_bytes),
	  RUN(ws_frame, refuses_lengths_not_in_their_shortest_form),
	  RUN(ws_frame, refuses_a_length_above_the_limit_before_the_mask_is_there),
	  RUN(ws_frame, lets_control_frames_pass_a_small_message_limit),
	  RUN(ws_frame, waits_for_every_byte_of_a_head),
	  RUN(ws_frame, unmasks_any_length_at_any_place_as_a_byte_loop_does),
	  RUN(ws_frame, writes_heads_with_the_shortest_length),
	  RUN(ws_frame, writes_a_close_frame_with_code_and_reason),
	  RUN(ws_frame, never_writes_the_close_codes_that_may_not_be_sent),
	  RUN(ws_frame, cuts_a_long_close_reason_between_characters),
	  RUN(ws_frame, gives_every_failure_its_close_code),
	  RUN(ws_frame, gives_no_error_a_close_code_that_may_not_be_sent))
