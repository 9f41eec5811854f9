/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKET_H
#define PACKET_H

#include "span.h"

/**
 * The packet shim: what the net layers and the tests need of a packet, over rte_mbuf in the product
 * (include/packet-mbuf) and over a heap block of the packet's exact size in the tests and fuzzers
 * (include/packet-heap), where the sanitizers see one byte too far. Meson picks the folder. In
 * both, a packet is one contiguous segment with one owner, and its type is struct rte_mbuf, so that
 * drivers need no cast.
 */
struct rte_mbuf;
struct rte_mempool;

/** Longest frame of a pool made with room 0, and bytes in front of it for headers. */
#define PACKET_ROOM 2048u
#define PACKET_HEADROOM 128u

/** What the device says of a checksum it has looked at. */
enum packet_checksum {
	PACKET_CHECKSUM_UNKNOWN, /* it has not: verify */
	PACKET_CHECKSUM_GOOD,
	PACKET_CHECKSUM_BAD,
	PACKET_CHECKSUM_NONE, /* wrong in the data, but the integrity is known (virtio) */
};

/** Checksums that the device shall fill in. The L4 field holds the pseudo-header's sum already. */
struct packet_offload {
	uint16_t l2_len; /* bytes */
	uint16_t l3_len;
	uint8_t l4_protocol; /* IPPROTO_UDP or IPPROTO_TCP; 0: no L4 checksum */
	bool v6;
	bool ip_checksum; /* of the IPv4 header */
};

/**
 * Makes a pool of count packets with room bytes of data each (0: PACKET_ROOM) on a NUMA node (-1:
 * any). The name is unique in the process. NULL: no memory, or the name is taken.
 */
static inline struct rte_mempool *packet_pool_new(const char *name, uint32_t count, uint16_t room,
						  int numa);
/** Every packet is back. NULL does nothing. */
static inline void packet_pool_free(struct rte_mempool *pool);
/** Packets that are out: for the balance that tests check. */
static inline uint32_t packet_pool_live(const struct rte_mempool *pool);

/** An empty packet, PACKET_HEADROOM bytes in front; NULL when all are out. */
static inline struct rte_mbuf *packet_get(struct rte_mempool *pool);
/** Gives it back. */
static inline void packet_put(struct rte_mbuf *packet);

/** Bytes beside each packet, for a record of whoever owns it; its bytes are whatever they were. */
#define PACKET_PRIVATE 64u
static inline void *packet_private(struct rte_mbuf *packet);
/** What a packet costs, whatever it carries: bytes of its pool. */
static inline uint32_t packet_true_size(const struct rte_mbuf *packet);

static inline uint8_t *packet_data(struct rte_mbuf *packet);
static inline uint32_t packet_len(const struct rte_mbuf *packet);
/** All bytes, borrowed until the packet is changed or given back. */
static inline struct span packet_span(struct rte_mbuf *packet);
/** n bytes more at the end, or in front; where they begin. NULL, nothing changed: no room. */
static inline void *packet_append(struct rte_mbuf *packet, uint32_t n);
static inline void *packet_prepend(struct rte_mbuf *packet, uint32_t n);
/** n bytes fewer in front, or at the end. False, nothing changed: the packet is shorter. */
static inline bool packet_skip(struct rte_mbuf *packet, uint32_t n);
static inline bool packet_trim(struct rte_mbuf *packet, uint32_t n);

static inline enum packet_checksum packet_ip_checksum(const struct rte_mbuf *packet);
static inline enum packet_checksum packet_l4_checksum(const struct rte_mbuf *packet);
/** For drivers and tests: what the device said. */
static inline void packet_set_checksums(struct rte_mbuf *packet, enum packet_checksum ip,
					enum packet_checksum l4);
/** For the stack: what the device shall do. Without it, nothing. */
static inline void packet_set_offload(struct rte_mbuf *packet,
				      const struct packet_offload *offload);
/** For drivers: what it shall do. All zero: nothing. */
static inline struct packet_offload packet_offload(const struct rte_mbuf *packet);

/** A pool packet with a copy of bytes as its data; NULL: none left, or longer than its room. */
static inline struct rte_mbuf *packet_copy(struct rte_mempool *pool, struct span bytes);

#include "packet_impl.h"

static inline struct span packet_span(struct rte_mbuf *packet)
{
	return span_of(packet_data(packet), packet_len(packet));
}

static inline struct rte_mbuf *packet_copy(struct rte_mempool *pool, struct span bytes)
{
	struct rte_mbuf *packet = packet_get(pool);
	void *to = packet != NULL ? packet_append(packet, bytes.len) : NULL;

	if (to == NULL) {
		if (packet != NULL)
			packet_put(packet);
		return NULL;
	}
	if (bytes.len > 0)
		memcpy(to, bytes.at, bytes.len);
	return packet;
}

#endif
