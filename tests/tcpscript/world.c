/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>

#define START_US 1000000000ull /* a whole millisecond, far from every wrap */
#define TURNS_MAX 200000u
#define PEER_PORT 40000u
#define LISTEN_PORT 443u

static uint64_t world_random(void *context)
{
	struct world *world = context;
	uint64_t z = world->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

bool world_fail(struct world *world, const char *format, ...)
{
	va_list arguments;

	if (world->error[0] != '\0')
		return false;
	va_start(arguments, format);
	vsnprintf(world->error, sizeof(world->error), format, arguments);
	va_end(arguments);
	return false;
}

void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->clock.now_us = START_US;
	world->limits = tcp_limits_default;
	world->limits.half_open = 1024;
	world->limits.time_waits = 64;
	world->limits.sources = 64;
	world->limits.send_packets = 4096;
	world->irs = 0x10000000;
	world->mtu = 1500;
	world->send_left = -1;
	world->config = (struct tcp_config){
		.net = {.epoch = 1,
			.limits = {.connections = 64,
				   .receive_bytes = 65536,
				   .send_bytes = 65536,
				   .user_timeout_us = 45000000},
			.counters = &world->counters,
			.clock = &world->clock,
			.tcp = &world->limits,
			.context = world,
			.random = world_random},
		.ops = &net_packets,
		.link = &world_link,
		.link_context = world,
		.pool_name = "script",
		.numa = -1,
	};
}

/* The ISN is a clock of 4 us (RFC 6528), a timestamp one of 1 ms, and each has what the ends and a
 * secret make besides. Moving the clock moves them, so that one instance tells how far, and the
 * next has them where the script wants them, to a millisecond. */
static bool move_clock(struct world *world)
{
	struct peer *peer = world_peer(world, 1);
	char text[] = "app: listen\n< S 0:0(0) <TS val 1 ecr 0>\n";
	struct script script;
	bool ok =
		script_parse(&script, "iss", text, "") && tcp_new(&world->config, &world->tcp) == 0;
	char *const listen[] = {(char[]){"listen"}};

	ok = ok && world_app(world, peer, listen, 1, 0) &&
	     world_inject(world, peer, &script.line[1]);
	if (ok) {
		world_finish_turn(world);
		ok = peer->has_iss;
	}
	tcp_free(world->tcp);
	world->tcp = NULL;
	if (world->wrap == WRAP_ISS)
		world->clock.now_us += (uint64_t)(world->wish - peer->iss) * 4;
	else
		world->clock.now_us += (uint64_t)(world->wish - peer->ts_base) * 1000;
	world->clock.now_us -= world->clock.now_us % 1000;
	peer->has_iss = peer->has_ts = peer->has_edge[0] = peer->has_edge[1] = false;
	peer->has_scale[0] = peer->has_scale[1] = false;
	world->sent_count = 0;
	world->random = 0;
	memset(&world->counters, 0, sizeof(world->counters));
	script_free(&script);
	return ok || world_fail(world, "no SYN-ACK tells the ISN");
}

bool world_begin(struct world *world)
{
	world->receive_pool = packet_pool_new("script receive", 65536, 0, -1);
	if (world->wrap != WRAP_NONE && !move_clock(world))
		return false;
	if (tcp_new(&world->config, &world->tcp) != GW_OK)
		return world_fail(world, "tcp_new() failed");
	return true;
}

bool world_end(struct world *world)
{
	tcp_free(world->tcp);
	world->tcp = NULL;
	for (uint32_t i = 0; i < WORLD_PEERS; i++)
		if (world->peer[i].open)
			world_fail(world, "[%u]: closed was never called", world->peer[i].label);
	if (world->receive_pool != NULL && packet_pool_live(world->receive_pool) != 0)
		world_fail(world, "%u received packets were not given back",
			   packet_pool_live(world->receive_pool));
	if (counter_read(&world->counters.invariant_broken) != 0)
		world_fail(world, "the invariant_broken counter is not 0");
	packet_pool_free(world->receive_pool);
	return world->error[0] == '\0';
}

