/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_KERNEL_END_H
#define WIRE_KERNEL_END_H

#include <sys/socket.h>

#include "frame.h"

/** The kernel's end of a port's interface: host 1 of 198.18.0.0/24 and fd00:18::/64; the port is
 * host 2. What fails here fails the test. */
#define WIRE_KERNEL 1
#define WIRE_PORT 2

/** Runs a shell command. */
void __attribute__((format(printf, 1, 2))) kernel_run(const char *format, ...);

/** Gives the interface the kernel's addresses of a family, and the port's as a static neighbour. */
void kernel_end_up(const char *interface, enum wire_family family, const uint8_t port_mac[6]);

/** The kernel's hardware address of an interface. */
void kernel_end_mac(const char *interface, uint8_t mac[6]);

/** The address of a host's port; returns its length. */
socklen_t kernel_host(struct sockaddr_storage *storage, enum wire_family family, uint32_t host,
		      uint16_t port);

/** A UDP socket of host 1, bound to port (0: any), connected to to_port of host 2. The caller
 * closes it. */
int kernel_udp(enum wire_family family, uint16_t port, uint16_t to_port);

/** Sends the text. */
void kernel_say(int socket, const char *text);

/** What the socket receives within a second; -1: nothing. */
int kernel_receive(int socket, void *bytes, uint32_t size);

/** A socket that puts whole frames on the interface. The caller closes it. */
int kernel_raw(const char *interface);

/** Puts a frame with some payload on it. */
void kernel_raw_send(int raw, const struct wire_frame *frame);

#endif
