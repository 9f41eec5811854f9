/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PIPE_H
#define PIPE_H

#include "packet.h"
#include "port.h"

/**
 * A port without a device, over heap packets: the test puts frames into its receive queues and
 * finds what was sent. It takes as much as it is told to, so that back-pressure can be seen.
 */
extern const struct port_ops port_pipe;

#define PIPE_QUEUES 4u
#define PIPE_FRAMES 1024u

struct pipe_sent {
	uint16_t queue;
	uint32_t len;
	uint8_t *bytes;
	bool offloaded;
	struct packet_offload offload;
};

struct port {
	uint16_t queues;
	struct rte_mempool *pool;
	struct rte_mbuf *rx[PIPE_QUEUES][PIPE_FRAMES];
	uint32_t rx_at[PIPE_QUEUES], rx_count[PIPE_QUEUES];
	struct pipe_sent sent[PIPE_FRAMES];
	uint32_t sent_count;
	uint32_t takes;	 /* frames that tx_burst accepts before it is full */
	bool interrupts; /* arm() works, after a fashion: wait_fd is -1 */
	uint32_t armed;
};

struct port *pipe_new(uint16_t queues);
/** A frame into a receive queue; the checksums are not looked at. */
void pipe_feed(struct port *port, uint16_t queue, struct span frame);
void pipe_feed_checked(struct port *port, uint16_t queue, struct span frame,
		       enum packet_checksum ip, enum packet_checksum l4);
/** Forgets what was sent. */
void pipe_clear(struct port *port);
struct span pipe_sent_frame(const struct port *port, uint32_t i);

#endif
