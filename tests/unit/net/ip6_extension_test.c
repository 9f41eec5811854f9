/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#define LENGTH_AT 4u
#define NEXT_AT 6u
#define TEXT "behind all headers"

static struct bytes packet(void)
{
	return ip_bytes("fd00:18::1", "fd00:18::2", IPPROTO_UDP, SPAN(TEXT));
}

static struct ip_packet read(const struct bytes *b)
{
	return read_ip6(bytes_span(b));
}

/* Puts an extension header behind the IPv6 header; its next header is what was the first. */
static void push(struct bytes *b, uint8_t kind, const char *header, uint32_t n)
{
	bytes_insert(b, IP6_LEN, header, n);
	b->at[IP6_LEN] = b->at[NEXT_AT];
	b->at[NEXT_AT] = kind;
	bytes_put16(b, LENGTH_AT, (uint16_t)(b->len - IP6_LEN));
}

#define PUSH(b, kind, header) push(b, kind, header, sizeof(header) - 1)
#define PADDED "?\0\x01\x04\0\0\0\0"				     /* one PadN */
#define ROUTED "?\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0" /* type 0, nothing left */
#define FRAGMENT(field) "?\0" field "\x01\x02\x03\x04"

static enum gw_err with(uint8_t kind, const char *header, uint32_t n)
{
	struct bytes b = packet();

	push(&b, kind, header, n);
	return read(&b).err;
}

#define WITH(kind, header) with(kind, header, sizeof(header) - 1)

TEST(extension, cut_at_any_byte_is_refused)
{
	struct bytes b = packet();
	uint32_t headers_end;

	PUSH(&b, IPPROTO_FRAGMENT, FRAGMENT("\0\0"));
	PUSH(&b, IPPROTO_ROUTING, ROUTED);
	PUSH(&b, IPPROTO_DSTOPTS, PADDED);
	PUSH(&b, IPPROTO_HOPOPTS, PADDED);
	headers_end = b.len - (sizeof(TEXT) - 1);
	for (uint32_t n = IP6_LEN; n <= b.len; n++) {
		bytes_put16(&b, LENGTH_AT, (uint16_t)(n - IP6_LEN));
		EXPECT_EQ(n < headers_end ? GW_IP_EXTENSION : GW_OK,
			  read_ip6(span_of(b.at, n)).err);
	}
}

TEST(extension, that_says_nothing_is_skipped)
{
	struct bytes b = packet();

	PUSH(&b, IPPROTO_DSTOPTS, PADDED);
	PUSH(&b, IPPROTO_ROUTING, ROUTED);
	PUSH(&b, IPPROTO_DSTOPTS, PADDED);
	PUSH(&b, IPPROTO_HOPOPTS, PADDED);
	EXPECT_EQ(GW_OK, read(&b).err);
	EXPECT_EQ(IPPROTO_UDP, read(&b).protocol);
	EXPECT_SPAN(TEXT, read(&b).payload);
	EXPECT(!read(&b).fragment);
}

TEST(extension, number_five_is_refused)
{
	struct bytes b = packet();

	for (uint32_t n = 1; n < 12; n++) {
		PUSH(&b, IPPROTO_DSTOPTS, PADDED);
		EXPECT_EQ(n <= 4 ? GW_OK : GW_IP_EXTENSION, read(&b).err);
	}
}

TEST(extension, a_fragment_header_counts_as_one_of_four)
{
	struct bytes b = packet();

	PUSH(&b, IPPROTO_FRAGMENT, FRAGMENT("\0\0"));
	for (uint32_t n = 1; n <= 3; n++)
		PUSH(&b, IPPROTO_DSTOPTS, PADDED);
	EXPECT_EQ(GW_OK, read(&b).err);
	PUSH(&b, IPPROTO_DSTOPTS, PADDED);
	EXPECT_EQ(GW_IP_EXTENSION, read(&b).err);
}

TEST(extension, hop_by_hop_options_stand_first_or_are_refused)
{
	struct bytes b = packet();

	PUSH(&b, IPPROTO_HOPOPTS, PADDED);
	EXPECT_EQ(GW_OK, read(&b).err);
	PUSH(&b, IPPROTO_DSTOPTS, PADDED);
	EXPECT_EQ(GW_IP_EXTENSION, read(&b).err);
	b = packet();
	PUSH(&b, IPPROTO_HOPOPTS, PADDED);
	PUSH(&b, IPPROTO_HOPOPTS, PADDED);
	EXPECT_EQ(GW_IP_EXTENSION, read(&b).err);
}

TEST(extension, routing_headers_with_segments_left_are_refused)
{
	EXPECT_EQ(GW_OK, WITH(IPPROTO_ROUTING, ROUTED));
	EXPECT_EQ(GW_OK, WITH(IPPROTO_ROUTING, "?\0\x02\0\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_ROUTING, "?\0\x02\x01\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_ROUTING, "?\0\0\xff\0\0\0\0"));
}

TEST(extension, that_is_not_looked_through_is_refused)
{
	static const uint8_t kinds[] = {IPPROTO_ESP, IPPROTO_AH, IPPROTO_NONE, IPPROTO_MH,
					139,	     140,	 253,	       254};

	for (uint32_t i = 0; i < sizeof(kinds); i++)
		EXPECT_EQ(GW_IP_EXTENSION, WITH(kinds[i], "?\0\0\0\0\0\0\0"));
}

