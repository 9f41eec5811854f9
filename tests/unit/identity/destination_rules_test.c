/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "destination_rules.h"

static uint64_t places(const char *number)
{
	return destination_places(span_text(number));
}

TEST(destination_rules, have_numbers_as_places_of_four_bits)
{
	EXPECT(places("+1") == 0xb200000000000000);
	EXPECT(places("09*#") == 0x1acd000000000000);
	EXPECT(places("+123456789012345") == 0xb23456789a123456);
	EXPECT(places("+1234567890123456") == places("+123456789012345"));
	EXPECT(places("") == 0 && places("12a") == 0 && places("1-2") == 0);
	EXPECT_EQ(0, destination_places_count(0));
	EXPECT_EQ(4, destination_places_count(places("09*#")));
	EXPECT_EQ(16, destination_places_count(places("+123456789012345")));
}

TEST(destination_rules, know_what_a_number_begins_with)
{
	EXPECT(destination_begins(places("+1900555"), places("+1900")));
	EXPECT(destination_begins(places("+1900"), places("+1900")));
	EXPECT(!destination_begins(places("+190"), places("+1900")));
	EXPECT(!destination_begins(places("+1800"), places("+1900")));
	EXPECT(!destination_begins(places("1900"), places("+1900")));
	EXPECT(!destination_begins(places("1900"), 0));
	EXPECT(destination_begins(places("+123456789012345"), places("+123456789012345")));
}

TEST(destination_rules, find_the_prefix_of_a_number)
{
	const uint64_t number[] = {places("00"),    places("0900"),   places("112"),
				   places("+1900"), places("+49900"), places("*")};
	uint64_t sorted[] = {number[0], number[1], number[2], number[3], number[4], number[5]};
	const struct destination_list list = {.number = sorted, .numbers = 6};
	const struct destination_list none = {0};

	EXPECT(sorted[0] < sorted[1] && sorted[1] < sorted[2] && sorted[2] < sorted[3] &&
	       sorted[3] < sorted[4] && sorted[4] < sorted[5]);
	EXPECT(destination_has_number(&list, places("0049")));
	EXPECT(destination_has_number(&list, places("0900123")));
	EXPECT(destination_has_number(&list, places("112")));
	EXPECT(destination_has_number(&list, places("+4990012345")));
	EXPECT(destination_has_number(&list, places("*21")));
	EXPECT(!destination_has_number(&list, places("09")));
	EXPECT(!destination_has_number(&list, places("11")));
	EXPECT(!destination_has_number(&list, places("+1")));
	EXPECT(!destination_has_number(&list, places("+4989")));
	EXPECT(!destination_has_number(&list, places("#")));
	EXPECT(!destination_has_number(&list, 0));
	EXPECT(!destination_has_number(&none, places("112")));
}

TEST(destination_rules, find_hosts_and_URIs)
{
	const struct span texts[] = {SPAN("a.example"), SPAN("b.example"), SPAN("aa.example")};
	const struct destination_list hosts = {.host = texts, .hosts = 3};
	const struct destination_list uris = {.uri = texts, .uris = 3};

	for (uint32_t i = 0; i < 3; i++) {
		EXPECT(destination_has_host(&hosts, texts[i]));
		EXPECT(destination_has_uri(&uris, texts[i]));
		EXPECT(!destination_has_uri(&hosts, texts[i]));
	}
	EXPECT(!destination_has_host(&hosts, SPAN("c.example")));
	EXPECT(!destination_has_host(&hosts, SPAN("A.example")));
	EXPECT(!destination_has_host(&hosts, SPAN("")));
	EXPECT(!destination_has_expression(&hosts, 0, SPAN("a.example")));
}

TEST_MAIN("destination_rules", RUN(destination_rules, have_numbers_as_places_of_four_bits),
	  RUN(destination_rules, know_what_a_number_begins_with),
	  RUN(destination_rules, find_the_prefix_of_a_number),
	  RUN(destination_rules, find_hosts_and_URIs))
