/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring.h"

#include <rte_eth_ring.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/wire.h"

#define RING_FRAMES 4096
#define RING_PACKETS 16383

static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 1};

/** Of this thread alone: what else runs on the machine does not count. */
static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

double ring_median(double *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

void ring_feed(struct ring *ring, struct span frame)
{
	struct rte_mbuf *packet = packet_copy(ring->pool, frame);

	if (packet != NULL && rte_ring_enqueue(ring->in, packet) == 0) {
		ring->fed++;
		return;
	}
	if (packet != NULL)
		packet_put(packet);
	ring->lost++;
}

void ring_turn(struct ring *ring)
{
	double begun = now_ns();

	node_receive(&ring->node);
	node_transmit(&ring->node);
	ring->spent_ns += now_ns() - begun;
}

struct rte_mbuf *ring_take(struct ring *ring)
{
	void *packet;

	if (rte_ring_dequeue(ring->out, &packet) != 0)
		return NULL;
	ring->said++;
	return packet;
}

void ring_reset(struct ring *ring)
{
	ring->spent_ns = 0;
	ring->fed = ring->said = ring->lost = 0;
}

static void drain(struct ring *ring)
{
	struct rte_mbuf *packet;

	while ((packet = ring_take(ring)) != NULL)
		packet_put(packet);
}

/** The answer to the worker's question who has the gateway's address. */
static void answer_arp(struct ring *ring)
{
	struct endpoint peer = node_endpoint(NODE_PEER, false, 0),
			ours = node_endpoint(NODE_US, false, 0);
	struct arp_packet arp = {.reply = true,
				 .sender = ip_address_of(&peer),
				 .target = ip_address_of(&ours)};
	uint8_t frame[64];
	struct writer w;

	memcpy(arp.sender_mac, gateway_mac, 6);
	memcpy(arp.target_mac, ring->mac, 6);
	writer_init(&w, frame, sizeof(frame));
	eth_write(&w, ring->mac, gateway_mac, 0, ETH_TYPE_ARP);
	arp_write(&w, &arp);
	for (int i = 0; i < 3; i++) {
		ring_turn(ring);
		drain(ring);
		ring_feed(ring, writer_span(&w));
	}
	ring_turn(ring);
	drain(ring);
}

int ring_open(struct ring *ring, const struct node_config *config, uint32_t megabytes)
{
	struct node_config own = *config;

	own.device = "net_ring_bench";
	if (node_eal(megabytes) != 0)
		return -1;
	ring->in = rte_ring_create("in", RING_FRAMES, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	ring->out =
		rte_ring_create("out", RING_FRAMES, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	ring->pool = packet_pool_new("peers", RING_PACKETS, 0, -1);
	if (ring->in == NULL || ring->out == NULL || ring->pool == NULL ||
	    rte_eth_from_rings("bench", &ring->in, 1, &ring->out, 1, 0) < 0) {
		fputs("ring: cannot be made\n", stderr);
		return -1;
	}
	if (node_open(&ring->node, &own) != 0)
		return -1;
	memcpy(ring->mac, ring->node.info.mac, 6);
	answer_arp(ring);
	ring_reset(ring);
	return 0;
}

void ring_close(struct ring *ring)
{
	drain(ring);
	node_close(&ring->node);
}
