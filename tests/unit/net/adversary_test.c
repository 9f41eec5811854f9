/* SPDX-License-Identifier: BSD-3-Clause */
#include "vector.h"
#include "walk.h"

/* What has broken other stacks, by the names under which it is known. */

static void expect(const char *name, enum gw_err err)
{
	struct bytes frame = vector_read(name);
	struct span block = exact(bytes_span(&frame));

	EXPECT_EQ(err, walk(block));
	exact_free(block);
}

static struct ip_packet read_extensions(const void *headers, uint32_t n, uint8_t first)
{
	struct bytes b = ip_bytes("fd00:18::1", "fd00:18::2", first, span_of(headers, n));

	return read_ip6(bytes_span(&b));
}

/* ---- AMNESIA:33, INFRA:HALT, NUCLEUS:13 ---- */

TEST(amnesia33, ip_length_shorter_than_header)
{
	expect("ip4_total_0", GW_IP_HEADER);
	expect("ip4_total_19", GW_IP_HEADER);
	expect("ip4_total_below_header", GW_IP_HEADER);
	expect("ip4_ihl_0", GW_IP_HEADER);
	expect("ip4_ihl_4", GW_IP_HEADER);
}

TEST(amnesia33, ip_length_longer_than_frame)
{
	expect("ip4_total_beyond_frame", GW_IP_LENGTH);
	expect("ip4_total_65535", GW_IP_LENGTH);
	expect("ip4_header_beyond_frame", GW_IP_LENGTH);
	expect("ip6_length_beyond_frame", GW_IP_LENGTH);
	expect("ip6_length_65535", GW_IP_LENGTH);
}

TEST(amnesia33, ip_option_of_length_0_1_and_255)
{
	expect("ip4_option_length_0", GW_IP_HEADER);
	expect("ip4_option_length_1", GW_IP_HEADER);
	expect("ip4_option_beyond_header", GW_IP_HEADER);
	expect("ip4_option_no_length", GW_IP_HEADER);
}

TEST(amnesia33, icmp_shorter_than_quoted_header)
{
	expect("icmp4_quote_empty", GW_ICMP);
	expect("icmp4_quote_cut_header", GW_ICMP);
	expect("icmp4_quote_cut_ports", GW_ICMP);
	expect("icmp4_quote_ihl_4", GW_ICMP);
	expect("icmp4_quote_ihl_15", GW_ICMP);
	expect("icmp6_quote_cut_header", GW_ICMP);
	expect("icmp6_quote_cut_ports", GW_ICMP);
	expect("icmp6_quote_cut_fragment", GW_ICMP);
}

TEST(amnesia33, icmp_shorter_than_its_own_header)
{
	expect("icmp4_empty", GW_ICMP);
	expect("icmp4_cut", GW_ICMP);
	expect("icmp6_cut", GW_ICMP);
}

TEST(amnesia33, extension_headers_that_go_on_and_on)
{
	static uint8_t headers[PACKET_MAX - IP6_LEN];

	/* each 8 bytes long, each followed by the same: five are enough to be refused */
	for (uint32_t i = 0; i < sizeof(headers); i += 8)
		memcpy(headers + i, "\x3c\0\x01\x04\0\0\0\0", 8);
	EXPECT_EQ(GW_IP_EXTENSION, read_extensions(headers, sizeof(headers), IPPROTO_DSTOPTS).err);
}

TEST(amnesia33, extension_header_longer_than_packet)
{
	expect("ip6_extension_cut", GW_IP_EXTENSION);
	expect("ip6_extension_length_255", GW_IP_EXTENSION);
	expect("ip6_option_beyond_header", GW_IP_EXTENSION);
	expect("ip6_option_no_length", GW_IP_EXTENSION);
}

TEST(amnesia33, udp_length_shorter_than_header_or_longer_than_packet)
{
	expect("udp_length_0", GW_UDP);
	expect("udp_length_7", GW_UDP);
	expect("udp_length_beyond", GW_UDP);
	expect("udp_length_in_padding", GW_UDP);
	expect("udp_cut", GW_UDP);
}

