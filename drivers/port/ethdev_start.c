/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <rte_errno.h>

#include "ethdev.h"
#include "packet.h"

/* From a device that is there to one with packets flowing: what it can do is asked, not assumed. */

#define RING 1024u	     /* descriptors of a queue, when the driver lets us choose */
#define RX_PACKETS 4096u     /* of each queue, unless configured */
#define FRAME_EXTRA 26u	     /* Ethernet header, two VLAN tags, checksum */
#define FRAME_ROOM_MAX 16384 /* longer frames do not exist */

#define RX_CHECKSUMS \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
	 RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_L4_CHECKSUMS (RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)

enum rx_interrupts { RX_INTERRUPTS_OFF, RX_INTERRUPTS_ON };

static enum gw_err choose_queues(struct port *port, const struct rte_eth_dev_info *device,
				 char why[PORT_WHY_MAX])
{
	uint16_t offered = RTE_MIN(device->max_rx_queues, device->max_tx_queues);

	port->queues = RTE_MIN(port->config.queues, offered);
	if (port->queues == 0)
		return ethdev_refuse(port, GW_SYSTEM, why, "it has no queues");
	if (port->traits->all_queues && offered > port->queues)
		return ethdev_refuse(port, GW_CONFIG, why,
				     "it has %u queues for %u workers: packets of the others "
				     "would be lost; give it no more",
				     offered, port->queues);
	return GW_OK;
}

/** Checksums, and nothing else: no LRO, no TSO, no scattered receive (TCP.md 4.4). */
static void choose_offloads(struct port *port, const struct rte_eth_dev_info *device)
{
	port->rx_offloads = device->rx_offload_capa & RX_CHECKSUMS;
	port->tx_offloads = device->tx_offload_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	if ((device->tx_offload_capa & TX_L4_CHECKSUMS) == TX_L4_CHECKSUMS)
		port->tx_offloads |= TX_L4_CHECKSUMS;
	port->tx_prepare = port->tx_offloads != 0;
}

static enum gw_err configure(struct port *port, const struct rte_eth_dev_info *device,
			     enum rx_interrupts interrupts, char why[PORT_WHY_MAX])
{
	struct rte_eth_conf conf = {
		.rxmode = {.offloads = port->rx_offloads},
		.txmode = {.offloads = port->tx_offloads},
		.intr_conf = {.rxq = interrupts == RX_INTERRUPTS_ON},
	};
	int failed;

	ethdev_rss_configure(port, device, &conf);
	failed = rte_eth_dev_configure(port->id, port->queues, port->queues, &conf);
	if (failed != 0)
		return ethdev_refuse(port, GW_SYSTEM, why, "it cannot be configured: %s",
				     rte_strerror(-failed));
	if (port->config.mtu == 0)
		return GW_OK;
	failed = rte_eth_dev_set_mtu(port->id, port->config.mtu);
	if (failed != 0)
		return ethdev_refuse(port, GW_SYSTEM, why, "MTU %u is refused: %s",
				     port->config.mtu, rte_strerror(-failed));
	return GW_OK;
}

/** Data bytes of a packet that every frame fits in, in steps of 1 KiB as devices count them. */
static uint32_t frame_room(const struct port *port)
{
	uint16_t mtu = 0;
	uint32_t room;

	(void)rte_eth_dev_get_mtu(port->id, &mtu);
	room = RTE_MAX(mtu + FRAME_EXTRA, port->frame_bytes);
	room = RTE_ALIGN_CEIL(room, 1024u);
	return RTE_MAX(room, PACKET_ROOM);
}

static enum gw_err make_pool(struct port *port, uint16_t queue, char why[PORT_WHY_MAX])
{
	uint32_t count = port->config.rx_packets != 0 ? port->config.rx_packets : RX_PACKETS;
	struct ethdev_queue *q = &port->queue[queue];
	uint32_t room = frame_room(port);
	char name[24];

	if (q->pool != NULL)
		return GW_OK; /* of a first try, with interrupts */
	if (room > FRAME_ROOM_MAX)
		return ethdev_refuse(port, GW_CONFIG, why,
				     "its frames are longer than we can take");
	snprintf(name, sizeof(name), "port%u_rx%u", port->id, queue);
	q->pool = packet_pool_new(name, count, (uint16_t)room, rte_eth_dev_socket_id(port->id));
	if (q->pool == NULL)
		return ethdev_refuse(port, GW_NO_MEMORY, why,
				     "no memory for %u packets of queue %u", count, queue);
	return GW_OK;
}

