/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_TCP_WORLD_H
#define WIRE_TCP_WORLD_H

#include <pthread.h>

#include "netif.h"
#include "tap_world.h"

/**
 * Workers with TCP of our own over one TAP port, one turn after the other; the kernel at the other
 * end of it. Every connection echoes: ours what comes in, the kernel's what we send.
 */
#define TCP_WORKERS 2u
#define TCP_STEER_BASE 5070
#define TCP_LISTEN_PORT 5080 /* ours, that all workers have */
#define TCP_KERNEL_PORT 5090 /* the kernel's */
#define TCP_SOCKETS 1000u

/** What the device says of how it spreads flows, and what it does. */
enum tcp_steering {
	TCP_STEER_PROGRAM, /* our program; where the kernel refuses it, the test is skipped */
	TCP_STEER_TOLD,	   /* it says so, and the kernel does it otherwise */
	TCP_STEER_SILENT,  /* it says nothing, and the kernel does what it likes */
};

struct tcp_wire_worker {
	struct net_core *core;
	struct net_clock clock;
	struct counters counters;
	uint64_t random;
	uint32_t accepted, connected, echoed, closed;
	uint32_t strange; /* what should not have come: an alarm, a connection that broke */
	struct tcp_wire *wire;
	pthread_t thread;
	uint64_t sleeps;
};

struct tcp_wire {
	struct tap_world tap;
	struct net_shared *shared;
	int listener; /* the kernel's */
	uint32_t sockets;
	int socket[TCP_SOCKETS]; /* the kernel's ends */
	bool said[TCP_SOCKETS];
	uint32_t heard; /* sockets that have had their echo */
	bool threads;
	_Atomic bool stop;
	int stop_fd;
	struct tcp_wire_worker worker[TCP_WORKERS];
};

struct tcp_wire *tcp_wire_open(enum tcp_steering steering);
/** Every packet is back, and nothing strange has happened. */
void tcp_wire_close(struct tcp_wire *wire);

/** The kernel opens n connections to us, 4 bytes are echoed on each, and all stay open. */
void tcp_wire_from_kernel(struct tcp_wire *wire, enum wire_family family, uint32_t n);
/** From here on each worker has a thread, which sleeps when it has nothing to do. */
void tcp_wire_threads(struct tcp_wire *wire);
/** Until here. */
void tcp_wire_join(struct tcp_wire *wire);
/** Each worker opens n connections to the kernel, and the same. */
void tcp_wire_to_kernel(struct tcp_wire *wire, enum wire_family family, uint32_t n);

/** Segments that the kernel has sent again, on the sockets that are open. */
uint32_t tcp_wire_kernel_retransmits(const struct tcp_wire *wire);

/** A counter of all workers. */
#define TCP_WIRE_COUNTER(wire, name) \
	(counter_read(&(wire)->worker[0].counters.name) + \
	 counter_read(&(wire)->worker[1].counters.name))

#endif
