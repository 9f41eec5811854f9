/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdio.h>

#include "test.h"
#include "token/json.h"

static bool accepts(const char *text)
{
	struct json_value value;

	return json_read(span_text(text), &value) == GW_OK;
}

/* ---- the corpus of tests/vectors/json ---- */

/** Documents that RFC 8259 leaves to the reader, and one that it lets be refused. */
struct decision {
	const char *name;
	bool accepted;
	const char *why;
};

/* RFC 8259 section 4: names SHOULD be unique. RFC 7515 section 10.12: refuse what is not. */
static const struct decision refused_y[] = {
	{"y_object_duplicated_key.json", false, "a name twice"},
	{"y_object_duplicated_key_and_value.json", false, "a name twice"},
};

#define LARGE "an integer of any size is one: no claim of ours loses digits that count"
#define TINY "as good as 0 to every reader"
#define INFINITE "10^308 or more: not finite to every reader"
#define LONE "an escaped surrogate without its other half is no character"
#define BYTES "not UTF-8 (RFC 3629)"
#define UTF_16 "not UTF-8 but UTF-16"
#define MARK "a byte order mark (RFC 8259 section 8.1 lets readers refuse it)"
#define DEEP "deeper than 8 (PROTOCOL 12.3)"

static const struct decision decided_i[] = {
	{"i_number_double_huge_neg_exp.json", true, TINY},
	{"i_number_huge_exp.json", false, INFINITE},
	{"i_number_neg_int_huge_exp.json", false, INFINITE},
	{"i_number_pos_double_huge_exp.json", false, INFINITE},
	{"i_number_real_neg_overflow.json", false, INFINITE},
	{"i_number_real_pos_overflow.json", false, INFINITE},
	{"i_number_real_underflow.json", true, TINY},
	{"i_number_too_big_neg_int.json", true, LARGE},
	{"i_number_too_big_pos_int.json", true, LARGE},
	{"i_number_very_big_negative_int.json", true, LARGE},
	{"i_object_key_lone_2nd_surrogate.json", false, LONE},
	{"i_string_1st_surrogate_but_2nd_missing.json", false, LONE},
	{"i_string_1st_valid_surrogate_2nd_invalid.json", false, LONE},
	{"i_string_UTF-16LE_with_BOM.json", false, UTF_16},
	{"i_string_UTF-8_invalid_sequence.json", false, BYTES},
	{"i_string_UTF8_surrogate_U+D800.json", false, BYTES},
	{"i_string_incomplete_surrogate_and_escape_valid.json", false, LONE},
	{"i_string_incomplete_surrogate_pair.json", false, LONE},
	{"i_string_incomplete_surrogates_escape_valid.json", false, LONE},
	{"i_string_invalid_lonely_surrogate.json", false, LONE},
	{"i_string_invalid_surrogate.json", false, LONE},
	{"i_string_invalid_utf-8.json", false, BYTES},
	{"i_string_inverted_surrogates_U+1D11E.json", false, LONE},
	{"i_string_iso_latin_1.json", false, BYTES},
	{"i_string_lone_second_surrogate.json", false, LONE},
	{"i_string_lone_utf8_continuation_byte.json", false, BYTES},
	{"i_string_not_in_unicode_range.json", false, BYTES},
	{"i_string_overlong_sequence_2_bytes.json", false, BYTES},
	{"i_string_overlong_sequence_6_bytes.json", false, BYTES},
	{"i_string_overlong_sequence_6_bytes_null.json", false, BYTES},
	{"i_string_truncated-utf-8.json", false, BYTES},
	{"i_string_utf16BE_no_BOM.json", false, UTF_16},
	{"i_string_utf16LE_no_BOM.json", false, UTF_16},
	{"i_structure_500_nested_arrays.json", false, DEEP},
	{"i_structure_UTF-8_BOM_empty_object.json", false, MARK},
};

