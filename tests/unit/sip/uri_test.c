/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "sip/sip.h"
#include "test.h"

static struct sip_uri parse(const char *text)
{
	return sip_uri_parse(span_text(text));
}

TEST(uri, splits_every_part_of_a_sip_uri)
{
	struct sip_uri uri = parse(
		"SIPS:alice:sec%40ret@Example.COM:5061;transport=tcp;lr?Subject=x&Priority=y");

	EXPECT_EQ(GW_OK, uri.err);
	EXPECT_EQ(SIP_SCHEME_SIPS, uri.scheme);
	EXPECT(uri.has_user);
	EXPECT_SPAN("alice", uri.user);
	EXPECT_SPAN("sec%40ret", uri.password);
	EXPECT_SPAN("Example.COM", uri.host);
	EXPECT_EQ(5061, uri.port);
	EXPECT_SPAN("transport=tcp;lr", uri.params);
	EXPECT_SPAN("Subject=x&Priority=y", uri.headers);
}

TEST(uri, reads_a_host_alone)
{
	struct sip_uri uri = parse("sip:example.test");

	EXPECT_EQ(GW_OK, uri.err);
	EXPECT(!uri.has_user);
	EXPECT_EQ(0, uri.user.len);
	EXPECT_SPAN("example.test", uri.host);
	EXPECT_EQ(0, uri.port);
	EXPECT_EQ(0, uri.params.len);
}

TEST(uri, keeps_semicolons_and_question_marks_of_the_user_with_the_user)
{
	struct sip_uri uri = parse("sip:user;par=u%40example.net?x/y@example.com");

	EXPECT_EQ(GW_OK, uri.err);
	EXPECT_SPAN("user;par=u%40example.net?x/y", uri.user);
	EXPECT_SPAN("example.com", uri.host);
	EXPECT_EQ(0, uri.params.len);
}

TEST(uri, reads_an_ipv6_reference)
{
	struct sip_uri uri = parse("sip:a@[2001:db8::10]:5070;lr");

	EXPECT_EQ(GW_OK, uri.err);
	EXPECT_SPAN("[2001:db8::10]", uri.host);
	EXPECT_EQ(5070, uri.port);
	EXPECT_EQ(GW_SIP_URI, parse("sip:a@[2001:db8::10").err);
	EXPECT_EQ(GW_SIP_URI, parse("sip:a@[]").err);
	EXPECT_EQ(GW_SIP_URI, parse("sip:a@[2001]").err);
	EXPECT_EQ(GW_SIP_URI, parse("sip:a@[::g]").err);
	EXPECT_EQ(GW_SIP_URI, parse("sip:a@2001:db8::10").err);
}

TEST(uri, refuses_what_the_grammar_does_not_have)
{
	static const char *const bad[] = {"",
					  "sip",
					  "sip:",
					  ":a@b",
					  "1sip:a@b",
					  "s p:a@b",
					  "sip:@b",
					  "sip::x@b",
					  "sip:a@",
					  "sip:a@b@c",
					  "sip:a@b:",
					  "sip:a@b:0",
					  "sip:a@b:65536",
					  "sip:a@b:5060x",
					  "sip:a@-b",
					  "sip:a@.b",
					  "sip:a b@c",
					  "sip:a@b c",
					  "sip:a@b\r\n",
					  "sip:\"a\"@b",
					  "sip:<a@b",
					  "sip:a@b>",
					  "sip:a\\b@c",
					  "sip:a{b}@c",
					  "sip:a^b@c",
					  "sip:a#b@c",
					  "sip:\xc3\xb6@b",
					  "sip:%@b",
					  "sip:%4@b",
					  "sip:%4g@b",
					  "sip:a@b%41",
					  "sip:a@b;x=%",
					  "sip:a@b;=x",
					  "sip:a@b;x=y,z",
					  "sip:a@b?",
					  "sip:a@b?x=%zz",
					  "sip:a@b?x;y",
					  "sip:a@b/c"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sip_uri uri = parse(bad[i]);

		EXPECT_EQ(GW_SIP_URI, uri.err);
		EXPECT_EQ(0, uri.host.len);
		EXPECT_EQ(0, uri.user.len);
	}
	EXPECT_EQ(GW_SIP_URI, sip_uri_parse(SPAN("sip:a\0b@c")).err);
}

TEST(uri, accepts_escaped_nul_and_leaves_it_escaped)
{
	struct sip_uri uri = parse("sip:null-%00-null@example.com");

	EXPECT_EQ(GW_OK, uri.err);
	EXPECT_SPAN("null-%00-null", uri.user);
}

TEST(uri, reads_tel_numbers_as_written)
{
	struct sip_uri uri = parse("tel:+1-555.123(0000);phone-context=x");

	EXPECT_EQ(GW_OK, uri.err);
	EXPECT_EQ(SIP_SCHEME_TEL, uri.scheme);
	EXPECT(uri.has_user);
	EXPECT_SPAN("+1-555.123(0000)", uri.user);
	EXPECT_SPAN("phone-context=x", uri.params);
	EXPECT_EQ(0, uri.host.len);
	EXPECT_EQ(GW_OK, parse("tel:*21#").err);
	EXPECT_EQ(GW_OK, parse("TEL:112").err);
}

