/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/recovery.h"

/*
 * The one deadline of loss: the RTO of the first record (RFC 6298), before it a tail loss probe
 * (RFC 8985 7), before that RACK's look at what may only have been reordered; and what is done when
 * it comes.
 */

#define BACKOFF_MAX 16u
#define RTO_MAX_US 60000000u
#define PROBE_MIN_US 10000u
#define PROBE_DELAYED_ACK_US 200000u /* of a peer that may wait for a second full segment */

static uint32_t timer_rto_us(const struct tcb *tcb)
{
	uint64_t rto = (uint64_t)recovery_rto_us(tcb) << smaller(tcb->backoff, BACKOFF_MAX);

	return rto < RTO_MAX_US ? (uint32_t)rto : RTO_MAX_US;
}

static void timer_set(struct tcp *tcp, struct tcb *tcb, enum loss_kind kind, uint32_t us)
{
	tcb->loss_kind = (uint8_t)kind;
	tcp_deadline(tcp, tcb, DEADLINE_LOSS, larger((us + 999) / 1000, 1));
}

void loss_timer_probe_over(struct tcb *tcb)
{
	tcb->rec.flags &= (uint8_t) ~(RECOVERY_PROBE | RECOVERY_PROBE_AGAIN | RECOVERY_PROBE_ROOM);
}

/* RFC 8985 7.2: one at a time, and only while nothing is known to be missing. */
static bool probe_allowed(const struct tcb *tcb)
{
	return (tcb->flags & TCB_SACK) != 0 && tcb->rec.phase == PHASE_OPEN &&
	       (tcb->rec.flags & RECOVERY_PROBE) == 0 && tcb->backoff == 0 &&
	       tcb->rec.fack == tcb->snd_una && tcb->pipe > 0;
}

static uint32_t probe_us(const struct tcb *tcb)
{
	uint32_t us = larger(2 * tcb->srtt_us, PROBE_MIN_US);

	if (tcb->srtt_us == 0)
		return RTO_MAX_US; /* the RTO's time */
	/* RFC 5681 4.2: he answers two full segments at once, anything less maybe later */
	return tcb->snd_nxt - tcb->snd_una < 2u * tcb->mss ? us + PROBE_DELAYED_ACK_US : us;
}

void loss_timer_arm(struct tcp *tcp, struct tcb *tcb, uint32_t reorder_us)
{
	const struct send_record *first = scoreboard_sent(tcb->send_first);
	uint32_t rto_us, since_us, left_us;

	if (first == NULL) {
		if (tcb->loss_kind != LOSS_PERSIST) /* that one is tcp_out.c's */
			tcp_no_deadline(tcp, tcb, DEADLINE_LOSS);
		return;
	}
	rto_us = timer_rto_us(tcb);
	since_us = (uint32_t)tcp_now_us(tcp) - first->head_us;
	left_us = rto_us > since_us ? rto_us - since_us : 0;
	if (reorder_us > 0 && reorder_us < left_us)
		timer_set(tcp, tcb, LOSS_REORDER, reorder_us);
	else if (left_us > 0 && probe_allowed(tcb))
		timer_set(tcp, tcb, LOSS_PROBE, smaller(probe_us(tcb), left_us));
	else
		timer_set(tcp, tcb, LOSS_RTO, left_us);
}

/* The segments behind a hole have waited for their reordering window. */
static void timeout_reorder(struct tcp *tcp, struct tcb *tcb)
{
	struct delivery d = {.una = tcb->snd_una, .flight = episode_flight(tcb)};
	uint32_t reorder_us;

	if (episode_detect(tcp, tcb, &d, &reorder_us)) {
		if (tcb->rec.phase == PHASE_RECOVERY)
			episode_prr(tcb, 0, true);
		tcp_want_output(tcp, tcb);
	}
	loss_timer_arm(tcp, tcb, reorder_us);
}

/* The last record of those that have been sent. */
static struct rte_mbuf *sent_last(const struct tcb *tcb)
{
	return tcb->send_unsent != NULL ? send_record(tcb->send_unsent)->prev : tcb->send_last;
}

/* There is a new segment, and the peer's window has room for it. */
static bool probe_is_new(const struct tcb *tcb)
{
	uint32_t edge = tcb->snd_una + tcb->snd_wnd;

	return tcb->send_unsent != NULL && seq_after(edge, tcb->snd_nxt) &&
	       edge - tcb->snd_nxt >= smaller(send_record(tcb->send_unsent)->len, tcb->mss);
}

/* A new segment where the window has room for one, else the last one again (RFC 8985 7.3). */
static void timeout_probe(struct tcp *tcp, struct tcb *tcb, struct send_record *first)
{
	struct recovery *rec = &tcb->rec;

	if (probe_is_new(tcb)) {
		rec->flags |= RECOVERY_PROBE_ROOM;
		tcp_want_output(tcp, tcb);
	} else if (tcp_out_again(tcp, tcb, sent_last(tcb)) == GW_OK) {
		rec->flags |= RECOVERY_PROBE | RECOVERY_PROBE_AGAIN;
		rec->tlp_end = tcb->snd_nxt;
	} else {
		loss_timer_arm(tcp, tcb, 0); /* the link takes nothing now: no loss, another try */
		return;
	}
	counter_add(&tcp->counters->tcp_probes, 1);
	trace(tcp, tcb, TCP_EVENT_PROBE, tcb->snd_nxt, tcb->cwnd, 0);
	first->head_us = (uint32_t)tcp_now_us(tcp);
	timer_set(tcp, tcb, LOSS_RTO, timer_rto_us(tcb));
}

static void timeout_rto(struct tcp *tcp, struct tcb *tcb, struct send_record *first)
{
	bool waits = tcb->rec.phase == PHASE_LOSS && (first->flags & SEND_LOST) != 0 &&
		     recovery_room(tcp, tcb) > 0;

	first->head_us = (uint32_t)tcp_now_us(tcp);
	tcp_want_output(tcp, tcb);
	if (waits) { /* the link has not taken it since the last time: nothing new is known */
		loss_timer_arm(tcp, tcb, 0);
		return;
	}
	counter_add(&tcp->counters->tcp_timeouts, 1);
	tcb->backoff += tcb->backoff < BACKOFF_MAX;
	trace(tcp, tcb, TCP_EVENT_RTO, tcb->snd_una, tcb->cwnd, 0);
	if (tcb->backoff % 2 == 0) {
		/* Twice in a row: SACKs are doubted (RFC 2018 8), and the size of segments. */
		scoreboard_forget(tcp, tcb);
		path_black_hole(tcp, tcb, packet_len(tcb->send_first));
	}
	episode_timeout(tcp, tcb, episode_flight(tcb));
	loss_timer_arm(tcp, tcb, 0);
}

void recovery_timeout(struct tcp *tcp, struct tcb *tcb)
{
	struct send_record *first = scoreboard_sent(tcb->send_first);

	if (first == NULL)
		return;
	switch (tcb->loss_kind) {
	case LOSS_REORDER:
		timeout_reorder(tcp, tcb);
		break;
	case LOSS_PROBE:
		timeout_probe(tcp, tcb, first);
		break;
	default:
		timeout_rto(tcp, tcb, first);
		break;
	}
}
