/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "net/net.h"
#include "tcp/tcp.h"

/*
 * The back end with packets of its own (net_packets): the stack of net/ and TCP over it, behind the
 * connection API. The order of a turn is TCP.md 4.1's.
 */

struct packets_core {
	struct net_core base;
	struct stack *stack;
	struct tcp *tcp;
	struct counters *counters;
	struct counters own; /* when the user counts nothing */
};

static struct packets_core *core_of(struct net_core *core)
{
	return (struct packets_core *)core;
}

static const struct packets_core *core_of_const(const struct net_core *core)
{
	return (const struct packets_core *)core;
}

/* ---- TCP and what lies below it ----------------------------------------------------------------
 */

static enum gw_err link_send(void *context, const struct ip_address *local,
			     const struct ip_address *remote, const struct tcp_packet *segment)
{
	struct packets_core *core = context;

	return stack_tcp_send(core->stack, local, remote, segment);
}

static enum gw_err link_route(void *context, struct ip_address *local,
			      const struct ip_address *remote, uint16_t *mtu)
{
	struct packets_core *core = context;

	return stack_tcp_route(core->stack, local, remote, mtu);
}

static uint16_t link_worker(void *context, const struct ip_address *local, uint16_t local_port,
			    const struct ip_address *remote, uint16_t remote_port)
{
	struct packets_core *core = context;

	return stack_tcp_worker(core->stack, local, local_port, remote, remote_port);
}

static const struct tcp_link packets_link = {.send = link_send,
					     .route = link_route,
					     .worker = link_worker};

static bool packets_segment(void *context, const struct stack_segment *segment,
			    enum stack_claim claim)
{
	struct packets_core *core = context;
	struct tcp_arrival arrival = {.local = segment->local,
				      .remote = segment->remote,
				      .tcp = segment->tcp,
				      .packet = segment->packet};

	if (claim == CLAIM_KNOWN)
		return tcp_input_known(core->tcp, &arrival);
	tcp_input(core->tcp, &arrival);
	return true;
}

static void packets_error(void *context, const struct stack_tcp_error *error)
{
	struct packets_core *core = context;
	struct tcp_icmp icmp = {.local = error->local,
				.remote = error->remote,
				.local_port = error->local_port,
				.remote_port = error->remote_port,
				.seq = error->seq,
				.too_big = error->too_big,
				.soft = error->soft,
				.mtu = error->mtu};

	tcp_icmp(core->tcp, &icmp);
}

static const struct stack_tcp_ops packets_tcp_ops = {.segment = packets_segment,
						     .error = packets_error};

/* ---- life --------------------------------------------------------------------------------------
 */

static enum gw_err open_tcp(struct packets_core *core, const struct net_config *config)
{
	const struct netif *first = net_shared_netif(config->shared, 0);
	char pool_name[16];
	struct tcp_config tcp = {.net = *config,
				 .ops = &net_packets,
				 .link = &packets_link,
				 .link_context = core,
				 .pool_name = pool_name,
				 .numa = first != NULL ? first->info.numa : -1,
				 .steer_base = stack_steer_base(core->stack),
				 .workers = stack_workers(core->stack)};
	enum gw_err err;

	snprintf(pool_name, sizeof(pool_name), "segments%u", config->worker);
	err = tcp_new(&tcp, &core->tcp);
	if (err == GW_OK)
		stack_tcp(core->stack, &packets_tcp_ops, core);
	return err;
}

static void packets_close(struct net_core *net_core)
{
	struct packets_core *core = core_of(net_core);

	tcp_free(core->tcp);
	if (core->stack != NULL)
		stack_transmit(core->stack); /* its resets */
	stack_free(core->stack);
	free(core);
}

static enum gw_err packets_open(const struct net_config *config, struct net_core **opened)
{
	struct packets_core *core = calloc(1, sizeof(*core));
	struct net_config own = *config;
	enum gw_err err;

	if (core == NULL)
		return GW_NO_MEMORY;
	core->base.ops = &net_packets;
	core->counters = config->counters != NULL ? config->counters : &core->own;
	own.counters = core->counters;
	err = config->shared != NULL ? stack_new(&own, &core->stack) : GW_CONFIG;
	if (err == GW_OK)
		err = open_tcp(core, &own);
	if (err != GW_OK) {
		packets_close(&core->base);
		return err;
	}
	*opened = &core->base;
	return GW_OK;
}

/* ---- UDP ---------------------------------------------------------------------------------------
 */

static enum gw_err packets_udp_bind(struct net_core *core, const struct endpoint *local,
				    const struct udp_ops *ops, void *context)
{
	return stack_udp_bind(core_of(core)->stack, local, ops, context);
}

