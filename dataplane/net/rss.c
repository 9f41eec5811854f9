/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/rss.h"

/* Receive-side scaling: addresses and ports, most significant bit first, under the device's key. */

#define FLOW_MAX 36u /* two IPv6 addresses, two ports */
#define WINDOW 4u    /* bytes of key that one bit of the flow looks at */

uint32_t rss_toeplitz(struct span key, struct span bytes)
{
	uint32_t window = 0, hash = 0;
	uint8_t byte, more;

	if (!span_u32_be(&key, &window))
		return 0;
	while (span_u8(&bytes, &byte) && span_u8(&key, &more))
		for (uint32_t bit = 0; bit < 8; bit++) {
			if ((byte << bit & 0x80) != 0)
				hash ^= window;
			window = window << 1 | (more >> (7 - bit) & 1u);
		}
	return hash;
}

bool rss_queue(const struct port_rss *rss, const struct rss_flow *flow, uint16_t *queue)
{
	uint32_t skip = ip_address_is_v4(flow->src) ? 12 : 0; /* of ::ffff:a.b.c.d */
	uint8_t bytes[FLOW_MAX];
	struct writer w;
	uint32_t hash;

	writer_init(&w, bytes, sizeof(bytes));
	writer_bytes(&w, flow->src->bytes + skip, sizeof(flow->src->bytes) - skip);
	writer_bytes(&w, flow->dst->bytes + skip, sizeof(flow->dst->bytes) - skip);
	writer_u16_be(&w, flow->src_port);
	writer_u16_be(&w, flow->dst_port);
	if (rss->reta_size == 0 || writer_len(&w) + WINDOW > rss->key_len)
		return false;
	hash = rss_toeplitz(span_of(rss->key, rss->key_len), writer_span(&w));
	*queue = rss->reta[hash % rss->reta_size]; /* a power of two: its low bits */
	return true;
}
