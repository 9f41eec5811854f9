/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"
#include "events.h"
#include "member.h"

#include <stdlib.h>

#include "net_sim.h"

/* The scripted core: its connections and datagrams, and its deaths. */

/* ---- connections ------------------------------------------------------------------------------
 */

static struct core_link *link_new(struct core_script *core)
{
	for (uint32_t i = 0; i < LINKS_MAX; i++) {
		struct core_link *l = &core->link[i];

		if (l->conn != NULL)
			continue;
		l->core = core;
		l->up = false;
		l->ours = false;
		l->number = ++core->links;
		l->in_len = 0;
		l->out.len = 0;
		return l;
	}
	return NULL;
}

static void take_message(struct core_script *core, const struct core_way *way, struct span message)
{
	if (token_leaks(message))
		sim_broken(core->sim, "no-token-on-mw", "%.*s", (int)span_find(message, '\r'),
			   (const char *)message.at);
	if (call_of(core->sim, message) != NULL)
		core_call_message(core, way, call_of(core->sim, message), message);
	else if (text_status(message) != 0)
		core_response(core, message);
	else
		core_request(core, way, message);
}

/** Cuts one message off the stream. */
static bool link_message(struct core_link *l)
{
	struct span in = span_of(l->in, l->in_len);
	struct core_way way = {.tcp = true,
			       .link = (uint32_t)(l - l->core->link),
			       .number = l->number};
	const uint8_t *end;
	uint32_t len;

	if (span_starts(in, SPAN("\r\n"))) {
		len = 2;
	} else {
		end = in.len > 0 ? memmem(in.at, in.len, "\r\n\r\n", 4) : NULL;
		if (end == NULL)
			return false;
		len = (uint32_t)(end - in.at) + 4;
		len += (uint32_t)text_number(text_header(in, "Content-Length", 0), "", 0);
		if (in.len < len)
			return false;
		take_message(l->core, &way, span_cut(in, 0, len));
	}
	l->in_len -= len;
	memmove(l->in, l->in + len, l->in_len);
	return true;
}

static void on_readable(struct conn *conn, void *context)
{
	struct core_link *l = context;

	l->in_len = peer_take(conn, l->in, l->in_len, sizeof(l->in));
	while (link_message(l))
		;
}

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct core_link *l = link_new(listener_context);

	if (l == NULL)
		return GW_CONN_LIMIT;
	l->conn = conn;
	l->up = true;
	*context = l;
	return GW_OK;
}

static void on_connected(struct conn *conn, void *context)
{
	struct core_link *l = context;

	l->up = true;
	peer_flush(&l->out, conn);
}

static void on_writable(struct conn *conn, void *context)
{
	struct core_link *l = context;

	peer_flush(&l->out, conn);
}

static void on_peer_fin(struct conn *conn, void *context)
{
	on_readable(conn, context);
	conn_shutdown_tx(conn);
}

static void on_deadline(struct conn *conn, void *context)
{
	(void)conn;
	(void)context;
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct core_link *l = context;

	(void)conn;
	sim_note(l->core->sim, "core link %u closed: %s", l->number, gw_err_name(why));
	l->conn = NULL;
	l->number = 0;
	l->core->disturbed_us = l->core->sim->now_us;
}

static const struct conn_ops link_ops = {on_accept,   on_connected, on_readable, on_writable,
					 on_peer_fin, on_deadline,  on_closed};

struct core_link *core_link_to(struct core_script *core, const struct endpoint *target)
{
	struct endpoint local = core->place[0];
	struct conn_request request;
	struct core_link *l;

	for (uint32_t i = 0; i < LINKS_MAX; i++) {
		l = &core->link[i];
		if (l->conn != NULL && l->ours && endpoint_same_host(&l->target, target) &&
		    endpoint_port(&l->target) == endpoint_port(target))
			return l;
	}
	l = link_new(core);
	if (l == NULL)
		return NULL;
	l->ours = true;
	l->target = *target;
	endpoint_set_port(&local, 0);
	request = (struct conn_request){local, *target, &link_ops, l, 5000};
	if (net_connect(core->sim->core_host.core, &request, &l->conn) != GW_OK)
		return NULL;
	return l;
}

void core_link_write(struct core_link *link, struct span bytes)
{
	struct peer_out *out = &link->out;

	if (link->up) {
		peer_send(out, link->conn, bytes);
	} else if (bytes.len <= sizeof(out->bytes) - out->len) {
		memcpy(out->bytes + out->len, bytes.at, bytes.len);
		out->len += bytes.len;
	}
}

void core_answer(struct core_script *core, const struct core_way *way, struct span bytes)
{
	struct core_link *l = &core->link[way->link];
	enum gw_err err = GW_OK;

	if (!way->tcp)
		err = net_udp_send(core->sim->core_host.core, &way->local, &way->peer, bytes);
	else if (l->conn != NULL && l->number == way->number)
		core_link_write(l, bytes);
	(void)err; /* lost on the way */
	sim_arrived(core->sim, SIM_HOST_CORE);
}

