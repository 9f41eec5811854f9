/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#define TOTAL_AT 2u
#define FRAGMENT_AT 6u

static struct bytes packet(void)
{
	return ip_bytes("198.18.0.1", "198.18.0.2", IPPROTO_UDP, SPAN("twelve bytes"));
}

static struct bytes packet_with_options(const void *options, uint32_t n)
{
	struct bytes b = packet();

	bytes_insert(&b, IP4_LEN, options, n);
	b.at[0] = (uint8_t)(0x45 + n / 4);
	bytes_put16(&b, TOTAL_AT, (uint16_t)b.len);
	ip4_resum(&b);
	return b;
}

static struct ip_packet read(const struct bytes *b)
{
	return read_ip4(bytes_span(b), PACKET_CHECKSUM_UNKNOWN);
}

static enum gw_err read_source(const char *src)
{
	struct bytes b = ip_bytes(src, "198.18.0.2", IPPROTO_UDP, SPAN("x"));

	return read(&b).err;
}

static enum gw_err read_options(const void *options, uint32_t n)
{
	struct bytes b = packet_with_options(options, n);

	return read(&b).err;
}

TEST(ip4, reads_every_field)
{
	struct bytes b = packet();
	struct ip_address src = address("198.18.0.1"), dst = address("198.18.0.2");
	struct ip_packet ip;

	bytes_put16(&b, 4, 0xabcd);
	b.at[1] = 0xb8; /* the type of service is not ours to judge */
	b.at[8] = 61;
	ip4_resum(&b);
	ip = read(&b);
	EXPECT_EQ(GW_OK, ip.err);
	EXPECT(!ip.v6);
	EXPECT_EQ(IPPROTO_UDP, ip.protocol);
	EXPECT_EQ(61, ip.hop_limit);
	EXPECT_EQ(0xabcd, ip.id);
	EXPECT(!ip.fragment && !ip.more);
	EXPECT_EQ(0, ip.offset);
	EXPECT(ip_address_equal(&src, &ip.src) && ip_address_equal(&dst, &ip.dst));
	EXPECT_SPAN("twelve bytes", ip.payload);
}

TEST(ip4, cut_at_any_byte_is_refused)
{
	struct bytes b = packet_with_options("\x94\x04\x00\x00", 4);
	struct ip_packet ip;

	for (uint32_t n = 0; n < b.len; n++) {
		ip = read_ip4(span_of(b.at, n), PACKET_CHECKSUM_GOOD);
		EXPECT_EQ(n < IP4_LEN ? GW_IP_HEADER : GW_IP_LENGTH, ip.err);
	}
	EXPECT_EQ(GW_OK, read(&b).err);
}

TEST(ip4, padding_behind_the_total_length_is_cut_off)
{
	struct bytes b = packet();

	bytes_add(&b, "\xff\xff\xff\xff\xff\xff\xff", 7);
	EXPECT_EQ(GW_OK, read(&b).err);
	EXPECT_SPAN("twelve bytes", read(&b).payload);
}

TEST(ip4, of_another_version_is_refused)
{
	struct bytes b = packet();

	for (uint32_t version = 0; version < 16; version++) {
		b.at[0] = (uint8_t)(version << 4 | 5);
		ip4_resum(&b);
		EXPECT_EQ(version == 4 ? GW_OK : GW_IP_HEADER, read(&b).err);
	}
}

TEST(ip4, with_a_header_shorter_than_20_bytes_is_refused)
{
	struct bytes b = packet();

	for (uint8_t words = 0; words < 5; words++) {
		b.at[0] = 0x40 | words;
		EXPECT_EQ(GW_IP_HEADER, read_ip4(bytes_span(&b), PACKET_CHECKSUM_GOOD).err);
	}
}

