/* SPDX-License-Identifier: BSD-3-Clause */
#include "walk.h"

static enum gw_err walk_icmp(const struct ip_packet *ip)
{
	struct icmp_message icmp = icmp_read(ip, PACKET_CHECKSUM_UNKNOWN);

	if (icmp.err != GW_OK)
		return icmp.err;
	switch (icmp.kind) {
	case ICMP_UNREACHABLE:
	case ICMP_TOO_BIG:
		return icmp_quote_read(icmp.body, ip->v6).err;
	case ICMP_NDP_SOLICIT:
	case ICMP_NDP_ADVERT:
		return ndp_read(ip, &icmp).err;
	case ICMP_NDP_OTHER:
		return GW_NDP_FOREIGN;
	case ICMP_OTHER:
		return GW_ICMP_TYPE;
	default:
		return GW_OK;
	}
}

static enum gw_err walk_ip(struct ip_packet ip)
{
	if (ip.err != GW_OK)
		return ip.err;
	if (ip.fragment)
		return GW_IP_FRAGMENT;
	if (ip.protocol == IPPROTO_UDP)
		return udp_read(&ip, PACKET_CHECKSUM_UNKNOWN).err;
	if (ip.protocol == IPPROTO_TCP)
		return tcp_read(&ip, PACKET_CHECKSUM_UNKNOWN).err;
	if (ip.protocol == (ip.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return walk_icmp(&ip);
	return GW_IP_PROTOCOL;
}

enum gw_err walk(struct span frame)
{
	struct eth_frame eth = eth_read(frame);

	if (eth.err != GW_OK)
		return eth.err;
	switch (eth.type) {
	case ETH_TYPE_ARP:
		return arp_read(eth.payload).err;
	case ETH_TYPE_IP4:
		return walk_ip(ip4_read(eth.payload, PACKET_CHECKSUM_UNKNOWN));
	case ETH_TYPE_IP6:
		return walk_ip(ip6_read(eth.payload));
	default:
		return GW_ETH_TYPE;
	}
}
