/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_H
#define SIM_H

#include <stdarg.h>

#include "conn.h"
#include "mailbox.h"
#include "snapshot.h"
#include "verifier.h"
#include "worker.h"
#include "writer.h"

/**
 * The whole gateway under a virtual clock: N workers in one thread, scripted WICs and a scripted
 * core around them, everything drawn from one seed. The same seed gives the same run, event for
 * event. What must hold is checked after every event; the first thing that does not hold ends the
 * run with its name.
 */

struct sim;
struct simnet;

#define SIM_WORKERS_MAX 4
#define SIM_WICS_MAX 12
#define SIM_IDENTITIES 2  /* of each WIC, one after the other */
#define SIM_USERS 400	  /* pairs: the first half belongs to WWSF 0, the rest to WWSF 1 */
#define POOL_PAIRS_MAX 10 /* behind them: those of the pool of WWSF 2 */
#define SIM_MESSAGE_MAX 8192
#define SIM_WALL_START 1795000000ull
#define SECOND 1000000ull
#define TIMER_LATE_US 1000 /* of a worker, at most (core/core.h) */
/* a worker that sleeps has looked at the wall's clock, and at all of its bindings */
#define STEP_SEEN_US (SECOND + 10000)
#define STEP_LEAST_US 500000 /* of the wall's clock: less is a drift, by which ends may be off */

/* Endpoint numbers of the scripted hosts on the simulated network, after the workers. */
#define SIM_HOST_WICS 1000
#define SIM_HOST_CORE 1001

/** What is there beside web sites that have their pairs. */
enum sim_mode {
	SIM_PLAIN,
	SIM_POOL,      /* a web site with a pool, and most WICs are its visitors */
	SIM_WILDCARD,  /* one with a wildcard, and most WICs are never registered */
	SIM_SCENARIOS, /* a wildcard, a block, events: the seed says which, alone or together */
	SIM_MODES
};

/* ---- chance and time (sched.c) -------------------------------------------------------------- */

/** A draw from the run's seed. */
uint64_t sim_random(struct sim *sim);
/** 0..n-1. */
uint32_t sim_below(struct sim *sim, uint32_t n);
/** from..to, both included. */
uint64_t sim_between(struct sim *sim, uint64_t from, uint64_t to);
/** True in percent of 100 cases. */
bool sim_chance(struct sim *sim, uint32_t percent);

typedef void sim_event(struct sim *sim, void *context, uint64_t arg);

/** Runs event at at_us; events of one instant run in the order in which they were made. */
void sim_at(struct sim *sim, uint64_t at_us, sim_event *event, void *context, uint64_t arg);
/** The same for a context that the event frees: it runs even when the world has ended. */
void sim_at_owned(struct sim *sim, uint64_t at_us, sim_event *event, void *context);
static inline uint64_t sim_s(uint64_t seconds)
{
	return seconds * SECOND;
}

struct sched *sched_new(void);
/** Lets go of what has not happened. */
void sched_free(struct sim *sim);
/** Moves the clock to the next event before until_us and runs it. False: there is none. */
bool sched_step(struct sim *sim, uint64_t until_us);
void sim_seed(struct sim *sim, uint64_t seed);

uint64_t sim_now(const struct sim *sim);
/** Unix time, and what of it a clock of seconds shows. */
uint64_t sim_wall_us(const struct sim *sim);
uint64_t sim_wall(const struct sim *sim);
/**
 * When the wall shows that second first, of the simulated time; 0: before that began. After a step
 * of the wall's clock by that clock; what a step forth has jumped over comes when the workers have
 * noticed it.
 */
uint64_t sim_wall_at(const struct sim *sim, uint64_t wall_s);
/** The same as long as the clock has not stepped. */
uint64_t sim_wall_before(const struct sim *sim, uint64_t wall_s);
/** Draws whether it does, from the seed alone: all else is as it is without. */
void sim_step_draw(struct sim *sim);
/** It has, since then. */
bool sim_stepped(const struct sim *sim, uint64_t since_us);
/** It has, and workers may not have noticed. */
bool sim_step_unseen(const struct sim *sim);

/* ---- what must hold (watch.c) ---------------------------------------------------------------- */

