/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_POOL_H
#define SIM_POOL_H

#include "sim.h"

/**
 * The third web site: it has fewer pairs than visitors, and gives each to one after the other. What
 * it gives to whom is here, known to its visitors, to the core and to what is checked.
 */

#define POOL_SITE 2
#define POOL_TOKENS_MAX 1024
#define POOL_LEEWAY_S 30

/** How a web site breaks the agreement (PROTOCOL 6), one way in a world. */
enum pool_fault {
	POOL_HONEST,
	POOL_OVERLAP,	/* a pair that somebody has by a token that has not ended */
	POOL_OLDER,	/* a visitor shows the token of before again */
	POOL_JTI_TWICE, /* the next user's token has the jti of the one before */
	POOL_TOO_LONG,	/* a lifetime above the agreed one */
	POOL_NOT_YET,	/* issued far in the future */
	POOL_NO_JTI,
	POOL_MIXED,   /* IMPI of one pair, IMPU of another */
	POOL_FOREIGN, /* a pair of another web site */
	POOL_FAULTS
};

/** A token of the site's. They are named by their place in the list plus 1; 0: none. */
struct pool_token {
	enum pool_fault fault; /* POOL_HONEST: nothing is wrong in it by itself */
	uint32_t pair, sub, jti;
	uint64_t iat_s, exp_s;
	uint64_t hash; /* pool_jti() */
	bool revoked;
	uint64_t revoked_us;
};

struct pool_pair {
	uint32_t sub;	       /* who has it by the site's word */
	uint32_t last;	       /* token that was given last */
	uint64_t end_s;	       /* by then the site may give it to another, by its clock */
	uint32_t wic;	       /* whose REGISTER for it was the last, plus 1 */
	uint32_t holder;       /* who was told last that he has it, plus 1 */
	uint64_t disturbed_us; /* the last time that another one than these asked for it, or that
				  something of it was taken back */
	bool removed;	       /* a reload has taken it out */
	uint64_t removed_us;
	bool twice; /* two connections have it, since twice_us */
	uint64_t twice_us;
	const struct pool_token *held; /* by which it was registered last, */
	uint64_t held_us;	       /* and when that was seen last */
	uint64_t impi;		       /* what workers call it; 0: nobody has had it yet */
	uint64_t alone_us; /* since when it has a lease without a registration, or the other way
			      round */
};

struct pool {
	struct pool_token token[POOL_TOKENS_MAX];
	uint32_t tokens, subs, jtis;
	uint32_t owner[POOL_TOKENS_MAX]; /* of jti: the token of it that the core has heard last */
	uint32_t slot[2 * POOL_TOKENS_MAX]; /* tokens by hash, the first of a jti */
	struct pool_pair pair[POOL_PAIRS_MAX];
	bool disabled;	     /* the operator has disabled the site */
	uint64_t changed_us; /* the last time that it was disabled, enabled, or revoked from */
	uint32_t in_use;     /* answers 403 with Retry-After that visitors got */
	uint64_t counted;    /* by workers that have ended */
};

struct pool *pool_new(void);
void pool_free(struct pool *pool);
static inline struct pool_token *pool_token(const struct sim *sim, uint32_t token)
{
	return &sim->pool->token[token - 1];
}
/** The token of that jti that the core has heard last; NULL: none of the pool's. */
const struct pool_token *pool_token_of(const struct pool *pool, uint64_t hash);
/** User number of the pair's identities. */
static inline uint32_t pool_user(uint32_t pair)
{
	return SIM_USERS + pair;
}

/** Somebody comes to the site: a token of his, 0 when it has no pair for him. */
uint32_t pool_visit(struct sim *sim);
/** The next token of the same user; 0: the pair is another's by now. */
uint32_t pool_renew(struct sim *sim, uint32_t token);
void pool_token_write(struct sim *sim, uint32_t token, struct writer *out);
/** A REGISTER of it leaves the WIC. */
void pool_asked(struct sim *sim, uint32_t token, uint32_t wic);
/** Revokes a token, disables the site, or takes a pair out; or undoes it. */
void pool_meddle(struct sim *sim);

/** The status that a REGISTER with the token must get at that time whoever has the pair; 0: it
 * depends. */
uint16_t pool_verdict(const struct sim *sim, const struct pool_token *t, uint64_t at_us);

/* watch_pool.c */
/** Checks all registrations, after a turn of a worker. */
void watch_pool(struct sim *sim);
/** A REGISTER with this token has come to the core. */
void watch_pool_asked(struct sim *sim, const struct request *r);
/** A REGISTER of a visitor has its final answer. */
void watch_pool_answered(struct sim *sim, const struct request *r, struct span message);
/** A worker ends: what it has counted. */
void watch_pool_counted(struct sim *sim, uint16_t index);
/** All have: whether that is all that was answered. */
void watch_pool_drained(struct sim *sim);

#endif
