/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include "test.h"
#include "writer.h"

#include <arpa/inet.h>

#define MACS "\x02\x00\x00\x00\x00\x0a\x02\x00\x00\x00\x00\x0b"
#define MACS_SWAPPED "\x02\x00\x00\x00\x00\x0b\x02\x00\x00\x00\x00\x0a"

static struct frame made(struct span bytes)
{
	struct frame frame = {.len = bytes.len};

	memcpy(frame.bytes, bytes.at, bytes.len);
	return frame;
}

static struct span seen(const struct frame *frame)
{
	return span_of(frame->bytes, frame->len);
}

/** The sum over bytes that have a right checksum in them. */
static uint32_t summed(uint32_t start, struct span bytes)
{
	uint16_t word;

	while (span_u16_be(&bytes, &word))
		start += word;
	return (start & 0xffff) + (start >> 16);
}

TEST(frame, gets_a_tag_and_loses_it_again)
{
	struct frame frame = made(SPAN(MACS "\x08\x06"
					    "arp"));

	EXPECT(frame_tag(&frame, 18));
	EXPECT_SPAN(MACS "\x81\x00\x00\x12\x08\x06"
			 "arp",
		    seen(&frame));
	EXPECT(frame_untag(&frame, 18));
	EXPECT_SPAN(MACS "\x08\x06"
			 "arp",
		    seen(&frame));
}

TEST(frame, loses_a_tag_whatever_its_priority_and_only_the_one_meant)
{
	struct frame frame = made(SPAN(MACS "\x81\x00\xe0\x12\x08\x06"
					    "arp"));

	EXPECT(!frame_untag(&frame, 19));
	EXPECT_EQ(21, frame.len);
	EXPECT(frame_untag(&frame, 18));
	EXPECT(!frame_untag(&frame, 18));
	EXPECT_SPAN(MACS "\x08\x06"
			 "arp",
		    seen(&frame));
}

TEST(frame, is_left_alone_when_it_is_too_short_for_a_tag_or_too_long)
{
	struct frame frame = made(SPAN(MACS "\x81"));

	EXPECT(!frame_tag(&frame, 18));
	EXPECT(!frame_untag(&frame, 18));
	EXPECT_EQ(13, frame.len);
	frame = made(SPAN(MACS "\x81\x00\x00"));
	EXPECT(!frame_untag(&frame, 0));
	frame.len = FRAME_MAX - FRAME_TAG_LEN + 1;
	EXPECT(!frame_tag(&frame, 18));
}

TEST(frame, has_one_bit_turned_over_behind_its_header_and_none_in_it)
{
	for (uint64_t bit = 0; bit < 100; bit++) {
		struct frame frame = made(SPAN(MACS "\x08\x00"
						    "\0\0\0"));
		uint32_t bits = 0;

		frame_flip(&frame, bit);
		EXPECT_BYTES(MACS "\x08\x00", frame.bytes, 14);
		for (uint32_t i = 14; i < frame.len; i++)
			bits += (uint32_t)__builtin_popcount(frame.bytes[i]);
		EXPECT_EQ(1, bits);
	}
}

TEST(frame, without_anything_behind_its_header_is_not_flipped)
{
	struct frame frame = made(SPAN(MACS "\x08\x00"));

	frame_flip(&frame, 3);
	EXPECT_SPAN(MACS "\x08\x00", seen(&frame));
	frame.len = 5;
	frame_flip(&frame, 3);
	EXPECT_EQ(0, frame_packet_len(&frame));
}

TEST(frame, gets_the_checksum_that_its_sender_left_to_a_device)
{
	/* UDP of 3 bytes; the sender left the sum of the pseudo-header, here 0x1234 */
	struct frame frame = made(SPAN(MACS "\x08\x00"
					    "\x13\xc4\x13\xc4\x00\x0b\x12\x34"
					    "abc"));

	frame_finish_checksum(&frame, 14, 6);
	/* 1234 + 13c4 + 13c4 + 000b + 6162 + 6300 = fe29: what is left is its complement */
	EXPECT_SPAN(MACS "\x08\x00"
			 "\x13\xc4\x13\xc4\x00\x0b\x01\xd6"
			 "abc",
		    seen(&frame));
	frame_finish_checksum(&frame, 14, 10);
	frame_finish_checksum(&frame, 4000, 0);
	EXPECT_SPAN(MACS "\x08\x00"
			 "\x13\xc4\x13\xc4\x00\x0b\x01\xd6"
			 "abc",
		    seen(&frame));
}

/* ---- "too big" ---------------------------------------------------------------------------------
 */

static struct frame_router router(void)
{
	struct frame_router r = {.v4 = true, .v6 = true};

	inet_pton(AF_INET, "198.18.1.1", &r.address4);
	inet_pton(AF_INET6, "fd00:18:1::1", &r.address6);
	return r;
}

/** 1400 bytes from 198.18.1.10 to 198.18.9.9. */
static struct frame big_4(const char *fragment)
{
	struct frame frame = {.len = 14 + 1400};

	memcpy(frame.bytes,
	       MACS "\x08\x00"
		    "\x45\x00\x05\x78\x00\x07\x40\x00\x40\x11\x00\x00"
		    "\xc6\x12\x01\x0a\xc6\x12\x09\x09"
		    "\x13\xc4\x13\xc4",
	       38);
	memcpy(frame.bytes + 20, fragment, 2);
	return frame;
}

