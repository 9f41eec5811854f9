/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NET_H
#define NET_H

#include "conn.h"
#include "netif.h"

/**
 * The layer of packets: one stack for each worker, over queue w of every port. Ethernet with VLAN,
 * ARP, IPv4, IPv6, neighbour discovery, ICMP and UDP; what lies above is told by callbacks, from
 * stack_run_ready() only.
 *
 * Whose is a packet: UDP and TCP to destination port steer_base + w is worker w's; UDP to a port
 * that every worker has open is whose queue it came to or, on a device with fewer queues than there
 * are workers, whose a keyed hash of the flow says; ARP, neighbour discovery, ICMP and
 * fragments are worker 0's, who owns the neighbour table. What comes to another worker's queue is
 * copied, bounded, into the ring to its owner. A worker that has no queue of a port (the device has
 * fewer) hands its own packets to the worker of queue w mod queues, which sends them.
 *
 * Bounds: STACK_READY datagrams between receive and run_ready; STACK_BACKLOG packets that the
 * device has not taken; rates of ICMP. Everything dropped is counted under its gw_err.
 */
struct stack;

#define STACK_PORTS 16u	   /* UDP ports of one worker */
#define STACK_READY 512u   /* datagrams of one turn */
#define STACK_BACKLOG 512u /* packets a device has not taken yet, of one port */
#define STACK_PEERS_MAX 128u

/** Makes the stack of config->worker over config->shared. GW_NO_MEMORY, GW_SYSTEM. */
enum gw_err GW_MUST_CHECK stack_new(const struct net_config *config, struct stack **made);
/** Gives every packet back. NULL does nothing. */
void stack_free(struct stack *stack);

/** Takes bursts of every port and packets of other workers, bounded; works off ARP, ICMP and
 * timers; calls nobody above. */
void stack_receive(struct stack *stack);
/** Hands datagrams up. */
void stack_run_ready(struct stack *stack);
/** Offers the devices what waits. */
void stack_transmit(struct stack *stack);
/** Nothing is ready, nothing waits that a device would take now, and the last receive found less
 * than a full burst. */
bool stack_idle(const struct stack *stack);
uint64_t stack_next_us(const struct stack *stack);

/** See net_sleep_begin(), net_sleep_end(), net_wait_fd(). */
uint64_t GW_MUST_CHECK stack_sleep_begin(struct stack *stack);
void stack_sleep_end(struct stack *stack);
int stack_wait_fd(const struct stack *stack);

/** See net_udp_bind(), net_peers(), net_ping(), net_capture(). */
enum gw_err GW_MUST_CHECK stack_udp_bind(struct stack *stack, const struct endpoint *local,
					 const struct udp_ops *ops, void *context);
void stack_peers(struct stack *stack, const struct endpoint *peers, uint32_t count);
enum gw_err GW_MUST_CHECK stack_ping(struct stack *stack, const struct endpoint *peer, uint32_t id);
enum gw_err GW_MUST_CHECK stack_capture(struct stack *stack, const struct capture_filter *filter);

/**
 * Sends one datagram, in fragments when it is longer than the path MTU. Errors, each counted by the
 * caller: GW_SYSTEM (no such port), GW_NET_NO_ROUTE, GW_NET_UNRESOLVED (no answer of the next hop
 * yet), GW_NET_TOO_BIG (to one of our own addresses: longer than a packet), GW_NET_TX_FULL,
 * GW_NET_NO_PACKET.
 */
enum gw_err GW_MUST_CHECK stack_udp_send(struct stack *stack, const struct endpoint *local,
					 const struct endpoint *peer, struct span bytes);

#endif
