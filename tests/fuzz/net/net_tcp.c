/* SPDX-License-Identifier: BSD-3-Clause */
#include "../../unit/net/tcp_model.h"
#include "oracle.h"

/* Input: one byte (checksum status, IPv6), the segment behind its IP header. */

#define FLAG_V6 0x04
#define CHECKSUM_AT 16u

static struct tcp_packet read_again(const struct ip_packet *ip, struct span segment,
				    struct rte_mempool *pool)
{
	struct rte_mbuf *packet = packet_of(pool, segment);
	struct ip_packet again = *ip;
	struct tcp_packet tcp;

	again.payload = packet_span(packet);
	tcp = tcp_read(&again, PACKET_CHECKSUM_UNKNOWN);
	tcp.payload = span_of(NULL, 0);
	packet_put(packet);
	return tcp;
}

/* Written whole, the segment reads back; written for a device, the device makes the same of it. */
static void check_written(const struct ip_packet *ip, const struct tcp_packet *tcp)
{
	static uint8_t whole[UINT16_MAX + TCP_LEN_MAX], half[UINT16_MAX + TCP_LEN_MAX];
	struct rte_mempool *pool = packet_pool_new("again", 1, UINT16_MAX, -1);
	struct tcp_packet again;
	struct writer w, h;

	writer_init(&w, whole, sizeof(whole));
	tcp_write(&w, &ip->src, &ip->dst, tcp, L4_CHECKSUM_WHOLE);
	must(writer_ok(&w) && writer_len(&w) == tcp_head_len(tcp));
	must(writer_len(&w) <= TCP_LEN_MAX && writer_len(&w) % 4 == 0);
	writer_put(&w, tcp->payload);
	must(writer_ok(&w) && sum_l4_slowly(ip, IPPROTO_TCP, writer_span(&w)) == 0xffff);
	if (writer_len(&w) <= UINT16_MAX) {
		again = read_again(ip, writer_span(&w), pool);
		must(again.err == GW_OK && tcp_model_head_equal(tcp, &again));
	}
	writer_init(&h, half, sizeof(half));
	tcp_write(&h, &ip->src, &ip->dst, tcp, L4_CHECKSUM_PSEUDO);
	writer_put(&h, tcp->payload);
	writer_patch_u16_be(&h, CHECKSUM_AT, (uint16_t)~sum_slowly(writer_span(&h)));
	must(writer_ok(&h) && span_equal(writer_span(&w), writer_span(&h)));
	packet_pool_free(pool);
}

/* What the model says of it without looking at options. */
static bool is_whole(struct span segment)
{
	int offset = span_at(segment, 12) >> 4;

	return segment.len >= TCP_LEN && offset >= 5 && (uint32_t)offset * 4 <= segment.len &&
	       (span_at(segment, 0) | span_at(segment, 1)) != 0 &&
	       (span_at(segment, 2) | span_at(segment, 3)) != 0;
}

static void check(const struct ip_packet *ip, const struct tcp_packet *tcp,
		  enum packet_checksum status)
{
	bool right = sum_l4_slowly(ip, IPPROTO_TCP, ip->payload) == 0xffff;
	struct tcp_packet model;

	must((tcp->err == GW_TCP) == !is_whole(ip->payload));
	if (tcp->err == GW_TCP)
		return;
	must(tcp->err == GW_OK || tcp->err == GW_TCP_CHECKSUM);
	if (status == PACKET_CHECKSUM_UNKNOWN)
		must((tcp->err == GW_OK) == right);
	else
		must((tcp->err == GW_OK) == (status != PACKET_CHECKSUM_BAD));
	if (tcp->err != GW_OK)
		return;
	model = tcp_model_head(ip->payload);
	must(tcp_model_head_equal(&model, tcp) && span_equal(model.payload, tcp->payload));
	must(inside(tcp->payload, ip->payload));
	check_written(ip, tcp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	struct tcp_packet tcp;
	struct ip_packet ip;
	uint8_t flags;

	if (!span_u8(&in, &flags) || in.len > UINT16_MAX)
		return 0;
	pool = packet_pool_new("input", 1, UINT16_MAX, -1);
	packet = packet_of(pool, in);
	ip = ip_around((flags & FLAG_V6) != 0, IPPROTO_TCP, packet_span(packet));
	tcp = tcp_read(&ip, status_of(flags, 0));
	check(&ip, &tcp, status_of(flags, 0));
	packet_put(packet);
	packet_pool_free(pool);
	return 0;
}
