/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROBLEM_H
#define PROBLEM_H

#include <stdint.h>
#include <stdio.h>

/**
 * What is wrong with a configuration and the files it names: all of it, each with file, line and
 * reason. Reasons never hold a secret; identities appear only as the line they stand on.
 */
struct problems;

/** Problems kept; more are counted only. */
enum { PROBLEMS_MAX = 200 };

enum problem_level { PROBLEM_ERROR, PROBLEM_WARNING };

struct problems *problems_new(void);

/** NULL does nothing. */
void problems_free(struct problems *problems);

/** Adds one. line counts from 1. */
void problems_add(struct problems *problems, enum problem_level level, const char *file,
		  uint32_t line, const char *format, ...) __attribute__((format(printf, 5, 6)));

/** Orders by file (the first named first) and line; what stands on one line stays in order. */
void problems_sort(struct problems *problems);

/** Errors so far, those not kept included: 0 means that the configuration is accepted. */
uint32_t problems_errors(const struct problems *problems);

/** Problems kept, errors and warnings. */
uint32_t problems_count(const struct problems *problems);

/** Problem i < problems_count() as "FILE:LINE: reason" or "FILE:LINE: warning: reason". */
const char *problems_text(const struct problems *problems, uint32_t i);
enum problem_level problems_level(const struct problems *problems, uint32_t i);

/** Prints one problem a line, and a line that says how many were left out. */
void problems_print(const struct problems *problems, FILE *out);

#endif
