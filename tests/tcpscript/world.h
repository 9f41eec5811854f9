/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORLD_H
#define WORLD_H

#include "script.h"
#include "tcp/tcp.h"

/**
 * The world of one packet script: one struct tcp under a virtual clock, the link below it, the
 * peers who speak to it, and the user above it. Deterministic: nothing of it reads a clock or
 * draws a number that the script does not fix.
 */

#define WORLD_PEERS 1200u
#define WORLD_SENT 512u
#define WORLD_EVENTS 4096u
#define WORLD_PAYLOAD_MAX 1500u

/** What a conn_ops callback said. */
enum event_kind {
	HEARD_ACCEPT,
	HEARD_CONNECTED,
	HEARD_READABLE,
	HEARD_WRITABLE,
	HEARD_FIN,
	HEARD_DEADLINE,
	HEARD_CLOSED,
	HEARD_KINDS
};

/** What the user does inside of a callback ("app: when ..."). */
struct reaction {
	char *word[4];
	uint32_t words, turn;
};

/** One peer, and our connection with it. */
struct peer {
	uint32_t label;
	bool used, has_iss, had_iss, has_ts;
	struct ip_address local, remote;
	uint16_t local_port, remote_port;
	uint16_t window;	      /* the last they told: of a segment that says none */
	uint32_t irs;		      /* theirs: what the script's 0 is */
	uint32_t iss, iss_before;     /* ours: known by our first SYN */
	uint32_t ts_base;	      /* our first timestamp */
	uint32_t ts_last;	      /* and our last */
	bool has_scale[2], scaled[2]; /* the scale was offered: by us, by them */
	uint8_t scale[2];
	bool has_edge[2]; /* right edges of the windows that we and they have told */
	uint32_t edge[2];
	struct conn *conn;	/* NULL: not known to the user (any more) */
	bool open;		/* closed() is owed */
	uint32_t read, written; /* bytes of the stream */
	struct reaction when[HEARD_KINDS];
};

struct sent {
	uint64_t at_us;
	struct peer *peer; /* NULL: to nobody the script knows */
	struct tcp_packet segment;
	uint8_t payload[WORLD_PAYLOAD_MAX];
};

struct heard {
	uint64_t at_us;
	struct peer *peer;
	enum event_kind kind;
	enum gw_err why;
};

struct world {
	struct net_clock clock;
	struct counters counters;
	struct tcp_config config;
	struct tcp_limits limits;
	struct tcp *tcp; /* NULL: not begun */
	struct rte_mempool *receive_pool;
	uint64_t random;
	bool v6;
	enum wrap { WRAP_NONE, WRAP_ISS, WRAP_STAMPS } wrap; /* what the clock is moved for */
	uint32_t wish;					     /* what it shall be, of label 1 */
	uint32_t irs;					     /* of new peers */
	uint16_t mtu;
	enum gw_err send_err, route_err;
	int64_t send_left; /* segments until send_err counts; -1: no bound */
	bool ran_ready;	   /* of this turn: the first half is over */
	bool pending;	   /* a turn has begun */
	struct peer peer[WORLD_PEERS];
	struct sent sent[WORLD_SENT];
	uint32_t sent_count;
	uint64_t sent_total;
	struct heard heard[WORLD_EVENTS];
	uint32_t heard_count;
	char error[512]; /* what the world itself found wrong; empty: nothing */
};

/** Everything before the first struct tcp: what "config:" changes. */
void world_init(struct world *world);
/** Makes the struct tcp. */
bool world_begin(struct world *world);
/** Frees all, and looks whether all was given back. */
bool world_end(struct world *world);
bool world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct peer *world_peer(struct world *world, uint32_t label);
struct peer *world_peer_at(struct world *world, const struct ip_address *local, uint16_t local_port,
			   const struct ip_address *remote, uint16_t remote_port);

/** A turn: its first half, up to the user's callbacks, and its second, in which TCP sends. */
void world_first_half(struct world *world);
void world_finish_turn(struct world *world);
/** Lets time pass, a turn at each deadline. stop_at_sent: until something is sent. */
bool world_run_until(struct world *world, uint64_t until_us, bool stop_at_sent);
bool world_run_to_event(struct world *world, uint64_t until_us, uint32_t events);

/** The byte at an offset of either stream. */
static inline uint8_t world_byte(uint32_t offset)
{
	return (uint8_t)(offset * 31 + (offset >> 8));
}

/** A segment of the peer, as bytes, is read and handed in. */
bool world_inject(struct world *world, struct peer *peer, const struct line *line);
/** For link.c: a segment that TCP sends. */
extern const struct tcp_link world_link;
/** Why the oldest segment sent is not what line says; NULL: it is. Takes it. */
const char *world_expect(struct world *world, struct peer *peer, const struct line *line);
void world_sent_text(const struct sent *sent, char *text, uint32_t size);

/** "app: ..." of a peer; words begin behind "app:". */
bool world_app(struct world *world, struct peer *peer, char *const *word, uint32_t words,
	       uint32_t turn);

#endif
