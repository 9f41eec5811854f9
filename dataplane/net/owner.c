/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/owner.h"

#include <stdlib.h>

/* What worker 0 does for all: its clock, its announcements, and whom it wants to know. */

#define ANNOUNCE_ROUNDS \
	3u /* a question whether anybody has our address, then two announcements \
	    */
#define ANNOUNCE_US 1000000u
#define DEFEND_US 10000000u /* RFC 5227 1.1: DEFEND_INTERVAL */

/* ---- neighbours --------------------------------------------------------------------------------
 */

static void owner_ask(void *context, enum neighbour_ask how, uint32_t netif,
		      const struct ip_address *address, const uint8_t mac[6])
{
	const uint8_t *to = how == NEIGHBOUR_ASK_KNOWN ? mac : NULL;
	struct stack *stack = context;

	if (ip_address_is_v4(address))
		owner_arp_ask(stack, &stack->netif[netif], address, to);
	else
		owner_ndp_ask(stack, &stack->netif[netif], address, to);
}

static void owner_alarm(void *context, enum gw_err what, const struct ip_address *address)
{
	struct endpoint about = ip_address_endpoint(address, 0);
	struct stack *stack = context;

	stack_count(stack, what);
	stack->config.events->alarm(stack->config.context, what, &about);
}

const struct neighbour_ops owner_neighbour_ops = {.ask = owner_ask, .alarm = owner_alarm};

static void owner_want(struct stack *stack, struct stack_netif *nif,
		       const struct ip_address *address, enum neighbour_want reason)
{
	enum gw_err err = neighbour_want(stack->owner->neighbours, nif->index, address, reason,
					 nif->netif->probe_s, stack_now(stack));

	if (err != GW_OK)
		stack_count(stack, err);
	stack->owner->neighbour_us = 0;
}

static void owner_want_peer(struct stack *stack, const struct ip_address *peer,
			    enum neighbour_want reason)
{
	for (uint32_t i = 0; i < stack->netifs; i++) {
		struct stack_netif *nif = &stack->netif[i];

		if (!ip_address_is_link_local(peer) && stack_netif_on_link(nif, peer) &&
		    !stack_netif_has(nif, peer)) {
			owner_want(stack, nif, peer, reason);
			return;
		}
	}
}

void owner_peers(struct stack *stack)
{
	neighbour_unwant(stack->owner->neighbours, NEIGHBOUR_WANT_PEER);
	for (uint32_t i = 0; i < stack->peers; i++)
		owner_want_peer(stack, &stack->peer[i], NEIGHBOUR_WANT_PEER);
	stack->owner->neighbour_us = 0;
}

void owner_conflict(struct stack *stack, const struct ip_address *address)
{
	struct owner *owner = stack->owner;

	if (!rate_take(&owner->conflict, stack_now(stack)))
		return;
	owner_alarm(stack, GW_ADDRESS_CONFLICT, address);
	if (owner->announced < ANNOUNCE_ROUNDS || stack_now(stack) < owner->defend_us)
		return; /* two hosts that both defend would go on for ever (RFC 5227 2.4) */
	owner->defend_us = stack_now(stack) + DEFEND_US;
	owner->announced = ANNOUNCE_ROUNDS - 1;
	owner->announce_us = stack_now(stack);
}

/* ---- our own addresses -------------------------------------------------------------------------
 */

/** Round 0 asks whether anybody has it (RFC 5227 2.1, RFC 4862 5.4), later ones tell that we do. */
static void announce_address(struct stack *stack, struct stack_netif *nif,
			     const struct ip_address *address)
{
	bool tell = stack->owner->announced > 0;

	if (ip_address_is_v4(address))
		owner_arp_announce(stack, nif, address, tell);
	else if (tell)
		owner_ndp_advertise(stack, nif, address, &ip_address_all_nodes, eth_broadcast);
	else
		owner_ndp_probe(stack, nif, address);
}

static void owner_announce(struct stack *stack)
{
	struct owner *owner = stack->owner;

	if (owner->announced == ANNOUNCE_ROUNDS || stack_now(stack) < owner->announce_us)
		return;
	for (uint32_t i = 0; i < stack->netifs; i++) {
		struct stack_netif *nif = &stack->netif[i];

		for (uint32_t k = 0; k < nif->netif->address_count; k++)
			announce_address(stack, nif, &nif->address[k]);
	}
	owner->announced++;
	owner->announce_us = stack_now(stack) + ANNOUNCE_US;
}

/* ---- life and clock ----------------------------------------------------------------------------
 */

enum gw_err owner_open(struct stack *stack)
{
	struct owner *owner = calloc(1, sizeof(*owner));

	if (owner == NULL)
		return GW_NO_MEMORY;
	*owner = (struct owner){
		.neighbours = stack->shared->neighbours,
		.arp = {.limit = {1000, 1000}},
		.ndp = {.limit = {1000, 1000}},
		.echo = {.limit = {100, 100}},	 /* TCP.md 5.12 */
		.errors = {.limit = {100, 100}}, /* TCP.md 4.5 */
		.tcp_errors = {.limit = {100, 100}},
		.conflict = {.limit = {1, 1}},
		.ping_id = (uint16_t)stack->config.random(stack->config.context),
	};
	stack->owner = owner;
	for (uint32_t i = 0; i < stack->netifs; i++) {
		struct stack_netif *nif = &stack->netif[i];

		for (uint32_t k = 0; k < nif->netif->gateway_count; k++) {
			struct ip_address gateway = ip_address_of(&nif->netif->gateway[k]);

			owner_want(stack, nif, &gateway, NEIGHBOUR_WANT_GATEWAY);
		}
	}
	return GW_OK;
}

void owner_run(struct stack *stack)
{
	struct owner *owner = stack->owner;
	uint64_t now_us = stack_now(stack);
	uint32_t late;

	owner_announce(stack);
	owner_pings(stack);
	if (owner->neighbour_us <= now_us)
		owner->neighbour_us =
			neighbour_run(owner->neighbours, &owner_neighbour_ops, stack, now_us);
	for (late = reassembly_expire(stack->reassembly, now_us); late > 0; late--)
		stack_count(stack, GW_IP_REASSEMBLY_TIME);
}

uint64_t owner_next_us(const struct stack *stack)
{
	const struct owner *owner = stack->owner;
	uint64_t next = reassembly_next_us(stack->reassembly), ping = owner_pings_next_us(stack);

	if (ping < next)
		next = ping;
	if (owner->neighbour_us < next)
		next = owner->neighbour_us;
	if (owner->announced < ANNOUNCE_ROUNDS && owner->announce_us < next)
		next = owner->announce_us;
	return next;
}
