/* SPDX-License-Identifier: BSD-3-Clause */
#include "netifs.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/random.h>

#include "address.h"
#include "interface.h"

#define NETIFS_MTU_MIN 1280u

struct netifs {
	uint32_t count;
	struct netifs_port port[NETIFS_MAX];
	char device[NETIFS_MAX][256];
	char warning[NETIFS_MAX][PORT_WHY_MAX]; /* what a device could not be made to do */
	char drivers[128];
	struct net_shared *shared;
	uint16_t workers;
	uint16_t steer_base[NETIFS_MAX];
};

/* ---- one port ------------------------------------------------------------------------------- */

void netifs_own_mac(const char *node, const char *port, uint8_t mac[6])
{
	/* no secret: it keeps the addresses of nodes and ports apart */
	static const uint8_t key[16] = "wicgate port mac";
	char names[512];
	uint64_t hash;

	snprintf(names, sizeof(names), "%s\n%s", node, port);
	hash = siphash(key, span_text(names));
	mac[0] = 0x02; /* locally administered, one station */
	for (uint32_t i = 1; i < 6; i++, hash >>= 8)
		mac[i] = (uint8_t)hash;
}

static enum gw_err netifs_port_config(const struct config *config, const struct config_port *port,
				      struct port_config *out)
{
	bool mw = strcmp(port->name.text, config->mw.port.text) == 0;

	*out = (struct port_config){
		.name = port->name.text,
		.device = port->device.text,
		.queues = config_workers(config),
		.mtu = (uint16_t)port->mtu.value,
		.rx_packets = netif_rx_packets((uint32_t)config->tcp.held_packets.value),
		.steer_base = mw ? (uint16_t)config->mw.worker_port_base.value : 0,
	};
	if (port->mac.text[0] != '\0')
		(void)address_mac(port->mac.text, out->mac);
	netifs_own_mac(config->node.name.text, port->name.text, out->own_mac);
	/* 64 bytes come whole (getrandom(2)) */
	return getrandom(out->secret, sizeof(out->secret), 0) == sizeof(out->secret) ? GW_OK
										     : GW_SYSTEM;
}

/** The check of the configuration does not know a device's own MTU. */
static enum gw_err netifs_check_mtu(const struct port_info *info, char why[PORT_WHY_MAX])
{
	if (!info->packets || info->mtu >= NETIFS_MTU_MIN)
		return GW_OK;
	snprintf(why, PORT_WHY_MAX, "its MTU is %u, and %u the least (RFC 8200 5)", info->mtu,
		 NETIFS_MTU_MIN);
	return GW_CONFIG;
}

static enum gw_err netifs_start(const struct port_ops *ops, const struct port_config *config,
				struct netif *netif, char why[PORT_WHY_MAX])
{
	enum gw_err err = ops->open(config, &netif->port, why);

	if (err != GW_OK)
		return err;
	err = ops->start(netif->port, &netif->info, why);
	if (err == GW_OK)
		err = netifs_check_mtu(&netif->info, why);
	if (err == GW_OK) {
		netif->ops = ops;
		return GW_OK;
	}
	ops->close(netif->port);
	return err;
}

