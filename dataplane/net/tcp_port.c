/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/rss.h"
#include "net/stack.h"

/* What the layer of TCP has of the stack: whose a segment is, and how one is sent. */

#define HOP_LIMIT 64

void stack_tcp(struct stack *stack, const struct stack_tcp_ops *ops, void *context)
{
	stack->tcp_ops = ops;
	stack->tcp_context = context;
}

uint16_t stack_workers(const struct stack *stack)
{
	return stack->workers;
}

uint16_t stack_steer_base(const struct stack *stack)
{
	return stack->steer_base;
}

/* ---- whose it is -------------------------------------------------------------------------------
 */

static const struct stack_netif *netif_of(const struct stack *stack, const struct ip_address *local)
{
	for (uint32_t i = 0; i < stack->netifs; i++)
		if (stack_netif_has(&stack->netif[i], local))
			return &stack->netif[i];
	return NULL;
}

/** The device brings every flow to its worker's queue, and says how. */
static bool device_spreads(const struct stack *stack, const struct stack_netif *nif)
{
	const struct port_info *info = &nif->netif->info;

	return info->rss.key_len != 0 && info->queues >= stack->workers;
}

static bool is_steered(const struct stack *stack, uint16_t port)
{
	return stack->steer_base != 0 && port >= stack->steer_base &&
	       port - stack->steer_base < stack->workers;
}

static uint16_t flow_worker(const struct stack *stack, const struct rss_flow *flow)
{
	uint8_t ports[4];
	struct writer w;

	writer_init(&w, ports, sizeof(ports));
	writer_u16_be(&w, flow->src_port);
	writer_u16_be(&w, flow->dst_port);
	return hand_over_flow(stack, flow->src, flow->dst, writer_span(&w));
}

uint16_t stack_tcp_worker(const struct stack *stack, const struct ip_address *local,
			  uint16_t local_port, const struct ip_address *remote,
			  uint16_t remote_port)
{
	const struct rss_flow flow = {remote, local, remote_port, local_port};
	const struct stack_netif *nif = netif_of(stack, local);
	uint16_t queue;

	if (is_steered(stack, local_port))
		return (uint16_t)(local_port - stack->steer_base);
	if (nif != NULL && device_spreads(stack, nif) &&
	    rss_queue(&nif->netif->info.rss, &flow, &queue))
		return queue % stack->workers;
	return flow_worker(stack, &flow);
}

/* ---- in ----------------------------------------------------------------------------------------
 */

static bool offer(struct stack *stack, const struct stack_segment *segment, enum stack_claim claim)
{
	return stack->tcp_ops->segment(stack->tcp_context, segment, claim);
}

/** A frame in the ring of another worker is gone after the call: what is kept is a copy, and not of
 * the packets that we send with. */
static void segment_handed(struct stack *stack, const struct input *input,
			   struct stack_segment *segment)
{
	uint32_t at = (uint32_t)(segment->tcp.payload.at - input->frame.at);
	struct rte_mbuf *packet = packet_copy(stack->handed, input->frame);

	if (packet == NULL) {
		stack_count(stack, GW_NET_NO_PACKET);
		return;
	}
	segment->tcp.payload = span_cut(packet_span(packet), at, segment->tcp.payload.len);
	segment->packet = &packet;
	(void)offer(stack, segment, CLAIM_ANY);
	if (packet != NULL)
		packet_put(packet);
}

/** Where the device should have spared us this, it is counted: steering that fails is costly. */
static void segment_of_another(struct stack *stack, const struct input *input, uint16_t dst_port,
			       uint16_t to)
{
	struct input verified = *input;

	if (device_spreads(stack, input->nif) &&
	    (!is_steered(stack, dst_port) || input->nif->netif->info.steers))
		counter_add(&stack->counters->tcp_misdirected, 1);
	verified.l4_checksum = PACKET_CHECKSUM_GOOD;
	hand_over_frame(stack, &verified, to);
}

static void segment_received(struct stack *stack, const struct input *input,
			     struct stack_segment *segment)
{
	uint16_t to;

	segment->packet = input->packet;
	if (stack->workers > 1) {
		if (offer(stack, segment, CLAIM_KNOWN))
			return;
		to = stack_tcp_worker(stack, &segment->local, segment->tcp.dst_port,
				      &segment->remote, segment->tcp.src_port);
		if (to != stack->worker) {
			segment_of_another(stack, input, segment->tcp.dst_port, to);
			return;
		}
	}
	(void)offer(stack, segment, CLAIM_ANY);
}

