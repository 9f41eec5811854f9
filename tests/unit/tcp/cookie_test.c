/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "door_scene.h"

static const uint16_t mss_of[2][8] = {{216, 536, 1200, 1300, 1360, 1400, 1440, 1460},
				      {1220, 1280, 1340, 1360, 1380, 1400, 1420, 1440}};
static const uint8_t scale_of[8] = {0, 0, 1, 2, 4, 6, 7, 8};

static struct tcp_ends ends_of(uint32_t family)
{
	if (family == 0)
		return (struct tcp_ends){door_v4(0xc6120001), door_v4(0xc6120002), 443, 4000};
	return (struct tcp_ends){door_v6(1, 1), door_v6(2, 2), 443, 4000};
}

/* The options that code stands for: 7 bits. */
static struct cookie_options options_of(uint32_t family, uint32_t code)
{
	return (struct cookie_options){.mss = mss_of[family][code & 7],
				       .has_scale = (code >> 3 & 7) != 0,
				       .scale = scale_of[code >> 3 & 7],
				       .sack = (code >> 6 & 1) != 0};
}

static bool options_equal(const struct cookie_options *a, const struct cookie_options *b)
{
	return a->mss == b->mss && a->has_scale == b->has_scale && a->scale == b->scale &&
	       a->sack == b->sack;
}

/* 128 codes with each of the two secrets: all 256 of the last byte. */
TEST(cookie, says_every_combination_of_options_for_two_rotations_and_no_more)
{
	struct door door;
	struct cookie_options said;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 512; i++) {
		uint32_t family = i >> 7 & 1;
		struct tcp_ends ends = ends_of(family);
		struct cookie_options options = options_of(family, i & 127);
		uint32_t cookie = cookie_make(&door.tcp, &ends, 1000 + i, &options);

		EXPECT(cookie_read(&door.tcp, &ends, 1000 + i, cookie, &said));
		EXPECT(options_equal(&options, &said));
		cookie_rotate(&door.tcp);
		memset(&said, 0, sizeof(said));
		EXPECT(cookie_read(&door.tcp, &ends, 1000 + i, cookie, &said));
		EXPECT(options_equal(&options, &said));
		cookie_rotate(&door.tcp);
		EXPECT(!cookie_read(&door.tcp, &ends, 1000 + i, cookie, &said));
		if (i == 255)
			cookie_rotate(&door.tcp); /* the second half begins with the other */
	}
	door_close(&door);
}

TEST(cookie, made_with_either_secret_is_read_by_its_last_bit)
{
	struct door door;
	struct tcp_ends ends = ends_of(0);
	struct cookie_options options = options_of(0, 127), said;
	uint32_t older, newer;

	door_open(&door, NULL);
	older = cookie_make(&door.tcp, &ends, 1, &options);
	cookie_rotate(&door.tcp);
	newer = cookie_make(&door.tcp, &ends, 1, &options);
	EXPECT(older != newer);
	EXPECT_EQ(1, ((older ^ older >> 24) ^ (newer ^ newer >> 24)) & 255);
	EXPECT(cookie_read(&door.tcp, &ends, 1, older, &said));
	EXPECT(cookie_read(&door.tcp, &ends, 1, newer, &said));
	cookie_rotate(&door.tcp);
	EXPECT(!cookie_read(&door.tcp, &ends, 1, older, &said));
	EXPECT(cookie_read(&door.tcp, &ends, 1, newer, &said));
	door_close(&door);
}

TEST(cookie, with_one_bit_changed_is_refused)
{
	struct door door;
	struct cookie_options said;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 256; i++) {
		struct tcp_ends ends = ends_of(i >> 7);
		struct cookie_options options = options_of(i >> 7, i & 127);
		uint32_t cookie = cookie_make(&door.tcp, &ends, i, &options);

		for (uint32_t bit = 0; bit < 32; bit++)
			EXPECT(!cookie_read(&door.tcp, &ends, i, cookie ^ 1u << bit, &said));
		EXPECT(!cookie_read(&door.tcp, &ends, i + 1, cookie, &said));
	}
	door_close(&door);
}

