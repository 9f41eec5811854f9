/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

/*
 * A user of one end of a connection: writes what its plan says, reads as it says, and ends as it
 * says. It knows what the other end sends, and the contract of conn.h.
 */

#define CONNECT_MS 20000u
#define IDLE_MS 200000u /* longer than TCP lets anything stand still */
#define NOW(app) ((app)->world->now_us)

uint8_t app_byte(const struct app *app, uint64_t at)
{
	uint64_t index = (uint64_t)(app->pair - app->world->pair) * 2 + app->side + 1;

	return (uint8_t)(((at + index * 7919) * 0x9e3779b97f4a7c15ull) >> 56);
}

static struct app *peer_of(const struct app *app)
{
	return &app->pair->app[!app->side];
}

struct app *app_of(struct world *world, const struct conn *conn)
{
	for (uint32_t i = 0; i < world->plan.pairs * 2; i++)
		if (world->pair[i / 2].app[i % 2].conn == conn)
			return &world->pair[i / 2].app[i % 2];
	return NULL;
}

bool app_over(const struct app *app)
{
	bool begins = app->side == 0 || app->pair->plan->cross;

	return app->closed || (!app->opened && !begins);
}

static void log_app(const struct app *app, const char *what, uint64_t value)
{
	if (app->world->verbose)
		printf("%12.6f %c app %u.%u  %s %llu\n", (double)NOW(app) / 1e6, "AB"[app->host],
		       (uint32_t)(app->pair - app->world->pair), app -> side, what,
		       (unsigned long long)value);
}

static void moved(struct app *app)
{
	app->world->host[app->host].progress++;
	app->pair->chain = 0;
	if (app->conn == NULL)
		return;
	conn_set_deadline(app->conn, IDLE_MS);
	if (tcp_find(app->world->host[app->host].tcp, conn_ref(app->conn)) != app->conn)
		violate(app->world, 0, "conn_ref() names another");
}

