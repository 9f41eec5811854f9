/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POSIX_H
#define POSIX_H

#include <stddef.h>
#include <sys/queue.h>

#include "conn.h"
#include "core/core.h"

/**
 * Inside of the kernel-socket back end (net_posix); nobody else includes it. posix.c: the core and
 * its turn; posix_conn.c: one connection; posix_open.c: listeners and active opens; posix_udp.c:
 * UDP ports; posix_buffer.c: bytes under way; posix_row.c: what operators see.
 */

#define POSIX_PORTS NET_LISTENERS /* listeners, and UDP ports, of one core */

/** Bytes of one chunk, its head included: whole pages, and room for the longest TLS record. */
#define POSIX_CHUNK_BYTES 20480u

struct posix_chunk {
	struct posix_chunk *next;
	uint32_t at;  /* first byte in use */
	uint32_t end; /* one past the last */
	uint8_t bytes[];
};

/** Chunks of one core; memory is touched only as they are used. */
struct posix_pool {
	uint8_t *memory;
	size_t bytes;
	struct posix_chunk *free;
	uint32_t capacity;
	uint32_t fresh; /* chunks from here on were never used */
	uint32_t live;
};

/** Bytes of one direction of one connection. Holds chunks only while there are bytes in them. */
struct posix_buffer {
	struct posix_chunk *first;
	struct posix_chunk *last;
	uint32_t bytes;
};

enum gw_err GW_MUST_CHECK posix_pool_init(struct posix_pool *pool, uint32_t capacity);
void posix_pool_fini(struct posix_pool *pool);
/** A chunk can be had. */
bool posix_pool_has(const struct posix_pool *pool);

/** Contiguous room after the last byte, at most max. NULL and *room 0: the pool is empty. */
void *posix_buffer_reserve(struct posix_buffer *b, struct posix_pool *pool, uint32_t max,
			   uint32_t *room);
/** The first n bytes of the last reservation are in use. */
void posix_buffer_commit(struct posix_buffer *b, uint32_t n);
/** The contiguous run at offset; NULL and *len 0 past the end. */
void *posix_buffer_peek(const struct posix_buffer *b, uint32_t offset, uint32_t *len);
/** Drops the first n bytes (at most all). 0 gives back a reservation that was not used. */
void posix_buffer_consume(struct posix_buffer *b, struct posix_pool *pool, uint32_t n);

/** The lists a connection may be on. */
enum posix_list {
	POSIX_INPUT,   /* the kernel may have something for it */
	POSIX_READY,   /* callbacks are due */
	POSIX_OUTPUT,  /* something to be sent, and the kernel takes it */
	POSIX_STARVED, /* waits for a chunk */
	POSIX_LISTS
};

/** Callbacks that are due; called in this order. */
enum posix_event {
	POSIX_EVENT_ACCEPT = 1,
	POSIX_EVENT_CONNECTED = 2,
	POSIX_EVENT_READABLE = 4,
	POSIX_EVENT_WRITABLE = 8,
	POSIX_EVENT_FIN = 16,
	POSIX_EVENT_DEADLINE = 32,
};

enum posix_flag {
	POSIX_CONNECTING = 1, /* an active open, not completed */
	POSIX_KERNEL_IN = 2,  /* recv() has not said EAGAIN since the last event */
	POSIX_KERNEL_OUT = 4, /* nor has send() */
	POSIX_FAULT = 8,      /* the kernel reported an error, not read yet */
	POSIX_PAUSED = 16,
	POSIX_RX_END = 32,   /* the peer's FIN was read */
	POSIX_RX_TOLD = 64,  /* peer_fin was called */
	POSIX_TX_END = 128,  /* FIN after what was committed */
	POSIX_TX_DONE = 256, /* the kernel has it */
	POSIX_TX_FULL = 512, /* the user found no room: writable is owed */
	POSIX_ENDED = 1024,  /* the socket is closed, why is set, closed is due */
	POSIX_HANGUP = 2048, /* the kernel reported the end: read until it is seen */
	POSIX_URGENT = 4096, /* the peer marks bytes as urgent, where a read ends before the last */
};

struct posix_core;

/** One connection. Owner: the core's slots; dead when closed returns. */
struct posix_conn {
	struct conn base;
	struct posix_core *core;
	const struct conn_ops *ops;
	void *context; /* the listener's until accept has returned */
	struct posix_buffer rx;
	struct posix_buffer tx;
	int fd; /* -1 when ended */
	uint16_t flags;
	uint8_t events;
	uint8_t lists; /* bit of each list it is on */
	enum gw_err why;
	struct timer deadline;
	struct timer connecting;
	struct endpoint local;
	struct endpoint peer;
	uint32_t born_s;
	TAILQ_ENTRY(posix_conn) link[POSIX_LISTS];
};
_Static_assert(sizeof(struct posix_conn) <= 384, "a connection is six cache lines");
TAILQ_HEAD(posix_conns, posix_conn);

struct posix_listener {
	int fd;
	bool pending; /* accept4() has not said EAGAIN */
	const struct conn_ops *ops;
	void *context;
	struct endpoint local;
};

struct posix_udp {
	int fd;
	bool pending; /* recvmmsg() has not said EAGAIN */
	bool fault;   /* the error queue is not empty */
	bool any;     /* bound to the wildcard address */
	const struct udp_ops *ops;
	void *context;
	struct endpoint local;
};

struct posix_datagrams;

