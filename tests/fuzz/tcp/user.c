/* SPDX-License-Identifier: BSD-3-Clause */
#include "user.h"

#include <stdlib.h>

#define SENT_MAX 200000u /* bytes of a connection: an input takes no longer */
#define BREAK(user, ...) violate(&(user)->stage->world, 0, __VA_ARGS__)

static struct user *peer_of(const struct user *user)
{
	return &user->stage->user[user->app->pair - user->stage->world.pair][!user->app->side];
}

static struct host *host_of(const struct user *user)
{
	return &user->stage->world.host[user->app->host];
}

/* ---- bytes -------------------------------------------------------------------------------------
 */

/** The peer is the one it began with, and so what he has said is known. */
static bool knows_peer(const struct user *user)
{
	return user->peer_life != 0 && peer_of(user)->life == user->peer_life;
}

static void verify(struct user *user, const uint8_t *at, uint32_t len, uint64_t offset)
{
	const struct app *peer = peer_of(user)->app;

	for (uint32_t i = 0; i < len; i++)
		if (at[i] != app_byte(peer, offset + i)) {
			BREAK(user, "byte %llu is not what was sent",
			      (unsigned long long)(offset + i));
			return;
		}
	if (knows_peer(user) && offset + len > peer->sent)
		BREAK(user, "%llu bytes were received, %llu sent",
		      (unsigned long long)(offset + len), (unsigned long long)peer->sent);
}

/** All that can be read; every byte is looked at. */
static uint32_t peek_all(struct user *user)
{
	uint32_t total = 0, len = 0;
	const uint8_t *at;

	while ((at = conn_peek(user->app->conn, total, &len)) != NULL && len > 0) {
		verify(user, at, len, user->app->received + total);
		total += len;
	}
	if (at != NULL || len != 0)
		BREAK(user, "conn_peek() gives a place without bytes");
	return total;
}

static uint32_t read_some(struct user *user, uint32_t max)
{
	uint32_t total = 0, len = 0;
	const uint8_t *at;

	while (total < max && (at = conn_peek(user->app->conn, 0, &len)) != NULL && len > 0) {
		len = len < max - total ? len : max - total;
		verify(user, at, len, user->app->received);
		conn_consume(user->app->conn, len);
		user->app->received += len;
		total += len;
	}
	if (user->seen < user->app->received)
		user->seen = user->app->received;
	return total;
}

static void write_some(struct user *user, uint32_t max)
{
	struct app *app = user->app;
	uint32_t room = 1;

	while (max > 0 && app->sent < SENT_MAX) {
		uint32_t before = conn_tx_room(app->conn);
		uint8_t *to = conn_tx_reserve(app->conn, &room);

		if ((to == NULL) != (room == 0) || room > before)
			BREAK(user, "a reservation of %u bytes, room for %u", room, before);
		if (to == NULL) {
			user->owed_writable = true;
			return;
		}
		room = room < max ? room : max;
		for (uint32_t i = 0; i < room; i++)
			to[i] = app_byte(app, app->sent + i);
		conn_tx_commit(app->conn, room);
		app->sent += room;
		max -= room;
		if (conn_tx_room(app->conn) == 0) /* writable follows, asked for or not */
			user->owed_writable = true;
	}
}

static void reserve_only(struct user *user)
{
	uint32_t room = 0;
	uint8_t *to = conn_tx_reserve(user->app->conn, &room);

	if (to != NULL)
		memset(to, 0xee, room); /* must never be seen */
	else
		user->owed_writable = true;
}

/* ---- deeds -------------------------------------------------------------------------------------
 */

static void user_begin(struct user *user, struct conn *conn)
{
	user->app->conn = conn;
	user->app->sent = user->app->received = 0;
	user->app->shut = user->app->opened = false;
	user->active = user->paused = user->fin_seen = user->owed_writable = user->resumed = false;
	user->seen = user->deadline_us = 0;
	user->aborted = GW_OK;
	user->life = ++user->stage->lives;
	user->peer_life = 0;
	user->ref = conn_ref(conn);
}

/** The two ends of one connection know each other from here on. */
static void user_meet(struct user *user)
{
	struct user *peer = peer_of(user);
	const struct tcb *ours = (const struct tcb *)user->app->conn,
			 *theirs = (const struct tcb *)peer->app->conn;

	if (!user->stage->both || theirs == NULL || ours->irs != theirs->iss ||
	    theirs->irs != ours->iss)
		return;
	user->peer_life = peer->life;
	peer->peer_life = user->life;
}

