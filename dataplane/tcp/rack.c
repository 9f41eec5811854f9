/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/recovery.h"

/*
 * Time and losses: round trips (RFC 6298), and RACK (RFC 8985 6), which takes a record for lost
 * when one that was sent later has been delivered and the reordering window has passed since. All
 * times are those of the turn in which the segment came.
 */

#define RTO_INITIAL_US 1000000u
#define RTO_SLACK_US 200000u /* at least, over SRTT: TCP.md 3 */
#define RTO_MAX_US 60000000u
#define MIN_RTT_PERIOD_S 30u
#define REORDER_PERSIST 16u /* recoveries that a wider window outlives */
#define SACKED_ENOUGH 3u    /* DupThresh */

/* ---- round trips
 * --------------------------------------------------------------------------------- */

static void rtt_smooth(struct tcb *tcb, uint32_t rtt_us)
{
	uint32_t rtt = smaller(rtt_us, RTO_MAX_US);
	uint32_t off = tcb->srtt_us > rtt ? tcb->srtt_us - rtt : rtt - tcb->srtt_us;

	if (tcb->srtt_us == 0) {
		tcb->srtt_us = rtt;
		tcb->rttvar_us = rtt / 2;
	} else {
		tcb->rttvar_us = (3 * tcb->rttvar_us + off) / 4;
		tcb->srtt_us = (uint32_t)((7ull * tcb->srtt_us + rtt) / 8);
	}
	if (tcb->srtt_us == 0)
		tcb->srtt_us = 1; /* 0 is "no sample" */
}

/* Two buckets, as the paths of mobiles change: this period's and the last one's. */
static void rtt_minimum(const struct tcp *tcp, struct tcb *tcb, uint32_t rtt_us)
{
	struct recovery *rec = &tcb->rec;
	uint16_t age_s = (uint16_t)(tcp_now_s(tcp) - rec->min_rtt_at_s);

	if (age_s >= MIN_RTT_PERIOD_S) {
		rec->min_rtt_us[1] = age_s < 2 * MIN_RTT_PERIOD_S ? rec->min_rtt_us[0] : UINT32_MAX;
		rec->min_rtt_us[0] = UINT32_MAX;
		rec->min_rtt_at_s = (uint16_t)tcp_now_s(tcp);
	}
	rec->min_rtt_us[0] = smaller(rec->min_rtt_us[0], rtt_us);
}

uint32_t rack_min_rtt(const struct tcb *tcb)
{
	return smaller(tcb->rec.min_rtt_us[0], tcb->rec.min_rtt_us[1]);
}

void recovery_rtt(struct tcp *tcp, struct tcb *tcb, uint32_t rtt_us)
{
	rtt_smooth(tcb, rtt_us);
	rtt_minimum(tcp, tcb, rtt_us);
}

uint32_t recovery_rto_us(const struct tcb *tcb)
{
	uint32_t slack = 4 * tcb->rttvar_us;

	if (tcb->srtt_us == 0)
		return tcb->rttvar_us != 0 ? tcb->rttvar_us : RTO_INITIAL_US;
	return smaller(tcb->srtt_us + (slack > RTO_SLACK_US ? slack : RTO_SLACK_US), RTO_MAX_US);
}

void rack_rtt(const struct tcp *tcp, struct tcb *tcb, const struct delivery *d)
{
	uint32_t echo_ms = tcp_ts_now(tcp, tcb) - d->ts_echo;

	if (d->has_rtt)
		rtt_minimum(tcp, tcb, d->rtt_min_us);
	if (d->has_rtt && !d->again) /* Karn */
		rtt_smooth(tcb, d->rtt_us);
	else if (d->has_ts && d->acked > 0 && echo_ms <= d->since_us / 1000 + 1) /* RFC 7323 4.1 */
		rtt_smooth(tcb, echo_ms > 0 ? echo_ms * 1000 : 1000);
}

/* ---- what was delivered
 * -------------------------------------------------------------------------- */

/* RFC 8985 5.1: sent later, or in the same moment behind it. */
static bool rack_sent_after(uint32_t us, uint32_t end, uint32_t other_us, uint32_t other_end)
{
	return seq_after(us, other_us) || (us == other_us && seq_after(end, other_end));
}

/* The delivery may be that of an earlier transmission. */
static bool rack_ambiguous(const struct tcp *tcp, const struct tcb *tcb,
			   const struct send_record *r, const struct delivery *d)
{
	if ((r->flags & SEND_AGAIN) == 0)
		return false;
	if (d->has_ts && seq_before(d->ts_echo, scoreboard_ts(tcp, tcb, r->sent_us)))
		return true;
	return d->now_us - r->sent_us < rack_min_rtt(tcb);
}

/* Of the first record that is delivered, which has waited longest for the ACK, is SRTT's. */
static void rack_sample(struct delivery *d, uint32_t rtt_us)
{
	if (!d->has_rtt) {
		d->has_rtt = true;
		d->rtt_us = rtt_us;
		d->rtt_min_us = rtt_us;
	}
	d->rtt_min_us = smaller(d->rtt_min_us, rtt_us);
}

