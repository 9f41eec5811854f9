/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_scene.h"

/* ---- opening ---- */

static uint16_t port_of(struct endpoint e)
{
	return endpoint_port(&e);
}

/* What is near to one is far to the other. */
static void expect_ends(const struct conn *client, const struct conn *server)
{
	struct endpoint near[] = {conn_local(client), conn_local(server)};
	struct endpoint far[] = {conn_peer(client), conn_peer(server)};

	for (int i = 0; i < 2; i++) {
		EXPECT(endpoint_same_host(&near[i], &far[1 - i]));
		EXPECT_EQ(endpoint_port(&near[i]), endpoint_port(&far[1 - i]));
	}
}

TEST(conn, connects_and_tells_both_sides_both_addresses)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	EXPECT_EQ(1, server->accepted);
	EXPECT_EQ(0, server->connected);
	expect_ends(client->conn, server->conn);
	EXPECT_EQ(scene->w.port, port_of(conn_local(server->conn)));
	scene_free(scene);
}

TEST(conn, connects_over_ipv6)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct endpoint peer = scene_server_at(scene, &scene->w.v6[SERVER]);
	struct side *client = &scene->client[0];
	struct endpoint at;

	scene_listen(scene, &scene->w.v6[SERVER]);
	scene_connect(scene, client, &scene->w.v6[CLIENT], &peer);
	UNTIL(scene, client->connected == 1);
	EXPECT_EQ(5, side_write(client, 5));
	UNTIL(scene, scene->server.side[0].received == 5);
	at = conn_peer(scene->server.side[0].conn);
	EXPECT_EQ(AF_INET6, at.sa.sa_family);
	at = conn_peer(client->conn);
	EXPECT(endpoint_same_host(&at, &peer));
	scene_free(scene);
}

/* The client may learn of it before or after the handshake. */
TEST(conn, resets_what_accept_refuses_and_tells_it_nothing_more)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];
	struct endpoint peer = scene_server_at(scene, &scene->w.v4[SERVER]);

	server->refuses = GW_CONN_LIMIT;
	scene_listen(scene, &scene->w.v4[SERVER]);
	scene_connect(scene, client, &scene->w.v4[CLIENT], &peer);
	UNTIL(scene, client->connected == 1 || client->closed == 1);
	if (client->conn != NULL)
		side_write(client, 1);
	UNTIL(scene, client->closed == 1);
	EXPECT_EQ(GW_CONN_RESET, client->why);
	EXPECT_EQ(1, server->accepted);
	scene_turns(scene, 5);
	EXPECT_EQ(0, server->readable + server->fins + server->closed);
	scene_free(scene);
}

TEST(conn, tells_that_a_connect_was_refused)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct side *client = &scene->client[0];

	scene_connect(scene, client, &scene->w.v4[CLIENT], &scene->w.nobody);
	UNTIL(scene, client->closed == 1);
	EXPECT_EQ(GW_CONN_REFUSED, client->why);
	EXPECT_EQ(0, client->connected);
	scene_free(scene);
}

TEST(conn, tells_that_a_connect_was_not_answered_in_time)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct side *client = &scene->client[0];
	uint64_t start_us = scene_now_us(scene);
	struct conn *conn;

	if (scene->w.blackhole.sa.sa_family != AF_UNSPEC) {
		struct conn_request request = {scene->w.v4[CLIENT], scene->w.blackhole, &side_ops,
					       client, 150};

		EXPECT_EQ(GW_OK, net_connect(scene->w.core[CLIENT], &request, &conn));
		side_begin(client, conn);
		UNTIL(scene, client->closed == 1);
		EXPECT_EQ(GW_CONN_TIMEOUT, client->why);
		EXPECT_EQ(0, client->connected);
		EXPECT(scene_now_us(scene) - start_us >= 150000);
	}
	scene_free(scene);
}

TEST(conn, abandons_a_connect_that_is_aborted)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct side *client = &scene->client[0];
	struct endpoint peer = scene_server_at(scene, &scene->w.v4[SERVER]);

	scene_listen(scene, &scene->w.v4[SERVER]);
	scene_connect(scene, client, &scene->w.v4[CLIENT], &peer);
	conn_abort(client->conn, GW_MW_TIMEOUT);
	EXPECT_EQ(0, client->closed);
	UNTIL(scene, client->closed == 1);
	EXPECT_EQ(GW_MW_TIMEOUT, client->why);
	scene_turns(scene, 20);
	EXPECT_EQ(0, client->connected);
	scene_free(scene);
}

