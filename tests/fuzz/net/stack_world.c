/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_world.h"

#include <stdlib.h>

#include "net/stack.h"

#define QUEUE_FRAMES 64u
#define SHORTEST_PIECE 520u

const uint8_t world_mac[6] = {2, 0, 0, 0, 0, 1};

struct port {
	struct world *world;
	struct rte_mempool *pool;
	uint32_t count[WORLD_WORKERS];
	struct rte_mbuf *rx[WORLD_WORKERS][QUEUE_FRAMES];
	uint32_t takes, armed;
	uint64_t given; /* frames that rx_burst() has given */
};

struct ip_address world_address(enum world_host host, bool v6)
{
	static const uint8_t v4[WORLD_HOSTS][2] = {{0, 10},  {5, 10}, {0, 66}, {9, 9},
						   {0, 254}, {0, 1},  {0, 2}};
	uint8_t bytes[4] = {198, 18, v4[host][0], v4[host][1]};
	struct ip_address a = {{0xfd, 0, 0, 0x18, [7] = v4[host][0], [15] = v4[host][1]}};

	return v6 ? a : ip_address_v4(bytes);
}

static uint64_t next_random(void *context)
{
	struct world_worker *worker = context;

	worker->world->random = worker->world->random * 6364136223846793005ull + 1;
	return worker->world->random;
}

/* ---- the port -------------------------------------------------------------------------------- */

static uint16_t port_rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			      uint16_t n)
{
	uint32_t count = port->count[queue];
	uint16_t got = count < n ? (uint16_t)count : n;

	memcpy(packets, port->rx[queue], got * sizeof(*packets));
	memmove(port->rx[queue], port->rx[queue] + got, (count - got) * sizeof(*packets));
	port->count[queue] -= got;
	port->given += got;
	return got;
}

static uint16_t port_tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			      uint16_t n)
{
	uint16_t taken = 0;

	must(queue < port->world->config.queues);
	for (; taken < n && port->takes > 0; taken++, port->takes -= port->takes != UINT32_MAX) {
		world_see(port->world, packets[taken]);
		packet_put(packets[taken]);
	}
	return taken;
}

static enum gw_err port_arm(struct port *port, uint16_t queue)
{
	if (!port->world->config.interrupts)
		return GW_NOT_SUPPORTED;
	port->armed++;
	return GW_OK;
}

static void port_disarm(struct port *port, uint16_t queue)
{
	must(port->armed-- > 0);
}

static int port_wait_fd(struct port *port, uint16_t queue)
{
	return -1;
}

static const struct port_ops port_ops = {.name = "fuzz",
					 .rx_burst = port_rx_burst,
					 .tx_burst = port_tx_burst,
					 .arm = port_arm,
					 .disarm = port_disarm,
					 .wait_fd = port_wait_fd};

