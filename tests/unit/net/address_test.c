/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "bytes.h"

static bool holds(bool (*question)(const struct ip_address *), const char *text)
{
	struct ip_address a = address(text);

	return question(&a);
}

static bool in(const char *text, const char *prefix, uint8_t bits)
{
	struct ip_address a = address(text), p = address(prefix);

	return ip_address_in(&a, &p, bits);
}

TEST(address, of_ipv4_is_mapped_and_comes_back)
{
	struct ip_address a = address("198.18.3.4");
	struct endpoint e = ip_address_endpoint(&a, 5060);
	struct ip_address again = ip_address_of(&e);
	struct in6_addr mapped;

	EXPECT_EQ(1, inet_pton(AF_INET6, "::ffff:198.18.3.4", &mapped));
	EXPECT_BYTES(&mapped, a.bytes, 16);
	EXPECT_EQ(AF_INET, e.sa.sa_family);
	EXPECT_EQ(5060, ntohs(e.v4.sin_port));
	EXPECT_EQ(0xc6120304, ntohl(e.v4.sin_addr.s_addr));
	EXPECT(ip_address_equal(&a, &again));
	EXPECT(ip_address_is_v4(&a));
	EXPECT_BYTES("\xc6\x12\x03\x04", ip_address_v4_bytes(&a), 4);
}

TEST(address, of_ipv6_comes_back_from_an_endpoint)
{
	struct ip_address a = address("fd00:18::5");
	struct endpoint e = ip_address_endpoint(&a, 65535);
	struct ip_address again = ip_address_of(&e);

	EXPECT_EQ(AF_INET6, e.sa.sa_family);
	EXPECT_EQ(65535, ntohs(e.v6.sin6_port));
	EXPECT_EQ(0, e.v6.sin6_scope_id);
	EXPECT(ip_address_equal(&a, &again));
	EXPECT(!ip_address_is_v4(&a));
}

TEST(address, of_no_endpoint_is_all_zero)
{
	struct endpoint e = {.sa.sa_family = AF_UNSPEC};
	struct ip_address a;

	memset(&e, 0x55, sizeof(e));
	e.sa.sa_family = AF_UNSPEC;
	a = ip_address_of(&e);
	EXPECT(ip_address_is_unspecified(&a));
	EXPECT(!ip_address_is_v4(&a));
}

TEST(address, takes_four_bytes_or_none)
{
	struct span bytes = SPAN("\xc6\x12\x01\x02\x03");
	struct ip_address a = address("::"), expected = address("198.18.1.2");

	EXPECT(ip_address_take_v4(&bytes, &a));
	EXPECT(ip_address_equal(&expected, &a));
	EXPECT_EQ(1, bytes.len);
	EXPECT(!ip_address_take_v4(&bytes, &a));
	EXPECT_EQ(1, bytes.len);
	EXPECT(ip_address_equal(&expected, &a));
}

TEST(address, knows_ipv4_by_its_whole_prefix)
{
	EXPECT(holds(ip_address_is_v4, "0.0.0.0"));
	EXPECT(!holds(ip_address_is_v4, "::1.2.3.4"));
	EXPECT(!holds(ip_address_is_v4, "::fffe:1.2.3.4"));
	EXPECT(!holds(ip_address_is_v4, "1::ffff:1.2.3.4"));
	EXPECT(!holds(ip_address_is_v4, "64:ff9b::1.2.3.4"));
}

TEST(address, of_a_group_is_224_4_the_broadcast_and_ff00_8)
{
	EXPECT(holds(ip_address_is_group, "224.0.0.0"));
	EXPECT(holds(ip_address_is_group, "239.255.255.255"));
	EXPECT(holds(ip_address_is_group, "255.255.255.255"));
	EXPECT(holds(ip_address_is_group, "ff02::1"));
	EXPECT(!holds(ip_address_is_group, "223.255.255.255"));
	EXPECT(!holds(ip_address_is_group, "240.0.0.1"));
	EXPECT(!holds(ip_address_is_group, "255.255.255.254"));
	EXPECT(!holds(ip_address_is_group, "fe80::1"));
	EXPECT(!holds(ip_address_is_group, "::ff00"));
}

TEST(address, of_the_host_itself_is_127_8_or_1)
{
	EXPECT(holds(ip_address_is_loopback, "127.0.0.1"));
	EXPECT(holds(ip_address_is_loopback, "127.255.255.255"));
	EXPECT(holds(ip_address_is_loopback, "::1"));
	EXPECT(!holds(ip_address_is_loopback, "128.0.0.1"));
	EXPECT(!holds(ip_address_is_loopback, "126.0.0.1"));
	EXPECT(!holds(ip_address_is_loopback, "::2"));
	EXPECT(!holds(ip_address_is_loopback, "1::1"));
}

