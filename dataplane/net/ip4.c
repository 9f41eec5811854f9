/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/ip_fixed.h"

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_LSRR 131
#define OPTION_SSRR 137
#define FRAGMENT_MORE 0x2000
#define FRAGMENT_OFFSET 0x1fff /* in units of 8 bytes */

bool ip4_fixed_read(struct span bytes, struct ip_fixed *fixed)
{
	struct ip_packet *packet = &fixed->packet;
	uint8_t first, service;
	uint16_t total, id, fragment, checksum;

	if (!span_u8(&bytes, &first) || !span_u8(&bytes, &service) ||
	    !span_u16_be(&bytes, &total) || !span_u16_be(&bytes, &id) ||
	    !span_u16_be(&bytes, &fragment) || !span_u8(&bytes, &packet->hop_limit) ||
	    !span_u8(&bytes, &packet->protocol) || !span_u16_be(&bytes, &checksum) ||
	    !ip_address_take_v4(&bytes, &packet->src) || !ip_address_take_v4(&bytes, &packet->dst))
		return false;
	packet->v6 = false;
	packet->id = id;
	packet->more = (fragment & FRAGMENT_MORE) != 0;
	packet->offset = (uint16_t)((fragment & FRAGMENT_OFFSET) * 8);
	packet->fragment = packet->more || packet->offset != 0;
	packet->payload = bytes;
	fixed->header_len = (first & 0x0fu) * 4;
	fixed->ip_len = total;
	return first >> 4 == 4 && fixed->header_len >= IP4_LEN && total >= fixed->header_len;
}

/* The header is short and its sum cheap: only GOOD spares it. */
static bool sum_right(struct span header, enum packet_checksum checksum)
{
	if (checksum == PACKET_CHECKSUM_GOOD)
		return true;
	return checksum != PACKET_CHECKSUM_BAD && checksum_fold(checksum_add(0, header)) == 0;
}

static enum gw_err check_options(struct span options)
{
	uint8_t kind, len;

	while (span_u8(&options, &kind) && kind != OPTION_END) {
		if (kind == OPTION_NOP)
			continue;
		if (kind == OPTION_LSRR || kind == OPTION_SSRR)
			return GW_IP_OPTION;
		if (!span_u8(&options, &len) || len < 2 || !span_skip(&options, len - 2u))
			return GW_IP_HEADER;
	}
	return GW_OK;
}

/* 0/8, 127/8, the groups of 224/4, and 240/4 with the broadcast at its end (RFC 1122 3.2.1.3); and
 * nobody writes to us from the address he writes to. */
static bool source_usable(const struct ip_packet *packet)
{
	uint8_t first = ip_address_v4_bytes(&packet->src)[0];

	return first != 0 && first != 127 && first < 224 &&
	       !ip_address_equal(&packet->src, &packet->dst);
}

static enum gw_err check(struct span bytes, const struct ip_fixed *fixed,
			 enum packet_checksum checksum, struct span *payload)
{
	struct span header;
	enum gw_err err;

	/* Ethernet padding goes here, before anything else is looked at */
	if (!span_take(&bytes, fixed->ip_len, payload) ||
	    !span_take(payload, fixed->header_len, &header))
		return GW_IP_LENGTH;
	if (!sum_right(header, checksum))
		return GW_IP_CHECKSUM;
	err = check_options(span_from(header, IP4_LEN));
	if (err == GW_OK && !source_usable(&fixed->packet))
		err = GW_IP_SOURCE;
	return err;
}

struct ip_packet ip4_read(struct span bytes, enum packet_checksum checksum)
{
	struct ip_fixed fixed;

	if (!ip4_fixed_read(bytes, &fixed))
		return (struct ip_packet){.err = GW_IP_HEADER};
	fixed.packet.whole = span_cut(bytes, 0, fixed.ip_len);
	fixed.packet.err = check(bytes, &fixed, checksum, &fixed.packet.payload);
	return fixed.packet;
}
