/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

/* Input: one byte (checksum status, IPv6), the datagram behind its IP header. */

#define FLAG_V6 0x04

static struct udp_packet read_again(const struct ip_packet *ip, struct span datagram,
				    struct rte_mempool *pool)
{
	struct rte_mbuf *packet = packet_of(pool, datagram);
	struct ip_packet again = *ip;
	struct udp_packet udp;

	again.payload = packet_span(packet);
	udp = udp_read(&again, PACKET_CHECKSUM_UNKNOWN);
	udp.payload = span_of(NULL, 0);
	packet_put(packet);
	return udp;
}

/* Written whole, the datagram reads back; written for a device, the device makes the same of it. */
static void check_written(const struct ip_packet *ip, const struct udp_packet *udp)
{
	static uint8_t whole[UINT16_MAX], half[UINT16_MAX];
	struct rte_mempool *pool = packet_pool_new("again", 1, UINT16_MAX, -1);
	struct udp_packet again;
	struct writer w, h;
	uint16_t folded;

	writer_init(&w, whole, sizeof(whole));
	udp_write(&w, &(struct udp_ends){&ip->src, &ip->dst, udp->src_port, udp->dst_port},
		  udp->payload, L4_CHECKSUM_WHOLE);
	writer_put(&w, udp->payload);
	must(writer_ok(&w) && sum_l4_slowly(ip, IPPROTO_UDP, writer_span(&w)) == 0xffff);
	again = read_again(ip, writer_span(&w), pool);
	must(again.err == GW_OK && again.src_port == udp->src_port &&
	     again.dst_port == udp->dst_port);
	writer_init(&h, half, sizeof(half));
	udp_write(&h, &(struct udp_ends){&ip->src, &ip->dst, udp->src_port, udp->dst_port},
		  udp->payload, L4_CHECKSUM_PSEUDO);
	writer_put(&h, udp->payload);
	folded = (uint16_t)~sum_slowly(writer_span(&h));
	writer_patch_u16_be(&h, 6, folded != 0 ? folded : 0xffff);
	must(writer_ok(&h) && span_equal(writer_span(&w), writer_span(&h)));
	packet_pool_free(pool);
}

/* Refused for its checksum only when that is wrong, or is not there over IPv6. */
static void check_refused(const struct ip_packet *ip)
{
	uint16_t len = (uint16_t)(span_at(ip->payload, 4) << 8 | span_at(ip->payload, 5));
	bool absent = span_at(ip->payload, 6) == 0 && span_at(ip->payload, 7) == 0;

	must(absent ? ip->v6
		    : sum_l4_slowly(ip, IPPROTO_UDP, span_cut(ip->payload, 0, len)) != 0xffff);
}

static void check(const struct ip_packet *ip, const struct udp_packet *udp,
		  enum packet_checksum status)
{
	struct span datagram = span_cut(ip->payload, 0, UDP_LEN + udp->payload.len);
	bool absent = span_at(datagram, 6) == 0 && span_at(datagram, 7) == 0;

	must(udp->payload.at == ip->payload.at + UDP_LEN && inside(udp->payload, ip->payload));
	must(udp->src_port != 0 && udp->dst_port != 0);
	must(status != PACKET_CHECKSUM_BAD || (absent && !ip->v6));
	if (status == PACKET_CHECKSUM_UNKNOWN)
		must(absent ? !ip->v6 : sum_l4_slowly(ip, IPPROTO_UDP, datagram) == 0xffff);
	check_written(ip, udp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	struct udp_packet udp;
	struct ip_packet ip;
	uint8_t flags;

	if (!span_u8(&in, &flags) || in.len > UINT16_MAX)
		return 0;
	pool = packet_pool_new("input", 1, UINT16_MAX, -1);
	packet = packet_of(pool, in);
	ip = ip_around((flags & FLAG_V6) != 0, IPPROTO_UDP, packet_span(packet));
	udp = udp_read(&ip, status_of(flags, 0));
	if (udp.err == GW_OK)
		check(&ip, &udp, status_of(flags, 0));
	if (udp.err == GW_UDP_CHECKSUM && status_of(flags, 0) == PACKET_CHECKSUM_UNKNOWN)
		check_refused(&ip);
	packet_put(packet);
	packet_pool_free(pool);
	return 0;
}
