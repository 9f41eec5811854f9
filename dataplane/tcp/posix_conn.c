/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/posix.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CONN_IOV 16u	       /* chunks in one send */
#define CONN_LOW_WATER_PART 4u /* writable when this part of the send buffer is in use */

static const struct net_limits *conn_limits(const struct posix_conn *conn)
{
	return &conn->core->config.limits;
}

static void conn_deadline_fire(struct timer *timer, void *context)
{
	struct posix_conn *conn =
		(struct posix_conn *)(void *)((uint8_t *)timer -
					      offsetof(struct posix_conn, deadline));

	posix_event_add(conn, POSIX_EVENT_DEADLINE);
}

struct posix_conn *posix_conn_new(struct posix_core *core, const struct conn_ops *ops, int fd)
{
	struct posix_conn *conn = slots_get(core->conns);

	if (conn == NULL)
		return NULL;
	conn->base.ops = core->base.ops;
	conn->core = core;
	conn->ops = ops;
	conn->fd = fd;
	conn->flags = POSIX_KERNEL_OUT;
	conn->born_s = (uint32_t)(core->config.clock->now_us / 1000000);
	if (posix_watch(core, fd, (uintptr_t)conn,
			EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET))
		return conn;
	conn->flags |= POSIX_ENDED;
	conn->fd = -1;
	posix_conn_free(conn);
	return NULL;
}

void posix_conn_free(struct posix_conn *conn)
{
	struct posix_core *core = conn->core;

	for (uint32_t list = 0; list < POSIX_LISTS; list++)
		posix_list_remove(conn, list);
	posix_buffer_consume(&conn->rx, &core->pool, conn->rx.bytes);
	posix_buffer_consume(&conn->tx, &core->pool, conn->tx.bytes);
	if (!slots_put(core->conns, conn) && core->config.counters != NULL)
		counter_add(&core->config.counters->invariant_broken, 1);
	posix_open_resume(core);
}

void posix_conn_end(struct posix_conn *conn, enum gw_err why, enum posix_close how)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if ((conn->flags & POSIX_ENDED) != 0)
		return;
	conn->flags |= POSIX_ENDED;
	conn->why = why;
	wheel_disarm(conn->core->timers, &conn->deadline);
	wheel_disarm(conn->core->timers, &conn->connecting);
	if (how == POSIX_CLOSE_RESET)
		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(conn->fd);
	conn->fd = -1;
	posix_list_remove(conn, POSIX_INPUT);
	posix_list_remove(conn, POSIX_OUTPUT);
	posix_list_remove(conn, POSIX_STARVED);
	posix_list_add(conn, POSIX_READY);
}

/* A route that is lost is no answer to an open; later it is how the kernel reports its timeout. */
static enum gw_err conn_why(const struct posix_conn *conn, int error)
{
	bool opening = (conn->flags & POSIX_CONNECTING) != 0;

	switch (error) {
	case ETIMEDOUT:
		return GW_CONN_TIMEOUT;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return opening ? GW_CONN_REFUSED : GW_CONN_TIMEOUT;
	case ECONNREFUSED:
		return GW_CONN_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return GW_CONN_RESET;
	default:
		return GW_SYSTEM;
	}
}

void posix_conn_fail(struct posix_conn *conn, int error)
{
	posix_conn_end(conn, conn_why(conn, error), POSIX_CLOSE_ORDERLY);
}

/* The error the kernel holds for conn; 0 when there is none. Reading it clears it. */
static int conn_take_error(const struct posix_conn *conn)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

void posix_conn_opened(struct posix_conn *conn)
{
	conn->flags &= (uint16_t)~POSIX_CONNECTING;
	conn->flags |= POSIX_KERNEL_OUT;
	wheel_disarm(conn->core->timers, &conn->connecting);
	conn->local = posix_address_of(conn->fd);
	posix_event_add(conn, POSIX_EVENT_CONNECTED);
	posix_list_add(conn, POSIX_OUTPUT);
}

static void conn_opening_event(struct posix_conn *conn, uint32_t events)
{
	int error;

	if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0)
		return;
	error = conn_take_error(conn);
	if (error != 0)
		posix_conn_fail(conn, error);
	else
		posix_conn_opened(conn);
}

