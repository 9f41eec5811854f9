/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JWKS_H
#define JWKS_H

#include "config.h"
#include "log.h"
#include "message.h"

/**
 * The key sets that are fetched over HTTPS (PROTOCOL 3.8), one for each issuer whose jwks says so.
 * A set is kept as long as HTTP says, within limits.jwks_cache_min and _max, and fetched again in
 * the background before that is over; a fetch that fails is repeated after a time that doubles up
 * to jwks_cache_min, with jitter, and the old keys stay for jwks_stale_max beyond their time. A
 * token with an unknown kid may ask for a fetch, once in jwks_cooldown. One fetch of an issuer is
 * under way at a time. Clock, randomness and fetching are arguments; all on the control thread.
 */
struct jwks;

/** What an ended fetch has brought. Borrowed for the call. */
struct jwks_answer {
	const char *why;  /* NULL: a whole body came with status 200; else why not */
	struct span body; /* at most KEYS_BYTES_MAX */
	uint32_t fresh_s; /* as HTTP says; 0: not said, or not to be kept */
};

struct jwks_request {
	const char *url; /* https; lives until done or cancel */
	const char *ca;	 /* PEM file; NULL: the system's */
	void (*done)(void *context, const struct jwks_answer *answer);
	void *context;
};

/** A fetch that is under way. */
struct jwks_flight;

/** Who fetches. */
struct jwks_fetcher {
	/** Begins; done follows once, never from inside this call. NULL: no memory. */
	struct jwks_flight *(*start)(void *context, const struct jwks_request *request);
	/** Ends it; done does not follow. */
	void (*cancel)(void *context, struct jwks_flight *flight);
	void *context;
};

struct jwks_config {
	struct jwks_fetcher fetcher;
	struct log *log;
	uint64_t (*now_ms)(void *context); /* monotonic */
	uint64_t (*random)(void *context);
	/**
	 * Makes the key part anew by jwks_look() and puts it live. Called after each fetch that has
	 * ended, and when missing or refetchable of an issuer changes by time. An error: called
	 * again with the next tick.
	 */
	enum gw_err (*publish)(void *context);
	void *context;
};

/** No set is known yet. NULL: no memory. */
struct jwks *jwks_new(const struct jwks_config *config);

/** Ends what is under way and wipes the keys. NULL does nothing. */
void jwks_free(struct jwks *jwks);

/**
 * Takes the issuers and limits of a configuration that has become live. A set whose issuer has the
 * same name, URL, CAs and algorithms as before is kept with its age; others are fetched at once.
 */
void jwks_configure(struct jwks *jwks, const struct config *config);

/** Does what is due. On a timer, several times a second. */
void jwks_tick(struct jwks *jwks);

/**
 * Takes a MESSAGE_KEYS_WANTED of a worker: fetches, unless that is under way already or within the
 * cooldown. generation: of the live config_part; one about another is ignored, and so is a row that
 * is not there or is from a file. False: it is another message.
 */
bool jwks_message(struct jwks *jwks, uint32_t generation, struct span message);

/** How it stands with the keys of an issuer. */
enum jwks_state {
	JWKS_FILE,    /* read with the configuration */
	JWKS_WAITING, /* no fetch has ended yet */
	JWKS_FRESH,
	JWKS_FAILING, /* fresh, but the last fetch has failed */
	JWKS_STALE,   /* used beyond its time, because fetches fail */
	JWKS_MISSING, /* none: F11 */
};

/** "file", "waiting", ... */
const char *jwks_state_name(enum jwks_state state);

struct jwks_view {
	enum jwks_state state;
	const struct key_list *keys; /* none while waiting or missing; never NULL */
	struct key_issuer issuer;    /* as it is to be published */
	uint64_t age_s;		     /* of the keys; when there are none, 0 */
	uint64_t refresh_s;	     /* until the next fetch; 0: under way, or from a file */
	const char *error;	     /* why the last fetch failed; "": it did not */
};

/**
 * What is known of an issuer of any configuration, also one that is not live yet: a reload
 * publishes the sets that it keeps. jwks NULL: nothing is known of those that are fetched.
 */
void jwks_look(const struct jwks *jwks, const struct config_issuer *issuer, struct jwks_view *view);

#endif
