/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#include <rte_ethdev.h>
#include <rte_flow.h>

#include "port.h"

/**
 * A DPDK device that does what a test tells it to, in the place of DPDK: fake_device.c defines
 * every function of DPDK that the ethdev port calls, and no library of DPDK is linked. There is
 * one, by the name "fake0".
 */

#define FAKE_QUEUES 4
#define FAKE_RULES 64

/** A steering rule as it was created. */
struct fake_rule {
	enum rte_flow_item_type ip, l4;
	uint16_t port, port_mask, queue;
	bool live;
};

struct fake_device {
	/* what it is: set before open or start */
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	bool absent, taken;
	int info_error, configure_error, rx_queue_error, tx_queue_error, start_error;
	bool interrupts_refuse_configure, interrupts_refuse_start;
	int mtu_error, mac_error, promiscuous_error, allmulticast_error;
	bool no_memory;
	bool key_only_at_configure, key_is_fixed, key_is_secret, table_is_fixed, table_is_secret;
	int table_error;
	uint32_t rules_valid, rules_room; /* rules it validates, and creates */
	int enable_error;
	int wait_fd;
	struct rte_eth_stats stats;
	uint32_t unprepared;   /* index of a packet that prepare refuses; FAKE_ALL: none */
	uint16_t takes;	       /* packets that tx_burst takes */
	struct rte_mbuf *next; /* what rx_burst gives, once */

	/* what was done to it */
	struct rte_eth_conf conf;
	uint16_t rx_queues, tx_queues, mtu;
	uint32_t configures, room, packets;
	uint16_t rx_ring;
	bool drop_en, promiscuous, allmulticast, stopped, closed;
	uint8_t key[PORT_RSS_KEY_MAX];
	uint64_t hash_types;
	uint16_t table[PORT_RETA_MAX];
	struct fake_rule rule[FAKE_RULES];
	uint32_t rules, rules_live;
	uint32_t enabled, fds_asked, tx_empty, pools;
};

#define FAKE_ALL UINT32_MAX

/** The device, as DPDK's functions see it. */
struct fake_device *fake_device(void);
/** A plain NIC of four queues, without offloads, RSS, rules or interrupts. */
void fake_device_reset(void);

/** Opens and starts it with this configuration; device and own MAC are filled in. */
enum gw_err fake_device_start(struct port_config *config, struct port **port,
			      struct port_info *info, char why[PORT_WHY_MAX]);

#endif
