/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

#include <stddef.h>

#include "netif.h"

/** Bytes of a frame that a capture keeps: more than any MTU that can be set, less than half of the
 * smallest mailbox ring. */
#define CAPTURE_SNAP 16384u

/**
 * Compiles a filter in libpcap's language ("udp port 5060"; empty: everything) for Ethernet frames.
 * May block on the name service, as the language has host names: not on the control loop.
 * GW_CONFIG, with libpcap's words or ours in why of why_size bytes; GW_NO_MEMORY.
 */
enum gw_err GW_MUST_CHECK capture_filter_compile(const char *text, struct capture_filter *filter,
						 char *why, size_t why_size);

#endif
