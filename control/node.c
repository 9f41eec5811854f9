/* SPDX-License-Identifier: BSD-3-Clause */
#include "node.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <rte_launch.h>

#include "eal.h"
#include "key_log.h"
#include "message.h"

static uint64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t env_now_us(void *context)
{
	(void)context;
	return clock_us(CLOCK_MONOTONIC);
}

static uint64_t env_wall_us(void *context)
{
	(void)context;
	return clock_us(CLOCK_REALTIME);
}

static uint64_t env_wall_s(void *context)
{
	return env_wall_us(context) / 1000000;
}

/** One worker's stock of kernel randomness: a system call for every 64 words. */
struct random_stock {
	uint64_t word[64];
	uint32_t left;
};

static _Thread_local struct random_stock random_stock;

static uint64_t env_random(void *context)
{
	struct random_stock *stock = &random_stock;

	(void)context;
	if (stock->left == 0) {
		while (getrandom(stock->word, sizeof(stock->word), 0) != sizeof(stock->word))
			continue; /* 256 bytes and more may be cut short by a signal only */
		stock->left = 64;
	}
	return stock->word[--stock->left];
}

static const struct worker_env node_env = {
	.now_us = env_now_us,
	.wall_us = env_wall_us,
	.random = env_random,
};

uint64_t node_now_ms(void *context)
{
	return env_now_us(context) / 1000;
}

uint64_t node_random(void *context)
{
	return env_random(context);
}

/** Makes all parts of config. GW_NO_MEMORY: parts has those that were made. */
static enum gw_err node_make_parts(struct node *node, struct config *config,
				   struct snapshot_part *parts[SNAPSHOT_KINDS])
{
	const struct publish_keys_from from = {config, node->key_ids, node->jwks,
					       &node->revoked_keys};
	struct pair_part *pairs = publish_pairs(config);

	parts[SNAPSHOT_CONFIG] = &publish_config(config, &node->state)->part;
	parts[SNAPSHOT_KEYS] = &publish_keys(&from)->part;
	parts[SNAPSHOT_REVOCATIONS] = &revocations_part(node->revocations)->part;
	parts[SNAPSHOT_DESTINATIONS] = &publish_destinations(config)->part;
	parts[SNAPSHOT_PATTERNS] = &publish_patterns(config, node->named)->part;
	if (pairs == NULL)
		return GW_NO_MEMORY;
	parts[SNAPSHOT_PAIRS] = &pairs->part;
	return publish_tls(config, parts);
}

/** Puts all parts of config live together. */
static enum gw_err node_publish(struct node *node, struct config *config)
{
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {0};
	enum gw_err err = node_make_parts(node, config, parts);

	if (err == GW_OK)
		return snapshot_publish_all(node->snapshots, parts);
	for (uint32_t i = 0; i < SNAPSHOT_KINDS; i++)
		if (parts[i] != NULL)
			parts[i]->free(parts[i]);
	return err;
}

/** The view of a sleeper is taken when it wakes. */
static void node_nudge(struct node *node)
{
	for (uint16_t w = 0; w < node->workers; w++)
		mailbox_nudge(node->hub, w);
}

/** The same message to every worker. False: a ring was full. */
static bool node_send_all(struct node *node, struct span message)
{
	bool all = true;

	for (uint16_t w = 0; w < node->workers; w++)
		if (mailbox_send(node->hub, node->workers, w, message, SPAN("")) != GW_OK)
			all = false;
	return all;
}

struct publish_keys_from node_keys(struct node *node)
{
	return (struct publish_keys_from){node->config, node->key_ids, node->jwks,
					  &node->revoked_keys};
}

enum gw_err node_publish_keys(struct node *node)
{
	const struct publish_keys_from from = node_keys(node);
	struct key_part *keys = publish_keys(&from);
	enum gw_err err = snapshot_publish(node->snapshots, SNAPSHOT_KEYS, &keys->part);

	if (err == GW_OK)
		node_nudge(node);
	return err;
}

enum gw_err node_publish_peers(struct node *node)
{
	struct peer_part *part = peers_part(node->peers);
	enum gw_err err = GW_NO_MEMORY;

	if (part != NULL)
		err = snapshot_publish(node->snapshots, SNAPSHOT_PEERS, &part->part);
	if (err == GW_OK)
		node_nudge(node);
	return err;
}

enum gw_err node_publish_patterns(struct node *node)
{
	struct pattern_part *part = publish_patterns(node->config, node->named);
	enum gw_err err = snapshot_publish(node->snapshots, SNAPSHOT_PATTERNS, &part->part);

	if (err == GW_OK)
		node_nudge(node);
	return err;
}

uint32_t node_generation(const struct node *node)
{
	struct snapshot view;

	snapshot_view(node->snapshots, &view);
	return view.config->part.generation;
}

