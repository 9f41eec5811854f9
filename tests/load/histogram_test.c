/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

#include "test.h"

TEST(histogram, is_empty_at_first)
{
	static struct histogram h;

	EXPECT_EQ(0, histogram_quantile(&h, 0.5));
	EXPECT_EQ(0, histogram_quantile(&h, 1));
}

TEST(histogram, finds_quantiles_within_a_bucket)
{
	static struct histogram h;

	for (uint64_t us = 1; us <= 100000; us++)
		histogram_add(&h, us);
	EXPECT_EQ(100000, h.count);
	EXPECT(histogram_quantile(&h, 0.5) >= 50000 && histogram_quantile(&h, 0.5) < 51600);
	EXPECT(histogram_quantile(&h, 0.99) >= 99000 && histogram_quantile(&h, 0.99) <= 100000);
	EXPECT_EQ(100000, histogram_quantile(&h, 1));
}

TEST(histogram, never_tells_less_than_was_added)
{
	for (uint64_t us = 1; us < (uint64_t)1 << 26; us = us * 5 / 4 + 1) {
		struct histogram h = {0};
		uint64_t told;

		histogram_add(&h, us);
		histogram_add(&h, (uint64_t)1 << 27);
		told = histogram_quantile(&h, 0.5);
		EXPECT(told >= us && told <= us + us / 16);
	}
}

TEST(histogram, keeps_the_largest_beyond_its_last_bucket)
{
	static struct histogram h;

	histogram_add(&h, UINT64_MAX);
	EXPECT(histogram_quantile(&h, 0.5) == UINT64_MAX);
}

TEST_MAIN("load histogram", RUN(histogram, is_empty_at_first),
	  RUN(histogram, finds_quantiles_within_a_bucket),
	  RUN(histogram, never_tells_less_than_was_added),
	  RUN(histogram, keeps_the_largest_beyond_its_last_bucket))
