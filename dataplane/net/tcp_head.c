/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"

/* The TCP header: options one after the other, each as long as it says or not there at all. */

enum option_kind {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_SCALE = 3,
	OPTION_SACK_PERMITTED = 4,
	OPTION_SACK = 5,
	OPTION_TIMESTAMPS = 8,
};

#define OPTIONS_MAX (TCP_LEN_MAX - TCP_LEN)
#define CHECKSUM_AT 16u
#define BLOCK_LEN 8u
#define SACK_HEAD 4u /* NOPs, kind, length */

/* ---- reading -----------------------------------------------------------------------------------
 */

static bool read_mss(struct tcp_options *options, struct span body)
{
	uint16_t mss;

	if (!span_u16_be(&body, &mss) || body.len != 0)
		return false;
	options->mss = mss;
	return true;
}

static bool read_scale(struct tcp_options *options, struct span body)
{
	uint8_t scale;

	if (!span_u8(&body, &scale) || body.len != 0)
		return false;
	options->has_scale = true;
	options->scale = scale;
	return true;
}

static bool read_sack_permitted(struct tcp_options *options, struct span body)
{
	options->sack_permitted = body.len == 0;
	return body.len == 0;
}

static bool read_timestamps(struct tcp_options *options, struct span body)
{
	uint32_t value, echo;

	if (!span_u32_be(&body, &value) || !span_u32_be(&body, &echo) || body.len != 0)
		return false;
	options->has_timestamps = true;
	options->ts_value = value;
	options->ts_echo = echo;
	return true;
}

static bool read_sack(struct tcp_options *options, struct span body)
{
	struct tcp_block block[TCP_SACKS_MAX];
	uint8_t n = 0;

	while (n < TCP_SACKS_MAX && span_u32_be(&body, &block[n].start)) {
		if (!span_u32_be(&body, &block[n].end))
			return false;
		n++;
	}
	if (n == 0 || body.len != 0)
		return false;
	memcpy(options->sack, block, n * sizeof(block[0]));
	options->sacks = n;
	return true;
}

static bool read_option(struct tcp_options *options, uint8_t kind, struct span body, bool syn)
{
	switch (kind) {
	case OPTION_MSS:
		return syn && read_mss(options, body);
	case OPTION_SCALE:
		return syn && read_scale(options, body);
	case OPTION_SACK_PERMITTED:
		return syn && read_sack_permitted(options, body);
	case OPTION_SACK:
		return !syn && read_sack(options, body);
	case OPTION_TIMESTAMPS:
		return read_timestamps(options, body);
	default:
		return false;
	}
}

/** What is behind kind and length. */
static bool take_body(struct span *rest, struct span *body)
{
	uint8_t len;

	return span_u8(rest, &len) && len >= 2 && span_take(rest, len - 2u, body);
}

static struct tcp_options read_options(struct span rest, bool syn)
{
	struct tcp_options options = {0};
	uint32_t seen = 0; /* a bit for each known kind */
	struct span body;
	uint8_t kind;

	while (span_u8(&rest, &kind) && kind != OPTION_END) {
		if (kind == OPTION_NOP)
			continue;
		if (!take_body(&rest, &body))
			break;
		if (kind <= OPTION_TIMESTAMPS && (seen & 1u << kind) == 0 &&
		    read_option(&options, kind, body, syn))
			seen |= 1u << kind;
	}
	return options;
}

/** False: shorter than its header, or than 20 bytes. */
static bool read_fields(struct span segment, struct tcp_packet *tcp)
{
	struct span rest = segment, options;
	uint8_t offset;

	if (!span_u16_be(&rest, &tcp->src_port) || !span_u16_be(&rest, &tcp->dst_port) ||
	    !span_u32_be(&rest, &tcp->seq) || !span_u32_be(&rest, &tcp->ack) ||
	    !span_u8(&rest, &offset) || !span_u8(&rest, &tcp->flags) ||
	    !span_u16_be(&rest, &tcp->window) || !span_skip(&rest, 4))
		return false;
	offset >>= 4;
	if (offset < TCP_LEN / 4 || !span_take(&rest, offset * 4u - TCP_LEN, &options))
		return false;
	tcp->options = read_options(options, (tcp->flags & TCP_SYN) != 0);
	tcp->payload = rest;
	return true;
}

static uint16_t fold_segment(const struct ip_packet *packet)
{
	uint64_t sum =
		checksum_pseudo(&packet->src, &packet->dst, IPPROTO_TCP, packet->payload.len);

	return checksum_fold(checksum_add(sum, packet->payload));
}

