/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_conformance.h"
#include "test.h"

#define SIDES 16u
#define PATIENCE_MS 5000u

static const struct net_limits limits_usual = {.connections = 32,
					       .receive_bytes = 32768,
					       .send_bytes = 32768,
					       .user_timeout_us = 20000000};

/* One end of a connection: what it was told, and what it does when it is told something. */
struct side {
	struct conn_world *w;
	struct conn *conn; /* NULL: not there yet, or closed */
	struct handle ref;
	uint32_t accepted, connected, readable, writable, fins, deadlines, closed;
	enum gw_err why;
	uint64_t sent;
	uint64_t received;
	uint64_t received_at_fin;
	uint32_t room_at_writable;
	bool wrong;	     /* a byte was not the one that was sent, or a callback came late */
	bool leaves_unread;  /* readable consumes nothing */
	bool pauses;	     /* reading is paused as soon as the connection is there */
	bool finishes;	     /* answers the peer's FIN with its own */
	struct side *victim; /* readable aborts it, may be itself */
	enum gw_err refuses; /* what accept returns */
};

/* A server with its connections, in the order of accept. */
struct server {
	struct conn_world *w;
	uint32_t sides;
	struct side side[SIDES];
};

/* Byte number n of any stream: from a peer's point of view nothing repeats at a power of two. */
static uint8_t stream_byte(uint64_t n)
{
	return (uint8_t)(n * 151 + n / 251 + n / 65537);
}

/* ---- what a side does ---- */

static void side_check(struct side *s, const uint8_t *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (at[i] != stream_byte(s->received + i))
			s->wrong = true;
}

/* Reads everything there is. */
static void side_read(struct side *s)
{
	uint32_t len;
	const uint8_t *at;

	while ((at = conn_peek(s->conn, 0, &len)) != NULL) {
		side_check(s, at, len);
		conn_consume(s->conn, len);
		s->received += len;
	}
}

/* Sends up to max bytes of its stream; returns how many were taken. */
static uint32_t side_write(struct side *s, uint32_t max)
{
	uint32_t done = 0, room;
	uint8_t *at;

	while (done < max && (at = conn_tx_reserve(s->conn, &room)) != NULL) {
		uint32_t n = room < max - done ? room : max - done;

		for (uint32_t i = 0; i < n; i++)
			at[i] = stream_byte(s->sent + i);
		conn_tx_commit(s->conn, n);
		s->sent += n;
		done += n;
	}
	return done;
}

static void side_begin(struct side *s, struct conn *conn)
{
	s->conn = conn;
	s->ref = conn_ref(conn);
	if (s->pauses)
		conn_pause_rx(conn);
}

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct server *server = listener_context;
	struct side *s = &server->side[server->sides++];

	EXPECT(server->sides < SIDES);
	s->w = server->w;
	s->accepted++;
	if (s->refuses != GW_OK)
		return s->refuses;
	side_begin(s, conn);
	*context = s;
	return GW_OK;
}

static void on_connected(struct conn *conn, void *context)
{
	struct side *s = context;

	s->wrong |= s->connected > 0 || s->closed > 0 || conn != s->conn;
	s->connected++;
}

static void on_readable(struct conn *conn, void *context)
{
	struct side *s = context;

	s->wrong |= s->closed > 0 || s->fins > 0 || conn != s->conn;
	s->readable++;
	if (s->victim != NULL && s->victim->conn != NULL) {
		conn_abort(s->victim->conn, GW_CONN_ABORTED);
		s->wrong |= s->victim->closed > 0; /* not from inside */
	}
	if (!s->leaves_unread)
		side_read(s);
}

static void on_writable(struct conn *conn, void *context)
{
	struct side *s = context;

	s->wrong |= s->closed > 0;
	s->writable++;
	s->room_at_writable = conn_tx_room(conn);
}

static void on_fin(struct conn *conn, void *context)
{
	struct side *s = context;

	s->wrong |= s->closed > 0 || s->fins > 0;
	s->fins++;
	s->received_at_fin = s->received;
	if (s->finishes)
		conn_shutdown_tx(conn);
}

static void on_deadline(struct conn *conn, void *context)
{
	struct side *s = context;

	s->wrong |= s->closed > 0;
	s->deadlines++;
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct side *s = context;

	s->closed++;
	s->why = why;
	s->conn = NULL;
}

