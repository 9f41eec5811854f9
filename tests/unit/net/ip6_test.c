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

static enum gw_err between(const char *src, const char *dst, uint8_t protocol)
{
	struct bytes b = ip_bytes("fd00:18::1", "fd00:18::2", protocol, SPAN("x"));
	struct ip_address from = address(src), to = address(dst);

	memcpy(b.at + 8, from.bytes, 16);
	memcpy(b.at + 24, to.bytes, 16);
	return read(&b).err;
}

TEST(ip6, reads_every_field)
{
	struct bytes b = packet();
	struct ip_address src = address("fd00:18::1"), dst = address("fd00:18::2");
	struct ip_packet ip;

	b.at[0] = 0x6f; /* traffic class and flow label are not ours to judge */
	b.at[1] = b.at[2] = b.at[3] = 0xff;
	b.at[7] = 61;
	ip = read(&b);
	EXPECT_EQ(GW_OK, ip.err);
	EXPECT(ip.v6);
	EXPECT_EQ(IPPROTO_UDP, ip.protocol);
	EXPECT_EQ(61, ip.hop_limit);
	EXPECT(!ip.fragment && !ip.more);
	EXPECT_EQ(0, ip.offset);
	EXPECT_EQ(0, ip.id);
	EXPECT(ip_address_equal(&src, &ip.src) && ip_address_equal(&dst, &ip.dst));
	EXPECT_SPAN(TEXT, ip.payload);
}

TEST(ip6, cut_at_any_byte_is_refused)
{
	struct bytes b = packet();

	for (uint32_t n = 0; n < b.len; n++)
		EXPECT_EQ(n < IP6_LEN ? GW_IP_HEADER : GW_IP_LENGTH,
			  read_ip6(span_of(b.at, n)).err);
	EXPECT_EQ(GW_OK, read(&b).err);
}

TEST(ip6, padding_behind_the_payload_length_is_cut_off)
{
	struct bytes b = packet();

	bytes_add(&b, "\xff\xff\xff", 3);
	EXPECT_SPAN(TEXT, read(&b).payload);
}

TEST(ip6, of_another_version_is_refused)
{
	struct bytes b = packet();

	for (uint32_t version = 0; version < 16; version++) {
		b.at[0] = (uint8_t)(version << 4);
		EXPECT_EQ(version == 6 ? GW_OK : GW_IP_HEADER, read(&b).err);
	}
}

TEST(ip6, with_a_length_longer_than_the_frame_is_refused)
{
	struct bytes b = packet();

	bytes_put16(&b, LENGTH_AT, (uint16_t)(b.len - IP6_LEN + 1));
	EXPECT_EQ(GW_IP_LENGTH, read(&b).err);
	bytes_put16(&b, LENGTH_AT, 0xffff);
	EXPECT_EQ(GW_IP_LENGTH, read(&b).err);
}

TEST(ip6, without_payload_is_a_packet_too)
{
	struct bytes b = packet();

	bytes_put16(&b, LENGTH_AT, 0);
	EXPECT_EQ(GW_OK, read(&b).err);
	EXPECT_EQ(0, read(&b).payload.len);
}

TEST(ip6, upper_layers_of_any_number_are_for_the_caller)
{
	struct bytes b = packet();

	b.at[NEXT_AT] = 132;
	EXPECT_EQ(GW_OK, read(&b).err);
	EXPECT_EQ(132, read(&b).protocol);
}

TEST(ip6, sources_that_no_host_has_are_refused)
{
	EXPECT_EQ(GW_IP_SOURCE, between("ff02::1", "fd00:18::2", IPPROTO_UDP));
	EXPECT_EQ(GW_IP_SOURCE, between("::1", "fd00:18::2", IPPROTO_UDP));
	EXPECT_EQ(GW_IP_SOURCE, between("fd00:18::2", "fd00:18::2", IPPROTO_UDP));
	EXPECT_EQ(GW_OK, between("fe80::1", "fd00:18::2", IPPROTO_UDP));
}

TEST(ip6, ipv4_addresses_in_ipv6_form_are_refused)
{
	EXPECT_EQ(GW_IP_SOURCE, between("::ffff:198.18.0.1", "fd00:18::2", IPPROTO_UDP));
	EXPECT_EQ(GW_IP_DESTINATION, between("fd00:18::1", "::ffff:198.18.0.2", IPPROTO_UDP));
}

TEST(ip6, the_unspecified_source_is_for_icmpv6_only)
{
	EXPECT_EQ(GW_OK, between("::", "ff02::1:ff00:2", IPPROTO_ICMPV6));
	EXPECT_EQ(GW_IP_SOURCE, between("::", "fd00:18::2", IPPROTO_UDP));
	EXPECT_EQ(GW_IP_SOURCE, between("::", "fd00:18::2", IPPROTO_TCP));
}

TEST_MAIN("net_ip6", RUN(ip6, reads_every_field), RUN(ip6, cut_at_any_byte_is_refused),
	  RUN(ip6, padding_behind_the_payload_length_is_cut_off),
	  RUN(ip6, of_another_version_is_refused),
	  RUN(ip6, with_a_length_longer_than_the_frame_is_refused),
	  RUN(ip6, without_payload_is_a_packet_too),
	  RUN(ip6, upper_layers_of_any_number_are_for_the_caller),
	  RUN(ip6, sources_that_no_host_has_are_refused),
	  RUN(ip6, ipv4_addresses_in_ipv6_form_are_refused),
	  RUN(ip6, the_unspecified_source_is_for_icmpv6_only))
