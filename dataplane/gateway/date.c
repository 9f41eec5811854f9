/* SPDX-License-Identifier: BSD-3-Clause */
#include "registrar.h"

#define DAY_S 86400
#define ERA_DAYS 146097 /* 400 years */

/** A civil date: years begin in March, so that a leap day is their last. */
struct civil {
	uint32_t year, month, day;
};

static struct civil civil_of(uint64_t days)
{
	uint64_t since = days + 719468; /* 0000-03-01 */
	uint32_t era = (uint32_t)(since / ERA_DAYS), at = (uint32_t)(since % ERA_DAYS);
	uint32_t year = (at - at / 1460 + at / 36524 - at / 146096) / 365;
	uint32_t left = at - (365 * year + year / 4 - year / 100);
	uint32_t month = (5 * left + 2) / 153;

	return (struct civil){
		.year = year + era * 400 + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = left - (153 * month + 2) / 5 + 1,
	};
}

static void two_digits(uint32_t n, const char *behind, struct writer *out)
{
	writer_u8(out, (uint8_t)('0' + n / 10 % 10));
	writer_u8(out, (uint8_t)('0' + n % 10));
	writer_text(out, behind);
}

void date_write(uint64_t unix_s, struct writer *out)
{
	static const char days[7][6] = {"Thu, ", "Fri, ", "Sat, ", "Sun, ",
					"Mon, ", "Tue, ", "Wed, "};
	static const char months[12][6] = {"Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ",
					   "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "};
	uint32_t at = (uint32_t)(unix_s % DAY_S);
	struct civil civil = civil_of(unix_s / DAY_S);

	writer_text(out, "Date: ");
	writer_text(out, days[unix_s / DAY_S % 7]);
	two_digits(civil.day, " ", out);
	writer_text(out, months[civil.month - 1]);
	writer_decimal(out, civil.year);
	writer_text(out, " ");
	two_digits(at / 3600, ":", out);
	two_digits(at / 60 % 60, ":", out);
	two_digits(at % 60, " GMT\r\n", out);
}
