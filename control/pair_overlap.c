/* SPDX-License-Identifier: BSD-3-Clause */
#include "generator.h"
#include "pair_table.h"

/** Two tables, and what is found of them. */
struct overlap {
	const struct pairs *walked; /* whose records are looked up, one after the other */
	const struct pairs *other;
	bool swapped; /* walked is the first of the two, and not the one to be complained of */
	struct problems *problems;
	uint32_t partial;      /* pairs of a list that are in a pool by half */
	uint32_t partial_line; /* of the first one */
};

/** A record of walked. */
struct overlap_pair {
	uint32_t line;
	struct span impi, impu;
	uint8_t text[2 * IDENTITY_MAX];
};

static void overlap_read(const struct pair_table *table, uint64_t at, struct overlap_pair *pair)
{
	const struct pair_record *record = pair_table_record(table, at);
	struct writer out;

	pair->line = record->line;
	writer_init(&out, pair->text, sizeof(pair->text));
	pair_record_impi(table, record, &out);
	pair->impi = writer_span(&out);
	pair_record_impu(table, record, &out);
	pair->impu = span_from(writer_span(&out), pair->impi.len);
}

/** Both have what: of walked on line, of the other one on its line. */
static void overlap_refuse(const struct overlap *o, const char *what, uint32_t line, uint32_t other)
{
	const char *walked_path = pairs_path(o->walked), *other_path = pairs_path(o->other);

	if (o->swapped)
		problems_add(o->problems, PROBLEM_ERROR, other_path, other,
			     "the %s of %s:%u, it can belong to one WWSF only", what, walked_path,
			     line);
	else
		problems_add(o->problems, PROBLEM_ERROR, walked_path, line,
			     "the %s of %s:%u, it can belong to one WWSF only", what, other_path,
			     other);
}

/** The line of the pair in the other table, when that has it. */
static uint32_t overlap_line(const struct overlap *o, const struct overlap_pair *pair)
{
	const struct pair_table *table = pairs_table(o->other);
	const struct pair_record *record = pair_table_find(table, pair->impi, pair->impu);

	if (record != NULL)
		return record->line;
	return table->kind == PAIRS_MADE &&
			       pair_generator_makes(table->generator, pair->impi, pair->impu)
		       ? pairs_line(o->other)
		       : 0;
}

static uint32_t overlap_impi_line(const struct overlap *o, struct span impi)
{
	const struct pair_table *table = pairs_table(o->other);
	const struct pair_record *record = pair_table_by_impi(table, impi);

	if (record != NULL)
		return record->line;
	return table->kind == PAIRS_MADE && pair_generator_makes_impi(table->generator, impi)
		       ? pairs_line(o->other)
		       : 0;
}

static uint32_t overlap_impu_line(const struct overlap *o, struct span impu)
{
	const struct pair_table *table = pairs_table(o->other);
	const struct pair_record *record = pair_table_by_impu(table, impu);

	if (record != NULL)
		return record->line;
	return table->kind == PAIRS_MADE && pair_generator_makes_impu(table->generator, impu)
		       ? pairs_line(o->other)
		       : 0;
}

/** What may not be in two tables, is in both only in parts. */
static void overlap_parts(struct overlap *o, const struct overlap_pair *pair)
{
	uint32_t impi = overlap_impi_line(o, pair->impi);
	uint32_t impu = overlap_impu_line(o, pair->impu);

	if (impi == 0 && impu == 0)
		return;
	if (pairs_table(o->walked)->kind == PAIRS_LISTED) {
		o->partial_line = o->partial++ == 0 ? pair->line : o->partial_line;
		return;
	}
	if (impi != 0)
		overlap_refuse(o, "private identity", pair->line, impi);
	if (impu != 0)
		overlap_refuse(o, "public identity", pair->line, impu);
}

static void overlap_walk(struct overlap *o)
{
	const struct pair_table *table = pairs_table(o->walked);
	struct overlap_pair pair;
	uint32_t line;

	for (uint64_t at = 0; at < table->record_bytes; at = pair_table_next(table, at)) {
		overlap_read(table, at, &pair);
		line = overlap_line(o, &pair);
		if (line != 0)
			overlap_refuse(o, "pair", pair.line, line);
		else if (pairs_table(o->other)->kind != PAIRS_LISTED)
			overlap_parts(o, &pair);
	}
	if (o->partial > 0)
		problems_add(o->problems, PROBLEM_WARNING, pairs_path(o->walked), o->partial_line,
			     "an identity of the pool of %s, which nobody else may use; of such "
			     "pairs there are %u",
			     pairs_path(o->other), o->partial);
}

static void overlap_generators(const struct pairs *a, const struct pairs *b,
			       struct problems *problems)
{
	char example[IDENTITY_MAX + 1];

	if (generator_overlap(pairs_table(a)->generator, pairs_table(b)->generator, example) !=
	    GENERATOR_NOTHING)
		problems_add(problems, PROBLEM_ERROR, pairs_path(b), pairs_line(b),
			     "wwsf[].identities.generator: \"%s\" is made by the generator of line "
			     "%u as well, it can belong to one WWSF only",
			     example, pairs_line(a));
}

/** Which of the two is walked: lists rather than pools, both rather than generators; of two alike
 * the shorter one. */
static bool overlap_walks(const struct pair_table *a, const struct pair_table *b)
{
	return a->kind != b->kind ? a->kind < b->kind : a->count < b->count;
}

void pairs_overlap(const struct pairs *a, const struct pairs *b, struct problems *problems)
{
	struct overlap o = {.walked = b, .other = a, .problems = problems};

	if (pairs_table(a)->count == 0 || pairs_table(b)->count == 0)
		return;
	if (pairs_table(a)->kind == PAIRS_MADE && pairs_table(b)->kind == PAIRS_MADE) {
		overlap_generators(a, b, problems);
		return;
	}
	if (overlap_walks(pairs_table(a), pairs_table(b)))
		o = (struct overlap){.walked = a,
				     .other = b,
				     .swapped = true,
				     .problems = problems};
	overlap_walk(&o);
}