/** Reports that the invariant called name does not hold. The run ends after this event. */
void sim_broken(struct sim *sim, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** Keeps a line for the report, when it is wanted; prints it at once with --trace. */
void sim_note(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sim_failed(const struct sim *sim);
struct watch *watch_new(void);
void watch_free(struct watch *watch);
/** What tells the command line that the mode is that. */
const char *sim_mode_flag(enum sim_mode mode);
/** Prints the last notes and how to see them again. */
void watch_report(const struct sim *sim);
/** Checks one worker after its turn, and that no mail waits for a sleeper. */
void watch_worker(struct sim *sim, uint16_t index);
void watch_sleepers(struct sim *sim);
/** Everything is given back. */
bool watch_rests(const struct sim *sim);
/** Checks that: after the drain. */
void watch_drained(struct sim *sim);
/** Checks that no request waits too long; runs every second. */
void watch_requests(struct sim *sim);

/* ---- the requests that WICs make, known to both scripts -------------------------------------- */

enum token_kind {
	TOKEN_GOOD,
	TOKEN_NO_TOKEN,
	TOKEN_EXPIRED,
	TOKEN_FORGED,	/* signed with another key */
	TOKEN_FOREIGN,	/* a pair of the other WWSF */
	TOKEN_UNKNOWN,	/* a pair of nobody */
	TOKEN_MIXED,	/* IMPI of one pair, IMPU of another */
	TOKEN_AUDIENCE, /* for somebody else */
	TOKEN_OTHER,	/* good, but not for the identity in To */
	TOKEN_GARBAGE,
	TOKEN_KINDS
};

enum request_kind { REQUEST_REGISTER, REQUEST_DEREGISTER, REQUEST_FETCH, REQUEST_MESSAGE };

/** One request of a WIC. Its number is in Call-ID: "r17@w3.invalid". */
struct request {
	enum request_kind kind;
	enum token_kind token;
	uint32_t wic;
	uint32_t user; /* whose identity it is about */
	uint32_t conn; /* of the WIC: which of its connections */
	uint32_t asked_s;
	uint64_t exp_s; /* of the token */
	uint64_t sent_us;
	uint64_t sent_wall;
	uint32_t finals;      /* final answers seen */
	uint16_t status;      /* the first of them */
	uint16_t core_status; /* what the core answered; 0: it did not */
	uint32_t core_granted;
	bool unknown_key;  /* of its token: it may wait for it, and in vain */
	bool foreign_from; /* MESSAGE whose From is not the WIC's */
	bool heard;	   /* MESSAGE: the core has had it; over UDP it may come again */
	bool outbound;	   /* REGISTER with reg-id */
	bool refused_busy; /* a place of the core had too much to do */
	bool abandoned;	   /* its connection has ended */
	/* of a visitor of the pool */
	uint32_t pool; /* its token; 0: it has none of the pool's */
	uint32_t sub, visit, instance;
	/* REGISTER: hash of its Call-ID, and its CSeq; a 200 has been stored, without its contact;
	 * when its registration has ended at the gateway by the core's word */
	uint64_t call_hash;
	uint32_t cseq;
	bool stored, unlisted;
	uint64_t ended_us;
	bool beside; /* another REGISTER of its connection was under way */
	bool guest;  /* of who is never registered */
	/* of a member of the block: its token plus 1, when it is good; it removes all bindings */
	uint32_t member_token;
	bool all;
};
#define SIM_REQUESTS_MAX 8192

struct request *request_new(struct sim *sim, uint32_t *number);
/** The request whose number stands in Call-ID; NULL: none. */
struct request *request_of(struct sim *sim, struct span message);
/** Whole seconds that its token had left when it was sent. */
uint64_t request_left_s(const struct sim *sim, const struct request *r);

/* ---- tables (table.c) ------------------------------------------------------------------------ */

/** A table of zeros, which costs what of it is touched. */
void *table_new(size_t bytes);
/** bytes: the same as then. */
void table_free(void *table, size_t bytes);

/* ---- text of scripted SIP (text.c) ----------------------------------------------------------- */

void text_add(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Value of the n-th line called name; len 0 and at NULL when there is none. */
struct span text_header(struct span message, const char *name, uint32_t n);
uint32_t text_count(struct span message, const char *name);
bool text_has(struct span haystack, const char *needle);
/** Decimal number right after marker in s; fallback when there is none. */
uint64_t text_number(struct span s, const char *marker, uint64_t fallback);
/** Status of a response; 0 for a request. */
uint16_t text_status(struct span message);
/** Copies every line called name. */
void text_copy(struct writer *w, struct span message, const char *name);

/* ---- parts, tokens, verifier ----------------------------------------------------------------- */

struct sim_options {
	enum sim_mode mode;
	uint64_t seed;
	uint16_t workers;
	bool trace;
	bool notes;   /* keep them for the report */
	bool openssl; /* really signed tokens and the product's verifier */
	bool events;  /* registration events in half of the worlds */
};

/** How this run's world looks; drawn from the seed. */
struct sim_shape {
	uint32_t wics;
	uint64_t run_us; /* until the drain */
	bool rough;	 /* small buffers, cut streams: always, but in the contract's own test */
	bool udp;	 /* the next hop speaks UDP */
	bool advertise_common;
	bool slow_verifier; /* some verdicts come after the session has given up */
	bool disowns;	    /* WWSF 1 loses its Origin for a while */
	bool tight;	    /* small pools: limits are met */
	bool rotates;	    /* the web sites sign with keys that control has to fetch */
	uint32_t loss;	    /* percent of datagrams */
	uint32_t min_grant_s;
	uint32_t grace_s; /* flow_grace */
	uint32_t hold_s;  /* hold_indialog */
	uint32_t timer_c_s;
	bool restarts; /* the whole gateway, now and then */
	bool busy;     /* the core says 503 at times */
	/* the pool, see pool.h */
	uint32_t pool_pairs; /* 0: there is none */
	uint32_t visitors;   /* the first ones of the WICs */
	uint32_t pool_lifetime_s;
	uint32_t pool_ahead_s; /* the web site's clock */
	uint32_t pool_fault;   /* enum pool_fault */
	bool pool_meddled;     /* the operator takes back what he has given */
	uint32_t guests;       /* the first ones of the WICs: of a site with a wildcard */
	uint32_t members;      /* the next ones: of a site with a block */
	bool reg_event;	       /* the gateway asks for registration events */
};

/** Draws it (shape.c). */
struct sim_shape shape_draw(struct sim *sim);

/** The wildcards of so many sites, as control would publish them (patterns.c). */
struct snapshot_part *patterns_new(uint32_t sites);
/** Publishes new parts: a reload. with_wwsf_1: its Origin is served. */
void parts_publish(struct sim *sim, bool with_wwsf_1);
/** Publishes the keys alone: a fetch has ended. */
void parts_publish_keys(struct sim *sim);
/** Publishes which tokens of the pool are revoked and whether its site is disabled. */
void parts_publish_revocations(struct sim *sim);

#define SIM_KEYS_MAX 8

/** Which key a token names: "k1" and so on; all are the same material. */
struct sim_rotation {
	uint32_t signing; /* the one that the web sites sign with */
	uint32_t known;	  /* the last one in the set that is published */
	uint32_t fetches;
	bool fetching;
	bool unknown_once; /* a token named one that was not */
};

/** Writes a token for user as kind wants; exp_s is when it ends. */
void token_write(struct sim *sim, enum token_kind kind, uint32_t user, uint64_t exp_s,
		 struct writer *out);
/** Writes the jti of a token of user's that ends then, where tokens have one. */
void token_write_jti(uint32_t user, uint64_t exp_s, struct writer *out);
/** By what workers know the jti of a letter and a number, of that issuer. */
uint64_t token_jti_hash(struct span iss, char letter, uint32_t number);
/** Writes the token that has these claims. */
void token_seal(struct sim *sim, struct span claims, bool forged, struct writer *out);
/** Finds what may be on no wire but W2: a Bearer credential or a token. */
bool token_leaks(struct span message);
extern const struct verifier_ops verifier_sim, verifier_sim_slow;
struct token_maker;
struct token_maker *token_maker_new(bool openssl);
void token_maker_free(struct token_maker *maker);
/** The public key that verifies the maker's tokens. */
const struct verify_key *token_maker_key(const struct token_maker *maker);
void token_maker_sign(struct token_maker *maker, struct span text, bool forged,
		      uint8_t signature[64]);

/* ---- the world (world.c) ----------------------------------------------------------------------
 */

struct wic_script;
struct core_script;
struct calls;
struct journal_script;
struct guests;
struct members;
struct events;

struct sim_worker {
	struct worker *worker;
	uint64_t turn_at; /* the next turn; UINT64_MAX: it sleeps and nothing is due */
	uint64_t ticket;  /* of that turn: an earlier one makes it void */
	bool asleep;
	bool woken;
};

struct sim_host {
	struct net_core *core;
	struct net_clock clock;
	uint16_t number;
	bool turning; /* a turn is on its way */
};

struct sim_control {
	bool asleep;
	bool woken;
	bool scheduled;
	uint32_t asked; /* commands so far */
	uint32_t answered[SIM_WORKERS_MAX];
	uint64_t events;
};

struct sched;
struct watch;

struct sim {
	struct sim_options options;
	struct sim_shape shape;
	uint64_t random[4];
	struct sched *sched;
	uint64_t now_us;
	uint32_t wall_part_us; /* of the wall's second, gone when now_us was 0 */
	struct {
		uint64_t at_us; /* UINT64_MAX: never */
		int64_t by_us;
	} step; /* of the wall's clock */
	struct watch *watch;
	struct simnet *net;
	struct mailbox_hub *hub;
	struct snapshot_root *snapshots;
	struct worker_env env;
	struct token_maker *maker;
	struct sim_worker worker[SIM_WORKERS_MAX];
	struct sim_host wic_host, core_host;
	struct sim_control control;
	struct sim_rotation rotation;
	struct wic_script *wics;
	struct core_script *core;
	struct calls *calls;
	struct journal_script *journal;
	struct pool *pool;	 /* NULL: there is none */
	struct guests *guests;	 /* NULL: there are none */
	struct members *members; /* of a block; NULL: there is none */
	struct events *events;	 /* of registrations; NULL: nobody asks for them */
	struct request *request;
	uint32_t requests;
	uint32_t open_from; /* requests before it have ended */
	bool draining;
	bool disowned_once;
	bool wwsf_1_served;
	bool down;	       /* the gateway is not there */
	uint32_t restarts;     /* so far */
	uint64_t restarted_us; /* the last time that it went or came; 0: never */
	uint32_t key_round;    /* flow keys change with it */
	uint64_t rotated_us;   /* the last time that it did */
	uint64_t steps;
};

/** Runs one world to its end; when something does not hold, once more, since notes take time. True:
 * everything held. */
bool sim_run(const struct sim_options *options);

/** Something has arrived for a host of the simulated network. */
void sim_arrived(struct sim *sim, uint16_t number);

/* the scripts (wic.c, core.c) */
struct wic_script *wics_new(struct sim *sim);
void wics_free(struct wic_script *wics);
/** The identity that a WIC now uses, and whether its connection number conn is still open. */
bool wic_connected(const struct wic_script *wics, uint32_t wic, uint32_t conn);
/** Until when WIC's connection conn may be registered: the latest token end. */
uint64_t wic_authorised_until_us(const struct wic_script *wics, uint32_t wic, uint32_t conn);

/** The end of its registration, as it knows it from the last 200. */
uint64_t wic_bound_until_us(const struct wic_script *wics, uint32_t wic, uint32_t conn);

struct core_script *core_new(struct sim *sim);
void core_free(struct core_script *core);
/** The core starts nothing any more, then closes its connections. */
void core_drain(struct core_script *core);

/* addresses */
struct endpoint sim_endpoint(const char *text);
#define ADDRESS_ACCESS "198.18.0.1:443"
#define ADDRESS_MW "198.18.0.2"
#define MW_PORT 5060
#define MW_WORKER_PORT 5100
#define ADDRESS_CORE "198.18.0.20:5060"
#define ADDRESS_CORE_2 "198.18.0.21:5060"
#define ADDRESS_STRANGER "198.18.0.66:5060"
#define DOMAIN "ims.example"
#define SIM_HASH_KEY \
	{ \
		1, 2, 3 \
	}

#endif
