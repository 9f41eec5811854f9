/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/ere.h"

static char written[ERE_WRITTEN_MAX + 1];

static struct ere translated(struct span text)
{
	struct writer out;
	struct ere ere;

	writer_init(&out, written, ERE_WRITTEN_MAX);
	ere = ere_translate(text, &out);
	written[writer_len(&out)] = '\0';
	return ere;
}

static void becomes(const char *hyperscan, const char *text)
{
	struct ere ere = translated(span_text(text));

	EXPECT(ere.why == NULL);
	EXPECT_TEXT(hyperscan, written);
}

static void refused(const char *text, uint32_t at, const char *why)
{
	struct ere ere = translated(span_text(text));

	assert_non_null(ere.why);
	EXPECT_TEXT(why, ere.why);
	EXPECT_EQ(at, ere.at);
}

TEST(ere, writes_ordinary_characters_as_bytes_so_that_none_has_a_meaning)
{
	becomes("(?:\\x61\\x2d\\x25\\x7d\\x5d)", "a-%}]");
	becomes("(?:\\x2e\\x2a)", "\\.\\*");
	becomes("(?:\\x5c\\x7b)", "\\\\\\{");
}

TEST(ere, keeps_repetitions_groups_and_alternatives)
{
	becomes("(?:.*)", ".*");
	becomes("(?:\\x61+\\x62?)", "a+b?");
	becomes("(?:\\x61{2}\\x62{2,}\\x63{2,4})", "a{2}b{2,}c{2,4}");
	becomes("(?:(?:\\x61|\\x62)*|\\x63)", "(a|b)*|c");
}

TEST(ere, leaves_out_what_is_repeated_no_times)
{
	becomes("(?:\\x61(?:)\\x62)", "a(xyz){0}b");
	becomes("(?:(?:))", "[ab]{0,0}");
}

TEST(ere, leaves_out_anchors_where_they_change_nothing)
{
	becomes("(?:\\x61|\\x62)", "^a$|^b$");
	becomes("(?:)", "^$");
}

TEST(ere, refuses_anchors_where_they_would_match_nothing)
{
	static const char why[] = "an anchor inside; all of it is anchored, \\ before it for the "
				  "character";

	refused("a^b", 1, why);
	refused("a$b", 1, why);
	refused("(^a)", 1, why);
	refused("(a$)", 2, why);
	refused("a$*", 1, why);
	refused("^^a", 1, why);
}

TEST(ere, reads_all_forms_of_bracket_expressions)
{
	becomes("(?:[\\x61-\\x63])", "[abc]");
	becomes("(?:[\\x61-\\x63\\x78])", "[a-cx]");
	becomes("(?:[\\x00-\\x60\\x62-\\xff])", "[^a]");
	becomes("(?:[\\x5d\\x61])", "[]a]");
	becomes("(?:[\\x00-\\x5c\\x5e-\\x60\\x62-\\xff])", "[^]a]");
	becomes("(?:[\\x2d\\x61])", "[a-]");
	becomes("(?:[\\x2d\\x61])", "[-a]");
	becomes("(?:[\\x00-\\x2c\\x2e-\\xff])", "[^-]");
	becomes("(?:[\\x2d-\\x2f])", "[--/]");
	becomes("(?:[\\x25-\\x2d])", "[%--]");
	becomes("(?:[\\x5b-\\x5c])", "[[\\]");
	becomes("(?:[\\x30-\\x39\\x41-\\x5a\\x61-\\x7a])", "[[:alnum:]]");
	becomes("(?:[\\x30-\\x39\\x5f])", "[[:digit:]_]");
	becomes("(?:[\\x2d])", "[[.-.]]");
	becomes("(?:[\\x5d])", "[[.].]]");
	becomes("(?:[\\x61-\\x63])", "[[.a.]-[.c.]]");
	becomes("(?:[\\x61])", "[[=a=]]");
}

TEST(ere, knows_every_class_of_the_C_locale)
{
	becomes("(?:[\\x41-\\x5a\\x61-\\x7a])", "[[:alpha:]]");
	becomes("(?:[\\x09\\x20])", "[[:blank:]]");
	becomes("(?:[\\x00-\\x1f\\x7f])", "[[:cntrl:]]");
	becomes("(?:[\\x21-\\x7e])", "[[:graph:]]");
	becomes("(?:[\\x61-\\x7a])", "[[:lower:]]");
	becomes("(?:[\\x20-\\x7e])", "[[:print:]]");
	becomes("(?:[\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e])", "[[:punct:]]");
	becomes("(?:[\\x09-\\x0d\\x20])", "[[:space:]]");
	becomes("(?:[\\x41-\\x5a])", "[[:upper:]]");
	becomes("(?:[\\x30-\\x39\\x41-\\x46\\x61-\\x66])", "[[:xdigit:]]");
}

TEST(ere, refuses_wrong_bracket_expressions_at_their_place)
{
	static const char open[] = "'[' without ']'", hyphen[] = "'-' stands first, last, or in a "
								 "range of two characters";
	static const char range[] = "a range goes from one character to one that is not before it";

	refused("a[bc", 4, open);
	refused("[]", 2, open);
	refused("[^]", 3, open);
	refused("[a-", 3, open);
	refused("[c-a]", 1, range);
	refused("[a-[:digit:]]", 1, range);
	refused("[a-[=b=]]", 1, range);
	refused("[a-c-e]", 4, hyphen);
	refused("[[:alpha:]-z]", 10, hyphen);
	refused("[[:word:]]", 1, "no such character class");
	refused("[[.hyphen.]]", 1, "the C locale has no such collating element");
	refused("[[=ab=]]", 1, "the C locale has no such collating element");
	refused("[[:alpha]", 1, "it does not end");
	refused("[a\x01]", 2, "only printable ASCII can stand here");
	refused("[\xc3\xa4]", 1, "only printable ASCII can stand here");
}

