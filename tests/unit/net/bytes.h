/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BYTES_H
#define BYTES_H

#include "net/wire.h"
#include "test.h"

/** What the tests of the wire share. */

#define PACKET_MAX 4096u

/** A packet being made, and changed, byte by byte. */
struct bytes {
	uint8_t at[PACKET_MAX];
	uint32_t len;
};

static inline struct span bytes_span(const struct bytes *b)
{
	return span_of(b->at, b->len);
}

void bytes_put16(struct bytes *b, uint32_t at, uint16_t value);
/** n bytes more at the end. */
void bytes_add(struct bytes *b, const void *more, uint32_t n);
/** n bytes more in the middle, in front of offset at. */
void bytes_insert(struct bytes *b, uint32_t at, const void *more, uint32_t n);

/** A copy on the heap of exactly its size: the address sanitizer sees one byte too far. */
struct span exact(struct span bytes);
void exact_free(struct span block);
/** part, of block, as the same part of bytes, of which block is a copy. Fails when it is outside.
 */
struct span exact_moved(struct span part, struct span block, struct span bytes);

/** An address from text, of either family. */
struct ip_address address(const char *text);

/** Readers over an exact copy; the spans of the result lie in bytes again. */
struct ip_packet read_ip4(struct span bytes, enum packet_checksum checksum);
struct ip_packet read_ip6(struct span bytes);

/** An IP packet with payload from src to dst, its IPv4 header checksum right. */
struct bytes ip_bytes(const char *src, const char *dst, uint8_t protocol, struct span payload);
/** Makes the IPv4 header checksum right again. */
void ip4_resum(struct bytes *b);

#endif
