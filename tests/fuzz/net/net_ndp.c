/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

/* Input: one byte (what the IPv6 header says), the ICMPv6 message. Its checksum is believed. */

#define FLAG_ROUTED 0x01  /* hop limit 254 */
#define FLAG_NOWHERE 0x02 /* source :: */
#define FLAG_GROUP 0x04	  /* to the solicited-node group */

static struct ip_packet ip_of(uint8_t flags, struct span payload)
{
	struct ip_packet ip = ip_around(true, IPPROTO_ICMPV6, payload);

	if ((flags & FLAG_ROUTED) != 0)
		ip.hop_limit = 254;
	if ((flags & FLAG_NOWHERE) != 0)
		memset(ip.src.bytes, 0, sizeof(ip.src.bytes));
	if ((flags & FLAG_GROUP) != 0)
		ip.dst = ip_address_solicited_node(&ip.dst);
	return ip;
}

static void check_rules(const struct ip_packet *ip, const struct ndp_message *ndp)
{
	bool nowhere = ip_address_is_unspecified(&ip->src), group = ip_address_is_group(&ip->dst);

	must(ip->hop_limit == 255 && ip->payload.len >= 24 && ip->payload.len % 8 == 0);
	must(!ip_address_is_group(&ndp->target) && !ip_address_is_v4(&ndp->target));
	must(!ndp->has_mac || (ndp->mac[0] & 1) == 0);
	must(!nowhere || (!ndp->advert && group && !ndp->has_mac));
	must(!ndp->solicited || !group);
	must(ndp->advert || (!ndp->solicited && !ndp->override && !ndp->router));
}

static void check_written(const struct ip_packet *ip, const struct ndp_message *ndp)
{
	struct ip_packet again = *ip;
	struct icmp_message icmp;
	struct ndp_message read;
	uint8_t room[32];
	struct writer w;

	writer_init(&w, room, sizeof(room));
	ndp_write(&w, &ip->src, &ip->dst, ndp);
	again.payload = writer_span(&w);
	must(writer_ok(&w) && sum_l4_slowly(ip, IPPROTO_ICMPV6, again.payload) == 0xffff);
	icmp = icmp_read(&again, PACKET_CHECKSUM_UNKNOWN);
	must(icmp.err == GW_OK);
	read = ndp_read(&again, &icmp);
	must(read.err == GW_OK && read.advert == ndp->advert && read.solicited == ndp->solicited);
	must(read.override == ndp->override && read.router == ndp->router);
	must(read.has_mac == ndp->has_mac && ip_address_equal(&read.target, &ndp->target));
	must(!ndp->has_mac || memcmp(read.mac, ndp->mac, sizeof(read.mac)) == 0);
}

static void check(const struct ip_packet *ip)
{
	struct icmp_message icmp = icmp_read(ip, PACKET_CHECKSUM_GOOD);
	struct ndp_message ndp;

	if (icmp.err != GW_OK || (icmp.kind != ICMP_NDP_SOLICIT && icmp.kind != ICMP_NDP_ADVERT))
		return;
	ndp = ndp_read(ip, &icmp);
	must(ndp.err == GW_OK || ndp.err == GW_NDP);
	if (ndp.err != GW_OK)
		return;
	must(ndp.advert == (icmp.kind == ICMP_NDP_ADVERT));
	check_rules(ip, &ndp);
	check_written(ip, &ndp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	struct ip_packet ip;
	uint8_t flags;

	if (!span_u8(&in, &flags) || in.len > PACKET_ROOM)
		return 0;
	pool = packet_pool_new("input", 1, 0, -1);
	packet = packet_of(pool, in);
	ip = ip_of(flags, packet_span(packet));
	check(&ip);
	packet_put(packet);
	packet_pool_free(pool);
	return 0;
}
