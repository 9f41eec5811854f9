/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKET_IMPL_H
#define PACKET_IMPL_H

#include <netinet/in.h>
#include <rte_mbuf.h>

#include "packet.h"

/* The packet shim over rte_mbuf: the product's. */

#define PACKET_CACHE 128u /* packets that an lcore keeps at hand */

static inline struct rte_mempool *packet_pool_new(const char *name, uint32_t count, uint16_t room,
						  int numa)
{
	uint16_t bytes = (uint16_t)((room != 0 ? room : PACKET_ROOM) + RTE_PKTMBUF_HEADROOM);

	return rte_pktmbuf_pool_create(name, count, count > 4 * PACKET_CACHE ? PACKET_CACHE : 0,
				       PACKET_PRIVATE, bytes, numa);
}

static inline void packet_pool_free(struct rte_mempool *pool)
{
	rte_mempool_free(pool);
}

static inline uint32_t packet_pool_live(const struct rte_mempool *pool)
{
	return rte_mempool_in_use_count(pool);
}

static inline struct rte_mbuf *packet_get(struct rte_mempool *pool)
{
	return rte_pktmbuf_alloc(pool);
}

static inline void packet_put(struct rte_mbuf *packet)
{
	rte_pktmbuf_free(packet);
}

static inline void *packet_private(struct rte_mbuf *packet)
{
	return rte_mbuf_to_priv(packet);
}

static inline uint32_t packet_true_size(const struct rte_mbuf *packet)
{
	return (uint32_t)sizeof(*packet) + PACKET_PRIVATE + packet->buf_len;
}

static inline uint8_t *packet_data(struct rte_mbuf *packet)
{
	return rte_pktmbuf_mtod(packet, uint8_t *);
}

static inline uint32_t packet_len(const struct rte_mbuf *packet)
{
	return packet->data_len;
}

static inline void *packet_append(struct rte_mbuf *packet, uint32_t n)
{
	return n <= UINT16_MAX ? rte_pktmbuf_append(packet, (uint16_t)n) : NULL;
}

static inline void *packet_prepend(struct rte_mbuf *packet, uint32_t n)
{
	return n <= UINT16_MAX ? rte_pktmbuf_prepend(packet, (uint16_t)n) : NULL;
}

static inline bool packet_skip(struct rte_mbuf *packet, uint32_t n)
{
	return n <= UINT16_MAX && rte_pktmbuf_adj(packet, (uint16_t)n) != NULL;
}

static inline bool packet_trim(struct rte_mbuf *packet, uint32_t n)
{
	return n <= UINT16_MAX && rte_pktmbuf_trim(packet, (uint16_t)n) == 0;
}

static inline enum packet_checksum packet_ip_checksum(const struct rte_mbuf *packet)
{
	switch (packet->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) {
	case RTE_MBUF_F_RX_IP_CKSUM_GOOD:
		return PACKET_CHECKSUM_GOOD;
	case RTE_MBUF_F_RX_IP_CKSUM_BAD:
		return PACKET_CHECKSUM_BAD;
	case RTE_MBUF_F_RX_IP_CKSUM_NONE:
		return PACKET_CHECKSUM_NONE;
	default:
		return PACKET_CHECKSUM_UNKNOWN;
	}
}

static inline enum packet_checksum packet_l4_checksum(const struct rte_mbuf *packet)
{
	switch (packet->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
	case RTE_MBUF_F_RX_L4_CKSUM_GOOD:
		return PACKET_CHECKSUM_GOOD;
	case RTE_MBUF_F_RX_L4_CKSUM_BAD:
		return PACKET_CHECKSUM_BAD;
	case RTE_MBUF_F_RX_L4_CKSUM_NONE:
		return PACKET_CHECKSUM_NONE;
	default:
		return PACKET_CHECKSUM_UNKNOWN;
	}
}

static inline void packet_set_checksums(struct rte_mbuf *packet, enum packet_checksum ip,
					enum packet_checksum l4)
{
	static const uint64_t ip_flag[] = {
		[PACKET_CHECKSUM_UNKNOWN] = RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN,
		[PACKET_CHECKSUM_GOOD] = RTE_MBUF_F_RX_IP_CKSUM_GOOD,
		[PACKET_CHECKSUM_BAD] = RTE_MBUF_F_RX_IP_CKSUM_BAD,
		[PACKET_CHECKSUM_NONE] = RTE_MBUF_F_RX_IP_CKSUM_NONE,
	};
	static const uint64_t l4_flag[] = {
		[PACKET_CHECKSUM_UNKNOWN] = RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN,
		[PACKET_CHECKSUM_GOOD] = RTE_MBUF_F_RX_L4_CKSUM_GOOD,
		[PACKET_CHECKSUM_BAD] = RTE_MBUF_F_RX_L4_CKSUM_BAD,
		[PACKET_CHECKSUM_NONE] = RTE_MBUF_F_RX_L4_CKSUM_NONE,
	};

	packet->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
	packet->ol_flags |= ip_flag[ip] | l4_flag[l4];
}

static inline void packet_set_offload(struct rte_mbuf *packet, const struct packet_offload *offload)
{
	packet->l2_len = offload->l2_len;
	packet->l3_len = offload->l3_len;
	packet->ol_flags |= offload->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	if (offload->ip_checksum)
		packet->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	if (offload->l4_protocol == IPPROTO_UDP)
		packet->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	else if (offload->l4_protocol == IPPROTO_TCP)
		packet->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
}

static inline uint8_t packet_offload_l4(const struct rte_mbuf *packet)
{
	switch (packet->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
	case RTE_MBUF_F_TX_UDP_CKSUM:
		return IPPROTO_UDP;
	case RTE_MBUF_F_TX_TCP_CKSUM:
		return IPPROTO_TCP;
	default:
		return 0;
	}
}

static inline struct packet_offload packet_offload(const struct rte_mbuf *packet)
{
	if ((packet->ol_flags & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6)) == 0)
		return (struct packet_offload){0};
	return (struct packet_offload){
		.l2_len = packet->l2_len,
		.l3_len = packet->l3_len,
		.l4_protocol = packet_offload_l4(packet),
		.v6 = (packet->ol_flags & RTE_MBUF_F_TX_IPV6) != 0,
		.ip_checksum = (packet->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0,
	};
}

#endif
