/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev.h"

/* Receive-side scaling under a key that nobody else knows: with a published one, whoever chooses
 * source ports chooses the worker (TCP.md 4.4). What the device then says it does is compared with
 * what it was asked; a device that does something else is one without. */

/* IP fragments and ICMP are left out: they go to entry 0, which is queue 0 (port.h). */
#define TYPES_TCP (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)
#define TYPES_UDP (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)

#define KEY_LEN_CLASSIC 40u /* of drivers that do not say */
#define GROUP RTE_ETH_RETA_GROUP_SIZE
#define GROUPS_MAX (PORT_RETA_MAX / GROUP)

static uint8_t key_len(const struct rte_eth_dev_info *device)
{
	return device->hash_key_size != 0 ? device->hash_key_size : KEY_LEN_CLASSIC;
}

void ethdev_rss_configure(struct port *port, const struct rte_eth_dev_info *device,
			  struct rte_eth_conf *conf)
{
	uint64_t types = device->flow_type_rss_offloads & (TYPES_TCP | TYPES_UDP);

	port->hash_types = 0;
	if (port->queues == 1 || (types & TYPES_TCP) != TYPES_TCP ||
	    key_len(device) > sizeof(port->config.secret))
		return;
	port->hash_types = types;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = types;
	if (device->hash_key_size == 0)
		return; /* configure refuses a key where the driver names no length; a later call
			   does not */
	conf->rx_adv_conf.rss_conf.rss_key = port->config.secret;
	conf->rx_adv_conf.rss_conf.rss_key_len = device->hash_key_size;
}

/** Whether the device says that it hashes under our key. */
static bool key_is_ours(const struct port *port, uint8_t len)
{
	uint8_t key[PORT_RSS_KEY_MAX] = {0};
	struct rte_eth_rss_conf conf = {.rss_key = key, .rss_key_len = len};

	return rte_eth_dev_rss_hash_conf_get(port->id, &conf) == 0 &&
	       (conf.rss_hf & port->hash_types) == port->hash_types &&
	       span_equal(span_of(key, len), span_of(port->config.secret, len));
}

static bool set_key(struct port *port, uint8_t len)
{
	struct rte_eth_rss_conf conf = {.rss_key = port->config.secret,
					.rss_key_len = len,
					.rss_hf = port->hash_types};

	if (key_is_ours(port, len)) /* configure has done it */
		return true;
	return rte_eth_dev_rss_hash_update(port->id, &conf) == 0 && key_is_ours(port, len);
}

/** Entry i is queue i mod queues: each queue has its share, to within one entry. */
static bool set_table(struct port *port, uint16_t size)
{
	struct rte_eth_rss_reta_entry64 table[GROUPS_MAX] = {0};

	for (uint16_t i = 0; i < size; i++) {
		table[i / GROUP].mask |= 1ull << i % GROUP;
		table[i / GROUP].reta[i % GROUP] = i % port->queues;
	}
	return rte_eth_dev_rss_reta_update(port->id, table, size) == 0;
}

static bool table_is_ours(const struct port *port, uint16_t size, uint16_t *reta)
{
	struct rte_eth_rss_reta_entry64 table[GROUPS_MAX] = {0};

	for (uint16_t i = 0; i < size; i++) {
		table[i / GROUP].mask |= 1ull << i % GROUP;
		table[i / GROUP].reta[i % GROUP] = UINT16_MAX;
	}
	if (rte_eth_dev_rss_reta_query(port->id, table, size) != 0)
		return false;
	for (uint16_t i = 0; i < size; i++) {
		reta[i] = table[i / GROUP].reta[i % GROUP];
		if (reta[i] != i % port->queues)
			return false;
	}
	return true;
}

void ethdev_rss_start(struct port *port, const struct rte_eth_dev_info *device,
		      struct port_rss *rss)
{
	uint16_t size = device->reta_size;
	uint8_t len = key_len(device);

	*rss = (struct port_rss){0};
	if (port->hash_types == 0 || size == 0 || size > PORT_RETA_MAX)
		return;
	if (!set_key(port, len) || !set_table(port, size) ||
	    !table_is_ours(port, size, rss->reta)) {
		*rss = (struct port_rss){0};
		return;
	}
	memcpy(rss->key, port->config.secret, len);
	rss->key_len = len;
	rss->reta_size = size;
}
