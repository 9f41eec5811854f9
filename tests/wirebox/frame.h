/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FRAME_H
#define FRAME_H

#include <netinet/in.h>

#include "span.h"

/** An Ethernet frame on its way, without FCS. */
#define FRAME_MAX 9234u /* a jumbo frame with a tag */
#define FRAME_ETH_LEN 14u
#define FRAME_TAG_LEN 4u

struct frame {
	uint32_t len;
	uint8_t bytes[FRAME_MAX];
};

/** Puts an 802.1Q tag in. False, nothing changed: too short to be a frame, or no room. */
bool frame_tag(struct frame *frame, uint16_t tci);
/** Takes the tag with this VLAN ID out. False, nothing changed: it has none, or another. */
bool frame_untag(struct frame *frame, uint16_t vlan);

/** Bytes behind the Ethernet header. */
uint32_t frame_packet_len(const struct frame *frame);

/** Turns one bit behind the Ethernet header over, chosen by bit. */
void frame_flip(struct frame *frame, uint64_t bit);

/**
 * Finishes a checksum that the sender left to a device: over all from start on, to be put at
 * start + offset. Offsets outside the frame: nothing happens.
 */
void frame_finish_checksum(struct frame *frame, uint32_t start, uint32_t offset);

/** The router in the middle that says "too big". */
struct frame_router {
	bool v4, v6; /* which it has */
	struct in_addr address4;
	struct in6_addr address6;
};

/**
 * Writes its answer to a frame that is too big for mtu: ICMP "fragmentation needed" (RFC 792,
 * RFC 1191) when it may not be fragmented, ICMPv6 "packet too big" (RFC 4443). False: nobody is to
 * be told, as about a fragment that is not the first, or an error.
 */
bool frame_too_big(const struct frame *about, const struct frame_router *router, uint32_t mtu,
		   struct frame *answer);

#endif