static void give_up(struct app *app, enum gw_err why)
{
	if (app->conn == NULL || app->aborted)
		return;
	log_app(app, "aborts", why);
	app->aborted = true;
	conn_abort(app->conn, why);
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/** Bytes that it may have sent by now. */
static uint64_t allowed(const struct app *app)
{
	const struct app_plan *plan = app->plan;
	uint64_t rounds;

	if (plan->rounds == 0)
		return plan->bytes;
	rounds = app->received / (peer_of(app)->plan->bytes / plan->rounds) + (app->side == 0);
	rounds = rounds < plan->rounds ? rounds : plan->rounds;
	return rounds * (plan->bytes / plan->rounds);
}

/** False: there is no room, or nothing to be said. */
static bool write_piece(struct app *app)
{
	uint64_t left = allowed(app) - app->sent;
	uint32_t room = 0, piece = app->plan->write - app->piece;
	uint32_t n = piece < left ? piece : (uint32_t)left;
	uint8_t *to;

	if (n == 0)
		return false;
	to = conn_tx_reserve(app->conn, &room);
	if ((to == NULL) != (room == 0))
		violate(app->world, 0, "conn_tx_reserve() gives a place without room");
	if (room == 0) {
		app->wants_writable = true;
		return false;
	}
	n = n < room ? n : room;
	for (uint32_t i = 0; i < n; i++)
		to[i] = app_byte(app, app->sent + i);
	conn_tx_commit(app->conn, n);
	app->sent += n;
	app->piece = (app->piece + n) % app->plan->write;
	moved(app);
	return true;
}

/** Nothing of what the peer said waits to be read, and so the end may come. */
static bool has_heard(const struct app *app)
{
	return !app->fin_seen || app->received >= peer_of(app)->sent ||
	       app->plan->reading == READ_NEVER;
}

static bool may_shut(const struct app *app)
{
	switch (app->plan->ending) {
	case END_AT_ONCE:
		return (app->sent > 0 || app->plan->bytes == 0) && has_heard(app);
	case END_AFTER_PEER:
		return app->sent == app->plan->bytes && app->fin_seen && has_heard(app);
	case END_NEVER:
	case END_ABORT:
		return false;
	default:
		return app->sent == app->plan->bytes && has_heard(app);
	}
}

static void write_all(struct app *app)
{
	while (!app->shut && NOW(app) >= app->think_until_us && write_piece(app)) {
		if (app->plan->ending == END_AT_ONCE)
			break;
		if (app->piece == 0)
			app->think_until_us = NOW(app) + app->plan->think_us;
	}
	if (!app->shut && may_shut(app)) {
		app->shut = true;
		app->fin_at = app->sent;
		log_app(app, "shuts at", app->sent);
		moved(app);
		conn_shutdown_tx(app->conn);
	}
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static void verify(struct app *app, const uint8_t *at, uint32_t len)
{
	const struct app *peer = peer_of(app);

	if (app->received + len > peer->sent && !app->world->plan.tainted) {
		violate(app->world, 1, "connection %u: %llu bytes were received, %llu sent",
			(uint32_t)(app->pair - app->world->pair),
			(unsigned long long)(app->received + len), (unsigned long long)peer->sent);
		return;
	}
	for (uint32_t i = 0; i < len && !app->world->plan.tainted; i++)
		if (at[i] != app_byte(peer, app->received + i)) {
			violate(app->world, 1, "connection %u: byte %llu is not what was sent",
				(uint32_t)(app->pair - app->world->pair),
				(unsigned long long)(app->received + i));
			return;
		}
}

/** Reads at most max bytes; how many. */
static uint32_t read_some(struct app *app, uint32_t max)
{
	uint32_t total = 0, len = 0;
	const void *at;

	while (total < max && (at = conn_peek(app->conn, 0, &len)) != NULL && len > 0) {
		len = len < max - total ? len : max - total;
		verify(app, at, len);
		conn_consume(app->conn, len);
		app->received += len;
		total += len;
	}
	if (total > 0)
		moved(app);
	return total;
}

static void pause_reading(struct app *app)
{
	if (app->paused || !draw_chance(&app->draw, 3000))
		return;
	app->paused = true;
	app->read_until_us = NOW(app) + app->plan->read_us;
	conn_pause_rx(app->conn);
}

/** What reading does when bytes are there. */
static void read_now(struct app *app)
{
	switch (app->plan->reading) {
	case READ_EAGER:
		read_some(app, UINT32_MAX);
		return;
	case READ_PAUSES:
		read_some(app, UINT32_MAX);
		pause_reading(app);
		return;
	case READ_PIECES:
		if (read_some(app, app->plan->read_bytes) > 0)
			app->read_until_us = NOW(app) + 50;
		return;
	case READ_SLOW:
		if (NOW(app) >= app->read_until_us && read_some(app, app->plan->read_bytes) > 0)
			app->read_until_us = NOW(app) + app->plan->read_us;
		return;
	case READ_LATE:
		if (NOW(app) >= app->opened_us + app->plan->read_us)
			read_some(app, UINT32_MAX);
		return;
	case READ_NEVER:
	default:
		return;
	}
}

/* ---- time --------------------------------------------------------------------------------------
 */

static bool bytes_wait(const struct app *app)
{
	uint32_t len = 0;

	return conn_peek(app->conn, 0, &len) != NULL && len > 0;
}

static uint64_t later(uint64_t at_us, uint64_t now_us)
{
	return at_us > now_us ? at_us : now_us;
}

/** When it next does something on its own. */
static void plan_next(struct app *app)
{
	const struct app_plan *plan = app->plan;
	uint64_t next = UINT64_MAX;

	if (app->conn != NULL && app->established && !app->aborted) {
		if (!app->shut && !app->wants_writable && allowed(app) > app->sent)
			next = later(app->think_until_us, NOW(app));
		if ((plan->reading == READ_PIECES || plan->reading == READ_SLOW) && bytes_wait(app))
			next = later(app->read_until_us, NOW(app)) < next
				       ? later(app->read_until_us, NOW(app))
				       : next;
		if (plan->reading == READ_LATE && NOW(app) < app->opened_us + plan->read_us &&
		    app->opened_us + plan->read_us < next)
			next = app->opened_us + plan->read_us;
		if (app->paused && app->read_until_us < next)
			next = app->read_until_us;
	}
	if (app->conn != NULL && plan->ending == END_ABORT && !app->aborted &&
	    app->opened_us + plan->abort_us < next)
		next = later(app->opened_us + plan->abort_us, NOW(app));
	app->next_us = next;
}

static void maybe_abort(struct app *app)
{
	struct app *other;

	if (app->plan->ending != END_ABORT || app->aborted)
		return;
	if (app->sent + app->received < app->plan->abort_at &&
	    NOW(app) < app->opened_us + app->plan->abort_us)
		return;
	if (app->plan->abort_at % 8 == 0) { /* and another connection of the same host */
		other = &app->world->pair[draw_below(&app->draw, app->world->plan.pairs)]
				 .app[draw_below(&app->draw, 2)];
		if (other->host == app->host)
			give_up(other, GW_CONN_ABORTED);
	}
	give_up(app, GW_CONN_ABORTED);
}

static void go_on(struct app *app)
{
	if (app->conn == NULL || app->aborted || !app->established)
		return;
	read_now(app);
	write_all(app);
	maybe_abort(app);
}

static void open_now(struct app *app)
{
	struct conn_request request = {.local = app->pair->ends[app->side],
				       .peer = app->pair->ends[!app->side],
				       .ops = &app_ops,
				       .context = app,
				       .timeout_ms = CONNECT_MS};
	enum gw_err err = tcp_connect(app->world->host[app->host].tcp, &request, &app->conn);

	app->opened = true;
	app->opened_us = NOW(app);
	log_app(app, "opens", err);
	if (err == GW_OK) {
		app->pair->ends[app->side] = conn_local(app->conn);
		moved(app);
		return;
	}
	app->conn = NULL;
	app->closed = true;
	app->why = err;
	if (app->world->plan.must_finish)
		violate(app->world, 11, "tcp_connect(): %s", gw_err_text(err));
}

void app_act(struct app *app)
{
	if (!app->opened && !app->closed) {
		open_now(app);
	} else if (app->conn != NULL) {
		if (app->paused && NOW(app) >= app->read_until_us) {
			app->paused = false;
			conn_resume_rx(app->conn);
		}
		go_on(app);
		maybe_abort(app);
	}
	plan_next(app);
}

void app_end(struct app *app)
{
	if (app->side == 0 || app->pair->plan->cross)
		app->closed = app->closed || !app->opened;
	app->cut = true;
	give_up(app, GW_CONN_ABORTED);
	plan_next(app);
}

/* ---- what TCP tells ----------------------------------------------------------------------------
 */

static void called(struct app *app, struct conn *conn, const char *what)
{
	log_app(app, what, app->received);
	app->world->host[app->host].progress++;
	if (app->closed || app->conn != conn)
		violate(app->world, 0, "%s of a connection that has ended", what);
	if (!app->world->host[app->host].telling)
		violate(app->world, 0, "%s outside of tcp_run_ready()", what);
}

/** With cookies, the client's own first segment makes a connection again when it comes again. */
static bool replayed(const struct app *app, struct conn *conn)
{
	uint32_t len = 0;
	const uint8_t *at = conn_peek(conn, 0, &len);

	if (app->world->plan.tainted)
		return true;
	if (app->world->plan.cookies == COOKIES_NEVER || !app->pair->app[0].opened)
		return false;
	for (uint32_t i = 0; i < len; i++)
		if (at[i] != app_byte(&app->pair->app[0], i))
			return false;
	return true;
}

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct pair *pair = listener_context;
	struct app *app = &pair->app[1];
	struct world *world = app->world;

	world->host[app->host].progress++;
	if (pair->accepts++ > 0 || !pair->app[0].opened) {
		log_app(app, "sees a ghost", pair->accepts);
		if (!replayed(app, conn))
			violate(world, 13, "connection %u was accepted that nobody opened",
				(uint32_t)(pair - world->pair));
		return GW_CONN_REFUSED;
	}
	app->conn = conn;
	app->opened = app->established = true;
	app->opened_us = NOW(app);
	*context = app;
	log_app(app, "accepts", 0);
	moved(app);
	go_on(app);
	plan_next(app);
	return GW_OK;
}

static void on_connected(struct conn *conn, void *context)
{
	struct app *app = context;

	called(app, conn, "connected");
	if (app->established)
		violate(app->world, 0, "connected twice, or of an accepted connection");
	app->established = true;
	moved(app);
	go_on(app);
	plan_next(app);
}

static void on_readable(struct conn *conn, void *context)
{
	struct app *app = context;

	called(app, conn, "readable");
	if (app->paused)
		violate(app->world, 0, "readable during a pause");
	if (!bytes_wait(app) && !app->aborted)
		violate(app->world, 0, "readable, and nothing can be peeked");
	go_on(app);
	plan_next(app);
}

static void on_writable(struct conn *conn, void *context)
{
	struct app *app = context;

	called(app, conn, "writable");
	if (conn_tx_room(conn) == 0 && !app->aborted && app->world->plan.host[0].fail_count == 0 &&
	    app->world->plan.host[1].fail_count == 0)
		violate(app->world, 0, "writable, and there is no room");
	app->wants_writable = false;
	go_on(app);
	plan_next(app);
}

static void on_fin(struct conn *conn, void *context)
{
	struct app *app = context;
	struct app *peer = peer_of(app);

	called(app, conn, "peer_fin");
	if (app->paused || app->fin_seen)
		violate(app->world, 0, "peer_fin twice, or during a pause");
	app->fin_seen = true;
	moved(app);
	if (!peer->shut && !app->world->plan.tainted)
		violate(app->world, 1, "connection %u ends, and its peer has not ended it",
			(uint32_t)(app->pair - app->world->pair));
	if (app->shut && !app->aborted && app->plan->reading != READ_NEVER)
		read_some(app, UINT32_MAX); /* closed may come next */
	go_on(app);
	plan_next(app);
}

/** Bytes of the peer's TCP have not come though it must have given up long ago. */
static bool hangs(const struct app *app)
{
	const struct app *peer = peer_of(app);
	const struct tcb *tcb = (const struct tcb *)app->conn;

	return app->world->plan.must_finish ||
	       (peer->conn != NULL && !peer->aborted && peer->sent > app->received &&
		!app->world->plan.tainted && app->plan->reading != READ_NEVER &&
		tcb->receive_bytes == 0);
}

static void on_deadline(struct conn *conn, void *context)
{
	struct app *app = context;

	called(app, conn, "deadline");
	app->gave_up = true;
	if (hangs(app) && !app->aborted)
		violate(app->world, 11, "connection %u.%u hangs: %llu of %llu bytes received",
			(uint32_t)(app->pair - app->world->pair), app->side,
			(unsigned long long)app->received, (unsigned long long)peer_of(app)->sent);
	give_up(app, GW_CONN_TIMEOUT);
	plan_next(app);
}

/** Ended in order: all has come, and the other side wanted the end. */
static void closed_in_order(struct app *app)
{
	const struct app *peer = peer_of(app);

	if (app->world->plan.tainted || app->aborted)
		return;
	if (!app->shut || !peer->shut)
		violate(app->world, 1, "connection %u closed in order, but not by both",
			(uint32_t)(app->pair - app->world->pair));
	else if (app->received != peer->fin_at && app->plan->reading != READ_NEVER)
		violate(app->world, 1, "connection %u closed in order with %llu of %llu bytes",
			(uint32_t)(app->pair - app->world->pair), (unsigned long long)app->received,
			(unsigned long long)peer->fin_at);
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct app *app = context;
	struct world *world = app->world;

	called(app, conn, gw_err_text(why));
	app->why = why;
	app->closed = true;
	app->conn = NULL;
	world->totals.bytes += app->received;
	if (why == GW_CONN_CLOSED) {
		world->totals.finished++;
		closed_in_order(app);
	} else {
		world->totals.aborted++;
		if (world->plan.must_finish && !world->failed)
			violate(world, 11, "connection %u.%u ends: %s",
				(uint32_t)(app->pair - world->pair), app->side, gw_err_text(why));
	}
	plan_next(app);
}

const struct conn_ops app_ops = {.accept = on_accept,
				 .connected = on_connected,
				 .readable = on_readable,
				 .writable = on_writable,
				 .peer_fin = on_fin,
				 .deadline = on_deadline,
				 .closed = on_closed};

void app_init(struct world *world, uint32_t i, uint8_t side)
{
	struct pair *pair = &world->pair[i];
	struct app *app = &pair->app[side];
	const struct pair_plan *plan = &world->plan.pair[i];
	const struct host *host;

	*app = (struct app){.world = world,
			    .pair = pair,
			    .plan = &plan->app[side],
			    .side = side,
			    .host = side == 0 ? plan->client : !plan->client,
			    .next_us = UINT64_MAX,
			    .draw = draw_stream(world->plan.seed, 40000u + i * 2 + side)};
	host = &world->host[app->host];
	pair->plan = plan;
	pair->ends[side] = ip_address_endpoint(&host->address[plan->v6],
					       side == 0 ? plan->client_port : plan->port);
	if (side == 0 || plan->cross)
		app->next_us = plan->at_us + side * (draw_below(&app->draw, 40000));
}