void world_takes(struct world *w, uint32_t frames)
{
	w->port->takes = frames;
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct port *port_new(struct world *w)
{
	struct port *port = calloc(1, sizeof(*port));

	must(port != NULL);
	port->world = w;
	port->takes = UINT32_MAX;
	port->pool =
		packet_pool_new("fuzz", WORLD_WORKERS * QUEUE_FRAMES + STACK_READY * 3 + WORLD_KEPT,
				0, -1);
	must(port->pool != NULL);
	return port;
}

static struct netif netif_of(const struct world *w)
{
	struct netif netif = {.ops = &port_ops,
			      .port = w->port,
			      .vlan = w->config.vlan,
			      .address_count = 3,
			      .gateway_count = 2,
			      .probe_s = 30};

	netif.info = (struct port_info){.queues = w->config.queues,
					.mtu = WORLD_MTU,
					.packets = true,
					.tx_ip_checksum = w->config.offload,
					.tx_l4_checksum = w->config.offload,
					.rx_interrupt = w->config.interrupts};
	memcpy(netif.info.mac, world_mac, 6);
	for (uint32_t i = 0; i < 3; i++) {
		struct ip_address a = world_address(i == 2 ? HOST_SECOND : HOST_OURS, i == 1);

		netif.address[i].address = ip_address_endpoint(&a, 0);
		netif.address[i].prefix_len = i == 1 ? 64 : 24;
	}
	for (uint32_t i = 0; i < 2; i++) {
		struct ip_address a = world_address(HOST_GATEWAY, i == 1);

		netif.gateway[i] = ip_address_endpoint(&a, 0);
	}
	return netif;
}

static void worker_bind(struct world_worker *worker, uint16_t port)
{
	struct ip_address any6 = {{0}};
	struct endpoint v4 = {.v4 = {.sin_family = AF_INET}}, v6 = ip_address_endpoint(&any6, port);

	endpoint_set_port(&v4, port);
	must(stack_udp_bind(worker->stack, &v4, &world_udp_ops, worker) == GW_OK);
	must(stack_udp_bind(worker->stack, &v6, &world_udp_ops, worker) == GW_OK);
}

static void worker_open(struct world *w, uint16_t i)
{
	struct world_worker *worker = &w->worker[i];
	struct net_config config = {.worker = i,
				    .counters = &worker->counters,
				    .clock = &w->clock,
				    .shared = w->shared,
				    .events = &world_events,
				    .context = worker,
				    .random = next_random};
	struct endpoint peers[4];

	worker->world = w;
	must(stack_new(&config, &worker->stack) == GW_OK);
	worker_bind(worker, (uint16_t)(WORLD_BASE + i));
	worker_bind(worker, WORLD_SHARED);
	for (uint32_t k = 0; k < 4; k++) {
		struct ip_address a = world_address(k < 2 ? HOST_PEER : HOST_FAR, k % 2 != 0);

		peers[k] = ip_address_endpoint(&a, 0);
	}
	stack_peers(worker->stack, peers, 4);
}

struct world *world_new(const struct world_config *config)
{
	struct world *w = calloc(1, sizeof(*w));
	struct net_shared_config shared;
	struct netif netif;

	must(w != NULL);
	w->config = *config;
	w->start_us = w->clock.now_us = 5000000;
	w->port = port_new(w);
	netif = netif_of(w);
	shared = (struct net_shared_config){.netif = &netif,
					    .netifs = 1,
					    .workers = config->workers,
					    .steer_base = WORLD_BASE,
					    .ring_bytes = 16384,
					    .neighbours = 8};
	w->shared = net_shared_new(&shared);
	must(w->shared != NULL);
	for (uint16_t i = 0; i < config->workers; i++)
		worker_open(w, i);
	world_tcp_open(w);
	return w;
}

void world_free(struct world *w)
{
	uint64_t given = 0;

	world_tcp_close(w);
	for (uint16_t i = 0; i < w->config.workers; i++) {
		given += counter_read(&w->worker[i].counters.net_rx_packets);
		stack_free(w->worker[i].stack);
	}
	must(given == w->port->given && w->port->armed == 0);
	for (uint16_t i = 0; i < w->config.workers; i++) {
		must(packet_pool_live(w->shared->pool[i]) == 0);
		must(w->config.workers == 1 || packet_pool_live(w->shared->handed[i]) == 0);
	}
	for (uint16_t q = 0; q < w->config.queues; q++)
		while (w->port->count[q] > 0)
			packet_put(w->port->rx[q][--w->port->count[q]]);
	must(packet_pool_live(w->port->pool) == 0);
	packet_pool_free(w->port->pool);
	net_shared_free(w->shared);
	free(w->port);
	free(w);
}

/* ---- steps ----------------------------------------------------------------------------------- */

void world_feed(struct world *w, uint16_t queue, struct span frame, enum packet_checksum ip,
		enum packet_checksum l4)
{
	struct port *port = w->port;
	struct rte_mbuf *packet;

	queue %= w->config.queues;
	if (port->count[queue] == QUEUE_FRAMES || w->datagrams == WORLD_DATAGRAMS)
		return;
	packet = packet_copy(port->pool, frame);
	must(packet != NULL);
	packet_set_checksums(packet, ip, l4);
	port->rx[queue][port->count[queue]++] = packet;
	w->fed++;
	world_note_fed(w, packet_span(packet), ip, l4);
}

void world_work(struct world *w, uint16_t worker)
{
	struct stack *stack = w->worker[worker].stack;

	stack_receive(stack);
	w->running = true;
	stack_run_ready(stack);
	w->running = false;
	stack_transmit(stack);
}

void world_send(struct world *w, uint16_t worker, enum world_host to, bool v6, uint32_t len)
{
	static uint8_t bytes[65536];
	struct ip_packet ip = {.src = world_address(HOST_OURS, v6), .dst = world_address(to, v6)};
	struct udp_packet udp = {.src_port = (uint16_t)(WORLD_BASE + worker),
				 .dst_port = WORLD_SHARED,
				 .payload = span_of(bytes, len)};
	struct endpoint local = ip_address_endpoint(&ip.src, udp.src_port);
	struct endpoint peer = ip_address_endpoint(&ip.dst, udp.dst_port);

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = world_byte(len, i);
	if (w->datagrams == WORLD_DATAGRAMS ||
	    stack_udp_send(w->worker[worker].stack, &local, &peer, udp.payload) != GW_OK)
		return;
	w->sent_by_script += len / SHORTEST_PIECE + 2;
	if (world_is_ours(&ip.dst))
		world_note(w, &ip, &udp);
}
