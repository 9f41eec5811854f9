/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_pci.h>

#include "ethdev.h"
#include "packet.h"

/* The device: from the text of the configuration to a port of DPDK that nobody else has. */

static const struct ethdev_traits traits_table[] = {
	{.driver = "net_tap", .attached = true, .readable = true},
	{.driver = "net_af_packet", .attached = true, .all_queues = true},
	{.driver = "net_af_xdp", .attached = true, .all_queues = true},
	{.driver = "net_pcap", .attached = true},
	{.driver = "net_bonding", .tx_turn = true}, /* LACP */
};
static const struct ethdev_traits traits_none = {.driver = ""};

static const struct ethdev_traits *traits_of(const char *driver)
{
	for (size_t i = 0; i < RTE_DIM(traits_table); i++)
		if (span_equal(span_text(driver), span_text(traits_table[i].driver)))
			return &traits_table[i];
	return &traits_none;
}

enum gw_err ethdev_refuse(const struct port *port, enum gw_err err, char why[PORT_WHY_MAX],
			  const char *format, ...)
{
	int used = snprintf(why, PORT_WHY_MAX, "%s: ", port->device);
	va_list list;

	va_start(list, format);
	vsnprintf(why + used, PORT_WHY_MAX - (size_t)used, format, list);
	va_end(list);
	return err;
}

/** What EAL calls the device: what stands before the arguments, PCI addresses in their long form.
 * False: longer than a name can be. */
static bool name_of(const char *device, char name[64])
{
	struct span text = span_text(device);
	struct rte_pci_addr address;

	text = span_cut(text, 0, span_find(text, ','));
	snprintf(name, 64, "%.*s", (int)text.len, (const char *)text.at);
	if (rte_pci_addr_parse(name, &address) == 0)
		rte_pci_device_name(&address, name, 64);
	return text.len < 64;
}

/** Two entries of the configuration cannot have one device. */
static enum gw_err own(struct port *port, char why[PORT_WHY_MAX])
{
	struct rte_eth_dev_owner owner = {.name = "wicgate"};

	if (rte_eth_dev_owner_new(&owner.id) != 0 || rte_eth_dev_owner_set(port->id, &owner) != 0)
		return ethdev_refuse(port, GW_CONFIG, why, "another port has this device already");
	port->opened = true;
	return GW_OK;
}

static enum gw_err find(struct port *port, const char *device, char why[PORT_WHY_MAX])
{
	struct rte_eth_dev_info info;

	if (!name_of(device, port->device))
		return ethdev_refuse(port, GW_CONFIG, why, "the name of the device is too long");
	if (rte_eth_dev_get_port_by_name(port->device, &port->id) != 0)
		return ethdev_refuse(port, GW_CONFIG, why,
				     "DPDK has no such device: no such driver, interface or "
				     "address, or not the right to open it");
	if (rte_eth_dev_info_get(port->id, &info) != 0)
		return ethdev_refuse(port, GW_SYSTEM, why, "the driver does not describe it");
	port->traits = traits_of(info.driver_name);
	return own(port, why);
}

/**
 * net_af_packet's argument for the longest frame that it hands over. The kernel puts fragments of
 * IPv4 together for its sockets, so there are frames that no MTU speaks of.
 */
static uint32_t frame_argument(const char *device)
{
	static const char argument[] = ",framesz=";
	const char *at = strstr(device, argument);

	return at == NULL ? 0 : (uint32_t)strtoul(at + sizeof(argument) - 1, NULL, 10);
}

enum gw_err ethdev_open(const struct port_config *config, struct port **opened,
			char why[PORT_WHY_MAX])
{
	size_t size = sizeof(struct port) + config->queues * sizeof(struct ethdev_queue);
	struct port *port = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_ROUNDUP(size));
	enum gw_err err;

	if (port == NULL) {
		snprintf(why, PORT_WHY_MAX, "out of memory");
		return GW_NO_MEMORY;
	}
	memset(port, 0, size);
	port->config = *config;
	port->frame_bytes = frame_argument(config->device);
	port->config.name = port->config.device = NULL; /* the caller's; lent for the call only */
	for (uint16_t q = 0; q < config->queues; q++)
		port->queue[q].wait_fd = -1;
	err = find(port, config->device, why);
	if (err != GW_OK) {
		ethdev_close(port);
		return err;
	}
	*opened = port;
	return GW_OK;
}

static void queue_close(struct ethdev_queue *q)
{
	while (q->held_count > 0)
		packet_put(q->held[q->held_at + --q->held_count]);
	packet_pool_free(q->pool);
}

void ethdev_close(struct port *port)
{
	if (port == NULL)
		return;
	ethdev_flow_stop(port);
	if (port->started)
		(void)rte_eth_dev_stop(port->id);
	if (port->opened)
		(void)rte_eth_dev_close(port->id);
	for (uint16_t q = 0; q < port->config.queues; q++)
		queue_close(&port->queue[q]);
	explicit_bzero(port->config.secret, sizeof(port->config.secret));
	free(port);
}
