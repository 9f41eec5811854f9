/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_FILE_H
#define CONTROL_FILE_H

#include "arena.h"

/**
 * Reads a whole regular file of at most max bytes into arena. NULL on success; else why not, a
 * constant text without the path. *text is terminated by a zero byte outside its
 * length. Blocks on the file system.
 */
const char *file_read(const char *path, uint32_t max, struct arena *arena, struct span *text);

/** The same of an open file that has not been read from. */
const char *file_read_from(int fd, uint32_t max, struct arena *arena, struct span *text);

/** path as it stands when absolute, else in the folder of the file from. Lives in arena. */
const char *file_beside(const char *from, const char *path, struct arena *arena);

#endif
