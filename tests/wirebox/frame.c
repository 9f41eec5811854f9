/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include "writer.h"

#define TYPE_TAG 0x8100
#define TYPE_IP4 0x0800
#define TYPE_IP6 0x86dd
#define MACS_LEN 12u
#define MAC_LEN 6u
#define IP4_LEN 20u
#define IP6_LEN 40u
#define IP4_DONT_FRAGMENT 0x4000
#define IP4_OFFSET 0x1fff
#define ICMP4 1
#define ICMP4_UNREACHABLE 3
#define ICMP4_FRAGMENTATION_NEEDED 4
#define ICMP6 58
#define ICMP6_TOO_BIG 2
#define ICMP6_ECHO_REQUEST 128 /* types below are errors */
#define ICMP_HEAD_LEN 8u
#define HOP_LIMIT 64
#define QUOTE4_MAX 548u	 /* the error stays within 576 bytes (RFC 1812 section 4.3.2.3) */
#define QUOTE6_MAX 1232u /* and within 1280 (RFC 4443 section 2.4 (c)) */

static struct span frame_span(const struct frame *frame)
{
	return span_of(frame->bytes, frame->len);
}

static uint16_t frame_type(const struct frame *frame)
{
	struct span at = span_from(frame_span(frame), MACS_LEN);
	uint16_t type = 0;

	(void)span_u16_be(&at, &type);
	return type;
}

bool frame_tag(struct frame *frame, uint16_t tci)
{
	const uint8_t tag[FRAME_TAG_LEN] = {TYPE_TAG >> 8, TYPE_TAG & 255, (uint8_t)(tci >> 8),
					    (uint8_t)tci};

	if (frame->len < FRAME_ETH_LEN || frame->len > FRAME_MAX - FRAME_TAG_LEN)
		return false;
	memmove(frame->bytes + MACS_LEN + FRAME_TAG_LEN, frame->bytes + MACS_LEN,
		frame->len - MACS_LEN);
	memcpy(frame->bytes + MACS_LEN, tag, FRAME_TAG_LEN);
	frame->len += FRAME_TAG_LEN;
	return true;
}

bool frame_untag(struct frame *frame, uint16_t vlan)
{
	struct span at = span_from(frame_span(frame), MACS_LEN);
	uint16_t type, tci;

	if (!span_u16_be(&at, &type) || !span_u16_be(&at, &tci) || type != TYPE_TAG ||
	    (tci & 0x0fff) != vlan)
		return false;
	memmove(frame->bytes + MACS_LEN, at.at, at.len);
	frame->len -= FRAME_TAG_LEN;
	return true;
}

uint32_t frame_packet_len(const struct frame *frame)
{
	return span_from(frame_span(frame), FRAME_ETH_LEN).len;
}

