/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/*
 * Bytes in order wait in the packets they came in. What is bounded is the bytes, by the window, and
 * the true size of the packets: those that are less than a quarter full are copied into the one in
 * front of them, so that bytes never cost more than four times themselves, and two packets at the
 * ends. All that fits into an advertised window can be held therefore, whatever its segments are.
 */

#define SMALL_PART 4u /* a packet less full than 1 in so many is copied */
#define SLACK_PART 16u
#define PRESSED_SEGMENTS 4u /* of a window when packets are short */

static uint32_t receive_limit(const struct tcp *tcp)
{
	return tcp->config.net.limits.receive_bytes;
}

/* Bytes above the limit that rounding up to the scale's unit may promise. */
static uint32_t receive_slack(const struct tcp *tcp)
{
	return receive_limit(tcp) / SLACK_PART;
}

/* ---- true size ------------------------------------------------------------------------------- */

void receive_hold(struct tcp *tcp, struct tcb *tcb, const struct rte_mbuf *packet)
{
	tcb->receive_held += packet_true_size(packet);
	tcp->held += packet_true_size(packet);
}

void receive_release(struct tcp *tcp, struct tcb *tcb, const struct rte_mbuf *packet)
{
	tcb->receive_held -= packet_true_size(packet);
	tcp->held -= packet_true_size(packet);
}

bool receive_fits(const struct tcp *tcp, const struct tcb *tcb, const struct rte_mbuf *packet)
{
	uint32_t size = packet_true_size(packet);
	uint32_t bytes = receive_limit(tcp) + receive_slack(tcp);

	return tcb->receive_held + size <= SMALL_PART * bytes + 2 * size;
}

bool receive_collapse(struct rte_mbuf *into, struct rte_mbuf *packet)
{
	uint32_t len = packet_len(packet);
	void *to = len < packet_true_size(packet) / SMALL_PART ? packet_append(into, len) : NULL;

	if (to == NULL)
		return false;
	if (len > 0)
		memcpy(to, packet_data(packet), len);
	return true;
}

/* ---- bytes in order
 * ------------------------------------------------------------------------------ */

static void receive_append(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet)
{
	uint32_t len = packet_len(packet);

	tcb->rcv_nxt += len;
	tcb->receive_bytes += len;
	if (len == 0 ||
	    (tcb->receive_last != NULL && receive_collapse(tcb->receive_last, packet))) {
		packet_put(packet);
		return;
	}
	receive_hold(tcp, tcb, packet);
	receive_record(packet)->next = NULL;
	if (tcb->receive_last != NULL)
		receive_record(tcb->receive_last)->next = packet;
	else
		tcb->receive_first = packet;
	tcb->receive_last = packet;
}

/* Nothing follows the FIN: what is kept as if it did was sent by a peer that is broken. */
static void receive_fin(struct tcp *tcp, struct tcb *tcb)
{
	tcb->rcv_nxt++;
	tcb->flags |= TCB_FIN_RECEIVED;
	ooo_drop(tcp, tcb);
	tcp_event(tcp, tcb, EVENT_FIN);
}

enum gw_err receive_data(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet_owned, bool fin)
{
	struct rte_mbuf *packet = packet_owned;
	uint32_t bytes = tcb->receive_bytes;

	if (packet != NULL && !receive_fits(tcp, tcb, packet))
		ooo_drop(tcp, tcb); /* it was not acknowledged; these bytes are next */
	if (packet != NULL && !receive_fits(tcp, tcb, packet)) {
		packet_put(packet);
		return GW_TCP_TRUE_SIZE;
	}
	while (packet != NULL) {
		receive_append(tcp, tcb, packet);
		packet = fin ? NULL : ooo_next(tcp, tcb, &fin);
	}
	if (tcb->receive_bytes > bytes)
		tcp_event(tcp, tcb, EVENT_READABLE);
	if (fin)
		receive_fin(tcp, tcb);
	return GW_OK;
}

