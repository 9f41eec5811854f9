/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RSS_H
#define RSS_H

#include "net/wire.h"
#include "port.h"

/** What a device does with flows that it spreads by itself, done again here (TCP.md 5.14). */

/** A flow as it is received: src is the remote end. */
struct rss_flow {
	const struct ip_address *src, *dst;
	uint16_t src_port, dst_port;
};

/** The Toeplitz hash of at most key.len - 4 bytes: a key gives no more. */
uint32_t rss_toeplitz(struct span key, struct span bytes);

/** The queue to which the device gives TCP and UDP packets of the flow. False: its key is too short
 * for the flow (16 bytes for IPv4, 40 for IPv6), or it has told no table. */
bool rss_queue(const struct port_rss *rss, const struct rss_flow *flow, uint16_t *queue);

#endif