void frame_flip(struct frame *frame, uint64_t bit)
{
	uint32_t bytes = frame_packet_len(frame);

	if (bytes == 0)
		return;
	bit %= (uint64_t)bytes * 8;
	frame->bytes[FRAME_ETH_LEN + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* ---- checksums (RFC 1071) ----------------------------------------------------------------------
 */

static uint32_t sum(uint32_t so_far, struct span bytes)
{
	uint16_t word;
	uint8_t last;

	while (span_u16_be(&bytes, &word))
		so_far += word;
	if (span_u8(&bytes, &last))
		so_far += (uint32_t)last << 8;
	return so_far;
}

static uint16_t fold(uint32_t so_far)
{
	while (so_far >> 16 != 0)
		so_far = (so_far & 0xffff) + (so_far >> 16);
	return (uint16_t)~so_far;
}

/** Writes over what is there, for lengths and checksums that are known last. */
static void put_u16(struct writer *w, uint32_t offset, uint16_t value)
{
	struct writer over;

	writer_init(&over, w->start + offset, 2);
	writer_u16_be(&over, value);
}

void frame_finish_checksum(struct frame *frame, uint32_t start, uint32_t offset)
{
	struct span covered = span_from(frame_span(frame), start);
	struct writer w;

	if (covered.len < offset + 2)
		return;
	writer_init(&w, frame->bytes + start + offset, 2);
	writer_u16_be(&w, fold(sum(0, covered)));
}

/* ---- "too big" ---------------------------------------------------------------------------------
 */

/** The station that sent it gets the answer. */
static void answer_eth(struct writer *w, const struct frame *about)
{
	writer_put(w, span_cut(frame_span(about), MAC_LEN, MAC_LEN));
	writer_put(w, span_cut(frame_span(about), 0, MAC_LEN));
	writer_u16_be(w, frame_type(about));
}

static bool too_big_4(const struct frame *about, const struct in_addr *router, uint32_t mtu,
		      struct writer *w)
{
	struct span packet = span_from(frame_span(about), FRAME_ETH_LEN), at;
	struct span quote = span_cut(packet, 0, QUOTE4_MAX);
	uint16_t fragment;

	at = span_from(packet, 6); /* flags and offset */
	if (packet.len < IP4_LEN || !span_u16_be(&at, &fragment) ||
	    (fragment & IP4_DONT_FRAGMENT) == 0 || (fragment & IP4_OFFSET) != 0)
		return false;
	answer_eth(w, about);
	writer_u16_be(w, 0x4500);
	writer_u16_be(w, (uint16_t)(IP4_LEN + ICMP_HEAD_LEN + quote.len));
	writer_u32_be(w, 0); /* ID and fragment */
	writer_u16_be(w, HOP_LIMIT << 8 | ICMP4);
	writer_u16_be(w, 0);
	writer_bytes(w, router, sizeof(*router));
	writer_put(w, span_cut(packet, 12, 4)); /* to its source */
	put_u16(w, FRAME_ETH_LEN + 10, fold(sum(0, writer_since(w, FRAME_ETH_LEN))));
	writer_u16_be(w, ICMP4_UNREACHABLE << 8 | ICMP4_FRAGMENTATION_NEEDED);
	writer_u32_be(w, 0); /* checksum, and unused */
	writer_u16_be(w, (uint16_t)mtu);
	writer_put(w, quote);
	put_u16(w, FRAME_ETH_LEN + IP4_LEN + 2,
		fold(sum(0, writer_since(w, FRAME_ETH_LEN + IP4_LEN))));
	return true;
}

/** An ICMPv6 error is not answered (RFC 4443 section 2.4 (e)). */
static bool is_error_6(struct span packet)
{
	return span_at(packet, 6) == ICMP6 && span_at(packet, IP6_LEN) < ICMP6_ECHO_REQUEST;
}

static bool too_big_6(const struct frame *about, const struct in6_addr *router, uint32_t mtu,
		      struct writer *w)
{
	struct span packet = span_from(frame_span(about), FRAME_ETH_LEN);
	struct span quote = span_cut(packet, 0, QUOTE6_MAX);
	uint32_t len = ICMP_HEAD_LEN + quote.len;

	if (packet.len <= IP6_LEN || is_error_6(packet))
		return false;
	answer_eth(w, about);
	writer_u32_be(w, 0x60000000);
	writer_u16_be(w, (uint16_t)len);
	writer_u16_be(w, ICMP6 << 8 | HOP_LIMIT);
	writer_bytes(w, router, sizeof(*router));
	writer_put(w, span_cut(packet, 8, 16)); /* to its source */
	writer_u16_be(w, ICMP6_TOO_BIG << 8);
	writer_u16_be(w, 0);
	writer_u32_be(w, mtu);
	writer_put(w, quote);
	/* both addresses, length, next header: RFC 8200 section 8.1 */
	put_u16(w, FRAME_ETH_LEN + IP6_LEN + 2,
		fold(sum(len + ICMP6, writer_since(w, FRAME_ETH_LEN + 8))));
	return true;
}

bool frame_too_big(const struct frame *about, const struct frame_router *router, uint32_t mtu,
		   struct frame *answer)
{
	struct writer w;
	bool written = false;

	writer_init(&w, answer->bytes, FRAME_MAX);
	if (frame_type(about) == TYPE_IP4 && router->v4)
		written = too_big_4(about, &router->address4, mtu, &w);
	if (frame_type(about) == TYPE_IP6 && router->v6)
		written = too_big_6(about, &router->address6, mtu, &w);
	answer->len = writer_len(&w);
	return written && writer_ok(&w);
}
