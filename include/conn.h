/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONN_H
#define CONN_H

#include <netinet/in.h>

#include "counters.h"
#include "gw_err.h"
#include "handle.h"
#include "span.h"

/**
 * The connection API: TCP connections and UDP ports of one worker, without sockets. Three back ends
 * keep this contract: kernel sockets (net_posix), the simulator of tests/sim, and the DPDK stack.
 * TLS and everything above never know which one runs.
 *
 * Contract, the same for every back end:
 *  - One net_core per worker; every call on it and on its connections comes from that worker's
 * thread. Nothing blocks.
 *  - Callbacks run only inside net_run_ready(). Any conn_*() is legal inside them, also
 * conn_abort() of another connection of the same core and of the connection itself.
 *  - readable is level-triggered with at most one pending: it comes again after the callback left
 * bytes unread only when new bytes arrive or reading is resumed after a pause.
 *  - closed comes exactly once and last; after it returns the pointer is dead. It comes for every
 * connection whose accept returned GW_OK or whose net_connect() returned GW_OK, whatever ended it.
 *  - Receive and send buffers are bounded. A sender that finds no room stops and waits for
 * writable.
 *  - What outlives a turn holds conn_ref(), never the pointer.
 */

/** An address and port. Family AF_INET or AF_INET6; AF_UNSPEC means "none". */
struct endpoint {
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/** Longest text of an endpoint, terminator included: "[v6 address]:65535". */
#define ENDPOINT_TEXT_MAX 64

/** Endpoints that one back end listens on. */
#define NET_LISTENERS 16u

struct conn;
struct net_core;
struct capture_filter;

/** What a connection tells its user. No entry may be NULL. context is what accept or net_connect()
 * set. */
struct conn_ops {
	/**
	 * A connection has come in on a listener. listener_context is net_listen()'s. Sets
	 * *context, or returns another value than GW_OK to refuse: the connection is reset and no
	 * further callback comes.
	 */
	enum gw_err (*accept)(struct conn *conn, void *listener_context, void **context);
	/** An active open has completed; bytes may be sent. Never called for accepted connections.
	 */
	void (*connected)(struct conn *conn, void *context);
	/** Bytes can be peeked. */
	void (*readable)(struct conn *conn, void *context);
	/** After conn_tx_room() was 0: three quarters of the send buffer are free again. */
	void (*writable)(struct conn *conn, void *context);
	/** The peer will send nothing more; what it sent before can still be peeked. Sending is
	 * still possible. Comes after readable and, like it, not during a pause. */
	void (*peer_fin)(struct conn *conn, void *context);
	/** The time of conn_set_deadline() has come. */
	void (*deadline)(struct conn *conn, void *context);
	/** The end. why: GW_CONN_CLOSED in order, or what broke it. */
	void (*closed)(struct conn *conn, void *context, enum gw_err why);
};

/** An active open. Copied; ops lives as long as the connection. */
struct conn_request {
	struct endpoint local; /* port 0: any that brings answers back to this worker */
	struct endpoint peer;
	const struct conn_ops *ops;
	void *context;
	uint32_t timeout_ms;
};

/** What a UDP port tells its user. */
struct udp_ops {
	/** One datagram, borrowed for the call. local is the address it came to. */
	void (*datagram)(void *context, const struct endpoint *local, const struct endpoint *peer,
			 struct span bytes);
	/** An ICMP error said that an earlier datagram cannot reach the peer. */
	void (*unreachable)(void *context, const struct endpoint *peer);
};

/** Bytes a back end keeps for one connection in each direction; set at net_open(). */
struct net_limits {
	uint32_t connections; /* at most so many TCP connections at a time, accepted and opened */
	uint32_t receive_bytes;
	uint32_t send_bytes;
	uint64_t user_timeout_us; /* sent bytes unacknowledged for so long end the connection:
				     GW_CONN_TIMEOUT */
};

/**
 * Bounds of TCP on packets, of one worker. Sources are IPv4 addresses and IPv6 /64s; with several
 * workers each grants its own share, so a source may have up to workers times as much.
 */
struct tcp_limits {
	uint32_t half_open;	      /* connections before their first byte */
	uint32_t time_waits;	      /* the oldest makes room */
	uint32_t sources;	      /* sources known at a time, a power of two */
	uint32_t send_packets;	      /* for bytes that wait to be sent or acknowledged */
	uint32_t held_packets;	      /* received ones that connections may keep */
	uint32_t source_half_open;    /* of one source */
	uint32_t source4_connections; /* of one IPv4 address */
	uint32_t source6_connections; /* of one IPv6 /64 */
	uint32_t source_rate;	      /* new connections of one source in a second */
	uint32_t source_burst;	      /* at once */
	uint32_t syn_rate;	      /* SYNs in a second above which cookies are sent */
	enum { COOKIES_AUTO, COOKIES_ALWAYS, COOKIES_NEVER } cookies;
};
extern const struct tcp_limits tcp_limits_default;

/** A connection, for operators; what a back end does not know is 0. */
struct conn_row {
	struct handle ref;
	struct endpoint local, peer;
	char state[12];		/* as ss writes it: "ESTAB" */
	uint32_t receive_bytes; /* not read by the user */
	uint32_t send_bytes;	/* not acknowledged by the peer */
	uint32_t srtt_us, rto_us;
	uint32_t cwnd, ssthresh, mss, send_window, receive_window; /* bytes */
	uint32_t retransmits, age_s;
};

struct net_shared;
struct net_events;

/** What a back end is opened with. Everything is borrowed until net_close(). */
struct net_config {
	uint16_t worker; /* index, goes into conn_ref() */
	uint32_t epoch;	 /* generations of conn_ref() start here: another value at each boot */
	struct net_limits limits;
	struct counters *counters; /* the worker's: what is refused is counted here. May be NULL */
	const struct net_clock *clock;
	/* for back ends with packets of their own (include/netif.h); kernel sockets read none */
	struct net_shared *shared;
	const struct tcp_limits *tcp; /* NULL: tcp_limits_default */
	const struct net_events *events;
	void *context;			   /* of events and random */
	uint64_t (*random)(void *context); /* cryptographically secure */
};

/** Time of the worker: read when a turn begins, and again before it sends. A back end keeps the
 * pointer and reads the value when it runs. */
struct net_clock {
	uint64_t now_us; /* monotonic */
};

/** A back end. No entry is NULL. Use the inline functions below. */
struct net_ops {
	const char *name; /* as written in the configuration: "kernel" */
	enum gw_err (*open)(const struct net_config *config, struct net_core **opened);
	enum gw_err (*listen)(struct net_core *core, const struct endpoint *local,
			      const struct conn_ops *ops, void *listener_context);
	void (*stop_listening)(struct net_core *core);
	enum gw_err (*connect)(struct net_core *core, const struct conn_request *request,
			       struct conn **opened);
	enum gw_err (*udp_bind)(struct net_core *core, const struct endpoint *local,
				const struct udp_ops *ops, void *context);
	enum gw_err (*udp_send)(struct net_core *core, const struct endpoint *local,
				const struct endpoint *peer, struct span bytes);
	void (*receive)(struct net_core *core);
	void (*run_ready)(struct net_core *core);
	void (*transmit)(struct net_core *core);
	bool (*idle)(const struct net_core *core);
	uint64_t (*next_deadline_us)(const struct net_core *core);
	uint64_t (*sleep_begin)(struct net_core *core);
	void (*sleep_end)(struct net_core *core);
	int (*wait_fd)(const struct net_core *core);
	void (*peers)(struct net_core *core, const struct endpoint *peers, uint32_t count);
	enum gw_err (*ping)(struct net_core *core, const struct endpoint *peer, uint32_t id);
	enum gw_err (*capture)(struct net_core *core, const struct capture_filter *filter);
	bool (*next_row)(struct net_core *core, uint32_t *cursor, struct conn_row *row);
	void (*close)(struct net_core *core);

