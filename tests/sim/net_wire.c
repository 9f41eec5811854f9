/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_internal.h"

#include <stdlib.h>

/* What happens between hosts. Everything is an event of the schedule. */

#define LATENCY_MIN_US 50
#define LATENCY_MAX_US 20000
#define BUFFER_MIN 600
#define BUFFER_MAX 12000

static uint64_t latency(struct simnet *net)
{
	/* mostly near, sometimes far: so that orders vary */
	return sim_chance(net->sim, 90) ? sim_between(net->sim, LATENCY_MIN_US, 1500)
					: sim_between(net->sim, 1500, LATENCY_MAX_US);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return endpoint_same_host(a, b) && endpoint_port(a) == endpoint_port(b);
}

bool port_takes(const struct sim_port *port, const struct endpoint *local)
{
	bool any = port->local.sa.sa_family == AF_INET && local->sa.sa_family == AF_INET &&
		   port->local.v4.sin_addr.s_addr == INADDR_ANY;

	return (any || endpoint_same_host(&port->local, local)) &&
	       endpoint_port(&port->local) == endpoint_port(local);
}

static enum simnet_host_state host_state(const struct simnet *net, const struct endpoint *host)
{
	for (uint32_t i = 0; i < net->hosts; i++)
		if (endpoint_same_host(&net->host[i].host, host))
			return net->host[i].state;
	return HOST_UP;
}

void simnet_host(struct simnet *net, const struct endpoint *host, enum simnet_host_state state)
{
	uint32_t i = 0;

	while (i < net->hosts && !endpoint_same_host(&net->host[i].host, host))
		i++;
	if (i == HOSTS_MAX)
		return;
	if (i == net->hosts)
		net->hosts++;
	net->host[i].host = *host;
	net->host[i].state = state;
}

/* ---- ends -------------------------------------------------------------------------------------
 */

struct sim_conn *wire_conn_new(struct sim_core *core)
{
	struct simnet *net = core->net;
	uint32_t i = 0, generation;
	struct sim_conn *c;

	while (i < net->used && net->conn[i].core != NULL)
		i++;
	if (i == CONNS_MAX)
		return NULL;
	net->used = i == net->used ? i + 1 : net->used;
	c = &net->conn[i];
	generation = c->generation + 1;
	*c = (struct sim_conn){
		.conn = {core->core.ops},
		.net = net,
		.core = core,
		.index = i,
		.generation = generation,
		.other = NO_CONN,
		.rx_size = core->limits.receive_bytes,
		.tx_size = core->limits.send_bytes,
		.run = UINT32_MAX,
		.progress_us = sim_now(net->sim),
	};
	if (net->sim->shape.rough) {
		c->rx_size = (uint32_t)sim_between(net->sim, BUFFER_MIN, BUFFER_MAX);
		c->tx_size = (uint32_t)sim_between(net->sim, BUFFER_MIN, BUFFER_MAX);
		c->run = sim_chance(net->sim, 70) ? 1500 : (uint32_t)sim_between(net->sim, 1, 1500);
	}
	c->rx = malloc(c->rx_size);
	c->tx = malloc(c->tx_size);
	c->place = core->live;
	core->conn[core->live++] = c;
	return c;
}

void wire_conn_free(struct sim_conn *c)
{
	struct sim_core *core = c->core;

	free(c->rx);
	free(c->tx);
	c->rx = NULL;
	c->tx = NULL;
	core->conn[c->place] = core->conn[--core->live];
	core->conn[c->place]->place = c->place;
	c->core = NULL;
}

struct sim_conn *wire_other(const struct sim_conn *c)
{
	struct sim_conn *other = c->other == NO_CONN ? NULL : &c->net->conn[c->other];

	return other != NULL && other->core != NULL && other->generation == c->other_generation
		       ? other
		       : NULL;
}

/** Events name an end by index and generation: it may have gone when they happen. */
static uint64_t name_of(const struct sim_conn *c)
{
	return (uint64_t)c->generation << 32 | c->index;
}

static struct sim_conn *named(struct simnet *net, uint64_t name)
{
	struct sim_conn *c = &net->conn[(uint32_t)name];

	return c->core != NULL && c->generation == (uint32_t)(name >> 32) ? c : NULL;
}

static uint64_t arrival(struct sim_conn *c)
{
	uint64_t at = sim_now(c->net->sim) + latency(c->net);

	c->arrives_us = at > c->arrives_us ? at : c->arrives_us;
	return c->arrives_us;
}

static void arrived(const struct sim_conn *c)
{
	sim_arrived(c->net->sim, c->core->number);
}

bool wire_finished(const struct sim_conn *c)
{
	return c->fin_arrived && c->fin_told;
}

/* ---- reset ------------------------------------------------------------------------------------
 */

