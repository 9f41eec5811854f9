/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_frame.h"

#define LONG 3000u
#define PIECE 1448u

/* Who sends to whom. */
struct ends {
	const struct world *world;
	struct ip_address host, ours;
	uint8_t mac[6];
	bool v6;
	uint8_t detail;
};

static struct ends ends_of(const struct world *world, uint8_t host, uint8_t detail)
{
	struct ends e = {.world = world, .v6 = (host & 0x80) != 0, .detail = detail};

	e.host = world_address((enum world_host)(host % WORLD_HOSTS), e.v6);
	e.ours = world_address((host & 0x40) != 0 && !e.v6 ? HOST_SECOND : HOST_OURS, e.v6);
	memcpy(e.mac, (uint8_t[]){2, 0x18, 0, 0, (host & 0x20) != 0, host % WORLD_HOSTS}, 6);
	return e;
}

static void write_eth(struct writer *w, const struct ends *e, const uint8_t dst[6], uint16_t type)
{
	eth_write(w, dst, e->mac, e->world->config.vlan, type);
}

static void write_ip(struct writer *w, const struct ends *e, struct ip_head *head)
{
	head->src = e->host;
	head->dst = e->ours;
	if (head->hop_limit == 0)
		head->hop_limit = 64;
	write_eth(w, e, world_mac, e->v6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
	ip_write(w, head, true);
}

static void write_arp(struct writer *w, const struct ends *e)
{
	struct arp_packet arp = {.reply = (e->detail & 1) != 0,
				 .sender = e->host,
				 .target = e->ours};

	if ((e->detail & 2) != 0)
		arp.target = e->host; /* gratuitous */
	if ((e->detail & 4) != 0)
		arp.target = world_address(HOST_FOREIGN, false);
	memcpy(arp.sender_mac, e->mac, 6);
	memcpy(arp.target_mac, arp.reply ? world_mac : (uint8_t[6]){0}, 6);
	write_eth(w, e, arp.reply ? world_mac : eth_broadcast, ETH_TYPE_ARP);
	arp_write(w, &arp);
}

static void write_ndp(struct writer *w, const struct ends *e)
{
	struct ip_address nobody = {{0}}, group = ip_address_solicited_node(&e->ours);
	struct ndp_message ndp = {.advert = (e->detail & 1) != 0,
				  .solicited = (e->detail & 2) != 0,
				  .override = (e->detail & 4) != 0,
				  .target = (e->detail & 8) != 0 ? e->ours : e->host,
				  .has_mac = (e->detail & 16) != 0};
	bool probe = (e->detail & 32) != 0 && !ndp.advert,
	     multicast = (e->detail & 64) != 0 || probe;
	struct ip_head head = {.src = probe ? nobody : e->host,
			       .dst = multicast ? group : e->ours,
			       .protocol = IPPROTO_ICMPV6,
			       .hop_limit = 255};
	uint8_t bytes[64], mac[6];
	struct writer body;

	if (!e->v6)
		return;
	ndp.has_mac = ndp.has_mac && !probe;
	memcpy(ndp.mac, e->mac, 6);
	writer_init(&body, bytes, sizeof(bytes));
	ndp_write(&body, &head.src, &head.dst, &ndp);
	head.payload_len = writer_len(&body);
	eth_group(&group, mac);
	write_eth(w, e, multicast ? mac : world_mac, ETH_TYPE_IP6);
	ip_write(w, &head, true);
	writer_put(w, writer_span(&body));
}

static uint16_t port_of(uint8_t detail)
{
	static const uint16_t ports[] = {WORLD_BASE, WORLD_BASE + 1, WORLD_BASE + 2, WORLD_SHARED,
					 9};

	return ports[detail % 5];
}

static void write_udp(struct writer *w, const struct ends *e, uint32_t len)
{
	struct ip_head head = {.protocol = IPPROTO_UDP, .payload_len = UDP_LEN + len};
	uint8_t bytes[WORLD_MTU];

	memset(bytes, e->detail, sizeof(bytes));
	write_ip(w, e, &head);
	udp_write(w, &(struct udp_ends){&e->host, &e->ours, WORLD_SHARED, port_of(e->detail)},
		  span_of(bytes, len), L4_CHECKSUM_WHOLE);
	writer_bytes(w, bytes, len);
}

static void write_tcp(struct writer *w, const struct ends *e)
{
	struct tcp_packet tcp = {.src_port = (uint16_t)(e->detail + 1),
				 .dst_port = (e->detail & 0x80) != 0 ? 443 : port_of(e->detail),
				 .flags = e->detail,
				 .options = {.has_timestamps = (e->detail & 1) != 0,
					     .mss = 1360,
					     .sacks = e->detail % 3},
				 .payload = span_cut(SPAN("0123456789abcdef"), 0, e->detail % 17)};
	struct ip_head head = {.protocol = IPPROTO_TCP,
			       .payload_len = tcp_head_len(&tcp) + tcp.payload.len};

	write_ip(w, e, &head);
	tcp_write(w, &e->host, &e->ours, &tcp, L4_CHECKSUM_WHOLE);
	writer_put(w, tcp.payload);
}

/* A piece of a long datagram; with bit 7 an odd or atomic one. */
static void write_fragment(struct writer *w, const struct ends *e)
{
	struct ip_head head = {.protocol = (e->detail & 0x40) != 0 ? IPPROTO_TCP : IPPROTO_UDP,
			       .fragment = true,
			       .id = e->detail >> 2 & 3};
	uint32_t n = e->detail & 3;
	uint8_t bytes[LONG + UDP_LEN] = {0};
	struct span piece;
	struct writer all;

	writer_init(&all, bytes, sizeof(bytes));
	udp_write(&all,
		  &(struct udp_ends){&e->host, &e->ours, WORLD_SHARED, port_of(e->detail >> 4 & 3)},
		  span_of(bytes + UDP_LEN, LONG), L4_CHECKSUM_WHOLE);
	piece = span_cut(span_of(bytes, sizeof(bytes)), n * PIECE, PIECE);
	head.offset = (uint16_t)(n * PIECE);
	head.more = n * PIECE + piece.len < sizeof(bytes);
	if ((e->detail & 0x80) != 0) {
		piece.len = piece.len > 64 ? 64 : piece.len;
		head.offset = (uint16_t)(head.offset - 8 * (e->detail & 1));
		head.more = false;
	}
	head.payload_len = piece.len;
	write_ip(w, e, &head);
	writer_put(w, piece);
}

/* Any ICMP message, its checksum left to frame_repair(). */
static void write_icmp(struct writer *w, const struct ends *e, uint8_t type, uint8_t code,
		       uint32_t word, struct span body)
{
	struct ip_head head = {.protocol = e->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			       .payload_len = 8 + body.len,
			       .hop_limit = type >= 133 && type <= 137 ? 255 : 64};

	write_ip(w, e, &head);
	writer_u8(w, type);
	writer_u8(w, code);
	writer_u16_be(w, 0);
	writer_u32_be(w, word);
	writer_put(w, body);
}

static void write_error(struct writer *w, const struct ends *e)
{
	static const uint16_t mtus[] = {0, 68, 552, 1000, 1280, 1400, 1500, 9000};
	bool too_big = (e->detail & 1) != 0;
	struct ip_head head = {.src = e->ours,
			       .dst = e->host,
			       .protocol = (e->detail & 0x80) != 0 ? IPPROTO_TCP : IPPROTO_UDP,
			       .payload_len = (e->detail & 2) != 0 ? 1400 : 100};
	uint8_t bytes[128];
	struct writer quote;

	writer_init(&quote, bytes, sizeof(bytes));
	ip_write(&quote, &head, true);
	writer_u16_be(&quote, port_of(e->detail >> 2 & 3));
	writer_u16_be(&quote, WORLD_SHARED);
	writer_u32_be(&quote, 0);
	write_icmp(w, e, e->v6 ? (too_big ? 2 : 1) : 3, too_big ? 4 : 1,
		   too_big ? mtus[e->detail >> 4 & 7] : 0, writer_span(&quote));
}

static void write_pong(struct writer *w, const struct ends *e)
{
	const struct world_question *q = &e->world->question;
	struct ends from = *e;

	from.host = q->echo_dst;
	from.v6 = !ip_address_is_v4(&q->echo_dst);
	from.ours = world_address(HOST_OURS, from.v6);
	write_icmp(w, &from, from.v6 ? 129 : 0, 0, (uint32_t)q->echo_id << 16 | q->echo_sequence,
		   SPAN("wicgate ping: 56 bytes of data, as everybody sends them."));
}

static void write_answer(struct writer *w, const struct ends *e)
{
	const struct world_question *q = &e->world->question;
	struct ends from = *e;

	from.v6 = q->v6;
	from.host = q->target;
	from.ours = q->from;
	from.detail = q->v6 ? 1 | 2 | 4 | 16 : 1;
	if (q->asked && q->v6)
		write_ndp(w, &from);
	else if (q->asked)
		write_arp(w, &from);
}

void frame_make(const struct world *world, uint8_t kind, uint8_t host, uint8_t detail,
		struct writer *w)
{
	struct ends e = ends_of(world, host, detail);

	switch (kind % 12) {
	case 0:
		write_answer(w, &e);
		return;
	case 1:
		if (!e.v6)
			write_arp(w, &e);
		return;
	case 2:
		write_ndp(w, &e);
		return;
	case 3:
		write_icmp(w, &e, e.v6 ? 128 : 8, 0, detail, SPAN("ping"));
		return;
	case 4:
		write_udp(w, &e, detail);
		return;
	case 5:
		write_udp(w, &e, e.v6 ? 1452 : 1472);
		return;
	case 6:
		write_fragment(w, &e);
		return;
	case 7:
		write_error(w, &e);
		return;
	case 8:
		write_pong(w, &e);
		return;
	case 9:
		write_icmp(w, &e, detail, 0, 0, SPAN("0123456789abcdef0123456789abcdef"));
		return;
	case 11:
		write_tcp(w, &e);
		return;
	default:
		writer_bytes(w, world_mac, 6);
		writer_bytes(w, e.mac, 6);
	}
}

/* ---- checksums ------------------------------------------------------------------------------- */

static void put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Where a protocol has its checksum; 0: nowhere. */
static uint32_t checksum_at(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

static void repair_l4(const struct ip_packet *ip, uint8_t *l4, uint32_t len)
{
	uint32_t at = checksum_at(ip->protocol);

	if (ip->fragment || at == 0 || len < (at == 16 ? TCP_LEN : UDP_LEN))
		return;
	put_u16(l4 + at, 0);
	put_u16(l4 + at, (uint16_t)~sum_l4_slowly(ip, ip->protocol, span_of(l4, len)));
}

void frame_repair(uint8_t *frame, uint32_t len)
{
	struct eth_frame eth = eth_read(span_of(frame, len));
	uint8_t *at = frame + (len - eth.payload.len);
	struct ip_packet ip;

	if (eth.err != GW_OK || eth.payload.len < IP4_LEN)
		return;
	if (eth.type == ETH_TYPE_IP4 && (at[0] & 15u) * 4 <= eth.payload.len) {
		put_u16(at + 10, 0);
		put_u16(at + 10, (uint16_t)~sum_slowly(span_of(at, (at[0] & 15u) * 4)));
	}
	ip = eth.type == ETH_TYPE_IP6 ? ip6_read(eth.payload)
				      : ip4_read(eth.payload, PACKET_CHECKSUM_UNKNOWN);
	if (ip.err == GW_OK)
		repair_l4(&ip, frame + (ip.payload.at - frame), ip.payload.len);
}
