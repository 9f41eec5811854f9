/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EAL_ARGUMENTS_H
#define EAL_ARGUMENTS_H

#include <sched.h>

#include "config.h"

/** What this machine offers an EAL. */
struct eal_host {
	cpu_set_t allowed;	  /* processors of this process */
	uint64_t free_huge_bytes; /* in huge pages of any size that nobody has */
};

#define EAL_ARGUMENTS_MAX 128
#define EAL_ARGUMENTS_TEXT 16384

/** An argument vector with its text; at[] points into it, so it is not copied or moved. */
struct eal_arguments {
	char *at[EAL_ARGUMENTS_MAX + 1]; /* ends with NULL */
	int count;
	char text[EAL_ARGUMENTS_TEXT];
	size_t used; /* bytes of text */
	bool full;   /* it did not fit: not to be used */
};

/**
 * Fills *made with what rte_eal_init() is to be called with:
 * - lcore 0 on every processor that no worker has when there is one, lcore 1 + w on worker w's
 * core;
 * - for each port "-a" (a device on a bus, known by the colon of its address) or "--vdev";
 *   "kernel" and "tap:" devices are none of EAL's. Without any -a no bus is probed (--no-pci);
 * - memory for the packets of all ports: --in-memory when the free huge pages suffice, else
 *   --no-huge with -m, which needs no privilege;
 * - last the words of eal:, which may overrule the memory.
 * Reads nothing but its arguments.
 */
void eal_arguments_make(const struct config *config, const struct eal_host *host,
			struct eal_arguments *made);

/** MiB that the packets of all configured ports and DPDK's own tables take. */
uint64_t eal_arguments_mib(const struct config *config);

#endif
