/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NAMED_H
#define NAMED_H

#include <uv.h>

#include "config.h"
#include "expressions.h"
#include "log.h"
#include "message.h"

/**
 * The wildcards that the core says blocks have (PROTOCOL 8.3, D-26), as the blocks' home workers
 * have heard it. They are read and compiled on the thread pool, of one web site and one way to say
 * it at a time; its identities are then those that are in one of them and in the configured one.
 * Where the configured one is among them, or one of them cannot be read or is too much, which the
 * log is told, that way sets no bound: the configuration counts. All on the control thread.
 */
struct named;

/** Wildcards of one way that are read; who names more sets no bound. */
enum { NAMED_MAX = 32 };

struct named_config {
	uv_loop_t *loop;
	struct log *log;
	/** The live configuration. */
	const struct config *(*live)(void *context);
	/** Takes named_bound() of all web sites and puts it live. An error: called again with the
	 * next tick. */
	enum gw_err (*publish)(void *context);
	void *context;
};

/** Nothing is named yet. NULL: no memory. */
struct named *named_new(const struct named_config *config);

/** Ends what is under way; the loop has to run until its requests have gone. NULL does nothing. */
void named_close(struct named *named);

/** Takes a MESSAGE_BLOCK_NAMED of a worker. False: it is another message. */
bool named_message(struct named *named, struct span message);

/** Another configuration has become live: forgets the web sites that it does not have. */
void named_configure(struct named *named);

/** Publishes what could not be. Several times a second. */
void named_tick(struct named *named);

/** The database of what by says the wildcards of site are: of all of a canonical identity. NULL:
 * it sets no bound. Borrowed until the next call of another function here, or held. named: NULL:
 * nothing was named. */
struct expressions *named_bound(const struct named *named, const struct config_wwsf *site,
				enum block_named_by by);

/** How the core's word about the block of that web site stands to its configuration, for people:
 * "none", "configured", "narrowed" or "unread"; where the two ways differ, that which says most.
 * named may be NULL. */
const char *named_state(const struct named *named, struct span wwsf);

#endif
