/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECEIVE_WORLD_H
#define RECEIVE_WORLD_H

#include "tcp/tcb.h"

/** A connection that only receives: receive.c and ooo.c with what they ask of tcp.c played. */
struct receive_world {
	struct tcp tcp; /* first: the functions that are played find the world by it */
	struct tcb tcb;
	struct net_clock clock;
	struct rte_mempool *pool;
	uint32_t pressure;
	uint32_t outputs; /* calls of tcp_want_output() */
};

#define WORLD_PACKETS 4096u

/** nxt: the first sequence number; the window begins as limit bytes, at most 65535. */
struct receive_world *receive_world_new(uint32_t nxt, uint32_t limit);
/** Drops what is held. False: packets or accounts are out of balance. */
bool receive_world_free(struct receive_world *w);
/** A packet with len bytes, each what receive_world_byte() says of its sequence number. */
struct rte_mbuf *receive_world_packet(struct receive_world *w, uint32_t seq, uint32_t len,
				      uint8_t salt);
uint8_t receive_world_byte(uint32_t seq, uint8_t salt);
/** Bytes at rcv_nxt, or behind it, as tcp_in.c would give them. */
enum gw_err receive_world_in(struct receive_world *w, uint32_t seq, uint32_t len, bool fin);
/** The accounts are what the packets in both queues cost, and the pool has no more out. */
bool receive_world_balanced(const struct receive_world *w);

#endif
