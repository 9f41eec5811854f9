/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"
#include "test.h"

#include <stdlib.h>

static struct endpoint parsed(const char *text)
{
	struct endpoint e;

	EXPECT(endpoint_parse(span_text(text), &e));
	return e;
}

/* text is read and written as the same. */
static void round_trip(const char *text)
{
	struct endpoint e = parsed(text);
	char again[ENDPOINT_TEXT_MAX];

	EXPECT_TEXT(text, endpoint_format(&e, again));
}

TEST(endpoint, reads_and_writes_both_families)
{
	round_trip("198.18.0.10:443");
	round_trip("[fd00:18::10]:443");
	round_trip("[::]:0");
	round_trip("255.255.255.255:65535");
}

TEST(endpoint, takes_an_address_alone_as_port_0)
{
	struct endpoint alone = parsed("198.18.0.10");

	EXPECT_EQ(0, endpoint_port(&alone));
	EXPECT_EQ(AF_INET, alone.sa.sa_family);
	EXPECT_EQ(AF_INET6, parsed("[fd00:18::10]").sa.sa_family);
	EXPECT_EQ(AF_INET6, parsed("fd00:18::10").sa.sa_family);
}

TEST(endpoint, refuses_what_is_malformed_and_leaves_the_result_alone)
{
	static const char *const bad[] = {
		"",
		":443",
		"198.18.0",
		"198.18.0.256:1",
		"198.18.0.10:",
		"198.18.0.10:65536",
		"198.18.0.10:000001",
		"198.18.0.10:4x",
		"198.18.0.10:-1",
		"198.18.0.10 :1",
		"[fd00:18::10",
		"[fd00:18::10]443",
		"[fd00:18::10]:",
		"[198.18.0.10]:443",
		"[]:443",
		"localhost:443",
		"[fd00:18::10:fd00:18::10:fd00:18::10:fd00:18::10:fd00]:1"};
	struct endpoint e = {.sa = {.sa_family = 77}};

	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!endpoint_parse(span_text(bad[i]), &e));
	EXPECT(!endpoint_parse(SPAN("198.18.0.10\0:443"), &e));
	EXPECT(!endpoint_parse(SPAN("198.18.0.10:44\0"), &e));
	EXPECT_EQ(77, e.sa.sa_family);
}

/* In memory of exactly that size, so that a read past the end is seen. */
TEST(endpoint, reads_no_byte_past_the_end_wherever_it_is_cut)
{
	const struct span whole[] = {SPAN("198.18.0.10:443"), SPAN("[fd00:18::10]:443"),
				     SPAN("fd00:18::10")};

	for (uint32_t w = 0; w < sizeof(whole) / sizeof(whole[0]); w++)
		for (uint32_t n = 1; n <= whole[w].len; n++) {
			uint8_t *cut = malloc(n);
			struct endpoint e;

			memcpy(cut, whole[w].at, n);
			if (endpoint_parse(span_of(cut, n), &e))
				EXPECT(e.sa.sa_family == AF_INET || e.sa.sa_family == AF_INET6);
			free(cut);
		}
}

TEST(endpoint, writes_a_dash_for_none)
{
	struct endpoint none = {.sa = {.sa_family = AF_UNSPEC}};
	char text[ENDPOINT_TEXT_MAX];

	EXPECT_TEXT("-", endpoint_format(&none, text));
	EXPECT_EQ(0, endpoint_port(&none));
}

TEST(endpoint, sets_the_port_in_host_order)
{
	struct endpoint e = parsed("[fd00:18::10]:1");
	char text[ENDPOINT_TEXT_MAX];

	endpoint_set_port(&e, 5060);
	EXPECT_EQ(5060, endpoint_port(&e));
	EXPECT_TEXT("[fd00:18::10]:5060", endpoint_format(&e, text));
}

TEST(endpoint, compares_hosts_without_ports_and_across_mapped_addresses)
{
	struct endpoint a = parsed("198.18.0.10:1"), b = parsed("198.18.0.10:2");
	struct endpoint mapped = parsed("[::ffff:198.18.0.10]:3"), other = parsed("198.18.0.11:1");
	struct endpoint six = parsed("[fd00:18::10]:1"), none = {.sa = {.sa_family = AF_UNSPEC}};

	EXPECT(endpoint_same_host(&a, &b));
	EXPECT(endpoint_same_host(&a, &mapped));
	EXPECT(!endpoint_same_host(&a, &other));
	EXPECT(!endpoint_same_host(&a, &six));
	EXPECT(!endpoint_same_host(&none, &none));
}

static struct span source(const char *text)
{
	static struct endpoint e;

	e = parsed(text);
	return endpoint_source(&e);
}

TEST(endpoint, takes_an_ipv4_address_or_an_ipv6_network_for_one_source)
{
	struct endpoint none = {.sa = {.sa_family = AF_UNSPEC}};

	EXPECT_SPAN("\xc6\x12\0\x0a", source("198.18.0.10:1"));
	EXPECT_SPAN("\xc6\x12\0\x0a", source("[::ffff:198.18.0.10]:2"));
	EXPECT_SPAN("\xfd\0\0\x18\0\0\0\x01", source("[fd00:18:0:1::10]:1"));
	EXPECT_SPAN("\xfd\0\0\x18\0\0\0\x01", source("[fd00:18:0:1:2:3:4:5]:1"));
	EXPECT_EQ(0, endpoint_source(&none).len);
}

TEST_MAIN("endpoint", RUN(endpoint, takes_an_ipv4_address_or_an_ipv6_network_for_one_source),
	  RUN(endpoint, reads_and_writes_both_families),
	  RUN(endpoint, takes_an_address_alone_as_port_0),
	  RUN(endpoint, refuses_what_is_malformed_and_leaves_the_result_alone),
	  RUN(endpoint, reads_no_byte_past_the_end_wherever_it_is_cut),
	  RUN(endpoint, writes_a_dash_for_none), RUN(endpoint, sets_the_port_in_host_order),
	  RUN(endpoint, compares_hosts_without_ports_and_across_mapped_addresses))