static const struct conn_ops side_ops = {.accept = on_accept,
					 .connected = on_connected,
					 .readable = on_readable,
					 .writable = on_writable,
					 .peer_fin = on_fin,
					 .deadline = on_deadline,
					 .closed = on_closed};

/* ---- a world with a server and a client ---- */

struct scene {
	struct conn_world w;
	struct server server;
	struct side client[SIDES];
};

static struct scene *scene_new(void **state, const struct net_limits *limits)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	EXPECT(scene != NULL);
	scene->w.world = *state;
	scene->w.world->open(&scene->w, limits);
	scene->server.w = &scene->w;
	for (uint32_t i = 0; i < SIDES; i++)
		scene->client[i].w = &scene->w;
	return scene;
}

static void scene_free(struct scene *scene)
{
	scene->w.world->close(&scene->w);
	for (uint32_t i = 0; i < SIDES; i++) {
		EXPECT(!scene->client[i].wrong && !scene->server.side[i].wrong);
		EXPECT(scene->client[i].closed <= 1 && scene->server.side[i].closed <= 1);
		EXPECT(scene->client[i].conn == NULL && scene->server.side[i].conn == NULL);
	}
	free(scene);
}

static void turn(struct scene *scene)
{
	scene->w.world->turn(&scene->w);
}

static void turns(struct scene *scene, int n)
{
	while (n-- > 0)
		turn(scene);
}

static uint64_t now_us(const struct scene *scene)
{
	return scene->w.clock[CLIENT].now_us;
}

/* Runs until the condition holds, and fails when it takes too long. */
#define UNTIL(scene, condition) \
	do { \
		uint64_t until_us_ = now_us(scene) + PATIENCE_MS * 1000; \
		while (!(condition) && now_us(scene) < until_us_) \
			turn(scene); \
		EXPECT(condition); \
	} while (0)

static struct endpoint server_at(const struct scene *scene, const struct endpoint *address)
{
	struct endpoint e = *address;

	endpoint_set_port(&e, scene->w.port);
	return e;
}

static void listen_on(struct scene *scene, const struct endpoint *address)
{
	struct endpoint at = server_at(scene, address);

	EXPECT_EQ(GW_OK, net_listen(scene->w.core[SERVER], &at, &side_ops, &scene->server));
}

static void connect_to(struct scene *scene, struct side *s, const struct endpoint *local,
		       const struct endpoint *peer)
{
	struct conn *conn;

	EXPECT_EQ(GW_OK,
		  net_connect(scene->w.core[CLIENT], local, peer, &side_ops, s, 3000, &conn));
	EXPECT_EQ(0, s->connected + s->closed);
	side_begin(s, conn);
}

/* Opens client n. It sends a byte, since a back end may wait for one before it accepts. */
static struct side *open_client(struct scene *scene, uint32_t n)
{
	struct side *s = &scene->client[n];
	struct endpoint peer = server_at(scene, &scene->w.v4[SERVER]);
	uint32_t sides = scene->server.sides;

	connect_to(scene, s, &scene->w.v4[CLIENT], &peer);
	UNTIL(scene, s->connected == 1);
	EXPECT_EQ(1, side_write(s, 1));
	UNTIL(scene, scene->server.sides == sides + 1);
	return s;
}

/* A listener and one connection, over which nothing is under way. */
static struct scene *scene_connected(void **state)
{
	struct scene *scene = scene_new(state, &limits_usual);

	listen_on(scene, &scene->w.v4[SERVER]);
	open_client(scene, 0);
	UNTIL(scene, scene->server.side[0].received == 1);
	return scene;
}

/* ---- opening ---- */

TEST(conn, connects_and_tells_both_sides_both_addresses)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	EXPECT_EQ(1, server->accepted);
	EXPECT_EQ(0, server->connected);
	EXPECT(endpoint_same_host(conn_peer(client->conn), conn_local(server->conn)));
	EXPECT(endpoint_same_host(conn_local(client->conn), conn_peer(server->conn)));
	EXPECT_EQ(scene->w.port, endpoint_port(conn_peer(client->conn)));
	EXPECT_EQ(scene->w.port, endpoint_port(conn_local(server->conn)));
	EXPECT_EQ(endpoint_port(conn_local(client->conn)), endpoint_port(conn_peer(server->conn)));
	scene_free(scene);
}

