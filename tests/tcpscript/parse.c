/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INCLUDES_DEEP 4u
#define FILE_MAX (256u * 1024u)

bool parse_fail(struct script *script, const struct line *at, const char *what, const char *word)
{
	snprintf(script->error, sizeof(script->error), "%s:%u: %s%s%s", at->file, at->number, what,
		 word[0] != '\0' ? ": " : "", word);
	return false;
}

/* +A, +A~B and [n], in front of the action. Returns the rest; NULL: wrong. */
static char *read_front(struct line *line, char *text)
{
	text += strspn(text, " \t");
	if (*text == '+') {
		char *end = text + strcspn(text, " \t"), *tilde;
		char kept = *end;

		*end = '\0';
		tilde = strchr(text, '~');
		if (tilde != NULL)
			*tilde = '\0';
		line->has_time = true;
		line->has_range = tilde != NULL;
		if (!script_time(text + 1, &line->after_us) ||
		    (tilde != NULL && !script_time(tilde + 1, &line->until_us)))
			return NULL;
		text = kept == '\0' ? end : end + 1;
		text += strspn(text, " \t");
	}
	if (*text == '[') {
		char *end = strchr(text, ']');
		int64_t label;

		if (end == NULL)
			return NULL;
		*end = '\0';
		if (!script_number(text + 1, line->turn, &label) || label < 0)
			return NULL;
		line->label = (uint32_t)label;
		text = end + 1 + strspn(end + 1, " \t");
	}
	return text;
}

static bool read_action(struct script *script, struct line *line, char *text)
{
	static const char *const arrows[] = {"<", ">", ">?"};
	char *options = text[0] == '<' || text[0] == '>' ? strchr(text + 1, '<') : NULL;

	if (options != NULL) {
		*options = '\0';
		if (!parse_options(options + 1, line->turn, &line->segment))
			return parse_fail(script, line, "options not understood", "");
	}
	line->words = parse_split(text, line->word, SCRIPT_WORDS);
	if (line->words == 0 || line->words > SCRIPT_WORDS)
		return parse_fail(script, line, "no action, or too many words", "");
	line->action = ACTION_WORDS;
	for (uint32_t i = 0; i < 3; i++)
		if (strcmp(line->word[0], arrows[i]) == 0) {
			line->action = (enum action)i;
			return parse_segment(script, line);
		}
	return true;
}

static char *keep(struct script *script, char *text)
{
	script->kept = realloc(script->kept, (script->kept_count + 1) * sizeof(*script->kept));
	return script->kept[script->kept_count++] = text;
}

/* One line of text, at a turn of a repeat. */
static bool read_line(struct script *script, struct line at, const char *text)
{
	char *rest;

	at.label = 1;
	rest = read_front(&at, keep(script, strdup(text)));
	if (rest == NULL)
		return parse_fail(script, &at, "time or label not understood", "");
	if (script->lines == script->room) {
		script->room = script->room * 2 + 64;
		script->line = realloc(script->line, script->room * sizeof(at));
	}
	if (!read_action(script, &at, rest))
		return false;
	script->line[script->lines++] = at;
	return true;
}

static bool read_file(struct script *script, const char *path, const char *preambles,
		      uint32_t depth);

static bool include(struct script *script, const struct line *at, const char *name,
		    const char *preambles, uint32_t depth)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.tcp", preambles, name);
	if (depth == INCLUDES_DEEP)
		return parse_fail(script, at, "includes too deep", name);
	return read_file(script, path, preambles, depth + 1) ||
	       (script->error[0] == '\0' ? parse_fail(script, at, "no such preamble", name)
					 : false);
}

/* The lines of a repeat, which begin behind *next, once for each turn. */
static bool repeat(struct script *script, struct line *at, const char *times, char **next)
{
	char *body = *next, *end = strstr(body, "\nend");
	uint32_t last = 0;
	int64_t n;

	if (end == NULL || !script_number(times, 0, &n) || n < 1 || n > 100000)
		return parse_fail(script, at, "repeat N ... end expected", times);
	*end = '\0';
	*next = end + sizeof("\nend") - 1;
	for (uint32_t turn = 0; turn < n; turn++) {
		struct line inner = *at; /* numbered from the line of repeat in each turn */
		char *copy = strdup(body), *rest = copy, *text;
		bool ok = true;

		inner.turn = turn;
		while (ok && (text = strsep(&rest, "\n")) != NULL) {
			inner.number++;
			if (text[strspn(text, " \t")] != '\0' && text[strspn(text, " \t")] != '#')
				ok = read_line(script, inner, text);
		}
		last = inner.number;
		free(copy);
		if (!ok)
			return false;
	}
	at->number = last; /* the rest of the line of "end" is read as one more */
	return true;
}

static bool read_text(struct script *script, const char *name, char *text, const char *preambles,
		      uint32_t depth)
{
	struct line at = {.file = keep(script, strdup(name))};
	char *rest = text, *one;

	if (depth == 0)
		script->has_requirement = strncmp(text, "# requirement: ", 15) == 0;
	while ((one = strsep(&rest, "\n")) != NULL) {
		char *first = one + strspn(one, " \t");
		bool ok = true;

		at.number++;
		if (strncmp(first, "include ", 8) == 0)
			ok = include(script, &at, first + 8, preambles, depth);
		else if (strncmp(first, "repeat ", 7) == 0 && rest != NULL)
			ok = repeat(script, &at, first + 7, &rest);
		else if (*first != '\0' && *first != '#')
			ok = read_line(script, at, first);
		if (!ok)
			return false;
	}
	return true;
}

static bool read_file(struct script *script, const char *path, const char *preambles,
		      uint32_t depth)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, FILE_MAX);
	bool ok = file != NULL && text != NULL;

	if (ok) {
		text[fread(text, 1, FILE_MAX - 1, file)] = '\0';
		ok = read_text(script, path, text, preambles, depth);
	}
	if (file != NULL)
		fclose(file);
	free(text);
	return ok;
}

bool script_parse(struct script *script, const char *name, char *text, const char *preambles)
{
	*script = (struct script){0};
	return read_text(script, name, text, preambles, 0);
}

bool script_read(struct script *script, const char *path, const char *preambles)
{
	*script = (struct script){0};
	if (read_file(script, path, preambles, 0))
		return true;
	if (script->error[0] == '\0')
		snprintf(script->error, sizeof(script->error), "%s: cannot be read", path);
	return false;
}

void script_free(struct script *script)
{
	for (uint32_t i = 0; i < script->kept_count; i++)
		free(script->kept[i]);
	free(script->kept);
	free(script->line);
}
