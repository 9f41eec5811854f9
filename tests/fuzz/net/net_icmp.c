/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

/* Input: one byte (checksum status, IPv6, source ::), the message behind its IP header. */

#define FLAG_V6 0x04
#define FLAG_NOWHERE 0x08

static uint8_t protocol_of(const struct ip_packet *ip)
{
	return ip->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

static void check_echo(const struct ip_packet *ip, const struct icmp_message *icmp)
{
	static uint8_t room[UINT16_MAX];
	struct ip_packet again = *ip;
	struct icmp_message read;
	struct writer w;

	writer_init(&w, room, sizeof(room));
	icmp_write_echo(&w, &ip->src, &ip->dst,
			&(struct icmp_echo){icmp->kind, icmp->id, icmp->sequence, icmp->body});
	again.payload = writer_span(&w);
	must(writer_ok(&w) && again.payload.len == ip->payload.len);
	must(sum_l4_slowly(ip, protocol_of(ip), again.payload) == 0xffff);
	read = icmp_read(&again, PACKET_CHECKSUM_UNKNOWN);
	must(read.err == GW_OK && read.kind == icmp->kind && read.id == icmp->id);
	must(read.sequence == icmp->sequence && span_equal(read.body, icmp->body));
}

/* More of the packet quoted does not change what is said of it. */
static void check_quote(struct span body, bool v6)
{
	struct icmp_quote quote = icmp_quote_read(body, v6);
	struct icmp_quote part = icmp_quote_read(span_cut(body, 0, body.len - 1), v6);
	sa_family_t family = v6 ? AF_INET6 : AF_INET;

	must(quote.err == GW_OK || (quote.err == GW_ICMP && part.err == GW_ICMP));
	if (quote.err != GW_OK)
		return;
	must(quote.src.sa.sa_family == family && quote.dst.sa.sa_family == family);
	must(quote.ip_len >= (v6 ? IP6_LEN : IP4_LEN));
	must(body.len >= (v6 ? IP6_LEN : IP4_LEN));
	if (part.err == GW_OK)
		must(part.protocol == quote.protocol && part.ip_len == quote.ip_len &&
		     memcmp(&part.src, &quote.src, sizeof(part.src)) == 0 &&
		     memcmp(&part.dst, &quote.dst, sizeof(part.dst)) == 0);
}

static void check(const struct ip_packet *ip, const struct icmp_message *icmp,
		  enum packet_checksum status)
{
	must(inside(icmp->body, ip->payload) && status != PACKET_CHECKSUM_BAD);
	must(status != PACKET_CHECKSUM_UNKNOWN ||
	     sum_l4_slowly(ip, protocol_of(ip), ip->payload) == 0xffff);
	if (icmp->kind == ICMP_ECHO_REQUEST || icmp->kind == ICMP_ECHO_REPLY)
		check_echo(ip, icmp);
	if ((icmp->kind == ICMP_UNREACHABLE || icmp->kind == ICMP_TOO_BIG) && icmp->body.len > 0)
		check_quote(icmp->body, ip->v6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct icmp_message icmp;
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	struct ip_packet ip;
	uint8_t flags;

	if (!span_u8(&in, &flags) || in.len > UINT16_MAX)
		return 0;
	pool = packet_pool_new("input", 1, UINT16_MAX, -1);
	packet = packet_of(pool, in);
	ip = ip_around((flags & FLAG_V6) != 0, 0, packet_span(packet));
	ip.protocol = protocol_of(&ip);
	if (ip.v6 && (flags & FLAG_NOWHERE) != 0)
		memset(ip.src.bytes, 0, sizeof(ip.src.bytes));
	icmp = icmp_read(&ip, status_of(flags, 0));
	if (icmp.err == GW_OK)
		check(&ip, &icmp, status_of(flags, 0));
	if (icmp.err == GW_ICMP_CHECKSUM && status_of(flags, 0) == PACKET_CHECKSUM_UNKNOWN)
		must(sum_l4_slowly(&ip, protocol_of(&ip), ip.payload) != 0xffff);
	packet_put(packet);
	packet_pool_free(pool);
	return 0;
}
