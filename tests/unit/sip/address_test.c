/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "sip/sip.h"
#include "test.h"

static struct sip_address parse(const char *text)
{
	return sip_address_parse(span_text(text));
}

static struct sip_via parse_via(const char *text)
{
	return sip_via_parse(span_text(text));
}

TEST(address, reads_a_quoted_display_name)
{
	struct sip_address a =
		parse("\"J \\\\\\\" <R>, Jr\"  <sip:j@example.com;lr>\r\n ; tag = 9");

	EXPECT_EQ(GW_OK, a.err);
	EXPECT_SPAN("\"J \\\\\\\" <R>, Jr\"", a.display);
	EXPECT_SPAN("sip:j@example.com;lr", a.uri_text);
	EXPECT_SPAN("lr", a.uri.params);
	EXPECT_SPAN(" tag = 9", a.params);
}

TEST(address, reads_display_names_of_words)
{
	struct sip_address a = parse("Bob \t Smith <sip:bob@b>");

	EXPECT_EQ(GW_OK, a.err);
	EXPECT_SPAN("Bob \t Smith", a.display);
	EXPECT_EQ(GW_OK, parse("J\xc3\xb6rg <sip:bob@b>").err);
	EXPECT_EQ(GW_OK, parse("caller<sip:caller@example.com>;tag=323").err);
}

TEST(address, gives_parameters_of_a_bare_uri_to_the_header)
{
	struct sip_address a = parse("sip:bob@example.com;tag=1;x");

	EXPECT_EQ(GW_OK, a.err);
	EXPECT_SPAN("sip:bob@example.com", a.uri_text);
	EXPECT_EQ(0, a.uri.params.len);
	EXPECT_SPAN("tag=1;x", a.params);
	EXPECT_EQ(0, a.display.len);
}

TEST(address, lets_quoted_parameters_of_a_bare_uri_hold_brackets)
{
	struct sip_address a = parse("sip:a@b;+sip.instance=\"<urn:uuid:1;x@y>\";expires=5");
	struct span expires;

	EXPECT_EQ(GW_OK, a.err);
	EXPECT(sip_param(a.params, SPAN("expires"), &expires));
	EXPECT_SPAN("5", expires);
}

TEST(address, knows_the_star)
{
	EXPECT(parse("*").star);
	EXPECT_EQ(GW_OK, parse(" * ").err);
	EXPECT(!parse("sip:*@b").star);
	EXPECT_EQ(GW_SIP_URI, parse("*;expires=0").err);
}

TEST(address, names_unknown_schemes_with_everything_else_set)
{
	struct sip_address a = parse("<http://example.com/>;q=1");

	EXPECT_EQ(GW_SIP_URI_SCHEME, a.err);
	EXPECT_SPAN("http://example.com/", a.uri_text);
	EXPECT_SPAN("q=1", a.params);
}

