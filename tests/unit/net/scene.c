/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

#include "net/stack.h"

#define READY_MS 12000u

static void hear(struct scene_worker *worker, const struct heard *heard, struct span bytes)
{
	struct scene *s = worker->scene;
	struct heard *kept = &s->heard[s->heard_count++];

	EXPECT(s->heard_count < SCENE_HEARD);
	*kept = *heard;
	kept->worker = worker->index;
	kept->len = bytes.len;
	kept->bytes = malloc(bytes.len);
	if (bytes.len > 0)
		memcpy(kept->bytes, bytes.at, bytes.len);
}

static void on_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			struct span bytes)
{
	struct scene_worker *worker = context;
	struct heard heard = {.kind = HEARD_DATAGRAM, .local = *local, .peer = *peer};

	EXPECT(worker->scene->running); /* stack_run_ready() only */
	hear(worker, &heard, bytes);
}

static void on_unreachable(void *context, const struct endpoint *peer)
{
	struct scene_worker *worker = context;
	struct heard heard = {.kind = HEARD_UNREACHABLE, .peer = *peer};

	EXPECT(worker->scene->running);
	hear(worker, &heard, span_of(NULL, 0));
}

static void on_pong(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
	struct heard heard = {.kind = HEARD_PONG, .id = id, .err = err, .rtt_us = rtt_us};

	hear(context, &heard, span_of(NULL, 0));
}

static void on_captured(void *context, const struct captured *captured, struct span bytes)
{
	struct heard heard = {.kind = HEARD_CAPTURED, .captured = *captured};

	hear(context, &heard, bytes);
}

static void on_alarm(void *context, enum gw_err what, const struct endpoint *about)
{
	struct heard heard = {.kind = HEARD_ALARM, .err = what, .peer = *about};

	hear(context, &heard, span_of(NULL, 0));
}

static void on_broken(void *context, const struct net_broken *broken)
{
}

static const struct net_events events = {on_pong, on_captured, on_alarm, on_broken};
static const struct udp_ops udp_ops = {.datagram = on_datagram, .unreachable = on_unreachable};

static uint64_t next_random(void *context)
{
	struct scene_worker *worker = context;

	worker->scene->random =
		worker->scene->random * 6364136223846793005ull + 1442695040888963407ull;
	return worker->scene->random;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* A key as another, and a table of 128 rows. */
static void rss_fill(struct port_info *info)
{
	info->rss.key_len = 40;
	info->rss.reta_size = 128;
	for (uint8_t i = 0; i < info->rss.key_len; i++)
		info->rss.key[i] = (uint8_t)(i * 37 + 11);
	for (uint16_t i = 0; i < info->rss.reta_size; i++)
		info->rss.reta[i] = i % info->queues;
}

static void netif_fill(struct scene *s, uint32_t i, struct netif *netif)
{
	char why[PORT_WHY_MAX];

	*netif = (struct netif){.ops = &port_pipe, .vlan = s->config.vlan, .probe_s = 30};
	netif->name[0] = (char)('a' + i);
	s->port[i] = pipe_new(s->config.queues);
	s->port[i]->interrupts = s->config.interrupts;
	netif->port = s->port[i];
	EXPECT_EQ(GW_OK, port_pipe.start(s->port[i], &netif->info, why));
	netif->info.mac[5] = (uint8_t)(i + 1);
	netif->info.mtu = s->config.mtu;
	netif->info.tx_ip_checksum = s->config.ip_offload;
	netif->info.tx_l4_checksum = s->config.l4_offload;
	netif->info.rx_interrupt = s->config.interrupts;
	netif->info.steers = s->config.steers;
	if (s->config.rss)
		rss_fill(&netif->info);
	memcpy(s->mac[i], netif->info.mac, 6);
	if (i == 1) {
		netif->address[0] = (struct netif_address){endpoint_at(OTHER_LINK4, 0), 24};
		netif->address[1] = (struct netif_address){endpoint_at("fd00:18:1::1", 0), 64};
		netif->address_count = 2;
		return;
	}
	netif->address[0] = (struct netif_address){endpoint_at(OURS4, 0), 24};
	netif->address[1] = (struct netif_address){endpoint_at(OURS6, 0), 64};
	netif->address[2] = (struct netif_address){endpoint_at(SECOND4, 0), 24};
	netif->address_count = 3;
	netif->gateway[0] = endpoint_at(GATEWAY4, 0);
	netif->gateway[1] =
		endpoint_at(s->config.link_local_gateway ? GATEWAY_LINK_LOCAL : GATEWAY6, 0);
	netif->gateway_count = s->config.no_gateway ? 0 : 2;
}

static void worker_open(struct scene *s, uint16_t w)
{
	const struct endpoint peers[] = {endpoint_at(PEER4, 0), endpoint_at(PEER6, 0),
					 endpoint_at(FAR4, 0), endpoint_at(FAR6, 0),
					 endpoint_at(OTHER_PEER4, 0)};
	struct scene_worker *worker = &s->worker[w];
	struct net_config config = {.worker = w,
				    .counters = &worker->counters,
				    .clock = &s->clock,
				    .shared = s->shared,
				    .events = &events,
				    .context = worker,
				    .random = next_random};

	worker->scene = s;
	worker->index = w;
	EXPECT_EQ(GW_OK, stack_new(&config, &worker->stack));
	stack_peers(worker->stack, peers, s->ports == 2 ? 5 : 4);
}

static void stations_fill(struct scene *s)
{
	scene_station(s, 0, GATEWAY4, 0xfe);
	scene_station(s, 0, s->config.link_local_gateway ? GATEWAY_LINK_LOCAL : GATEWAY6, 0xfe);
	scene_station(s, 0, PEER4, 0x10);
	scene_station(s, 0, PEER6, 0x16);
	if (s->ports == 2)
		scene_station(s, 1, OTHER_PEER4, 0x1a);
}

static void config_defaults(struct scene_config *config)
{
	config->workers += config->workers == 0;
	config->queues += config->queues == 0;
	config->ports += config->ports == 0;
	if (config->ring_bytes == 0)
		config->ring_bytes = 65536;
	if (config->mtu == 0)
		config->mtu = 1500;
}

struct scene *scene_new(const struct scene_config *config)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct netif netif[SCENE_PORTS];
	struct net_shared_config shared;

	EXPECT(s != NULL);
	s->config = *config;
	config_defaults(&s->config);
	s->ports = s->config.ports;
	s->workers = s->config.workers;
	s->clock.now_us = 1000000;
	s->random = 1;
	for (uint32_t i = 0; i < s->ports; i++)
		netif_fill(s, i, &netif[i]);
	shared = (struct net_shared_config){.netif = netif,
					    .netifs = s->ports,
					    .workers = s->workers,
					    .steer_base = s->config.steer_base,
					    .ring_bytes = s->config.ring_bytes,
					    .neighbours = 32,
					    .held_packets = SCENE_HELD};
	s->shared = net_shared_new(&shared);
	EXPECT(s->shared != NULL);
	for (uint16_t w = 0; w < s->workers; w++)
		worker_open(s, w);
	stations_fill(s);
	memcpy(s->in.dst, s->mac[0], 6);
	memcpy(s->in.src, scene_station_of(s, GATEWAY4)->mac, 6);
	s->in.vlan = s->config.vlan;
	return s;
}

