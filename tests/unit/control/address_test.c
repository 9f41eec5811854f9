/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/address.h"

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
		{"sip:core.home1.net", NULL},
		{"sip:user@198.18.0.20", NULL},
		{"sip:198.18.0.20:0", NULL},
		{"sip:198.18.0.20:99999", NULL},
		{"sip:198.18.0.20;transport=tls", NULL},
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
	struct endpoint address;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_EQ(rows[i].expected != NULL, address_prefix(rows[i].text, &address) == NULL);
		if (rows[i].expected != NULL)
			EXPECT_TEXT(rows[i].expected, endpoint_format(&address, text));
	}
}

TEST_MAIN("address", RUN(address, writes_origins_in_their_serialised_form),
	  RUN(address, reads_next_hops), RUN(address, takes_udp_unless_a_next_hop_says_tcp),
	  RUN(address, reads_addresses_with_their_prefix_length))
