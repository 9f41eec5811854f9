/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdio.h>

#include "run.h"

/** A number that "config:" sets, before the first line that does something. */
struct setting {
	const char *name;
	size_t offset;
};
#define LIMIT(name) \
	{ \
#name, offsetof(struct world, limits.name) \
	}
#define NET(name) \
	{ \
#name, offsetof(struct world, config.net.limits.name) \
	}
static const struct setting settings[] = {
	LIMIT(half_open),
	LIMIT(time_waits),
	LIMIT(sources),
	LIMIT(send_packets),
	LIMIT(held_packets),
	LIMIT(source_half_open),
	LIMIT(source4_connections),
	LIMIT(source6_connections),
	LIMIT(source_rate),
	LIMIT(source_burst),
	LIMIT(syn_rate),
	NET(connections),
	NET(receive_bytes),
	NET(send_bytes),
	{"irs", offsetof(struct world, irs)},
};

static bool config_other(struct world *world, const char *name, const char *value)
{
	static const char *const cookies[] = {"auto", "always", "never"};
	int64_t n = 0;
	bool number = script_number(value, 0, &n);

	for (int i = 0; strcmp(name, "cookies") == 0 && i < 3; i++)
		if (strcmp(value, cookies[i]) == 0) {
			world->limits.cookies = i;
			return true;
		}
	if (strcmp(name, "family") == 0 && (n == 4 || n == 6))
		world->v6 = n == 6;
	else if (strcmp(name, "mtu") == 0 && number)
		world->mtu = (uint16_t)n;
	else if (strcmp(name, "clock_ms") == 0 && number) {
		world->clock.now_us = (uint64_t)n * 1000;
		world->wrap = WRAP_NONE; /* that one would move it */
	} else if (strcmp(name, "user_timeout_ms") == 0 && number)
		world->config.net.limits.user_timeout_us = (uint64_t)n * 1000;
	else if (strcmp(name, "iss") == 0 && number) {
		world->wrap = WRAP_ISS;
		world->wish = (uint32_t)n;
	} else
		return false;
	return true;
}

static bool config_one(struct world *world, const char *name, const char *value)
{
	int64_t n;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcmp(settings[i].name, name) == 0 && script_number(value, 0, &n)) {
			*(uint32_t *)((uint8_t *)world + settings[i].offset) = (uint32_t)n;
			return true;
		}
	return config_other(world, name, value);
}

bool run_config(struct world *world, const struct line *line)
{
	if (world->tcp != NULL)
		return world_fail(world, "config comes before everything else");
	for (uint32_t i = 1; i < line->words; i += 2)
		if (i + 1 == line->words || !config_one(world, line->word[i], line->word[i + 1]))
			return world_fail(world, "config: not understood: %s", line->word[i]);
	return true;
}

static bool peer_address(const char *text, struct ip_address *address)
{
	struct endpoint e;
	bool ok = endpoint_parse(span_text(text), &e);

	if (ok)
		*address = ip_address_of(&e);
	return ok;
}

static void peer_host(struct ip_address *address, uint16_t host)
{
	address->bytes[14] = (uint8_t)(host >> 8);
	address->bytes[15] = (uint8_t)host;
}

/* peer: [address A] [port N] [local-address A] [local-port N] [irs N] [again]; IPv6 in brackets */
static bool peer_one(struct peer *peer, const char *name, const char *value, uint32_t turn)
{
	int64_t n = 0;

	if (strcmp(name, "address") == 0)
		return peer_address(value, &peer->remote);
	if (strcmp(name, "local-address") == 0)
		return peer_address(value, &peer->local);
	if (!script_number(value, turn, &n))
		return false;
	if (strcmp(name, "port") == 0)
		peer->remote_port = (uint16_t)n;
	else if (strcmp(name, "host") == 0) /* the last two bytes of the address */
		peer_host(&peer->remote, (uint16_t)n);
	else if (strcmp(name, "local-port") == 0)
		peer->local_port = (uint16_t)n;
	else if (strcmp(name, "irs") == 0)
		peer->irs = (uint32_t)n;
	else if (strcmp(name, "again") == 0) { /* a new connection; its 0 is n further */
		peer->irs += (uint32_t)n;
		peer->iss_before = peer->iss;
		peer->had_iss = peer->has_iss;
		peer->has_iss = peer->has_ts = peer->has_edge[0] = peer->has_edge[1] = false;
		peer->has_scale[0] = peer->has_scale[1] = false;
	} else
		return false;
	return true;
}

bool run_peer(struct world *world, struct peer *peer, const struct line *line)
{
	for (uint32_t i = 1; i < line->words; i += 2)
		if (i + 1 == line->words ||
		    !peer_one(peer, line->word[i], line->word[i + 1], line->turn))
			return world_fail(world, "peer: not understood: %s", line->word[i]);
	return true;
}
