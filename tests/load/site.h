/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SITE_H
#define SITE_H

#include "pairs.h"

/**
 * A web site that lends pairs to anonymous visitors, and keeps the agreement (PROTOCOL 6): a pair
 * goes to another visitor only when the last token that was issued for it has ended.
 */

/** No pair is free. */
#define SITE_NONE UINT32_MAX

/** A token as it is issued. */
struct issue {
	struct pair pair;
	uint64_t visit; /* the number in its sub */
	uint64_t jti;
	uint64_t iat_s, exp_s; /* Unix time */
};

/** What the site knows of one pair. */
struct loan {
	struct issue issued;   /* the last token; visit 0: none yet */
	struct issue accepted; /* the last one that the gateway is known to have taken */
	uint64_t steady_us;    /* until then no other token is issued for it: monotonic */
	uint32_t uses;	       /* visitors who had it */
	struct wic *wic;       /* whose it is; NULL: the visitor is gone. Only kept here */
};

/** All zero but these: nothing is lent. */
struct site {
	const struct pairs *pairs;
	uint64_t lifetime_s; /* of its tokens: the agreed one */
	struct loan *loan;   /* one for each pair */
	uint32_t next;	     /* where the search for a free one goes on */
};

/** pairs is borrowed for the site's life. False: no memory. */
bool site_init(struct site *site, const struct pairs *pairs, uint64_t lifetime_s);
void site_fini(struct site *site);

/** Gives a visitor a pair whose last token has ended, the one free longest or nearly so. */
uint32_t site_lend(struct site *site, uint64_t visit, uint64_t now_s);

/** The pair is still this visitor's, and will be for a while: for so long a token is good. */
bool site_is_lent(const struct site *site, uint32_t pair, uint64_t visit, uint64_t until_s);

/** Issues a token to who has the pair. False, nothing issued: it is another's by now. */
bool site_issue(struct site *site, uint32_t pair, uint64_t visit, uint64_t jti, uint64_t now_s,
		struct issue *out);

/** The gateway has taken this token of the visitor; the next one is not issued before steady_us. */
void site_accepted(struct site *site, uint32_t pair, const struct issue *issue, uint64_t steady_us);

/** The visitor of this WIC is gone: no more tokens until the pair is lent again. */
void site_gone(struct site *site, uint32_t pair, const struct wic *wic);

/** How often pairs were lent. */
struct site_uses {
	uint64_t all;
	uint32_t least, median, most;
};
struct site_uses site_uses(const struct site *site);

#endif
