/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "ping.h"

static const struct netifs_port *command_port(const struct commands *c, uint32_t i)
{
	return c->node->port(c->node_context, i);
}

static bool command_has_packets(const struct commands *c)
{
	for (uint32_t i = 0; command_port(c, i) != NULL; i++)
		if (command_port(c, i)->netif.info.packets)
			return true;
	return false;
}

/* ---- ports ---------------------------------------------------------------------------------- */

/** What has passed all queues of a port. */
static struct port_counters command_port_sum(const struct netif *netif)
{
	struct port_counters sum = {0}, one;

	for (uint16_t q = 0; q < netif->info.queues; q++) {
		netif->ops->counters(netif->port, q, &one);
		sum.rx_packets += one.rx_packets;
		sum.rx_bytes += one.rx_bytes;
		sum.rx_no_buffer += one.rx_no_buffer;
		sum.rx_errors += one.rx_errors;
		sum.tx_packets += one.tx_packets;
		sum.tx_bytes += one.tx_bytes;
		sum.tx_errors += one.tx_errors;
	}
	return sum;
}

static json_t *command_port_row(const struct netifs_port *port)
{
	const struct netif *netif = &port->netif;
	struct port_counters n = command_port_sum(netif);
	struct port_link link = {0};
	char mac[ADDRESS_MAC_MAX];

	netif->ops->link(netif->port, &link);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I}",
		"name", netif->name, "device", port->device, "driver", netif->info.driver, "link",
		link.up ? "up" : "down", "mbps", (json_int_t)link.mbps, "mac",
		netif->info.packets ? address_mac_format(netif->info.mac, mac) : "-", "mtu",
		(json_int_t)netif->info.mtu, "vlan", (json_int_t)netif->vlan, "queues",
		(json_int_t)netif->info.queues, "steers", (int)netif->info.steers, "rx_packets",
		(json_int_t)n.rx_packets, "rx_bytes", (json_int_t)n.rx_bytes, "rx_no_buffer",
		(json_int_t)n.rx_no_buffer, "rx_errors", (json_int_t)n.rx_errors, "tx_packets",
		(json_int_t)n.tx_packets, "tx_bytes", (json_int_t)n.tx_bytes, "tx_errors",
		(json_int_t)n.tx_errors);
}

void command_run_ports(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	json_t *rows = json_array();

	for (uint32_t i = 0; command_port(c, i) != NULL; i++)
		json_array_append_new(rows, command_port_row(command_port(c, i)));
	cli_reply(request, json_pack("{s:o}", "ports", rows));
}

/* ---- neighbours ----------------------------------------------------------------------------- */

static json_t *command_neighbour_row(const struct netifs_neighbour *n)
{
	char address[INET6_ADDRSTRLEN] = "-", mac[ADDRESS_MAC_MAX] = "-";
	static const uint8_t unknown[6];

	if (memcmp(n->mac, unknown, sizeof(unknown)) != 0)
		(void)address_mac_format(n->mac, mac);
	if (n->address.sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &n->address.v4.sin_addr, address, sizeof(address));
	else if (n->address.sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &n->address.v6.sin6_addr, address, sizeof(address));
	return json_pack("{s:s, s:s, s:s, s:s, s:b}", "address", address, "port", n->port, "mac",
			 mac, "state", n->state, "gateway", (int)n->gateway);
}

void command_run_neighbours(struct cli_request *request, void *context)
{
	struct netifs_neighbour *neighbours = calloc(NETIFS_NEIGHBOURS_MAX, sizeof(*neighbours));
	const struct commands *c = context;
	json_t *rows = json_array();
	uint32_t count = 0;

	if (neighbours != NULL)
		count = c->node->neighbours(c->node_context, NETIFS_NEIGHBOURS_MAX, neighbours);
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(rows, command_neighbour_row(&neighbours[i]));
	free(neighbours);
	cli_reply(request, json_pack("{s:o}", "neighbours", rows));
}

/* ---- connections ---------------------------------------------------------------------------- */

