/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "sip/sip.h"
#include "sip/text.h"
#include "test.h"

/* The elements of a list, each in brackets. */
static const char *elements(struct span list, char text[256])
{
	struct span item;
	size_t len = 0;

	text[0] = '\0';
	while (sip_list_next(&list, &item))
		len += (size_t)snprintf(text + len, 256 - len, "[%.*s]", (int)item.len,
					(const char *)item.at);
	return text;
}

static const char *params(struct span list, char text[256])
{
	struct span name, value;
	size_t len = 0;

	text[0] = '\0';
	while (sip_param_next(&list, &name, &value))
		len += (size_t)snprintf(text + len, 256 - len, "[%.*s|%.*s]", (int)name.len,
					(const char *)name.at, (int)value.len,
					(const char *)value.at);
	return text;
}

TEST(value, splits_a_list_at_commas_outside_quotes_and_brackets)
{
	char text[256];

	EXPECT_TEXT("[a][b][c]", elements(SPAN("a,b , c"), text));
	EXPECT_TEXT("[\"x, \\\", y\" <sip:a@b>][<sip:c,d@e>;q=1][f]",
		    elements(SPAN("\"x, \\\", y\" <sip:a@b>, <sip:c,d@e>;q=1, f"), text));
	EXPECT_TEXT("[a][b]", elements(SPAN("a\r\n ,\r\n\tb"), text));
}

TEST(value, steps_over_empty_elements)
{
	char text[256];

	EXPECT_TEXT("", elements(SPAN(""), text));
	EXPECT_TEXT("", elements(SPAN(" , ,"), text));
	EXPECT_TEXT("[a][b]", elements(SPAN(",a,,b,"), text));
}

TEST(value, gives_the_rest_of_an_unterminated_quote_as_one_element)
{
	char text[256];

	EXPECT_TEXT("[a][\"b, sec-agree]", elements(SPAN("a, \"b, sec-agree"), text));
	EXPECT_TEXT("[<b, sec-agree]", elements(SPAN("<b, sec-agree"), text));
	EXPECT_TEXT("[\"b\\]", elements(SPAN("\"b\\"), text));
}

TEST(value, knows_a_token)
{
	EXPECT(sip_is_token(SPAN("sec-agree")));
	EXPECT(!sip_is_token(SPAN("")));
	EXPECT(!sip_is_token(SPAN("\"b, sec-agree")));
	EXPECT(!sip_is_token(SPAN("a b")));
}

TEST(value, splits_parameters_and_trims_them)
{
	char text[256];

	EXPECT_TEXT("[lr|][a|b][c|]", params(SPAN("lr;a=b;c="), text));
	EXPECT_TEXT("[tag|98asjd8][x|]", params(SPAN("\r\n  tag = 98asjd8 ; ;x"), text));
	EXPECT_TEXT("[a|\"x;y=\\\"z\"][b|1]", params(SPAN("a=\"x;y=\\\"z\";b=1"), text));
	EXPECT_TEXT("[|b]", params(SPAN("=b"), text));
	EXPECT_TEXT("", params(SPAN(""), text));
}

TEST(value, finds_a_parameter_in_any_case)
{
	struct span list = SPAN("+sip.instance=\"<urn:x;expires=1>\";Expires=600;lr"), found;

	EXPECT(sip_param(list, SPAN("expires"), &found));
	EXPECT_SPAN("600", found);
	EXPECT(sip_param(list, SPAN("LR"), &found));
	EXPECT_EQ(0, found.len);
	EXPECT(!sip_param(list, SPAN("exp"), &found));
	EXPECT(!sip_param(SPAN(""), SPAN("lr"), &found));
}

