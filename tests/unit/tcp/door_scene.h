/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOOR_SCENE_H
#define DOOR_SCENE_H

#include "tcp/tcb.h"

/**
 * What stands before and after a connection, on a stage: real tables, sources, cookies, half-open
 * connections and TIME-WAITs of one instance, on a clock that stands still until it is moved; a
 * link that remembers what is sent, and a connection that only remembers what it was given.
 */

#define DOOR_SENT 16u
#define DOOR_PORT 443u
#define DOOR_SECOND 1000000ull

struct door {
	struct tcp tcp; /* first: the fakes find the door by it */
	struct counters counters;
	struct net_clock clock;
	uint64_t random;
	/* link */
	struct tcp_packet sent[DOOR_SENT]; /* the last ones, by number modulo DOOR_SENT */
	struct ip_address sent_from, sent_to;
	uint32_t sends;
	enum gw_err send_err, route_err;
	uint16_t mtu;
	uint16_t workers; /* the link spreads tuples over so many */
	/* connections */
	uint32_t pressure;
	bool no_tcb;
	uint32_t refused, accepted, inputs;
	uint32_t rtt_us;
	bool recovery_ready;
	struct tcb *tcb; /* the last one made */
};

extern const struct tcp_limits door_limits;

/** limits: NULL for door_limits. Listens to DOOR_PORT of any address. */
void door_open(struct door *door, const struct tcp_limits *limits);
void door_close(struct door *door);
void door_wait_ms(struct door *door, uint64_t ms);
/** Waits too, and runs all that comes due on the way, in steps as a worker does. */
void door_live_ms(struct door *door, uint64_t ms);

/** Below 2^24: of 10/8. */
struct ip_address door_v4(uint32_t host);
struct ip_address door_v6(uint64_t prefix, uint64_t host);
/** A segment of host's port for DOOR_PORT; without options. */
struct tcp_arrival door_segment(const struct ip_address *host, uint16_t port, uint8_t flags);
/** A SYN as phones send it: MSS 1460, scale 7, SACK, timestamps. */
struct tcp_arrival door_syn(const struct ip_address *host, uint16_t port, uint32_t seq);
/** The segment that answers the last one sent, with what comes behind syn. */
struct tcp_arrival door_ack(const struct door *door, const struct tcp_arrival *syn);
struct tcp_arrival door_data(const struct door *door, const struct tcp_arrival *syn);

const struct tcp_packet *door_last(const struct door *door);
uint64_t door_errors(const struct door *door, enum gw_err err);

#endif