static enum gw_err netifs_open_port(struct netifs *netifs, const struct config *config, uint32_t i,
				    char why[PORT_WHY_MAX])
{
	const struct config_port *from = config_port(config, i);
	const struct port_ops *ops = port_driver(from->device.text);
	struct netifs_port *port = &netifs->port[i];
	struct port_config how;
	enum gw_err err;

	interface_read(from, &port->netif);
	/* a reload replaces the configuration, the ports stay */
	snprintf(netifs->device[i], sizeof(netifs->device[i]), "%s", from->device.text);
	port->device = netifs->device[i];
	port->driver = ops->name;
	snprintf(why, PORT_WHY_MAX, "no randomness");
	err = netifs_port_config(config, from, &how);
	if (err == GW_OK) {
		netifs->steer_base[i] = how.steer_base;
		snprintf(why, PORT_WHY_MAX, "%s", "");
		err = netifs_start(ops, &how, &port->netif, why);
		snprintf(netifs->warning[i], PORT_WHY_MAX, "%s", why);
	}
	OPENSSL_cleanse(how.secret, sizeof(how.secret));
	return err;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static bool netifs_is_packets(const struct netifs *netifs, uint32_t i)
{
	return netifs->port[i].netif.info.packets;
}

static enum gw_err netifs_share(struct netifs *netifs, const struct config *config)
{
	struct netif *shared = calloc(NETIFS_MAX, sizeof(*shared));
	struct net_shared_config how = {
		.netif = shared,
		.workers = netifs->workers,
		.ring_bytes = (uint32_t)config->workers.packet_ring_bytes.value,
		.neighbours = NETIFS_NEIGHBOURS_MAX,
		.held_packets = (uint32_t)config->tcp.held_packets.value,
	};

	if (shared == NULL)
		return GW_NO_MEMORY;
	if (getrandom(how.hash_key, sizeof(how.hash_key), 0) != sizeof(how.hash_key)) {
		free(shared);
		return GW_SYSTEM;
	}
	for (uint32_t i = 0; i < netifs->count; i++) {
		if (!netifs_is_packets(netifs, i))
			continue;
		shared[how.netifs++] = netifs->port[i].netif;
		if (netifs->steer_base[i] != 0)
			how.steer_base = netifs->steer_base[i];
	}
	if (how.netifs > 0)
		netifs->shared = net_shared_new(&how);
	free(shared);
	return how.netifs == 0 || netifs->shared != NULL ? GW_OK : GW_NO_MEMORY;
}

static void netifs_name_driver(struct netifs *netifs, uint32_t i)
{
	size_t used = strlen(netifs->drivers);

	for (uint32_t k = 0; k < i; k++)
		if (strcmp(netifs->port[k].driver, netifs->port[i].driver) == 0)
			return;
	snprintf(netifs->drivers + used, sizeof(netifs->drivers) - used, "%s%s",
		 used > 0 ? ", " : "", netifs->port[i].driver);
}

static enum gw_err netifs_open_all(struct netifs *netifs, const struct config *config, char *why,
				   size_t why_size)
{
	char reason[PORT_WHY_MAX];
	enum gw_err err;

	for (uint32_t i = 0; i < config->ports.count && i < NETIFS_MAX; i++) {
		err = netifs_open_port(netifs, config, i, reason);
		if (err != GW_OK) {
			snprintf(why, why_size, "port %s: %s", config_port(config, i)->name.text,
				 reason[0] != '\0' ? reason : gw_err_text(err));
			return err;
		}
		netifs_name_driver(netifs, netifs->count++);
	}
	return GW_OK;
}

enum gw_err netifs_open(const struct config *config, struct netifs **opened, char *why,
			size_t why_size)
{
	struct netifs *netifs = calloc(1, sizeof(*netifs));
	enum gw_err err;

	snprintf(why, why_size, "out of memory");
	if (netifs == NULL)
		return GW_NO_MEMORY;
	netifs->workers = config_workers(config);
	err = netifs_open_all(netifs, config, why, why_size);
	if (err == GW_OK)
		err = netifs_share(netifs, config);
	if (err != GW_OK) {
		netifs_close(netifs);
		return err;
	}
	*opened = netifs;
	return GW_OK;
}

void netifs_close(struct netifs *netifs)
{
	if (netifs == NULL)
		return;
	while (netifs->count > 0) {
		struct netif *netif = &netifs->port[--netifs->count].netif;

		netif->ops->close(netif->port);
	}
	net_shared_free(netifs->shared); /* behind the devices, which keep packets of its pools */
	free(netifs);
}

/* ---- what is there -------------------------------------------------------------------------- */

const struct netifs_port *netifs_port(const struct netifs *netifs, uint32_t i)
{
	return i < netifs->count ? &netifs->port[i] : NULL;
}

const char *netifs_drivers(const struct netifs *netifs)
{
	return netifs->drivers;
}

bool netifs_has(const struct netifs *netifs, enum net_back_end back_end)
{
	for (uint32_t i = 0; i < netifs->count; i++)
		if (netifs_is_packets(netifs, i) == (back_end == NET_PACKETS))
			return true;
	return false;
}

struct net_shared *netifs_shared(const struct netifs *netifs)
{
	return netifs->shared;
}

uint32_t netifs_neighbours(const struct netifs *netifs, uint32_t max, struct netifs_neighbour *rows)
{
	struct row_neighbour *from = calloc(max, sizeof(*from));
	uint32_t count = 0;

	if (from != NULL && netifs->shared != NULL)
		count = net_shared_neighbours(netifs->shared, max, from);
	for (uint32_t i = 0; i < count; i++) {
		const struct netif *netif = net_shared_netif(netifs->shared, from[i].netif);

		rows[i] = (struct netifs_neighbour){
			.address = from[i].address,
			.port = netif != NULL ? netif->name : "-",
			.state = neighbour_state_text(from[i].state),
			.gateway = from[i].gateway,
		};
		memcpy(rows[i].mac, from[i].mac, sizeof(rows[i].mac));
	}
	free(from);
	return count;
}

/* ---- the log -------------------------------------------------------------------------------- */

static void netifs_log_open(const struct netifs_port *port, uint16_t workers, struct log *log)
{
	const struct port_info *info = &port->netif.info;
	struct log_line line;
	char mac[ADDRESS_MAC_MAX];

	log_begin(log, &line, LOG_LEVEL_INFO, "port_open");
	log_text(&line, "port", port->netif.name);
	log_text(&line, "device", port->device);
	log_text(&line, "driver", info->driver);
	if (info->packets) {
		log_text(&line, "mac", address_mac_format(info->mac, mac));
		log_number(&line, "mtu", info->mtu);
		log_number(&line, "vlan", port->netif.vlan);
		log_number(&line, "queues", info->queues);
		log_number(&line, "workers", workers);
		log_text(&line, "steers", info->steers ? "yes" : "no");
	}
	log_end(&line);
}

/** What costs a ring, a copy and a wake-up for a packet, in words; "": nothing does. */
static const char *netifs_hand_over(const struct netifs *netifs, uint32_t i)
{
	const struct port_info *info = &netifs->port[i].netif.info;

	if (!info->packets || netifs->workers < 2)
		return "";
	if (info->queues < netifs->workers)
		return "fewer queues than workers: those without one send and receive through "
		       "others";
	if (netifs->steer_base[i] != 0 && !info->steers)
		return "the device does not steer Mw to its workers: they hand packets over";
	return "";
}

/** text "": nothing to warn of. */
static void netifs_warn(const struct netifs *netifs, uint32_t i, const char *event,
			const char *text, struct log *log)
{
	struct log_line line;

	if (text[0] == '\0')
		return;
	log_begin(log, &line, LOG_LEVEL_WARNING, event);
	log_text(&line, "port", netifs->port[i].netif.name);
	log_text(&line, "text", text);
	log_end(&line);
}

void netifs_log(const struct netifs *netifs, struct log *log)
{
	for (uint32_t i = 0; i < netifs->count; i++) {
		netifs_log_open(&netifs->port[i], netifs->workers, log);
		netifs_warn(netifs, i, "port_warning", netifs->warning[i], log);
		netifs_warn(netifs, i, "port_hands_over", netifs_hand_over(netifs, i), log);
	}
}