static enum gw_err node_publish_revoked(struct node *node)
{
	struct revocation_part *part = revocations_part(node->revocations);
	enum gw_err err = snapshot_publish(node->snapshots, SNAPSHOT_REVOCATIONS, &part->part);

	if (err == GW_OK)
		node_nudge(node);
	return err;
}

bool node_publish_revocations(struct node *node, enum revocation_kind kind)
{
	if (kind == REVOCATION_KEY)
		node->keys_waiting = node_publish_keys(node) != GW_OK;
	else
		node->revocations_waiting = node_publish_revoked(node) != GW_OK;
	return !(kind == REVOCATION_KEY ? node->keys_waiting : node->revocations_waiting);
}

static void node_publish_tickets(struct node *node)
{
	struct ticket_part *part = tickets_part(&node->tickets);

	node->tickets_waiting = part == NULL || snapshot_publish(node->snapshots, SNAPSHOT_TICKETS,
								 &part->part) != GW_OK;
}

static void node_tick_revocations(struct node *node)
{
	if (revocations_expire(node->revocations, env_wall_s(NULL)) > 0)
		node->revocations_waiting = true;
	if (node->revocations_waiting)
		(void)node_publish_revocations(node, REVOCATION_JTI);
	if (node->keys_waiting)
		(void)node_publish_revocations(node, REVOCATION_KEY);
}

/** Opens the key log of config, closing the one before. NULL, or why not and nothing has changed.
 */
static const char *node_open_key_log(struct node *node, const struct config *config)
{
	const char *why = NULL;
	int opened = -1;

	if (config->access.tls.key_log.text[0] != '\0')
		why = key_log_open(config_path(config, config->access.tls.key_log), &opened);
	if (why != NULL)
		return why;
	if (node->key_log >= 0)
		close(node->key_log);
	node->key_log = opened;
	if (opened >= 0)
		log_event(node->log, LOG_LEVEL_WARNING, "tls_secrets_are_written", "file",
			  config->access.tls.key_log.text);
	return NULL;
}

bool node_key_log(struct node *node, struct span message)
{
	struct span rest = message;
	struct message_head head;

	if (!span_copy(&rest, &head, sizeof(head)) || head.kind != MESSAGE_KEY_LOG)
		return false;
	/* connections from before a reload may still tell, though nobody wants to know */
	if (node->key_log >= 0 && !key_log_write(node->key_log, message))
		log_event(node->log, LOG_LEVEL_WARNING, "key_log_not_written", NULL, NULL);
	return true;
}

static void node_tick_tickets(struct node *node)
{
	uint32_t rotation_s = (uint32_t)node->config->access.tls.ticket_rotation.value;
	uint64_t now_s = env_wall_s(NULL);
	char why[NODE_WHY_MAX];

	if (tickets_due(&node->tickets, now_s, rotation_s)) {
		node->tickets_waiting |= tickets_rotate(&node->tickets, node->state.folder, now_s,
							rotation_s, why, sizeof(why));
		if (why[0] != '\0')
			log_event(node->log, LOG_LEVEL_WARNING, "ticket_keys_not_kept", "why", why);
	}
	if (node->tickets_waiting)
		node_publish_tickets(node);
}

void node_tick(struct node *node)
{
	node_tick_revocations(node);
	node_tick_tickets(node);
	journal_tick(node->journal);
}

static enum gw_err node_worker(struct node *node, uint16_t w, char why[NODE_WHY_MAX])
{
	const struct config *config = node->config;
	struct worker_config worker = {
		.index = w,
		.workers = node->workers,
		.idle = config->workers.idle.value == CONFIG_IDLE_POLL ? WORKER_POLL : WORKER_SLEEP,
		.epoch = node->state.epoch,
		.sizes = config_sizes(config),
		.env = &node_env,
		.hub = node->hub,
		.snapshots = node->snapshots,
		.net = {[NET_KERNEL] = netifs_has(node->netifs, NET_KERNEL) ? &net_posix : NULL,
			[NET_PACKETS] =
				netifs_has(node->netifs, NET_PACKETS) ? &net_packets : NULL},
		.shared = netifs_shared(node->netifs),
		.tcp = &node->tcp,
		.verifier = &verifier_openssl,
	};

	return worker_new(&worker, why, NODE_WHY_MAX, &node->worker[w]);
}

static int node_thread(void *context)
{
	worker_run(context);
	return 0;
}

