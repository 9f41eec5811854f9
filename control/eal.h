/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EAL_H
#define EAL_H

#include "config.h"

struct eal;

/**
 * Starts DPDK's EAL for the configured workers and ports: lcore 0 is control, lcore 1 + w is worker
 * w on its core; the devices of the ports are made or probed, and no other (eal_arguments.h has the
 * rules). A device that cannot be made does not end the start: its port says so when it is opened.
 * Blocks for about 0.2 s. *started is the caller's until eal_stop(). GW_SYSTEM, with the reason in
 * why of why_size bytes.
 */
enum gw_err GW_MUST_CHECK eal_start(const struct config *config, struct eal **started, char *why,
				    size_t why_size);

/** Runs run(context) on the lcore of worker w. */
enum gw_err GW_MUST_CHECK eal_launch(uint16_t w, int (*run)(void *), void *context);

/** Waits until every launched function has returned, and gives all back. NULL does nothing. */
void eal_stop(struct eal *eal);

#endif
