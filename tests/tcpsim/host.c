/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

#include <stdlib.h>
#include <string.h>

/* An instance of TCP, the device below it, and its turn. */

#define LINK_MTU 1500u
#define RX_PACKETS 4096u
#define TX_WHOLE 100000u
#define SPIN_TURNS 100000u /* a link without packets is asked again every millisecond */

/* ---- below -------------------------------------------------------------------------------------
 */

static enum gw_err device_refuses(struct host *host, const struct tcp_packet *segment)
{
	uint64_t n = host->sends++;
	/* a SYN that no device takes is sent again by its timer: that is no fault */
	bool spared = (segment->flags & TCP_SYN) != 0 && host->world->plan.no_retransmit;

	if (host->tx_left == 0 && !spared)
		return GW_NET_TX_FULL;
	if (n - host->plan->rx_fail_from < host->plan->rx_fail_count)
		return GW_NET_NO_PACKET;
	host->tx_left -= host->tx_left > 0;
	return GW_OK;
}

/** CLASS_TAIL: the last segment of a message of the client, when it leaves for the first time. */
static bool is_tail(struct host *host, const struct tcp_packet *segment, struct app *app)
{
	const struct plan *plan = &host->world->plan;
	struct path *path = &host->world->path[host->index];
	const struct tcb *tcb = app != NULL ? (const struct tcb *)app->conn : NULL;
	uint32_t end;

	if (plan->class != CLASS_TAIL || path->tail_done || tcb == NULL || app->side != 0)
		return false;
	end = segment->seq + segment->payload.len - tcb->iss - 1;
	if (segment->payload.len == 0 || end != plan->tail_at * app->plan->write)
		return false;
	path->tail_done = true;
	app->tail_sent_us = host->world->now_us;
	app->tail_limit_us = tcb->srtt_us != 0 ? tcb->srtt_us * UINT64_C(2) + 251000 : 0;
	return true;
}

static void hash_add(struct world *world, const void *bytes, uint32_t len)
{
	const uint8_t *at = bytes;

	for (uint32_t i = 0; i < len; i++)
		world->hash = (world->hash ^ at[i]) * 0x100000001b3ull;
}

static enum gw_err link_send(void *context, const struct ip_address *local,
			     const struct ip_address *remote, const struct tcp_packet *segment)
{
	struct host *host = context;
	struct world *world = host->world;
	uint8_t bytes[SEGMENT_MAX];
	enum gw_err err = device_refuses(host, segment);
	struct app *app = lint_sent(host, local, remote, segment, err);
	uint32_t len;

	if (err != GW_OK)
		return err;
	len = segment_write(bytes, local, remote, segment);
	if (len == 0 || len > LINK_MTU) {
		violate(world, 0, "a segment of %u bytes for a link of %u", len, LINK_MTU);
		return GW_NET_TOO_BIG;
	}
	world->totals.segments++;
	hash_add(world, &world->now_us, sizeof(world->now_us));
	hash_add(world, bytes, len);
	if (world->pcap != NULL)
		pcap_packet(world, span_of(bytes, len));
	if (is_tail(host, segment, app))
		segment_log(world, "tail-lost", host->index, span_of(bytes, len));
	else
		path_send(&world->path[host->index], world, span_of(bytes, len));
	return GW_OK;
}

static enum gw_err link_route(void *context, struct ip_address *local,
			      const struct ip_address *remote, uint16_t *mtu)
{
	struct host *host = context;

	if (ip_address_is_unspecified(local))
		*local = host->address[!ip_address_is_v4(remote)];
	if (host->route == GW_OK || host->route == GW_NET_UNRESOLVED)
		*mtu = LINK_MTU;
	return host->route;
}

static uint16_t link_worker(void *context, const struct ip_address *local, uint16_t local_port,
			    const struct ip_address *remote, uint16_t remote_port)
{
	return 0;
}

static const struct tcp_link host_link = {link_send, link_route, link_worker};

/* ---- life --------------------------------------------------------------------------------------
 */

static uint64_t host_random(void *context)
{
	struct host *host = context;

	return draw_u64(&host->secrets);
}

static struct tcp *tcp_make(struct host *host)
{
	struct world *world = host->world;
	struct tcp_config config = {.net = {.epoch = 1,
					    .limits = {.connections = host->plan->connections,
						       .receive_bytes = 65536,
						       .send_bytes = 65536,
						       .user_timeout_us = 45000000},
					    .counters = &host->counters,
					    .clock = &host->clock,
					    .tcp = &host->limits,
					    .context = host,
					    .random = host_random},
				    .ops = &net_packets,
				    .link = &host_link,
				    .link_context = host,
				    .pool_name = "tcpsim",
				    .numa = -1,
				    .workers = 1};
	struct tcp *tcp = NULL;

