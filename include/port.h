/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_H
#define PORT_H

#include "gw_err.h"
#include "span.h"

struct rte_mbuf;
struct port;

/** The receive-side scaling that a device really does, read back from it. key_len 0: none. */
#define PORT_RSS_KEY_MAX 64
#define PORT_RETA_MAX 2048 /* the largest table of a device that we know of */
struct port_rss {
	uint8_t key[PORT_RSS_KEY_MAX];
	uint8_t key_len;
	uint16_t reta_size;
	uint16_t reta[PORT_RETA_MAX]; /* queue of each entry */
};

/** What a device can do, read after start and never assumed (TCP.md 4.4's matrix starts here). */
struct port_info {
	uint16_t queues;  /* receive and transmit queues; worker w has queue w when w < queues */
	uint16_t mtu;	  /* bytes of IP packet */
	bool packets;	  /* false: kernel sockets, there is no packet to burst */
	bool rx_checksum; /* receive checksum status is reported per packet */
	bool tx_ip_checksum;
	bool tx_l4_checksum;
	bool rx_interrupt; /* arm() works: a worker can sleep on it */
	bool steers;	   /* port_config.steer_base is kept by the device */
	uint8_t mac[6];
	int numa;	 /* -1: none */
	char driver[32]; /* "tap", "net_af_packet" */
	struct port_rss rss;
};

struct port_config {
	const char *name;   /* of the ports: entry; at most 31 characters */
	const char *device; /* "tap:IFACE", a DPDK device, or "kernel" */
	uint16_t queues;    /* wanted: the number of workers */
	uint16_t mtu;	    /* 0: the device's own */
	/* IP packets of TCP and UDP to destination port steer_base + q, unfragmented, go to queue
	 * q, for each q < queues; 0: no such rule. All else: TCP and UDP by a keyed hash of the
	 * flow, what has no ports (ARP, ICMP, fragments) to queue 0. */
	uint16_t steer_base;
	uint32_t rx_packets; /* receive buffers of each queue; 0: the driver's choice */
	uint8_t mac[6];	     /* configured; all zero: none is */
	uint8_t own_mac[6];  /* made from the names, for devices without a MAC of their own */
	uint8_t secret[64];  /* random: hash and RSS key are made of it */
};

/** What has passed one queue. */
struct port_counters {
	uint64_t rx_packets, rx_bytes;
	uint64_t rx_no_buffer; /* dropped: the pool was empty */
	uint64_t rx_errors;    /* dropped by the device or the driver: too long, malformed */
	uint64_t tx_packets, tx_bytes;
	uint64_t tx_errors; /* accepted and then dropped: the device refused it */
};

struct port_link {
	bool up;
	uint32_t mbps; /* 0: not known */
};

/** Longest reason of a failed open or start. */
#define PORT_WHY_MAX 160

/**
 * A device with one receive and one transmit queue for each worker. open, start and close come from
 * the control thread; rx_burst, tx_burst, arm, disarm and wait_fd of queue w from worker w only;
 * counters and link from any thread. No entry is NULL: a device that cannot do something has a
 * function that says so.
 */
struct port_ops {
	const char *name;
	/** GW_CONFIG: the device string is not understood; GW_SYSTEM, GW_NO_MEMORY; why says what
	 * failed. *opened is the caller's. */
	enum gw_err (*open)(const struct port_config *config, struct port **opened,
			    char why[PORT_WHY_MAX]);
	/** Makes packets flow; fills *info with what is really there. Errors as open. With GW_OK,
	 * why is empty or a warning: what the device could not be made to do. */
	enum gw_err (*start)(struct port *port, struct port_info *info, char why[PORT_WHY_MAX]);
	/** Up to n received packets, owned by the caller; each is one segment. 0 when there is
	 * none. Never blocks. */
	uint16_t (*rx_burst)(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			     uint16_t n);
	/** Takes the first m of n packets and returns m; the rest stay the caller's: back-pressure,
	 * not loss. */
	uint16_t (*tx_burst)(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			     uint16_t n);
	/** Asks for wait_fd to become readable at the next packet, or at once when one is there.
	 * GW_NOT_SUPPORTED: back off by time instead. */
	enum gw_err (*arm)(struct port *port, uint16_t queue);
	/** Ends that: after the wait, before the next rx_burst. */
	void (*disarm)(struct port *port, uint16_t queue);
	/** A descriptor for the worker's epoll, the same as long as the port is open, or -1. */
	int (*wait_fd)(struct port *port, uint16_t queue);
	void (*counters)(struct port *port, uint16_t queue, struct port_counters *counters);
	void (*link)(struct port *port, struct port_link *link);
	/** Every packet of its pools is back, or is given back here. NULL does nothing. */
	void (*close)(struct port *port);
};

/** Kernel sockets: no packets of ours; the worker's net back end is net_posix. */
extern const struct port_ops port_kernel;

/** "tap:IFACE": our own multi-queue TAP port. Needs CAP_NET_ADMIN, or an interface made for the
 * user. */
extern const struct port_ops port_tap;

/** Any DPDK device by its name: a PCI address, or a vdev ("net_af_packet0,iface=eth1"). EAL has it.
 */
extern const struct port_ops port_ethdev;

/** The driver for a device string: "kernel", "tap:...", and everything else is ethdev's. */
const struct port_ops *port_driver(const char *device);

#endif
