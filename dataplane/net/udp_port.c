/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"

/* The UDP ports of a worker: who hears a datagram, and how one is sent. */

#define HOP_LIMIT 64

static bool is_any(const struct endpoint *local)
{
	struct ip_address address = ip_address_of(local);

	return ip_address_is_unspecified(&address);
}

static bool is_taken(const struct stack *stack, const struct endpoint *local)
{
	for (uint32_t i = 0; i < stack->udp_ports; i++) {
		const struct endpoint *at = &stack->udp_port[i].local;

		if (at->sa.sa_family == local->sa.sa_family && endpoint_same_host(at, local) &&
		    endpoint_port(at) == endpoint_port(local))
			return true;
	}
	return false;
}

enum gw_err stack_udp_bind(struct stack *stack, const struct endpoint *local,
			   const struct udp_ops *ops, void *context)
{
	struct ip_address address = ip_address_of(local);
	struct udp_port port = {.local = *local,
				.any = is_any(local),
				.ops = ops,
				.context = context};

	if (local->sa.sa_family == AF_UNSPEC ||
	    (!port.any && stack_netif_of(stack, &address) == NULL) || is_taken(stack, local))
		return GW_SYSTEM;
	if (stack->udp_ports == STACK_PORTS)
		return GW_POOL_EMPTY;
	stack->udp_port[stack->udp_ports++] = port;
	return GW_OK;
}

struct udp_port *udp_port_find(struct stack *stack, const struct ip_address *address, uint16_t port)
{
	struct endpoint local = ip_address_endpoint(address, port);
	struct udp_port *wildcard = NULL;

	for (uint32_t i = 0; i < stack->udp_ports; i++) {
		struct udp_port *at = &stack->udp_port[i];

		if (endpoint_port(&at->local) != port ||
		    at->local.sa.sa_family != local.sa.sa_family)
			continue;
		if (endpoint_same_host(&at->local, &local))
			return at;
		if (at->any)
			wildcard = at;
	}
	return wildcard;
}

void udp_port_deliver(struct stack *stack, const struct ip_packet *ip, const struct udp_packet *udp)
{
	struct udp_port *port = udp_port_find(stack, &ip->dst, udp->dst_port);
	struct endpoint local = ip_address_endpoint(&ip->dst, udp->dst_port);
	struct endpoint peer = ip_address_endpoint(&ip->src, udp->src_port);

	if (port == NULL)
		stack_count(stack, GW_UDP_PORT);
	else
		port->ops->datagram(port->context, &local, &peer, udp->payload);
}

void udp_port_unreachable(struct stack *stack, const struct endpoint *local,
			  const struct endpoint *peer)
{
	struct ip_address address = ip_address_of(local);
	struct udp_port *port = udp_port_find(stack, &address, endpoint_port(local));

	if (port != NULL)
		port->ops->unreachable(port->context, peer);
}

/* ---- sending -----------------------------------------------------------------------------------
 */

/** Head, then payload: one packet, or fragments. */
static enum gw_err send_datagram(struct stack *stack, const struct route *route,
				 struct output *output, const struct endpoint ends[2])
{
	bool whole = output->head.payload_len + ip_head_len(&output->head) <= route->mtu;
	bool device = whole && route->nif->polled && route->nif->netif->info.tx_l4_checksum;
	uint8_t head[UDP_LEN];
	struct writer w;

	writer_init(&w, head, sizeof(head));
	udp_write(&w,
		  &(struct udp_ends){&output->head.src, &output->head.dst, endpoint_port(&ends[0]),
				     endpoint_port(&ends[1])},
		  output->data, device ? L4_CHECKSUM_PSEUDO : L4_CHECKSUM_WHOLE);
	output->l4 = writer_span(&w);
	output->offload_protocol = device ? IPPROTO_UDP : 0;
	output->head.dont_fragment = whole; /* so that a router tells us (RFC 1191) */
	if (whole)
		return output_ip(stack, output);
	output->head.id = (uint32_t)stack->config.random(stack->config.context);
	return output_fragments(stack, output, route->mtu);
}

/** A datagram to one of our own addresses never sees a device. */
static enum gw_err send_to_self(struct stack *stack, const struct output *output,
				const struct endpoint ends[2])
{
	struct udp_packet udp = {.src_port = endpoint_port(&ends[0]),
				 .dst_port = endpoint_port(&ends[1])};
	struct ip_packet ip = {.src = output->head.src, .dst = output->head.dst};
	uint16_t to = hand_over_owner(stack, udp.dst_port);
	struct rte_mbuf *packet;
	struct ready *ready;

	udp.payload = output->data;
	if (to != stack->worker) {
		hand_over_datagram(stack, &ip, &udp, to);
		return GW_OK;
	}
	if (output->data.len > PACKET_ROOM)
		return GW_NET_TOO_BIG;
	packet = packet_copy(stack->pool, output->data);
	if (packet == NULL)
		return GW_NET_NO_PACKET;
	ready = stack_ready_add(stack, READY_DATAGRAM);
	if (ready == NULL) {
		packet_put(packet);
		return GW_NET_TX_FULL;
	}
	udp.payload = packet_span(packet);
	ready->packet = packet;
	ready->ip = ip;
	ready->udp = udp;
	return GW_OK;
}

enum gw_err stack_udp_send(struct stack *stack, const struct endpoint *local,
			   const struct endpoint *peer, struct span bytes)
{
	struct output output = {.head = {.protocol = IPPROTO_UDP, .hop_limit = HOP_LIMIT}};
	struct endpoint ends[2] = {*local, *peer};
	struct route route;
	enum gw_err err;

	output.head.src = ip_address_of(local);
	output.head.dst = ip_address_of(peer);
	output.head.payload_len = UDP_LEN + bytes.len;
	output.data = bytes;
	if (local->sa.sa_family != peer->sa.sa_family ||
	    udp_port_find(stack, &output.head.src, endpoint_port(local)) == NULL)
		return GW_SYSTEM;
	if (bytes.len > REASSEMBLY_BYTES_MAX - UDP_LEN - IP4_LEN)
		return GW_NET_TOO_BIG;
	if (stack_netif_of(stack, &output.head.dst) != NULL)
		return send_to_self(stack, &output, ends);
	err = output_route(stack, &output.head.src, &output.head.dst, &route);
	if (err != GW_OK)
		return err;
	output.nif = route.nif;
	output.mac = route.mac;
	err = send_datagram(stack, &route, &output, ends);
	counter_add(&stack->counters->net_udp_out, err == GW_OK);
	return err;
}
