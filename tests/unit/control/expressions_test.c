/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "../test.h"
#include "control/expressions.h"
#include "pattern_table.h"

static const struct expression two[] = {{"\\Aab*\\z", "x", 4}, {"\\Aa[bc]+\\z", "x", 7}};

/** Compiles; NULL must have one problem, whose text is *why. */
static struct expressions *compiled(const struct expressions_from *from, const char *why)
{
	struct problems *problems = problems_new();
	struct expressions *e = expressions_compile(from, problems);

	EXPECT_EQ(why == NULL ? 0 : 1, problems_count(problems));
	EXPECT((e != NULL) == (why == NULL));
	if (why != NULL)
		EXPECT_TEXT(why, problems_text(problems, 0));
	problems_free(problems);
	return e;
}

static bool matches(const struct expressions *e, uint32_t id, const char *text)
{
	return pattern_matches(expressions_database(e), 1, id, span_text(text));
}

TEST(expressions, are_told_apart_in_one_database)
{
	const struct expressions_from from = {two, 2, "wicgate.yaml", 1, NULL, NULL};
	struct expressions *e = compiled(&from, NULL);

	EXPECT(matches(e, 0, "abb") && matches(e, 1, "abb"));
	EXPECT(matches(e, 0, "a") && !matches(e, 1, "a"));
	EXPECT(!matches(e, 0, "ac") && matches(e, 1, "ac"));
	EXPECT(!matches(e, 0, "b") && !matches(e, 1, ""));
	EXPECT_EQ(2, expressions_about(e).count);
	EXPECT(expressions_about(e).bytes > 0 && expressions_about(e).made_s > 0);
	expressions_put(e);
}

TEST(expressions, have_a_scratch_for_each_worker_and_for_control)
{
	const struct expressions_from from = {two, 2, "wicgate.yaml", 2, NULL, NULL};
	struct expressions *e = compiled(&from, NULL);
	const struct pattern_database *d = expressions_database(e);

	for (uint16_t w = 0; w < 3; w++)
		EXPECT(pattern_matches(d, w, 0, SPAN("ab")));
	EXPECT(d->scratch[0] != d->scratch[1] && d->scratch[1] != d->scratch[2]);
	EXPECT(!pattern_matches(d, 3, 0, SPAN("ab")));
	expressions_put(e);
}

TEST(expressions, that_have_not_changed_are_the_same_as_before)
{
	struct expressions_from from = {two, 2, "wicgate.yaml", 1, NULL, NULL};
	struct expressions *e = compiled(&from, NULL), *again;

	from.before = e;
	again = compiled(&from, NULL);
	EXPECT(again == e);
	expressions_put(e);
	EXPECT(matches(again, 0, "ab"));
	from.workers = 2;
	e = compiled(&from, NULL);
	EXPECT(e != again);
	expressions_put(e);
	from.count = 1;
	from.workers = 1;
	e = compiled(&from, NULL);
	EXPECT(e != again && !matches(e, 1, "ac"));
	expressions_put(e);
	expressions_put(again);
}

TEST(expressions, that_have_changed_are_compiled_with_those_that_have_not)
{
	const struct expression other[] = {two[0], {"\\Ax\\z", "x", 7}};
	struct expressions_from from = {two, 2, "wicgate.yaml", 1, NULL, NULL};
	struct expressions *e = compiled(&from, NULL), *next;

	from.before = e;
	from.at = other;
	next = compiled(&from, NULL);
	EXPECT(next != e && matches(next, 0, "ab") && matches(next, 1, "x"));
	expressions_put(e);
	expressions_put(next);
}

TEST(expressions, that_cannot_be_compiled_are_told_with_their_line)
{
	const struct expression bad[] = {two[0],
					 {"\\A(.{0,20}a.{0,20}b){0,20}\\z",
					  "wwsf[].identities.wildcard", 9}};
	const struct expressions_from from = {bad, 2, "wicgate.yaml", 1, NULL, NULL};

	(void)compiled(&from, "wicgate.yaml:9: wwsf[].identities.wildcard: the expression cannot "
			      "be compiled: too large");
}

TEST(expressions, that_become_too_large_are_told_with_their_line)
{
	const struct expression bad[] = {
		{"\\Asip:a.{0,200}a.{0,200}@h\\z", "wwsf[].identities.wildcard", 9}};
	const struct expressions_from from = {bad, 1, "wicgate.yaml", 1, NULL, NULL};

	(void)compiled(&from, "wicgate.yaml:9: wwsf[].identities.wildcard: the expression becomes "
			      "too large");
}

TEST(expressions, are_not_compiled_when_nobody_wants_them_any_more)
{
	const atomic_bool stop = true;
	const struct expressions_from from = {two, 2, "wicgate.yaml", 1, NULL, &stop};

	(void)compiled(&from, "wicgate.yaml:4: x: stopped");
}

TEST_MAIN("expressions", RUN(expressions, are_told_apart_in_one_database),
	  RUN(expressions, have_a_scratch_for_each_worker_and_for_control),
	  RUN(expressions, that_have_not_changed_are_the_same_as_before),
	  RUN(expressions, that_have_changed_are_compiled_with_those_that_have_not),
	  RUN(expressions, that_cannot_be_compiled_are_told_with_their_line),
	  RUN(expressions, that_become_too_large_are_told_with_their_line),
	  RUN(expressions, are_not_compiled_when_nobody_wants_them_any_more))
