/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WILDCARD_H
#define WILDCARD_H

#include "arena.h"
#include "ere.h"

/**
 * A wildcarded public identity (TS 23.003 13.4A, 13.5; PROTOCOL 1.4): a SIP or tel URI, in whose
 * user or number the outermost pair of '!' delimits an extended regular expression.
 */
struct wildcard {
	const char *why; /* it is refused; NULL: it is good */
	uint32_t at;	 /* offset of the place that is refused */
	/* the rest lies in the arena */
	struct span text;	    /* canonical: "sip:guest!.*!@home1.net" */
	struct span literal;	    /* the same as a URI: what cannot stand in a user is escaped */
	struct span prefix, suffix; /* "sip:guest", "@home1.net": of every identity, canonical */
	struct span host;	    /* "home1.net"; of a tel URI empty */
	const char *expression;	    /* of all of an identity, in the syntax of Hyperscan */
};

/** Reads text; the expression is taken as it stands, with no escapes of a URI. */
struct wildcard wildcard_read(struct span text, struct arena *arena);

#endif
