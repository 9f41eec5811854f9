/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "../test.h"
#include "control/wildcard.h"

static void reads(const char *text, const char *canonical, const char *prefix, const char *suffix)
{
	struct arena *arena = arena_new();
	struct wildcard w = wildcard_read(span_text(text), arena);

	EXPECT(w.why == NULL);
	EXPECT(span_equal(span_text(canonical), w.text));
	EXPECT(span_equal(span_text(prefix), w.prefix));
	EXPECT(span_equal(span_text(suffix), w.suffix));
	arena_free(arena);
}

static void refused(const char *text, uint32_t at, const char *why)
{
	struct arena *arena = arena_new();
	struct wildcard w = wildcard_read(span_text(text), arena);

	assert_non_null(w.why);
	EXPECT_TEXT(why, w.why);
	EXPECT_EQ(at, w.at);
	arena_free(arena);
}

/* TS 23.003 13.5, PROTOCOL 1.4 */
TEST(wildcard, has_its_expression_between_exclamation_marks)
{
	reads("sip:chatlist!.*!@example.com", "sip:chatlist!.*!@example.com", "sip:chatlist",
	      "@example.com");
	reads("sip:!.*!@home1.net", "sip:!.*!@home1.net", "sip:", "@home1.net");
	reads("sip:a!b+!c@home1.net", "sip:a!b+!c@home1.net", "sip:a", "c@home1.net");
	reads("tel:+4930!.*!", "tel:+4930!.*!", "tel:+4930", "");
	reads("tel:+49!(30|40)[0-9]*!99", "tel:+49!(30|40)[0-9]*!99", "tel:+49", "99");
	reads("tel:!\\+49.*!", "tel:!\\+49.*!", "tel:", "");
}

TEST(wildcard, is_delimited_by_the_outermost_pair)
{
	reads("sip:a!b!c!d@home1.net", "sip:a!b!c!d@home1.net", "sip:a", "d@home1.net");
	reads("sip:a!!!@home1.net", "sip:a!!!@home1.net", "sip:a", "@home1.net");
}

TEST(wildcard, may_have_an_at_sign_in_its_expression_only)
{
	reads("sip:a![^@]*!@home1.net", "sip:a![^@]*!@home1.net", "sip:a", "@home1.net");
	refused("sip:a@b!.*!@home1.net", 5,
		"a user or a number expected, and '@' only before the "
		"host");
}

TEST(wildcard, becomes_canonical_in_what_is_fixed)
{
	reads("SIP:Gu%65st-!.*!%2d@HOME1.Net", "sip:Guest-!.*!-@home1.net", "sip:Guest-",
	      "-@home1.net");
	reads("TEL:+49-30.(4)!.*!5-6", "tel:+49304!.*!56", "tel:+49304", "56");
	reads("sip:a!.*!@[2001:DB8:0::1]", "sip:a!.*!@[2001:db8::1]", "sip:a", "@[2001:db8::1]");
}

TEST(wildcard, says_its_host_and_its_form_as_a_URI)
{
	struct arena *arena = arena_new();
	struct wildcard w = wildcard_read(SPAN("sip:g![a-z]{2}|\\*^!x@home1.net"), arena);

	EXPECT_TEXT("an anchor inside; all of it is anchored, \\ before it for the character",
		    w.why);
	w = wildcard_read(SPAN("sip:g!^[a-z]{2}|\\*%!x@home1.net"), arena);
	EXPECT(w.why == NULL);
	EXPECT_SPAN("home1.net", w.host);
	EXPECT_SPAN("sip:g!%5E%5Ba-z%5D%7B2%7D%7C%5C*%25!x@home1.net", w.literal);
	EXPECT_EQ(0, wildcard_read(SPAN("tel:+1!.*!"), arena).host.len);
	arena_free(arena);
}

TEST(wildcard, becomes_an_expression_of_all_of_an_identity)
{
	struct arena *arena = arena_new();

	EXPECT_TEXT("\\A\\x73\\x69\\x70\\x3a\\x61(?:.*)\\x40\\x62\\x2e\\x63\\z",
		    wildcard_read(SPAN("sip:a!.*!@b.c"), arena).expression);
	arena_free(arena);
}

TEST(wildcard, is_refused_at_the_place_that_is_wrong)
{
	static const char pair[] = "an expression between two '!' expected";
	static const char parts[] = "a wildcard has no port and no parameters";

	refused("guest!.*!@home1.net", 0, "\"sip:\" or \"tel:\" expected");
	refused("sips:a!.*!@home1.net", 0, "\"sip:\" or \"tel:\" expected");
	refused("sip:guest@home1.net", 19, pair);
	refused("sip:guest!@home1.net", 9, pair);
	refused("sip:guest!.*!", 13, "'@' and a host expected");
	refused("sip:guest!.*!x", 14, "'@' and a host expected");
	refused("sip:guest!.*!@home1.net:5060", 23, parts);
	refused("sip:guest!.*!@home1.net;user=phone", 23, parts);
	refused("sip:guest!.*!@[2001:db8::1]:5060", 27, parts);
	refused("sip:guest!.*!@", 14, "not a host");
	refused("sip:guest!.*!@-home1", 14, "not a host");
	refused("sip:guest!.*!@[::1", 14, "not a host");
	refused("sip:a:b!.*!@home1.net", 5,
		"a user or a number expected, and '@' only before the host");
	refused("sip:a!.*!b:c@home1.net", 10,
		"a user or a number expected, and '@' only before the host");
	refused("sip:a b!.*!@home1.net", 4, "not what a user begins with");
	refused("sip:a%4!.*!@home1.net", 4, "not what a user begins with");
	refused("sip:a!.*!<@home1.net", 9, "not what a user ends with");
	refused("tel:4930!.*!", 4, "'+' and digits expected before the expression");
	refused("tel:+49x!.*!", 4, "'+' and digits expected before the expression");
	refused("tel:+49!.*!+5", 11, "digits expected behind the expression");
	refused("tel:+49!.*!;phone-context=x", 11, "digits expected behind the expression");
	refused("sip:guest!a(b!@home1.net", 11, "'(' without ')'");
	refused("sip:guest!!@home1.net", 10, "nothing stands here");
	refused("sip:guest!(a)\\1!@home1.net", 13, "POSIX has no meaning for '\\' before this");
}

TEST(wildcard, is_refused_when_it_is_longer_than_identities_may_be)
{
	char text[600];
	struct arena *arena = arena_new();

	snprintf(text, sizeof(text), "sip:%0200d!.*!%0100d@home1.net", 1, 2);
	EXPECT_TEXT("longer than identities may be", wildcard_read(span_text(text), arena).why);
	snprintf(text, sizeof(text), "sip:%0300d!.*!@home1.net", 1);
	EXPECT_TEXT("not what a user begins with", wildcard_read(span_text(text), arena).why);
	arena_free(arena);
}

TEST_MAIN("wildcard", RUN(wildcard, has_its_expression_between_exclamation_marks),
	  RUN(wildcard, is_delimited_by_the_outermost_pair),
	  RUN(wildcard, may_have_an_at_sign_in_its_expression_only),
	  RUN(wildcard, becomes_canonical_in_what_is_fixed),
	  RUN(wildcard, says_its_host_and_its_form_as_a_URI),
	  RUN(wildcard, becomes_an_expression_of_all_of_an_identity),
	  RUN(wildcard, is_refused_at_the_place_that_is_wrong),
	  RUN(wildcard, is_refused_when_it_is_longer_than_identities_may_be))
