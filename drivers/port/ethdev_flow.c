/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "ethdev.h"

/* Steering by rte_flow: UDP and TCP, IPv4 and IPv6, to destination port steer_base + q go to queue
 * q. All rules are there or none: half of them would be a promise half kept. */

#define RULES_OF_QUEUE 4u

static const struct {
	enum rte_flow_item_type ip, l4;
} rule_kind[RULES_OF_QUEUE] = {
	{RTE_FLOW_ITEM_TYPE_IPV4, RTE_FLOW_ITEM_TYPE_UDP},
	{RTE_FLOW_ITEM_TYPE_IPV4, RTE_FLOW_ITEM_TYPE_TCP},
	{RTE_FLOW_ITEM_TYPE_IPV6, RTE_FLOW_ITEM_TYPE_UDP},
	{RTE_FLOW_ITEM_TYPE_IPV6, RTE_FLOW_ITEM_TYPE_TCP},
};

/** What the L4 item of a rule compares: the destination port alone. */
union l4 {
	struct rte_flow_item_udp udp;
	struct rte_flow_item_tcp tcp;
};

static void l4_destination(union l4 *l4, enum rte_flow_item_type type, rte_be16_t port_be)
{
	*l4 = (union l4){0};
	if (type == RTE_FLOW_ITEM_TYPE_UDP)
		l4->udp.hdr.dst_port = port_be;
	else
		l4->tcp.hdr.dst_port = port_be;
}

/** The rule, or NULL when the device refuses it. */
static struct rte_flow *make_rule(const struct port *port, uint16_t queue, uint32_t kind)
{
	const struct rte_flow_attr attr = {.ingress = 1};
	const struct rte_flow_action_queue to = {.index = queue};
	const struct rte_flow_action actions[] = {
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &to},
		{.type = RTE_FLOW_ACTION_TYPE_END},
	};
	enum rte_flow_item_type type = rule_kind[kind].l4;
	struct rte_flow_error error;
	union l4 spec, mask;
	const struct rte_flow_item pattern[] = {
		{.type = RTE_FLOW_ITEM_TYPE_ETH},
		{.type = rule_kind[kind].ip},
		{.type = type, .spec = &spec, .mask = &mask},
		{.type = RTE_FLOW_ITEM_TYPE_END},
	};

	l4_destination(&spec, type, rte_cpu_to_be_16((uint16_t)(port->config.steer_base + queue)));
	l4_destination(&mask, type, UINT16_MAX);
	if (rte_flow_validate(port->id, &attr, pattern, actions, &error) != 0)
		return NULL;
	return rte_flow_create(port->id, &attr, pattern, actions, &error);
}

static bool make_rules(struct port *port)
{
	for (uint16_t queue = 0; queue < port->queues; queue++)
		for (uint32_t kind = 0; kind < RULES_OF_QUEUE; kind++) {
			struct rte_flow *flow = make_rule(port, queue, kind);

			if (flow == NULL)
				return false;
			port->flow[port->flow_count++] = flow;
		}
	return true;
}

bool ethdev_flow_start(struct port *port)
{
	if (port->config.steer_base == 0)
		return false;
	if (port->queues == 1)
		return true; /* there is no other queue to go to */
	port->flow = calloc(port->queues * RULES_OF_QUEUE, sizeof(struct rte_flow *));
	if (port->flow != NULL && make_rules(port))
		return true;
	ethdev_flow_stop(port);
	return false;
}

void ethdev_flow_stop(struct port *port)
{
	struct rte_flow_error error;

	while (port->flow_count > 0)
		(void)rte_flow_destroy(port->id, port->flow[--port->flow_count], &error);
	free(port->flow);
	port->flow = NULL;
}
