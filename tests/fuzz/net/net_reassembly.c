/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "../../unit/net/reassembly_model.h"

/*
 * Fragments and time, against the byte-by-byte model. Input: steps of 6 bytes,
 *
 *	what    0x01 more  0x02 IPv6  0x04 other protocol  0x08 other bytes  0x70 time  0x80 stretch
 *	id      2 bits of it
 *	offset  2 bytes: in units of 8, cut to 13 bits; the top bit adds 4 bytes
 *	length  2 bytes
 *
 * Bytes are a function of where they lie in the datagram, so that repetitions can be exact.
 */

#define DATAGRAMS 3
#define STEPS_MAX 512 /* bounded time for an input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

struct step {
	uint8_t what, id;
	uint16_t offset, len;
};

static bool step_read(struct span *in, struct step *step)
{
	return span_u8(in, &step->what) && span_u8(in, &step->id) &&
	       span_u16_be(in, &step->offset) && span_u16_be(in, &step->len);
}

/* A heap block of the fragment's exact size. */
static uint8_t *payload_new(const struct step *step, uint32_t offset, uint32_t len)
{
	uint8_t *payload = malloc(len > 0 ? len : 1);
	uint8_t salt = (step->what & 0x08) != 0 ? 0x5a : 0;

	must(payload != NULL);
	for (uint32_t i = 0; i < len; i++)
		payload[i] = (uint8_t)(((offset + i) * 167 >> 3) ^ salt);
	return payload;
}

static void step_run(struct reassembly_pair *pair, const struct step *step, uint64_t now_us)
{
	uint32_t len = (step->what & 0x80) != 0 ? step->len : step->len % 64;
	struct ip_packet f = {
		.v6 = (step->what & 0x02) != 0,
		.protocol = (step->what & 0x04) != 0 ? 6 : 17,
		.hop_limit = step->what,
		.fragment = true,
		.more = (step->what & 0x01) != 0,
		.offset = (uint16_t)((step->offset & 0x1fff) * 8u + (step->offset >> 15) * 4u),
		.id = step->id & 3,
	};
	uint8_t *payload = payload_new(step, f.offset, len);

	f.payload = span_of(payload, len);
	must(reassembly_pair_add(pair, &f, now_us).agree);
	free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reassembly_pair *pair; /* empty again after each input */
	struct span in = span_of(data, (uint32_t)size);
	uint64_t now_us = 1;
	struct step step;

	if (pair == NULL)
		pair = reassembly_pair_new(DATAGRAMS);
	for (uint32_t i = 0; i < STEPS_MAX && step_read(&in, &step); i++) {
		uint64_t pause = (step.what & 0x70) >> 4;

		now_us += pause * pause * 50000;
		if (pause % 2 == 0) /* else it is late with that */
			must(reassembly_pair_expire(pair, now_us));
		step_run(pair, &step, now_us);
	}
	must(reassembly_pair_expire(pair, now_us + REASSEMBLY_US));
	return 0;
}
