/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "peers.h"
#include "server.h"

/*
 * Good clients while spoofed SYNs come: each opens a connection, sends a request and awaits the
 * answer. One step of this program is one round trip. Served is who has his answer after two of
 * them, that is without one retransmission; more SYNs than the worker can take in would be lost at
 * the device, with good ones among them, which is not what is measured here.
 */

#define RUNS 3
#define STEPS 8000u
#define GOOD 2u /* new clients in a step */
#define WARM 1000u

struct bench {
	struct ring ring;
	struct server server;
	struct peer *peer;
	uint8_t *served;
	uint32_t next, flood;
	uint64_t dice, floods;
};

#define CLIENTS ((STEPS + WARM) * GOOD * RUNS * 4u)

static uint64_t roll(struct bench *b)
{
	uint64_t z = b->dice += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void answer(struct bench *b, const struct heard *heard)
{
	if (heard->client >= b->next)
		return; /* to somebody who never asked */
	peer_answer(&b->ring, &b->peer[heard->client], heard);
	b->served[heard->client] |= heard->len > 0;
}

static void step(struct bench *b)
{
	struct heard heard;

	for (uint32_t k = 0; k < b->flood; k++)
		peer_flood(&b->ring, roll(b));
	for (uint32_t k = 0; k < GOOD; k++, b->next++)
		peer_open(&b->ring, &b->peer[b->next], b->next);
	b->floods += b->flood;
	ring_turn(&b->ring);
	ring_turn(&b->ring); /* the flood may be more than one turn takes */
	while (peer_hear(&b->ring, &heard))
		answer(b, &heard);
}

static void steps(struct bench *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		step(b);
}

struct row {
	double share;	   /* of good clients that were served in time */
	double flood_mpps; /* SYNs that the worker has taken in a second of its own time */
};

static struct row run(struct bench *b, uint32_t flood)
{
	uint32_t first, served = 0;

	b->flood = flood;
	steps(b, WARM);
	ring_reset(&b->ring);
	first = b->next - 2 * GOOD; /* the last two steps' are still under way at the end */
	b->floods = 0;
	steps(b, STEPS);
	for (uint32_t i = first; i < b->next - 2 * GOOD; i++)
		served += b->served[i];
	return (struct row){(double)served / (STEPS * GOOD),
			    (double)b->floods / b->ring.spent_ns * 1000};
}

static void print(struct bench *b, const char *name, uint32_t flood, double *base)
{
	double share[RUNS], mpps[RUNS], median;

	for (int i = 0; i < RUNS; i++) {
		struct row row = run(b, flood);

		share[i] = row.share;
		mpps[i] = row.flood_mpps;
	}
	median = ring_median(share, RUNS);
	*base = flood == 0 ? median : *base;
	printf("| %-34s | %8.3f %% | %5.3f | %6.2f |\n", name, 100 * median, median / *base,
	       ring_median(mpps, RUNS));
	fflush(stdout);
}

int main(void)
{
	struct node_config config = node_config_small();
	static struct bench bench;
	double base = 1;

	config.limits.connections = 65536;
	config.tcp = tcp_limits_default;
	config.tcp.source_half_open = 64;
	config.tcp.source_rate = config.tcp.source_burst = UINT32_MAX / 2;
	bench.server.mode = SERVER_ONCE;
	bench.peer = calloc(CLIENTS, sizeof(*bench.peer));
	bench.served = calloc(CLIENTS, 1);
	if (bench.peer == NULL || bench.served == NULL ||
	    ring_open(&bench.ring, &config, 512) != 0 ||
	    server_open(&bench.server, &bench.ring.node) != 0) {
		fputs("bench: cannot be opened\n", stderr);
		return 1;
	}
	puts("\nSYN flood from spoofed sources over in-memory rings: good clients with their "
	     "answer "
	     "after two round trips\n"
	     "| what                               | served     | ratio | Mpps   |\n"
	     "|------------------------------------|------------|-------|--------|");
	print(&bench, "no flood", 0, &base);
	print(&bench, "15 spoofed SYNs for each good one", 15 * GOOD, &base);
	print(&bench, "127 spoofed SYNs for each good one", 127 * GOOD, &base);
	printf("(%llu cookies sent, %llu accepted)\n",
	       (unsigned long long)counter_read(&bench.ring.node.counters.tcp_cookies_out),
	       (unsigned long long)counter_read(&bench.ring.node.counters.tcp_cookies_in));
	ring_close(&bench.ring);
	free(bench.peer);
	free(bench.served);
	return 0;
}