/* ---- bytes ---- */

/* Sends at random until total are sent. */
static void talk(struct side *s, uint64_t total, uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	if (s->sent < total)
		side_write(s, (uint32_t)((*random >> 8) % 9000 < total - s->sent
						 ? (*random >> 8) % 9000
						 : total - s->sent));
}

TEST(conn, carries_bytes_both_ways_in_order)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];
	const uint64_t total = 3000000;
	uint32_t random = 1;

	for (int i = 0; i < 60000 && (client->received < total || server->received < total); i++) {
		talk(client, total, &random);
		talk(server, total, &random);
		scene_turn(scene);
	}
	EXPECT_EQ(total, client->received);
	EXPECT_EQ(total, server->received);
	scene_free(scene);
}

TEST(conn, says_writable_at_low_water_after_the_send_buffer_was_full)
{
	struct scene *scene = scene_new(state, &scene_limits);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];
	int stuck = 0;

	server->pauses = true;
	scene_listen(scene, &scene->w.v4[SERVER]);
	scene_open_client(scene, 0);
	while (stuck < 50) { /* until nothing moves any more */
		stuck = side_write(client, UINT32_MAX) > 0 ? 0 : stuck + 1;
		scene_turn(scene);
	}
	EXPECT_EQ(0, conn_tx_room(client->conn));
	EXPECT_EQ(0, server->readable);
	client->writable = 0;
	conn_resume_rx(server->conn);
	UNTIL(scene, client->writable == 1);
	EXPECT(client->room_at_writable >= scene_limits.send_bytes / 4 * 3);
	UNTIL(scene, server->received == client->sent);
	EXPECT_EQ(1, client->writable);
	scene_free(scene);
}

TEST(conn, bounds_what_it_receives_for_a_reader_that_does_not_read)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];
	uint32_t held = 0, len;

	server->leaves_unread = true;
	for (int i = 0; i < 100; i++) {
		side_write(client, UINT32_MAX);
		scene_turn(scene);
	}
	while (conn_peek(server->conn, held, &len) != NULL)
		held += len;
	EXPECT(held > 0);
	EXPECT(held <= scene_limits.receive_bytes);
	server->leaves_unread = false;
	side_read(server);
	UNTIL(scene, server->received == client->sent);
	scene_free(scene);
}

TEST(conn, peeks_at_any_offset_what_consume_then_takes)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];
	const uint8_t *at;
	uint32_t len, held = 0;

	server->leaves_unread = true;
	while (client->sent < 30001)
		EXPECT(side_write(client, (uint32_t)(30001 - client->sent)) > 0);
	UNTIL(scene, conn_peek(server->conn, 29999, &len) != NULL);
	while ((at = conn_peek(server->conn, held, &len)) != NULL) {
		for (uint32_t i = 0; i < len; i++)
			EXPECT_EQ(stream_byte(1 + held + i), at[i]);
		held += len;
	}
	EXPECT_EQ(30000, held);
	EXPECT_EQ(0, len);
	conn_consume(server->conn, 12345);
	at = conn_peek(server->conn, 0, &len);
	EXPECT(at != NULL && *at == stream_byte(1 + 12345));
	at = conn_peek(server->conn, 30000 - 12345 - 1, &len);
	EXPECT(at != NULL && *at == stream_byte(30000));
	EXPECT_EQ(1, len);
	scene_free(scene);
}

TEST(conn, sends_only_the_first_bytes_of_a_reservation)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];
	uint32_t room;
	uint8_t *at = conn_tx_reserve(client->conn, &room);

	EXPECT(at != NULL && room > 1000);
	at[0] = stream_byte(1);
	conn_tx_commit(client->conn, 1);
	client->sent++;
	at = conn_tx_reserve(client->conn, &room);
	EXPECT(at != NULL); /* and never committed */
	UNTIL(scene, server->received == 2);
	scene_turns(scene, 5);
	EXPECT_EQ(7, side_write(client, 7));
	UNTIL(scene, server->received == 9);
	scene_free(scene);
}

TEST(conn, says_readable_again_only_when_new_bytes_come)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	server->leaves_unread = true;
	server->readable = 0;
	side_write(client, 10);
	UNTIL(scene, server->readable == 1);
	scene_turns(scene, 20);
	EXPECT_EQ(1, server->readable);
	side_write(client, 10);
	UNTIL(scene, server->readable == 2);
	server->leaves_unread = false;
	side_read(server);
	EXPECT_EQ(21, server->received);
	scene_free(scene);
}

