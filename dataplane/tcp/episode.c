/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/recovery.h"

/*
 * Episodes of loss: how they begin (RACK, three duplicates, timeout, reneging), what they let out
 * (PRR, RFC 6937), how they end or are undone (RFC 4015). An episode ends when snd_una reaches what
 * had been sent when it began, and cuts ssthresh once.
 */

uint32_t episode_pipe(const struct tcb *tcb)
{
	uint32_t left = (tcb->flags & TCB_SACK) != 0 ? 0 : (uint32_t)tcb->rec.dupacks * tcb->mss;

	return tcb->pipe > left ? tcb->pipe - left : 0;
}

uint32_t episode_flight(const struct tcb *tcb)
{
	return smaller(tcb->snd_nxt - tcb->snd_una, tcb->cwnd);
}

/* una: snd_una before the ACK that told of the loss; flight: before it too. */
static void episode_start(struct tcb *tcb, enum recovery_phase phase, uint32_t una, uint32_t flight)
{
	struct recovery *rec = &tcb->rec;

	rec->prior_cwnd = tcb->cwnd;
	rec->prior_ssthresh = tcb->ssthresh;
	rec->undo_count = 0;
	rec->flags |= RECOVERY_UNDO;
	rec->recover = tcb->snd_nxt;
	rec->prr_flight = tcb->snd_nxt - una;
	rec->prr_delivered = 0;
	rec->prr_out = 0;
	rec->phase = phase;
	loss_timer_probe_over(tcb);
	congestion_cut(tcb, flight);
}

void episode_prr(struct tcb *tcb, uint32_t delivered, bool lost)
{
	struct recovery *rec = &tcb->rec;
	uint32_t pipe = episode_pipe(tcb), send;
	uint64_t quota;

	rec->prr_delivered += delivered;
	if (pipe > tcb->ssthresh) {
		quota = ((uint64_t)rec->prr_delivered * tcb->ssthresh + rec->prr_flight - 1) /
			larger(rec->prr_flight, 1);
		send = quota > rec->prr_out ? (uint32_t)quota - rec->prr_out : 0;
	} else {
		send = rec->prr_delivered > rec->prr_out ? rec->prr_delivered - rec->prr_out : 0;
		send = smaller(tcb->ssthresh - pipe, larger(send, delivered) + tcb->mss);
	}
	/* The fast retransmission always leaves; without SACK, that of each hole (RFC 6582 3.2). */
	if (rec->prr_out == 0 || (lost && (tcb->flags & TCB_SACK) == 0))
		send = larger(send, tcb->mss);
	tcb->cwnd = pipe + send;
}

void episode_begin(struct tcp *tcp, struct tcb *tcb, const struct delivery *d)
{
	episode_start(tcb, PHASE_RECOVERY, d->una, d->flight);
	counter_add(&tcp->counters->tcp_recoveries, 1);
	trace(tcp, tcb, TCP_EVENT_RECOVERY, tcb->rec.recover, tcb->rec.prior_cwnd, 0);
}

void episode_timeout(struct tcp *tcp, struct tcb *tcb, uint32_t flight)
{
	struct recovery *rec = &tcb->rec;

	if (rec->phase == PHASE_OPEN)
		episode_start(tcb, PHASE_LOSS, tcb->snd_una, flight);
	rec->phase = PHASE_LOSS;
	rec->prr_flight += tcb->snd_nxt - rec->recover; /* undo reaches as far back as before */
	rec->recover = tcb->snd_nxt;
	rec->dupacks = 0;
	loss_timer_probe_over(tcb);
	rack_timed_out(tcp, tcb);
	tcb->ca_acked = 0;
	tcb->cwnd = tcb->pipe + tcb->mss;
}

void episode_end(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->rec.phase == PHASE_RECOVERY)
		tcb->cwnd = tcb->ssthresh;
	tcb->rec.phase = PHASE_OPEN;
	tcb->rec.dupacks = 0;
	rack_recovered(tcb);
	trace(tcp, tcb, TCP_EVENT_RECOVERED, tcb->snd_una, tcb->cwnd, 0);
}

void episode_undo(struct tcp *tcp, struct tcb *tcb)
{
	struct recovery *rec = &tcb->rec;

	tcb->cwnd = larger(tcb->cwnd, rec->prior_cwnd);
	tcb->ssthresh = larger(tcb->ssthresh, rec->prior_ssthresh);
	rec->flags &= (uint8_t)~RECOVERY_UNDO;
	if (rec->phase == PHASE_RECOVERY)
		rack_late(tcb);
	if (rec->phase != PHASE_OPEN) {
		rec->phase = PHASE_OPEN;
		rec->recover = tcb->snd_una - 1;
		rec->dupacks = 0;
		scoreboard_unmark(tcp, tcb);
		rack_recovered(tcb);
	}
	counter_add(&tcp->counters->tcp_undone, 1);
	trace(tcp, tcb, TCP_EVENT_UNDO, tcb->snd_una, tcb->cwnd, 0);
}

/* Three duplicates, or in a recovery the hole after the one that was filled (RFC 6582). */
static bool episode_detect_duplicates(struct tcb *tcb, const struct delivery *d)
{
	struct send_record *first = scoreboard_sent(tcb->send_first);
	const struct recovery *rec = &tcb->rec;
	bool lost;

	if (first == NULL || (first->flags & SEND_LOST) != 0)
		return false;
	lost = rec->phase == PHASE_OPEN
		       ? rec->dupacks >= EPISODE_DUPLICATES && seq_after(tcb->snd_una, rec->recover)
		       : rec->phase == PHASE_RECOVERY && d->acked > 0;
	if (lost)
		scoreboard_lose(tcb, first);
	return lost;
}

bool episode_detect(struct tcp *tcp, struct tcb *tcb, const struct delivery *d, uint32_t *wait_us)
{
	bool lost;

	*wait_us = 0;
	lost = (tcb->flags & TCB_SACK) != 0 ? rack_detect(tcp, tcb, wait_us)
					    : episode_detect_duplicates(tcb, d);
	if (lost && tcb->rec.phase == PHASE_OPEN)
		episode_begin(tcp, tcb, d);
	return lost;
}
