/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "proxy/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
/* 198.51.100.7:40001 to 198.18.0.10:443, and the same over IPv6 */
#define TCP4 "\xc6\x33\x64\x07\xc6\x12\x00\x0a\x9c\x41\x01\xbb"
#define TCP6 \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07" \
	"\xfd\0\0\x18\0\0\0\0\0\0\0\0\0\0\0\x10\x9c\x41\x01\xbb"
#define FOUR SIGNATURE "\x21\x11\x00\x0c" TCP4
#define SIX SIGNATURE "\x21\x21\x00\x24" TCP6
/* CRC32C of the header with zeros in its place, of another implementation */
#define SUMMED_HEAD SIGNATURE "\x21\x11\x00\x13" TCP4 "\x03\x00\x04"
#define SUMMED SUMMED_HEAD "\x27\xcf\xb4\x9b"

/* the first one is right for the header as it is, the second one is not looked at */
#define TWICE \
	SIGNATURE "\x21\x11\x00\x1a" TCP4 "\x03\x00\x04\xc9\xb3\x87\xea" \
		  "\x03\x00\x04\0\0\0\0"

static void expect_refused(struct span in)
{
	struct proxy_header h = proxy_read(in);

	EXPECT_EQ(GW_PROXY_HEADER, h.err);
	EXPECT_EQ(0, h.used);
}

static void expect_client(const char *text, struct span in)
{
	struct proxy_header h = proxy_read(in);
	char seen[ENDPOINT_TEXT_MAX];

	EXPECT_EQ(GW_OK, h.err);
	EXPECT(!h.local);
	EXPECT_TEXT(text, endpoint_format(&h.client, seen));
}

TEST(proxy, names_the_client_over_ipv4)
{
	EXPECT_EQ(28, proxy_read(SPAN(FOUR)).used);
	expect_client("198.51.100.7:40001", SPAN(FOUR));
}

TEST(proxy, names_the_client_over_ipv6)
{
	EXPECT_EQ(52, proxy_read(SPAN(SIX)).used);
	expect_client("[2001:db8::7]:40001", SPAN(SIX));
}

TEST(proxy, takes_the_balancer_at_its_own_word_for_itself)
{
	struct proxy_header h = proxy_read(SPAN(SIGNATURE "\x20\x00\x00\x00"));

	EXPECT_EQ(GW_OK, h.err);
	EXPECT(h.local);
	EXPECT_EQ(16, h.used);
}

TEST(proxy, skips_whatever_stands_in_a_local_header)
{
	struct proxy_header h = proxy_read(SPAN(SIGNATURE "\x20\x7f\x00\x05"
							  "\x03\xff\xff\xff\xff"));

	EXPECT_EQ(GW_OK, h.err);
	EXPECT(h.local);
	EXPECT_EQ(21, h.used);
}

TEST(proxy, leaves_the_bytes_of_the_client_alone)
{
	EXPECT_EQ(28, proxy_read(SPAN(FOUR "\x16\x03\x01")).used);
}

static void expect_again_at_every_cut(struct span whole)
{
	for (uint32_t n = 0; n < whole.len; n++) {
		struct proxy_header h = proxy_read(span_cut(whole, 0, n));

		EXPECT_EQ(GW_AGAIN, h.err);
		EXPECT_EQ(0, h.used);
	}
	EXPECT_EQ(GW_OK, proxy_read(whole).err);
}

TEST(proxy, asks_for_more_at_every_cut)
{
	expect_again_at_every_cut(SPAN(FOUR));
	expect_again_at_every_cut(SPAN(SIX));
	expect_again_at_every_cut(SPAN(SUMMED));
	expect_again_at_every_cut(SPAN(SIGNATURE "\x20\x00\x00\x02zz"));
}

TEST(proxy, refuses_another_signature_at_its_first_wrong_byte)
{
	uint8_t bytes[12];

	for (uint32_t i = 0; i < sizeof(bytes); i++) {
		memcpy(bytes, SIGNATURE, sizeof(bytes));
		bytes[i] ^= 0x20;
		EXPECT_EQ(GW_AGAIN, proxy_read(span_of(bytes, i)).err);
		expect_refused(span_of(bytes, i + 1));
	}
}

TEST(proxy, refuses_a_client_that_comes_without_a_header)
{
	expect_refused(SPAN("\x16")); /* TLS */
	expect_refused(SPAN("GET / HTTP/1.1\r\n"));
	expect_refused(SPAN("PROXY TCP4 ")); /* version 1 */
}

TEST(proxy, refuses_other_versions_and_commands)
{
	expect_refused(SPAN(SIGNATURE "\x11"));
	expect_refused(SPAN(SIGNATURE "\x22"));
	expect_refused(SPAN(SIGNATURE "\x31"));
	expect_refused(SPAN(SIGNATURE "\x01"));
}

