/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#define V4_HEADER 20u
#define V6_HEADER 40u
#define UDP_HEADER 8u
#define TCP_HEADER 20u

static uint64_t sum(struct span bytes)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < bytes.len; i++)
		total += (uint64_t)bytes.at[i] << (i % 2 == 0 ? 8 : 0);
	return total;
}

static uint16_t fold(uint64_t total)
{
	while (total > 0xffff)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

static uint32_t l4_header(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? UDP_HEADER : TCP_HEADER;
}

static void address(struct writer *w, const struct wire_frame *f, uint8_t host)
{
	if (f->family == WIRE_V4)
		writer_put(w, SPAN("\xc6\x12\x00"));
	else
		writer_put(w, SPAN("\xfd\x00\x00\x18\0\0\0\0\0\0\0\0\0\0\0"));
	writer_u8(w, host);
}

static void ethernet(struct writer *w, const struct wire_frame *f)
{
	writer_bytes(w, f->to, 6);
	writer_bytes(w, f->from, 6);
	if (f->vlan != 0) {
		writer_u16_be(w, ETH_P_8021Q);
		writer_u16_be(w, f->vlan);
	}
	writer_u16_be(w, f->family == WIRE_V4 ? ETH_P_IP : ETH_P_IPV6);
}

static void put_u16(struct writer *w, uint32_t at, uint16_t value)
{
	w->start[at] = (uint8_t)(value >> 8);
	w->start[at + 1] = (uint8_t)value;
}

static void ip(struct writer *w, const struct wire_frame *f, uint32_t length)
{
	uint32_t start = writer_len(w);

	if (f->family == WIRE_V4) {
		writer_put(w, SPAN("\x45\x00"));
		writer_u16_be(w, (uint16_t)(V4_HEADER + length));
		writer_u16_be(w, 1);
		writer_u16_be(w, f->fragment);
		writer_u8(w, 64);
		writer_u8(w, f->protocol);
		writer_u16_be(w, 0);
	} else {
		writer_u32_be(w, 6u << 28);
		writer_u16_be(w, (uint16_t)length);
		writer_u8(w, f->protocol);
		writer_u8(w, 64);
	}
	address(w, f, f->source);
	address(w, f, f->destination);
	if (f->family == WIRE_V4)
		put_u16(w, start + 10, (uint16_t)~fold(sum(writer_since(w, start))));
}

static void transport(struct writer *w, const struct wire_frame *f, struct span payload)
{
	writer_u16_be(w, f->source_port);
	writer_u16_be(w, f->destination_port);
	if (f->protocol == IPPROTO_UDP) {
		writer_u16_be(w, (uint16_t)(UDP_HEADER + payload.len));
		writer_u16_be(w, 0);
	} else { /* a SYN */
		writer_put(w, SPAN("\0\0\0\1\0\0\0\0\x50\x02\xff\xff\0\0\0\0"));
	}
	writer_put(w, payload);
}

/** The addresses end where the transport header begins. */
static uint64_t pseudo(const struct wire_frame *f, struct span frame, uint32_t length)
{
	uint32_t both = f->family == WIRE_V4 ? 8 : 32;

	return sum(span_cut(frame, wire_frame_l4(f) - both, both)) + f->protocol + length;
}

static uint32_t checksum_at(const struct wire_frame *f)
{
	return wire_frame_l4(f) + (f->protocol == IPPROTO_UDP ? 6 : 16);
}

void wire_frame_write(struct writer *w, const struct wire_frame *f, struct span payload)
{
	uint32_t length = l4_header(f->protocol) + payload.len;
	uint64_t total;

	ethernet(w, f);
	ip(w, f, length);
	transport(w, f, payload);
	if (!writer_ok(w))
		return;
	total = pseudo(f, writer_span(w), length);
	if (f->checksum == WIRE_CHECKSUM_PSEUDO)
		put_u16(w, checksum_at(f), fold(total));
	else
		put_u16(w, checksum_at(f),
			(uint16_t)~fold(total + sum(writer_since(w, wire_frame_l4(f)))));
}

uint32_t wire_frame_l3(const struct wire_frame *f)
{
	return f->vlan != 0 ? ETH_HLEN + 4 : ETH_HLEN;
}

uint32_t wire_frame_l4(const struct wire_frame *f)
{
	return wire_frame_l3(f) + (f->family == WIRE_V4 ? V4_HEADER : V6_HEADER);
}

/** The shape of a received frame; its addresses are looked at in place. */
static bool read_shape(struct span frame, struct wire_frame *f)
{
	uint32_t tag = span_at(frame, 12) == 0x81 && span_at(frame, 13) == 0 ? 4 : 0;
	int type = span_at(frame, 12 + tag) << 8 | span_at(frame, 13 + tag);
	int protocol = span_at(frame, ETH_HLEN + tag + (type == ETH_P_IP ? 9 : 6));

	if ((type != ETH_P_IP && type != ETH_P_IPV6) ||
	    (protocol != IPPROTO_UDP && protocol != IPPROTO_TCP))
		return false;
	*f = (struct wire_frame){.vlan = tag != 0 ? 1 : 0,
				 .family = type == ETH_P_IP ? WIRE_V4 : WIRE_V6,
				 .protocol = (uint8_t)protocol};
	return true;
}

struct wire_seen wire_frame_read(struct span frame)
{
	struct wire_seen seen = {0};
	struct wire_frame f;
	struct span l4, rest;

	if (!read_shape(frame, &f))
		return seen;
	l4 = span_from(frame, wire_frame_l4(&f));
	rest = l4;
	if (!span_u16_be(&rest, &seen.source_port) || !span_u16_be(&rest, &seen.destination_port))
		return seen;
	seen.protocol = f.protocol;
	seen.payload = span_from(l4, l4_header(f.protocol));
	seen.checksum_right = fold(pseudo(&f, frame, l4.len) + sum(l4)) == 0xffff;
	return seen;
}
