/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "control/interface.h"
#include "control/publish.h"
#include "verifier.h"

#define DEVICE "net_ring_"

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t env_now_us(void *context)
{
	return clock_us(CLOCK_MONOTONIC);
}

static uint64_t env_wall_us(void *context)
{
	return clock_us(CLOCK_REALTIME);
}

/** As the daemon's: a system call for every 64 words. */
static uint64_t env_random(void *context)
{
	static _Thread_local struct {
		uint64_t word[64];
		uint32_t left;
	} stock;

	if (stock.left == 0) {
		while (getrandom(stock.word, sizeof(stock.word), 0) != sizeof(stock.word))
			continue;
		stock.left = 64;
	}
	return stock.word[--stock.left];
}

static const struct worker_env env = {.now_us = env_now_us,
				      .wall_us = env_wall_us,
				      .random = env_random};

static int failed(const char *why)
{
	fprintf(stderr, "ring: %s\n", why);
	return -1;
}

static int publish(struct ring_gateway *g)
{
	const struct publish_keys_from from = {g->config, g->key_ids, NULL, NULL};
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {0};
	struct config_part *settings = publish_config(g->config, &g->state);
	struct key_part *keys = publish_keys(&from);
	struct pair_part *pairs = publish_pairs(g->config);

	if (settings == NULL || keys == NULL || pairs == NULL ||
	    publish_tls(g->config, parts) != GW_OK)
		return failed("the parts of the configuration cannot be made");
	parts[SNAPSHOT_CONFIG] = &settings->part;
	parts[SNAPSHOT_KEYS] = &keys->part;
	parts[SNAPSHOT_PAIRS] = &pairs->part;
	return snapshot_publish_all(g->snapshots, parts) == GW_OK ? 0 : failed("no memory");
}

static int read_config(struct ring_gateway *g, const char *path)
{
	char why[256];

	g->problems = problems_new();
	g->config = g->problems != NULL ? config_load(path, g->problems) : NULL;
	if (g->config == NULL) {
		if (g->problems != NULL)
			problems_print(g->problems, stderr);
		return failed(path);
	}
	if (state_open(&g->state, config_path(g->config, g->config->node.state_directory), why,
		       sizeof(why)) != NULL)
		return failed(why);
	config_tcp(g->config, &g->tcp);
	return 0;
}

/** The first port of the configuration, and the wire behind it. */
static int open_port(struct ring_gateway *g, const struct wire_user *user)
{
	const struct config_port *from = config_port(g->config, 0);
	struct port_config how = {.name = from->name.text,
				  .device = from->device.text,
				  .queues = 1,
				  .rx_packets = netif_rx_packets(g->tcp.limits.held_packets),
				  .own_mac = {2, 0, 0, 0, 0, 2},
				  .secret = {1}};
	struct wire_config wire = {.user = user, .device = from->device.text + sizeof(DEVICE) - 1};
	const struct config_next_hop *hop = g->config->mw.next_hops.at;
	char why[PORT_WHY_MAX] = "";

	interface_read(from, &g->netif);
	wire.gateway = g->netif.address[0].address;
	wire.access_port = 443;
	/* "sip:ADDRESS:PORT;transport=tcp" */
	if (strncmp(from->device.text, DEVICE, sizeof(DEVICE) - 1) != 0 ||
	    !endpoint_parse(span_cut(span_text(hop->uri.text), 4,
				     (uint32_t)strcspn(hop->uri.text + 4, ";")),
			    &wire.core))
		return failed("the port is no " DEVICE "..., or the next hop no address");
	g->wire = wire_new(&wire);
	g->netif.ops = port_driver(how.device);
	if (g->wire == NULL || g->netif.ops->open(&how, &g->netif.port, why) != GW_OK ||
	    g->netif.ops->start(g->netif.port, &g->netif.info, why) != GW_OK)
		return failed(why);
	wire_attach(g->wire, g->netif.info.mac);
	return 0;
}

static int make_shared(struct ring_gateway *g)
{
	struct net_shared_config how = {.netif = &g->netif,
					.netifs = 1,
					.workers = 1,
					.ring_bytes = 65536,
					.neighbours = 16,
					.held_packets = g->tcp.limits.held_packets};

	g->shared = net_shared_new(&how);
	g->key_ids = key_ids_new();
	g->snapshots = snapshot_root_new(1);
	g->hub = mailbox_hub_new(2, (uint32_t)g->config->workers.mailbox_bytes.value, NULL, NULL);
	if (g->shared != NULL && g->key_ids != NULL && g->snapshots != NULL && g->hub != NULL)
		return 0;
	return failed("no memory");
}

/** As node_worker() of the daemon has it. */
static int make_worker(struct ring_gateway *g)
{
	struct worker_config how = {
		.workers = 1,
		.epoch = g->state.epoch,
		.sizes = config_sizes(g->config),
		.env = &env,
		.hub = g->hub,
		.snapshots = g->snapshots,
		.net = {[NET_PACKETS] = &net_packets},
		.shared = g->shared,
		.tcp = &g->tcp,
		.verifier = &verifier_openssl,
	};
	char why[256];

	if (worker_new(&how, why, sizeof(why), &g->worker) != GW_OK)
		return failed(why);
	snapshot_online(g->snapshots, 0);
	return 0;
}

int ring_gateway_open(struct ring_gateway *g, const char *path, const struct wire_user *user)
{
	*g = (struct ring_gateway){0};
	if (read_config(g, path) != 0 || open_port(g, user) != 0 || make_shared(g) != 0 ||
	    publish(g) != 0)
		return -1;
	return make_worker(g);
}

void ring_gateway_close(struct ring_gateway *g)
{
	snapshot_offline(g->snapshots, 0);
	worker_free(g->worker);
	g->netif.ops->close(g->netif.port);
	net_shared_free(g->shared);
	mailbox_hub_free(g->hub);
	snapshot_root_free(g->snapshots);
	key_ids_free(g->key_ids);
	state_close(&g->state);
	config_free(g->config);
	problems_free(g->problems);
}

static void nobody(void *context, uint16_t from, struct span message)
{
}

void ring_gateway_turn(struct ring_gateway *g)
{
	double begun = cpu_s();

	(void)worker_turn(g->worker);
	g->spent_s += cpu_s() - begun;
	(void)mailbox_receive(g->hub, 1, 256, nobody, NULL);
}
