/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdio.h>

#include "sip/sip.h"
#include "test.h"

static struct sip_line lex(const char *text)
{
	return sip_lex_line(span_text(text));
}

/* Reads text from memory that ends where text ends, so that a sanitizer sees an overread. */
static struct sip_line lex_exact(struct span text)
{
	uint8_t *copy = malloc(text.len > 0 ? text.len : 1);
	struct sip_line line;

	memcpy(copy, text.at, text.len);
	line = sip_lex_line(span_of(copy, text.len));
	free(copy);
	return line;
}

TEST(lexer, splits_a_line_into_name_and_trimmed_value)
{
	struct sip_line line = lex("Max-Forwards: \t 69 \t\r\nTo: x\r\n");

	EXPECT_EQ(GW_OK, line.err);
	EXPECT_EQ(SIP_HEADER_MAX_FORWARDS, line.id);
	EXPECT_SPAN("Max-Forwards", line.name);
	EXPECT_SPAN("69", line.value);
	EXPECT_EQ(22, line.used);
}

TEST(lexer, keeps_folds_inside_a_value_and_trims_them_at_its_ends)
{
	struct sip_line line = lex("Subject:\r\n one\r\n\ttwo \r\n\r\n");

	EXPECT_EQ(GW_OK, line.err);
	EXPECT_SPAN("one\r\n\ttwo", line.value);
	EXPECT_EQ(23, line.used);
}

TEST(lexer, accepts_an_empty_value)
{
	struct sip_line line = lex("s :\r\n\r\n");

	EXPECT_EQ(GW_OK, line.err);
	EXPECT_EQ(0, line.value.len);
	EXPECT_SPAN("s", line.name);
}

TEST(lexer, takes_white_space_before_the_colon_for_no_part_of_the_name)
{
	struct sip_line line = lex("P-Asserted-Identity \t : <sip:a@b>\r\n\r\n");

	EXPECT_EQ(GW_OK, line.err);
	EXPECT_EQ(SIP_HEADER_P_ASSERTED_IDENTITY, line.id);
	EXPECT_SPAN("P-Asserted-Identity", line.name);
}

static void expect_case_variants(const char *name, enum sip_header id)
{
	char text[64];

	snprintf(text, sizeof(text), "%s", name);
	EXPECT_EQ(id, sip_header_id(span_text(text)));
	for (size_t i = 0; text[i] != '\0'; i++)
		text[i] = (char)toupper(text[i]);
	EXPECT_EQ(id, sip_header_id(span_text(text)));
	for (size_t i = 0; text[i] != '\0'; i += 2)
		text[i] = (char)tolower(text[i]);
	EXPECT_EQ(id, sip_header_id(span_text(text)));
}

#define NAME_ROW(id, name, compact) {SIP_HEADER_##id, name, compact},
static const struct {
	enum sip_header id;
	const char *name;
	char compact;
} names[] = {SIP_HEADER_LIST(NAME_ROW)};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

TEST(lexer, knows_every_header_of_the_list_in_any_case)
{
	for (size_t i = 0; i < NAME_COUNT; i++) {
		expect_case_variants(names[i].name, names[i].id);
		EXPECT_TEXT(names[i].name, sip_header_name(names[i].id));
	}
}

TEST(lexer, knows_exactly_the_compact_forms_of_the_list)
{
	for (int c = 1; c < 256; c++) {
		uint8_t name = (uint8_t)c;
		enum sip_header expected = SIP_HEADER_OTHER;

		for (size_t i = 0; i < NAME_COUNT; i++)
			if (names[i].compact != 0 && tolower(c) == names[i].compact)
				expected = names[i].id;
		EXPECT_EQ(expected, sip_header_id(span_of(&name, 1)));
	}
}

TEST(lexer, takes_no_name_with_one_byte_changed_for_a_known_one)
{
	for (size_t i = 0; i < NAME_COUNT; i++) {
		char text[64];
		size_t len = (size_t)snprintf(text, sizeof(text), "%s", names[i].name);

		for (size_t at = 0; at < len; at++)
			for (int c = 0; c < 256; c++) {
				if (tolower(c) == tolower(names[i].name[at]))
					continue;
				text[at] = (char)c;
				EXPECT(sip_header_id(span_of(text, (uint32_t)len)) != names[i].id);
				text[at] = names[i].name[at];
			}
		if (len > 2) /* "T" is To */
			EXPECT_EQ(SIP_HEADER_OTHER,
				  sip_header_id(span_of(text, (uint32_t)len - 1)));
	}
}

TEST(lexer, has_no_name_for_other_headers)
{
	EXPECT_EQ(SIP_HEADER_OTHER, sip_header_id(SPAN("")));
	EXPECT_EQ(SIP_HEADER_OTHER, sip_header_id(SPAN("User-Agent")));
	EXPECT_TEXT("", sip_header_name(SIP_HEADER_OTHER));
	EXPECT_TEXT("", sip_header_name(SIP_HEADER_COUNT));
}

TEST(lexer, compares_methods_with_case)
{
	EXPECT_EQ(SIP_REGISTER, sip_method_id(SPAN("REGISTER")));
	EXPECT_EQ(SIP_PRACK, sip_method_id(SPAN("PRACK")));
	EXPECT_EQ(SIP_METHOD_OTHER, sip_method_id(SPAN("register")));
	EXPECT_EQ(SIP_METHOD_OTHER, sip_method_id(SPAN("INVITES")));
	EXPECT_EQ(SIP_METHOD_OTHER, sip_method_id(SPAN("")));
}

