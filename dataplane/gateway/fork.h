/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_FORK_H
#define GATEWAY_FORK_H

#include "internal.h"

/* Requests of the core that go to several flows at once (RFC 3261 16.6, 16.7), for the files of
 * this layer only. Their core's side is a transaction with termination.fork, of the home worker of
 * who is called; each branch is one of its flow's worker, as any other but for termination.branch.
 */

#define FORK_BRANCHES_MAX 16 /* block.contacts is 16 at most */

/* fork.c */
bool fork_open(struct gateway *gw);
void fork_close(struct gateway *gw);
/** The request in gw->message may go to so many flows: one more fork, half of the transactions, and
 * of the blocks for long heads when its head is long, are left to others. False: counted. */
bool fork_has_room(const struct gateway *gw, uint32_t count);
/** The request in gw->message, not in a dialog, goes to these flows of who is called, at most
 * FORK_BRANCHES_MAX; fork_has_room() was true. It is answered in any case. */
void fork_begin(struct gateway *gw, const struct mw_source *source, const struct identity *called,
		const struct handle *flow, uint32_t count);
/** t is the core's side of several, and has no final response yet. */
bool fork_is(const struct transaction *t);
/** The core has cancelled t, which fork_is(). */
void fork_cancel(struct gateway *gw, struct transaction *t);
/** The same when its branches have been silent for too long. */
void fork_overdue(struct gateway *gw, struct transaction *t);

/** t is a branch, and has no final response yet. */
bool fork_has(const struct transaction *t);
/** Another one has the call, or nobody is to have it: what rings there is not the core's matter. */
bool fork_has_cancelled(const struct transaction *t);
/** What a branch is found by, in place of transaction_key(): that is its fork's. */
uint64_t fork_branch_key(const struct gateway *gw, const struct fork_branch *branch);
/** The fork of this branch hears that it has failed so, of this node and not of a WIC. */
void fork_tell(struct gateway *gw, const struct fork_branch *branch, uint16_t status);
/** The fork of t, which fork_has(), hears of a response; bytes: itself, empty where the core has
 * it. With a final one it is a branch no more. */
void fork_says(struct gateway *gw, struct transaction *t, uint16_t status, struct span bytes);
/** t, of any kind, is about to be freed. */
void fork_transaction_over(struct gateway *gw, struct transaction *t);

#endif
