/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/recovery.h"

/*
 * What the rest of the stack asks of recovery: an ACK taken in, a sending noted, what may be sent.
 */

#define UNDO_REACH (4u * CWND_MAX)

void recovery_init(struct tcp *tcp, struct tcb *tcb)
{
	tcb->rec = (struct recovery){
		.rack_sent_us = (uint32_t)tcp_now_us(tcp),
		.rack_end = tcb->snd_una,
		.min_rtt_us = {UINT32_MAX, UINT32_MAX},
		.min_rtt_at_s = (uint16_t)tcp_now_s(tcp),
		.fack = tcb->snd_una,
		.recover = tcb->snd_una - 1,
		.reo_mult = 1,
	};
	tcb->pipe = 0;
}

struct rte_mbuf *recovery_next(const struct tcb *tcb)
{
	const struct send_record *r;

	if (tcb->pipe == tcb->snd_nxt - tcb->snd_una)
		return NULL; /* all of it is under way: the usual case */
	for (struct rte_mbuf *m = tcb->send_first; (r = scoreboard_sent(m)) != NULL; m = r->next)
		if ((r->flags & SEND_LOST) != 0)
			return m;
	return NULL;
}

uint32_t recovery_room(const struct tcp *tcp, const struct tcb *tcb)
{
	uint32_t under_way = episode_pipe(tcb);
	uint32_t room = tcb->cwnd > under_way ? tcb->cwnd - under_way : 0;

	return (tcb->rec.flags & RECOVERY_PROBE_ROOM) != 0 ? larger(room, tcb->mss) : room;
}

/* ---- sending
 * ------------------------------------------------------------------------------------- */

static void sent_first(struct tcp *tcp, struct tcb *tcb, const struct rte_mbuf *record,
		       struct send_record *r)
{
	struct recovery *rec = &tcb->rec;

	r->first_sent_us = (uint32_t)tcp_now_us(tcp);
	tcb->pipe += r->len;
	if (record == tcb->send_first) {
		/* Nothing else is out: stamps of long ago say nothing of it, and may have wrapped.
		 */
		rec->rack_sent_us = r->first_sent_us;
		rec->rack_end = r->seq;
		rec->fack = r->seq;
		if (r->seq - rec->recover > UNDO_REACH)
			rec->recover = r->seq - 1;
	}
	if ((rec->flags & RECOVERY_PROBE_ROOM) != 0) {
		rec->flags = (uint8_t)((rec->flags & ~RECOVERY_PROBE_ROOM) | RECOVERY_PROBE);
		rec->tlp_end = r->seq + r->len;
	}
}

static void sent_again(struct tcp *tcp, struct tcb *tcb, struct send_record *r)
{
	struct recovery *rec = &tcb->rec;

	if (!send_in_flight(r))
		tcb->pipe += r->len;
	r->flags = (uint8_t)((r->flags | SEND_AGAIN) & ~(SEND_LOST | SEND_SACKED));
	if (rec->phase == PHASE_OPEN)
		return;
	if (rec->undo_count == 0)
		rec->undo_ts = tcp_ts_now(tcp, tcb);
	if (rec->undo_count < UINT16_MAX)
		rec->undo_count++;
}

void recovery_sent(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *record)
{
	struct send_record *r = send_record(record);
	uint32_t now_us = (uint32_t)tcp_now_us(tcp);
	bool waits = tcp_has_deadline(tcb, DEADLINE_LOSS) && tcb->loss_kind == LOSS_REORDER;

	if ((r->flags & SEND_SENT) == 0) {
		sent_first(tcp, tcb, record, r);
		r->flags |= SEND_SENT;
		r->count = 1;
	} else {
		sent_again(tcp, tcb, r);
		r->count += r->count < UINT16_MAX;
	}
	r->sent_us = now_us;
	tcb->sent_us = now_us;
	if (record == tcb->send_first)
		r->head_us = now_us;
	if (tcb->rec.phase == PHASE_RECOVERY)
		tcb->rec.prr_out += r->len;
	if (!waits)
		loss_timer_arm(tcp, tcb, 0);
}

/* ---- an acknowledgement
 * -------------------------------------------------------------------------- */

/* No more duplicates are believed than the recovery had segments in flight, and before it no more
 * than begin it (RFC 3042, RFC 5681 3.2): each lets a new segment out. */
static bool ack_duplicate_counts(const struct tcb *tcb, const struct delivery *d)
{
	const struct recovery *rec = &tcb->rec;

	if (!d->duplicate || rec->dupacks == UINT8_MAX || scoreboard_sent(tcb->send_first) == NULL)
		return false;
	if (rec->phase == PHASE_OPEN)
		return rec->dupacks < EPISODE_DUPLICATES;
	return rec->phase == PHASE_RECOVERY &&
	       (uint32_t)(rec->dupacks + 1) * tcb->mss < rec->prr_flight;
}

