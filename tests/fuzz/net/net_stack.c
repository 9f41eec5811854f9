/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_frame.h"
#include "stack_world.h"

/*
 * What hosts, time, users and a device do to the stacks of one to three workers. Input: one byte of
 * configuration, then steps, each a byte that says what (4 bits) and of which worker or queue (2
 * bits), and what that step needs:
 *
 *	frame    kind, host, detail, how it is spoiled: number of changes (2 bits), repaired (1),
 *	         cut (1), what the device says of the checksums (2 and 2); changes of 3 bytes
 *	raw      length, bytes
 *	time     a byte b: b * b * 100 us
 *	send     host, length / 16: a datagram; or a segment
 *	device   frames that it takes (255: all)
 *	ping     host
 *	capture  up to 3 instructions of 4 bytes; none: ends
 *
 * What must hold is in stack_judge.c.
 */

#define STEPS_MAX 600
#define CHANGES(flags) ((flags)&3)
#define REPAIRED 4
#define CUT 8

static uint8_t next(struct span *in)
{
	uint8_t byte = 0;

	if (!span_u8(in, &byte))
		byte = 0;
	return byte;
}

static void spoil(struct span *in, uint8_t flags, uint8_t *frame, uint32_t *len)
{
	for (int i = 0; i < CHANGES(flags) && *len > 0; i++) {
		uint32_t at = (uint32_t)next(in) << 8 | next(in);

		frame[at % *len] ^= next(in);
	}
	if ((flags & CUT) != 0)
		*len -= *len > 0 ? next(in) % *len : 0;
	if ((flags & REPAIRED) != 0 || CHANGES(flags) == 0)
		frame_repair(frame, *len);
}

static void step_frame(struct world *w, uint8_t which, struct span *in)
{
	uint8_t bytes[WORLD_FRAME], kind = next(in), host = next(in), detail = next(in);
	uint8_t flags = next(in);
	struct writer out;
	uint32_t len;

	writer_init(&out, bytes, sizeof(bytes));
	frame_make(w, kind, host, detail, &out);
	must(writer_ok(&out));
	len = writer_len(&out);
	spoil(in, flags, bytes, &len);
	if (len > 0)
		world_feed(w, which, span_of(bytes, len), status_of(flags, 4), status_of(flags, 6));
}

static void step_raw(struct world *w, uint8_t which, struct span *in)
{
	struct span bytes = span_cut(*in, 1, next(in));

	*in = span_from(*in, bytes.len);
	world_feed(w, which, bytes, PACKET_CHECKSUM_UNKNOWN, PACKET_CHECKSUM_UNKNOWN);
}

static void step_all(struct world *w)
{
	for (uint16_t i = 0; i < w->config.workers; i++)
		world_work(w, i);
	w->clock.now_us += 1000;
}

static void step_sleep(struct world *w, uint16_t worker)
{
	struct stack *stack = w->worker[worker].stack;
	uint64_t until = stack_sleep_begin(stack);

	must(until == 0 || stack_idle(stack));
	must(stack_idle(stack) || until == 0);
	stack_sleep_end(stack);
	if (until > w->clock.now_us && until - w->clock.now_us < 60000000)
		w->clock.now_us = until;
}

static void step_ping(struct world *w, uint8_t host)
{
	struct ip_address a =
		world_address((enum world_host)(host % WORLD_HOSTS), (host & 0x80) != 0);
	struct endpoint peer = ip_address_endpoint(&a, 0);

	if (stack_ping(w->worker[0].stack, &peer, host) == GW_OK)
		w->sent_by_script += 4; /* and the questions for its hop */
}

static void step_capture(struct world *w, uint16_t worker, struct span *in)
{
	struct capture_filter filter = {.count = next(in) & 3, .snap = 64};
	enum gw_err err;

	for (uint32_t i = 0; i < filter.count; i++) {
		filter.insn[i].code = (uint16_t)(next(in) | (next(in) & 1) << 8);
		filter.insn[i].jt = filter.insn[i].jf = next(in) & 3;
		filter.insn[i].k = next(in) - 4u;
	}
	err = stack_capture(w->worker[worker].stack, filter.count > 0 ? &filter : NULL);
	must(err == GW_OK || err == GW_CONFIG);
}

static void step(struct world *w, uint8_t what, struct span *in)
{
	uint8_t which = what >> 4 & 3, a;
	uint16_t worker = which % w->config.workers;

	switch (what & 15) {
	default:
		step_frame(w, which, in);
		return;
	case 6:
		step_all(w);
		return;
	case 7:
		world_work(w, worker);
		return;
	case 8:
		a = next(in);
		w->clock.now_us += (uint64_t)a * a * 100;
		return;
	case 9:
		a = next(in);
		world_send(w, worker, (enum world_host)(a % WORLD_HOSTS), (a & 0x80) != 0,
			   next(in) * 16u);
		return;
	case 10:
		a = next(in);
		world_takes(w, a == 255 ? UINT32_MAX : a);
		return;
	case 11:
		step_sleep(w, worker);
		return;
	case 12:
		step_ping(w, next(in));
		return;
	case 13:
		step_capture(w, worker, in);
		return;
	case 14:
		step_raw(w, which, in);
		return;
	case 15:
		a = next(in);
		world_tcp_send(w, worker, (enum world_host)(a % WORLD_HOSTS), (a & 0x80) != 0,
			       next(in) * 8u);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct world_config config;
	struct world *w;
	uint8_t first;

	if (!span_u8(&in, &first))
		return 0;
	config.workers = (uint16_t)(1 + (first & 3) % WORLD_WORKERS);
	config.queues = (uint16_t)(1 + (first >> 2 & 3) % config.workers);
	config.vlan = (first & 0x10) != 0 ? 100 : 0;
	config.offload = (first & 0x20) != 0;
	config.interrupts = (first & 0x40) != 0;
	config.tcp = (first & 0x80) != 0;
	w = world_new(&config);
	for (int i = 0; in.len > 0 && i < STEPS_MAX; i++) {
		step(w, next(&in), &in);
		world_check(w);
	}
	world_free(w);
	return 0;
}
