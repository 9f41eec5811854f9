/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>

/**
 * The device of a port as the configuration writes it: "kernel", "tap:IFACE", a PCI address
 * ("0000:03:00.0") or a vdev ("net_af_packet0"), the last two with DPDK's arguments behind a comma.
 */

/** NULL when text is one of these, else the reason, a constant. */
const char *device_check(const char *text);

/** True when both name one device, whatever its arguments. Kernel sockets are no device. */
bool device_same(const char *a, const char *b);

#endif
