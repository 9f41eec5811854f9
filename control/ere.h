/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ERE_H
#define ERE_H

#include "span.h"
#include "writer.h"

/**
 * Extended regular expressions (IEEE 1003.1 chapter 9, C locale) in the syntax of Hyperscan. Only
 * what POSIX defines is taken; what it leaves undefined, and what other languages add, is refused.
 * Here and not below, because workers never see an expression: they look into what was made of it.
 */
enum {
	ERE_MAX = 256,		/* bytes of an expression */
	ERE_REPEAT_MAX = 255,	/* RE_DUP_MAX */
	ERE_DEPTH_MAX = 32,	/* groups in groups */
	ERE_STATES_MAX = 1024,	/* places of an expression, each as often as it is repeated */
	ERE_WRITTEN_MAX = 16384 /* bytes of what is written for the longest */
};

struct ere {
	const char *why; /* it is refused; NULL: it is good */
	uint32_t at;	 /* offset of the place that is refused */
	uint32_t states; /* places: what an automaton of it grows with */
};

/**
 * Writes text as a group "(?:...)" to out, which has room for ERE_WRITTEN_MAX. It is meant to match
 * all of a text: '^' that begins an alternative and '$' that ends one are left out, and refused
 * elsewhere. No anchor is written.
 */
struct ere ere_translate(struct span text, struct writer *out);

/** Writes text so that it stands for itself. */
void ere_quote(struct span text, struct writer *out);

#endif