TEST(conn, connects_over_ipv6)
{
	struct scene *scene = scene_new(state, &limits_usual);
	struct endpoint peer = server_at(scene, &scene->w.v6[SERVER]);
	struct side *client = &scene->client[0];

	listen_on(scene, &scene->w.v6[SERVER]);
	connect_to(scene, client, &scene->w.v6[CLIENT], &peer);
	UNTIL(scene, client->connected == 1);
	EXPECT_EQ(5, side_write(client, 5));
	UNTIL(scene, scene->server.side[0].received == 5);
	EXPECT_EQ(AF_INET6, conn_peer(scene->server.side[0].conn)->sa.sa_family);
	EXPECT(endpoint_same_host(conn_peer(client->conn), &peer));
	scene_free(scene);
}

TEST(conn, resets_what_accept_refuses_and_tells_it_nothing_more)
{
	struct scene *scene = scene_new(state, &limits_usual);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];

	server->refuses = GW_CONN_LIMIT;
	listen_on(scene, &scene->w.v4[SERVER]);
	open_client(scene, 0);
	UNTIL(scene, client->closed == 1);
	EXPECT_EQ(GW_CONN_RESET, client->why);
	EXPECT_EQ(0, server->readable + server->fins + server->closed);
	scene_free(scene);
}

TEST(conn, tells_that_a_connect_was_refused)
{
	struct scene *scene = scene_new(state, &limits_usual);
	struct side *client = &scene->client[0];

	connect_to(scene, client, &scene->w.v4[CLIENT], &scene->w.nobody);
	UNTIL(scene, client->closed == 1);
	EXPECT_EQ(GW_CONN_REFUSED, client->why);
	EXPECT_EQ(0, client->connected);
	scene_free(scene);
}

TEST(conn, tells_that_a_connect_was_not_answered_in_time)
{
	struct scene *scene = scene_new(state, &limits_usual);
	struct side *client = &scene->client[0];
	uint64_t start_us = now_us(scene);
	struct conn *conn;

	if (scene->w.blackhole.sa.sa_family != AF_UNSPEC) {
		EXPECT_EQ(GW_OK, net_connect(scene->w.core[CLIENT], &scene->w.v4[CLIENT],
					     &scene->w.blackhole, &side_ops, client, 150, &conn));
		side_begin(client, conn);
		UNTIL(scene, client->closed == 1);
		EXPECT_EQ(GW_CONN_TIMEOUT, client->why);
		EXPECT_EQ(0, client->connected);
		EXPECT(now_us(scene) - start_us >= 150000);
	}
	scene_free(scene);
}

TEST(conn, abandons_a_connect_that_is_aborted)
{
	struct scene *scene = scene_new(state, &limits_usual);
	struct side *client = &scene->client[0];
	struct endpoint peer = server_at(scene, &scene->w.v4[SERVER]);

	listen_on(scene, &scene->w.v4[SERVER]);
	connect_to(scene, client, &scene->w.v4[CLIENT], &peer);
	conn_abort(client->conn, GW_MW_TIMEOUT);
	EXPECT_EQ(0, client->closed);
	UNTIL(scene, client->closed == 1);
	EXPECT_EQ(GW_MW_TIMEOUT, client->why);
	turns(scene, 20);
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
		turn(scene);
	}
	EXPECT_EQ(total, client->received);
	EXPECT_EQ(total, server->received);
	scene_free(scene);
}

TEST(conn, says_writable_at_low_water_after_the_send_buffer_was_full)
{
	struct scene *scene = scene_new(state, &limits_usual);
	struct side *client = &scene->client[0], *server = &scene->server.side[0];
	int stuck = 0;

	server->pauses = true;
	listen_on(scene, &scene->w.v4[SERVER]);
	open_client(scene, 0);
	while (stuck < 50) { /* until nothing moves any more */
		stuck = side_write(client, UINT32_MAX) > 0 ? 0 : stuck + 1;
		turn(scene);
	}
	EXPECT_EQ(0, conn_tx_room(client->conn));
	EXPECT_EQ(0, server->readable);
	client->writable = 0;
	conn_resume_rx(server->conn);
	UNTIL(scene, client->writable == 1);
	EXPECT(client->room_at_writable >= limits_usual.send_bytes / 4 * 3);
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
		turn(scene);
	}
	while (conn_peek(server->conn, held, &len) != NULL)
		held += len;
	EXPECT(held > 0);
	EXPECT(held <= limits_usual.receive_bytes);
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
	turns(scene, 5);
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
	turns(scene, 20);
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
	turns(scene, 20);
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
	turns(scene, 3);
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
	turns(scene, 20);
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
	turns(scene, 20);
	EXPECT_EQ(0, server->fins + server->closed);
	conn_resume_rx(server->conn);
	UNTIL(scene, server->closed == 1);
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
	turns(scene, 10);
	EXPECT_EQ(0, scene->client[0].deadlines);
	scene_free(scene);
}

