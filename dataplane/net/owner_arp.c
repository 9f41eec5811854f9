/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/owner.h"

/* ARP of an interface (RFC 826, RFC 5227). Only answers to our own questions are learned. */

#define ARP_LEN 28u

static void arp_send(struct stack *stack, struct stack_netif *nif, const uint8_t dst[6],
		     const struct arp_packet *packet)
{
	uint8_t frame[ETH_VLAN_LEN + ARP_LEN];
	struct writer w;
	enum gw_err err;

	writer_init(&w, frame, sizeof(frame));
	eth_write(&w, dst, nif->netif->info.mac, nif->netif->vlan, ETH_TYPE_ARP);
	arp_write(&w, packet);
	err = output_frame(stack, nif, writer_span(&w));
	if (err == GW_OK)
		counter_add(&stack->counters->net_arp_out, 1);
	else
		stack_count(stack, err);
}

/** One of ours, as the sender. */
static struct arp_packet arp_ours(const struct stack_netif *nif, const struct ip_address *sender,
				  const struct ip_address *target)
{
	struct arp_packet packet = {.sender = *sender, .target = *target};

	memcpy(packet.sender_mac, nif->netif->info.mac, sizeof(packet.sender_mac));
	return packet;
}

void owner_arp_ask(struct stack *stack, struct stack_netif *nif, const struct ip_address *address,
		   const uint8_t mac[6])
{
	const struct ip_address *source = stack_netif_source(nif, address);
	struct arp_packet packet;

	if (source == NULL)
		return;
	packet = arp_ours(nif, source, address);
	arp_send(stack, nif, mac != NULL ? mac : eth_broadcast, &packet);
}

void owner_arp_announce(struct stack *stack, struct stack_netif *nif,
			const struct ip_address *address, bool tell)
{
	static const uint8_t none[4];
	struct ip_address nobody = ip_address_v4(none);
	struct arp_packet packet = arp_ours(nif, tell ? address : &nobody, address);

	arp_send(stack, nif, eth_broadcast, &packet);
}

static void arp_answer(struct stack *stack, struct stack_netif *nif,
		       const struct arp_packet *request)
{
	struct arp_packet packet = arp_ours(nif, &request->target, &request->sender);

	if (!rate_take(&stack->owner->arp, stack_now(stack))) {
		stack_count(stack, GW_ICMP_RATE);
		return;
	}
	packet.reply = true;
	memcpy(packet.target_mac, request->sender_mac, sizeof(packet.target_mac));
	arp_send(stack, nif, request->sender_mac, &packet);
}

/** What the sender says of himself; he is not us. */
static void arp_learn(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth,
		      const struct arp_packet *packet)
{
	bool to_us = packet->reply && memcmp(eth->dst, nif->netif->info.mac, 6) == 0 &&
		     stack_netif_has(nif, &packet->target);

	if (to_us)
		neighbour_answer(stack->owner->neighbours,
				 &(struct neighbour_said){nif->index, &packet->sender,
							  packet->sender_mac},
				 &owner_neighbour_ops, stack, stack_now(stack));
	else if (!ip_address_is_unspecified(&packet->sender))
		neighbour_claim(stack->owner->neighbours,
				&(struct neighbour_said){nif->index, &packet->sender,
							 packet->sender_mac});
	stack->owner->neighbour_us = 0;
}

void owner_arp(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth)
{
	struct arp_packet packet = arp_read(eth->payload);

	if (packet.err != GW_OK) {
		stack_count(stack, packet.err);
		return;
	}
	counter_add(&stack->counters->net_arp_in, 1);
	if (memcmp(packet.sender_mac, nif->netif->info.mac, 6) == 0) {
		stack_count(stack, GW_ARP_FOREIGN); /* our own, sent back by a switch */
	} else if (stack_netif_has(nif, &packet.sender)) {
		owner_conflict(stack, &packet.sender);
	} else {
		arp_learn(stack, nif, eth, &packet);
		if (!packet.reply && stack_netif_has(nif, &packet.target))
			arp_answer(stack, nif, &packet);
		else if (!packet.reply)
			stack_count(stack, GW_ARP_FOREIGN);
	}
}
