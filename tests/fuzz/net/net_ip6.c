/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

/* Input: the packet. */

static bool is_walked(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_ESP || protocol == IPPROTO_AH ||
	       protocol == IPPROTO_NONE || protocol == IPPROTO_DSTOPTS;
}

/* A fragment's payload begins right behind the fragment header: nothing there was walked. */
static bool behind_fragment_header(struct span bytes, const struct ip_packet *ip)
{
	struct span header = span_from(bytes, (uint32_t)(ip->payload.at - bytes.at) - 8);
	uint8_t protocol, reserved;
	uint16_t field;
	uint32_t id;

	return span_u8(&header, &protocol) && span_u8(&header, &reserved) &&
	       span_u16_be(&header, &field) && span_u32_be(&header, &id) &&
	       protocol == ip->protocol && (field & 0xfff8) == ip->offset &&
	       ((field & 1) != 0) == ip->more && id == ip->id;
}

static void check(struct span bytes, const struct ip_packet *ip)
{
	must(ip->v6 && !is_walked(ip->protocol));
	must((ip->payload.at - bytes.at) % 8 == 0);
	must(!ip_address_is_v4(&ip->src) && !ip_address_is_v4(&ip->dst));
	must(!ip_address_is_group(&ip->src) && !ip_address_is_loopback(&ip->src));
	must(!ip_address_equal(&ip->src, &ip->dst));
	must(ip->protocol == IPPROTO_ICMPV6 || !ip_address_is_unspecified(&ip->src));
	must(ip->fragment || (!ip->more && ip->offset == 0 && ip->id == 0));
	must(!ip->fragment || behind_fragment_header(bytes, ip));
	check_ip(bytes, ip, ip6_read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	struct ip_packet ip;

	if (size > UINT16_MAX)
		return 0;
	pool = packet_pool_new("input", 1, UINT16_MAX, -1);
	packet = packet_of(pool, span_of(data, (uint32_t)size));
	ip = ip6_read(packet_span(packet));
	if (ip.err == GW_OK)
		check(packet_span(packet), &ip);
	packet_put(packet);
	packet_pool_free(pool);
	return 0;
}
