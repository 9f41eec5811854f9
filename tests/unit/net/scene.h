/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENE_H
#define SCENE_H

#include "frame.h"
#include "net/net.h"
#include "pipe.h"
#include "test.h"

/**
 * The stage of the stack's tests: one or two ports without a device, up to four workers with their
 * stacks, a virtual clock; other stations of the link that answer ARP and neighbour solicitations
 * when they are told to; and a record of everything the stacks tell those above.
 */

#define SCENE_WORKERS 4u
#define SCENE_PORTS 2u
#define SCENE_STATIONS 16u
#define SCENE_HEARD 8192u
#define SCENE_HELD 100u /* segments that a layer of TCP may keep, with several workers */

/* Port 0; port 1 has 198.19.0.1/24 and fd00:18:1::1/64 and no gateway. */
#define OURS4 "198.18.0.1"
#define OURS6 "fd00:18::1"
#define SECOND4 "198.18.0.2"
#define GATEWAY4 "198.18.0.254"
#define GATEWAY6 "fd00:18::fe"
#define GATEWAY_LINK_LOCAL "fe80::fe"
/* trusted: on the link, and behind the gateway */
#define PEER4 "198.18.0.10"
#define PEER6 "fd00:18::10"
#define FAR4 "198.18.5.10"
#define FAR6 "fd00:18:5::10"
/* not trusted, on the link and behind the gateway */
#define STRANGER4 "198.18.0.66"
#define STRANGER6 "fd00:18::66"
#define FOREIGN4 "198.18.9.9"
#define FOREIGN6 "fd00:18:9::9"
#define OTHER_LINK4 "198.19.0.1"
#define OTHER_PEER4 "198.19.0.10" /* trusted, on port 1's link */

struct scene_config {
	uint16_t workers, queues; /* 0: 1 */
	uint32_t ports;		  /* 0: 1 */
	uint16_t vlan;
	uint16_t steer_base;
	uint32_t ring_bytes; /* 0: 64 KiB */
	uint16_t mtu;	     /* 0: 1500 */
	bool ip_offload, l4_offload;
	bool interrupts;
	bool no_gateway;
	bool link_local_gateway; /* the IPv6 one is fe80::fe */
	bool rss, steers;	 /* the device says that it spreads flows, and keeps steer_base */
};

enum heard_kind {
	HEARD_DATAGRAM,
	HEARD_UNREACHABLE,
	HEARD_PONG,
	HEARD_ALARM,
	HEARD_CAPTURED,
	HEARD_KINDS
};

struct heard {
	enum heard_kind kind;
	uint16_t worker;
	struct endpoint local, peer; /* an alarm's "about" is peer */
	enum gw_err err;
	uint32_t id, rtt_us;
	struct captured captured;
	uint32_t len;
	uint8_t *bytes;
};

struct station {
	uint32_t port;
	struct ip_address address;
	uint8_t mac[6];
	bool silent;
	uint32_t asked; /* times it was asked for */
};

struct scene_worker {
	struct scene *scene;
	uint16_t index;
	struct stack *stack;
	struct counters counters;
};

struct scene {
	struct scene_config config;
	struct net_clock clock;
	struct net_shared *shared;
	uint32_t ports;
	struct port *port[SCENE_PORTS];
	uint8_t mac[SCENE_PORTS][6];
	uint32_t answered[SCENE_PORTS]; /* frames of port[i]->sent that stations have seen */
	uint16_t workers;
	struct scene_worker worker[SCENE_WORKERS];
	uint32_t stations;
	struct station station[SCENE_STATIONS];
	uint32_t heard_count;
	struct heard heard[SCENE_HEARD];
	bool running; /* inside stack_run_ready() */
	uint64_t random;
	struct envelope in; /* as a frame for us comes: from the gateway, our VLAN */
};

/** Nothing has run; gateways and trusted peers answer when asked. */
struct scene *scene_new(const struct scene_config *config);
/** Everybody who answers is resolved; nothing sent, nothing counted, nothing heard. */
struct scene *scene_ready(const struct scene_config *config);
/** Forgets what was sent, counted and heard. */
void scene_forget(struct scene *s);
/** Closes all and checks that every packet is back. */
void scene_free(struct scene *s);

/** A station that answers for address; its MAC ends with tail. */
struct station *scene_station(struct scene *s, uint32_t port, const char *address, uint8_t tail);
struct station *scene_station_of(struct scene *s, const char *address);
/** Stations answer what they have not seen yet of what was sent. */
void scene_stations_answer(struct scene *s);

/** receive, run_ready, transmit of one worker. */
void scene_work(struct scene *s, uint16_t worker);
/** One turn of all workers; then stations answer, and 1 ms passes. */
void scene_turn(struct scene *s);
void scene_turns(struct scene *s, uint32_t n);
/** Turns 5 ms apart. */
void scene_run_ms(struct scene *s, uint32_t ms);

/** A frame into a queue of a port. */
void scene_feed(struct scene *s, uint32_t port, uint16_t queue, const struct frame *f);
/** A datagram with port 0's default envelope into queue 0 of port 0. */
void scene_feed_udp(struct scene *s, const struct flow *flow, struct span data);

void scene_bind(struct scene *s, uint16_t worker, const char *address, uint16_t port);
enum gw_err scene_send(struct scene *s, uint16_t worker, const struct flow *flow, struct span data);

/** Of all workers. */
uint64_t scene_errors(const struct scene *s, enum gw_err err);
uint64_t scene_all_errors(const struct scene *s);
uint32_t scene_heard(const struct scene *s, enum heard_kind kind);
/** The last of a kind; fails when there is none. */
const struct heard *scene_last(const struct scene *s, enum heard_kind kind);

enum seen_kind { SEEN_OTHER, SEEN_ARP, SEEN_NDP, SEEN_ICMP, SEEN_UDP, SEEN_TCP, SEEN_FRAGMENT };

/** A frame that was sent, read; every checksum in it is right, or the test fails. */
struct seen {
	enum seen_kind kind;
	uint16_t queue;
	uint32_t len;
	struct eth_frame eth;
	struct arp_packet arp;
	struct ip_packet ip;
	struct icmp_message icmp;
	struct ndp_message ndp;
	struct udp_packet udp;
	struct tcp_packet tcp;
};
struct seen scene_seen_at(const struct scene *s, uint32_t port, uint32_t i);
/** How many frames of a kind were sent; *last is the last of them. */
uint32_t scene_seen(const struct scene *s, uint32_t port, enum seen_kind kind, struct seen *last);

/** A counter of all workers. */
#define SCENE_COUNTER(s, name) \
	(counter_read(&(s)->worker[0].counters.name) + \
	 counter_read(&(s)->worker[1].counters.name) + \
	 counter_read(&(s)->worker[2].counters.name) + \
	 counter_read(&(s)->worker[3].counters.name))

#endif
