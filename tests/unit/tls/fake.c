/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake.h"

#include <stdlib.h>

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static const void *fake_peek(struct conn *conn, uint32_t offset, uint32_t *len)
{
	struct fake *f = (struct fake *)conn;

	*len = offset < f->rx_len ? least(f->rx_len - offset, f->rx_run) : 0;
	return *len > 0 ? f->rx + offset : NULL;
}

/* Moves to new memory, so that a sanitizer sees who uses a peeked run for too long. */
static void fake_consume(struct conn *conn, uint32_t n)
{
	struct fake *f = (struct fake *)conn;
	uint8_t *rest = malloc(f->rx_len - n + 1);

	if (n > f->rx_len || rest == NULL)
		abort();
	f->rx_len -= n;
	memcpy(rest, f->rx + n, f->rx_len);
	free(f->rx);
	f->rx = rest;
}

static uint32_t fake_room(const struct fake *f)
{
	return f->tx_limit > f->tx_len ? f->tx_limit - f->tx_len : 0;
}

static void *fake_tx_reserve(struct conn *conn, uint32_t *room)
{
	struct fake *f = (struct fake *)conn;

	*room = least(fake_room(f), f->tx_run);
	return *room > 0 ? f->tx + f->tx_len : NULL;
}

static void fake_tx_commit(struct conn *conn, uint32_t n)
{
	struct fake *f = (struct fake *)conn;

	if (n > fake_room(f))
		abort();
	f->tx_len += n;
}

static uint32_t fake_tx_room(const struct conn *conn)
{
	const struct fake *f = (const struct fake *)conn;

	return fake_room(f) == 0 ? 0 : fake_room(f) + f->tx_lie;
}

static const struct net_ops fake_ops = {
	.name = "fake",
	.peek = fake_peek,
	.consume = fake_consume,
	.tx_reserve = fake_tx_reserve,
	.tx_commit = fake_tx_commit,
	.tx_room = fake_tx_room,
};

void fake_init(struct fake *f)
{
	f->conn.ops = &fake_ops;
	f->rx = malloc(1);
	f->rx_len = 0;
	f->rx_run = FAKE_BYTES;
	f->tx_len = 0;
	f->tx_run = FAKE_BYTES;
	f->tx_limit = FAKE_BYTES;
	f->tx_lie = 0;
}

void fake_fini(struct fake *f)
{
	free(f->rx);
}

void fake_arrive(struct fake *f, struct span bytes)
{
	uint8_t *grown = realloc(f->rx, f->rx_len + bytes.len + 1);

	if (grown == NULL)
		abort();
	f->rx = grown;
	if (bytes.len > 0)
		memcpy(f->rx + f->rx_len, bytes.at, bytes.len);
	f->rx_len += bytes.len;
}

void fake_leave(struct fake *f, uint32_t n)
{
	memmove(f->tx, f->tx + n, f->tx_len - n);
	f->tx_len -= n;
}