TEST(conn, lets_readable_abort_another_connection)
{
	struct scene *scene = scene_connected(state);
	struct side *a = &scene->server.side[0], *b = &scene->server.side[1];

	open_client(scene, 1);
	UNTIL(scene, b->received == 1);
	a->victim = b;
	b->victim = a; /* whoever is first: the other hears nothing but closed */
	a->readable = b->readable = 0;
	side_write(&scene->client[0], 100);
	side_write(&scene->client[1], 100);
	UNTIL(scene, a->closed + b->closed == 1);
	turns(scene, 10);
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
	open_client(scene, 0);
	EXPECT(net_find(scene->w.core[CLIENT], ref) == NULL); /* nor its successor */
	EXPECT(net_find(scene->w.core[CLIENT], client->ref) == client->conn);
	scene_free(scene);
}

TEST(conn, says_deadline_once_and_not_early)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0];
	uint64_t start_us = now_us(scene);

	conn_set_deadline(client->conn, 40);
	EXPECT(net_next_deadline_us(scene->w.core[CLIENT]) <= start_us + 41000);
	UNTIL(scene, client->deadlines == 1);
	EXPECT(now_us(scene) - start_us >= 40000);
	turns(scene, 100);
	EXPECT_EQ(1, client->deadlines);
	scene_free(scene);
}

TEST(conn, moves_and_disarms_a_deadline)
{
	struct scene *scene = scene_connected(state);
	struct side *client = &scene->client[0];
	uint64_t start_us = now_us(scene);

	conn_set_deadline(client->conn, 5);
	conn_set_deadline(client->conn, 0);
	while (now_us(scene) < start_us + 20000)
		turn(scene);
	EXPECT_EQ(0, client->deadlines);
	start_us = now_us(scene);
	conn_set_deadline(client->conn, 5);
	conn_set_deadline(client->conn, 50);
	UNTIL(scene, client->deadlines == 1);
	EXPECT(now_us(scene) - start_us >= 50000);
	scene_free(scene);
}

/* ---- the core ---- */

TEST(conn, keeps_to_the_limit_of_connections_and_serves_who_waits)
{
	struct net_limits limits = limits_usual;
	struct scene *scene;
	struct endpoint peer;
	struct conn *conn;

	limits.connections = 3;
	scene = scene_new(state, &limits);
	peer = server_at(scene, &scene->w.v4[SERVER]);
	listen_on(scene, &scene->w.v4[SERVER]);
	for (uint32_t i = 0; i < 3; i++)
		open_client(scene, i);
	EXPECT_EQ(GW_CONN_LIMIT, net_connect(scene->w.core[CLIENT], &scene->w.v4[CLIENT], &peer,
					     &side_ops, &scene->client[3], 1000, &conn));
	conn_abort(scene->client[0].conn, GW_CONN_ABORTED);
	UNTIL(scene, scene->client[0].closed == 1 && scene->server.side[0].closed == 1);
	open_client(scene, 3);
	UNTIL(scene, scene->server.side[3].received == 1);
	turns(scene, 10);
	scene_free(scene);
}

TEST(conn, goes_on_with_its_connections_after_it_stopped_listening)
{
	struct scene *scene = scene_connected(state);
	struct endpoint peer = server_at(scene, &scene->w.v4[SERVER]);

	net_stop_listening(scene->w.core[SERVER]);
	connect_to(scene, &scene->client[1], &scene->w.v4[CLIENT], &peer);
	UNTIL(scene, scene->client[1].closed == 1);
	EXPECT_EQ(GW_CONN_REFUSED, scene->client[1].why);
	side_write(&scene->client[0], 100);
	UNTIL(scene, scene->server.side[0].received == 101);
	scene_free(scene);
}

