/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "../../unit/tcp/recovery_bench.h"

/*
 * A sender under ACKs and time of any kind. Input: a byte of flags (1 SACK, 2 timestamps, 4 a mean
 * path at the start), then steps of a byte and what it needs:
 *
 *	0 write   1 byte: records, 1 byte: length in units of 8
 *	1 output
 *	2 ACK     1 byte: how many SACK blocks, echo, window; 2 bytes: new bytes acknowledged, 2 for
 *	          each edge of a block, from snd_una
 *	3 wait    2 bytes: units of 100 us
 *	4 link    the link is full, or is not any more
 *	5 path    2 bytes: MTU
 *	6 old     an ACK of before, 1 byte: how much; a block, 4 bytes
 *	7 garbage an ACK with a block of any 8 bytes
 *
 * The oracle: bench_sound() after each step, a map of all bytes that a block has ever told, bounded
 * work, windows within their bounds, and no more in flight than was allowed.
 */

#define STEPS_MAX 400 /* bounded time for an input */
#define MAP_BYTES (1u << 18)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct judge {
	struct bench *b;
	struct span in;
	uint8_t *told; /* by position */
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t next_u8(struct judge *j)
{
	uint8_t v = 0;

	(void)span_u8(&j->in, &v);
	return v;
}

static uint16_t next_u16(struct judge *j)
{
	uint16_t v = 0;

	(void)span_u16_be(&j->in, &v);
	return v;
}

/* What a block may mean at most. */
static void judge_note(struct judge *j, const struct told *told)
{
	for (uint32_t i = 0; i < told->sacks; i++) {
		uint32_t start = told->sack[i].start, end = told->sack[i].end;

		if (start < end && end <= MAP_BYTES)
			memset(j->told + start, 1, end - start);
	}
}

static void judge_look(struct judge *j)
{
	const struct tcb *tcb = &j->b->tcb;
	const struct send_record *r;

	must(bench_sound(j->b));
	must(tcb->cwnd <= CWND_MAX + 2u * MSS + (tcb->snd_nxt - tcb->snd_una));
	must(tcb->ssthresh >= 2u * tcb->mss);
	must(tcb->mss >= TCP_MSS_FLOOR);
	must(tcb->rec.phase != PHASE_OPEN || tcb->snd_una != tcb->snd_nxt || tcb->pipe == 0);
	must(tcb->rec.phase == PHASE_OPEN || seq_before(tcb->snd_una, tcb->rec.recover));
	for (struct rte_mbuf *m = tcb->send_first; m != NULL; m = r->next) {
		r = send_record(m);
		if ((r->flags & SEND_SACKED) != 0)
			for (uint32_t i = 0; i < r->len; i++)
				must(j->told[r->seq - j->b->first + i] != 0);
	}
}

static uint32_t judge_ended(const struct judge *j)
{
	return j->b->traced[TCP_EVENT_RECOVERED] + j->b->traced[TCP_EVENT_UNDO];
}

static void judge_tell(struct judge *j, const struct told *told)
{
	uint32_t ssthresh = j->b->tcb.ssthresh, ended = judge_ended(j);
	bool open = j->b->tcb.rec.phase == PHASE_OPEN;

	judge_note(j, told);
	bench_told(j->b, told);
	must(j->b->tcp.work <= 4096);
	must(open || judge_ended(j) != ended || j->b->tcb.ssthresh == ssthresh); /* one cut */
}

static uint32_t judge_una(const struct judge *j)
{
	return j->b->tcb.snd_una - j->b->first;
}

static void step_write(struct judge *j)
{
	uint32_t n = next_u8(j) % 16, len = 1 + next_u8(j) * 8u;
	struct tcb *tcb = &j->b->tcb;

	if (len > MSS)
		len = MSS;
	while (n-- > 0 && tcb->send_packets < 200 &&
	       tcb->snd_end - j->b->first < MAP_BYTES - 2 * MSS)
		bench_write(j->b, 1, len < tcb->mss ? len : tcb->mss);
}

static void step_ack(struct judge *j)
{
	uint8_t how = next_u8(j);
	uint32_t una = judge_una(j), out = j->b->tcb.snd_nxt - j->b->tcb.snd_una;
	struct told told = {.ack = una + next_u16(j) % (out + 1), .sacks = how % 5};

	told.has_ts = (how & 0x20) != 0;
	told.echo = tcp_ts_now(&j->b->tcp, &j->b->tcb) - (how >> 6) * 100u;
	told.window_changed = (how & 0x10) != 0;
	for (uint32_t i = 0; i < told.sacks; i++) {
		told.sack[i].start = una + next_u16(j);
		told.sack[i].end = told.sack[i].start + next_u16(j) % 8192;
	}
	judge_tell(j, &told);
}

static void step_old(struct judge *j)
{
	uint32_t una = judge_una(j), back = next_u8(j) * 64u;
	struct told told = {.ack = back < una ? una - back : 0, .sacks = 1};

	told.sack[0].start = told.ack + next_u16(j) - 4096u;
	told.sack[0].end = told.sack[0].start + next_u16(j);
	judge_tell(j, &told);
}

static void step_garbage(struct judge *j)
{
	struct told told = {.ack = judge_una(j), .sacks = 1};

	told.sack[0].start = (uint32_t)next_u16(j) << 16 | next_u16(j);
	told.sack[0].end = (uint32_t)next_u16(j) << 16 | next_u16(j);
	judge_tell(j, &told);
}

static void step_run(struct judge *j)
{
	struct bench *b = j->b;

	switch (next_u8(j) % 8) {
	case 0:
		step_write(j);
		break;
	case 1:
		(void)bench_output(b);
		break;
	case 2:
		step_ack(j);
		break;
	case 3:
		bench_wait(b, next_u16(j) * 100u);
		break;
	case 4:
		b->link_full = !b->link_full;
		break;
	case 5:
		(void)path_too_big(&b->tcp, &b->tcb, next_u16(j));
		break;
	case 6:
		step_old(j);
		break;
	default:
		step_garbage(j);
		break;
	}
	b->sendings = 0;
	judge_look(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct judge j = {.b = bench_ready(), .in = span_of(data, (uint32_t)size)};
	uint8_t flags = next_u8(&j);

	j.told = calloc(1, MAP_BYTES);
	must(j.told != NULL);
	if ((flags & 1) == 0)
		j.b->tcb.flags &= (uint16_t)~TCB_SACK;
	if ((flags & 2) != 0)
		j.b->tcb.flags |= TCB_TIMESTAMPS;
	if ((flags & 4) != 0)
		recovery_rtt(&j.b->tcp, &j.b->tcb, 3000000);
	for (uint32_t i = 0; i < STEPS_MAX && j.in.len > 0; i++)
		step_run(&j);
	must(bench_free(j.b));
	free(j.told);
	return 0;
}
