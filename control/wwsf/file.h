/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FILE_H
#define FILE_H

#include <stdint.h>

#include "gw_err.h"
#include "reason.h"

/** A whole file in memory, followed by one zero byte that len does not count. Owner: whoever loaded
 * it. */
struct file {
	char *text;
	uint32_t len; /* bytes */
};

/**
 * Reads the file at path; blocks.
 *
 * max: bytes, the longest file accepted.
 * Returns GW_OK and *file, to be given to file_fini(); GW_SYSTEM or GW_NO_MEMORY; GW_CONFIG, longer
 * than max. On an error *reason says which file and why, and *file is untouched.
 */
enum gw_err file_load(const char *path, uint32_t max, struct file *file,
		      struct reason *reason) GW_MUST_CHECK;

/** Wipes and frees the text: it may be a private key. A zeroed struct file is fine. */
void file_fini(struct file *file);

#endif
