/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REASSEMBLY_MODEL_H
#define REASSEMBLY_MODEL_H

#include "net/reassembly.h"

/**
 * Reassembly as one would explain it, byte by byte, beside the one of the product: both are told
 * the same and must answer the same. For the unit test and the fuzzer.
 */
struct reassembly_pair;

/** Ends the program when there is no memory. */
struct reassembly_pair *reassembly_pair_new(uint32_t datagrams);
void reassembly_pair_free(struct reassembly_pair *pair);

/** What one answer was. */
struct reassembly_seen {
	bool agree; /* the two said the same, down to the bytes */
	enum gw_err err;
	struct ip_packet whole; /* when GW_OK */
};
struct reassembly_seen reassembly_pair_add(struct reassembly_pair *pair,
					   const struct ip_packet *fragment, uint64_t now_us);
/** True: they gave up the same, and agree on when to be called again and on how many live. */
bool reassembly_pair_expire(struct reassembly_pair *pair, uint64_t now_us);

#endif
