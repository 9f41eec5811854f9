/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_internal.h"

#include <stdlib.h>

/* net_open() cannot say which network it joins, and a process runs one world at a time. */
static struct simnet *entered;

struct simnet *simnet_new(struct sim *sim)
{
	struct simnet *net = calloc(1, sizeof(*net));

	net->sim = sim;
	net->next_port = 20000;
	return net;
}

void simnet_free(struct simnet *net)
{
	free(net);
}

void simnet_enter(struct simnet *net)
{
	entered = net;
}

uint32_t simnet_live(const struct net_core *core)
{
	return ((const struct sim_core *)core)->given;
}

/* ---- the core ---------------------------------------------------------------------------------
 */

static void core_enter(struct sim_core *core)
{
	uint32_t i = 0;

	while (i < entered->cores && entered->core[i] != NULL)
		i++;
	entered->cores = i == entered->cores ? i + 1 : entered->cores;
	entered->core[i] = core;
}

static enum gw_err sim_open(const struct net_config *config, struct net_core **opened)
{
	struct sim_core *core = calloc(1, sizeof(*core));

	core->core.ops = &net_sim;
	core->net = entered;
	core->number = config->worker;
	core->epoch = config->epoch;
	core->limits = config->limits;
	core->clock = config->clock;
	core_enter(core);
	*opened = &core->core;
	return GW_OK;
}

static enum gw_err sim_listen(struct net_core *net_core, const struct endpoint *local,
			      const struct conn_ops *ops, void *listener_context)
{
	struct sim_core *core = core_of(net_core);

	if (core->listeners == LISTENERS_MAX)
		return GW_POOL_EMPTY;
	core->listener[core->listeners++] =
		(struct sim_listener){*local, ops, listener_context, true};
	return GW_OK;
}

static void sim_stop_listening(struct net_core *net_core)
{
	struct sim_core *core = core_of(net_core);

	for (uint32_t i = 0; i < core->listeners; i++)
		core->listener[i].open = false;
}

static enum gw_err sim_connect(struct net_core *net_core, const struct conn_request *request,
			       struct conn **opened)
{
	struct sim_core *core = core_of(net_core);
	struct sim_conn *c;

	if (core->closing)
		return GW_STOPPING;
	c = core->live < core->limits.connections ? wire_conn_new(core) : NULL;
	if (c == NULL)
		return GW_CONN_LIMIT;
	c->user = request->ops;
	c->context = request->context;
	c->local = request->local;
	if (endpoint_port(&request->local) == 0)
		endpoint_set_port(&c->local, core->net->next_port++);
	c->peer = request->peer;
	c->given = true;
	core->given++;
	c->connecting = true;
	c->connect_by_us = core->clock->now_us + request->timeout_ms * 1000ull;
	wire_syn(c);
	*opened = &c->conn;
	return GW_OK;
}

static enum gw_err sim_udp_bind(struct net_core *net_core, const struct endpoint *local,
				const struct udp_ops *ops, void *context)
{
	struct sim_core *core = core_of(net_core);

	if (core->ports == LISTENERS_MAX)
		return GW_POOL_EMPTY;
	core->port[core->ports++] = (struct sim_port){*local, ops, context};
	return GW_OK;
}

static const struct sim_port *port_of(const struct sim_core *core, const struct endpoint *local)
{
	for (uint32_t i = 0; i < core->ports; i++)
		if (port_takes(&core->port[i], local))
			return &core->port[i];
	return NULL;
}

static enum gw_err sim_udp_send(struct net_core *net_core, const struct endpoint *local,
				const struct endpoint *peer, struct span bytes)
{
	struct sim_core *core = core_of(net_core);

	if (port_of(core, local) == NULL) {
		contract(core->net, !core->net->sim->shape.rough, "a datagram from no port");
		return GW_SYSTEM;
	}
	if (core->net->sim->shape.rough && sim_chance(core->net->sim, 1))
		return GW_QUEUE_FULL;
	wire_datagram(core, local, peer, bytes);
	return GW_OK;
}

/* ---- turns ------------------------------------------------------------------------------------
 */

/** Calls f for each end of core, from a drawn one on. f says when it has done enough. */
typedef bool conn_visit(struct sim_conn *c, uint64_t now_us);

