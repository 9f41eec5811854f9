/* SPDX-License-Identifier: BSD-3-Clause */
#include "node.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include <rte_launch.h>

#include "eal.h"
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

static uint64_t env_wall_s(void *context)
{
	(void)context;
	return clock_us(CLOCK_REALTIME) / 1000000;
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
	.wall_s = env_wall_s,
	.random = env_random,
};

/** Makes all parts of config and puts them live together. */
static enum gw_err node_publish(struct node *node, struct config *config)
{
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {0};
	struct config_part *settings = publish_config(config, &node->state);
	struct key_part *keys = publish_keys(config, node->key_ids);
	struct pair_part *pairs = publish_pairs(config);

	if (settings == NULL || keys == NULL || pairs == NULL) {
		if (settings != NULL)
			settings->part.free(&settings->part);
		if (keys != NULL)
			keys->part.free(&keys->part);
		if (pairs != NULL)
			pairs->part.free(&pairs->part);
		return GW_NO_MEMORY;
	}
	parts[SNAPSHOT_CONFIG] = &settings->part;
	parts[SNAPSHOT_KEYS] = &keys->part;
	parts[SNAPSHOT_PAIRS] = &pairs->part;
	return snapshot_publish_all(node->snapshots, parts);
}

static struct worker_sizes node_sizes(const struct config *config)
{
	uint32_t workers = config_workers(config);
	/* connections do not spread evenly over the workers: each has half as much again */
	uint32_t share = workers > 1 ? 3 : 2;

	return (struct worker_sizes){
		.connections =
			(uint32_t)config->limits.max_connections.value * share / 2 / workers + 1,
		.bindings = (uint32_t)config->limits.max_bindings.value * share / 2 / workers + 1,
		.transactions =
			(uint32_t)config->limits.max_transactions.value * share / 2 / workers + 1,
		.max_message = (uint32_t)config->limits.max_message.value,
		.max_output = (uint32_t)config->limits.max_output.value,
		.verify_jobs = 256,
		.large_buffers = 4096,
	};
}

static enum gw_err node_worker(struct node *node, uint16_t w, char why[NODE_WHY_MAX])
{
	const struct config *config = node->config;
	const struct config_certificate *pair = config->access.tls.certificates.at;
	struct worker_config worker = {
		.index = w,
		.workers = node->workers,
		.idle = config->workers.idle.value == CONFIG_IDLE_POLL ? WORKER_POLL : WORKER_SLEEP,
		.epoch = node->state.epoch,
		.sizes = node_sizes(config),
		.env = &node_env,
		.hub = node->hub,
		.snapshots = node->snapshots,
		.net = {[NET_KERNEL] = netifs_has(node->netifs, NET_KERNEL) ? &net_posix : NULL,
			[NET_PACKETS] =
				netifs_has(node->netifs, NET_PACKETS) ? &net_packets : NULL},
		.shared = netifs_shared(node->netifs),
		.tcp = &node->tcp,
		.verifier = &verifier_openssl,
		.certificate = config_path(config, pair->certificate),
		.key = config_path(config, pair->key),
		.groups = config->access.tls.groups.text,
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

static enum gw_err node_workers(struct node *node, char why[NODE_WHY_MAX])
{
	enum gw_err err = GW_OK;

	for (uint16_t w = 0; err == GW_OK && w < node->workers; w++)
		err = node_worker(node, w, why);
	for (uint16_t w = 0; err == GW_OK && w < node->workers; w++) {
		err = eal_launch(w, node_thread, node->worker[w]);
		node->launched += err == GW_OK;
		if (err != GW_OK)
			snprintf(why, NODE_WHY_MAX, "worker %u cannot be started", w);
	}
	return err;
}

enum gw_err node_start(struct node *node, char why[NODE_WHY_MAX])
{
	enum gw_err err;

	node->started_us = env_now_us(NULL);
	snprintf(why, NODE_WHY_MAX, "out of memory");
	if (state_open(&node->state, config_path(node->config, node->config->node.state_directory),
		       why, NODE_WHY_MAX) != NULL)
		return GW_CONFIG;
	err = eal_start(node->config, &node->eal, why, NODE_WHY_MAX);
	if (err == GW_OK)
		err = netifs_open(node->config, &node->netifs, why, NODE_WHY_MAX);
	if (err == GW_OK) {
		netifs_log(node->netifs, node->log);
		err = node_memory(node, why);
	}
	if (err == GW_OK)
		err = node_publish(node, node->config);
	config_tcp(node->config, &node->tcp);
	if (err == GW_OK)
		err = node_workers(node, why);
	if (err != GW_OK)
		node_stop(node);
	return err;
}

void node_stop(struct node *node)
{
	for (uint16_t w = 0; w < node->launched; w++)
		worker_stop(node->worker[w]);
	if (node->eal != NULL)
		rte_eal_mp_wait_lcore();
	for (uint16_t w = 0; node->worker != NULL && w < node->workers; w++)
		worker_free(node->worker[w]);
	netifs_close(node->netifs); /* every packet is back; their memory is EAL's */
	eal_stop(node->eal);
	free(node->worker);
	mailbox_hub_free(node->hub);
	snapshot_root_free(node->snapshots);
	key_ids_free(node->key_ids);
	state_close(&node->state);
	node->worker = NULL;
	node->netifs = NULL;
	node->hub = NULL;
	node->snapshots = NULL;
	node->key_ids = NULL;
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

bool node_reload(struct node *node, struct problems *problems)
{
	struct config *next = config_load(node->config_file, problems);
	enum gw_err err = GW_CONFIG;
	bool accepted;

	if (next != NULL)
		config_compare(node->config, next, problems);
	if (next != NULL && problems_errors(problems) == 0) {
		err = node_publish(node, next);
		if (err != GW_OK) /* who asked must not take a key for revoked that is not */
			problems_add(problems, PROBLEM_ERROR, node->config_file, 1,
				     "accepted, but not put live: %s", gw_err_text(err));
	}
	accepted = err == GW_OK;
	log_problems(node, problems);
	if (!accepted) {
		config_free(next);
		log_event(node->log, LOG_LEVEL_ERROR, "reload_refused", "file", node->config_file);
		return false;
	}
	config_free(node->config);
	node->config = next;
	node->reloads++;
	log_set(node->log, (enum log_level)next->log.level.value, (uint32_t)next->log.rate.value);
	log_event(node->log, LOG_LEVEL_INFO, "reloaded", "file", node->config_file);
	for (uint16_t w = 0; w < node->workers; w++)
		mailbox_nudge(node->hub, w); /* the view of a sleeper is taken when it wakes */
	return true;
}

bool node_drain(struct node *node)
{
	struct message_command command = {
		.head = {MESSAGE_COMMAND, sizeof(command)},
		.what = COMMAND_DRAIN,
	};
	bool all = true;

	for (uint16_t w = 0; w < node->workers; w++)
		if (mailbox_send(node->hub, node->workers, w, span_of(&command, sizeof(command)),
				 SPAN("")) != GW_OK)
			all = false;
	return all;
}

uint64_t node_connections(const struct node *node)
{
	uint64_t sum = 0;

	for (uint16_t w = 0; w < node->workers; w++)
		sum += counter_read(&worker_counters(node->worker[w])->conn_live);
	return sum;
}
