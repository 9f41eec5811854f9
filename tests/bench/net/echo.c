/* SPDX-License-Identifier: BSD-3-Clause */
#include "echo.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "space.h"

static uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void on_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			struct span bytes)
{
	struct echo *echo = context;
	enum gw_err err = stack_udp_send(echo->stack, local, peer, bytes);

	if (err != GW_OK)
		counter_add(&echo->counters.errors[err], 1);
}

static void on_unreachable(void *context, const struct endpoint *peer)
{
}

static const struct udp_ops udp_ops = {on_datagram, on_unreachable};

static void on_pong(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
}

static void on_captured(void *context, const struct captured *captured, struct span bytes)
{
}

static void on_alarm(void *context, enum gw_err what, const struct endpoint *about)
{
	fprintf(stderr, "alarm: %s\n", gw_err_text(what));
}

static void on_broken(void *context, const struct net_broken *broken)
{
}

static const struct net_events events = {on_pong, on_captured, on_alarm, on_broken};

static uint64_t next_random(void *context)
{
	struct echo *echo = context;

	return echo->random = echo->random * 6364136223846793005ull + 1;
}

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint e = {0};

	(void)endpoint_parse(span_text(text), &e);
	return e;
}

static int open_port(struct echo *echo, const char *device, struct netif *netif)
{
	struct port_config config = {.name = "bench",
				     .device = device,
				     .queues = 1,
				     .own_mac = {2, 0, 0, 0, 0, 0x10},
				     .secret = {1}};
	char why[PORT_WHY_MAX] = "";

	echo->ops = port_driver(device);
	if (echo->ops->open(&config, &echo->port, why) == GW_OK &&
	    echo->ops->start(echo->port, &netif->info, why) == GW_OK)
		return 0;
	fprintf(stderr, "%s: %s\n", device, why);
	return -1;
}

static int open_stack(struct echo *echo)
{
	struct endpoint local = endpoint_of(SPACE_GATEWAY), peer = endpoint_of(SPACE_PEER);
	struct net_config config = {.counters = &echo->counters,
				    .clock = &echo->clock,
				    .shared = echo->shared,
				    .events = &events,
				    .context = echo,
				    .random = next_random};

	echo->clock.now_us = clock_us();
	if (stack_new(&config, &echo->stack) != GW_OK)
		return -1;
	endpoint_set_port(&local, SPACE_PORT);
	stack_peers(echo->stack, &peer, 1);
	return stack_udp_bind(echo->stack, &local, &udp_ops, echo) == GW_OK ? 0 : -1;
}

int echo_open(struct echo *echo, const char *device)
{
	struct netif netif = {.name = "bench", .address_count = 1, .probe_s = 30};
	struct net_shared_config shared = {
		.netif = &netif, .netifs = 1, .workers = 1, .ring_bytes = 65536, .neighbours = 16};

	if (open_port(echo, device, &netif) != 0)
		return -1;
	netif.ops = echo->ops;
	netif.port = echo->port;
	netif.address[0] = (struct netif_address){endpoint_of(SPACE_GATEWAY), 24};
	echo->shared = net_shared_new(&shared);
	return echo->shared != NULL ? open_stack(echo) : -1;
}

void echo_close(struct echo *echo)
{
	stack_free(echo->stack);
	if (echo->port != NULL)
		echo->ops->close(echo->port);
	net_shared_free(echo->shared);
}

bool echo_turn(struct echo *echo)
{
	uint64_t packets = counter_read(&echo->counters.net_rx_packets);

	echo->clock.now_us = clock_us();
	stack_receive(echo->stack);
	stack_run_ready(echo->stack);
	stack_transmit(echo->stack);
	return counter_read(&echo->counters.net_rx_packets) != packets || !stack_idle(echo->stack);
}

static void echo_sleep(struct echo *echo)
{
	uint64_t until_us = stack_sleep_begin(echo->stack), now_us = echo->clock.now_us;
	struct pollfd fd = {.fd = stack_wait_fd(echo->stack), .events = POLLIN};
	uint64_t left_us = until_us > now_us ? until_us - now_us : 0;
	struct timespec left;

	left_us = left_us < 100000 ? left_us : 100000; /* to see stop */
	left = (struct timespec){.tv_sec = 0, .tv_nsec = (long)left_us * 1000};
	ppoll(&fd, 1, &left, NULL);
	stack_sleep_end(echo->stack);
}

void *echo_run(void *context)
{
	struct echo *echo = context;

	space_pin(0);
	while (!atomic_load(&echo->stop)) {
		bool busy = echo_turn(echo);

		if (busy || atomic_load(&echo->idle) == ECHO_POLL)
			continue;
		echo_sleep(echo);
		atomic_store(&echo->cpu_us, space_cpu_us());
	}
	return NULL;
}
