/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "tls.h"

struct tls_context {
	uint32_t unused; /* C has no empty structs */
};

struct tls {
	struct conn *conn;
	bool fin;
	bool closed; /* by us */
};

static enum gw_err clear_context_new(const struct tls_config *config, struct tls_fault *fault,
				     struct tls_context **made)
{
	*made = calloc(1, sizeof(**made));
	return *made == NULL ? GW_NO_MEMORY : GW_OK;
}

static void clear_context_free(struct tls_context *context)
{
	free(context);
}

static void clear_tickets(struct tls_context *context, const struct ticket_part *const *keys)
{
	/* nothing is resumed */
}

static void clear_key_log(struct tls_context *context, tls_key_log *tell, void *to)
{
	/* there are no secrets */
}

static struct tls *clear_accept(struct tls_context *context, struct conn *conn)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (tls != NULL)
		tls->conn = conn;
	return tls;
}

static struct tls *clear_connect(struct tls_context *context, struct conn *conn, struct span name)
{
	return clear_accept(context, conn);
}

static bool clear_ready(const struct tls *tls)
{
	return true;
}

static bool clear_peer_is(const struct tls *tls, struct span name)
{
	return true;
}

static void clear_fin(struct tls *tls)
{
	tls->fin = true;
}

static struct tls_result clear_open(struct tls *tls, uint8_t *to, uint32_t room)
{
	uint32_t n;
	const void *run = conn_peek(tls->conn, 0, &n);

	if (n == 0)
		return (struct tls_result){tls->fin ? GW_TLS_CLOSED : GW_AGAIN, 0};
	if (room == 0)
		return (struct tls_result){GW_AGAIN, 0};
	if (n > room)
		n = room;
	memcpy(to, run, n);
	conn_consume(tls->conn, n);
	return (struct tls_result){GW_OK, n};
}

static struct tls_result clear_seal(struct tls *tls, struct span bytes)
{
	struct tls_result result = {GW_OK, 0};
	struct span part;
	void *run;
	uint32_t room;

	if (tls->closed)
		return (struct tls_result){GW_TLS_CLOSED, 0};
	while (bytes.len > 0) {
		run = conn_tx_reserve(tls->conn, &room);
		part = span_cut(bytes, 0, room);
		if (part.len == 0) {
			result.err = GW_AGAIN;
			break;
		}
		memcpy(run, part.at, part.len);
		conn_tx_commit(tls->conn, part.len);
		span_skip(&bytes, part.len);
		result.n += part.len;
	}
	return result;
}

static enum gw_err clear_update(struct tls *tls)
{
	return GW_NOT_SUPPORTED;
}

static enum gw_err clear_close(struct tls *tls)
{
	tls->closed = true;
	return GW_OK;
}

static struct tls_info clear_info(const struct tls *tls)
{
	return (struct tls_info){
		.version = "clear",
		.cipher = "-",
		.group = "-",
		.sni = "",
		.failure = "",
	};
}

static void clear_free(struct tls *tls)
{
	free(tls);
}

const struct tls_ops tls_clear = {
	.name = "clear",
	.context_new = clear_context_new,
	.context_free = clear_context_free,
	.tickets = clear_tickets,
	.key_log = clear_key_log,
	.accept = clear_accept,
	.connect = clear_connect,
	.ready = clear_ready,
	.peer_is = clear_peer_is,
	.fin = clear_fin,
	.open = clear_open,
	.seal = clear_seal,
	.update = clear_update,
	.close = clear_close,
	.info = clear_info,
	.free = clear_free,
};
