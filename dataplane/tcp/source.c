/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

#include <stdlib.h>

/*
 * Who opens how much (TCP.md 5.4). A set of rows for each hash; a source that comes anew takes the
 * row of its set that has been silent longest and counts nothing that lives. When all of the set do
 * it goes uncounted: then only the bounds of the worker hold, but nobody is locked out by others.
 */

#define WAYS 8u
#define SOURCES_MAX (1u << 19) /* handshake.c keeps a row in 20 bits */
#define TOKEN 1000u	       /* thousandths of a connection: what a millisecond gives at 1/s */
#define COOKIES_WRONG 100u     /* of a source in COOKIE_SPAN_MS: one right guess in 19 days */
#define COOKIE_SPAN_MS 10000u

enum source_family { SOURCE_FREE, SOURCE_V4, SOURCE_V6 };

struct source {
	uint64_t prefix;      /* IPv4 address, or the first 64 bits of an IPv6 address */
	uint64_t tokens;      /* at seen_ms */
	uint32_t seen_ms;     /* the last time that anything was asked */
	uint32_t wrong_at_ms; /* wrong counts from here */
	uint32_t connections;
	uint16_t half_open;
	uint8_t wrong; /* cookies */
	uint8_t family;
};
_Static_assert(sizeof(struct source) == 32, "TCP.md 7");
_Static_assert(COOKIES_WRONG <= UINT8_MAX, "struct source, wrong");

struct sources {
	uint32_t mask; /* rows - 1 */
	uint32_t ways;
	struct source row[];
};

enum gw_err source_open(struct tcp *tcp)
{
	uint32_t rows = 1;

	while (rows < tcp->limits.sources && rows < SOURCES_MAX)
		rows *= 2;
	tcp->sources = calloc(1, sizeof(struct sources) + rows * sizeof(struct source));
	if (tcp->sources == NULL)
		return GW_NO_MEMORY;
	tcp->sources->mask = rows - 1;
	tcp->sources->ways = rows < WAYS ? rows : WAYS;
	return GW_OK;
}

void source_close(struct tcp *tcp)
{
	free(tcp->sources);
	tcp->sources = NULL;
}

/* ---- rows
 * ---------------------------------------------------------------------------------------- */

static struct source source_key(const struct ip_address *remote)
{
	struct source key = {.family = ip_address_is_v4(remote) ? SOURCE_V4 : SOURCE_V6};

	if (key.family == SOURCE_V4)
		memcpy(&key.prefix, ip_address_v4_bytes(remote), 4);
	else
		memcpy(&key.prefix, remote->bytes, 8);
	return key;
}

static bool source_lives(const struct source *row)
{
	return row->half_open > 0 || row->connections > 0;
}

/* Whose row goes first: free ones, then by silence; never one that counts something that lives. */
static uint64_t source_worth(const struct tcp *tcp, const struct source *row)
{
	if (row->family == SOURCE_FREE)
		return 0;
	return source_lives(row) ? UINT64_MAX
				 : 1 + (uint64_t)(UINT32_MAX - (tcp_now_ms(tcp) - row->seen_ms));
}

static void source_refill(const struct tcp *tcp, struct source *row)
{
	uint64_t full = (uint64_t)tcp->limits.source_burst * TOKEN;

	row->tokens += (uint64_t)(tcp_now_ms(tcp) - row->seen_ms) * tcp->limits.source_rate;
	row->tokens = row->tokens < full ? row->tokens : full;
	row->seen_ms = tcp_now_ms(tcp);
}

/* The row of remote, made when it was not there; NULL: none is to be had. */
static struct source *source_get(struct tcp *tcp, const struct ip_address *remote)
{
	struct source key = source_key(remote), *set, *worst;
	uint64_t hash = siphash(tcp->secrets.source, span_of(&key, sizeof(key)));