static const struct conn_ops user_ops;

static void user_open(struct user *user)
{
	struct app *app = user->app;
	struct conn_request request = {.local = app->pair->ends[app->side],
				       .peer = app->pair->ends[!app->side],
				       .ops = &user_ops,
				       .context = user,
				       .timeout_ms = 20000};
	bool there = app->conn != NULL && tcp_find(host_of(user)->tcp, user->ref) != NULL;
	struct conn *conn;

	if (app->conn != NULL && (!there || (user->active && app->shut && !app->opened)))
		return; /* it has ended, and will be told so: by a close before it was open, too */
	if (tcp_connect(host_of(user)->tcp, &request, &conn) != GW_OK)
		return;
	if (there)
		BREAK(user, "two connections with the same ends");
	user_begin(user, conn);
	user->active = true;
}

static void user_abort(struct user *user)
{
	if (user->app->conn == NULL)
		return;
	if (tcp_find(host_of(user)->tcp, user->ref) != NULL) /* it has not ended by itself */
		user->aborted = GW_CONN_ABORTED;
	conn_abort(user->app->conn, GW_CONN_ABORTED);
}

static void user_deadline(struct user *user, uint32_t ms)
{
	conn_set_deadline(user->app->conn, ms);
	user->deadline_us = ms != 0 ? host_of(user)->clock.now_us + ms * UINT64_C(1000) : 0;
}

/** A name is good for as long as the connection is, and only it. */
static void user_ask(struct user *user)
{
	struct conn *conn = user->app->conn, *found = tcp_find(host_of(user)->tcp, user->ref);
	struct endpoint local = conn_local(conn), peer = conn_peer(conn);
	const struct app *app = user->app;
	struct handle ref = conn_ref(conn);

	if (found != NULL && found != conn)
		BREAK(user, "a name finds another connection");
	if (memcmp(&ref, &user->ref, sizeof(ref)) != 0)
		BREAK(user, "a connection has another name than before");
	if (!endpoint_same_host(&local, &app->pair->ends[app->side]) ||
	    !endpoint_same_host(&peer, &app->pair->ends[!app->side]) ||
	    endpoint_port(&local) != endpoint_port(&app->pair->ends[app->side]) ||
	    endpoint_port(&peer) != endpoint_port(&app->pair->ends[!app->side]))
		BREAK(user, "a connection has other ends than before");
	peek_all(user);
}

static void user_shut(struct user *user)
{
	conn_shutdown_tx(user->app->conn);
	user->app->shut = true;
	user->app->fin_at = user->app->sent;
	user->owed_writable = false;
}

/** Those that need a connection. */
static void deed_do(struct user *user, const struct wish *wish)
{
	switch (wish->deed) {
	case DEED_READ:
		read_some(user, wish->arg != 0 ? (uint32_t)wish->arg * wish->arg : UINT32_MAX);
		return;
	case DEED_WRITE:
		write_some(user, wish->arg != 255 ? 1 + wish->arg * 16u : UINT32_MAX);
		return;
	case DEED_SHUTDOWN:
		if (!user->app->shut)
			user_shut(user);
		else
			conn_shutdown_tx(user->app->conn); /* idempotent */
		return;
	case DEED_PAUSE:
		user->paused = true;
		conn_pause_rx(user->app->conn);
		return;
	case DEED_RESUME:
		user->resumed = user->resumed || user->paused;
		user->paused = false;
		conn_resume_rx(user->app->conn);
		return;
	case DEED_DEADLINE:
		user_deadline(user, (uint32_t)wish->arg * wish->arg);
		return;
	case DEED_ECHO:
		write_some(user, read_some(user, UINT32_MAX));
		return;
	case DEED_RESERVE:
		reserve_only(user);
		return;
	case DEED_PEEK:
	case DEED_ASK:
		user_ask(user);
		return;
	default:
		return;
	}
}