TEST(amnesia33, checksum_over_another_length)
{
	struct bytes frame = vector_read("valid_udp4_trailing");
	uint32_t field = ETH_LEN + IP4_LEN + 6, length = 15;
	struct span l4 = span_of(frame.at + ETH_LEN + IP4_LEN, length);
	struct ip_address src = address("198.18.0.1"), dst = address("198.18.0.2");
	uint64_t sum = checksum_pseudo(&src, &dst, IPPROTO_UDP, length);

	/* right over what IP carries, wrong over what UDP says */
	EXPECT_EQ(GW_OK, walk(bytes_span(&frame)));
	bytes_put16(&frame, field, 0);
	bytes_put16(&frame, field, checksum_fold(checksum_add(sum, l4)));
	EXPECT_EQ(GW_UDP_CHECKSUM, walk(bytes_span(&frame)));
}

TEST(amnesia33, tcp_offset_shorter_than_header_or_longer_than_packet)
{
	expect("tcp_offset_0", GW_TCP);
	expect("tcp_offset_4", GW_TCP);
	expect("tcp_offset_beyond", GW_TCP);
	expect("tcp_offset_15", GW_TCP);
	expect("tcp_offset_in_padding", GW_TCP);
	expect("tcp_cut", GW_TCP);
}

/* picoTCP went on for ever at length 0; others read past the end. The segment itself is good. */
TEST(amnesia33, tcp_option_of_length_0_1_and_255)
{
	expect("tcp_option_length_0", GW_OK);
	expect("tcp_option_length_1", GW_OK);
	expect("tcp_option_length_255", GW_OK);
	expect("tcp_option_no_length", GW_OK);
	expect("tcp_option_mss_beyond", GW_OK);
}

/* ---- URGENT/11 ---- */

TEST(urgent11, urgent_pointer_and_malformed_signatures_change_nothing)
{
	expect("tcp_urgent", GW_OK);
	expect("tcp_option_md5", GW_OK);
	expect("tcp_option_ao", GW_OK);
}

/* ---- FragmentSmack, Ripple20, Windows IPv6 fragments ---- */

TEST(fragmentsmack, fragments_are_told_from_packets)
{
	expect("ip4_fragment_first", GW_IP_FRAGMENT);
	expect("ip4_fragment_last", GW_IP_FRAGMENT);
	expect("ip6_fragment_first", GW_IP_FRAGMENT);
	expect("ip6_fragment_last", GW_IP_FRAGMENT);
}

TEST(fragmentsmack, atomic_fragment_is_a_fragment)
{
	expect("ip6_fragment_atomic", GW_IP_FRAGMENT);
}

TEST(fragmentsmack, fragment_at_the_end_of_the_range_is_a_fragment)
{
	expect("ip4_fragment_end_of_range", GW_IP_FRAGMENT);
	expect("ip6_fragment_end_of_range", GW_IP_FRAGMENT);
}

TEST(fragmentsmack, no_layer_reads_into_a_fragment)
{
	struct bytes frame = vector_read("ip4_fragment_last");
	struct eth_frame eth = eth_read(bytes_span(&frame));
	struct ip_packet ip = ip4_read(eth.payload, PACKET_CHECKSUM_UNKNOWN);

	EXPECT_EQ(GW_OK, ip.err);
	EXPECT_EQ(GW_UDP, udp_read(&ip, PACKET_CHECKSUM_GOOD).err);
	ip.protocol = IPPROTO_ICMP;
	EXPECT_EQ(GW_ICMP, icmp_read(&ip, PACKET_CHECKSUM_GOOD).err);
}

TEST(ripple20, ip_in_ip_is_not_walked)
{
	struct bytes inner = ip_bytes("198.18.0.1", "198.18.0.2", IPPROTO_UDP, SPAN("x"));
	struct bytes b = ip_bytes("198.18.0.1", "198.18.0.2", IPPROTO_IPIP, bytes_span(&inner));
	struct ip_packet ip = read_ip4(bytes_span(&b), PACKET_CHECKSUM_UNKNOWN);

	EXPECT_EQ(GW_OK, ip.err);
	EXPECT_EQ(IPPROTO_IPIP, ip.protocol);
	EXPECT_EQ(GW_UDP, udp_read(&ip, PACKET_CHECKSUM_GOOD).err);
}