TEST(lexer, refuses_what_is_no_header_name)
{
	static const char *const lines[] = {
		": x\r\n\r\n",
		" To: x\r\n\r\n",
		"\tTo: x\r\n\r\n",
		"\r\nTo: x\r\n\r\n",
		"To\r\n : x\r\n\r\n",
		"To x\r\n\r\n",
		"T(o: x\r\n\r\n",
		"To;: x\r\n\r\n",
		"T\xc3\xb6: x\r\n\r\n",
		"P-Asserted-Identity\v: x\r\n\r\n",
		"P-Asserted-Identity\x7f: x\r\n\r\n",
		"P-Asserted-Identity\r: x\r\n\r\n",
		"P-Asserted-Identity\n: x\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		EXPECT_EQ(GW_SIP_HEADER, lex(lines[i]).err);
}

TEST(lexer, says_which_byte_of_a_name_it_refused)
{
	EXPECT_EQ(0, lex("\t").used);
	EXPECT_EQ(0, lex(" To: x\r\n\r\n").used);
	EXPECT_EQ(3, lex("To x\r\n\r\n").used);
	EXPECT_EQ(GW_SIP_HEADER, lex("\t").err);
}

TEST(lexer, refuses_line_ends_that_another_parser_might_see)
{
	static const char *const lines[] = {
		"Subject: x\nP-Asserted-Identity: <sip:a@b>\r\n\r\n",
		"Subject: x\rP-Asserted-Identity: <sip:a@b>\r\n\r\n",
		"Subject: x\r\rP-Asserted-Identity: <sip:a@b>\r\n\r\n",
		"Subject: x\n\r\n\r\n",
		"Subject: x\n\nP-Asserted-Identity: <sip:a@b>\r\n\r\n",
		"Subject: x\x01\nP-Asserted-Identity: <sip:a@b>\r\n\r\n",
		"Subject: x\r\r\n\r\n",
		"Subject: x\r\n \nP-Asserted-Identity: <sip:a@b>\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		EXPECT_EQ(GW_SIP_HEADER, lex(lines[i]).err);
}

TEST(lexer, refuses_a_continuation_of_white_space_alone)
{
	EXPECT_EQ(GW_SIP_HEADER, lex("Subject: x\r\n \r\nTo: y\r\n\r\n").err);
	EXPECT_EQ(GW_SIP_HEADER, lex("Subject: x\r\n y\r\n\t\r\n\r\n").err);
}

TEST(lexer, refuses_every_control_byte_but_tab_wherever_it_stands)
{
	for (int c = 0; c < 256; c++)
		for (uint32_t at = 0; at < 40; at++) {
			uint8_t text[64] = "X:0123456789012345678901234567890123456789\r\n\r\n";
			bool bad = (c < 0x20 && c != '\t') || c == 0x7f;
			struct sip_line line;

			text[2 + at] = (uint8_t)c;
			line = sip_lex_line(span_of(text, 46));
			EXPECT_EQ(bad ? GW_SIP_HEADER : GW_OK, line.err);
			EXPECT_EQ(bad ? 2 + at : 44, line.used);
		}
}

TEST(lexer, asks_for_more_at_every_cut_of_a_line)
{
	struct span text = SPAN("P-Asserted-Identity \t: \"A\" <sip:a@b>\r\n ;x=y\r\n\t ,z\r\nT");

	for (uint32_t len = 0; len < text.len; len++)
		EXPECT_EQ(GW_AGAIN, lex_exact(span_cut(text, 0, len)).err);
	EXPECT_EQ(GW_OK, lex_exact(text).err);
	EXPECT_EQ(text.len - 1, lex_exact(text).used);
}

static struct sip_line lex_long(uint32_t len, const char *next)
{
	uint8_t *text = malloc(len + 4);
	struct sip_line line;

	memset(text, 'x', len);
	memcpy(text, "X:", 2);
	memcpy(text + len - 2, "\r\n", 2);
	memcpy(text + len, next, 2);
	line = sip_lex_line(span_of(text, len + 2));
	free(text);
	return line;
}

TEST(lexer, takes_a_line_at_the_limit_and_none_longer)
{
	EXPECT_EQ(GW_OK, lex_long(SIP_LINE_MAX, "\r\n").err);
	EXPECT_EQ(SIP_LINE_MAX, lex_long(SIP_LINE_MAX, "\r\n").used);
	EXPECT_EQ(GW_SIP_HEADER_LONG, lex_long(SIP_LINE_MAX + 1, "\r\n").err);
	EXPECT_EQ(GW_SIP_HEADER_LONG, lex_long(SIP_LINE_MAX, " y").err);
}

TEST_MAIN("sip lexer", RUN(lexer, splits_a_line_into_name_and_trimmed_value),
	  RUN(lexer, keeps_folds_inside_a_value_and_trims_them_at_its_ends),
	  RUN(lexer, accepts_an_empty_value),
	  RUN(lexer, takes_white_space_before_the_colon_for_no_part_of_the_name),
	  RUN(lexer, knows_every_header_of_the_list_in_any_case),
	  RUN(lexer, knows_exactly_the_compact_forms_of_the_list),
	  RUN(lexer, takes_no_name_with_one_byte_changed_for_a_known_one),
	  RUN(lexer, has_no_name_for_other_headers), RUN(lexer, compares_methods_with_case),
	  RUN(lexer, refuses_what_is_no_header_name),
	  RUN(lexer, says_which_byte_of_a_name_it_refused),
	  RUN(lexer, refuses_line_ends_that_another_parser_might_see),
	  RUN(lexer, refuses_a_continuation_of_white_space_alone),
	  RUN(lexer, refuses_every_control_byte_but_tab_wherever_it_stands),
	  RUN(lexer, asks_for_more_at_every_cut_of_a_line),
	  RUN(lexer, takes_a_line_at_the_limit_and_none_longer))
