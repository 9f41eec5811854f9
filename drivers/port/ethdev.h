/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ETHDEV_H
#define ETHDEV_H

#include <rte_ethdev.h>
#include <rte_flow.h>

#include "counters.h"
#include "port.h"

/**
 * The parts of the ethdev port, one file each: ethdev_open.c finds the device, ethdev_start.c makes
 * packets flow, ethdev_mac.c, ethdev_rss.c, ethdev_flow.c and ethdev_wait.c are steps of that, and
 * ethdev.c has what runs per packet. All but the latter and arm/disarm run on the control thread.
 */

/** What a driver does that no call of ethdev tells. */
struct ethdev_traits {
	const char *driver; /* as rte_eth_dev_info.driver_name */
	/* it sits on an interface of the kernel, whose MAC is the kernel's and not ours */
	bool attached;
	/* it has sockets on all its queues, whether they are set up or not */
	bool all_queues;
	/* a queue's descriptor is readable while a packet is there: nothing to enable or to drain
	 */
	bool readable;
	/* its protocol machine runs in tx_burst, which must be called when nothing is to be sent */
	bool tx_turn;
};

/** How a worker can wait for a queue. */
enum ethdev_wait {
	ETHDEV_WAIT_NONE,
	ETHDEV_WAIT_READABLE, /* the descriptor of traits.readable */
	ETHDEV_WAIT_EVENT,    /* an eventfd that an interrupt writes once, when it is enabled */
};

/* What arm() takes when it looks once more: vector receive functions return nothing for less. */
#define ETHDEV_HELD 32u

/** A queue: its worker's alone, but for the statistics, which any thread reads. */
struct ethdev_queue {
	_Alignas(RTE_CACHE_LINE_SIZE) uint16_t held_at; /* per packet */
	uint16_t held_count;
	enum ethdev_wait wait;				  /* read-mostly */
	int wait_fd;					  /* the device's; -1: none */
	struct rte_mempool *pool;			  /* owned */
	_Atomic uint64_t rx_packets, rx_bytes, rx_errors; /* statistics */
	_Atomic uint64_t tx_packets, tx_bytes, tx_errors;
	struct rte_mbuf *held[ETHDEV_HELD]; /* received by arm(), not yet given to the worker */
};

struct port {
	uint16_t id; /* read-mostly */
	uint16_t queues;
	bool tx_prepare; /* transmit offloads are on: the driver looks at each packet first */
	bool opened;	 /* the device is there and ours */
	bool started;
	const struct ethdev_traits *traits;
	char device[64];	   /* its name in DPDK */
	struct port_config config; /* name and device are not kept */
	uint16_t rx_ring, tx_ring; /* descriptors of a queue */
	uint32_t frame_bytes;	   /* that the device is told to have in a frame; 0: by its MTU */
	uint64_t rx_offloads, tx_offloads, hash_types;
	uint8_t mac[6];
	uint32_t flow_count;
	struct rte_flow **flow;	     /* owned */
	struct ethdev_queue queue[]; /* config.queues */
};

/** Fills why with the device's name and the reason, and returns err. */
enum gw_err __attribute__((format(printf, 4, 5)))
ethdev_refuse(const struct port *port, enum gw_err err, char why[PORT_WHY_MAX], const char *format,
	      ...);

/** Finds the device that the configuration names and makes it ours. Errors as port_ops.open. */
enum gw_err ethdev_open(const struct port_config *config, struct port **opened,
			char why[PORT_WHY_MAX]);
/** Stops and closes the device, and frees everything. NULL does nothing. */
void ethdev_close(struct port *port);
/** Configures and starts the device. Errors as port_ops.start. */
enum gw_err ethdev_start(struct port *port, struct port_info *info, char why[PORT_WHY_MAX]);

/** Chooses port->mac and has the device receive what is for it, and all multicast. */
enum gw_err ethdev_mac_start(struct port *port, char why[PORT_WHY_MAX]);

/** The hash that is asked for in *conf, which keeps a pointer to the key. */
void ethdev_rss_configure(struct port *port, const struct rte_eth_dev_info *device,
			  struct rte_eth_conf *conf);
/** Sets key and table of a started device, reads both back, and fills *rss with them when they are
 * what was asked for; else with nothing. */
void ethdev_rss_start(struct port *port, const struct rte_eth_dev_info *device,
		      struct port_rss *rss);

/** Rules for config.steer_base. True: all are there; else none is. */
bool ethdev_flow_start(struct port *port);
void ethdev_flow_stop(struct port *port);

/** Finds the descriptors on which workers can wait. True: every queue has one. */
bool ethdev_wait_start(struct port *port);
enum gw_err ethdev_wait_arm(struct port *port, uint16_t queue);
void ethdev_wait_disarm(struct port *port, uint16_t queue);

#endif