static bool visit(const struct sim_core *core, conn_visit *f, bool drawn)
{
	uint32_t n = core->live, at = drawn && n > 0 ? sim_below(core->net->sim, n) : 0;

	for (uint32_t i = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0)
		if (f(core->conn[at], core->clock->now_us))
			return true;
	return false;
}

static bool timed_out(const struct sim_conn *c, uint64_t now_us)
{
	if (c->connect_by_us != 0 && now_us >= c->connect_by_us)
		return true;
	return c->tx_len > 0 && !c->connecting && c->core->limits.user_timeout_us > 0 &&
	       now_us >= c->progress_us + c->core->limits.user_timeout_us;
}

static bool take_in(struct sim_conn *c, uint64_t now_us)
{
	if (!c->ending && timed_out(c, now_us))
		wire_end(c, GW_CONN_TIMEOUT, true);
	return false;
}

static void sim_receive(struct net_core *net_core)
{
	(void)visit(core_of(net_core), take_in, false);
}

static bool due(const struct sim_conn *c, uint64_t now_us)
{
	bool fin = c->fin_received && !c->fin_told && !c->paused;

	if (c->ending || c->accept_due || c->connected_due || wire_finished(c))
		return true;
	return (c->deadline_us != 0 && now_us >= c->deadline_us) ||
	       (c->readable_due && !c->paused && c->rx_len > 0) || fin || c->writable_due;
}

static void run_accept(struct sim_conn *c)
{
	c->accept_due = false;
	if (c->user->accept(&c->conn, c->listener_context, &c->context) == GW_OK) {
		c->given = true;
		c->core->given++;
		return;
	}
	wire_end(c, GW_CONN_ABORTED, true);
}

static void run_closed(struct sim_conn *c)
{
	if (c->given) {
		c->core->given--;
		c->user->closed(&c->conn, c->context, c->why);
	}
	wire_conn_free(c);
}

static void run_input(struct sim_conn *c)
{
	if (c->readable_due && !c->paused && c->rx_len > 0) {
		c->readable_due = false;
		c->user->readable(&c->conn, c->context);
	}
	if (!c->ending && c->fin_received && !c->fin_told && !c->paused) {
		c->fin_told = true;
		c->user->peer_fin(&c->conn, c->context);
	}
}

static void run_conn(struct sim_conn *c, uint64_t now_us)
{
	if (c->accept_due && !c->ending)
		run_accept(c);
	if (c->connected_due && !c->ending) {
		c->connected_due = false;
		c->user->connected(&c->conn, c->context);
	}
	if (!c->ending && c->given)
		run_input(c);
	if (!c->ending && c->writable_due) {
		c->writable_due = false;
		c->user->writable(&c->conn, c->context);
	}
	if (!c->ending && c->deadline_us != 0 && now_us >= c->deadline_us) {
		c->deadline_us = 0;
		c->user->deadline(&c->conn, c->context);
	}
	if (!c->ending && wire_finished(c)) {
		c->ending = true;
		c->why = GW_CONN_CLOSED;
	} else if (c->ending && sim_chance(c->net->sim, 50)) {
		return; /* closed comes soon, not always at once */
	}
	if (c->ending)
		run_closed(c);
}

static void run_datagrams(struct sim_core *core)
{
	uint32_t n = core->inbox_len;

	for (uint32_t i = 0; i < n; i++) {
		struct sim_datagram *d = core->inbox[i];
		const struct sim_port *port = port_of(core, &d->local);

		if (port != NULL && d->unreachable)
			port->user->unreachable(port->context, &d->peer);
		else if (port != NULL)
			port->user->datagram(port->context, &d->local, &d->peer,
					     span_of(d->bytes, d->len));
		free(d);
	}
	core->inbox_len = 0;
}

static void sim_run_ready(struct net_core *net_core)
{
	struct sim_core *core = core_of(net_core);
	uint32_t calls = 0, n = core->live, from = n > 0 ? sim_below(core->net->sim, n) : 0;

	core->running = true;
	run_datagrams(core);
	/* the list changes meanwhile: who is passed over has its turn in the next run */
	for (uint32_t i = 0; i < n && core->live > 0 && calls < CALLS_PER_RUN; i++) {
		struct sim_conn *c = core->conn[(from + i) % core->live];

		if (!due(c, core->clock->now_us))
			continue;
		run_conn(c, core->clock->now_us);
		calls++;
	}
	core->running = false;
}

