/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "control/destinations.h"
#include "control/wildcard.h"
#include "destination_rules.h"
#include "identity/pattern.h"
#include "tests/bench/identity/measure.h"

/* bench_rules: wildcards and prefixes, compiled and looked up. CPU time. */

enum { WILDCARDS = 1000, PREFIXES = 10000, QUERIES = 256, ROUNDS = 2000 };

/* ---- wildcards ------------------------------------------------------------------------------ */

struct wildcards {
	struct arena *arena;
	struct expressions *expressions;
	struct pattern_row row[WILDCARDS];
	struct pattern_part part;
	double compiled_s;
};

static bool wildcards_compile(struct wildcards *w, const char *ere)
{
	static struct expression at[WILDCARDS];
	struct problems *problems = problems_new();
	const struct expressions_from from = {.at = at,
					      .count = WILDCARDS,
					      .file = "bench",
					      .workers = 1};
	char text[256];

	w->arena = arena_new();
	for (uint32_t i = 0; i < WILDCARDS; i++) {
		struct wildcard read;

		snprintf(text, sizeof(text), "sip:site%u-!%s!@home%u.net", i, ere, i % 7);
		read = wildcard_read(span_text(text), w->arena);
		if (read.why != NULL)
			return false;
		w->row[i] =
			(struct pattern_row){read.text, read.literal, read.prefix, read.suffix, i};
		at[i] = (struct expression){read.expression, "bench", 1};
	}
	w->compiled_s = cpu_s();
	w->expressions = expressions_compile(&from, problems);
	w->compiled_s = cpu_s() - w->compiled_s;
	problems_print(problems, stdout);
	problems_free(problems);
	if (w->expressions == NULL)
		return false;
	w->part = (struct pattern_part){.database = expressions_database(w->expressions),
					.row = w->row,
					.count = WILDCARDS};
	return true;
}

/** Nanoseconds of a question: for its own wildcard, and for that of any other. */
static double wildcard_ns(const struct wildcards *w, bool own)
{
	static struct identity impu[QUERIES];
	static uint32_t row[QUERIES];
	double begun_s;
	uint64_t right = 0;

	for (uint32_t i = 0; i < QUERIES; i++) {
		row[i] = random_below(WILDCARDS);
		impu[i].len = (uint16_t)snprintf((char *)impu[i].text, IDENTITY_MAX,
						 "sip:site%u-visitor%u@home%u.net", row[i],
						 random_below(1000000), row[i] % 7);
	}
	begun_s = cpu_s();
	for (uint32_t r = 0; r < ROUNDS; r++)
		for (uint32_t i = 0; i < QUERIES; i++)
			right += own ? pattern_has(&w->part, 0, row[i], &impu[i])
				     : pattern_of_another(&w->part, 0, (row[i] + 1) % WILDCARDS,
							  &impu[i]);
	begun_s = cpu_s() - begun_s;
	if (right != (uint64_t)QUERIES * ROUNDS)
		printf("WRONG: %llu\n", (unsigned long long)right);
	return begun_s / QUERIES / ROUNDS * 1e9;
}

static int play_wildcards(const char *ere)
{
	static struct wildcards w;

	if (!wildcards_compile(&w, ere))
		return 1;
	printf("| wildcards %-26s | %6d | %9.1f | %8.1f | %6.0f | %6.0f |\n", ere, WILDCARDS,
	       w.compiled_s, (double)expressions_about(w.expressions).bytes / 1024,
	       wildcard_ns(&w, true), wildcard_ns(&w, false));
	expressions_put(w.expressions);
	arena_free(w.arena);
	return 0;
}

/* ---- prefixes ------------------------------------------------------------------------------- */

static int play_prefixes(void)
{
	static struct option_text texts[PREFIXES];
	static char text[PREFIXES][20];
	static uint64_t query[QUERIES];
	struct config_destinations list = {.texts = {texts, PREFIXES, 1}};
	struct destinations_from from = {.setting = "bench", .file = "bench", .arena = arena_new()};
	struct problems *problems = problems_new();
	double read_s = cpu_s(), begun_s;
	uint64_t found = 0;
	char number[24];

	for (uint32_t i = 0; i < PREFIXES; i++) {
		snprintf(text[i], sizeof(text[i]), "tel:+%u", 1000000 + 37 * i);
		texts[i] = (struct option_text){text[i], i};
	}
	destinations_read(&list, &from, problems);
	read_s = cpu_s() - read_s;
	for (uint32_t i = 0; i < QUERIES; i++) {
		snprintf(number, sizeof(number), "+%u%04u", 1000000 + random_below(37 * PREFIXES),
			 i);
		query[i] = destination_places(span_text(number));
	}
	begun_s = cpu_s();
	for (uint32_t r = 0; r < ROUNDS; r++)
		for (uint32_t i = 0; i < QUERIES; i++)
			found += destination_has_number(&list.made, query[i]);
	begun_s = cpu_s() - begun_s;
	printf("| %-36s | %6u | %9.1f | %8.1f | %6.0f | %6s |\n", "prefixes of numbers",
	       list.made.numbers, read_s, (double)list.made.numbers * 8 / 1024,
	       begun_s / QUERIES / ROUNDS * 1e9, "-");
	problems_free(problems);
	arena_free(from.arena);
	return found == 0;
}

int main(void)
{
	int bad = 0;

	printf("\nWildcards and destinations; CPU time; budget: 2000 ns of 1,000 wildcards, 300 ns "
	       "of "
	       "10,000 prefixes\n"
	       "| rules                                |  count | compile s |      KiB | own ns | "
	       "others |\n"
	       "|--------------------------------------|--------|-----------|----------|--------|--"
	       "----"
	       "--|\n");
	bad |= play_wildcards(".*");
	bad |= play_wildcards("[a-z]{3,20}[0-9]+");
	bad |= play_wildcards("visitor(0|1|[2-9])*[0-9]");
	return bad | play_prefixes();
}