TEST(conn, is_silent_during_a_pause_and_readable_after_it)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	server->readable = 0;
	conn_pause_rx(server->conn);
	conn_pause_rx(server->conn);
	side_write(client, 100);
	scene_turns(scene, 20);
	EXPECT_EQ(0, server->readable);
	conn_resume_rx(server->conn);
	conn_resume_rx(server->conn);
	UNTIL(scene, server->received == 101);
	scene_free(scene);
}

TEST(conn, says_readable_after_a_pause_for_bytes_left_before_it)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	server->leaves_unread = true;
	server->readable = 0;
	side_write(client, 10);
	UNTIL(scene, server->readable == 1);
	conn_pause_rx(server->conn);
	scene_turns(scene, 3);
	conn_resume_rx(server->conn);
	UNTIL(scene, server->readable == 2);
	scene_free(scene);
}

/* ---- the end ---- */

TEST(conn, tells_the_bytes_before_the_fin)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	side_write(client, 20000);
	conn_shutdown_tx(client->conn);
	conn_shutdown_tx(client->conn);
	UNTIL(scene, server->fins == 1);
	EXPECT_EQ(20001, server->received_at_fin);
	EXPECT_EQ(0, server->closed);
	EXPECT_EQ(0, client->closed);
	scene_free(scene);
}

TEST(conn, keeps_receiving_after_its_own_fin_until_the_peers)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	conn_shutdown_tx(client->conn);
	EXPECT_EQ(0, conn_tx_room(client->conn));
	UNTIL(scene, server->fins == 1);
	EXPECT_EQ(25000, side_write(server, 25000));
	UNTIL(scene, client->received == 25000);
	EXPECT_EQ(0, client->closed + server->closed);
	conn_shutdown_tx(server->conn);
	UNTIL(scene, client->closed == 1 && server->closed == 1);
	EXPECT_EQ(1, client->fins);
	EXPECT_EQ(GW_CONN_CLOSED, client->why);
	EXPECT_EQ(GW_CONN_CLOSED, server->why);
	scene_free(scene);
}

TEST(conn, closes_in_order_when_both_finish_at_once)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	side_write(client, 5000);
	side_write(server, 5000);
	conn_shutdown_tx(client->conn);
	conn_shutdown_tx(server->conn);
	UNTIL(scene, client->closed == 1 && server->closed == 1);
	EXPECT_EQ(5000, client->received);
	EXPECT_EQ(5001, server->received);
	EXPECT_EQ(GW_CONN_CLOSED, client->why);
	EXPECT_EQ(GW_CONN_CLOSED, server->why);
	scene_turns(scene, 20);
	scene_free(scene);
}

TEST(conn, closes_from_inside_peer_fin)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	server->finishes = true;
	conn_shutdown_tx(client->conn);
	UNTIL(scene, client->closed == 1 && server->closed == 1);
	EXPECT_EQ(GW_CONN_CLOSED, server->why);
	scene_free(scene);
}

TEST(conn, keeps_a_fin_back_during_a_pause)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	conn_pause_rx(server->conn);
	side_write(client, 100);
	conn_shutdown_tx(client->conn);
	conn_shutdown_tx(server->conn);
	scene_turns(scene, 20);
	EXPECT_EQ(0, server->fins + server->closed);
	/* or whoever paused it for a while would never find it again */
	EXPECT(net_find(scene->w.core[SERVER], server->ref) == server->conn);
	conn_resume_rx(server->conn);
	UNTIL(scene, server->closed == 1);
	EXPECT(net_find(scene->w.core[SERVER], server->ref) == NULL);
	EXPECT_EQ(101, server->received_at_fin);
	EXPECT_EQ(GW_CONN_CLOSED, server->why);
	scene_free(scene);
}

TEST(conn, shows_an_abort_to_the_peer_as_a_reset)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	conn_abort(client->conn, GW_WS_SILENT);
	conn_abort(client->conn, GW_CONN_LIMIT); /* the first reason stays */
	EXPECT_EQ(0, client->closed);
	UNTIL(scene, client->closed == 1 && server->closed == 1);
	EXPECT_EQ(GW_WS_SILENT, client->why);
	EXPECT_EQ(GW_CONN_RESET, server->why);
	EXPECT_EQ(0, server->fins);
	scene_free(scene);
}