TEST(cookie, of_other_ends_is_refused)
{
	struct door door;
	struct cookie_options options = options_of(0, 100), said;
	struct tcp_ends ends = ends_of(0), other;
	uint32_t cookie;

	door_open(&door, NULL);
	cookie = cookie_make(&door.tcp, &ends, 1, &options);
	for (uint32_t i = 0; i < sizeof(ends); i++) {
		other = ends;
		((uint8_t *)&other)[i] ^= 0x10;
		EXPECT(!cookie_read(&door.tcp, &other, 1, cookie, &said));
	}
	door_close(&door);
}

/* 2^24 guesses hit once: in a million there are none, or very few. */
TEST(cookie, is_not_guessed_in_a_million_tries)
{
	struct door door;
	struct tcp_ends ends = ends_of(0);
	struct cookie_options said;
	uint32_t hits = 0;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 1000000; i++)
		hits += cookie_read(&door.tcp, &ends, 1, i * 2654435761u, &said);
	EXPECT(hits <= 2);
	door_close(&door);
}

static struct cookie_options through(struct door *door, uint32_t family, uint16_t mss,
				     int32_t scale)
{
	struct tcp_ends ends = ends_of(family);
	struct cookie_options options = {.mss = mss,
					 .has_scale = scale >= 0,
					 .scale = (uint8_t)(scale >= 0 ? scale : 0)};
	struct cookie_options said = {0};

	EXPECT(cookie_read(&door->tcp, &ends, 1, cookie_make(&door->tcp, &ends, 1, &options),
			   &said));
	return said;
}

TEST(cookie, rounds_down_what_its_tables_do_not_have)
{
	struct door door;

	door_open(&door, NULL);
	EXPECT_EQ(1460, through(&door, 0, 8960, 7).mss);
	EXPECT_EQ(1440, through(&door, 0, 1459, 7).mss);
	EXPECT_EQ(216, through(&door, 0, 535, 7).mss);
	EXPECT_EQ(216, through(&door, 0, 1, 7).mss); /* the floor: TCP.md 5.11 */
	EXPECT_EQ(1440, through(&door, 1, 8940, 7).mss);
	EXPECT_EQ(1220, through(&door, 1, 536, 7).mss);
	EXPECT_EQ(8, through(&door, 0, 1460, 14).scale);
	EXPECT_EQ(4, through(&door, 0, 1460, 5).scale);
	EXPECT_EQ(2, through(&door, 0, 1460, 3).scale);
	EXPECT_EQ(0, through(&door, 0, 1460, 0).scale);
	EXPECT(through(&door, 0, 1460, 0).has_scale);
	EXPECT(!through(&door, 0, 1460, -1).has_scale);
	door_close(&door);
}

TEST(cookie, of_other_peers_says_nothing_of_ours)
{
	uint32_t seen[256] = {0};
	struct cookie_options options = options_of(0, 64);
	struct door door;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 65536; i++) {
		struct tcp_ends ends = ends_of(0);

		ends.remote_port = (uint16_t)i;
		seen[cookie_make(&door.tcp, &ends, 1, &options) & 255]++;
	}
	for (uint32_t i = 0; i < 256; i++)
		EXPECT(seen[i] > 170 && seen[i] < 342); /* 256, and 5 sigma */
	door_close(&door);
}

TEST_MAIN("cookie", RUN(cookie, says_every_combination_of_options_for_two_rotations_and_no_more),
	  RUN(cookie, made_with_either_secret_is_read_by_its_last_bit),
	  RUN(cookie, with_one_bit_changed_is_refused), RUN(cookie, of_other_ends_is_refused),
	  RUN(cookie, is_not_guessed_in_a_million_tries),
	  RUN(cookie, rounds_down_what_its_tables_do_not_have),
	  RUN(cookie, of_other_peers_says_nothing_of_ours))
