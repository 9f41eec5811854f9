/* SPDX-License-Identifier: BSD-3-Clause */
#include <strings.h>

#include <stdlib.h>

#include "world.h"

/* What a message says, as tests read it. */

/** The value at a line's start when the line is named so, else NULL. */
static const char *value_at(const char *at, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(at, name, n) != 0)
		return NULL;
	at += n + strspn(at + n, " \t");
	return *at == ':' ? at + 1 + strspn(at + 1, " \t") : NULL;
}

const char *line_n(const char *message, const char *name, uint32_t n)
{
	const char *end = strstr(message, CRLF CRLF), *at = strstr(message, CRLF);

	for (; at != NULL && at < end; at = strstr(at + 2, CRLF)) {
		const char *value = value_at(at + 2, name);

		if (value != NULL && n-- == 0)
			return format("%.*s", (int)strcspn(value, "\r"), value);
	}
	return NULL;
}

const char *line(const char *message, const char *name)
{
	return line_n(message, name, 0);
}

uint32_t lines(const char *message, const char *name)
{
	uint32_t n = 0;

	while (line_n(message, name, n) != NULL)
		n++;
	return n;
}

bool contains(const char *message, const char *text)
{
	return strcasestr(message, text) != NULL;
}

uint32_t status_of(const char *message)
{
	EXPECT(strncmp(message, "SIP/2.0 ", 8) == 0);
	return (uint32_t)strtoul(message + 8, NULL, 10);
}

uint64_t world_count(const _Atomic uint64_t *counter)
{
	return counter_read(counter);
}

void core_sends(const char *text)
{
	struct span original = span_text(text);
	uint8_t *copy = malloc(original.len);

	memcpy(copy, original.at, original.len);
	gateway_from_mw(world.gw, &world.source, span_of(copy, original.len));
	free(copy);
}
