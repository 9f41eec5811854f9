/* SPDX-License-Identifier: BSD-3-Clause */
#include "checking.h"

#include <strings.h>

#include "address.h"
#include "device.h"
#include "interface.h"

/* ---- a port by itself ----------------------------------------------------------------------- */

static void check_kernel_has(const struct check *c, const struct config_port *port,
			     const char *setting, uint32_t line)
{
	check_refuse(c, line,
		     "ports[].%s: port %s has device kernel, the operating system has that",
		     setting, port->name.text);
}

/** False also for a device that is none: it is refused once, not for all that depends on it. */
static bool check_has_packets(const struct config_port *port)
{
	return config_port_packets(port) && device_check(port->device.text) == NULL;
}

/** What is set at the interface of the operating system. */
static void check_kernel_port(const struct check *c, const struct config_port *port)
{
	if (port->gateways.count > 0)
		check_kernel_has(c, port, "gateways", port->gateways.line);
	if (port->vlan.value != 0)
		check_kernel_has(c, port, "vlan", port->vlan.line);
	if (port->mtu.value != 0)
		check_kernel_has(c, port, "mtu", port->mtu.line);
	if (check_given(port->mac))
		check_kernel_has(c, port, "mac", port->mac.line);
}

/** Whatever the device: no address without its prefix length. */
static void check_addresses(const struct check *c, const struct config_port *port)
{
	struct netif_address address;

	for (uint32_t i = 0; i < port->addresses.count; i++) {
		const struct option_text *text = config_text(&port->addresses, i);
		const char *why = check_given(*text) ? address_prefix(text->text, &address) : NULL;

		if (why != NULL)
			check_refuse(c, text->line, "ports[].addresses: \"%s\": %s", text->text,
				     why);
	}
}

/** No operating system looks at these addresses after us. */
static void check_stations(const struct check *c, const struct config_port *port)
{
	struct netif_address address;
	const char *why;

	if (port->addresses.count > NETIF_ADDRESSES_MAX)
		check_refuse(c, port->addresses.line,
			     "ports[].addresses: port %s has more than %d, the most on a port "
			     "with packets of its own",
			     port->name.text, NETIF_ADDRESSES_MAX);
	for (uint32_t i = 0; i < port->addresses.count; i++) {
		const struct option_text *text = config_text(&port->addresses, i);

		if (address_prefix(text->text, &address) != NULL)
			continue;
		why = address_station(&address);
		if (why != NULL)
			check_refuse(c, text->line, "ports[].addresses: \"%s\": %s", text->text,
				     why);
		check_repeated(c, "ports[].addresses", &port->addresses, sizeof(*text), i,
			       strcasecmp);
	}
}

/** Why no router of this port has that address, or NULL. */
static const char *check_gateway_address(const struct netif *netif, const struct endpoint *gateway)
{
	const char *why = "in no subnet of the port's addresses";

	if (address_link_local(gateway))
		why = NULL;
	for (uint32_t i = 0; i < netif->address_count; i++) {
		struct netif_address station = {*gateway, netif->address[i].prefix_len};

		if (endpoint_same_host(&netif->address[i].address, gateway))
			return "the port's own address";
		if (address_on_link(&netif->address[i], gateway))
			why = address_station(&station);
	}
	return why;
}

static void check_gateways(const struct check *c, const struct config_port *port)
{
	struct endpoint gateway;
	struct netif netif;
	const char *why;

	interface_read(port, &netif);
	if (port->gateways.count > NETIF_GATEWAYS_MAX)
		check_refuse(c, port->gateways.line, "ports[].gateways: port %s has more than %d",
			     port->name.text, NETIF_GATEWAYS_MAX);
	for (uint32_t i = 0; i < port->gateways.count; i++) {
		const struct option_text *text = config_text(&port->gateways, i);

		if (!check_given(*text))
			continue;
		why = address_plain(text->text, &gateway);
		if (why == NULL)
			why = check_gateway_address(&netif, &gateway);
		if (why != NULL)
			check_refuse(c, text->line, "ports[].gateways: \"%s\": %s", text->text,
				     why);
		check_repeated(c, "ports[].gateways", &port->gateways, sizeof(*text), i,
			       strcasecmp);
	}
}