/* Without SACK, each duplicate is a segment that has arrived (RFC 6937 3). */
static void ack_duplicates(struct tcb *tcb, struct delivery *d)
{
	struct recovery *rec = &tcb->rec;
	bool plain = (tcb->flags & TCB_SACK) == 0;
	uint32_t told;

	if (d->acked > 0) {
		told = smaller(rec->dupacks, (d->acked - 1) / tcb->mss);
		if (plain)
			d->delivered -= smaller(d->delivered, told * tcb->mss);
		rec->dupacks = rec->phase == PHASE_RECOVERY ? (uint8_t)(rec->dupacks - told) : 0;
	} else if (ack_duplicate_counts(tcb, d)) {
		rec->dupacks++;
		if (plain)
			d->delivered += tcb->mss;
	}
}

/* A DSACK: a probe that was in vain, or one of the retransmissions. True: all of them were. */
static bool ack_dsack(struct tcp *tcp, struct tcb *tcb, const struct delivery *d)
{
	struct recovery *rec = &tcb->rec;
	uint32_t len = d->dsack.end - d->dsack.start, named;

	if (len == 0)
		return false;
	counter_add(&tcp->counters->tcp_spurious, 1);
	if ((rec->flags & RECOVERY_PROBE_AGAIN) != 0 && d->dsack.end == rec->tlp_end) {
		loss_timer_probe_over(tcb);
		return false;
	}
	if ((rec->flags & RECOVERY_UNDO) == 0 || rec->undo_count == 0 ||
	    !seq_in(d->dsack.start, rec->recover - rec->prr_flight, tcb->snd_nxt))
		return false; /* the network has doubled it */
	rack_late(tcb);
	named = (len + tcb->mss - 1) / tcb->mss;
	rec->undo_count = (uint16_t)(rec->undo_count - smaller(named, rec->undo_count));
	return rec->undo_count == 0;
}

/* RFC 3522: the ACK of what was sent again echoes a time before we did. */
static bool ack_of_original(const struct tcb *tcb, const struct delivery *d)
{
	const struct recovery *rec = &tcb->rec;

	return rec->phase != PHASE_OPEN && (rec->flags & RECOVERY_UNDO) != 0 &&
	       rec->undo_count > 0 && d->repaired && d->has_ts &&
	       seq_before(d->ts_echo, rec->undo_ts);
}

/* The episode is over, and nothing was sent again in it: nothing had been lost. */
static bool ack_of_all(const struct tcb *tcb)
{
	const struct recovery *rec = &tcb->rec;

	return rec->phase != PHASE_OPEN && (rec->flags & RECOVERY_UNDO) != 0 &&
	       rec->undo_count == 0 && !seq_before(tcb->snd_una, rec->recover);
}

/* RFC 8985 7.4.2. */
static void ack_probe(struct tcb *tcb, const struct delivery *d)
{
	struct recovery *rec = &tcb->rec;

	if ((rec->flags & RECOVERY_PROBE) == 0 || seq_before(tcb->snd_una, rec->tlp_end))
		return;
	if ((rec->flags & RECOVERY_PROBE_AGAIN) != 0) {
		if (seq_after(tcb->snd_una, rec->tlp_end)) {
			/* The probe repaired a loss that nobody else has seen. */
			congestion_cut(tcb, d->flight);
			tcb->cwnd = smaller(tcb->cwnd, tcb->ssthresh);
			rec->flags &= (uint8_t)~RECOVERY_UNDO;
		} else if (!d->duplicate || d->blocks > 0) {
			return; /* a second copy may still be told */
		}
	}
	loss_timer_probe_over(tcb);
}

/* The window for congestion: PRR in a recovery, else growth; after a timeout by one segment for
 * each ACK (RFC 3465 2.3). */
static void ack_window(struct tcb *tcb, enum recovery_phase before, bool lost,
		       const struct delivery *d)
{
	if ((tcb->flags & TCB_CWND_LIMITED) != 0 && seq_after(tcb->snd_una, tcb->limited_end))
		tcb->flags &= (uint16_t)~TCB_CWND_LIMITED;
	if (tcb->rec.phase == PHASE_RECOVERY) {
		if (d->delivered > 0 || lost)
			episode_prr(tcb, d->delivered, lost);
	} else if (tcb->rec.phase == PHASE_LOSS && d->acked > 0) {
		if (recovery_next(tcb) != NULL) {
			tcb->flags |= TCB_CWND_LIMITED;
			tcb->limited_end = tcb->snd_nxt;
		}
		congestion_acked(tcb, smaller(d->acked, tcb->mss));
	} else if (before == PHASE_OPEN && d->acked > 0) {
		congestion_acked(tcb, d->acked);
	}
}