struct scene *scene_ready(const struct scene_config *config)
{
	struct scene *s = scene_new(config);

	scene_run_ms(s, READY_MS);
	scene_forget(s);
	return s;
}

void scene_forget(struct scene *s)
{
	for (uint32_t i = 0; i < s->ports; i++) {
		pipe_clear(s->port[i]);
		s->answered[i] = 0;
	}
	for (uint32_t i = 0; i < s->heard_count; i++)
		free(s->heard[i].bytes);
	s->heard_count = 0;
	for (uint16_t w = 0; w < s->workers; w++)
		memset(&s->worker[w].counters, 0, sizeof(s->worker[w].counters));
}

void scene_free(struct scene *s)
{
	for (uint16_t w = 0; w < s->workers; w++)
		stack_free(s->worker[w].stack);
	for (uint16_t w = 0; w < s->workers; w++)
		EXPECT_EQ(0, packet_pool_live(s->shared->pool[w]));
	for (uint16_t w = 0; s->shared->handed != NULL && w < s->workers; w++)
		EXPECT_EQ(0, packet_pool_live(s->shared->handed[w]));
	scene_forget(s);
	for (uint32_t i = 0; i < s->ports; i++)
		port_pipe.close(s->port[i]);
	net_shared_free(s->shared);
	free(s);
}

/* ---- time ------------------------------------------------------------------------------------ */

void scene_work(struct scene *s, uint16_t worker)
{
	struct stack *stack = s->worker[worker].stack;

	stack_receive(stack);
	s->running = true;
	stack_run_ready(stack);
	s->running = false;
	stack_transmit(stack);
}

static void turn(struct scene *s, uint64_t us)
{
	for (uint16_t w = 0; w < s->workers; w++)
		scene_work(s, w);
	scene_stations_answer(s);
	s->clock.now_us += us;
}

void scene_turn(struct scene *s)
{
	turn(s, 1000);
}

void scene_turns(struct scene *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		scene_turn(s);
}

void scene_run_ms(struct scene *s, uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i += 5)
		turn(s, 5000);
}

/* ---- in and out ------------------------------------------------------------------------------ */

void scene_feed(struct scene *s, uint32_t port, uint16_t queue, const struct frame *f)
{
	pipe_feed(s->port[port], queue, frame_span(f));
}

void scene_feed_udp(struct scene *s, const struct flow *flow, struct span data)
{
	struct frame f;

	frame_udp(&f, &s->in, flow, data);
	scene_feed(s, 0, 0, &f);
}

void scene_bind(struct scene *s, uint16_t worker, const char *address, uint16_t port)
{
	struct endpoint local = endpoint_at(address, port);

	EXPECT_EQ(GW_OK,
		  stack_udp_bind(s->worker[worker].stack, &local, &udp_ops, &s->worker[worker]));
}

enum gw_err scene_send(struct scene *s, uint16_t worker, const struct flow *flow, struct span data)
{
	struct endpoint local = endpoint_at(flow->src, flow->src_port);
	struct endpoint peer = endpoint_at(flow->dst, flow->dst_port);

	return stack_udp_send(s->worker[worker].stack, &local, &peer, data);
}

/* ---- what is known --------------------------------------------------------------------------- */

uint64_t scene_errors(const struct scene *s, enum gw_err err)
{
	uint64_t sum = 0;

	for (uint16_t w = 0; w < s->workers; w++)
		sum += counter_read(&s->worker[w].counters.errors[err]);
	return sum;
}

uint64_t scene_all_errors(const struct scene *s)
{
	uint64_t sum = 0;

	for (uint32_t err = 0; err < GW_ERR_COUNT; err++)
		sum += scene_errors(s, err);
	return sum;
}

uint32_t scene_heard(const struct scene *s, enum heard_kind kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->heard_count; i++)
		n += s->heard[i].kind == kind;
	return n;
}

const struct heard *scene_last(const struct scene *s, enum heard_kind kind)
{
	for (uint32_t i = s->heard_count; i > 0; i--)
		if (s->heard[i - 1].kind == kind)
			return &s->heard[i - 1];
	fail_msg("nothing of kind %d was heard", kind);
	return NULL;
}