TEST(ripple20, payload_ends_where_the_ip_length_says)
{
	struct bytes frame = vector_read("udp_length_in_padding");

	EXPECT_EQ(GW_UDP, walk(bytes_span(&frame)));
}

TEST(ripple20, source_routes_and_routing_headers)
{
	expect("ip4_loose_source_route", GW_IP_OPTION);
	expect("ip4_strict_source_route", GW_IP_OPTION);
	expect("ip6_routing_segments_left", GW_IP_EXTENSION);
}

TEST(windows_ipv6, cve_2021_24086_fragment_headers_in_fragments)
{
	expect("ip6_fragment_in_fragment", GW_IP_EXTENSION);
}

TEST(windows_ipv6, cve_2021_24094_extension_headers_in_fragments)
{
	expect("ip6_fragment_options", GW_IP_EXTENSION);
	expect("ip6_fragment_cut", GW_IP_EXTENSION);
}

TEST(windows_ipv6, cve_2022_34718_esp_and_ah)
{
	expect("ip6_esp", GW_IP_EXTENSION);
	expect("ip6_ah", GW_IP_EXTENSION);
	expect("ip6_fragment_esp", GW_IP_EXTENSION);
}

TEST(windows_ipv6, cve_2024_38063_options_that_are_errors)
{
	expect("ip6_option_discard", GW_IP_EXTENSION);
	expect("ip6_option_beyond_header", GW_IP_EXTENSION);
}

TEST(windows_ipv6, jumbograms)
{
	expect("ip6_jumbogram", GW_IP_EXTENSION);
	expect("ip6_jumbo_with_length", GW_IP_EXTENSION);
	expect("udp6_length_0", GW_UDP);
}

/* ---- Bad Neighbor and its kin ---- */

TEST(bad_neighbor, rdnss_of_even_length_is_not_even_looked_at)
{
	expect("icmp6_router_advert_rdnss_even", GW_NDP_FOREIGN);
}

TEST(bad_neighbor, option_of_length_zero_stops)
{
	expect("ndp_option_length_0", GW_NDP);
	expect("ndp_mac_length_0", GW_NDP);
}

TEST(bad_neighbor, option_longer_than_message)
{
	expect("ndp_option_beyond", GW_NDP);
	expect("ndp_option_half", GW_NDP);
	expect("ndp_mac_length_2", GW_NDP);
}

TEST(bad_neighbor, hop_limit_254)
{
	expect("ndp_hop_limit_254", GW_NDP);
	expect("ndp_advert_hop_limit_254", GW_NDP);
}

TEST(bad_neighbor, fragmented_discovery)
{
	expect("ndp_fragment", GW_IP_FRAGMENT);
}

TEST(bad_neighbor, unsolicited_override_says_that_it_is)
{
	struct bytes frame = vector_read("valid_advert_unsolicited");
	struct eth_frame eth = eth_read(bytes_span(&frame));
	struct ip_packet ip = ip6_read(eth.payload);
	struct icmp_message icmp = icmp_read(&ip, PACKET_CHECKSUM_UNKNOWN);
	struct ndp_message ndp = ndp_read(&ip, &icmp);

	EXPECT_EQ(GW_OK, ndp.err);
	EXPECT(ndp.override && !ndp.solicited);
}

TEST(bad_neighbor, redirects_are_for_nobody)
{
	expect("icmp4_redirect", GW_ICMP_TYPE);
	expect("icmp6_redirect", GW_NDP_FOREIGN);
}

/* ---- sources ---- */

TEST(land, source_is_destination)
{
	expect("ip4_source_land", GW_IP_SOURCE);
	expect("ip6_source_land", GW_IP_SOURCE);
}

TEST(land, source_is_broadcast_or_group)
{
	expect("ip4_source_broadcast", GW_IP_SOURCE);
	expect("ip4_source_multicast", GW_IP_SOURCE);
	expect("ip4_source_class_e", GW_IP_SOURCE);
	expect("ip6_source_multicast", GW_IP_SOURCE);
	expect("arp_group_sender", GW_ARP);
	expect("arp_broadcast_sender", GW_ARP);
	expect("ndp_group_mac", GW_NDP);
	expect("ndp_broadcast_mac", GW_NDP);
}

