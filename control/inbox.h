/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INBOX_H
#define INBOX_H

#include <uv.h>

#include "mailbox.h"

/**
 * Control's end of the mailbox on the control loop: receives before each sleep of the loop, says
 * that it sleeps, and is woken by the eventfd.
 */
struct inbox;

struct inbox_config {
	uv_loop_t *loop;
	struct mailbox_hub *hub;
	uint16_t endpoint; /* control's: the number of workers */
	mailbox_handler *handler;
	void *context; /* for handler */
};

/** NULL: no memory, or the eventfd cannot be watched. */
struct inbox *inbox_new(const struct inbox_config *config);

/** Stops receiving; memory goes when the loop has closed the handles. NULL does nothing. */
void inbox_close(struct inbox *inbox);

#endif
