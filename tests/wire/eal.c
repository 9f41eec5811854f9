/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"

#include <rte_eal.h>

int wire_eal_start(void **state)
{
	/* EAL keeps and permutes the pointers */
	static char words[][24] = {"wire",
				   "--no-huge",
				   "-m",
				   "256",
				   "--no-pci",
				   "--no-shconf",
				   "--no-telemetry",
				   "--lcores=0",
				   "--log-level=*:3"};
	static char *arguments[sizeof(words) / sizeof(words[0])];
	const int count = sizeof(words) / sizeof(words[0]);

	(void)state;
	for (int i = 0; i < count; i++)
		arguments[i] = words[i];
	return rte_eal_init(count, arguments) >= 0 ? 0 : -1;
}

int wire_eal_stop(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}
