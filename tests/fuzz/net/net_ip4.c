/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

/* Input: one byte for what the device says of the header checksum, the packet. */

static struct ip_packet read_good(struct span bytes)
{
	return ip4_read(bytes, PACKET_CHECKSUM_GOOD);
}

static struct ip_packet read_unknown(struct span bytes)
{
	return ip4_read(bytes, PACKET_CHECKSUM_UNKNOWN);
}

static void check(struct span bytes, const struct ip_packet *ip, enum packet_checksum status)
{
	uint32_t header_len = (bytes.at[0] & 0x0fu) * 4;

	must(!ip->v6 && ip->payload.at == bytes.at + header_len);
	must(ip_address_is_v4(&ip->src) && ip_address_is_v4(&ip->dst));
	must(!ip_address_is_group(&ip->src) && !ip_address_is_loopback(&ip->src));
	must(!ip_address_is_unspecified(&ip->src) && !ip_address_equal(&ip->src, &ip->dst));
	must(ip->fragment == (ip->more || ip->offset != 0));
	must(status != PACKET_CHECKSUM_BAD);
	must(status == PACKET_CHECKSUM_GOOD ||
	     sum_slowly(span_cut(bytes, 0, header_len)) == 0xffff);
	check_ip(bytes, ip, status == PACKET_CHECKSUM_GOOD ? read_good : read_unknown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	struct ip_packet ip;
	uint8_t flags;

	if (!span_u8(&in, &flags) || in.len > UINT16_MAX)
		return 0;
	pool = packet_pool_new("input", 1, UINT16_MAX, -1);
	packet = packet_of(pool, in);
	ip = ip4_read(packet_span(packet), status_of(flags, 0));
	if (ip.err == GW_OK)
		check(packet_span(packet), &ip, status_of(flags, 0));
	packet_put(packet);
	packet_pool_free(pool);
	return 0;
}
