/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TAP_QUEUE_H
#define TAP_QUEUE_H

#include <stdatomic.h>

#include "packet.h"
#include "port.h"

/** One queue of a TAP port: frames in and out of its descriptor. One worker's, but for counts. */
struct tap_queue {
	int fd;			  /* the device's */
	bool lost;		  /* the interface was deleted: nothing comes any more */
	uint16_t room;		  /* bytes of a packet of the pool */
	struct rte_mempool *pool; /* the queue's own */
	struct rte_mbuf *spare;	  /* opened for the next read; NULL: the pool was empty */
	/* statistics: written by the worker, read by all */
	_Atomic uint64_t rx_packets, rx_bytes, rx_no_buffer, rx_errors;
	_Atomic uint64_t tx_packets, tx_bytes, tx_errors;
} __attribute__((aligned(64)));

/** See port_ops.rx_burst and tx_burst. */
uint16_t tap_queue_receive(struct tap_queue *q, struct rte_mbuf **packets, uint16_t n);
uint16_t tap_queue_send(struct tap_queue *q, struct rte_mbuf **packets, uint16_t n);

void tap_queue_counters(struct tap_queue *q, struct port_counters *counters);

#endif