TEST(land, source_is_loopback_or_nobody)
{
	expect("ip4_source_loopback", GW_IP_SOURCE);
	expect("ip4_source_unspecified", GW_IP_SOURCE);
	expect("ip4_source_this_network", GW_IP_SOURCE);
	expect("ip6_source_loopback", GW_IP_SOURCE);
	expect("ip6_source_unspecified", GW_IP_SOURCE);
	expect("icmp6_echo_unspecified", GW_ICMP);
}

TEST(land, ipv4_address_in_an_ipv6_header)
{
	expect("ip6_source_ipv4", GW_IP_SOURCE);
	expect("ip6_destination_ipv4", GW_IP_DESTINATION);
	expect("icmp6_quote_ipv4", GW_ICMP);
	expect("ndp_ipv4_target", GW_NDP);
}

TEST(land, port_zero)
{
	expect("udp_source_port_0", GW_UDP);
	expect("udp_destination_port_0", GW_UDP);
}

/* ---- VPP ---- */

TEST(vpp, trailing_bytes_after_the_ip_length_are_no_payload)
{
	static const char *const names[] = {"valid_udp4", "valid_udp6", "valid_echo4",
					    "valid_echo6"};

	for (uint32_t i = 0; i < 4; i++) {
		struct bytes frame = vector_read(names[i]);

		/* odd, and not zero: the sum would not hold if they counted */
		bytes_add(&frame, "\xde\xad\xbe\xef\x01", 5);
		EXPECT_EQ(GW_OK, walk(bytes_span(&frame)));
	}
}

TEST_MAIN("net_adversary", RUN(amnesia33, ip_length_shorter_than_header),
	  RUN(amnesia33, ip_length_longer_than_frame),
	  RUN(amnesia33, ip_option_of_length_0_1_and_255),
	  RUN(amnesia33, icmp_shorter_than_quoted_header),
	  RUN(amnesia33, icmp_shorter_than_its_own_header),
	  RUN(amnesia33, extension_headers_that_go_on_and_on),
	  RUN(amnesia33, extension_header_longer_than_packet),
	  RUN(amnesia33, udp_length_shorter_than_header_or_longer_than_packet),
	  RUN(amnesia33, tcp_offset_shorter_than_header_or_longer_than_packet),
	  RUN(amnesia33, tcp_option_of_length_0_1_and_255),
	  RUN(urgent11, urgent_pointer_and_malformed_signatures_change_nothing),
	  RUN(amnesia33, checksum_over_another_length),
	  RUN(fragmentsmack, fragments_are_told_from_packets),
	  RUN(fragmentsmack, atomic_fragment_is_a_fragment),
	  RUN(fragmentsmack, fragment_at_the_end_of_the_range_is_a_fragment),
	  RUN(fragmentsmack, no_layer_reads_into_a_fragment), RUN(ripple20, ip_in_ip_is_not_walked),
	  RUN(ripple20, payload_ends_where_the_ip_length_says),
	  RUN(ripple20, source_routes_and_routing_headers),
	  RUN(windows_ipv6, cve_2021_24086_fragment_headers_in_fragments),
	  RUN(windows_ipv6, cve_2021_24094_extension_headers_in_fragments),
	  RUN(windows_ipv6, cve_2022_34718_esp_and_ah),
	  RUN(windows_ipv6, cve_2024_38063_options_that_are_errors), RUN(windows_ipv6, jumbograms),
	  RUN(bad_neighbor, rdnss_of_even_length_is_not_even_looked_at),
	  RUN(bad_neighbor, option_of_length_zero_stops),
	  RUN(bad_neighbor, option_longer_than_message), RUN(bad_neighbor, hop_limit_254),
	  RUN(bad_neighbor, fragmented_discovery),
	  RUN(bad_neighbor, unsolicited_override_says_that_it_is),
	  RUN(bad_neighbor, redirects_are_for_nobody), RUN(land, source_is_destination),
	  RUN(land, source_is_broadcast_or_group), RUN(land, source_is_loopback_or_nobody),
	  RUN(land, ipv4_address_in_an_ipv6_header), RUN(land, port_zero),
	  RUN(vpp, trailing_bytes_after_the_ip_length_are_no_payload))
