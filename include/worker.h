/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORKER_H
#define WORKER_H

#include "conn.h"
#include "counters.h"
#include "mailbox.h"
#include "parts.h"
#include "snapshot.h"
#include "verifier.h"

/**
 * A worker: one thread that owns its connections and everything that hangs off them. Control makes
 * it, runs it on a thread of its own, and talks to it through mailbox and snapshot. The simulator
 * makes the same workers and calls worker_turn() itself.
 */
struct worker;
struct tls_ops;
struct message_journal;

enum worker_idle { WORKER_SLEEP, WORKER_POLL };

/** Time and randomness: arguments, never read by protocol code itself. */
struct worker_env {
	void *context;
	uint64_t (*now_us)(void *context);  /* monotonic */
	uint64_t (*wall_us)(void *context); /* Unix time */
	uint64_t (*random)(void *context);  /* cryptographically secure */
};

/** Sizes fixed at start; every pool has its memory then. */
struct worker_sizes {
	uint32_t connections;
	uint32_t bindings;
	uint32_t transactions;
	uint32_t max_message; /* bytes of a SIP message, the most that any reload may configure */
	uint32_t max_output;  /* bytes that may wait for one peer */
	uint32_t verify_jobs;
	uint32_t large_buffers;	   /* messages longer than 4 KiB in the making at a time */
	uint32_t parked;	   /* requests that wait for keys, at least 1 */
	uint32_t held;		   /* requests that wait for a WIC to come back, at least 1 */
	uint32_t token_cache;	   /* verified tokens remembered; 0: none */
	uint32_t token_refused;	   /* refused tokens remembered; 0: none */
	uint32_t lease_tombstones; /* pool pairs whose last token is remembered */
};

/** What TCP connections may hold and how long they wait. */
struct worker_tcp {
	uint32_t receive_bytes, send_bytes; /* of one connection */
	uint64_t user_timeout_us;
	struct tcp_limits limits; /* of NET_PACKETS */
};

struct worker_config {
	uint16_t index;	  /* 0.. */
	uint16_t workers; /* how many there are; control is mailbox endpoint number workers */
	enum worker_idle idle;
	uint32_t epoch; /* where handle generations start: grows with every start of the node */
	struct worker_sizes sizes;
	const struct worker_env *env;
	struct mailbox_hub *hub;
	struct snapshot_root *snapshots; /* configuration and TLS contexts are published already */
	const struct net_ops *net[NET_BACK_ENDS]; /* NULL: no port needs it */
	struct net_shared *shared;		  /* of NET_PACKETS */
	const struct worker_tcp *tcp;		  /* NULL: 64 KiB, 45 s, tcp_limits_default */
	const struct tls_ops *tls;		  /* of the published contexts; NULL: libssl */
	const struct verifier_ops *verifier;
};

/**
 * Makes a worker and opens its listeners. Everything in config is borrowed until worker_free().
 * Errors: GW_CONFIG, GW_SYSTEM, GW_NO_MEMORY, with why saying what failed in words.
 */
enum gw_err GW_MUST_CHECK worker_new(const struct worker_config *config, char *why,
				     uint32_t why_len, struct worker **made);

/** The worker where a binding of before goes after a restart: the home of its IMPI. */
uint16_t worker_home(const uint8_t hash_key[16], const struct message_journal *m, uint16_t workers);

/**
 * Gives a worker that has not run yet a binding of a pool that the gateway had before a restart
 * (docs/design.md, Restart); worker_home() says to whom. GW_BINDING_LIMIT: it has no room for it.
 */
enum gw_err GW_MUST_CHECK worker_restore(struct worker *w, const struct message_journal *m);

/** Turns until worker_stop(). Blocks; runs on the worker's thread. */
void worker_run(struct worker *w);

/** One turn. True when something was done: an idle turn may be followed by sleep. */
bool worker_turn(struct worker *w);

/**
 * The two ends of sleep, shared by worker_run() and the simulator: the worker holds no view of the
 * snapshot meanwhile and senders wake it. False: mail is there, the worker is as awake as before.
 * True: after a wake-up, input, or worker_next_us(), worker_sleep_end() comes first.
 */
bool worker_sleep_begin(struct worker *w);
void worker_sleep_end(struct worker *w);

/** When the worker must turn again though nobody wakes it; UINT64_MAX: never. */
uint64_t worker_next_us(const struct worker *w);

/** Ends worker_run() after the turn under way. Any thread. */
void worker_stop(struct worker *w);

/** Closes every connection and frees all. Its thread has ended. NULL does nothing. */
void worker_free(struct worker *w);

/** Numbers that any thread may read. */
const struct counters *worker_counters(const struct worker *w);

/** What is out of the worker's pools, for the balance that tests check. */
struct worker_balance {
	uint32_t sessions, bindings, leaving, homes, leases, lease_waits, transactions, finished,
		parked, held, links, jobs, small_buffers, large_buffers;
	uint32_t wildcards; /* users who are not registered and have shown a token */
	uint32_t reg_events; /* subscriptions to registration events */
	uint32_t blocks;    /* as this worker knows them */
	uint32_t registrar; /* bindings of blocks whose home this worker is */
	uint32_t counted;   /* connections that the limits of their address and WWSF count */
};
struct worker_balance worker_balance(const struct worker *w);

/** A registration of this worker that has not ended here, for what tests check of all of them. */
struct worker_registration {
	uint64_t jti;  /* jti_hash() of its token; 0: it has none */
	uint64_t impi; /* keyed hash of its private identity */
	uint64_t call_id; /* keyed hash of its last REGISTER's, and the CSeq of that */
	uint32_t cseq;
	uint64_t expires_us;
	struct handle flow;
	bool lost; /* its connection has ended: it waits for another one */
};

/** The next one from *cursor on, which is moved behind it. False: there is none, *cursor is 0. */
bool worker_registration(const struct worker *w, uint32_t *cursor,
			 struct worker_registration *registration);

/** A pool pair whose home this worker is, and that somebody has or asks for. */
struct worker_lease {
	uint64_t impi; /* as in worker_registration */
	bool held;     /* a registration has it, or is told to end and has not said so */
	/* until when a REGISTER with a grant of it, one that waits for a grant, and the end of a
	 * registration that had it are waited for; 0: there is none */
	uint64_t granted_us, asked_us, leaving_us;
};

/** The same of leases. */
bool worker_lease(const struct worker *w, uint32_t *cursor, struct worker_lease *lease);

struct row_block;
/** The same of blocks. */
bool worker_block(const struct worker *w, uint32_t *cursor, struct row_block *block);

#endif