void posix_conn_event(struct posix_conn *conn, uint32_t events)
{
	if ((conn->flags & POSIX_CONNECTING) != 0)
		conn_opening_event(conn, events);
	if ((conn->flags & (POSIX_CONNECTING | POSIX_ENDED)) != 0)
		return;
	if ((events & EPOLLERR) != 0)
		conn->flags |= POSIX_FAULT;
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		conn->flags |= POSIX_HANGUP;
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
		conn->flags |= POSIX_KERNEL_IN;
		posix_list_add(conn, POSIX_INPUT);
	}
	if ((events & EPOLLPRI) != 0)
		conn->flags |= POSIX_URGENT;
	if ((events & EPOLLOUT) != 0) {
		conn->flags |= POSIX_KERNEL_OUT;
		if (conn->tx.bytes > 0)
			posix_list_add(conn, POSIX_OUTPUT);
	}
}

static bool conn_may_read(const struct posix_conn *conn)
{
	return (conn->flags & (POSIX_PAUSED | POSIX_RX_END | POSIX_ENDED | POSIX_CONNECTING)) ==
		       0 &&
	       conn->rx.bytes < conn_limits(conn)->receive_bytes;
}

/* There is something to be read and it may be: the next turn's net_receive() does. */
static void conn_want_input(struct posix_conn *conn)
{
	if ((conn->flags & POSIX_KERNEL_IN) != 0 && conn_may_read(conn))
		posix_list_add(conn, POSIX_INPUT);
}

/* Nobody will read the error that a read would have shown. */
static void conn_check_fault(struct posix_conn *conn)
{
	int error;

	if ((conn->flags & POSIX_FAULT) == 0 || (conn->flags & POSIX_ENDED) != 0)
		return;
	conn->flags &= (uint16_t)~POSIX_FAULT;
	error = conn_take_error(conn);
	if (error != 0)
		posix_conn_fail(conn, error);
}

static void conn_received(struct posix_conn *conn, ssize_t n, uint32_t room)
{
	if (n > 0) {
		posix_buffer_commit(&conn->rx, (uint32_t)n);
		posix_event_add(conn, POSIX_EVENT_READABLE);
		/* A short read empties the socket; more makes a new event. Only an end does not,
		 * nor what is behind a byte that was marked urgent. */
		if ((uint32_t)n < room && (conn->flags & (POSIX_HANGUP | POSIX_URGENT)) == 0)
			conn->flags &= (uint16_t)~POSIX_KERNEL_IN;
	} else if (n == 0) {
		conn->flags |= POSIX_RX_END;
		posix_event_add(conn, POSIX_EVENT_FIN);
	} else if (errno == EAGAIN) {
		conn->flags &= (uint16_t)~POSIX_KERNEL_IN;
	} else if (errno != EINTR) {
		posix_conn_fail(conn, errno);
	}
	conn_want_input(conn);
}

void posix_conn_input(struct posix_conn *conn)
{
	struct posix_pool *pool = &conn->core->pool;
	uint32_t room;
	void *at;

	if (!conn_may_read(conn)) {
		conn_check_fault(conn);
		return;
	}
	at = posix_buffer_reserve(&conn->rx, pool,
				  conn_limits(conn)->receive_bytes - conn->rx.bytes, &room);
	if (at == NULL) {
		posix_list_add(conn, POSIX_STARVED);
		return;
	}
	conn_received(conn, recv(conn->fd, at, room, 0), room);
	posix_buffer_consume(&conn->rx, pool, 0);
}

/* ---- callbacks ---- */

static void conn_tell(struct posix_conn *conn, enum posix_event event,
		      void (*callback)(struct conn *conn, void *context))
{
	if ((conn->events & event) == 0 || (conn->flags & POSIX_ENDED) != 0)
		return;
	conn->events &= (uint8_t)~event;
	callback(&conn->base, conn->context);
}

/* Bytes and their end, in this order, and neither during a pause. */
static void conn_tell_input(struct posix_conn *conn)
{
	if (conn->rx.bytes == 0)
		conn->events &= (uint8_t)~POSIX_EVENT_READABLE; /* consumed in another callback */
	if ((conn->flags & POSIX_PAUSED) == 0)
		conn_tell(conn, POSIX_EVENT_READABLE, conn->ops->readable);
	if ((conn->flags & POSIX_PAUSED) != 0 || (conn->events & POSIX_EVENT_FIN) == 0)
		return;
	conn->flags |= POSIX_RX_TOLD;
	conn_tell(conn, POSIX_EVENT_FIN, conn->ops->peer_fin);
}

static void conn_tell_output(struct posix_conn *conn)
{
	if ((conn->flags & POSIX_TX_FULL) != 0)
		conn->events &= (uint8_t)~POSIX_EVENT_WRITABLE; /* filled up again since */
	conn_tell(conn, POSIX_EVENT_WRITABLE, conn->ops->writable);
}

