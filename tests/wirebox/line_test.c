/* SPDX-License-Identifier: BSD-3-Clause */
#include "line.h"

#include "test.h"

static struct frame numbered(uint8_t n)
{
	struct frame frame = {.len = 60};

	frame.bytes[59] = n;
	return frame;
}

/** The number of the frame that comes out; -1: none is due. */
static int out(struct line *line, uint64_t now_us)
{
	struct frame frame;

	return line_take(line, now_us, &frame) ? frame.bytes[59] : -1;
}

static void put(struct line *line, uint8_t n, uint64_t now_us)
{
	struct frame frame = numbered(n);

	(void)line_put(line, &frame, now_us);
}

TEST(line, gives_frames_out_in_order_and_not_before_they_are_due)
{
	struct model_config config = {.delay_min_us = 100, .delay_max_us = 100};
	struct line line;

	EXPECT(line_init(&line, &config, 1, 0));
	EXPECT_EQ(UINT64_MAX, line_next_us(&line));
	for (uint8_t n = 0; n < 100; n++)
		put(&line, n, 1000);
	EXPECT_EQ(1100, line_next_us(&line));
	EXPECT_EQ(-1, out(&line, 1099));
	for (int n = 0; n < 100; n++)
		EXPECT_EQ(n, out(&line, 1100));
	EXPECT_EQ(-1, out(&line, UINT64_MAX - 1));
	line_fini(&line);
}

TEST(line, gives_a_duplicate_out_right_behind_its_frame)
{
	struct model_config config = {.duplicate = MODEL_CERTAIN};
	struct line line;

	EXPECT(line_init(&line, &config, 1, 0));
	put(&line, 1, 0);
	put(&line, 2, 0);
	EXPECT_EQ(1, out(&line, 0));
	EXPECT_EQ(1, out(&line, 0));
	EXPECT_EQ(2, out(&line, 0));
	EXPECT_EQ(2, out(&line, 0));
	EXPECT_EQ(2, line.counters.duplicated);
	line_fini(&line);
}

TEST(line, lets_frames_overtake_a_reordered_one)
{
	struct model_config ordinary = {0}, reorder = {.reorder = MODEL_CERTAIN};
	struct line line;

	EXPECT(line_init(&line, &reorder, 1, 0));
	put(&line, 1, 0);
	line.model.config = &ordinary;
	put(&line, 2, 1);
	EXPECT_EQ(2, out(&line, 10000));
	EXPECT_EQ(1, out(&line, 10000));
	EXPECT_EQ(1, line.counters.reordered);
	line_fini(&line);
}

TEST(line, turns_one_bit_over_and_the_same_in_a_duplicate)
{
	struct model_config config = {.corrupt = MODEL_CERTAIN, .duplicate = MODEL_CERTAIN};
	struct frame frame = numbered(0), first, second;
	struct line line;
	int bits = 0;

	EXPECT(line_init(&line, &config, 1, 0));
	EXPECT_EQ(MODEL_PASSED, line_put(&line, &frame, 0));
	EXPECT(line_take(&line, 0, &first) && line_take(&line, 0, &second));
	for (uint32_t i = 0; i < first.len; i++)
		bits += __builtin_popcount(first.bytes[i]);
	EXPECT_EQ(1, bits);
	EXPECT_BYTES(first.bytes, second.bytes, first.len);
	line_fini(&line);
}

TEST(line, counts_each_fate_and_keeps_frames_that_are_dropped_out)
{
	struct model_config config = {.drops = {2}, .mtu = 46};
	struct frame big = {.len = 61};
	struct line line;

	EXPECT(line_init(&line, &config, 1, 0));
	put(&line, 1, 0);
	put(&line, 2, 0);
	EXPECT_EQ(MODEL_TOO_BIG, line_put(&line, &big, 0));
	EXPECT_EQ(1, out(&line, 0));
	EXPECT_EQ(-1, out(&line, 0));
	EXPECT_EQ(3, line.counters.in);
	EXPECT_EQ(1, line.counters.fates[MODEL_PASSED]);
	EXPECT_EQ(1, line.counters.fates[MODEL_DROPPED]);
	EXPECT_EQ(1, line.counters.fates[MODEL_TOO_BIG]);
	line_fini(&line);
}

TEST(line, holds_no_more_than_its_bound)
{
	struct model_config config = {.delay_min_us = 100, .delay_max_us = 100};
	struct frame frame = numbered(1);
	struct line line;

	EXPECT(line_init(&line, &config, 1, 0));
	for (uint32_t i = 0; i < LINE_HELD_MAX; i++)
		EXPECT_EQ(MODEL_PASSED, line_put(&line, &frame, 0));
	EXPECT_EQ(MODEL_QUEUE_FULL, line_put(&line, &frame, 0));
	EXPECT_EQ(1, out(&line, 100));
	EXPECT_EQ(MODEL_PASSED, line_put(&line, &frame, 0));
	line_fini(&line);
}

TEST_MAIN("wirebox line", RUN(line, gives_frames_out_in_order_and_not_before_they_are_due),
	  RUN(line, gives_a_duplicate_out_right_behind_its_frame),
	  RUN(line, lets_frames_overtake_a_reordered_one),
	  RUN(line, turns_one_bit_over_and_the_same_in_a_duplicate),
	  RUN(line, counts_each_fate_and_keeps_frames_that_are_dropped_out),
	  RUN(line, holds_no_more_than_its_bound))
