/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_errno.h>
#include <rte_ether.h>

#include "ethdev.h"

/* Which MAC is ours, and that the device gives us what is sent to it. */

static bool is_unicast(const uint8_t mac[6])
{
	struct rte_ether_addr address;

	memcpy(address.addr_bytes, mac, 6);
	return rte_is_valid_assigned_ether_addr(&address) == 1;
}

/** The configured one; else ours where the device's is the kernel's or none at all; else its own.
 */
static const uint8_t *choose(const struct port *port, const struct rte_ether_addr *device)
{
	if (is_unicast(port->config.mac))
		return port->config.mac;
	if (port->traits->attached || !is_unicast(device->addr_bytes))
		return port->config.own_mac;
	return device->addr_bytes;
}

/** A driver without the call has no filter either. */
static enum gw_err hear_all(struct port *port, char why[PORT_WHY_MAX])
{
	int failed = rte_eth_promiscuous_enable(port->id);

	if (failed == 0 || failed == -ENOTSUP)
		return GW_OK;
	return ethdev_refuse(port, GW_SYSTEM, why, "it does not receive for our MAC address: %s",
			     rte_strerror(-failed));
}

/** An interface of the kernel keeps the kernel's address: two stations, two addresses. */
static bool device_takes(struct port *port, struct rte_ether_addr *mac)
{
	return !port->traits->attached && rte_eth_dev_default_mac_addr_set(port->id, mac) == 0;
}

enum gw_err ethdev_mac_start(struct port *port, char why[PORT_WHY_MAX])
{
	struct rte_ether_addr device = {{0}}, ours;
	enum gw_err err = GW_OK;
	bool same;

	(void)rte_eth_macaddr_get(port->id, &device);
	memcpy(ours.addr_bytes, choose(port, &device), 6);
	memcpy(port->mac, ours.addr_bytes, 6);
	same = rte_is_same_ether_addr(&ours, &device) == 1;
	if (!same && !device_takes(port, &ours))
		err = hear_all(port, why);
	/* neighbour discovery is multicast; a driver that cannot do that is to give us everything
	 */
	if (err == GW_OK && rte_eth_allmulticast_enable(port->id) != 0)
		err = hear_all(port, why);
	return err;
}
