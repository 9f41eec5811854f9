/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_REVOKED_H
#define GATEWAY_REVOKED_H

#include <stdbool.h>
#include <stdint.h>

struct binding;
struct gateway;

/** A walk over the bindings after a revocation, or after a step of the wall's clock. */
struct revoked_walk {
	uint32_t generation[3]; /* of the revocations, pairs and patterns it is about */
	bool users;		/* the bindings are done: of those who are not registered */
	uint32_t cursor;
	uint32_t looked; /* bindings in this turn */
	bool under_way;
};

/** Begins a walk when there are new revocations. */
void revoked_turn(struct gateway *gw);
/** A binding was made or refreshed: it must not escape a walk that has passed its slot. */
void revoked_binding(struct gateway *gw, const struct binding *b);
/** Bindings have been taken back otherwise, or end otherwise: the walk begins again. */
void revoked_walk(struct gateway *gw);

#endif
