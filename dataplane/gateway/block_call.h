/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_BLOCK_CALL_H
#define GATEWAY_BLOCK_CALL_H

#include "registrar.h"

/* Requests of the core for identities of blocks (PROTOCOL 8.3), for the files of this layer only.
 */

/* block_call.c */
bool block_ways_open(struct gateway *gw);
void block_ways_close(struct gateway *gw);
/** The request in gw->message is for the Contact of a block, by a route that names no flow. */
bool block_call_is(const struct gateway *gw, const struct route_top *top);
/** It has just come. */
void block_call(struct gateway *gw, const struct mw_source *source, const struct route_top *top);
/** It has come to the worker of flow, which may have ended. */
void block_call_here(struct gateway *gw, const struct mw_source *source, struct handle flow,
		     const struct route_top *top);
/** One branch of it, in gw->message, has come to the worker of its flow: its fork hears what comes
 * of it. */
void block_call_branch(struct gateway *gw, const struct message_fork_branch *m);
/** Nobody of all those whom t, a fork's, has gone to is there: it is answered as where nobody has
 * registered (PROTOCOL 7.3). t may be gone then. */
void block_call_absent(struct gateway *gw, struct transaction *t);
/** Edits its Request-URI: the Contact of wic's binding (PROTOCOL 8.3). */
void block_call_edit(struct gateway *gw, const struct wic *wic);

/* terminate.c */
/** t's server side begins for the request in gw->message. b: the binding it is for; NULL: none, or
 * it is for several. */
void terminate_begin(struct gateway *gw, const struct mw_source *source, const struct binding *b,
		     const struct route_top *top, struct transaction *t);
/** The request in gw->message goes to wic. */
void terminate_local(struct gateway *gw, const struct mw_source *source, struct wic *wic,
		     const struct route_top *top);
/** The same for a branch of it. */
void terminate_branch(struct gateway *gw, const struct message_fork_branch *m, struct wic *wic,
		      const struct route_top *top);

#endif
