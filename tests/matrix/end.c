/* SPDX-License-Identifier: BSD-3-Clause */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node.h"
#include "play.h"

/*
 * matrix_end: our side of one connection, over the connection API. It says "ready" when its port is
 * there, "joined" when it knows its neighbour after a line has come on standard input, begins when
 * another comes, prints what became of the connection, and goes on serving the back end until
 * standard input ends: whoever it talked to may still need an answer. Then it prints what is left.
 */

#define DEVICE "tap:wic0"
#define EAL_MEGABYTES 128
#define CONNECT_MS 40000
#define JOIN_US 15000000u
#define READ_MAX 65536u

enum life { LIFE_NONE, LIFE_OPEN, LIFE_CLOSED };

struct end {
	struct node node;
	struct play play;
	struct progress p;
	struct conn *conn;
	enum life life;
	enum gw_err why;
	uint64_t read_at_us; /* reading slowly: the next piece */
	uint32_t strange;    /* calls that should not have come */
	bool printed;
};

/* ---- what the connection tells
 * ------------------------------------------------------------------- */

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct end *end = listener_context;

	if (end->life != LIFE_NONE) {
		end->strange++;
		return GW_CONN_LIMIT;
	}
	end->life = LIFE_OPEN;
	end->conn = conn;
	*context = end;
	return GW_OK;
}

static struct end *end_of(struct conn *conn, void *context)
{
	struct end *end = context;

	end->strange += end->life != LIFE_OPEN || end->conn != conn;
	return end;
}

static void on_connected(struct conn *conn, void *context)
{
	end_of(conn, context)->strange += end_of(conn, context)->play.connect == 0;
}

static void take(struct end *end, uint32_t max)
{
	const void *at;
	uint32_t len;

	while (max > 0 && (at = conn_peek(end->conn, 0, &len)) != NULL) {
		len = len < max ? len : max;
		stream_take(&end->p.in, at, len);
		conn_consume(end->conn, len);
		max -= len;
	}
}

static void on_readable(struct conn *conn, void *context)
{
	struct end *end = end_of(conn, context);

	end->strange += end->p.peer_fin;
	if (end->play.read_piece == 0)
		take(end, READ_MAX);
}

static void on_writable(struct conn *conn, void *context)
{
	end_of(conn, context)->strange += conn_tx_room(conn) == 0;
}

static void on_fin(struct conn *conn, void *context)
{
	struct end *end = end_of(conn, context);

	take(end, UINT32_MAX);
	end->strange += end->p.peer_fin;
	end->p.peer_fin = true;
}

static void on_deadline(struct conn *conn, void *context)
{
	end_of(conn, context)->strange++;
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct end *end = end_of(conn, context);

	end->life = LIFE_CLOSED;
	end->conn = NULL;
	end->why = why;
}

static const struct conn_ops conn_ops = {
	on_accept, on_connected, on_readable, on_writable, on_fin, on_deadline, on_closed,
};

/* ---- what it does ------------------------------------------------------------------------------
 */

/** At most one piece a turn, so that small pieces are small segments. */
static void give(struct end *end)
{
	uint64_t may = play_may_send(&end->play, &end->p);
	uint32_t room;
	void *to;

	while (may > 0 && (to = conn_tx_reserve(end->conn, &room)) != NULL) {
		room = room < may ? room : (uint32_t)may;
		room = room < end->play.piece ? room : (uint32_t)end->play.piece;
		stream_fill(&end->p.out, to, room);
		conn_tx_commit(end->conn, room);
		may = end->play.piece == UINT32_MAX ? may - room : 0;
	}
}

static void read_slowly(struct end *end)
{
	uint64_t now_us = end->node.clock.now_us;

	if (end->play.read_piece == 0 || now_us < end->read_at_us)
		return;
	end->read_at_us = now_us + end->play.read_us;
	take(end, (uint32_t)end->play.read_piece);
}

static void act(struct end *end)
{
	if (end->life != LIFE_OPEN)
		return;
	read_slowly(end);
	give(end);
	if (play_may_reset(&end->play, &end->p)) {
		conn_abort(end->conn, GW_CONN_ABORTED);
	} else if (play_may_fin(&end->play, &end->p)) {
		conn_shutdown_tx(end->conn);
		end->p.fin = true;
	}
}

/** Small pieces go out one a turn, so there is something to do as long as there are any. */
static bool is_idle(const struct end *end)
{
	bool more = end->life == LIFE_OPEN && play_may_send(&end->play, &end->p) > 0 &&
		    conn_tx_room(end->conn) > 0;

	bool news = end->life == LIFE_CLOSED && !end->printed;

	return !more && !news && net_idle(end->node.core);
}

