/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "core.h"
#include "node.h"
#include "ring_gateway.h"
#include "ring_link.h"

/*
 * sip_ring rates|memory CONFIG OPTIONS...   the whole gateway over rings in memory, for gateway.py.
 * OPTIONS are those of wicgate-load: so many WICs, registered first. Prints JSON.
 *
 * rates: operations of --drive per second of the worker's CPU, one number a run. Every WIC has one
 * under way; who plays it, and the core, run in the same thread and are not timed.
 * memory: what is added to resident memory by a transaction of each kind, up to the bound.
 */

#define CORE_LINKS 16u
#define RUNS 5
#define REGISTER_TURNS 200000u
#define IDLE_TURNS 1000u
#define CALLS_KEPT 1024u /* calls that are over, for memory */
#define RINGING_EACH 16u /* INVITEs of a WIC without a final answer */
#define SILENT_EACH 64u	 /* MESSAGEs of a WIC without an answer, at most */
#define WARM_UP 8000u	 /* operations before memory is looked at */
#define WARM_UP_CALLS 256u

struct core_link {
	struct wire_peer *peer;
	uint32_t in_len;
	uint8_t in[4 * CORE_MESSAGE_MAX];
};

struct bench {
	struct ring_gateway gateway;
	struct ring_world world;
	struct options options;
	struct tally tally;
	struct wic *wic;
	uint32_t count;
	struct core core;
	struct core_link link[CORE_LINKS];
	struct wire_user user;
};

/* ---- the peers ----------------------------------------------------------------------------- */

static void on_opened(void *context, struct wire_peer *peer)
{
	struct bench *b = context;

	if (!peer->core) {
		wic_ready(peer->owner);
		return;
	}
	for (uint32_t i = 0; i < CORE_LINKS; i++)
		if (b->link[i].peer == NULL) {
			b->link[i].peer = peer;
			peer->owner = &b->link[i];
			return;
		}
}

static void core_received(struct bench *b, struct core_link *l, struct span bytes)
{
	static uint8_t answers[4 * CORE_MESSAGE_MAX];
	struct span rest;
	struct writer out;
	uint32_t before;

	if (l == NULL || bytes.len > sizeof(l->in) - l->in_len)
		return;
	memcpy(l->in + l->in_len, bytes.at, bytes.len);
	rest = span_of(l->in, l->in_len + bytes.len);
	do {
		before = rest.len;
		writer_init(&out, answers, sizeof(answers));
		if (!core_serve(&b->core, &rest, &out))
			b->core.refused++;
		wire_send(b->gateway.wire, l->peer, writer_span(&out));
	} while (rest.len != before);
	memmove(l->in, rest.at, rest.len);
	l->in_len = rest.len;
}

static void on_received(void *context, struct wire_peer *peer, struct span bytes)
{
	struct bench *b = context;

	if (peer->core) {
		core_received(b, peer->owner, bytes);
		return;
	}
	ring_link_received(&((struct wic *)peer->owner)->link, bytes);
	wic_ready(peer->owner);
}

static void on_closed(void *context, struct wire_peer *peer)
{
	struct core_link *l = peer->core ? peer->owner : NULL;

	if (l != NULL)
		*l = (struct core_link){0};
	else if (!peer->core)
		wic_fail(peer->owner, FAILURE_ENDED, 0);
}

/* ---- driving ------------------------------------------------------------------------------- */

static void turn(struct bench *b)
{
	ring_gateway_turn(&b->gateway);
	b->world.wic.now_us = clock_us(CLOCK_MONOTONIC);
	wire_turn(b->gateway.wire);
}

static uint32_t idle(const struct bench *b)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->count; i++)
		n += wic_is_idle(&b->wic[i]);
	return n;
}

static int failed(const char *what)
{
	fprintf(stderr, "sip_ring: %s\n", what);
	return -1;
}

/** Connects and registers everybody. */
static int everybody_in(struct bench *b)
{
	for (uint32_t i = 0; i < 10; i++)
		turn(b); /* neighbours, the link to the core */
	for (uint32_t i = 0; i < b->count; i++) {
		struct wic *w = &b->wic[i];

		b->world.peer[i] = wire_connect(b->gateway.wire, w);
		if (b->world.peer[i] == NULL)
			return failed("too many WICs");
		wic_start(w);
		turn(b);
	}
	for (uint32_t i = 0; i < REGISTER_TURNS && idle(b) < b->count; i++)
		turn(b);
	return idle(b) == b->count ? 0 : failed("not everybody is registered");
}

/** Does so many, one at a time each. Operations a second of the worker; below 0: it went wrong. */
static double drive(struct bench *b, enum wic_deed deed, uint64_t operations)
{
	uint64_t begun = 0, stalled = 0;

	b->gateway.spent_s = 0;
	while (begun < operations || idle(b) < b->count) {
		uint64_t before = begun;

		for (uint32_t i = 0; i < b->count && begun < operations; i++)
			if (wic_is_idle(&b->wic[i])) {
				wic_do(&b->wic[i], deed);
				begun++;
			}
		turn(b);
		stalled = begun == before ? stalled + 1 : 0;
		if (b->tally.failures > 0 || stalled > REGISTER_TURNS)
			return failed("a drive went wrong");
	}
	return (double)operations / b->gateway.spent_s;
}

static int rates(struct bench *b)
{
	enum wic_deed deed = (enum wic_deed)b->options.drive_deed;
	uint64_t operations = b->options.drive_operations;

	if (drive(b, deed, operations / 4) < 0) /* caches, pools */
		return -1;
	printf("[");
	for (int i = 0; i < RUNS; i++) {
		double rate = drive(b, deed, operations);

		if (rate < 0)
			return -1;
		printf("%s%.0f", i > 0 ? ", " : "", rate);
	}
	puts("]");
	return 0;
}

