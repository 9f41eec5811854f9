/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"

#define VLAN_ID_BITS 0x0fff

const uint8_t eth_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct eth_frame eth_read(struct span frame)
{
	struct eth_frame eth = {.err = GW_ETH_SHORT};
	uint16_t tag;

	if (!span_copy(&frame, eth.dst, sizeof(eth.dst)) ||
	    !span_copy(&frame, eth.src, sizeof(eth.src)) || !span_u16_be(&frame, &eth.type))
		return eth;
	if (eth.type == ETH_TYPE_VLAN) {
		if (!span_u16_be(&frame, &tag) || !span_u16_be(&frame, &eth.type))
			return eth;
		eth.vlan = tag & VLAN_ID_BITS;
	}
	eth.payload = frame;
	eth.err = GW_OK;
	return eth;
}

void eth_write(struct writer *w, const uint8_t dst[6], const uint8_t src[6], uint16_t vlan,
	       uint16_t type)
{
	writer_bytes(w, dst, 6);
	writer_bytes(w, src, 6);
	if (vlan != 0) {
		writer_u16_be(w, ETH_TYPE_VLAN);
		writer_u16_be(w, vlan & VLAN_ID_BITS);
	}
	writer_u16_be(w, type);
}

void eth_group(const struct ip_address *group, uint8_t mac[6])
{
	mac[0] = 0x33;
	mac[1] = 0x33;
	memcpy(mac + 2, group->bytes + 12, 4);
}
