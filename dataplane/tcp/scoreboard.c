/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/recovery.h"

/*
 * The records of the send queue as a scoreboard: which are under way, which the peer has, which are
 * taken for lost. pipe follows each change.
 */

/* Repetitions that a DSACK names lie at most so far behind: anything else is garbage. */
#define DSACK_REACH (4u * CWND_MAX)
#define GARBAGE_MAX 3u

uint32_t scoreboard_ts(const struct tcp *tcp, const struct tcb *tcb, uint32_t sent_us)
{
	uint64_t now_us = tcp_now_us(tcp);

	return (uint32_t)((now_us - ((uint32_t)now_us - sent_us)) / 1000) + tcb->ts_offset;
}

uint32_t recovery_pipe(const struct tcb *tcb)
{
	uint32_t pipe = 0;

	for (struct rte_mbuf *m = tcb->send_first; m != NULL; m = send_record(m)->next)
		if (send_in_flight(send_record(m)))
			pipe += send_record(m)->len;
	return pipe;
}

void recovery_recount(struct tcb *tcb)
{
	tcb->pipe = recovery_pipe(tcb);
}

void scoreboard_lose(struct tcb *tcb, struct send_record *r)
{
	if (send_in_flight(r))
		tcb->pipe -= r->len;
	r->flags |= SEND_LOST;
}

/* Clears a flag of all records that have been sent. */
static void scoreboard_clear(struct tcp *tcp, struct tcb *tcb, uint8_t flag)
{
	struct send_record *r;

	for (struct rte_mbuf *m = tcb->send_first; (r = scoreboard_sent(m)) != NULL; m = r->next) {
		r->flags &= (uint8_t)~flag;
		tcp->work++;
	}
	recovery_recount(tcb);
}

void scoreboard_forget(struct tcp *tcp, struct tcb *tcb)
{
	scoreboard_clear(tcp, tcb, SEND_SACKED);
	tcb->rec.fack = tcb->snd_una;
}

void scoreboard_unmark(struct tcp *tcp, struct tcb *tcb)
{
	scoreboard_clear(tcp, tcb, SEND_LOST);
}

/* ---- cumulative acknowledgement
 * ------------------------------------------------------------------ */

/* The RTT of this ACK, by its timestamps, is no longer than since the first of them was sent. */
static void scoreboard_noted(const struct tcp *tcp, const struct tcb *tcb,
			     const struct send_record *r, struct delivery *d)
{
	if (d->since_us == 0)
		d->since_us = d->now_us - r->first_sent_us;
	if ((r->flags & SEND_AGAIN) == 0)
		return;
	d->again = true;
	if (!seq_before(scoreboard_ts(tcp, tcb, r->sent_us), tcb->rec.undo_ts))
		d->repaired = true;
}

static void scoreboard_acked(const struct tcp *tcp, struct tcb *tcb, const struct send_record *r,
			     struct delivery *d)
{
	scoreboard_noted(tcp, tcb, r, d);
	if ((r->flags & SEND_SACKED) == 0)
		rack_delivered(tcp, tcb, r, d);
	if (send_in_flight(r))
		tcb->pipe -= r->len;
}

static void scoreboard_unlink(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *first)
{
	struct rte_mbuf *next = send_record(first)->next;

	tcb->send_first = next;
	if (next != NULL)
		send_record(next)->prev = NULL;
	else
		tcb->send_last = NULL;
	tcb->send_packets--;
	tcp->send_live--;
	packet_put(first);
}

/* n sequence numbers of the first record have been acknowledged, and not its last. */
static void scoreboard_cut(const struct tcp *tcp, struct tcb *tcb, uint32_t n, struct delivery *d)
{
	struct send_record *r = send_record(tcb->send_first);

	if (!packet_skip(tcb->send_first, n))
		return; /* never: FIN alone cannot be acknowledged in part */
	scoreboard_noted(tcp, tcb, r, d);
	if (send_in_flight(r))
		tcb->pipe -= n;
	if ((r->flags & SEND_SACKED) == 0)
		d->delivered += n;
	r->seq += n;
	r->len -= n;
}

