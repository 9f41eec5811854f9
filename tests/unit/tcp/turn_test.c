/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"
#include "test.h"

/* More connections than one turn asks what they have to send, over a link that takes nothing. */

#define MANY 5000u
#define IN_A_TURN 4096u
#define TURNS_MAX 100u

struct scene {
	struct tcp *tcp;
	struct counters counters;
	struct net_clock clock;
	struct tcp_limits limits;
	struct conn *conn[MANY];
	uint32_t closed;
	uint64_t random;
	bool full;		   /* the link takes nothing */
	struct tcp_packet segment; /* the last it took */
	struct ip_address local, remote;
	uint32_t taken;
};

static void on_nothing(struct conn *conn, void *context)
{
}

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	return GW_STOPPING;
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	((struct scene *)context)->closed++;
}

static const struct conn_ops conn_ops = {
	on_accept, on_nothing, on_nothing, on_nothing, on_nothing, on_nothing, on_closed,
};

static enum gw_err link_send(void *context, const struct ip_address *local,
			     const struct ip_address *remote, const struct tcp_packet *segment)
{
	struct scene *scene = context;

	if (scene->full)
		return GW_NET_TX_FULL;
	scene->segment = *segment;
	scene->local = *local;
	scene->remote = *remote;
	scene->taken++;
	return GW_OK;
}

static enum gw_err link_route(void *context, struct ip_address *local,
			      const struct ip_address *remote, uint16_t *mtu)
{
	static const uint8_t ours[4] = {198, 18, 0, 2};

	*local = ip_address_v4(ours);
	*mtu = 1500;
	return GW_OK;
}

static uint16_t link_worker(void *context, const struct ip_address *local, uint16_t local_port,
			    const struct ip_address *remote, uint16_t remote_port)
{
	return 0;
}

static const struct tcp_link tcp_link = {link_send, link_route, link_worker};
static const struct net_ops net_ops = {.name = "turn"};

static uint64_t next_random(void *context)
{
	struct scene *scene = context;

	return scene->random = scene->random * 6364136223846793005ull + 1442695040888963407ull;
}

static struct scene *scene_new(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct tcp_config config = {
		.net = {.epoch = 1,
			.limits = {.connections = MANY,
				   .receive_bytes = 65536,
				   .send_bytes = 65536,
				   .user_timeout_us = 45000000},
			.counters = &scene->counters,
			.clock = &scene->clock,
			.tcp = &scene->limits,
			.context = scene,
			.random = next_random},
		.ops = &net_ops,
		.link = &tcp_link,
		.link_context = scene,
		.pool_name = "turn",
		.numa = -1,
	};

	EXPECT(scene != NULL);
	scene->limits = tcp_limits_default;
	scene->limits.send_packets = MANY;
	scene->clock.now_us = 1000000;
	EXPECT_EQ(GW_OK, tcp_new(&config, &scene->tcp));
	return scene;
}

static void turn(struct scene *scene)
{
	tcp_run_timers(scene->tcp);
	tcp_run_ready(scene->tcp);
	tcp_transmit(scene->tcp);
}

/** The other end says yes to the last SYN. */
static void answer(struct scene *scene)
{
	struct rte_mbuf *none = NULL;
	struct tcp_arrival arrival = {.local = scene->local,
				      .remote = scene->remote,
				      .tcp = {.src_port = scene->segment.dst_port,
					      .dst_port = scene->segment.src_port,
					      .seq = 7,
					      .ack = scene->segment.seq + 1,
					      .flags = TCP_SYN | TCP_ACK,
					      .window = 65535},
				      .packet = &none};

	tcp_input(scene->tcp, &arrival);
}

static struct conn *open_one(struct scene *scene)
{
	struct conn_request request = {.ops = &conn_ops, .context = scene, .timeout_ms = 1000};
	struct conn *conn;

	EXPECT(endpoint_parse(SPAN("198.18.0.1:5060"), &request.peer));
	request.local.sa.sa_family = AF_INET;
	EXPECT_EQ(GW_OK, tcp_connect(scene->tcp, &request, &conn));
	answer(scene);
	turn(scene);
	return conn;
}

static void say(struct conn *conn)
{
	uint32_t room;

	EXPECT(tcp_tx_reserve(conn, &room) != NULL);
	tcp_tx_commit(conn, 1);
}

TEST(turn, asks_so_many_and_keeps_who_has_closed_until_he_was_asked)
{
	struct scene *scene = scene_new();
	uint32_t turns = 0;

	for (uint32_t i = 0; i < MANY; i++)
		scene->conn[i] = open_one(scene);
	scene->full = true;
	for (uint32_t i = 0; i < MANY; i++)
		say(scene->conn[i]);
	turn(scene); /* the last are asked in the next, and the first after them */
	EXPECT_EQ(MANY, scene->tcp->output.count);
	for (uint32_t i = IN_A_TURN; i > 0; i--)
		tcp_abort(scene->conn[i - 1], GW_CONN_ABORTED);
	for (uint32_t i = IN_A_TURN; i < MANY; i++)
		tcp_abort(scene->conn[i], GW_CONN_ABORTED);
	while (scene->closed < MANY && turns++ < TURNS_MAX)
		turn(scene);
	turn(scene);
	EXPECT_EQ(MANY, scene->closed);
	EXPECT_EQ(0, scene->tcp->output.count);
	EXPECT_EQ(0, scene->tcp->send_live);
	EXPECT_EQ(0, slots_live(scene->tcp->tcbs));
	scene->full = false;
	scene->conn[0] = open_one(scene);
	scene->taken = 0;
	say(scene->conn[0]);
	turn(scene);
	EXPECT_EQ(1, scene->taken);
	tcp_free(scene->tcp);
	free(scene);
}

TEST_MAIN("turn", RUN(turn, asks_so_many_and_keeps_who_has_closed_until_he_was_asked))
