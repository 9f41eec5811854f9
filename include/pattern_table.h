/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PATTERN_TABLE_H
#define PATTERN_TABLE_H

#include "parts.h"

/** Whether expression id of the database matches text. worker: whose scratch it is scanned with. */
bool pattern_matches(const struct pattern_database *database, uint16_t worker, uint32_t id,
		     struct span text);

/** Whether any expression of the database, which may be NULL, matches text. */
bool pattern_any(const struct pattern_database *database, uint16_t worker, struct span text);

/**
 * Whether impu, canonical, is an identity of the wildcard of that row, whose database it is
 * (PROTOCOL 1.4): its fixed parts, and what is between them matches from end to end; and of those
 * that the core has named, where it has. It is not when it is a wildcard itself, of any row of the
 * part.
 */
bool pattern_row_has(const struct pattern_part *part, uint16_t worker, uint32_t row,
		     struct span impu);

#endif
