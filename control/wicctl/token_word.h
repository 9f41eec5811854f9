/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOKEN_WORD_H
#define TOKEN_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Whether the arguments of `explain [--origin ORIGIN] [TOKEN]` are without the token: it is then
 * read, so that it is in no list of processes. */
bool token_word_missing(char **arguments, int count);

/** Reads a token, white space around it left out, into text of size bytes. NULL, or why not. */
const char *token_word_read(FILE *in, char *text, size_t size);

#endif
