/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static char *file_read(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t got;

	if (file == NULL)
		return NULL;
	got = getdelim(&text, &room, EOF, file);
	fclose(file);
	*len = got > 0 ? (size_t)got : 0;
	return text;
}

/** Printable ASCII without what JSON or SIP would read as their own. */
static bool identity_is_plain(struct span s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~' || strchr("\"\\<>,", s.at[i]) != NULL)
			return false;
	return s.len > 0 && s.len <= PAIRS_IDENTITY_MAX;
}

static bool pair_read(struct span line, struct pair *out)
{
	uint32_t comma = span_find(line, ',');

	out->impi = span_trim(span_cut(line, 0, comma));
	out->impu = span_trim(span_from(line, comma + 1));
	return identity_is_plain(out->impi) && identity_is_plain(out->impu);
}

/** Takes pairs until there are enough. Returns 0, or the line that is none. */
static uint32_t lines_read(struct pairs *p, struct span rest, uint32_t wanted)
{
	for (uint32_t number = 1; rest.len > 0 && p->count < wanted; number++) {
		uint32_t end = span_find(rest, '\n');
		struct span line = span_cut(rest, 0, end);

		rest = span_from(rest, end + 1);
		if (line.len > 0 && line.at[line.len - 1] == '\r')
			line.len--;
		line = span_trim(line);
		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (!pair_read(line, &p->pair[p->count]))
			return number;
		p->count++;
	}
	return 0;
}

bool pairs_init(struct pairs *p, const char *path, uint32_t wanted)
{
	size_t len = 0;
	uint32_t bad = 0;

	*p = (struct pairs){.text = file_read(path, &len),
			    .pair = calloc(wanted, sizeof(struct pair))};
	if (p->text == NULL || p->pair == NULL || len > UINT32_MAX) {
		fprintf(stderr, "wicgate-load: %s: %s\n", path, strerror(errno));
		goto refuse;
	}
	bad = lines_read(p, span_of(p->text, (uint32_t)len), wanted);
	if (bad > 0) {
		fprintf(stderr, "wicgate-load: %s:%u: not impi,impu\n", path, bad);
		goto refuse;
	}
	if (p->count == wanted)
		return true;
	fprintf(stderr, "wicgate-load: %s has %u pairs, %u are needed\n", path, p->count, wanted);
refuse:
	pairs_fini(p);
	return false;
}

void pairs_fini(struct pairs *p)
{
	free(p->text);
	free(p->pair);
	*p = (struct pairs){0};
}

void pairs_make(FILE *to, uint64_t n, const char *domain)
{
	for (uint64_t i = 1; i <= n; i++)
		fprintf(to, "load-%06" PRIu64 "@%s,sip:load-%06" PRIu64 "@%s\n", i, domain, i,
			domain);
}
