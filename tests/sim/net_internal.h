/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net_sim.h"

/* Shared by net_sim.c (what a worker calls) and net_wire.c (what happens between hosts) only. */

#define CONNS_MAX 1024
#define CORES_MAX 8
#define LISTENERS_MAX 16
#define INBOX_MAX 64
#define HOSTS_MAX 4
#define CALLS_PER_RUN 16
#define NO_CONN UINT32_MAX

struct sim_core;

/** One end of a TCP connection. */
struct sim_conn {
	struct conn conn;
	struct simnet *net;
	struct sim_core *core; /* NULL: free */
	uint32_t index;
	uint32_t place; /* among those of its core */
	uint32_t generation;
	uint32_t other; /* the other end's index and generation */
	uint32_t other_generation;
	const struct conn_ops *user;
	void *context;
	void *listener_context;
	struct endpoint local, peer;
	bool given;	 /* the user knows it */
	bool accept_due; /* not yet offered */
	bool connecting; /* active open under way */
	bool connected_due;
	bool paused;
	bool readable_due; /* new bytes, or a pause ended over unread ones */
	bool writable_due;
	bool starved;				/* the user saw no room */
	bool fin_wanted, fin_sent, fin_arrived; /* ours */
	bool fin_received, fin_told;		/* the peer's */
	bool ending;
	bool silent;
	enum gw_err why;
	uint64_t deadline_us;	/* the user's; 0: none */
	uint64_t connect_by_us; /* 0: none */
	uint64_t progress_us;	/* last time that a byte was taken by the peer */
	uint64_t arrives_us;	/* streams keep their order: nothing sent later arrives before */
	uint8_t *rx, *tx;
	uint32_t rx_len, rx_size, rx_flying, run;
	uint32_t tx_len, tx_sent, tx_size, reserved;
};

struct sim_listener {
	struct endpoint local;
	const struct conn_ops *user;
	void *context;
	bool open;
};

struct sim_port {
	struct endpoint local;
	const struct udp_ops *user;
	void *context;
};

struct sim_datagram {
	struct endpoint local, peer;
	bool unreachable;
	uint32_t len;
	uint8_t bytes[];
};

struct sim_core {
	struct net_core core;
	struct simnet *net;
	bool closing; /* nothing is opened any more */
	uint16_t number;
	uint32_t epoch;
	struct net_limits limits;
	const struct net_clock *clock;
	struct sim_listener listener[LISTENERS_MAX];
	uint32_t listeners;
	struct sim_port port[LISTENERS_MAX];
	uint32_t ports;
	struct sim_datagram *inbox[INBOX_MAX];
	uint32_t inbox_len;
	uint32_t live;			  /* connections of this core, given or not */
	struct sim_conn *conn[CONNS_MAX]; /* those */
	uint32_t given;
	bool running; /* inside run_ready */
};

struct simnet {
	struct sim *sim;
	struct sim_core *core[CORES_MAX];
	uint32_t cores;
	struct sim_conn conn[CONNS_MAX];
	uint32_t used; /* conns before it have been used */
	uint16_t next_port;
	struct {
		struct endpoint host;
		enum simnet_host_state state;
	} host[HOSTS_MAX];
	uint32_t hosts;
};

static inline struct sim_conn *conn_of(struct conn *conn)
{
	return (struct sim_conn *)conn;
}

static inline struct sim_core *core_of(struct net_core *core)
{
	return (struct sim_core *)core;
}

/** A contract of include/conn.h that the user broke. */
static inline void contract(const struct simnet *net, bool held, const char *what)
{
	if (!held)
		sim_broken(net->sim, "net-contract", "%s", what);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/** What comes to local comes to this port: it is bound there, or to any address. */
bool port_takes(const struct sim_port *port, const struct endpoint *local);
/** A free end for core; NULL: CONNS_MAX. Its buffers are allocated. */
struct sim_conn *wire_conn_new(struct sim_core *core);
void wire_conn_free(struct sim_conn *c);
/** The other end, or NULL when it is gone. */
struct sim_conn *wire_other(const struct sim_conn *c);
/** Ends this end; the peer learns it by a reset when tell is set. */
void wire_end(struct sim_conn *c, enum gw_err why, bool tell);
void wire_syn(struct sim_conn *c);
/** Bytes and FIN on their way, as far as the peer's window goes. */
void wire_send(struct sim_conn *c);
bool wire_can_send(const struct sim_conn *c);
/** The user has made room: a waiting sender goes on. */
void wire_window(struct sim_conn *c);
void wire_datagram(struct sim_core *from, const struct endpoint *local, const struct endpoint *peer,
		   struct span bytes);
/** Both directions are done. */
bool wire_finished(const struct sim_conn *c);

#endif
