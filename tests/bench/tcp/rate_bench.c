/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "peers.h"
#include "server.h"

/*
 * TCP alone: the worker's turns are timed, the clients that this program plays are not. The ratio
 * is against a UDP echo of the same size through the same rings in the same run: what the packets
 * cost without TCP.
 */

#define RUNS 5
#define CLIENTS 256u
#define LOADERS 16u /* of them, in the row of full segments out */
#define BURST 32u
#define ROUNDS 5000u
#define FLIGHT 32u /* segments of a burst in the bulk rows */
#define UDP_PORT 5070
#define BULK 1360u

struct bench {
	struct ring ring;
	struct server server;
	struct peer peer[CLIENTS];
	uint32_t next; /* client for what is new: connections are opened once */
	uint64_t data; /* segments with payload, both directions */
};

/* ---- the baseline
 * ------------------------------------------------------------------------------- */

static void on_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			struct span bytes)
{
	struct bench *b = context;

	if (net_udp_send(b->ring.node.core, local, peer, bytes) == GW_OK)
		b->data++;
}

static void on_unreachable(void *context, const struct endpoint *peer)
{
}

static const struct udp_ops udp_ops = {on_datagram, on_unreachable};

static struct span datagram(struct bench *b, uint8_t frame[1600], uint32_t payload)
{
	static const uint8_t zero[BULK], gateway_mac[6] = {2, 0, 0, 0, 0, 1};
	struct endpoint peer = node_endpoint(NODE_PEER, false, 0),
			ours = node_endpoint(NODE_US, false, 0);
	struct ip_head head = {.src = ip_address_of(&peer),
			       .dst = ip_address_of(&ours),
			       .protocol = IPPROTO_UDP,
			       .hop_limit = 64,
			       .payload_len = UDP_LEN + payload};
	struct writer w;

	writer_init(&w, frame, 1600);
	eth_write(&w, b->ring.mac, gateway_mac, 0, ETH_TYPE_IP4);
	ip_write(&w, &head, true);
	udp_write(&w, &(struct udp_ends){&head.src, &head.dst, 5060, UDP_PORT},
		  span_of(zero, payload), L4_CHECKSUM_WHOLE);
	writer_bytes(&w, zero, payload);
	return writer_span(&w);
}

static void drain(struct bench *b)
{
	struct rte_mbuf *packet;

	while ((packet = ring_take(&b->ring)) != NULL)
		packet_put(packet);
}

/** ns of a packet, in or out. */
static double udp_run(struct bench *b, uint32_t payload)
{
	uint8_t frame[1600];
	struct span bytes = datagram(b, frame, payload);

	ring_reset(&b->ring);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		for (uint32_t k = 0; k < BURST; k++)
			ring_feed(&b->ring, bytes);
		ring_turn(&b->ring);
		drain(b);
	}
	return b->ring.spent_ns / (double)(b->ring.fed + b->ring.said);
}

/* ---- rows
 * ---------------------------------------------------------------------------------------- */

/** Opens client i and lets the worker know it by its first bytes. */
static void connect_client(struct bench *b, uint32_t client)
{
	struct peer *peer = &b->peer[client % CLIENTS];
	struct heard heard;

	peer_open(&b->ring, peer, client);
	ring_turn(&b->ring);
	while (peer_hear(&b->ring, &heard))
		peer_note(&b->peer[heard.client % CLIENTS], &heard);
	peer_say(&b->ring, peer, client, TCP_ACK | TCP_PSH, 64);
	ring_turn(&b->ring);
}

static void connect_all(struct bench *b, enum server_mode mode, uint32_t count)
{
	b->server.mode = mode;
	for (uint32_t i = 0; i < count; i++)
		connect_client(b, i);
}

static void reset_all(struct bench *b)
{
	struct heard heard;

	while (peer_hear(&b->ring, &heard))
		peer_note(&b->peer[heard.client % CLIENTS], &heard);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		peer_say(&b->ring, &b->peer[i], i, TCP_RST | TCP_ACK, 0);
		if (i % BURST == BURST - 1)
			ring_turn(&b->ring);
	}
	for (int i = 0; i < 16; i++)
		ring_turn(&b->ring);
	drain(b);
}

/** Requests of 64 bytes, an answer to each. */
static double requests_run(struct bench *b)
{
	struct heard heard;

	drain(b);
	ring_reset(&b->ring);
	b->data = 0;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		for (uint32_t k = 0; k < BURST; k++) {
			uint32_t client = (i * BURST + k) % CLIENTS;

			peer_say(&b->ring, &b->peer[client], client, TCP_ACK | TCP_PSH, 64);
		}
		ring_turn(&b->ring);
		while (peer_hear(&b->ring, &heard)) {
			peer_note(&b->peer[heard.client % CLIENTS], &heard);
			b->data += heard.len > 0;
		}
	}
	return b->ring.spent_ns / (double)(b->data * 2);
}

