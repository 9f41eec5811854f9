/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "bytes.h"

#define PORTS "\x13\xc4\xc0\x00"

static struct icmp_quote read_part(const struct bytes *b, uint32_t len, bool v6)
{
	struct span block = exact(span_of(b->at, len));
	struct icmp_quote quote = icmp_quote_read(block, v6);

	exact_free(block);
	return quote;
}

static struct icmp_quote read(const struct bytes *b)
{
	return read_part(b, b->len, b->at[0] >> 4 == 6);
}

static struct bytes quote4(uint8_t protocol)
{
	return ip_bytes("198.18.0.1", "198.18.0.2", protocol, SPAN(PORTS "seq!"));
}

static struct bytes quote6(uint8_t protocol)
{
	return ip_bytes("fd00:18::1", "fd00:18::2", protocol, SPAN(PORTS "seq!"));
}

static struct bytes fragment6(uint16_t field)
{
	struct bytes b = quote6(IPPROTO_FRAGMENT);

	bytes_insert(&b, IP6_LEN, "\x11\0??\0\0\0\x01", 8);
	bytes_put16(&b, IP6_LEN + 2, field);
	bytes_put16(&b, 4, 1240);
	return b;
}

static bool endpoint_is(struct endpoint e, const char *text, uint16_t port)
{
	struct ip_address expected = address(text), seen = ip_address_of(&e);
	uint16_t port_be = e.sa.sa_family == AF_INET ? e.v4.sin_port : e.v6.sin6_port;

	return ip_address_equal(&expected, &seen) && ntohs(port_be) == port;
}

TEST(icmp_quote, says_who_wrote_to_whom_over_ipv4)
{
	struct bytes b = quote4(IPPROTO_TCP);
	struct icmp_quote quote;

	bytes_put16(&b, 2, 1400); /* the quote is cut, its length is not; nor is its sum checked */
	quote = read(&b);
	EXPECT_EQ(GW_OK, quote.err);
	EXPECT_EQ(IPPROTO_TCP, quote.protocol);
	EXPECT(endpoint_is(quote.src, "198.18.0.1", 5060));
	EXPECT(endpoint_is(quote.dst, "198.18.0.2", 49152));
	EXPECT_EQ(1400, quote.ip_len);
}

TEST(icmp_quote, says_who_wrote_to_whom_over_ipv6)
{
	struct bytes b = quote6(IPPROTO_UDP);
	struct icmp_quote quote;

	bytes_put16(&b, 4, 1240);
	quote = read(&b);
	EXPECT_EQ(GW_OK, quote.err);
	EXPECT_EQ(IPPROTO_UDP, quote.protocol);
	EXPECT(endpoint_is(quote.src, "fd00:18::1", 5060));
	EXPECT(endpoint_is(quote.dst, "fd00:18::2", 49152));
	EXPECT_EQ(1280, quote.ip_len);
}

TEST(icmp_quote, cut_in_front_of_the_ports_is_refused)
{
	struct bytes b[] = {quote4(IPPROTO_UDP), quote6(IPPROTO_UDP), fragment6(1)};
	uint32_t enough[] = {IP4_LEN + 4, IP6_LEN + 4, IP6_LEN + IP6_FRAGMENT_LEN + 4};

	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t n = 0; n <= b[i].len; n++)
			EXPECT_EQ(n < enough[i] ? GW_ICMP : GW_OK, read_part(&b[i], n, i > 0).err);
}

TEST(icmp_quote, of_tcp_says_the_sequence_number_or_is_refused)
{
	struct bytes b[] = {quote4(IPPROTO_TCP), quote6(IPPROTO_TCP)};
	uint32_t enough[] = {IP4_LEN + 8, IP6_LEN + 8};

	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t n = 0; n <= b[i].len; n++)
			EXPECT_EQ(n < enough[i] ? GW_ICMP : GW_OK, read_part(&b[i], n, i > 0).err);
		EXPECT_EQ(0x73657121, read(&b[i]).seq); /* "seq!" */
	}
}