TEST(address, that_is_none_is_0_8_or_all_zero)
{
	EXPECT(holds(ip_address_is_unspecified, "0.0.0.0"));
	EXPECT(holds(ip_address_is_unspecified, "0.1.2.3"));
	EXPECT(holds(ip_address_is_unspecified, "::"));
	EXPECT(!holds(ip_address_is_unspecified, "1.0.0.0"));
	EXPECT(!holds(ip_address_is_unspecified, "::1"));
}

TEST(address, of_a_link_is_fe80_10)
{
	EXPECT(holds(ip_address_is_link_local, "fe80::1"));
	EXPECT(holds(ip_address_is_link_local, "febf::1"));
	EXPECT(!holds(ip_address_is_link_local, "fec0::1"));
	EXPECT(!holds(ip_address_is_link_local, "fd00:18::1"));
	EXPECT(!holds(ip_address_is_link_local, "169.254.0.1"));
}

TEST(address, lies_in_a_prefix_of_its_own_family)
{
	EXPECT(in("198.18.1.2", "198.18.0.0", 15));
	EXPECT(in("198.19.1.2", "198.18.0.0", 15));
	EXPECT(!in("198.20.1.2", "198.18.0.0", 15));
	EXPECT(in("198.18.1.2", "198.18.1.2", 32));
	EXPECT(!in("198.18.1.3", "198.18.1.2", 32));
	EXPECT(in("198.18.1.3", "198.18.1.2", 31));
	EXPECT(in("1.2.3.4", "200.0.0.0", 0));
	EXPECT(in("fd00:18::5", "fd00:18::", 32));
	EXPECT(!in("fd00:19::5", "fd00:18::", 32));
	EXPECT(in("fd00:19::5", "fd00:18::", 31));
	EXPECT(in("fd00:18::5", "fd00:18::5", 128));
	EXPECT(!in("fd00:18::4", "fd00:18::5", 128));
	EXPECT(in("fd00:18::5", "::", 0));
}

TEST(address, of_one_family_lies_in_no_prefix_of_the_other)
{
	EXPECT(!in("198.18.1.2", "::", 0));
	EXPECT(!in("::1", "0.0.0.0", 0));
}

TEST(address, with_more_bits_than_it_has_means_all_of_them)
{
	EXPECT(in("198.18.1.2", "198.18.1.2", 255));
	EXPECT(!in("198.18.1.3", "198.18.1.2", 33));
	EXPECT(in("fd00:18::5", "fd00:18::5", 255));
	EXPECT(!in("fd00:18::5", "fd00:18::4", 129));
}

TEST(address, has_the_solicited_node_group_of_rfc_4291)
{
	struct ip_address a = address("4037::1:800:200e:8c6c");
	struct ip_address expected = address("ff02::1:ff0e:8c6c");
	struct ip_address group = ip_address_solicited_node(&a);

	EXPECT(ip_address_equal(&expected, &group));
}

TEST(address, on_a_link_is_made_from_the_mac_as_in_rfc_2464)
{
	static const uint8_t mac[6] = {0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde};
	struct ip_address expected = address("fe80::3656:78ff:fe9a:bcde");
	struct ip_address a = ip_address_link_local(mac);

	EXPECT(ip_address_equal(&expected, &a));
}

TEST_MAIN("net_address", RUN(address, of_ipv4_is_mapped_and_comes_back),
	  RUN(address, of_ipv6_comes_back_from_an_endpoint),
	  RUN(address, of_no_endpoint_is_all_zero), RUN(address, takes_four_bytes_or_none),
	  RUN(address, knows_ipv4_by_its_whole_prefix),
	  RUN(address, of_a_group_is_224_4_the_broadcast_and_ff00_8),
	  RUN(address, of_the_host_itself_is_127_8_or_1),
	  RUN(address, that_is_none_is_0_8_or_all_zero), RUN(address, of_a_link_is_fe80_10),
	  RUN(address, lies_in_a_prefix_of_its_own_family),
	  RUN(address, of_one_family_lies_in_no_prefix_of_the_other),
	  RUN(address, with_more_bits_than_it_has_means_all_of_them),
	  RUN(address, has_the_solicited_node_group_of_rfc_4291),
	  RUN(address, on_a_link_is_made_from_the_mac_as_in_rfc_2464))