static void turn(struct end *end, uint64_t until_us)
{
	node_receive(&end->node);
	act(end);
	node_transmit(&end->node);
	if (!is_idle(end))
		return;
	if (end->life == LIFE_OPEN && end->play.read_piece > 0)
		until_us = end->read_at_us;
	node_sleep(&end->node, STDIN_FILENO, until_us);
}

static bool input_ended(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char byte;

	return poll(&input, 1, 0) == 1 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static bool begin(struct end *end)
{
	bool v6 = end->play.v6 != 0;
	struct conn_request request = {.local = node_endpoint(NODE_US, v6, 0),
				       .peer = node_endpoint(NODE_PEER, v6, NODE_PORT),
				       .ops = &conn_ops,
				       .context = end,
				       .timeout_ms = CONNECT_MS};
	struct endpoint local = node_endpoint(NODE_US, v6, NODE_PORT);
	enum gw_err err;

	node_receive(&end->node); /* the time of its clock is that of a while ago */
	play_begin(&end->p, &end->play, STREAM_OURS);
	if (end->play.connect == 0) {
		err = net_listen(end->node.core, &local, &conn_ops, end);
	} else {
		err = net_connect(end->node.core, &request, &end->conn);
		end->life = LIFE_OPEN;
	}
	if (err != GW_OK)
		fprintf(stderr, "matrix_end: %s\n", gw_err_text(err));
	return err == GW_OK;
}

static void run(struct end *end)
{
	uint64_t until_us = play_now_us() + end->play.seconds * 1000000;

	while (play_now_us() < until_us && !input_ended()) {
		turn(end, until_us);
		if (end->life != LIFE_CLOSED || end->printed)
			continue;
		play_print(&end->p, gw_err_text(end->why), "");
		end->printed = true;
	}
	if (!end->printed)
		play_print(&end->p, end->life == LIFE_NONE ? "never begun" : "not over", "");
}

/* ---- what is left ------------------------------------------------------------------------------
 */

static void print_left(struct end *end)
{
	const char *between = "";

	printf("{\"strange\": %u, \"counters\": {", end->strange);
#define PRINT(name, help) \
	if (counter_read(&end->node.counters.name) > 0) { \
		printf("%s\"%s\": %llu", between, #name, \
		       (unsigned long long)counter_read(&end->node.counters.name)); \
		between = ", "; \
	}
	COUNTER_LIST(PRINT)
#undef PRINT
	printf("}, \"errors\": {");
	between = "";
	for (enum gw_err err = GW_OK; err < GW_ERR_COUNT; err++) {
		uint64_t n = counter_read(&end->node.counters.errors[err]);

		if (n == 0)
			continue;
		printf("%s\"%s\": %llu", between, gw_err_text(err), (unsigned long long)n);
		between = ", ";
	}
	printf("}}\n");
}

static bool is_joined(const struct end *end)
{
	struct row_neighbour rows[2];
	uint32_t count = 0, known = 0;

	if (end->node.shared == NULL)
		return true;
	count = net_shared_neighbours(end->node.shared, 2, rows);
	for (uint32_t i = 0; i < count; i++)
		known += rows[i].state == NEIGHBOUR_REACHABLE;
	return known == 2;
}

/** Kernels are asked for their addresses, so that no SYN waits for that. */
static bool join(struct end *end)
{
	uint64_t until_us = play_now_us() + JOIN_US;

	while (!is_joined(end)) {
		if (play_now_us() > until_us)
			return false;
		node_receive(&end->node);
		node_transmit(&end->node);
		if (net_idle(end->node.core))
			node_sleep(&end->node, -1, until_us);
	}
	puts("joined");
	fflush(stdout);
	return true;
}

static bool await_line(void)
{
	char byte = 0;

	while (byte != '\n')
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct node_config config = node_config_small();
	static struct end end;
	bool good;

	if (!play_read(&end.play, argc, argv))
		return 2;
	config.device = end.play.kernel != 0 ? NULL : DEVICE;
	config.seed = end.play.seed;
	config.limits.send_bytes = (uint32_t)end.play.buffer;
	if (config.device != NULL && node_eal(EAL_MEGABYTES) != 0)
		return 2;
	good = node_open(&end.node, &config) == 0;
	if (good) {
		puts("ready");
		fflush(stdout);
		good = await_line() && join(&end) && await_line() && begin(&end);
	}
	if (good)
		run(&end);
	print_left(&end);
	node_close(&end.node);
	return good ? 0 : 2;
}
