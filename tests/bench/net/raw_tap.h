/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RAW_TAP_H
#define RAW_TAP_H

#include <stdatomic.h>
#include <stdbool.h>

/** The least that can echo over a TAP descriptor: read, swap, write. The baseline of the table. */
struct raw_tap {
	int fd;
	_Atomic bool sleeps; /* where nothing waits; else it polls */
	_Atomic bool stop;
	_Atomic unsigned long cpu_us; /* of its thread, each time it sleeps */
};

int raw_tap_open(struct raw_tap *tap, const char *interface);
void *raw_tap_run(void *tap);

#endif