TEST(address, refuses_what_could_be_read_in_two_ways)
{
	static const char *const bad[] = {
		"\"Bob <sip:bob@b>",
		"\"Bob\" sip:bob@b",
		"\"Bob\"",
		"\"Bob\\\" <sip:bob@b>",
		"Bell, Alexander <sip:a@b>",
		"a@b <sip:a@b>",
		"Bob \"x\" <sip:bob@b>",
		"<sip:bob@b",
		"<sip:bob@b>>",
		"<sip:bob@b> x",
		"<sip:bob@b>, <sip:eve@b>",
		"<sip:bob@b>;tag=1, <sip:eve@b>",
		"<sip:bob@b>;tag=<sip:eve@b>",
		"<sip:bob@b>;tag=\"1",
		"<sip:bob@b>;=1",
		"<sip:bob@b>;\"tag\"=1",
		"<sip:bob@b>;a b=1",
		"sip:bob@b?Route=%3Csip:example.com%3E",
		"sip:bob,eve@b",
		"sip:bob;x@b",
		"sip:bob;x=y@b",
		"sip:bob@b, sip:eve@b",
		"sip:bob@b;tag=1,sip:eve@b",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(GW_SIP_ADDRESS, parse(bad[i]).err);
}

TEST(address, refuses_a_malformed_uri)
{
	EXPECT_EQ(GW_SIP_URI, parse("").err);
	EXPECT_EQ(GW_SIP_URI, parse("<>").err);
	EXPECT_EQ(GW_SIP_URI, parse("< sip:a@b>").err);
	EXPECT_EQ(GW_SIP_URI, parse("<sip:a\"@b>").err);
	EXPECT_EQ(GW_SIP_URI, parse("<<sip:a@b>").err);
	EXPECT_EQ(GW_SIP_URI, parse("<sip:a@b,sip:c@d>").err);
	EXPECT_EQ(GW_SIP_URI, parse("Bob").err);
}

TEST(address, takes_parameters_up_to_the_limit_and_not_one_more)
{
	char text[512] = "<sip:a@b>";
	size_t len = strlen(text);

	for (int i = 0; i < SIP_PARAMS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ";p=1");
	EXPECT_EQ(GW_OK, parse(text).err);
	snprintf(text + len, sizeof(text) - len, ";p");
	EXPECT_EQ(GW_SIP_ADDRESS, parse(text).err);
}

TEST(via, reads_a_via_of_a_browser)
{
	struct sip_via via =
		parse_via("SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK4563742;rport");
	struct span rport;

	EXPECT_EQ(GW_OK, via.err);
	EXPECT_SPAN("WSS", via.transport);
	EXPECT_SPAN("v5e0bm0sd9mg.invalid", via.host);
	EXPECT_EQ(0, via.port);
	EXPECT_SPAN("z9hG4bK4563742", via.branch);
	EXPECT(sip_param(via.params, SPAN("rport"), &rport));
}

TEST(via, reads_white_space_wherever_the_grammar_has_it)
{
	struct sip_via via = parse_via(
		"SIP  / 2.0\r\n  / TCP     spindle.example.com : 5062  ;\r\n  branch  =   "
		"z9hG4bK9ikj8");

	EXPECT_EQ(GW_OK, via.err);
	EXPECT_SPAN("TCP", via.transport);
	EXPECT_SPAN("spindle.example.com", via.host);
	EXPECT_EQ(5062, via.port);
	EXPECT_SPAN("z9hG4bK9ikj8", via.branch);
}

TEST(via, reads_ipv6_and_unknown_transports)
{
	struct sip_via via = parse_via("SIP/2.0/TLS-SCTP [2001:db8::9]:5061");

	EXPECT_EQ(GW_OK, via.err);
	EXPECT_SPAN("TLS-SCTP", via.transport);
	EXPECT_SPAN("[2001:db8::9]", via.host);
	EXPECT_EQ(5061, via.port);
	EXPECT_EQ(0, via.branch.len);
}

TEST(via, refuses_what_is_no_via_element)
{
	static const char *const bad[] = {"",
					  "SIP/2.0/UDP",
					  "SIP/2.0/UDP ",
					  "SIP/2.0 UDP a",
					  "SIP/3.0/UDP a",
					  "HTTP/2.0/UDP a",
					  "/2.0/UDP a",
					  "SIP/2.0/ a",
					  "SIP/2.0/UDP ;branch=x",
					  "SIP/2.0/UDP a:;branch=x",
					  "SIP/2.0/UDP a:99999",
					  "SIP/2.0/UDP a b",
					  "SIP/2.0/UDP a;branch=x, SIP/2.0/UDP b",
					  "SIP/2.0/UDP a;branch=\"x",
					  "SIP/2.0/UDP [::1",
					  "SIP/2.0/UDP a@b"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(GW_SIP_VIA, parse_via(bad[i]).err);
}

TEST_MAIN("sip address and via", RUN(address, reads_a_quoted_display_name),
	  RUN(address, reads_display_names_of_words),
	  RUN(address, gives_parameters_of_a_bare_uri_to_the_header),
	  RUN(address, lets_quoted_parameters_of_a_bare_uri_hold_brackets),
	  RUN(address, knows_the_star),
	  RUN(address, names_unknown_schemes_with_everything_else_set),
	  RUN(address, refuses_what_could_be_read_in_two_ways),
	  RUN(address, refuses_a_malformed_uri),
	  RUN(address, takes_parameters_up_to_the_limit_and_not_one_more),
	  RUN(via, reads_a_via_of_a_browser),
	  RUN(via, reads_white_space_wherever_the_grammar_has_it),
	  RUN(via, reads_ipv6_and_unknown_transports), RUN(via, refuses_what_is_no_via_element))
