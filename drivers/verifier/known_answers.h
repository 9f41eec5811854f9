/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNOWN_ANSWERS_H
#define KNOWN_ANSWERS_H

#include "verifier.h"

/**
 * Signatures that every driver has to find good when it opens, and bad once a bit is changed: a
 * driver has no algorithm that does not pass.
 */

/**
 * Fills job with a good signature of alg (key.id 0, which no published key has). Each algorithm's
 * text and key are the standards' own examples, named in the source.
 */
void known_answer(enum jws_alg alg, struct verify_job *job);

#endif
