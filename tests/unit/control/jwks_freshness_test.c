/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/jwks_freshness.h"
#include "../test.h"

/* the moment of the example dates of RFC 9110 section 5.6.7, Sun, 06 Nov 1994 08:49:37 GMT */
enum { NOW_S = 784111777 };

/** Seconds left at NOW_S after a head of up to three lines. */
static uint32_t left(const char *first, const char *second, const char *third)
{
	const char *lines[] = {first, second, third};
	struct jwks_freshness freshness = {0};

	for (unsigned i = 0; i < 3; i++)
		if (lines[i] != NULL)
			jwks_freshness_line(&freshness, span_text(lines[i]));
	return jwks_freshness_left(&freshness, NOW_S);
}

TEST(freshness, is_none_when_nothing_is_said)
{
	EXPECT_EQ(0, left("HTTP/1.1 200 OK\r\n", "Content-Type: application/jwk-set+json\r\n",
			  "\r\n"));
	EXPECT_EQ(0, left("", ":", "Cache-Control:"));
}

TEST(freshness, is_max_age_less_age)
{
	EXPECT_EQ(600, left("Cache-Control: max-age=600\r\n", NULL, NULL));
	EXPECT_EQ(590, left("cache-control: public, MAX-AGE = 600", "AGE: 10\r\n", NULL));
	EXPECT_EQ(600, left("Cache-Control: max-age=\"600\"", NULL, NULL));
	EXPECT_EQ(0, left("Cache-Control: max-age=600", "Age: 600", NULL));
	EXPECT_EQ(0, left("Cache-Control: max-age=600", "Age: 601", NULL));
}

TEST(freshness, believes_max_age_before_expires_and_leaves_shared_caches_theirs)
{
	EXPECT_EQ(5,
		  left("Expires: Sun, 06 Nov 1994 09:49:37 GMT", "Cache-Control: max-age=5", NULL));
	EXPECT_EQ(0, left("Cache-Control: s-maxage=600", NULL, NULL));
}

TEST(freshness, takes_the_shorter_of_what_is_said_twice_or_badly)
{
	EXPECT_EQ(30, left("Cache-Control: max-age=600, max-age=30", NULL, NULL));
	EXPECT_EQ(30, left("Cache-Control: max-age=30", "Cache-Control: max-age=600", NULL));
	EXPECT_EQ(500, left("Cache-Control: max-age=600", "Age: 100", "Age: 5"));
	EXPECT_EQ(0, left("Cache-Control: max-age=-1", NULL, NULL));
	EXPECT_EQ(0, left("Cache-Control: max-age=6x0", NULL, NULL));
	EXPECT_EQ(0, left("Cache-Control: max-age", NULL, NULL));
	EXPECT_EQ(JWKS_AGE_MAX,
		  left("Cache-Control: max-age=99999999999999999999999999", NULL, NULL));
	EXPECT_EQ(0, left("Cache-Control: max-age=5", "Age: 99999999999999999999", NULL));
}

TEST(freshness, is_none_for_what_is_not_to_be_stored_or_used_again)
{
	EXPECT_EQ(0, left("Cache-Control: no-store, max-age=600", NULL, NULL));
	EXPECT_EQ(0, left("Cache-Control: max-age=600", "Cache-Control: No-Cache", NULL));
	EXPECT_EQ(0, left("Cache-Control: no-cache=\"set-cookie\", max-age=600", NULL, NULL));
}

TEST(freshness, counts_expires_from_the_date_of_the_server)
{
	EXPECT_EQ(3600, left("Expires: Sun, 06 Nov 1994 09:49:37 GMT\r\n", NULL, NULL));
	EXPECT_EQ(60, left("Date: Sun, 06 Nov 1994 09:48:37 GMT",
			   "Expires: Sun, 06 Nov 1994 09:49:37 GMT", NULL));
	EXPECT_EQ(0, left("Expires: Sun, 06 Nov 1994 07:49:37 GMT", NULL, NULL));
	EXPECT_EQ(JWKS_AGE_MAX, left("Expires: Fri, 31 Dec 9999 23:59:59 GMT", NULL, NULL));
	EXPECT_EQ(3600, left("Date: yesterday", "Expires: Sun, 06 Nov 1994 09:49:37 GMT", NULL));
}

TEST(freshness, reads_the_three_forms_of_a_date_and_takes_others_for_the_past)
{
	EXPECT_EQ(3600, left("Expires: Sunday, 06-Nov-94 09:49:37 GMT", NULL, NULL));
	EXPECT_EQ(3600, left("Expires: Sun Nov  6 09:49:37 1994", NULL, NULL));
	EXPECT_EQ(0, left("Expires: 0", NULL, NULL));
	EXPECT_EQ(0, left("Expires: -1", NULL, NULL));
	EXPECT_EQ(0, left("Expires: Sun, 06 Nov 1994 09:49:37 GMT and more", NULL, NULL));
	EXPECT_EQ(0, left("Expires: Sun, 06 Nov 1994 09:49:37 GMT"
			  "                                               ,",
			  NULL, NULL));
}

TEST_MAIN("jwks_freshness", RUN(freshness, is_none_when_nothing_is_said),
	  RUN(freshness, is_max_age_less_age),
	  RUN(freshness, believes_max_age_before_expires_and_leaves_shared_caches_theirs),
	  RUN(freshness, takes_the_shorter_of_what_is_said_twice_or_badly),
	  RUN(freshness, is_none_for_what_is_not_to_be_stored_or_used_again),
	  RUN(freshness, counts_expires_from_the_date_of_the_server),
	  RUN(freshness, reads_the_three_forms_of_a_date_and_takes_others_for_the_past))
