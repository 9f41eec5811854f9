/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

static bool within(int64_t value, const struct range *range)
{
	return value >= range->lo && value <= range->hi;
}

static const struct option *find(const struct segment *segment, enum option_kind kind, uint32_t nth)
{
	for (uint32_t i = 0; i < segment->options; i++)
		if (segment->option[i].kind == kind && nth-- == 0)
			return &segment->option[i];
	return NULL;
}

static const char *wrong_timestamps(const struct peer *peer, const struct segment *segment,
				    const struct tcp_options *got)
{
	const struct option *o = find(segment, OPTION_TIMESTAMPS, 0);

	if ((o != NULL) != got->has_timestamps)
		return "timestamps";
	if (o == NULL)
		return NULL;
	if (!within((int32_t)(got->ts_value - peer->ts_base), &o->value[0]))
		return "timestamp value";
	return within(got->ts_echo, &o->value[1]) ? NULL : "timestamp echo";
}

static const char *wrong_blocks(const struct peer *peer, const struct segment *segment,
				const struct tcp_options *got)
{
	const struct option *o;

	for (uint32_t i = 0; i < got->sacks; i++) {
		o = find(segment, OPTION_SACK, i);
		if (o == NULL || !within((int32_t)(got->sack[i].start - peer->irs), &o->value[0]) ||
		    !within((int32_t)(got->sack[i].end - peer->irs), &o->value[1]))
			return "SACK blocks";
	}
	return find(segment, OPTION_SACK, got->sacks) == NULL ? NULL : "SACK blocks";
}

/* Written options are compared all; without them, timestamps may be there, and nothing else. */
static const char *wrong_options(const struct peer *peer, const struct segment *segment,
				 const struct tcp_options *got)
{
	const struct option *mss = find(segment, OPTION_MSS, 0);
	const struct option *scale = find(segment, OPTION_SCALE, 0);
	const char *wrong = segment->has_options ? wrong_timestamps(peer, segment, got) : NULL;

	if (wrong != NULL)
		return wrong;
	if (mss != NULL ? !within(got->mss, &mss->value[0]) : got->mss != 0)
		return "MSS";
	if (scale != NULL ? !got->has_scale || !within(got->scale, &scale->value[0])
			  : got->has_scale)
		return "window scale";
	if ((find(segment, OPTION_SACK_PERMITTED, 0) != NULL) != got->sack_permitted)
		return "SACK permitted";
	return wrong_blocks(peer, segment, got);
}

static const char *wrong_payload(const struct segment *segment, struct span got)
{
	for (uint32_t i = 0; i < got.len; i++)
		if (got.at[i] != world_byte((uint32_t)(segment->seq - 1) + i))
			return "bytes of the payload";
	return NULL;
}

static const char *wrong(const struct peer *peer, const struct segment *want,
			 const struct tcp_packet *got)
{
	uint8_t care = want->push ? 0xff : (uint8_t)~TCP_PSH;
	const char *what;

	care &= (uint8_t) ~(want->maybe_ack ? TCP_ACK : 0);
	if ((got->flags & care) != (want->flags & care))
		return "flags";
	if (got->seq != peer->iss + (uint32_t)want->seq)
		return "sequence number";
	if (got->payload.len != want->len)
		return "length";
	if (want->has_ack && !want->any_ack && got->ack != peer->irs + (uint32_t)want->ack)
		return "acknowledgement";
	if (want->has_window && !within(got->window, &want->window))
		return "window";
	what = wrong_options(peer, want, &got->options);
	return what != NULL ? what : wrong_payload(want, got->payload);
}

const char *world_expect(struct world *world, struct peer *peer, const struct line *line)
{
	const struct sent *sent = &world->sent[0];
	const char *what;

	if (world->sent_count == 0)
		return "nothing was sent";
	what = sent->peer != peer ? "peer" : wrong(peer, &line->segment, &sent->segment);
	if (what != NULL)
		return what;
	world->sent_count--;
	memmove(&world->sent[0], &world->sent[1], world->sent_count * sizeof(world->sent[0]));
	for (uint32_t i = 0; i < world->sent_count; i++)
		world->sent[i].segment.payload.at = world->sent[i].payload;
	return NULL;
}
