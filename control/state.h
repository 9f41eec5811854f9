/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STATE_H
#define STATE_H

#include "arena.h"
#include "parts.h"

/**
 * What outlives a restart, in the state directory: mode 0700, files 0600, refused when others may
 * read or write them or when they are not ours.
 *   flow.keys  lines "ID HEX": id 0..255 and 32 bytes. The first signs flow tokens, all verify.
 *   hash.key   "HEX", 16 bytes: the key of identity hashes in logs and lists.
 *   epoch      number of starts.
 * Others keep their own files there: control/tickets.h.
 */
struct state {
	int folder; /* descriptor, locked: one process at a time */
	struct flow_key flow_key[FLOW_KEYS_MAX];
	uint32_t flow_key_count;
	uint8_t hash_key[16];
	uint32_t epoch; /* where slot generations of this run begin: never 0; each start is 2^20
			   beyond the last one, modulo 2^32 */
};

/**
 * Opens the state directory at path, making it (not its parents) and what is missing in it, and
 * counts this start. NULL when all is well; else why not, in why of why_size bytes, with *state
 * closed. Blocks on the file system, writes through to the disk.
 */
const char *state_open(struct state *state, const char *path, char *why, size_t why_size);

/** Wipes the keys and lets the folder go. */
void state_close(struct state *state);

#endif