TEST(conn, tells_every_connection_when_the_core_is_closed)
{
	struct scene *scene = scene_connected(state);

	open_client(scene, 1);
	side_write(&scene->client[1], 1000);
	net_close(scene->w.core[SERVER]);
	scene->w.core[SERVER] = NULL;
	EXPECT_EQ(1, scene->server.side[0].closed);
	EXPECT_EQ(1, scene->server.side[1].closed);
	EXPECT_EQ(GW_STOPPING, scene->server.side[0].why);
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

/* ---- UDP ---- */

struct port {
	uint32_t datagrams;
	uint32_t unreachable;
	uint32_t len;
	uint8_t bytes[65536];
	struct endpoint local, peer;
};

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
	static struct port port[CORES];
	struct endpoint any = server_at(scene, bound), server = server_at(scene, server_host);
	struct endpoint client = server_at(scene, client_host);

	memset(port, 0, sizeof(port));
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
	struct scene *scene = scene_new(state, &limits_usual);

	udp_exchange(scene, &scene->w.v4[SERVER], &scene->w.v4[SERVER], &scene->w.v4[CLIENT]);
	scene_free(scene);
}

TEST(udp, carries_datagrams_over_ipv6)
{
	struct scene *scene = scene_new(state, &limits_usual);

	udp_exchange(scene, &scene->w.v6[SERVER], &scene->w.v6[SERVER], &scene->w.v6[CLIENT]);
	scene_free(scene);
}

TEST(udp, tells_the_address_a_datagram_came_to_on_a_wildcard_port_and_answers_from_it)
{
	struct scene *scene = scene_new(state, &limits_usual);
	struct endpoint any = {.v4 = {.sin_family = AF_INET}};

	udp_exchange(scene, &any, &scene->w.v4[SERVER], &scene->w.v4[CLIENT]);
	scene_free(scene);
}

TEST(udp, carries_a_burst_and_an_empty_datagram)
{
	struct scene *scene = scene_new(state, &limits_usual);
	static struct port port;
	struct endpoint server = server_at(scene, &scene->w.v4[SERVER]);
	struct endpoint client = server_at(scene, &scene->w.v4[CLIENT]);

	memset(&port, 0, sizeof(port));
	endpoint_set_port(&client, (uint16_t)(scene->w.port + 1));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[SERVER], &server, &port_ops, &port));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[CLIENT], &client, &port_ops, &port));
	for (int i = 0; i < 50; i++)
		EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[CLIENT], &client, &server, SPAN("x")));
	UNTIL(scene, port.datagrams == 50);
	EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[CLIENT], &client, &server, span_of(NULL, 0)));
	UNTIL(scene, port.datagrams == 51);
	EXPECT_EQ(0, port.len);
	scene_free(scene);
}

TEST(udp, tells_that_a_peer_is_unreachable_and_goes_on)
{
	struct scene *scene = scene_new(state, &limits_usual);
	static struct port port;
	struct endpoint client = server_at(scene, &scene->w.v4[CLIENT]);

	memset(&port, 0, sizeof(port));
	endpoint_set_port(&client, (uint16_t)(scene->w.port + 1));
	EXPECT_EQ(GW_OK, net_udp_bind(scene->w.core[CLIENT], &client, &port_ops, &port));
	EXPECT_EQ(GW_OK,
		  net_udp_send(scene->w.core[CLIENT], &client, &scene->w.nobody, SPAN("anybody?")));
	UNTIL(scene, port.unreachable == 1);
	EXPECT(endpoint_same_host(&scene->w.nobody, &port.peer));
	EXPECT_EQ(endpoint_port(&scene->w.nobody), endpoint_port(&port.peer));
	EXPECT_EQ(GW_OK, net_udp_send(scene->w.core[CLIENT], &client, &client, SPAN("myself")));
	UNTIL(scene, port.datagrams == 1);
	scene_free(scene);
}

TEST(udp, refuses_to_send_from_a_port_that_is_not_bound)
{
	struct scene *scene = scene_new(state, &limits_usual);
	struct endpoint client = server_at(scene, &scene->w.v4[CLIENT]);

	EXPECT_EQ(GW_SYSTEM, net_udp_send(scene->w.core[CLIENT], &client, &client, SPAN("x")));
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
		RUN_IN(w, conn, is_idle_when_there_is_nothing_to_do),
		RUN_IN(w, udp, carries_datagrams_both_ways),
		RUN_IN(w, udp, carries_datagrams_over_ipv6),
		RUN_IN(w, udp,
		       tells_the_address_a_datagram_came_to_on_a_wildcard_port_and_answers_from_it),
		RUN_IN(w, udp, carries_a_burst_and_an_empty_datagram),
		RUN_IN(w, udp, tells_that_a_peer_is_unreachable_and_goes_on),
		RUN_IN(w, udp, refuses_to_send_from_a_port_that_is_not_bound),
	};

	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