TEST(proxy, refuses_clients_that_are_not_on_tcp)
{
	expect_refused(SPAN(SIGNATURE "\x21\x00\x00\x00"));
	expect_refused(SPAN(SIGNATURE "\x21\x00\x00\x0c" TCP4));
	expect_refused(SPAN(SIGNATURE "\x21\x12\x00\x0c" TCP4));
	expect_refused(SPAN(SIGNATURE "\x21\x22\x00\x24" TCP6));
	expect_refused(SPAN(SIGNATURE "\x21\x41\x00\x0c" TCP4));
}

TEST(proxy, refuses_a_length_too_short_for_the_addresses)
{
	expect_refused(SPAN(SIGNATURE "\x21\x11\x00\x0b" TCP4));
	expect_refused(SPAN(SIGNATURE "\x21\x11\x00\x00" TCP4));
	expect_refused(SPAN(SIGNATURE "\x21\x21\x00\x23" TCP6));
	expect_refused(SPAN(SIGNATURE "\x21\x21\x00\x0c" TCP4));
}

TEST(proxy, refuses_a_length_past_its_bound_without_waiting)
{
	expect_refused(SPAN(SIGNATURE "\x21\x11\x07\xf1"));
	expect_refused(SPAN(SIGNATURE "\x20\x00\xff\xff"));
	EXPECT_EQ(GW_AGAIN, proxy_read(SPAN(SIGNATURE "\x21\x11\x07\xf0")).err);
}

TEST(proxy, skips_what_is_added)
{
	expect_client("198.51.100.7:40001",
		      SPAN(SIGNATURE "\x21\x11\x00\x1a" TCP4 "\x02\x00\x04shop"
				     "\xea\x00\x00"
				     "\x04\x00\x01z"));
}

TEST(proxy, refuses_additions_that_do_not_fill_the_rest)
{
	expect_refused(SPAN(SIGNATURE "\x21\x11\x00\x0d" TCP4 "\x04"));
	expect_refused(SPAN(SIGNATURE "\x21\x11\x00\x0e" TCP4 "\x04\x00"));
	expect_refused(SPAN(SIGNATURE "\x21\x11\x00\x0f" TCP4 "\x04\x00\x01"));
	/* the byte that is missing may not be the client's */
	expect_refused(SPAN(SIGNATURE "\x21\x11\x00\x0f" TCP4 "\x04\x00\x01"
				      "\x16"));
}

TEST(proxy, accepts_a_right_checksum)
{
	expect_client("198.51.100.7:40001", SPAN(SUMMED));
	expect_client("198.51.100.7:40001", SPAN(SUMMED "client"));
}

TEST(proxy, refuses_a_header_with_any_bit_changed_under_a_checksum)
{
	uint8_t bytes[sizeof(SUMMED) - 1];

	for (uint32_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		enum gw_err err;

		memcpy(bytes, SUMMED, sizeof(bytes));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* LOCAL ignores all that follows; a longer length waits; another type is no
		 * checksum */
		err = proxy_read(span_of(bytes, sizeof(bytes))).err;
		if (bit / 8 == 12 && bit % 8 == 0)
			EXPECT_EQ(GW_OK, err);
		else if (bit / 8 == 28)
			EXPECT_EQ(GW_OK, err);
		else
			EXPECT(err != GW_OK);
	}
}

TEST(proxy, refuses_a_checksum_of_another_length_or_a_second_one)
{
	expect_refused(SPAN(SIGNATURE "\x21\x11\x00\x12" TCP4 "\x03\x00\x03zzz"));
	expect_refused(SPAN(SIGNATURE "\x21\x11\x00\x14" TCP4 "\x03\x00\x05zzzzz"));
	expect_refused(SPAN(TWICE));
}

TEST_MAIN("proxy", RUN(proxy, names_the_client_over_ipv4), RUN(proxy, names_the_client_over_ipv6),
	  RUN(proxy, takes_the_balancer_at_its_own_word_for_itself),
	  RUN(proxy, skips_whatever_stands_in_a_local_header),
	  RUN(proxy, leaves_the_bytes_of_the_client_alone), RUN(proxy, asks_for_more_at_every_cut),
	  RUN(proxy, refuses_another_signature_at_its_first_wrong_byte),
	  RUN(proxy, refuses_a_client_that_comes_without_a_header),
	  RUN(proxy, refuses_other_versions_and_commands),
	  RUN(proxy, refuses_clients_that_are_not_on_tcp),
	  RUN(proxy, refuses_a_length_too_short_for_the_addresses),
	  RUN(proxy, refuses_a_length_past_its_bound_without_waiting),
	  RUN(proxy, skips_what_is_added), RUN(proxy, refuses_additions_that_do_not_fill_the_rest),
	  RUN(proxy, accepts_a_right_checksum),
	  RUN(proxy, refuses_a_header_with_any_bit_changed_under_a_checksum),
	  RUN(proxy, refuses_a_checksum_of_another_length_or_a_second_one))
