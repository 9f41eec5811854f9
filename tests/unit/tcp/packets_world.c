/* SPDX-License-Identifier: BSD-3-Clause */
#include "packets_world.h"

#include "net/pipe.h"
#include "net/wire.h"
#include "netif.h"
#include "test.h"

#define RESOLVE_TURNS 50
#define BLACKHOLE 7 /* segments to this port are lost on the wire */

/* One core's side: its port, and what it shares with nobody. */
struct packets_side {
	struct port *port;
	struct net_shared *shared;
};

struct packets_world {
	struct packets_side side[CORES];
	struct counters counters;
	uint64_t random;
};

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint e;

	EXPECT(endpoint_parse(span_text(text), &e));
	return e;
}

static uint64_t next_random(void *context)
{
	struct packets_world *p = context;

	return p->random = p->random * 6364136223846793005ull + 1442695040888963407ull;
}

static void no_pong(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
}

static void no_capture(void *context, const struct captured *captured, struct span bytes)
{
}

static void no_alarm(void *context, enum gw_err what, const struct endpoint *about)
{
	fail_msg("%s", gw_err_text(what));
}

static const struct tcp_limits tcp_limits = {
	.half_open = 64,
	.time_waits = 64,
	.sources = 64,
	.send_packets = 4096,
	.held_packets = 4096,
	.source_half_open = 64,
	.source4_connections = 64,
	.source6_connections = 64,
	.source_rate = 1000,
	.source_burst = 1000,
	.syn_rate = 5000,
};

static void no_broken(void *context, const struct net_broken *broken)
{
}

static const struct net_events events = {no_pong, no_capture, no_alarm, no_broken};

static void side_open(struct conn_world *w, int i, const struct net_limits *limits)
{
	struct packets_world *p = w->context;
	struct packets_side *side = &p->side[i];
	struct netif netif = {.name = "wire", .ops = &port_pipe, .address_count = 2, .probe_s = 30};
	struct net_shared_config shared = {
		.netif = &netif, .netifs = 1, .workers = 1, .ring_bytes = 65536, .neighbours = 16};
	struct net_config config = {.epoch = 1000u * ((uint32_t)i + 1),
				    .limits = *limits,
				    .counters = i == SERVER ? &p->counters : NULL,
				    .clock = &w->clock[i],
				    .tcp = &tcp_limits,
				    .events = &events,
				    .context = p,
				    .random = next_random};
	char why[PORT_WHY_MAX];

	side->port = pipe_new(1);
	netif.port = side->port;
	EXPECT_EQ(GW_OK, port_pipe.start(side->port, &netif.info, why));
	netif.info.mac[5] = (uint8_t)(i + 1);
	netif.address[0] = (struct netif_address){w->v4[i], 24};
	netif.address[1] = (struct netif_address){w->v6[i], 64};
	side->shared = net_shared_new(&shared);
	EXPECT(side->shared != NULL);
	config.shared = side->shared;
	EXPECT_EQ(GW_OK, net_open(w->ops, &config, &w->core[i]));
}

static bool is_swallowed(struct span frame)
{
	struct eth_frame eth = eth_read(frame);
	struct ip_packet ip = ip4_read(eth.payload, PACKET_CHECKSUM_UNKNOWN);
	uint16_t src, dst;

	return eth.type == ETH_TYPE_IP4 && ip.err == GW_OK && ip.protocol == IPPROTO_TCP &&
	       l4_ports(ip.payload, &src, &dst) && dst == BLACKHOLE;
}

/** What one side has sent arrives at the other. */
static void wire_carry(struct packets_world *p)
{
	for (int i = 0; i < CORES; i++) {
		struct port *from = p->side[i].port;

		for (uint32_t k = 0; k < from->sent_count; k++)
			if (!is_swallowed(pipe_sent_frame(from, k)))
				pipe_feed(p->side[CORES - 1 - i].port, 0, pipe_sent_frame(from, k));
		pipe_clear(from);
	}
}

static void world_turn(struct conn_world *w)
{
	for (int i = 0; i < CORES; i++) {
		w->clock[i].now_us += 1000;
		if (w->core[i] == NULL)
			continue;
		net_receive(w->core[i]);
		net_run_ready(w->core[i]);
		net_transmit(w->core[i]);
	}
	wire_carry(w->context);
}

static void world_open(struct conn_world *w, const struct net_limits *limits)
{
	struct packets_world *p = calloc(1, sizeof(*p));
	struct endpoint peers[CORES];

	EXPECT(p != NULL);
	w->context = p;
	w->ops = &net_packets;
	w->counters = &p->counters;
	w->port = 5070;
	for (int i = 0; i < CORES; i++) {
		w->clock[i].now_us = 1000000;
		w->v4[i] = endpoint_of(i == SERVER ? "198.18.0.1" : "198.18.0.2");
		w->v6[i] = endpoint_of(i == SERVER ? "fd00:18::1" : "fd00:18::2");
	}
	w->nobody = endpoint_of("198.18.0.1:9");
	w->blackhole = endpoint_of("198.18.0.1");
	endpoint_set_port(&w->blackhole, BLACKHOLE);
	for (int i = 0; i < CORES; i++) {
		side_open(w, i, limits);
		peers[0] = w->v4[CORES - 1 - i];
		peers[1] = w->v6[CORES - 1 - i];
		net_peers(w->core[i], peers, 2);
	}
	for (int i = 0; i < RESOLVE_TURNS; i++)
		world_turn(w);
}

static void world_close(struct conn_world *w)
{
	struct packets_world *p = w->context;

	for (int i = 0; i < CORES; i++) {
		if (w->core[i] != NULL)
			net_close(w->core[i]);
		port_pipe.close(p->side[i].port);
		net_shared_free(p->side[i].shared);
	}
	free(p);
}

const struct conn_world_ops packets_world = {.open = world_open,
					     .turn = world_turn,
					     .close = world_close};
