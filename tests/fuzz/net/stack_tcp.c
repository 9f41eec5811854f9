/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_world.h"

/* A layer of TCP on the stacks of the world: what it is given, what it sends, and what must hold.
 */

static bool knows(const struct world_worker *worker, const struct stack_segment *segment)
{
	uint32_t number = (uint32_t)(worker - worker->world->worker);

	return (segment->tcp.src_port + number) % 3 == 0;
}

/* Keeps some, and gives the oldest back for each. */
static void keep(struct world *w, struct rte_mbuf **packet)
{
	struct rte_mbuf **place = &w->kept[w->segments % WORLD_KEPT];

	if (*place != NULL)
		packet_put(*place);
	*place = *packet;
	*packet = NULL;
}

static bool on_segment(void *context, const struct stack_segment *segment, enum stack_claim claim)
{
	struct world_worker *worker = context;
	const struct tcp_packet *tcp = &segment->tcp;
	struct world *w = worker->world;

	must(segment->packet != NULL && *segment->packet != NULL && tcp->err == GW_OK);
	must(world_is_ours(&segment->local) && !world_is_ours(&segment->remote));
	must(tcp->src_port != 0 && tcp->dst_port != 0);
	must(inside(tcp->payload, packet_span(*segment->packet)));
	must(w->config.workers > 1 || claim == CLAIM_ANY);
	if (claim == CLAIM_KNOWN && !knows(worker, segment))
		return false;
	if (claim == CLAIM_ANY && w->config.workers > 1)
		must(stack_tcp_worker(worker->stack, &segment->local, tcp->dst_port,
				      &segment->remote, tcp->src_port) == worker - w->worker);
	must(++w->segments <= w->segments_fed); /* each once */
	if (tcp->payload.len % 2 != 0)
		keep(w, segment->packet);
	return true;
}

static void on_error(void *context, const struct stack_tcp_error *error)
{
	struct world_worker *worker = context;
	struct world *w = worker->world;

	must(world_is_ours(&error->local) && (error->too_big || error->mtu == 0));
	must(++w->tcp_errors <= w->errors * w->config.workers);
}

static const struct stack_tcp_ops ops = {.segment = on_segment, .error = on_error};

void world_tcp_open(struct world *w)
{
	for (uint16_t i = 0; w->config.tcp && i < w->config.workers; i++)
		stack_tcp(w->worker[i].stack, &ops, &w->worker[i]);
}

void world_tcp_close(struct world *w)
{
	for (uint32_t i = 0; i < WORLD_KEPT; i++)
		if (w->kept[i] != NULL)
			packet_put(w->kept[i]);
}

void world_tcp_send(struct world *w, uint16_t worker, enum world_host to, bool v6, uint32_t len)
{
	struct stack *stack = w->worker[worker].stack;
	struct ip_address local = {{0}}, remote = world_address(to, v6);
	struct tcp_packet tcp = {.src_port = 443,
				 .dst_port = (uint16_t)(len + 1),
				 .seq = len,
				 .flags = TCP_ACK,
				 .options = {.has_timestamps = true}};
	uint8_t bytes[WORLD_FRAME];
	enum gw_err err, sent;
	uint16_t mtu;

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = world_byte(len, i);
	tcp.payload = span_of(bytes, len % sizeof(bytes));
	err = stack_tcp_route(stack, &local, &remote, &mtu);
	if (err != GW_OK && err != GW_NET_UNRESOLVED)
		return;
	must(world_is_ours(&local) && mtu == WORLD_MTU && !world_is_ours(&remote));
	sent = stack_tcp_send(stack, &local, &remote, &tcp);
	must(sent != GW_NET_NO_ROUTE && (err == GW_OK || sent == err));
	w->sent_by_script += sent == GW_OK;
}

void world_tcp_check_out(const struct ip_packet *ip, enum packet_checksum checksum)
{
	struct tcp_packet tcp = tcp_read(ip, checksum);

	must(tcp.err == GW_OK && tcp.src_port == 443 && tcp.dst_port == tcp.seq + 1);
	for (uint32_t i = 0; i < tcp.payload.len; i++)
		must(tcp.payload.at[i] == world_byte(tcp.seq, i));
}