static bool send_one(struct sim_conn *c, uint64_t now_us)
{
	(void)now_us;
	wire_send(c);
	return false;
}

static void sim_transmit(struct net_core *net_core)
{
	(void)visit(core_of(net_core), send_one, true);
}

static bool busy(struct sim_conn *c, uint64_t now_us)
{
	return due(c, now_us) || wire_can_send(c);
}

static bool sim_idle(const struct net_core *net_core)
{
	const struct sim_core *core = (const struct sim_core *)net_core;

	return core->inbox_len == 0 && !visit(core, busy, false);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

static uint64_t sim_next_deadline_us(const struct net_core *net_core)
{
	const struct sim_core *core = (const struct sim_core *)net_core;
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < core->live; i++) {
		const struct sim_conn *c = core->conn[i];

		next = earlier(next, c->deadline_us);
		next = earlier(next, c->connect_by_us);
		if (c->tx_len > 0 && !c->connecting && core->limits.user_timeout_us > 0)
			next = earlier(next, c->progress_us + core->limits.user_timeout_us);
	}
	return next;
}

static uint64_t sim_sleep_begin(struct net_core *net_core)
{
	return sim_idle(net_core) ? sim_next_deadline_us(net_core) : 0;
}

static void sim_sleep_end(struct net_core *net_core)
{
	(void)net_core;
}

static int sim_wait_fd(const struct net_core *net_core)
{
	(void)net_core;
	return -1; /* the simulator wakes its workers itself */
}

static void sim_peers(struct net_core *net_core, const struct endpoint *peers, uint32_t count)
{
	(void)net_core;
	(void)peers;
	(void)count;
}

static enum gw_err sim_ping(struct net_core *net_core, const struct endpoint *peer, uint32_t id)
{
	(void)net_core;
	(void)peer;
	(void)id;
	return GW_NOT_SUPPORTED;
}

static enum gw_err sim_capture(struct net_core *net_core, const struct capture_filter *filter)
{
	(void)net_core;
	(void)filter;
	return GW_NOT_SUPPORTED;
}

static void sim_close(struct net_core *net_core)
{
	struct sim_core *core = core_of(net_core);
	struct simnet *net = core->net;

	core->closing = true;
	sim_stop_listening(net_core);
	while (core->live > 0) {
		struct sim_conn *c = core->conn[0];

		wire_end(c, GW_STOPPING, true);
		run_closed(c);
	}
	for (uint32_t i = 0; i < core->inbox_len; i++)
		free(core->inbox[i]);
	for (uint32_t i = 0; i < net->cores; i++)
		if (net->core[i] == core)
			net->core[i] = NULL;
	free(core);
}

/* ---- a connection -----------------------------------------------------------------------------
 */

/** The user may call on it: it was given and has not been closed. */
static void alive(const struct sim_conn *c)
{
	contract(c->net, c->core != NULL, "a connection is used after closed");
}

static const void *sim_peek(struct conn *conn, uint32_t offset, uint32_t *len)
{
	struct sim_conn *c = conn_of(conn);

	alive(c);
	if (c->ending || offset >= c->rx_len) {
		*len = 0;
		return NULL;
	}
	*len = c->rx_len - offset < c->run ? c->rx_len - offset : c->run;
	return c->rx + offset;
}

static void sim_consume(struct conn *conn, uint32_t n)
{
	struct sim_conn *c = conn_of(conn);

	alive(c);
	if (c->ending)
		return;
	contract(c->net, n <= c->rx_len, "more is consumed than was received");
	if (n > c->rx_len)
		return;
	c->rx_len -= n;
	memmove(c->rx, c->rx + n, c->rx_len);
	wire_window(c);
}

static uint32_t sim_tx_room(const struct conn *conn)
{
	struct sim_conn *c =
		&((const struct sim_conn *)conn)->net->conn[((const struct sim_conn *)conn)->index];

	alive(c);
	if (c->ending || c->fin_wanted)
		return 0;
	if (c->tx_len == c->tx_size)
		c->starved = true;
	return c->tx_size - c->tx_len;
}

