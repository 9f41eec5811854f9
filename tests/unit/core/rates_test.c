/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/core.h"
#include "test.h"

#include <stdlib.h>

#define SECOND 1000000ull

static const struct rate_limit ten = {.per_second = 10, .burst = 3};

/* ---- one bucket ------------------------------------------------------------------------------ */

static uint32_t taken(struct bucket *bucket, const struct rate_limit *rate, uint64_t now_us)
{
	uint32_t n = 0;

	while (n < 1000 && bucket_take(bucket, rate, now_us))
		n++;
	return n;
}

TEST(bucket, gives_a_burst_at_once_when_it_is_new)
{
	struct bucket b = {0};

	EXPECT_EQ(3, taken(&b, &ten, 5 * SECOND));
}

TEST(bucket, gives_a_token_again_when_its_time_has_come_and_not_before)
{
	struct bucket b = {0};

	EXPECT_EQ(3, taken(&b, &ten, SECOND));
	EXPECT(!bucket_take(&b, &ten, SECOND + 99999));
	EXPECT(bucket_take(&b, &ten, SECOND + 100000));
	EXPECT(!bucket_take(&b, &ten, SECOND + 100000));
}

TEST(bucket, is_not_fuller_than_full_after_a_long_time)
{
	struct bucket b = {0};

	EXPECT_EQ(3, taken(&b, &ten, SECOND));
	EXPECT_EQ(3, taken(&b, &ten, 1000000 * SECOND));
}

TEST(bucket, gives_everything_when_there_is_no_limit)
{
	const struct rate_limit none = {0};
	struct bucket b = {0};

	EXPECT_EQ(1000, taken(&b, &none, SECOND));
	EXPECT_EQ(0, b.full_ns);
	EXPECT_EQ(0, bucket_wait_s(&b, &none, SECOND));
}

TEST(bucket, takes_a_burst_of_nothing_for_one)
{
	const struct rate_limit one = {.per_second = 1, .burst = 0};
	struct bucket b = {0};

	EXPECT_EQ(1, taken(&b, &one, SECOND));
}

TEST(bucket, says_how_many_seconds_to_wait_rounded_up)
{
	const struct rate_limit slow = {.per_second = 1, .burst = 1};
	struct bucket b = {0};

	EXPECT_EQ(0, bucket_wait_s(&b, &slow, SECOND));
	EXPECT(bucket_take(&b, &slow, SECOND));
	EXPECT_EQ(1, bucket_wait_s(&b, &slow, SECOND));
	EXPECT_EQ(1, bucket_wait_s(&b, &slow, 2 * SECOND - 1));
	EXPECT_EQ(0, bucket_wait_s(&b, &slow, 2 * SECOND));
}

TEST(bucket, says_how_long_to_wait_when_a_reload_made_it_slower)
{
	const struct rate_limit fast = {.per_second = 100, .burst = 400};
	const struct rate_limit slow = {.per_second = 1, .burst = 1};
	struct bucket b = {0};

	EXPECT_EQ(400, taken(&b, &fast, SECOND)); /* full again in 4 s */
	EXPECT_EQ(4, bucket_wait_s(&b, &slow, SECOND));
	EXPECT(bucket_take(&b, &slow, 5 * SECOND));
}

TEST(bucket, keeps_the_highest_rate)
{
	const struct rate_limit fast = {.per_second = 1000000, .burst = 2000000};
	struct bucket b = {0};
	uint32_t n = 0;

	while (bucket_take(&b, &fast, SECOND))
		n++;
	EXPECT_EQ(2000000, n);
}

/* ---- a table of them ------------------------------------------------------------------------- */

static uint32_t taken_of(struct rates *rates, uint64_t key, uint64_t now_us)
{
	uint32_t n = 0;

	while (n < 1000 && rates_take(rates, key, &ten, now_us).err == GW_OK)
		n++;
	return n;
}

