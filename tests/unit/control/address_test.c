/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/address.h"
#include "control/device.h"

struct row {
	const char *text, *expected; /* NULL: refused */
};

TEST(address, writes_origins_in_their_serialised_form)
{
	static const struct row rows[] = {
		{"https://shop.example", "https://shop.example"},
		{"HTTPS://Shop.Example:443", "https://shop.example"},
		{"https://shop.example:8443", "https://shop.example:8443"},
		{"https://198.18.0.5", "https://198.18.0.5"},
		{"https://[FD00:18::5]:444", "https://[fd00:18::5]:444"},
		{"https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
		{"http://shop.example", NULL},
		{"https://", NULL},
		{"https://shop.example/", NULL},
		{"https://shop.example:", NULL},
		{"https://shop.example:0", NULL},
		{"https://shop.example:65536", NULL},
		{"https://shop.example:443x", NULL},
		{"https://*.shop.example", NULL},
		{"https://user@shop.example", NULL},
		{"https://shop..example", NULL},
		{"https://shop.example?x", NULL},
		{"https://[fd00:18::5", NULL},
		{"https://[198.18.0.5]", NULL},
		{"https://[fd00:18::5]x", NULL},
		{"null", NULL},
		{"", NULL},
	};
	char out[ADDRESS_ORIGIN_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_EQ(rows[i].expected != NULL, address_origin(rows[i].text, out) == NULL);
		if (rows[i].expected != NULL)
			EXPECT_TEXT(rows[i].expected, out);
	}
}

TEST(address, reads_next_hops)
{
	static const struct row rows[] = {
		{"sip:198.18.0.20", "198.18.0.20:5060"},
		{"SIP:198.18.0.20:5070;transport=UDP", "198.18.0.20:5070"},
		{"sip:[fd00:18::20]:5061", "[fd00:18::20]:5061"},
		{"sip:[fd00:18::20]", "[fd00:18::20]:5060"},
		{"sips:198.18.0.20", NULL},
		{"sip:fd00:18::20", NULL},
		{"sip:core_home1.net", NULL},
		{"sip:user@198.18.0.20", NULL},
		{"sip:198.18.0.20:0", NULL},
		{"sip:198.18.0.20:99999", NULL},
		{"sip:198.18.0.20;transport=tls", "198.18.0.20:5061"},
		{"sip:198.18.0.20:5062;transport=TLS", "198.18.0.20:5062"},
		{"sip:198.18.0.20;transport=sctp", NULL},
		{"sip:198.18.0.20;lr", NULL},
		{"sip:", NULL},
		{"", NULL},
	};
	char text[ENDPOINT_TEXT_MAX];
	struct next_hop_config hop;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_EQ(rows[i].expected != NULL, address_next_hop(rows[i].text, &hop) == NULL);
		if (rows[i].expected != NULL)
			EXPECT_TEXT(rows[i].expected, endpoint_format(&hop.address, text));
	}
}

TEST(address, leaves_what_a_name_does_not_say_to_its_records)
{
	struct next_hop_config hop;

	assert_null(address_next_hop("sip:Core.home1.net", &hop));
	EXPECT(span_equal(hop.name, SPAN("Core.home1.net")));
	EXPECT_EQ(0, hop.port);
	EXPECT_EQ(NEXT_HOP_ANY, hop.transport);
	assert_null(address_next_hop("sip:core.home1.net:5070;transport=tcp", &hop));
	EXPECT_EQ(5070, hop.port);
	EXPECT_EQ(NEXT_HOP_TCP, hop.transport);
	assert_null(address_next_hop("sip:198.18.0.20", &hop));
	EXPECT_EQ(0, hop.name.len);
}

TEST(address, takes_udp_unless_a_next_hop_says_tcp)
{
	struct next_hop_config hop;

	assert_null(address_next_hop("sip:198.18.0.20", &hop));
	EXPECT_EQ(NEXT_HOP_UDP, hop.transport);
	assert_null(address_next_hop("sip:198.18.0.20;transport=tcp", &hop));
	EXPECT_EQ(NEXT_HOP_TCP, hop.transport);
}

TEST(address, reads_addresses_with_their_prefix_length)
{
	static const struct row rows[] = {
		{"198.18.0.10/24", "198.18.0.10:0"},
		{"fd00:18::10/128", "[fd00:18::10]:0"},
		{"198.18.0.10", NULL},
		{"198.18.0.10/33", NULL},
		{"198.18.0.10/", NULL},
		{"198.18.0/24", NULL},
		{"fd00:18::10/129", NULL},
		{"[fd00:18::10]/64", NULL},
		{"198.18.0.10:80/24", NULL},
		{"/24", NULL},
	};
	char text[ENDPOINT_TEXT_MAX];
	struct netif_address address;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_EQ(rows[i].expected != NULL, address_prefix(rows[i].text, &address) == NULL);
		if (rows[i].expected != NULL)
			EXPECT_TEXT(rows[i].expected, endpoint_format(&address.address, text));
	}
	EXPECT(address_prefix("198.18.0.10/0", &address) == NULL);
	EXPECT_EQ(0, address.prefix_len);
	EXPECT(address_prefix("fd00:18::10/128", &address) == NULL);
	EXPECT_EQ(128, address.prefix_len);
}

