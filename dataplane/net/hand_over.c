/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"
#include "parts.h"

/*
 * The rings between the stacks of workers: what came to one worker's queue and belongs to another
 * is copied there, as long as there is room. They are apart from the mailboxes of sessions and
 * control, so that a flood of packets costs packets and no message.
 */

enum hand_kind {
	HAND_FRAME,	/* work it off as if your queue had had it */
	HAND_DATAGRAM,	/* put together from fragments: struct hand_ends; payload */
	HAND_TRANSMIT,	/* send it from your queue */
	HAND_ERROR,	/* an ICMP error about a datagram of ours: struct hand_ends */
	HAND_TCP_ERROR, /* the same about a segment: struct hand_tcp_error */
};

struct hand_head {
	enum hand_kind kind;
	uint32_t netif;
	enum packet_checksum ip_checksum, l4_checksum; /* HAND_FRAME */
};

struct hand_ends {
	struct hand_head head;
	struct ip_packet ip;	 /* HAND_DATAGRAM; its spans count for nothing */
	struct udp_packet udp;	 /* the same */
	struct icmp_error error; /* HAND_ERROR */
};

struct hand_tcp_error {
	struct hand_head head;
	struct stack_tcp_error error;
};

uint16_t hand_over_owner(const struct stack *stack, uint16_t dst_port)
{
	uint32_t w = (uint32_t)dst_port - stack->steer_base;

	if (stack->steer_base == 0 || w >= stack->workers)
		return stack->worker;
	return (uint16_t)w;
}

uint16_t hand_over_flow(const struct stack *stack, const struct ip_address *src,
			const struct ip_address *dst, struct span ports)
{
	uint8_t bytes[2 * sizeof(struct ip_address) + 4];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_bytes(&w, src->bytes, sizeof(src->bytes));
	writer_bytes(&w, dst->bytes, sizeof(dst->bytes));
	writer_put(&w, ports);
	return (uint16_t)(siphash(stack->shared->hash_key, writer_span(&w)) % stack->workers);
}

uint16_t hand_over_worker(const struct stack *stack, const struct stack_netif *nif,
			  const struct ip_packet *ip)
{
	uint16_t src_port, dst_port, owner;

	if (!l4_ports(ip->payload, &src_port, &dst_port))
		return stack->worker; /* who refuses it */
	owner = hand_over_owner(stack, dst_port);
	if (owner != stack->worker || nif->netif->info.queues >= stack->workers ||
	    (stack->steer_base != 0 && dst_port == stack->steer_base + stack->worker))
		return owner;
	/* where the device does not spread flows, we do */
	return hand_over_flow(stack, &ip->src, &ip->dst, span_cut(ip->payload, 0, 4));
}

static enum gw_err hand_over(struct stack *stack, uint16_t to, struct span head, struct span body)
{
	enum gw_err err = stack->hub == NULL
				  ? GW_INVARIANT
				  : mailbox_send(stack->hub, stack->worker, to, head, body);

	if (err != GW_OK)
		return GW_NET_HAND_OVER;
	counter_add(&stack->counters->net_handed_out, 1);
	return GW_OK;
}

void hand_over_frame(struct stack *stack, const struct input *input, uint16_t to)
{
	struct hand_head head = {.kind = HAND_FRAME,
				 .netif = input->nif->index,
				 .ip_checksum = input->ip_checksum,
				 .l4_checksum = input->l4_checksum};
	enum gw_err err = hand_over(stack, to, span_of(&head, sizeof(head)), input->frame);

	if (err != GW_OK)
		stack_count(stack, err);
}

void hand_over_datagram(struct stack *stack, const struct ip_packet *ip,
			const struct udp_packet *udp, uint16_t to)
{
	struct hand_ends ends = {.head = {.kind = HAND_DATAGRAM}, .ip = *ip, .udp = *udp};
	enum gw_err err = hand_over(stack, to, span_of(&ends, sizeof(ends)), udp->payload);

	if (err != GW_OK)
		stack_count(stack, err);
}

enum gw_err hand_over_transmit(struct stack *stack, struct stack_netif *nif, struct span frame)
{
	struct hand_head head = {.kind = HAND_TRANSMIT, .netif = nif->index};

	return hand_over(stack, nif->sender, span_of(&head, sizeof(head)), frame) == GW_OK
		       ? GW_OK
		       : GW_NET_TX_FULL;
}

static void hand_over_all(struct stack *stack, struct span message)
{
	for (uint16_t w = 0; w < stack->workers; w++)
		if (w != stack->worker && hand_over(stack, w, message, SPAN("")) != GW_OK)
			stack_count(stack, GW_NET_HAND_OVER);
}

void hand_over_error(struct stack *stack, const struct icmp_error *error)
{
	struct hand_ends ends = {.head = {.kind = HAND_ERROR}, .error = *error};

	hand_over_all(stack, span_of(&ends, sizeof(ends)));
}

void hand_over_tcp_error(struct stack *stack, const struct stack_tcp_error *error)
{
	struct hand_tcp_error message = {.head = {.kind = HAND_TCP_ERROR}, .error = *error};

	hand_over_all(stack, span_of(&message, sizeof(message)));
}

/* ---- the other end -----------------------------------------------------------------------------
 */

static void handed_frame(struct stack *stack, const struct hand_head *head, struct span frame)
{
	struct input input = {.nif = &stack->netif[head->netif],
			      .frame = frame,
			      .ip_checksum = head->ip_checksum,
			      .l4_checksum = head->l4_checksum};

	input_frame(stack, &input);
}

static void handed_datagram(struct stack *stack, const struct hand_ends *ends, struct span payload)
{
	struct udp_packet udp = ends->udp;

	udp.payload = payload;
	counter_add(&stack->counters->net_udp_in, 1);
	udp_port_deliver(stack, &ends->ip, &udp);
}

static void handed_transmit(struct stack *stack, const struct hand_head *head, struct span frame)
{
	enum gw_err err = output_frame(stack, &stack->netif[head->netif], frame);

	if (err != GW_OK)
		stack_count(stack, err);
}

static void handed(void *context, uint16_t from, struct span message)
{
	const void *at = message.at;
	const struct hand_head *head = at;
	const struct hand_ends *ends = at;
	const struct hand_tcp_error *tcp = at;
	struct stack *stack = context;

	(void)from;
	counter_add(&stack->counters->net_handed_in, 1);
	switch (head->kind) {
	case HAND_FRAME:
		handed_frame(stack, head, span_from(message, sizeof(*head)));
		return;
	case HAND_DATAGRAM:
		handed_datagram(stack, ends, span_from(message, sizeof(*ends)));
		return;
	case HAND_TRANSMIT:
		handed_transmit(stack, head, span_from(message, sizeof(*head)));
		return;
	case HAND_ERROR:
		icmp_error_learn(stack, &ends->error);
		return;
	case HAND_TCP_ERROR:
		tcp_port_error(stack, &tcp->error);
		return;
	}
}

void hand_over_receive(struct stack *stack)
{
	uint32_t most = stack->late ? STACK_LATE * STACK_HANDED : STACK_HANDED;

	if (stack->hub != NULL &&
	    mailbox_receive(stack->hub, stack->worker, most, handed, stack) > 0)
		stack->heard_us = stack_now(stack);
}