struct tcp_packet tcp_read(const struct ip_packet *packet, enum packet_checksum checksum)
{
	struct tcp_packet tcp = {.err = GW_TCP};
	uint16_t folded;

	if (packet->fragment || packet->protocol != IPPROTO_TCP ||
	    !read_fields(packet->payload, &tcp) || tcp.src_port == 0 || tcp.dst_port == 0)
		return tcp;
	folded = checksum == PACKET_CHECKSUM_UNKNOWN ? fold_segment(packet) : 0;
	tcp.err = checksum_accept(checksum, folded) ? GW_OK : GW_TCP_CHECKSUM;
	return tcp;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static void write_option(struct writer *w, enum option_kind kind, uint8_t len)
{
	writer_u8(w, (uint8_t)kind);
	writer_u8(w, len);
}

static void write_nops(struct writer *w, uint32_t n)
{
	for (; n > 0; n--)
		writer_u8(w, OPTION_NOP);
}

/** SACK-permitted takes the place of the NOPs in front of timestamps. */
static void write_fixed(struct writer *w, const struct tcp_options *options)
{
	if (options->mss != 0) {
		write_option(w, OPTION_MSS, 4);
		writer_u16_be(w, options->mss);
	}
	if (options->sack_permitted) {
		write_nops(w, options->has_timestamps ? 0 : 2);
		write_option(w, OPTION_SACK_PERMITTED, 2);
	}
	if (options->has_timestamps) {
		write_nops(w, options->sack_permitted ? 0 : 2);
		write_option(w, OPTION_TIMESTAMPS, 10);
		writer_u32_be(w, options->ts_value);
		writer_u32_be(w, options->ts_echo);
	}
	if (options->has_scale) {
		write_nops(w, 1);
		write_option(w, OPTION_SCALE, 3);
		writer_u8(w, options->scale);
	}
}

/** As many blocks as there is room for behind the other options. */
static void write_sack(struct writer *w, const struct tcp_options *options)
{
	uint32_t most = (writer_room(w) - SACK_HEAD) / BLOCK_LEN; /* the others leave 20 at least */
	uint32_t n = options->sacks < TCP_SACKS_MAX ? options->sacks : TCP_SACKS_MAX;

	n = n < most ? n : most;
	if (n == 0)
		return;
	write_nops(w, 2);
	write_option(w, OPTION_SACK, (uint8_t)(2 + n * BLOCK_LEN));
	for (uint32_t i = 0; i < n; i++) {
		writer_u32_be(w, options->sack[i].start);
		writer_u32_be(w, options->sack[i].end);
	}
}

static struct span write_options(uint8_t bytes[OPTIONS_MAX], const struct tcp_options *options)
{
	struct writer w;

	writer_init(&w, bytes, OPTIONS_MAX);
	write_fixed(&w, options);
	write_sack(&w, options);
	return writer_span(&w);
}

uint32_t tcp_head_len(const struct tcp_packet *segment)
{
	uint8_t bytes[OPTIONS_MAX];

	return TCP_LEN + write_options(bytes, &segment->options).len;
}

void tcp_write(struct writer *w, const struct ip_address *src, const struct ip_address *dst,
	       const struct tcp_packet *segment, enum l4_checksum how)
{
	uint8_t bytes[OPTIONS_MAX];
	struct span options = write_options(bytes, &segment->options);
	uint32_t mark = writer_len(w), head_len = TCP_LEN + options.len;
	uint64_t sum = checksum_pseudo(src, dst, IPPROTO_TCP, head_len + segment->payload.len);

	writer_u16_be(w, segment->src_port);
	writer_u16_be(w, segment->dst_port);
	writer_u32_be(w, segment->seq);
	writer_u32_be(w, segment->ack);
	writer_u8(w, (uint8_t)(head_len / 4 << 4));
	writer_u8(w, segment->flags);
	writer_u16_be(w, segment->window);
	writer_u16_be(w, 0); /* checksum */
	writer_u16_be(w, 0); /* urgent pointer: nothing is */
	writer_put(w, options);
	if (how == L4_CHECKSUM_WHOLE)
		sum = checksum_add(checksum_add(sum, writer_since(w, mark)), segment->payload);
	writer_patch_u16_be(w, mark + CHECKSUM_AT,
			    how == L4_CHECKSUM_WHOLE ? checksum_fold(sum)
						     : (uint16_t)~checksum_fold(sum));
}
