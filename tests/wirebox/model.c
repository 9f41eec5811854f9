/* SPDX-License-Identifier: BSD-3-Clause */
#include "model.h"

/** SplitMix64: nothing secret comes from here. */
static uint64_t dice(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool happens(uint64_t *state, uint64_t chance)
{
	return dice(state) >> 32 < chance;
}

/** A number from min to max. */
static uint64_t between(uint64_t *state, uint64_t min, uint64_t max)
{
	return min + (dice(state) >> 32) * (max - min + 1) / MODEL_CERTAIN;
}

void model_init(struct model *m, const struct model_config *config, uint64_t seed,
		uint32_t direction)
{
	uint64_t state = seed;

	for (uint32_t i = 0; i < direction; i++)
		(void)dice(&state);
	*m = (struct model){.config = config, .seed = dice(&state)};
}

static bool is_to_drop(const struct model_config *config, uint64_t number)
{
	for (uint32_t i = 0; i < MODEL_DROPS_MAX; i++)
		if (config->drops[i] == number)
			return true;
	return false;
}

/** Bytes that wait for the rate at now_us. */
static uint64_t backlog(const struct model *m, uint64_t now_us)
{
	return m->free_us > now_us ? (m->free_us - now_us) * m->config->rate_kbits / 8000 : 0;
}

static enum model_fate fate(const struct model *m, uint32_t len, uint32_t packet_len,
			    uint64_t now_us)
{
	const struct model_config *config = m->config;

	if (is_to_drop(config, m->frames))
		return MODEL_DROPPED;
	if (config->mtu > 0 && packet_len > config->mtu)
		return MODEL_TOO_BIG;
	if (config->rate_kbits > 0 && config->queue_bytes > 0 &&
	    backlog(m, now_us) + len > config->queue_bytes)
		return MODEL_QUEUE_FULL;
	return MODEL_PASSED;
}

/** When the last bit of len bytes has left, after all that waits before it. */
static uint64_t sent_us(struct model *m, uint32_t len, uint64_t now_us)
{
	if (m->config->rate_kbits == 0)
		return now_us;
	if (m->free_us < now_us)
		m->free_us = now_us;
	m->free_us += (uint64_t)len * 8000 / m->config->rate_kbits;
	return m->free_us;
}

struct model_verdict model_frame(struct model *m, uint32_t len, uint32_t packet_len,
				 uint64_t now_us)
{
	const struct model_config *config = m->config;
	struct model_verdict v = {0};
	uint64_t state, delay_us;
	bool lost;

	/* every die is cast for every frame: switching one thing on changes nothing else */
	state = m->seed + ++m->frames * 0xd1342543de82ef95u;
	lost = happens(&state, config->loss);
	v.twice = happens(&state, config->duplicate);
	v.reordered = happens(&state, config->reorder);
	v.corrupted = happens(&state, config->corrupt);
	v.bit = dice(&state);
	delay_us = between(&state, config->delay_min_us, config->delay_max_us);

	v.fate = lost ? MODEL_LOST : fate(m, len, packet_len, now_us);
	if (v.fate != MODEL_PASSED)
		return v;
	v.due_us = sent_us(m, len, now_us) + delay_us;
	if (v.reordered) {
		v.due_us += config->delay_max_us + MODEL_OVERTAKEN_US;
		return v;
	}
	if (v.due_us < m->last_us)
		v.due_us = m->last_us;
	m->last_us = v.due_us;
	return v;
}