TEST(address, knows_which_addresses_a_station_may_have)
{
	static const struct row rows[] = {
		{"198.18.0.10/24", NULL},
		{"198.18.0.0/24", "the address of the network itself"},
		{"198.18.0.255/24", "the broadcast address of its network"},
		{"198.18.0.255/23", NULL},
		{"198.18.1.255/23", "the broadcast address of its network"},
		{"198.18.0.0/31", NULL},
		{"198.18.0.255/32", NULL},
		{"224.0.0.5/24", "a group or reserved address"},
		{"255.255.255.255/32", "a group or reserved address"},
		{"127.0.0.1/8", "a loopback address"},
		{"0.0.0.0/32", "an address that no station may have"},
		{"fd00:18::10/64", NULL},
		{"fd00:18::ffff:ffff:ffff:ffff/64", NULL},
		{"fd00:18::/64", "the address of the network itself"},
		{"fd00:18::/127", NULL},
		{"fd00:18::/128", NULL},
		{"fe80::10/64", NULL},
		{"ff02::1/64", "a group address"},
		{"::1/128", "a loopback address"},
		{"::/128", "an address that no station may have"},
		{"::ffff:198.18.0.10/120", "an IPv4 address in IPv6 clothes: write it as IPv4"},
	};
	struct netif_address address;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why;

		EXPECT(address_prefix(rows[i].text, &address) == NULL);
		why = address_station(&address);
		EXPECT_TEXT(rows[i].expected != NULL ? rows[i].expected : "",
			    why != NULL ? why : "");
	}
}

TEST(address, knows_what_is_on_a_link)
{
	static const struct {
		const char *subnet, *host;
		bool on_link;
	} rows[] = {
		{"198.18.0.10/24", "198.18.0.255", true}, {"198.18.0.10/24", "198.18.1.10", false},
		{"198.18.0.10/22", "198.18.3.1", true},	  {"198.18.0.10/22", "198.18.4.1", false},
		{"198.18.0.10/32", "198.18.0.10", true},  {"198.18.0.10/32", "198.18.0.11", false},
		{"198.18.0.10/0", "203.0.113.1", true},	  {"198.18.0.10/0", "fd00:18::1", false},
		{"fd00:18::10/64", "fd00:18::1", true},	  {"fd00:18::10/64", "fd00:19::1", false},
		{"fd00:18::10/64", "198.18.0.10", false},
	};
	struct netif_address subnet;
	struct endpoint host;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT(address_prefix(rows[i].subnet, &subnet) == NULL);
		EXPECT(address_plain(rows[i].host, &host) == NULL);
		EXPECT_EQ(rows[i].on_link, address_on_link(&subnet, &host));
		EXPECT(!address_link_local(&host));
	}
	EXPECT(address_plain("fe80::1", &host) == NULL);
	EXPECT(address_link_local(&host));
}

TEST(address, reads_hardware_addresses_of_stations)
{
	static const char *const bad[] = {"",
					  "02:00:5e:10:00",
					  "02:00:5e:10:00:01:02",
					  "02-00-5e-10-00-01",
					  "02:00:5e:10:00:0g",
					  "01:00:5e:10:00:01",
					  "ff:ff:ff:ff:ff:ff",
					  "00:00:00:00:00:00"};
	static const uint8_t expected[6] = {0x02, 0, 0x5e, 0x10, 0xab, 0xcd};
	uint8_t mac[6];

	EXPECT(address_mac("02:00:5e:10:Ab:cD", mac) == NULL);
	EXPECT_BYTES(expected, mac, 6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(address_mac(bad[i], mac) != NULL);
}

TEST(device, is_one_of_four_kinds)
{
	static const char *const good[] = {"kernel",
					   "tap:wic0",
					   "tap:fifteen-letters",
					   "tap:a.b_c",
					   "0000:03:00.0",
					   "03:00.1",
					   "0000:3B:00.f,rxq_cqe_comp_en=1",
					   "net_tap0",
					   "net_af_packet0,iface=eth1",
					   "net_af_xdp_1,iface=a,busy_budget=0"};
	static const char *const bad[] = {"tap:",      "tap:sixteen-letters0",
					  "tap:a/b",   "tap:a b",
					  "tap:a:b",   "tap:a%d",
					  "tap:..",    "tap",
					  "eth0",      "net_",
					  "net_tap 0", "net_tap0,a=b c",
					  "03:00",     "0000:03:00",
					  "03:00.0x",  "g3:00.0",
					  "kernel ",   "Kernel"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		EXPECT_TEXT("", device_check(good[i]) != NULL ? good[i] : "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_TEXT("", device_check(bad[i]) == NULL ? bad[i] : "");
}

TEST(device, is_the_same_whatever_its_arguments)
{
	EXPECT(device_same("tap:wic0", "tap:wic0"));
	EXPECT(!device_same("tap:wic0", "tap:wic1"));
	EXPECT(!device_same("tap:a,b", "tap:a,c")); /* a comma is of the name */
	EXPECT(device_same("net_tap0,iface=a", "net_tap0,iface=b"));
	EXPECT(!device_same("net_tap0", "net_tap1"));
	EXPECT(device_same("03:0a.0", "0000:03:0A.0,x=1"));
	EXPECT(!device_same("0001:03:00.0", "03:00.0"));
	EXPECT(!device_same("kernel", "kernel"));
}

TEST_MAIN("address", RUN(address, writes_origins_in_their_serialised_form),
	  RUN(address, reads_next_hops),
	  RUN(address, leaves_what_a_name_does_not_say_to_its_records),
	  RUN(address, takes_udp_unless_a_next_hop_says_tcp),
	  RUN(address, reads_addresses_with_their_prefix_length),
	  RUN(address, knows_which_addresses_a_station_may_have),
	  RUN(address, knows_what_is_on_a_link), RUN(address, reads_hardware_addresses_of_stations),
	  RUN(device, is_one_of_four_kinds), RUN(device, is_the_same_whatever_its_arguments))
