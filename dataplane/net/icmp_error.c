/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"

/*
 * ICMP errors: believed about datagrams that a port of ours has sent to a trusted peer, and sent
 * for datagrams of trusted peers to ports that are closed. Nobody else gets one.
 */

#define HOP_LIMIT 64
#define QUOTE4_MAX 548u /* of the packet that caused it: the whole error is 576 bytes at most */
#define QUOTE6_MAX 1232u

/** Kept for stack_run_ready(): the owner is in stack_receive() when it learns. */
static void error_unreachable(struct stack *stack, const struct icmp_error *error)
{
	struct ready *ready = stack_ready_add(stack, READY_UNREACHABLE);

	if (ready == NULL) {
		stack_count(stack, GW_QUEUE_FULL);
		return;
	}
	ready->local = error->local;
	ready->peer = error->peer;
}

/** A port of this worker and of no other. */
static bool is_own(const struct stack *stack, const struct endpoint *local)
{
	uint32_t w = (uint32_t)endpoint_port(local) - stack->steer_base;

	return stack->steer_base != 0 && w == stack->worker;
}

void icmp_error_learn(struct stack *stack, const struct icmp_error *error)
{
	struct ip_address ours = ip_address_of(&error->local), theirs = ip_address_of(&error->peer);
	bool open = udp_port_find(stack, &ours, endpoint_port(&error->local)) != NULL;
	bool of_others = hand_over_owner(stack, endpoint_port(&error->local)) != stack->worker;

	if (!open && !of_others) {
		/* a port that all share is worker 0's to miss */
		if (is_own(stack, &error->local) || stack_is_owner(stack))
			stack_count(stack, GW_ICMP_FOREIGN);
		return;
	}
	if (!error->too_big && open)
		error_unreachable(stack, error);
	/* the way to a peer is the same for all workers */
	if (error->too_big &&
	    path_mtu_learn(stack->paths, &theirs, error->mtu, error->sent_len, stack_now(stack)))
		counter_add(&stack->counters->net_path_mtu, 1);
}

void icmp_error_port(struct stack *stack, struct stack_netif *nif, const struct ip_packet *ip)
{
	struct output output = {.nif = nif,
				.head = {.src = ip->dst,
					 .dst = ip->src,
					 .protocol = ip->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
					 .hop_limit = HOP_LIMIT,
					 .dont_fragment = true}}; /* ID 0: RFC 6864 4.1 */
	uint32_t most = ip->v6 ? QUOTE6_MAX : QUOTE4_MAX;
	uint8_t message[QUOTE6_MAX + 8];
	struct route route;
	struct writer w;
	enum gw_err err;

	if (!stack_trusts(stack, &ip->src) || !rate_take(&stack->errors_out, stack_now(stack)))
		return;
	err = output_route(stack, &ip->dst, &ip->src, &route);
	writer_init(&w, message, sizeof(message));
	icmp_write_port_unreachable(&w, &ip->dst, &ip->src, span_cut(ip->whole, 0, most));
	output.l4 = writer_span(&w);
	output.mac = route.mac;
	output.head.payload_len = output.l4.len;
	if (err == GW_OK)
		err = output_ip(stack, &output);
	if (err == GW_OK)
		counter_add(&stack->counters->net_icmp_out, 1);
	else
		stack_count(stack, err);
}