static enum gw_err node_memory(struct node *node, char why[NODE_WHY_MAX])
{
	node->workers = config_workers(node->config);
	node->worker = calloc(node->workers, sizeof(struct worker *));
	node->key_ids = key_ids_new();
	node->snapshots = snapshot_root_new(node->workers);
	node->hub =
		mailbox_hub_new((uint16_t)(node->workers + 1),
				(uint32_t)node->config->workers.mailbox_bytes.value, NULL, NULL);
	if (node->worker && node->key_ids && node->snapshots && node->hub)
		return GW_OK;
	snprintf(why, NODE_WHY_MAX, "out of memory");
	return GW_NO_MEMORY;
}

/** What the workers are given back of a run before. */
struct restored {
	struct node *node;
	uint64_t bindings, refused;
};

static bool node_restore_one(void *context, const struct message_journal *m)
{
	struct restored *restored = context;
	struct node *node = restored->node;
	uint16_t home = worker_home(node->state.hash_key, m, node->workers);

	restored->bindings++;
	restored->refused += worker_restore(node->worker[home], m) != GW_OK;
	return true;
}

/** Before the first of them runs: who comes then finds his pair held. */
static void node_restore(struct node *node)
{
	struct restored restored = {.node = node};
	struct log_line line;

	(void)journal_each(node->journal, node_restore_one, &restored); /* the log is told */
	if (restored.bindings == 0)
		return;
	log_begin(node->log, &line, restored.refused > 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
		  "leases_restored");
	log_number(&line, "bindings", restored.bindings);
	log_number(&line, "refused", restored.refused);
	log_end(&line);
}

static enum gw_err node_workers(struct node *node, char why[NODE_WHY_MAX])
{
	enum gw_err err = GW_OK;

	for (uint16_t w = 0; err == GW_OK && w < node->workers; w++)
		err = node_worker(node, w, why);
	if (err == GW_OK)
		node_restore(node);
	for (uint16_t w = 0; err == GW_OK && w < node->workers; w++) {
		err = eal_launch(w, node_thread, node->worker[w]);
		node->launched += err == GW_OK;
		if (err != GW_OK)
			snprintf(why, NODE_WHY_MAX, "worker %u cannot be started", w);
	}
	return err;
}

static bool journal_again(void *context)
{
	struct message_journal_again again = {.head = {MESSAGE_JOURNAL_AGAIN, sizeof(again)}};

	return node_send_all(context, span_of(&again, sizeof(again)));
}

static const char *node_open_journal(struct node *node, char why[NODE_WHY_MAX])
{
	const struct journal_config journal = {
		.folder = node->state.folder,
		.key = node->state.hash_key,
		.log = node->log,
		.now_ms = node_now_ms,
		.wall_s = env_wall_s,
		.again = journal_again,
		.context = node,
	};

	node->journal = journal_open(&journal, why, NODE_WHY_MAX);
	return node->journal != NULL ? NULL : why;
}

static bool node_key_is_revoked(const void *context, struct span issuer, struct span kid)
{
	return revocations_has_key(context, issuer, kid);
}

static void node_close_state(struct node *node)
{
	journal_close(node->journal);
	node->journal = NULL;
	revocations_close(node->revocations);
	node->revocations = NULL;
	tickets_close(&node->tickets);
	state_close(&node->state);
}

/** What outlives a restart. */
static enum gw_err node_state(struct node *node, char why[NODE_WHY_MAX])
{
	const char *path = config_path(node->config, node->config->node.state_directory);
	struct revocations_config revocations = {
		.key = node->state.hash_key,
		.log = node->log,
		.now_s = env_wall_s(NULL),
		.max = (uint32_t)node->config->limits.max_revocations.value,
	};

	if (state_open(&node->state, path, why, NODE_WHY_MAX) != NULL)
		return GW_CONFIG;
	revocations.folder = node->state.folder;
	node->revocations = revocations_open(&revocations, why, NODE_WHY_MAX);
	node->revoked_keys = (struct keys_filter){node_key_is_revoked, node->revocations};
	if (node->revocations != NULL &&
	    tickets_open(&node->tickets, node->state.folder, why, NODE_WHY_MAX) == NULL &&
	    node_open_journal(node, why) == NULL)
		return GW_OK;
	node_close_state(node);
	return GW_CONFIG;
}

static enum gw_err node_start_tls(struct node *node, char why[NODE_WHY_MAX])
{
	const char *refused = node_open_key_log(node, node->config);

	node_tick_tickets(node); /* the first key of tickets */
	if (refused == NULL)
		return GW_OK;
	snprintf(why, NODE_WHY_MAX, "access.tls.key_log: %s", refused);
	return GW_CONFIG;
}

enum gw_err node_start(struct node *node, char why[NODE_WHY_MAX])
{
	enum gw_err err;