/* ---- memory -------------------------------------------------------------------------------- */

static double resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long all = 0, pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%lu %lu", &all, &pages) != 2)
		pages = 0;
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static uint64_t live(const struct bench *b)
{
	return counter_read(&worker_counters(b->gateway.worker)->transaction_live);
}

/** Everybody sends each of what write makes, and waits for nothing. */
static void pile_up(struct bench *b, void (*write)(struct wic *, struct writer *), const char *to,
		    uint32_t each)
{
	struct writer text;

	b->options.to = to;
	for (uint32_t n = 0; n < each; n++) {
		for (uint32_t i = 0; i < b->count; i++) {
			writer_init(&text, b->world.wic.text, sizeof(b->world.wic.text));
			write(&b->wic[i], &text);
			(void)wic_send(&b->wic[i], WS_TEXT, writer_span(&text));
		}
		for (uint32_t i = 0; i < 8; i++)
			turn(b);
	}
}

struct memory {
	const char *kind;
	uint64_t count;
	double bytes; /* all of them */
};

static void print_memory(const struct bench *b, const struct memory *rows, uint32_t count)
{
	printf("{\"live\": %llu", (unsigned long long)live(b));
	for (uint32_t i = 0; i < count; i++)
		printf(", \"%s\": {\"count\": %llu, \"bytes\": %.0f}", rows[i].kind,
		       (unsigned long long)rows[i].count, rows[i].bytes);
	puts("}");
}

/** What is there of a kind, in transactions and resident bytes, since the last look. */
static struct memory look(const struct bench *b, const char *kind, uint64_t *count, double *bytes)
{
	uint64_t count_now = live(b);
	double bytes_now = resident();
	struct memory m = {kind, count_now - *count, bytes_now - *bytes};

	*count = count_now;
	*bytes = bytes_now;
	return m;
}

static int memory(struct bench *b)
{
	struct memory rows[3];
	uint64_t count;
	double bytes;

	if (drive(b, WIC_MESSAGE, WARM_UP) < 0 || drive(b, WIC_REREGISTER, WARM_UP) < 0 ||
	    drive(b, WIC_CALL, WARM_UP_CALLS) < 0)
		return -1;
	count = live(b);
	bytes = resident();
	if (drive(b, WIC_CALL, CALLS_KEPT) < 0)
		return -1;
	rows[0] = look(b, "answered", &count, &bytes);
	rows[0].count = CALLS_KEPT; /* whatever counts them */
	pile_up(b, wic_write_invite, "sip:ringing@core.invalid", RINGING_EACH);
	rows[1] = look(b, "ringing", &count, &bytes);
	pile_up(b, wic_write_message, "sip:silent@core.invalid", SILENT_EACH);
	rows[2] = look(b, "silent", &count, &bytes);
	print_memory(b, rows, 3);
	return 0;
}

/* ---- life ---------------------------------------------------------------------------------- */

static int open_wics(struct bench *b, struct pairs *pairs)
{
	struct wic_world *world = &b->world.wic;

	world->options = &b->options;
	world->tally = &b->tally;
	world->chance.state = b->options.seed;
	world->run = clock_us(CLOCK_REALTIME);
	world->now_us = clock_us(CLOCK_MONOTONIC);
	world->now_s = clock_us(CLOCK_REALTIME) / 1000000;
	world->jti = world->run;
	world->mint = mint_new(&b->options);
	world->link = (struct link_config){.server_name = b->options.server_name,
					   .tls = link_tls_new(false, "")};
	snprintf(world->host, sizeof(world->host), "%s", b->options.server_name);
	b->count = (uint32_t)b->options.connections;
	b->wic = calloc(b->count, sizeof(*b->wic));
	if (world->mint == NULL || world->link.tls == NULL || b->wic == NULL ||
	    !pairs_init(pairs, b->options.pairs, b->count))
		return failed("no WICs");
	b->world.wire = b->gateway.wire;
	for (uint32_t i = 0; i < b->count; i++)
		wic_init(&b->wic[i], world, i, &pairs->pair[i], NULL);
	return 0;
}

static int play(struct bench *b, bool rates_wanted)
{
	int status;

	if (everybody_in(b) != 0)
		return -1;
	status = rates_wanted ? rates(b) : memory(b);
	if (b->core.refused > 0 || wire_lost(b->gateway.wire) > 0)
		return failed("the core did not understand, or the ring was full");
	return status;
}

int main(int argc, char **argv)
{
	static struct bench b;
	struct pairs pairs;
	int status;

	if (argc < 4 || !options_read(argc - 2, argv + 2, &b.options)) {
		fputs("usage: sip_ring rates|memory CONFIG OPTIONS...\n", stderr);
		return 2;
	}
	b.core.address = "198.19.0.20:5060";
	b.user = (struct wire_user){&b, on_opened, on_received, on_closed};
	if (node_eal(512) != 0 || ring_gateway_open(&b.gateway, argv[2], &b.user) != 0 ||
	    open_wics(&b, &pairs) != 0)
		return 2;
	status = play(&b, strcmp(argv[1], "rates") == 0);
	if (status != 0)
		tally_print(&b.tally, &(struct usage){0}, stderr);
	for (uint32_t i = 0; i < b.count; i++)
		link_close(&b.wic[i].link, LINK_RESET);
	ring_gateway_close(&b.gateway);
	return status == 0 ? 0 : 1;
}
