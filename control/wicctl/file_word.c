/* SPDX-License-Identifier: BSD-3-Clause */
#include "file_word.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** NULL: there is none. */
static char **file_word_find(char **arguments, int count)
{
	int last = count - 1;

	if (count > 1 && strspn(arguments[last], "0123456789") == strlen(arguments[last]))
		last--;
	/* a filter without a FILE behind it does not become one: "udp port 5060" */
	return count > 0 && strpbrk(arguments[last], "/.") != NULL ? &arguments[last] : NULL;
}

const char *file_word_absolute(char **arguments, int count, char *text, size_t size)
{
	char **file;
	size_t used;

	if (count == 1 && strcmp(arguments[0], "stop") == 0)
		return NULL;
	file = file_word_find(arguments, count);
	if (file == NULL)
		return "FILE missing: a path with '/' or '.' in it, as in trace.pcapng";
	if (strchr(*file, ' ') != NULL)
		return "a FILE with a space in its path cannot be sent";
	if ((*file)[0] == '/')
		return NULL;
	if (getcwd(text, size) == NULL || strchr(text, ' ') != NULL)
		return "the path of this folder cannot be sent, give an absolute FILE";
	used = strlen(text);
	if ((size_t)snprintf(text + used, size - used, "/%s", *file) >= size - used)
		return "the path of FILE is too long";
	*file = text;
	return NULL;
}
