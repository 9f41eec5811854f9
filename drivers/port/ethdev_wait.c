/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "ethdev.h"

/*
 * Sleeping on a queue. Two kinds of descriptor are known: an eventfd that the device's interrupt
 * writes, and (net_tap) one that is readable as long as a packet waits. Anything else is not waited
 * on: the worker backs off by time.
 *
 * The race of an interrupt: a packet that comes after the last empty burst and before the interrupt
 * is enabled raises none. So arm() enables it first and then looks once more. It looks by
 * receiving: rte_eth_rx_queue_count() is missing in some drivers and counts in steps in others.
 * What it finds is held for the next rx_burst(), and the eventfd is written, so that the wait ends
 * at once.
 */

static bool is_eventfd(int fd)
{
	char path[32], target[32] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 &&
	       span_equal(span_text(target), SPAN("anon_inode:[eventfd]"));
}

/** Reading it must never block. */
static bool never_blocks(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static enum ethdev_wait wait_kind(struct port *port, uint16_t queue)
{
	struct ethdev_queue *q = &port->queue[queue];

	if (port->traits->readable) {
		q->wait_fd = rte_eth_dev_rx_intr_ctl_q_get_fd(port->id, queue);
		return q->wait_fd >= 0 ? ETHDEV_WAIT_READABLE : ETHDEV_WAIT_NONE;
	}
	/* enable() first: without the call a driver has no descriptor, and asking for it is logged
	 */
	if (rte_eth_dev_rx_intr_enable(port->id, queue) != 0)
		return ETHDEV_WAIT_NONE;
	(void)rte_eth_dev_rx_intr_disable(port->id, queue);
	q->wait_fd = rte_eth_dev_rx_intr_ctl_q_get_fd(port->id, queue);
	if (q->wait_fd >= 0 && is_eventfd(q->wait_fd) && never_blocks(q->wait_fd))
		return ETHDEV_WAIT_EVENT;
	return ETHDEV_WAIT_NONE;
}

bool ethdev_wait_start(struct port *port)
{
	bool all = true;

	for (uint16_t queue = 0; queue < port->queues; queue++) {
		struct ethdev_queue *q = &port->queue[queue];

		q->wait = wait_kind(port, queue);
		if (q->wait == ETHDEV_WAIT_NONE) {
			q->wait_fd = -1;
			all = false;
		}
	}
	return all;
}

enum gw_err ethdev_wait_arm(struct port *port, uint16_t queue)
{
	struct ethdev_queue *q = &port->queue[queue];
	const uint64_t one = 1;

	if (q->wait == ETHDEV_WAIT_READABLE)
		return GW_OK;
	if (q->wait == ETHDEV_WAIT_NONE || rte_eth_dev_rx_intr_enable(port->id, queue) != 0)
		return GW_NOT_SUPPORTED;
	if (q->held_count == 0) {
		q->held_at = 0;
		q->held_count = rte_eth_rx_burst(port->id, queue, q->held, ETHDEV_HELD);
	}
	if (q->held_count > 0 && write(q->wait_fd, &one, sizeof(one)) != sizeof(one)) {
		ethdev_wait_disarm(port, queue);
		return GW_NOT_SUPPORTED; /* the caller's short back-off finds them */
	}
	return GW_OK;
}

void ethdev_wait_disarm(struct port *port, uint16_t queue)
{
	struct ethdev_queue *q = &port->queue[queue];
	uint64_t count;

	if (q->wait != ETHDEV_WAIT_EVENT)
		return;
	(void)rte_eth_dev_rx_intr_disable(port->id, queue);
	if (read(q->wait_fd, &count, sizeof(count)) < 0)
		return; /* it was not written: the wait ended for another reason */
}
