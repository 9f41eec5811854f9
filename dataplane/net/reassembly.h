/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REASSEMBLY_H
#define REASSEMBLY_H

#include "net/wire.h"

/**
 * Datagrams being put together from IP fragments of trusted Mw peers (the caller knows who is).
 * Bounded in datagrams, bytes and time. A fragment that overlaps another ends its datagram, and its
 * later fragments are dropped too until the time is over (RFC 5722; the same for IPv4); an exact
 * repetition is dropped alone (RFC 8200 4.5).
 */
struct reassembly;

#define REASSEMBLY_US 2000000ull
#define REASSEMBLY_BYTES_MAX 65535u /* of a datagram's payload */

/** Room for datagrams at a time, at least 1, which are looked through one by one: a few dozen. 66
 * KiB each, of which only what is used is touched. NULL: no memory. */
struct reassembly *reassembly_new(uint32_t datagrams);
void reassembly_free(struct reassembly *r);

/**
 * Takes one fragment. GW_OK: the datagram is whole; *whole is the packet as if it had come so
 * (payload borrowed from r until the next call on r). GW_AGAIN: more to come. GW_IP_FRAGMENT_BAD,
 * GW_IP_REASSEMBLY_FULL: dropped; nothing is put out before its time. An atomic IPv6 fragment is
 * whole at once and needs no room (RFC 6946). The payload of every fragment begins right behind the
 * header that says where it lies: extension headers in front of the first one's would be a hole.
 */
enum gw_err GW_MUST_CHECK reassembly_add(struct reassembly *r, const struct ip_packet *fragment,
					 uint64_t now_us, struct ip_packet *whole);
/** Gives up what is older than REASSEMBLY_US; returns how many datagrams were not whole by then.
 * One that a bad fragment ended is not among them: it has been counted as that. */
uint32_t reassembly_expire(struct reassembly *r, uint64_t now_us);
/** When it must be called; UINT64_MAX: nothing is kept. */
uint64_t reassembly_next_us(const struct reassembly *r);
uint32_t reassembly_live(const struct reassembly *r);

#endif
