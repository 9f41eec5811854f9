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

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

struct icmp_quote icmp_quote_read(struct span body, bool v6)
{
	struct icmp_quote quote = {.err = GW_ICMP};
	uint16_t src_port = 0, dst_port = 0;
	struct ip_packet *packet;
	struct ip_fixed fixed;

	if (v6 ? !read_ip6(body, &fixed) : !read_ip4(body, &fixed))
		return quote;
	packet = &fixed.packet;
	if (packet->offset != 0)
		return quote;
	if (has_ports(packet->protocol) && !l4_ports(packet->payload, &src_port, &dst_port))
		return quote;
	quote.protocol = packet->protocol;
	quote.src = ip_address_endpoint(&packet->src, src_port);
	quote.dst = ip_address_endpoint(&packet->dst, dst_port);
	quote.ip_len = fixed.ip_len;
	quote.err = GW_OK;
	return quote;
}
