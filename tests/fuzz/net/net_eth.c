/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

/* The whole walk, as the stack goes it. Input: one byte (what the device says of the IP and the L4
 * checksum), the frame. */

static void walk_icmp(const struct ip_packet *ip, enum packet_checksum l4)
{
	struct icmp_message icmp = icmp_read(ip, l4);
	struct ndp_message ndp;

	if (icmp.err != GW_OK)
		return;
	must(inside(icmp.body, ip->payload));
	switch (icmp.kind) {
	case ICMP_UNREACHABLE:
	case ICMP_TOO_BIG:
		must(icmp_quote_read(icmp.body, ip->v6).ip_len <= UINT16_MAX + IP6_LEN);
		break;
	case ICMP_NDP_SOLICIT:
	case ICMP_NDP_ADVERT:
		ndp = ndp_read(ip, &icmp);
		must(ip->v6 && (ndp.err != GW_OK || ip->hop_limit == 255));
		break;
	default:
		break;
	}
}

static void walk_ip(const struct ip_packet *ip, struct span bytes, enum packet_checksum l4)
{
	struct udp_packet udp;
	uint16_t src = 0, dst = 0;

	if (ip->err != GW_OK)
		return;
	must(inside(ip->payload, bytes));
	must(l4_ports(ip->payload, &src, &dst) == (ip->payload.len >= 4));
	walk_icmp(ip, l4);
	udp = udp_read(ip, l4);
	if (udp.err == GW_OK)
		must(inside(udp.payload, ip->payload) && udp.src_port == src &&
		     udp.dst_port == dst);
	must(!ip->fragment || udp.err == GW_UDP); /* nobody looks into a fragment */
}

static void check_written(struct span frame, const struct eth_frame *eth)
{
	uint8_t room[ETH_VLAN_LEN];
	struct eth_frame again;
	struct writer w;

	writer_init(&w, room, sizeof(room));
	eth_write(&w, eth->dst, eth->src, eth->vlan, eth->type);
	must(writer_ok(&w));
	again = eth_read(writer_span(&w));
	if (eth->vlan == 0 && eth->type == ETH_TYPE_VLAN)
		return; /* a priority tag and another one: never written */
	must(again.err == GW_OK && again.type == eth->type && again.vlan == eth->vlan);
	must(memcmp(again.dst, frame.at, 6) == 0 && memcmp(again.src, frame.at + 6, 6) == 0);
	must(again.payload.len == 0);
}

static void walk(struct span frame, enum packet_checksum ip, enum packet_checksum l4)
{
	struct eth_frame eth = eth_read(frame);
	struct ip_packet packet;

	must((eth.err == GW_OK) ==
	     (frame.len >= ETH_VLAN_LEN || (frame.len >= ETH_LEN && span_at(frame, 12) != 0x81) ||
	      (frame.len >= ETH_LEN && span_at(frame, 13) != 0)));
	if (eth.err != GW_OK)
		return;
	must(eth.payload.at + eth.payload.len == frame.at + frame.len && eth.vlan <= 4095);
	check_written(frame, &eth);
	if (eth.type == ETH_TYPE_ARP) {
		must(arp_read(eth.payload).err == GW_OK || arp_read(eth.payload).err == GW_ARP);
		return;
	}
	if (eth.type != ETH_TYPE_IP4 && eth.type != ETH_TYPE_IP6)
		return;
	packet = eth.type == ETH_TYPE_IP4 ? ip4_read(eth.payload, ip) : ip6_read(eth.payload);
	must(packet.err != GW_OK || packet.v6 == (eth.type == ETH_TYPE_IP6));
	walk_ip(&packet, eth.payload, l4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	uint8_t flags;

	if (!span_u8(&in, &flags) || in.len > UINT16_MAX)
		return 0;
	pool = packet_pool_new("input", 1, UINT16_MAX, -1);
	packet = packet_of(pool, in);
	walk(packet_span(packet), status_of(flags, 0), status_of(flags, 2));
	packet_put(packet);
	packet_pool_free(pool);
	return 0;
}
