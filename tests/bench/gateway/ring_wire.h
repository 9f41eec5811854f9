/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RING_WIRE_H
#define RING_WIRE_H

#include "conn.h"
#include "packet.h"

/**
 * The other end of a worker's port: two rings in memory, and peers behind one router that speak as
 * much TCP as a wire without loss needs. Frames leave in the order in which they were made.
 */

/** TCP connections of the peers. */
#define WIRE_PEERS 1024u

struct wire;

/** One of them, of a client or of the core. */
struct wire_peer {
	uint32_t seq, ack;
	uint32_t host; /* IPv4 address of its own, as a number */
	uint16_t port, gateway_port;
	bool used, core;
	bool owes_ack;
	void *owner; /* the user's */
};

/** Who hears what comes for the peers. */
struct wire_user {
	void *context;
	/** A client's connection is there, or the gateway has opened one to the core. */
	void (*opened)(void *context, struct wire_peer *peer);
	/** Bytes, borrowed for the call. */
	void (*received)(void *context, struct wire_peer *peer, struct span bytes);
	/** The gateway has closed or reset it. */
	void (*closed)(void *context, struct wire_peer *peer);
};

struct wire_config {
	const char *device;	       /* becomes net_ring_DEVICE */
	struct endpoint gateway, core; /* the gateway's address without a port */
	uint16_t access_port;
	const struct wire_user *user;
};

/** EAL runs. NULL: it cannot be made. Lives as long as the process. */
struct wire *wire_new(const struct wire_config *config);
/** The port of the gateway is open: how frames reach it. */
void wire_attach(struct wire *wire, const uint8_t mac[6]);

/** A client connects, to be opened(). NULL: WIRE_PEERS. */
struct wire_peer *wire_connect(struct wire *wire, void *owner);
void wire_send(struct wire *wire, struct wire_peer *peer, struct span bytes);
/** Hears all that the gateway has sent, then acknowledges what no answer has. */
void wire_turn(struct wire *wire);
/** Frames that found no room in the ring: 0, or the run is worthless. */
uint64_t wire_lost(const struct wire *wire);

#endif
