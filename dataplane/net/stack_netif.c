/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"

/* An interface as one worker sees it, and the questions one asks about addresses. */

void stack_netif_init(struct stack_netif *nif, const struct netif *netif, uint32_t index,
		      uint16_t worker)
{
	uint16_t queues = netif->info.queues;

	nif->netif = netif;
	nif->index = index;
	nif->polled = worker < queues;
	nif->queue = worker;
	nif->sender = queues > 0 ? (uint16_t)(worker % queues) : 0;
	for (uint32_t i = 0; i < netif->address_count; i++)
		nif->address[i] = ip_address_of(&netif->address[i].address);
	nif->link_local = ip_address_link_local(netif->info.mac);
}

bool stack_netif_has(const struct stack_netif *nif, const struct ip_address *address)
{
	for (uint32_t i = 0; i < nif->netif->address_count; i++)
		if (ip_address_equal(&nif->address[i], address))
			return true;
	return ip_address_equal(&nif->link_local, address);
}

/** The prefix that address lies in, or the number of addresses. */
static uint32_t netif_prefix(const struct stack_netif *nif, const struct ip_address *address)
{
	uint32_t i = 0;

	while (i < nif->netif->address_count &&
	       !ip_address_in(address, &nif->address[i], nif->netif->address[i].prefix_len))
		i++;
	return i;
}

bool stack_netif_on_link(const struct stack_netif *nif, const struct ip_address *address)
{
	return ip_address_is_link_local(address) ||
	       netif_prefix(nif, address) < nif->netif->address_count;
}

bool stack_netif_is_broadcast(const struct stack_netif *nif, const struct ip_address *address)
{
	uint32_t i = netif_prefix(nif, address), bits, host;
	const uint8_t *at = ip_address_v4_bytes(address);

	if (!ip_address_is_v4(address) || i == nif->netif->address_count)
		return false;
	bits = nif->netif->address[i].prefix_len;
	if (bits >= 31) /* RFC 3021: two hosts and no broadcast */
		return false;
	host = UINT32_MAX >> bits;
	return (((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) &
		host) == host;
}

const struct ip_address *stack_netif_source(const struct stack_netif *nif,
					    const struct ip_address *address)
{
	uint32_t i = netif_prefix(nif, address);

	if (ip_address_is_link_local(address))
		return &nif->link_local;
	if (i < nif->netif->address_count)
		return &nif->address[i];
	for (i = 0; i < nif->netif->address_count; i++)
		if (ip_address_is_v4(&nif->address[i]) == ip_address_is_v4(address))
			return &nif->address[i];
	return NULL;
}

const struct endpoint *stack_netif_gateway(const struct stack_netif *nif,
					   const struct ip_address *address)
{
	sa_family_t family = ip_address_is_v4(address) ? AF_INET : AF_INET6;

	for (uint32_t i = 0; i < nif->netif->gateway_count; i++)
		if (nif->netif->gateway[i].sa.sa_family == family)
			return &nif->netif->gateway[i];
	return NULL;
}

struct stack_netif *stack_netif_of(struct stack *stack, const struct ip_address *address)
{
	for (uint32_t i = 0; i < stack->netifs; i++)
		if (stack_netif_has(&stack->netif[i], address))
			return &stack->netif[i];
	return NULL;
}
