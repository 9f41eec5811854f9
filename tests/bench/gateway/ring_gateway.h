/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RING_GATEWAY_H
#define RING_GATEWAY_H

#include "control/config.h"
#include "control/keys.h"
#include "control/state.h"
#include "netif.h"
#include "ring_wire.h"

/**
 * The gateway of a configuration in this thread: one worker as the daemon makes it, on a port whose
 * other end is a wire. Only the worker's turns are timed.
 */
struct ring_gateway {
	struct config *config;
	struct problems *problems;
	struct state state;
	struct key_ids *key_ids;
	struct snapshot_root *snapshots;
	struct mailbox_hub *hub;
	struct netif netif;
	struct net_shared *shared;
	struct worker_tcp tcp;
	struct wire *wire;
	struct worker *worker;
	double spent_s; /* CPU time of turns */
};

/** Opens what the configuration at path says; EAL runs. 0, or -1 with the reason on stderr. */
int ring_gateway_open(struct ring_gateway *g, const char *path, const struct wire_user *user);
void ring_gateway_close(struct ring_gateway *g);

/** One turn of the worker, and what it tells control is dropped. */
void ring_gateway_turn(struct ring_gateway *g);

#endif
