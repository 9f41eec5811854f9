/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JWKS_FRESHNESS_H
#define JWKS_FRESHNESS_H

#include <stdbool.h>

#include "span.h"

/** What the head of an HTTP response says about how long it may be kept (RFC 9111 section 4.2). All
 * zero at first. Seconds, at most JWKS_AGE_MAX. */
struct jwks_freshness {
	bool no_store; /* or no-cache: it is to be asked for again each time */
	bool has_max_age, has_expires, has_date;
	uint32_t max_age_s; /* the smallest, when there are several */
	uint32_t age_s;	    /* the greatest */
	uint64_t expires_s; /* Unix time; 0: a text that is no date, which means expired */
	uint64_t date_s;
};

enum { JWKS_AGE_MAX = 0x7fffffff }; /* RFC 9111 section 1.2.2 */

/** Takes one line of the head, with its CRLF or without. What is malformed counts as the
 * shorter time. */
void jwks_freshness_line(struct jwks_freshness *freshness, struct span line);

/** Seconds from now_s (Unix time) for which it is fresh; 0: not at all, or nothing is said. */
uint32_t jwks_freshness_left(const struct jwks_freshness *freshness, uint64_t now_s);

#endif
