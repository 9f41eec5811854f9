/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_model.h"

#define AREA_MAX 40u

struct item {
	uint32_t kind, at, len; /* at: of what is behind kind and length; len: of all */
};

struct items {
	struct item item[AREA_MAX];
	uint32_t count;
};

static uint32_t number(struct span s, uint32_t at, uint32_t bytes)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < bytes; i++)
		value = value << 8 | (uint32_t)span_at(s, at + i);
	return value;
}

static struct items list(struct span area)
{
	struct items items = {.count = 0};
	uint32_t at = 0;

	while (at < area.len && span_at(area, at) != 0) {
		uint32_t left = area.len - at;
		uint32_t len = left >= 2 ? (uint32_t)span_at(area, at + 1) : 0;

		if (span_at(area, at) == 1) {
			at++;
			continue;
		}
		if (left < 2 || len < 2 || len > left)
			return items;
		items.item[items.count++] = (struct item){(uint32_t)span_at(area, at), at + 2, len};
		at += len;
	}
	return items;
}

/** The first of a kind with one of the lengths from least to most, in steps. */
static const struct item *first(const struct items *items, uint32_t kind, uint32_t least,
				uint32_t most, uint32_t step)
{
	for (uint32_t i = 0; i < items->count; i++)
		for (uint32_t len = least; len <= most; len += step)
			if (items->item[i].kind == kind && items->item[i].len == len)
				return &items->item[i];
	return NULL;
}

static void of_syn(struct tcp_options *options, const struct items *items, struct span area)
{
	const struct item *mss = first(items, 2, 4, 4, 1), *scale = first(items, 3, 3, 3, 1);

	if (mss != NULL)
		options->mss = (uint16_t)number(area, mss->at, 2);
	options->has_scale = scale != NULL;
	if (scale != NULL)
		options->scale = (uint8_t)number(area, scale->at, 1);
	options->sack_permitted = first(items, 4, 2, 2, 1) != NULL;
}

static void of_others(struct tcp_options *options, const struct items *items, struct span area)
{
	const struct item *sack = first(items, 5, 10, 34, 8);

	if (sack == NULL)
		return;
	options->sacks = (uint8_t)((sack->len - 2) / 8);
	for (uint32_t i = 0; i < options->sacks; i++)
		options->sack[i] = (struct tcp_block){number(area, sack->at + 8 * i, 4),
						      number(area, sack->at + 8 * i + 4, 4)};
}

struct tcp_options tcp_model_options(struct span area, bool syn)
{
	struct tcp_options options = {0};
	struct items items = list(area);
	const struct item *stamps = first(&items, 8, 10, 10, 1);

	if (syn)
		of_syn(&options, &items, area);
	else
		of_others(&options, &items, area);
	options.has_timestamps = stamps != NULL;
	if (stamps != NULL) {
		options.ts_value = number(area, stamps->at, 4);
		options.ts_echo = number(area, stamps->at + 4, 4);
	}
	return options;
}

bool tcp_model_equal(const struct tcp_options *a, const struct tcp_options *b)
{
	bool same = a->mss == b->mss && a->has_scale == b->has_scale && a->scale == b->scale &&
		    a->sack_permitted == b->sack_permitted &&
		    a->has_timestamps == b->has_timestamps && a->ts_value == b->ts_value &&
		    a->ts_echo == b->ts_echo && a->sacks == b->sacks;

	for (uint32_t i = 0; same && i < a->sacks; i++)
		same = a->sack[i].start == b->sack[i].start && a->sack[i].end == b->sack[i].end;
	return same;
}

struct tcp_packet tcp_model_head(struct span segment)
{
	uint32_t head_len = number(segment, 12, 1) / 16 * 4;
	struct tcp_packet tcp = {
		.src_port = (uint16_t)number(segment, 0, 2),
		.dst_port = (uint16_t)number(segment, 2, 2),
		.seq = number(segment, 4, 4),
		.ack = number(segment, 8, 4),
		.flags = (uint8_t)number(segment, 13, 1),
		.window = (uint16_t)number(segment, 14, 2),
		.payload = span_from(segment, head_len),
	};

	tcp.options = tcp_model_options(span_cut(segment, TCP_LEN, head_len - TCP_LEN),
					(tcp.flags & 2) != 0);
	return tcp;
}

bool tcp_model_head_equal(const struct tcp_packet *a, const struct tcp_packet *b)
{
	return a->src_port == b->src_port && a->dst_port == b->dst_port && a->seq == b->seq &&
	       a->ack == b->ack && a->flags == b->flags && a->window == b->window &&
	       tcp_model_equal(&a->options, &b->options);
}