static void check_packet_port(const struct check *c, const struct config_port *port)
{
	uint8_t mac[6];
	const char *why = check_given(port->mac) ? address_mac(port->mac.text, mac) : NULL;

	check_stations(c, port);
	check_gateways(c, port);
	if (why != NULL)
		check_refuse(c, port->mac.line, "ports[].mac: \"%s\": %s", port->mac.text, why);
	if (port->mtu.value != 0 && port->mtu.value < 1280) /* RFC 8200 5 */
		check_refuse(c, port->mtu.line,
			     "ports[].mtu: %llu is less than 1280, which IPv6 needs; 0 takes the "
			     "device's own",
			     (unsigned long long)port->mtu.value);
}

static void check_port(const struct check *c, const struct config_port *port)
{
	const char *why = check_given(port->device) ? device_check(port->device.text) : NULL;

	check_plain(c, "ports[].name", port->name);
	if (why != NULL)
		check_refuse(c, port->device.line, "ports[].device: \"%s\": %s", port->device.text,
			     why);
	check_addresses(c, port);
	if (check_has_packets(port))
		check_packet_port(c, port);
	else if (!config_port_packets(port))
		check_kernel_port(c, port);
}

/* ---- beside the others ---------------------------------------------------------------------- */

/** The first address of port that shares a subnet with address; link-local ones are each link's
 * own. */
static const struct option_text *check_find_overlap(const struct config_port *port,
						    const struct netif_address *address)
{
	struct netif_address other;

	for (uint32_t i = 0; i < port->addresses.count; i++) {
		const struct option_text *text = config_text(&port->addresses, i);

		if (address_prefix(text->text, &other) == NULL &&
		    !address_link_local(&other.address) &&
		    (address_on_link(&other, &address->address) ||
		     address_on_link(address, &other.address)))
			return text;
	}
	return NULL;
}

/** No packet would know which of the two ports to leave by. */
static void check_overlap(const struct check *c, const struct config_port *port,
			  const struct config_port *earlier)
{
	const struct option_text *overlap;
	struct netif_address address;

	for (uint32_t i = 0; i < port->addresses.count; i++) {
		const struct option_text *text = config_text(&port->addresses, i);

		if (address_prefix(text->text, &address) != NULL ||
		    address_link_local(&address.address))
			continue;
		overlap = check_find_overlap(earlier, &address);
		if (overlap != NULL)
			check_refuse(c, text->line,
				     "ports[].addresses: the subnet of \"%s\" overlaps that of "
				     "\"%s\" of port %s",
				     text->text, overlap->text, earlier->name.text);
	}
}

static void check_beside(const struct check *c, const struct config_port *port,
			 const struct config_port *earlier)
{
	if (check_has_packets(port) && device_same(port->device.text, earlier->device.text))
		check_refuse(c, port->device.line,
			     "ports[].device: \"%s\" is the device of port %s already",
			     port->device.text, earlier->name.text);
	if (check_has_packets(port) && check_has_packets(earlier))
		check_overlap(c, port, earlier);
}

void check_ports(const struct check *c)
{
	const struct option_list *ports = &c->config->ports;

	for (uint32_t i = 0; i < ports->count; i++) {
		const struct config_port *port = config_port(c->config, i);

		check_port(c, port);
		check_repeated(c, "ports[].name", ports, sizeof(struct config_port), i, strcmp);
		for (uint32_t k = 0; k < i; k++)
			check_beside(c, port, config_port(c->config, k));
	}
}

/* ---- what ports are used for ---------------------------------------------------------------- */

/** A station with a router of its family can answer whoever asks. */
static bool check_has_gateway(const struct netif *netif, const struct endpoint *station)
{
	for (uint32_t i = 0; i < netif->gateway_count; i++)
		if (netif->gateway[i].sa.sa_family == station->sa.sa_family)
			return true;
	return false;
}

