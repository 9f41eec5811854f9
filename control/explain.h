/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "cli.h"
#include "errand.h"

/** What `explain` is asked for. Borrowed for the call. */
struct explain_order {
	struct span token;
	struct span origin;	 /* empty: none given */
	const uint8_t *hash_key; /* 16 bytes, of jti_hash() */
};

/**
 * Ends the request with {"steps": [{step, result}, ...], "header": [{header, value}, ...],
 * "claims": [{claim, value}, ...]}, now or when worker 0 has answered: the steps of PROTOCOL 3.5 up
 * to the first that fails, as that worker would take them, and what the token says of itself,
 * whether that is true or not, its jti as a hash. When the worker stays silent, there is an "error"
 * beside what it says. The token is wiped from memory that was taken for it.
 */
void explain_start(struct errands *errands, struct cli_request *request,
		   const struct explain_order *order);

#endif
