/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipe.h"

#include <stdlib.h>

#include "test.h"

struct port *pipe_new(uint16_t queues)
{
	struct port *port = calloc(1, sizeof(*port));

	EXPECT(port != NULL && queues <= PIPE_QUEUES);
	port->queues = queues;
	port->takes = UINT32_MAX;
	port->pool = packet_pool_new("pipe", 2 * PIPE_QUEUES * PIPE_FRAMES, 0, -1);
	EXPECT(port->pool != NULL);
	return port;
}

void pipe_feed_checked(struct port *port, uint16_t queue, struct span frame,
		       enum packet_checksum ip, enum packet_checksum l4)
{
	struct rte_mbuf *packet = packet_copy(port->pool, frame);

	EXPECT(packet != NULL && port->rx_count[queue] < PIPE_FRAMES);
	packet_set_checksums(packet, ip, l4);
	port->rx[queue][(port->rx_at[queue] + port->rx_count[queue]++) % PIPE_FRAMES] = packet;
}

void pipe_feed(struct port *port, uint16_t queue, struct span frame)
{
	pipe_feed_checked(port, queue, frame, PACKET_CHECKSUM_UNKNOWN, PACKET_CHECKSUM_UNKNOWN);
}

void pipe_clear(struct port *port)
{
	for (uint32_t i = 0; i < port->sent_count; i++)
		free(port->sent[i].bytes);
	port->sent_count = 0;
}

struct span pipe_sent_frame(const struct port *port, uint32_t i)
{
	EXPECT(i < port->sent_count);
	return span_of(port->sent[i].bytes, port->sent[i].len);
}

static enum gw_err pipe_open(const struct port_config *config, struct port **opened,
			     char why[PORT_WHY_MAX])
{
	(void)why;
	*opened = pipe_new(config->queues);
	return GW_OK;
}

static enum gw_err pipe_start(struct port *port, struct port_info *info, char why[PORT_WHY_MAX])
{
	(void)why;
	*info = (struct port_info){.queues = port->queues,
				   .mtu = 1500,
				   .packets = true,
				   .numa = -1,
				   .driver = "pipe",
				   .mac = {2, 0, 0, 0, 0, 1}};
	return GW_OK;
}

static uint16_t pipe_rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			      uint16_t n)
{
	uint16_t got = 0;

	while (got < n && port->rx_count[queue] > 0) {
		packets[got++] = port->rx[queue][port->rx_at[queue]];
		port->rx_at[queue] = (port->rx_at[queue] + 1) % PIPE_FRAMES;
		port->rx_count[queue]--;
	}
	return got;
}

static uint16_t pipe_tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			      uint16_t n)
{
	uint16_t taken = 0;

	for (; taken < n && port->takes > 0 && port->sent_count < PIPE_FRAMES; taken++) {
		struct rte_mbuf *packet = packets[taken];
		struct pipe_sent *sent = &port->sent[port->sent_count++];

		*sent = (struct pipe_sent){.queue = queue,
					   .len = packet_len(packet),
					   .bytes = malloc(packet_len(packet)),
					   .offloaded = packet->offloaded,
					   .offload = packet->offload};
		memcpy(sent->bytes, packet_data(packet), sent->len);
		packet_put(packet);
		port->takes -= port->takes != UINT32_MAX;
	}
	return taken;
}

static enum gw_err pipe_arm(struct port *port, uint16_t queue)
{
	(void)queue;
	port->armed += port->interrupts;
	return port->interrupts ? GW_OK : GW_NOT_SUPPORTED;
}

static void pipe_disarm(struct port *port, uint16_t queue)
{
	(void)queue;
	port->armed--;
}

static int pipe_wait_fd(struct port *port, uint16_t queue)
{
	(void)port;
	(void)queue;
	return -1;
}

static void pipe_counters(struct port *port, uint16_t queue, struct port_counters *counters)
{
	(void)port;
	(void)queue;
	*counters = (struct port_counters){0};
}

static void pipe_link(struct port *port, struct port_link *link)
{
	(void)port;
	*link = (struct port_link){.up = true};
}

static void pipe_close(struct port *port)
{
	if (port == NULL)
		return;
	for (uint16_t q = 0; q < port->queues; q++)
		for (struct rte_mbuf *packet; pipe_rx_burst(port, q, &packet, 1) == 1;)
			packet_put(packet);
	pipe_clear(port);
	EXPECT_EQ(0, packet_pool_live(port->pool));
	packet_pool_free(port->pool);
	free(port);
}

const struct port_ops port_pipe = {
	.name = "pipe",
	.open = pipe_open,
	.start = pipe_start,
	.rx_burst = pipe_rx_burst,
	.tx_burst = pipe_tx_burst,
	.arm = pipe_arm,
	.disarm = pipe_disarm,
	.wait_fd = pipe_wait_fd,
	.counters = pipe_counters,
	.link = pipe_link,
	.close = pipe_close,
};
