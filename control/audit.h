/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef AUDIT_H
#define AUDIT_H

#include <uv.h>

#include "log.h"
#include "message.h"

/**
 * The audit stream: lines of key=value pairs as in the log, one for each start, refresh and end of
 * a registration and for each answer to and end of a call. A thread of libuv's pool writes them, so
 * that neither a full disk nor a slow file stops control: what does not fit meanwhile is lost, and
 * said to be: the next line has lost=N, the number since start, and the log an event.
 */
struct audit;

struct audit_config {
	uv_loop_t *loop;
	struct log *log;
	log_clock *clock;      /* NULL: the system's */
	uint32_t buffer_bytes; /* of lines that wait; 0: 256 KiB */
};

/** NULL: no memory. Writes nothing until audit_file(). */
struct audit *audit_new(const struct audit_config *config);

/** Lines go to the file at path from now on, which is opened anew in any case: where it is the same
 * one, somebody may have moved it away. "stderr": standard error; "": nowhere. */
void audit_file(struct audit *audit, const char *path);

/** Takes a MESSAGE_EVENT of a worker; one that is not for the stream is ignored. */
void audit_message(struct audit *audit, uint16_t worker, struct span message);

/** Lines lost since start. */
uint64_t audit_lost(const struct audit *audit);

/** Writes what waits and closes; memory goes when the loop has seen that done. NULL does nothing.
 */
void audit_close(struct audit *audit);

#endif
