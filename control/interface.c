/* SPDX-License-Identifier: BSD-3-Clause */
#include "interface.h"

#include "address.h"

void interface_read(const struct config_port *port, struct netif *netif)
{
	*netif = (struct netif){
		.vlan = (uint16_t)port->vlan.value,
		.probe_s = (uint32_t)port->neighbour_probe.value,
	};
	snprintf(netif->name, sizeof(netif->name), "%s", port->name.text);
	for (uint32_t i = 0; i < port->addresses.count; i++)
		if (netif->address_count < NETIF_ADDRESSES_MAX &&
		    address_prefix(config_text(&port->addresses, i)->text,
				   &netif->address[netif->address_count]) == NULL)
			netif->address_count++;
	for (uint32_t i = 0; i < port->gateways.count; i++)
		if (netif->gateway_count < NETIF_GATEWAYS_MAX &&
		    address_plain(config_text(&port->gateways, i)->text,
				  &netif->gateway[netif->gateway_count]) == NULL)
			netif->gateway_count++;
}

bool interface_on_link(const struct netif *netif, const struct endpoint *host)
{
	for (uint32_t i = 0; i < netif->address_count; i++)
		if (address_on_link(&netif->address[i], host))
			return true;
	return address_link_local(host);
}

bool interface_reaches(const struct netif *netif, const struct endpoint *host)
{
	for (uint32_t i = 0; i < netif->gateway_count; i++)
		if (netif->gateway[i].sa.sa_family == host->sa.sa_family)
			return true;
	return interface_on_link(netif, host);
}