	host->secrets = draw_stream(world->plan.seed, 20000u + host->index);
	host->clock.now_us = host->clock_from_us + world->now_us;
	if (tcp_new(&config, &tcp) != GW_OK)
		violate(world, 0, "tcp_new");
	return tcp;
}

/** The ends of the first connection, whose ports are fixed, as this host sees them. */
static struct tcp_ends first_ends(const struct host *host)
{
	const struct pair_plan *pair = &host->world->plan.pair[0];
	const struct host *other = &host->world->host[!host->index];
	bool client = pair->client == host->index;

	return (struct tcp_ends){.local = host->address[pair->v6],
				 .remote = other->address[pair->v6],
				 .local_port = client ? pair->client_port : pair->port,
				 .remote_port = client ? pair->port : pair->client_port};
}

/** Its clock begins where numbers of the first connection, or of the clock, soon wrap. */
static void clock_choose(struct host *host)
{
	struct tcp_ends ends = first_ends(host);
	uint64_t soon_us = draw_below(&host->draw, 2000000);
	struct tcp *tcp;

	if (host->plan->wrap == WRAP_CLOCK) {
		host->clock_from_us =
			(UINT64_C(1) << 32) * (draw_chance(&host->draw, 5000) ? 1 : 1000) - soon_us;
		return;
	}
	host->clock_from_us = 1000000 + draw_below(&host->draw, UINT32_MAX);
	if (host->plan->wrap == WRAP_NOTHING)
		return;
	tcp = tcp_make(host); /* to learn what its secrets make of the ends */
	if (host->plan->wrap == WRAP_ISN)
		host->clock_from_us += UINT64_C(4) * (uint32_t)(0 - draw_below(&host->draw, 65536) -
								secret_isn(tcp, &ends));
	else
		host->clock_from_us +=
			UINT64_C(1000) * (uint32_t)(0 - draw_below(&host->draw, 1000) -
						    tcp_now_ms(tcp) - secret_ts_offset(tcp, &ends));
	tcp_free(tcp);
}

static void listen_all(struct host *host)
{
	struct world *world = host->world;

	for (uint32_t i = 0; i < world->plan.pairs; i++) {
		const struct pair_plan *p = &world->plan.pair[i];
		struct endpoint local = {.sa.sa_family = p->v6 ? AF_INET6 : AF_INET};

		endpoint_set_port(&local, p->port);
		if (p->client == host->index || p->cross)
			continue;
		if (tcp_listen(host->tcp, &local, &app_ops, &world->pair[i]) != GW_OK)
			violate(world, 0, "tcp_listen");
	}
}

static void limits_make(struct host *host)
{
	const struct plan *plan = &host->world->plan;

	host->limits = tcp_limits_default;
	host->limits.half_open = plan->half_open;
	host->limits.time_waits = host->plan->time_waits;
	host->limits.held_packets = host->plan->held_packets;
	host->limits.sources = 64;
	host->limits.send_packets = host->plan->send_packets;
	host->limits.cookies = plan->cookies;
}

void host_init(struct world *world, uint8_t index)
{
	struct host *host = &world->host[index];
	const uint8_t v4[4] = {198, 18, 0, (uint8_t)(index + 1)};

	host->world = world;
	host->index = index;
	host->plan = &world->plan.host[index];
	host->draw = draw_stream(world->plan.seed, 30000u + index);
	host->address[0] = ip_address_v4(v4);
	host->address[1] = (struct ip_address){{0xfd, 0, 0, 0x18, [15] = (uint8_t)(index + 1)}};
	limits_make(host);
}

bool host_open(struct host *host)
{
	clock_choose(host);
	host->tcp = tcp_make(host);
	host->rx_pool = packet_pool_new("rx", RX_PACKETS, 0, -1);
	if (host->tcp == NULL || host->rx_pool == NULL)
		return false;
	host->tcp->send_pool->fail_from = host->plan->fail_from;
	host->tcp->send_pool->fail_count = host->plan->fail_count;
	host->rx_pool->fail_from = host->plan->rx_fail_from;
	host->rx_pool->fail_count = host->plan->rx_fail_count;
	listen_all(host);
	return true;
}

void host_close(struct host *host)
{
	for (uint32_t i = 0; i < host->arrivals; i++)
		free(host->arrival[i]);
	host->telling = true; /* closed is */
	tcp_free(host->tcp);
	if (host->rx_pool != NULL) {
		if (packet_pool_live(host->rx_pool) != 0)
			violate(host->world, 5, "%u received packets are left after tcp_free()",
				packet_pool_live(host->rx_pool));
		packet_pool_free(host->rx_pool);
	}
}

