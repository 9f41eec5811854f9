/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "oracle.h"

#define IP_MAX (65535u + IP6_LEN)

void must(bool ok)
{
	if (!ok)
		abort();
}

bool inside(struct span part, struct span whole)
{
	return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

struct rte_mbuf *packet_of(struct rte_mempool *pool, struct span bytes)
{
	struct rte_mbuf *packet = packet_copy(pool, bytes);

	must(packet != NULL);
	return packet;
}

uint16_t sum_slowly(struct span bytes)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < bytes.len; i++) {
		sum += (uint32_t)bytes.at[i] << (i % 2 == 0 ? 8 : 0);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

uint16_t sum_l4_slowly(const struct ip_packet *ip, uint8_t protocol, struct span l4)
{
	uint32_t address_len = ip->v6 ? 16 : 4;
	uint8_t *block = malloc(40 + l4.len);
	struct writer w;
	uint16_t sum;

	must(block != NULL);
	writer_init(&w, block, 40 + l4.len);
	if (protocol != IPPROTO_ICMP) {
		writer_bytes(&w, ip->src.bytes + 16 - address_len, address_len);
		writer_bytes(&w, ip->dst.bytes + 16 - address_len, address_len);
		writer_u32_be(&w, l4.len);
		writer_u32_be(&w, protocol);
	}
	writer_put(&w, l4);
	must(writer_ok(&w));
	sum = sum_slowly(writer_span(&w));
	free(block);
	return sum;
}

struct ip_packet ip_around(bool v6, uint8_t protocol, struct span payload)
{
	static const uint8_t a[4] = {198, 18, 0, 1}, b[4] = {198, 18, 0, 2};
	struct ip_packet ip = {.v6 = v6,
			       .protocol = protocol,
			       .hop_limit = 255,
			       .payload = payload};

	ip.src = v6 ? (struct ip_address){{0xfd, 0, 0, 0x18, [15] = 1}} : ip_address_v4(a);
	ip.dst = v6 ? (struct ip_address){{0xfd, 0, 0, 0x18, [15] = 2}} : ip_address_v4(b);
	return ip;
}

enum packet_checksum status_of(uint8_t flags, uint32_t shift)
{
	return (enum packet_checksum)(flags >> shift & 3);
}

static void check_same(const struct ip_packet *a, const struct ip_packet *b)
{
	must(b->err == GW_OK && a->v6 == b->v6 && a->protocol == b->protocol);
	must(a->hop_limit == b->hop_limit && a->id == b->id);
	must(a->fragment == b->fragment && a->more == b->more && a->offset == b->offset);
	must(ip_address_equal(&a->src, &b->src) && ip_address_equal(&a->dst, &b->dst));
	must(span_equal(a->payload, b->payload));
}

static struct ip_head head_of(const struct ip_packet *ip)
{
	return (struct ip_head){.src = ip->src,
				.dst = ip->dst,
				.protocol = ip->protocol,
				.hop_limit = ip->hop_limit,
				.payload_len = ip->payload.len,
				.fragment = ip->fragment,
				.more = ip->more,
				.offset = ip->offset,
				.id = ip->id};
}

static void check_written(const struct ip_packet *ip, struct rte_mempool *pool,
			  struct ip_packet (*read)(struct span bytes))
{
	static uint8_t room[IP_MAX];
	struct ip_head head = head_of(ip);
	struct rte_mbuf *packet;
	struct ip_packet again;
	struct writer w;

	writer_init(&w, room, sizeof(room));
	ip_write(&w, &head, true);
	must(writer_ok(&w) && writer_len(&w) == ip_head_len(&head));
	must(ip->v6 || sum_slowly(writer_span(&w)) == 0xffff);
	writer_put(&w, ip->payload);
	packet = packet_of(pool, writer_span(&w));
	again = read(packet_span(packet));
	check_same(ip, &again);
	packet_put(packet);
}

void check_ip(struct span bytes, const struct ip_packet *ip,
	      struct ip_packet (*read)(struct span bytes))
{
	uint32_t end = (uint32_t)(ip->payload.at + ip->payload.len - bytes.at);
	struct rte_mempool *pool = packet_pool_new("again", 1, UINT16_MAX, -1);
	struct ip_packet again;
	struct rte_mbuf *packet;

	must(pool != NULL && ip->payload.at >= bytes.at && end <= bytes.len);
	packet = packet_of(pool, span_cut(bytes, 0, end));
	again = read(packet_span(packet));
	check_same(ip, &again);
	packet_put(packet);
	packet = packet_of(pool, span_cut(bytes, 0, end - 1));
	must(read(packet_span(packet)).err != GW_OK);
	packet_put(packet);
	check_written(ip, pool, read);
	must(packet_pool_live(pool) == 0);
	packet_pool_free(pool);
}
