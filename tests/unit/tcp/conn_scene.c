/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_scene.h"

const struct net_limits scene_limits = {.connections = 32,
					.receive_bytes = 32768,
					.send_bytes = 32768,
					.user_timeout_us = 20000000};

/* Byte number n of any stream: from a peer's point of view nothing repeats at a power of two. */
uint8_t stream_byte(uint64_t n)
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

void side_read(struct side *s)
{
	uint32_t len;
	const uint8_t *at;

	while ((at = conn_peek(s->conn, 0, &len)) != NULL) {
		side_check(s, at, len);
		conn_consume(s->conn, len);
		s->received += len;
	}
}

uint32_t side_write(struct side *s, uint32_t max)
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

void side_begin(struct side *s, struct conn *conn)
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
	if (s->reopens) {
		struct conn_request request = {.local = conn_local(conn),
					       .peer = conn_peer(conn),
					       .ops = &side_ops,
					       .context = s,
					       .timeout_ms = 3000};
		struct conn *again;

		endpoint_set_port(&request.local, 0);
		s->reopened = net_connect(s->w->core[SERVER], &request, &again);
	}
	s->conn = NULL;
}

const struct conn_ops side_ops = {.accept = on_accept,
				  .connected = on_connected,
				  .readable = on_readable,
				  .writable = on_writable,
				  .peer_fin = on_fin,
				  .deadline = on_deadline,
				  .closed = on_closed};

struct scene *scene_new(void **state, const struct net_limits *limits)
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

void scene_free(struct scene *scene)
{
	scene->w.world->close(&scene->w);
	for (uint32_t i = 0; i < SIDES; i++) {
		EXPECT(!scene->client[i].wrong && !scene->server.side[i].wrong);
		EXPECT(scene->client[i].closed <= 1 && scene->server.side[i].closed <= 1);
		EXPECT(scene->client[i].conn == NULL && scene->server.side[i].conn == NULL);
	}
	free(scene);
}

void scene_turn(struct scene *scene)
{
	scene->w.world->turn(&scene->w);
}

void scene_turns(struct scene *scene, int n)
{
	while (n-- > 0)
		scene_turn(scene);
}

uint64_t scene_now_us(const struct scene *scene)
{
	return scene->w.clock[CLIENT].now_us;
}

struct endpoint scene_server_at(const struct scene *scene, const struct endpoint *address)
{
	struct endpoint e = *address;

	endpoint_set_port(&e, scene->w.port);
	return e;
}

void scene_listen(struct scene *scene, const struct endpoint *address)
{
	struct endpoint at = scene_server_at(scene, address);

	EXPECT_EQ(GW_OK, net_listen(scene->w.core[SERVER], &at, &side_ops, &scene->server));
}

void scene_connect(struct scene *scene, struct side *s, const struct endpoint *local,
		   const struct endpoint *peer)
{
	struct conn_request request = {*local, *peer, &side_ops, s, 3000};
	struct conn *conn;

	EXPECT_EQ(GW_OK, net_connect(scene->w.core[CLIENT], &request, &conn));
	EXPECT_EQ(0, s->connected + s->closed);
	side_begin(s, conn);
}

struct side *scene_open_client(struct scene *scene, uint32_t n)
{
	struct side *s = &scene->client[n];
	struct endpoint peer = scene_server_at(scene, &scene->w.v4[SERVER]);
	uint32_t sides = scene->server.sides;

	scene_connect(scene, s, &scene->w.v4[CLIENT], &peer);
	UNTIL(scene, s->connected == 1);
	EXPECT_EQ(1, side_write(s, 1));
	UNTIL(scene, scene->server.sides == sides + 1);
	return s;
}

struct scene *scene_connected(void **state)
{
	struct scene *scene = scene_new(state, &scene_limits);

	scene_listen(scene, &scene->w.v4[SERVER]);
	scene_open_client(scene, 0);
	UNTIL(scene, scene->server.side[0].received == 1);
	return scene;
}
