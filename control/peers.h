/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEERS_H
#define PEERS_H

#include "config.h"
#include "log.h"
#include "message.h"

/**
 * The hosts of the core that are known by name: those of mw.next_hops, and those that workers have
 * seen in a Service-Route and ask for. Each is looked up by RFC 3263 4 (NAPTR, SRV, then A or AAAA)
 * and again when its TTL is over; one that no worker has asked for in an hour is forgotten. A
 * lookup that fails leaves the addresses of before for as long. Clock and lookups are arguments;
 * all on the control thread.
 */
struct peers;

#define PEERS_MAX 256
#define PEER_ADDRESSES_MAX 16 /* of one name; more are ignored */

/** What a question to the DNS has brought. Borrowed for the call. */
struct peers_answer {
	bool failed; /* no answer came: not the same as one that says there is nothing */
	uint32_t ttl_s;
	uint32_t count;
	const struct span *rdata; /* as on the wire, names in it not compressed */
};

struct peers_question {
	const char *name; /* lives until done or cancel */
	uint16_t type;	  /* RFC 1035, 2782, 3403 */
	void (*done)(void *context, const struct peers_answer *answer);
	void *context;
};

enum { PEERS_A = 1, PEERS_AAAA = 28, PEERS_SRV = 33, PEERS_NAPTR = 35 };

/** Who asks. */
struct peers_resolver {
	/** Begins; done follows once, never from inside this call. An id; 0: it cannot. */
	uint64_t (*start)(void *context, const struct peers_question *question);
	/** Ends it; done does not follow. */
	void (*cancel)(void *context, uint64_t id);
	void *context;
};

struct peers_config {
	struct peers_resolver resolver;
	struct log *log;
	uint64_t (*now_ms)(void *context); /* monotonic */
	/** Takes peers_part() and puts it live. An error: called again with the next tick. */
	enum gw_err (*publish)(void *context);
	void *context;
};

/** Nothing is known yet. NULL: no memory. */
struct peers *peers_new(const struct peers_config *config);
/** Ends what is under way. NULL does nothing. */
void peers_free(struct peers *peers);

/** Takes mw.next_hops and the IP version of Mw of a configuration that has become live. */
void peers_configure(struct peers *peers, const struct config *config);

/** Does what is due. On a timer, several times a second. */
void peers_tick(struct peers *peers);

/** Takes a MESSAGE_PEER_WANTED of a worker. False: it is another message. */
bool peers_message(struct peers *peers, struct span message);

/** What is known, for workers; the caller's. NULL: no memory. */
struct peer_part *peers_part(const struct peers *peers);

#endif
