/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdint.h>

/** A kernel UDP socket that sends to an echo and counts what comes back. */

/** Echoes a second for datagrams of bytes, window of them under way, for ms. */
double client_rate(uint32_t bytes, uint32_t window, uint32_t ms);

struct client_latency {
	double p50_us, p99_us;
	uint32_t lost;
};
/** One at a time, pause_us between two: what a sleeping worker costs. */
struct client_latency client_latency(uint32_t rounds, uint32_t pause_us);

/** Until the echo answers, 5 s at most. 0: it does. */
int client_wait(void);

#endif
