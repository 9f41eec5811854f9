/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STACK_WORLD_H
#define STACK_WORLD_H

#include "net/net.h"
#include "net/wire.h"
#include "netif.h"
#include "oracle.h"

/**
 * What the stack's fuzz target plays with: one port over heap packets, up to three workers, a
 * clock; and what must be true of all that comes out of them.
 */

#define WORLD_WORKERS 3u
#define WORLD_HOSTS 7u
#define WORLD_MTU 1500u
#define WORLD_FRAME 2048u
#define WORLD_BASE 5070u   /* the workers' own ports */
#define WORLD_SHARED 5060u /* every worker has it open */

enum world_host {
	HOST_PEER,
	HOST_FAR,
	HOST_STRANGER,
	HOST_FOREIGN,
	HOST_GATEWAY,
	HOST_OURS,
	HOST_SECOND
};

struct world_config {
	uint16_t workers, queues, vlan;
	bool offload, interrupts, tcp;
};

/* A datagram that was put on the wire, or that a user sent to himself. */
struct world_datagram {
	struct ip_address local, peer;
	uint16_t local_port, peer_port;
	uint32_t len;
	uint64_t hash;
	bool taken;
};
#define WORLD_DATAGRAMS 512u
#define WORLD_KEPT 16u /* segments that the layer of TCP keeps at a time */

struct world_worker {
	struct world *world;
	struct stack *stack;
	struct counters counters;
	uint64_t before[sizeof(struct counters) / sizeof(uint64_t)];
};

/* A question that the stack has asked, and its last ping. */
struct world_question {
	bool asked, v6;
	struct ip_address target, from;
	uint16_t echo_id, echo_sequence;
	struct ip_address echo_dst;
};

struct world {
	struct world_config config;
	struct net_clock clock;
	uint64_t start_us;
	struct net_shared *shared;
	struct port *port;
	struct world_worker worker[WORLD_WORKERS];
	bool running; /* a worker is in stack_run_ready() */
	uint64_t random;
	uint32_t datagrams;
	struct world_datagram datagram[WORLD_DATAGRAMS];
	uint64_t fed, fragments, reassembled, errors, unreachables, sent_by_script, out;
	uint64_t segments_fed, segments, tcp_errors;
	struct rte_mbuf *kept[WORLD_KEPT];
	struct world_question question;
};

extern const uint8_t world_mac[6];
struct ip_address world_address(enum world_host host, bool v6);

struct world *world_new(const struct world_config *config);
/** Every packet must be back. */
void world_free(struct world *w);

/** A frame into a queue; what it may lead to is noted. */
void world_feed(struct world *w, uint16_t queue, struct span frame, enum packet_checksum ip,
		enum packet_checksum l4);
void world_work(struct world *w, uint16_t worker);
void world_send(struct world *w, uint16_t worker, enum world_host to, bool v6, uint32_t len);
/** How many frames the device takes from now on. */
void world_takes(struct world *w, uint32_t frames);

/* ---- stack_judge.c: what comes out, and whether it may ----------------------------------------
 */

extern const struct udp_ops world_udp_ops; /* context: the worker */
extern const struct net_events world_events;
bool world_is_ours(const struct ip_address *a);
/** Byte i of what a user of ours writes, len bytes of it. */
static inline uint8_t world_byte(uint32_t len, uint32_t i)
{
	return (uint8_t)(len + i * 13);
}
/** This datagram may be heard of, once. */
void world_note(struct world *w, const struct ip_packet *ip, const struct udp_packet *udp);
/** What a frame may lead to that is fed. */
void world_note_fed(struct world *w, struct span frame, enum packet_checksum ip_checksum,
		    enum packet_checksum l4_checksum);
/** A frame that the device takes. */
void world_see(struct world *w, struct rte_mbuf *packet);
/* ---- stack_tcp.c: the layer of TCP ------------------------------------------------------------
 */

void world_tcp_open(struct world *w);
/** Gives back what was kept. */
void world_tcp_close(struct world *w);
void world_tcp_send(struct world *w, uint16_t worker, enum world_host to, bool v6, uint32_t len);
/** A segment that goes out. */
void world_tcp_check_out(const struct ip_packet *ip, enum packet_checksum checksum);

/** Counters have not gone back, and not more frames went out than may. */
void world_check(struct world *w);

#endif
