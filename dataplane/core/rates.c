/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/core.h"

#include <stdlib.h>

/*
 * A bucket is one number (the "theoretical arrival time" of ITU-T I.371): each token moves it on by
 * the time that one takes to come back, and it may lie at most a burst of them ahead. Nothing needs
 * to be filled up, and a bucket of the past is a full one: forgetting it loses nothing.
 */

#define SECOND_NS 1000000000ull
#define WAYS 8u
#define KEYS_MAX (1u << 30)

struct rates_row {
	uint64_t key; /* 0: free */
	struct bucket bucket;
	uint32_t live;
};

struct rates {
	uint32_t mask; /* sets - 1 */
	uint32_t live;
	struct rates_row row[];
};

static uint64_t rate_token_ns(const struct rate_limit *rate)
{
	return SECOND_NS / rate->per_second;
}

/* How far ahead of now the bucket may lie for a token to be left in it. */
static uint64_t rate_ahead_ns(const struct rate_limit *rate)
{
	return rate_token_ns(rate) * (rate->burst > 0 ? rate->burst - 1 : 0);
}

/* How long until a token is there. */
static uint64_t bucket_wait_ns(const struct bucket *bucket, const struct rate_limit *rate,
			       uint64_t now_us)
{
	uint64_t open_ns = now_us * 1000 + rate_ahead_ns(rate);

	return bucket->full_ns > open_ns ? bucket->full_ns - open_ns : 0;
}

bool bucket_take(struct bucket *bucket, const struct rate_limit *rate, uint64_t now_us)
{
	uint64_t now_ns = now_us * 1000;

	if (rate->per_second == 0)
		return true;
	if (bucket_wait_ns(bucket, rate, now_us) > 0)
		return false;
	if (bucket->full_ns < now_ns)
		bucket->full_ns = now_ns;
	bucket->full_ns += rate_token_ns(rate);
	return true;
}

uint32_t bucket_wait_s(const struct bucket *bucket, const struct rate_limit *rate, uint64_t now_us)
{
	if (rate->per_second == 0)
		return 0;
	return (uint32_t)((bucket_wait_ns(bucket, rate, now_us) + SECOND_NS - 1) / SECOND_NS);
}

struct rates *rates_new(uint32_t keys)
{
	struct rates *rates;
	uint32_t sets = 1;

	if (keys > KEYS_MAX)
		return NULL;
	while (sets * WAYS < keys)
		sets *= 2;
	rates = calloc(1, sizeof(*rates) + (size_t)sets * WAYS * sizeof(rates->row[0]));
	if (rates != NULL)
		rates->mask = sets - 1;
	return rates;
}

void rates_free(struct rates *rates)
{
	free(rates);
}

uint32_t rates_live(const struct rates *rates)
{
	return rates->live;
}

/* Whose row goes first: free ones, then those nearest to full; never one that has something open.
 */
static uint64_t row_worth(const struct rates_row *row)
{
	if (row->live > 0)
		return UINT64_MAX;
	return row->key == 0 ? 0 : 1 + row->bucket.full_ns;
}

/* The row of key, made when it was not there. NULL: none is to be had. */
static struct rates_row *row_get(struct rates *rates, uint64_t key, uint64_t now_us, bool *forgot)
{
	struct rates_row *set = &rates->row[(size_t)((uint32_t)(key >> 32) & rates->mask) * WAYS];
	struct rates_row *worst = set;

	key = key != 0 ? key : 1;
	for (struct rates_row *row = set; row < set + WAYS; row++) {
		if (row->key == key)
			return row;
		if (row_worth(row) < row_worth(worst))
			worst = row;
	}
	if (worst->live > 0)
		return NULL;
	*forgot = worst->bucket.full_ns > now_us * 1000;
	*worst = (struct rates_row){.key = key};
	return worst;
}

struct rates_answer rates_take(struct rates *rates, uint64_t key, const struct rate_limit *rate,
			       uint64_t now_us)
{
	struct rates_answer answer = {.row = RATES_NONE};
	struct rates_row *row;

	if (rate->per_second == 0)
		return answer;
	row = row_get(rates, key, now_us, &answer.forgot);
	answer.unlimited = row == NULL;
	if (row == NULL || bucket_take(&row->bucket, rate, now_us))
		return answer;
	answer.err = GW_RATE;
	answer.wait_s = bucket_wait_s(&row->bucket, rate, now_us);
	return answer;
}

struct rates_answer rates_open(struct rates *rates, uint64_t key, const struct rate_limit *rate,
			       uint32_t most, uint64_t now_us)
{
	struct rates_answer answer = {.row = RATES_NONE};
	struct rates_row *row;

	row = row_get(rates, key, now_us, &answer.forgot);
	answer.unlimited = row == NULL;
	if (row == NULL)
		return answer;
	if (most > 0 && row->live >= most) {
		answer.err = GW_CONN_LIMIT;
		return answer;
	}
	if (!bucket_take(&row->bucket, rate, now_us)) {
		answer.err = GW_RATE;
		answer.wait_s = bucket_wait_s(&row->bucket, rate, now_us);
		return answer;
	}
	row->live++;
	rates->live++;
	answer.row = (uint32_t)(row - rates->row);
	return answer;
}

bool rates_close(struct rates *rates, uint32_t row)
{
	if (row == RATES_NONE)
		return true;
	if (row / WAYS > rates->mask || rates->row[row].live == 0)
		return false;
	rates->row[row].live--;
	rates->live--;
	return true;
}
