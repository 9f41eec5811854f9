/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/* How long segments may be: what the peer takes, what we choose, what the path carries. */

#define TIMESTAMPS_LEN 12u /* as tcp_write() aligns the option */

/* RFC 9293 3.7.1: of a peer that says nothing. */
#define PEER_MSS4 536u
#define PEER_MSS6 1220u

/* Payloads that get through where full segments do not, and MTU 0 says no better. */
static const uint16_t ladder[] = {1360, 1220, 1024, 536};

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint16_t path_mss(const struct tcb *tcb, uint16_t peer_mss, uint16_t mtu)
{
	bool v4 = ip_address_is_v4(&tcb->ends.remote);
	uint32_t head = (v4 ? IP4_LEN : IP6_LEN) + TCP_LEN;
	uint32_t peer = peer_mss != 0 ? peer_mss : v4 ? PEER_MSS4 : PEER_MSS6;
	uint32_t mss = smaller(peer, v4 ? TCP_MSS4 : TCP_MSS6);
	uint32_t options = (tcb->flags & TCB_TIMESTAMPS) != 0 ? TIMESTAMPS_LEN : 0;

	mss = smaller(mss, mtu > head ? mtu - head : 0);
	return (uint16_t)(mss > TCP_MSS_FLOOR + options ? mss - options : TCP_MSS_FLOOR);
}

static void path_resize(struct tcp *tcp, struct tcb *tcb, uint16_t mss)
{
	tcb->mss = mss; /* records are cut when they are sent, the first time or again */
	recovery_resized(tcp, tcb);
}

/* The next step below what is sent now; 0: there is none. */
static uint16_t path_step(const struct tcb *tcb)
{
	for (uint32_t i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++)
		if (ladder[i] < tcb->mss)
			return ladder[i];
	return 0;
}

bool path_too_big(struct tcp *tcp, struct tcb *tcb, uint32_t mtu)
{
	uint32_t floor = ip_address_is_v4(&tcb->ends.remote) ? IP4_MTU_MIN : IP6_MTU_MIN;
	uint16_t mss;

	if (mtu == 0) {
		mss = path_step(tcb);
	} else {
		mtu = smaller(mtu > floor ? mtu : floor, UINT16_MAX);
		mss = path_mss(tcb, UINT16_MAX, (uint16_t)mtu);
	}
	if (mss == 0 || mss >= tcb->mss)
		return false;
	counter_add(&tcp->counters->tcp_path_mtu, 1);
	path_resize(tcp, tcb, mss);
	return true;
}

void path_black_hole(struct tcp *tcp, struct tcb *tcb, uint32_t len)
{
	uint16_t mss = path_step(tcb);

	if (mss == 0 || len <= mss)
		return;
	counter_add(&tcp->counters->tcp_black_holes, 1);
	path_resize(tcp, tcb, mss);
}
