/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include "test.h"

#define READ(out, ...) \
	options_read((int)(sizeof((char *[]){"wirebox", __VA_ARGS__}) / sizeof(char *)), \
		     (char *[]){"wirebox", __VA_ARGS__}, out)

TEST(options, need_two_ends_and_no_more)
{
	struct options o;

	EXPECT(READ(&o, "tap:a", "packet:b"));
	EXPECT_TEXT("tap:a", o.ends[0]);
	EXPECT_TEXT("packet:b", o.ends[1]);
	EXPECT_EQ(1, o.seed);
	EXPECT(!READ(&o, "tap:a"));
	EXPECT(!READ(&o, "tap:a", "tap:b", "tap:c"));
	EXPECT(READ(&o, "--help"));
}

TEST(options, count_for_both_directions_until_one_is_named)
{
	struct options o;

	EXPECT(READ(&o, "--loss", "0.5", "--a-to-b", "--mtu", "1300", "--b-to-a", "--loss", "0",
		    "--delay", "1.5-20", "tap:a", "tap:b"));
	EXPECT_EQ(MODEL_CERTAIN / 2, o.models[0].loss);
	EXPECT_EQ(0, o.models[1].loss);
	EXPECT_EQ(1300, o.models[0].mtu);
	EXPECT_EQ(0, o.models[1].mtu);
	EXPECT_EQ(0, o.models[0].delay_max_us);
	EXPECT_EQ(1500, o.models[1].delay_min_us);
	EXPECT_EQ(20000, o.models[1].delay_max_us);
}

TEST(options, take_lists_of_frames_one_delay_and_a_router_of_both_protocols)
{
	struct options o;

	EXPECT(READ(&o, "--drop-nth", "3,7", "--delay", "10", "--ptb", "198.18.1.1", "--ptb",
		    "fd00:18:1::1", "tap:a", "tap:b"));
	EXPECT_EQ(3, o.models[1].drops[0]);
	EXPECT_EQ(7, o.models[1].drops[1]);
	EXPECT_EQ(0, o.models[1].drops[2]);
	EXPECT_EQ(10000, o.models[0].delay_min_us);
	EXPECT_EQ(10000, o.models[0].delay_max_us);
	EXPECT(o.router.v4 && o.router.v6);
}

TEST(options, refuse_values_that_make_no_sense)
{
	static char *const wrong[][2] = {
		{"--loss", "1.1"},
		{"--loss", "-0.1"},
		{"--loss", "x"},
		{"--loss", "0.1x"},
		{"--loss", "nan"},
		{"--delay", "20-10"},
		{"--delay", "1-2-3"},
		{"--delay", "1-"},
		{"--delay", "-1"},
		{"--rate", "1.5"},
		{"--rate", "1e99"},
		{"--vlan", "4095"},
		{"--mtu", "100000"},
		{"--drop-nth", "0"},
		{"--drop-nth", "1,"},
		{"--drop-nth", "1,x"},
		{"--ptb", "router"},
		{"--bogus", "1"},
		{"--drop-nth", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"},
	};
	struct options o;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT(!READ(&o, wrong[i][0], wrong[i][1], "tap:a", "tap:b"));
	EXPECT(!READ(&o, "tap:a", "tap:b", "--loss"));
}

TEST_MAIN("wirebox options", RUN(options, need_two_ends_and_no_more),
	  RUN(options, count_for_both_directions_until_one_is_named),
	  RUN(options, take_lists_of_frames_one_delay_and_a_router_of_both_protocols),
	  RUN(options, refuse_values_that_make_no_sense))
