/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETIFS_H
#define NETIFS_H

#include "config.h"
#include "log.h"
#include "netif.h"

/**
 * The ports of the node: opened and started from the configuration, in its order, and the
 * interfaces that the packet back ends of all workers share. Made after EAL and before the workers,
 * closed after the workers and before EAL ends.
 */
struct netifs;

/** A port, as long as netifs lives. */
struct netifs_port {
	const char *device; /* as configured */
	const char *driver; /* "kernel", "tap", "ethdev" */
	struct netif netif; /* info.packets false: kernel sockets, no interface of ours */
};

/** A next hop, for people. */
struct netifs_neighbour {
	struct endpoint address;
	const char *port;
	const char *state;
	uint8_t mac[6];
	bool gateway;
};

/** Next hops that can be known at a time. */
#define NETIFS_NEIGHBOURS_MAX 1024

/**
 * Opens and starts every port. GW_CONFIG, GW_SYSTEM, GW_NO_MEMORY, with the
 * port's name and its driver's reason in why; nothing stays open then.
 */
enum gw_err GW_MUST_CHECK netifs_open(const struct config *config, struct netifs **opened,
				      char *why, size_t why_size);

/** Every worker has ended. NULL does nothing. */
void netifs_close(struct netifs *netifs);

/** Says of every port what is really there, and warns of what makes workers hand packets over. */
void netifs_log(const struct netifs *netifs, struct log *log);

/** Port i in the order of the configuration, or NULL past the end. */
const struct netifs_port *netifs_port(const struct netifs *netifs, uint32_t i);

/** The drivers in use, each once: "kernel, tap". */
const char *netifs_drivers(const struct netifs *netifs);

/** True when a port is carried so. */
bool netifs_has(const struct netifs *netifs, enum net_back_end back_end);

/** For the workers; NULL when no port has packets. */
struct net_shared *netifs_shared(const struct netifs *netifs);

/** Fills rows[0..max) with the next hops known now and returns how many. */
uint32_t netifs_neighbours(const struct netifs *netifs, uint32_t max,
			   struct netifs_neighbour *rows);

/** The MAC of a port without one of its own: the same for a node and a port name for ever. */
void netifs_own_mac(const char *node, const char *port, uint8_t mac[6]);

#endif
