/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "net/wire.h"
#include "ring.h"

/**
 * Clients of the worker on a ring, as little of TCP as works on a wire that loses nothing: no
 * timer, no queue, no timestamps. Client i has one of 64,000 addresses behind the gateway and a
 * port, from which i follows.
 */
#define PEERS_HOSTS 64000u

struct peer {
	uint32_t seq, ack; /* of what it sends next */
};

/** A segment that the worker has sent to a client. */
struct heard {
	uint32_t client;
	uint32_t seq, ack, len;
	uint8_t flags;
};

/** Sends a segment with len bytes of payload; the client's seq moves on. */
void peer_say(struct ring *ring, struct peer *peer, uint32_t client, uint8_t flags, uint32_t len);
/** Its first one, with a client's usual options. */
void peer_open(struct ring *ring, struct peer *peer, uint32_t client);
/** A SYN of nobody: source and port follow from dice. */
void peer_flood(struct ring *ring, uint64_t dice);
/** The next of the worker's segments; false: there is none. What is no TCP is skipped. */
bool peer_hear(struct ring *ring, struct heard *heard);
/** What was heard is acknowledged by what it says next. */
void peer_note(struct peer *peer, const struct heard *heard);
/** What a client of a short life says to it: a request when it is let in, FIN for FIN. */
void peer_answer(struct ring *ring, struct peer *peer, const struct heard *heard);

#endif
