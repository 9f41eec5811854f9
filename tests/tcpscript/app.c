/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stddef.h>

#include "world.h"

static void heard(struct world *world, struct peer *peer, enum event_kind kind, enum gw_err why)
{
	if (world->heard_count == WORLD_EVENTS) {
		world_fail(world, "too many events");
		return;
	}
	world->heard[world->heard_count++] = (struct heard){world->clock.now_us, peer, kind, why};
}

static void react(struct world *world, struct peer *peer, enum event_kind kind, enum gw_err why)
{
	struct reaction *reaction = &peer->when[kind];

	heard(world, peer, kind, why);
	if (reaction->words > 0)
		world_app(world, peer, reaction->word, reaction->words, reaction->turn);
}

/* ---- what TCP calls ----------------------------------------------------------------------------
 */

static struct world *one_world(struct peer *peer)
{
	return (struct world *)((uint8_t *)(peer - peer->label % WORLD_PEERS) -
				offsetof(struct world, peer));
}

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct world *world = listener_context;
	struct endpoint local = tcp_local(conn), remote = tcp_peer(conn);
	struct ip_address here = ip_address_of(&local), there = ip_address_of(&remote);
	struct peer *peer = world_peer_at(world, &here, ntohs(local.v4.sin_port), &there,
					  ntohs(remote.v4.sin_port));

	if (peer == NULL || peer->open) {
		world_fail(world, "accept of a connection that nobody opened");
		return GW_CONN_LIMIT;
	}
	heard(world, peer, HEARD_ACCEPT, GW_OK);
	if (peer->when[HEARD_ACCEPT].words > 0 &&
	    strcmp(peer->when[HEARD_ACCEPT].word[0], "refuse") == 0)
		return GW_CONN_REFUSED;
	*context = peer;
	peer->conn = conn;
	peer->open = true;
	peer->read = peer->written = 0;
	if (peer->when[HEARD_ACCEPT].words > 0)
		world_app(world, peer, peer->when[HEARD_ACCEPT].word,
			  peer->when[HEARD_ACCEPT].words, peer->when[HEARD_ACCEPT].turn);
	return GW_OK;
}

static void on_connected(struct conn *conn, void *context)
{
	struct peer *peer = context;

	react(one_world(peer), peer, HEARD_CONNECTED, GW_OK);
}

static void on_readable(struct conn *conn, void *context)
{
	struct peer *peer = context;

	react(one_world(peer), peer, HEARD_READABLE, GW_OK);
}

static void on_writable(struct conn *conn, void *context)
{
	struct peer *peer = context;

	react(one_world(peer), peer, HEARD_WRITABLE, GW_OK);
}

static void on_fin(struct conn *conn, void *context)
{
	struct peer *peer = context;

	react(one_world(peer), peer, HEARD_FIN, GW_OK);
}

static void on_deadline(struct conn *conn, void *context)
{
	struct peer *peer = context;

	react(one_world(peer), peer, HEARD_DEADLINE, GW_OK);
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct peer *peer = context;

	if (!peer->open)
		world_fail(one_world(peer), "[%u]: closed was called twice", peer->label);
	react(one_world(peer), peer, HEARD_CLOSED, why);
	peer->conn = NULL;
	peer->open = false;
}

static const struct conn_ops script_conn_ops = {on_accept, on_connected, on_readable, on_writable,
						on_fin,	   on_deadline,	 on_closed};

/* ---- what the user does ------------------------------------------------------------------------
 */

/* listen [any | PORT [fails ERROR]] */
static bool app_listen(struct world *world, struct peer *peer, char *const *word, uint32_t words,
		       uint32_t turn)
{
	struct ip_address any = {{0}}, local = peer->local;
	struct endpoint at;
	int64_t port = peer->local_port;
	const char *wish = words == 4 && strcmp(word[2], "fails") == 0 ? word[3] : "GW_OK", *got;

	if (words > 1 && strcmp(word[1], "any") == 0)
		local = world->v6 ? any : ip_address_v4((const uint8_t[4]){0});
	else if (words > 1 && !script_number(word[1], turn, &port))
		return world_fail(world, "listen [any | PORT [fails ERROR]]");
	at = ip_address_endpoint(&local, (uint16_t)port);
	got = gw_err_name(tcp_listen(world->tcp, &at, &script_conn_ops, world));
	return strcmp(got, wish) == 0 ||
	       world_fail(world, "listen: %s expected, got %s", wish, got);
}

/* connect [MS [from PORT]] [fails ERROR] */
static bool app_connect(struct world *world, struct peer *peer, char *const *word, uint32_t words,
			uint32_t turn)
{
	int64_t ms = 4000, port = 0;
	const char *wish = "GW_OK";
	struct conn_request request = {.ops = &script_conn_ops, .context = peer};
	enum gw_err err;

	for (uint32_t i = 1; i + 1 < words; i += 2) {
		bool ok = true;

		if (strcmp(word[i], "timeout") == 0)
			ok = script_number(word[i + 1], turn, &ms);
		else if (strcmp(word[i], "from") == 0)
			ok = script_number(word[i + 1], turn, &port);
		else if (strcmp(word[i], "fails") == 0)
			wish = word[i + 1];
		else
			ok = false;
		if (!ok)
			return world_fail(world, "connect: not understood: %s", word[i]);
	}
	peer->local_port = (uint16_t)port;
	request.local = ip_address_endpoint(&peer->local, (uint16_t)port);
	request.peer = ip_address_endpoint(&peer->remote, peer->remote_port);
	request.timeout_ms = (uint32_t)ms;
	err = tcp_connect(world->tcp, &request, &peer->conn);
	peer->open = err == GW_OK;
	peer->read = peer->written = 0;
	return strcmp(gw_err_name(err), wish) == 0 ||
	       world_fail(world, "connect: %s expected, got %s", wish, gw_err_name(err));
}

