/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MILL_H
#define MILL_H

#include "packet.h"
#include "port.h"

/**
 * A port without a device whose queues make their frames themselves, as many as they are asked for:
 * datagrams of a peer to the ports of workers at random, each with its number. Its wait_fd is real,
 * so that workers can sleep on it, and each queue has one thread, so that a race that is seen is
 * one of the stacks. It answers when it is asked for the peer's MAC.
 */
#define MILL_OURS "198.18.0.1"
#define MILL_PEER "198.18.0.2"
#define MILL_PORT 5070 /* + w: worker w's */
#define MILL_WORKERS 4u
#define MILL_QUEUES 2u

/** What a datagram of the mill says. */
struct mill_word {
	uint16_t queue;	   /* that it came from */
	uint16_t hops;	   /* how often it shall be sent on */
	uint32_t sequence; /* of what the queue had for this worker, from 1 */
};

/** A started port; ops are port_mill. NULL: no memory or descriptors. */
struct port *mill_new(uint64_t seed, struct port_info *info);
/** Lets a queue have n more frames. Any thread. */
void mill_feed(struct port *port, uint16_t queue, uint64_t n);
/** Datagrams for the peer that a queue has sent. Any thread. */
uint64_t mill_sent(const struct port *port, uint16_t queue);

/** A number below sides (SplitMix64). */
uint32_t mill_roll(uint64_t *random, uint32_t sides);

extern const struct port_ops port_mill;

#endif