/* False: refused, or ended before anybody knew of it. No callback any more. */
static bool conn_tell_accept(struct posix_conn *conn)
{
	void *context = NULL;
	enum gw_err err;

	if ((conn->events & POSIX_EVENT_ACCEPT) == 0)
		return true;
	if ((conn->flags & POSIX_ENDED) != 0)
		return false;
	conn->events &= (uint8_t)~POSIX_EVENT_ACCEPT;
	err = conn->ops->accept(&conn->base, conn->context, &context);
	conn->context = context;
	if (err == GW_OK)
		return true;
	posix_conn_end(conn, err, POSIX_CLOSE_RESET);
	return false;
}

static bool conn_done(const struct posix_conn *conn)
{
	const uint16_t both = POSIX_RX_TOLD | POSIX_TX_DONE;

	return (conn->flags & both) == both &&
	       ((conn->flags & POSIX_PAUSED) == 0 || conn->rx.bytes == 0);
}

void posix_conn_ready(struct posix_conn *conn)
{
	posix_list_remove(conn, POSIX_READY);
	if (!conn_tell_accept(conn)) {
		posix_conn_free(conn);
		return;
	}
	conn_tell(conn, POSIX_EVENT_CONNECTED, conn->ops->connected);
	conn_tell_input(conn);
	conn_tell_output(conn);
	conn_tell(conn, POSIX_EVENT_DEADLINE, conn->ops->deadline);
	if (conn_done(conn))
		posix_conn_end(conn, GW_CONN_CLOSED, POSIX_CLOSE_ORDERLY);
	if ((conn->flags & POSIX_ENDED) == 0)
		return;
	conn->ops->closed(&conn->base, conn->context, conn->why);
	posix_conn_free(conn);
}

/* ---- sending ---- */

static void conn_sent(struct posix_conn *conn, ssize_t n)
{
	if (n >= 0) {
		posix_buffer_consume(&conn->tx, &conn->core->pool, (uint32_t)n);
		if (conn->tx.bytes > 0) /* the kernel is full and tells when it is not */
			conn->flags &= (uint16_t)~POSIX_KERNEL_OUT;
	} else if (errno == EAGAIN) {
		conn->flags &= (uint16_t)~POSIX_KERNEL_OUT;
	} else if (errno == EINTR || errno == ENOBUFS || errno == ENOMEM) {
		posix_list_add(conn, POSIX_OUTPUT);
	} else {
		posix_conn_fail(conn, errno);
	}
}

static void conn_send(struct posix_conn *conn)
{
	struct iovec iov[CONN_IOV];
	struct msghdr message = {.msg_iov = iov};
	uint32_t offset = 0, len;

	while (offset < conn->tx.bytes && message.msg_iovlen < CONN_IOV) {
		void *at = posix_buffer_peek(&conn->tx, offset, &len);

		iov[message.msg_iovlen++] = (struct iovec){at, len};
		offset += len;
	}
	conn_sent(conn, sendmsg(conn->fd, &message, MSG_NOSIGNAL));
}

static void conn_send_fin(struct posix_conn *conn)
{
	if ((conn->flags & (POSIX_TX_END | POSIX_TX_DONE)) != POSIX_TX_END || conn->tx.bytes > 0)
		return;
	shutdown(conn->fd, SHUT_WR); /* fails only when the connection has: an event tells */
	conn->flags |= POSIX_TX_DONE;
	posix_list_add(conn, POSIX_READY);
}

/* What was committed has shrunk: the user may go on. */
static void conn_check_low_water(struct posix_conn *conn)
{
	if ((conn->flags & POSIX_TX_FULL) == 0 ||
	    conn->tx.bytes > conn_limits(conn)->send_bytes / CONN_LOW_WATER_PART)
		return;
	conn->flags &= (uint16_t)~POSIX_TX_FULL;
	posix_event_add(conn, POSIX_EVENT_WRITABLE);
}

void posix_conn_output(struct posix_conn *conn)
{
	if ((conn->flags & (POSIX_ENDED | POSIX_CONNECTING)) != 0)
		return;
	if (conn->tx.bytes > 0 && (conn->flags & POSIX_KERNEL_OUT) != 0)
		conn_send(conn);
	if ((conn->flags & POSIX_ENDED) != 0)
		return;
	posix_buffer_consume(&conn->tx, &conn->core->pool, 0);
	conn_send_fin(conn);
	if ((conn->lists & 1u << POSIX_STARVED) == 0)
		conn_check_low_water(conn);
}

void posix_conn_feed(struct posix_conn *conn)
{
	conn_want_input(conn);
	conn_check_low_water(conn);
}

