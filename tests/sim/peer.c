/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

void peer_flush(struct peer_out *out, struct conn *conn)
{
	uint32_t room, sent = 0;
	void *to;

	while (sent < out->len && (to = conn_tx_reserve(conn, &room)) != NULL) {
		uint32_t n = out->len - sent < room ? out->len - sent : room;

		memcpy(to, out->bytes + sent, n);
		conn_tx_commit(conn, n);
		sent += n;
	}
	out->len -= sent;
	memmove(out->bytes, out->bytes + sent, out->len);
}

void peer_send(struct peer_out *out, struct conn *conn, struct span bytes)
{
	if (bytes.len > sizeof(out->bytes) - out->len)
		return;
	memcpy(out->bytes + out->len, bytes.at, bytes.len);
	out->len += bytes.len;
	peer_flush(out, conn);
}

uint32_t peer_take(struct conn *conn, uint8_t *buffer, uint32_t len, uint32_t room)
{
	const void *at;
	uint32_t n;

	while (len < room && (at = conn_peek(conn, 0, &n)) != NULL) {
		n = n < room - len ? n : room - len;
		memcpy(buffer + len, at, n);
		conn_consume(conn, n);
		len += n;
	}
	return len;
}