TEST(ip4, with_a_total_length_shorter_than_its_header_is_refused)
{
	struct bytes b = packet_with_options("\x01\x01\x01\x00", 4);

	for (uint16_t total = 0; total < 24; total++) {
		bytes_put16(&b, TOTAL_AT, total);
		ip4_resum(&b);
		EXPECT_EQ(GW_IP_HEADER, read(&b).err);
	}
	bytes_put16(&b, TOTAL_AT, 24);
	ip4_resum(&b);
	EXPECT_EQ(GW_OK, read(&b).err);
	EXPECT_EQ(0, read(&b).payload.len);
}

TEST(ip4, with_a_total_length_longer_than_the_frame_is_refused)
{
	struct bytes b = packet();

	bytes_put16(&b, TOTAL_AT, (uint16_t)(b.len + 1));
	ip4_resum(&b);
	EXPECT_EQ(GW_IP_LENGTH, read(&b).err);
	bytes_put16(&b, TOTAL_AT, 0xffff);
	ip4_resum(&b);
	EXPECT_EQ(GW_IP_LENGTH, read(&b).err);
}

TEST(ip4, with_any_bit_of_its_header_turned_over_is_refused)
{
	struct bytes b = packet_with_options("\x01\x01\x01\x00", 4);

	for (uint32_t bit = 0; bit < 24 * 8; bit++) {
		b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		EXPECT(read(&b).err != GW_OK);
		b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	EXPECT_EQ(GW_OK, read(&b).err);
}

TEST(ip4, checksum_is_spared_only_when_the_device_says_good)
{
	struct bytes b = packet();

	EXPECT_EQ(GW_OK, read_ip4(bytes_span(&b), PACKET_CHECKSUM_UNKNOWN).err);
	EXPECT_EQ(GW_OK, read_ip4(bytes_span(&b), PACKET_CHECKSUM_GOOD).err);
	EXPECT_EQ(GW_OK, read_ip4(bytes_span(&b), PACKET_CHECKSUM_NONE).err);
	EXPECT_EQ(GW_IP_CHECKSUM, read_ip4(bytes_span(&b), PACKET_CHECKSUM_BAD).err);
	b.at[11] ^= 1;
	EXPECT_EQ(GW_IP_CHECKSUM, read_ip4(bytes_span(&b), PACKET_CHECKSUM_UNKNOWN).err);
	EXPECT_EQ(GW_OK, read_ip4(bytes_span(&b), PACKET_CHECKSUM_GOOD).err);
	EXPECT_EQ(GW_IP_CHECKSUM, read_ip4(bytes_span(&b), PACKET_CHECKSUM_NONE).err);
	EXPECT_EQ(GW_IP_CHECKSUM, read_ip4(bytes_span(&b), PACKET_CHECKSUM_BAD).err);
}

TEST(ip4, options_are_skipped)
{
	struct bytes b =
		packet_with_options("\x94\x04\x00\x00\x07\x07\x04\x00\x00\x00\x00\x01", 12);

	EXPECT_EQ(GW_OK, read(&b).err);
	EXPECT_SPAN("twelve bytes", read(&b).payload);
}

TEST(ip4, options_behind_the_end_of_the_list_are_not_looked_at)
{
	EXPECT_EQ(GW_OK, read_options("\x00\x83\x03\x04", 4));
	EXPECT_EQ(GW_OK, read_options("\x01\x01\x00\xff", 4));
}

TEST(ip4, source_routes_are_refused)
{
	EXPECT_EQ(GW_IP_OPTION, read_options("\x83\x07\x04\xc6\x12\x00\x09\x00", 8));
	EXPECT_EQ(GW_IP_OPTION, read_options("\x89\x07\x04\xc6\x12\x00\x09\x00", 8));
	EXPECT_EQ(GW_IP_OPTION, read_options("\x01\x01\x01\x83", 4)); /* even cut short */
	EXPECT_EQ(GW_IP_OPTION, read_options("\x44\x04\x05\x00\x89\x03\x04\x00", 8));
}

TEST(ip4, options_that_do_not_fit_are_refused)
{
	EXPECT_EQ(GW_IP_HEADER, read_options("\x44\x00\x00\x00", 4));
	EXPECT_EQ(GW_IP_HEADER, read_options("\x44\x01\x00\x00", 4));
	EXPECT_EQ(GW_IP_HEADER, read_options("\x44\x05\x00\x00", 4));
	EXPECT_EQ(GW_IP_HEADER, read_options("\x44\xff\x00\x00", 4));
	EXPECT_EQ(GW_IP_HEADER, read_options("\x01\x01\x01\x44", 4));
	EXPECT_EQ(GW_OK, read_options("\x44\x04\x05\x00", 4));
	EXPECT_EQ(GW_OK, read_options("\x01\x01\x44\x02", 4));
}

TEST(ip4, fragments_say_what_they_are)
{
	struct bytes b = packet();
	struct ip_packet ip;

	bytes_put16(&b, FRAGMENT_AT, 0x2000);
	ip4_resum(&b);
	ip = read(&b);
	EXPECT_EQ(GW_OK, ip.err);
	EXPECT(ip.fragment && ip.more);
	EXPECT_EQ(0, ip.offset);
	bytes_put16(&b, FRAGMENT_AT, 0x1fff);
	ip4_resum(&b);
	ip = read(&b);
	EXPECT(ip.fragment && !ip.more);
	EXPECT_EQ(65528, ip.offset);
	bytes_put16(&b, FRAGMENT_AT, 0x2001);
	ip4_resum(&b);
	ip = read(&b);
	EXPECT(ip.fragment && ip.more);
	EXPECT_EQ(8, ip.offset);
}

TEST(ip4, reserved_and_do_not_fragment_bits_make_no_fragment)
{
	struct bytes b = packet();

	bytes_put16(&b, FRAGMENT_AT, 0xc000);
	ip4_resum(&b);
	EXPECT_EQ(GW_OK, read(&b).err);
	EXPECT(!read(&b).fragment);
}

TEST(ip4, sources_that_no_host_has_are_refused)
{
	EXPECT_EQ(GW_IP_SOURCE, read_source("0.0.0.0"));
	EXPECT_EQ(GW_IP_SOURCE, read_source("0.255.255.255"));
	EXPECT_EQ(GW_OK, read_source("1.0.0.0"));
	EXPECT_EQ(GW_OK, read_source("126.255.255.255"));
	EXPECT_EQ(GW_IP_SOURCE, read_source("127.0.0.1"));
	EXPECT_EQ(GW_IP_SOURCE, read_source("127.255.255.255"));
	EXPECT_EQ(GW_OK, read_source("128.0.0.0"));
	EXPECT_EQ(GW_OK, read_source("223.255.255.255"));
	EXPECT_EQ(GW_IP_SOURCE, read_source("224.0.0.1"));
	EXPECT_EQ(GW_IP_SOURCE, read_source("239.255.255.255"));
	EXPECT_EQ(GW_IP_SOURCE, read_source("240.0.0.0"));
	EXPECT_EQ(GW_IP_SOURCE, read_source("255.255.255.255"));
}

TEST_MAIN("net_ip4", RUN(ip4, reads_every_field), RUN(ip4, cut_at_any_byte_is_refused),
	  RUN(ip4, padding_behind_the_total_length_is_cut_off),
	  RUN(ip4, of_another_version_is_refused),
	  RUN(ip4, with_a_header_shorter_than_20_bytes_is_refused),
	  RUN(ip4, with_a_total_length_shorter_than_its_header_is_refused),
	  RUN(ip4, with_a_total_length_longer_than_the_frame_is_refused),
	  RUN(ip4, with_any_bit_of_its_header_turned_over_is_refused),
	  RUN(ip4, checksum_is_spared_only_when_the_device_says_good),
	  RUN(ip4, options_are_skipped),
	  RUN(ip4, options_behind_the_end_of_the_list_are_not_looked_at),
	  RUN(ip4, source_routes_are_refused), RUN(ip4, options_that_do_not_fit_are_refused),
	  RUN(ip4, fragments_say_what_they_are),
	  RUN(ip4, reserved_and_do_not_fragment_bits_make_no_fragment),
	  RUN(ip4, sources_that_no_host_has_are_refused))