static void *sim_tx_reserve(struct conn *conn, uint32_t *room)
{
	struct sim_conn *c = conn_of(conn);

	*room = sim_tx_room(conn);
	if (*room == 0)
		return NULL;
	if (*room > c->run)
		*room = c->run;
	c->reserved = *room;
	return c->tx + c->tx_len;
}

static void sim_tx_commit(struct conn *conn, uint32_t n)
{
	struct sim_conn *c = conn_of(conn);

	alive(c);
	if (c->ending)
		return;
	contract(c->net, n <= c->reserved, "more is committed than was reserved");
	if (c->tx_len == 0)
		c->progress_us = sim_now(c->net->sim);
	c->tx_len += n;
	c->reserved = 0;
}

static void sim_pause_rx(struct conn *conn)
{
	alive(conn_of(conn));
	conn_of(conn)->paused = true;
}

static void sim_resume_rx(struct conn *conn)
{
	struct sim_conn *c = conn_of(conn);

	alive(c);
	if (c->paused && c->rx_len > 0)
		c->readable_due = true;
	c->paused = false;
}

static void sim_shutdown_tx(struct conn *conn)
{
	alive(conn_of(conn));
	conn_of(conn)->fin_wanted = true;
}

static void sim_abort(struct conn *conn, enum gw_err why)
{
	alive(conn_of(conn));
	wire_end(conn_of(conn), why, true);
}

static void sim_set_deadline(struct conn *conn, uint32_t ms)
{
	struct sim_conn *c = conn_of(conn);

	alive(c);
	c->deadline_us = ms == 0 ? 0 : c->core->clock->now_us + ms * 1000ull;
}

static struct handle sim_ref(const struct conn *conn)
{
	const struct sim_conn *c = (const struct sim_conn *)conn;

	return (struct handle){c->core->number, 0, c->index, c->generation};
}

static struct conn *sim_find(struct net_core *net_core, struct handle ref)
{
	struct sim_core *core = core_of(net_core);
	struct sim_conn *c = ref.slot < CONNS_MAX ? &core->net->conn[ref.slot] : NULL;

	return c != NULL && c->core == core && c->generation == ref.generation ? &c->conn : NULL;
}

static bool sim_next_row(struct net_core *net_core, uint32_t *cursor, struct conn_row *row)
{
	struct sim_core *core = core_of(net_core);

	for (; *cursor < core->net->used; ++*cursor) {
		const struct sim_conn *c = &core->net->conn[*cursor];

		if (c->core != core)
			continue;
		*row = (struct conn_row){
			.ref = {core->number, 0, c->index, c->generation},
			.local = c->local,
			.peer = c->peer,
			.state = "ESTAB",
			.receive_bytes = c->rx_len,
			.send_bytes = c->tx_len,
		};
		++*cursor;
		return true;
	}
	return false;
}

static struct endpoint sim_peer(const struct conn *conn)
{
	return ((const struct sim_conn *)conn)->peer;
}

static struct endpoint sim_local(const struct conn *conn)
{
	return ((const struct sim_conn *)conn)->local;
}

const struct net_ops net_sim = {
	.name = "sim",
	.open = sim_open,
	.listen = sim_listen,
	.stop_listening = sim_stop_listening,
	.connect = sim_connect,
	.udp_bind = sim_udp_bind,
	.udp_send = sim_udp_send,
	.receive = sim_receive,
	.run_ready = sim_run_ready,
	.transmit = sim_transmit,
	.idle = sim_idle,
	.next_deadline_us = sim_next_deadline_us,
	.sleep_begin = sim_sleep_begin,
	.sleep_end = sim_sleep_end,
	.wait_fd = sim_wait_fd,
	.peers = sim_peers,
	.ping = sim_ping,
	.capture = sim_capture,
	.next_row = sim_next_row,
	.close = sim_close,
	.peek = sim_peek,
	.consume = sim_consume,
	.tx_reserve = sim_tx_reserve,
	.tx_commit = sim_tx_commit,
	.tx_room = sim_tx_room,
	.pause_rx = sim_pause_rx,
	.resume_rx = sim_resume_rx,
	.shutdown_tx = sim_shutdown_tx,
	.abort = sim_abort,
	.set_deadline = sim_set_deadline,
	.ref = sim_ref,
	.find = sim_find,
	.peer = sim_peer,
	.local = sim_local,
};