/* What of episodes the ACK ends. True: losses are left over from one that has ended. */
static bool ack_episode(struct tcp *tcp, struct tcb *tcb, const struct delivery *d)
{
	struct recovery *rec = &tcb->rec;
	bool all_in_vain = ack_dsack(tcp, tcb, d);

	if (all_in_vain || ack_of_original(tcb, d) || ack_of_all(tcb))
		episode_undo(tcp, tcb);
	if (rec->phase != PHASE_OPEN && !seq_before(tcb->snd_una, rec->recover)) {
		episode_end(tcp, tcb);
		return recovery_next(tcb) != NULL;
	}
	if (rec->phase != PHASE_OPEN || d->acked == 0)
		return false;
	/* What was lost long ago is not undone; its sequence numbers come again. */
	if (tcb->snd_una - rec->recover > UNDO_REACH)
		rec->flags &= (uint8_t)~RECOVERY_UNDO;
	if ((rec->flags & RECOVERY_UNDO) == 0 && seq_after(tcb->snd_una, rec->recover))
		rec->recover = tcb->snd_una - 1;
	return false;
}

/* True: the peer has dropped what it had SACKed, and starts from snd_una. */
static bool ack_reneged(struct tcp *tcp, struct tcb *tcb, const struct delivery *d)
{
	const struct send_record *first = scoreboard_sent(tcb->send_first);

	if (first == NULL || (first->flags & SEND_SACKED) == 0)
		return false;
	counter_add(&tcp->counters->tcp_reneged, 1);
	scoreboard_forget(tcp, tcb);
	episode_timeout(tcp, tcb, d->flight);
	return true;
}

static void ack_writable(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t all = tcp->config.net.limits.send_bytes;

	if ((tcb->flags & TCB_NO_ROOM) == 0 || tcp_out_room(tcp, tcb) < all - all / 4)
		return;
	tcb->flags &= (uint16_t)~TCB_NO_ROOM;
	tcp_event(tcp, tcb, EVENT_WRITABLE);
}

static struct delivery delivery_of(const struct tcp *tcp, const struct tcb *tcb,
				   const struct tcp_packet *segment, bool window_changed)
{
	return (struct delivery){
		.now_us = (uint32_t)tcp_now_us(tcp),
		.una = tcb->snd_una,
		.flight = episode_flight(tcb),
		.has_ts = (tcb->flags & TCB_TIMESTAMPS) != 0 && segment->options.has_timestamps,
		.ts_echo = segment->options.ts_echo,
		.blocks = segment->options.sacks,
		/* RFC 5681 2; no window update, and no data that happens to carry the same ACK. */
		.duplicate = segment->ack == tcb->snd_una && !window_changed &&
			     segment->payload.len == 0 &&
			     (segment->flags & (TCP_SYN | TCP_FIN)) == 0,
	};
}

/* Losses and the window, once the scoreboard is up to date. */
static void ack_recover(struct tcp *tcp, struct tcb *tcb, enum recovery_phase before,
			const struct delivery *d)
{
	uint32_t reorder_us = 0;
	bool left = ack_episode(tcp, tcb, d);
	bool lost = false;

	ack_probe(tcb, d);
	if (!ack_reneged(tcp, tcb, d))
		lost = episode_detect(tcp, tcb, d, &reorder_us);
	if (left && tcb->rec.phase == PHASE_OPEN) {
		episode_begin(tcp, tcb, d);
		lost = true;
	}
	ack_window(tcb, before, lost, d);
	if (d->acked > 0 || d->sacked || lost || !tcp_has_deadline(tcb, DEADLINE_LOSS) ||
	    tcb->loss_kind == LOSS_REORDER)
		loss_timer_arm(tcp, tcb, reorder_us);
}

void recovery_ack(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment,
		  bool window_changed)
{
	struct delivery d = delivery_of(tcp, tcb, segment, window_changed);
	enum recovery_phase before = tcb->rec.phase;

	if (!seq_before(segment->ack, tcb->snd_una))
		scoreboard_ack(tcp, tcb, segment->ack, &d);
	scoreboard_sack(tcp, tcb, segment, &d);
	if (d.acked > 0) {
		tcb->backoff = 0;
		tcb->rec.flags &= (uint8_t)~RECOVERY_PROBE_ROOM;
	}
	rack_rtt(tcp, tcb, &d);
	rack_round(tcb);
	ack_duplicates(tcb, &d);
	ack_recover(tcp, tcb, before, &d);
	ack_writable(tcp, tcb);
}

void recovery_resized(struct tcp *tcp, struct tcb *tcb)
{
	struct send_record *r;

	for (struct rte_mbuf *m = tcb->send_first; (r = scoreboard_sent(m)) != NULL; m = r->next) {
		tcp->work++;
		if ((r->flags & SEND_SACKED) == 0 && packet_len(m) > tcb->mss)
			scoreboard_lose(tcb, r);
	}
	tcp_want_output(tcp, tcb);
}
