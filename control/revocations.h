/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REVOCATIONS_H
#define REVOCATIONS_H

#include "revocation_file.h"

/**
 * What operators have taken back: tokens by the hash of their jti until they have expired anyway,
 * keys of an issuer and web sites until they are given back. Kept in the state directory: a change
 * is on the disk before the call that makes it returns, so that it survives whatever comes next,
 * and has not happened when the call fails. Control's; each change and each failure is an event of
 * the log.
 */
struct revocations;

struct revocations_config {
	int folder;	    /* descriptor of the state directory, locked; outlives the list */
	const uint8_t *key; /* 16 bytes: the hash key of the state directory; copied */
	struct log *log;    /* outlives the list */
	uint64_t now_s;	    /* Unix time; what ended before is left out */
	uint32_t max;	    /* limits.max_revocations */
};

/**
 * Reads what was kept. NULL: why, of why_size bytes, has the file, its line and the fault; a node
 * that would forget what was revoked must not start. What is above max is kept, and nothing is
 * added to it.
 */
struct revocations *revocations_open(const struct revocations_config *config, char *why,
				     size_t why_size);

/** NULL does nothing. */
void revocations_close(struct revocations *list);

/** After a reload. */
void revocations_bound(struct revocations *list, uint32_t max);

/**
 * Takes r back; a token that is there already stays so until the later of both times. NULL, or why
 * not, with nothing changed; the text lives until the next call. Blocks on the disk.
 */
const char *revocations_add(struct revocations *list, const struct revocation *r);

/** Gives r back. NULL, or why not, with nothing changed. Blocks on the disk. */
const char *revocations_end(struct revocations *list, const struct revocation *r);

/** Drops tokens whose time has come and tells how many. To be called again and again; costs nothing
 * while there are none. */
uint32_t revocations_expire(struct revocations *list, uint64_t now_s);

uint32_t revocations_count(const struct revocations *list);

bool revocations_has(const struct revocations *list, const struct revocation *r);

/** True when the key kid of the issuer of that name is taken back. list may be NULL. */
bool revocations_has_key(const struct revocations *list, struct span issuer, struct span kid);

/** Calls visit for each, in the order tokens, keys, web sites. It changes nothing of the list. */
void revocations_each(const struct revocations *list,
		      void (*visit)(void *context, const struct revocation *r), void *context);

/** The part that workers see: tokens and web sites. Keys are left out of key_part instead. */
struct revocation_part *revocations_part(const struct revocations *list);

#endif
