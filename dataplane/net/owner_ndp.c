/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/owner.h"

/* Neighbour discovery of an interface (RFC 4861): solicitations and advertisements, no routers. */

#define NDP_LEN 32u /* with one link-layer address */
#define NDP_HOP_LIMIT 255

static void ndp_send(struct stack *stack, struct stack_netif *nif, const struct ip_address *src,
		     const struct ip_address *dst, const uint8_t mac[6],
		     const struct ndp_message *message)
{
	struct output output = {
		.nif = nif,
		.mac = mac,
		.head = {.src = *src,
			 .dst = *dst,
			 .protocol = IPPROTO_ICMPV6,
			 .hop_limit = NDP_HOP_LIMIT},
	};
	uint8_t bytes[NDP_LEN];
	struct writer w;
	enum gw_err err;

	writer_init(&w, bytes, sizeof(bytes));
	ndp_write(&w, src, dst, message);
	output.l4 = writer_span(&w);
	output.head.payload_len = output.l4.len;
	err = output_ip(stack, &output);
	if (err == GW_OK)
		counter_add(&stack->counters->net_ndp_out, 1);
	else
		stack_count(stack, err);
}

static void ndp_our_mac(const struct stack_netif *nif, struct ndp_message *message)
{
	message->has_mac = true;
	memcpy(message->mac, nif->netif->info.mac, sizeof(message->mac));
}

void owner_ndp_ask(struct stack *stack, struct stack_netif *nif, const struct ip_address *address,
		   const uint8_t mac[6])
{
	const struct ip_address *source = stack_netif_source(nif, address);
	struct ip_address group = ip_address_solicited_node(address);
	struct ndp_message message = {.target = *address};
	uint8_t group_mac[6];

	if (source == NULL)
		return;
	ndp_our_mac(nif, &message);
	eth_group(&group, group_mac);
	if (mac != NULL)
		ndp_send(stack, nif, source, address, mac, &message);
	else
		ndp_send(stack, nif, source, &group, group_mac, &message);
}

void owner_ndp_probe(struct stack *stack, struct stack_netif *nif, const struct ip_address *address)
{
	struct ip_address nobody = {{0}}, group = ip_address_solicited_node(address);
	struct ndp_message message = {.target = *address};
	uint8_t mac[6];

	eth_group(&group, mac);
	ndp_send(stack, nif, &nobody, &group, mac, &message);
}

void owner_ndp_advertise(struct stack *stack, struct stack_netif *nif,
			 const struct ip_address *address, const struct ip_address *dst,
			 const uint8_t mac[6])
{
	bool group = ip_address_is_group(dst);
	struct ndp_message message = {.advert = true,
				      .solicited = !group,
				      .override = true,
				      .target = *address};
	uint8_t group_mac[6];

	ndp_our_mac(nif, &message);
	eth_group(dst, group_mac);
	ndp_send(stack, nif, address, dst, group ? group_mac : mac, &message);
}

/** Somebody asks for one of our addresses. */
static void ndp_solicited(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth,
			  const struct ip_packet *ip, const struct ndp_message *message)
{
	bool for_himself = ip_address_is_unspecified(&ip->src); /* RFC 4862 5.4.3 */

	if (for_himself)
		owner_conflict(stack, &message->target);
	else if (message->has_mac)
		neighbour_claim(stack->owner->neighbours,
				&(struct neighbour_said){nif->index, &ip->src, message->mac});
	stack->owner->neighbour_us = 0;
	if (rate_take(&stack->owner->ndp, stack_now(stack)))
		owner_ndp_advertise(stack, nif, &message->target,
				    for_himself ? &ip_address_all_nodes : &ip->src,
				    message->has_mac ? message->mac : eth->src);
	else
		stack_count(stack, GW_ICMP_RATE);
}

/** Somebody tells where an address is. Without a link-layer address: where it was asked. */
static void ndp_advertised(struct stack *stack, struct stack_netif *nif,
			   const struct eth_frame *eth, const struct ip_packet *ip,
			   const struct ndp_message *message)
{
	const uint8_t *mac = message->has_mac ? message->mac : eth->src;
	bool to_us = message->solicited && stack_netif_has(nif, &ip->dst);

	if (to_us)
		neighbour_answer(stack->owner->neighbours,
				 &(struct neighbour_said){nif->index, &message->target, mac},
				 &owner_neighbour_ops, stack, stack_now(stack));
	else
		neighbour_claim(stack->owner->neighbours,
				&(struct neighbour_said){nif->index, &message->target, mac});
	stack->owner->neighbour_us = 0;
}

void owner_ndp(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth,
	       const struct ip_packet *ip, const struct icmp_message *message)
{
	struct ndp_message ndp = ndp_read(ip, message);
	bool ours, reflected = memcmp(eth->src, nif->netif->info.mac, 6) == 0;

	if (ndp.err != GW_OK) {
		stack_count(stack, ndp.err);
		return;
	}
	counter_add(&stack->counters->net_ndp_in, 1);
	ours = stack_netif_has(nif, &ndp.target);
	if (reflected) /* our own, sent back by a switch */
		stack_count(stack, GW_NDP_FOREIGN);
	else if (stack_netif_has(nif, &ip->src))
		owner_conflict(stack, &ip->src);
	else if (!ndp.advert && ours)
		ndp_solicited(stack, nif, eth, ip, &ndp);
	else if (!ndp.advert)
		stack_count(stack, GW_NDP_FOREIGN);
	else if (ours)
		owner_conflict(stack, &ndp.target);
	else
		ndp_advertised(stack, nif, eth, ip, &ndp);
}
