/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"

#include <stdio.h>
#include <stdlib.h>

/* What the stacks of all workers share. */

/** The longest packet of any interface, its headers included. */
static uint16_t shared_room(const struct net_shared *shared)
{
	uint32_t room = PACKET_ROOM;

	for (uint32_t i = 0; i < shared->netifs; i++)
		if (shared->netif[i].info.mtu + ETH_VLAN_LEN > room)
			room = shared->netif[i].info.mtu + ETH_VLAN_LEN;
	return room < UINT16_MAX ? (uint16_t)room : UINT16_MAX;
}

static void pools_free(const struct net_shared *shared, struct rte_mempool **pools)
{
	for (uint16_t w = 0; pools != NULL && w < shared->workers; w++)
		packet_pool_free(pools[w]);
	free(pools);
}

/** One for each worker; NULL: no memory. */
static struct rte_mempool **pools_new(const struct net_shared *shared, const char *name,
				      uint32_t count)
{
	int numa = shared->netifs > 0 ? shared->netif[0].info.numa : -1;
	struct rte_mempool **pools = calloc(shared->workers, sizeof(struct rte_mempool *));
	char own[32];

	for (uint16_t w = 0; pools != NULL && w < shared->workers; w++) {
		snprintf(own, sizeof(own), "%s%u", name, w);
		pools[w] = packet_pool_new(own, count, shared_room(shared), numa);
		if (pools[w] == NULL) {
			pools_free(shared, pools);
			return NULL;
		}
	}
	return pools;
}

static bool shared_pools(struct net_shared *shared, uint32_t held_packets)
{
	shared->pool = pools_new(shared, "packets", net_shared_packets(shared->netifs));
	if (shared->workers > 1)
		shared->handed = pools_new(shared, "handed", net_shared_handed(held_packets));
	return shared->pool != NULL && (shared->workers == 1 || shared->handed != NULL);
}

struct net_shared *net_shared_new(const struct net_shared_config *config)
{
	struct net_shared *shared = calloc(1, sizeof(*shared));

	if (shared == NULL || config->netifs > NETIFS_MAX) {
		free(shared);
		return NULL;
	}
	shared->netifs = config->netifs;
	memcpy(shared->netif, config->netif, config->netifs * sizeof(shared->netif[0]));
	shared->workers = config->workers;
	shared->steer_base = config->steer_base;
	memcpy(shared->hash_key, config->hash_key, sizeof(shared->hash_key));
	shared->neighbours = neighbour_table_new(config->neighbours);
	if (config->workers > 1)
		shared->hub = mailbox_hub_new(config->workers, config->ring_bytes, NULL, NULL);
	if (!shared_pools(shared, config->held_packets) || shared->neighbours == NULL ||
	    (config->workers > 1 && shared->hub == NULL)) {
		net_shared_free(shared);
		return NULL;
	}
	return shared;
}

void net_shared_free(struct net_shared *shared)
{
	if (shared == NULL)
		return;
	pools_free(shared, shared->pool);
	pools_free(shared, shared->handed);
	mailbox_hub_free(shared->hub);
	neighbour_table_free(shared->neighbours);
	free(shared);
}

const struct netif *net_shared_netif(const struct net_shared *shared, uint32_t i)
{
	return i < shared->netifs ? &shared->netif[i] : NULL;
}

uint32_t net_shared_neighbours(const struct net_shared *shared, uint32_t max,
			       struct row_neighbour *rows)
{
	return neighbour_rows(shared->neighbours, max, rows);
}