TEST(extension, options_are_skipped_when_they_allow_it)
{
	EXPECT_EQ(GW_OK, WITH(IPPROTO_DSTOPTS, "?\0\0\0\0\0\0\0"));		/* six Pad1 */
	EXPECT_EQ(GW_OK, WITH(IPPROTO_DSTOPTS, "?\0\0\x01\x03\0\0\0"));		/* Pad1, PadN */
	EXPECT_EQ(GW_OK, WITH(IPPROTO_HOPOPTS, "?\0\x05\x02\0\0\x01\0"));	/* router alert */
	EXPECT_EQ(GW_OK, WITH(IPPROTO_DSTOPTS, "?\0\x3e\x04\xff\xff\xff\xff")); /* unknown, skip */
	EXPECT_EQ(GW_OK, WITH(IPPROTO_DSTOPTS, "?\0\x04\x01\x04\x01\x01\0"));	/* tunnel limit */
}

TEST(extension, options_that_forbid_to_be_skipped_are_refused)
{
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_DSTOPTS, "?\0\x7e\x04\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_DSTOPTS, "?\0\xbe\x04\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_HOPOPTS, "?\0\xfe\x04\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_DSTOPTS, "?\0\0\0\0\0\0\xc0"));
}

TEST(extension, options_that_do_not_fit_are_refused)
{
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_DSTOPTS, "?\0\x01\x05\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_DSTOPTS, "?\0\x01\xff\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_DSTOPTS, "?\0\0\0\0\0\0\x01"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_DSTOPTS, "?\0\x01\x03\0\0\0\x01"));
}

TEST(extension, longer_than_the_packet_is_refused)
{
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_DSTOPTS, "?\x03\x01\x04\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_HOPOPTS, "?\xff\x01\x04\0\0\0\0"));
	EXPECT_EQ(GW_IP_EXTENSION, WITH(IPPROTO_ROUTING, "?\xff\0\0\0\0\0\0"));
}

TEST(extension, jumbograms_are_refused)
{
	struct bytes b = packet();

	/* RFC 2675: payload length 0 and the length in an option, or both at odds */
	PUSH(&b, IPPROTO_HOPOPTS, "?\0\xc2\x04\0\x01\0\0");
	EXPECT_EQ(GW_IP_EXTENSION, read(&b).err);
	bytes_put16(&b, LENGTH_AT, 0);
	EXPECT_EQ(GW_IP_EXTENSION, read(&b).err);
	b = packet();
	PUSH(&b, IPPROTO_HOPOPTS, PADDED);
	bytes_put16(&b, LENGTH_AT, 0);
	EXPECT_EQ(GW_IP_EXTENSION, read(&b).err);
}

TEST(extension, fragments_say_what_they_are)
{
	struct bytes b = packet();
	struct ip_packet ip;

	PUSH(&b, IPPROTO_FRAGMENT, FRAGMENT("\x05\xa9"));
	ip = read(&b);
	EXPECT_EQ(GW_OK, ip.err);
	EXPECT(ip.fragment && ip.more);
	EXPECT_EQ(1448, ip.offset);
	EXPECT_EQ(0x01020304, ip.id);
	EXPECT_EQ(IPPROTO_UDP, ip.protocol);
	EXPECT_SPAN(TEXT, ip.payload);
	bytes_put16(&b, IP6_LEN + 2, 0xfff8);
	ip = read(&b);
	EXPECT(ip.fragment && !ip.more);
	EXPECT_EQ(65528, ip.offset);
	bytes_put16(&b, IP6_LEN + 2, 0x0001);
	ip = read(&b);
	EXPECT(ip.fragment && ip.more);
	EXPECT_EQ(0, ip.offset);
}

TEST(extension, reserved_bits_of_a_fragment_are_ignored)
{
	struct bytes b = packet();
	struct ip_packet ip;

	PUSH(&b, IPPROTO_FRAGMENT, "?\xff\0\x06\x01\x02\x03\x04");
	ip = read(&b);
	EXPECT_EQ(GW_OK, ip.err);
	EXPECT(ip.fragment && !ip.more);
	EXPECT_EQ(0, ip.offset);
}

TEST(extension, behind_a_fragment_header_is_refused)
{
	static const uint8_t kinds[] = {IPPROTO_HOPOPTS,  IPPROTO_DSTOPTS, IPPROTO_ROUTING,
					IPPROTO_FRAGMENT, IPPROTO_ESP,	   IPPROTO_AH,
					IPPROTO_NONE};

	for (uint32_t i = 0; i < sizeof(kinds); i++) {
		struct bytes b = packet();

		b.at[NEXT_AT] = kinds[i];
		PUSH(&b, IPPROTO_FRAGMENT, FRAGMENT("\0\x01"));
		EXPECT_EQ(GW_IP_EXTENSION, read(&b).err);
		bytes_put16(&b, IP6_LEN + 2, 0x0100);
		EXPECT_EQ(GW_IP_EXTENSION, read(&b).err);
	}
}

TEST_MAIN("net_ip6_extension", RUN(extension, cut_at_any_byte_is_refused),
	  RUN(extension, that_says_nothing_is_skipped), RUN(extension, number_five_is_refused),
	  RUN(extension, a_fragment_header_counts_as_one_of_four),
	  RUN(extension, hop_by_hop_options_stand_first_or_are_refused),
	  RUN(extension, routing_headers_with_segments_left_are_refused),
	  RUN(extension, that_is_not_looked_through_is_refused),
	  RUN(extension, options_are_skipped_when_they_allow_it),
	  RUN(extension, options_that_forbid_to_be_skipped_are_refused),
	  RUN(extension, options_that_do_not_fit_are_refused),
	  RUN(extension, longer_than_the_packet_is_refused), RUN(extension, jumbograms_are_refused),
	  RUN(extension, fragments_say_what_they_are),
	  RUN(extension, reserved_bits_of_a_fragment_are_ignored),
	  RUN(extension, behind_a_fragment_header_is_refused))
