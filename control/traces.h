/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACES_H
#define TRACES_H

#include "cli.h"
#include "errand.h"
#include "log.h"

/**
 * The SIP traces of the node, TRACES_MAX at a time. Each is a filter that all workers have, and a
 * stream to who asked for it: {"trace": {"state": "running", ...}}, then a line
 * {"message": {...}} for each SIP message, in the order in which workers handed them over, then
 * {"trace": {"state": "ended", "why", "messages", "lost"}}. It ends when its time is over, when it
 * has had as many messages as it was to have, or when its client goes. Who looked at whom is in the
 * log.
 */
struct traces;

enum { TRACE_SECONDS = 60, TRACE_SECONDS_MAX = 3600, TRACE_COUNT_MAX = 1000000 };

struct traces_config {
	uv_loop_t *loop;
	struct errands *errands;
	struct log *log;
	uint16_t workers;
};

/** What is asked for. */
struct trace_order {
	struct trace_filter filter; /* its id is set here */
	uint32_t count;		    /* messages; 0: no limit */
	uint64_t hash;		    /* of the identity, for the log; 0: by Call-ID */
};

/** NULL: no memory. */
struct traces *traces_new(const struct traces_config *config);

/** Ends all without asking the workers. Errands are closed already. Memory goes when the loop has
 * closed the timers. NULL does nothing. */
void traces_close(struct traces *traces);

/** Takes the request. */
void traces_start(struct traces *traces, struct cli_request *request,
		  const struct trace_order *order);

/** Takes a MESSAGE_TRACED of worker from. */
void traces_message(struct traces *traces, uint16_t from, struct span message);

#endif
