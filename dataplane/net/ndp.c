/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"

#define NDP_HOP_LIMIT 255
#define NDP_CODE_AT 1u
#define NDP_CHECKSUM_AT 2u
#define NDP_FLAGS_AT 4u
#define NDP_SOLICIT 135
#define NDP_ADVERT 136
#define FLAG_ROUTER 0x80
#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE 0x20
#define OPTION_SOURCE_MAC 1
#define OPTION_TARGET_MAC 2
#define OPTION_UNIT 8u
#define MAC_LEN 6
#define MAC_GROUP_BIT 0x01
#define SOLICITED_NODE_BITS 104

static bool read_mac(struct ndp_message *ndp, struct span value)
{
	struct span mac = value;

	if (ndp->has_mac)
		return true; /* the first one counts */
	ndp->has_mac = span_copy(&mac, ndp->mac, MAC_LEN) && mac.len == 0;
	return ndp->has_mac && (ndp->mac[0] & MAC_GROUP_BIT) == 0;
}

/* Unknown options are skipped; one of length 0 ends it all (RFC 4861 4.6). */
static bool read_options(struct ndp_message *ndp, struct span options)
{
	uint8_t wanted = ndp->advert ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC;
	uint8_t type, units;
	struct span value;

	while (span_u8(&options, &type)) {
		if (!span_u8(&options, &units) || units == 0 ||
		    !span_take(&options, units * OPTION_UNIT - 2, &value))
			return false;
		if (type == wanted && !read_mac(ndp, value))
			return false;
	}
	return true;
}

/* RFC 4861 7.1.1: who has no address yet asks the group, and has nothing to say of himself. */
static bool solicit_ok(const struct ip_packet *packet, const struct ndp_message *ndp)
{
	struct ip_address node = ip_address_solicited_node(&packet->dst);

	if (!ip_address_is_unspecified(&packet->src))
		return true;
	return ip_address_in(&packet->dst, &node, SOLICITED_NODE_BITS) && !ndp->has_mac;
}

/* RFC 4861 7.1.2: nobody asked from a group's address; and an advertisement has a sender (4.4). */
static bool advert_ok(const struct ip_packet *packet, const struct ndp_message *ndp)
{
	return !(ndp->solicited && ip_address_is_group(&packet->dst)) &&
	       !ip_address_is_unspecified(&packet->src);
}

static bool read_body(const struct ip_packet *packet, struct span body, struct ndp_message *ndp)
{
	if (!span_copy(&body, ndp->target.bytes, sizeof(ndp->target.bytes)) ||
	    ip_address_is_group(&ndp->target) || ip_address_is_v4(&ndp->target))
		return false;
	if (!read_options(ndp, body))
		return false;
	return ndp->advert ? advert_ok(packet, ndp) : solicit_ok(packet, ndp);
}

struct ndp_message ndp_read(const struct ip_packet *packet, const struct icmp_message *message)
{
	struct ndp_message ndp = {.err = GW_NDP, .advert = message->kind == ICMP_NDP_ADVERT};
	int flags = span_at(packet->payload, NDP_FLAGS_AT);

	if (packet->hop_limit != NDP_HOP_LIMIT || packet->fragment || flags < 0 ||
	    span_at(packet->payload, NDP_CODE_AT) != 0)
		return ndp;
	if (ndp.advert) {
		ndp.router = (flags & FLAG_ROUTER) != 0;
		ndp.solicited = (flags & FLAG_SOLICITED) != 0;
		ndp.override = (flags & FLAG_OVERRIDE) != 0;
	}
	if (read_body(packet, message->body, &ndp))
		ndp.err = GW_OK;
	return ndp;
}

static uint8_t flags_of(const struct ndp_message *message)
{
	if (!message->advert)
		return 0;
	return (uint8_t)((message->router ? FLAG_ROUTER : 0) |
			 (message->solicited ? FLAG_SOLICITED : 0) |
			 (message->override ? FLAG_OVERRIDE : 0));
}

void ndp_write(struct writer *w, const struct ip_address *src, const struct ip_address *dst,
	       const struct ndp_message *message)
{
	uint32_t mark = writer_len(w);
	struct span whole;
	uint64_t sum;

	writer_u8(w, message->advert ? NDP_ADVERT : NDP_SOLICIT);
	writer_u8(w, 0);
	writer_u16_be(w, 0);
	writer_u32_be(w, (uint32_t)flags_of(message) << 24);
	writer_bytes(w, message->target.bytes, sizeof(message->target.bytes));
	if (message->has_mac) {
		writer_u8(w, message->advert ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC);
		writer_u8(w, 1);
		writer_bytes(w, message->mac, MAC_LEN);
	}
	whole = writer_since(w, mark);
	sum = checksum_add(checksum_pseudo(src, dst, IPPROTO_ICMPV6, whole.len), whole);
	writer_patch_u16_be(w, mark + NDP_CHECKSUM_AT, checksum_fold(sum));
}