static struct frame big_6(uint8_t next, uint8_t type)
{
	struct frame frame = {.len = 14 + 1400};

	memcpy(frame.bytes,
	       MACS "\x86\xdd"
		    "\x60\x00\x00\x00\x05\x50\x11\x40",
	       22);
	inet_pton(AF_INET6, "fd00:18:1::10", frame.bytes + 22);
	inet_pton(AF_INET6, "fd00:18:9::9", frame.bytes + 38);
	frame.bytes[20] = next;
	frame.bytes[54] = type;
	return frame;
}

TEST(router, says_fragmentation_needed_to_the_sender)
{
	struct frame about = big_4("\x40\x00"), answer;
	struct frame_router r = router();
	struct span bytes;

	EXPECT(frame_too_big(&about, &r, 1300, &answer));
	bytes = seen(&answer);
	EXPECT_SPAN(MACS_SWAPPED "\x08\x00", span_cut(bytes, 0, 14));
	EXPECT_SPAN("\x45\x00\x02\x40", span_cut(bytes, 14, 4)); /* 576 bytes */
	EXPECT_SPAN("\xc6\x12\x01\x01\xc6\x12\x01\x0a", span_cut(bytes, 26, 8));
	EXPECT_SPAN("\x03\x04", span_cut(bytes, 34, 2));
	EXPECT_SPAN("\x00\x00\x05\x14", span_cut(bytes, 38, 4)); /* 1300 */
	EXPECT(span_equal(span_cut(seen(&about), 14, 548), span_from(bytes, 42)));
	EXPECT_EQ(0xffff, summed(0, span_cut(bytes, 14, 20)));
	EXPECT_EQ(0xffff, summed(0, span_from(bytes, 34)));
}

TEST(router, says_packet_too_big_to_the_sender)
{
	struct frame about = big_6(IPPROTO_UDP, 0), answer;
	struct frame_router r = router();
	struct span bytes;

	EXPECT(frame_too_big(&about, &r, 1300, &answer));
	bytes = seen(&answer);
	EXPECT_SPAN(MACS_SWAPPED "\x86\xdd", span_cut(bytes, 0, 14));
	EXPECT_EQ(14 + 1280, bytes.len);
	EXPECT(span_equal(span_cut(seen(&about), 22, 16), span_cut(bytes, 38, 16)));
	EXPECT_SPAN("\x02\x00", span_cut(bytes, 54, 2));
	EXPECT_SPAN("\x00\x00\x05\x14", span_cut(bytes, 58, 4));
	/* addresses, length 1240, next header 58, and the message */
	EXPECT_EQ(0xffff, summed(1240 + IPPROTO_ICMPV6, span_from(bytes, 22)));
}

TEST(router, says_nothing_about_what_may_be_fragmented_or_was)
{
	struct frame_router r = router();
	struct frame about = big_4("\x00\x00"), answer;

	EXPECT(!frame_too_big(&about, &r, 1300, &answer));
	about = big_4("\x40\x20"); /* not the first */
	EXPECT(!frame_too_big(&about, &r, 1300, &answer));
}

TEST(router, says_nothing_about_errors_and_much_about_echoes)
{
	struct frame about = big_6(IPPROTO_ICMPV6, 2), answer;
	struct frame_router r = router();

	EXPECT(!frame_too_big(&about, &r, 1300, &answer));
	about = big_6(IPPROTO_ICMPV6, 128);
	EXPECT(frame_too_big(&about, &r, 1300, &answer));
}

TEST(router, says_nothing_in_a_protocol_it_has_no_address_of_or_about_scraps)
{
	struct frame about = big_4("\x40\x00"), answer;
	struct frame_router none = {0}, r = router();

	EXPECT(!frame_too_big(&about, &none, 1300, &answer));
	about.len = 14 + 19;
	EXPECT(!frame_too_big(&about, &r, 10, &answer));
	about = big_6(IPPROTO_UDP, 0);
	EXPECT(!frame_too_big(&about, &none, 1300, &answer));
	about.len = 14 + 40;
	EXPECT(!frame_too_big(&about, &r, 10, &answer));
	about.bytes[13] = 0x06; /* neither */
	EXPECT(!frame_too_big(&about, &r, 10, &answer));
}

TEST_MAIN("wirebox frame", RUN(frame, gets_a_tag_and_loses_it_again),
	  RUN(frame, loses_a_tag_whatever_its_priority_and_only_the_one_meant),
	  RUN(frame, is_left_alone_when_it_is_too_short_for_a_tag_or_too_long),
	  RUN(frame, has_one_bit_turned_over_behind_its_header_and_none_in_it),
	  RUN(frame, without_anything_behind_its_header_is_not_flipped),
	  RUN(frame, gets_the_checksum_that_its_sender_left_to_a_device),
	  RUN(router, says_fragmentation_needed_to_the_sender),
	  RUN(router, says_packet_too_big_to_the_sender),
	  RUN(router, says_nothing_about_what_may_be_fragmented_or_was),
	  RUN(router, says_nothing_about_errors_and_much_about_echoes),
	  RUN(router, says_nothing_in_a_protocol_it_has_no_address_of_or_about_scraps))
