/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_INTERNAL_H
#define CAPTURE_INTERNAL_H

#include "capture.h"
#include "capture_file.h"
#include "capture_filter.h"

/* What capture.c, its life and its frames, and capture_end.c share. */

enum { CAPTURE_WORKERS_MS = 2000, CAPTURE_WHY_MAX = 300 };

enum capture_state {
	CAPTURE_IDLE,
	CAPTURE_COMPILING, /* on the thread pool */
	CAPTURE_STARTING,  /* workers are told */
	CAPTURE_RUNNING,
	CAPTURE_STOPPING, /* workers are told; what they have sent before still comes */
};

struct capture {
	struct capture_config config;
	enum capture_state state;
	bool closing, timer_closed;
	uv_work_t work;
	uv_timer_t timer;
	struct cli_request *request; /* who waits for the step under way, or NULL */
	uint64_t deadline_ms;	     /* of the one that starts it */
	char *filter_text, *path;
	uint32_t seconds;
	char *interface[NETIFS_MAX];
	uint32_t interfaces;
	struct capture_filter filter;
	enum gw_err err; /* of the step under way */
	char why[CAPTURE_WHY_MAX];
	struct capture_file *file;
	uint64_t lost_before;
	uint64_t dropped;	 /* came here and are not in the file */
	uint64_t wall_offset_us; /* wall clock less monotonic clock */
	json_t *last;		 /* what came of it; NULL: none has ended */
};

/** Lets the one go who waits: with an answer, or with c->why. */
void capture_answer(struct capture *c, json_t *answer_owned);
void capture_refuse(struct capture *c);

void capture_forget_order(struct capture *c);

/** An errand to every worker that is answered by struct row_done; the first error goes to c->err.
 */
struct errand capture_errand(struct capture *c, enum command_kind what);

/** Tells every worker to stop, then finishes; the reason is in c->why. */
void capture_begin_stop(struct capture *c);

/** Closes the file and says what came of it. */
void capture_finish(struct capture *c);

#endif
