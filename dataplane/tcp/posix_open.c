/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/posix.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPEN_BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */
#define OPEN_ACCEPTS_PER_TURN 64u
#define OPEN_PAUSE_US 100000u /* out of descriptors: look again after this */

bool posix_address_any(const struct endpoint *e)
{
	if (e->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&e->v6.sin6_addr);
	return e->v4.sin_addr.s_addr == INADDR_ANY;
}

socklen_t posix_address_len(const struct endpoint *e)
{
	return e->sa.sa_family == AF_INET6 ? sizeof(e->v6) : sizeof(e->v4);
}

struct endpoint posix_address_of(int fd)
{
	struct endpoint e;
	socklen_t len = sizeof(e);

	memset(&e, 0, sizeof(e));
	if (getsockname(fd, &e.sa, &len) != 0)
		e.sa.sa_family = AF_UNSPEC;
	return e;
}

bool posix_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* What every connection gets; accepted ones inherit it from their listener. */
static bool open_tune(const struct posix_core *core, int fd, sa_family_t family)
{
	const struct net_limits *limits = &core->config.limits;
	uint64_t timeout_ms = limits->user_timeout_us / 1000;

	if (family == AF_INET6 && !posix_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
		return false;
	return posix_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	       posix_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) &&
	       /* RFC 6093: "urgent" bytes are bytes of the stream */
	       posix_option(fd, SOL_SOCKET, SO_OOBINLINE, 1) &&
	       posix_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
	       posix_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)limits->send_bytes) &&
	       posix_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
			    timeout_ms < INT32_MAX ? (int)timeout_ms : INT32_MAX);
}

static int open_socket(const struct posix_core *core, sa_family_t family)
{
	int fd;

	if (family != AF_INET && family != AF_INET6)
		return -1;
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !open_tune(core, fd, family)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- listeners ---- */

enum gw_err posix_open_listen(struct net_core *core, const struct endpoint *local,
			      const struct conn_ops *ops, void *listener_context)
{
	struct posix_core *c = posix_core_of(core);
	uint64_t data = (uint64_t)c->listeners << POSIX_SOURCE_BITS | POSIX_LISTENER;
	int fd;

	if (c->listeners == POSIX_PORTS)
		return GW_POOL_EMPTY;
	fd = open_socket(c, local->sa.sa_family);
	if (fd < 0)
		return GW_SYSTEM;
	if (bind(fd, &local->sa, posix_address_len(local)) != 0 || listen(fd, OPEN_BACKLOG) != 0 ||
	    !posix_watch(c, fd, data, EPOLLIN | EPOLLET)) {
		close(fd);
		return GW_SYSTEM;
	}
	c->listener[c->listeners++] = (struct posix_listener){.fd = fd,
							      .ops = ops,
							      .context = listener_context,
							      .local = posix_address_of(fd)};
	return GW_OK;
}

void posix_open_stop_listening(struct net_core *core)
{
	struct posix_core *c = posix_core_of(core);

	for (uint32_t i = 0; i < c->listeners; i++)
		close(c->listener[i].fd);
	c->listeners = 0;
	wheel_disarm(c->timers, &c->accept_pause);
}

static bool open_may_accept(const struct posix_core *core)
{
	return !core->accept_full && !timer_armed(&core->accept_pause);
}

bool posix_open_pending(const struct posix_core *core)
{
	if (!open_may_accept(core))
		return false;
	for (uint32_t i = 0; i < core->listeners; i++)
		if (core->listener[i].pending)
			return true;
	return false;
}

void posix_open_resume(struct posix_core *core)
{
	core->accept_full = false;
}

static void open_pause_over(struct timer *timer, void *context)
{
	/* Disarmed by the call: the next turn accepts again. */
}

static void open_count(struct posix_core *core, enum gw_err err)
{
	struct counters *counters = core->config.counters;

	if (counters == NULL)
		return;
	counter_add(&counters->conn_refused, 1);
	counter_add(&counters->errors[err], 1);
}

/*
 * Out of descriptors or memory: what waits in the kernel's queue stays there, and nothing is tried
 * for a while. Everything else is about one connection that has gone already.
 */
static void open_accept_failed(struct posix_core *core, struct posix_listener *l, int error)
{
	if (error == EAGAIN) {
		l->pending = false;
	} else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
		wheel_arm(core->timers, &core->accept_pause,
			  core->config.clock->now_us + OPEN_PAUSE_US, open_pause_over);
		open_count(core, GW_SYSTEM);
	}
}

