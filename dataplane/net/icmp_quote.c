/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/ip_fixed.h"

/* What an ICMP error quotes: a packet of ours, cut short, its lengths those of the original. */

static bool read_ip4(struct span body, struct ip_fixed *fixed)
{
	return ip4_fixed_read(body, fixed) &&
	       span_skip(&fixed->packet.payload, fixed->header_len - IP4_LEN);
}

/* The fragment header is the only extension header that we send. */
static bool read_ip6(struct span body, struct ip_fixed *fixed)
{
	struct ip_packet *packet = &fixed->packet;

	if (!ip6_fixed_read(body, fixed))
		return false;
	/* or it would pass for an IPv4 packet of ours */
	if (ip_address_is_v4(&packet->src) || ip_address_is_v4(&packet->dst))
		return false;
	return packet->protocol != IPPROTO_FRAGMENT || ip6_fragment_take(packet);
}

/* The 8 bytes that every router quotes (RFC 792): ports and, of TCP, the sequence number. */
static bool read_l4(struct span l4, uint8_t protocol, struct icmp_quote *quote, uint16_t ports[2])
{
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return true;
	if (!l4_ports(l4, &ports[0], &ports[1]))
		return false;
	return protocol == IPPROTO_UDP || (span_skip(&l4, 4) && span_u32_be(&l4, &quote->seq));
}

struct icmp_quote icmp_quote_read(struct span body, bool v6)
{
	struct icmp_quote quote = {.err = GW_ICMP};
	uint16_t ports[2] = {0};
	struct ip_packet *packet;
	struct ip_fixed fixed;

	if (v6 ? !read_ip6(body, &fixed) : !read_ip4(body, &fixed))
		return quote;
	packet = &fixed.packet;
	if (packet->offset != 0)
		return quote;
	if (!read_l4(packet->payload, packet->protocol, &quote, ports))
		return quote;
	quote.protocol = packet->protocol;
	quote.src = ip_address_endpoint(&packet->src, ports[0]);
	quote.dst = ip_address_endpoint(&packet->dst, ports[1]);
	quote.ip_len = fixed.ip_len;
	quote.err = GW_OK;
	return quote;
}
