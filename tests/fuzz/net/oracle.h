/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ORACLE_H
#define ORACLE_H

#include "net/wire.h"

/** What the fuzz targets of the wire hold against the parsers. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void must(bool ok);
/** part lies within whole; an empty one may lie anywhere. */
bool inside(struct span part, struct span whole);
/** A packet of exactly these bytes. */
struct rte_mbuf *packet_of(struct rte_mempool *pool, struct span bytes);
/** The one's complement sum as RFC 1071 puts it, word by word: 0xffff when a packet is right. */
uint16_t sum_slowly(struct span bytes);
/** The same of an L4 packet behind its pseudo-header (none for ICMP over IPv4). */
uint16_t sum_l4_slowly(const struct ip_packet *ip, uint8_t protocol, struct span l4);

/** A packet as the target needs it in front of an L4 parser: addresses that the corpora use. */
struct ip_packet ip_around(bool v6, uint8_t protocol, struct span payload);

/** The checksum status in the two bits of flags from shift on. */
enum packet_checksum status_of(uint8_t flags, uint32_t shift);

/**
 * What must be true of an IP packet that read accepted from bytes: bytes behind its end do not
 * count, one byte less is too short, and what ip_write() makes of it reads back the same.
 */
void check_ip(struct span bytes, const struct ip_packet *ip,
	      struct ip_packet (*read)(struct span bytes));

#endif