static const struct decision *decision_find(const char *name, const struct decision *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

#define DECISION(name, list) decision_find(name, list, sizeof(list) / sizeof((list)[0]))

static bool file_accepted(const char *name)
{
	static uint8_t bytes[300 * 1024];
	struct json_value value;
	char path[1024];
	size_t n;
	FILE *file;

	snprintf(path, sizeof(path), "%s/json/test_parsing/%s", VECTORS, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	n = fread(bytes, 1, sizeof(bytes), file);
	EXPECT(n < sizeof(bytes));
	fclose(file);
	return json_read(span_of(bytes, (uint32_t)n), &value) == GW_OK;
}

/* Every document whose name begins with kind gets the verdict expected of it. */
static void corpus_check(char kind, bool (*expected)(const char *name), int documents)
{
	DIR *folder = opendir(VECTORS "/json/test_parsing");
	struct dirent *entry;
	int seen = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != kind)
			continue;
		seen++;
		if (file_accepted(entry->d_name) != expected(entry->d_name))
			fail_msg("%s: wrong verdict", entry->d_name);
	}
	closedir(folder);
	EXPECT_EQ(documents, seen);
}

static bool expected_y(const char *name)
{
	return DECISION(name, refused_y) == NULL;
}

static bool expected_n(const char *name)
{
	return false;
}

static bool expected_i(const char *name)
{
	const struct decision *decision = DECISION(name, decided_i);

	if (decision == NULL)
		fail_msg("%s: not decided", name);
	return decision->accepted;
}

TEST(json, accepts_every_document_that_must_parse)
{
	corpus_check('y', expected_y, 95);
}

TEST(json, refuses_every_document_that_must_not_parse)
{
	corpus_check('n', expected_n, 188);
}

TEST(json, decides_the_undecided_documents_as_listed)
{
	corpus_check('i', expected_i, 35);
}

/* ---- what is stricter than the grammar ---- */

TEST(json, refuses_a_name_that_occurs_twice_at_any_depth)
{
	EXPECT(!accepts("{\"a\":1,\"b\":2,\"a\":3}"));
	EXPECT(!accepts("{\"x\":{\"a\":1,\"a\":1}}"));
	EXPECT(!accepts("[0,{\"x\":[{\"a\":1,\"b\":{},\"a\":1}]}]"));
	EXPECT(!accepts("{\"a\":{\"b\":1},\"a\":1}"));
}

TEST(json, compares_names_after_their_escapes_are_resolved)
{
	EXPECT(!accepts("{\"a\":1,\"\\u0061\":2}"));
	EXPECT(!accepts("{\"\\ud834\\udd1e\":1,\"\xf0\x9d\x84\x9e\":2}"));
	EXPECT(!accepts("{\"/\":1,\"\\/\":2}"));
	EXPECT(accepts("{\"a\":1,\"\\\\u0061\":2}"));
	EXPECT(accepts("{\"a\":1,\"\\u0061b\":2}"));
	EXPECT(!accepts("{\"\\u0061\":{\"\\u0062\":1},\"a\":2}"));
	EXPECT(!accepts("{\"\\u0061\":1,\"b\":2,\"\\u0061\":3}"));
}

TEST(json, refuses_utf_8_that_is_overlong_a_surrogate_or_too_large)
{
	EXPECT(accepts("[\"\xc2\x80 \xe0\xa0\x80 \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\"]"));
	EXPECT(!accepts("[\"\xc1\xbf\"]"));
	EXPECT(!accepts("[\"\xe0\x9f\xbf\"]"));
	EXPECT(!accepts("[\"\xf0\x8f\xbf\xbf\"]"));
	EXPECT(!accepts("[\"\xed\xa0\x80\"]"));
	EXPECT(!accepts("[\"\xed\xbf\xbf\"]"));
	EXPECT(!accepts("[\"\xf4\x90\x80\x80\"]"));
}

TEST(json, refuses_escaped_surrogates_that_are_no_pair)
{
	EXPECT(accepts("[\"\\udbff\\udfff\"]"));
	EXPECT(!accepts("[\"\\udc00\\udc00\"]"));
	EXPECT(!accepts("[\"\\udc00\\ud800\"]"));
	EXPECT(!accepts("[\"\\ud800\\ud800\"]"));
	EXPECT(!accepts("[\"\\ud800\\ue000\"]"));
	EXPECT(!accepts("[\"\\ud800 dc00\"]"));
}

TEST(json, accepts_one_name_in_different_objects)
{
	EXPECT(accepts("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}"));
}

