/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_BLOCK_H
#define GATEWAY_BLOCK_H

#include "internal.h"

/* Blocks of identities that this node registers as one (PROTOCOL 8), for the files of this layer
 * only. */

#define BLOCKS_MAX 512	      /* web sites can be 256; as many may be about to leave */
#define BLOCK_ROUTES_MAX 1024 /* bytes of a Service-Route */
#define BLOCK_USER "block-"   /* of its Contact, then the web site's name */

enum block_state {
	BLOCK_DOWN, /* the core does not hold it */
	BLOCK_UP,
	BLOCK_LEAVING, /* home worker: it is to end, and the core is told */
};

/** The last REGISTER of a block that was answered 200, and when. */
struct block_last {
	uint64_t call_id; /* binding_call_id() */
	uint32_t cseq;
	uint64_t asked_us, granted_us;
};

/** Wildcards that the core has last named one way: URIs, a newline behind each. */
struct block_named {
	uint16_t len;
	bool more;    /* than there was room for */
	bool untold;  /* control does not know yet */
	bool alarmed; /* the log knows that they are others than the configured one */
	uint8_t uris[BLOCK_NAMED_MAX];
};

/**
 * The registration of a block, by the name of its web site. The home worker is that of the
 * registering private identity: it registers; the others keep what it says.
 */
struct block {
	struct timer timer; /* home */
	char name[SITE_NAME_MAX + 1];
	enum block_state state;
	bool wanted;		       /* the configuration has it */
	uint64_t impi_hash, impu_hash; /* of the registering pair */
	uint64_t until_us;	       /* the core holds it no longer; a try of before may count */
	uint16_t status;	       /* that the last REGISTER failed with; 0: it did not */
	uint32_t bindings;	       /* of WICs, on this worker */
	uint64_t rejected_us;	       /* when the core last rejected it; 0: never */
	uint64_t dropped_us;	       /* what was bound until then, on this worker, is over */
	uint16_t routes_len;	       /* Service-Route as one Route value */
	uint8_t routes[BLOCK_ROUTES_MAX];
	/* home */
	struct identity impi, impu;
	struct handle own;   /* its REGISTER under way */
	uint64_t next_us;    /* when it is registered again */
	uint64_t untold;     /* workers that have not heard of its state yet, as bits */
	uint32_t cseq;	     /* of its last REGISTER */
	uint32_t asked_s;    /* by it */
	uint32_t least_s;    /* the core wants no less (423) */
	bool longer;	     /* its REGISTER under way was asked at once because of that */
	uint32_t failures;   /* since the last 200 */
	uint8_t call_id[32]; /* its left part, the same for all its REGISTERs */
	/* home: what the core says of it by registration events */
	struct block_last last;
	enum gw_err ended;  /* as what the core has ended it; GW_OK: it has not */
	uint64_t barred_us; /* it is not asked before; NEVER: not until a reload */
	uint64_t up_us;	    /* since when it has been up */
	uint32_t ends;	    /* in a row, of registrations that did not last */
	uint32_t over_cseq; /* it has ended what came by this REGISTER and those before; 0: none */
	struct handle subscription;
	bool no_events; /* the core does not tell */
	bool shown;	/* a document had its Contact, in any state */
	struct reg_doubt doubt;
	struct block_named named[BLOCK_NAMED_WAYS];
	uint64_t part; /* hash of what a partial document has named last; 0: nothing */
};

/** Where the core's requests for blocks have gone: what is about one of them goes there too. */
struct block_way {
	uint64_t key; /* transaction_key() */
	struct handle flow;
	uint64_t until_us;
};

struct block_ways;
struct registrar;

struct blocks {
	struct slots *pool;
	struct timer retry;	/* of words that found a ring full */
	uint32_t generation[2]; /* of configuration and revocations, as of the last turn */
	bool known;
	bool draining;
	struct block_ways *ways;
	struct registrar *registrar; /* of the identities whose home this worker is */
	struct slots *forks;	     /* requests for several bindings of one of these */
};

