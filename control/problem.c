/* SPDX-License-Identifier: BSD-3-Clause */
#include "problem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

enum { PROBLEM_REASON_MAX = 512 };

struct problem {
	enum problem_level level;
	uint32_t file; /* number of the file in order of first mention */
	uint32_t line;
	uint32_t order;
	const char *name; /* of the file */
	const char *text;
};

struct problems {
	struct arena *arena;
	uint32_t files;
	uint32_t errors;
	uint32_t count;
	uint32_t dropped;
	struct problem at[PROBLEMS_MAX];
};

struct problems *problems_new(void)
{
	struct arena *arena = arena_new();
	struct problems *problems = arena_get(arena, sizeof(*problems));

	problems->arena = arena;
	return problems;
}

void problems_free(struct problems *problems)
{
	if (problems != NULL)
		arena_free(problems->arena);
}

static void problem_name_file(struct problems *problems, struct problem *p, const char *file)
{
	for (uint32_t i = 0; i < problems->count; i++) {
		if (strcmp(problems->at[i].name, file) == 0) {
			p->file = problems->at[i].file;
			p->name = problems->at[i].name;
			return;
		}
	}
	p->file = problems->files++;
	p->name = arena_text(problems->arena, file, strlen(file));
}

void problems_add(struct problems *problems, enum problem_level level, const char *file,
		  uint32_t line, const char *format, ...)
{
	const char *kind = level == PROBLEM_WARNING ? "warning: " : "";
	char reason[PROBLEM_REASON_MAX];
	struct problem *p;
	size_t size;
	va_list list;
	char *text;

	problems->errors += level == PROBLEM_ERROR;
	if (problems->count == PROBLEMS_MAX) {
		problems->dropped++;
		return;
	}
	va_start(list, format);
	vsnprintf(reason, sizeof(reason), format, list);
	va_end(list);
	p = &problems->at[problems->count];
	*p = (struct problem){.level = level, .line = line, .order = problems->count};
	problem_name_file(problems, p, file);
	size = strlen(file) + strlen(reason) + sizeof(":4294967295: warning: ");
	text = arena_get(problems->arena, size);
	snprintf(text, size, "%s:%u: %s%s", file, line, kind, reason);
	p->text = text;
	problems->count++;
}

static int problem_order(const void *a, const void *b)
{
	const struct problem *p = a, *q = b;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	return p->order < q->order ? -1 : 1;
}

void problems_sort(struct problems *problems)
{
	qsort(problems->at, problems->count, sizeof(problems->at[0]), problem_order);
}

uint32_t problems_errors(const struct problems *problems)
{
	return problems->errors;
}

uint32_t problems_count(const struct problems *problems)
{
	return problems->count;
}

const char *problems_text(const struct problems *problems, uint32_t i)
{
	return problems->at[i].text;
}

enum problem_level problems_level(const struct problems *problems, uint32_t i)
{
	return problems->at[i].level;
}

void problems_print(const struct problems *problems, FILE *out)
{
	for (uint32_t i = 0; i < problems->count; i++)
		fprintf(out, "%s\n", problems->at[i].text);
	if (problems->dropped > 0)
		fprintf(out, "and %u more\n", problems->dropped);
}
