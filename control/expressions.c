/* SPDX-License-Identifier: BSD-3-Clause */
#include "expressions.h"

#include <hs.h>
#include <stdlib.h>
#include <time.h>

/* '.' is any byte, and that an expression matches is all that is asked. */
enum { EXPRESSION_FLAGS = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH };

struct expressions {
	_Atomic uint32_t holders;
	uint32_t count;
	char **text;
	struct pattern_database made; /* its scratches are its own */
	struct hs_scratch **scratch;
	struct expressions_about about;
};

/* ---- life ---------------------------------------------------------------------------------- */

static struct expressions *expressions_new(const struct expressions_from *from)
{
	struct expressions *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	atomic_init(&e->holders, 1);
	e->about.count = e->count = from->count;
	e->made.workers = from->workers;
	e->text = calloc(from->count, sizeof(*e->text));
	e->scratch = calloc(from->workers + 1u, sizeof(*e->scratch));
	e->made.scratch = e->scratch;
	for (uint32_t i = 0; e->text != NULL && i < from->count; i++) {
		e->text[i] = strdup(from->at[i].text);
		if (e->text[i] == NULL)
			break;
	}
	if (e->scratch != NULL && e->text != NULL && e->text[from->count - 1] != NULL)
		return e;
	expressions_put(e);
	return NULL;
}

struct expressions *expressions_hold(struct expressions *expressions)
{
	atomic_fetch_add(&expressions->holders, 1);
	return expressions;
}

void expressions_put(struct expressions *expressions)
{
	struct expressions *e = expressions;

	if (e == NULL || atomic_fetch_sub(&e->holders, 1) != 1)
		return;
	for (uint32_t i = 0; e->text != NULL && i < e->count; i++)
		free(e->text[i]);
	for (uint32_t w = 0; e->scratch != NULL && w <= e->made.workers; w++)
		(void)hs_free_scratch(e->scratch[w]);
	(void)hs_free_database(e->made.database);
	free(e->text);
	free(e->scratch);
	free(e);
}

const struct pattern_database *expressions_database(const struct expressions *expressions)
{
	return &expressions->made;
}

struct expressions_about expressions_about(const struct expressions *expressions)
{
	return expressions->about;
}

/* ---- what there was before ------------------------------------------------------------------ */

static bool expressions_same(const struct expressions *e, const struct expressions_from *from)
{
	if (e == NULL || e->count != from->count || e->made.workers != from->workers)
		return false;
	for (uint32_t i = 0; i < from->count; i++)
		if (strcmp(e->text[i], from->at[i].text) != 0)
			return false;
	return true;
}

/** Whether it was good alone. */
static bool expressions_knows(const struct expressions *e, const char *text)
{
	for (uint32_t i = 0; e != NULL && i < e->count; i++)
		if (strcmp(e->text[i], text) == 0)
			return true;
	return false;
}

/* ---- compiling ------------------------------------------------------------------------------ */

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void expression_refuse(const struct expressions_from *from, const struct expression *at,
			      const char *why, struct problems *problems)
{
	problems_add(problems, PROBLEM_ERROR, from->file, at->line, "%s: %s", at->setting, why);
}

/** Why it may not be used, or NULL. */
static const char *expression_try(const char *text)
{
	uint64_t begun_ms = clock_ms(CLOCK_THREAD_CPUTIME_ID);
	hs_compile_error_t *fault = NULL;
	hs_database_t *database = NULL;
	size_t bytes = 0;

	if (hs_compile(text, EXPRESSION_FLAGS, HS_MODE_BLOCK, NULL, &database, &fault) !=
	    HS_SUCCESS) {
		(void)hs_free_compile_error(fault);
		return "the expression cannot be compiled: too large";
	}
	(void)hs_database_size(database, &bytes);
	(void)hs_free_database(database);
	if (bytes > EXPRESSION_BYTES_MAX)
		return "the expression becomes too large";
	return clock_ms(CLOCK_THREAD_CPUTIME_ID) - begun_ms > EXPRESSION_MS_MAX
		       ? "the expression takes too long to compile"
		       : NULL;
}

static bool expressions_stopped(const struct expressions_from *from)
{
	return from->stop != NULL && atomic_load_explicit(from->stop, memory_order_relaxed);
}

static bool expressions_try(const struct expressions_from *from, struct problems *problems)
{
	bool good = true;

	for (uint32_t i = 0; i < from->count && !expressions_stopped(from); i++) {
		const char *why = NULL;

		if (!expressions_knows(from->before, from->at[i].text))
			why = expression_try(from->at[i].text);
		if (why != NULL)
			expression_refuse(from, &from->at[i], why, problems);
		good = good && why == NULL;
	}
	return good;
}

/** All together. Why not, or NULL. */
static const char *expressions_join(struct expressions *e)
{
	unsigned int *flags = calloc(e->count, sizeof(*flags));
	unsigned int *ids = calloc(e->count, sizeof(*ids));
	hs_compile_error_t *fault = NULL;
	hs_error_t err = HS_NOMEM;
	size_t bytes = 0;

	for (uint32_t i = 0; flags != NULL && ids != NULL && i < e->count; i++) {
		flags[i] = EXPRESSION_FLAGS;
		ids[i] = i;
	}
	if (flags != NULL && ids != NULL)
		err = hs_compile_multi((const char *const *)e->text, flags, ids, e->count,
				       HS_MODE_BLOCK, NULL, &e->made.database, &fault);
	free(flags);
	free(ids);
	(void)hs_free_compile_error(fault);
	if (err != HS_SUCCESS)
		return "all expressions together cannot be compiled";
	(void)hs_database_size(e->made.database, &bytes);
	e->about.bytes = bytes;
	return bytes > EXPRESSIONS_BYTES_MAX ? "all expressions together become too large" : NULL;
}

/** What each worker scans with, and the thread that compiles. */
static bool expressions_scratches(struct expressions *e)
{
	for (uint32_t w = 0; w <= e->made.workers; w++)
		if (hs_alloc_scratch(e->made.database, &e->scratch[w]) != HS_SUCCESS)
			return false;
	return true;
}

static const char *expressions_build(struct expressions *e)
{
	const char *why = expressions_join(e);

	if (why == NULL && !expressions_scratches(e))
		why = "no memory";
	return why;
}

static struct expressions *expressions_make(const struct expressions_from *from,
					    struct problems *problems)
{
	uint64_t begun_ms = clock_ms(CLOCK_MONOTONIC);
	struct expressions *e;
	const char *why = "no memory";

	if (hs_valid_platform() != HS_SUCCESS) {
		expression_refuse(from, &from->at[0], "this processor has no SSSE3", problems);
		return NULL;
	}
	if (!expressions_try(from, problems))
		return NULL;
	e = expressions_new(from);
	if (expressions_stopped(from))
		why = "stopped";
	else if (e != NULL)
		why = expressions_build(e);
	if (why != NULL) {
		expression_refuse(from, &from->at[0], why, problems);
		expressions_put(e);
		return NULL;
	}
	e->about.made_s = clock_ms(CLOCK_REALTIME) / 1000;
	e->about.took_ms = (uint32_t)(clock_ms(CLOCK_MONOTONIC) - begun_ms);
	return e;
}

struct expressions *expressions_compile(const struct expressions_from *from,
					struct problems *problems)
{
	if (expressions_same(from->before, from))
		return expressions_hold(from->before);
	return expressions_make(from, problems);
}
