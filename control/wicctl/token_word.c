/* SPDX-License-Identifier: BSD-3-Clause */
#include "token_word.h"

#include <string.h>

static const char white[] = " \t\r\n";

bool token_word_missing(char **arguments, int count)
{
	return count == 0 || (count == 2 && strcmp(arguments[0], "--origin") == 0);
}

const char *token_word_read(FILE *in, char *text, size_t size)
{
	size_t len = fread(text, 1, size - 1, in), before;

	text[len] = '\0';
	before = strspn(text, white);
	if (strlen(text) < len || len == size - 1)
		return "what is on standard input is no token";
	while (len > before && strchr(white, text[len - 1]) != NULL)
		len--;
	memmove(text, text + before, len - before);
	text[len - before] = '\0';
	if (text[0] == '\0')
		return "no TOKEN on standard input";
	return strpbrk(text, white) == NULL ? NULL : "more than a TOKEN is on standard input";
}
