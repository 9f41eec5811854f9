/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GENERATOR_H
#define GENERATOR_H

#include "pairs.h"

/**
 * Pairs made by rule (PROTOCOL 6.2): public identities by a POSIX extended regular expression of
 * which only literals, \ before punctuation, bracket expressions, {n} behind one of them, and
 * groups that are not nested are there, '.' being itself; private ones by a template with \1 to \9
 * for what the groups match. So all of each have one length, and every byte a set of its own.
 *
 * Adds a problem, on the line of the text that has it, for what is outside of this, for what varies
 * without being in the private identity, and for identities that would not be canonical. Fills
 * table (PAIRS_MADE), the caller's until pair_table_free(). False: it is untouched, a problem was
 * added.
 */
bool generator_read(const struct pairs_from *from, struct pair_table *table,
		    struct problems *problems);

enum generator_shared { GENERATOR_NOTHING, GENERATOR_IMPU, GENERATOR_IMPI };

/** What two generators have both, and an example of it, terminated: exact, however many pairs they
 * have. */
enum generator_shared generator_overlap(const struct pair_generator *a,
					const struct pair_generator *b,
					char example[IDENTITY_MAX + 1]);

#endif
