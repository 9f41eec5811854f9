/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EAL_H
#define EAL_H

#include "config.h"

/**
 * Starts DPDK's EAL for the configured workers: lcore 0 is control, on every processor that no
 * worker has when there is one, lcore 1 + w is worker w on its core. Memory is --in-memory when
 * huge pages are free, else --no-huge; no PCI device is ever touched unless node options in eal:
 * name one. Blocks for about 0.2 s. GW_SYSTEM, with the reason in why of why_size bytes.
 */
enum gw_err GW_MUST_CHECK eal_start(const struct config *config, char *why, size_t why_size);

/** Runs run(context) on the lcore of worker w. */
enum gw_err GW_MUST_CHECK eal_launch(uint16_t w, int (*run)(void *), void *context);

/** Waits until every launched function has returned, and gives the EAL's resources back. */
void eal_stop(void);

#endif
