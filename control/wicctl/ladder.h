/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LADDER_H
#define LADDER_H

#include <jansson.h>
#include <stdio.h>

/** How much of a message is shown. */
enum ladder_form { LADDER_FIRST_LINES, LADDER_WHOLE };

/** Prints what stands above the ladder: WIC, wicgate, core. */
void ladder_head(FILE *out);

/** Prints a member "message" of a trace's line as an arrow from one to another. */
void ladder_message(const json_t *message, enum ladder_form form, FILE *out);

#endif
