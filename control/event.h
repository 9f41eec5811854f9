/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT_H
#define EVENT_H

#include "log.h"
#include "message.h"

/**
 * Writes what a worker tells as a line of the log: event=registered worker=0 peer=... What follows
 * the event is its trace. A message that is too short or names no event of ours is itself an event.
 */
void event_log(struct log *log, uint16_t worker, struct span message);

/** The name under which an event is logged; NULL for a value outside the list. */
const char *event_name(enum event_kind kind);

#endif
