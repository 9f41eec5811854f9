/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RELOAD_H
#define RELOAD_H

#include <uv.h>

#include "cli.h"
#include "config.h"

/**
 * Reloads: the configuration and the files that it names are read on the thread pool, one reload at
 * a time, and taken over on the loop when all of it has been checked. Meanwhile the loop does all
 * else that it does.
 */
struct reload;

struct reload_config {
	uv_loop_t *loop;
	const char *path; /* of the configuration */
	/** The live configuration: it stays while a reload is under way. */
	const struct config *(*live)(void *context);
	/** Makes next_owned live, or adds a problem that says why not; NULL: it was refused, the
	 * problems say why. Called on the loop, for each reload once unless it is closed. */
	void (*take)(void *context, struct config *next_owned, struct problems *problems);
	/** Ends the request of a reload; NULL: a signal asked, and nobody waits. */
	void (*done)(void *context, const struct problems *problems, struct cli_request *request);
	void *context;
};

/** The caller's until reload_close(). NULL: no memory. */
struct reload *reload_new(const struct reload_config *config);

/**
 * Begins a reload, whose request (NULL: nobody waits) done() ends. False: one is under way and who
 * asks is to be told so, or there is no memory. Without a request it is then begun when that one
 * has ended: what changed meanwhile is read.
 */
bool GW_MUST_CHECK reload_begin(struct reload *reload, struct cli_request *request);

/** Ends what is under way as refused; the loop has to run until its handles and requests have gone.
 * NULL does nothing. */
void reload_close(struct reload *reload);

#endif
