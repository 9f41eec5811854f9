/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"
#include "test.h"

#define LENGTH_MAX 2100u
#define ROUNDS 20000u

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* RFC 1071 1, word by word */
static uint16_t naive(struct span bytes)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < bytes.len; i++) {
		sum += (uint32_t)bytes.at[i] << (i % 2 == 0 ? 8 : 0);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

static uint16_t ours(struct span bytes)
{
	return checksum_fold(checksum_add(0, bytes));
}

static void fill(uint8_t *at, uint32_t n, uint32_t *seed)
{
	uint32_t kind = next_random(seed) % 4;

	for (uint32_t i = 0; i < n; i++)
		at[i] = kind == 0 ? 0xff : kind == 1 ? 0 : (uint8_t)next_random(seed);
}

TEST(checksum, is_that_of_the_example_in_rfc_1071)
{
	/* RFC 1071 3: 0001 f203 f4f5 f6f7 add up to ddf2 */
	EXPECT_EQ(0xffff & ~0xddf2, ours(SPAN("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7")));
}

TEST(checksum, of_nothing_is_all_ones)
{
	EXPECT_EQ(0xffff, ours(span_of(NULL, 0)));
	EXPECT_EQ(0xffff, ours(SPAN("\0\0\0")));
}

TEST(checksum, pads_an_odd_length_with_zero)
{
	EXPECT_EQ(ours(SPAN("\x12\x34\x56\x00")), ours(SPAN("\x12\x34\x56")));
	EXPECT_EQ(0xffff & ~0x5600, ours(SPAN("\x56")));
}

TEST(checksum, agrees_with_the_naive_sum_at_any_length_and_alignment)
{
	uint32_t seed = 1;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t skew = next_random(&seed) % 16;
		uint32_t len = next_random(&seed) % (round % 2 == 0 ? 80 : LENGTH_MAX);
		uint8_t *block = malloc(skew + len + (skew + len == 0)); /* ends where it ends */
		struct span bytes = span_of(block + skew, len);

		EXPECT(block != NULL);
		fill(block, skew + len, &seed);
		EXPECT_EQ(naive(bytes), ours(bytes));
		free(block);
	}
}

TEST(checksum, of_parts_is_that_of_the_whole_when_they_are_even)
{
	uint32_t seed = 2;
	uint8_t block[512];

	for (uint32_t cut = 0; cut <= sizeof(block); cut += 2) {
		struct span whole = span_of(block, sizeof(block) - 1);
		uint64_t sum;

		fill(block, sizeof(block), &seed);
		sum = checksum_add(0, span_cut(whole, 0, cut));
		EXPECT_EQ(naive(whole), checksum_fold(checksum_add(sum, span_from(whole, cut))));
	}
}

TEST(checksum, carries_around_at_the_top)
{
	/* a sum at the end of 64 bits goes on with 1, and not with 0 */
	EXPECT_EQ(ours(SPAN("\xff\xff\x00\x02")),
		  checksum_fold(checksum_add(UINT64_MAX, SPAN("\x00\x02"))));
	EXPECT_EQ(0, checksum_fold(UINT64_MAX));
}

TEST(checksum, of_what_has_its_own_checksum_in_it_is_zero)
{
	uint32_t seed = 3;
	uint8_t block[64];

	for (uint32_t round = 0; round < 1000; round++) {
		uint16_t sum;

		fill(block, sizeof(block), &seed);
		block[10] = block[11] = 0;
		sum = ours(span_of(block, sizeof(block)));
		block[10] = (uint8_t)(sum >> 8);
		block[11] = (uint8_t)sum;
		EXPECT_EQ(0, ours(span_of(block, sizeof(block))));
	}
}

TEST(checksum, of_the_ipv4_pseudo_header_is_that_of_rfc_768)
{
	static const uint8_t from[4] = {198, 18, 0, 1}, to[4] = {198, 18, 255, 254};
	struct ip_address src = ip_address_v4(from), dst = ip_address_v4(to);

	EXPECT_EQ(naive(SPAN("\xc6\x12\x00\x01\xc6\x12\xff\xfe\x00\x11\x12\x34")),
		  checksum_fold(checksum_pseudo(&src, &dst, IPPROTO_UDP, 0x1234)));
}

TEST(checksum, of_the_ipv6_pseudo_header_is_that_of_rfc_8200)
{
	struct ip_address src = {{0xfd, 0, 0, 0x18, [15] = 1}};
	struct ip_address dst = {{0xff, 2, [11] = 1, [12] = 0xff, [15] = 9}};
	uint8_t block[40];
	struct writer w;

	writer_init(&w, block, sizeof(block));
	writer_bytes(&w, src.bytes, 16);
	writer_bytes(&w, dst.bytes, 16);
	writer_u32_be(&w, 0x12345);
	writer_u32_be(&w, IPPROTO_ICMPV6);
	EXPECT_EQ(naive(writer_span(&w)),
		  checksum_fold(checksum_pseudo(&src, &dst, IPPROTO_ICMPV6, 0x12345)));
}

TEST(checksum, is_believed_verified_or_refused_as_the_device_says)
{
	EXPECT(checksum_accept(PACKET_CHECKSUM_GOOD, 0x1234));
	EXPECT(checksum_accept(PACKET_CHECKSUM_NONE, 0x1234));
	EXPECT(!checksum_accept(PACKET_CHECKSUM_BAD, 0));
	EXPECT(checksum_accept(PACKET_CHECKSUM_UNKNOWN, 0));
	EXPECT(!checksum_accept(PACKET_CHECKSUM_UNKNOWN, 1));
}

TEST_MAIN("net_checksum", RUN(checksum, is_that_of_the_example_in_rfc_1071),
	  RUN(checksum, of_nothing_is_all_ones), RUN(checksum, pads_an_odd_length_with_zero),
	  RUN(checksum, agrees_with_the_naive_sum_at_any_length_and_alignment),
	  RUN(checksum, of_parts_is_that_of_the_whole_when_they_are_even),
	  RUN(checksum, carries_around_at_the_top),
	  RUN(checksum, of_what_has_its_own_checksum_in_it_is_zero),
	  RUN(checksum, of_the_ipv4_pseudo_header_is_that_of_rfc_768),
	  RUN(checksum, of_the_ipv6_pseudo_header_is_that_of_rfc_8200),
	  RUN(checksum, is_believed_verified_or_refused_as_the_device_says))