struct posix_core {
	struct net_core base;
	struct net_config config;
	int epoll_fd;
	struct slots *conns;
	struct wheel *timers;
	struct timer accept_pause; /* armed: out of descriptors, not accepting */
	bool accept_full;	   /* at the connection limit and somebody waits */
	bool stopping;
	uint32_t listeners;
	uint32_t udps;
	struct posix_conns list[POSIX_LISTS];
	struct posix_pool pool;
	struct posix_listener listener[POSIX_PORTS];
	struct posix_udp udp[POSIX_PORTS];
	struct posix_datagrams *datagrams; /* made with the first UDP port */
};

/** What an epoll event is about: an object of the core, aligned, or one of these with an index. */
enum posix_source { POSIX_CONN, POSIX_LISTENER, POSIX_UDP };
#define POSIX_SOURCE_BITS 2u

/** Registers fd, for these events. */
bool posix_watch(struct posix_core *core, int fd, uint64_t data, uint32_t events);

/** Puts conn on a list, at its end, when it is not on it. */
static inline void posix_list_add(struct posix_conn *conn, enum posix_list list)
{
	if ((conn->lists & 1u << list) != 0)
		return;
	TAILQ_INSERT_TAIL(&conn->core->list[list], conn, link[list]);
	conn->lists |= (uint8_t)(1u << list);
}

static inline void posix_list_remove(struct posix_conn *conn, enum posix_list list)
{
	if ((conn->lists & 1u << list) == 0)
		return;
	TAILQ_REMOVE(&conn->core->list[list], conn, link[list]);
	conn->lists &= (uint8_t) ~(1u << list);
}

/** A callback is due. */
static inline void posix_event_add(struct posix_conn *conn, enum posix_event event)
{
	conn->events |= (uint8_t)event;
	posix_list_add(conn, POSIX_READY);
}

static inline struct posix_conn *posix_conn_of(struct conn *conn)
{
	return (struct posix_conn *)conn;
}

static inline struct posix_core *posix_core_of(struct net_core *core)
{
	return (struct posix_core *)core;
}

/** How a socket is closed. */
enum posix_close { POSIX_CLOSE_ORDERLY, POSIX_CLOSE_RESET };

/** A connection on fd, which becomes its own, or NULL: none left (fd stays the caller's). */
struct posix_conn *posix_conn_new(struct posix_core *core, const struct conn_ops *ops, int fd);
/** The connection is over: closes the socket; closed follows, unless accept is still due. */
void posix_conn_end(struct posix_conn *conn, enum gw_err why, enum posix_close how);
/** The connection is over because the kernel says error (errno). */
void posix_conn_fail(struct posix_conn *conn, int error);
/** An active open has completed. */
void posix_conn_opened(struct posix_conn *conn);
/** Gives an ended connection back; no callback. */
void posix_conn_free(struct posix_conn *conn);
/** What the kernel says of conn, from epoll. */
void posix_conn_event(struct posix_conn *conn, uint32_t events);
/** Reads once from the kernel. */
void posix_conn_input(struct posix_conn *conn);
/** Runs the callbacks that are due. May free conn. */
void posix_conn_ready(struct posix_conn *conn);
/** Writes once to the kernel. */
void posix_conn_output(struct posix_conn *conn);
/** Takes up a connection that waited for a chunk: there may be one. */
void posix_conn_feed(struct posix_conn *conn);

/** The connection part of net_posix. */
const void *posix_conn_peek(struct conn *conn, uint32_t offset, uint32_t *len);
void posix_conn_consume(struct conn *conn, uint32_t n);
void *posix_conn_tx_reserve(struct conn *conn, uint32_t *room);
void posix_conn_tx_commit(struct conn *conn, uint32_t n);
uint32_t posix_conn_tx_room(const struct conn *conn);
void posix_conn_pause_rx(struct conn *conn);
void posix_conn_resume_rx(struct conn *conn);
void posix_conn_shutdown_tx(struct conn *conn);
void posix_conn_abort(struct conn *conn, enum gw_err why);
void posix_conn_set_deadline(struct conn *conn, uint32_t ms);
struct handle posix_conn_ref(const struct conn *conn);
struct endpoint posix_conn_peer(const struct conn *conn);
struct endpoint posix_conn_local(const struct conn *conn);

/** The opening part. */
enum gw_err posix_open_listen(struct net_core *core, const struct endpoint *local,
			      const struct conn_ops *ops, void *listener_context);
void posix_open_stop_listening(struct net_core *core);
enum gw_err posix_open_connect(struct net_core *core, const struct conn_request *request,
			       struct conn **opened);
/** Accepts what is pending, bounded. */
void posix_open_accept(struct posix_core *core);
/** True while a listener has something that could be accepted now. */
bool posix_open_pending(const struct posix_core *core);
/** A connection has ended: accepting may go on. */
void posix_open_resume(struct posix_core *core);
/** The wildcard address, whatever the port. */
bool posix_address_any(const struct endpoint *e);
/** Bytes of a socket address of this family. */
socklen_t posix_address_len(const struct endpoint *e);
/** The address a socket is bound to; AF_UNSPEC when the kernel does not tell. */
struct endpoint posix_address_of(int fd);
/** Sets a socket option that is an int. */
bool posix_option(int fd, int level, int name, int value);

/** See net_next_row(): what the kernel knows of a connection, and what waits here. */
bool posix_row_next(struct net_core *core, uint32_t *cursor, struct conn_row *row);

/** The UDP part. */
enum gw_err posix_udp_bind(struct net_core *core, const struct endpoint *local,
			   const struct udp_ops *ops, void *context);
enum gw_err posix_udp_send(struct net_core *core, const struct endpoint *local,
			   const struct endpoint *peer, struct span bytes);
void posix_udp_event(struct posix_udp *udp, uint32_t events);
/** Runs the callbacks of one port, a bounded batch. */
void posix_udp_ready(struct posix_core *core, struct posix_udp *udp);
void posix_udp_close(struct posix_core *core);

#endif