/* ---- datagrams --------------------------------------------------------------------------------
 */

static void on_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			struct span bytes)
{
	struct core_script *core = context;
	struct core_way way = {.local = *local, .peer = *peer};

	if (endpoint_same_host(local, &core->place[STRANGER]))
		sim_broken(core->sim, "trusted-peers-only", "a stranger is answered");
	if (bytes.len > 4)
		take_message(core, &way, bytes);
}

static void on_unreachable(void *context, const struct endpoint *peer)
{
	(void)context;
	(void)peer;
}

static const struct udp_ops udp_ops = {on_datagram, on_unreachable};

/* ---- life and death ---------------------------------------------------------------------------
 */

static void rises(struct sim *sim, void *context, uint64_t place)
{
	struct core_script *core = context;

	sim_note(sim, "core %u is back", (unsigned)place);
	core->down--;
	core->disturbed_us = sim->now_us;
	simnet_host(sim->net, &core->place[place], HOST_UP);
}

static void dies(struct sim *sim, void *context, uint64_t arg)
{
	struct core_script *core = context;
	uint32_t place = sim_below(sim, PLACES);
	bool resets = sim_chance(sim, 70);

	(void)arg;
	if (sim->draining)
		return;
	sim_note(sim, "core %u dies%s", place, resets ? "" : " in silence");
	simnet_host(sim->net, &core->place[place], resets ? HOST_REFUSES : HOST_SILENT);
	core->down++;
	core->disturbed_us = sim->now_us;
	for (uint32_t i = 0; i < LINKS_MAX; i++)
		if (core->link[i].conn != NULL && sim_chance(sim, 80))
			conn_abort(core->link[i].conn, GW_CONN_ABORTED);
	sim_arrived(sim, SIM_HOST_CORE);
	sim_at(sim, sim->now_us + sim_between(sim, sim_s(1), sim_s(9)), rises, core, place);
	sim_at(sim, sim->now_us + sim_between(sim, sim_s(10), sim_s(60)), dies, core, 0);
}

static void gets_busy(struct sim *sim, void *context, uint64_t arg)
{
	struct core_script *core = context;
	uint32_t place = sim_below(sim, PLACES);

	(void)arg;
	if (sim->draining)
		return;
	core->busy_until_us[place] = sim->now_us + sim_between(sim, SECOND / 2, sim_s(4));
	sim_note(sim, "core %u is busy", place);
	sim_at(sim, sim->now_us + sim_between(sim, sim_s(3), sim_s(40)), gets_busy, core, 0);
}

bool core_busy(struct core_script *core, const struct core_way *way)
{
	struct endpoint local = way->local;

	if (way->tcp && core->link[way->link].conn != NULL)
		local = conn_local(core->link[way->link].conn);
	for (uint32_t i = 0; i < PLACES; i++)
		if (endpoint_same_host(&local, &core->place[i]))
			return core->sim->now_us < core->busy_until_us[i];
	return false;
}

struct core_script *core_new(struct sim *sim)
{
	struct core_script *core = table_new(sizeof(*core));
	struct net_core *net = sim->core_host.core;

	core->sim = sim;
	core->place[0] = sim_endpoint(ADDRESS_CORE);
	core->place[1] = sim_endpoint(ADDRESS_CORE_2);
	core->place[STRANGER] = sim_endpoint(ADDRESS_STRANGER);
	for (uint32_t i = 0; i <= PLACES; i++)
		if (net_udp_bind(net, &core->place[i], &udp_ops, core) != GW_OK ||
		    (i < PLACES && net_listen(net, &core->place[i], &link_ops, core) != GW_OK))
			abort();
	sim_at(sim, sim_between(sim, sim_s(5), sim_s(60)), dies, core, 0);
	sim_at(sim, SECOND, core_calls, core, 0);
	if (sim->events != NULL)
		sim_at(sim, sim_between(sim, sim_s(2), sim_s(10)), core_events, core, 0);
	if (sim->members != NULL)
		sim_at(sim, sim_between(sim, sim_s(4), sim_s(40)), core_block_forgets, core, 0);
	core->exchange = core_exchanges_new();
	core->bindings = OWN_BINDINGS + sim->shape.pool_pairs;
	if (sim->shape.busy)
		sim_at(sim, sim_between(sim, sim_s(5), sim_s(30)), gets_busy, core, 0);
	return core;
}

void core_free(struct core_script *core)
{
	for (uint32_t i = 0; i < core->calls; i++)
		free(core->call[i].bytes);
	core_exchanges_free(core->exchange, core->sim->calls->exchanges);
	table_free(core, sizeof(*core));
}

void core_drain(struct core_script *core)
{
	core->leaving = true;
	for (uint32_t i = 0; i < LINKS_MAX; i++)
		if (core->link[i].conn != NULL)
			conn_shutdown_tx(core->link[i].conn);
	sim_arrived(core->sim, SIM_HOST_CORE);
}
