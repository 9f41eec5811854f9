/* SPDX-License-Identifier: BSD-3-Clause */
#include "door_scene.h"

#include <stdlib.h>

const struct tcp_limits door_limits = {
	.half_open = 1000,
	.time_waits = 100,
	.sources = 256,
	.source_half_open = 64,
	.source4_connections = 4096,
	.source6_connections = 128,
	.source_rate = 200,
	.source_burst = 400,
	.syn_rate = 5000,
};

static const uint8_t payload[] = "hello";

/* ---- link
 * ----------------------------------------------------------------------------------------
 */

static enum gw_err link_send(void *context, const struct ip_address *local,
			     const struct ip_address *remote, const struct tcp_packet *segment)
{
	struct door *door = context;

	door->sent[door->sends++ % DOOR_SENT] = *segment;
	door->sent_from = *local;
	door->sent_to = *remote;
	return door->send_err;
}

static enum gw_err link_route(void *context, struct ip_address *local,
			      const struct ip_address *remote, uint16_t *mtu)
{
	struct door *door = context;

	(void)local;
	(void)remote;
	*mtu = door->mtu;
	return door->route_err;
}

static uint16_t link_worker(void *context, const struct ip_address *local, uint16_t local_port,
			    const struct ip_address *remote, uint16_t remote_port)
{
	struct tcp_ends ends = {*local, *remote, local_port, remote_port};
	const uint8_t key[16] = "a device's key.";
	const struct door *door = context;

	return (uint16_t)(siphash(key, span_of(&ends, sizeof(ends))) % door->workers);
}

static const struct tcp_link door_link = {link_send, link_route, link_worker};

/* A good one: xorshift64* */
static uint64_t door_random(void *context)
{
	struct door *door = context;

	door->random ^= door->random >> 12;
	door->random ^= door->random << 25;
	door->random ^= door->random >> 27;
	return door->random * 0x2545f4914f6cdd1dull;
}

/* ---- the rest of the stack
 * -----------------------------------------------------------------------
 */

enum gw_err tcp_count(struct tcp *tcp, enum gw_err err)
{
	counter_add(&tcp->counters->errors[err], 1);
	return err;
}

struct tcp_listener *tcp_listener_find(struct tcp *tcp, const struct ip_address *local,
				       uint16_t port)
{
	(void)local;
	for (uint32_t i = 0; i < tcp->listeners; i++)
		if (ntohs(tcp->listener[i].local.v4.sin_port) == port)
			return &tcp->listener[i];
	return NULL;
}

uint32_t tcp_pressure(const struct tcp *tcp)
{
	return ((const struct door *)tcp)->pressure;
}

struct tcb *tcp_tcb_new(struct tcp *tcp, const struct tcp_ends *ends)
{
	struct door *door = (struct door *)tcp;
	struct tcb *tcb = door->no_tcb ? NULL : slots_get(tcp->tcbs);

	if (tcb == NULL)
		return NULL;
	tcb->ends = *ends;
	door->tcb = tcb;
	return tcb;
}

bool tcp_tcb_user(struct tcp *tcp, struct tcb *tcb, const struct conn_ops *ops, void *context)
{
	tcp->user_ops[tcb->ops_at] = ops;
	tcb->context = context;
	return true;
}

void tcp_set_state(struct tcp *tcp, struct tcb *tcb, enum tcp_state state)
{
	(void)tcp;
	tcb->state = state;
}

void tcp_event(struct tcp *tcp, struct tcb *tcb, enum tcb_event event)
{
	((struct door *)tcp)->accepted += event == EVENT_ACCEPT;
	tcb->events |= event;
}

void tcp_in_connection(struct tcp *tcp, struct tcb *tcb, const struct tcp_arrival *arrival)
{
	struct tcp_ends ends = tcp_arrival_ends(arrival);

	((struct door *)tcp)->inputs += tcp_ends_equal(&ends, &tcb->ends);
}

void tcp_out_refuse(struct tcp *tcp, const struct tcp_arrival *arrival)
{
	(void)arrival;
	((struct door *)tcp)->refused++;
}

uint16_t path_mss(const struct tcb *tcb, uint16_t peer_mss, uint16_t mtu)
{
	uint32_t room = mtu - (ip_address_is_v4(&tcb->ends.remote) ? 40u : 60u);
	uint32_t mss = peer_mss < room ? peer_mss : room;

	return (uint16_t)(mss - ((tcb->flags & TCB_TIMESTAMPS) != 0 ? 12 : 0));
}

void recovery_init(struct tcp *tcp, struct tcb *tcb)
{
	((struct door *)tcp)->recovery_ready = tcb->mss != 0;
}

void recovery_rtt(struct tcp *tcp, struct tcb *tcb, uint32_t rtt_us)
{
	if (rtt_us == 0 || tcb->srtt_us != 0)
		abort();
	((struct door *)tcp)->rtt_us = rtt_us;
}

