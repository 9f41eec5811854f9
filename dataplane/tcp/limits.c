/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

const struct tcp_limits tcp_limits_default = {
	.half_open = 32768,
	.time_waits = 65536,
	.sources = 16384,
	.send_packets = 16384,
	.held_packets = 8192,
	.source_half_open = 64,
	.source4_connections = 4096,
	.source6_connections = 128,
	.source_rate = 200,
	.source_burst = 400,
	.syn_rate = 5000,
};
