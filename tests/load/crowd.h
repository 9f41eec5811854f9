/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CROWD_H
#define CROWD_H

#include "wic.h"

/** All WICs, and when they do what: ramp, hold, churn, return, settle, leave. */
struct crowd;

/** options, pairs, mint and tally are borrowed. NULL: the reason is on standard error. */
struct crowd *crowd_new(const struct options *options, const struct pairs *pairs, struct mint *mint,
			struct tally *tally);
void crowd_free(struct crowd *c);

/**
 * Plays the whole run; every phase has an end whatever the server does. SIGINT or SIGTERM:
 * everybody leaves at once. False: a system call failed that has to work.
 */
bool crowd_run(struct crowd *c);

#endif
