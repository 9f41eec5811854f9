/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "../test.h"
#include "control/interface.h"
#include "control/publish.h"
#include "loaded.h"

/** W2 on kernel sockets, Mw on a TAP port of our own, and a third port. */
static const char packets[] =
	"node: {name: ep1.home1.net}\n"							 /* 1 */
	"realms: [{domain: home1.net}]\n"						 /* 2 */
	"ports:\n"									 /* 3 */
	"  - {name: access, addresses: [198.18.0.10/24]}\n"				 /* 4 */
	"  - name: core\n"								 /* 5 */
	"    device: \"tap:wic0\"\n"							 /* 6 */
	"    addresses: [198.18.1.10/24, \"fd00:18:1::10/64\"]\n"			 /* 7 */
	"    gateways: [198.18.1.1, \"fe80::1\"]\n"					 /* 8 */
	"    vlan: 7\n"									 /* 9 */
	"    mtu: 1400\n"								 /* 10 */
	"    mac: \"02:00:5e:10:00:01\"\n"						 /* 11 */
	"  - {name: spare, device: \"net_tap0,iface=s\", addresses: [198.18.2.10/24]}\n" /* 12 */
	"access:\n"									 /* 13 */
	"  listen: [{port: access}]\n"							 /* 14 */
	"  tls: {certificates: [{certificate: cert.pem, key: key.pem}]}\n"		 /* 15 */
	"mw:\n"										 /* 16 */
	"  port: core\n"								 /* 17 */
	"  next_hops: [{uri: \"sip:198.18.1.20\"}]\n"					 /* 18 */
	"  trusted:\n"									 /* 19 */
	"    - 198.18.1.20\n"								 /* 20 */
	"    - 198.19.0.1\n"								 /* 21 */
	"    - \"fd00:19::1\"\n"							 /* 22 */
	"issuers: []\n"									 /* 23 */
	"wwsf: []\n";									 /* 24 */

TEST(port, may_have_packets_of_its_own)
{
	static const uint8_t zero[6];
	struct loaded l;
	struct netif netif;

	loaded_begin(&l, packets);
	problems_print(l.problems, stderr);
	EXPECT_EQ(0, problems_count(l.problems));
	assert_non_null(l.config);
	EXPECT(!config_port_packets(config_port(l.config, 0)));
	EXPECT(config_port_packets(config_port(l.config, 1)));
	EXPECT_EQ(1048576, l.config->workers.packet_ring_bytes.value);
	EXPECT_EQ(1400, config_port(l.config, 1)->mtu.value);
	interface_read(config_port(l.config, 1), &netif);
	EXPECT_TEXT("core", netif.name);
	EXPECT_EQ(7, netif.vlan);
	EXPECT_EQ(30, netif.probe_s);
	EXPECT_EQ(2, netif.address_count);
	EXPECT_EQ(64, netif.address[1].prefix_len);
	EXPECT_EQ(2, netif.gateway_count);
	EXPECT(netif.port == NULL && netif.ops == NULL);
	EXPECT_BYTES(zero, netif.info.mac, 6);
	loaded_end(&l);
}

TEST(port, leaves_out_of_its_interface_what_cannot_be_read)
{
	struct config_port port = {.name = {"core", 1}, .device = {"tap:wic0", 1}};
	struct option_text addresses[20], gateways[20];
	struct netif netif;

	for (int i = 0; i < 20; i++) {
		addresses[i].text = i == 0 ? "x" : "198.18.1.10/24";
		gateways[i].text = i == 0 ? "y" : "198.18.1.1";
	}
	port.addresses = (struct option_list){addresses, 3, 1};
	port.gateways = (struct option_list){gateways, 4, 1};
	interface_read(&port, &netif);
	EXPECT_EQ(2, netif.address_count);
	EXPECT_EQ(3, netif.gateway_count);
	port.addresses.count = port.gateways.count = 20;
	interface_read(&port, &netif);
	EXPECT_EQ(NETIF_ADDRESSES_MAX, netif.address_count);
	EXPECT_EQ(NETIF_GATEWAYS_MAX, netif.gateway_count);
}