TEST(rates, keeps_keys_apart)
{
	struct rates *r = rates_new(64);

	EXPECT_EQ(3, taken_of(r, 1, SECOND));
	EXPECT_EQ(3, taken_of(r, 2, SECOND));
	EXPECT_EQ(GW_RATE, rates_take(r, 1, &ten, SECOND).err);
	EXPECT_EQ(1, rates_take(r, 1, &ten, SECOND).wait_s);
	rates_free(r);
}

TEST(rates, takes_a_key_of_zero_for_a_key)
{
	struct rates *r = rates_new(8);

	EXPECT_EQ(3, taken_of(r, 0, SECOND));
	EXPECT_EQ(GW_RATE, rates_take(r, 0, &ten, SECOND).err);
	rates_free(r);
}

TEST(rates, remembers_nobody_where_there_is_no_limit)
{
	const struct rate_limit none = {0};
	struct rates *r = rates_new(8);
	struct rates_answer a;

	for (uint64_t key = 1; key < 100; key++) {
		a = rates_take(r, key, &none, SECOND);
		EXPECT_EQ(GW_OK, a.err);
		EXPECT(!a.forgot && !a.unlimited);
	}
	rates_free(r);
}

TEST(rates, forgets_a_full_bucket_first_and_tells_when_it_was_not)
{
	struct rates *r = rates_new(8); /* one set */
	struct rates_answer a;

	for (uint64_t key = 1; key <= 8; key++)
		EXPECT_EQ(3, taken_of(r, key, SECOND * key / 10));
	/* the first four are full again at 1.2 s or before */
	a = rates_take(r, 100, &ten, SECOND * 12 / 10);
	EXPECT_EQ(GW_OK, a.err);
	EXPECT(!a.forgot);
	EXPECT_EQ(GW_RATE, rates_take(r, 8, &ten, SECOND * 8 / 10).err);
	rates_free(r);

	r = rates_new(8);
	for (uint64_t key = 1; key <= 8; key++)
		EXPECT_EQ(3, taken_of(r, key, SECOND + key));
	EXPECT(rates_take(r, 100, &ten, SECOND + 10).forgot);
	EXPECT_EQ(3, taken_of(r, 1, SECOND + 10)); /* the one nearest to full: it starts anew */
	rates_free(r);
}

TEST(rates, opens_so_many_and_no_more_until_one_is_closed)
{
	const struct rate_limit none = {0};
	struct rates *r = rates_new(8);
	struct rates_answer a = rates_open(r, 5, &none, 2, SECOND);
	struct rates_answer b = rates_open(r, 5, &none, 2, SECOND);

	EXPECT_EQ(GW_OK, a.err);
	EXPECT_EQ(GW_OK, b.err);
	EXPECT_EQ(GW_CONN_LIMIT, rates_open(r, 5, &none, 2, SECOND).err);
	EXPECT_EQ(GW_OK, rates_open(r, 6, &none, 2, SECOND).err);
	EXPECT_EQ(3, rates_live(r));
	EXPECT(rates_close(r, a.row));
	EXPECT_EQ(GW_OK, rates_open(r, 5, &none, 2, SECOND).err);
	rates_free(r);
}

TEST(rates, opens_any_number_where_there_is_no_limit)
{
	const struct rate_limit none = {0};
	struct rates *r = rates_new(8);

	for (uint32_t i = 0; i < 5000; i++)
		EXPECT_EQ(GW_OK, rates_open(r, 5, &none, 0, SECOND).err);
	EXPECT_EQ(5000, rates_live(r));
	rates_free(r);
}

TEST(rates, keeps_the_token_of_who_has_too_many_open)
{
	const struct rate_limit slow = {.per_second = 1, .burst = 2};
	struct rates *r = rates_new(8);
	struct rates_answer a = rates_open(r, 5, &slow, 1, SECOND);

	EXPECT_EQ(GW_OK, a.err);
	EXPECT_EQ(GW_CONN_LIMIT, rates_open(r, 5, &slow, 1, SECOND).err);
	EXPECT(rates_close(r, a.row));
	EXPECT_EQ(GW_OK, rates_open(r, 5, &slow, 1, SECOND).err);
	rates_free(r);
}

