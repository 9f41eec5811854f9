/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "echo.h"
#include "net/wire.h"
#include "space.h"

/*
 * The stack alone: frames come from an in-memory ring and go to another, nothing copies them but
 * the stack. One core does all, the generator too; its share is measured by a turn without the
 * stack.
 */

#define RING 1024
#define BURST 32
#define ROUNDS 60000
#define RUNS 7

static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 0x20};

struct bench {
	struct echo echo;
	struct rte_ring *in, *out;
	struct rte_mempool *pool;
	uint8_t frame[1518];
	uint32_t len;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct ip_address address_of(const char *text)
{
	struct endpoint e = {0};

	(void)endpoint_parse(span_text(text), &e);
	return ip_address_of(&e);
}

static void make_frame(struct bench *b, const uint8_t mac[6], uint32_t payload)
{
	static const uint8_t zero[1472];
	struct ip_head head = {.src = address_of(SPACE_PEER),
			       .dst = address_of(SPACE_GATEWAY),
			       .protocol = IPPROTO_UDP,
			       .hop_limit = 64,
			       .payload_len = UDP_LEN + payload};
	struct writer w;

	writer_init(&w, b->frame, sizeof(b->frame));
	eth_write(&w, mac, peer_mac, 0, ETH_TYPE_IP4);
	ip_write(&w, &head, true);
	udp_write(&w, &(struct udp_ends){&head.src, &head.dst, 5060, SPACE_PORT},
		  span_of(zero, payload), L4_CHECKSUM_WHOLE);
	writer_bytes(&w, zero, payload);
	b->len = writer_len(&w);
}

static void feed(struct bench *b, struct span frame)
{
	struct rte_mbuf *packet = packet_copy(b->pool, frame);

	if (packet != NULL && rte_ring_enqueue(b->in, packet) != 0)
		packet_put(packet);
}

static uint32_t drain(struct bench *b)
{
	void *packets[BURST];
	uint32_t n, sum = 0;

	while ((n = rte_ring_dequeue_burst(b->out, packets, BURST, NULL)) > 0) {
		for (uint32_t i = 0; i < n; i++)
			packet_put(packets[i]);
		sum += n;
	}
	return sum;
}

/** The answer to the stack's question who has SPACE_PEER. */
static void answer_arp(struct bench *b, const uint8_t mac[6])
{
	struct arp_packet arp = {.reply = true,
				 .sender = address_of(SPACE_PEER),
				 .target = address_of(SPACE_GATEWAY)};
	uint8_t frame[64];
	struct writer w;

	memcpy(arp.sender_mac, peer_mac, 6);
	memcpy(arp.target_mac, mac, 6);
	writer_init(&w, frame, sizeof(frame));
	eth_write(&w, mac, peer_mac, 0, ETH_TYPE_ARP);
	arp_write(&w, &arp);
	for (int i = 0; i < 3; i++) {
		echo_turn(&b->echo);
		drain(b);
		feed(b, writer_span(&w));
	}
	echo_turn(&b->echo);
	drain(b);
}

/** ns a packet, in and out; the generator's part included. */
static double round_trip(struct bench *b, uint64_t *echoed)
{
	double begun = now_ns();

	*echoed = 0;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		for (uint32_t k = 0; k < BURST; k++)
			feed(b, span_of(b->frame, b->len));
		echo_turn(&b->echo);
		*echoed += drain(b);
	}
	return (now_ns() - begun) / ((double)ROUNDS * BURST);
}

/** The generator alone: the same copies and rings, no stack between. */
static double generator(struct bench *b)
{
	double begun = now_ns();
	void *packets[BURST];

	for (uint32_t i = 0; i < ROUNDS; i++) {
		for (uint32_t k = 0; k < BURST; k++)
			feed(b, span_of(b->frame, b->len));
		if (rte_ring_dequeue_burst(b->in, packets, BURST, NULL) == BURST)
			rte_ring_enqueue_burst(b->out, packets, BURST, NULL);
		drain(b);
	}
	return (now_ns() - begun) / ((double)ROUNDS * BURST);
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void row(struct bench *b, const uint8_t mac[6], uint32_t payload, const char *name)
{
	double with[RUNS], without[RUNS], ns;
	uint64_t echoed = 0;

	make_frame(b, mac, payload);
	for (int i = 0; i < RUNS; i++) {
		with[i] = round_trip(b, &echoed);
		without[i] = generator(b);
	}
	qsort(with, RUNS, sizeof(with[0]), compare);
	qsort(without, RUNS, sizeof(without[0]), compare);
	ns = with[RUNS / 2] - without[RUNS / 2];
	printf("| %-18s | %7.0f | %6.2f | %9.0f | %6.2f %% |\n", name, ns, 1000 / ns,
	       without[RUNS / 2], 100 * (double)echoed / ((double)ROUNDS * BURST));
}

static int open_bench(struct bench *b)
{
	char *arguments[] = {
		"bench",	  "--no-huge",		 "-m", "256", "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=*:error", "-l", "0"};

	if (rte_eal_init(10, arguments) < 0)
		return -1;
	b->in = rte_ring_create("in", RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	b->out = rte_ring_create("out", RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	b->pool = packet_pool_new("generator", 8191, 0, -1);
	if (b->in == NULL || b->out == NULL || b->pool == NULL ||
	    rte_eth_from_rings("bench", &b->in, 1, &b->out, 1, 0) < 0)
		return -1;
	return echo_open(&b->echo, "net_ring_bench");
}

int main(void)
{
	static struct bench bench;
	const uint8_t *mac;

	if (open_bench(&bench) != 0) {
		fputs("ring: cannot be opened\n", stderr);
		return 1;
	}
	mac = net_shared_netif(bench.echo.shared, 0)->info.mac;
	answer_arp(&bench, mac);
	puts("\nThe stack alone: UDP echo over an in-memory ring, one core, medians\n"
	     "| frame              | ns/echo | Mpps   | generator | echoed   |\n"
	     "|--------------------|---------|--------|-----------|----------|");
	row(&bench, mac, 64 - 42, "64 bytes");
	row(&bench, mac, 1400, "1,442 bytes");
	echo_close(&bench.echo);
	return 0;
}
