/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "port.h"

/* The "device" of kernel sockets: there is no packet to burst, the net back end has the sockets. */

struct port {
	uint16_t queues;
};

static enum gw_err kernel_open(const struct port_config *config, struct port **opened,
			       char why[PORT_WHY_MAX])
{
	struct port *port;

	if (!span_equal(span_text(config->device), SPAN("kernel"))) {
		snprintf(why, PORT_WHY_MAX, "%s is not kernel", config->device);
		return GW_CONFIG;
	}
	port = calloc(1, sizeof(*port));
	if (port == NULL) {
		snprintf(why, PORT_WHY_MAX, "out of memory");
		return GW_NO_MEMORY;
	}
	port->queues = config->queues;
	*opened = port;
	return GW_OK;
}

static enum gw_err kernel_start(struct port *port, struct port_info *info, char why[PORT_WHY_MAX])
{
	why[0] = '\0';
	*info = (struct port_info){.queues = port->queues,
				   .packets = false,
				   .steers = true,
				   .numa = -1,
				   .driver = "kernel"};
	return GW_OK;
}

static uint16_t kernel_rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
				uint16_t n)
{
	(void)port;
	(void)queue;
	(void)packets;
	(void)n;
	return 0;
}

static uint16_t kernel_tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
				uint16_t n)
{
	return kernel_rx_burst(port, queue, packets, n);
}

static enum gw_err kernel_arm(struct port *port, uint16_t queue)
{
	(void)port;
	(void)queue;
	return GW_NOT_SUPPORTED; /* the worker waits in the net back end's own epoll */
}

static int kernel_wait_fd(struct port *port, uint16_t queue)
{
	(void)port;
	(void)queue;
	return -1;
}

static void kernel_disarm(struct port *port, uint16_t queue)
{
	(void)port;
	(void)queue;
}

static void kernel_counters(struct port *port, uint16_t queue, struct port_counters *counters)
{
	(void)port;
	(void)queue;
	*counters = (struct port_counters){0}; /* the kernel counts its own packets */
}

static void kernel_link(struct port *port, struct port_link *link)
{
	(void)port;
	*link = (struct port_link){.up = true};
}

static void kernel_close(struct port *port)
{
	free(port);
}

const struct port_ops port_kernel = {
	.name = "kernel",
	.open = kernel_open,
	.start = kernel_start,
	.rx_burst = kernel_rx_burst,
	.tx_burst = kernel_tx_burst,
	.arm = kernel_arm,
	.disarm = kernel_disarm,
	.wait_fd = kernel_wait_fd,
	.counters = kernel_counters,
	.link = kernel_link,
	.close = kernel_close,
};
