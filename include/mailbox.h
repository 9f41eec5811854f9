/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdatomic.h>

#include "gw_err.h"
#include "span.h"

/**
 * How threads talk: one byte ring from each endpoint to each other one, single writer, single
 * reader, lock-free, bounded in bytes. A message is copied in and read in place, so no memory
 * changes hands and a sender that dies owes nothing. (rte_ring would move pointers into a pool
 * shared by threads.) Endpoints are the workers 0..n-1 and control, endpoint n.
 *
 * Sleep: the receiver calls mailbox_sleep_begin() (publishes "asleep", then looks once more at its
 * rings), waits on mailbox_wake_fd() and calls mailbox_sleep_end(). A sender wakes it only when it
 * sees "asleep". Both sides order their two accesses sequentially consistent, so that one of them
 * always sees the other's.
 */

struct mailbox_hub;

/** How a sleeper is woken. fd: an eventfd is written. The simulator gives a function instead. */
typedef void mailbox_wake(void *context, uint16_t endpoint);

/**
 * Makes the rings for endpoints threads, each ring of ring_bytes (a power of two, at least 4 KiB;
 * a message with its 16-byte record head may take up to half of it). wake NULL: eventfds. NULL: no
 * memory or descriptors.
 */
struct mailbox_hub *mailbox_hub_new(uint16_t endpoints, uint32_t ring_bytes, mailbox_wake *wake,
				    void *wake_context);

/** Frees it; every endpoint must have ended. NULL does nothing. */
void mailbox_hub_free(struct mailbox_hub *hub);

/**
 * Copies head and body, one after the other, as one message to endpoint to. Wakes it when asleep.
 * GW_QUEUE_FULL: nothing was sent, the caller counts it; GW_NO_ROOM: longer than half a ring.
 * Never blocks.
 */
enum gw_err GW_MUST_CHECK mailbox_send(struct mailbox_hub *hub, uint16_t from, uint16_t to,
				       struct span head, struct span body);

/** Gets one message; bytes are 16-byte aligned, borrowed for the call. */
typedef void mailbox_handler(void *context, uint16_t from, struct span message);

/**
 * Hands at most max messages to handler, round robin over the senders, in order for each. Returns
 * how many. The handler may send.
 */
uint32_t mailbox_receive(struct mailbox_hub *hub, uint16_t self, uint32_t max,
			 mailbox_handler *handler, void *context);

/** True when no message waits for self. */
bool mailbox_empty(const struct mailbox_hub *hub, uint16_t self);

/**
 * Says that self goes to sleep. False: a message is there, do not sleep (and asleep is taken
 * back). True: sleep on mailbox_wake_fd(), then call mailbox_sleep_end().
 */
bool mailbox_sleep_begin(struct mailbox_hub *hub, uint16_t self);
void mailbox_sleep_end(struct mailbox_hub *hub, uint16_t self);

/** True when self has said that it sleeps and nobody has woken it since. */
bool mailbox_asleep(const struct mailbox_hub *hub, uint16_t self);

/** The eventfd that becomes readable when self is woken; -1 with a wake function. */
int mailbox_wake_fd(const struct mailbox_hub *hub, uint16_t self);

/**
 * Wakes endpoint to without a message (a stop flag was set), or keeps it from its next sleep. Any
 * thread may call it.
 */
void mailbox_nudge(struct mailbox_hub *hub, uint16_t to);

uint16_t mailbox_endpoints(const struct mailbox_hub *hub);

#endif
