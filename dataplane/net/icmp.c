/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"

#define ICMP4_ECHO_REPLY 0
#define ICMP4_UNREACHABLE 3
#define ICMP4_ECHO_REQUEST 8
#define ICMP4_PARAMETER 12
#define ICMP4_CODE_TOO_BIG 4
#define ICMP6_UNREACHABLE 1
#define ICMP6_TOO_BIG 2
#define ICMP6_PARAMETER 4
#define ICMP6_ECHO_REQUEST 128
#define ICMP6_ECHO_REPLY 129
#define ICMP6_ROUTER_SOLICIT 133
#define ICMP6_ROUTER_ADVERT 134
#define ICMP6_NEIGHBOUR_SOLICIT 135
#define ICMP6_NEIGHBOUR_ADVERT 136
#define ICMP6_REDIRECT 137
#define ICMP4_CODE_PORT 3
#define ICMP6_CODE_PORT 4
#define ICMP4_CODE_PROTOCOL 2
#define ICMP6_CODE_PROHIBITED 1
#define CHECKSUM_AT 2u

static enum icmp_kind kind4(uint8_t type, uint8_t code)
{
	switch (type) {
	case ICMP4_ECHO_REQUEST:
		return ICMP_ECHO_REQUEST;
	case ICMP4_ECHO_REPLY:
		return ICMP_ECHO_REPLY;
	case ICMP4_UNREACHABLE:
		return code == ICMP4_CODE_TOO_BIG ? ICMP_TOO_BIG : ICMP_UNREACHABLE;
	case ICMP4_PARAMETER:
		return ICMP_UNREACHABLE;
	default:
		return ICMP_OTHER;
	}
}

static enum icmp_kind kind6(uint8_t type)
{
	switch (type) {
	case ICMP6_ECHO_REQUEST:
		return ICMP_ECHO_REQUEST;
	case ICMP6_ECHO_REPLY:
		return ICMP_ECHO_REPLY;
	case ICMP6_TOO_BIG:
		return ICMP_TOO_BIG;
	case ICMP6_UNREACHABLE:
	case ICMP6_PARAMETER:
		return ICMP_UNREACHABLE;
	case ICMP6_NEIGHBOUR_SOLICIT:
		return ICMP_NDP_SOLICIT;
	case ICMP6_NEIGHBOUR_ADVERT:
		return ICMP_NDP_ADVERT;
	case ICMP6_ROUTER_SOLICIT:
	case ICMP6_ROUTER_ADVERT:
	case ICMP6_REDIRECT:
		return ICMP_NDP_OTHER;
	default:
		return ICMP_OTHER;
	}
}

/* RFC 1122 4.2.3.9, RFC 5461 2: all but "protocol", "port" and "prohibited" may pass. */
static bool is_soft(bool v6, uint8_t type, uint8_t code)
{
	if (v6)
		return type != ICMP6_UNREACHABLE ||
		       (code != ICMP6_CODE_PROHIBITED && code != ICMP6_CODE_PORT);
	return type != ICMP4_UNREACHABLE ||
	       (code != ICMP4_CODE_PROTOCOL && code != ICMP4_CODE_PORT);
}

static uint64_t pseudo(const struct ip_address *src, const struct ip_address *dst, uint32_t len)
{
	return ip_address_is_v4(src) ? 0 : checksum_pseudo(src, dst, IPPROTO_ICMPV6, len);
}

static uint16_t fold_packet(const struct ip_packet *packet)
{
	return checksum_fold(checksum_add(pseudo(&packet->src, &packet->dst, packet->payload.len),
					  packet->payload));
}

/* The second word of the header, by kind. */
static void read_word(struct icmp_message *message, bool v6, uint32_t word)
{
	switch (message->kind) {
	case ICMP_ECHO_REQUEST:
	case ICMP_ECHO_REPLY:
		message->id = (uint16_t)(word >> 16);
		message->sequence = (uint16_t)word;
		break;
	case ICMP_TOO_BIG:
		message->mtu =
			v6 ? word : (uint16_t)word; /* RFC 1191 4: the upper half is unused */
		break;
	default:
		break;
	}
}

/* Only neighbour discovery, router and group messages may come from nowhere (::). */
static bool source_fits(const struct ip_packet *packet, enum icmp_kind kind)
{
	return kind >= ICMP_NDP_SOLICIT || !ip_address_is_unspecified(&packet->src);
}

static enum gw_err read_message(const struct ip_packet *packet, struct icmp_message *message)
{
	uint8_t type, code;
	uint16_t checksum;
	uint32_t word;

	message->body = packet->payload;
	if (!span_u8(&message->body, &type) || !span_u8(&message->body, &code) ||
	    !span_u16_be(&message->body, &checksum))
		return GW_ICMP;
	message->kind = packet->v6 ? kind6(type) : kind4(type, code);
	message->soft = message->kind == ICMP_UNREACHABLE && is_soft(packet->v6, type, code);
	if (message->kind == ICMP_OTHER)
		return GW_OK;
	if (!span_u32_be(&message->body, &word) || !source_fits(packet, message->kind))
		return GW_ICMP;
	read_word(message, packet->v6, word);
	return GW_OK;
}

struct icmp_message icmp_read(const struct ip_packet *packet, enum packet_checksum checksum)
{
	struct icmp_message message = {.err = GW_ICMP, .kind = ICMP_OTHER};
	uint16_t folded = 0;

	if (packet->fragment || packet->protocol != (packet->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return message;
	message.err = read_message(packet, &message);
	if (checksum == PACKET_CHECKSUM_UNKNOWN)
		folded = fold_packet(packet);
	if (message.err == GW_OK && !checksum_accept(checksum, folded))
		message.err = GW_ICMP_CHECKSUM;
	return message;
}

static uint8_t echo_type(bool v6, enum icmp_kind kind)
{
	if (kind == ICMP_ECHO_REQUEST)
		return v6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST;
	return v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY;
}

/* Over all from mark on. */
static void write_checksum(struct writer *w, uint32_t mark, const struct ip_address *src,
			   const struct ip_address *dst)
{
	struct span message = writer_since(w, mark);

	writer_patch_u16_be(w, mark + CHECKSUM_AT,
			    checksum_fold(checksum_add(pseudo(src, dst, message.len), message)));
}

void icmp_write_echo(struct writer *w, const struct ip_address *src, const struct ip_address *dst,
		     const struct icmp_echo *echo)
{
	uint32_t mark = writer_len(w);

	writer_u8(w, echo_type(!ip_address_is_v4(src), echo->kind));
	writer_u8(w, 0);
	writer_u16_be(w, 0);
	writer_u16_be(w, echo->id);
	writer_u16_be(w, echo->sequence);
	writer_put(w, echo->data);
	write_checksum(w, mark, src, dst);
}

void icmp_write_port_unreachable(struct writer *w, const struct ip_address *src,
				 const struct ip_address *dst, struct span quote)
{
	bool v4 = ip_address_is_v4(src);
	uint32_t mark = writer_len(w);

	writer_u8(w, v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE);
	writer_u8(w, v4 ? ICMP4_CODE_PORT : ICMP6_CODE_PORT);
	writer_u16_be(w, 0);
	writer_u32_be(w, 0);
	writer_put(w, quote);
	write_checksum(w, mark, src, dst);
}
