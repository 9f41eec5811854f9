/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/*
 * NewReno: slow start with byte counting and congestion avoidance (RFC 5681, 3465), a large initial
 * window (RFC 6928), and no growth from a window that was not used (RFC 7661's idea). Recoveries
 * are recovery.c's.
 */

#define INITIAL_SEGMENTS 10u
#define INITIAL_BYTES 14600u
#define INITIAL_SEGMENTS_SYN_LOST 3u
#define RTO_SYN_LOST_US 3000000u /* RFC 6298 5.7 */
#define GROWTH_SEGMENTS 2u	 /* RFC 3465's L */

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

uint32_t congestion_initial(const struct tcb *tcb)
{
	return smaller(INITIAL_SEGMENTS * tcb->mss, larger(2u * tcb->mss, INITIAL_BYTES));
}

void congestion_init(struct tcb *tcb, bool syn_lost)
{
	tcb->cwnd = syn_lost ? INITIAL_SEGMENTS_SYN_LOST * tcb->mss : congestion_initial(tcb);
	tcb->ssthresh = CWND_MAX;
	tcb->ca_acked = 0;
	tcb->backoff = 0; /* those of the SYN */
	if (syn_lost && tcb->srtt_us == 0)
		tcb->rttvar_us = RTO_SYN_LOST_US;
}

void congestion_acked(struct tcb *tcb, uint32_t acked)
{
	if ((tcb->flags & TCB_CWND_LIMITED) == 0)
		return;
	if (tcb->cwnd < tcb->ssthresh) {
		tcb->cwnd += smaller(acked, GROWTH_SEGMENTS * tcb->mss);
	} else {
		tcb->ca_acked += smaller(acked, tcb->cwnd);
		if (tcb->ca_acked >= tcb->cwnd) {
			tcb->ca_acked -= tcb->cwnd;
			tcb->cwnd += tcb->mss;
		}
	}
	tcb->cwnd = smaller(tcb->cwnd, CWND_MAX);
}

void congestion_cut(struct tcb *tcb, uint32_t flight)
{
	tcb->ssthresh = larger(flight / 2, 2u * tcb->mss);
	tcb->ca_acked = 0;
}

void congestion_idle(const struct tcp *tcp, struct tcb *tcb)
{
	uint32_t silent_us = (uint32_t)tcp_now_us(tcp) - tcb->sent_us;

	if (tcb->snd_una == tcb->snd_nxt && silent_us > recovery_rto_us(tcb))
		tcb->cwnd = smaller(tcb->cwnd, congestion_initial(tcb));
}