void user_do(struct user *user, const struct wish *wish)
{
	struct stage *stage = user->stage;
	struct user *other = &stage->user[wish->arg / 2 % STAGE_PAIRS][wish->arg % 2];

	if (!stage->both && other->app->host != 0)
		other = user;
	stage->in_api = true;
	if (wish->deed == DEED_OPEN)
		user_open(other->app->host == user->app->host ? other : user);
	else if (wish->deed == DEED_ABORT)
		user_abort(user);
	else if (wish->deed == DEED_ABORT_OTHER && other->app->host == user->app->host)
		user_abort(other);
	else if (wish->deed == DEED_STOP && wish->arg == 255)
		tcp_stop_listening(host_of(user)->tcp);
	else if (user->app->conn != NULL)
		deed_do(user, wish);
	stage->in_api = false;
}

/* ---- what TCP tells ----------------------------------------------------------------------------
 */

static void called(struct user *user, const struct conn *conn, const char *what)
{
	struct host *host = host_of(user);

	host->progress++;
	user->app->pair->chain = 0;
	if (user->app->conn != conn)
		BREAK(user, "%s of a connection that has ended", what);
	if (user->stage->in_api || !host->telling)
		BREAK(user, "%s outside of tcp_run_ready()", what);
}

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct host *host = listener_context;
	struct stage *stage = (struct stage *)host->world;
	struct endpoint peer = conn_peer(conn);
	uint32_t pair = endpoint_port(&peer) - STAGE_CLIENT;
	struct user *user;

	if (!host->telling || stage->in_api)
		violate(host->world, 0, "accept outside of tcp_run_ready()");
	if (pair >= STAGE_PAIRS)
		return GW_CONN_REFUSED;
	user = &stage->user[pair][1];
	if (user->app->host != host->index || user->app->conn != NULL ||
	    user->habit[CALL_ACCEPT].deed == DEED_REFUSE)
		return GW_CONN_REFUSED; /* the one before has not been told of its end yet */
	user_begin(user, conn);
	user_meet(user);
	*context = user;
	user_do(user, &user->habit[CALL_ACCEPT]);
	return GW_OK;
}

static void on_connected(struct conn *conn, void *context)
{
	struct user *user = context;

	called(user, conn, "connected");
	if (!user->active || user->app->opened)
		BREAK(user, "connected twice, or of an accepted connection");
	user->app->opened = true;
	user_meet(user);
	user_do(user, &user->habit[CALL_CONNECTED]);
}

static void on_readable(struct conn *conn, void *context)
{
	struct user *user = context;
	uint64_t there;

	called(user, conn, "readable");
	there = user->app->received + peek_all(user);
	if (user->paused)
		BREAK(user, "readable during a pause");
	if (there == user->app->received)
		BREAK(user, "readable, and nothing can be peeked");
	if (there <= user->seen && !user->resumed)
		BREAK(user, "readable again, and nothing has come");
	user->seen = there;
	user->resumed = false;
	user_do(user, &user->habit[CALL_READABLE]);
}

static void on_writable(struct conn *conn, void *context)
{
	struct user *user = context;

	called(user, conn, "writable");
	if (!user->owed_writable || user->app->shut)
		BREAK(user, "writable, and nobody waits for it");
	if (conn_tx_room(conn) == 0)
		BREAK(user, "writable, and there is no room");
	user->owed_writable = false;
	user_do(user, &user->habit[CALL_WRITABLE]);
}

static void on_fin(struct conn *conn, void *context)
{
	struct user *user = context;
	uint64_t there;

	called(user, conn, "peer_fin");
	there = user->app->received + peek_all(user);
	if (user->paused || user->fin_seen)
		BREAK(user, "peer_fin twice, or during a pause");
	if (there > user->seen)
		BREAK(user, "peer_fin before readable");
	if (knows_peer(user) && (!peer_of(user)->app->shut || peer_of(user)->app->fin_at != there))
		BREAK(user, "peer_fin after %llu bytes, and the peer has said another",
		      (unsigned long long)there);
	user->fin_seen = true;
	user_do(user, &user->habit[CALL_FIN]);
}

static void on_deadline(struct conn *conn, void *context)
{
	struct user *user = context;

	called(user, conn, "deadline");
	if (user->deadline_us == 0 || host_of(user)->clock.now_us < user->deadline_us)
		BREAK(user, "deadline before its time");
	user->deadline_us = 0;
	user_do(user, &user->habit[CALL_DEADLINE]);
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct user *user = context;

	called(user, conn, "closed");
	if (why == GW_OK || (user->aborted != GW_OK && why != user->aborted))
		BREAK(user, "closed: %s", gw_err_text(why));
	if (why == GW_CONN_CLOSED && user->app->opened + !user->active > 0 &&
	    (!user->app->shut || !user->fin_seen))
		BREAK(user, "closed in order, but not by both");
	user_ask(user);
	user->app->conn = NULL;
	user_do(user, &user->habit[CALL_CLOSED]);
}

