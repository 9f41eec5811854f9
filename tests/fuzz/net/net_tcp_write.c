/* SPDX-License-Identifier: BSD-3-Clause */
#include "../../unit/net/tcp_model.h"
#include "oracle.h"

/*
 * Input: a segment to be written, field by field: flags of the target, ports, seq, ack, flags,
 * window, which options, their values, SACK blocks; what is left is the payload. What the reader
 * makes of it is the same, but for what does not belong in such a segment, and what has no room.
 */

#define FLAG_V6 0x01
#define FLAG_SCALE 0x02
#define FLAG_PERMITTED 0x04
#define FLAG_STAMPS 0x08
#define PAYLOAD_MAX 2048u

static bool take_options(struct span *in, uint8_t flags, struct tcp_options *o)
{
	o->has_scale = (flags & FLAG_SCALE) != 0;
	o->sack_permitted = (flags & FLAG_PERMITTED) != 0;
	o->has_timestamps = (flags & FLAG_STAMPS) != 0;
	if (!span_u16_be(in, &o->mss) || (o->has_scale && !span_u8(in, &o->scale)) ||
	    (o->has_timestamps &&
	     (!span_u32_be(in, &o->ts_value) || !span_u32_be(in, &o->ts_echo))))
		return false;
	o->sacks = (uint8_t)(flags >> 5 <= TCP_SACKS_MAX ? flags >> 5 : 0);
	for (uint32_t i = 0; i < o->sacks; i++)
		if (!span_u32_be(in, &o->sack[i].start) || !span_u32_be(in, &o->sack[i].end))
			return false;
	return true;
}

static bool take_segment(struct span *in, uint8_t flags, struct tcp_packet *tcp)
{
	if (!span_u16_be(in, &tcp->src_port) || !span_u16_be(in, &tcp->dst_port) ||
	    !span_u32_be(in, &tcp->seq) || !span_u32_be(in, &tcp->ack) ||
	    !span_u8(in, &tcp->flags) || !span_u16_be(in, &tcp->window) ||
	    !take_options(in, flags, &tcp->options))
		return false;
	tcp->payload = span_cut(*in, 0, PAYLOAD_MAX);
	return true;
}

/* Bytes of all options but SACK, aligned. */
static uint32_t fixed_len(const struct tcp_options *o)
{
	uint32_t len = (o->mss != 0 ? 4u : 0) + (o->has_scale ? 4u : 0);

	if (o->has_timestamps)
		return len + 12;
	return len + (o->sack_permitted ? 4u : 0);
}

static struct tcp_options as_read(const struct tcp_packet *tcp)
{
	struct tcp_options o = tcp->options;
	uint32_t fit = (40 - fixed_len(&o) - 4) / 8;

	if ((tcp->flags & TCP_SYN) != 0) {
		o.sacks = 0;
		return o;
	}
	o.mss = 0;
	o.has_scale = o.sack_permitted = false;
	o.scale = 0;
	o.sacks = (uint8_t)(o.sacks < fit ? o.sacks : fit);
	return o;
}

static void check(struct tcp_packet *tcp, bool v6)
{
	struct rte_mempool *pool = packet_pool_new("written", 1, UINT16_MAX, -1);
	struct ip_packet ip = ip_around(v6, IPPROTO_TCP, span_of(NULL, 0));
	uint8_t bytes[TCP_LEN_MAX + PAYLOAD_MAX];
	struct rte_mbuf *packet;
	struct tcp_packet again;
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	tcp_write(&w, &ip.src, &ip.dst, tcp, L4_CHECKSUM_WHOLE);
	must(writer_ok(&w) && writer_len(&w) == tcp_head_len(tcp));
	must(writer_len(&w) >= TCP_LEN && writer_len(&w) <= TCP_LEN_MAX && writer_len(&w) % 4 == 0);
	writer_put(&w, tcp->payload);
	packet = packet_of(pool, writer_span(&w));
	ip.payload = packet_span(packet);
	again = tcp_read(&ip, PACKET_CHECKSUM_UNKNOWN);
	if (tcp->src_port == 0 || tcp->dst_port == 0) {
		must(again.err == GW_TCP);
	} else {
		tcp->options = as_read(tcp);
		must(again.err == GW_OK && tcp_model_head_equal(tcp, &again));
		must(span_equal(tcp->payload, again.payload));
	}
	packet_put(packet);
	packet_pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct tcp_packet tcp = {0};
	uint8_t flags;

	if (span_u8(&in, &flags) && take_segment(&in, flags, &tcp))
		check(&tcp, (flags & FLAG_V6) != 0);
	return 0;
}
