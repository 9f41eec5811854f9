/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCPSIM_H
#define TCPSIM_H

#include <stdio.h>

#include "plan.h"
#include "tcp/tcb.h"

/**
 * Two instances of packet TCP, the network between them, what their users do, and somebody beside
 * the path: one thread, a virtual clock, and a seed that decides everything (TCP.md 8.3).
 *   plan.c   what a seed means        flight.c  what is under way, by time of arrival
 *   path.c   what a network does      edit.c    what middleboxes do to a segment
 *   host.c   an instance and its turn app.c     a user of a connection
 *   attack.c who does not see packets check.c   invariants    lint.c  those of a segment sent
 *   world.c  the run
 */

#define HOSTS 2u
#define CONNECTIONS_MAX 32u /* of a host: shadows of invariants */
#define ARRIVALS_MAX 1024u  /* a host holds between turns */
#define SEGMENT_MAX 2048u   /* bytes of an IP packet */

/* ---- what is under way -------------------------------------------------------------------------
 */

/** A packet between hosts, or an ICMP error for one. */
struct flight {
	uint64_t at_us;
	uint64_t order; /* of what comes at the same time */
	uint8_t to;
	bool attack; /* of who does not see packets */
	bool extra;  /* came into being on the way: duplicates, resets, answers to errors */
	bool is_icmp;
	struct tcp_icmp icmp;
	uint32_t len;
	uint8_t bytes[];
};

struct flights {
	struct flight **heap;
	uint32_t count, room;
	uint64_t order;
};

struct flight *flight_new(uint32_t len);
/** Takes flight. */
void flights_add(struct flights *flights, struct flight *flight_owned);
/** NULL when there is none; else the first, still in it. */
struct flight *flights_first(const struct flights *flights);
/** The first; the caller's. */
struct flight *flights_take(struct flights *flights);
void flights_free(struct flights *flights);

/* ---- paths -------------------------------------------------------------------------------------
 */

/** From host `from` to the other: its state. */
struct path {
	const struct path_plan *plan;
	struct draw draw;
	uint8_t from;
	bool bad; /* in a burst of loss */
	uint64_t last_at_us;
	uint64_t free_at_us; /* of the queue */
	uint64_t outage_from_us, outage_to_us;
	uint32_t packets;
	bool tail_done;
};

/* ---- hosts and users ---------------------------------------------------------------------------
 */

struct world;
struct pair;

/** A user of one end of a connection. */
struct app {
	struct world *world;
	struct pair *pair;
	const struct app_plan *plan;
	uint8_t side; /* 0: the client, 1: the server */
	uint8_t host;
	struct conn *conn; /* NULL: not yet, or no more */
	bool opened, established, closed, fin_seen, shut, aborted, wants_writable, paused;
	bool gave_up; /* its deadline came: nobody did anything for long */
	bool cut;     /* ended by the world, at the end of the run */
	enum gw_err why;
	uint64_t sent, received, fin_at; /* bytes; fin_at: sent when it shut down */
	uint32_t piece;			 /* bytes of this write that are written */
	uint64_t next_us;		 /* it does something on its own; UINT64_MAX: nothing */
	uint64_t opened_us, think_until_us, read_until_us;
	uint64_t tail_sent_us, tail_limit_us;
	uint32_t tail_una;
	struct draw draw;
};

struct pair {
	const struct pair_plan *plan;
	struct app app[2];
	struct endpoint ends[2]; /* address and port of the client, of the server */
	uint32_t accepts;
	uint32_t chain;	    /* ACKs that only answered ACKs, in a row */
	uint32_t allowance; /* of those */
};

/** What a connection was like when it was looked at last. */
struct shadow {
	uint32_t generation;
	uint32_t snd_una, snd_nxt, snd_end, rcv_nxt, rcv_edge;
	uint32_t ssthresh, recover;
	uint64_t undone;    /* of the host */
	uint32_t peer_edge; /* highest that the peer has ever allowed */
	uint8_t phase, state;
	bool edge_known, advertised_known, looked;
	uint32_t advertised; /* right edge of our window, as last told */
};

struct host {
	struct world *world;
	const struct host_plan *plan;
	uint8_t index;
	struct ip_address address[2]; /* IPv4, IPv6 */
	struct tcp *tcp;
	struct net_clock clock;
	uint64_t clock_from_us; /* of the host, when the world's was 0 */
	struct counters counters;
	struct tcp_limits limits;
	struct rte_mempool *rx_pool;
	struct draw draw, secrets;
	uint64_t wake_us, stalled_us, ready_us; /* of the world; ready_us: no turn before */
	uint64_t sends;
	uint32_t tx_left;  /* packets the device takes in this turn */
	enum gw_err route; /* what is said of every way; GW_OK but for a fuzzer */
	struct flight *arrival[ARRIVALS_MAX];
	uint32_t arrivals;
	/* of a turn */
	bool telling; /* users may be called */
	uint32_t in, in_extra, out_data, out_bare;
	bool in_plain;			 /* only ACKs without data came */
	uint64_t progress, progress_was; /* goes up with everything that is no packet */
	uint32_t idle_turns;
	struct shadow shadow[CONNECTIONS_MAX];
};

