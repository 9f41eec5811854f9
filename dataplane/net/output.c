/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"

/*
 * A packet's way out: the next hop that the configuration gives (never whoever sent last), headers,
 * fragments, the backlog and the device. Each packet is a copy that we own until the device takes
 * it.
 */

#define HEADERS_MAX (ETH_VLAN_LEN + IP6_LEN + IP6_FRAGMENT_LEN)

/* ---- route -------------------------------------------------------------------------------------
 */

/** The address of the next hop towards dst; false: there is none. */
static bool route_hop(const struct stack_netif *nif, const struct ip_address *dst,
		      struct ip_address *hop)
{
	const struct endpoint *gateway;

	*hop = *dst;
	if (stack_netif_on_link(nif, dst))
		return true;
	gateway = stack_netif_gateway(nif, dst);
	if (gateway == NULL)
		return false;
	*hop = ip_address_of(gateway);
	return true;
}

/** An address that one other host can have (RFC 1122 3.2.1.3). */
static bool is_host(const struct ip_address *address)
{
	return !ip_address_is_group(address) && !ip_address_is_loopback(address) &&
	       !ip_address_is_unspecified(address);
}

static enum neighbour_state hop_state(const struct stack *stack, const struct stack_netif *nif,
				      const struct ip_address *hop, uint8_t mac[6])
{
	return neighbour_find(stack->shared->neighbours, nif->index, hop, mac);
}

static enum gw_err hop_err(enum neighbour_state state)
{
	if (state == NEIGHBOUR_NONE || state == NEIGHBOUR_FAILED)
		return GW_NET_NO_ROUTE;
	return state == NEIGHBOUR_INCOMPLETE ? GW_NET_UNRESOLVED : GW_OK;
}

/** The interface of src, if dst can be reached from it; NULL: it cannot. */
static struct stack_netif *route_netif(struct stack *stack, const struct ip_address *src,
				       const struct ip_address *dst)
{
	struct stack_netif *nif = stack_netif_of(stack, src);

	if (nif == NULL || !is_host(dst) || stack_netif_has(nif, dst) ||
	    stack_netif_is_broadcast(nif, dst))
		return NULL;
	return nif;
}

enum gw_err output_route(struct stack *stack, const struct ip_address *src,
			 const struct ip_address *dst, struct route *route)
{
	struct stack_netif *nif = route_netif(stack, src, dst);
	struct ip_address hop;
	enum gw_err err;

	if (nif == NULL || !route_hop(nif, dst, &hop))
		return GW_NET_NO_ROUTE;
	err = hop_err(hop_state(stack, nif, &hop, route->mac));
	if (err != GW_OK)
		return err;
	route->nif = nif;
	route->mtu = path_mtu_get(stack->paths, dst, nif->netif->info.mtu, stack_now(stack));
	return GW_OK;
}

enum gw_err output_route_any(struct stack *stack, const struct ip_address *src,
			     const struct ip_address *dst, struct route *route)
{
	struct stack_netif *nif = route_netif(stack, src, dst);
	const struct endpoint *gateway;
	enum neighbour_state state;
	struct ip_address hop;

	if (nif == NULL || !route_hop(nif, dst, &hop))
		return GW_NET_NO_ROUTE;
	state = hop_state(stack, nif, &hop, route->mac);
	gateway = stack_netif_gateway(nif, dst);
	if (state == NEIGHBOUR_NONE && gateway != NULL && !ip_address_is_link_local(dst)) {
		hop = ip_address_of(gateway);
		state = hop_state(stack, nif, &hop, route->mac);
	}
	route->nif = nif;
	route->mtu = nif->netif->info.mtu;
	return hop_err(state);
}

/* ---- the backlog -------------------------------------------------------------------------------
 */

uint32_t output_room(const struct stack_netif *nif)
{
	return nif->polled ? STACK_BACKLOG - nif->backlog_count : STACK_BACKLOG;
}

/** Takes packet, also when it is refused. */
static enum gw_err output_packet(struct stack *stack, struct stack_netif *nif,
				 struct rte_mbuf *packet_owned)
{
	enum gw_err err;

	if (nif->polled && nif->backlog_count < STACK_BACKLOG) {
		mirror_frame(stack, nif, packet_span(packet_owned), MIRROR_SENT);
		nif->backlog[(nif->backlog_at + nif->backlog_count++) % STACK_BACKLOG] =
			packet_owned;
		return GW_OK;
	}
	err = nif->polled ? GW_NET_TX_FULL
			  : hand_over_transmit(stack, nif, packet_span(packet_owned));
	packet_put(packet_owned);
	return err;
}

enum gw_err output_frame(struct stack *stack, struct stack_netif *nif, struct span frame)
{
	struct rte_mbuf *packet = packet_copy(stack->pool, frame);

	return packet != NULL ? output_packet(stack, nif, packet) : GW_NET_NO_PACKET;
}

