/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "world.h"

TEST(cli_pools, are_told_with_what_they_are_of)
{
	static const char second[] = "  - name: rule\n"
				     "    issuer: shop-waf\n"
				     "    origins: [\"https://rule.example\"]\n"
				     "    mode: pool\n"
				     "    identities: {generator: {impu: \"sip:p([0-9]{6})@h\", "
				     "impi: 'p\\1@h'}}\n"
				     "  - name: home\n"
				     "    issuer: shop-waf\n"
				     "    origins: [\"https://home.example\"]\n"
				     "    identities: {domains: [home1.net]}\n";
	char text[LOADED_MAX];
	struct loaded l;
	struct world w;
	json_t *rows;

	loaded_begin(&l, strcat(strcpy(text, loaded_minimal), second));
	assert_non_null(l.config);
	world_begin(&w);
	w.keys.config = l.config;
	for (uint32_t worker = 0; worker < WORKERS; worker++)
		w.rows[worker] = 1;
	rows = world_ask_list(&w, "pools\n", "pools");
	EXPECT_EQ(2, json_array_size(rows)); /* a site with domains has none */
	EXPECT_TEXT("shop", world_text(rows, 0, "wwsf"));
	EXPECT_TEXT("individual", world_text(rows, 0, "mode"));
	EXPECT_TEXT("file", world_text(rows, 0, "kind"));
	EXPECT_EQ(1, world_number(rows, 0, "pairs"));
	EXPECT(world_number(rows, 0, "bytes") > 0);
	EXPECT_EQ(20, strlen(world_text(rows, 0, "loaded")));
	EXPECT(world_number(rows, 0, "load_ms") >= 0);
	EXPECT_EQ(3, world_number(rows, 0, "held")); /* of all workers */
	EXPECT_EQ(20, world_number(rows, 0, "granted"));
	EXPECT_EQ(200, world_number(rows, 0, "in_use"));
	EXPECT_EQ(2000, world_number(rows, 0, "conflicts"));
	EXPECT_EQ(0, world_number(rows, 1, "held"));
	EXPECT_TEXT("rule", world_text(rows, 1, "wwsf"));
	EXPECT_TEXT("pool", world_text(rows, 1, "mode"));
	EXPECT_TEXT("generator", world_text(rows, 1, "kind"));
	EXPECT_EQ(1000000, world_number(rows, 1, "pairs"));
	EXPECT(world_number(rows, 1, "bytes") < 10000);
	json_decref(rows);
	EXPECT_EQ(0, world_wicctl(&w, "pools"));
	EXPECT(strstr(w.answer, "generator") != NULL);
	world_end(&w);
	loaded_end(&l);
}

TEST_MAIN("cli_pools", RUN(cli_pools, are_told_with_what_they_are_of))