	const void *(*peek)(struct conn *conn, uint32_t offset, uint32_t *len);
	void (*consume)(struct conn *conn, uint32_t n);
	void *(*tx_reserve)(struct conn *conn, uint32_t *room);
	void (*tx_commit)(struct conn *conn, uint32_t n);
	uint32_t (*tx_room)(const struct conn *conn);
	void (*pause_rx)(struct conn *conn);
	void (*resume_rx)(struct conn *conn);
	void (*shutdown_tx)(struct conn *conn);
	void (*abort)(struct conn *conn, enum gw_err why);
	void (*set_deadline)(struct conn *conn, uint32_t ms);
	struct handle (*ref)(const struct conn *conn);
	struct conn *(*find)(struct net_core *core, struct handle ref);
	struct endpoint (*peer)(const struct conn *conn);
	struct endpoint (*local)(const struct conn *conn);
};

/** First member of every back end's core and connection; the rest is the back end's own. */
struct net_core {
	const struct net_ops *ops;
};
struct conn {
	const struct net_ops *ops;
};

/** Kernel sockets: the operational fallback, and the oracle of the others. */
extern const struct net_ops net_posix;

/**
 * Packets on ports of our own (net_config.shared, events and random are needed, tcp may be NULL):
 * UDP and TCP of the workers, without the kernel. A connection that comes in is accepted with its
 * first byte. A peer must be on a link or behind a gateway of the worker's interfaces: nothing goes
 * to an address of our own.
 */
extern const struct net_ops net_packets;

/**
 * Opens a back end for one worker, allocating all it will ever need. *opened is the caller's until
 * net_close(). GW_NO_MEMORY, or GW_SYSTEM when the kernel refuses.
 */
static inline enum gw_err GW_MUST_CHECK net_open(const struct net_ops *ops,
						 const struct net_config *config,
						 struct net_core **opened)
{
	return ops->open(config, opened);
}

/** Aborts every connection (closed is called, GW_STOPPING), closes ports, frees all. */
static inline void net_close(struct net_core *core)
{
	core->ops->close(core);
}

/**
 * Accepts connections to local. Workers that listen on one endpoint share its connections. At the
 * limit of connections nobody is accepted and cut: who comes waits, or his SYN is lost.
 * GW_SYSTEM when the address cannot be used; GW_POOL_EMPTY past NET_LISTENERS.
 */
static inline enum gw_err GW_MUST_CHECK net_listen(struct net_core *core,
						   const struct endpoint *local,
						   const struct conn_ops *ops,
						   void *listener_context)
{
	return core->ops->listen(core, local, ops, listener_context);
}

/** Closes every listener; connections go on. First step of a drain. */
static inline void net_stop_listening(struct net_core *core)
{
	core->ops->stop_listening(core);
}

/**
 * Opens the connection that request asks for. Asynchronous: connected or closed (GW_CONN_REFUSED,
 * GW_CONN_TIMEOUT after timeout_ms, ...) follows, never from inside this call. GW_CONN_LIMIT,
 * GW_STOPPING or GW_SYSTEM: nothing was started and no callback comes.
 */
static inline enum gw_err GW_MUST_CHECK net_connect(struct net_core *core,
						    const struct conn_request *request,
						    struct conn **opened)
{
	return core->ops->connect(core, request, opened);
}

/** Opens a UDP port of this worker. GW_SYSTEM, or GW_POOL_EMPTY past 16 ports. */
static inline enum gw_err GW_MUST_CHECK net_udp_bind(struct net_core *core,
						     const struct endpoint *local,
						     const struct udp_ops *ops, void *context)
{
	return core->ops->udp_bind(core, local, ops, context);
}

/**
 * Sends one datagram from a bound port (local: as bound, or for a wildcard port what datagram()
 * told). GW_QUEUE_FULL: dropped, as the wire might; GW_NO_ROOM: longer than a datagram may be;
 * GW_SYSTEM: no such port, or no route. Never blocks.
 */
static inline enum gw_err GW_MUST_CHECK net_udp_send(struct net_core *core,
						     const struct endpoint *local,
						     const struct endpoint *peer, struct span bytes)
{
	return core->ops->udp_send(core, local, peer, bytes);
}

/** Takes in what has arrived, bounded; marks connections ready; calls nobody. */
static inline void net_receive(struct net_core *core)
{
	core->ops->receive(core);
}

/** Runs callbacks of what is ready, a bounded batch, round robin. The only place that calls back.
 */
static inline void net_run_ready(struct net_core *core)
{
	core->ops->run_ready(core);
}

/** Sends what was committed. */
static inline void net_transmit(struct net_core *core)
{
	core->ops->transmit(core);
}

/** Nothing is ready and nothing waits to be sent that could be sent now. */
static inline bool net_idle(const struct net_core *core)
{
	return core->ops->idle(core);
}

/** Monotonic time of the earliest deadline of the core itself; UINT64_MAX when there is none. */
static inline uint64_t net_next_deadline_us(const struct net_core *core)
{
	return core->ops->next_deadline_us(core);
}

/**
 * Makes net_wait_fd() readable at the next thing that happens. Returns the monotonic time at which
 * the core must be looked at though nothing happened: its next deadline, sooner where a device
 * cannot wake anybody, UINT64_MAX for never; 0: there is something to do, do not sleep.
 * net_sleep_end() follows in any case, before the next net_receive().
 */
static inline uint64_t GW_MUST_CHECK net_sleep_begin(struct net_core *core)
{
	return core->ops->sleep_begin(core);
}

static inline void net_sleep_end(struct net_core *core)
{
	core->ops->sleep_end(core);
}

/** The descriptor for the worker's epoll, the same for the life of the core; -1: none. */
static inline int net_wait_fd(const struct net_core *core)
{
	return core->ops->wait_fd(core);
}

/**
 * Names the peers that are trusted; a later call replaces an earlier one, and the array is copied.
 * A back end with packets of its own reassembles fragments of these only, and resolves those on its
 * links beforehand. Kernel sockets need no such thing.
 */
static inline void net_peers(struct net_core *core, const struct endpoint *peers, uint32_t count)
{
	core->ops->peers(core, peers, count);
}

/**
 * Sends one ICMP echo request; net_events.pong tells what came of it, within a second. Of worker 0
 * only. GW_NOT_SUPPORTED by kernel sockets; GW_NET_NO_ROUTE; GW_POOL_EMPTY, too many at a time.
 */
static inline enum gw_err GW_MUST_CHECK net_ping(struct net_core *core, const struct endpoint *peer,
						 uint32_t id)
{
	return core->ops->ping(core, peer, id);
}

/** Captures the frames that filter (copied) lets through; NULL ends it. GW_NOT_SUPPORTED by kernel
 * sockets, GW_CONFIG for a program that is not valid. */
static inline enum gw_err GW_MUST_CHECK net_capture(struct net_core *core,
						    const struct capture_filter *filter)
{
	return core->ops->capture(core, filter);
}

/**
 * The next connection from *cursor (0: the first) on, which is moved, whoever opened it and whether
 * its user knows it yet or not. False: there are no more. Between two calls connections come and
 * go; one that stays is told once.
 */
static inline bool net_next_row(struct net_core *core, uint32_t *cursor, struct conn_row *row)
{
	return core->ops->next_row(core, cursor, row);
}

/** The contiguous run of received bytes at offset; *len 0 and NULL when there is none. Valid until
 * conn_consume(). */
static inline const void *conn_peek(struct conn *conn, uint32_t offset, uint32_t *len)
{
	return conn->ops->peek(conn, offset, len);
}

/** Frees the first n received bytes (at most what was peeked) and opens the window. */
static inline void conn_consume(struct conn *conn, uint32_t n)
{
	conn->ops->consume(conn, n);
}

/** Room for bytes to be sent, contiguous; *room 0 and NULL when there is none: wait for writable.
 * Valid until net_transmit(). */
static inline void *conn_tx_reserve(struct conn *conn, uint32_t *room)
{
	return conn->ops->tx_reserve(conn, room);
}

/** Sends the first n bytes of the last reservation. */
static inline void conn_tx_commit(struct conn *conn, uint32_t n)
{
	conn->ops->tx_commit(conn, n);
}

/** Bytes that could be sent now. 0 = stop; writable follows at low water. */
static inline uint32_t conn_tx_room(const struct conn *conn)
{
	return conn->ops->tx_room(conn);
}

/** No readable until conn_resume_rx(); the receive window fills. Idempotent. */
static inline void conn_pause_rx(struct conn *conn)
{
	conn->ops->pause_rx(conn);
}

/** Ends a pause; readable follows when bytes are there. Idempotent. */
static inline void conn_resume_rx(struct conn *conn)
{
	conn->ops->resume_rx(conn);
}

/** Sends FIN after what was committed. Receiving goes on until the peer's FIN; then closed.
 * Idempotent. */
static inline void conn_shutdown_tx(struct conn *conn)
{
	conn->ops->shutdown_tx(conn);
}

/** Ends the connection at once (RST). closed follows from net_run_ready(), with this reason.
 * Idempotent. */
static inline void conn_abort(struct conn *conn, enum gw_err why)
{
	conn->ops->abort(conn, why);
}

/** One application timer per connection: deadline comes once, ms from now, in 20 days at the
 * latest; 0 disarms. */
static inline void conn_set_deadline(struct conn *conn, uint32_t ms)
{
	conn->ops->set_deadline(conn, ms);
}

/** The connection's name for what outlives a turn. */
static inline struct handle conn_ref(const struct conn *conn)
{
	return conn->ops->ref(conn);
}

/** The connection that ref names, or NULL when it has closed. */
static inline struct conn *net_find(struct net_core *core, struct handle ref)
{
	return core->ops->find(core, ref);
}

/** The peer's address. */
static inline struct endpoint conn_peer(const struct conn *conn)
{
	return conn->ops->peer(conn);
}

/** Our address. */
static inline struct endpoint conn_local(const struct conn *conn)
{
	return conn->ops->local(conn);
}

/** Reads "198.18.0.10:443" or "[fd00:18::10]:443" (or the address alone, port 0). False: malformed,
 * *e untouched. */
bool endpoint_parse(struct span text, struct endpoint *e);

/** Writes "198.18.0.10:443" or "[fd00:18::10]:443", terminated; "-" for none. Returns text. */
const char *endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX]);

/** Port in host byte order; 0 for none. */
uint16_t endpoint_port(const struct endpoint *e);

/** Sets the port, host byte order. */
void endpoint_set_port(struct endpoint *e, uint16_t port);

/**
 * What one user is taken to hold of the address space: the 4 bytes of an IPv4 address (also of one
 * mapped into IPv6), or the first 8 of an IPv6 address. Empty for none. Points into e.
 */
struct span endpoint_source(const struct endpoint *e);

/** Same address, ports ignored. An IPv4-mapped IPv6 address equals its IPv4 address. */
bool endpoint_same_host(const struct endpoint *a, const struct endpoint *b);

#endif
