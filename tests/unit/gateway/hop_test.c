/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/internal.h"
#include "world.h"

/** A world of four next hops: one of priority 1, three of priority 2 with weights 1, 3 and 0. */
static void four_hops(void)
{
	world_start();
	world.config.next_hop_count = 4;
	world_reload();
}

/** Which of world.hop[] a target is. */
static uint32_t hop_of(const struct mw_target *target)
{
	for (uint32_t i = 0; i < WORLD_HOPS; i++)
		if (endpoint_same_host(&world.hop[i].address, &target->address))
			return i;
	fail_msg("no next hop");
	return 0;
}

static uint32_t chosen(void)
{
	struct mw_target target;

	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	return hop_of(&target);
}

TEST(hops, of_the_best_priority_get_everything)
{
	four_hops();
	for (uint32_t i = 0; i < 100; i++)
		EXPECT_EQ(0, chosen());
}

TEST(hops, of_one_priority_share_by_weight)
{
	uint32_t got[WORLD_HOPS] = {0};

	four_hops();
	world.hop_down[0] = true;
	for (uint32_t i = 0; i < 6700; i++) /* shares of 17, 49 and 1 */
		got[chosen()]++;
	EXPECT_EQ(0, got[0]);
	EXPECT(got[1] > 1500 && got[1] < 1900);
	EXPECT(got[2] > 4700 && got[2] < 5100);
	EXPECT(got[3] > 50 && got[3] < 150);
}

TEST(hops, that_are_down_leave_their_share_to_the_others)
{
	four_hops();
	world.hop_down[0] = true;
	world.hop_down[2] = true;
	world.hop_down[3] = true;
	for (uint32_t i = 0; i < 100; i++)
		EXPECT_EQ(1, chosen());
}

TEST(hops, are_each_tried_once_and_the_best_first)
{
	struct mw_target target;
	uint32_t seen = 0;

	four_hops();
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	EXPECT_EQ(0, hop_of(&target));
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_EQ(GW_OK, target_another(world.gw, &target));
		seen |= 1u << hop_of(&target);
	}
	EXPECT_EQ(2 + 4 + 8, seen);
	EXPECT_EQ(GW_MW_DOWN, target_another(world.gw, &target));
}

TEST(hops, are_not_tried_again_over_the_other_transport)
{
	struct mw_target target;

	four_hops();
	world.config.next_hop_count = 1;
	world.hop[0].transport = NEXT_HOP_UDP;
	world_reload();
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	target.transport = MW_TCP; /* it was too long for UDP */
	EXPECT_EQ(GW_MW_DOWN, target_another(world.gw, &target));
}

TEST(hops, are_those_of_the_live_configuration)
{
	four_hops();
	world.config.next_hop = &world.hop[1];
	world.config.next_hop_count = 1;
	EXPECT_EQ(0, chosen());
	world_reload();
	EXPECT_EQ(1, chosen());
}

TEST(hops, that_asked_for_time_are_left_alone_also_over_a_reload)
{
	struct mw_target first;

	four_hops();
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &first));
	hops_shut(world.gw, &first, 20);
	EXPECT(chosen() != 0);
	world_reload();
	EXPECT(chosen() != 0);
	world_wait(19999000);
	EXPECT(chosen() != 0);
	world_wait(1000);
	EXPECT_EQ(0, chosen());
}

TEST(hops, that_ask_for_a_day_are_asked_again_after_an_hour)
{
	struct mw_target first;

	four_hops();
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &first));
	hops_shut(world.gw, &first, 86400);
	world_wait(3600000000ull);
	EXPECT_EQ(0, chosen());
}

TEST_MAIN("gateway_hop", RUN(hops, of_the_best_priority_get_everything),
	  RUN(hops, of_one_priority_share_by_weight),
	  RUN(hops, that_are_down_leave_their_share_to_the_others),
	  RUN(hops, are_each_tried_once_and_the_best_first),
	  RUN(hops, are_not_tried_again_over_the_other_transport),
	  RUN(hops, are_those_of_the_live_configuration),
	  RUN(hops, that_asked_for_time_are_left_alone_also_over_a_reload),
	  RUN(hops, that_ask_for_a_day_are_asked_again_after_an_hour))
