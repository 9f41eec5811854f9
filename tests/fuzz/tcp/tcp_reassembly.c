/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "../../unit/tcp/receive_model.h"

/*
 * Reassembly of TCP against the map of the unit test: any segments, reading and ACKs. Input:
 * 4 bytes of the first sequence number, 1 of the buffer (2, 8, 32 or 64 KiB), then steps of 6,
 *
 *	what    0x03: 3 reads len bytes, else a segment  0x04 FIN  0x08 other bytes  0x20 small
 *	        0x40 from what is in order backwards  0x80 in order
 *	ack     0x07: an ACK with so many blocks, 0: none  0xc0: pressure from now on
 *	offset  2 bytes, from what is in order
 *	len     2 bytes
 */

#define STEPS_MAX 256 /* bounded time for an input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

struct step {
	uint8_t what, ack;
	uint16_t offset, len;
};

static bool step_read(struct span *in, struct step *step)
{
	return span_u8(in, &step->what) && span_u8(in, &step->ack) &&
	       span_u16_be(in, &step->offset) && span_u16_be(in, &step->len);
}

static void step_segment(struct receive_model *m, const struct step *step)
{
	struct model_segment s = {
		.offset = m->nxt + step->offset,
		.len = step->len % ((step->what & 0x20) != 0 ? 16 : 2048),
		.fin = (step->what & 0x04) != 0,
		.salt = (step->what & 0x08) != 0 ? 0x5a : 0,
	};

	if ((step->what & 0x40) != 0)
		s.offset = m->nxt - (step->offset < m->nxt ? step->offset : m->nxt);
	if ((step->what & 0x80) != 0)
		s.offset = m->nxt;
	must(receive_model_segment(m, &s));
}

static void step_run(struct receive_model *m, const struct step *step)
{
	uint32_t blocks = step->ack & 0x07;

	m->w->pressure = step->ack >> 6;
	if ((step->what & 0x03) == 3)
		must(receive_model_read(m, step->len));
	else
		step_segment(m, step);
	if (blocks > 0)
		must(receive_model_ack(m, blocks < TCP_SACKS_MAX ? blocks : TCP_SACKS_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t limits[] = {2048, 8192, 32768, 65536};
	struct span in = span_of(data, (uint32_t)size);
	struct receive_model *m;
	struct step step;
	uint32_t first;
	uint8_t limit;

	if (!span_u32_be(&in, &first) || !span_u8(&in, &limit))
		return 0;
	m = receive_model_new(first, limits[limit & 3]);
	for (uint32_t i = 0; i < STEPS_MAX && step_read(&in, &step); i++)
		step_run(m, &step);
	must(receive_model_free(m));
	return 0;
}
