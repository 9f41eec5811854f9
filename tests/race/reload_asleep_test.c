/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "message.h"
#include "tls/tls.h"
#include "worker.h"

/*
 * Reloads while every worker sleeps, on real threads: a part that nobody can see is freed although
 * no worker turns, and nothing is read after its end by one that is just waking up. Made
 * for the thread sanitizer. Arguments: how many reloads.
 */

#define WORKERS 3
#define PORT_BASE 25470

static _Atomic uint64_t freed;

static uint64_t now_us(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t wall_us(void *context)
{
	(void)context;
	return (uint64_t)time(NULL) * 1000000;
}

static uint64_t random_word(void *context)
{
	static _Atomic uint64_t state = 88172645463325252ull;

	(void)context;
	return atomic_fetch_add(&state, 0x9e3779b97f4a7c15ull);
}

static void part_free(struct snapshot_part *part)
{
	atomic_fetch_add(&freed, 1);
	memset(part, 0xee, sizeof(struct config_part)); /* a reader would trip over it */
	free(part);
}

/** A configuration just large enough for a worker without peers. */
static struct config_part *part_new(void)
{
	static const struct realm_config realm = {.domain = {(const uint8_t *)"home1.net", 9}};
	struct config_part *part = calloc(1, sizeof(*part));

	if (part == NULL)
		abort();
	part->part.free = part_free;
	part->realm = &realm;
	part->realm_count = 1;
	part->mw_sip_port = PORT_BASE;
	part->mw_worker_port_base = PORT_BASE + 1;
	part->max_message = 4096;
	part->max_output = 4096;
	part->mw_output = 65536;
	part->flow_key_count = 1;
	part->tls_steps = 1;
	if (!endpoint_parse(span_text("127.0.0.1"), &part->mw_address))
		abort();
	return part;
}

/** Every reload brings contexts too: what a worker that sleeps has not taken goes with its part. */
static enum gw_err publish(struct snapshot_root *root)
{
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {[SNAPSHOT_CONFIG] = &part_new()->part};
	struct tls_config config = {0};
	struct tls_fault fault;
	struct tls_part *tls;

	if (tls_part_new(&tls_clear, &config, WORKERS, &fault, &tls) != GW_OK)
		abort();
	parts[SNAPSHOT_TLS] = &tls->part;
	return snapshot_publish_all(root, parts);
}

static void *worker_thread(void *context)
{
	worker_run(context);
	return NULL;
}

static struct worker *worker_make(uint16_t w, struct mailbox_hub *hub, struct snapshot_root *root)
{
	static const struct worker_env env = {NULL, now_us, wall_us, random_word};
	struct worker_config config = {
		.index = w,
		.workers = WORKERS,
		.epoch = 1,
		.sizes = {.connections = 8,
			  .bindings = 8,
			  .transactions = 8,
			  .max_message = 4096,
			  .max_output = 4096,
			  .verify_jobs = 8,
			  .large_buffers = 8,
			  .parked = 8,
			  .held = 8,
			  .token_cache = 8,
			  .token_refused = 8},
		.env = &env,
		.hub = hub,
		.snapshots = root,
		.net = {[NET_KERNEL] = &net_posix},
		.tls = &tls_clear,
		.verifier = &verifier_openssl,
	};
	struct worker *made;
	char why[256];

	if (worker_new(&config, why, sizeof(why), &made) != GW_OK) {
		fprintf(stderr, "worker_new: %s\n", why);
		exit(1);
	}
	return made;
}

static void wait_for(bool reached, uint64_t until_us, const char *what)
{
	static const struct timespec moment = {0, 20000};

	if (reached)
		return;
	if (now_us(NULL) > until_us) {
		fprintf(stderr, "FAIL reload with every worker asleep: %s\n", what);
		exit(1);
	}
	nanosleep(&moment, NULL);
}

static bool all_asleep(struct mailbox_hub *hub)
{
	for (uint16_t w = 0; w < WORKERS; w++)
		if (!mailbox_asleep(hub, w))
			return false;
	return true;
}

/** With a message, which is counted, or with a bare nudge, as a stop is. */
static void wake(struct mailbox_hub *hub, uint16_t w, bool message)
{
	struct message_command command = {
		.head = {MESSAGE_COMMAND, sizeof(command)},
		.what = COMMAND_BINDINGS,
	};

	if (!message)
		mailbox_nudge(hub, w);
	else if (mailbox_send(hub, WORKERS, w, span_of(&command, sizeof(command)), SPAN("")) !=
		 GW_OK)
		wait_for(false, 0, "a worker does not read its mailbox");
}

/** One reload, while all sleep (freed without any of them turning) or while they wake up. */
static void reload_once(struct mailbox_hub *hub, struct snapshot_root *root, bool asleep)
{
	uint64_t until = now_us(NULL) + 10000000;

	while (asleep && !all_asleep(hub))
		wait_for(false, until, "a worker does not go to sleep");
	if (publish(root) != GW_OK)
		wait_for(false, 0, "the snapshot is full: old parts are never freed");
	while (snapshot_reclaim(root) != 0)
		wait_for(false, until, "an old part is never freed");
	for (uint16_t w = 0; w < WORKERS; w++)
		wake(hub, w, asleep);
}

int main(int argc, char **argv)
{
	uint32_t reloads = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000;
	struct mailbox_hub *hub = mailbox_hub_new(WORKERS + 1, 65536, NULL, NULL);
	struct snapshot_root *root = snapshot_root_new(WORKERS);
	struct worker *worker[WORKERS];
	pthread_t thread[WORKERS];
	uint64_t wakes = 0;

	if (hub == NULL || root == NULL || publish(root) != GW_OK)
		return 1;
	for (uint16_t w = 0; w < WORKERS; w++)
		worker[w] = worker_make(w, hub, root);
	for (uint16_t w = 0; w < WORKERS; w++)
		if (pthread_create(&thread[w], NULL, worker_thread, worker[w]) != 0)
			return 1;
	for (uint32_t i = 0; i < reloads; i++)
		reload_once(hub, root, i % 2 == 0);
	for (uint16_t w = 0; w < WORKERS; w++)
		worker_stop(worker[w]);
	for (uint16_t w = 0; w < WORKERS; w++) {
		pthread_join(thread[w], NULL);
		wakes += counter_read(&worker_counters(worker[w])->loop_wakes);
		worker_free(worker[w]);
	}
	snapshot_root_free(root);
	mailbox_hub_free(hub);
	if (atomic_load(&freed) != reloads + 1) {
		fprintf(stderr, "FAIL reload with every worker asleep: a part was not freed\n");
		return 1;
	}
	if (wakes == 0) {
		fprintf(stderr, "FAIL reload with every worker asleep: no wake was counted\n");
		return 1;
	}
	printf("ok reload with every worker asleep (%u reloads)\n", reloads);
	return 0;
}
