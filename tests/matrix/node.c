/* SPDX-License-Identifier: BSD-3-Clause */
#include "node.h"

#include <poll.h>
#include <rte_eal.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RING_BYTES 65536u

static uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

struct node_config node_config_small(void)
{
	struct node_config config = {
		.limits = {.connections = 16,
			   .receive_bytes = 65536,
			   .send_bytes = 65536,
			   .user_timeout_us = 45000000},
		.tcp = tcp_limits_default,
	};

	config.tcp.half_open = 64;
	config.tcp.time_waits = 64;
	config.tcp.sources = 64;
	config.tcp.send_packets = 1023;
	return config;
}

int node_eal(uint32_t megabytes)
{
	char room[16], program[] = "node";
	char *words[] = {
		program,	  "--no-huge",	     "-m",	  room, "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=*:3", "--lcores=0"};
	cpu_set_t before;
	int done;

	snprintf(room, sizeof(room), "%u", megabytes);
	if (sched_getaffinity(0, sizeof(before), &before) != 0)
		return -1;
	done = rte_eal_init(sizeof(words) / sizeof(words[0]), words);
	sched_setaffinity(0, sizeof(before), &before); /* EAL has pinned it */
	return done < 0 ? -1 : 0;
}

/* ---- what a back end wants to tell -------------------------------------------------------------
 */

static void on_pong(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
}

static void on_captured(void *context, const struct captured *captured, struct span bytes)
{
}

static void on_alarm(void *context, enum gw_err what, const struct endpoint *about)
{
}

static void on_broken(void *context, const struct net_broken *broken)
{
}

static const struct net_events events = {on_pong, on_captured, on_alarm, on_broken};

/** The same run has the same secrets. */
static uint64_t next_random(void *context)
{
	struct node *node = context;
	uint64_t z = node->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* ---- life --------------------------------------------------------------------------------------
 */

struct endpoint node_endpoint(enum node_who who, bool v6, uint16_t port)
{
	static const char *const texts[2][2] = {{NODE_OURS_4, NODE_OURS_6},
						{NODE_PEER_4, NODE_PEER_6}};
	struct endpoint e = {0};

	(void)endpoint_parse(span_text(texts[who][v6]), &e);
	endpoint_set_port(&e, port);
	return e;
}

static int open_port(struct node *node, const char *device)
{
	struct port_config config = {.name = "node",
				     .device = device,
				     .queues = 1,
				     .own_mac = {2, 0, 0, 0, 0, 2},
				     .secret = {1}};
	char why[PORT_WHY_MAX] = "";

	node->ops = port_driver(device);
	if (node->ops->open(&config, &node->port, why) == GW_OK &&
	    node->ops->start(node->port, &node->info, why) == GW_OK)
		return 0;
	fprintf(stderr, "%s: %s\n", device, why);
	return -1;
}

static int open_shared(struct node *node)
{
	struct netif netif = {.name = "node",
			      .ops = node->ops,
			      .port = node->port,
			      .info = node->info,
			      .address_count = 2,
			      .gateway_count = 2,
			      .probe_s = 30};
	struct net_shared_config config = {.netif = &netif,
					   .netifs = 1,
					   .workers = 1,
					   .ring_bytes = RING_BYTES,
					   .neighbours = 16};

	netif.address[0] = (struct netif_address){node_endpoint(NODE_US, false, 0), 24};
	netif.address[1] = (struct netif_address){node_endpoint(NODE_US, true, 0), 64};
	netif.gateway[0] = node_endpoint(NODE_PEER, false, 0);
	netif.gateway[1] = node_endpoint(NODE_PEER, true, 0);
	node->shared = net_shared_new(&config);
	return node->shared != NULL ? 0 : -1;
}

int node_open(struct node *node, const struct node_config *config)
{
	struct net_config net = {.limits = config->limits,
				 .counters = &node->counters,
				 .clock = &node->clock,
				 .tcp = &node->tcp,
				 .events = &events,
				 .context = node,
				 .random = next_random};
	const struct net_ops *ops = config->device != NULL ? &net_packets : &net_posix;
	enum gw_err err;

	*node = (struct node){.random = config->seed, .tcp = config->tcp};
	node->clock.now_us = clock_us();
	if (config->device != NULL &&
	    (open_port(node, config->device) != 0 || open_shared(node) != 0))
		return -1;
	net.shared = node->shared;
	err = net_open(ops, &net, &node->core);
	if (err != GW_OK)
		fprintf(stderr, "node: %s\n", gw_err_text(err));
	return err == GW_OK ? 0 : -1;
}

void node_close(struct node *node)
{
	if (node->core != NULL)
		net_close(node->core);
	if (node->port != NULL)
		node->ops->close(node->port);
	net_shared_free(node->shared);
}

/* ---- turns -------------------------------------------------------------------------------------
 */

void node_receive(struct node *node)
{
	node->clock.now_us = clock_us();
	net_receive(node->core);
	net_run_ready(node->core);
}

void node_transmit(struct node *node)
{
	net_transmit(node->core);
}

void node_sleep(struct node *node, int fd, uint64_t until_us)
{
	uint64_t own_us = net_sleep_begin(node->core), now_us = clock_us(), left_us;
	struct pollfd fds[] = {{.fd = net_wait_fd(node->core), .events = POLLIN},
			       {.fd = fd, .events = POLLIN}};
	struct timespec left;

	until_us = own_us < until_us ? own_us : until_us;
	left_us = until_us > now_us ? until_us - now_us : 0;
	left = (struct timespec){(time_t)(left_us / 1000000), (long)(left_us % 1000000) * 1000};
	ppoll(fds, 2, &left, NULL);
	net_sleep_end(node->core);
}