/** Full segments in; the worker's ACKs are its own business, and part of what they cost. */
static double upload_run(struct bench *b)
{
	struct heard heard;

	ring_reset(&b->ring);
	b->server.received = 0;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t client = i % CLIENTS;

		for (uint32_t k = 0; k < FLIGHT; k++)
			peer_say(&b->ring, &b->peer[client], client, TCP_ACK, BULK);
		ring_turn(&b->ring);
		while (peer_hear(&b->ring, &heard))
			peer_note(&b->peer[heard.client % CLIENTS], &heard);
	}
	return b->ring.spent_ns / ((double)b->server.received / BULK);
}

/** Every second segment is acknowledged, and the last one of a turn. */
static void acknowledge(struct bench *b)
{
	uint32_t due[CLIENTS] = {0};
	struct heard heard;

	for (uint32_t k = 0; k < 1024 && peer_hear(&b->ring, &heard); k++) {
		uint32_t i = heard.client % CLIENTS;

		peer_note(&b->peer[i], &heard);
		b->data += heard.len > 0;
		due[i] += heard.len > 0;
		if (due[i] == 2)
			peer_say(&b->ring, &b->peer[i], i, TCP_ACK, 0);
		due[i] %= 2;
	}
	for (uint32_t i = 0; i < LOADERS; i++)
		if (due[i] > 0)
			peer_say(&b->ring, &b->peer[i], i, TCP_ACK, 0);
}

/** Full segments out. */
static double download_run(struct bench *b)
{
	ring_reset(&b->ring);
	b->data = 0;
	for (uint32_t i = 0; i < ROUNDS && b->data < ROUNDS * BURST; i++) {
		ring_turn(&b->ring);
		acknowledge(b);
	}
	return b->ring.spent_ns / (double)b->data;
}

/** SYN to TIME-WAIT: a request, an answer, and FIN from the worker first. */
static double lives_run(struct bench *b)
{
	uint64_t closed = b->server.closed;
	struct heard heard;

	ring_reset(&b->ring);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		for (uint32_t k = 0; k < BURST; k++, b->next++)
			peer_open(&b->ring, &b->peer[b->next % CLIENTS], b->next);
		for (int step = 0; step < 4; step++) {
			ring_turn(&b->ring);
			while (peer_hear(&b->ring, &heard))
				peer_answer(&b->ring, &b->peer[heard.client % CLIENTS], &heard);
		}
	}
	return b->ring.spent_ns / (double)(b->server.closed - closed);
}

static void print(const char *name, double *ns, double *base, const char *unit)
{
	double median = ring_median(ns, RUNS),
	       baseline = base != NULL ? ring_median(base, RUNS) : 0;

	printf("| %-34s | %7.0f | %8.0f | %-12s |", name, median, 1e6 / median, unit);
	if (base != NULL)
		printf(" %5.2f |\n", median / baseline);
	else
		puts("       |");
	fflush(stdout);
}

static void rows(struct bench *b)
{
	double udp64[RUNS], udp1360[RUNS], ns[RUNS];

	for (int i = 0; i < RUNS; i++) {
		udp64[i] = udp_run(b, 64);
		udp1360[i] = udp_run(b, BULK);
	}
	print("UDP echo, 64 bytes", udp64, udp64, "packets");
	print("UDP echo, 1,360 bytes", udp1360, udp1360, "packets");
	connect_all(b, SERVER_ECHO, CLIENTS);
	for (int i = 0; i < RUNS; i++)
		ns[i] = requests_run(b);
	print("TCP request and answer, 64 bytes", ns, udp64, "segments");
	b->server.mode = SERVER_SINK;
	for (int i = 0; i < RUNS; i++)
		ns[i] = upload_run(b);
	print("TCP in, 1,360 bytes", ns, udp1360, "segments");
	reset_all(b);
	connect_all(b, SERVER_SOURCE, LOADERS);
	for (int i = 0; i < RUNS; i++)
		ns[i] = download_run(b);
	print("TCP out, 1,360 bytes", ns, udp1360, "segments");
	reset_all(b);
	b->server.mode = SERVER_ONCE;
	b->next = CLIENTS;
	for (int i = 0; i < RUNS; i++)
		ns[i] = lives_run(b);
	print("TCP, from SYN to TIME-WAIT", ns, NULL, "connections");
}

int main(void)
{
	struct endpoint local = node_endpoint(NODE_US, false, UDP_PORT);
	struct node_config config = node_config_small();
	static struct bench bench;

	config.limits.connections = 65536;
	config.tcp = tcp_limits_default;
	config.tcp.source_half_open = config.tcp.source4_connections = UINT32_MAX / 2;
	config.tcp.source_rate = config.tcp.source_burst = UINT32_MAX / 2;
	config.tcp.sources = 131072;
	config.tcp.syn_rate = UINT32_MAX / 2;
	if (ring_open(&bench.ring, &config, 512) != 0 ||
	    server_open(&bench.server, &bench.ring.node) != 0 ||
	    net_udp_bind(bench.ring.node.core, &local, &udp_ops, &bench) != GW_OK) {
		fputs("bench: cannot be opened\n", stderr);
		return 1;
	}
	puts("\nTCP alone over in-memory rings, one core, medians; ratio to the UDP echo of the "
	     "same size\n"
	     "| what                               | ns each |  1,000/s |              | ratio |\n"
	     "|------------------------------------|---------|----------|--------------|-------|");
	rows(&bench);
	ring_close(&bench.ring);
	return 0;
}
