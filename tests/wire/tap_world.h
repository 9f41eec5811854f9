/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_TAP_WORLD_H
#define WIRE_TAP_WORLD_H

#include "kernel_end.h"
#include "packet.h"
#include "port.h"

/** A started TAP port on interface wic0, IPv4 on the kernel's end, and a pool to send from. Its
 * queues are empty, and stay so until somebody sends. */
#define TAP_NAME "wic0"
#define TAP_STEER_BASE 40000
#define TAP_KERNEL_PORT 5060
#define TAP_OUR_PORT 5070

struct tap_world {
	struct port_info info;
	struct port *port;
	struct rte_mempool *pool;
	uint8_t kernel_mac[6];
};

/** What a world is made from; change it, and open. */
struct port_config tap_world_config(uint16_t queues);
struct tap_world tap_world_open(const struct port_config *config);
/** With one queue and nothing special. */
struct tap_world tap_world_plain(void);
/** IPv6 too. From then on the kernel joins groups, when it likes. */
void tap_world_add_v6(struct tap_world *world);
/** Every packet of pool is back. */
void tap_world_close(struct tap_world *world);

/** The next TCP or UDP packet to port that comes to the queue within a second, the caller's; NULL.
 * What else comes is given back. */
struct rte_mbuf *tap_world_receive(struct tap_world *world, uint16_t queue, uint16_t port);

/** The frame that a packet with such ports has, from host 2 to host 1 or, for raw sockets, the
 * other way. */
struct wire_frame tap_world_frame(const struct tap_world *world, enum wire_family family,
				  uint16_t source_port, uint16_t destination_port);
struct wire_frame tap_world_frame_in(const struct tap_world *world, enum wire_family family,
				     uint16_t source_port, uint16_t destination_port);

/** The frame in a packet of the pool. */
struct rte_mbuf *tap_world_packet(struct tap_world *world, const struct wire_frame *frame,
				  struct span payload);

/** The same of a datagram from TAP_OUR_PORT to TAP_KERNEL_PORT, 47 bytes. */
struct rte_mbuf *tap_world_datagram(struct tap_world *world);

/** Sends one packet by queue 0: 1, or 0 and it stays the caller's. */
uint16_t tap_world_send(struct tap_world *world, struct rte_mbuf *packet);

/** Whether the wait_fd of queue 0 would wake its worker. */
bool tap_world_readable(struct tap_world *world);

struct port_counters tap_world_counters(const struct tap_world *world, uint16_t queue);

#endif
