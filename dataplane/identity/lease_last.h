/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEASE_LAST_H
#define LEASE_LAST_H

#include "message.h"

/**
 * The terms of who had a pair last (PROTOCOL 6.3): 32 bytes each, in sets of eight, remembered
 * until LEASE_TOMBSTONE_S behind the token's end. In a full set the one that ends first makes room.
 */
struct lease_last;

/** For at least so many pairs. NULL: no memory. */
struct lease_last *lease_last_new(uint32_t pairs);
void lease_last_free(struct lease_last *last);

/** Takes the terms of this pair out: exp_s 0, there are none. exp_us is not remembered. */
struct lease_terms lease_last_take(struct lease_last *last, uint64_t impi, uint64_t wall_s);

/** Remembers them. False: others, not yet over, were forgotten for it. */
bool lease_last_put(struct lease_last *last, uint64_t impi, const struct lease_terms *terms,
		    uint64_t wall_s);

#endif
