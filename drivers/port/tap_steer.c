/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap_steer.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

/* The twin of tap_program.c in C: the same steps in the same order. A change here is one there. */

#define IP_FRAGMENT 0x3fffu /* more fragments, or an offset */
#define IPV6_HEADER 40u
#define FLOW_MAX (TAP_STEER_KEY - 4)

/** What the rules look at. */
struct flow {
	struct span source, destination;
	uint16_t destination_port;
	struct span ports; /* both */
};

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static bool read_ports(struct span l4, struct flow *flow)
{
	struct span rest;

	if (!span_take(&l4, 4, &flow->ports))
		return false;
	rest = span_from(flow->ports, 2);
	return span_u16_be(&rest, &flow->destination_port);
}

static bool read_v4(struct span packet, struct flow *flow)
{
	struct span rest = packet;
	uint8_t first, protocol;
	uint16_t fragment;

	if (!span_u8(&rest, &first) || !span_skip(&rest, 5) || !span_u16_be(&rest, &fragment) ||
	    !span_skip(&rest, 1) || !span_u8(&rest, &protocol) || !span_skip(&rest, 2) ||
	    !span_take(&rest, 4, &flow->source) || !span_take(&rest, 4, &flow->destination))
		return false;
	if (first >> 4 != 4 || (first & 15) < 5 || (fragment & IP_FRAGMENT) != 0)
		return false;
	return has_ports(protocol) && read_ports(span_from(packet, (first & 15u) * 4), flow);
}

static bool read_v6(struct span packet, struct flow *flow)
{
	struct span rest = packet;
	uint8_t first, protocol;

	if (!span_u8(&rest, &first) || !span_skip(&rest, 5) || !span_u8(&rest, &protocol) ||
	    !span_skip(&rest, 1) || !span_take(&rest, 16, &flow->source) ||
	    !span_take(&rest, 16, &flow->destination))
		return false;
	return first >> 4 == 6 && has_ports(protocol) &&
	       read_ports(span_from(packet, IPV6_HEADER), flow);
}

static bool is_vlan(uint16_t type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

static bool read_frame(struct span frame, struct flow *flow)
{
	struct span rest = frame;
	uint16_t type;

	if (!span_skip(&rest, 12) || !span_u16_be(&rest, &type))
		return false;
	if (is_vlan(type) && (!span_skip(&rest, 2) || !span_u16_be(&rest, &type)))
		return false;
	if (type == ETH_P_IP)
		return read_v4(rest, flow);
	return type == ETH_P_IPV6 && read_v6(rest, flow);
}

uint32_t tap_steer_hash(const uint8_t key[TAP_STEER_KEY], struct span flow)
{
	uint32_t window = (uint32_t)key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3];
	uint32_t hash = 0;

	for (uint32_t i = 0; i < flow.len && i < FLOW_MAX; i++)
		for (uint32_t bit = 0; bit < 8; bit++) {
			if ((flow.at[i] << bit & 0x80) != 0)
				hash ^= window;
			window = window << 1 | (key[i + 4] >> (7 - bit) & 1);
		}
	return hash;
}

static uint32_t flow_hash(const struct tap_steer *steer, const struct flow *flow)
{
	uint8_t bytes[FLOW_MAX];
	uint32_t length = flow->source.len;

	memcpy(bytes, flow->source.at, length);
	memcpy(bytes + length, flow->destination.at, length);
	memcpy(bytes + 2 * length, flow->ports.at, 4);
	return tap_steer_hash(steer->key, span_of(bytes, 2 * length + 4));
}

uint16_t tap_steer_queue(const struct tap_steer *steer, struct span frame)
{
	struct flow flow;

	if (!read_frame(frame, &flow))
		return 0;
	if (steer->steer_base != 0 && flow.destination_port >= steer->steer_base &&
	    flow.destination_port - steer->steer_base < steer->queues)
		return flow.destination_port - steer->steer_base;
	return (uint16_t)(flow_hash(steer, &flow) % TAP_STEER_ROWS % steer->queues);
}