TEST(icmp_quote, looks_for_ports_behind_ipv4_options)
{
	struct bytes b = quote4(IPPROTO_UDP);

	bytes_insert(&b, IP4_LEN, "\x94\x04\0\0", 4);
	b.at[0] = 0x46;
	bytes_put16(&b, 2, 32);
	EXPECT(endpoint_is(read(&b).src, "198.18.0.1", 5060));
	for (uint32_t n = IP4_LEN; n < 28; n++)
		EXPECT_EQ(GW_ICMP, read_part(&b, n, false).err);
}

TEST(icmp_quote, of_a_protocol_without_ports_has_none)
{
	struct bytes b[] = {quote4(IPPROTO_ICMP), quote6(IPPROTO_ICMPV6)};

	for (uint32_t i = 0; i < 2; i++) {
		struct icmp_quote quote = read_part(&b[i], i == 0 ? IP4_LEN : IP6_LEN, i > 0);

		EXPECT_EQ(GW_OK, quote.err);
		EXPECT(endpoint_is(quote.src, i == 0 ? "198.18.0.1" : "fd00:18::1", 0));
	}
}

TEST(icmp_quote, of_another_version_is_refused)
{
	struct bytes b4 = quote4(IPPROTO_UDP), b6 = quote6(IPPROTO_UDP);

	EXPECT_EQ(GW_ICMP, read_part(&b4, b4.len, true).err);
	EXPECT_EQ(GW_ICMP, read_part(&b6, b6.len, false).err);
}

TEST(icmp_quote, whose_lengths_contradict_each_other_is_refused)
{
	struct bytes b = quote4(IPPROTO_UDP);

	b.at[0] = 0x44;
	EXPECT_EQ(GW_ICMP, read(&b).err);
	b.at[0] = 0x45;
	bytes_put16(&b, 2, 19);
	EXPECT_EQ(GW_ICMP, read(&b).err);
	b.at[0] = 0x4f; /* a header of 60 bytes, of which 32 are quoted */
	bytes_put16(&b, 2, 100);
	EXPECT_EQ(GW_ICMP, read(&b).err);
}

TEST(icmp_quote, of_the_first_fragment_has_ports_and_of_others_not)
{
	struct bytes b = quote4(IPPROTO_UDP), first = fragment6(1), last = fragment6(0x0008);

	bytes_put16(&b, 6, 0x2000);
	EXPECT_EQ(GW_OK, read(&b).err);
	bytes_put16(&b, 6, 0x2001);
	EXPECT_EQ(GW_ICMP, read(&b).err);
	bytes_put16(&b, 6, 0x0001);
	EXPECT_EQ(GW_ICMP, read(&b).err);
	EXPECT_EQ(GW_OK, read(&first).err);
	EXPECT_EQ(IPPROTO_UDP, read(&first).protocol);
	EXPECT_EQ(1280, read(&first).ip_len);
	EXPECT(endpoint_is(read(&first).src, "fd00:18::1", 5060));
	EXPECT_EQ(GW_ICMP, read(&last).err);
}

TEST(icmp_quote, with_ipv4_addresses_in_ipv6_form_is_refused)
{
	struct bytes b = quote6(IPPROTO_UDP);
	struct ip_address v4 = address("198.18.0.1");

	memcpy(b.at + 8, v4.bytes, 16);
	EXPECT_EQ(GW_ICMP, read(&b).err);
	b = quote6(IPPROTO_UDP);
	memcpy(b.at + 24, v4.bytes, 16);
	EXPECT_EQ(GW_ICMP, read(&b).err);
}

TEST_MAIN("net_icmp_quote", RUN(icmp_quote, says_who_wrote_to_whom_over_ipv4),
	  RUN(icmp_quote, says_who_wrote_to_whom_over_ipv6),
	  RUN(icmp_quote, cut_in_front_of_the_ports_is_refused),
	  RUN(icmp_quote, of_tcp_says_the_sequence_number_or_is_refused),
	  RUN(icmp_quote, looks_for_ports_behind_ipv4_options),
	  RUN(icmp_quote, of_a_protocol_without_ports_has_none),
	  RUN(icmp_quote, of_another_version_is_refused),
	  RUN(icmp_quote, whose_lengths_contradict_each_other_is_refused),
	  RUN(icmp_quote, of_the_first_fragment_has_ports_and_of_others_not),
	  RUN(icmp_quote, with_ipv4_addresses_in_ipv6_form_is_refused))
