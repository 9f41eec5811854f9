/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TABLE_H
#define TABLE_H

#include <jansson.h>
#include <stdio.h>

/**
 * Prints an answer of the node for people: a list of objects as a table with a column for each
 * member of its first row, an object as lines "name value", anything else as it stands.
 */
void table_print(const json_t *answer, FILE *out);

#endif
