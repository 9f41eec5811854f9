/* SPDX-License-Identifier: BSD-3-Clause */
#include "server.h"

#include <stdio.h>
#include <string.h>

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct server *server = listener_context;

	server->accepted++;
	*context = server;
	return GW_OK;
}

static void on_nothing(struct conn *conn, void *context)
{
}

static void fill(struct conn *conn)
{
	uint32_t room;
	void *to;

	while ((to = conn_tx_reserve(conn, &room)) != NULL) {
		memset(to, 0, room);
		conn_tx_commit(conn, room);
	}
}

static void echo(struct conn *conn, const void *bytes, uint32_t len)
{
	uint32_t room;
	void *to = conn_tx_reserve(conn, &room);

	if (to == NULL)
		return;
	len = len < room ? len : room;
	memcpy(to, bytes, len);
	conn_tx_commit(conn, len);
}

static void on_readable(struct conn *conn, void *context)
{
	struct server *server = context;
	const void *at;
	uint32_t len;

	while ((at = conn_peek(conn, 0, &len)) != NULL) {
		if (server->mode == SERVER_ECHO || server->mode == SERVER_ONCE)
			echo(conn, at, len);
		server->received += len;
		conn_consume(conn, len);
	}
	if (server->mode == SERVER_SOURCE)
		fill(conn);
	if (server->mode == SERVER_ONCE)
		conn_shutdown_tx(conn);
}

static void on_writable(struct conn *conn, void *context)
{
	const struct server *server = context;

	if (server->mode == SERVER_SOURCE)
		fill(conn);
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct server *server = context;

	server->closed++;
	server->broken += why != GW_CONN_CLOSED;
}

static const struct conn_ops server_ops = {
	on_accept, on_nothing, on_readable, on_writable, on_nothing, on_nothing, on_closed,
};

int server_open(struct server *server, struct node *node)
{
	struct endpoint local = node_endpoint(NODE_US, false, NODE_PORT);
	enum gw_err err = net_listen(node->core, &local, &server_ops, server);

	if (err != GW_OK)
		fprintf(stderr, "server: %s\n", gw_err_text(err));
	return err == GW_OK ? 0 : -1;
}