/** The stack's reason is counted; the API's user learns what he can do about it. */
static enum gw_err packets_udp_send(struct net_core *core, const struct endpoint *local,
				    const struct endpoint *peer, struct span bytes)
{
	enum gw_err err = stack_udp_send(core_of(core)->stack, local, peer, bytes);

	if (err != GW_OK)
		counter_add(&core_of(core)->counters->errors[err], 1);
	switch (err) {
	case GW_OK:
		return GW_OK;
	case GW_NET_UNRESOLVED:
	case GW_NET_TX_FULL:
	case GW_NET_NO_PACKET:
		return GW_QUEUE_FULL;
	case GW_NET_TOO_BIG:
		return GW_NO_ROOM;
	default:
		return GW_SYSTEM;
	}
}

/* ---- the turn ----------------------------------------------------------------------------------
 */

static void packets_receive(struct net_core *core)
{
	stack_receive(core_of(core)->stack);
}

/** What other workers hand over is work of stack_run_ready(): timers come after all that has come.
 */
static void packets_run_ready(struct net_core *core)
{
	stack_run_ready(core_of(core)->stack);
	tcp_run_timers(core_of(core)->tcp);
	tcp_run_ready(core_of(core)->tcp);
}

static void packets_transmit(struct net_core *core)
{
	tcp_transmit(core_of(core)->tcp);
	stack_transmit(core_of(core)->stack);
}

static bool packets_idle(const struct net_core *core)
{
	return stack_idle(core_of_const(core)->stack) && tcp_idle(core_of_const(core)->tcp);
}

static uint64_t earlier(uint64_t a_us, uint64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

static uint64_t packets_next_deadline_us(const struct net_core *core)
{
	return earlier(stack_next_us(core_of_const(core)->stack),
		       tcp_next_us(core_of_const(core)->tcp));
}

static uint64_t packets_sleep_begin(struct net_core *core)
{
	if (!tcp_idle(core_of(core)->tcp))
		return 0;
	return earlier(stack_sleep_begin(core_of(core)->stack), tcp_next_us(core_of(core)->tcp));
}

static void packets_sleep_end(struct net_core *core)
{
	stack_sleep_end(core_of(core)->stack);
}

static int packets_wait_fd(const struct net_core *core)
{
	return stack_wait_fd(core_of_const(core)->stack);
}

static void packets_peers(struct net_core *core, const struct endpoint *peers, uint32_t count)
{
	stack_peers(core_of(core)->stack, peers, count);
}

static enum gw_err packets_ping(struct net_core *core, const struct endpoint *peer, uint32_t id)
{
	return stack_ping(core_of(core)->stack, peer, id);
}

static enum gw_err packets_capture(struct net_core *core, const struct capture_filter *filter)
{
	return stack_capture(core_of(core)->stack, filter);
}

/* ---- connections -------------------------------------------------------------------------------
 */

static enum gw_err packets_listen(struct net_core *core, const struct endpoint *local,
				  const struct conn_ops *ops, void *listener_context)
{
	return tcp_listen(core_of(core)->tcp, local, ops, listener_context);
}

static void packets_stop_listening(struct net_core *core)
{
	tcp_stop_listening(core_of(core)->tcp);
}

static enum gw_err packets_connect(struct net_core *core, const struct conn_request *request,
				   struct conn **opened)
{
	return tcp_connect(core_of(core)->tcp, request, opened);
}

static bool packets_next_row(struct net_core *core, uint32_t *cursor, struct conn_row *row)
{
	return tcp_next_row(core_of(core)->tcp, cursor, row);
}

static struct conn *packets_find(struct net_core *core, struct handle ref)
{
	return tcp_find(core_of(core)->tcp, ref);
}

const struct net_ops net_packets = {
	.name = "packets",
	.open = packets_open,
	.listen = packets_listen,
	.stop_listening = packets_stop_listening,
	.connect = packets_connect,
	.udp_bind = packets_udp_bind,
	.udp_send = packets_udp_send,
	.receive = packets_receive,
	.run_ready = packets_run_ready,
	.transmit = packets_transmit,
	.idle = packets_idle,
	.next_deadline_us = packets_next_deadline_us,
	.sleep_begin = packets_sleep_begin,
	.sleep_end = packets_sleep_end,
	.wait_fd = packets_wait_fd,
	.peers = packets_peers,
	.ping = packets_ping,
	.capture = packets_capture,
	.next_row = packets_next_row,
	.close = packets_close,
	.peek = tcp_peek,
	.consume = tcp_consume,
	.tx_reserve = tcp_tx_reserve,
	.tx_commit = tcp_tx_commit,
	.tx_room = tcp_tx_room,
	.pause_rx = tcp_pause_rx,
	.resume_rx = tcp_resume_rx,
	.shutdown_tx = tcp_shutdown_tx,
	.abort = tcp_abort,
	.set_deadline = tcp_set_deadline,
	.ref = tcp_ref,
	.find = packets_find,
	.peer = tcp_peer,
	.local = tcp_local,
};
