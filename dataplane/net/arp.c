/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"

#define ARP_HARDWARE_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define MAC_LEN 6
#define MAC_GROUP_BIT 0x01

static bool read_kind(struct span *in, uint16_t *operation)
{
	uint16_t hardware, protocol;
	uint8_t hardware_len, protocol_len;

	return span_u16_be(in, &hardware) && span_u16_be(in, &protocol) &&
	       span_u8(in, &hardware_len) && span_u8(in, &protocol_len) &&
	       span_u16_be(in, operation) && hardware == ARP_HARDWARE_ETHERNET &&
	       protocol == ETH_TYPE_IP4 && hardware_len == MAC_LEN && protocol_len == 4;
}

struct arp_packet arp_read(struct span bytes)
{
	struct arp_packet packet = {.err = GW_ARP};
	uint16_t operation;

	if (!read_kind(&bytes, &operation) || !span_copy(&bytes, packet.sender_mac, MAC_LEN) ||
	    !ip_address_take_v4(&bytes, &packet.sender) ||
	    !span_copy(&bytes, packet.target_mac, MAC_LEN) ||
	    !ip_address_take_v4(&bytes, &packet.target))
		return packet;
	if (operation != ARP_REQUEST && operation != ARP_REPLY)
		return packet;
	if ((packet.sender_mac[0] & MAC_GROUP_BIT) != 0)
		return packet;
	packet.reply = operation == ARP_REPLY;
	packet.err = GW_OK;
	return packet;
}

void arp_write(struct writer *w, const struct arp_packet *packet)
{
	writer_u16_be(w, ARP_HARDWARE_ETHERNET);
	writer_u16_be(w, ETH_TYPE_IP4);
	writer_u8(w, MAC_LEN);
	writer_u8(w, 4);
	writer_u16_be(w, packet->reply ? ARP_REPLY : ARP_REQUEST);
	writer_bytes(w, packet->sender_mac, MAC_LEN);
	writer_bytes(w, ip_address_v4_bytes(&packet->sender), 4);
	writer_bytes(w, packet->target_mac, MAC_LEN);
	writer_bytes(w, ip_address_v4_bytes(&packet->target), 4);
}