TEST(conn, shows_a_reset_during_a_pause)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	conn_pause_rx(server->conn);
	conn_abort(client->conn, GW_CONN_ABORTED);
	UNTIL(scene, server->closed == 1);
	EXPECT_EQ(GW_CONN_RESET, server->why);
	scene_free(scene);
}

TEST(conn, takes_any_call_between_abort_and_closed)
{
	struct scene *scene = scene_connected(state);
	struct conn *conn = scene->client[0].conn;
	uint32_t room = 1;

	conn_abort(conn, GW_CONN_ABORTED);
	EXPECT_EQ(0, conn_tx_room(conn));
	EXPECT(conn_tx_reserve(conn, &room) == NULL);
	EXPECT_EQ(0, room);
	conn_tx_commit(conn, 1);
	conn_pause_rx(conn);
	conn_resume_rx(conn);
	conn_shutdown_tx(conn);
	conn_set_deadline(conn, 1);
	EXPECT(conn_peek(conn, 0, &room) == NULL);
	UNTIL(scene, scene->client[0].closed == 1);
	scene_turns(scene, 10);
	EXPECT_EQ(0, scene->client[0].deadlines);
	scene_free(scene);
}

TEST(conn, lets_readable_abort_another_connection)
{
	struct scene *scene = scene_connected(state);
	struct side *a = &scene->server.side[0], *b = &scene->server.side[1];

	scene_open_client(scene, 1);
	UNTIL(scene, b->received == 1);
	a->victim = b;
	b->victim = a; /* whoever is first: the other hears nothing but closed */
	a->readable = b->readable = 0;
	side_write(&scene->client[0], 100);
	side_write(&scene->client[1], 100);
	UNTIL(scene, a->closed + b->closed == 1);
	scene_turns(scene, 10);
	EXPECT_EQ(1, a->closed + b->closed);
	EXPECT_EQ(1, a->readable + b->readable);
	EXPECT_EQ(GW_CONN_ABORTED, a->closed ? a->why : b->why);
	scene_free(scene);
}

TEST(conn, lets_readable_abort_its_own_connection)
{
	struct scene *scene = scene_connected(state);
	struct side *server = &scene->server.side[0];

	server->victim = server;
	side_write(&scene->client[0], 100);
	UNTIL(scene, server->closed == 1 && scene->client[0].closed == 1);
	EXPECT_EQ(GW_CONN_ABORTED, server->why);
	EXPECT_EQ(GW_CONN_RESET, scene->client[0].why);
	scene_free(scene);
}

TEST(conn, finds_a_connection_by_its_reference_until_it_is_closed)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0];
	struct handle ref = client->ref;

	EXPECT(!handle_is_none(ref));
	EXPECT(net_find(scene->w.core[CLIENT], ref) == client->conn);
	EXPECT(net_find(scene->w.core[CLIENT], handle_none()) == NULL);
	EXPECT(net_find(scene->w.core[SERVER], ref) == NULL); /* the other worker's */
	conn_abort(client->conn, GW_CONN_ABORTED);
	UNTIL(scene, client->closed == 1);
	EXPECT(net_find(scene->w.core[CLIENT], ref) == NULL);
	*client = (struct side){.w = &scene->w};
	scene_open_client(scene, 0);
	EXPECT(net_find(scene->w.core[CLIENT], ref) == NULL); /* nor its successor */
	EXPECT(net_find(scene->w.core[CLIENT], client->ref) == client->conn);
	scene_free(scene);
}

TEST(conn, says_deadline_once_and_not_early)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0];
	uint64_t start_us = scene_now_us(scene);

	conn_set_deadline(client->conn, 40);
	EXPECT(net_next_deadline_us(scene->w.core[CLIENT]) <= start_us + 41000);
	UNTIL(scene, client->deadlines == 1);
	EXPECT(scene_now_us(scene) - start_us >= 40000);
	scene_turns(scene, 100);
	EXPECT_EQ(1, client->deadlines);
	scene_free(scene);
}

TEST(conn, moves_and_disarms_a_deadline)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0];
	uint64_t start_us = scene_now_us(scene);

	conn_set_deadline(client->conn, 5);
	conn_set_deadline(client->conn, 0);
	while (scene_now_us(scene) < start_us + 20000)
		scene_turn(scene);
	EXPECT_EQ(0, client->deadlines);
	start_us = scene_now_us(scene);
	conn_set_deadline(client->conn, 5);
	conn_set_deadline(client->conn, 50);
	UNTIL(scene, client->deadlines == 1);
	EXPECT(scene_now_us(scene) - start_us >= 50000);
	scene_free(scene);
}

