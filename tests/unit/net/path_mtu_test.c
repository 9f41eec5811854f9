/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "net/path_mtu.h"

#define SECOND 1000000ull
#define LINK 1500u

static struct ip_address v4(uint8_t last)
{
	return ip_address_v4((const uint8_t[]){198, 18, 0, last});
}

static struct ip_address v6(uint16_t last)
{
	return (struct ip_address){
		{0xfd, 0, 0, 0x18, [14] = (uint8_t)(last >> 8), [15] = (uint8_t)last}};
}

/** What is known of the way to the one peer of a new table, after one message. */
static uint32_t learned(struct ip_address peer, uint32_t mtu, uint32_t sent_len)
{
	struct path_mtu *table = path_mtu_new(4);
	uint32_t known;

	path_mtu_learn(table, &peer, mtu, sent_len, SECOND);
	known = path_mtu_get(table, &peer, LINK, SECOND);
	path_mtu_free(table);
	return known;
}

TEST(path_mtu, is_the_mtu_of_the_link_until_a_router_says_less)
{
	struct path_mtu *table = path_mtu_new(4);
	struct ip_address near = v4(1), far = v4(2);

	EXPECT_EQ(LINK, path_mtu_get(table, &far, LINK, 0));
	EXPECT(path_mtu_learn(table, &far, 1400, 1500, SECOND));
	EXPECT_EQ(1400, path_mtu_get(table, &far, LINK, SECOND));
	EXPECT_EQ(LINK, path_mtu_get(table, &near, LINK, SECOND));
	path_mtu_free(table);
}

TEST(path_mtu, is_never_more_than_the_mtu_of_the_link)
{
	struct path_mtu *table = path_mtu_new(4);
	struct ip_address far = v6(2);

	EXPECT(path_mtu_learn(table, &far, 1480, 1500, SECOND));
	EXPECT_EQ(1400, path_mtu_get(table, &far, 1400, SECOND));
	path_mtu_free(table);
}

TEST(path_mtu, only_goes_down)
{
	struct path_mtu *table = path_mtu_new(4);
	struct ip_address far = v6(2);

	EXPECT(path_mtu_learn(table, &far, 1400, 1500, SECOND));
	EXPECT(!path_mtu_learn(table, &far, 1400, 1500, SECOND));
	EXPECT(!path_mtu_learn(table, &far, 1450, 1500, SECOND));
	EXPECT_EQ(1400, path_mtu_get(table, &far, LINK, SECOND));
	EXPECT(path_mtu_learn(table, &far, 1300, 1400, SECOND));
	EXPECT_EQ(1300, path_mtu_get(table, &far, LINK, SECOND));
	path_mtu_free(table);
}

TEST(path_mtu, believes_no_router_that_could_have_passed_on_what_we_sent)
{
	EXPECT_EQ(LINK, learned(v4(2), 1400, 1400));
	EXPECT_EQ(LINK, learned(v4(2), 65535, 1400));
	EXPECT_EQ(LINK, learned(v4(2), 1400, 0));
	EXPECT_EQ(LINK, learned(v6(2), 1300, 1280));
}

TEST(path_mtu, does_not_go_below_552_over_ipv4_and_1280_over_ipv6)
{
	EXPECT_EQ(552, learned(v4(2), 68, 1500));
	EXPECT_EQ(552, learned(v4(2), 1, 1500));
	EXPECT_EQ(553, learned(v4(2), 553, 1500));
	EXPECT_EQ(1280, learned(v6(2), 1279, 1500));
	EXPECT_EQ(1281, learned(v6(2), 1281, 1500));
	EXPECT_EQ(LINK, learned(v4(2), 68, 552)); /* which is as low as it gets */
}

TEST(path_mtu, takes_the_next_plateau_when_an_old_router_does_not_say)
{
	EXPECT_EQ(1492, learned(v4(2), 0, 1500));
	EXPECT_EQ(1006, learned(v4(2), 0, 1492));
	EXPECT_EQ(1006, learned(v4(2), 0, 1007));
	EXPECT_EQ(552, learned(v4(2), 0, 1006));
	EXPECT_EQ(LINK, learned(v4(2), 0, 68));
	EXPECT_EQ(LINK, learned(v4(2), 0, 0));
	EXPECT_EQ(1492, learned(v6(2), 0, 1500));
	EXPECT_EQ(1280, learned(v6(2), 0, 1492));
}