TEST(value, takes_off_quotes_only_in_pairs)
{
	EXPECT_SPAN("a\\\"b", sip_unquote(SPAN("\"a\\\"b\"")));
	EXPECT_SPAN("", sip_unquote(SPAN("\"\"")));
	EXPECT_SPAN("\"", sip_unquote(SPAN("\"")));
	EXPECT_SPAN("a", sip_unquote(SPAN("a")));
	EXPECT_SPAN("\"a", sip_unquote(SPAN("\"a")));
}

TEST(value, reads_numbers_up_to_their_bound)
{
	uint32_t n = 7;

	EXPECT(sip_number(SPAN("0068"), 255, &n));
	EXPECT_EQ(68, n);
	EXPECT(sip_number(SPAN("255"), 255, &n));
	EXPECT(!sip_number(SPAN("256"), 255, &n));
	EXPECT(sip_number(SPAN("4294967295"), UINT32_MAX, &n));
	EXPECT(!sip_number(SPAN("4294967296"), UINT32_MAX, &n));
	EXPECT(!sip_number(SPAN("99999999999999999999999999"), UINT32_MAX, &n));
	EXPECT(!sip_number(SPAN(""), 255, &n));
	EXPECT(!sip_number(SPAN("-1"), 255, &n));
	EXPECT(!sip_number(SPAN("+1"), 255, &n));
	EXPECT(!sip_number(SPAN("1 "), 255, &n));
	EXPECT(!sip_number(SPAN("0x1"), 255, &n));
	EXPECT_EQ(UINT32_MAX, n);
}

TEST(value, lets_seconds_saturate)
{
	uint32_t n;

	EXPECT(sip_seconds(SPAN("3600"), &n));
	EXPECT_EQ(3600, n);
	EXPECT(sip_seconds(SPAN("1000000000000000000000"), &n));
	EXPECT_EQ(UINT32_MAX, n);
	EXPECT(!sip_seconds(SPAN("1h"), &n));
	EXPECT(!sip_seconds(SPAN(""), &n));
}

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define UNRESERVED ALNUM "-_.!~*'()"

TEST(value, classes_hold_the_characters_the_grammar_lists)
{
	static const struct {
		enum sip_text_class class;
		struct span members;
	} classes[] = {{SIP_TEXT_TOKEN, SPAN(ALNUM "-.!%*_+`'~")},
		       {SIP_TEXT_DIGIT, SPAN("0123456789")},
		       {SIP_TEXT_HEX, SPAN("0123456789abcdefABCDEF")},
		       {SIP_TEXT_SCHEME, SPAN(ALNUM "+-.")},
		       {SIP_TEXT_USER, SPAN(UNRESERVED "&=+$,;?/%")},
		       {SIP_TEXT_PASSWORD, SPAN(UNRESERVED "&=+$,%")},
		       {SIP_TEXT_HOST, SPAN(ALNUM "-._")},
		       {SIP_TEXT_PARAM, SPAN(UNRESERVED "[]/:&+$%;=")},
		       {SIP_TEXT_HFIELD, SPAN(UNRESERVED "[]/?:+$%&=")},
		       {SIP_TEXT_GENERIC, SPAN(UNRESERVED "%:/?[]@$&+,;=")}};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		for (int c = 0; c < 256; c++) {
			struct span members = classes[i].members;
			bool listed = span_find(members, (uint8_t)c) < members.len;

			EXPECT_EQ(listed, (sip_text_classes[c] & classes[i].class) != 0);
		}
}

TEST_MAIN("sip value", RUN(value, splits_a_list_at_commas_outside_quotes_and_brackets),
	  RUN(value, steps_over_empty_elements),
	  RUN(value, gives_the_rest_of_an_unterminated_quote_as_one_element),
	  RUN(value, knows_a_token), RUN(value, splits_parameters_and_trims_them),
	  RUN(value, finds_a_parameter_in_any_case), RUN(value, takes_off_quotes_only_in_pairs),
	  RUN(value, reads_numbers_up_to_their_bound), RUN(value, lets_seconds_saturate),
	  RUN(value, classes_hold_the_characters_the_grammar_lists))
