/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FILE_WORD_H
#define FILE_WORD_H

#include <stddef.h>

/**
 * Makes the FILE among the arguments of `capture FILTER FILE [SECONDS]` absolute, because the node
 * has another working directory: the last argument, or the one before a last one of digits only.
 * text, of size bytes, keeps it. NULL, or why not.
 */
const char *file_word_absolute(char **arguments, int count, char *text, size_t size);

#endif
