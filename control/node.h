/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NODE_H
#define NODE_H

#include <uv.h>

#include "config.h"
#include "log.h"
#include "netifs.h"
#include "publish.h"
#include "state.h"
#include "worker.h"

struct eal;

/**
 * The node: configuration, snapshot, mailboxes and workers, as the control thread holds them. One
 * in the process, made and ended by main.c; everything here runs on the control thread.
 */
struct node {
	const char *config_file;
	struct config *config;
	struct state state;
	struct log *log;
	struct key_ids *key_ids;
	struct snapshot_root *snapshots;
	struct mailbox_hub *hub;
	struct worker **worker;
	uint16_t workers;
	uint16_t launched;
	struct eal *eal; /* NULL: it does not run */
	struct netifs *netifs;
	struct worker_tcp tcp; /* of config at start */
	uint64_t started_us;   /* monotonic */
	uint32_t reloads;
};

/** What a failed step says to the operator. */
#define NODE_WHY_MAX 256

/**
 * Opens state, EAL, ports, mailboxes and workers for node->config and runs the workers. On error
 * everything is as it was; why says which step failed.
 */
enum gw_err GW_MUST_CHECK node_start(struct node *node, char why[NODE_WHY_MAX]);

/** Ends the workers and gives everything back but config and log. */
void node_stop(struct node *node);

/**
 * Reads the configuration anew; accepted, it becomes the live one at once. Refused: every problem
 * is logged and nothing changes. problems gets what was found. True when accepted.
 */
bool node_reload(struct node *node, struct problems *problems);

/** Asks every worker to close its connections; false when a ring was full and it is to be repeated.
 */
bool node_drain(struct node *node);

/** WebSocket sessions and connections that are still there. */
uint64_t node_connections(const struct node *node);

#endif
