/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MATRIX_NODE_H
#define MATRIX_NODE_H

#include "netif.h"

/** A worker with nothing above its back end: packets on a port, or kernel sockets. It is host 2 of
 * 198.18.0.0/24 and fd00:18::/64; whoever it talks to is host 1, or behind it. */
#define NODE_OURS_4 "198.18.0.2"
#define NODE_OURS_6 "fd00:18::2"
#define NODE_PEER_4 "198.18.0.1"
#define NODE_PEER_6 "fd00:18::1"
#define NODE_PORT 4000

struct node_config {
	const char *device; /* of a port; NULL: kernel sockets */
	uint64_t seed;
	struct net_limits limits;
	struct tcp_limits tcp;
};

struct node {
	const struct port_ops *ops;
	struct port *port;
	struct port_info info;
	struct net_shared *shared;
	struct net_core *core;
	struct net_clock clock;
	struct counters counters;
	struct tcp_limits tcp;
	uint64_t random;
};

/** Room for a few connections, with the product's times. */
struct node_config node_config_small(void);
/** EAL without devices and without huge pages, for a port; the thread runs where it ran before. -1:
 * it cannot. */
int node_eal(uint32_t megabytes);
/** 0, or -1 with the reason on stderr. */
int node_open(struct node *node, const struct node_config *config);
void node_close(struct node *node);

/** Takes in, calls back, sends; the caller may do more between the first two and the last. */
void node_receive(struct node *node);
void node_transmit(struct node *node);
/** Until something happens at the back end or at fd, or until until_us. */
void node_sleep(struct node *node, int fd, uint64_t until_us);

/** ours: else the peer's. */
enum node_who { NODE_US, NODE_PEER };
struct endpoint node_endpoint(enum node_who who, bool v6, uint16_t port);

#endif
