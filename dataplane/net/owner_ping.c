/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/owner.h"

/* Pings of an operator: sent when the next hop is known, ended by the answer or after a second. */

#define PING_US 1000000u
#define PING_TRY_US 10000u
#define HOP_LIMIT 64
#define PING_BYTES 64u /* header and data */

static const struct span ping_data =
	SPAN("wicgate ping: 56 bytes of data, as everybody sends them.");

/** The interface a ping goes out by, and from which address. */
static struct stack_netif *ping_netif(struct stack *stack, const struct ip_address *peer,
				      const struct ip_address **source)
{
	for (uint32_t pass = 0; pass < 2; pass++) /* on a link, else by a router */
		for (uint32_t i = 0; i < stack->netifs; i++) {
			struct stack_netif *nif = &stack->netif[i];
			bool fits = pass == 0 ? stack_netif_on_link(nif, peer)
					      : stack_netif_gateway(nif, peer) != NULL;

			*source = stack_netif_source(nif, peer);
			if (fits && *source != NULL && !ip_address_is_link_local(peer))
				return nif;
		}
	return NULL;
}

/** Another host: one that can answer, and be asked for on a link. */
static bool ping_host(struct stack *stack, const struct stack_netif *nif,
		      const struct ip_address *to)
{
	return !ip_address_is_group(to) && !ip_address_is_unspecified(to) &&
	       !ip_address_is_loopback(to) && !stack_netif_is_broadcast(nif, to) &&
	       stack_netif_of(stack, to) == NULL;
}

enum gw_err stack_ping(struct stack *stack, const struct endpoint *peer, uint32_t id)
{
	struct ip_address to = ip_address_of(peer);
	const struct ip_address *source;
	struct stack_netif *nif;
	enum gw_err err = GW_OK;

	if (!stack_is_owner(stack))
		return GW_NOT_SUPPORTED;
	nif = ping_netif(stack, &to, &source);
	if (nif == NULL || !ping_host(stack, nif, &to))
		return GW_NET_NO_ROUTE;
	if (stack_netif_on_link(nif, &to))
		err = neighbour_want(stack->owner->neighbours, nif->index, &to, NEIGHBOUR_WANT_PING,
				     nif->netif->probe_s, stack_now(stack));
	stack->owner->neighbour_us = 0;
	for (uint32_t i = 0; err == GW_OK && i < STACK_PINGS; i++)
		if (!stack->owner->ping[i].used) {
			stack->owner->ping[i] = (struct ping){
				.used = true,
				.sequence = stack->owner->ping_sequence++,
				.id = id,
				.until_us = stack_now(stack) + PING_US,
				.peer = *peer,
			};
			stack->owner->pings++;
			return GW_OK;
		}
	return err != GW_OK ? err : GW_POOL_EMPTY;
}

static void ping_end(struct stack *stack, struct ping *ping, enum gw_err err)
{
	uint64_t rtt_us = err == GW_OK ? stack_now(stack) - ping->sent_us : 0;

	ping->used = false;
	stack->owner->pings--;
	if (stack->owner->pings == 0) {
		neighbour_unwant(stack->owner->neighbours, NEIGHBOUR_WANT_PING);
		stack->owner->neighbour_us = 0;
	}
	stack->config.events->pong(stack->config.context, ping->id, err, (uint32_t)rtt_us);
}

static enum gw_err ping_send(struct stack *stack, const struct ping *ping)
{
	struct output output = {.head = {.hop_limit = HOP_LIMIT,
					 .dont_fragment = true, /* ID 0: RFC 6864 4.1 */
					 .dst = ip_address_of(&ping->peer)}};
	const struct ip_address *source;
	struct route route;
	struct writer w;
	uint8_t bytes[PING_BYTES];
	enum gw_err err;

	if (ping_netif(stack, &output.head.dst, &source) == NULL)
		return GW_NET_NO_ROUTE;
	output.head.src = *source;
	output.head.protocol = ip_address_is_v4(source) ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	err = output_route(stack, &output.head.src, &output.head.dst, &route);
	if (err != GW_OK)
		return err;
	writer_init(&w, bytes, sizeof(bytes));
	icmp_write_echo(&w, &output.head.src, &output.head.dst,
			&(struct icmp_echo){ICMP_ECHO_REQUEST, stack->owner->ping_id,
					    ping->sequence, ping_data});
	output.nif = route.nif;
	output.mac = route.mac;
	output.l4 = writer_span(&w);
	output.head.payload_len = output.l4.len;
	return output_ip(stack, &output);
}

static void ping_try(struct stack *stack, struct ping *ping)
{
	if (stack_now(stack) >= ping->until_us) {
		ping_end(stack, ping, ping->sent ? GW_TIMEOUT : GW_NET_UNRESOLVED);
	} else if (!ping->sent && ping_send(stack, ping) == GW_OK) {
		ping->sent = true;
		ping->sent_us = stack_now(stack);
		counter_add(&stack->counters->net_icmp_out, 1);
	}
}

void owner_pings(struct stack *stack)
{
	for (uint32_t i = 0; stack->owner->pings > 0 && i < STACK_PINGS; i++)
		if (stack->owner->ping[i].used)
			ping_try(stack, &stack->owner->ping[i]);
}

uint64_t owner_pings_next_us(const struct stack *stack)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; stack->owner->pings > 0 && i < STACK_PINGS; i++) {
		const struct ping *ping = &stack->owner->ping[i];
		uint64_t at = ping->sent ? ping->until_us : stack_now(stack) + PING_TRY_US;

		if (ping->used && at < next)
			next = at;
	}
	return next;
}

void owner_pong(struct stack *stack, const struct ip_packet *ip, const struct icmp_message *message)
{
	for (uint32_t i = 0; message->id == stack->owner->ping_id && i < STACK_PINGS; i++) {
		struct ping *ping = &stack->owner->ping[i];
		struct ip_address peer = ip_address_of(&ping->peer);

		if (ping->used && ping->sent && ping->sequence == message->sequence &&
		    ip_address_equal(&peer, &ip->src)) {
			ping_end(stack, ping, GW_OK);
			return;
		}
	}
	stack_count(stack, GW_ICMP_FOREIGN);
}
