/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery_line.h"
#include "test.h"

/* ---- reordering without loss (TCP.md 8.3, 9)
 * ----------------------------------------------------- */

static void reorders(struct line_config config)
{
	for (config.seed = 1; config.seed <= 20; config.seed++) {
		struct line_result r = line_run(&config);

		EXPECT(r.done);
		EXPECT(r.in_vain * 200 < config.segments);
		EXPECT_EQ(0, r.timeouts);
		EXPECT_EQ(r.recoveries, r.undone);
		EXPECT_EQ(CWND_MAX, r.ssthresh);
	}
}

TEST(recovery, leaves_a_line_alone_that_only_reorders)
{
	reorders((struct line_config){.segments = 1500, .delay_us = 50000, .jitter_us = 10000});
	reorders((struct line_config){.segments = 1500,
				      .delay_us = 50000,
				      .late = 500,
				      .late_us = 30000,
				      .timestamps = true});
}

TEST(recovery, leaves_a_line_alone_that_shuffles_what_comes_together)
{
	reorders((struct line_config){.segments = 1500, .delay_us = 20000, .shuffle = true});
}

/* ---- loss
 * ---------------------------------------------------------------------------------------- */

/* TCP.md 8.3, 12; of what Reno can reach: MSS / RTT * 1.22 / sqrt(p). */
TEST(recovery, reaches_four_fifths_of_reno_at_one_percent_of_loss)
{
	struct line_config config = {.segments = 2000, .delay_us = 50000, .loss = 100};
	uint64_t us = 0, reno_us = 2000ull * 100000 * 100 / 1220;

	for (config.seed = 1; config.seed <= 10; config.seed++) {
		struct line_result r = line_run(&config);

		EXPECT(r.done);
		EXPECT(r.in_vain <= r.again / 4);
		us += r.us / 10;
	}
	EXPECT(us * 8 <= reno_us * 10);
}

TEST(recovery, sends_only_again_what_a_full_queue_has_dropped)
{
	struct line_config config = {.segments = 2000,
				     .delay_us = 50000,
				     .segment_us = 1000,
				     .queue = 50};
	struct line_result r = line_run(&config);

	EXPECT(r.done);
	EXPECT_EQ(0, r.in_vain);
	EXPECT_EQ(0, r.timeouts);
	EXPECT(r.us < 2600000); /* the link alone takes 2 s */
	config.plain = true;
	r = line_run(&config);
	EXPECT(r.done);
	EXPECT_EQ(0, r.in_vain);
	EXPECT_EQ(0, r.timeouts);
}

TEST(recovery, does_not_mind_lost_acks)
{
	struct line_config config = {.segments = 2000, .delay_us = 50000, .ack_loss = 3000};

	for (config.seed = 1; config.seed <= 10; config.seed++) {
		struct line_result r = line_run(&config);

		EXPECT(r.done);
		EXPECT(r.again <= 3); /* probes of a tail whose ACKs were lost */
		EXPECT_EQ(0, r.recoveries);
	}
}

TEST(recovery, outlives_a_silence_of_the_line)
{
	struct line_config config = {.segments = 500,
				     .delay_us = 50000,
				     .outage_at_us = 300000,
				     .outage_us = 3000000};
	struct line_result r = line_run(&config);

	EXPECT(r.done);
	EXPECT(r.timeouts >= 3);
	EXPECT(r.timeouts <= 5);
	EXPECT(r.us < 10000000);
}

/* ---- everything at once (TCP.md 8.3, 3, 7, 8, 11)
 * ------------------------------------------------ */

static uint32_t dice(uint64_t *seed, uint32_t sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % sides;
}

/* Each of the evils with a chance of one half. */
static struct line_config evil(uint64_t *seed)
{
	struct line_config c = {.seed = dice(seed, UINT32_MAX), .segments = 200};

	c.delay_us = dice(seed, 2) * dice(seed, 150000);
	c.jitter_us = dice(seed, 2) * dice(seed, 50000);
	c.loss = dice(seed, 2) * dice(seed, 3000);
	c.ack_loss = dice(seed, 2) * dice(seed, 3000);
	c.late = dice(seed, 2) * dice(seed, 1000);
	c.late_us = dice(seed, 400000);
	c.segment_us = dice(seed, 2) * dice(seed, 3000);
	c.queue = 5 + dice(seed, 100);
	c.outage_at_us = dice(seed, 1000000);
	c.outage_us = dice(seed, 2) * dice(seed, 3000000);
	c.shuffle = dice(seed, 2) != 0;
	c.plain = dice(seed, 2) != 0;
	c.timestamps = dice(seed, 2) != 0;
	return c;
}

/* The bench looks at list, pipe, cwnd and deadline after every ACK, and stops the program. */
TEST(recovery, ends_every_transfer_over_whatever_line)
{
	uint64_t seed = 20;

	for (uint32_t i = 0; i < 500; i++) {
		struct line_config config = evil(&seed);
		struct line_result r = line_run(&config);

		EXPECT(r.done);
		EXPECT(r.work_max <= 4096);
	}
}

TEST(recovery, does_the_same_twice)
{
	uint64_t seed = 21;

	for (uint32_t i = 0; i < 20; i++) {
		struct line_config config = evil(&seed);
		struct line_result first = line_run(&config), second = line_run(&config);

		EXPECT_EQ(first.us, second.us);
		EXPECT_EQ(first.again, second.again);
		EXPECT_EQ(first.cwnd, second.cwnd);
	}
}

TEST_MAIN("tcp_recovery", RUN(recovery, leaves_a_line_alone_that_only_reorders),
	  RUN(recovery, leaves_a_line_alone_that_shuffles_what_comes_together),
	  RUN(recovery, reaches_four_fifths_of_reno_at_one_percent_of_loss),
	  RUN(recovery, sends_only_again_what_a_full_queue_has_dropped),
	  RUN(recovery, does_not_mind_lost_acks), RUN(recovery, outlives_a_silence_of_the_line),
	  RUN(recovery, ends_every_transfer_over_whatever_line), RUN(recovery, does_the_same_twice))