/* ---- the turn ----------------------------------------------------------------------------------
 */

uint64_t host_world_us(const struct host *host, uint64_t host_us)
{
	if (host_us == UINT64_MAX)
		return UINT64_MAX;
	return host_us > host->clock_from_us ? host_us - host->clock_from_us : 0;
}

/** A segment whose bytes lie in a packet that TCP may take. */
static void deliver_packet(struct host *host, const struct flight *flight, struct rte_mbuf *packet)
{
	struct segment s = segment_read(packet_span(packet));
	struct tcp_arrival arrival = {s.ip.dst, s.ip.src, s.tcp, &packet};
	struct tcp_ends ends = {s.ip.dst, s.ip.src, s.tcp.dst_port, s.tcp.src_port};
	struct check_before before;

	if (s.err == GW_OK && (ip_address_equal(&s.ip.dst, &host->address[0]) ||
			       ip_address_equal(&s.ip.dst, &host->address[1]))) {
		host->in_plain = host->in_plain && s.tcp.flags == TCP_ACK && s.tcp.payload.len == 0;
		check_before(host, &ends, &before);
		tcp_input(host->tcp, &arrival);
		check_after(host, flight, &before);
		lint_came(host, flight, &ends, &s.tcp);
	}
	if (packet != NULL)
		packet_put(packet);
}

static void deliver(struct host *host, const struct flight *flight)
{
	struct rte_mbuf *packet;

	host->in++;
	host->in_extra += flight->extra || flight->attack;
	if (flight->is_icmp) {
		tcp_icmp(host->tcp, &flight->icmp);
		return;
	}
	packet = packet_copy(host->rx_pool, span_of(flight->bytes, flight->len));
	if (packet != NULL)
		deliver_packet(host, flight, packet);
}

static void receive_all(struct host *host)
{
	if (host->plan->merge)
		edit_merge(host->world, host->arrival, &host->arrivals);
	for (uint32_t i = 0; i < host->arrivals; i++) {
		deliver(host, host->arrival[i]);
		free(host->arrival[i]);
	}
	host->arrivals = 0;
}

static void apps_act(struct host *host)
{
	struct world *world = host->world;

	for (uint32_t i = 0; i < world->plan.pairs * 2; i++) {
		struct app *app = &world->pair[i / 2].app[i % 2];

		if (app->host == host->index && app->next_us <= world->now_us)
			app_act(app);
	}
}

static uint64_t apps_next_us(const struct host *host)
{
	const struct world *world = host->world;
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < world->plan.pairs * 2; i++) {
		const struct app *app = &world->pair[i / 2].app[i % 2];

		if (app->host == host->index && app->next_us < next)
			next = app->next_us;
	}
	return next;
}

/** When it looks again though nothing comes. */
static void turn_over(struct host *host)
{
	uint64_t now_us = host->world->now_us;
	uint64_t next = host_world_us(host, tcp_next_us(host->tcp)), apps = apps_next_us(host);

	if (!tcp_idle(host->tcp))
		next = 0;
	next = apps < next ? apps : next;
	if (draw_chance(&host->draw, host->plan->stall))
		host->stalled_us = now_us + draw_between(&host->draw, 1000, 200000);
	host->ready_us = now_us + host->plan->turn_us;
	if (host->ready_us < host->stalled_us)
		host->ready_us = host->stalled_us;
	host->wake_us = next < host->ready_us ? host->ready_us : next;
	if (host->in + host->out_data + host->out_bare != 0 || host->progress != host->progress_was)
		host->idle_turns = 0;
	else if (++host->idle_turns == SPIN_TURNS)
		violate(host->world, 4, "host %c is never idle, and does nothing",
			"AB"[host->index]);
	host->progress_was = host->progress;
}

void host_turn(struct host *host)
{
	host->world->totals.turns++;
	host->clock.now_us = host->clock_from_us + host->world->now_us;
	host->in = host->in_extra = host->out_data = host->out_bare = 0;
	host->in_plain = true;
	host->tx_left = draw_chance(&host->draw, host->plan->tx_full) ? draw_below(&host->draw, 8)
								      : TX_WHOLE;
	receive_all(host);
	tcp_run_timers(host->tcp);
	host->telling = true;
	tcp_run_ready(host->tcp);
	host->telling = false;
	apps_act(host);
	tcp_transmit(host->tcp);
	check_host(host);
	turn_over(host);
}