static void open_accept_one(struct posix_core *core, struct posix_listener *l)
{
	struct endpoint peer;
	socklen_t len = sizeof(peer);
	struct posix_conn *conn;
	int fd;

	memset(&peer, 0, sizeof(peer));
	fd = accept4(l->fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		open_accept_failed(core, l, errno);
		return;
	}
	conn = posix_conn_new(core, l->ops, fd);
	if (conn == NULL) {
		close(fd);
		open_count(core, GW_SYSTEM);
		return;
	}
	conn->context = l->context;
	conn->peer = peer;
	conn->local = posix_address_any(&l->local) ? posix_address_of(fd) : l->local;
	posix_event_add(conn, POSIX_EVENT_ACCEPT);
}

/*
 * At the limit connections wait in the kernel's queue, and past that their SYN is lost: to accept
 * and cut them would make their clients come back at once.
 */
static void open_limit_reached(struct posix_core *core, struct posix_listener *l)
{
	struct pollfd waiting = {.fd = l->fd, .events = POLLIN};

	if (poll(&waiting, 1, 0) != 1) {
		l->pending = false; /* nobody waits; who comes makes an event */
		return;
	}
	core->accept_full = true;
	open_count(core, GW_CONN_LIMIT);
}

static void open_accept_from(struct posix_core *core, struct posix_listener *l)
{
	for (uint32_t n = 0; n < OPEN_ACCEPTS_PER_TURN && l->pending && open_may_accept(core); n++)
		if (slots_live(core->conns) < slots_capacity(core->conns))
			open_accept_one(core, l);
		else
			open_limit_reached(core, l);
}

void posix_open_accept(struct posix_core *core)
{
	for (uint32_t i = 0; i < core->listeners; i++)
		open_accept_from(core, &core->listener[i]);
}

/* ---- active opens ---- */

static void open_timeout(struct timer *timer, void *context)
{
	struct posix_conn *conn =
		(struct posix_conn *)(void *)((uint8_t *)timer -
					      offsetof(struct posix_conn, connecting));

	posix_conn_end(conn, GW_CONN_TIMEOUT, POSIX_CLOSE_RESET);
}

/* Port 0: the kernel chooses when it knows the peer, so that a port serves many peers. */
static bool open_bind(int fd, const struct endpoint *local)
{
	if (local == NULL || local->sa.sa_family == AF_UNSPEC)
		return true;
	if (endpoint_port(local) == 0)
		posix_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &local->sa, posix_address_len(local)) == 0;
}

/* Whether the peer has answered already is told from net_run_ready() like everything else. */
static bool open_start(struct posix_conn *conn, uint32_t timeout_ms)
{
	struct posix_core *core = conn->core;

	if (connect(conn->fd, &conn->peer.sa, posix_address_len(&conn->peer)) == 0) {
		posix_conn_opened(conn);
		return true;
	}
	if (errno == ECONNREFUSED || errno == ECONNRESET || errno == ETIMEDOUT) {
		posix_conn_fail(conn, errno);
		return true;
	}
	if (errno != EINPROGRESS)
		return false;
	if (timeout_ms > 0)
		wheel_arm(core->timers, &conn->connecting,
			  core->config.clock->now_us + (uint64_t)timeout_ms * 1000, open_timeout);
	return true;
}

static enum gw_err open_begin(struct posix_core *core, int fd, const struct endpoint *peer,
			      const struct conn_ops *ops, struct posix_conn **begun)
{
	struct posix_conn *conn;

	if (slots_live(core->conns) == slots_capacity(core->conns))
		return GW_CONN_LIMIT;
	conn = posix_conn_new(core, ops, fd);
	if (conn == NULL)
		return GW_SYSTEM;
	conn->flags = POSIX_CONNECTING;
	conn->peer = *peer;
	*begun = conn;
	return GW_OK;
}

enum gw_err posix_open_connect(struct net_core *core, const struct conn_request *request,
			       struct conn **opened)
{
	struct posix_core *c = posix_core_of(core);
	struct posix_conn *conn = NULL;
	enum gw_err err = GW_SYSTEM;
	int fd;

	if (c->stopping)
		return GW_STOPPING;
	fd = open_socket(c, request->peer.sa.sa_family);
	if (fd < 0)
		return GW_SYSTEM;
	if (!open_bind(fd, &request->local))
		goto close_fd;
	err = open_begin(c, fd, &request->peer, request->ops, &conn);
	if (err != GW_OK)
		goto close_fd;
	conn->context = request->context;
	if (!open_start(conn, request->timeout_ms)) {
		err = GW_SYSTEM;
		goto free_conn;
	}
	*opened = &conn->base;
	return GW_OK;

free_conn:
	posix_conn_free(conn);
close_fd:
	close(fd);
	return err;
}