void congestion_init(struct tcb *tcb, bool syn_lost)
{
	tcb->cwnd = (syn_lost ? 3u : 10u) * tcb->mss;
}

/* ---- the door
 * ------------------------------------------------------------------------------------
 */

void door_open(struct door *door, const struct tcp_limits *limits)
{
	struct tcp *tcp = &door->tcp;

	*door = (struct door){.random = 88172645463325252ull, .mtu = 1500, .workers = 1};
	door->clock.now_us = 1000 * DOOR_SECOND;
	tcp->config.net.limits = (struct net_limits){.connections = 1000, .receive_bytes = 131072};
	tcp->config.net.clock = &door->clock;
	tcp->config.net.random = door_random;
	tcp->config.net.context = door;
	tcp->config.link = &door_link;
	tcp->config.link_context = door;
	tcp->limits = limits != NULL ? *limits : door_limits;
	tcp->counters = &door->counters;
	tcp->listener[0].local.v4.sin_port = htons(DOOR_PORT);
	tcp->listener[0].context = door;
	tcp->listeners = 1;
	tcp->tcbs = slots_new(0, 1000, sizeof(struct tcb), 1);
	if (tcp->tcbs == NULL || handshake_open(tcp) != GW_OK || source_open(tcp) != GW_OK ||
	    time_wait_open(tcp) != GW_OK)
		abort();
	secret_init(tcp);
}

void door_close(struct door *door)
{
	time_wait_close(&door->tcp);
	source_close(&door->tcp);
	handshake_close(&door->tcp);
	slots_free(door->tcp.tcbs);
	if (counter_read(&door->counters.invariant_broken) != 0)
		abort();
}

void door_wait_ms(struct door *door, uint64_t ms)
{
	door->clock.now_us += ms * 1000;
}

void door_live_ms(struct door *door, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 10) {
		door_wait_ms(door, 10);
		handshake_run(&door->tcp);
		time_wait_run(&door->tcp);
	}
}

/* ---- segments
 * ------------------------------------------------------------------------------------
 */

struct ip_address door_v4(uint32_t host)
{
	host |= host < 1u << 24 ? 10u << 24 : 0;
	return ip_address_v4((const uint8_t[]){(uint8_t)(host >> 24), (uint8_t)(host >> 16),
					       (uint8_t)(host >> 8), (uint8_t)host});
}

struct ip_address door_v6(uint64_t prefix, uint64_t host)
{
	struct ip_address address;

	for (uint32_t i = 0; i < 8; i++) {
		address.bytes[i] = (uint8_t)(prefix >> (56 - 8 * i));
		address.bytes[8 + i] = (uint8_t)(host >> (56 - 8 * i));
	}
	return address;
}

struct tcp_arrival door_segment(const struct ip_address *host, uint16_t port, uint8_t flags)
{
	return (struct tcp_arrival){
		.local = ip_address_is_v4(host) ? door_v4(0xc6120001)
						: door_v6(0xfd00001800000000, 1),
		.remote = *host,
		.tcp = {.src_port = port, .dst_port = DOOR_PORT, .flags = flags, .window = 1000},
	};
}

struct tcp_arrival door_syn(const struct ip_address *host, uint16_t port, uint32_t seq)
{
	struct tcp_arrival syn = door_segment(host, port, TCP_SYN);

	syn.tcp.seq = seq;
	syn.tcp.window = 65535;
	syn.tcp.options = (struct tcp_options){.mss = 1460,
					       .has_scale = true,
					       .scale = 7,
					       .sack_permitted = true,
					       .has_timestamps = true,
					       .ts_value = 5000};
	return syn;
}

struct tcp_arrival door_ack(const struct door *door, const struct tcp_arrival *syn)
{
	struct tcp_arrival ack = door_segment(&syn->remote, syn->tcp.src_port, TCP_ACK);
	const struct tcp_packet *last = door_last(door);

	ack.tcp.seq = syn->tcp.seq + 1;
	ack.tcp.ack = last->seq + 1;
	ack.tcp.options.has_timestamps = last->options.has_timestamps;
	ack.tcp.options.ts_value = syn->tcp.options.ts_value + 10;
	ack.tcp.options.ts_echo = last->options.ts_value;
	return ack;
}

struct tcp_arrival door_data(const struct door *door, const struct tcp_arrival *syn)
{
	struct tcp_arrival data = door_ack(door, syn);

	data.tcp.flags |= TCP_PSH;
	data.tcp.payload = span_of(payload, sizeof(payload) - 1);
	return data;
}

const struct tcp_packet *door_last(const struct door *door)
{
	return &door->sent[(door->sends + DOOR_SENT - 1) % DOOR_SENT];
}

uint64_t door_errors(const struct door *door, enum gw_err err)
{
	return counter_read(&door->counters.errors[err]);
}
