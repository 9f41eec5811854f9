/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETIF_H
#define NETIF_H

#include "conn.h"
#include "port.h"

/**
 * What the packet back ends of all workers share, made by control at start and freed after the
 * workers and the ports: the interfaces (a port with its addresses), the neighbour table that
 * worker 0 keeps and all read, and the rings over which packets are handed to the worker they
 * belong to.
 */

#define NETIF_NAME_MAX 32
#define NETIF_ADDRESSES_MAX 16
#define NETIF_GATEWAYS_MAX 16
#define NETIFS_MAX 16

struct netif_address {
	struct endpoint address; /* port 0 */
	uint8_t prefix_len;	 /* bits */
};

/** An interface. Read-only once workers run. The port is started and stays control's. */
struct netif {
	char name[NETIF_NAME_MAX];
	const struct port_ops *ops;
	struct port *port;
	struct port_info info;
	uint16_t vlan; /* 0: untagged */
	uint32_t address_count, gateway_count;
	struct netif_address address[NETIF_ADDRESSES_MAX];
	struct endpoint
		gateway[NETIF_GATEWAYS_MAX]; /* on-link routers, first one of a family wins */
	uint32_t probe_s; /* seconds between two probes of a reachable neighbour */
};

struct net_shared_config {
	const struct netif *netif; /* copied */
	uint32_t netifs;
	uint16_t workers;
	uint16_t steer_base;   /* destination ports steer_base + w belong to worker w; 0: none do */
	uint32_t ring_bytes;   /* of each ring between two workers, a power of two */
	uint32_t neighbours;   /* next hops that can be known at a time */
	uint32_t held_packets; /* tcp_limits.held_packets of the workers */
	uint8_t hash_key[16];  /* random: spreads flows where a device has fewer queues than workers
				*/
};

struct net_shared;

/** Receive buffers of each queue: what connections may keep (tcp_limits.held_packets), and what a
 * device's ring and bursts under way take. */
static inline uint32_t netif_rx_packets(uint32_t held_packets)
{
	return held_packets + 4096;
}

/** Packets that a worker can have in the making: of each interface what it keeps back and what a
 * device holds until it has sent it, so that a dead one starves no other; and 1024 more. */
static inline uint32_t net_shared_packets(uint32_t netifs)
{
	return 1024 + netifs * (512 + 1024);
}

/** Segments that other workers have handed over, in a pool of their own: as many as connections may
 * keep, so that who keeps them is cut before others starve, and a turn's besides. */
static inline uint32_t net_shared_handed(uint32_t held_packets)
{
	return held_packets + 256;
}

/** NULL: no memory. The caller's until net_shared_free(). */
struct net_shared *net_shared_new(const struct net_shared_config *config);
/** Every worker has closed its back end and every port is closed: devices keep packets of ours
 * until then. NULL does nothing. */
void net_shared_free(struct net_shared *shared);

/** Interface i, or NULL past the end. */
const struct netif *net_shared_netif(const struct net_shared *shared, uint32_t i);

/** A next hop as it is known now. */
enum neighbour_state {
	NEIGHBOUR_NONE,	      /* no such row */
	NEIGHBOUR_INCOMPLETE, /* asked for, no answer yet */
	NEIGHBOUR_FAILED,     /* asked for several times; asking goes on */
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_PROBE, /* being asked again: the address known is used meanwhile */
	NEIGHBOUR_STALE, /* does not answer any more: the last address is kept, an alarm is raised
			  */
	NEIGHBOUR_STATES
};

struct row_neighbour {
	struct endpoint address;
	uint8_t mac[6];
	enum neighbour_state state;
	uint32_t netif;
	bool gateway;
};

/** "reachable", for people. */
const char *neighbour_state_text(enum neighbour_state state);

/** Fills rows[0..max) and returns how many. Any thread. */
uint32_t net_shared_neighbours(const struct net_shared *shared, uint32_t max,
			       struct row_neighbour *rows);

/* ---- what a packet back end tells besides connections and datagrams -----------------------------
 */

/** A filter for capture: classic BPF over the Ethernet frame, as libpcap compiles it. */
struct capture_insn { /* as struct bpf_insn */
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
#define CAPTURE_INSNS_MAX 512

struct capture_filter {
	uint32_t count; /* 0: everything */
	uint32_t snap;	/* bytes of a frame that are kept */
	struct capture_insn insn[CAPTURE_INSNS_MAX];
};

/** A frame that a filter let through. */
struct captured {
	uint32_t netif;
	bool sent;    /* by us */
	uint32_t len; /* of the frame; the span may be shorter */
};

/** A connection of packets that has ended otherwise than its ends wanted. */
struct net_broken {
	struct handle conn; /* it is no more */
	struct endpoint local, peer;
	enum gw_err why;
	struct span trace; /* what it did last, as text for people; at most NET_TRACE_MAX bytes */
};
#define NET_TRACE_MAX 640u

struct net_events {
	/** A ping was answered (GW_OK), or not in time (GW_TIMEOUT), or its sender refused it. */
	void (*pong)(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us);
	/** bytes are borrowed for the call. */
	void (*captured)(void *context, const struct captured *captured, struct span bytes);
	/** Something that the operator must know: GW_NEIGHBOUR_LOST, GW_NEIGHBOUR_MOVED,
	 * GW_NEIGHBOUR_FOUND, GW_ADDRESS_CONFLICT. */
	void (*alarm)(void *context, enum gw_err what, const struct endpoint *about);
	/** The peer fell silent, or reset a connection while losses were made good: of at most ten
	 * in a second. Borrowed for the call. */
	void (*broken)(void *context, const struct net_broken *broken);
};

#endif