TEST(json, bounds_the_names_of_open_objects)
{
	char text[8 * (JSON_NAMES_MAX + 2)];
	uint32_t members[] = {JSON_NAMES_MAX, JSON_NAMES_MAX + 1};

	for (int i = 0; i < 2; i++) {
		size_t len = 0;

		for (uint32_t n = 0; n < members[i]; n++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%c\"%03u\":0",
						n == 0 ? '{' : ',', n);
		snprintf(text + len, sizeof(text) - len, "}");
		EXPECT_EQ(i == 0, accepts(text));
	}
}

TEST(json, bounds_what_names_with_escapes_say)
{
	static char text[JSON_ESCAPED_MAX + 32];

	for (int more = 0; more < 2; more++) {
		int len = JSON_ESCAPED_MAX - 2 + more;

		snprintf(text, sizeof(text), "{\"\\/%0*d\":0,\"\\/\":0}", len, 1);
		EXPECT_EQ(more == 0, accepts(text));
	}
}

TEST(json, bounds_the_depth)
{
	EXPECT(accepts("[[[[[[[[1]]]]]]]]"));
	EXPECT(!accepts("[[[[[[[[[1]]]]]]]]]"));
	EXPECT(!accepts("[[[[[[[[[]]]]]]]]]"));
	EXPECT(accepts("{\"a\":[{\"a\":[{\"a\":[{\"a\":[]}]}]}]}"));
	EXPECT(!accepts("{\"a\":[{\"a\":[{\"a\":[{\"a\":[{}]}]}]}]}"));
}

TEST(json, refuses_numbers_that_are_not_finite_to_every_reader)
{
	EXPECT(accepts("[1e307]"));
	EXPECT(!accepts("[1e308]"));
	EXPECT(!accepts("[-1e309]"));
	EXPECT(!accepts("[1e999999999999999999999]"));
	EXPECT(accepts("[1e-999999999999999999999]"));
	EXPECT(accepts("[0e999999999999999999999]"));
	EXPECT(accepts("[0.0001e311]"));
	EXPECT(!accepts("[0.0001e312]"));
	EXPECT(!accepts("[NaN]"));
}

TEST(json, refuses_every_document_cut_short)
{
	struct span whole = SPAN("{\"a\":[1,-2.5e+3,\"x\\u00e9\\ud834\\udd1e\xc3\xa9\",true,null],"
				 "\"b\":{\"c\":false}}");
	struct json_value value;

	EXPECT_EQ(GW_OK, json_read(whole, &value));
	for (uint32_t n = 0; n < whole.len; n++)
		EXPECT_EQ(GW_TOKEN_JSON, json_read(span_cut(whole, 0, n), &value));
}

/* ---- reading ---- */

TEST(json, walks_members_in_order)
{
	struct json_value object, value;
	struct span name;

	EXPECT_EQ(
		GW_OK,
		json_read(SPAN(" { \"a\" : [1, {\"]\":\"}\"}] , \"b\\n\":\"x\" , \"c\":-1.5e2 } "),
			  &object));
	EXPECT_EQ(JSON_OBJECT, object.type);
	EXPECT(json_member_next(&object.text, &name, &value));
	EXPECT_SPAN("a", name);
	EXPECT_EQ(JSON_ARRAY, value.type);
	EXPECT_SPAN("[1, {\"]\":\"}\"}]", value.text);
	EXPECT(json_member_next(&object.text, &name, &value));
	EXPECT_SPAN("b\\n", name);
	EXPECT_EQ(JSON_STRING, value.type);
	EXPECT_SPAN("x", value.text);
	EXPECT(json_member_next(&object.text, &name, &value));
	EXPECT_EQ(JSON_NUMBER, value.type);
	EXPECT_SPAN("-1.5e2", value.text);
	EXPECT(!json_member_next(&object.text, &name, &value));
}

TEST(json, walks_elements_in_order)
{
	struct json_value array, value;

	EXPECT_EQ(GW_OK, json_read(SPAN("[ [] ,{}, \"[\" ,null]"), &array));
	EXPECT(json_element_next(&array.text, &value));
	EXPECT_SPAN("[]", value.text);
	EXPECT(json_element_next(&array.text, &value));
	EXPECT_SPAN("{}", value.text);
	EXPECT(json_element_next(&array.text, &value));
	EXPECT_SPAN("[", value.text);
	EXPECT(json_element_next(&array.text, &value));
	EXPECT_EQ(JSON_NULL, value.type);
	EXPECT(!json_element_next(&array.text, &value));
}

