/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OWNER_H
#define OWNER_H

#include "net/stack.h"

/*
 * Worker 0's work for all, inside of it. owner.c: clock, announcements, neighbours; owner_arp.c,
 * owner_ndp.c: the two protocols; owner_icmp.c: echo and errors; owner_ping.c: an operator's pings.
 */

/** For neighbour_answer(). Context: the stack. */
extern const struct neighbour_ops owner_neighbour_ops;

/** Somebody else has our address: an alarm, once a second, and we say again that it is ours, once
 * in ten. */
void owner_conflict(struct stack *stack, const struct ip_address *address);

/** Asks who has address; mac NULL: everybody. */
void owner_arp_ask(struct stack *stack, struct stack_netif *nif, const struct ip_address *address,
		   const uint8_t mac[6]);
void owner_ndp_ask(struct stack *stack, struct stack_netif *nif, const struct ip_address *address,
		   const uint8_t mac[6]);

/** Asks whether anybody has our address, or (tell) says that we have. */
void owner_arp_announce(struct stack *stack, struct stack_netif *nif,
			const struct ip_address *address, bool tell);
void owner_ndp_probe(struct stack *stack, struct stack_netif *nif,
		     const struct ip_address *address);
/** Advertises our address to dst, solicited when dst is one host. */
void owner_ndp_advertise(struct stack *stack, struct stack_netif *nif,
			 const struct ip_address *address, const struct ip_address *dst,
			 const uint8_t mac[6]);
/** A solicitation or advertisement. */
void owner_ndp(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth,
	       const struct ip_packet *ip, const struct icmp_message *message);

/** Sends what can be sent, and ends what is late. */
void owner_pings(struct stack *stack);
uint64_t owner_pings_next_us(const struct stack *stack);
/** An echo reply. */
void owner_pong(struct stack *stack, const struct ip_packet *ip,
		const struct icmp_message *message);

#endif
