/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TICKETS_H
#define TICKETS_H

#include "parts.h"

/**
 * The keys of session tickets, for all workers and over a restart: ticket.keys in the state
 * directory, mode 0600. Lines "MADE HEX", newest first: Unix time in seconds, and 80 bytes: name,
 * AES key, HMAC key. The first makes tickets, all open them.
 */
struct tickets {
	struct ticket_key key[TICKET_KEYS_MAX];
	uint64_t made_s[TICKET_KEYS_MAX];
	uint32_t count;
};

/**
 * Reads the keys of an earlier run from the state directory; none are there yet: none. NULL, or why
 * not, in why of why_size bytes. Blocks on the file system.
 */
const char *tickets_open(struct tickets *tickets, int folder, char *why, size_t why_size);

/** True when there is no key, or the newest is rotation_s old, or of a time that is still to come.
 */
bool tickets_due(const struct tickets *tickets, uint64_t now_s, uint32_t rotation_s);

/**
 * Puts a new key before the others, and lets go of the oldest and of all that are too old to be
 * kept. False: there were no random bytes, nothing has changed. True, and why says nothing or, in
 * why_size bytes, why the keys are not on the disk: they are used all the same, until a restart.
 */
bool tickets_rotate(struct tickets *tickets, int folder, uint64_t now_s, uint32_t rotation_s,
		    char *why, size_t why_size);

/** The part that workers read. NULL: no memory. */
struct ticket_part *tickets_part(const struct tickets *tickets);

/** Wipes the keys. */
void tickets_close(struct tickets *tickets);

#endif