TEST(json, walks_nothing_in_an_empty_array_or_object)
{
	struct json_value value, element;
	struct span name;

	EXPECT_EQ(GW_OK, json_read(SPAN("[ ]"), &value));
	EXPECT(!json_element_next(&value.text, &element));
	EXPECT_EQ(GW_OK, json_read(SPAN("{ }"), &value));
	EXPECT(!json_member_next(&value.text, &name, &element));
}

TEST(json, finds_a_member_whose_name_is_escaped)
{
	struct json_value object, value;

	EXPECT_EQ(GW_OK, json_read(SPAN("{\"x\":{\"iss\":1},\"\\u0069ss\":2}"), &object));
	EXPECT(json_member_find(object, SPAN("iss"), &value));
	EXPECT_SPAN("2", value.text);
	EXPECT(!json_member_find(object, SPAN("is"), &value));
}

TEST(json, resolves_every_escape)
{
	struct json_value value;
	uint8_t memory[64];
	struct writer scratch;
	struct span string;

	EXPECT_EQ(GW_OK,
		  json_read(SPAN("\"\\\"\\\\\\/"
				 "\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud834\\uDD1E\\u0000\""),
			    &value));
	writer_init(&scratch, memory, sizeof(memory));
	EXPECT(json_string_read(value.text, &scratch, &string));
	EXPECT_SPAN("\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\0", string);
}

TEST(json, lends_a_string_without_escapes_as_it_lies)
{
	struct json_value value;
	struct writer scratch;
	struct span string;
	uint8_t none[1];

	EXPECT_EQ(GW_OK, json_read(SPAN("\"plain\""), &value));
	writer_init(&scratch, none, 0);
	EXPECT(json_string_read(value.text, &scratch, &string));
	EXPECT(string.at == value.text.at);
	EXPECT_EQ(GW_OK, json_read(SPAN("\"\\n\""), &value));
	EXPECT(!json_string_read(value.text, &scratch, &string)); /* and no room for others */
}

TEST(json, reads_dates_as_written_by_any_site)
{
	EXPECT_EQ(1795167000, json_date(SPAN("1795167000")));
	EXPECT_EQ(1795167000, json_date(SPAN("1795167000.999")));
	EXPECT_EQ(1795167000, json_date(SPAN("1.795167e9")));
	EXPECT_EQ(1795167000, json_date(SPAN("0.1795167E+10")));
	EXPECT_EQ(179516700, json_date(SPAN("1795167009e-1")));
	EXPECT_EQ(0, json_date(SPAN("0.9")));
	EXPECT_EQ(0, json_date(SPAN("9e-1")));
	EXPECT_EQ(0, json_date(SPAN("0e99")));
	EXPECT_EQ(0, json_date(SPAN("-5")));
	EXPECT_EQ(999999999999999999, json_date(SPAN("999999999999999999")));
	EXPECT(json_date(SPAN("1000000000000000000")) == JSON_DATE_MAX);
	EXPECT(json_date(SPAN("1e300")) == JSON_DATE_MAX);
}

TEST_MAIN("json", RUN(json, accepts_every_document_that_must_parse),
	  RUN(json, refuses_every_document_that_must_not_parse),
	  RUN(json, decides_the_undecided_documents_as_listed),
	  RUN(json, refuses_a_name_that_occurs_twice_at_any_depth),
	  RUN(json, compares_names_after_their_escapes_are_resolved),
	  RUN(json, refuses_utf_8_that_is_overlong_a_surrogate_or_too_large),
	  RUN(json, refuses_escaped_surrogates_that_are_no_pair),
	  RUN(json, accepts_one_name_in_different_objects),
	  RUN(json, bounds_the_names_of_open_objects),
	  RUN(json, bounds_what_names_with_escapes_say), RUN(json, bounds_the_depth),
	  RUN(json, refuses_numbers_that_are_not_finite_to_every_reader),
	  RUN(json, refuses_every_document_cut_short), RUN(json, walks_members_in_order),
	  RUN(json, walks_elements_in_order), RUN(json, walks_nothing_in_an_empty_array_or_object),
	  RUN(json, finds_a_member_whose_name_is_escaped), RUN(json, resolves_every_escape),
	  RUN(json, lends_a_string_without_escapes_as_it_lies),
	  RUN(json, reads_dates_as_written_by_any_site))
