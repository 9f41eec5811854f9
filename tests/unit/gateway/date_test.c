/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "world.h"

#include "gateway/registrar.h"

static const char *written(uint64_t unix_s)
{
	static char text[64];
	struct writer w;

	writer_init(&w, text, sizeof(text) - 1);
	date_write(unix_s, &w);
	EXPECT(writer_ok(&w));
	text[writer_len(&w)] = 0;
	return text;
}

TEST(date, is_that_of_rfc_3261)
{
	EXPECT_TEXT("Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n", written(1289690940));
	EXPECT_TEXT("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", written(0));
	EXPECT_TEXT("Date: Thu, 29 Feb 2024 23:59:59 GMT\r\n", written(1709251199));
}

TEST(date, is_what_the_c_library_says_for_centuries)
{
	char wanted[64];
	struct tm tm;

	for (uint64_t s = 0; s < 20000000000; s += 86400 * 3 + 12347) {
		time_t at = (time_t)s;

		gmtime_r(&at, &tm);
		strftime(wanted, sizeof(wanted), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		EXPECT_TEXT(wanted, written(s));
	}
}

TEST_MAIN("date", RUN(date, is_that_of_rfc_3261),
	  RUN(date, is_what_the_c_library_says_for_centuries))
