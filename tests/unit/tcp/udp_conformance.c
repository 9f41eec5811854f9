/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_scene.h"

/* The UDP half of the conformance test. */

static void on_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			struct span bytes)
{
	struct port *port = context;

	port->datagrams++;
	port->local = *local;
	port->peer = *peer;
	port->len = bytes.len;
	memcpy(port->bytes, bytes.at, bytes.len);
}

static void on_unreachable(void *context, const struct endpoint *peer)
{
	struct port *port = context;

	port->unreachable++;
	port->peer = *peer;
}

static const struct udp_ops port_ops = {.datagram = on_datagram, .unreachable = on_unreachable};

static void udp_exchange(struct scene *scene, const struct endpoint *bound,
			 const struct endpoint *server_host, const struct endpoint *client_host)
{
	struct port *port = scene->port;
	struct endpoint any = scene_server_at(scene, bound),
			server = scene_server_at(scene, server_host);
	struct endpoint client = scene_server_at(scene, client_host);

	endpoint_set_port(&client, (uint16_t)(scene->w.port + 1));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[SERVER], &any, &port_ops, &port[SERVER]));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[CLIENT], &client, &port_ops, &port[CLIENT]));
	EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[CLIENT], &client, &server, SPAN("question")));
	UNTIL(scene, port[SERVER].datagrams == 1);
	EXPECT_SPAN("question", span_of(port[SERVER].bytes, port[SERVER].len));
	EXPECT(endpoint_same_host(&server, &port[SERVER].local));
	EXPECT_EQ(scene->w.port, endpoint_port(&port[SERVER].local));
	EXPECT(endpoint_same_host(&client, &port[SERVER].peer));
	EXPECT_EQ(endpoint_port(&client), endpoint_port(&port[SERVER].peer));
	EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[SERVER], &port[SERVER].local,
				      &port[SERVER].peer, SPAN("answer")));
	UNTIL(scene, port[CLIENT].datagrams == 1);
	EXPECT_SPAN("answer", span_of(port[CLIENT].bytes, port[CLIENT].len));
	EXPECT(endpoint_same_host(&server, &port[CLIENT].peer));
}

TEST(udp, carries_datagrams_both_ways)
{
	struct scene *scene = scene_new(state, &scene_limits);

	udp_exchange(scene, &scene->w.v4[SERVER], &scene->w.v4[SERVER], &scene->w.v4[CLIENT]);
	scene_free(scene);
}

TEST(udp, carries_datagrams_over_ipv6)
{
	struct scene *scene = scene_new(state, &scene_limits);

	udp_exchange(scene, &scene->w.v6[SERVER], &scene->w.v6[SERVER], &scene->w.v6[CLIENT]);
	scene_free(scene);
}

TEST(udp, tells_the_address_a_datagram_came_to_on_a_wildcard_port_and_answers_from_it)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct endpoint any = {.v4 = {.sin_family = AF_INET}};

	udp_exchange(scene, &any, &scene->w.v4[SERVER], &scene->w.v4[CLIENT]);
	scene_free(scene);
}

TEST(udp, carries_a_burst_and_an_empty_datagram)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct port *port = scene->port;
	struct endpoint server = scene_server_at(scene, &scene->w.v4[SERVER]);
	struct endpoint client = scene_server_at(scene, &scene->w.v4[CLIENT]);

	endpoint_set_port(&client, (uint16_t)(scene->w.port + 1));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[SERVER], &server, &port_ops, port));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[CLIENT], &client, &port_ops, port));
	for (int i = 0; i < 50; i++)
		EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[CLIENT], &client, &server, SPAN("x")));
	UNTIL(scene, port->datagrams == 50);
	EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[CLIENT], &client, &server, span_of(NULL, 0)));
	UNTIL(scene, port->datagrams == 51);
	EXPECT_EQ(0, port->len);
	scene_free(scene);
}

static void long_datagram(struct scene *scene, const struct endpoint *server_host,
			  const struct endpoint *client_host)
{
	struct port *port = scene->port;
	struct endpoint server = scene_server_at(scene, server_host);
	struct endpoint client = scene_server_at(scene, client_host);
	uint8_t bytes[3000];

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = stream_byte(i);
	endpoint_set_port(&client, (uint16_t)(scene->w.port + 1));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[SERVER], &server, &port_ops, port));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[CLIENT], &client, &port_ops, port));
	EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[CLIENT], &client, &server,
				      span_of(bytes, sizeof(bytes))));
	UNTIL(scene, port->datagrams == 1);
	EXPECT_EQ(sizeof(bytes), port->len);
	EXPECT_BYTES(bytes, port->bytes, sizeof(bytes));
}

TEST(udp, carries_a_datagram_longer_than_a_packet)
{
	struct scene *scene = scene_new(state, &scene_limits);

	long_datagram(scene, &scene->w.v4[SERVER], &scene->w.v4[CLIENT]);
	scene_free(scene);
}

TEST(udp, carries_a_datagram_longer_than_a_packet_over_ipv6)
{
	struct scene *scene = scene_new(state, &scene_limits);

	long_datagram(scene, &scene->w.v6[SERVER], &scene->w.v6[CLIENT]);
	scene_free(scene);
}

TEST(udp, tells_that_a_peer_is_unreachable_and_goes_on)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct port *port = scene->port;
	struct endpoint client = scene_server_at(scene, &scene->w.v4[CLIENT]);

	endpoint_set_port(&client, (uint16_t)(scene->w.port + 1));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[CLIENT], &client, &port_ops, port));
	EXPECT_EQ(GW_OK,
		  net_udp_send(scene->w.core[CLIENT], &client, &scene->w.nobody, SPAN("anybody?")));
	UNTIL(scene, port->unreachable == 1);
	EXPECT(endpoint_same_host(&scene->w.nobody, &port->peer));
	EXPECT_EQ(endpoint_port(&scene->w.nobody), endpoint_port(&port->peer));
	EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[CLIENT], &client, &client, SPAN("myself")));
	UNTIL(scene, port->datagrams == 1);
	scene_free(scene);
}

TEST(udp, refuses_to_send_from_a_port_that_is_not_bound)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct endpoint client = scene_server_at(scene, &scene->w.v4[CLIENT]);

	EXPECT_EQ(GW_SYSTEM, net_udp_send(scene->w.core[CLIENT], &client, &client, SPAN("x")));
	scene_free(scene);
}

#define RUN_IN(world, group, sentence) cmocka_unit_test_prestate(group##_##sentence, world)

int udp_conformance(const char *name, const struct conn_world_ops *world)
{
	void *w = (void *)(uintptr_t)world;
	const struct CMUnitTest tests[] = {
		RUN_IN(w, udp, carries_datagrams_both_ways),
		RUN_IN(w, udp, carries_datagrams_over_ipv6),
		RUN_IN(w, udp,
		       tells_the_address_a_datagram_came_to_on_a_wildcard_port_and_answers_from_it),
		RUN_IN(w, udp, carries_a_burst_and_an_empty_datagram),
		RUN_IN(w, udp, carries_a_datagram_longer_than_a_packet),
		RUN_IN(w, udp, carries_a_datagram_longer_than_a_packet_over_ipv6),
		RUN_IN(w, udp, tells_that_a_peer_is_unreachable_and_goes_on),
		RUN_IN(w, udp, refuses_to_send_from_a_port_that_is_not_bound),
	};

	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