TEST(rates, opens_nothing_for_who_has_no_token)
{
	const struct rate_limit slow = {.per_second = 1, .burst = 1};
	struct rates *r = rates_new(8);
	struct rates_answer a = rates_open(r, 5, &slow, 9, SECOND);
	struct rates_answer b = rates_open(r, 5, &slow, 9, SECOND);

	EXPECT_EQ(GW_OK, a.err);
	EXPECT_EQ(GW_RATE, b.err);
	EXPECT_EQ(1, b.wait_s);
	EXPECT_EQ(RATES_NONE, b.row);
	EXPECT_EQ(1, rates_live(r));
	rates_free(r);
}

TEST(rates, never_forgets_who_has_something_open)
{
	struct rates *r = rates_new(8);
	uint32_t row[8];
	struct rates_answer a;

	for (uint64_t key = 1; key <= 8; key++)
		row[key - 1] = rates_open(r, key, &ten, 1, SECOND).row;
	a = rates_open(r, 100, &ten, 1, SECOND);
	EXPECT_EQ(GW_OK, a.err); /* not counted, and not refused for what others do */
	EXPECT_EQ(RATES_NONE, a.row);
	EXPECT(a.unlimited);
	EXPECT(rates_take(r, 100, &ten, SECOND).unlimited);
	for (uint64_t key = 1; key <= 8; key++)
		EXPECT_EQ(GW_CONN_LIMIT, rates_open(r, key, &ten, 1, SECOND).err);
	EXPECT(rates_close(r, row[3]));
	EXPECT(!rates_open(r, 100, &ten, 1, SECOND).unlimited);
	rates_free(r);
}

TEST(rates, refuses_to_close_what_is_not_open)
{
	struct rates *r = rates_new(8);
	struct rates_answer a = rates_open(r, 5, &ten, 1, SECOND);

	EXPECT(rates_close(r, RATES_NONE));
	EXPECT(rates_close(r, a.row));
	EXPECT(!rates_close(r, a.row));
	EXPECT(!rates_close(r, 8));
	EXPECT(!rates_close(r, RATES_NONE - 1));
	EXPECT_EQ(0, rates_live(r));
	rates_free(r);
}

TEST(rates, refuses_more_keys_than_rows_have_numbers)
{
	EXPECT(rates_new(UINT32_MAX) == NULL);
	rates_free(NULL);
}

/* ---- against a model ------------------------------------------------------------------------- */

#define MODEL_KEYS 40u
#define MODEL_STEPS 200000u

/* Counts tokens as a bucket does that is filled up all the time, in nanoseconds of tokens. */
struct model {
	int64_t level_ns; /* below 0: it was given more than it had */
	uint64_t seen_us;
	uint32_t live;
	uint32_t row;
};

static int64_t model_token(const struct rate_limit *rate)
{
	return 1000000000 / rate->per_second;
}

static bool model_has(struct model *m, const struct rate_limit *rate, uint64_t now_us)
{
	int64_t full = model_token(rate) * rate->burst;

	m->level_ns += (int64_t)(now_us - m->seen_us) * 1000;
	m->level_ns = m->level_ns < full ? m->level_ns : full;
	m->seen_us = now_us;
	return m->level_ns >= model_token(rate);
}

static enum gw_err model_take(struct model *m, const struct rate_limit *rate, uint64_t now_us)
{
	if (!model_has(m, rate, now_us))
		return GW_RATE;
	m->level_ns -= model_token(rate);
	return GW_OK;
}

static enum gw_err model_open(struct model *m, const struct rate_limit *rate, uint64_t now_us)
{
	enum gw_err err = m->live >= 3 ? GW_CONN_LIMIT : model_take(m, rate, now_us);

	m->live += err == GW_OK;
	return err;
}

static uint64_t word(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 20;
}

static uint64_t key_of(uint32_t k)
{
	return (k + 1) * 0x9e3779b97f4a7c15ull;
}

