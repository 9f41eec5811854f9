/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ERRAND_H
#define ERRAND_H

#include <uv.h>

#include "mailbox.h"
#include "message.h"

/**
 * Commands to workers that are answered by one row each, or by a few at once. A ring that is full
 * is tried again until the deadline. Lists of rows are control/fetch.h's; the two never give out
 * the same id.
 */
struct errands;

struct errands_config {
	uv_loop_t *loop;
	struct mailbox_hub *hub;
	uint16_t workers; /* control is endpoint number workers */
};

struct errand {
	enum command_kind what;
	struct endpoint peer; /* of the command */
	struct span body;     /* that follows it; copied */
	uint16_t workers;     /* asks workers 0..workers-1 */
	uint32_t row_size;
	uint32_t rows_max; /* in one answer; 0: 1 */
	uint32_t deadline_ms;
	void *context;
	/** A row of a worker's answer, row_size bytes. */
	void (*row)(void *context, uint16_t worker, const void *row);
	/** The end, once: GW_OK, all have answered; GW_BUSY, the deadline has come; GW_STOPPING. */
	void (*end)(void *context, enum gw_err err);
};

/** NULL: no memory. */
struct errands *errands_new(const struct errands_config *config);

/** Ends what is under way; memory goes when the loop has closed the timer. NULL does nothing. */
void errands_close(struct errands *errands);

/** GW_NO_MEMORY: nothing happens. GW_OK: end follows, never from inside this call. */
enum gw_err GW_MUST_CHECK errands_start(struct errands *errands, const struct errand *errand);

/** Takes a MESSAGE_ANSWER of worker from; one that nobody waits for is ignored. */
void errands_answer(struct errands *errands, uint16_t from, struct span message);

#endif