static enum gw_err open_queue(struct port *port, const struct rte_eth_dev_info *device,
			      uint16_t queue, char why[PORT_WHY_MAX])
{
	unsigned int numa = (unsigned int)rte_eth_dev_socket_id(port->id);
	struct rte_eth_rxconf rx = device->default_rxconf;
	struct rte_eth_txconf tx = device->default_txconf;
	enum gw_err err = make_pool(port, queue, why);
	int failed;

	if (err != GW_OK)
		return err;
	rx.offloads = port->rx_offloads;
	tx.offloads = port->tx_offloads;
	rx.rx_drop_en = 1; /* a worker that is late must not stop the other queues */
	failed = rte_eth_rx_queue_setup(port->id, queue, port->rx_ring, numa, &rx,
					port->queue[queue].pool);
	if (failed != 0)
		return ethdev_refuse(port, GW_SYSTEM, why, "receive queue %u: %s", queue,
				     rte_strerror(-failed));
	failed = rte_eth_tx_queue_setup(port->id, queue, port->tx_ring, numa, &tx);
	if (failed != 0)
		return ethdev_refuse(port, GW_SYSTEM, why, "transmit queue %u: %s", queue,
				     rte_strerror(-failed));
	return GW_OK;
}

/** Rings of a size the driver likes, and no more than the pool can fill. */
static void choose_rings(struct port *port)
{
	port->rx_ring = port->tx_ring = RING;
	if (port->config.rx_packets != 0)
		port->rx_ring =
			(uint16_t)RTE_MIN(RING, rte_align32prevpow2(port->config.rx_packets / 2));
	(void)rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->rx_ring, &port->tx_ring);
}

static enum gw_err try_start(struct port *port, const struct rte_eth_dev_info *device,
			     enum rx_interrupts interrupts, char why[PORT_WHY_MAX])
{
	enum gw_err err = configure(port, device, interrupts, why);
	int failed;

	choose_rings(port);
	for (uint16_t q = 0; err == GW_OK && q < port->queues; q++)
		err = open_queue(port, device, q, why);
	if (err != GW_OK)
		return err;
	failed = rte_eth_dev_start(port->id);
	if (failed != 0)
		return ethdev_refuse(port, GW_SYSTEM, why, "it does not start: %s",
				     rte_strerror(-failed));
	port->started = true;
	return GW_OK;
}

static void describe(struct port *port, const struct rte_eth_dev_info *device,
		     struct port_info *info)
{
	*info = (struct port_info){
		.queues = port->queues,
		.packets = true,
		.rx_checksum = port->rx_offloads == RX_CHECKSUMS,
		.tx_ip_checksum = (port->tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0,
		.tx_l4_checksum = (port->tx_offloads & TX_L4_CHECKSUMS) != 0,
		.numa = rte_eth_dev_socket_id(port->id),
	};
	(void)rte_eth_dev_get_mtu(port->id, &info->mtu);
	snprintf(info->driver, sizeof(info->driver), "%s", device->driver_name);
	memcpy(info->mac, port->mac, sizeof(info->mac));
}

enum gw_err ethdev_start(struct port *port, struct port_info *info, char why[PORT_WHY_MAX])
{
	struct rte_eth_dev_info device;
	enum gw_err err;

	if (rte_eth_dev_info_get(port->id, &device) != 0)
		return ethdev_refuse(port, GW_SYSTEM, why, "the driver does not describe it");
	err = choose_queues(port, &device, why);
	if (err != GW_OK)
		return err;
	choose_offloads(port, &device);
	err = try_start(port, &device, RX_INTERRUPTS_ON, why);
	if (err == GW_SYSTEM) /* some drivers refuse interrupts by refusing to start */
		err = try_start(port, &device, RX_INTERRUPTS_OFF, why);
	if (err == GW_OK)
		err = ethdev_mac_start(port, why);
	if (err != GW_OK)
		return err;
	describe(port, &device, info);
	ethdev_rss_start(port, &device, &info->rss);
	info->steers = ethdev_flow_start(port);
	info->rx_interrupt = ethdev_wait_start(port);
	why[0] = '\0'; /* what was refused on the way was not needed */
	return GW_OK;
}