struct attack {
	struct draw draw;
	uint64_t next_us;
	uint32_t left, floods_left;
};

struct totals {
	uint64_t segments, retransmits, turns, finished, aborted, attacks, bytes;
};

struct world {
	struct plan plan;
	uint64_t now_us;
	struct flights flights;
	struct path path[HOSTS];
	struct host host[HOSTS];
	struct pair pair[PAIRS_MAX];
	struct attack attack;
	uint64_t hash; /* of every byte sent and when */
	struct totals totals;
	bool verbose, ending;
	FILE *pcap;
	bool failed;
	uint32_t invariant;
	char why[256];
};

/** Notes the first thing that does not hold; number: of TCP.md 8.3, 0: of the connection API. */
void violate(struct world *world, uint32_t number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- parts -------------------------------------------------------------------------------------
 */

/** Writes an IP packet with a segment; its length, 0 when it does not fit. */
uint32_t segment_write(uint8_t *bytes, const struct ip_address *src, const struct ip_address *dst,
		       const struct tcp_packet *segment);
struct segment {
	enum gw_err err;
	struct ip_packet ip;
	struct tcp_packet tcp;
};
struct segment segment_read(struct span bytes);
/** A line of the log. */
void segment_log(const struct world *world, const char *what, uint8_t from, struct span bytes);
void pcap_begin(FILE *file);
void pcap_packet(struct world *world, struct span bytes);

void path_open(struct world *world, uint8_t from);
/** A packet leaves a host. */
void path_send(struct path *path, struct world *world, struct span bytes);
/** What a middlebox makes of a segment; its length. Bytes has room for SEGMENT_MAX. */
uint32_t edit_apply(struct path *path, struct world *world, uint8_t *bytes, uint32_t len);
/** One bit is turned over; with the checksum made right again, it is one of the TCP header. */
void edit_flip(struct path *path, uint8_t *bytes, uint32_t len);
uint32_t edit_forge(struct path *path, uint8_t *bytes, uint32_t len);
/** Segments that came together become one, as LRO does. */
void edit_merge(struct world *world, struct flight **arrival, uint32_t *count);

void host_init(struct world *world, uint8_t index);
bool host_open(struct host *host);
void host_turn(struct host *host);
void host_close(struct host *host);
/** Time of the host's clock, in the world's. */
uint64_t host_world_us(const struct host *host, uint64_t host_us);

extern const struct conn_ops app_ops;
void app_init(struct world *world, uint32_t pair, uint8_t side);
/** What it does on its own at this time. */
void app_act(struct app *app);
void app_end(struct app *app);
/** The app that has this connection, or NULL. */
struct app *app_of(struct world *world, const struct conn *conn);
/** Byte `at` of what a side sends. */
uint8_t app_byte(const struct app *app, uint64_t at);
/** What it still has to say or hear; nothing of it is left when the run ends well. */
bool app_over(const struct app *app);

void attack_open(struct world *world);
void attack_run(struct world *world);

/** After a turn. */
void check_host(struct host *host);
/** Around one segment: what a stranger's must not change; what it may cost. */
struct check_before {
	uint64_t undone;
	struct tcb *tcb;
	struct tcb copy;
};
void check_before(struct host *host, const struct tcp_ends *ends, struct check_before *before);
void check_after(struct host *host, const struct flight *flight, const struct check_before *before);
/** When everything is over. */
void check_end(struct world *world);
void check_told(struct world *world);
/** A segment as it leaves a host, if the device takes it. Whose it is, or NULL. */
struct app *lint_sent(struct host *host, const struct ip_address *local,
		      const struct ip_address *remote, const struct tcp_packet *segment,
		      enum gw_err err);
/** A segment has come: the window that it grants. */
void lint_came(struct host *host, const struct flight *flight, const struct tcp_ends *ends,
	       const struct tcp_packet *segment);

struct run_options {
	uint64_t seed, without;
	bool verbose;
	const char *pcap;
	struct tape *tape; /* a fuzzer's, instead of chance; NULL: chance */
	uint64_t features; /* with a tape */
};
struct run_result {
	bool failed;
	uint32_t invariant;
	char why[256];
	uint64_t hash;
	struct totals totals;
	enum plan_class class;
};
struct run_result world_run(const struct run_options *options);

#endif
