/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FRAME_H
#define FRAME_H

#include "net/wire.h"

/** Frames as other hosts send them, for the tests of the stack. */

#define FRAME_BYTES 2048u

struct frame {
	uint32_t len;
	uint8_t bytes[FRAME_BYTES];
};

/** What is around a packet. */
struct envelope {
	uint8_t dst[6], src[6];
	uint16_t vlan;
};

/** Who sends a datagram to whom; the addresses are text. */
struct flow {
	const char *src, *dst;
	uint16_t src_port, dst_port;
};

struct ip_address ip_of(const char *text);
/** "198.18.0.1", 5060. */
struct endpoint endpoint_at(const char *text, uint16_t port);
struct span frame_span(const struct frame *frame);

/** An IP packet; head's payload_len is set from l4. */
void frame_ip(struct frame *f, const struct envelope *e, const struct ip_head *head,
	      struct span l4);
void frame_udp(struct frame *f, const struct envelope *e, const struct flow *flow,
	       struct span data);
/** A segment of flow; tcp's ports count for nothing. */
void frame_tcp(struct frame *f, const struct envelope *e, const struct flow *flow,
	       const struct tcp_packet *tcp);
/** Bytes from..from+len of a UDP datagram's IP payload as a fragment; the last one ends it. */
struct cut {
	uint32_t from, len, id;
};
void frame_udp_fragment(struct frame *f, const struct envelope *e, const struct flow *flow,
			struct span data, struct cut cut);
void frame_arp(struct frame *f, const struct envelope *e, const struct arp_packet *arp);
/** Any ICMP message, its checksum made here and not by the writers of the product. */
struct icmp_form {
	const char *src, *dst;
	uint8_t type, code;
	uint32_t word;
	uint8_t hop_limit; /* 0: 64 */
};
void frame_icmp(struct frame *f, const struct envelope *e, const struct icmp_form *form,
		struct span body);
/** Neighbour discovery with hop limit 255. */
void frame_ndp(struct frame *f, const struct envelope *e, const char *src, const char *dst,
	       const struct ndp_message *ndp);
/** A frame written as hexadecimal, blanks between. */
void frame_hex(struct frame *f, const char *hex);

#endif
