/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

/* Input: what stands behind the Ethernet header. What is accepted is written as it was read. */

static void check(struct span bytes, const struct arp_packet *arp)
{
	uint8_t room[28];
	struct writer w;

	must((arp->sender_mac[0] & 1) == 0);
	must(ip_address_is_v4(&arp->sender) && ip_address_is_v4(&arp->target));
	writer_init(&w, room, sizeof(room));
	arp_write(&w, arp);
	must(writer_ok(&w) && span_equal(writer_span(&w), span_cut(bytes, 0, sizeof(room))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	struct arp_packet arp;

	if (size > PACKET_ROOM)
		return 0;
	pool = packet_pool_new("input", 1, 0, -1);
	packet = packet_of(pool, span_of(data, (uint32_t)size));
	arp = arp_read(packet_span(packet));
	if (arp.err == GW_OK)
		check(packet_span(packet), &arp);
	else
		must(arp.err == GW_ARP);
	packet_put(packet);
	packet_pool_free(pool);
	return 0;
}
