/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

#include <stdio.h>

/* Reading and writing SIP for the scripts: not the gateway's parser, so that each checks the other.
 */

void text_add(struct writer *w, const char *format, ...)
{
	char text[2048];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	writer_bytes(w, text, n < (int)sizeof(text) ? (uint32_t)n : (uint32_t)sizeof(text) - 1);
}

/** The next line without its end; len 0 and at NULL after the head. */
static struct span next_line(struct span *rest)
{
	uint32_t end = span_find(*rest, '\n');
	struct span line = span_cut(*rest, 0, end);

	*rest = span_from(*rest, end + 1);
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		line.at = NULL;
	return line;
}

static bool is_header(struct span line, struct span name, struct span *value)
{
	uint32_t colon;

	if (((line.at[0] ^ name.at[0]) & 0x5f) != 0)
		return false; /* most of them */
	colon = span_find(line, ':');
	*value = span_trim(span_from(line, colon + 1));
	return colon < line.len && span_equal_nocase(span_trim(span_cut(line, 0, colon)), name);
}

struct span text_header(struct span message, const char *name, uint32_t n)
{
	struct span line = next_line(&message), value;

	while ((line = next_line(&message)).at != NULL)
		if (is_header(line, span_text(name), &value) && n-- == 0)
			return value;
	return (struct span){0};
}

uint32_t text_count(struct span message, const char *name)
{
	struct span line = next_line(&message), value;
	uint32_t count = 0;

	while ((line = next_line(&message)).at != NULL)
		count += is_header(line, span_text(name), &value);
	return count;
}

void text_copy(struct writer *w, struct span message, const char *name)
{
	struct span line = next_line(&message), value;

	while ((line = next_line(&message)).at != NULL)
		if (is_header(line, span_text(name), &value)) {
			writer_put(w, line);
			writer_text(w, "\r\n");
		}
}

bool text_has(struct span haystack, const char *needle)
{
	return haystack.len > 0 &&
	       memmem(haystack.at, haystack.len, needle, strlen(needle)) != NULL;
}

uint64_t text_number(struct span s, const char *marker, uint64_t fallback)
{
	const uint8_t *at = s.len > 0 ? memmem(s.at, s.len, marker, strlen(marker)) : NULL;
	uint64_t value = 0;
	struct span digits;

	if (at == NULL)
		return fallback;
	digits = span_from(s, (uint32_t)(at - s.at) + (uint32_t)strlen(marker));
	if (digits.len == 0 || digits.at[0] < '0' || digits.at[0] > '9')
		return fallback;
	for (uint32_t i = 0; i < digits.len && digits.at[i] >= '0' && digits.at[i] <= '9'; i++)
		value = value * 10 + (uint64_t)(digits.at[i] - '0');
	return value;
}

uint16_t text_status(struct span message)
{
	if (!span_starts(message, SPAN("SIP/2.0 ")))
		return 0;
	return (uint16_t)text_number(span_cut(message, 0, 12), "SIP/2.0 ", 0);
}
