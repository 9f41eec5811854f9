/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/posix.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TURN_EVENTS 256
#define TURN_INPUTS 256u /* connections read in one turn */
#define TURN_READY 256u	 /* connections whose callbacks run in one turn */
#define TURN_TIMERS 256u
#define TURN_FED 64u	  /* starved connections taken up again in one turn */
#define CHUNKS_MAX 65536u /* of one core: 1.25 GiB, touched only as it is used */

bool posix_watch(struct posix_core *core, int fd, uint64_t data, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = data};

	return epoll_ctl(core->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* ---- open and close ---- */

/* One more than the bytes need in each direction: the first and the last may be half used. */
static uint32_t core_chunks(const struct net_limits *limits)
{
	uint64_t chunks = (uint64_t)limits->receive_bytes / POSIX_CHUNK_BYTES +
			  limits->send_bytes / POSIX_CHUNK_BYTES + 4;

	chunks *= limits->connections;
	return chunks < CHUNKS_MAX ? (uint32_t)chunks : CHUNKS_MAX;
}

static enum gw_err core_allocate(struct posix_core *core)
{
	const struct net_config *config = &core->config;

	core->conns = slots_new(config->worker, config->limits.connections,
				sizeof(struct posix_conn), config->epoch);
	core->timers = wheel_new(config->clock->now_us, core);
	if (core->conns == NULL || core->timers == NULL)
		return GW_NO_MEMORY;
	return posix_pool_init(&core->pool, core_chunks(&config->limits));
}

static void core_free(struct posix_core *core)
{
	if (core->epoll_fd >= 0)
		close(core->epoll_fd);
	posix_pool_fini(&core->pool);
	wheel_free(core->timers);
	slots_free(core->conns);
	free(core);
}

static enum gw_err core_open(const struct net_config *config, struct net_core **opened)
{
	struct posix_core *core;
	enum gw_err err;

	if (config->limits.connections == 0 || config->limits.receive_bytes == 0 ||
	    config->limits.send_bytes == 0)
		return GW_CONFIG;
	core = calloc(1, sizeof(*core));
	if (core == NULL)
		return GW_NO_MEMORY;
	core->base.ops = &net_posix;
	core->config = *config;
	for (uint32_t list = 0; list < POSIX_LISTS; list++)
		TAILQ_INIT(&core->list[list]);
	core->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = core->epoll_fd >= 0 ? core_allocate(core) : GW_SYSTEM;
	if (err != GW_OK) {
		core_free(core);
		return err;
	}
	*opened = &core->base;
	return GW_OK;
}

static void core_close(struct net_core *core)
{
	struct posix_core *c = posix_core_of(core);
	struct posix_conn *conn;
	uint32_t cursor = 0;

	c->stopping = true;
	posix_open_stop_listening(core);
	while ((conn = slots_next(c->conns, &cursor)) != NULL) {
		posix_conn_end(conn, GW_STOPPING, POSIX_CLOSE_RESET);
		posix_conn_ready(conn);
	}
	posix_udp_close(c);
	core_free(c);
}

/* ---- the turn ---- */

static void core_dispatch(struct posix_core *core, const struct epoll_event *event)
{
	uint32_t index = (uint32_t)(event->data.u64 >> POSIX_SOURCE_BITS);

	switch ((enum posix_source)(event->data.u64 & ((1u << POSIX_SOURCE_BITS) - 1))) {
	case POSIX_CONN:
		posix_conn_event((struct posix_conn *)event->data.ptr, event->events);
		break;
	case POSIX_LISTENER:
		if (index < core->listeners)
			core->listener[index].pending = true;
		break;
	case POSIX_UDP:
		posix_udp_event(&core->udp[index], event->events);
		break;
	}
}

/* Asks the kernel once, and marks what it names. */
static void core_poll(struct posix_core *core)
{
	struct epoll_event events[TURN_EVENTS];
	int n = epoll_wait(core->epoll_fd, events, TURN_EVENTS, 0);

	for (int i = 0; i < n; i++)
		core_dispatch(core, &events[i]);
}

static void core_feed(struct posix_core *core)
{
	struct posix_conns *starved = &core->list[POSIX_STARVED];

	for (uint32_t n = 0; n < TURN_FED && posix_pool_has(&core->pool); n++) {
		struct posix_conn *conn = TAILQ_FIRST(starved);

		if (conn == NULL)
			return;
		posix_list_remove(conn, POSIX_STARVED);
		posix_conn_feed(conn);
	}
}

static void core_read(struct posix_core *core)
{
	struct posix_conn *last = TAILQ_LAST(&core->list[POSIX_INPUT], posix_conns);
	struct posix_conn *conn = NULL;

	for (uint32_t n = 0; n < TURN_INPUTS && conn != last; n++) {
		conn = TAILQ_FIRST(&core->list[POSIX_INPUT]);
		posix_list_remove(conn, POSIX_INPUT);
		posix_conn_input(conn);
	}
}

static void core_receive(struct net_core *core)
{
	struct posix_core *c = posix_core_of(core);

	core_poll(c);
	wheel_run(c->timers, c->config.clock->now_us, TURN_TIMERS);
	posix_open_accept(c);
	core_feed(c);
	core_read(c);
}

static void core_run_ready(struct net_core *core)
{
	struct posix_core *c = posix_core_of(core);

	for (uint32_t n = 0; n < TURN_READY; n++) {
		struct posix_conn *conn = TAILQ_FIRST(&c->list[POSIX_READY]);

		if (conn == NULL)
			break;
		posix_conn_ready(conn);
	}
	for (uint32_t i = 0; i < c->udps; i++)
		posix_udp_ready(c, &c->udp[i]);
}

static void core_transmit(struct net_core *core)
{
	struct posix_core *c = posix_core_of(core);
	struct posix_conn *last = TAILQ_LAST(&c->list[POSIX_OUTPUT], posix_conns);
	struct posix_conn *conn = NULL;

	while (conn != last) {
		conn = TAILQ_FIRST(&c->list[POSIX_OUTPUT]);
		posix_list_remove(conn, POSIX_OUTPUT);
		posix_conn_output(conn);
	}
}

static bool core_udp_pending(const struct posix_core *core)
{
	for (uint32_t i = 0; i < core->udps; i++)
		if (core->udp[i].pending || core->udp[i].fault)
			return true;
	return false;
}

static bool core_idle(const struct net_core *core)
{
	const struct posix_core *c = (const struct posix_core *)core;

	return TAILQ_EMPTY(&c->list[POSIX_INPUT]) && TAILQ_EMPTY(&c->list[POSIX_READY]) &&
	       TAILQ_EMPTY(&c->list[POSIX_OUTPUT]) && !posix_open_pending(c) &&
	       !core_udp_pending(c) &&
	       (TAILQ_EMPTY(&c->list[POSIX_STARVED]) || !posix_pool_has(&c->pool));
}

static uint64_t core_next_deadline_us(const struct net_core *core)
{
	return wheel_next_us(((const struct posix_core *)core)->timers);
}

/* ---- sleep ---- */

static uint64_t core_sleep_begin(struct net_core *core)
{
	return core_idle(core) ? core_next_deadline_us(core) : 0;
}

static void core_sleep_end(struct net_core *core)
{
	/* the next core_receive() asks the kernel */
}

static int core_wait_fd(const struct net_core *core)
{
	return ((const struct posix_core *)core)->epoll_fd;
}

/* ---- what kernel sockets leave to the kernel ---- */

static void core_peers(struct net_core *core, const struct endpoint *peers, uint32_t count)
{
	/* it reassembles, and resolves neighbours, by its own rules */
}

static enum gw_err core_ping(struct net_core *core, const struct endpoint *peer, uint32_t id)
{
	return GW_NOT_SUPPORTED;
}

static enum gw_err core_capture(struct net_core *core, const struct capture_filter *filter)
{
	return GW_NOT_SUPPORTED;
}

static struct conn *core_find(struct net_core *core, struct handle ref)
{
	struct posix_conn *conn = slots_at(posix_core_of(core)->conns, ref);

	return conn == NULL ? NULL : &conn->base;
}

const struct net_ops net_posix = {
	.name = "kernel",
	.open = core_open,
	.listen = posix_open_listen,
	.stop_listening = posix_open_stop_listening,
	.connect = posix_open_connect,
	.udp_bind = posix_udp_bind,
	.udp_send = posix_udp_send,
	.receive = core_receive,
	.run_ready = core_run_ready,
	.transmit = core_transmit,
	.idle = core_idle,
	.next_deadline_us = core_next_deadline_us,
	.sleep_begin = core_sleep_begin,
	.sleep_end = core_sleep_end,
	.wait_fd = core_wait_fd,
	.peers = core_peers,
	.ping = core_ping,
	.capture = core_capture,
	.next_row = posix_row_next,
	.close = core_close,
	.peek = posix_conn_peek,
	.consume = posix_conn_consume,
	.tx_reserve = posix_conn_tx_reserve,
	.tx_commit = posix_conn_tx_commit,
	.tx_room = posix_conn_tx_room,
	.pause_rx = posix_conn_pause_rx,
	.resume_rx = posix_conn_resume_rx,
	.shutdown_tx = posix_conn_shutdown_tx,
	.abort = posix_conn_abort,
	.set_deadline = posix_conn_set_deadline,
	.ref = posix_conn_ref,
	.find = core_find,
	.peer = posix_conn_peer,
	.local = posix_conn_local,
};