	node->started_us = env_now_us(NULL);
	snprintf(why, NODE_WHY_MAX, "out of memory");
	if (node_state(node, why) != GW_OK)
		return GW_CONFIG;
	node->tickets_waiting = true;
	node->key_log = -1;
	err = eal_start(node->config, &node->eal, why, NODE_WHY_MAX);
	if (err == GW_OK)
		err = netifs_open(node->config, &node->netifs, why, NODE_WHY_MAX);
	if (err == GW_OK) {
		netifs_log(node->netifs, node->log);
		err = node_memory(node, why);
	}
	if (err == GW_OK)
		err = node_publish(node, node->config);
	if (err == GW_OK)
		err = node_start_tls(node, why);
	config_tcp(node->config, &node->tcp);
	if (err == GW_OK)
		err = node_workers(node, why);
	if (err != GW_OK)
		node_stop(node);
	return err;
}

static void node_last_word(void *context, uint16_t from, struct span message)
{
	struct node *node = context;

	(void)from;
	(void)journal_message(node->journal, message);
}

void node_stop(struct node *node)
{
	for (uint16_t w = 0; w < node->launched; w++)
		worker_stop(node->worker[w]);
	if (node->eal != NULL)
		rte_eal_mp_wait_lcore();
	if (node->hub != NULL) /* what they have told since the loop ended */
		mailbox_receive(node->hub, node->workers, UINT32_MAX, node_last_word, node);
	for (uint16_t w = 0; node->worker != NULL && w < node->workers; w++)
		worker_free(node->worker[w]);
	netifs_close(node->netifs); /* every packet is back; their memory is EAL's */
	eal_stop(node->eal);
	free(node->worker);
	mailbox_hub_free(node->hub);
	snapshot_root_free(node->snapshots);
	key_ids_free(node->key_ids);
	node_close_state(node);
	if (node->key_log >= 0)
		close(node->key_log);
	node->key_log = -1;
	node->worker = NULL;
	node->netifs = NULL;
	node->hub = NULL;
	node->snapshots = NULL;
	node->key_ids = NULL;
	node->revoked_keys = (struct keys_filter){0};
	node->launched = 0;
	node->eal = NULL;
}

static void log_problems(struct node *node, const struct problems *problems)
{
	for (uint32_t i = 0; i < problems_count(problems); i++)
		log_event(node->log,
			  problems_level(problems, i) == PROBLEM_ERROR ? LOG_LEVEL_ERROR
								       : LOG_LEVEL_WARNING,
			  "config_problem", "text", problems_text(problems, i));
}

static void node_reload_key_log(struct node *node, const struct config *next,
				struct problems *problems)
{
	const char *why = node_open_key_log(node, next);

	if (why != NULL)
		problems_add(problems, PROBLEM_ERROR, node->config_file,
			     next->access.tls.key_log.line, "access.tls.key_log: %s: %s",
			     next->access.tls.key_log.text, why);
}

/** Puts next live when nothing speaks against it. */
static enum gw_err node_try(struct node *node, struct config *next, struct problems *problems)
{
	enum gw_err err;

	if (next == NULL)
		return GW_CONFIG;
	config_compare(node->config, next, problems);
	if (problems_errors(problems) == 0)
		node_reload_key_log(node, next, problems);
	if (problems_errors(problems) > 0)
		return GW_CONFIG;
	err = node_publish(node, next);
	if (err != GW_OK) /* who asked must not take a key for revoked that is not */
		problems_add(problems, PROBLEM_ERROR, node->config_file, 1,
			     "accepted, but not put live: %s", gw_err_text(err));
	return err;
}

bool node_take(struct node *node, struct config *next_owned, struct problems *problems)
{
	struct config *next = next_owned;
	bool accepted = node_try(node, next, problems) == GW_OK;

	log_problems(node, problems);
	if (!accepted) {
		config_free(next);
		log_event(node->log, LOG_LEVEL_ERROR, "reload_refused", "file", node->config_file);
		return false;
	}
	config_free(node->config);
	node->config = next;
	node->reloads++;
	revocations_bound(node->revocations, (uint32_t)next->limits.max_revocations.value);
	log_set(node->log, (enum log_level)next->log.level.value, (uint32_t)next->log.rate.value);
	log_event(node->log, LOG_LEVEL_INFO, "reloaded", "file", node->config_file);
	node_nudge(node);
	jwks_configure(node->jwks, next);
	peers_configure(node->peers, next);
	named_configure(node->named);
	return true;
}

bool node_drain(struct node *node)
{
	struct message_command command = {
		.head = {MESSAGE_COMMAND, sizeof(command)},
		.what = COMMAND_DRAIN,
	};

	return node_send_all(node, span_of(&command, sizeof(command)));
}

uint64_t node_connections(const struct node *node)
{
	uint64_t sum = 0;

	for (uint16_t w = 0; w < node->workers; w++)
		sum += counter_read(&worker_counters(node->worker[w])->conn_live);
	return sum;
}