/* ---- the core ---- */

TEST(conn, keeps_to_the_limit_of_connections_and_serves_who_waits)
{
	struct net_limits limits = scene_limits;
	struct scene *scene;
	struct conn_request request;
	struct endpoint peer;
	struct conn *conn;

	limits.connections = 3;
	scene = scene_new(state, &limits);
	peer = scene_server_at(scene, &scene->w.v4[SERVER]);
	scene_listen(scene, &scene->w.v4[SERVER]);
	for (uint32_t i = 0; i < 3; i++)
		scene_open_client(scene, i);
	request = (struct conn_request){scene->w.v4[CLIENT], peer, &side_ops, &scene->client[3],
					1000};
	EXPECT_EQ(GW_CONN_LIMIT, net_connect(scene->w.core[CLIENT], &request, &conn));
	conn_abort(scene->client[0].conn, GW_CONN_ABORTED);
	UNTIL(scene, scene->client[0].closed == 1 && scene->server.side[0].closed == 1);
	scene_open_client(scene, 3);
	UNTIL(scene, scene->server.side[3].received == 1);
	scene_turns(scene, 10);
	scene_free(scene);
}

TEST(conn, goes_on_with_its_connections_after_it_stopped_listening)
{
	struct scene *scene = scene_connected(state);
	struct endpoint peer = scene_server_at(scene, &scene->w.v4[SERVER]);

	net_stop_listening(scene->w.core[SERVER]);
	scene_connect(scene, &scene->client[1], &scene->w.v4[CLIENT], &peer);
	UNTIL(scene, scene->client[1].closed == 1);
	EXPECT_EQ(GW_CONN_REFUSED, scene->client[1].why);
	side_write(&scene->client[0], 100);
	UNTIL(scene, scene->server.side[0].received == 101);
	scene_free(scene);
}

TEST(conn, tells_every_connection_when_the_core_is_closed)
{
	struct scene *scene = scene_connected(state);

	scene_open_client(scene, 1);
	side_write(&scene->client[1], 1000);
	net_close(scene->w.core[SERVER]);
	scene->w.core[SERVER] = NULL;
	EXPECT_EQ(1, scene->server.side[0].closed);
	EXPECT_EQ(1, scene->server.side[1].closed);
	EXPECT_EQ(GW_STOPPING, scene->server.side[0].why);
	scene_free(scene);
}

TEST(conn, opens_nothing_any_more_when_the_core_is_closed)
{
	struct scene *scene = scene_connected(state);
	struct side *server = &scene->server.side[0];

	server->reopens = true;
	net_close(scene->w.core[SERVER]);
	scene->w.core[SERVER] = NULL;
	EXPECT_EQ(1, server->closed);
	EXPECT_EQ(GW_STOPPING, server->reopened);
	scene_free(scene);
}

/* Who is here is served to the end, and that may need a connection to somebody else. */
TEST(conn, opens_connections_after_it_stopped_listening)
{
	struct scene *scene = scene_connected(state);

	net_stop_listening(scene->w.core[CLIENT]);
	scene_open_client(scene, 1);
	UNTIL(scene, scene->server.side[1].received == 1);
	scene_free(scene);
}

TEST(conn, is_idle_when_there_is_nothing_to_do)
{
	struct scene *scene = scene_connected(state);

	UNTIL(scene, net_idle(scene->w.core[SERVER]) && net_idle(scene->w.core[CLIENT]));
	side_write(&scene->client[0], 10);
	EXPECT(!net_idle(scene->w.core[CLIENT]));
	UNTIL(scene, scene->server.side[0].received == 11);
	UNTIL(scene, net_idle(scene->w.core[SERVER]) && net_idle(scene->w.core[CLIENT]));
	scene_free(scene);
}

/** Rows of core until there are no more; *last is the last one. */
static uint32_t rows_of(struct net_core *core, struct conn_row *last)
{
	uint32_t cursor = 0, n = 0, before = 0;

	while (n < 2 * SIDES && net_next_row(core, &cursor, last)) {
		EXPECT(cursor > before); /* a list that is asked for in pages comes to its end */
		before = cursor;
		n++;
	}
	return n;
}

