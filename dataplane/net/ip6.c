/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/ip_fixed.h"

#define EXTENSIONS_MAX 4u
#define EXTENSION_HIP 139
#define EXTENSION_SHIM6 140
#define EXTENSION_TEST1 253
#define EXTENSION_TEST2 254
#define OPTION_PAD1 0
#define OPTION_ACTION 0xc0 /* RFC 8200 4.2: what to do when the option is not known; 0: skip it */
#define FRAGMENT_MORE 0x0001
#define FRAGMENT_OFFSET 0xfff8

bool ip6_fixed_read(struct span bytes, struct ip_fixed *fixed)
{
	struct ip_packet *packet = &fixed->packet;
	uint32_t first;
	uint16_t len;

	if (!span_u32_be(&bytes, &first) || !span_u16_be(&bytes, &len) ||
	    !span_u8(&bytes, &packet->protocol) || !span_u8(&bytes, &packet->hop_limit) ||
	    !span_copy(&bytes, packet->src.bytes, sizeof(packet->src.bytes)) ||
	    !span_copy(&bytes, packet->dst.bytes, sizeof(packet->dst.bytes)))
		return false;
	packet->v6 = true;
	packet->fragment = false;
	packet->more = false;
	packet->offset = 0;
	packet->id = 0;
	packet->payload = bytes;
	fixed->header_len = IP6_LEN;
	fixed->ip_len = IP6_LEN + len;
	return first >> 28 == 6;
}

/* ::ffff:a.b.c.d is how IPv4 addresses are written here: in an IPv6 header it would pass for one.
 */
static enum gw_err check_addresses(const struct ip_packet *packet)
{
	if (ip_address_is_group(&packet->src) || ip_address_is_loopback(&packet->src) ||
	    ip_address_is_v4(&packet->src) || ip_address_equal(&packet->src, &packet->dst))
		return GW_IP_SOURCE;
	return ip_address_is_v4(&packet->dst) ? GW_IP_DESTINATION : GW_OK;
}

/* The numbers that IANA calls extension headers, and No Next Header. */
static bool is_extension(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_ESP:
	case IPPROTO_AH:
	case IPPROTO_NONE:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case EXTENSION_HIP:
	case EXTENSION_SHIM6:
	case EXTENSION_TEST1:
	case EXTENSION_TEST2:
		return true;
	default:
		return false;
	}
}

/* An option that asks for more than to be skipped is refused; the jumbo payload is one. */
static bool options_skippable(struct span options)
{
	uint8_t kind, len;

	while (span_u8(&options, &kind)) {
		if (kind == OPTION_PAD1)
			continue;
		if ((kind & OPTION_ACTION) != 0 || !span_u8(&options, &len) ||
		    !span_skip(&options, len))
			return false;
	}
	return true;
}

/* Hop-by-hop, destination options, routing: next header, length in units of 8 behind the first 8 */
static bool take_extension(struct ip_packet *packet, struct span *body)
{
	uint8_t len;

	return span_u8(&packet->payload, &packet->protocol) && span_u8(&packet->payload, &len) &&
	       span_take(&packet->payload, 6 + len * 8u, body);
}

static bool skip_options(struct ip_packet *packet)
{
	struct span options;

	return take_extension(packet, &options) && options_skippable(options);
}

static bool skip_routing(struct ip_packet *packet)
{
	struct span body;

	return take_extension(packet, &body) && span_at(body, 1) == 0; /* segments left */
}

bool ip6_fragment_take(struct ip_packet *packet)
{
	uint8_t reserved;
	uint16_t field;

	if (!span_u8(&packet->payload, &packet->protocol) ||
	    !span_u8(&packet->payload, &reserved) || !span_u16_be(&packet->payload, &field) ||
	    !span_u32_be(&packet->payload, &packet->id))
		return false;
	packet->fragment = true;
	packet->more = (field & FRAGMENT_MORE) != 0;
	packet->offset = field & FRAGMENT_OFFSET;
	return true;
}

static bool take_one(struct ip_packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		return skip_options(packet);
	case IPPROTO_ROUTING:
		return skip_routing(packet);
	case IPPROTO_FRAGMENT:
		return ip6_fragment_take(packet);
	default:
		return false;
	}
}

static enum gw_err walk(struct ip_packet *packet)
{
	for (uint32_t n = 0; is_extension(packet->protocol); n++) {
		if (n == EXTENSIONS_MAX || (packet->protocol == IPPROTO_HOPOPTS && n > 0))
			return GW_IP_EXTENSION;
		/* what is behind a fragment header is data until the packet is whole */
		if (packet->fragment || !take_one(packet))
			return GW_IP_EXTENSION;
	}
	return GW_OK;
}

/* Only ICMPv6 has messages of somebody who has no address yet. */
static bool unspecified_ok(const struct ip_packet *packet)
{
	return packet->protocol == IPPROTO_ICMPV6 || !ip_address_is_unspecified(&packet->src);
}

static enum gw_err check(const struct ip_fixed *fixed, struct ip_packet *packet)
{
	struct span rest = packet->payload;
	enum gw_err err;

	if (!span_take(&rest, fixed->ip_len - IP6_LEN, &packet->payload))
		return GW_IP_LENGTH;
	err = check_addresses(packet);
	if (err == GW_OK)
		err = walk(packet);
	if (err == GW_OK && !unspecified_ok(packet))
		err = GW_IP_SOURCE;
	return err;
}

struct ip_packet ip6_read(struct span bytes)
{
	struct ip_fixed fixed;

	if (!ip6_fixed_read(bytes, &fixed))
		return (struct ip_packet){.err = GW_IP_HEADER};
	fixed.packet.whole = span_cut(bytes, 0, fixed.ip_len);
	fixed.packet.err = check(&fixed, &fixed.packet);
	return fixed.packet;
}
