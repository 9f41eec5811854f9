/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "world.h"

TEST(cli_blocks, are_told_by_their_home_workers_with_the_bindings_of_all)
{
	struct world w;
	json_t *rows;

	world_begin(&w);
	for (uint32_t worker = 0; worker < WORKERS; worker++)
		w.rows[worker] = 1;
	rows = world_ask_list(&w, "blocks\n", "blocks");
	EXPECT_EQ(1, json_array_size(rows));
	EXPECT_TEXT("shop", world_text(rows, 0, "wwsf"));
	EXPECT_TEXT("up", world_text(rows, 0, "state"));
	EXPECT_EQ(600, world_number(rows, 0, "seconds"));
	EXPECT_EQ(503, world_number(rows, 0, "last_failure"));
	EXPECT_TEXT("probation", world_text(rows, 0, "core_ended"));
	EXPECT_EQ(30, world_number(rows, 0, "again_s"));
	EXPECT_TEXT("none", world_text(rows, 0, "reg_event"));
	EXPECT_EQ(3, world_number(rows, 0, "bindings"));
	EXPECT_EQ(1, world_number(rows, 0, "worker"));
	json_decref(rows);
	EXPECT_EQ(0, world_wicctl(&w, "blocks"));
	EXPECT(strstr(w.answer, "shop") != NULL);
	world_end(&w);
}

TEST_MAIN("cli_blocks", RUN(cli_blocks, are_told_by_their_home_workers_with_the_bindings_of_all))
