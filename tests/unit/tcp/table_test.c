/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "tcp/tcb.h"

#define KEYS 256u /* ends that there are */
#define OBJECTS 100u

struct object {
	uint32_t other;
	struct tcp_ends ends;
	uint32_t behind;
};

/* What the table should say, and how. */
struct model {
	struct tcp_table *table;
	struct object object[OBJECTS];
	bool used[OBJECTS];
	uint32_t capacity;
	uint32_t count;
	uint32_t at[KEYS]; /* the object with these ends, or TCP_TABLE_NONE */
	uint64_t random;
};

static struct tcp_ends ends_of(uint32_t key)
{
	struct tcp_ends ends = {.local_port = 443, .remote_port = (uint16_t)(1000 + key)};

	ends.local.bytes[15] = 1;
	ends.remote.bytes[14] = (uint8_t)(key / 3);
	return ends;
}

static uint32_t model_random(struct model *model, uint32_t below)
{
	model->random = model->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(model->random >> 33) % below;
}

static void model_open(struct model *model, uint32_t capacity, uint64_t seed)
{
	struct tcp_table_config config = {.capacity = capacity,
					  .base = model->object,
					  .stride = sizeof(model->object[0]),
					  .offset = offsetof(struct object, ends)};

	memset(model, 0, sizeof(*model));
	memcpy(config.key, &seed, sizeof(seed));
	model->capacity = capacity;
	model->random = seed;
	for (uint32_t key = 0; key < KEYS; key++)
		model->at[key] = TCP_TABLE_NONE;
	model->table = tcp_table_new(&config);
	EXPECT(model->table != NULL);
}

static void model_add(struct model *model, uint32_t key)
{
	uint32_t index = model_random(model, model->capacity);

	if (model->at[key] != TCP_TABLE_NONE || model->used[index])
		return;
	model->object[index].ends = ends_of(key);
	EXPECT(tcp_table_add(model->table, index));
	model->at[key] = index;
	model->used[index] = true;
	model->count++;
}

static void model_remove(struct model *model, uint32_t key)
{
	uint32_t index = model->at[key];

	if (index == TCP_TABLE_NONE)
		return;
	EXPECT(tcp_table_remove(model->table, index));
	EXPECT(!tcp_table_remove(model->table, index));
	model->at[key] = TCP_TABLE_NONE;
	model->used[index] = false;
	model->count--;
}

static void model_check(const struct model *model, uint32_t key)
{
	struct tcp_ends ends = ends_of(key);

	EXPECT_EQ(model->at[key], tcp_table_find(model->table, &ends));
	EXPECT_EQ(model->count, tcp_table_count(model->table));
}

static void model_play(uint32_t capacity, uint64_t seed, uint32_t ops)
{
	struct model model;

	model_open(&model, capacity, seed);
	for (uint32_t i = 0; i < ops; i++) {
		uint32_t key = model_random(&model, KEYS);

		if (model_random(&model, 2) == 0)
			model_add(&model, key);
		else
			model_remove(&model, key);
		model_check(&model, model_random(&model, KEYS));
		if (i % 512 == 0)
			for (key = 0; key < KEYS; key++)
				model_check(&model, key);
	}
	tcp_table_free(model.table);
}

TEST(table, says_what_a_model_says_in_a_million_operations)
{
	model_play(OBJECTS, 1, 1000000);
}

/* Of 2 to 16 slots a run of neighbours goes round the end most of the time. */
TEST(table, says_what_a_model_says_where_entries_go_round_its_end)
{
	for (uint64_t seed = 1; seed <= 50; seed++)
		for (uint32_t capacity = 1; capacity <= 8; capacity++)
			model_play(capacity, seed, 1000);
}

TEST(table, is_full_when_it_holds_its_capacity)
{
	struct model model;

	model_open(&model, 2, 7);
	for (uint32_t i = 0; i < 3; i++)
		model.object[i].ends = ends_of(i);
	EXPECT(tcp_table_add(model.table, 0));
	EXPECT(tcp_table_add(model.table, 1));
	EXPECT(!tcp_table_add(model.table, 2));
	EXPECT_EQ(2, tcp_table_count(model.table));
	EXPECT(tcp_table_remove(model.table, 0));
	EXPECT(tcp_table_add(model.table, 2));
	EXPECT_EQ(2, tcp_table_find(model.table, &model.object[2].ends));
	tcp_table_free(model.table);
}

TEST(table, tells_every_byte_of_the_ends_apart)
{
	struct model model;

	model_open(&model, 2, 7);
	model.object[0].ends = ends_of(5);
	EXPECT(tcp_table_add(model.table, 0));
	for (uint32_t i = 0; i < sizeof(struct tcp_ends); i++) {
		struct tcp_ends other = ends_of(5);

		((uint8_t *)&other)[i] ^= 1;
		EXPECT_EQ(TCP_TABLE_NONE, tcp_table_find(model.table, &other));
	}
	tcp_table_free(model.table);
}

TEST(table, is_not_made_for_nothing_and_not_for_too_much)
{
	struct tcp_table_config config = {.capacity = 0};

	EXPECT(tcp_table_new(&config) == NULL);
	config.capacity = UINT32_MAX;
	EXPECT(tcp_table_new(&config) == NULL);
	tcp_table_free(NULL);
}

TEST_MAIN("table", RUN(table, says_what_a_model_says_in_a_million_operations),
	  RUN(table, says_what_a_model_says_where_entries_go_round_its_end),
	  RUN(table, is_full_when_it_holds_its_capacity),
	  RUN(table, tells_every_byte_of_the_ends_apart),
	  RUN(table, is_not_made_for_nothing_and_not_for_too_much))
