/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAKE_H
#define FAKE_H

#include "conn.h"

#define FAKE_BYTES (1 << 20)

/** A connection that is two arrays. Keeps the contract of conn.h for peek, consume, reserve, commit
 * and room; anything else is a bug of the layer under test. */
struct fake {
	struct conn conn;
	uint8_t *rx; /* of exactly what has come and was not consumed */
	uint32_t rx_len;
	uint32_t rx_run; /* longest contiguous run that peek gives */
	uint8_t tx[FAKE_BYTES];
	uint32_t tx_len;
	uint32_t tx_run;   /* longest contiguous run that reserve gives */
	uint32_t tx_limit; /* bytes that fit before somebody takes them */
	uint32_t tx_lie;   /* what tx_room says too much */
};

void fake_init(struct fake *f);
void fake_fini(struct fake *f);
/** Bytes from the peer. */
void fake_arrive(struct fake *f, struct span bytes);
/** The first n bytes that were sent leave. */
void fake_leave(struct fake *f, uint32_t n);

#endif
