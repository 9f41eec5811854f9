/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TAP_DEVICE_H
#define TAP_DEVICE_H

#include <net/if.h>

#include "port.h"
#include "tap_steer.h"

/**
 * A multi-queue TAP interface of the kernel and our descriptors for its queues: the system calls of
 * the control thread. Frames go through the descriptors, each behind a struct virtio_net_hdr.
 */
#define TAP_QUEUES_MAX 256u /* the kernel's own bound */

struct tap_device {
	char name[IFNAMSIZ];
	int control;	 /* socket for the interface's ioctls, -1: not open */
	uint16_t queues; /* how many of fd are open */
	int fd[TAP_QUEUES_MAX];
};

/**
 * Attaches queues to the interface that "tap:IFACE" names; makes the interface when there is none.
 * GW_CONFIG: not such a text, or an interface that cannot be used so; GW_SYSTEM. In both cases why
 * says more and nothing stays open.
 */
enum gw_err GW_MUST_CHECK tap_device_open(struct tap_device *device, const char *text,
					  uint16_t queues, char why[PORT_WHY_MAX]);
/** Closes the descriptors: an interface that was made by open is gone with them. */
void tap_device_close(struct tap_device *device);

/** Sets the MTU, unless wanted is 0 or is what it is; *mtu is what is. Errors as open. */
enum gw_err GW_MUST_CHECK tap_device_mtu(const struct tap_device *device, uint16_t wanted,
					 uint32_t *mtu, char why[PORT_WHY_MAX]);

/** Refuses our own link-layer address when it is the one of the kernel's end. */
enum gw_err GW_MUST_CHECK tap_device_mac(const struct tap_device *device, const uint8_t mac[6],
					 char why[PORT_WHY_MAX]);

/** Attaches the steering program. False: the kernel refused, for the reason in why, and spreads
 * flows as it likes. */
bool tap_device_steer(const struct tap_device *device, const struct tap_steer *steer,
		      char why[PORT_WHY_MAX]);

/** Takes the interface up, when it is not and we may: the operator may do it later. Errors as
 * open. */
enum gw_err GW_MUST_CHECK tap_device_up(const struct tap_device *device, char why[PORT_WHY_MAX]);

/** Up, and with a carrier. Any thread. */
bool tap_device_link(const struct tap_device *device);

#endif