const void *receive_peek(const struct tcb *tcb, uint32_t offset, uint32_t *len)
{
	struct rte_mbuf *packet = tcb->receive_first;

	while (packet != NULL && offset >= packet_len(packet)) {
		offset -= packet_len(packet);
		packet = receive_record(packet)->next;
	}
	*len = packet != NULL ? packet_len(packet) - offset : 0;
	return packet != NULL ? packet_data(packet) + offset : NULL;
}

static void receive_drop_first(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *packet = tcb->receive_first;

	tcb->receive_first = receive_record(packet)->next;
	if (tcb->receive_first == NULL)
		tcb->receive_last = NULL;
	receive_release(tcp, tcb, packet);
	packet_put(packet);
}

void receive_drop(struct tcp *tcp, struct tcb *tcb)
{
	while (tcb->receive_first != NULL)
		receive_drop_first(tcp, tcb);
	tcb->receive_bytes = 0;
	ooo_drop(tcp, tcb);
}

/* ---- the window ------------------------------------------------------------------------------ */

static uint32_t window_step(const struct tcp *tcp, const struct tcb *tcb, uint32_t segments)
{
	uint32_t mss = ip_address_is_v4(&tcb->ends.remote) ? TCP_MSS4 : TCP_MSS6;
	uint32_t half = receive_limit(tcp) / 2;

	return segments * mss < half ? segments * mss : half;
}

/* What is left of the window that was advertised. A part of a unit is rounded up, so that nothing
 * is taken back, but not for ever: a peer that sends single bytes would never fill the window. */
static uint32_t window_left(const struct tcp *tcp, const struct tcb *tcb)
{
	uint32_t part = (1u << tcb->rcv_shift) - 1;
	uint32_t left = seq_after(tcb->rcv_edge, tcb->rcv_nxt) ? tcb->rcv_edge - tcb->rcv_nxt : 0;
	uint32_t up = (left + part) & ~part;

	if (tcb->receive_bytes + up > receive_limit(tcp) + receive_slack(tcp))
		return left & ~part;
	return up;
}

/* The window that could be advertised now: a small one when packets are short, or who holds many
 * would stop all others. Its edge moves by a segment at least, or half of the
 * buffer: RFC 9293 3.8.6.2.2. */
static uint32_t window_offer(const struct tcp *tcp, const struct tcb *tcb)
{
	uint32_t limit = tcp_pressure(tcp) == 0 ? receive_limit(tcp)
						: window_step(tcp, tcb, PRESSED_SEGMENTS);
	uint32_t units =
		(limit > tcb->receive_bytes ? limit - tcb->receive_bytes : 0) >> tcb->rcv_shift;
	uint32_t room = (units < UINT16_MAX ? units : UINT16_MAX) << tcb->rcv_shift;
	uint32_t left = window_left(tcp, tcb);

	if (room < left + window_step(tcp, tcb, 1))
		return left;
	return room;
}

uint32_t receive_window(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t window = window_offer(tcp, tcb);

	tcb->rcv_edge = seq_max(tcb->rcv_edge, tcb->rcv_nxt + window);
	return window;
}

/* After the FIN nobody waits for a window. */
static void window_update(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t left = window_left(tcp, tcb);
	uint32_t offer = window_offer(tcp, tcb);

	if ((tcb->flags & TCB_FIN_RECEIVED) != 0 || offer <= left)
		return;
	if (left != 0 && offer < left + window_step(tcp, tcb, 2))
		return;
	tcb->flags |= TCB_ACK_NOW;
	tcp_want_output(tcp, tcb);
}

void receive_consume(struct tcp *tcp, struct tcb *tcb, uint32_t n)
{
	while (n > 0 && tcb->receive_first != NULL) {
		uint32_t len = packet_len(tcb->receive_first);
		uint32_t part = n < len ? n : len;

		if (part == len)
			receive_drop_first(tcp, tcb);
		else
			packet_skip(tcb->receive_first, part);
		tcb->receive_bytes -= part;
		n -= part;
	}
	window_update(tcp, tcb);
}