/* ---- the connection API ---- */

const void *posix_conn_peek(struct conn *conn, uint32_t offset, uint32_t *len)
{
	return posix_buffer_peek(&posix_conn_of(conn)->rx, offset, len);
}

void posix_conn_consume(struct conn *conn, uint32_t n)
{
	struct posix_conn *c = posix_conn_of(conn);

	posix_buffer_consume(&c->rx, &c->core->pool, n);
	conn_want_input(c);
}

uint32_t posix_conn_tx_room(const struct conn *conn)
{
	const struct posix_conn *c = (const struct posix_conn *)conn;
	uint32_t limit = conn_limits(c)->send_bytes;

	if ((c->flags & (POSIX_TX_END | POSIX_ENDED)) != 0 || c->tx.bytes >= limit)
		return 0;
	return limit - c->tx.bytes;
}

void *posix_conn_tx_reserve(struct conn *conn, uint32_t *room)
{
	struct posix_conn *c = posix_conn_of(conn);
	uint32_t max = posix_conn_tx_room(conn);
	void *at = posix_buffer_reserve(&c->tx, &c->core->pool, max, room);

	if ((c->flags & (POSIX_TX_END | POSIX_ENDED)) != 0)
		return NULL;
	if (at == NULL)
		c->flags |= POSIX_TX_FULL;
	if (at == NULL && max > 0)
		posix_list_add(c, POSIX_STARVED);
	posix_list_add(c, POSIX_OUTPUT); /* which also takes back what is not committed */
	return at;
}

void posix_conn_tx_commit(struct conn *conn, uint32_t n)
{
	struct posix_conn *c = posix_conn_of(conn);

	if ((c->flags & (POSIX_TX_END | POSIX_ENDED)) != 0)
		return;
	posix_buffer_commit(&c->tx, n);
	if (posix_conn_tx_room(conn) == 0)
		c->flags |= POSIX_TX_FULL;
	posix_list_add(c, POSIX_OUTPUT);
}

void posix_conn_pause_rx(struct conn *conn)
{
	struct posix_conn *c = posix_conn_of(conn);

	if ((c->flags & POSIX_ENDED) != 0)
		return;
	c->flags |= POSIX_PAUSED;
	if ((c->flags & POSIX_FAULT) != 0)
		posix_list_add(c, POSIX_INPUT);
}

void posix_conn_resume_rx(struct conn *conn)
{
	struct posix_conn *c = posix_conn_of(conn);

	if ((c->flags & (POSIX_PAUSED | POSIX_ENDED)) != POSIX_PAUSED)
		return;
	c->flags &= (uint16_t)~POSIX_PAUSED;
	if (c->rx.bytes > 0)
		posix_event_add(c, POSIX_EVENT_READABLE);
	posix_list_add(c, POSIX_READY); /* a FIN may be due, or the end */
	conn_want_input(c);
}

void posix_conn_shutdown_tx(struct conn *conn)
{
	struct posix_conn *c = posix_conn_of(conn);

	if ((c->flags & (POSIX_TX_END | POSIX_ENDED)) != 0)
		return;
	c->flags |= POSIX_TX_END;
	c->flags &= (uint16_t)~POSIX_TX_FULL;
	c->events &= (uint8_t)~POSIX_EVENT_WRITABLE;
	posix_list_add(c, POSIX_OUTPUT);
}

void posix_conn_abort(struct conn *conn, enum gw_err why)
{
	posix_conn_end(posix_conn_of(conn), why, POSIX_CLOSE_RESET);
}

void posix_conn_set_deadline(struct conn *conn, uint32_t ms)
{
	struct posix_conn *c = posix_conn_of(conn);
	struct posix_core *core = c->core;

	if ((c->flags & POSIX_ENDED) != 0)
		return;
	c->events &= (uint8_t)~POSIX_EVENT_DEADLINE;
	wheel_disarm(core->timers, &c->deadline);
	if (ms > 0)
		wheel_arm(core->timers, &c->deadline,
			  core->config.clock->now_us + (uint64_t)ms * 1000, conn_deadline_fire);
}

struct handle posix_conn_ref(const struct conn *conn)
{
	const struct posix_conn *c = (const struct posix_conn *)conn;

	return slots_handle(c->core->conns, c);
}

struct endpoint posix_conn_peer(const struct conn *conn)
{
	return ((const struct posix_conn *)conn)->peer;
}

struct endpoint posix_conn_local(const struct conn *conn)
{
	return ((const struct posix_conn *)conn)->local;
}
