/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORLD_H
#define WORLD_H

#include <openssl/evp.h>

#include "test.h"
#include "pipeline.h"

/**
 * One or two whole workers on kernel sockets of the loopback, TLS left out, a clock that the test
 * moves. Everything runs in the test's own thread: world_run() turns the workers until they rest.
 */

#define ORIGIN "https://shop.example"
#define ACCESS_PORT 8443
#define CORE_PORT 5060
#define MW_PORT 5060
#define MW_WORKER_PORT 5070
#define WORLD_MESSAGE_MAX 16384
#define WORLD_WORKERS_MAX 2

struct world {
	uint16_t workers;
	struct worker_sizes sizes;
	enum mw_transport hop; /* how the core is reached */
	uint32_t keep_alive_s; /* 0: none */
	const struct verifier_ops *verifier;
	uint32_t max_output, mw_output;
	enum wwsf_mode mode; /* of its web site */
	uint32_t max_connections;
	struct rate_limit upgrades; /* zeroed: no limit, here and around it */
	uint32_t address_connections;
	struct rate_limit requests;
	struct wwsf_config limits; /* of the one web site; only what is a limit counts */
	bool balanced;		   /* peers are load balancers */
	struct span scope;	   /* that the issuer asks for, for whatever it is; empty: none */
	uint32_t tls_steps;	   /* of handshakes in a turn */
	/* made by world_open() */
	uint64_t now_us, step_us; /* each look at the clock costs a step */
	uint64_t wall_s;
	uint64_t random;
	char ours[32], core[32]; /* addresses of this process only */
	struct mailbox_hub *hub;
	struct snapshot_root *snapshots;
	struct worker *worker[WORLD_WORKERS_MAX];
	EVP_PKEY *key;
	uint32_t told[EVENT_KINDS]; /* events that the workers sent to control */
	uint32_t wanted;	    /* times they asked it for keys */
	mailbox_handler *hear;	    /* of what else they send it; NULL: nobody */
	void *hear_context;
};

/** What tests start from: one worker, a core over UDP, room for a few of everything. */
struct world world_plan(void);
void world_open(struct world *world);
/** Ends everything; every pool must be balanced and no invariant broken before. */
void world_close(struct world *world);
/** Turns the workers until they rest. */
void world_run(struct world *world);
/** Time passes, in steps of a second, workers turning. */
void world_pass(struct world *world, uint32_t seconds);
/** The sum over the workers of one counter. */
#define world_count(world, name) \
	(counter_read(&worker_counters((world)->worker[0])->name) + \
	 ((world)->workers > 1 ? counter_read(&worker_counters((world)->worker[1])->name) : 0))
#define world_errors(world, err) world_count(world, errors[err])
/** "address:port" as an endpoint. */
struct endpoint world_endpoint(const char *address, uint16_t port);

/* parts.c: what control would publish */
enum world_sites { SITE_SERVED, SITE_GONE };
void world_publish(struct world *world, enum world_sites sites);
/** The issuer's only key has this kid; state says how it stands with its keys. */
void world_publish_keys(struct world *world, const char *kid, struct key_issuer state);
/** That token of the issuer is revoked, or that site is disabled; NULL: none. */
void world_publish_revocations(struct world *world, const char *jti, const char *wwsf);
/** New TLS contexts for all workers. */
void world_publish_tls(struct world *world);

#endif
