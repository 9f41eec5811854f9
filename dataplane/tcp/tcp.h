/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_H
#define TCP_H

#include "net/wire.h"

/**
 * TCP on packets, one instance for each worker (RFC 9293; ../docs/design.md says what of which
 * RFC). It owns its connections, half-open ones, those in TIME-WAIT, and the bytes under way in
 * both directions. Segments come from and go to whoever made it, time and randomness too: no clock,
 * no randomness, no allocation after tcp_new() but packets of pools, no thread, no file-static
 * state.
 *
 * A turn: tcp_input() for each segment that has come, and tcp_icmp(); tcp_run_timers();
 * tcp_run_ready(), the only one that calls the user of a connection; tcp_transmit(), which sends
 * data with its ACK, then ACKs that are due alone, and gives back what has closed. This order is a
 * promise (TCP.md 4.1): what has arrived is seen before a timer that it would have stopped.
 */
struct tcp;

/** What lies below. */
struct tcp_link {
	/** Sends one segment; the payload is borrowed. GW_NET_TX_FULL and
	 * GW_NET_NO_PACKET: back-pressure, it is offered again; else it is as lost on the way. */
	enum gw_err (*send)(void *context, const struct ip_address *local,
			    const struct ip_address *remote, const struct tcp_packet *segment);
	/** As stack_tcp_route(). */
	enum gw_err (*route)(void *context, struct ip_address *local,
			     const struct ip_address *remote, uint16_t *mtu);
	/** As stack_tcp_worker(). */
	uint16_t (*worker)(void *context, const struct ip_address *local, uint16_t local_port,
			   const struct ip_address *remote, uint16_t remote_port);
};

struct tcp_config {
	struct net_config net; /* worker, epoch, limits, counters (never NULL), clock, random and
				  its context, tcp (may be NULL) */
	const struct net_ops *ops; /* the table whose connection functions are those below */
	const struct tcp_link *link;
	void *link_context;
	const char
		*pool_name; /* of the packets that are waiting to be sent; unique in the process */
	int numa;	    /* of that pool; -1: any */
	uint16_t steer_base,
		workers; /* local ports steer_base + w are no ephemeral ones; 0: none */
};

/** A segment for one of our addresses: read, its checksum verified. */
struct tcp_arrival {
	struct ip_address local, remote;
	struct tcp_packet tcp;
	/* Who keeps the payload takes it and sets *packet to NULL; tcp.payload points into its
	 * data. From any pool. */
	struct rte_mbuf **packet;
};

/** What an ICMP error says of a segment of ours. */
struct tcp_icmp {
	struct ip_address local, remote;
	uint16_t local_port, remote_port;
	uint32_t seq;
	bool too_big;
	bool soft;    /* else the peer cannot be reached, which may pass */
	uint32_t mtu; /* too_big; 0: not said */
};

/** Copies config. GW_NO_MEMORY. */
enum gw_err GW_MUST_CHECK tcp_new(const struct tcp_config *config, struct tcp **made);
/** Resets every connection (closed is called: GW_STOPPING), gives every packet back. NULL does
 * nothing. */
void tcp_free(struct tcp *tcp);

enum gw_err GW_MUST_CHECK tcp_listen(struct tcp *tcp, const struct endpoint *local,
				     const struct conn_ops *ops, void *listener_context);
void tcp_stop_listening(struct tcp *tcp);
enum gw_err GW_MUST_CHECK tcp_connect(struct tcp *tcp, const struct conn_request *request,
				      struct conn **opened);

/** A connection, half-open one or TIME-WAIT of this worker's has the two ends. */
bool tcp_knows(const struct tcp *tcp, const struct ip_address *local, uint16_t local_port,
	       const struct ip_address *remote, uint16_t remote_port);
void tcp_input(struct tcp *tcp, const struct tcp_arrival *arrival);
/** The same for a segment of something that tcp_knows(). False, and nothing has changed: it is not.
 */
bool tcp_input_known(struct tcp *tcp, const struct tcp_arrival *arrival);
void tcp_icmp(struct tcp *tcp, const struct tcp_icmp *icmp);
void tcp_run_timers(struct tcp *tcp);
void tcp_run_ready(struct tcp *tcp);
void tcp_transmit(struct tcp *tcp);
/** Nothing is ready, and nothing could be sent now. */
bool tcp_idle(const struct tcp *tcp);
/** When tcp_run_timers() is due; 0: at once; UINT64_MAX: never. */
uint64_t tcp_next_us(const struct tcp *tcp);

/* The connection functions of net_ops; see conn.h. */
const void *tcp_peek(struct conn *conn, uint32_t offset, uint32_t *len);
void tcp_consume(struct conn *conn, uint32_t n);
void *tcp_tx_reserve(struct conn *conn, uint32_t *room);
void tcp_tx_commit(struct conn *conn, uint32_t n);
uint32_t tcp_tx_room(const struct conn *conn);
void tcp_pause_rx(struct conn *conn);
void tcp_resume_rx(struct conn *conn);
void tcp_shutdown_tx(struct conn *conn);
void tcp_abort(struct conn *conn, enum gw_err why);
void tcp_set_deadline(struct conn *conn, uint32_t ms);
struct handle tcp_ref(const struct conn *conn);
struct conn *tcp_find(struct tcp *tcp, struct handle ref);
struct endpoint tcp_peer(const struct conn *conn);
struct endpoint tcp_local(const struct conn *conn);

/* ---- for operators -----------------------------------------------------------------------------
 */

/** See net_next_row(). Half-open connections and those in TIME-WAIT are counted only. */
bool tcp_next_row(const struct tcp *tcp, uint32_t *cursor, struct conn_row *row);

/** What happened to a connection (TCP.md 9): 16 bytes each, the last 65,536 of all connections. */
enum tcp_event {
	TCP_EVENT_IN,	      /* seq, length and flags of a segment */
	TCP_EVENT_OUT,	      /* the same */
	TCP_EVENT_RETRANSMIT, /* the same */
	TCP_EVENT_STATE,      /* new state */
	TCP_EVENT_RTO,	      /* snd_una, cwnd */
	TCP_EVENT_PROBE,
	TCP_EVENT_RECOVERY, /* recovery point, cwnd */
	TCP_EVENT_RECOVERED,
	TCP_EVENT_UNDO,
	TCP_EVENT_DROP, /* a gw_err */
	TCP_EVENT_ABORT /* a gw_err */
};

struct tcp_trace {
	uint32_t at_ms;
	uint32_t slot;	/* of the connection */
	uint32_t value; /* by event: a sequence number, state or gw_err */
	uint16_t more;	/* length, or a cwnd in segments */
	uint8_t event;	/* enum tcp_event */
	uint8_t flags;	/* of a segment */
};

/** Copies the newest events of one connection, oldest first, at most max; returns how many. */
uint32_t tcp_trace_of(const struct tcp *tcp, uint32_t slot, struct tcp_trace *events, uint32_t max);

#endif