void scoreboard_ack(struct tcp *tcp, struct tcb *tcb, uint32_t ack, struct delivery *d)
{
	struct send_record *r;

	d->acked = ack - tcb->snd_una;
	tcb->snd_una = ack;
	while ((r = scoreboard_sent(tcb->send_first)) != NULL && seq_before(r->seq, ack)) {
		tcp->work++;
		if (seq_after(r->seq + r->len, ack)) {
			scoreboard_cut(tcp, tcb, ack - r->seq, d);
			break;
		}
		scoreboard_acked(tcp, tcb, r, d);
		scoreboard_unlink(tcp, tcb, tcb->send_first);
	}
	tcb->rec.fack = seq_max(tcb->rec.fack, ack);
	if (d->acked > 0 && (r = scoreboard_sent(tcb->send_first)) != NULL)
		r->head_us = d->now_us; /* RFC 6298 5.3 */
}

/* ---- SACK
 * ---------------------------------------------------------------------------------------- */

/* x lies whole in [start, end), and is not empty: safe for any four numbers. */
static bool block_in(const struct tcp_block *x, uint32_t start, uint32_t end)
{
	return seq_in(x->start, start, end) && seq_in(x->end - 1, x->start, end);
}

/* The first block tells of data that came twice (RFC 2883 4). */
static bool block_is_dsack(const struct tcb *tcb, const struct tcp_packet *segment)
{
	const struct tcp_block *first = &segment->options.sack[0];
	const struct tcp_block *second = &segment->options.sack[1];

	if (block_in(first, segment->ack - DSACK_REACH, segment->ack))
		return true;
	return segment->options.sacks > 1 && block_in(second, segment->ack, tcb->snd_nxt) &&
	       block_in(first, second->start, second->end);
}

/* Those that make sense, but the DSACK; returns how many. */
static uint32_t blocks_take(const struct tcb *tcb, const struct tcp_packet *segment,
			    struct tcp_block *blocks, struct delivery *d)
{
	const struct tcp_options *options = &segment->options;
	uint32_t n = 0, i = 0;

	if (block_is_dsack(tcb, segment))
		d->dsack = options->sack[i++];
	for (; i < options->sacks; i++)
		if (block_in(&options->sack[i], tcb->snd_una, tcb->snd_nxt))
			blocks[n++] = options->sack[i];
	return n;
}

/* A record that is covered in part is not taken for delivered. */
static bool blocks_cover(const struct tcp_block *blocks, uint32_t n, const struct send_record *r)
{
	const struct tcp_block range = {r->seq, r->seq + r->len};

	for (uint32_t i = 0; i < n; i++)
		if (block_in(&range, blocks[i].start, blocks[i].end))
			return true;
	return false;
}

static void blocks_mark(struct tcp *tcp, struct tcb *tcb, const struct tcp_block *blocks,
			uint32_t n, struct delivery *d)
{
	uint32_t top = tcb->snd_una;
	struct send_record *r;

	for (uint32_t i = 0; i < n; i++)
		top = seq_max(top, blocks[i].end);
	for (struct rte_mbuf *m = tcb->send_first; (r = scoreboard_sent(m)) != NULL; m = r->next) {
		if (!seq_before(r->seq, top))
			break;
		tcp->work += n;
		if ((r->flags & SEND_SACKED) != 0 || !blocks_cover(blocks, n, r))
			continue;
		if (send_in_flight(r))
			tcb->pipe -= r->len;
		rack_delivered(tcp, tcb, r, d);
		r->flags = (uint8_t)((r->flags | SEND_SACKED) & ~SEND_LOST);
		d->sacked = true;
	}
}

/* A middlebox that shifts sequence numbers, but not those of the blocks (TCP.md 5.6). */
static void blocks_garbage(struct tcp *tcp, struct tcb *tcb)
{
	tcp_count(tcp, GW_TCP_SACK);
	if (++tcb->rec.garbage < GARBAGE_MAX)
		return;
	tcb->flags &= (uint16_t)~TCB_SACK;
	scoreboard_forget(tcp, tcb);
}

void scoreboard_sack(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment,
		     struct delivery *d)
{
	struct tcp_block blocks[TCP_SACKS_MAX];
	uint32_t n;

	if ((tcb->flags & TCB_SACK) == 0 || segment->options.sacks == 0)
		return;
	n = blocks_take(tcb, segment, blocks, d);
	if (n > 0)
		blocks_mark(tcp, tcb, blocks, n, d);
	if (n > 0 || d->dsack.start != d->dsack.end)
		tcb->rec.garbage = 0;
	else if (segment->ack == tcb->snd_una)
		blocks_garbage(tcp, tcb);
}