TEST(uri, refuses_tel_numbers_without_digits_or_with_other_things)
{
	static const char *const bad[] = {"tel:",     "tel:+",	    "tel:+()",	 "tel:()",
					  "tel:+1a",  "tel:+1*",    "tel:1+2",	 "tel:++1",
					  "tel:1 2",  "tel:1@b",    "tel:1?x=y", "tel:1;=x",
					  "tel:%311", "tel:1;x=\"", "tel:1,2",	 "tel:xyz"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(GW_SIP_URI, parse(bad[i]).err);
}

TEST(uri, knows_a_urn_and_names_unknown_schemes)
{
	struct sip_uri uri = parse("urn:service:sos.police");

	EXPECT_EQ(GW_OK, uri.err);
	EXPECT_EQ(SIP_SCHEME_URN, uri.scheme);
	EXPECT_EQ(0, uri.host.len);
	uri = parse("nobodyKnowsThisScheme:totallyopaquecontent");
	EXPECT_EQ(GW_SIP_URI_SCHEME, uri.err);
	EXPECT_EQ(SIP_SCHEME_OTHER, uri.scheme);
	EXPECT_SPAN("nobodyKnowsThisScheme:totallyopaquecontent", uri.text);
	EXPECT_EQ(GW_SIP_URI_SCHEME, parse("soap.beep://192.0.2.103:3002").err);
	EXPECT_EQ(GW_SIP_URI, parse("urn:").err);
	EXPECT_EQ(GW_SIP_URI, parse("http:a b").err);
}

TEST(uri, takes_a_uri_at_the_limit_and_none_longer)
{
	char text[SIP_URI_MAX + 2];

	memset(text, 'a', sizeof(text));
	memcpy(text, "sip:", 4);
	EXPECT_EQ(GW_OK, sip_uri_parse(span_of(text, SIP_URI_MAX)).err);
	EXPECT_EQ(GW_SIP_URI, sip_uri_parse(span_of(text, SIP_URI_MAX + 1)).err);
}

TEST(uri, takes_parameters_up_to_the_limit_and_not_one_more)
{
	char text[512] = "sip:a@b";
	size_t len = strlen(text);

	for (int i = 0; i < SIP_PARAMS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ";p=1");
	EXPECT_EQ(GW_OK, parse(text).err);
	snprintf(text + len, sizeof(text) - len, ";p");
	EXPECT_EQ(GW_SIP_URI, parse(text).err);
}

TEST(uri, stays_inside_its_text_at_every_cut)
{
	struct span text = SPAN("sip:alice:pw@[2001:db8::10]:5061;transport=tcp;x=%41?a=b");

	for (uint32_t len = 0; len <= text.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct sip_uri uri;

		memcpy(copy, text.at, len);
		uri = sip_uri_parse(span_of(copy, len));
		if (uri.err == GW_OK && uri.headers.len > 0)
			EXPECT(uri.headers.at + uri.headers.len == copy + len);
		free(copy);
	}
}

TEST(uri, has_characters_with_escapes_and_without)
{
	static const struct {
		const char *text;
		int c;
		uint32_t bytes;
	} rows[] = {
		{"", -1, 1},	 {"a", 'a', 1},	  {"%41", 'A', 3}, {"%7e1", '~', 3},
		{"%7E", '~', 3}, {"%00", 0, 3},	  {"%ff", 255, 3}, {"%", '%', 1},
		{"%4", '%', 1},	 {"%4g", '%', 1}, {"%g4", '%', 1}, {"%%41", '%', 1},
	};

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t bytes = 0;

		EXPECT_EQ(rows[i].c, sip_uri_char(span_text(rows[i].text), &bytes));
		EXPECT_EQ(rows[i].bytes, bytes);
	}
}

/* The pairs of RFC 3261 19.1.4, and of what it says beside them. */
TEST(uri, is_the_same_as_another_or_not)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp",
		 true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
		{"sip:alice@atlanta.com;a=1;b=2", "sip:alice@atlanta.com;B=2;A=1", true},
		{"sip:alice:x%41@h.com", "sip:alice:xA@h.com", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP",
		 false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;user=phone", false},
		{"sip:bob@biloxi.com;maddr=1.2.3.4", "sip:bob@biloxi.com", false},
		{"sip:bob@biloxi.com;ttl=1", "sip:bob@biloxi.com", false},
		{"sip:bob@biloxi.com;method=INVITE", "sip:bob@biloxi.com", false},
		{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:bob@h.com", "sips:bob@h.com", false},
		{"sip:h.com", "sip:bob@h.com", false},
		{"sip:bob:x@h.com", "sip:bob@h.com", false},
		{"sip:a%3Bb@h.com", "sip:a;b@h.com", false}, /* of a reserved one it is another */
	};

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_uri a = parse(rows[i].a), b = parse(rows[i].b);

		EXPECT_EQ(GW_OK, a.err);
		EXPECT_EQ(GW_OK, b.err);
		EXPECT_EQ(rows[i].same, sip_uri_equal(&a, &b));
		EXPECT_EQ(rows[i].same, sip_uri_equal(&b, &a));
	}
}

TEST_MAIN("sip uri", RUN(uri, splits_every_part_of_a_sip_uri), RUN(uri, reads_a_host_alone),
	  RUN(uri, keeps_semicolons_and_question_marks_of_the_user_with_the_user),
	  RUN(uri, reads_an_ipv6_reference), RUN(uri, refuses_what_the_grammar_does_not_have),
	  RUN(uri, accepts_escaped_nul_and_leaves_it_escaped),
	  RUN(uri, reads_tel_numbers_as_written),
	  RUN(uri, refuses_tel_numbers_without_digits_or_with_other_things),
	  RUN(uri, knows_a_urn_and_names_unknown_schemes),
	  RUN(uri, takes_a_uri_at_the_limit_and_none_longer),
	  RUN(uri, takes_parameters_up_to_the_limit_and_not_one_more),
	  RUN(uri, stays_inside_its_text_at_every_cut),
	  RUN(uri, has_characters_with_escapes_and_without),
	  RUN(uri, is_the_same_as_another_or_not))