/* block.c: which there are, and when they are registered */
bool blocks_open(struct gateway *gw);
void blocks_close(struct gateway *gw);
/** Takes the blocks of a new configuration; those of a disabled web site go. */
void blocks_turn(struct gateway *gw);
/** The block of the web site of that name; NULL: it has none, or none any more. */
struct block *block_named(const struct gateway *gw, struct span name);
/** This worker registers it. */
bool block_is_home(const struct gateway *gw, const struct block *b);
/** The core holds it. */
bool block_is_up(const struct gateway *gw, const struct block *b);
/** The Service-Route of the block of that name, as one Route value; empty: it is down. */
struct span block_routes(const struct gateway *gw, struct span name);
/** The end of a REGISTER of a block's, as own_answered() has it. */
void block_answered(struct gateway *gw, const struct transaction *t, uint16_t status);
/** That of this registering pair, also one that is about to leave. */
struct block *block_find(const struct gateway *gw, struct span name, uint64_t impi_hash,
			 uint64_t impu_hash);
/** Tells the log of b. */
void block_event(struct gateway *gw, const struct block *b, enum event_kind what);
/** The core has ended b, which is up, as why says; it is asked again after wait_s seconds at least,
 * or for GW_REG_REJECTED when an operator wants it. */
void block_ended(struct gateway *gw, struct block *b, enum gw_err why, uint32_t wait_s);
/** The core holds b, which is up, for so long from now on. */
void block_lasts(struct gateway *gw, struct block *b, uint32_t seconds);
/** What is bound to b on this worker is over. */
void block_drop(struct gateway *gw, struct block *b);
/** binding was dropped with its block. */
bool block_has_dropped(const struct gateway *gw, const struct binding *binding);
/** A new, empty place. NULL: there is none, counted. */
struct block *block_new(struct gateway *gw, struct span name);
void block_free(struct gateway *gw, struct block *b);

/* block_register.c: what the core is asked */
/** Sends b's REGISTER for b->asked_s, 0: its end. False: it cannot be sent now. */
bool block_register(struct gateway *gw, struct block *b);
/** A binding of the web site from is one of to now; "": of none. */
void block_moves(struct gateway *gw, const char *from, const char *to);
/** Writes the Contact of the block of that name: a URI. */
void block_contact(const struct gateway *gw, struct span name, struct writer *out);
/** What the 200 in gw->message grants b's REGISTER t; its Service-Route is kept. 0: nothing. */
uint32_t block_granted(struct gateway *gw, const struct transaction *t, struct block *b);

/* block_named.c: which wildcards the core says are b's */
/** What one message of the core's names; configured is borrowed from begin to end. */
struct block_naming {
	struct span configured, expression; /* as it stands in a URI, and as it is meant */
	struct writer uris;
	uint32_t count;
	bool same, more; /* the configured one is among them; there was no room for all */
	uint8_t bytes[BLOCK_NAMED_MAX];
};

void block_named_begin(const struct gateway *gw, const struct block *b, struct block_naming *n);
void block_named_add(struct block_naming *n, struct span uri);
/** That is all it names that way: the operator hears of it, and control, when it has changed. */
void block_named_end(struct gateway *gw, struct block *b, const struct block_naming *n,
		     enum block_named_by by);
/** It names them among what has changed. True: that is new, and the core is to be asked for all. */
bool block_named_part(const struct gateway *gw, struct block *b, const struct block_naming *n);
/** Those in P-Associated-URI of the 200 in gw->message. */
void block_named_response(struct gateway *gw, struct block *b);
/** b is up no more, and what was named of it counts no more. */
void block_named_over(struct gateway *gw, struct block *b);
/** A reload: operator and control are told of what was named once more. */
void block_named_again(struct gateway *gw, struct block *b);
/** Tells control what it was not told of yet. False: its ring is full. */
bool block_named_tell(struct gateway *gw, struct block *b);

/* reg_block.c: registration events about blocks, at their home workers */
/** b is up: the core is asked to tell about it, where it is not yet. */
void reg_block_up(struct gateway *gw, struct block *b);
/** b is up no more. */
void reg_block_over(struct gateway *gw, struct block *b);
/** As reg_event_name(). */
void reg_block_name(const struct gateway *gw, const struct block *b, char name[ROW_REG_EVENT_MAX]);

/* block_word.c: what workers tell each other */
/** All others hear how b is, now or when their rings have room. */
void block_tell(struct gateway *gw, struct block *b);
/** What was not told is told again in a moment. */
void block_tell_later(struct gateway *gw);

/* binding.c, register_response.c */
/** Service-Route lines of m as the value of one Route header; how many routes. */
uint16_t binding_routes(const struct sip_message *m, struct writer *text);
/** What the 200 in gw->message grants the Contact of t. */
uint32_t register_grant_s(struct gateway *gw, const struct transaction *t);

#endif
