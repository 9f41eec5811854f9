/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "conn.h"
#include "net/net.h"

/*
 * The back end with packets of its own (net_packets): the stack of net/ behind the connection API.
 * UDP is whole; TCP says that it is not there, and no connection ever exists.
 */

struct packets_core {
	struct net_core base;
	struct stack *stack;
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
	if (err != GW_OK) {
		free(core);
		return err;
	}
	*opened = &core->base;
	return GW_OK;
}

static void packets_close(struct net_core *core)
{
	stack_free(core_of(core)->stack);
	free(core);
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

static void packets_run_ready(struct net_core *core)
{
	stack_run_ready(core_of(core)->stack);
}

static void packets_transmit(struct net_core *core)
{
	stack_transmit(core_of(core)->stack);
}

static bool packets_idle(const struct net_core *core)
{
	return stack_idle(core_of_const(core)->stack);
}

static uint64_t packets_next_deadline_us(const struct net_core *core)
{
	return stack_next_us(core_of_const(core)->stack);
}

static uint64_t packets_sleep_begin(struct net_core *core)
{
	return stack_sleep_begin(core_of(core)->stack);
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

/* ---- TCP: not in this version -------------------------------------------------------------------
 */

static enum gw_err packets_listen(struct net_core *core, const struct endpoint *local,
				  const struct conn_ops *ops, void *listener_context)
{
	return GW_NOT_SUPPORTED;
}

static void packets_stop_listening(struct net_core *core)
{
	/* nobody listens */
}

static enum gw_err packets_connect(struct net_core *core, const struct conn_request *request,
				   struct conn **opened)
{
	return GW_NOT_SUPPORTED;
}

static struct conn *packets_find(struct net_core *core, struct handle ref)
{
	return NULL;
}

static const void *conn_peek_none(struct conn *conn, uint32_t offset, uint32_t *len)
{
	*len = 0;
	return NULL;
}

static void conn_consume_none(struct conn *conn, uint32_t n)
{
}

static void *conn_reserve_none(struct conn *conn, uint32_t *room)
{
	*room = 0;
	return NULL;
}

static uint32_t conn_room_none(const struct conn *conn)
{
	return 0;
}

static void conn_nothing(struct conn *conn)
{
}

static void conn_abort_none(struct conn *conn, enum gw_err why)
{
}

static void conn_deadline_none(struct conn *conn, uint32_t ms)
{
}

static struct handle conn_ref_none(const struct conn *conn)
{
	return handle_none();
}

static struct endpoint conn_nowhere(const struct conn *conn)
{
	return (struct endpoint){0};
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
	.close = packets_close,
	.peek = conn_peek_none,
	.consume = conn_consume_none,
	.tx_reserve = conn_reserve_none,
	.tx_commit = conn_consume_none,
	.tx_room = conn_room_none,
	.pause_rx = conn_nothing,
	.resume_rx = conn_nothing,
	.shutdown_tx = conn_nothing,
	.abort = conn_abort_none,
	.set_deadline = conn_deadline_none,
	.ref = conn_ref_none,
	.find = packets_find,
	.peer = conn_nowhere,
	.local = conn_nowhere,
};