void tcp_port_input(struct stack *stack, const struct input *input, const struct ip_packet *ip)
{
	struct stack_segment segment = {.local = ip->dst, .remote = ip->src};

	if (stack->tcp_ops == NULL) {
		stack_count(stack, GW_TCP_PORT);
		return;
	}
	segment.tcp = tcp_read(ip, input->l4_checksum);
	if (segment.tcp.err != GW_OK)
		stack_count(stack, segment.tcp.err);
	else if (input->packet == NULL)
		segment_handed(stack, input, &segment);
	else
		segment_received(stack, input, &segment);
}

void tcp_port_error(struct stack *stack, const struct stack_tcp_error *error)
{
	if (stack->tcp_ops != NULL)
		stack->tcp_ops->error(stack->tcp_context, error);
}

/* ---- out ---------------------------------------------------------------------------------------
 */

/** Our address to speak to remote from: of the link that it is on, else of one with a router. */
static const struct ip_address *choose_local(const struct stack *stack,
					     const struct ip_address *remote)
{
	const struct ip_address *local = NULL;

	for (uint32_t i = 0; i < stack->netifs; i++) {
		const struct stack_netif *nif = &stack->netif[i];

		if (stack_netif_on_link(nif, remote))
			return stack_netif_source(nif, remote);
		if (local == NULL && stack_netif_gateway(nif, remote) != NULL)
			local = stack_netif_source(nif, remote);
	}
	return local;
}

/** Nothing of ours goes to ourselves: it would come back to a stack that takes it for forged. */
static enum gw_err find_route(struct stack *stack, const struct ip_address *local,
			      const struct ip_address *remote, struct route *route)
{
	if (ip_address_is_v4(local) != ip_address_is_v4(remote) ||
	    stack_netif_of(stack, remote) != NULL)
		return GW_NET_NO_ROUTE;
	return output_route_any(stack, local, remote, route);
}

enum gw_err stack_tcp_route(struct stack *stack, struct ip_address *local,
			    const struct ip_address *remote, uint16_t *mtu)
{
	const struct ip_address *from =
		ip_address_is_unspecified(local) ? choose_local(stack, remote) : local;
	struct route route = {0};
	enum gw_err err = from != NULL ? find_route(stack, from, remote, &route) : GW_NET_NO_ROUTE;

	if (err != GW_OK && err != GW_NET_UNRESOLVED)
		return err;
	*local = *from;
	*mtu = route.nif->netif->info.mtu;
	return err;
}

static enum gw_err send_segment(struct stack *stack, const struct route *route,
				struct output *output, const struct tcp_packet *segment)
{
	bool device = route->nif->polled && route->nif->netif->info.tx_l4_checksum;
	uint8_t head[TCP_LEN_MAX];
	struct writer w;

	writer_init(&w, head, sizeof(head));
	tcp_write(&w, &output->head.src, &output->head.dst, segment,
		  device ? L4_CHECKSUM_PSEUDO : L4_CHECKSUM_WHOLE);
	output->l4 = writer_span(&w);
	output->data = segment->payload;
	output->head.payload_len = output->l4.len + output->data.len;
	output->offload_protocol = device ? IPPROTO_TCP : 0;
	return output_ip(stack, output);
}

enum gw_err stack_tcp_send(struct stack *stack, const struct ip_address *local,
			   const struct ip_address *remote, const struct tcp_packet *segment)
{
	struct output output = {.head = {.src = *local,
					 .dst = *remote,
					 .protocol = IPPROTO_TCP,
					 .hop_limit = HOP_LIMIT,
					 .dont_fragment = true}}; /* ID 0: RFC 6864 4.1 */
	struct route route = {0};
	enum gw_err err = find_route(stack, local, remote, &route);

	if (err == GW_OK && output_room(route.nif) == 0 && !route.nif->blocked)
		output_flush(stack, route.nif); /* a turn may send more than a backlog holds */
	if (err == GW_OK && output_room(route.nif) == 0)
		err = GW_NET_TX_FULL; /* before anything is copied */
	if (err != GW_OK)
		return err;
	output.nif = route.nif;
	output.mac = route.mac;
	return send_segment(stack, &route, &output, segment);
}
