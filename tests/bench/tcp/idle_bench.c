/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "peers.h"
#include "server.h"

/*
 * A million connections that have said one thing each and nothing since: what the process holds for
 * them (VmRSS, after minus before), and what a request costs when each comes from another one of
 * them, against the same when all come from the same few.
 */

#define CONNECTIONS 1000000u
#define STEP 32u
#define FEW 256u
#define REQUESTS 320000u
#define RUNS 3

struct bench {
	struct ring ring;
	struct server server;
	struct peer *peer;
};

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long all = 0, resident = 0;

	if (file == NULL || fscanf(file, "%lu %lu", &all, &resident) != 2)
		resident = 0;
	if (file != NULL)
		fclose(file);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void hear(struct bench *b)
{
	struct heard heard;

	while (peer_hear(&b->ring, &heard)) {
		if (heard.client >= CONNECTIONS || (heard.len == 0 && (heard.flags & TCP_SYN) == 0))
			continue;
		peer_note(&b->peer[heard.client], &heard);
		if (heard.len > 0) /* who is idle has acknowledged all */
			peer_say(&b->ring, &b->peer[heard.client], heard.client, TCP_ACK, 0);
	}
}

static void open_all(struct bench *b)
{
	for (uint32_t first = 0; first < CONNECTIONS; first += STEP) {
		for (uint32_t i = first; i < first + STEP; i++)
			peer_open(&b->ring, &b->peer[i], i);
		ring_turn(&b->ring);
		hear(b);
		for (uint32_t i = first; i < first + STEP; i++)
			peer_say(&b->ring, &b->peer[i], i, TCP_ACK | TCP_PSH, 64);
		ring_turn(&b->ring);
		hear(b);
	}
	ring_turn(&b->ring);
}

/** ns of a request and its answer; of clients 0 to among - 1, in no order. */
static double requests(struct bench *b, uint32_t among)
{
	uint64_t received = b->server.received;
	uint32_t dice = 1;

	ring_reset(&b->ring);
	for (uint32_t n = 0; n < REQUESTS; n += STEP) {
		for (uint32_t k = 0; k < STEP; k++) {
			uint32_t client = (dice = dice * 1664525u + 1013904223u) % among;

			peer_say(&b->ring, &b->peer[client], client, TCP_ACK | TCP_PSH, 64);
		}
		ring_turn(&b->ring);
		hear(b);
	}
	return b->ring.spent_ns / ((double)(b->server.received - received) / 64);
}

static void rows(struct bench *b)
{
	double before = resident_bytes(), after, few[RUNS], all[RUNS], base;

	open_all(b);
	after = resident_bytes();
	printf("\nIdle TCP connections over in-memory rings, one worker\n"
	       "| what                                       |            |\n"
	       "|--------------------------------------------|------------|\n"
	       "| connections accepted                       | %10llu |\n"
	       "| bytes of memory for each, measured         | %10.0f |\n",
	       (unsigned long long)b->server.accepted,
	       (after - before) / (double)b->server.accepted);
	for (int i = 0; i < RUNS; i++) {
		few[i] = requests(b, FEW);
		all[i] = requests(b, CONNECTIONS);
	}
	base = ring_median(few, RUNS);
	printf("| ns of a request among 256 of them          | %10.0f |\n"
	       "| ns of a request among all of them          | %10.0f |\n"
	       "| ratio                                      | %10.2f |\n",
	       base, ring_median(all, RUNS), ring_median(all, RUNS) / base);
}

int main(void)
{
	struct node_config config = node_config_small();
	static struct bench bench;

	config.limits.connections = CONNECTIONS + 1;
	config.tcp = tcp_limits_default;
	config.tcp.source_half_open = config.tcp.source4_connections = UINT32_MAX / 2;
	config.tcp.source_rate = config.tcp.source_burst = UINT32_MAX / 2;
	config.tcp.sources = 131072;
	config.tcp.syn_rate = UINT32_MAX / 2;
	bench.peer = malloc(CONNECTIONS * sizeof(*bench.peer));
	if (bench.peer == NULL || ring_open(&bench.ring, &config, 512) != 0 ||
	    server_open(&bench.server, &bench.ring.node) != 0) {
		fputs("bench: cannot be opened\n", stderr);
		return 1;
	}
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		bench.peer[i] = (struct peer){1, 1}; /* ours, not the worker's memory */
	rows(&bench);
	ring_close(&bench.ring);
	free(bench.peer);
	return 0;
}