static void reset_arrives(struct sim *sim, void *context, uint64_t name)
{
	struct sim_conn *c = named(context, name);

	(void)sim;
	if (c == NULL || c->ending)
		return;
	wire_end(c, c->connecting ? GW_CONN_REFUSED : GW_CONN_RESET, false);
	arrived(c);
}

void wire_end(struct sim_conn *c, enum gw_err why, bool tell)
{
	struct sim_conn *other = wire_other(c);

	if (c->ending)
		return;
	c->ending = true;
	c->why = why;
	if (tell && other != NULL && !c->silent)
		sim_at(c->net->sim, arrival(c), reset_arrives, c->net, name_of(other));
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static void established(struct sim *sim, void *context, uint64_t name)
{
	struct sim_conn *c = named(context, name);

	(void)sim;
	if (c == NULL || c->ending)
		return;
	c->connecting = false;
	c->connect_by_us = 0;
	c->connected_due = true;
	arrived(c);
}

/** One of the cores that listen there, as SO_REUSEPORT would choose; NULL: none. */
static struct sim_listener *pick_listener(struct simnet *net, const struct endpoint *local,
					  struct sim_core **owner)
{
	struct sim_listener *picked = NULL;
	uint32_t found = 0;

	for (uint32_t i = 0; i < net->cores; i++)
		for (uint32_t j = 0; net->core[i] != NULL && j < net->core[i]->listeners; j++) {
			struct sim_listener *l = &net->core[i]->listener[j];

			if (!l->open || !endpoint_equal(&l->local, local))
				continue;
			if (sim_below(net->sim, ++found) == 0) {
				picked = l;
				*owner = net->core[i];
			}
		}
	return picked;
}

static void syn_arrives(struct sim *sim, void *context, uint64_t name)
{
	struct simnet *net = context;
	struct sim_conn *c = named(net, name), *other;
	struct sim_core *owner = NULL;
	struct sim_listener *l;
	enum simnet_host_state state;

	if (c == NULL || c->ending)
		return;
	state = host_state(net, &c->peer);
	if (state == HOST_SILENT)
		return;
	l = state == HOST_UP ? pick_listener(net, &c->peer, &owner) : NULL;
	other = l != NULL && owner->live < owner->limits.connections ? wire_conn_new(owner) : NULL;
	if (other == NULL) {
		sim_at(sim, sim_now(sim) + latency(net), reset_arrives, net, name);
		return;
	}
	other->user = l->user;
	other->listener_context = l->context;
	other->local = c->peer;
	other->peer = c->local;
	other->accept_due = true;
	other->other = c->index;
	other->other_generation = c->generation;
	c->other = other->index;
	c->other_generation = other->generation;
	sim_at(sim, arrival(other), established, net, name);
	arrived(other);
}

void wire_syn(struct sim_conn *c)
{
	sim_at(c->net->sim, arrival(c), syn_arrives, c->net, name_of(c));
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

/** The sender gets its room back. */
static void acknowledged(struct sim_conn *from, uint32_t n)
{
	from->tx_len -= n;
	from->tx_sent -= n;
	memmove(from->tx, from->tx + n, from->tx_len);
	from->progress_us = sim_now(from->net->sim);
	if (from->starved && from->tx_len <= from->tx_size / 4) {
		from->starved = false;
		from->writable_due = true;
	}
	arrived(from);
}

struct segment {
	struct simnet *net;
	uint64_t to;
	uint64_t from;
	uint32_t len;
	uint8_t bytes[];
};

static void segment_arrives(struct sim *sim, void *context, uint64_t arg)
{
	struct segment *s = context;
	struct sim_conn *to = named(s->net, s->to), *from = named(s->net, s->from);

	(void)sim;
	(void)arg;
	if (to != NULL && !to->ending) {
		memcpy(to->rx + to->rx_len, s->bytes, s->len);
		to->rx_len += s->len;
		to->rx_flying -= s->len;
		to->readable_due = true;
		if (from != NULL && !from->ending)
			acknowledged(from, s->len);
		arrived(to);
	}
	free(s);
}

static void fin_arrives(struct sim *sim, void *context, uint64_t name)
{
	struct sim_conn *c = named(context, name), *from;

	(void)sim;
	if (c == NULL || c->ending)
		return;
	c->fin_received = true;
	from = wire_other(c);
	if (from != NULL) {
		from->fin_arrived = true;
		arrived(from);
	}
	arrived(c);
}

static uint32_t window(const struct sim_conn *c, const struct sim_conn *other)
{
	uint32_t taken = other->rx_len + other->rx_flying;
	uint32_t left = c->tx_len - c->tx_sent;
	uint32_t room = other->ending || taken >= other->rx_size ? 0 : other->rx_size - taken;

	return left < room ? left : room;
}

static bool fin_can_go(const struct sim_conn *c)
{
	return c->fin_wanted && !c->fin_sent && c->tx_len == c->tx_sent;
}

bool wire_can_send(const struct sim_conn *c)
{
	const struct sim_conn *other = wire_other(c);

	if (c->ending || c->connecting || c->silent || other == NULL || other->silent)
		return false;
	return window(c, other) > 0 || fin_can_go(c);
}

static void send_segment(struct sim_conn *c, struct sim_conn *other, uint32_t n)
{
	struct segment *s = malloc(sizeof(*s) + n);

	*s = (struct segment){c->net, name_of(other), name_of(c), n};
	memcpy(s->bytes, c->tx + c->tx_sent, n);
	c->tx_sent += n;
	other->rx_flying += n;
	sim_at_owned(c->net->sim, arrival(c), segment_arrives, s);
}

void wire_send(struct sim_conn *c)
{
	struct sim_conn *other = wire_other(c);
	uint32_t room;

	if (!wire_can_send(c))
		return;
	while ((room = window(c, other)) > 0) {
		uint32_t n = room;

		if (c->net->sim->shape.rough && sim_chance(c->net->sim, 20))
			n = (uint32_t)sim_between(c->net->sim, 1, room);
		send_segment(c, other, n);
	}
	if (fin_can_go(c)) {
		c->fin_sent = true;
		sim_at(c->net->sim, arrival(c), fin_arrives, c->net, name_of(other));
	}
}

static void window_arrives(struct sim *sim, void *context, uint64_t name)
{
	struct sim_conn *c = named(context, name);

	(void)sim;
	if (c != NULL && !c->ending)
		arrived(c);
}

void wire_window(struct sim_conn *c)
{
	struct sim_conn *other = wire_other(c);

	if (other != NULL && other->tx_len > other->tx_sent && !c->silent)
		sim_at(c->net->sim, arrival(c), window_arrives, c->net, name_of(other));
}

void simnet_silence(struct conn *conn)
{
	conn_of(conn)->silent = true;
}

/* ---- datagrams --------------------------------------------------------------------------------
 */

struct flying {
	struct simnet *net;
	struct sim_datagram *datagram;
	uint16_t from; /* who learns that nobody is there */
};

static struct sim_core *pick_port(struct simnet *net, const struct endpoint *local, uint16_t only)
{
	struct sim_core *picked = NULL;
	uint32_t found = 0;

	for (uint32_t i = 0; i < net->cores; i++)
		for (uint32_t j = 0; net->core[i] != NULL && j < net->core[i]->ports; j++)
			if (port_takes(&net->core[i]->port[j], local) &&
			    (only == UINT16_MAX || net->core[i]->number == only) &&
			    sim_below(net->sim, ++found) == 0)
				picked = net->core[i];
	return picked;
}

static bool inbox_put(struct sim_core *core, struct sim_datagram *d)
{
	if (core == NULL || core->inbox_len == INBOX_MAX)
		return false;
	core->inbox[core->inbox_len++] = d;
	sim_arrived(core->net->sim, core->number);
	return true;
}

static void datagram_arrives(struct sim *sim, void *context, uint64_t arg)
{
	struct flying *f = context;
	struct sim_datagram *d = f->datagram;
	enum simnet_host_state state = host_state(f->net, &d->local);
	struct sim_core *to = state == HOST_UP ? pick_port(f->net, &d->local, UINT16_MAX) : NULL;

	(void)sim;
	(void)arg;
	if (to == NULL && state == HOST_REFUSES) { /* ICMP port unreachable, to the sender */
		struct endpoint local = d->local;

		d->local = d->peer;
		d->peer = local;
		d->unreachable = true;
		to = pick_port(f->net, &d->local, f->from);
	}
	if (!inbox_put(to, d))
		free(d);
	free(f);
}

void wire_datagram(struct sim_core *from, const struct endpoint *local, const struct endpoint *peer,
		   struct span bytes)
{
	struct simnet *net = from->net;
	uint32_t copies = sim_chance(net->sim, net->sim->shape.loss)   ? 0
			  : sim_chance(net->sim, net->sim->shape.loss) ? 2
								       : 1;

	while (copies-- > 0) {
		struct sim_datagram *d = malloc(sizeof(*d) + bytes.len);
		struct flying *f = malloc(sizeof(*f));

		*d = (struct sim_datagram){.local = *peer, .peer = *local, .len = bytes.len};
		if (bytes.len > 0)
			memcpy(d->bytes, bytes.at, bytes.len);
		*f = (struct flying){net, d, from->number};
		sim_at_owned(net->sim, sim_now(net->sim) + latency(net), datagram_arrives, f);
	}
}
