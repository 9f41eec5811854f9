/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_INTERFACE_H
#define CONTROL_INTERFACE_H

#include "config.h"
#include "netif.h"

/**
 * Fills what the configuration says of a port: name, VLAN, addresses, gateways, probe time. Device
 * and port stay empty. What cannot be read, or is past the bounds of struct netif, is left out.
 */
void interface_read(const struct config_port *port, struct netif *netif);

/** True when host is on the link of netif. */
bool interface_on_link(const struct netif *netif, const struct endpoint *host);

/** True when netif knows a way to host: on-link, or by a gateway of its family. */
bool interface_reaches(const struct netif *netif, const struct endpoint *host);

#endif