	set = &tcp->sources->row[(uint32_t)hash & tcp->sources->mask & ~(tcp->sources->ways - 1)];
	worst = set;
	for (struct source *row = set; row < set + tcp->sources->ways; row++) {
		if (row->family == key.family && row->prefix == key.prefix) {
			source_refill(tcp, row);
			return row;
		}
		if (source_worth(tcp, row) < source_worth(tcp, worst))
			worst = row;
	}
	if (source_lives(worst))
		return NULL;
	*worst = key;
	worst->tokens = (uint64_t)tcp->limits.source_burst * TOKEN;
	worst->seen_ms = worst->wrong_at_ms = tcp_now_ms(tcp);
	return worst;
}

static uint32_t source_index(const struct tcp *tcp, const struct source *row)
{
	return row == NULL ? SOURCE_NONE : (uint32_t)(row - tcp->sources->row);
}

static enum gw_err source_may_connect(const struct tcp *tcp, const struct source *row)
{
	uint32_t most = row->family == SOURCE_V4 ? tcp->limits.source4_connections
						 : tcp->limits.source6_connections;

	return row->connections >= most ? GW_TCP_SOURCE_CONNECTIONS : GW_OK;
}

/* ---- what counts
 * --------------------------------------------------------------------------------- */

/* cost: in tokens. */
static enum gw_err source_half_open(struct tcp *tcp, struct source *row, uint32_t cost)
{
	enum gw_err err;

	if (row->half_open >= tcp->limits.source_half_open || row->half_open == UINT16_MAX)
		return GW_TCP_SOURCE_HALF_OPEN;
	err = source_may_connect(tcp, row);
	if (err != GW_OK)
		return err;
	if (row->tokens < cost)
		return GW_TCP_SOURCE_RATE;
	row->tokens -= cost;
	row->half_open++;
	return GW_OK;
}

enum gw_err source_syn(struct tcp *tcp, const struct ip_address *remote, uint32_t *source)
{
	struct source *row = source_get(tcp, remote);

	*source = source_index(tcp, row);
	return row == NULL ? GW_OK : source_half_open(tcp, row, TOKEN);
}

enum gw_err source_cookie_ack(struct tcp *tcp, const struct ip_address *remote, uint32_t *source)
{
	struct source *row = source_get(tcp, remote);

	*source = source_index(tcp, row);
	return row == NULL ? GW_OK : source_half_open(tcp, row, 0);
}

void source_half_open_ended(struct tcp *tcp, uint32_t source)
{
	if (source == SOURCE_NONE)
		return;
	if (source > tcp->sources->mask || tcp->sources->row[source].half_open == 0)
		tcp_broken(tcp);
	else
		tcp->sources->row[source].half_open--;
}

enum gw_err source_connection(struct tcp *tcp, const struct ip_address *remote, uint32_t *source)
{
	struct source *row = source_get(tcp, remote);
	enum gw_err err = row == NULL ? GW_OK : source_may_connect(tcp, row);

	*source = source_index(tcp, row);
	if (row != NULL && err == GW_OK)
		row->connections++;
	return err;
}

void source_connection_ended(struct tcp *tcp, uint32_t source)
{
	if (source == SOURCE_NONE)
		return;
	if (source > tcp->sources->mask || tcp->sources->row[source].connections == 0)
		tcp_broken(tcp);
	else
		tcp->sources->row[source].connections--;
}

/* The span does not move with what comes in it: who guesses behind a NAT locks others out for the
 * rest of it at most. */
static void source_span(const struct tcp *tcp, struct source *row)
{
	if (tcp_now_ms(tcp) - row->wrong_at_ms < COOKIE_SPAN_MS)
		return;
	row->wrong_at_ms = tcp_now_ms(tcp);
	row->wrong = 0;
}

bool source_cookie(struct tcp *tcp, const struct ip_address *remote)
{
	struct source *row = source_get(tcp, remote);

	if (row == NULL)
		return true;
	source_span(tcp, row);
	return row->wrong < COOKIES_WRONG;
}

void source_cookie_wrong(struct tcp *tcp, const struct ip_address *remote)
{
	struct source *row = source_get(tcp, remote);

	if (row == NULL)
		return;
	source_span(tcp, row);
	row->wrong += row->wrong < COOKIES_WRONG;
}
