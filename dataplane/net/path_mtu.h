/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PATH_MTU_H
#define PATH_MTU_H

#include "net/wire.h"

/**
 * Path MTUs that ICMP has told of, one worker's (RFC 1191, 8201). Bounded: the oldest entry makes
 * room. An entry is forgotten after 10 minutes, so that a path that has become wider is used again.
 */
struct path_mtu;

#define PATH_MTU_US 600000000ull

/** Room for capacity paths, at least 1. NULL: no memory. */
struct path_mtu *path_mtu_new(uint32_t capacity);
void path_mtu_free(struct path_mtu *table);

/** The MTU of the way to address: what was learned, or link_mtu when that is less. */
uint32_t path_mtu_get(const struct path_mtu *table, const struct ip_address *address,
		      uint32_t link_mtu, uint64_t now_us);
/**
 * A router says mtu of the way to address, about a packet of sent_len bytes of ours. 0 (an old
 * router): the next lower step of RFC 1191 7.1's plateau table. Raised to the floors IP4_MTU_MIN
 * and IP6_MTU_MIN. False, nothing changes: it is not lower than what is known, or the packet would
 * have fitted.
 */
bool path_mtu_learn(struct path_mtu *table, const struct ip_address *address, uint32_t mtu,
		    uint32_t sent_len, uint64_t now_us);

#endif
