/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IP_FIXED_H
#define IP_FIXED_H

#include "net/wire.h"

/**
 * The fixed part of an IP header, of a packet or of what an ICMP error quotes of one. For the IP
 * and ICMP parsers only.
 */
struct ip_fixed {
	struct ip_packet packet; /* payload: all there is behind the fixed header; err is not set */
	uint32_t header_len;	 /* IPv4: with its options; IPv6: without extension headers */
	uint32_t ip_len;	 /* of the whole packet, as the header says; at least header_len */
};

/** False: cut short, another version, or lengths that contradict each other. */
bool ip4_fixed_read(struct span bytes, struct ip_fixed *fixed);
bool ip6_fixed_read(struct span bytes, struct ip_fixed *fixed);

/** Takes the IPv6 fragment header from the front of the payload. False: cut short. */
bool ip6_fragment_take(struct ip_packet *packet);

#endif