#define SEVENTEEN \
	"198.18.1.10/24, 198.18.1.11/24, 198.18.1.12/24, 198.18.1.13/24, 198.18.1.14/24, " \
	"198.18.1.15/24, 198.18.1.16/24, 198.18.1.17/24, 198.18.1.18/24, 198.18.1.19/24, " \
	"198.18.1.30/24, 198.18.1.31/24, 198.18.1.32/24, 198.18.1.33/24, 198.18.1.34/24, " \
	"198.18.1.35/24, 198.18.1.36/24"
#define SEVENTEEN_ROUTERS \
	"\"fe80::1\", 198.18.1.1, 198.18.1.2, 198.18.1.3, 198.18.1.4, 198.18.1.5, 198.18.1.6, " \
	"198.18.1.7, " \
	"198.18.1.8, 198.18.1.9, 198.18.1.40, 198.18.1.41, 198.18.1.42, 198.18.1.43, " \
	"198.18.1.44, 198.18.1.45, 198.18.1.46"

TEST(port, is_refused_with_line_and_reason)
{
	static const struct {
		const char *from, *to, *reason;
	} rows[] = {
		{"tap:wic0", "tap:sixteen-letters0",
		 "wicgate.yaml:6: ports[].device: \"tap:sixteen-letters0\": the name of an "
		 "interface has 1 to 15 characters without '/', ':', '%' and white space"},
		{"tap:wic0", "net_tap0",
		 "wicgate.yaml:12: ports[].device: \"net_tap0,iface=s\" is the device of port core "
		 "already"},
		{"198.18.1.10/24", "198.18.1.0/24",
		 "wicgate.yaml:7: ports[].addresses: \"198.18.1.0/24\": the address of the network "
		 "itself"},
		{"198.18.1.10/24", "198.18.1.255/24",
		 "wicgate.yaml:7: ports[].addresses: \"198.18.1.255/24\": the broadcast address of "
		 "its network"},
		{"198.18.1.10/24, \"fd00", "198.18.1.10/24, \"ff02::1/16\", \"fd00",
		 "wicgate.yaml:7: ports[].addresses: \"ff02::1/16\": a group address"},
		{"198.18.1.10/24", "198.18.1.10/24, 198.18.1.10",
		 "wicgate.yaml:7: ports[].addresses: \"198.18.1.10\": prefix length missing, as in "
		 "198.18.0.10/24"},
		{"198.18.1.10/24", "198.18.1.10/24, 198.18.1.10/24",
		 "wicgate.yaml:7: ports[].addresses: \"198.18.1.10/24\" repeated, first on line 7"},
		{"198.18.1.10/24, \"fd00:18:1::10/64\"", SEVENTEEN,
		 "wicgate.yaml:7: ports[].addresses: port core has more than 16, the most on a "
		 "port "
		 "with packets of its own"},
		{"198.18.2.10/24", "198.18.0.77/16",
		 "wicgate.yaml:12: ports[].addresses: the subnet of \"198.18.0.77/16\" overlaps "
		 "that "
		 "of \"198.18.1.10/24\" of port core"},
		{"198.18.2.10/24", "\"fd00:18:1::20/80\"",
		 "wicgate.yaml:12: ports[].addresses: the subnet of \"fd00:18:1::20/80\" overlaps "
		 "that of \"fd00:18:1::10/64\" of port core"},
		{"gateways: [198.18.1.1,", "gateways: [198.18.9.1,",
		 "wicgate.yaml:8: ports[].gateways: \"198.18.9.1\": in no subnet of the port's "
		 "addresses"},
		{"gateways: [198.18.1.1,", "gateways: [198.18.1.10,",
		 "wicgate.yaml:8: ports[].gateways: \"198.18.1.10\": the port's own address"},
		{"gateways: [198.18.1.1,", "gateways: [198.18.1.255,",
		 "wicgate.yaml:8: ports[].gateways: \"198.18.1.255\": the broadcast address of its "
		 "network"},
		{"gateways: [198.18.1.1,", "gateways: [198.18.1.1/24, 198.18.1.2,",
		 "wicgate.yaml:8: ports[].gateways: \"198.18.1.1/24\": not an IPv4 or IPv6 "
		 "address"},
		{"gateways: [198.18.1.1,", "gateways: [198.18.1.1, 198.18.1.1,",
		 "wicgate.yaml:8: ports[].gateways: \"198.18.1.1\" repeated, first on line 8"},
		{"gateways: [198.18.1.1, \"fe80::1\"]", "gateways: [" SEVENTEEN_ROUTERS "]",
		 "wicgate.yaml:8: ports[].gateways: port core has more than 16"},
		{"vlan: 7", "vlan: 4095",
		 "wicgate.yaml:9: ports[].vlan: 4095 is out of range 0..4094"},
		{"mtu: 1400", "mtu: 1279",
		 "wicgate.yaml:10: ports[].mtu: 1279 is less than 1280, which IPv6 needs; 0 takes "
		 "the device's own"},
		{"mtu: 1400", "mtu: 9001",
		 "wicgate.yaml:10: ports[].mtu: 9001 is out of range 0..9000"},
		{"02:00:5e", "03:00:5e",
		 "wicgate.yaml:11: ports[].mac: \"03:00:5e:10:00:01\": a group address"},
		{"02:00:5e:", "02-00-5e-",
		 "wicgate.yaml:11: ports[].mac: \"02-00-5e-10:00:01\": six pairs of hexadecimal "
		 "digits expected, as 02:00:5e:10:00:01"},
		{"mtu: 1400", "neighbour_probe: 0",
		 "wicgate.yaml:10: ports[].neighbour_probe: 0 is out of range 1..3600"},
		{"  listen: [{port: access}]", "  listen: [{port: spare}]",
		 "wicgate.yaml:14: access.listen[].port: port spare has an IPv4 address and no "
		 "IPv4 gateway: browsers would get no answer"},
		{"  listen: [{port: access}]", "  listen: [{port: core, tcp: 5070}]",
		 "wicgate.yaml:14: access.listen[].tcp: 5070 is a port of Mw as well"},
		{"\"fd00:19::1\"", "\"fe80::20\"",
		 "wicgate.yaml:22: mw.trusted: \"fe80::20\": a link-local address: on a packet "
		 "port it needs one of a subnet"},
		{"gateways: [198.18.1.1, ", "gateways: [",
		 "wicgate.yaml:21: mw.trusted: \"198.19.0.1\": no way to it: ports[].gateways of "
		 "port core"},
		{", \"fe80::1\"]", "]",
		 "wicgate.yaml:22: mw.trusted: \"fd00:19::1\": no way to it: ports[].gateways of "
		 "port core"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		loaded_expect_refused(packets, rows[i].from, rows[i].to, rows[i].reason);
}

/* Where W2 and Mw may be: both on one packet port, each on its own, or one of them with the kernel.
 */
TEST(port, carries_tcp_of_w2_and_of_mw)
{
	static const char *const changes[][2] = {
		{"  listen: [{port: access}]", "  listen: [{port: core}]"},
		{"  listen: [{port: access}]", "  listen: [{port: access}, {port: core}]"},
		{"sip:198.18.1.20", "sip:198.18.1.20;transport=tcp"},
		{"  listen: [{port: access}]\n"
		 "  tls: {certificates: [{certificate: cert.pem, key: key.pem}]}\n"
		 "mw:\n  port: core\n  next_hops: [{uri: \"sip:198.18.1.20\"}]\n"
		 "  trusted:\n    - 198.18.1.20\n",
		 "  listen: [{port: core}]\n"
		 "  tls: {certificates: [{certificate: cert.pem, key: key.pem}]}\n"
		 "mw:\n  port: access\n  next_hops: [{uri: \"sip:198.18.0.20;transport=tcp\"}]\n"
		 "  trusted:\n    - 198.18.0.20\n"},
		{"addresses: [198.18.2.10/24]}\naccess:\n  listen: [{port: access}]",
		 "addresses: [198.18.2.10/24, \"fe80::10/64\"], gateways: [198.18.2.1]}\naccess:\n"
		 "  listen: [{port: spare}]"},
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char *text = folder_replace(packets, changes[i][0], changes[i][1]);
		struct loaded l;

		loaded_begin(&l, text);
		problems_print(l.problems, stderr);
		EXPECT_EQ(0, problems_count(l.problems));
		loaded_end(&l);
		free(text);
	}
}

#define FIFTEEN_MORE \
	"198.18.1.11/24, 198.18.1.12/24, 198.18.1.13/24, 198.18.1.14/24, 198.18.1.15/24, " \
	"198.18.1.16/24, 198.18.1.17/24, 198.18.1.18/24, 198.18.1.19/24, 198.18.1.30/24, " \
	"198.18.1.31/24, 198.18.1.32/24, 198.18.1.33/24, 198.18.1.34/24, 198.18.1.35/24"

/* A worker has sixteen listeners on ports of one kind, and Mw takes two. */
TEST(port, has_addresses_enough_to_listen_on_and_not_too_many)
{
	char *full = folder_replace(packets, ", \"fd00:18:1::10/64\"]", ", " FIFTEEN_MORE "]");
	char *w2 = folder_replace(full, "  listen: [{port: access}]", "  listen: [{port: core}]");
	char *far = folder_replace(w2, "    - \"fd00:19::1\"\n", "");
	char *less = folder_replace(far, ", 198.18.1.34/24, 198.18.1.35/24", "");
	struct loaded l;

	loaded_begin(&l, far);
	assert_null(l.config);
	EXPECT_TEXT("wicgate.yaml:14: access.listen: more than 16 addresses on ports with packets "
		    "of their own, two of them for Mw where it is there",
		    loaded_problem(&l, 0));
	EXPECT_EQ(1, problems_count(l.problems));
	loaded_end(&l);
	loaded_begin(&l, less);
	problems_print(l.problems, stderr);
	EXPECT_EQ(0, problems_count(l.problems));
	loaded_end(&l);
	free(full);
	free(w2);
	free(far);
	free(less);
}

TEST(port, has_all_its_faults_told_at_once)
{
	static const char *const expected[] = {
		"wicgate.yaml:4: ports[].vlan: port access has device kernel, the operating system "
		"has that",
		"wicgate.yaml:4: ports[].mac: port access has device kernel, the operating system "
		"has that",
		"wicgate.yaml:12: ports[].device: \"tap:wic0\" is the device of port core already",
		"wicgate.yaml:12: ports[].addresses: the subnet of \"198.18.1.99/24\" overlaps "
		"that "
		"of \"198.18.1.10/24\" of port core",
		"wicgate.yaml:18: mw.next_hops[].uri: \"sip:203.0.113.1\": no way to it: "
		"ports[].gateways of port core",
		"wicgate.yaml:20: mw.trusted: \"203.0.113.1\": no way to it: ports[].gateways of "
		"port core",
		"wicgate.yaml:21: mw.trusted: \"198.19.0.1\": no way to it: ports[].gateways of "
		"port core",
	};
	char *one = folder_replace(packets, "{name: access,", "{name: access, vlan: 1, mac: x,");
	char *two = folder_replace(one, "\"net_tap0,iface=s\"", "\"tap:wic0\"");
	char *three = folder_replace(two, "198.18.2.10/24", "198.18.1.99/24");
	char *four = folder_replace(three, "198.18.1.20", "203.0.113.1");
	char *five = folder_replace(four, "gateways: [198.18.1.1, ", "gateways: [");
	struct loaded l;

	loaded_begin(&l, five);
	assert_null(l.config);
	for (uint32_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		EXPECT_TEXT(expected[i], loaded_problem(&l, i));
	EXPECT_EQ(sizeof(expected) / sizeof(expected[0]), problems_count(l.problems));
	loaded_end(&l);
	free(one);
	free(two);
	free(three);
	free(four);
	free(five);
}

TEST(port, may_share_link_local_subnets_with_others)
{
	char *one = folder_replace(packets, "\"fd00:18:1::10/64\"]",
				   "\"fd00:18:1::10/64\", \"fe80::10/64\"]");
	char *two = folder_replace(one, "198.18.2.10/24]", "198.18.2.10/24, \"fe80::10/64\"]");
	struct loaded l;

	loaded_begin(&l, two);
	EXPECT_EQ(0, problems_count(l.problems));
	loaded_end(&l);
	free(one);
	free(two);
}

TEST(port, needs_a_restart_for_every_change)
{
	static const char *const changes[][2] = {
		{"198.18.1.1, ", "198.18.1.2, "},
		{"vlan: 7", "vlan: 8"},
		{"mtu: 1400", "mtu: 1500"},
		{"5e:10:00:01", "5e:10:00:02"},
		{"tap:wic0", "tap:wic1"},
		{"mtu: 1400", "neighbour_probe: 5\n    mtu: 1400"},
	};
	struct problems *problems;
	struct config *old;
	struct loaded l;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char *text = folder_replace(packets, changes[i][0], changes[i][1]);

		loaded_begin(&l, packets);
		old = l.config;
		problems_free(l.problems);
		loaded_load(&l, text);
		assert_non_null(l.config);
		problems = problems_new();
		config_compare(old, l.config, problems);
		EXPECT_EQ(1, problems_errors(problems));
		problems_free(problems);
		config_free(old);
		loaded_end(&l);
		free(text);
	}
}

TEST(port, decides_which_back_end_carries_it)
{
	struct state kept = {.folder = -1};
	struct config_part *part;
	struct loaded l;
	char *text;

	loaded_begin(&l, packets);
	part = publish_config(l.config, &kept);
	EXPECT_EQ(NET_KERNEL, part->access[0].back_end);
	EXPECT_EQ(NET_PACKETS, part->mw_back_end);
	part->part.free(&part->part);
	loaded_end(&l);
	text = folder_replace(packets, "  listen: [{port: access}]", "  listen: [{port: core}]");
	loaded_begin(&l, text);
	part = publish_config(l.config, &kept);
	EXPECT_EQ(2, part->access_count); /* every address of the port */
	EXPECT_EQ(NET_PACKETS, part->access[1].back_end);
	EXPECT_EQ(AF_INET6, part->access[1].address.sa.sa_family);
	EXPECT_EQ(443, endpoint_port(&part->access[1].address));
	part->part.free(&part->part);
	loaded_end(&l);
	free(text);
	loaded_begin(&l, loaded_minimal);
	part = publish_config(l.config, &kept);
	EXPECT_EQ(NET_KERNEL, part->mw_back_end);
	part->part.free(&part->part);
	loaded_end(&l);
}

TEST_MAIN("port", RUN(port, may_have_packets_of_its_own),
	  RUN(port, leaves_out_of_its_interface_what_cannot_be_read),
	  RUN(port, is_refused_with_line_and_reason), RUN(port, carries_tcp_of_w2_and_of_mw),
	  RUN(port, has_addresses_enough_to_listen_on_and_not_too_many),
	  RUN(port, has_all_its_faults_told_at_once),
	  RUN(port, may_share_link_local_subnets_with_others),
	  RUN(port, needs_a_restart_for_every_change), RUN(port, decides_which_back_end_carries_it))
