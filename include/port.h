/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_H
#define PORT_H

#include "gw_err.h"
#include "span.h"

struct rte_mbuf;
struct port;

/** What a device can do, read after start and never assumed (TCP.md 4.4's matrix starts here). */
struct port_info {
	uint16_t queues;  /* receive and transmit queues, one of each per worker */
	uint16_t mtu;	  /* bytes of IP packet */
	bool packets;	  /* false: kernel sockets, there is no packet to burst */
	bool rx_checksum; /* receive checksum status is reported per packet */
	bool tx_ip_checksum;
	bool tx_l4_checksum;
	bool rx_interrupt; /* arm() works: a worker can sleep on it */
	bool steers;	   /* flows keep to the queue their hash or port names */
	uint8_t mac[6];
};

struct port_config {
	const char *name;   /* of the ports: entry */
	const char *device; /* "tap:IFACE", a DPDK device, or "kernel" */
	uint16_t queues;
	uint16_t mtu; /* 0: the device's own */
};

/**
 * A device with one receive and one transmit queue for each worker. open, start and close come from
 * the control thread; rx_burst, tx_burst, arm and wait_fd of queue w from worker w only. No entry
 * is NULL: a device that cannot do something has a function that says so.
 */
struct port_ops {
	const char *name;
	/** GW_CONFIG: the device string is not understood; GW_SYSTEM, GW_NO_MEMORY. *opened is the
	 * caller's. */
	enum gw_err (*open)(const struct port_config *config, struct port **opened);
	/** Makes packets flow; fills *info with what is really there. */
	enum gw_err (*start)(struct port *port, struct port_info *info);
	/** Up to n received packets, owned by the caller. 0 when there is none. Never blocks. */
	uint16_t (*rx_burst)(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			     uint16_t n);
	/** Takes the first m of n packets and returns m; the rest stay the caller's: back-pressure,
	 * not loss. */
	uint16_t (*tx_burst)(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			     uint16_t n);
	/** Asks for wait_fd to become readable at the next packet. GW_NOT_SUPPORTED: back off by
	 * time instead. */
	enum gw_err (*arm)(struct port *port, uint16_t queue);
	/** A descriptor for the worker's epoll, or -1. */
	int (*wait_fd)(struct port *port, uint16_t queue);
	void (*close)(struct port *port);
};

/** Kernel sockets: no packets of ours; the worker's net back end is net_posix. */
extern const struct port_ops port_kernel;

#endif