static struct ip_address address_of(bool v6, uint8_t host)
{
	const uint8_t four[4] = {198, 18, 0, host};
	struct ip_address six = {{0xfd, 0, 0, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host}};

	return v6 ? six : ip_address_v4(four);
}

struct peer *world_peer(struct world *world, uint32_t label)
{
	struct peer *peer = &world->peer[label % WORLD_PEERS];

	if (!peer->used)
		*peer = (struct peer){.label = label,
				      .used = true,
				      .local = address_of(world->v6, 1),
				      .remote = address_of(world->v6, 2),
				      .local_port = LISTEN_PORT,
				      .remote_port = (uint16_t)(PEER_PORT + label),
				      .irs = world->irs,
				      .window = 65535};
	return peer;
}

struct peer *world_peer_at(struct world *world, const struct ip_address *local, uint16_t local_port,
			   const struct ip_address *remote, uint16_t remote_port)
{
	for (uint32_t i = 0; i < WORLD_PEERS; i++) {
		struct peer *peer = &world->peer[i];

		if (peer->used && peer->remote_port == remote_port &&
		    (peer->local_port == local_port || peer->local_port == 0) &&
		    ip_address_equal(&peer->remote, remote) &&
		    ip_address_equal(&peer->local, local))
			return peer;
	}
	return NULL;
}

void world_first_half(struct world *world)
{
	if (!world->ran_ready) {
		tcp_run_timers(world->tcp);
		tcp_run_ready(world->tcp);
	}
	world->ran_ready = world->pending = true;
}

/* Who waits for his peer waits for a time: bytes unacknowledged, or a state that ends. */
static void check_alive(struct world *world)
{
	struct conn_row row;
	uint32_t cursor = 0;

	if (tcp_next_us(world->tcp) != UINT64_MAX)
		return;
	while (tcp_next_row(world->tcp, &cursor, &row))
		if (row.send_bytes > 0 || strcmp(row.state, "ESTAB") != 0)
			world_fail(world, "a connection in %s waits without a deadline", row.state);
}

/* Turns until nothing is left to be done now, as a worker does that does not sleep. */
void world_finish_turn(struct world *world)
{
	bool blocked = world->send_err != GW_OK;

	if (world->tcp == NULL)
		return;
	for (uint32_t i = 0; world->pending || (!blocked && !tcp_idle(world->tcp)); i++) {
		world_first_half(world);
		tcp_transmit(world->tcp);
		world->pending = world->ran_ready = false;
		if (i == 1000) {
			world_fail(world, "never idle");
			return;
		}
	}
	check_alive(world);
}

static bool world_run(struct world *world, uint64_t until_us, bool stop_at_sent, uint32_t events)
{
	world->pending = true;
	world_finish_turn(world);
	for (uint32_t turn = 0; world->error[0] == '\0'; turn++) {
		uint64_t next_us = tcp_next_us(world->tcp);

		if ((stop_at_sent && world->sent_count > 0) || world->heard_count > events)
			return true;
		if (turn == TURNS_MAX)
			return world_fail(world, "deadlines without end");
		if (next_us < world->clock.now_us)
			next_us = world->clock.now_us; /* more at once than a turn does */
		if (next_us > until_us)
			break;
		world->clock.now_us = next_us;
		world->pending = true;
		world_finish_turn(world);
	}
	if (world->clock.now_us < until_us) {
		world->clock.now_us = until_us;
		world->pending = true; /* run with what the script does at this time */
	}
	return world->error[0] == '\0';
}

bool world_run_until(struct world *world, uint64_t until_us, bool stop_at_sent)
{
	return world_run(world, until_us, stop_at_sent, UINT32_MAX);
}

bool world_run_to_event(struct world *world, uint64_t until_us, uint32_t events)
{
	return world_run(world, until_us, false, events);
}