static const struct conn_ops user_ops = {.accept = on_accept,
					 .connected = on_connected,
					 .readable = on_readable,
					 .writable = on_writable,
					 .peer_fin = on_fin,
					 .deadline = on_deadline,
					 .closed = on_closed};

/* ---- the stage ---------------------------------------------------------------------------------
 */

static void must_hold(const struct stage *stage)
{
	if (!stage->world.failed)
		return;
	fprintf(stderr, "invariant %u: %s\n", stage->world.invariant, stage->world.why);
	abort();
}

static void stage_listen(struct host *host)
{
	struct endpoint v4 = {.sa.sa_family = AF_INET}, v6 = {.sa.sa_family = AF_INET6};

	endpoint_set_port(&v4, STAGE_PORT);
	endpoint_set_port(&v6, STAGE_PORT);
	if (tcp_listen(host->tcp, &v4, &user_ops, host) != GW_OK ||
	    tcp_listen(host->tcp, &v6, &user_ops, host) != GW_OK)
		violate(host->world, 0, "tcp_listen");
}

static void stage_plan(struct stage *stage, uint32_t passive)
{
	struct plan *plan = &stage->world.plan;

	plan->half_open = 8;
	for (uint32_t i = 0; i < HOSTS; i++) {
		plan->host[i] = (struct host_plan){.turn_us = 20,
						   .send_packets = 256,
						   .held_packets = 8192,
						   .connections = CONNECTIONS_MAX,
						   .time_waits = 8};
		plan->path[i].delay_us = 1000;
	}
	for (uint32_t i = 0; i < STAGE_PAIRS; i++)
		plan->pair[i] = (struct pair_plan){.client = (uint8_t)(passive >> i & 1),
						   .v6 = (i & 1) != 0,
						   .port = STAGE_PORT,
						   .client_port = (uint16_t)(STAGE_CLIENT + i)};
}

static void stage_users(struct stage *stage)
{
	for (uint32_t i = 0; i < STAGE_PAIRS * 2; i++) {
		struct app *app = &stage->world.pair[i / 2].app[i % 2];

		app_init(&stage->world, i / 2, (uint8_t)(i % 2));
		app->next_us = UINT64_MAX; /* the simulator's users are not here */
		stage->user[i / 2][i % 2] = (struct user){.stage = stage, .app = app};
	}
}

struct stage *stage_new(bool both, uint32_t passive)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	if (stage == NULL)
		abort();
	stage->both = both;
	stage->world.verbose = getenv("FUZZ_VERBOSE") != NULL; /* to see what a finding does */
	stage_plan(stage, passive);
	for (uint8_t i = 0; i < HOSTS; i++) {
		host_init(&stage->world, i);
		path_open(&stage->world, i);
		if (!host_open(&stage->world.host[i]))
			abort();
		stage->world.host[i].tx_left = UINT32_MAX; /* what is said before its first turn */
		stage_listen(&stage->world.host[i]);
	}
	stage_users(stage);
	stage->world.plan.pairs = STAGE_PAIRS;
	must_hold(stage);
	return stage;
}

void stage_turn(struct stage *stage, uint32_t host)
{
	stage->turns++;
	host_turn(&stage->world.host[host]);
	must_hold(stage);
}

void stage_heal(struct stage *stage)
{
	for (uint32_t i = 0; i < HOSTS; i++) {
		stage->world.plan.host[i].tx_full = 0;
		stage->world.host[i].tcp->send_pool->fail_count = 0;
		stage->world.host[i].rx_pool->fail_count = 0;
		stage->world.host[i].route = GW_OK;
	}
}

void stage_free(struct stage *stage)
{
	for (uint32_t i = 0; i < HOSTS; i++)
		host_close(&stage->world.host[i]);
	for (uint32_t i = 0; i < STAGE_PAIRS * 2; i++)
		if (stage->user[i / 2][i % 2].app->conn != NULL)
			violate(&stage->world, 0, "a user was never told of the end");
	must_hold(stage);
	flights_free(&stage->world.flights);
	free(stage);
}
