/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TAP_STEER_H
#define TAP_STEER_H

#include "gw_err.h"
#include "span.h"

/**
 * Which queue of a TAP port a frame comes to: the contract of port_config.steer_base. The kernel
 * decides, by an eBPF program that is made of this; tap_steer_queue() is its exact twin.
 *
 * TCP and UDP, unfragmented, IPv6 without extension headers: to destination port steer_base + q,
 * queue q; to all others, the Toeplitz hash of (source, destination, source port, destination port)
 * under the key, its low bits the row of a redirection table whose row i names queue i mod queues.
 * That is what NICs do, so that port_info.rss tells all that is needed to choose a source port.
 * Everything else, and what is cut short: queue 0. One VLAN tag is looked past.
 */
#define TAP_STEER_KEY 40u   /* bytes: an IPv6 flow, and a word more */
#define TAP_STEER_ROWS 512u /* of the redirection table, a power of two */

struct tap_steer {
	uint8_t key[TAP_STEER_KEY];
	uint16_t steer_base; /* 0: no such rule */
	uint16_t queues;
};

/** The queue of a frame that begins at its Ethernet header, the VLAN tag in it if it has one. */
uint16_t tap_steer_queue(const struct tap_steer *steer, struct span frame);

/** The Toeplitz hash of at most TAP_STEER_KEY - 4 bytes. */
uint32_t tap_steer_hash(const uint8_t key[TAP_STEER_KEY], struct span flow);

/**
 * Loads the program into the kernel. The descriptor, which is the caller's and for
 * TUNSETSTEERINGEBPF, or -1 with errno: bpf(2) needs CAP_BPF where unprivileged_bpf_disabled is
 * set, as it is by default.
 */
int tap_steer_load(const struct tap_steer *steer);

#endif
