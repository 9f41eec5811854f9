/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NODE_H
#define NODE_H

#include <uv.h>

#include "config.h"
#include "journal.h"
#include "log.h"
#include "netifs.h"
#include "peers.h"
#include "publish.h"
#include "revocations.h"
#include "state.h"
#include "tickets.h"
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
	struct revocations *revocations;
	bool revocations_waiting, keys_waiting; /* to be published: there was no room */
	struct journal *journal;
	struct tickets tickets;
	bool tickets_waiting; /* to be published */
	int key_log;	      /* of access.tls.key_log; -1: none */
	struct log *log;
	struct key_ids *key_ids;
	struct jwks *jwks;   /* who made the node, once the loop is there; NULL: not yet */
	struct peers *peers; /* the same */
	struct named *named; /* the same */
	struct keys_filter revoked_keys;
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
 * Makes a configuration that was read anew the live one, at once; NULL: it was refused. Refused
 * here or there: every problem is logged and nothing changes. problems gets what was found. True
 * when accepted.
 */
bool node_take(struct node *node, struct config *next_owned, struct problems *problems);

/** Takes a MESSAGE_KEY_LOG of a worker. False: it is another message. */
bool node_key_log(struct node *node, struct span message);

/**
 * Puts a change of node->revocations live: of keys, or of tokens and web sites. False: there was no
 * room, and node_tick() tries again.
 */
bool node_publish_revocations(struct node *node, enum revocation_kind kind);

/** Several times a second: ends what is revoked for a time, makes the next key of tickets when it
 * is time, and publishes what could not be. */
void node_tick(struct node *node);

/** What the live configuration's keys are published from. */
struct publish_keys_from node_keys(struct node *node);

/**
 * Publishes the keys of the live configuration anew and wakes the workers for it: after a fetch,
 * and when revoked_keys says otherwise than before. GW_QUEUE_FULL, GW_NO_MEMORY: nothing has
 * changed, to be repeated.
 */
enum gw_err GW_MUST_CHECK node_publish_keys(struct node *node);

/** Puts what is known of node->peers live and wakes the workers for it. The same errors. */
enum gw_err GW_MUST_CHECK node_publish_peers(struct node *node);

/** The same of the wildcards that the core has named, node->named. */
enum gw_err GW_MUST_CHECK node_publish_patterns(struct node *node);

/** The generation of the live configuration, which messages of workers name. */
uint32_t node_generation(const struct node *node);

/** Clock and randomness of the workers' environment, for control's own parts. context: unused. */
uint64_t node_now_ms(void *context);
uint64_t node_random(void *context);

/** Asks every worker to close its connections; false when a ring was full and it is to be repeated.
 */
bool node_drain(struct node *node);

/** WebSocket sessions and connections that are still there. */
uint64_t node_connections(const struct node *node);

#endif