/** Browsers are nobody's neighbours: what is sent to them goes by a router, on-link ones too. */
static void check_listen_port(const struct check *c, const struct config_listen *listen)
{
	const struct config_port *port = config_port_named(c->config, listen->port.text);
	struct netif netif;

	if (port == NULL || !check_has_packets(port))
		return;
	interface_read(port, &netif);
	for (uint32_t i = 0; i < netif.address_count; i++) {
		const struct endpoint *station = &netif.address[i].address;
		const char *family = station->sa.sa_family == AF_INET6 ? "IPv6" : "IPv4";

		if (address_link_local(station) || check_has_gateway(&netif, station))
			continue;
		check_refuse(c, listen->port.line,
			     "access.listen[].port: port %s has an %s address and no %s gateway: "
			     "browsers would get no answer",
			     port->name.text, family, family);
		return;
	}
}

/** A peer is looked up by its address alone, and link-local ones are each link's own. */
static void check_way(const struct check *c, const struct netif *netif, const char *path,
		      const struct option_text *text, const struct endpoint *host)
{
	if (address_link_local(host))
		check_refuse(c, text->line,
			     "%s: \"%s\": a link-local address: on a packet port it needs one of a "
			     "subnet",
			     path, text->text);
	else if (!interface_reaches(netif, host))
		check_refuse(c, text->line, "%s: \"%s\": no way to it: ports[].gateways of port %s",
			     path, text->text, netif->name);
}

static void check_mw_hosts(const struct check *c, const struct config_port *port)
{
	const struct option_list *hops = &c->config->mw.next_hops,
				 *trusted = &c->config->mw.trusted;
	struct next_hop_config hop;
	struct endpoint host;
	struct netif netif;

	interface_read(port, &netif);
	for (uint32_t i = 0; i < hops->count; i++) {
		const struct option_text *uri = &ELEMENT(config_next_hop, *hops, i)->uri;

		if (address_next_hop(uri->text, &hop) != NULL || hop.name.len > 0)
			continue;
		check_way(c, &netif, "mw.next_hops[].uri", uri, &hop.address);
	}
	for (uint32_t i = 0; i < trusted->count; i++)
		if (address_plain(config_text(trusted, i)->text, &host) == NULL)
			check_way(c, &netif, "mw.trusted", config_text(trusted, i), &host);
}

/** Endpoints that the back end listens on: all addresses of W2's ports, and two of Mw. */
static uint32_t check_listeners_of(const struct check *c, enum net_back_end back_end)
{
	const struct option_list *listens = &c->config->access.listen;
	const struct config_port *port = config_port_named(c->config, c->config->mw.port.text);
	bool packets = back_end == NET_PACKETS;
	uint32_t count = port != NULL && config_port_packets(port) == packets ? 2 : 0;

	for (uint32_t i = 0; i < listens->count; i++) {
		port = config_port_named(c->config, ELEMENT(config_listen, *listens, i)->port.text);
		if (port != NULL && config_port_packets(port) == packets)
			count += port->addresses.count;
	}
	return count;
}

static void check_listeners(const struct check *c)
{
	static const char *const where[NET_BACK_ENDS] = {
		[NET_KERNEL] = "with device kernel", [NET_PACKETS] = "with packets of their own"};

	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (check_listeners_of(c, i) > NET_LISTENERS)
			check_refuse(c, c->config->access.listen.line,
				     "access.listen: more than %u addresses on ports %s, two of "
				     "them for Mw where it is there",
				     NET_LISTENERS, where[i]);
}

void check_port_uses(const struct check *c)
{
	const struct option_list *listens = &c->config->access.listen;
	const struct config_port *mw = config_port_named(c->config, c->config->mw.port.text);

	for (uint32_t i = 0; i < listens->count; i++)
		check_listen_port(c, ELEMENT(config_listen, *listens, i));
	check_listeners(c);
	if (mw != NULL && check_has_packets(mw))
		check_mw_hosts(c, mw);
}
