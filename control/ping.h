/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PING_H
#define PING_H

#include "cli.h"
#include "errand.h"

enum { PING_COUNT = 3, PING_COUNT_MAX = 10 };

/**
 * Takes the request and pings peer count times (at most PING_COUNT_MAX), the next when the former
 * is answered or a second has gone, as long as the request's deadline allows. Ends it with
 * {"ping": {"address", "sent", "received", "rtt_us": [...]}}, and "error" in it when nothing came
 * back or nothing could be sent.
 */
void ping_start(struct errands *errands, uv_loop_t *loop, struct cli_request *request,
		const struct endpoint *peer, uint32_t count);

#endif
