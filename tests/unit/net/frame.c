/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <arpa/inet.h>

#include "test.h"

#define DATAGRAM_MAX 65535u

struct ip_address ip_of(const char *text)
{
	struct ip_address a;
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1)
		return ip_address_v4(v4);
	EXPECT_EQ(1, inet_pton(AF_INET6, text, a.bytes));
	return a;
}

struct endpoint endpoint_at(const char *text, uint16_t port)
{
	struct endpoint e;

	EXPECT(endpoint_parse(span_text(text), &e));
	endpoint_set_port(&e, port);
	return e;
}

struct span frame_span(const struct frame *frame)
{
	return span_of(frame->bytes, frame->len);
}

static void frame_begin(struct frame *f, struct writer *w, const struct envelope *e, uint16_t type)
{
	writer_init(w, f->bytes, sizeof(f->bytes));
	eth_write(w, e->dst, e->src, e->vlan, type);
}

static void frame_end(struct frame *f, const struct writer *w)
{
	EXPECT(writer_ok(w));
	f->len = writer_len(w);
}

void frame_ip(struct frame *f, const struct envelope *e, const struct ip_head *head, struct span l4)
{
	struct ip_head whole = *head;
	struct writer w;

	whole.payload_len = l4.len;
	frame_begin(f, &w, e, ip_address_is_v4(&head->src) ? ETH_TYPE_IP4 : ETH_TYPE_IP6);
	ip_write(&w, &whole, true);
	writer_put(&w, l4);
	frame_end(f, &w);
}

static struct ip_head head_of(const char *src, const char *dst, uint8_t protocol)
{
	return (struct ip_head){.src = ip_of(src),
				.dst = ip_of(dst),
				.protocol = protocol,
				.hop_limit = 64};
}

/* The IP payload of a datagram. */
static struct span datagram(uint8_t bytes[DATAGRAM_MAX], const struct flow *flow, struct span data)
{
	struct ip_address src = ip_of(flow->src), dst = ip_of(flow->dst);
	struct writer w;

	writer_init(&w, bytes, DATAGRAM_MAX);
	udp_write(&w, &(struct udp_ends){&src, &dst, flow->src_port, flow->dst_port}, data,
		  L4_CHECKSUM_WHOLE);
	writer_put(&w, data);
	EXPECT(writer_ok(&w));
	return writer_span(&w);
}

void frame_udp(struct frame *f, const struct envelope *e, const struct flow *flow, struct span data)
{
	struct ip_head head = head_of(flow->src, flow->dst, IPPROTO_UDP);
	uint8_t bytes[DATAGRAM_MAX];

	frame_ip(f, e, &head, datagram(bytes, flow, data));
}

void frame_tcp(struct frame *f, const struct envelope *e, const struct flow *flow,
	       const struct tcp_packet *tcp)
{
	struct ip_head head = head_of(flow->src, flow->dst, IPPROTO_TCP);
	struct tcp_packet segment = *tcp;
	uint8_t bytes[FRAME_BYTES];
	struct writer w;

	segment.src_port = flow->src_port;
	segment.dst_port = flow->dst_port;
	writer_init(&w, bytes, sizeof(bytes));
	tcp_write(&w, &head.src, &head.dst, &segment, L4_CHECKSUM_WHOLE);
	writer_put(&w, segment.payload);
	EXPECT(writer_ok(&w));
	frame_ip(f, e, &head, writer_span(&w));
}

void frame_udp_fragment(struct frame *f, const struct envelope *e, const struct flow *flow,
			struct span data, struct cut cut)
{
	struct ip_head head = head_of(flow->src, flow->dst, IPPROTO_UDP);
	uint8_t bytes[DATAGRAM_MAX];
	struct span all = datagram(bytes, flow, data);

	head.fragment = true;
	head.id = cut.id;
	head.offset = (uint16_t)cut.from;
	head.more = cut.from + cut.len < all.len;
	frame_ip(f, e, &head, span_cut(all, cut.from, cut.len));
}

void frame_arp(struct frame *f, const struct envelope *e, const struct arp_packet *arp)
{
	struct writer w;

	frame_begin(f, &w, e, ETH_TYPE_ARP);
	arp_write(&w, arp);
	frame_end(f, &w);
}

/* RFC 1071, as its text says it: 16-bit words, end-around carry, complement. */
static uint16_t plain_sum(struct span bytes)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < bytes.len; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes.at[i] << 8 : bytes.at[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t icmp_sum(const struct ip_head *head, struct span message)
{
	uint8_t bytes[FRAME_BYTES];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	if (!ip_address_is_v4(&head->src)) {
		writer_bytes(&w, head->src.bytes, 16);
		writer_bytes(&w, head->dst.bytes, 16);
		writer_u32_be(&w, message.len);
		writer_u32_be(&w, IPPROTO_ICMPV6);
	}
	writer_put(&w, message);
	EXPECT(writer_ok(&w));
	return plain_sum(writer_span(&w));
}

void frame_icmp(struct frame *f, const struct envelope *e, const struct icmp_form *form,
		struct span body)
{
	struct ip_head head = head_of(form->src, form->dst, IPPROTO_ICMP);
	uint8_t bytes[FRAME_BYTES];
	struct writer w;

	if (!ip_address_is_v4(&head.src))
		head.protocol = IPPROTO_ICMPV6;
	if (form->hop_limit != 0)
		head.hop_limit = form->hop_limit;
	writer_init(&w, bytes, sizeof(bytes));
	writer_u8(&w, form->type);
	writer_u8(&w, form->code);
	writer_u16_be(&w, 0);
	writer_u32_be(&w, form->word);
	writer_put(&w, body);
	writer_patch_u16_be(&w, 2, icmp_sum(&head, writer_span(&w)));
	EXPECT(writer_ok(&w));
	frame_ip(f, e, &head, writer_span(&w));
}

void frame_ndp(struct frame *f, const struct envelope *e, const char *src, const char *dst,
	       const struct ndp_message *ndp)
{
	struct ip_head head = head_of(src, dst, IPPROTO_ICMPV6);
	uint8_t bytes[FRAME_BYTES];
	struct writer w;

	head.hop_limit = 255;
	writer_init(&w, bytes, sizeof(bytes));
	ndp_write(&w, &head.src, &head.dst, ndp);
	EXPECT(writer_ok(&w));
	frame_ip(f, e, &head, writer_span(&w));
}

static int digit(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

void frame_hex(struct frame *f, const char *hex)
{
	f->len = 0;
	for (; *hex != '\0'; hex++) {
		if (*hex == ' ')
			continue;
		f->bytes[f->len++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
		hex++;
	}
}