/** "443", "198.18.0.30", "[fd00:18::30]:443". */
static bool command_end(const char *word, struct fetch_order *order)
{
	uint32_t port;

	if (commands_number(word, UINT16_MAX, &port)) {
		order->port = (uint16_t)port;
		return port != 0;
	}
	if (!endpoint_parse(span_text(word), &order->host))
		return false;
	order->port = endpoint_port(&order->host);
	return true;
}

void command_run_connections(struct cli_request *request, void *context)
{
	struct fetch_order order = {.what = COMMAND_CONNECTIONS};
	const char *end = cli_word(request, 1);
	const struct commands *c = context;

	if (end != NULL && !command_end(end, &order))
		cli_fail(request, "END is an address, a port, or ADDRESS:PORT with IPv6 in []");
	else
		fetch_start(c->fetch, request, &order);
}

/* ---- ping ----------------------------------------------------------------------------------- */

void command_run_ping(struct cli_request *request, void *context)
{
	const char *address = cli_word(request, 1), *word = cli_word(request, 2);
	const struct commands *c = context;
	uint32_t count = PING_COUNT;
	struct endpoint peer;

	if (address == NULL || address_plain(address, &peer) != NULL)
		cli_fail(request, "ADDRESS is an IPv4 or IPv6 address");
	else if (word != NULL && (!commands_number(word, PING_COUNT_MAX, &count) || count == 0))
		cli_fail(request, "COUNT is a number, 1 to 10");
	else if (!command_has_packets(c))
		cli_fail(request, "no port has packets of its own: ping from the operating system");
	else
		ping_start(c->errands, c->loop, request, &peer, count);
}

/* ---- capture -------------------------------------------------------------------------------- */

/** The last word that begins with '/'; 0: none. */
static uint32_t command_file_word(const struct cli_request *request)
{
	uint32_t file = 0;

	for (uint32_t i = 1; cli_word(request, i) != NULL; i++)
		if (cli_word(request, i)[0] == '/')
			file = i;
	return file;
}

/** Words 1..end-1 of the request with a space between; "all" alone is everything. */
static void command_filter(const struct cli_request *request, uint32_t end,
			   char filter[CLI_REQUEST_MAX])
{
	struct writer w;

	writer_init(&w, filter, CLI_REQUEST_MAX - 1); /* a request is not longer */
	for (uint32_t i = 1; i < end; i++) {
		if (i > 1)
			writer_u8(&w, ' ');
		writer_text(&w, cli_word(request, i));
	}
	*w.at = '\0';
	if (strcmp(filter, "all") == 0)
		filter[0] = '\0';
}

static void command_interfaces(const struct commands *c, struct capture_order *order)
{
	for (uint32_t i = 0; command_port(c, i) != NULL; i++)
		if (command_port(c, i)->netif.info.packets)
			order->interface[order->interfaces++] = command_port(c, i)->netif.name;
}

static void command_capture(struct cli_request *request, const struct commands *c, uint32_t file)
{
	struct capture_order order = {.path = cli_word(request, file), .seconds = CAPTURE_SECONDS};
	const char *seconds = cli_word(request, file + 1);
	char filter[CLI_REQUEST_MAX];

	if (seconds != NULL && (cli_word(request, file + 2) != NULL ||
				!commands_number(seconds, CAPTURE_SECONDS_MAX, &order.seconds) ||
				order.seconds == 0)) {
		cli_fail(request, "SECONDS is a number, 1 to 3600, the last word");
		return;
	}
	command_filter(request, file, filter);
	order.filter = filter;
	command_interfaces(c, &order);
	capture_start(c->capture, request, &order);
}

void command_run_capture(struct cli_request *request, void *context)
{
	const char *first = cli_word(request, 1);
	uint32_t file = command_file_word(request);
	const struct commands *c = context;

	if (first != NULL && strcmp(first, "stop") == 0 && cli_word(request, 2) == NULL)
		capture_stop(c->capture, request);
	else if (!command_has_packets(c))
		cli_fail(request, "no port has packets of its own: capture with tcpdump");
	else if (file == 0)
		cli_fail(request, "FILE missing: a path that begins with '/'");
	else
		command_capture(request, c, file);
}