TEST(conn, shows_each_connection_once_to_operators)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];
	struct endpoint local = conn_local(client->conn), peer = conn_peer(client->conn);
	struct conn_row row;

	EXPECT_EQ(1, rows_of(scene->w.core[CLIENT], &row));
	EXPECT(endpoint_same_host(&local, &row.local) && endpoint_same_host(&peer, &row.peer));
	EXPECT_EQ(endpoint_port(&local), endpoint_port(&row.local));
	EXPECT_EQ(endpoint_port(&peer), endpoint_port(&row.peer));
	EXPECT(net_find(scene->w.core[CLIENT], row.ref) == client->conn);
	EXPECT_EQ(0, strcmp("ESTAB", row.state));
	conn_pause_rx(server->conn);
	side_write(client, 100);
	UNTIL(scene, rows_of(scene->w.core[SERVER], &row) == 1 && row.receive_bytes == 100);
	scene_open_client(scene, 1);
	EXPECT_EQ(2, rows_of(scene->w.core[CLIENT], &row));
	conn_abort(client->conn, GW_CONN_ABORTED);
	UNTIL(scene, client->closed == 1);
	EXPECT_EQ(1, rows_of(scene->w.core[CLIENT], &row));
	scene_free(scene);
}

#define RUN_IN(world, group, sentence) cmocka_unit_test_prestate(group##_##sentence, world)

int conn_conformance(const char *name, const struct conn_world_ops *world)
{
	void *w = (void *)(uintptr_t)world;
	const struct CMUnitTest tests[] = {
		RUN_IN(w, conn, connects_and_tells_both_sides_both_addresses),
		RUN_IN(w, conn, connects_over_ipv6),
		RUN_IN(w, conn, resets_what_accept_refuses_and_tells_it_nothing_more),
		RUN_IN(w, conn, tells_that_a_connect_was_refused),
		RUN_IN(w, conn, tells_that_a_connect_was_not_answered_in_time),
		RUN_IN(w, conn, abandons_a_connect_that_is_aborted),
		RUN_IN(w, conn, carries_bytes_both_ways_in_order),
		RUN_IN(w, conn, says_writable_at_low_water_after_the_send_buffer_was_full),
		RUN_IN(w, conn, bounds_what_it_receives_for_a_reader_that_does_not_read),
		RUN_IN(w, conn, peeks_at_any_offset_what_consume_then_takes),
		RUN_IN(w, conn, sends_only_the_first_bytes_of_a_reservation),
		RUN_IN(w, conn, says_readable_again_only_when_new_bytes_come),
		RUN_IN(w, conn, is_silent_during_a_pause_and_readable_after_it),
		RUN_IN(w, conn, says_readable_after_a_pause_for_bytes_left_before_it),
		RUN_IN(w, conn, tells_the_bytes_before_the_fin),
		RUN_IN(w, conn, keeps_receiving_after_its_own_fin_until_the_peers),
		RUN_IN(w, conn, closes_in_order_when_both_finish_at_once),
		RUN_IN(w, conn, closes_from_inside_peer_fin),
		RUN_IN(w, conn, keeps_a_fin_back_during_a_pause),
		RUN_IN(w, conn, shows_an_abort_to_the_peer_as_a_reset),
		RUN_IN(w, conn, shows_a_reset_during_a_pause),
		RUN_IN(w, conn, takes_any_call_between_abort_and_closed),
		RUN_IN(w, conn, lets_readable_abort_another_connection),
		RUN_IN(w, conn, lets_readable_abort_its_own_connection),
		RUN_IN(w, conn, finds_a_connection_by_its_reference_until_it_is_closed),
		RUN_IN(w, conn, says_deadline_once_and_not_early),
		RUN_IN(w, conn, moves_and_disarms_a_deadline),
		RUN_IN(w, conn, keeps_to_the_limit_of_connections_and_serves_who_waits),
		RUN_IN(w, conn, goes_on_with_its_connections_after_it_stopped_listening),
		RUN_IN(w, conn, tells_every_connection_when_the_core_is_closed),
		RUN_IN(w, conn, opens_nothing_any_more_when_the_core_is_closed),
		RUN_IN(w, conn, opens_connections_after_it_stopped_listening),
		RUN_IN(w, conn, is_idle_when_there_is_nothing_to_do),
		RUN_IN(w, conn, shows_each_connection_once_to_operators),
	};

	return cmocka_run_group_tests_name(name, tests, NULL, NULL) + udp_conformance(name, world);
}
