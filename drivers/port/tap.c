/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap_device.h"
#include "tap_queue.h"

#include <stdio.h>
#include <stdlib.h>

#include <linux/if_ether.h>

/*
 * The TAP port: an interface of the kernel whose other end we are. No PMD: net_tap has the kernel
 * raise a signal for each packet and costs ten times as much.
 */

#define RX_PACKETS 4096u /* of each queue, unless configured */
#define MTU_MAX 9600u
#define FRAME_MORE (ETH_HLEN + 2 * 4 + 1) /* two VLAN tags; and one byte, to see what was cut */

struct port {
	struct tap_device device;
	struct tap_steer steer;
	uint32_t mtu;
	bool steers;
	char warning[PORT_WHY_MAX]; /* why it does not steer */
	uint8_t mac[6];
	uint16_t queues;
	struct tap_queue queue[];
};

static bool is_zero(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return memcmp(mac, zero, sizeof(zero)) == 0;
}

/** Ours, never the kernel interface's: that one is the peer's. */
static enum gw_err choose_mac(struct port *port, const struct port_config *config,
			      char why[PORT_WHY_MAX])
{
	memcpy(port->mac, is_zero(config->mac) ? config->own_mac : config->mac, sizeof(port->mac));
	if (!is_zero(port->mac) && (port->mac[0] & 1) == 0)
		return tap_device_mac(&port->device, port->mac, why);
	snprintf(why, PORT_WHY_MAX, "%s: no hardware address of one station", config->device);
	return GW_CONFIG;
}

static enum gw_err choose_mtu(struct port *port, const struct port_config *config,
			      char why[PORT_WHY_MAX])
{
	enum gw_err err = tap_device_mtu(&port->device, config->mtu, &port->mtu, why);

	if (err != GW_OK || port->mtu <= MTU_MAX)
		return err;
	snprintf(why, PORT_WHY_MAX, "%s: MTU %u is more than %u", config->device, port->mtu,
		 MTU_MAX);
	return GW_CONFIG;
}

static enum gw_err make_pools(struct port *port, uint32_t count, char why[PORT_WHY_MAX])
{
	uint32_t frame = port->mtu + FRAME_MORE;
	uint16_t room = (uint16_t)(frame > PACKET_ROOM ? frame : PACKET_ROOM);
	char name[32];

	for (uint16_t q = 0; q < port->queues; q++) {
		snprintf(name, sizeof(name), "tap.%s.%u", port->device.name, q);
		port->queue[q].fd = port->device.fd[q];
		port->queue[q].room = room;
		port->queue[q].pool = packet_pool_new(name, count, room, -1);
		if (port->queue[q].pool != NULL)
			continue;
		snprintf(why, PORT_WHY_MAX, "tap:%s: no memory for %u packets of %u bytes",
			 port->device.name, count, room);
		return GW_NO_MEMORY;
	}
	return GW_OK;
}

/** With one queue there is nothing to steer. */
static void steer(struct port *port, const struct port_config *config)
{
	port->steer = (struct tap_steer){.steer_base = config->steer_base, .queues = port->queues};
	memcpy(port->steer.key, config->secret, sizeof(port->steer.key));
	port->steers =
		port->queues == 1 || tap_device_steer(&port->device, &port->steer, port->warning);
}

static void tap_close(struct port *port)
{
	if (port == NULL)
		return;
	for (uint16_t q = 0; q < port->queues; q++) {
		if (port->queue[q].spare != NULL)
			packet_put(port->queue[q].spare);
		packet_pool_free(port->queue[q].pool);
	}
	tap_device_close(&port->device);
	explicit_bzero(&port->steer, sizeof(port->steer));
	free(port);
}

static enum gw_err open_port(struct port *port, const struct port_config *config,
			     char why[PORT_WHY_MAX])
{
	enum gw_err err = tap_device_open(&port->device, config->device, config->queues, why);

	if (err == GW_OK)
		err = choose_mac(port, config, why);
	if (err == GW_OK)
		err = choose_mtu(port, config, why);
	if (err == GW_OK)
		err = make_pools(port, config->rx_packets != 0 ? config->rx_packets : RX_PACKETS,
				 why);
	if (err == GW_OK)
		steer(port, config);
	return err;
}

static enum gw_err tap_open(const struct port_config *config, struct port **opened,
			    char why[PORT_WHY_MAX])
{
	size_t size = sizeof(struct port) + config->queues * sizeof(struct tap_queue);
	struct port *port;
	enum gw_err err;

	if (config->queues == 0 || config->queues > TAP_QUEUES_MAX) {
		snprintf(why, PORT_WHY_MAX, "%s: 1 to %u queues", config->device, TAP_QUEUES_MAX);
		return GW_CONFIG;
	}
	port = aligned_alloc(_Alignof(struct port), size);
	if (port == NULL) {
		snprintf(why, PORT_WHY_MAX, "out of memory");
		return GW_NO_MEMORY;
	}
	memset(port, 0, size);
	port->queues = config->queues;
	err = open_port(port, config, why);
	if (err == GW_OK)
		*opened = port;
	else
		tap_close(port);
	return err;
}

/** What the steering program does, said as NICs say it. */
static void tell_rss(const struct port *port, struct port_rss *rss)
{
	memcpy(rss->key, port->steer.key, sizeof(port->steer.key));
	rss->key_len = sizeof(port->steer.key);
	rss->reta_size = TAP_STEER_ROWS;
	for (uint16_t row = 0; row < TAP_STEER_ROWS; row++)
		rss->reta[row] = row % port->queues;
}

static enum gw_err tap_start(struct port *port, struct port_info *info, char why[PORT_WHY_MAX])
{
	*info = (struct port_info){.queues = port->queues,
				   .mtu = (uint16_t)port->mtu,
				   .packets = true,
				   .rx_checksum = true,
				   .tx_l4_checksum = true,
				   .rx_interrupt = true,
				   .steers = port->steers,
				   .numa = -1,
				   .driver = "tap"};
	memcpy(info->mac, port->mac, sizeof(info->mac));
	if (port->steers)
		tell_rss(port, &info->rss);
	snprintf(why, PORT_WHY_MAX, "%s", port->warning);
	return tap_device_up(&port->device, why);
}

static uint16_t tap_rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			     uint16_t n)
{
	return tap_queue_receive(&port->queue[queue], packets, n);
}

static uint16_t tap_tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			     uint16_t n)
{
	return tap_queue_send(&port->queue[queue], packets, n);
}

static enum gw_err tap_arm(struct port *port, uint16_t queue)
{
	(void)port;
	(void)queue;
	return GW_OK; /* the descriptor is readable as long as a frame waits */
}

static void tap_disarm(struct port *port, uint16_t queue)
{
	(void)port;
	(void)queue;
}

static int tap_wait_fd(struct port *port, uint16_t queue)
{
	return port->queue[queue].fd;
}

static void tap_counters(struct port *port, uint16_t queue, struct port_counters *counters)
{
	tap_queue_counters(&port->queue[queue], counters);
}

static void tap_link(struct port *port, struct port_link *link)
{
	*link = (struct port_link){.up = tap_device_link(&port->device)};
}

const struct port_ops port_tap = {
	.name = "tap",
	.open = tap_open,
	.start = tap_start,
	.rx_burst = tap_rx_burst,
	.tx_burst = tap_tx_burst,
	.arm = tap_arm,
	.disarm = tap_disarm,
	.wait_fd = tap_wait_fd,
	.counters = tap_counters,
	.link = tap_link,
	.close = tap_close,
};
