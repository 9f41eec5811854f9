/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev.h"
#include "packet.h"

/* Any DPDK device as a port: what runs for each packet, and what is asked while it runs. */

/** Packets of several segments become one segment, or are dropped: what follows reads one. */
static uint16_t keep(struct ethdev_queue *q, struct rte_mbuf **packets, uint16_t n)
{
	uint64_t bytes = 0;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (unlikely(packets[i]->nb_segs > 1) && rte_pktmbuf_linearize(packets[i]) != 0) {
			packet_put(packets[i]);
			counter_add(&q->rx_errors, 1);
			continue;
		}
		bytes += packets[i]->pkt_len;
		packets[kept++] = packets[i];
	}
	counter_add(&q->rx_packets, kept);
	counter_add(&q->rx_bytes, bytes);
	return kept;
}

static uint16_t take_held(struct ethdev_queue *q, struct rte_mbuf **packets, uint16_t n)
{
	uint16_t taken = RTE_MIN(n, q->held_count);

	memcpy(packets, &q->held[q->held_at], taken * sizeof(struct rte_mbuf *));
	q->held_at += taken;
	q->held_count -= taken;
	return taken;
}

static uint16_t ethdev_rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
				uint16_t n)
{
	struct ethdev_queue *q = &port->queue[queue];
	uint16_t got;

	if (unlikely(q->held_count > 0))
		got = take_held(q, packets, n);
	else
		got = rte_eth_rx_burst(port->id, queue, packets, n);
	if (port->traits->tx_turn)
		(void)rte_eth_tx_burst(port->id, queue, NULL, 0);
	return got > 0 ? keep(q, packets, got) : 0;
}

static uint64_t bytes_of(struct rte_mbuf **packets, uint16_t from, uint16_t to)
{
	uint64_t bytes = 0;

	for (uint16_t i = from; i < to; i++)
		bytes += packets[i]->pkt_len;
	return bytes;
}

static uint16_t ethdev_tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
				uint16_t n)
{
	struct ethdev_queue *q = &port->queue[queue];
	uint16_t ready = n, sent;
	uint64_t bytes;

	if (port->tx_prepare)
		ready = rte_eth_tx_prepare(port->id, queue, packets, n);
	bytes = bytes_of(packets, 0, ready); /* before: the device frees what it has sent */
	sent = rte_eth_tx_burst(port->id, queue, packets, ready);
	counter_add(&q->tx_packets, sent);
	counter_add(&q->tx_bytes, bytes - bytes_of(packets, sent, ready));
	if (unlikely(ready < n && sent == ready)) { /* the driver will never take the next one */
		packet_put(packets[sent++]);
		counter_add(&q->tx_errors, 1);
	}
	return sent;
}

static int ethdev_wait_fd(struct port *port, uint16_t queue)
{
	return port->queue[queue].wait_fd;
}

/**
 * Packets and bytes are our own count: drivers that count by queue are few, and stop at 16. What
 * the device has dropped it knows for all queues together: that is told with queue 0.
 */
static void ethdev_counters(struct port *port, uint16_t queue, struct port_counters *counters)
{
	const struct ethdev_queue *q = &port->queue[queue];
	struct rte_eth_stats device;

	*counters = (struct port_counters){
		.rx_packets = counter_read(&q->rx_packets),
		.rx_bytes = counter_read(&q->rx_bytes),
		.rx_errors = counter_read(&q->rx_errors),
		.tx_packets = counter_read(&q->tx_packets),
		.tx_bytes = counter_read(&q->tx_bytes),
		.tx_errors = counter_read(&q->tx_errors),
	};
	if (queue != 0 || rte_eth_stats_get(port->id, &device) != 0)
		return;
	counters->rx_no_buffer = device.rx_nombuf + device.imissed;
	counters->rx_errors += device.ierrors;
	counters->tx_errors += device.oerrors;
}

static void ethdev_link(struct port *port, struct port_link *link)
{
	struct rte_eth_link now;

	*link = (struct port_link){0};
	if (rte_eth_link_get_nowait(port->id, &now) != 0)
		return;
	link->up = now.link_status == RTE_ETH_LINK_UP;
	link->mbps = now.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN ? now.link_speed : 0;
}

const struct port_ops port_ethdev = {
	.name = "ethdev",
	.open = ethdev_open,
	.start = ethdev_start,
	.rx_burst = ethdev_rx_burst,
	.tx_burst = ethdev_tx_burst,
	.arm = ethdev_wait_arm,
	.disarm = ethdev_wait_disarm,
	.wait_fd = ethdev_wait_fd,
	.counters = ethdev_counters,
	.link = ethdev_link,
	.close = ethdev_close,
};
