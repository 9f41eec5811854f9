/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NET_H
#define NET_H

#include "conn.h"
#include "net/wire.h"
#include "netif.h"

/**
 * The layer of packets: one stack for each worker, over queue w of every port. Ethernet with VLAN,
 * ARP, IPv4, IPv6, neighbour discovery, ICMP and UDP; what lies above is told by callbacks, from
 * stack_run_ready() only.
 *
 * Whose is a packet: UDP and TCP to destination port steer_base + w is worker w's; UDP to a port
 * that every worker has open is whose queue it came to or, on a device with fewer queues than there
 * are workers, whose a keyed hash of the flow says; other TCP is whose layer of TCP knows it where
 * it has come, else stack_tcp_worker()'s; ARP, neighbour discovery, ICMP and
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

/* ---- for the layer of TCP
 * ------------------------------------------------------------------------- */

/** A segment for one of our addresses: read, its checksum verified. */
struct stack_segment {
	struct ip_address local, remote;
	struct tcp_packet tcp;
	/* Owned by the stack; who takes it sets *packet to NULL, and then the payload of tcp is a
	 * part of its data: packet_span() begins with the frame. */
	struct rte_mbuf **packet;
};

/** What an ICMP error says of a segment of ours (RFC 5927: believed only for bytes in flight). */
struct stack_tcp_error {
	struct ip_address local, remote;
	uint16_t local_port, remote_port;
	uint32_t seq;
	bool too_big; /* else the peer cannot be reached */
	bool soft;    /* which may pass */
	uint32_t mtu; /* too_big; 0: the router does not say */
};

/** Whose segment it is. CLAIM_KNOWN: only if it belongs to something that exists. CLAIM_ANY: ours
 * in any case. */
enum stack_claim { CLAIM_KNOWN, CLAIM_ANY };

/** Calls come from stack_receive() and, for what other workers handed over, stack_run_ready(). */
struct stack_tcp_ops {
	/** False, and nothing has changed: it is not known here (CLAIM_KNOWN only). */
	bool (*segment)(void *context, const struct stack_segment *segment, enum stack_claim claim);
	void (*error)(void *context, const struct stack_tcp_error *error);
};

/** As net_shared_config has them. */
uint16_t stack_workers(const struct stack *stack);
uint16_t stack_steer_base(const struct stack *stack); /* 0: no port is a worker's own */

/** Before this call, and with ops NULL, every segment is GW_TCP_PORT. */
void stack_tcp(struct stack *stack, const struct stack_tcp_ops *ops, void *context);

/**
 * Sends one segment from local; its payload is copied. The way is the configured next hop; to a
 * host on the link that nobody configured, the gateway. Errors, none counted:
 * GW_NET_NO_ROUTE, GW_NET_UNRESOLVED, GW_NET_TX_FULL, GW_NET_NO_PACKET, GW_NET_TOO_BIG (for the
 * link).
 */
enum gw_err GW_MUST_CHECK stack_tcp_send(struct stack *stack, const struct ip_address *local,
					 const struct ip_address *remote,
					 const struct tcp_packet *segment);

/**
 * The way from local (unspecified: chosen, and set) to remote. *mtu: of the link, IP bytes.
 * GW_NET_NO_ROUTE, GW_NET_UNRESOLVED (the way is there, and used as soon as the next hop answers).
 */
enum gw_err GW_MUST_CHECK stack_tcp_route(struct stack *stack, struct ip_address *local,
					  const struct ip_address *remote, uint16_t *mtu);

/**
 * The worker to whom segments from remote to local come: the one of a steered port; else by the
 * device's own RSS key and table, where it has told them; else by a keyed hash of ours.
 */
uint16_t stack_tcp_worker(const struct stack *stack, const struct ip_address *local,
			  uint16_t local_port, const struct ip_address *remote,
			  uint16_t remote_port);

#endif