void output_flush(struct stack *stack, struct stack_netif *nif)
{
	const struct netif *netif = nif->netif;

	nif->blocked = false;
	while (nif->backlog_count > 0 && !nif->blocked) {
		uint32_t at = nif->backlog_at % STACK_BACKLOG, bytes[STACK_BURST], sum = 0;
		uint32_t n = nif->backlog_count < STACK_BURST ? nif->backlog_count : STACK_BURST;
		uint16_t sent;

		n = n < STACK_BACKLOG - at ? n : STACK_BACKLOG - at;
		for (uint32_t i = 0; i < n; i++)
			bytes[i] = packet_len(nif->backlog[at + i]);
		sent = netif->ops->tx_burst(netif->port, nif->queue, nif->backlog + at,
					    (uint16_t)n);
		for (uint32_t i = 0; i < sent; i++)
			sum += bytes[i];
		counter_add(&stack->counters->net_tx_packets, sent);
		counter_add(&stack->counters->net_tx_bytes, sum);
		nif->backlog_at = (at + sent) % STACK_BACKLOG;
		nif->backlog_count -= sent;
		nif->blocked = sent < n;
	}
	if (nif->blocked)
		counter_add(&stack->counters->net_tx_blocked, 1);
}

/* ---- IP ----------------------------------------------------------------------------------------
 */

/** A device that we have no queue of gets the frame as bytes: nothing is left to it. */
static bool device_completes(const struct stack_netif *nif, const struct output *output)
{
	return nif->polled && (output->offload_protocol != 0 || nif->netif->info.tx_ip_checksum);
}

static void output_headers(struct writer *w, const struct output *output)
{
	const struct netif *netif = output->nif->netif;

	eth_write(w, output->mac, netif->info.mac, netif->vlan,
		  ip_address_is_v4(&output->head.src) ? ETH_TYPE_IP4 : ETH_TYPE_IP6);
	ip_write(w, &output->head, !(output->nif->polled && netif->info.tx_ip_checksum));
	writer_put(w, output->l4);
	writer_put(w, output->data);
}

static void output_offload(struct rte_mbuf *packet, const struct output *output)
{
	const struct netif *netif = output->nif->netif;
	bool v4 = ip_address_is_v4(&output->head.src);
	struct packet_offload offload = {
		.l2_len = netif->vlan != 0 ? ETH_VLAN_LEN : ETH_LEN,
		.l3_len = (uint16_t)ip_head_len(&output->head),
		.l4_protocol = output->offload_protocol,
		.v6 = !v4,
		.ip_checksum = v4 && netif->info.tx_ip_checksum,
	};

	if (device_completes(output->nif, output))
		packet_set_offload(packet, &offload);
}

enum gw_err output_ip(struct stack *stack, const struct output *output)
{
	uint32_t len = ip_head_len(&output->head) + output->l4.len + output->data.len;
	uint32_t l2 = output->nif->netif->vlan != 0 ? ETH_VLAN_LEN : ETH_LEN;
	struct rte_mbuf *packet;
	struct writer w;
	void *at;

	if (len > output->nif->netif->info.mtu)
		return GW_NET_TOO_BIG;
	packet = packet_get(stack->pool);
	if (packet == NULL)
		return GW_NET_NO_PACKET;
	at = packet_append(packet, l2 + len);
	if (at == NULL) {
		packet_put(packet);
		return GW_NET_TOO_BIG;
	}
	writer_init(&w, at, l2 + len);
	output_headers(&w, output);
	if (!writer_ok(&w) || writer_room(&w) != 0) {
		packet_put(packet);
		return GW_INVARIANT;
	}
	output_offload(packet, output);
	return output_packet(stack, output->nif, packet);
}

/** Bytes from offset on of what l4 and data are together, at most n. */
static void fragment_cut(const struct output *output, uint32_t offset, uint32_t n,
			 struct output *fragment)
{
	uint32_t l4_len = output->l4.len;

	fragment->l4 = span_cut(output->l4, offset, n);
	n -= fragment->l4.len;
	fragment->data = span_cut(output->data, offset > l4_len ? offset - l4_len : 0, n);
	fragment->head.payload_len = fragment->l4.len + fragment->data.len;
}

/** Takes the last n packets back: what is left of a datagram would be sent for nothing. */
static void output_undo(struct stack_netif *nif, uint32_t n)
{
	for (; nif->polled && n > 0; n--) {
		uint32_t last = nif->backlog_at + --nif->backlog_count;

		packet_put(nif->backlog[last % STACK_BACKLOG]);
	}
}

enum gw_err output_fragments(struct stack *stack, const struct output *output, uint32_t mtu)
{
	uint32_t total = output->l4.len + output->data.len, step;
	struct output fragment = *output;
	enum gw_err err = GW_OK;
	uint32_t sent = 0;

	fragment.head.fragment = true;
	fragment.head.dont_fragment = false;
	fragment.offload_protocol = 0;
	step = (mtu - ip_head_len(&fragment.head)) & ~7u;
	if ((total + step - 1) / step > output_room(output->nif))
		return GW_NET_TX_FULL;
	for (uint32_t offset = 0; err == GW_OK && offset < total; offset += step) {
		fragment_cut(output, offset, step, &fragment);
		fragment.head.offset = (uint16_t)offset;
		fragment.head.more = offset + step < total;
		err = output_ip(stack, &fragment);
		sent += err == GW_OK;
	}
	if (err == GW_OK)
		counter_add(&stack->counters->net_fragments_out, sent);
	else
		output_undo(output->nif, sent);
	return err;
}
