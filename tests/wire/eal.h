/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_EAL_H
#define WIRE_EAL_H

#include "test.h"

/** DPDK for a test program: no huge pages, no PCI, nothing shared with other processes. For
 * cmocka's group: 0 or -1. */
int wire_eal_start(void **state);
int wire_eal_stop(void **state);

/** TEST_MAIN() for tests that need it. */
#define WIRE_MAIN(title, ...) \
	int main(void) \
	{ \
		const struct CMUnitTest tests[] = {__VA_ARGS__}; \
		return cmocka_run_group_tests_name(title, tests, wire_eal_start, wire_eal_stop); \
	}

#endif