TEST(ere, refuses_what_POSIX_lacks)
{
	static const char meaning[] = "POSIX has no meaning for '\\' before this";
	static const char nothing[] = "nothing before it that can be repeated";

	refused("(a)\\1", 3, meaning);
	refused("\\d", 0, meaning);
	refused("a\\b", 1, meaning);
	refused("\\<a", 0, meaning);
	refused("\\`a", 0, meaning);
	refused("\\x41", 0, meaning);
	refused("\\/", 0, meaning);
	refused("a\\", 1, "'\\' with nothing behind it");
	refused("a*?", 2, nothing);
	refused("a++", 2, nothing);
	refused("a**", 2, nothing);
	refused("a{2}{3}", 4, nothing);
	refused("(?:a)", 1, nothing);
	refused("(?=a)", 1, nothing);
	refused("*a", 0, nothing);
	refused("(+a)", 1, nothing);
	refused("a|?", 2, nothing);
	refused("^*", 1, nothing);
	refused("{2}", 0, nothing);
	refused("a\n", 1, "only printable ASCII can stand here");
	refused("\xc3\xa4", 0, "only printable ASCII can stand here");
}

TEST(ere, refuses_wrong_intervals_at_their_place)
{
	static const char expected[] = "{n}, {n,} or {n,m} expected, or \\{ for itself";

	refused("a{", 1, expected);
	refused("a{}", 1, expected);
	refused("a{,2}", 1, expected);
	refused("a{2", 1, expected);
	refused("a{2,3", 1, expected);
	refused("a{2,3,4}", 1, expected);
	refused("a{x}", 1, expected);
	refused("a{256}", 1, "repeated more than 255 times");
	refused("a{1,256}", 1, "repeated more than 255 times");
	refused("a{99999999999999999999}", 1, "repeated more than 255 times");
	refused("a{3,2}", 1, "the second number is less than the first");
	becomes("(?:\\x61{255})", "a{255}");
}

TEST(ere, refuses_groups_and_alternatives_with_nothing_in_them)
{
	refused("", 0, "nothing stands here");
	refused("a|", 2, "nothing stands here");
	refused("|a", 0, "nothing before it");
	refused("a||b", 2, "nothing before it");
	refused("()", 1, "nothing before it");
	refused("(a|)", 3, "nothing before it");
	refused("a)", 1, "')' without '('; \\) for itself");
	refused("a(b(c)", 1, "'(' without ')'");
}

TEST(ere, refuses_what_is_too_deep_too_long_or_too_large)
{
	char text[ERE_MAX + 2] = "";

	memset(text, '(', ERE_DEPTH_MAX + 1);
	refused(text, ERE_DEPTH_MAX, "groups nested too deep");
	memset(text, 'a', ERE_MAX);
	EXPECT(translated(span_of(text, ERE_MAX)).why == NULL);
	text[ERE_MAX] = 'a';
	refused(text, ERE_MAX, "longer than 256 bytes");
	EXPECT_EQ(1024, translated(SPAN("(abcd){255}abcd")).states);
	refused("((a{40}b){20}c){20}", 15, "repeated so often it is too large");
	refused("(abcd){255}abcde", 15, "repeated so often it is too large");
}

TEST(ere, has_room_for_the_longest_that_it_writes)
{
	char text[ERE_MAX + 1] = "";

	for (uint32_t i = 0; i + 7 <= ERE_MAX; i += 7)
		memcpy(text + i, "[^aceg]", 7);
	EXPECT(translated(span_text(text)).why == NULL);
	memset(text, 0, sizeof(text));
	for (uint32_t i = 0; i + 11 <= ERE_MAX; i += 11)
		memcpy(text + i, "[[:punct:]]", 11);
	EXPECT(translated(span_text(text)).why == NULL);
}

TEST(ere, says_so_when_there_is_no_room)
{
	char small[8];
	struct writer out;

	writer_init(&out, small, sizeof(small));
	EXPECT_TEXT("too large", ere_translate(SPAN("abcdef"), &out).why);
}

TEST_MAIN("ere", RUN(ere, writes_ordinary_characters_as_bytes_so_that_none_has_a_meaning),
	  RUN(ere, keeps_repetitions_groups_and_alternatives),
	  RUN(ere, leaves_out_what_is_repeated_no_times),
	  RUN(ere, leaves_out_anchors_where_they_change_nothing),
	  RUN(ere, refuses_anchors_where_they_would_match_nothing),
	  RUN(ere, reads_all_forms_of_bracket_expressions),
	  RUN(ere, knows_every_class_of_the_C_locale),
	  RUN(ere, refuses_wrong_bracket_expressions_at_their_place),
	  RUN(ere, refuses_what_POSIX_lacks), RUN(ere, refuses_wrong_intervals_at_their_place),
	  RUN(ere, refuses_groups_and_alternatives_with_nothing_in_them),
	  RUN(ere, refuses_what_is_too_deep_too_long_or_too_large),
	  RUN(ere, has_room_for_the_longest_that_it_writes),
	  RUN(ere, says_so_when_there_is_no_room))
