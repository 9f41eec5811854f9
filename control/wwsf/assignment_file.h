/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ASSIGNMENT_FILE_H
#define ASSIGNMENT_FILE_H

#include "gw_err.h"
#include "reason.h"
#include "span.h"

/** Bytes of a visitor's name in the file: of the SHA-256 of his sub. */
#define ASSIGNMENT_SUBJECT 16

/** One line: a pair is a visitor's until a time. The IMPU is lent by whoever made it. */
struct assignment_line {
	uint64_t until_s;
	uint8_t subject[ASSIGNMENT_SUBJECT];
	struct span impu;
};

/**
 * Reads a line, with its end, off the front of *rest.
 *
 * Returns GW_OK and *line; GW_AGAIN, its end is missing: a line that was not written whole;
 * GW_CONFIG, it is no such line. *rest is untouched but on GW_OK.
 */
enum gw_err assignment_line_read(struct span *rest, struct assignment_line *line) GW_MUST_CHECK;

/** Puts a line behind the others in the file, and waits until it is on the disk. False, with errno,
 * when it is not. */
bool assignment_file_add(int fd, const struct assignment_line *line) GW_MUST_CHECK;

/**
 * Begins a file anew beside the one at path. Lines are added by assignment_file_put().
 *
 * Returns a descriptor, or -1 with errno.
 */
int assignment_file_begin(const char *path) GW_MUST_CHECK;

/** Puts a line behind the others, without waiting. False, with errno. */
bool assignment_file_put(int fd, const struct assignment_line *line) GW_MUST_CHECK;

/** Puts what was begun in the place of the file at path, on the disk. False, with errno. */
bool assignment_file_end(const char *path, int fd) GW_MUST_CHECK;

#endif
