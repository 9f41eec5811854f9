/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKET_IMPL_H
#define PACKET_IMPL_H

#include <stdlib.h>

#include "packet.h"

/*
 * The packet shim over the heap, for tests and fuzzers: the data of a packet is a block of exactly
 * its length, moved at every change, so that a byte read before or behind it is a fault.
 */

struct rte_mempool {
	uint32_t count, live;
	uint32_t room;
	/* for tests: allocations number fail_from and on, so many, find nothing */
	uint64_t gets, fail_from, fail_count;
};

struct rte_mbuf {
	struct rte_mempool *pool;
	uint8_t *data; /* exactly len bytes */
	uint32_t len;
	uint32_t headroom;
	enum packet_checksum ip, l4;
	struct packet_offload offload;
	bool offloaded; /* packet_set_offload() was called */
	uint64_t private[PACKET_PRIVATE / 8];
};

static inline struct rte_mempool *packet_pool_new(const char *name, uint32_t count, uint16_t room,
						  int numa)
{
	struct rte_mempool *pool = calloc(1, sizeof(*pool));

	(void)name;
	(void)numa;
	if (pool != NULL)
		*pool = (struct rte_mempool){.count = count,
					     .room = room != 0 ? room : PACKET_ROOM};
	return pool;
}

static inline void packet_pool_free(struct rte_mempool *pool)
{
	free(pool);
}

static inline uint32_t packet_pool_live(const struct rte_mempool *pool)
{
	return pool->live;
}

/** Exactly n bytes, also when n is 0. */
static inline uint8_t *packet_block(uint32_t n)
{
	return malloc(n);
}

static inline struct rte_mbuf *packet_get(struct rte_mempool *pool)
{
	bool fails = pool->gets++ - pool->fail_from < pool->fail_count;
	struct rte_mbuf *packet =
		pool->live < pool->count && !fails ? calloc(1, sizeof(*packet)) : NULL;

	if (packet == NULL)
		return NULL;
	packet->pool = pool;
	packet->headroom = PACKET_HEADROOM;
	packet->data = packet_block(0);
	pool->live++;
	return packet;
}

static inline void packet_put(struct rte_mbuf *packet)
{
	packet->pool->live--;
	free(packet->data);
	free(packet);
}

static inline void *packet_private(struct rte_mbuf *packet)
{
	return packet->private;
}

/** As an mbuf's. */
static inline uint32_t packet_true_size(const struct rte_mbuf *packet)
{
	return 128 + PACKET_PRIVATE + PACKET_HEADROOM + packet->pool->room;
}

static inline uint8_t *packet_data(struct rte_mbuf *packet)
{
	return packet->data;
}

static inline uint32_t packet_len(const struct rte_mbuf *packet)
{
	return packet->len;
}

static inline void *packet_append(struct rte_mbuf *packet, uint32_t n)
{
	uint8_t *data;

	if (n > packet->pool->room - packet->len)
		return NULL;
	data = packet_block(packet->len + n);
	if (data == NULL)
		return NULL;
	memcpy(data, packet->data, packet->len);
	free(packet->data);
	packet->data = data;
	packet->len += n;
	return data + packet->len - n;
}

static inline void *packet_prepend(struct rte_mbuf *packet, uint32_t n)
{
	uint8_t *data;

	if (n > packet->headroom)
		return NULL;
	data = packet_block(packet->len + n);
	if (data == NULL)
		return NULL;
	memcpy(data + n, packet->data, packet->len);
	free(packet->data);
	packet->data = data;
	packet->len += n;
	packet->headroom -= n;
	return data;
}

static inline bool packet_skip(struct rte_mbuf *packet, uint32_t n)
{
	uint8_t *data = n <= packet->len ? packet_block(packet->len - n) : NULL;

	if (data == NULL)
		return false;
	memcpy(data, packet->data + n, packet->len - n);
	free(packet->data);
	packet->data = data;
	packet->len -= n;
	packet->headroom += n;
	return true;
}

static inline bool packet_trim(struct rte_mbuf *packet, uint32_t n)
{
	uint8_t *data = n <= packet->len ? packet_block(packet->len - n) : NULL;

	if (data == NULL)
		return false;
	memcpy(data, packet->data, packet->len - n);
	free(packet->data);
	packet->data = data;
	packet->len -= n;
	return true;
}

static inline enum packet_checksum packet_ip_checksum(const struct rte_mbuf *packet)
{
	return packet->ip;
}

static inline enum packet_checksum packet_l4_checksum(const struct rte_mbuf *packet)
{
	return packet->l4;
}

static inline void packet_set_checksums(struct rte_mbuf *packet, enum packet_checksum ip,
					enum packet_checksum l4)
{
	packet->ip = ip;
	packet->l4 = l4;
}

static inline void packet_set_offload(struct rte_mbuf *packet, const struct packet_offload *offload)
{
	packet->offload = *offload;
	packet->offloaded = true;
}

static inline struct packet_offload packet_offload(const struct rte_mbuf *packet)
{
	return packet->offload;
}

#endif