/* One random thing that happens to one key; what table and model say is the same. */
static void model_step(struct rates *r, struct model *m, uint64_t key, uint64_t now_us,
		       uint64_t what)
{
	const struct rate_limit rate = {.per_second = 7, .burst = 5};
	struct rates_answer a;

	if (what == 0) {
		EXPECT_EQ(model_take(m, &rate, now_us), rates_take(r, key, &rate, now_us).err);
	} else if (what == 1) {
		a = rates_open(r, key, &rate, 3, now_us);
		EXPECT_EQ(model_open(m, &rate, now_us), a.err);
		m->row = a.err == GW_OK ? a.row : m->row;
	} else if (m->live > 0) {
		EXPECT(rates_close(r, m->row));
		m->live--;
	}
}

TEST(rates, agrees_with_a_model_of_many_keys_while_they_fit)
{
	struct rates *r = rates_new(4096); /* so wide that no set is full */
	struct model model[MODEL_KEYS] = {0};
	uint64_t now_us = SECOND, seed = 1;
	uint32_t live = 0;

	for (uint32_t k = 0; k < MODEL_KEYS; k++)
		model[k].level_ns = INT64_MAX / 4;
	for (uint32_t i = 0; i < MODEL_STEPS; i++) {
		uint32_t k = (uint32_t)(word(&seed) % MODEL_KEYS);

		live -= model[k].live;
		now_us += word(&seed) % 5000;
		model_step(r, &model[k], key_of(k), now_us, word(&seed) % 3);
		live += model[k].live;
		EXPECT_EQ(live, rates_live(r));
	}
	rates_free(r);
}

TEST(rates, refuses_nobody_whom_a_table_without_bounds_would_not_refuse)
{
	const struct rate_limit rate = {.per_second = 7, .burst = 5};
	struct rates *r = rates_new(16); /* far too few */
	struct model model[MODEL_KEYS] = {0};
	uint64_t now_us = SECOND, seed = 7;
	uint32_t refused = 0, forgot = 0;

	for (uint32_t k = 0; k < MODEL_KEYS; k++)
		model[k].level_ns = INT64_MAX / 4;
	for (uint32_t i = 0; i < MODEL_STEPS; i++) {
		struct model *m = &model[word(&seed) % MODEL_KEYS];
		struct rates_answer a;
		bool had;

		now_us += word(&seed) % 1000;
		had = model_has(m, &rate, now_us);
		a = rates_take(r, key_of((uint32_t)(m - model)), &rate, now_us);
		EXPECT(a.err == GW_OK || !had);
		m->level_ns -= a.err == GW_OK ? model_token(&rate) : 0;
		forgot += a.forgot;
		refused += a.err == GW_RATE;
	}
	EXPECT(refused > 0);
	EXPECT(forgot > 0);
	rates_free(r);
}

TEST_MAIN("rates", RUN(bucket, gives_a_burst_at_once_when_it_is_new),
	  RUN(bucket, gives_a_token_again_when_its_time_has_come_and_not_before),
	  RUN(bucket, is_not_fuller_than_full_after_a_long_time),
	  RUN(bucket, gives_everything_when_there_is_no_limit),
	  RUN(bucket, takes_a_burst_of_nothing_for_one),
	  RUN(bucket, says_how_many_seconds_to_wait_rounded_up),
	  RUN(bucket, says_how_long_to_wait_when_a_reload_made_it_slower),
	  RUN(bucket, keeps_the_highest_rate), RUN(rates, keeps_keys_apart),
	  RUN(rates, takes_a_key_of_zero_for_a_key),
	  RUN(rates, remembers_nobody_where_there_is_no_limit),
	  RUN(rates, forgets_a_full_bucket_first_and_tells_when_it_was_not),
	  RUN(rates, opens_so_many_and_no_more_until_one_is_closed),
	  RUN(rates, opens_any_number_where_there_is_no_limit),
	  RUN(rates, keeps_the_token_of_who_has_too_many_open),
	  RUN(rates, opens_nothing_for_who_has_no_token),
	  RUN(rates, never_forgets_who_has_something_open),
	  RUN(rates, refuses_to_close_what_is_not_open),
	  RUN(rates, refuses_more_keys_than_rows_have_numbers),
	  RUN(rates, agrees_with_a_model_of_many_keys_while_they_fit),
	  RUN(rates, refuses_nobody_whom_a_table_without_bounds_would_not_refuse))
