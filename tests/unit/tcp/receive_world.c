/* SPDX-License-Identifier: BSD-3-Clause */
#include "receive_world.h"

#include <stdlib.h>

/* ---- what is played of tcp.c ----------------------------------------------------------------- */

uint32_t tcp_pressure(const struct tcp *tcp)
{
	return ((const struct receive_world *)tcp)->pressure;
}

void tcp_event(struct tcp *tcp, struct tcb *tcb, enum tcb_event event)
{
	(void)tcp;
	tcb->events |= (uint8_t)event;
}

void tcp_want_output(struct tcp *tcp, struct tcb *tcb)
{
	(void)tcb;
	((struct receive_world *)tcp)->outputs++;
}

/* ---- the world ------------------------------------------------------------------------------- */

struct receive_world *receive_world_new(uint32_t nxt, uint32_t limit)
{
	struct receive_world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	w->pool = packet_pool_new("receive", WORLD_PACKETS, 0, -1);
	w->tcp.config.net.limits.receive_bytes = limit;
	w->tcp.config.net.clock = &w->clock;
	w->tcb.rcv_nxt = nxt;
	w->tcb.rcv_edge = nxt + (limit < UINT16_MAX ? limit : UINT16_MAX);
	w->tcb.rcv_shift = TCP_SHIFT;
	w->tcb.flags = TCB_SACK;
	w->tcb.ends.remote = ip_address_v4((const uint8_t[]){198, 18, 0, 10});
	return w;
}

bool receive_world_free(struct receive_world *w)
{
	bool balanced = receive_world_balanced(w);

	receive_drop(&w->tcp, &w->tcb);
	balanced = balanced && receive_world_balanced(w) && packet_pool_live(w->pool) == 0 &&
		   w->tcb.receive_bytes == 0;
	packet_pool_free(w->pool);
	free(w);
	return balanced;
}

uint8_t receive_world_byte(uint32_t seq, uint8_t salt)
{
	return (uint8_t)((seq * 167u >> 3) ^ seq ^ salt);
}

struct rte_mbuf *receive_world_packet(struct receive_world *w, uint32_t seq, uint32_t len,
				      uint8_t salt)
{
	struct rte_mbuf *packet = packet_get(w->pool);
	uint8_t *to = packet != NULL ? packet_append(packet, len) : NULL;

	if (to == NULL)
		abort();
	for (uint32_t i = 0; i < len; i++)
		to[i] = receive_world_byte(seq + i, salt);
	return packet;
}

enum gw_err receive_world_in(struct receive_world *w, uint32_t seq, uint32_t len, bool fin)
{
	struct rte_mbuf *packet = len > 0 ? receive_world_packet(w, seq, len, 0) : NULL;

	w->tcp.work = 0;
	if (seq == w->tcb.rcv_nxt)
		return receive_data(&w->tcp, &w->tcb, packet, fin);
	return ooo_add(&w->tcp, &w->tcb, packet, seq, fin);
}

bool receive_world_balanced(const struct receive_world *w)
{
	uint32_t held = 0, packets = 0, ooo = 0, bytes = 0;

	for (struct rte_mbuf *p = w->tcb.receive_first; p != NULL; p = receive_record(p)->next) {
		held += packet_true_size(p);
		bytes += packet_len(p);
		packets++;
	}
	for (struct rte_mbuf *p = w->tcb.ooo_first; p != NULL; p = receive_record(p)->next) {
		held += packet_true_size(p);
		packets++;
		ooo++;
	}
	return held == w->tcb.receive_held && held == w->tcp.held && ooo == w->tcb.ooo_packets &&
	       packets == packet_pool_live(w->pool) && bytes == w->tcb.receive_bytes;
}