void rack_delivered(const struct tcp *tcp, struct tcb *tcb, const struct send_record *r,
		    struct delivery *d)
{
	struct recovery *rec = &tcb->rec;
	uint32_t end = r->seq + r->len, rtt_us = d->now_us - r->sent_us;

	d->delivered += r->len;
	if (seq_after(end, rec->fack))
		rec->fack = end;
	else if (seq_before(end, rec->fack) && (r->flags & SEND_AGAIN) == 0)
		rec->flags |= RECOVERY_REORDERED;
	if ((r->flags & SEND_AGAIN) == 0)
		rack_sample(d, rtt_us);
	if (rack_ambiguous(tcp, tcb, r, d))
		return;
	rec->rack_rtt_us = rtt_us;
	if (rack_sent_after(r->sent_us, end, rec->rack_sent_us, rec->rack_end)) {
		rec->rack_sent_us = r->sent_us;
		rec->rack_end = end;
	}
}

/* ---- what is lost
 * -------------------------------------------------------------------------------- */

/* So many segments are SACKed that reordering, which was never seen, need not be waited for. */
static bool rack_sacked_enough(struct tcp *tcp, const struct tcb *tcb)
{
	const struct send_record *r;
	uint32_t n = 0;

	for (struct rte_mbuf *m = tcb->send_first; (r = scoreboard_sent(m)) != NULL; m = r->next) {
		if (!seq_before(r->seq, tcb->rec.fack))
			break;
		tcp->work++;
		n += (r->flags & SEND_SACKED) != 0;
		if (n >= SACKED_ENOUGH)
			return true;
	}
	return false;
}

static uint32_t rack_window(struct tcp *tcp, const struct tcb *tcb)
{
	const struct recovery *rec = &tcb->rec;
	uint64_t window;

	if ((rec->flags & RECOVERY_REORDERED) == 0 &&
	    (rec->phase != PHASE_OPEN || rack_sacked_enough(tcp, tcb)))
		return 0;
	window = (uint64_t)rec->reo_mult * rack_min_rtt(tcb) / 4;
	return window < tcb->srtt_us ? (uint32_t)window : tcb->srtt_us;
}

bool rack_detect(struct tcp *tcp, struct tcb *tcb, uint32_t *wait_us)
{
	const struct recovery *rec = &tcb->rec;
	uint32_t now_us = (uint32_t)tcp_now_us(tcp);
	uint32_t allowed_us = rec->rack_rtt_us + rack_window(tcp, tcb);
	struct send_record *r;
	bool lost = false;

	*wait_us = 0;
	for (struct rte_mbuf *m = tcb->send_first; (r = scoreboard_sent(m)) != NULL; m = r->next) {
		tcp->work++;
		if (!rack_sent_after(rec->rack_sent_us, rec->rack_end, r->sent_us,
				     r->seq + r->len)) {
			if ((r->flags & SEND_AGAIN) == 0)
				break; /* and so was all behind it */
			continue;
		}
		if (!send_in_flight(r))
			continue;
		if (now_us - r->sent_us >= allowed_us) {
			scoreboard_lose(tcb, r);
			lost = true;
		} else if (allowed_us - (now_us - r->sent_us) > *wait_us) {
			*wait_us = allowed_us - (now_us - r->sent_us);
		}
	}
	return lost;
}

void rack_timed_out(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t now_us = (uint32_t)tcp_now_us(tcp);
	uint32_t allowed_us = tcb->rec.rack_rtt_us + rack_window(tcp, tcb);
	bool all = (tcb->flags & TCB_SACK) == 0;
	struct send_record *r;

	for (struct rte_mbuf *m = tcb->send_first; (r = scoreboard_sent(m)) != NULL; m = r->next) {
		tcp->work++;
		if ((r->flags & SEND_SACKED) != 0)
			continue;
		if (all || m == tcb->send_first || now_us - r->sent_us >= allowed_us)
			scoreboard_lose(tcb, r);
	}
}

void rack_late(struct tcb *tcb)
{
	struct recovery *rec = &tcb->rec;

	rec->flags |= RECOVERY_REORDERED;
	if ((rec->flags & RECOVERY_DSACK_ROUND) != 0)
		return;
	rec->flags |= RECOVERY_DSACK_ROUND;
	tcb->dsack_end = tcb->snd_nxt;
	rec->reo_persist = REORDER_PERSIST;
	if (rec->reo_mult < UINT8_MAX)
		rec->reo_mult++;
}

void rack_round(struct tcb *tcb)
{
	if (!seq_before(tcb->snd_una, tcb->dsack_end))
		tcb->rec.flags &= (uint8_t)~RECOVERY_DSACK_ROUND;
}

void rack_recovered(struct tcb *tcb)
{
	struct recovery *rec = &tcb->rec;

	if (rec->reo_persist > 0 && --rec->reo_persist == 0)
		rec->reo_mult = 1;
}
