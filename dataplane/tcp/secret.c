/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/*
 * What nobody outside must be able to guess. All of it follows from the ends, a secret and the
 * clock: nothing is kept for a connection that is not there yet, or not any more.
 */

#define PORT_FIRST 32768u
#define PORT_LAST 60999u /* of Linux; above lie ports that operators give to services */
#define PORT_STEP 16	 /* 2^16 us for each port: the range comes round in half an hour */

void secret_key(const struct tcp *tcp, uint8_t key[16])
{
	for (uint32_t i = 0; i < 16; i += 8) {
		uint64_t value = tcp->config.net.random(tcp->config.net.context);

		memcpy(key + i, &value, sizeof(value));
	}
}

void secret_init(struct tcp *tcp)
{
	secret_key(tcp, tcp->secrets.isn);
	secret_key(tcp, tcp->secrets.ts);
	secret_key(tcp, tcp->secrets.port);
	secret_key(tcp, tcp->secrets.table);
	secret_key(tcp, tcp->secrets.source);
	secret_key(tcp, tcp->secrets.cookie[0]);
	secret_key(tcp, tcp->secrets.cookie[1]);
}

static uint32_t secret_hash(const uint8_t key[16], const struct tcp_ends *ends)
{
	return (uint32_t)siphash(key, span_of(ends, sizeof(*ends)));
}

uint32_t secret_isn(const struct tcp *tcp, const struct tcp_ends *ends)
{
	return (uint32_t)(tcp_now_us(tcp) / 4) + secret_hash(tcp->secrets.isn, ends);
}

uint32_t secret_ts_offset(const struct tcp *tcp, const struct tcp_ends *ends)
{
	return secret_hash(tcp->secrets.ts, ends);
}

static bool port_reserved(const struct tcp *tcp, uint16_t port)
{
	uint16_t base = tcp->config.steer_base;

	if (base != 0 && (uint16_t)(port - base) < tcp->config.workers)
		return true;
	for (uint32_t i = 0; i < tcp->listeners; i++)
		if (endpoint_port(&tcp->listener[i].local) == port)
			return true;
	return false;
}

static bool port_usable(const struct tcp *tcp, const struct tcp_ends *ends)
{
	const struct tcp_config *config = &tcp->config;

	return !port_reserved(tcp, ends->local_port) &&
	       config->link->worker(config->link_context, &ends->local, ends->local_port,
				    &ends->remote, ends->remote_port) == config->net.worker &&
	       tcp_table_find(tcp->table, ends) == TCP_TABLE_NONE && !time_wait_knows(tcp, ends);
}

/*
 * RFC 6056's algorithm 3 with the clock in place of its counter: the sequence of ports to one peer
 * says nothing of that to another, and one that was given up comes again late.
 */
enum gw_err secret_port(struct tcp *tcp, struct tcp_ends *ends)
{
	const uint32_t range = PORT_LAST - PORT_FIRST + 1;
	struct tcp_ends tried = *ends;
	uint32_t start;

	tried.local_port = 0;
	start = (secret_hash(tcp->secrets.port, &tried) % range +
		 (uint32_t)((tcp_now_us(tcp) >> PORT_STEP) % range)) %
		range;
	for (uint32_t i = 0; i < range; i++) {
		tried.local_port = (uint16_t)(PORT_FIRST + (start + i) % range);
		if (port_usable(tcp, &tried)) {
			*ends = tried;
			return GW_OK;
		}
	}
	return GW_POOL_EMPTY;
}
