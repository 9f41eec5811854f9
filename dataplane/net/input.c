/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"

/*
 * A frame's way in, top to bottom: for this station and VLAN? for this host? ours or another
 * worker's? Whatever ends on the way is counted under its gw_err.
 */

/** A worker that is not the owner hands on what the owner works off, at a bounded rate. */
static void to_owner(struct stack *stack, const struct input *input, enum forward_kind kind)
{
	if (input->packet == NULL) /* handed over, to the wrong one */
		stack_count(stack, GW_INVARIANT);
	else if (rate_take(&stack->forward[kind], stack_now(stack)))
		hand_over_frame(stack, input, 0);
	else
		stack_count(stack, GW_ICMP_RATE);
}

/** Keeps a datagram for stack_run_ready(), or hands it up when we are there already. */
static void udp_ours(struct stack *stack, const struct input *input, const struct ip_packet *ip,
		     const struct udp_packet *udp)
{
	struct ready *ready;

	if (input->packet == NULL) { /* hand_over_receive() runs in stack_run_ready() */
		udp_port_deliver(stack, ip, udp);
		return;
	}
	ready = stack_ready_add(stack, READY_DATAGRAM);
	if (ready == NULL) {
		stack_count(stack, GW_QUEUE_FULL);
		return;
	}
	ready->ip = *ip;
	ready->udp = *udp;
	ready->packet = *input->packet;
	*input->packet = NULL;
}

static void input_udp(struct stack *stack, const struct input *input, const struct ip_packet *ip)
{
	struct udp_packet udp;
	uint16_t to = input->packet != NULL ? hand_over_worker(stack, input->nif, ip)
					    : stack->worker; /* handed over to us */

	if (to != stack->worker) {
		hand_over_frame(stack, input, to); /* who verifies it all */
		return;
	}
	udp = udp_read(ip, input->l4_checksum);
	if (udp.err != GW_OK) {
		stack_count(stack, udp.err);
		return;
	}
	counter_add(&stack->counters->net_udp_in, 1);
	if (udp_port_find(stack, &ip->dst, udp.dst_port) == NULL) {
		stack_count(stack, GW_UDP_PORT);
		icmp_error_port(stack, input->nif, ip);
		return;
	}
	udp_ours(stack, input, ip, &udp);
}

/** Fragments: of UDP, from trusted peers, and nothing else (TCP.md 5.13). */
static void input_fragment(struct stack *stack, const struct input *input,
			   const struct ip_packet *ip)
{
	struct ready *ready;

	if (ip->protocol != IPPROTO_UDP || !stack_trusts(stack, &ip->src)) {
		stack_count(stack, GW_IP_FRAGMENT);
		return;
	}
	if (!stack_is_owner(stack)) {
		to_owner(stack, input, FORWARD_FRAGMENT);
		return;
	}
	counter_add(&stack->counters->net_fragments_in, 1);
	if (input->packet == NULL) {
		stack_run_fragment(stack, ip);
		return;
	}
	ready = stack_ready_add(stack, READY_FRAGMENT);
	if (ready == NULL) {
		stack_count(stack, GW_QUEUE_FULL);
		return;
	}
	ready->ip = *ip;
	ready->packet = *input->packet;
	*input->packet = NULL;
}

/** A packet to one of our addresses. */
static void input_host(struct stack *stack, const struct input *input, const struct eth_frame *eth,
		       const struct ip_packet *ip)
{
	bool icmp = ip->protocol == (ip->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	if (ip->fragment)
		input_fragment(stack, input, ip);
	else if (icmp && stack_is_owner(stack))
		owner_icmp(stack, input->nif, eth, ip, input->l4_checksum);
	else if (icmp)
		to_owner(stack, input,
			 ip->v6 && ip->hop_limit == 255 ? FORWARD_LINK : FORWARD_ICMP);
	else if (ip->protocol == IPPROTO_UDP)
		input_udp(stack, input, ip);
	else if (ip->protocol == IPPROTO_TCP)
		tcp_port_input(stack, input, ip);
	else
		stack_count(stack, GW_IP_PROTOCOL);
}

/** The groups in which neighbours look for us (RFC 4861 7.2). */
static bool is_our_group(const struct stack_netif *nif, const struct ip_address *group)
{
	struct ip_address solicited = ip_address_solicited_node(&nif->link_local);

	if (ip_address_equal(group, &ip_address_all_nodes) || ip_address_equal(group, &solicited))
		return true;
	for (uint32_t i = 0; i < nif->netif->address_count; i++) {
		solicited = ip_address_solicited_node(&nif->address[i]);
		if (!ip_address_is_v4(&nif->address[i]) && ip_address_equal(group, &solicited))
			return true;
	}
	return false;
}

/** Whom an IP packet is for and from; GW_OK for one of our addresses or groups. */
static enum gw_err input_addresses(struct stack *stack, const struct input *input,
				   const struct eth_frame *eth, const struct ip_packet *ip)
{
	const struct stack_netif *nif = input->nif;
	bool group_frame = (eth->dst[0] & 1) != 0;
	bool icmp6 = ip->v6 && ip->protocol == IPPROTO_ICMPV6;

	/* LAND, and a source that would multiply the answer; owner_icmp() looks whether a station
	 * that uses our address has said so by neighbour discovery */
	if (stack_netif_is_broadcast(nif, &ip->src) ||
	    (!icmp6 && stack_netif_of(stack, &ip->src) != NULL))
		return GW_IP_SOURCE;
	if (icmp6 && is_our_group(nif, &ip->dst))
		return GW_OK;
	if (!stack_netif_has(nif, &ip->dst))
		return GW_IP_DESTINATION;
	/* one host's address in a frame for a group (RFC 1122 3.3.6) */
	return group_frame ? GW_ETH_ADDRESS : GW_OK;
}

static void input_ip(struct stack *stack, const struct input *input, const struct eth_frame *eth)
{
	struct ip_packet ip = eth->type == ETH_TYPE_IP4 ? ip4_read(eth->payload, input->ip_checksum)
							: ip6_read(eth->payload);
	enum gw_err err = ip.err;

	if (err == GW_OK)
		err = input_addresses(stack, input, eth, &ip);
	if (err == GW_OK)
		input_host(stack, input, eth, &ip);
	else
		stack_count(stack, err);
}

/** Ethernet: from a station to ours or to a group, in our VLAN. */
static enum gw_err input_station(const struct input *input, const struct eth_frame *eth)
{
	const struct netif *netif = input->nif->netif;

	if (eth->err != GW_OK)
		return eth->err;
	if ((eth->src[0] & 1) != 0)
		return GW_ETH_ADDRESS;
	if ((eth->dst[0] & 1) == 0 && memcmp(eth->dst, netif->info.mac, 6) != 0)
		return GW_ETH_ADDRESS;
	return eth->vlan == netif->vlan ? GW_OK : GW_ETH_VLAN;
}

void input_frame(struct stack *stack, const struct input *input)
{
	struct eth_frame eth = eth_read(input->frame);
	enum gw_err err = input_station(input, &eth);

	if (err != GW_OK)
		stack_count(stack, err);
	else if (eth.type == ETH_TYPE_IP4 || eth.type == ETH_TYPE_IP6)
		input_ip(stack, input, &eth);
	else if (eth.type != ETH_TYPE_ARP)
		stack_count(stack, GW_ETH_TYPE);
	else if (stack_is_owner(stack))
		owner_arp(stack, input->nif, &eth);
	else
		to_owner(stack, input, FORWARD_LINK);
}