TEST(path_mtu, knows_jumbo_plateaus)
{
	struct path_mtu *table = path_mtu_new(1);
	struct ip_address far = v4(2);

	EXPECT(path_mtu_learn(table, &far, 0, 9000, SECOND));
	EXPECT_EQ(8166, path_mtu_get(table, &far, 9000, SECOND));
	EXPECT(path_mtu_learn(table, &far, 0, 8166, SECOND));
	EXPECT_EQ(4352, path_mtu_get(table, &far, 9000, SECOND));
	path_mtu_free(table);
}

TEST(path_mtu, is_forgotten_after_ten_minutes)
{
	struct path_mtu *table = path_mtu_new(4);
	struct ip_address far = v4(2), other = v4(3);

	EXPECT(path_mtu_learn(table, &far, 1400, 1500, SECOND));
	EXPECT(path_mtu_learn(table, &other, 1400, 1500, 2 * SECOND));
	EXPECT_EQ(1400, path_mtu_get(table, &far, LINK, SECOND + PATH_MTU_US - 1));
	EXPECT_EQ(LINK, path_mtu_get(table, &far, LINK, SECOND + PATH_MTU_US));
	EXPECT_EQ(1400, path_mtu_get(table, &other, LINK, SECOND + PATH_MTU_US));
	EXPECT_EQ(LINK, path_mtu_get(table, &other, LINK, 2 * SECOND + PATH_MTU_US));
	EXPECT(path_mtu_learn(table, &far, 1450, 1500, SECOND + PATH_MTU_US)); /* wider by now */
	EXPECT_EQ(1450, path_mtu_get(table, &far, LINK, SECOND + PATH_MTU_US));
	path_mtu_free(table);
}

TEST(path_mtu, makes_room_by_forgetting_the_oldest)
{
	struct path_mtu *table = path_mtu_new(3);
	struct ip_address peer[4] = {v4(0), v4(1), v4(2), v4(3)};

	for (uint32_t i = 0; i < 3; i++)
		EXPECT(path_mtu_learn(table, &peer[i], 1400, 1500, i * SECOND));
	EXPECT(path_mtu_learn(table, &peer[0], 1300, 1400, 3 * SECOND)); /* young again */
	EXPECT(path_mtu_learn(table, &peer[3], 1400, 1500, 4 * SECOND));
	EXPECT_EQ(1300, path_mtu_get(table, &peer[0], LINK, 4 * SECOND));
	EXPECT_EQ(LINK, path_mtu_get(table, &peer[1], LINK, 4 * SECOND));
	EXPECT_EQ(1400, path_mtu_get(table, &peer[2], LINK, 4 * SECOND));
	EXPECT_EQ(1400, path_mtu_get(table, &peer[3], LINK, 4 * SECOND));
	path_mtu_free(table);
}

TEST(path_mtu, keeps_its_bound_when_a_thousand_paths_are_told_of)
{
	struct path_mtu *table = path_mtu_new(16);
	uint32_t known = 0;

	for (uint16_t i = 0; i < 1000; i++) {
		struct ip_address peer = v6(i);

		EXPECT(path_mtu_learn(table, &peer, 1300, 1500, i));
	}
	for (uint16_t i = 0; i < 1000; i++) {
		struct ip_address peer = v6(i);
		bool young = i >= 1000 - 16;

		EXPECT_EQ(young ? 1300 : LINK, path_mtu_get(table, &peer, LINK, 1000));
		known += young;
	}
	EXPECT_EQ(16, known);
	path_mtu_free(table);
}

TEST(path_mtu, needs_room_for_one_path)
{
	EXPECT(path_mtu_new(0) == NULL);
	path_mtu_free(NULL);
}

TEST_MAIN("path_mtu", RUN(path_mtu, is_the_mtu_of_the_link_until_a_router_says_less),
	  RUN(path_mtu, is_never_more_than_the_mtu_of_the_link), RUN(path_mtu, only_goes_down),
	  RUN(path_mtu, believes_no_router_that_could_have_passed_on_what_we_sent),
	  RUN(path_mtu, does_not_go_below_552_over_ipv4_and_1280_over_ipv6),
	  RUN(path_mtu, takes_the_next_plateau_when_an_old_router_does_not_say),
	  RUN(path_mtu, knows_jumbo_plateaus), RUN(path_mtu, is_forgotten_after_ten_minutes),
	  RUN(path_mtu, makes_room_by_forgetting_the_oldest),
	  RUN(path_mtu, keeps_its_bound_when_a_thousand_paths_are_told_of),
	  RUN(path_mtu, needs_room_for_one_path))