/* write N: all of it; fill: until there is no room. */
static bool app_write(struct world *world, struct peer *peer, uint32_t n, bool fill)
{
	uint32_t left = n, room;

	while (left > 0) {
		uint8_t *to = tcp_tx_reserve(peer->conn, &room);

		if (to == NULL || room == 0)
			return fill || world_fail(world, "no room for %u of %u bytes", left, n);
		if (room > left)
			room = left;
		for (uint32_t i = 0; i < room; i++)
			to[i] = world_byte(peer->written + i);
		tcp_tx_commit(peer->conn, room);
		peer->written += room;
		left -= room;
	}
	return true;
}

/* read N: exactly, from the front; "all" whatever there is. */
static bool app_read(struct world *world, struct peer *peer, uint32_t n, bool all)
{
	uint32_t left = n, len;

	while (left > 0) {
		const uint8_t *at = tcp_peek(peer->conn, 0, &len);

		if (at == NULL || len == 0)
			return all || world_fail(world, "%u of %u bytes cannot be read", left, n);
		if (len > left)
			len = left;
		for (uint32_t i = 0; i < len; i++)
			if (at[i] != world_byte(peer->read + i))
				return world_fail(world, "byte %u that was read is wrong",
						  peer->read + i);
		tcp_consume(peer->conn, len);
		peer->read += len;
		left -= len;
	}
	return true;
}

static bool app_when(struct world *world, struct peer *peer, char *const *word, uint32_t words,
		     uint32_t turn)
{
	static const char *const kinds[HEARD_KINDS] = {"accept",   "connected", "readable",
						       "writable", "fin",	"deadline",
						       "closed"};

	for (uint32_t i = 0; words > 2 && words < 7 && i < HEARD_KINDS; i++)
		if (strcmp(word[1], kinds[i]) == 0) {
			struct reaction *r = &peer->when[i];

			r->words = words - 2;
			r->turn = turn;
			memcpy(r->word, word + 2, r->words * sizeof(word[0]));
			return true;
		}
	return world_fail(world, "when EVENT ACTION ...");
}

static bool app_call(struct world *world, struct peer *peer, const char *verb, int64_t n)
{
	if (strcmp(verb, "write") == 0)
		return app_write(world, peer, (uint32_t)n, false);
	if (strcmp(verb, "read") == 0)
		return app_read(world, peer, (uint32_t)n, false);
	if (strcmp(verb, "fill") == 0)
		return app_write(world, peer, UINT32_MAX, true);
	if (strcmp(verb, "readall") == 0)
		return app_read(world, peer, UINT32_MAX, true);
	if (strcmp(verb, "reserve") == 0) /* and does not commit */
		(void)tcp_tx_reserve(peer->conn, &(uint32_t){0});
	else if (strcmp(verb, "shutdown") == 0)
		tcp_shutdown_tx(peer->conn);
	else if (strcmp(verb, "abort") == 0)
		tcp_abort(peer->conn, GW_CONN_ABORTED);
	else if (strcmp(verb, "pause") == 0)
		tcp_pause_rx(peer->conn);
	else if (strcmp(verb, "resume") == 0)
		tcp_resume_rx(peer->conn);
	else if (strcmp(verb, "deadline") == 0)
		tcp_set_deadline(peer->conn, (uint32_t)n);
	else
		return world_fail(world, "app: %s is unknown", verb);
	return true;
}

bool world_app(struct world *world, struct peer *peer, char *const *word, uint32_t words,
	       uint32_t turn)
{
	int64_t n = 0;

	if (words == 0)
		return world_fail(world, "app: what?");
	if (strcmp(word[0], "listen") == 0)
		return app_listen(world, peer, word, words, turn);
	if (strcmp(word[0], "connect") == 0)
		return app_connect(world, peer, word, words, turn);
	if (strcmp(word[0], "when") == 0)
		return app_when(world, peer, word, words, turn);
	if (strcmp(word[0], "stop-listening") == 0) {
		tcp_stop_listening(world->tcp);
		return true;
	}
	if (words > 2 && strcmp(word[1], "of") == 0 && script_number(word[2], turn, &n))
		peer = world_peer(world, (uint32_t)n); /* abort of 2: another connection */
	else if (words > 1 && !script_number(word[1], turn, &n))
		return world_fail(world, "app: %s: number expected, got %s", word[0], word[1]);
	if (peer->conn == NULL)
		return world_fail(world, "app: %s: there is no connection", word[0]);
	return app_call(world, peer, word[0], n);
}
