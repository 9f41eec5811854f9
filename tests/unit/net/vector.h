/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VECTOR_H
#define VECTOR_H

#include "bytes.h"

/** The frames of tests/vectors/net and the table that says what is wrong with them. */

struct vector {
	char name[64];
	enum gw_err expected;
	struct bytes frame;
};

/** Reads name.hex; fails the test when it cannot. */
struct bytes vector_read(const char *name);
/** Calls each for every row of SOURCE.md; how many there are. */
uint32_t vector_each(void (*each)(const struct vector *vector));
/** How many .hex files there are, in the table or not. */
uint32_t vector_files(void);

#endif
