/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROGUE_H
#define ROGUE_H

#include "chance.h"
#include "site.h"

/** A web site that breaks the agreement of PROTOCOL 6, and what comes of each way to do so. */

/** X(identifier, status that is answered, whether with Retry-After). */
#define ROGUE_LIST(X) \
	X(OVERLAP, 403, true)  /* a pair that another visitor has: F24, a conflict */ \
	X(OLDER, 403, true)    /* a token older than the one its visitor has: F24 */ \
	X(REPLAY, 401, false)  /* the jti of another visitor: F16, a conflict */ \
	X(LONG, 401, false)    /* a longer lifetime than agreed: F15 */ \
	X(MIXED, 403, false)   /* the private identity of another pair: F21 */ \
	X(FOREIGN, 403, false) /* a pair of another web site, or nobody's: F21 */

#define ROGUE_ENUM(id, status, retry) ROGUE_##id,
enum rogue { ROGUE_NONE, ROGUE_LIST(ROGUE_ENUM) ROGUE_COUNT };
#undef ROGUE_ENUM

/** Where the pairs of another web site are to be found: foreign-1@DOMAIN to foreign-N@DOMAIN. */
#define ROGUE_FOREIGN_NAME "foreign-"

/** What is to be issued, and for whom. */
struct rogue_ask {
	enum rogue kind;
	const struct site *site;
	struct chance *chance;
	const char *domain;
	uint64_t visit, jti; /* never given before; what the token has, where that is no breach */
	uint64_t now_s, now_us;
	uint64_t min_grant_s;	 /* shortest registration of the gateway */
	uint64_t max_lifetime_s; /* of a token, as agreed */
};

/** A dishonest token, and what is known of it. */
struct rogue_issue {
	struct issue issue;
	uint64_t retry_at_s; /* Unix time that Retry-After points at; 0: there is none */
	uint16_t status;
	char text[2][96]; /* of identities that are no pair's of the site */
};

/**
 * Makes a token. False: there is no pair just now to which that could be done so that the answer
 * is known. out is not moved while it is used: its issue points into it.
 */
bool rogue_issue(const struct rogue_ask *ask, struct rogue_issue *out);

#endif
